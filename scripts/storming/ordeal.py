"""What storm and failover share: options, a cluster of agents that nobody need install, the end."""

import pathlib
import random
import subprocess
import tempfile

import program
from cluster import discard
from ground import CONFIGURATION
from screen import Screen, attempt, check
from story import cluster_file


def add_options(parser, most, kills, of):
    """`most`: agents; `kills`: how many when not said, and what is said of them."""
    parser.add_argument("--kills", type=int, default=kills[0], metavar="N", help=kills[1])
    parser.add_argument("--seed", type=int, default=None, metavar="S",
                        help=f"of {of}; the one that is printed when not given")
    parser.add_argument("--nodes", type=int, default=5, metavar="N",
                        help=f"agents, 3 to {most}; 5")
    parser.add_argument("--program", type=pathlib.Path, metavar="FILE",
                        help="the muster to use, instead of building it; muster-fetch is beside it")
    parser.add_argument("--no-build", action="store_true",
                        help="use the release build at hand, and install nothing")
    parser.add_argument("--keep", action="store_true", help="keep logs and states in any case")
    options = parser.parse_args()
    if options.kills < 1 or not 3 <= options.nodes <= most:
        parser.error(f"want --kills of 1 or more, and --nodes from 3 to {most}")
    return options


class Ordeal:
    """Agents of one cluster, and what was seen that must not be."""

    name = "ordeal"

    def __init__(self, screen, work, found, nodes, seed, kind):
        self.screen = screen
        self.nodes = nodes
        self.random = random.Random(seed)
        self.violations = []
        configuration = work / "muster.yaml"
        configuration.write_text(CONFIGURATION)
        self.cluster = kind(work, found, configuration)

    def complain(self, what):
        if what not in self.violations:
            self.violations.append(what)

    def start_all(self):
        made = self.cluster.work / "cluster"
        outcome = subprocess.run(
            [str(self.cluster.program), "init", "--name", self.name, "--expect", str(self.nodes),
             "--out", str(made)],
            capture_output=True, text=True, env=self.cluster.environment)
        check(outcome.returncode == 0, f"muster init: {outcome.stderr.strip()}")
        self.cluster.file = cluster_file(made)
        for agent in self.cluster.agents:
            agent.start()
        for agent in self.cluster.agents:
            agent.listening()


def find(screen, work, options):
    if options.program is None:
        return program.build(screen, work, options.no_build)
    found = options.program.resolve()
    check(found.exists(), f"--program {found}: no such file")
    return found


def endure(name, options, unit, make, play):
    """Makes an ordeal and plays it to its end, whatever comes in between; the exit code.

    `make`: an ordeal from screen, folder, program, nodes and seed. `unit`: of what are `--kills`."""
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    screen = Screen()
    work = pathlib.Path(tempfile.mkdtemp(prefix=f"muster-{name}."))
    screen.line(f"{name}: seed {seed}, {options.nodes} agents, {options.kills} {unit}")
    ordeal = None

    def run():
        nonlocal ordeal
        ordeal = make(screen, work, find(screen, work, options), options.nodes, seed)
        play(ordeal, screen)

    reason = attempt(run, "something that is not understood")
    if ordeal:
        ordeal.cluster.stop()
        ordeal.summary()
    screen.line()
    if reason:
        others = [what for what in ordeal.violations if what not in reason] if ordeal else []
        screen.line(f"{name}: FAILED after seed {seed}: {'; '.join([reason, *others])}")
        screen.line(f"{name}: logs and states are in {work}")
        return 1
    if options.keep:
        screen.line(f"{name}: logs and states are in {work}")
    else:
        discard(work)
    screen.line(f"{name}: all of it held, in {screen.elapsed():.0f} s, seed {seed}")
    return 0
