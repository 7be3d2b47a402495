"""Thirty-two hosts on a bridge that know no address: who finds whom by multicast, and how soon."""

import fleet
from network import Bridge

HOSTS = 32
PATIENCE = 90


def run(systems, results, options):
    for turn in range(options.rounds):
        for percent in (0, 20):
            for system in systems if turn % 2 == 0 else systems[::-1]:
                results.begin(f"multicast, {percent} % of it lost, {system.name}, "
                              f"round {turn + 1}")
                discover(system, percent, results, options)


def discover(system, percent, results, options):
    def note(measure, value):
        results.add("multicast", percent, measure, system.name, value)

    system.prepare(HOSTS)
    bridge = Bridge(f"mb-{options.tag}", HOSTS + 1)
    addresses = [Bridge.address(number) for number in range(HOSTS + 1)]
    agents = fleet.Fleet(system, addresses, bridge.hosts, seed=None)
    try:
        for host in bridge.hosts:
            host.count_groups()
            host.lose(percent, only="ip daddr 224.0.0.0/4")
        first, last = agents.start(range(HOSTS))
        full = agents.wait(PATIENCE, lambda: agents.all_full() is not None)
        note("found: from the last start", agents.all_full() - last if full else None)
        note("found: from the first start", agents.all_full() - first if full else None)
        agents.wait(10, lambda: False)
        note("multicasts a host, to 10 s after it", sum(
            host.counted()["groups"][0] for host in bridge.hosts[:HOSTS]) / HOSTS)
        if full:
            began, _ = agents.start([HOSTS])
            back = agents.wait(PATIENCE, lambda: agents.all_full() is not None)
            note("a late one: seen by all", agents.all_full() - began if back else None)
        note("false deaths", agents.false_deaths)
    finally:
        agents.end()
        bridge.remove()
