"""scripts/acceptance: the cases that Muster has to hold, with real processes, and the figures."""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parent / name) for name in ("demonstration", "storming", "benching")]

import archives
import program
from alone import Alone
from cluster import discard
from crowd import Crowd
from damage import Damage
from deaths import Deaths
from forgery import Forgery
from ledger import Ledger
from life import BOXES, VERSIONS, Life
from mounts import Mounts, NetworkShare
from mute import Mute
from screen import Broken, Screen, check
from stuck import Stuck

CHAPTERS = {"life": Life, "deaths": Deaths, "damage": Damage, "mute": Mute,
            "stuck": Stuck, "mounts": Mounts,
            "network": NetworkShare, "alone": Alone, "crowd": Crowd, "forgery": Forgery}


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/acceptance",
        description="Runs the acceptance cases with real agents, services and downloads. Exit 1 "
        "when a case does not hold. Run as root, what needs mounts "
        "and captured datagrams is shown, too; otherwise it is skipped, with the reason.")
    parser.add_argument("--only", nargs="+", metavar="CHAPTER", choices=CHAPTERS,
                        default=list(CHAPTERS), help=f"of {', '.join(CHAPTERS)}")
    parser.add_argument("--long", action="store_true",
                        help="also what only waits for two minutes once more: A4-abort")
    parser.add_argument("--offline", nargs="+", metavar="ARCHIVE", default=[],
                        help=f"caddy {', '.join(VERSIONS)} as caddy-VERSION.tar.gz or as wheels, "
                        "instead of fetching them")
    parser.add_argument("--program", type=pathlib.Path, metavar="FILE",
                        help="the muster to use, instead of building it; muster-fetch is beside it")
    parser.add_argument("--no-build", action="store_true",
                        help="use the release build at hand, and install nothing")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="write cases, figures and the timeline there")
    parser.add_argument("--keep", action="store_true", help="keep logs and states in any case")
    options = parser.parse_args()
    Mute.long = options.long
    return options


def own_mounts():
    """What the cases mount is seen by this run alone and goes with it."""
    if os.geteuid() == 0 and not os.environ.get("MUSTER_OWN_MOUNTS") and shutil.which("unshare"):
        os.environ["MUSTER_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable,
                              "-B", str(HERE), *sys.argv[1:]])
    os.environ.pop("MUSTER_OWN_MOUNTS", None)


def play(name, ledger, screen, work, found, options):
    """One chapter: its cases in order, up to the first that does not hold."""
    if name == "life":
        chapter = Life(ledger, work / name, found, program.PROJECT,
                       archives.obtain(VERSIONS, options.offline))
    else:
        chapter = CHAPTERS[name](ledger, work / name, found)
    try:
        with ledger.chapter(chapter.cases) as left:
            while left:
                case, title, body = left.pop(0)
                if not ledger.run(case, title, body) and not getattr(chapter, "goes_on", False):
                    break
        if hasattr(chapter, "tell") and not left:
            chapter.tell(screen)
    finally:
        outlived = chapter.ground.end()
    check(not outlived, f"{name}: services outlived their agents: {outlived}")


def main():
    options = arguments()
    own_mounts()
    screen = Screen()
    ledger = Ledger(screen)
    work = pathlib.Path(tempfile.mkdtemp(prefix="muster-acceptance."))
    reasons = []

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    try:
        found = options.program.resolve() if options.program else program.build(
            screen, work, options.no_build)
        check(found.exists(), f"{found}: no such file")
        for name in options.only:
            screen.heading(f"Chapter: {name}")
            try:
                play(name, ledger, screen, work, found, options)
            except Broken as broken:
                reasons.append(f"{name}: {broken}")
                screen.line(f"        {broken}")
            except Exception:
                reasons.append(f"{name}: something that it does not understand")
                screen.line(traceback.format_exc())
    except KeyboardInterrupt:
        reasons.append("interrupted")
    except Broken as broken:
        reasons.append(str(broken))
    ledger.report()
    ledger.boxes(BOXES)
    if options.json:
        ledger.write(options.json)
    screen.line()
    reasons += ledger.broken
    if reasons or options.keep:
        screen.line(f"acceptance: logs and states are in {work}")
    else:
        discard(work)
    if reasons:
        screen.line(f"acceptance: FAILED: {'; '.join(reasons)}")
        return 1
    if ledger.slow:
        screen.line(f"acceptance: slower than wanted: {'; '.join(ledger.slow)}")
    screen.line(f"acceptance: all of it held, in {screen.elapsed():.0f} s")
    return 0


sys.exit(main())
