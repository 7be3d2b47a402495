"""Joining and crashing while datagrams are lost. Serf's TCP is spared: it is no datagram."""

import fleet
from network import Namespace
from twins import hosts

JOINERS = 17
WATCHED = 32
PATIENCE = 90


def run(systems, results, options):
    for turn in range(options.rounds):
        for percent in (10, 30, 50):
            for system in systems if turn % 2 == 0 else systems[::-1]:
                results.begin(f"{percent} % loss, {system.name}, round {turn + 1}")
                if percent < 50:
                    join(system, percent, results, options)
                crash(system, percent, results, options)


def grounded(system, count, options, body):
    space = Namespace(f"mb-{options.tag}")
    system.prepare(count)
    addresses = hosts(count)
    agents = fleet.Fleet(system, addresses, [space] * count, seed=addresses[0])
    try:
        body(space, agents)
    finally:
        agents.end()
        space.remove()


def join(system, percent, results, options):
    def body(space, agents):
        space.lose(percent)
        agents.start([0])
        agents.rest(0.5)
        _, last = agents.start(range(1, JOINERS))
        full = agents.wait(PATIENCE, lambda: agents.all_full() is not None)
        results.add("loss", percent, f"{JOINERS} join: seen by all", system.name,
                    agents.all_full() - last if full else None)
        results.add("loss", percent, f"{JOINERS} join: false deaths", system.name,
                    agents.false_deaths)

    grounded(system, JOINERS, options, body)


def crash(system, percent, results, options):
    def body(space, agents):
        agents.start([0])
        agents.rest(0.5)
        agents.start(range(1, WATCHED))
        if not agents.wait(60, lambda: agents.all_full() is not None):
            return
        agents.rest(5)
        space.lose(percent)
        agents.rest(options.lossy)
        results.add("loss", percent, f"{WATCHED} live on: false deaths", system.name,
                    agents.false_deaths)
        victim = agents.nodes[WATCHED // 2]
        when = agents.kill(victim.number)
        others = len(agents.running)
        known = agents.wait(
            PATIENCE, lambda: len(agents.told("dead", victim.key, when)) >= others)
        dead = sorted(agents.told("dead", victim.key, when).values())
        results.add("loss", percent, "crash: first says dead", system.name,
                    dead[0] - when if dead else None)
        results.add("loss", percent, "crash: last says dead", system.name,
                    dead[-1] - when if known else None)

    grounded(system, WATCHED, options, body)
