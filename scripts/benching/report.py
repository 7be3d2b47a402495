"""The figures as a table, as JSON and as a picture."""

import html
import json

COLUMNS = ("case", "size", "measure", "runs", "muster", "serf", "ratio", "target", "met")


def number(value, values=()):
    if value is None:
        return "never" if any(item is None for item in values) else "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spanned(value, values):
    """The median with the least and the most of several runs: the noise of the measure."""
    text = number(value, values)
    known = [item for item in values if item is not None]
    missing = len(values) - len(known)
    if len(values) > 1:
        text += f" ({number(min(known))}–{number(max(known))}" if known else " ("
        text += f", {missing} never)" if missing else ")"
    return text


def cells(row):
    verdict = {None: "", True: "yes", False: "NO"}[row["met"]]
    share = "" if row["ratio"] is None else f"{row['ratio']:.3f}"
    runs = sorted({len(row["muster_values"]), len(row["serf_values"])} - {0}, reverse=True)
    return (row["case"], str(row["size"]), row["measure"], "/".join(map(str, runs)),
            spanned(row["muster"], row["muster_values"]),
            spanned(row["serf"], row["serf_values"]), share, row["target"], verdict)


def table(document):
    lines = [COLUMNS, *(cells(row) for row in document["rows"])]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
            for line in lines]
    return "\n".join([head(document), "", *text])


def head(document):
    about = document["machine"]
    steady = document["spin_spread"]
    return (f"{about['date']}, {about['cores']} cores, {about['model']}, kernel {about['kernel']}; "
            f"a fixed spin took {min(document['spin_ms']):.0f} to {max(document['spin_ms']):.0f} ms"
            f" (× {steady:.2f}). {document['rounds']} rounds; medians (least–most of the runs); "
            f"seconds where no unit stands. {mood(document)}")


def mood(document):
    """Whether the machine was this run's alone."""
    most = max((max(part["others"], part["others_before"]) for part in document["parts"]),
               default=0.0)
    if not document["is_noisy"]:
        return f"A quiet machine: others took {most:.0%} of it at most."
    return (f"NOISY: others took up to {most:.0%} of the machine, in {document['noisy_parts']} of "
            f"{len(document['parts'])} parts; ratios hold better than times, and both are worth "
            "measuring again.")


def write_json(document, path):
    with open(path, "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


def write_plot(document, path):
    """One bar for each system and measure, on a logarithmic scale, in a page without scripts."""
    rows = [row for row in document["rows"]
            if row["muster"] is not None and (row["serf"] or row["serf_values"])]
    step, left, width = 34, 330, 560
    parts = []
    for index, row in enumerate(rows):
        top = 30 + index * step
        label = f"{row['case']} {row['size']}: {row['measure']}"
        parts.append(f'<text x="{left - 8}" y="{top + 16}" text-anchor="end">'
                     f'{html.escape(label)}</text>')
        most = max(row["muster"], row["serf"] or 0, 1e-9)
        for offset, name, colour in ((0, "muster", "#2a6f97"), (13, "serf", "#c9a227")):
            value = row[name]
            length = width if value is None else max(2, width * value / most)
            shade = ' fill-opacity="0.25"' if value is None else ""
            parts.append(f'<rect x="{left}" y="{top + offset}" width="{length:.0f}" height="11" '
                         f'fill="{colour}"{shade}/>')
            parts.append(f'<text x="{left + length + 6:.0f}" y="{top + offset + 10}">'
                         f'{number(value, row[f"{name}_values"])}</text>')
    height = 40 + len(rows) * step
    with open(path, "w") as file:
        file.write(
            "<!doctype html><meta charset=utf-8><title>Muster beside serf</title>"
            f"<p style='font:13px sans-serif'>{html.escape(head(document))} "
            "Blue: Muster; yellow: serf; shorter is better; each pair has its own scale.</p>"
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" '
            f'height="{height}" font-family="sans-serif" font-size="11">{"".join(parts)}</svg>\n')
