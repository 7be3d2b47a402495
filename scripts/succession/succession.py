"""The leader goes, another one comes: by SIGKILL, and by SIGSTOP for longer than its lease."""

import concurrent.futures
import signal
import statistics
import threading
import time

from ground import Refusal, Silence, StormCluster
from ordeal import Ordeal
from screen import check, until
from watch import Leases

CONVERGED_LIMIT = 30
# A lease lasts 3.27 s, and who promised it is bound for 4 s.
SUCCESSOR_LIMIT = 30
PACE = 0.015


class SuccessionCluster(StormCluster):
    place = "127.31"


class CloseLeases(Leases):
    """Asks often enough to measure by, and wakes who waits for another claim."""

    def __init__(self, cluster, complain):
        super().__init__(cluster, complain)
        self.news = threading.Condition()
        # The end of the first answer with a lease of each term, and who gave it.
        self.first = {}

    def _ask(self, agent):
        while not self.ended.wait(PACE):
            if not agent.alive:
                continue
            pid, began = agent.process.pid, time.monotonic()
            try:
                status = agent.ask("GET", "/status", timeout=60)
            except (Silence, Refusal):
                continue
            ended = time.monotonic()
            with self.lock:
                self.asked += 1
                self.statuses[agent.name] = (began, status)
                if status["lease"]["held_here"]:
                    self._claim(agent.name, pid, status["term"], began, ended)
                    self.first.setdefault(status["term"], (ended, agent))
            with self.news:
                self.news.notify_all()

    def successor(self, term):
        """Waits for the first lease above this term: (when it was seen, who, its term)."""
        deadline = time.monotonic() + SUCCESSOR_LIMIT
        while True:
            with self.lock:
                later = [known for known in self.first if known > term]
                if later:
                    return (*self.first[min(later)], min(later))
            check(time.monotonic() < deadline, f"nobody has a lease {SUCCESSOR_LIMIT} s after it")
            with self.news:
                self.news.wait(0.2)


class Succession(Ordeal):
    name = "succession"

    def __init__(self, screen, work, program, nodes, seed):
        super().__init__(screen, work, program, nodes, seed, SuccessionCluster)
        for _ in range(nodes):
            self.cluster.add()
        self.leases = CloseLeases(self.cluster, self.complain)
        self.killed, self.paused, self.whole = [], [], []
        self.refused = 0

    def begin(self):
        self.start_all()
        for thread in self.leases.threads:
            thread.start()
        self.become_whole()
        # The electorate grows one at a time, and each has to have been there for ten seconds.
        until(lambda: len(self.voters()) == electorate(self.nodes), 60,
              lambda _: f"voters: {self.voters()}")

    def voters(self):
        status = self.leases.status(self.cluster.agents[0])
        return status.get("voters", [])

    def become_whole(self):
        began = time.monotonic()
        condition = ["--members", self.nodes, "--leader", "--converged"]
        with concurrent.futures.ThreadPoolExecutor(self.nodes) as pool:
            list(pool.map(lambda agent: agent.muster(
                "wait", *condition, "--timeout", f"{CONVERGED_LIMIT}s"), self.cluster.agents))
        check(not self.violations, "; ".join(self.violations))
        return time.monotonic() - began

    def leader(self):
        until(lambda: self.leases.leader(), SUCCESSOR_LIMIT, "nobody leads")
        return self.leases.leader()

    def run(self, kills):
        for number in range(1, kills + 1):
            # At any moment of a heartbeat, and not always in the same second of a rest.
            time.sleep(self.random.uniform(0, 1.5))
            victim = self.leader()
            term = self.leases.status(victim)["term"]
            if number % 5 == 0:
                took, way = self.pause(victim, term), "stopped"
                self.paused.append(took)
            else:
                took, way = self.kill(victim, term), "killed"
                self.killed.append(took)
            self.whole.append(self.become_whole())
            self.screen.line(
                f"{number:4}  {victim.name} {way}: another lease after {took:5.2f} s, whole "
                f"{self.whole[-1]:4.2f} s after it was back")

    def kill(self, victim, term):
        began = time.monotonic()
        victim.kill()
        seen, _, _ = self.leases.successor(term)
        time.sleep(self.random.uniform(0, 2))
        victim.start()
        victim.listening()
        return seen - began

    def pause(self, victim, term):
        """Stops it until another one leads and longer, and looks at what it does when it wakes."""
        before = self.stale()
        began = time.monotonic()
        victim.process.send_signal(signal.SIGSTOP)
        try:
            seen, leader, _ = self.leases.successor(term)
            time.sleep(self.random.uniform(0, 3))
        finally:
            victim.process.send_signal(signal.SIGCONT)
        self.ask_woken(victim, leader, term)
        self.refused += self.stale() - before
        return seen - began

    def ask_woken(self, victim, leader, term):
        """What it is asked at once is answered by the other leader, or not at all."""
        status = victim.ask("GET", "/status")
        if status["lease"]["held_here"] and status["term"] <= term:
            self.complain(f"{victim.name} woke up with the lease of term {term}")
        value = str(self.random.randrange(1 << 30))
        victim.ask("POST", "/set", {"key": "woken", "value": value, "cluster": True}, timeout=40)
        kept = leader.ask("GET", "/get?node=cluster")["values"].get("woken")
        if kept != value:
            self.complain(f"{victim.name} said that it had set {value}, {leader.name} has {kept}")

    def stale(self):
        """Heartbeats and promises of terms gone by that were dropped, by everyone who answers."""
        count = 0
        for agent in self.cluster.agents:
            dropped = self.leases.status(agent).get("counters", {}).get("dropped", {})
            count += dropped.get("stale-term", 0)
        return count

    def end(self):
        self.leases.ended.set()
        for agent in self.cluster.agents:
            agent.stop()
            check(agent.process.returncode == 0,
                  f"{agent.name} ended with {agent.process.returncode}: {agent.last_words()}")
        check(not self.violations, "; ".join(self.violations))

    # What was seen

    def summary(self):
        line = self.screen.line
        self.screen.heading("What was seen")
        for what, times in (("leader killed, another has a lease", self.killed),
                            ("leader stopped, another has a lease", self.paused),
                            ("back again, whole", self.whole)):
            if times:
                line(f"{what}: median {statistics.median(times):.2f} s, p99 "
                     f"{percentile(times, 99):.2f} s, most {max(times):.2f} s "
                     f"({len(times)} times)")
        line(f"leases asked after {self.leases.asked} times, {len(self.leases.terms)} terms; "
             f"dropped as of a term gone by, after the stopped ones woke up: {self.refused}")


def percentile(times, share):
    """The smallest value that so many per cent do not exceed."""
    ordered = sorted(times)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def electorate(nodes):
    """How many of so many vote: see "Voters" in proto/README.md."""
    return 3 if nodes <= 4 else 5 if nodes <= 6 else 7
