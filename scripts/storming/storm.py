"""The storm: kills in gusts, and after each gust the calm in which everything must hold."""

import collections
import concurrent.futures
import random
import statistics
import subprocess
import time

from ground import DOWNLOAD_SECONDS, SlowOrigin, StormCluster, make_release
from load import Operator, Writer
from ordeal import Ordeal
from screen import Broken, check, until
from share import Share
from watch import Leases, Logs, ShareWatch

# The register names at most 32 releases.
RELEASES = 30
# A restarted agent that does not answer by then has not started.
START_LIMIT = 10
CONVERGED_LIMIT = 30
VERSION_LIMIT = 60
GUSTS = {"anytime": 6, "download": 6, "upgrade": 4, "start": 4, "leader": 3, "pair": 3}


class Storm(Ordeal):
    name = "storm"

    def __init__(self, screen, work, program, nodes, seed):
        super().__init__(screen, work, program, nodes, seed, StormCluster)
        self.archives = work / "archives"
        self.archives.mkdir()
        self.origin = SlowOrigin(self.cluster.shared, self.complain)
        self.share = Share(self.cluster.shared)
        for _ in range(nodes):
            self.cluster.add()
        self.leases = Leases(self.cluster, self.complain)
        self.looks = ShareWatch(self.share, self.complain)
        self.logs = Logs(self.cluster, self.complain)
        self.writer = Writer(self.cluster, seed + 1, self.complain)
        self.operator = Operator(self.cluster, self.origin, seed + 2, self.complain)
        self.releases = []
        self.kills = collections.Counter()
        self.leaders_killed = 0
        self.starts, self.converged, self.upgraded = [], [], []
        # The same as `converged`, by whether the gust hit a leader: its lease has to end first.
        self.with_leader, self.without_leader = [], []

    @property
    def killed(self):
        return sum(self.kills.values())

    # From nothing to a cluster that works

    def begin(self):
        self.start_all()
        for watch in (self.leases, self.looks):
            for thread in watch.threads:
                thread.start()
        self.writer.thread.start()
        self.operator.want(self.new_release(), VERSION_LIMIT)
        self.calm(time.monotonic())

    def new_release(self):
        """A release that nobody has, or one of the old when the register is full."""
        if len(self.releases) >= RELEASES:
            return self.old_release()
        archive = make_release(self.archives, len(self.releases))
        self.origin.offer(archive)
        self.releases.append(archive)
        return archive

    def old_release(self):
        others = [archive for archive in self.releases if archive is not self.operator.wanted]
        return self.random.choice(others) if others else self.new_release()

    # Kills

    def rage(self, kills):
        while self.killed < kills:
            self.writer.resume()
            leaders = self.leaders_killed
            last = self.gust(min(3, kills - self.killed))
            self.calm(last)
            hit = self.leaders_killed > leaders
            (self.with_leader if hit else self.without_leader).append(self.converged[-1])
            self.screen.line(
                f"{self.killed:5} kills  {self.screen.elapsed():6.0f} s  converged "
                f"{self.converged[-1]:5.2f} s after the last start, version "
                f"{self.operator.wanted.version} everywhere after {self.upgraded[-1]:5.2f} s")

    def gust(self, most):
        """One kill, or a few without waiting; returns when the last agent was started again."""
        kind = self.random.choices(list(GUSTS), list(GUSTS.values()))[0]
        if kind == "download" or kind == "upgrade" and self.random.random() < 0.3:
            self.operator.want(self.new_release(), VERSION_LIMIT)
        elif kind == "upgrade" or self.random.random() < 0.3:
            self.operator.want(self.old_release(), VERSION_LIMIT)
        strikes = 1 if self.random.random() < 0.5 else self.random.randint(1, most)
        before = self.killed
        while strikes > 0 and self.killed < before + most:
            self.strike(kind, before + most - self.killed)
            kind = self.random.choice(["anytime", "anytime", "start", "leader"])
            strikes -= 1
        return max(agent.begun for agent in self.cluster.agents)

    def strike(self, kind, most):
        victims = self.choose(kind, most)
        for victim in victims:
            self.hit(victim)
        delay = self.random.choices(
            [0, self.random.uniform(0, 0.5), self.random.uniform(3, 5)], [5, 3, 2])[0]
        until(lambda: not self.cluster.orphans(), 2,
              lambda _: f"outlived its agent: {self.cluster.orphans()}")
        time.sleep(delay)
        for victim in victims:
            victim.start()
        if kind == "start" and most > len(victims):
            time.sleep(self.random.uniform(0, self.random.choice([0.005, 0.02, 0.1])))
            # It has to have come so far by itself: an end of its own would be a refusal.
            victims[0].must_run()
            self.hit(victims[0])
            victims[0].start()
        for victim in victims:
            until(victim.takes_connections, START_LIMIT,
                  f"{victim.name} does not answer {START_LIMIT} s after its start")
            self.starts.append(time.monotonic() - victim.begun)

    def choose(self, kind, most):
        """Waits for the moment that this kind of strike is about, and returns whom it hits."""
        if kind == "download":
            victim = self.downloading()
        elif kind == "leader":
            victim = self.leases.leader()
        else:
            time.sleep(self.random.uniform(0, 1.5 if kind == "upgrade" else 0.6))
            victim = None
        victims = [victim or self.random.choice(self.cluster.agents)]
        if kind == "pair" and most > 1 and self.nodes >= 5:
            others = [agent for agent in self.cluster.agents if agent not in victims]
            victims.append(self.random.choice(others))
        return victims

    def downloading(self):
        """Whoever downloads, at a random moment of the download, or a little after it."""
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            fetcher = self.cluster.fetcher()
            if fetcher:
                time.sleep(self.random.uniform(0, DOWNLOAD_SECONDS * 1.3))
                return fetcher
            if not self.operator.busy and not self.leases.upgrading():
                break
            time.sleep(0.01)
        return self.leases.leader()

    def hit(self, victim):
        phase = self.phase(victim)
        self.leaders_killed += victim is self.leases.leader()
        victim.must_run()
        victim.kill()
        self.kills[phase] += 1

    def phase(self, victim):
        """What the victim was about when it was hit."""
        if time.monotonic() - victim.begun < 0.25:
            return "in the first 250 ms of a start"
        if victim is self.cluster.fetcher():
            return "in its download"
        if self.leases.upgrading():
            return "in an upgrade"
        if any(time.monotonic() - agent.begun < 5 for agent in self.cluster.agents):
            return "soon after another start"
        return "at rest"

    # What must hold

    def calm(self, last):
        """Everything that must hold once no more agents are killed."""
        for agent in self.cluster.agents:
            agent.must_run()
        # What is written all the time is never the same everywhere for long.
        self.writer.pause()
        self.wait("--members", self.nodes, "--leader", "--converged", limit=CONVERGED_LIMIT)
        self.converged.append(time.monotonic() - last)
        until(lambda: not self.operator.busy, VERSION_LIMIT + 40, "the operator still waits")
        version = self.operator.wanted.version
        self.wait("--members", self.nodes, "--leader", "--version", version, limit=VERSION_LIMIT)
        self.upgraded.append(time.monotonic() - last)
        self.values_were_kept()
        self.looks.look(thoroughly=True)
        self.logs.look()
        check(not self.violations, "; ".join(self.violations))

    def wait(self, *condition, limit):
        with concurrent.futures.ThreadPoolExecutor(self.nodes) as pool:
            list(pool.map(
                lambda agent: agent.muster("wait", *condition, "--timeout", f"{limit}s"),
                self.cluster.agents))

    def values_were_kept(self):
        """Every node's values, as every node sees them: the same, and none lost."""
        def seen():
            return [[witness.ask("GET", f"/get?node={agent.name}")["values"]
                     for witness in self.cluster.agents] for agent in self.cluster.agents]

        def wrong():
            for agent, views in zip(self.cluster.agents, seen()):
                lost = {key: value for key, value in agent.kept.items()
                        if int(views[0].get(key, 0)) < value}
                if lost:
                    return f"{agent.name} had acknowledged {lost} and has {views[0]}"
                if any(view != views[0] for view in views):
                    return f"not all see the same values of {agent.name}: {views}"
            return None

        until(lambda: wrong() is None, 5, lambda _: wrong())

    def end(self):
        """The last look, when nothing runs any more."""
        for agent in self.cluster.agents:
            link = (agent.state / "current").readlink().name
            version = self.operator.wanted.version
            check(link.rsplit("-", 2)[0] == version, f"{agent.name} points to {link} as current")
        self.writer.ended.set()
        self.looks.ended.set()
        self.leases.ended.set()
        for agent in self.cluster.agents:
            agent.stop()
            check(agent.process.returncode == 0,
                  f"{agent.name} ended with {agent.process.returncode}: {agent.last_words()}")
        until(lambda: not self.cluster.orphans(), 2,
              lambda _: f"outlived its agent: {self.cluster.orphans()}")
        self.looks.look(thoroughly=True)
        self.logs.look()
        wanted = {archive.version for archive in self.releases}
        there = {name.rsplit("-", 2)[0] for name in self.share.releases}
        check(there == wanted, f"published: {sorted(there)}, wanted: {sorted(wanted)}")
        check(not self.violations, "; ".join(self.violations))

    # What was seen

    def summary(self):
        line = self.screen.line
        self.screen.heading("What was seen")
        line(f"{self.killed} kills of {self.nodes} agents, {self.leaders_killed} of them of the "
             "leader:")
        for phase, count in self.kills.most_common():
            line(f"  {count:5}  {phase}")
        for what, times in (("started again, answers", self.starts),
                            ("last start to converged, a leader killed", self.with_leader),
                            ("last start to converged, no leader killed", self.without_leader),
                            ("last start to the wanted version everywhere", self.upgraded[1:])):
            if times:
                line(f"{what}: median {statistics.median(times):.2f} s, most {max(times):.2f} s "
                     f"({len(times)} times)")
        line(f"values set: {self.writer.kept} kept, {self.writer.unanswered} without an answer")
        line(f"upgrades asked for: {self.operator.asked}; terms seen: {len(self.leases.terms)}; "
             f"leases asked after: {self.leases.asked}; looks at the share: {self.looks.looks}")
        counts = collections.Counter(self.origin.downloads(archive) for archive in self.releases)
        line(f"{len(self.releases)} releases published; none was asked for once it was visible:")
        for downloads, count in sorted(counts.items()):
            line(f"  {count:5}  with {downloads} GETs" if downloads != 1 else
                 f"  {count:5}  with 1 GET")
        again = sum(count * (downloads - 1) for downloads, count in counts.items() if downloads)
        line(f"downloads begun again: {again}, after {self.kills['in its download']} kills in one")
        line(f"stages of killed downloads left on the share: {len(self.share.stages())}, private "
             "to their nodes; the leader removes them after an hour")
        for warning, count in self.logs.warnings.most_common(8):
            line(f"  {count:5}  warnings: {warning}")
