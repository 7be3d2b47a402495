"""Ten nodes: how fast news travels and questions are answered; what operators set is kept."""

import concurrent.futures
import threading
import time

from nodes import Ground, Refusal, body_of
from screen import check, until

NODES = 10
ROUNDS = 8


class Crowd:
    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = Ground(work, program, "crowd", NODES)
        self.cases = [("A15", "ten nodes: a key, a change of state, a question", self.ten),
                      ("A14", "what the operator has set is kept", self.keys_are_kept),
                      ("contention-10", "ten operators on ten nodes want ten versions at once",
                       self.contend)]

    def ten(self, fact):
        ground = self.ground
        for _ in range(NODES):
            ground.add().environment |= {"SET_BY_OPERATOR": "kept", "SET_BY_BOTH": "operator"}
        ground.form()
        ground.release("1.0")
        ground.install("1.0")
        writer = ground.agents[0]
        took = timed(lambda: (writer.keep("endpoint", "key-1"), until(
            lambda: all(a.ask("GET", f"/get?node={writer.name}")["values"].get("endpoint")
                        == "key-1" for a in ground.agents), 60, "not all see the key", 0.005)))
        self.ledger.figure("ten nodes: a key set on one, seen on all", took, 1, "s", "60 s")
        victim = ground.followers()[-1]
        others = [agent for agent in ground.agents if agent is not victim]
        victim.kill()
        dead = timed(lambda: until(lambda: all(
            a.row(victim)["state"] == "dead" for a in others), 10,
            f"not all see that {victim.name} is dead"))
        self.ledger.figure("ten nodes: a crash, seen by all", dead, 10, "s", "10 s")
        query = max(timed(lambda: agent.muster("status")) for agent in others)
        self.ledger.figure("ten nodes: the slowest `muster status`", query, 2, "s", "2 s")
        fact(f"a key on all after {took:.3f} s; a crash seen by all after {dead:.2f} s; status "
             f"in {query:.3f} s at most")
        victim.start()
        ground.settle("--members", NODES, "--version", "1.0", limit=30)

    def keys_are_kept(self, fact):
        ground = self.ground
        agent = ground.agents[3]
        agent.keep("operator/note", "mine")
        ground.insist("set", "--cluster", "maintainer", "ops@example.org")
        ground.release("1.1")
        ground.install("1.1")
        agent.kill()
        agent.start()
        ground.settle("--members", NODES, "--version", "1.1", "--converged", limit=60)
        for witness in ground.agents:
            own = witness.ask("GET", f"/get?node={agent.name}")["values"]
            check(own.get("operator/note") == "mine", f"{witness.name} sees {own}")
            settings = witness.status()["settings"]
            check(settings.get("maintainer") == "ops@example.org" and
                  settings.get("version") == "1.1", f"{witness.name} has {settings}")
        found = body_of(agent, "/environment")
        wanted = {"SET_BY_OPERATOR": "kept", "SET_BY_CONFIGURATION": agent.name,
                  "SET_BY_BOTH": "configuration", "MUSTER_VERSION": "1.1"}
        wrong = {key: found.get(key) for key in wanted if found.get(key) != wanted[key]}
        check(not wrong, f"the service's environment has {wrong}")
        fact("a node's value, a cluster's setting and a variable outlive an upgrade and a SIGKILL")
        fact("a service gets the operator's variables, and muster.yaml's where both set one")

    def contend(self, fact):
        """Whoever is told yes has to get what was asked for; all others are told by whom."""
        ground = self.ground
        # Who asks for what runs is told yes as well, and nothing has to begin for it.
        versions, running = [f"2.{number}" for number in range(NODES + 1)], None
        for version in versions:
            ground.release(version)
        for round in range(ROUNDS):
            start = threading.Barrier(NODES + 1)

            def keep_busy():
                """What the leader commits at this moment lets all that comes meanwhile wait."""
                start.wait()
                ground.agents[round].ask("POST", "/set", {
                    "key": "round", "value": str(round), "cluster": True}, timeout=35)

            def ask_for(agent, version):
                start.wait()
                time.sleep(round * 0.002)
                try:
                    agent.ask("POST", "/set", {"key": "version", "value": version,
                                               "cluster": True}, timeout=35)
                    return version, None
                except Refusal as refusal:
                    return version, str(refusal)

            with concurrent.futures.ThreadPoolExecutor(NODES + 1) as pool:
                busy = pool.submit(keep_busy)
                wanted = [version for version in versions if version != running]
                answers = list(pool.map(ask_for, ground.agents, wanted))
                busy.result()
            won = [version for version, refusal in answers if refusal is None]
            check(len(won) == 1, f"all of these were accepted: {won}")
            for version, refusal in answers:
                told = refusal is None or any(
                    f"to {won[0]} {word}" in refusal for word in ("is", "begins"))
                check(told,
                      f"{version} was refused for another reason: {refusal}")
            ground.settle("--version", won[0], limit=60)
            running = won[0]
            versions = versions[1:] + versions[:1]
        check(ground.origin.most == 1, "two downloads ran at the same time")
        ground.whole()
        fact(f"{ROUNDS} times: one was accepted and ran everywhere, nine were refused and told "
             "which plan was under way")


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began
