"""What was asked, what was found: a line for each case, with its evidence, and the figures."""

import contextlib
import json
import time

from screen import Broken

MARKS = {"held": "[x]", "skipped": "[-]"}


class Skipped(Exception):
    """This machine cannot show it; the text says what is missing."""


class Ledger:
    """Runs cases and keeps what came of each. One that does not hold ends its chapter only."""

    def __init__(self, screen):
        self.screen = screen
        self.cases = []
        self.figures = []
        self.timelines = []

    def run(self, name, title, body):
        """Whether the case held, or could not be tried here."""
        case = {"case": name, "title": title, "result": "failed", "evidence": []}
        self.cases.append(case)
        began = time.monotonic()
        try:
            with self.screen.step(f"{name}: {title}") as fact:
                body(lambda text: (fact(text), case["evidence"].append(text)))
            case["result"] = "held"
        except Skipped as reason:
            case["result"] = "skipped"
            self._explain(case, f"skipped: {reason}")
        except Broken as broken:
            self._explain(case, f"did not hold: {broken}")
        finally:
            case["seconds"] = round(time.monotonic() - began, 3)
        return case["result"] != "failed"

    def _explain(self, case, text):
        case["evidence"].append(text)
        self.screen.line(f"        {text}")

    def not_run(self, cases, reason):
        for name, title, _ in cases:
            self.cases.append({"case": name, "title": title, "result": "not run",
                               "evidence": [reason], "seconds": 0.0})

    def figure(self, what, measured, limit, unit, reference=""):
        """A measured value beside what it may be and what the reference system needed."""
        self.figures.append({"figure": what, "measured": round(measured, 4), "at_most": limit,
                             "unit": unit, "reference": reference})

    @property
    def broken(self):
        """What makes the run a failure, as lines. A figure does not: a busy machine is no fault."""
        return [f"{case['case']} {case['result']}" for case in self.cases
                if case["result"] in ("failed", "not run")]

    @property
    def slow(self):
        return [figure["figure"] for figure in self.figures if is_above(figure)]

    @contextlib.contextmanager
    def chapter(self, cases):
        """Yields the cases that are left to run, so that a chapter that breaks names them."""
        left = list(cases)
        try:
            yield left
        except Broken as broken:
            self.screen.line(f"        {broken}")
            self.not_run(left, str(broken))
        else:
            self.not_run(left, "a case before it did not hold")

    # What is printed

    def boxes(self, boxes):
        """A line for each of the reference's boxes whose case was run."""
        found = {case["case"]: case["result"] for case in self.cases}
        shown = [(title, name) for title, name in boxes if name in found]
        if shown:
            self.screen.heading("The boxes of the reference system")
        for title, name in shown:
            self.screen.line(f"{MARKS.get(found[name], '[ ]')} {title}: {name}")

    def report(self):
        line = self.screen.line
        self.screen.heading("The cases")
        for case in self.cases:
            line(f"{MARKS.get(case['result'], '[ ]')} {case['case']:<12} {case['title']}")
            for text in case["evidence"]:
                line(f"                   {text}")
        if not self.figures:
            return
        self.screen.heading("The figures")
        line(f"{'measured':>12} {'wanted':>10}  {'reference':<22} of what")
        for figure in self.figures:
            bound = "" if figure["at_most"] is None else f"{figure['at_most']:g} {figure['unit']}"
            mark = " ABOVE" if is_above(figure) else ""
            line(f"{figure['measured']:>10.3f} {figure['unit']:<2}{bound:>10}  "
                 f"{figure['reference']:<22} {figure['figure']}{mark}")

    def write(self, path):
        content = {"cases": self.cases, "figures": self.figures, "timelines": self.timelines,
                   "failures": self.broken, "above": self.slow}
        path.write_text(json.dumps(content, indent=2) + "\n")


def is_above(figure):
    return figure["at_most"] is not None and figure["measured"] > figure["at_most"]
