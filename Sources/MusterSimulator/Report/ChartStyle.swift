/// The look of a drawn run. Patterns stand beside colours, so that grey paper shows the same.
enum ChartStyle {
  /// - Parameter isTall: many machines; paper stands upright then, and letters are larger on it.
  static func sheet(isTall: Bool) -> String {
    screen + """

      @media print {
        @page { size:A4 \(isTall ? "portrait" : "landscape"); margin:11mm; }
        .chart { max-height:\(isTall ? 236 : 138)mm; }
        .chart text { font-size:\(isTall ? 12 : 10)px; }
      }
      """
  }

  private static let screen = """
    :root { --ink:#1c2733; --faint:#66717d; --line:#d5dbe1; --paper:#fff; --up:#e9eef3;
      --lease:#22558f; --onlease:#fff; --alive:#7cb98a; --suspect:#f2ae35; --dead:#cf3d33;
      --left:#9aa4ae; --cut:#cf3d33; --trouble:#f4e3bd; --plan:#d9d0ee; --good:#2f7d46; }
    @media (prefers-color-scheme: dark) { :root { --ink:#e4e9ee; --faint:#98a3ae; --line:#39434d;
      --paper:#161b21; --up:#28313a; --lease:#6ea5e2; --onlease:#0c1218; --alive:#4f8f5f;
      --suspect:#d8962a; --dead:#e05a4f; --left:#6b7681; --cut:#e05a4f; --trouble:#574a2a;
      --plan:#443b63; --good:#6cc184; } }
    * { box-sizing:border-box; }
    body { font:14px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color:var(--ink);
      background:var(--paper); margin:1.5rem auto; padding:0 1.2rem; max-width:1500px; }
    h1 { font-size:1.35rem; margin:0 0 .2rem; } h2 { font-size:1rem; margin:1.4rem 0 .3rem; }
    p { margin:.2rem 0; } .facts { color:var(--faint); }
    .good { color:var(--good); } .bad { color:var(--dead); }
    figure { margin:1rem 0 0; }
    .chart { width:100%; height:auto; display:block; }
    figcaption { display:flex; flex-wrap:wrap; gap:.2rem 1.1rem; color:var(--faint);
      font-size:.85rem; margin-top:.5rem; }
    .item { white-space:nowrap; } .swatch { width:22px; height:10px; margin-right:.35rem; }
    table { border-collapse:collapse; font-size:.85rem; }
    td { padding:.1rem .8rem .1rem 0; vertical-align:top; }
    .time { text-align:right; font-variant-numeric:tabular-nums; color:var(--faint); }
    .not-kept td { color:var(--dead); font-weight:600; }
    .columns { columns:30rem; } .columns tr { break-inside:avoid; }
    text { font:10px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill:var(--ink); }
    .axis, .lane { fill:var(--faint); } .grid { stroke:var(--line); stroke-width:.6; }
    .name { font-weight:600; }
    .up { fill:var(--up); } .paused { fill:url(#hatch); stroke:var(--faint); stroke-width:.6; }
    .down { fill:none; stroke:var(--dead); stroke-width:.8; stroke-dasharray:3 2; }
    .gone { fill:none; stroke:var(--line); stroke-width:.8; }
    .lease { fill:var(--lease); } .term { fill:var(--onlease); font-size:9px; }
    .leading { fill:none; stroke:var(--lease); stroke-width:1; }
    .alive { fill:var(--alive); } .suspect { fill:var(--suspect); } .dead { fill:var(--dead); }
    .left { fill:var(--left); } .divided { fill:url(#hatch); }
    .commit { stroke:var(--ink); stroke-width:1; fill:none; }
    .cut { fill:var(--cut); fill-opacity:.09; } .cut-lane { fill:var(--cut); fill-opacity:.25; }
    .trouble { fill:var(--trouble); } .plan { fill:var(--plan); }
    .deed { stroke:var(--ink); stroke-width:1; }
    .calm { stroke:var(--good); stroke-width:1.2; stroke-dasharray:4 2; }
    .violation { stroke:var(--dead); stroke-width:2; } .wrong { fill:var(--dead); font-weight:700; }
    @media print {
      :root { --ink:#000; --faint:#444; --line:#c4c9ce; --paper:#fff; --up:#e9eef3;
        --lease:#22558f; --onlease:#fff; --alive:#7cb98a; --suspect:#f2ae35; --dead:#cf3d33;
        --left:#9aa4ae; --trouble:#f4e3bd; --plan:#d9d0ee; --good:#2f7d46; }
      * { -webkit-print-color-adjust:exact; print-color-adjust:exact; }
      body { margin:0; padding:0; max-width:none; font-size:10pt; }
      h1 { font-size:14pt; } figure { margin-top:.4rem; break-inside:avoid; }
      h2 { break-after:avoid; }
    }
    """
}
