"""How cost grows with the cluster: `muster-bench growth` for each size, each in a process of its
own, so that memory and processor time are that size's alone; drawn as one picture with the theory."""

import argparse
import html
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import machine

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 10000)
OURS, THEIRS, THEORY, INK, FAINT = "#2f6f4f", "#b26a2c", "#7a828c", "#2b3138", "#dfe3e6"

# Of each panel: its title, the measure, which sides have it, and what theory says of ours.
PANELS = (
    ("packets a second, a member", "packets/s a member", ("ours", "reference")),
    ("bytes a second, a member (42 of headers a packet)", "bytes/s a member", ("ours", "reference")),
    ("processor, µs a second, a member", "simulation: CPU us/s a member", ("ours", "reference")),
    ("resident KiB, a member", "simulation: resident KiB a member", ("ours",)),
)


def leases(size):
    """Heartbeats and promises: the leader's with each of at most six other voters, twice a second,
    there and back."""
    voters = min(7, size - (1 - size % 2))
    return 4 * (voters - 1) / size


def packets(size):
    """Everyone is probed once a second and answers; the leases of the voters come to it."""
    return 2 + leases(size)


def fitted(theory, points):
    """A law whose factor only a measure can give, through the measured point in the middle."""
    size, value = points[len(points) // 2]
    return lambda other: value * theory(other) / theory(size)


def private(points):
    """A part that every member has and a part that all share: a + b / N through both ends."""
    (small, first), (large, last) = points[0], points[-1]
    shared = (first - last) / (1 / small - 1 / large)
    return lambda size: last + shared * (1 / size - 1 / large)


def measure(program, size, limit):
    with tempfile.TemporaryDirectory(prefix="muster-bench.") as folder:
        found = pathlib.Path(folder) / "figures.json"
        subprocess.run(
            [program, "growth", "--nodes", str(size), "--jobs", "1", "--full", "--json", found],
            check=True, timeout=limit, stdout=subprocess.DEVNULL)
        rows = json.loads(found.read_text())[0]["rows"]
    return {row["measure"]: {side: None if row[side] is None else row[side] / 1000
                             for side in ("ours", "reference")} for row in rows}


def points(document, name, side):
    return [(size, figures[name][side]) for size, figures in
            ((entry["size"], entry["figures"]) for entry in document["sizes"])
            if figures[name][side] is not None and figures[name][side] > 0]


def theory(name, ours):
    if name.startswith("packets"):
        return packets, "2 + leases: 4 (voters − 1) / N"
    if name.startswith("bytes"):
        return fitted(packets, ours), "in proportion to the packets"
    if "CPU" in name:
        return fitted(packets, ours), "in proportion to the packets"
    return private(ours), "own part + shared part / N, both fitted"


class Panel:
    """One diagram, both axes logarithmic."""

    def __init__(self, left, top, width, height, sizes, values):
        self.left, self.top, self.width, self.height = left, top, width, height
        self.low, self.high = sizes[0], sizes[-1]
        self.bottom = 10 ** math.floor(math.log10(min(values)))
        self.roof = 10 ** math.ceil(math.log10(max(values) * 1.0001))

    def x(self, size):
        return self.left + self.width * math.log(size / self.low) / math.log(self.high / self.low)

    def y(self, value):
        share = math.log(value / self.bottom) / math.log(self.roof / self.bottom)
        return self.top + self.height * (1 - share)

    def path(self, found, colour, dash=""):
        steps = " ".join(f"{self.x(size):.1f},{self.y(value):.1f}" for size, value in found)
        return (f'<polyline points="{steps}" fill="none" stroke="{colour}" stroke-width="1.8"'
                f'{dash}/>')

    def grid(self, sizes):
        yield (f'<rect x="{self.left}" y="{self.top}" width="{self.width}" '
               f'height="{self.height}" fill="#ffffff" stroke="{FAINT}"/>')
        value = self.bottom
        while value <= self.roof * 1.001:
            y = self.y(value)
            yield (f'<path d="M{self.left} {y:.1f}H{self.left + self.width}" stroke="{FAINT}"/>'
                   f'<text x="{self.left - 6}" y="{y + 4:.1f}" text-anchor="end" '
                   f'fill="{THEORY}">{value:,.0f}</text>' if value >= 1 else
                   f'<path d="M{self.left} {y:.1f}H{self.left + self.width}" stroke="{FAINT}"/>'
                   f'<text x="{self.left - 6}" y="{y + 4:.1f}" text-anchor="end" '
                   f'fill="{THEORY}">{value:g}</text>')
            value *= 10
        for size in sizes:
            if size in (8, 32, 128, 512, 2048, 10000):
                yield (f'<text x="{self.x(size):.1f}" y="{self.top + self.height + 16}" '
                       f'text-anchor="middle" fill="{THEORY}">{size:,}</text>')


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def picture(document):
    width, height, gap = 350, 190, 80
    sizes = [entry["size"] for entry in document["sizes"]]
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 660" '
        'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12">',
        "<title>What a member of a calm cluster costs, from 8 to 10,000 members</title>",
        '<rect width="900" height="660" rx="10" fill="#fbfbf9"/>',
        f'<text x="60" y="34" font-size="16" font-weight="bold" fill="{INK}">A calm cluster: what '
        f"each member costs, from {sizes[0]:,} to {sizes[-1]:,} members</text>",
    ]
    legend = (("Muster", OURS, ""), ("published protocol", THEIRS, ""),
              ("theory for Muster", THEORY, ' stroke-dasharray="5 4"'))
    for place, (name, colour, dash) in enumerate(legend):
        left = 60 + 190 * place
        parts.append(f'<path d="M{left} 54h28" stroke="{colour}" stroke-width="2"{dash}/>'
                     f'<text x="{left + 36}" y="58" fill="{INK}">{name}</text>')
    for place, (title, name, sides) in enumerate(PANELS):
        left = 60 + (width + gap) * (place % 2)
        top = 96 + (height + 76) * (place // 2)
        found = {side: points(document, name, side) for side in sides}
        law, wording = theory(name, found["ours"])
        ideal = [(size, law(size)) for size in sizes if law(size) > 0]
        values = [value for side in found.values() for _, value in side]
        panel = Panel(left, top, width, height, sizes,
                      values + [value for _, value in ideal])
        parts.append(f'<text x="{left}" y="{top - 10}" font-weight="bold" fill="{INK}">'
                     f'{html.escape(title)}</text>')
        parts.extend(panel.grid(sizes))
        for side, colour in (("reference", THEIRS), ("ours", OURS)):
            if side not in found:
                continue
            parts.append(panel.path(found[side], colour))
            for size, value in found[side]:
                parts.append(f'<circle cx="{panel.x(size):.1f}" cy="{panel.y(value):.1f}" '
                             f'r="2.6" fill="{colour}"/>')
            size, value = found[side][-1]
            parts.append(f'<text x="{panel.x(size) + 6:.1f}" y="{panel.y(value) + 4:.1f}" '
                         f'fill="{colour}">{number(value)}</text>')
        # On top: where theory is right, both are one line.
        parts.append(panel.path(ideal, THEORY, ' stroke-dasharray="5 4"'))
        parts.append(f'<text x="{left + width}" y="{top + height + 34}" text-anchor="end" '
                     f'fill="{THEORY}">theory: {html.escape(wording)}</text>')
    about = document["machine"]
    parts.append(
        f'<text x="60" y="628" fill="{THEORY}">muster-bench growth, one virtual minute, '
        f'{about["date"][:10]}, {about["cores"]} cores. Processor and memory are those of the '
        'simulation:</text>'
        f'<text x="60" y="646" fill="{THEORY}">one thread, signatures simulated, and members '
        "share tables that an agent holds alone, one entry for each member.</text>")
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench growth", description="Measures and draws how cost grows with the "
        "cluster, in virtual time; needs .build/release/muster-bench, and no root.")
    parser.add_argument("--nodes", default=",".join(map(str, SIZES)), metavar="N,…")
    parser.add_argument("--program", type=pathlib.Path, metavar="FILE",
                        default=PROJECT / ".build/release/muster-bench")
    parser.add_argument("--limit", type=float, default=900, metavar="S", help="for each; 900")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--from", type=pathlib.Path, metavar="FILE", dest="source",
                        help="draw what --json wrote, and measure nothing")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    if options.source:
        document = json.loads(options.source.read_text())
    else:
        if not options.program.exists():
            parser.error(f"{options.program} is missing: swift build -c release "
                         "--product muster-bench --static-swift-stdlib")
        document = {"machine": machine.describe(), "sizes": []}
        for size in map(int, options.nodes.split(",")):
            figures = measure(options.program, size, options.limit)
            document["sizes"].append({"size": size, "figures": figures})
            print(size, *(f"{name}: {sides['ours']:.1f} / {sides['reference']:.1f};"
                          for name, sides in figures.items()), flush=True)
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.svg:
        options.svg.write_text(picture(document))


if __name__ == "__main__":
    sys.exit(main())
