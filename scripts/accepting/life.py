"""The life of a cluster that runs a real server: installed, grown, upgraded, contended for, rolled
back, shrunk. What the reference system was measured with, and the two parts that it never ran."""

import concurrent.futures
import json
import os
import re
import time

import cluster as machines
import report
from nodes import Ground
from report import seconds
from screen import Broken, check, until
from traffic import ask

VERSIONS = ("2.10.0", "2.10.2", "2.11.7")
FOUNDERS = 3
# The boxes that the reference system's results tick, the two that they leave open, and the case
# that shows each of them here.
BOXES = [
    ("a single download", "A1"),
    ("coordination of the download, here without a lock", "box-waiting"),
    ("workers wait for it", "box-waiting"),
    ("what is installed is written down and readable, here in the register", "box-marker"),
    ("all nodes on the same filesystem", "A1"),
    ("the share is recognised, here by reading back through it", "box-marker"),
    ("one path everywhere", "box-marker"),
    ("nodes added later reuse what is there", "A2"),
    ("the service reaches what it depends on, here web its workers", "box-stack"),
    ("the whole stack runs", "box-stack"),
    ("an upgrade of several nodes (never run there)", "A3"),
    ("contention (never run there)", "contention"),
]


class Life:
    """Cases in the order of a life: each begins where the one before has ended."""

    def __init__(self, ledger, work, program, project, archives):
        self.ledger = ledger
        self.first, self.second, self.third = archives
        self.ground = Ground(work, program, "life", FOUNDERS,
                             project / "examples" / "caddy" / "muster.yaml")
        for archive in archives:
            self.ground.origin.offer(archive)
        self.cases = [
            ("A1", "three nodes, one download, one digest, one inode", self.install),
            ("box-waiting", "nobody starts before the release is published", self.waiting),
            ("box-marker", "the committed release is readable on every node", self.marker),
            ("box-stack", "web reaches every worker, all are ready", self.stack),
            ("A2", "a fourth and a fifth node use what is there", self.grow),
            ("A3", "five nodes upgrade, every stop before its word", self.upgrade),
            ("A12", "web and workers upgrade together", self.both_groups),
            ("contention", "two upgrades at the same time", self.contend),
            ("A13", "the way back downloads nothing", self.roll_back),
            ("A11", "a node is removed, the others do not notice", self.remove),
            ("A10", "the share holds only binaries after a life", self.only_binaries),
        ]

    # Installed and grown

    def install(self, fact):
        ground = self.ground.form()
        ground.announce(self.first)
        ground.want(self.first.version)
        self.runs(self.first.version)
        self.downloaded(self.first, 1)
        ground.remember()
        rows = [agent.row() for agent in ground.agents]
        copies = {row["copy"] for row in rows}
        check(len(copies) == 1, f"they run {copies}")
        volumes = {row["volume"]["identifier"] for row in rows}
        check(len(volumes) == 1, f"they see the filesystems {volumes}")
        inodes = {(status.st_dev, status.st_ino) for status in self.programs().values()}
        check(len(inodes) == 1, f"their programs are {inodes}")
        fact(f"caddy {self.first.version}: one GET; all run {copies.pop()}")
        fact(f"filesystem {volumes.pop()}, inode {inodes.pop()[1]}: the same on all three")
        published, starts, own = self.starts(self.first.version)
        fetched = next(a.when("release-fetching") for a in ground.agents
                       if a.when("release-fetching"))
        self.ledger.figure("the download, asked for to published", published - fetched, None, "s",
                           "65 s")
        self.ledger.figure("release published to the last node ready", max(starts.values()) + max(
            own.values()), 2 + max(own.values()), "s", "30 s")
        fact(f"published to started {spoken(starts)}; the starts themselves {spoken(own)}")
        one = size(next(ground.shared.glob("releases/*")))
        everything = size(ground.shared) + sum(size(agent.state) for agent in ground.agents)
        self.ledger.figure("disk of share and nodes beside one copy", everything / one, 1.01, "x",
                           "1.15 x")
        fact(f"{everything:,} bytes on the share and in the nodes' own directories, one copy has "
             f"{one:,}")

    def waiting(self, fact):
        published, starts, _ = self.starts(self.first.version)
        check(min(starts.values()) > 0, f"somebody started before the publication: {starts}")
        fetchers = [a.name for a in self.ground.agents if a.when("release-fetching")]
        check(len(fetchers) == 1, f"these fetched: {fetchers}")
        listing = sorted(os.listdir(self.ground.shared / "releases"))
        check(len(listing) == 1, f"the share holds {listing}")
        fact(f"{fetchers[0]} alone fetched, as the leader, without a lock; the others started "
             f"after it had published")

    def marker(self, fact):
        seen = {json.dumps(agent.status()["release"], sort_keys=True)
                for agent in self.ground.agents}
        check(len(seen) == 1, f"they know {seen}")
        release = json.loads(seen.pop())
        check(release["version"] == self.first.version, f"the register names {release}")
        states = {agent.row()["storage"] for agent in self.ground.agents}
        check(states == {"ready"}, f"the share is {states}")
        links = {os.path.realpath(agent.state / "current") for agent in self.ground.agents}
        check(links == {str(self.ground.shared / "releases" / release["directory"])},
              f"`current` leads to {links}")
        fact(f"the register names {release['version']} with digest {release['digest'][:16]}…, on "
             "every node; each has read it back through its mount")
        fact(f"one path everywhere: releases/{release['directory']}")

    def stack(self, fact):
        heard = self.reaches_every_worker(self.first.version)
        ready = [agent.row()["ready"] for agent in self.ground.live]
        check(all(ready), f"ready: {ready}")
        fact(f"through the web node answered {', '.join(heard)}")

    def grow(self, fact):
        ground = self.ground
        before = self.listing()
        for _ in range(2):
            joined = ground.add()
            joined.start(join=ground.agents[0])
            joined.listening()
            until(lambda: joined.row().get("ready"), 15, f"{joined.name} is not ready in 15 s")
            joined.remember()
            ready, started = joined.when("service-ready"), joined.when("service-starting")
            took, own = ready - joined.started_at, ready - started
            self.ledger.figure(f"{joined.name} added, ready", took, 1 + own, "s", "under 5 s")
            check(took < 5, f"{joined.name} was ready after {took:.2f} s")
            fact(f"{joined.name} ready {took:.2f} s after its start; {own:.2f} s of that is the "
                 "service's own")
        self.downloaded(self.first, 1)
        check(self.listing() == before, "the share changed while they joined")
        ground.settle("--members", 5, limit=20)
        self.runs(self.first.version)
        fact("no download; nothing on the share has changed")

    # Upgraded

    def upgrade(self, fact):
        ground = self.ground
        ground.announce(self.second)
        began = time.time()
        ground.want(self.second.version)
        self.runs(self.second.version)
        took = time.time() - began
        self.downloaded(self.second, 1)
        ground.remember()
        self.began = began
        leader = ground.leader()
        plan = next((e for e in reversed(leader.history) if e["kind"] == "plan-complete"), None)
        check(plan and plan["to"] == self.second.version, "no plan was completed")
        said = {e["node"]: seconds(e["at"]) for e in leader.history
                if e["kind"] == "acknowledged" and e["plan"] == plan["plan"]
                and e["acknowledgement"] == "stopped"}
        check(set(said) == {a.name for a in ground.live}, f"stopped, as the leader heard: {said}")
        ends = {}
        for agent in ground.live:
            ends[agent.name] = agent.when("service-stopped", after=began)
            check(ends[agent.name] <= said[agent.name] + 0.001,
                  f"{agent.name} spoke {ends[agent.name] - said[agent.name]:.3f} s before its stop")
        completed = seconds(plan["at"])
        check(max(said.values()) <= completed, "the new version was ordered before the last word")
        starts = [agent.when("service-starting", self.second.version, began)
                  for agent in ground.live]
        check(min(starts) >= max(ends.values()) - 0.001, "two versions ran at the same time")
        fact(f"caddy {self.second.version}: one GET, before anybody stopped")
        fact(f"all five stopped, said so at most {max(said[n] - ends[n] for n in said):.3f} s "
             "later, and only then was the new version started")
        stops = {a.name: ends[a.name] - a.when("service-stopping", after=began)
                 for a in ground.live}
        for agent in ground.live:
            ready = agent.when("service-ready", self.second.version, began)
            own = ready - agent.when("service-starting", self.second.version, began)
            outage = ready - agent.when("service-stopping", after=began)
            self.ledger.figure(f"{agent.name} out of service in the upgrade", outage,
                               1 + max(stops.values()) + own, "s")
        self.ledger.figure("the upgrade of five nodes, asked for to all ready", took, None, "s",
                           "about 3 min")

    def both_groups(self, fact):
        roles = {}
        for agent in self.ground.live:
            row = agent.row()
            roles.setdefault(row["role"], set()).add(row["version"])
        check(roles == {"web": {self.second.version}, "worker": {self.second.version}},
              f"the roles run {roles}")
        heard = self.reaches_every_worker(self.second.version)
        fact(f"one plan moved web and {len(heard)} workers to {self.second.version}")

    def contend(self, fact):
        """Two operators on two nodes, at one moment: one plan, and the other is told of it."""
        ground = self.ground
        ground.announce(self.third)
        wishes = [(ground.live[0], self.third.version), (ground.live[-1], self.first.version)]

        def ask_for(wish):
            agent, version = wish
            try:
                agent.muster("set", "--cluster", "version", version)
                return version, None
            except Broken as refusal:
                return version, str(refusal)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(ask_for, wishes))
        won = [version for version, refusal in answers if refusal is None]
        lost = [refusal for _, refusal in answers if refusal is not None]
        check(len(won) == 1, f"accepted: {won}; refused: {lost}")
        self.runs(won[0])
        ground.remember()
        plans = [e for e in ground.leader().history
                 if e["kind"] == "plan-complete" and e["to"] == won[0]]
        check(plans, f"no plan to {won[0]}")
        told = re.search(r"ended with 4: .*plan ([0-9a-f]{8})", lost[0])
        check(told and plans[-1]["plan"].startswith(told[1]),
              f"the refusal does not name plan {plans[-1]['plan'][:8]}: {lost[0]}")
        if won[0] == self.third.version:
            self.downloaded(self.third, 1)
        fact(f"{won[0]} was accepted; the other was refused: "
             + lost[0].partition(": ")[2][:120])

    # Rolled back, shrunk, listed

    def roll_back(self, fact):
        ground = self.ground
        counts = len(ground.origin.requests)
        now = ground.live[0].row()["version"]
        began = time.time()
        ground.want(self.second.version)
        self.runs(self.second.version)
        took = time.time() - began
        check(len(ground.origin.requests) == counts, "the way back asked the origin")
        self.ledger.figure("the way back, asked for to all ready", took, None, "s")
        fact(f"{now} to {self.second.version} in {took:.2f} s, and the origin was not asked")

    def remove(self, fact):
        ground = self.ground
        leaver = ground.followers()[-1]
        others = [agent for agent in ground.live if agent is not leaver]
        before, pids = self.listing(), {a.name: sorted(self.services(a)) for a in others}
        leaver.muster("leave")
        until(lambda: not leaver.alive, 20, f"{leaver.name} was told to leave and runs on")
        leaver.killed = True
        for agent in others:
            until(lambda: agent.row(leaver).get("state") in ("left", None), 10,
                  f"{agent.name} does not see that {leaver.name} has left")
        after = {a.name: sorted(self.services(a)) for a in others}
        check(after == pids, f"services were restarted: {pids}, now {after}")
        check(self.listing() == before, "the share has changed")
        self.reaches_every_worker(self.second.version)
        fact(f"{leaver.name} has left; the processes of {len(others)} others and the share are "
             "the same")

    def only_binaries(self, fact):
        self.ground.whole()
        listing = self.listing()
        strange = [path for path in listing if path.split("/")[0] != "releases"
                   or len(path.split("/")) > 1 and path.split("/")[1].startswith(".")]
        check(not strange, f"these do not belong on the share: {strange}")
        for path in listing:
            fact(path)
        for archive in (self.first, self.second, self.third):
            check(self.ground.origin.downloads(archive) <= 1, f"{archive.version} came twice")

    # What they are made of

    def runs(self, version):
        """Waits until every live node says so and is ready, and asks the programs themselves."""
        self.ground.settle("--version", version, limit=120)
        for agent in self.ground.live:
            until(lambda: agent.row().get("ready"), 20, f"{agent.name} is not ready on {version}")
            for program in set(self.services(agent).values()):
                check(f"/releases/{version}-" in program, f"{agent.name} runs {program}")

    def downloaded(self, archive, times):
        count = self.ground.origin.downloads(archive)
        check(count == times, f"caddy {archive.version} was downloaded {count} times")

    def services(self, agent):
        return {pid: program for pid, program in machines.programs_below(
            self.ground.shared).items() if machines.parent_of(pid) == agent.process.pid}

    def programs(self):
        return {pid: os.stat(f"/proc/{pid}/exe")
                for agent in self.ground.live for pid in self.services(agent)}

    def starts(self, version):
        """When it was published; how long after it each node started it; how long a start took."""
        agents = self.ground.agents
        published = next(filter(None, (a.when("release-published", version) for a in agents)))
        starting = {a.name: a.when("service-starting", version) for a in agents}
        ready = {a.name: a.when("service-ready", version) for a in agents}
        return (published, {n: at - published for n, at in starting.items()},
                {n: ready[n] - starting[n] for n in ready})

    def reaches_every_worker(self, version):
        rows = [agent.row() for agent in self.ground.live]
        workers = {f"{row['name']} {version}" for row in rows if row["role"] == "worker"}
        web = next(row["name"] for row in rows if row["role"] == "web")
        host, heard = self.ground.named(web).host, set()

        def all_heard():
            body = ask(host, machines.WEB_PORT)
            heard.update({body} if body else set())
            return workers <= heard

        until(all_heard, 15, lambda _: f"web reached {sorted(heard)}, wanted {sorted(workers)}")
        return sorted(workers)

    def listing(self):
        shared = self.ground.shared
        # Nodes try now and then whether they can write there.
        return sorted(str(path.relative_to(shared)) for path in shared.rglob("*")
                      if not path.name.startswith(".probe."))

    def tell(self, screen):
        """The timeline, as scripts/demo prints it."""
        self.ground.remember()
        start = min(agent.started_at for agent in self.ground.agents)
        events = report.merged(self.ground, start)
        report.print_timeline(screen, events)
        self.ledger.timelines.append(
            [[round(at, 3), witness, event["kind"], event.get("node"), event.get("version")]
             for at, witness, event in events])
        screen.heading("The nodes, as one of them sees them")
        screen.line(self.ground.live[0].muster("members").rstrip())


def spoken(times):
    return ", ".join(f"{name} {took:.2f} s" for name, took in sorted(times.items()))


def size(path):
    """The bytes of all files below `path`, each counted once."""
    return sum(file.stat().st_size for file in path.rglob("*")
               if file.is_file() and not file.is_symlink())
