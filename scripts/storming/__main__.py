"""scripts/storm: agents are killed at random moments, under load, and must come back each time."""

import argparse
import pathlib
import random
import signal
import sys
import tempfile
import traceback

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "demonstration"))

import program
from cluster import discard
from screen import Broken, Screen, check
from storm import Storm


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/storm",
        description="Kills agents with SIGKILL at random moments while data is set, releases are "
        "fetched and versions change. After each gust of kills: no state refused, no partial "
        "release visible, no second download of a finished one, no two leases, all converged.")
    parser.add_argument("--kills", type=int, default=200, metavar="N",
                        help="how many; 200 when not given, 12 take less than a minute")
    parser.add_argument("--seed", type=int, default=None, metavar="S",
                        help="of moments and victims; the one that is printed when not given")
    parser.add_argument("--nodes", type=int, default=5, metavar="N", help="agents, 3 to 20; 5")
    parser.add_argument("--program", type=pathlib.Path, metavar="FILE",
                        help="the muster to use, instead of building it; muster-fetch is beside it")
    parser.add_argument("--no-build", action="store_true",
                        help="use the release build at hand, and install nothing")
    parser.add_argument("--keep", action="store_true", help="keep logs and states in any case")
    options = parser.parse_args()
    if options.kills < 1 or not 3 <= options.nodes <= 20:
        parser.error("want --kills of 1 or more, and --nodes from 3 to 20")
    return options


def find(screen, work, options):
    if options.program is None:
        return program.build(screen, work, options.no_build)
    found = options.program.resolve()
    check(found.exists(), f"--program {found}: no such file")
    return found


def main():
    options = arguments()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    screen = Screen()
    work = pathlib.Path(tempfile.mkdtemp(prefix="muster-storm."))
    screen.line(f"storm: seed {seed}, {options.nodes} agents, {options.kills} kills")
    storm, held, reason = None, False, "interrupted"

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    try:
        found = find(screen, work, options)
        storm = Storm(screen, work, found, options.nodes, seed)
        with screen.step("a cluster that runs its first release"):
            storm.begin()
        storm.rage(options.kills)
        storm.end()
        held = True
    except Broken as broken:
        reason = str(broken)
    except KeyboardInterrupt:
        pass
    except Exception:
        reason = "something that the storm does not understand\n" + traceback.format_exc()
    # From here on a second interrupt must not leave processes behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if storm:
        storm.cluster.stop()
        storm.summary()
    screen.line()
    if not held:
        others = [what for what in storm.violations if what not in reason] if storm else []
        screen.line(f"storm: FAILED after seed {seed}: {'; '.join([reason, *others])}")
        screen.line(f"storm: logs and states are in {work}")
        return 1
    if options.keep:
        screen.line(f"storm: logs and states are in {work}")
    else:
        discard(work)
    screen.line(f"storm: all of it held, in {screen.elapsed():.0f} s, seed {seed}")
    return 0


sys.exit(main())
