"""All figures of a run, what is wanted of them, and what became of that."""

import dataclasses
import statistics
import sys
import time

import machine

REFERENCE = "serf"
# Measures of time, where the reference must be beaten by this factor.
FASTER = 3.0
# Figures are flagged where others took more of the machine than this share, or where the slowest
# of the fixed spins took so many times as long as the quickest.
NOISE = 0.10
UNSTEADY = 1.5


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
    def __init__(self, rounds=1):
        self.rounds = rounds
        self.about = machine.describe()
        self.values = {}
        self.spins = []
        # By part, what share of the machine others took before and while it ran.
        self.parts = []
        self.watch = machine.Watch()
        self.began = time.monotonic()

    def begin(self, what):
        """Looks at the machine, which is this run's alone for a moment, before the next part."""
        self.end()
        self.spins.append(machine.spin())
        time.sleep(0.3)
        self.parts.append({"part": what, "others_before": self.watch.others(), "others": 0.0})
        print(f"{time.monotonic() - self.began:7.1f} s  {what}  (spin {self.spins[-1]:.0f} ms, "
              f"others {self.parts[-1]['others_before']:.0%})", file=sys.stderr, flush=True)

    def end(self):
        """The part that ran is over, and all that it started has ended."""
        share = self.watch.others()
        if not self.parts:
            return
        self.parts[-1]["others"] = share
        if is_noisy(self.parts[-1]):
            print(f"            NOISY: others took {share:.0%} of the machine meanwhile, "
                  f"{self.parts[-1]['others_before']:.0%} before", file=sys.stderr, flush=True)

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
        self.end()
        return {"machine": self.about, "rounds": self.rounds, "spin_ms": self.spins,
                "spin_spread": spread(self.spins), "parts": self.parts,
                "noisy_parts": sum(map(is_noisy, self.parts)),
                "is_noisy": any(map(is_noisy, self.parts)) or spread(self.spins) > UNSTEADY,
                "rows": list(self.rows())}


def is_noisy(part):
    """Whether others took so much of the machine that a part has measured them as well."""
    return max(part["others_before"], part["others"]) > NOISE


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
