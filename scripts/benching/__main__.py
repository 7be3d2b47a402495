"""scripts/bench: Muster and Debian's serf, side by side on this machine, in the same run."""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import loss
import multicast
import network
import receive
import report
import simulated
import systems
import twins
from results import Results

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
REAL = ("twins", "loss", "multicast", "receive")
SIMULATED = ("1", "1b", "2", "3", "4", "5", "6", "7", "8", "9")


EPILOG = """\
cases, real processes; these run when none is named:
  twins      all but one start at once; an update; idle; a crash; its return
  loss       joins and crashes while 10, 30 and 50 % of datagrams are lost
  multicast  32 hosts on a bridge that know no address
  receive    the signed receive path, and a crash under a flood of forgeries
cases, in virtual time beside the published protocol, by .build/release/muster-bench:
  1 to 9, 1b see `muster-bench` without arguments; `muster-bench gate` is what a change must pass
  growth     what a member costs from 8 to 10,000; a case of its own: scripts/bench growth --help

Both programs are built by: swift build -c release --static-swift-stdlib

The table has one line for each measure and size: how many runs, the medians of both with the
least and the most of the runs, ours over theirs, what is wanted, and whether it is met. "never":
not within the time that a case allows. The head says how steady the machine was. NOISY: other work
took more than a tenth of it, or a fixed spin took half as long again as the quickest; measure
again. Exit code 1: something wanted is not met.
"""


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures Muster beside Debian's serf (LAN profile), interleaved, each in\n"
        "network namespaces of its own. Needs root.", epilog=EPILOG)
    parser.add_argument("cases", nargs="*", metavar="case", help="see below")
    parser.add_argument("--nodes", default="8,32,64,128,200", metavar="N,…", help="for twins")
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="of each; 2")
    parser.add_argument("--kills", type=int, default=2, metavar="N", help="crashes a round; 2")
    parser.add_argument("--idle", type=float, default=20, metavar="S", help="seconds watched; 20")
    parser.add_argument("--settle", type=float, default=8, metavar="S",
                        help="seconds between a full view and the first measure; 8")
    parser.add_argument("--lossy", type=float, default=20, metavar="S",
                        help="seconds that live agents are watched under loss; 20")
    parser.add_argument("--only", choices=("muster", "serf"), help="one system alone")
    parser.add_argument("--program", type=pathlib.Path,
                        default=PROJECT / ".build/release/muster", metavar="FILE")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--plot", type=pathlib.Path, metavar="FILE", help="an HTML page")
    options = parser.parse_args()
    options.cases = options.cases or list(REAL)
    options.tag = str(os.getpid())
    for case in options.cases:
        if case not in REAL + SIMULATED:
            parser.error(f"no case is called {case}")
    try:
        options.nodes = [int(number) for number in options.nodes.split(",")]
    except ValueError:
        parser.error("--nodes wants numbers")
    if any(not 3 <= number <= 1000 for number in options.nodes) or options.rounds < 1:
        parser.error("want --nodes from 3 to 1000 and --rounds of 1 or more")
    options.program = options.program.resolve()
    if not options.program.exists():
        parser.error(f"{options.program} is missing: swift build -c release --static-swift-stdlib")
    return options


def measure(options, results, work):
    both = [systems.Muster(options.program, work), systems.Serf(work)]
    both = [system for system in both if options.only in (None, system.name)]
    for case in options.cases:
        if case == "twins":
            twins.run(both, options.nodes, results, options)
        elif case == "loss":
            loss.run(both, results, options)
        elif case == "multicast":
            multicast.run(both, results, options)
        elif case == "receive":
            receive.run(systems.Muster(options.program, work), results, options)
        else:
            simulated.run(case, results, options)


def main():
    options = arguments()

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    work = pathlib.Path(tempfile.mkdtemp(prefix="muster-bench."))
    results = Results(options.rounds)
    ended = 1
    try:
        network.sweep()
        measure(options, results, work)
        ended = 0
    except KeyboardInterrupt:
        print("bench: interrupted; what was measured until then:", file=sys.stderr)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"bench: {error}; what was measured until then:", file=sys.stderr)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not results.values:
        return ended
    document = results.document()
    print(report.table(document))
    if options.json:
        report.write_json(document, options.json)
    if options.plot:
        report.write_plot(document, options.plot)
    return ended or int(any(row["met"] is False for row in document["rows"]))


sys.exit(main())
