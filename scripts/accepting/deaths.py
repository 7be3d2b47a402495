"""SIGKILL where it hurts: the leader in each phase of an upgrade, and what downloads."""

import collections
import os
import signal
import time

from nodes import Ground
from report import seconds
from screen import check, until
from watch import ShareWatch

NODES = 5
PHASES = ("downloading", "prepare", "complete")


class Deaths:
    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = Ground(work, program, "deaths", NODES)
        # Each phase has to last long enough to be hit.
        self.ground.environment |= {"STOP_SECONDS": "1", "START_SECONDS": "1"}
        self.looks = ShareWatch(self.ground.share, self.ground.complain)
        self.cases = [("A5-start", "a cluster that runs its first release", self.begin)] + [
            (f"A5-{phase}", f"SIGKILL of the leader in {phase}", self.killing_in(number, phase))
            for number, phase in enumerate(PHASES, 1)
        ] + [("A5-rolling-back", "SIGKILL of the leader on the way back",
              self.kill_on_the_way_back),
             ("A6", "SIGKILL of the download in mid-file", self.kill_the_download),
             ("A5-share", "nothing partial was ever visible", self.nothing_partial)]

    def begin(self, fact):
        for _ in range(NODES):
            self.ground.add().environment = self.ground.environment
        self.ground.form()
        for thread in self.looks.threads:
            thread.start()
        self.ground.release("1.0")
        self.ground.install("1.0")
        fact("1.0 runs on five nodes; the share is looked at every 30 ms from here on")

    def killing_in(self, number, phase):
        def case(fact):
            self.kill_the_leader(f"1.{number}", phase, fact)
        return case

    def kill_the_leader(self, version, phase, fact):
        ground = self.ground
        archive = ground.release(version)
        leader = ground.leader()
        ground.want(version)
        until(lambda: self.is_in(leader, phase, archive), 60,
              lambda _: f"{leader.name} was never seen in {phase}: {leader.plan()}", every=0.005)
        fetches = self.fetches(leader, version)
        leader.kill()
        killed = time.monotonic()
        ground.settle("--version", version, limit=120)
        finished = time.monotonic() - killed
        plan = ground.leader().plan()
        check(plan["phase"] == "idle" and not plan["failure"], f"the plan is {plan}")
        leader.start()
        ground.settle("--members", NODES, "--leader", "--version", version, limit=60)
        for agent in ground.live:
            fetches += self.fetches(agent, version)
        for (name, term), count in fetches.items():
            check(count == 1, f"{name} began {count} downloads in term {term}")
        check(ground.origin.most == 1, "two downloads ran at the same time")
        check(len(ground.published(version)) == 1, f"published: {ground.published(version)}")
        ground.whole()
        self.ledger.figure(f"leader killed in {phase}, the upgrade ends", finished, 60, "s",
                           "never, or blocked")
        downloads = ground.origin.downloads(archive)
        terms = ", ".join(f"{name} in term {term}" for name, term in sorted(fetches))
        fact(f"{leader.name} was killed; complete on the others {finished:.1f} s later, and on it "
             "when it was back")
        fact(f"downloads begun: {terms}; {downloads} GET, never two at once")

    def kill_on_the_way_back(self, fact):
        """A release whose program ends at once, and the leader dies while all go back."""
        ground = self.ground
        archive = ground.release("1.8", program=b"raise SystemExit('no such thing')\n")
        before = ground.leader().status()["release"]["version"]
        leader = ground.leader()
        ground.want("1.8")
        until(lambda: leader.plan()["phase"] == "rolling-back", 90,
              lambda _: f"never on the way back: {leader.plan()}", every=0.005)
        leader.kill()
        killed = time.monotonic()
        ground.settle("--leader", "--version", before, limit=120)
        finished = time.monotonic() - killed
        plan = ground.leader().plan()
        check(plan["phase"] == "idle" and plan["failure"], f"the plan is {plan}")
        leader.start()
        ground.settle("--members", NODES, "--version", before, limit=60)
        check(ground.origin.downloads(archive) == 1, "1.8 was downloaded more than once")
        ground.whole()
        self.ledger.figure("leader killed on the way back, all back", finished, 60, "s",
                           "never, or blocked")
        fact(f"1.8 did not start ({plan['failure'][:80]}); {leader.name} was killed on the way "
             f"back to {before}, where the others were {finished:.1f} s later, and it when it "
             "was back")

    def is_in(self, leader, phase, archive):
        if leader.plan()["phase"] != phase:
            return False
        # In `downloading`, in the middle of the file.
        return phase != "downloading" or self.ground.origin.running == 1

    def fetches(self, agent, version):
        """How many downloads of a version an agent has begun, by the term it led in."""
        found, term = collections.Counter(), None
        for event in agent.remember():
            if event["kind"] == "leader-changed" and event["leader"] == agent.name:
                term = event["term"]
            elif event["kind"] == "release-fetching" and event["version"] == version:
                found[agent.name, term] += 1
        return found

    def kill_the_download(self, fact):
        ground = self.ground
        archive = ground.release("1.9", 4_000_000)
        ground.want("1.9")
        pid = until(self.downloading, 30, "no download was seen", every=0.005)
        until(lambda: ground.origin.running == 1, 5, "the download asked for nothing", every=0.005)
        time.sleep(0.3)
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        ground.settle("--version", "1.9", limit=90)
        took = time.monotonic() - began
        check(ground.origin.downloads(archive) == 2,
              f"1.9 was asked for {ground.origin.downloads(archive)} times")
        check(ground.origin.most == 1, "two downloads ran at the same time")
        check(len(ground.published("1.9")) == 1, f"published: {ground.published('1.9')}")
        ground.whole()
        self.ledger.figure("download killed in mid-file, the upgrade ends", took, 30, "s",
                           "10 min, or never")
        fact(f"the agent began it again by itself; everywhere {took:.1f} s after the kill, one "
             "whole copy")

    def downloading(self):
        for pid, (_, words) in self.ground.children().items():
            if words[0].endswith("muster-fetch"):
                return pid
        return None

    def nothing_partial(self, fact):
        self.looks.ended.set()
        self.ground.whole()
        for agent in self.ground.live:
            started = [e for e in agent.remember() if e["kind"] == "service-starting"]
            for event in started:
                verified = [seconds(e["at"]) for e in agent.history
                            if e["kind"] == "release-verified" and e["version"] == event["version"]]
                check(verified and min(verified) <= seconds(event["at"]),
                      f"{agent.name} started {event['version']} before it had verified it")
        fact(f"{self.looks.looks} looks at the share; every start came after a verification")
