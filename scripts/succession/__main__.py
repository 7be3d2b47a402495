"""scripts/failover: how long a cluster of real agents is without a leader."""

import argparse
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(HERE / "demonstration"), str(HERE / "storming")]

import ordeal
from screen import check
from succession import Succession, percentile

MEDIAN_LIMIT = 5
P99_LIMIT = 8


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/failover",
        description="Kills the leader with SIGKILL again and again, every fifth time stops it with "
        "SIGSTOP for longer than its lease, and measures until another agent has a valid lease. "
        f"Exit 1 above {MEDIAN_LIMIT} s at the median or {P99_LIMIT} s at p99, when two leases are "
        "valid at once, or when a leader that wakes up acts as one.")
    return ordeal.add_options(
        parser, 9, (20, "kills and stops together; 20 when not given, about three minutes"),
        "the moments")


def judge(run):
    times = run.killed + run.paused
    median, p99 = statistics.median(times), percentile(times, 99)
    check(median <= MEDIAN_LIMIT, f"the median is {median:.2f} s, wanted {MEDIAN_LIMIT} s")
    check(p99 <= P99_LIMIT, f"p99 is {p99:.2f} s, wanted {P99_LIMIT} s")


def main():
    options = arguments()

    def play(run, screen):
        with screen.step("a cluster, all of it voting"):
            run.begin()
        run.run(options.kills)
        run.end()
        judge(run)

    return ordeal.endure("failover", options, "times", Succession, play)


sys.exit(main())
