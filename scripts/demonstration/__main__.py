"""scripts/demo: the whole system on one machine, with real processes and real multicast."""

import argparse
import pathlib
import sys
import tempfile

import archives
import report
from cluster import Cluster, discard
from origin import Origin
from program import PROJECT, build
from screen import Screen, attempt, check
from story import FIRST, SECOND, Story


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Five agents on this machine find each other, agree, run one service from one "
        "download, upgrade it and survive the death of their leader.")
    parser.add_argument("--keep", action="store_true",
                        help="leave the cluster running and say what to try next")
    parser.add_argument("--offline", nargs="+", metavar="ARCHIVE", default=[],
                        help=f"caddy {FIRST} and {SECOND} as caddy-VERSION.tar.gz or as wheels, "
                        "instead of fetching them")
    parser.add_argument("--no-build", action="store_true",
                        help="use the release build at hand, and install nothing")
    return parser.parse_args()


def play(screen, work, options, running):
    """Everything between an empty folder and the report."""
    screen.heading("Preparing")
    program = build(screen, work, options.no_build)
    with screen.step(f"caddy {FIRST} and {SECOND} as archives") as fact:
        found = archives.obtain([FIRST, SECOND], options.offline)
        for archive in found:
            fact(f"{archive.path.name}  {archive.size:,} bytes  sha256 {archive.sha256[:16]}…")
    screen.heading("The cluster")
    cluster = Cluster(work, program, PROJECT / "examples" / "caddy" / "muster.yaml")
    running.append(cluster)
    story = Story(screen, cluster, Origin(found), found)
    story.tell()
    report.print_report(screen, story)
    late = [what for what, took, limit in story.figures if limit and took > limit]
    check(not late, f"took longer than it may: {'; '.join(late)}")


def what_next(screen, cluster):
    """What a person can try with a cluster that was kept."""
    first = cluster.live[0]
    screen.heading("It keeps running. Try:")
    screen.line(f"export MUSTER_CONTROL={first.control} PATH={cluster.program.parent}:$PATH")
    screen.line("muster members")
    screen.line("muster status")
    screen.line("muster events --follow")
    screen.line(f"curl http://{first.host}:7947/metrics")
    screen.line("muster set greeting hello")
    pids = " ".join(str(agent.process.pid) for agent in cluster.live)
    screen.line(f"kill {pids}; rm -r {cluster.work}    # the end")


def main():
    options = arguments()
    screen = Screen()
    work = pathlib.Path(tempfile.mkdtemp(prefix="muster-demo."))
    running = []
    reason = attempt(lambda: play(screen, work, options, running),
                     "an answer that the demonstration does not understand")
    held = not reason
    if held and options.keep:
        what_next(screen, running[0])
        return 0
    left = running[0].stop() if running else {}
    if held and left:
        held, reason = False, f"services outlived their agents: {sorted(set(left.values()))}"
    screen.line()
    if not held:
        screen.line(f"demo: FAILED: {reason}")
        screen.line(f"demo: logs and states are in {work}")
        return 1
    discard(work)
    screen.line(f"demo: all of it held, in {screen.elapsed():.0f} s")
    return 0


sys.exit(main())
