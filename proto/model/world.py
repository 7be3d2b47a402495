"""A random world: a network that loses, delays, reorders and is cut, machines that crash and are
paused, clocks that run wrong. One seed, one run."""

import heapq
import random

from cards import LEADER, MILLISECOND, NONE, SECOND, Durable, Entry, Timing
from faults import Faults
from invariants import Invariants
from liar import Liar
from machine import Node

HINTS = 500 * MILLISECOND  # how often liveness is looked at


class World:
    def __init__(self, seed, mode='mix', nodes=5, voters=None, expect=None, bugs=(), off=(),
                 seconds=60, calm=30):
        self.rng, self.mode, self.bugs = random.Random(seed), mode, frozenset(bugs)
        self.now, self.serial, self.queue = 0, 0, []
        self.timing = Timing()
        self.timeless = mode == 'timeless'
        self.expect = expect or nodes
        self.seconds, self.calm = (12 if mode == 'merging' else seconds), calm
        self.stats = dict.fromkeys(
            ('elections', 'commits', 'conflicts', 'crashes', 'pauses', 'cuts', 'resigned',
             'changes', 'leased', 'samples'), 0)
        self.check = Invariants(self, off)
        self.network_cut, self.loss, self.slow = set(), 0.0, 0.0
        self.digests = self.crossing = 0
        # In some runs not all are alike: one leads before the others, one never does.
        self.priorities = (100, 0, 200, 100, 50) if seed % 4 == 1 else (100,)
        self.nodes, self.by_id = [], {}
        self.faults = Faults(self)
        self.start(nodes, voters)

    def start(self, count, voters):
        if self.mode == 'founding':
            for _ in range(count):
                node = self.add()
                self.at(self.rng.randrange(8 * SECOND), node.boot, True)
        elif self.mode == 'merging':
            self.start_two(count)
        else:
            ids = tuple(range(count))
            entry = Entry((0, 1), self.next_digest(), None, 1, ids[:voters or count | 1], ids,
                          True, 0, None, 'founding')
            self.check.note_entry(entry)
            for _ in ids:
                node = self.add()
                node.disk = Durable(1, 0, None, NONE, entry, None)
                node.boot(True)
            if self.mode == 'insider':
                liar = self.add(Liar)
                liar.disk = Durable(1, 0, None, NONE, entry, None)
                liar.boot()
        self.at(HINTS, self.look)
        self.at(100 * MILLISECOND, self.faults.strike)

    def start_two(self, count):
        """Two foundings of one plan that have not met, neither sealed."""
        sides = [tuple(range(count // 2)), tuple(range(count // 2, count))]
        self.network_cut = {(a, b) for a in range(count) for b in range(count)
                            if (a in sides[0]) != (b in sides[0])}
        for founding, side in zip((2, 1), sides):
            entry = Entry((0, 1), self.next_digest(), None, founding, side, side, False, side[0],
                          None, 'founding')
            self.check.note_entry(entry)
            for _ in side:
                node = self.add()
                node.disk = Durable(founding, 0, None, NONE, entry, None)
                node.boot(True)

    def add(self, kind=Node):
        node = kind(self, len(self.nodes))
        node.peer.priority = self.priorities[node.id % len(self.priorities)]
        self.nodes.append(node)
        self.by_id[node.id] = node
        return node

    def node(self, identity):
        return self.by_id.get(identity)

    def next_digest(self):
        self.digests += 1
        return self.digests

    # -- time and network ----------------------------------------------------------------------

    def cut(self, links):
        self.look_for_cuts()
        self.network_cut = links
        # Slow messages may cross links that are not open at one time.
        self.crossing = max(self.crossing, self.now + (12 * SECOND if self.slow else 0))
        self.look_for_cuts()

    def at(self, delay, call, *arguments):
        self.serial += 1
        heapq.heappush(self.queue, (self.now + delay, self.serial, call, arguments))

    def send(self, sender, other, call, *arguments):
        if (sender, other.id) in self.network_cut or self.rng.random() < self.loss:
            return
        if self.rng.random() < self.slow:
            delay = self.rng.randrange(12 * SECOND)
        else:
            delay = self.rng.randint(200_000, 20_000_000)
        self.at(delay, self.deliver, other, call, arguments)

    def deliver(self, other, call, arguments):
        if not other.up:
            return
        if not other.held(call, *arguments):
            call(*arguments)

    def open(self, a, b):
        return (a.id, b.id) not in self.network_cut and (b.id, a.id) not in self.network_cut

    def reachable(self, node):
        """Whom a node reaches and hears, directly or through one other."""
        up = [n for n in self.nodes if n.up and not n.paused and n is not node]
        direct = {n.id for n in up if self.open(node, n)}
        for n in up:
            if n.id not in direct and any(
                    self.open(r, n) for r in up if r.id in direct and r is not n):
                direct.add(n.id)
        return direct

    def look(self):
        self.at(HINTS, self.look)
        leased = False
        for node in self.nodes:
            if not node.up:
                continue
            reachable = self.reachable(node)
            if not node.paused:
                node.hints(reachable)
            leased = leased or node.peer.role == LEADER and node.peer.has_lease(node.clock())
        self.look_for_cuts()
        self.stats['samples'] += 1
        self.stats['leased'] += leased

    def look_for_cuts(self):
        """Called whenever a link may have changed: who is heard by whom?"""
        for node in self.nodes:
            if node.up and not node.is_liar:
                everyone = self.now < self.crossing
                self.check.reach(node, self.by_id if everyone else self.hears_anyhow(node))

    def hears_anyhow(self, node):
        """Who can answer a node over any path: paused nodes still receive."""
        found, edge = {node.id}, [node]
        while edge:
            a = edge.pop()
            for b in self.nodes:
                if b.id not in found and b.up and (a.id, b.id) not in self.network_cut:
                    found.add(b.id)
                    edge.append(b)
        return found

    def run(self):
        end = self.seconds * SECOND
        while self.queue and self.queue[0][0] < end:
            self.now, _, call, arguments = heapq.heappop(self.queue)
            call(*arguments)
        self.faults.end()
        end += self.calm * SECOND
        while self.calm and self.queue[0][0] < end:
            self.now, _, call, arguments = heapq.heappop(self.queue)
            call(*arguments)
        if self.calm and not self.timeless:
            self.check.at_the_end()
        return self.stats
