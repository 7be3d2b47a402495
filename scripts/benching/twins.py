"""One life of a cluster on one machine: join at once, update, idle, crash, return."""

import statistics
import time

import fleet
from network import Namespace

NETWORK = "127.80"
JOIN_LIMIT = 60
VERDICT_LIMIT = 60


def hosts(count):
    return [f"{NETWORK}.{number // 250}.{number % 250 + 1}" for number in range(count)]


class Twin:
    """What one system does with `count` agents; every figure goes to `results`."""

    def __init__(self, system, count, results, options):
        self.system = system
        self.count = count
        self.results = results
        self.options = options

    def note(self, measure, value):
        self.results.add("twins", self.count, measure, self.system.name, value)

    def live(self):
        space = Namespace(f"mb-{self.options.tag}")
        self.fleet = None
        try:
            space.count()
            self.space = space
            self.system.prepare(self.count)
            addresses = hosts(self.count)
            self.fleet = fleet.Fleet(
                self.system, addresses, [space] * self.count, seed=addresses[0])
            if self.join():
                self.settle()
                self.updates()
                self.idle()
                for _ in range(self.options.kills):
                    self.crash()
            self.note("false deaths", self.fleet.false_deaths)
        finally:
            if self.fleet:
                self.fleet.end()
            space.remove()

    def join(self):
        """All but the seed at once. Who never gets there is begun again in small groups for the rest."""
        # The seed is there when the others come: serf's first try to reach it is its only quick one.
        self.fleet.start([0])
        self.fleet.rest(0.5)
        first, last = self.fleet.start(range(1, self.count))
        full = self.fleet.wait(JOIN_LIMIT, lambda: self.fleet.all_full() is not None)
        seen = self.fleet.all_full()
        self.note("join: from the last start", seen - last if full else None)
        self.note("join: from the first start", seen - first if full else None)
        self.note("join: false deaths", self.fleet.false_deaths)
        if full:
            return True
        self.fleet.false_deaths = 0
        self.fleet.end()
        self.system.prepare(self.count)
        self.fleet = fleet.Fleet(self.system, hosts(self.count), [self.space] * self.count,
                                 seed=self.fleet.seed)
        for start in range(0, self.count, 10):
            self.fleet.start(range(start, min(start + 10, self.count)))
            self.fleet.wait(20, lambda: self.fleet.all_full() is not None)
        return self.fleet.wait(JOIN_LIMIT, lambda: self.fleet.all_full() is not None)

    def settle(self):
        """Founding, sealing and what was still on its way are no part of an idle cluster."""
        self.fleet.rest(self.options.settle)

    def updates(self):
        for turn in range(3):
            asked, heard = self.fleet.update(1 + turn % (self.count - 1), f"value-{turn}")
            complete = len(heard) >= len(self.fleet.running) - 1
            self.note("update: to the last", max(heard.values()) - asked if complete else None)
            self.fleet.rest(1)

    def idle(self):
        nodes = self.fleet.running
        before = [fleet.processor_seconds(node) for node in nodes]
        sent, began = self.space.counted(), time.monotonic()
        self.fleet.rest(self.options.idle)
        span = time.monotonic() - began
        after, received = [fleet.processor_seconds(node) for node in nodes], self.space.counted()
        spent = [(b - a) * 1000 / span for a, b in zip(before, after)]
        sizes = [fleet.memory(node) for node in nodes]
        self.note("idle: CPU, ms/s", statistics.mean(spent))
        self.note("idle: CPU of the busiest, ms/s", max(spent))
        self.note("idle: resident, MiB", statistics.mean(rss for rss, _ in sizes))
        self.note("idle: proportional, MiB", statistics.mean(pss for _, pss in sizes))
        for protocol in ("udp", "tcp"):
            packets, size = (b - a for a, b in zip(sent[protocol], received[protocol]))
            self.note(f"idle: {protocol} packets/s", packets / span / len(nodes))
            self.note(f"idle: {protocol} bytes/s", size / span / len(nodes))

    def crash(self):
        """SIGKILL of one in the middle, until all know; then it comes back, until all know."""
        victim = self.fleet.nodes[self.count // 2]
        when = self.fleet.kill(victim.number)
        others = len(self.fleet.running)
        known = self.fleet.wait(
            VERDICT_LIMIT, lambda: len(self.fleet.told("dead", victim.key, when)) >= others)
        dead = sorted(self.fleet.told("dead", victim.key, when).values())
        self.note("crash: first says dead", dead[0] - when if dead else None)
        self.note("crash: last says dead", dead[-1] - when if known else None)
        self.fleet.rest(1)
        began, _ = self.fleet.start([victim.number])
        back = self.fleet.wait(30, lambda: self.fleet.all_full() is not None)
        self.note("return: seen by all", self.fleet.all_full() - began if back else None)
        self.fleet.rest(3)


def run(systems, counts, results, options):
    for count in counts:
        for turn in range(options.rounds):
            # Whoever comes first now comes second next time: the machine's mood is shared.
            for system in systems if turn % 2 == 0 else systems[::-1]:
                results.begin(f"{count} agents of {system.name}, round {turn + 1}")
                Twin(system, count, results, options).live()
