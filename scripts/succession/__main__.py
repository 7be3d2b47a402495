"""scripts/failover: how long a cluster of real agents is without a leader."""

import argparse
import pathlib
import random
import signal
import statistics
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(HERE / "demonstration"), str(HERE / "storming")]

import program
from cluster import discard
from screen import Broken, Screen, check
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
    parser.add_argument("--kills", type=int, default=20, metavar="N",
                        help="kills and stops together; 20 when not given, about three minutes")
    parser.add_argument("--seed", type=int, default=None, metavar="S",
                        help="of the moments; the one that is printed when not given")
    parser.add_argument("--nodes", type=int, default=5, metavar="N", help="agents, 3 to 9; 5")
    parser.add_argument("--program", type=pathlib.Path, metavar="FILE",
                        help="the muster to use, instead of building it")
    parser.add_argument("--no-build", action="store_true",
                        help="use the release build at hand, and install nothing")
    parser.add_argument("--keep", action="store_true", help="keep logs and states in any case")
    options = parser.parse_args()
    if options.kills < 1 or not 3 <= options.nodes <= 9:
        parser.error("want --kills of 1 or more, and --nodes from 3 to 9")
    return options


def find(screen, work, options):
    if options.program is None:
        return program.build(screen, work, options.no_build)
    found = options.program.resolve()
    check(found.exists(), f"--program {found}: no such file")
    return found


def judge(run):
    times = run.killed + run.paused
    median, p99 = statistics.median(times), percentile(times, 99)
    check(median <= MEDIAN_LIMIT, f"the median is {median:.2f} s, wanted {MEDIAN_LIMIT} s")
    check(p99 <= P99_LIMIT, f"p99 is {p99:.2f} s, wanted {P99_LIMIT} s")


def main():
    options = arguments()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    screen = Screen()
    work = pathlib.Path(tempfile.mkdtemp(prefix="muster-failover."))
    screen.line(f"failover: seed {seed}, {options.nodes} agents, {options.kills} times")
    run, held, reason = None, False, "interrupted"

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    try:
        found = find(screen, work, options)
        run = Succession(screen, work, found, options.nodes, seed)
        with screen.step("a cluster, all of it voting"):
            run.begin()
        run.run(options.kills)
        run.end()
        judge(run)
        held = True
    except Broken as broken:
        reason = str(broken)
    except KeyboardInterrupt:
        pass
    except Exception:
        reason = "something that is not understood\n" + traceback.format_exc()
    # From here on a second interrupt must not leave processes behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if run:
        run.cluster.stop()
        run.summary()
    screen.line()
    if not held:
        others = [what for what in run.violations if what not in reason] if run else []
        screen.line(f"failover: FAILED after seed {seed}: {'; '.join([reason, *others])}")
        screen.line(f"failover: logs and states are in {work}")
        return 1
    if options.keep:
        screen.line(f"failover: logs and states are in {work}")
    else:
        discard(work)
    screen.line(f"failover: all of it held, in {screen.elapsed():.0f} s, seed {seed}")
    return 0


sys.exit(main())
