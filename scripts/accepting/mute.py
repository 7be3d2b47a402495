"""Workers that keep the others waiting: one takes long to stop, one never says that it is ready to."""

import os
import signal
import time

from cluster import parent_of
from nodes import CONFIGURATION, Ground
from screen import check, until

NODES = 4
SLOW_STOP = 12
ACK_TIMEOUT = 120
# Until the leader's next deliberation, and until it is seen.
MARGIN = 3


class Mute:
    # Whether the case is tried with the policy that gives up, too.
    long = False

    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = Ground(work, program, "mute", NODES)
        self.cases = [
            ("A4-slow", "one worker takes long to stop: it is waited for, and no longer",
             self.slow),
            ("A4", f"one worker lives and is mute: overtaken by name after {ACK_TIMEOUT} s",
             self.proceed),
        ]
        if self.long:
            self.cases.append(
                ("A4-abort", f"the same, and the policy is to give up after {ACK_TIMEOUT} s",
                 self.abort))

    def slow(self, fact):
        ground = self.ground
        for number in range(NODES):
            agent = ground.add()
            if number == NODES - 1:
                # It has a copy of its own to bring, and the program that does so can be stopped.
                # Nobody could run what it would publish there: it never leads.
                agent.shared = "none"
                agent.configuration = ground.work / "never-leads.yaml"
                agent.configuration.write_text(CONFIGURATION + "leader: {priority: 0}\n")
                agent.environment["STOP_SECONDS"] = f"1.0={SLOW_STOP}"
        ground.form()
        ground.release("1.0")
        ground.install("1.0")
        leader = ground.leader()
        ground.release("1.1")
        ground.want("1.1")
        until(lambda: leader.plan()["phase"] == "prepare", 30, "nobody was asked to stop")
        began = time.monotonic()
        plan = self.phase_of(leader, "complete", SLOW_STOP + 10)
        waited = time.monotonic() - began
        named = [p["node"] for p in plan["participants"] if p["overtaken"]]
        check(not named and waited > SLOW_STOP - MARGIN,
              f"after {waited:.1f} s it went on without {named}")
        ground.settle("--version", "1.1", limit=20)
        self.ledger.figure(f"a worker that stops for {SLOW_STOP} s holds the others up", waited,
                           SLOW_STOP + 1, "s")
        fact(f"its limit allows 100 s: all waited {waited:.1f} s for it, and went on with it")

    def proceed(self, fact):
        ground, mute = self.ground, self.ground.agents[-1]
        asked = time.time()
        fetch, plan, waited = self.silence("1.2", "proceed", "complete")
        named = [p["node"] for p in plan["participants"] if p["overtaken"]]
        check(named == [mute.name], f"overtaken, by the leader's word: {named}")
        for agent in ground.live[:-1]:
            until(lambda: agent.row()["version"] == "1.2" and agent.row()["ready"], 20,
                  f"{agent.name} does not run 1.2")
        fact(f"after {waited:.1f} s the others moved, and {mute.name} is named as overtaken")
        wake(fetch)
        until(lambda: mute.row()["version"] == "1.2" and mute.row()["ready"], 30,
              lambda _: f"{mute.name} does not follow: {mute.row()}")
        ground.remember()
        stopped = mute.when("service-stopped", after=asked)
        verified = mute.when("release-verified", "1.2", asked)
        check(verified <= stopped, f"{mute.name} was out of service for its download")
        fact(f"{mute.name} ran on until it had every byte, and then followed by itself")

    def abort(self, fact):
        ground, mute = self.ground, self.ground.agents[-1]
        stops = self.stops()
        fetch, _, waited = self.silence("1.3", "abort", "idle")
        wake(fetch)
        leader = ground.leader()
        reason = until(lambda: leader.plan().get("failure"), 10, "the plan gives no reason")
        check("has not said verified" in reason, f"the reason is another: {reason}")
        check(self.stops() == stops, "somebody was stopped for it")
        for agent in ground.live:
            check(agent.row()["version"] == "1.2" and agent.row()["ready"],
                  f"{agent.name}: {agent.row()}")
        fact(f"given up after {waited:.1f} s: {reason}; nobody was stopped")
        check(mute.alive, f"{mute.name} is gone")

    def silence(self, version, policy, phase):
        """Wants a version, stops the mute node's download, and waits for the phase that follows."""
        ground = self.ground
        mute, leader = ground.agents[-1], ground.leader()
        ground.release(version)
        ground.insist("upgrade", version, "--policy", policy)
        fetch = until(lambda: download_of(mute), 30, f"{mute.name} fetches nothing", every=0.005)
        os.kill(fetch, signal.SIGSTOP)
        began = time.monotonic()
        plan = self.phase_of(leader, phase, ACK_TIMEOUT + 30)
        waited = time.monotonic() - began
        check(waited > ACK_TIMEOUT - MARGIN, f"it waited for {waited:.1f} s only")
        self.ledger.figure(f"a mute worker holds the others up ({policy})", waited,
                           ACK_TIMEOUT + MARGIN, "s", "120 s")
        return fetch, plan, waited

    def phase_of(self, leader, phase, limit):
        return until(lambda: (lambda p: p if p["phase"] == phase else None)(leader.plan()), limit,
                     f"{leader.name} waits for ever", every=0.05)

    def stops(self):
        self.ground.remember()
        return sum(event["kind"] == "service-stopped"
                   for agent in self.ground.live for event in agent.history)


def wake(process):
    """Whoever has to begin anew ends it before."""
    try:
        os.kill(process, signal.SIGCONT)
    except ProcessLookupError:
        pass


def download_of(agent):
    """The process of this agent that brings an archive, if one runs."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                program = file.read().partition(b"\0")[0]
            if program.endswith(b"/muster-fetch") and parent_of(pid) == agent.process.pid:
                return int(pid)
        except OSError:
            continue
    return None
