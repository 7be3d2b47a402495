"""Real agents as processes of this machine, each with an address of its own in 127.0.0.0/8."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from screen import Broken, until

GOSSIP_PORT = 7946
PAGES_PORT = 7947
WEB_PORT = 8080
WORKER_PORT = 8081


class Agent:
    """One `muster agent` and the command line that speaks to it."""

    def __init__(self, cluster, number):
        self.cluster = cluster
        self.name = f"ci/{number}"
        self.host = cluster.host(number)
        self.folder = cluster.work / f"ci-{number}"
        self.state = self.folder / "state"
        self.control = self.folder / "control"
        self.log = self.folder / "agent.log"
        self.process = None
        self.started_at = None
        self.killed = False
        self.history = []
        self.configuration = cluster.configuration
        self.environment = cluster.environment
        # How this node sees the shared directory, and the words that bring its process there.
        self.shared = cluster.shared
        self.inside = []

    def start(self, *, join=None):
        """Starts the agent: by multicast with no address at all, or through one member."""
        self.folder.mkdir(exist_ok=True)
        way = ["--multicast", "off", "--join", join.address] if join else [
            "--multicast", self.cluster.multicast]
        command = [
            *self.inside, self.cluster.program, "agent", "--config", self.configuration,
            "--cluster", self.cluster.file, "--name", self.name, "--state", self.state,
            "--shared", self.shared, "--bind", self.address, *way,
            "--control", self.control, "--http", f"{self.host}:{PAGES_PORT}",
        ]
        self.started_at = time.time()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder, env=self.environment, start_new_session=True)

    @property
    def address(self):
        return f"{self.host}:{GOSSIP_PORT}"

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def listening(self):
        """Waits until the control socket takes connections."""
        until(self.takes_connections, 5, f"{self.name} does not answer on {self.control}")

    def takes_connections(self):
        self.must_run()
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.control))
                return True
            except OSError:
                return False

    def must_run(self):
        if not self.alive:
            raise Broken(f"{self.name} ended with {self.process.returncode}: {self.last_words()}")

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "its log is empty"

    def muster(self, *words, limit=150):
        """Runs one command against this agent and returns what it prints."""
        command = [str(self.cluster.program), *map(str, words), "--control", str(self.control)]
        spoken = f"muster {' '.join(map(str, words))} on {self.name}"
        try:
            outcome = subprocess.run(
                command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=limit,
                env=self.cluster.environment)
        except subprocess.TimeoutExpired:
            raise Broken(f"{spoken} hung for {limit} s") from None
        if outcome.returncode != 0:
            said = (outcome.stderr or outcome.stdout).strip()
            if not self.killed:
                self.must_run()
            raise Broken(f"{spoken} ended with {outcome.returncode}: {said}")
        return outcome.stdout

    def members(self):
        """The members as this node sees them, by name."""
        return {row["name"]: row for row in json.loads(self.muster("members", "--json"))}

    def remember(self):
        """Keeps the node's history, so that the timeline has it when the node is gone."""
        lines = self.muster("events", "--replay", "--json").splitlines()
        self.history = [json.loads(line) for line in lines if line.strip()]
        return self.history

    def services(self):
        """Processes that run a program of the shared directory for this agent: {pid: program}."""
        return {
            pid: program for pid, program in programs_below(self.cluster.shared).items()
            if parent_of(pid) == self.process.pid
        }

    def kill(self):
        """Ends the agent without a word, by its own process id."""
        self.killed = True
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks the agent to end, by its own process id."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Cluster:
    """The agents of one demonstration and what they share."""

    # Where its addresses begin. Each kind of run has a place of its own on the loopback.
    place = "127.77"

    def __init__(self, work, program, configuration):
        self.work = work
        self.program = program
        self.configuration = configuration
        self.shared = work / "shared"
        self.network = free_network(self.place)
        self.multicast = f"239.{self.place.split('.')[1]}.78.{self.network}:{GOSSIP_PORT}"
        self.file = None
        self.agents = []
        # Nothing of the demonstration leaves the machine, whatever proxy the shell is set to.
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and name != "MUSTER_CONTROL"
        }
        self.environment["HOME"] = str(work / "home")
        for folder in (self.shared, work / "home"):
            folder.mkdir()

    def host(self, number):
        return f"{self.place}.{self.network}.{number + 1}"

    def add(self):
        agent = Agent(self, len(self.agents))
        self.agents.append(agent)
        return agent

    @property
    def live(self):
        """The agents that were not killed on purpose. One that ended by itself ends the show."""
        for agent in self.agents:
            if agent.process is not None and not agent.killed:
                agent.must_run()
        return [agent for agent in self.agents if agent.alive]

    def named(self, name):
        return next(agent for agent in self.agents if agent.name == name)

    def on_all(self, *words):
        """Runs one command on every live agent at the same time."""
        agents = self.live
        with concurrent.futures.ThreadPoolExecutor(len(agents)) as pool:
            return list(pool.map(lambda agent: agent.muster(*words), agents))

    def stop(self):
        """Ends every agent by its process id, and says which service processes outlived them."""
        with concurrent.futures.ThreadPoolExecutor(max(1, len(self.agents))) as pool:
            list(pool.map(Agent.stop, self.agents))
        left = programs_below(self.shared)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left


def free_network(place):
    """A third octet of `place` that no other run is using."""
    for octet in range(250):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((f"{place}.{octet}.1", GOSSIP_PORT))
                return octet
            except OSError:
                continue
    raise Broken(f"every address {place}.x.1 is taken on port 7946: end an older run")


def discard(work):
    """Removes a run's folder. Published releases are read-only, also for their owner."""
    for folder, _, _ in os.walk(work):
        os.chmod(folder, 0o700)
    shutil.rmtree(work)


def programs_below(folder):
    """Every process whose program lies below `folder`."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            program = os.readlink(entry / "exe")
        except OSError:
            continue
        if program.startswith(f"{folder}/"):
            found[int(entry.name)] = program
    return found


def parent_of(pid):
    try:
        return int(stat_fields(pid)[1])
    except OSError:
        return None


def started_after_boot(pid):
    """When a process began, in seconds of the clock that runs since boot."""
    return int(stat_fields(pid)[19]) / os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    """/proc/PID/stat from the third field on; the second may contain anything."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
