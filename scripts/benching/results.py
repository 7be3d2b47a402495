"""All figures of a run, what is wanted of them, and what became of that."""

import dataclasses
import statistics
import sys
import time

import machine

REFERENCE = "serf"
# Measures of time, where the reference must be beaten by this factor.
FASTER = 3.0


@dataclasses.dataclass
class Target:
    most: float | None = None
    least: float | None = None
    # Whether the reference is a competitor here, and by how much it is to be beaten.
    factor: float | None = None


def target(case, size, measure):
    """What is wanted of one measure."""
    if "false deaths" in measure:
        return Target(most=0)
    if case == "twins":
        return {
            "join: from the last start": Target(
                most={128: 1.2, 200: 8.0}.get(size), factor=FASTER),
            "join: from the first start": Target(),
            "update: to the last": Target(factor=FASTER),
            "crash: first says dead": Target(most=3.0, factor=FASTER),
            "crash: last says dead": Target(most=4.0, factor=FASTER),
            "return: seen by all": Target(factor=FASTER),
            "idle: CPU, ms/s": Target(most=1.0 if size == 128 else None, factor=1),
            "idle: resident, MiB": Target(most=12 if size == 128 else None, factor=1),
            "idle: udp bytes/s": Target(most=430 if size == 128 else None),
            "idle: udp packets/s": Target(most=2.2 if size == 128 else None),
        }.get(measure, Target())
    if case == "loss":
        if measure.startswith("crash: last"):
            return Target(most={10: 4.0, 30: 6.0, 50: 9.0}[size], factor=FASTER)
        return Target(factor=FASTER)
    if case == "multicast":
        return {
            "found: from the last start": Target(
                most={0: 1.0, 20: 3.0}[size], factor=FASTER),
            "multicasts a host, to 10 s after it": Target(most=4),
            "a late one: seen by all": Target(most=0.5, factor=FASTER),
        }.get(measure, Target())
    if case == "receive":
        return {
            "fresh records, of verify alone": Target(least=0.85),
            "forged dropped/s": Target(least=250_000),
            "replayed dropped/s": Target(least=250_000),
            "crash under the flood: last, of the calm one": Target(most=1.2),
        }.get(measure, Target())
    return Target()


class Results:
    def __init__(self):
        self.about = machine.describe()
        self.values = {}
        self.spins = []
        self.began = time.monotonic()

    def begin(self, what):
        self.spins.append(machine.spin())
        print(f"{time.monotonic() - self.began:7.1f} s  {what}  (spin {self.spins[-1]:.0f} ms, "
              f"load {machine.load():.1f})", file=sys.stderr, flush=True)

    def add(self, case, size, measure, system, value):
        self.values.setdefault((case, size, measure), {}).setdefault(system, []).append(value)
        shown = "never" if value is None else f"{value:.3f}"
        print(f"            {system:7} {case} {size} {measure}: {shown}", file=sys.stderr,
              flush=True)

    def rows(self):
        for (case, size, measure), systems in sorted(
                self.values.items(), key=lambda item: (item[0][0], item[0][1])):
            ours, theirs = systems.get("muster", []), systems.get(REFERENCE, [])
            wanted = target(case, size, measure)
            mine, other = middle(ours), middle(theirs)
            yield {
                "case": case, "size": size, "measure": measure, "muster": mine, "serf": other,
                "muster_values": ours, "serf_values": theirs,
                "ratio": ratio(mine, other),
                "target": wording(wanted), "met": met(wanted, ours, mine, theirs, other),
            }

    def document(self):
        return {"machine": self.about, "spin_ms": self.spins,
                "spin_spread": spread(self.spins), "rows": list(self.rows())}


def middle(values):
    """The median; what never happened is the slowest of all, and None when half of them are so."""
    if not values:
        return None
    known = sorted(value for value in values if value is not None)
    if len(known) < len(values):
        half = len(values) // 2
        return known[half] if half < len(known) else None
    return statistics.median(known)


def ratio(mine, other):
    return mine / other if mine is not None and other else None


def spread(values):
    """The highest over the lowest: 1 is a measure that always came out the same."""
    known = [value for value in values if value]
    return max(known) / min(known) if known else None


def wording(wanted):
    parts = []
    if wanted.most is not None:
        parts.append(f"≤ {wanted.most:g}")
    if wanted.least is not None:
        parts.append(f"≥ {wanted.least:g}")
    if wanted.factor is not None:
        parts.append("better" if wanted.factor == 1 else f"{wanted.factor:g}× better")
    return ", ".join(parts)


def met(wanted, ours, mine, theirs, other):
    """Whether all that is wanted holds; None when nothing is. What must never be is judged by the
    worst run."""
    if not ours or wording(wanted) == "":
        return None
    if mine is None:
        return False
    held = True
    if wanted.most is not None:
        judged = max(value for value in ours if value is not None) if wanted.most == 0 else mine
        held = held and judged <= wanted.most
    if wanted.least is not None:
        held = held and mine >= wanted.least
    # A reference that never arrived is beaten by any arrival.
    if wanted.factor is not None and theirs and other is not None:
        held = held and mine * wanted.factor <= other
    return held
