"""A worker that lives and does not answer: it is overtaken by name, and follows later."""

import time

from nodes import Ground
from screen import check, until

NODES = 4
SLOW_STOP = 65
STOP_LIMIT = 45


class Mute:
    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = Ground(work, program, "mute", NODES)
        self.cases = [("A4", "one worker does not stop in time: named, overtaken, follows later",
                       self.overtake)]

    def overtake(self, fact):
        ground = self.ground
        for number in range(NODES):
            agent = ground.add()
            if number == NODES - 1:
                agent.environment["STOP_SECONDS"] = f"1.0={SLOW_STOP}"
        ground.form()
        ground.release("1.0")
        ground.install("1.0")
        mute = ground.agents[-1]
        if ground.leader() is mute:
            mute.muster("leader", "step-down")
            until(lambda: ground.leader() is not mute, 20, f"{mute.name} still leads")
            ground.settle("--leader", "--converged", limit=20)
        leader = ground.leader()
        ground.release("1.1")
        ground.want("1.1")
        until(lambda: leader.plan()["phase"] == "prepare", 30, "nobody was asked to stop")
        began = time.monotonic()
        plan = until(lambda: (lambda p: p if p["phase"] == "complete" else None)(leader.plan()),
                     STOP_LIMIT + 10, f"{leader.name} waits for {mute.name} for ever", every=0.1)
        waited = time.monotonic() - began
        named = [p["node"] for p in plan["participants"] if p["overtaken"]]
        check(named == [mute.name], f"overtaken, by the leader's word: {named}")
        self.ledger.figure("a worker that does not stop holds the others up", waited,
                           STOP_LIMIT + 2, "s", "120 s")
        others = [agent for agent in ground.live if agent is not mute]
        for agent in others:
            until(lambda: agent.row()["version"] == "1.1" and agent.row()["ready"], 20,
                  f"{agent.name} does not run 1.1")
        fact(f"after {waited:.0f} s the plan went on, and names {mute.name} as overtaken")
        until(lambda: mute.row()["version"] == "1.1" and mute.row()["ready"], SLOW_STOP,
              lambda _: f"{mute.name} does not follow: {mute.row()}", every=0.1)
        fact(f"{mute.name} stopped in its own time, and runs 1.1 "
             f"{time.monotonic() - began:.0f} s after it was asked")
