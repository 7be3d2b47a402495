"""One machine around the rules of one node: its clock, its disk, its records, and what the rules
reach for. Fetching a register is one question and one answer."""

import random

from cards import MILLISECOND, SECOND, Arrival, Durable
from rules import Peer

REPAIR = 300 * MILLISECOND


class Node:
    """One machine, and what the rules reach for (`host`)."""

    is_liar = False

    def __init__(self, world, identity):
        self.world, self.id, self.rng = world, identity, random.Random(world.rng.random())
        wide = world.mode in ('storm', 'isolate') or self.rng.random() < .5
        self.rate = self.rng.choice([900, 1100]) if wide else self.rng.randint(900, 1100)
        self.offset = self.rng.randrange(10_000 * SECOND)
        self.frozen, self.frozen_since = 0, None
        self.up, self.paused, self.pending = False, False, []
        self.disk, self.life, self.identities = Durable(), 0, 0
        self.skips_prevote = world.mode in ('storm', 'merging')
        self.peer = Peer(identity, world.timing, world.expect, self, world.bugs,
                         world.expect == 1 and identity == 0)
        self.peer.timeless = world.timeless

    # -- life ----------------------------------------------------------------------------------

    def clock(self):
        real = self.world.now if self.frozen_since is None else self.frozen_since
        return self.offset + (real - self.frozen) * self.rate // 1000

    def boot(self, fresh=False):
        self.run_clock()
        self.life += 1
        self.up, self.paused, self.pending = True, False, []
        self.sequence, self.records = 0, {}
        self.fetching, self.arrived, self.refused, self.tries = None, [], {}, {}
        self.timer = self.wake = self.relay = None
        self.misses = {}
        now = self.clock()
        self.quarantine = now if fresh else now + self.world.timing.promise
        self.before = None
        self.world.look_for_cuts()
        self.peer.boot(self.disk, now, fresh)
        self.show()
        self.run()
        self.world.at(self.rng.randrange(REPAIR), self.repair, self.life)

    def crash(self):
        self.world.look_for_cuts()
        self.up = False
        self.life += 1

    def pause(self, stops_clock=False):
        self.paused = True
        if stops_clock:
            self.frozen_since = self.world.now

    def run_clock(self):
        if self.frozen_since is not None:
            self.frozen += self.world.now - self.frozen_since
            self.frozen_since = None

    def resume(self):
        self.run_clock()
        self.paused = False
        pending, self.pending = self.pending, []
        for call, arguments in pending:
            call(*arguments)
        self.run()

    # -- rules ---------------------------------------------------------------------------------

    def run(self):
        """Steps until nothing changes; what is durable waits for the disk."""
        peer, check = self.peer, self.world.check
        for _ in range(8):
            now = self.clock()
            peer.now = now
            if peer.waiting or not (peer.dirty or self.wake is not None and now >= self.wake):
                break
            self.before = peer.wrote
            if peer.step(now):
                slow = self.rng.random() < .02
                delay = self.rng.randrange(SECOND) if slow else self.rng.randint(500_000, 2_500_000)
                self.world.at(delay, self.wrote, self.life, peer.wrote)
                if 'M8' in peer.bugs:
                    self.show()
                break
            self.show()
            self.wake = peer.next_wake()
        check.leases(self, peer, self.clock())
        if not peer.waiting and self.wake is not None and self.timer != self.wake:
            self.timer = self.wake
            wait = (max(0, self.wake - self.clock()) * 1000 + self.rate - 1) // self.rate
            self.world.at(wait + 1, self.timer_due, self.life, self.wake)

    def timer_due(self, life, wake):
        if life != self.life or wake != self.timer or self.held(self.timer_due, life, wake):
            return
        self.timer = None
        self.run()

    def wrote(self, life, durable):
        if life != self.life or self.held(self.wrote, life, durable):
            return
        self.disk = durable
        self.peer.now = self.clock()
        self.peer.persisted()
        self.show()
        self.run()

    def held(self, call, *arguments):
        if self.paused:
            self.pending.append((call, arguments))
        return self.paused

    def show(self):
        card = self.peer.to_show()
        shown = self.records.get(self.id)
        if shown and shown[1] == card:
            return
        self.world.check.shown(self, card)
        self.publish(card)

    def publish(self, card):
        self.sequence += 1
        self.records[self.id] = ((self.life, self.sequence), card)
        self.peer.cards[self.id] = card
        self.peer.dirty = True
        for other in self.world.nodes:
            if other is not self:
                self.send(other, other.records_came, self.id, {self.id: self.records[self.id]})

    # -- records -------------------------------------------------------------------------------

    def records_came(self, sender, records):
        news = {}
        for node, (stamp, card) in records.items():
            known = self.records.get(node)
            if node != self.id and (known is None or stamp > known[0]):
                news[node] = self.records[node] = (stamp, card)
                self.peer.cards[node] = card
        if not news:
            return
        self.peer.dirty = True
        for other in self.rng.sample(self.world.nodes, min(2, len(self.world.nodes))):
            if other is not self and other.id != sender:
                self.send(other, other.records_came, self.id, news)
        self.run()

    def repair(self, life):
        if life != self.life:
            return
        other = self.rng.choice(self.world.nodes)
        if other is not self and not self.paused:
            self.send(other, other.records_came, self.id, dict(self.records))
        self.world.at(REPAIR, self.repair, life)

    def send(self, other, call, *arguments):
        self.world.send(self.id, other, call, *arguments)

    def hints(self, reachable):
        """What the failure detector believes: suspect after two misses, dead after four."""
        peer, alive, ring = self.peer, {self.id}, [self.id]
        for other in self.world.nodes:
            if other is self:
                continue
            missed = 0 if other.id in reachable else self.misses.get(other.id, 4) + 1
            self.misses[other.id] = missed
            if missed < 2 or self.world.mode == 'storm':
                alive.add(other.id)
            if missed < 4 or self.world.mode == 'storm':
                ring.append(other.id)
        ring.sort()
        if alive != peer.alive or ring != peer.ring:
            peer.alive, peer.ring, peer.dirty = alive, ring, True
            self.run()

    # -- heartbeats and promises ---------------------------------------------------------------

    def send_heartbeats(self, peer, term, number):
        now = peer.now
        if not self.is_liar:
            self.world.check.promised(self, peer, self.id, term, now)
        for other in map(self.world.node, peer.voters + (peer.newcomer,)):
            if other is None or other is self:
                continue
            self.send(other, other.heartbeat_came, self.id, term, number, None)
            answered = peer.promised.get(other.id, 0)
            if number - answered > 2:  # two heartbeats without an answer: also through relays
                for relay in self.relays(other):
                    self.send(relay, relay.pass_on, other, 'heartbeat_came', self.id, term, number)

    def relays(self, target):
        able = [n for n in self.world.nodes if n is not self and n is not target
                and n.id in self.peer.alive]
        return self.rng.sample(able, min(2, len(able)))

    def pass_on(self, target, call, sender, term, number):
        if not self.is_liar:
            self.send(target, getattr(target, call), sender, term, number, self.id)

    def heartbeat_came(self, sender, term, number, relay):
        self.relay = relay
        if self.peer.take_heartbeat(sender, term, number):
            self.run()

    def send_promise(self, peer, leader, term, number):
        self.world.check.promised(self, peer, leader, term, peer.now)
        target = self.world.node(leader)
        self.send(target, target.promise_came, self.id, term, number, None)
        if self.relay is not None:
            relay = self.world.node(self.relay)
            self.send(relay, relay.pass_on, target, 'promise_came', self.id, term, number)

    def promise_came(self, sender, term, number, relay):
        self.peer.now = self.clock()
        if self.peer.take_promise(sender, term, number):
            self.world.check.leases(self, self.peer, self.clock())
            self.run()

    # -- fetching registers --------------------------------------------------------------------

    def failed(self, pointer):
        return self.world.now < self.refused.get(pointer[1], 0)

    def exhausted(self, pointer, sources):
        return self.tries.get(pointer[1], 0) >= 8 * max(1, len(sources))

    def fetch(self, peer, pointer, sources, trusted):
        if self.fetching and self.world.now < self.fetching[1]:
            return
        if not sources:
            return
        self.fetching = (pointer, self.world.now + peer.timing.chunk_retry)
        self.tries[pointer[1]] = self.tries.get(pointer[1], 0) + 1
        self.world.at(peer.timing.chunk_retry, self.fetch_again, self.life)
        source = self.world.node(self.rng.choice(sources))
        known = {entry.digest for entry in peer.history}
        self.send(source, source.wanted, self, pointer, known, trusted)

    def fetch_again(self, life):
        if life == self.life and not self.held(self.fetch_again, life):
            self.peer.dirty = True
            self.run()

    def wanted(self, asker, pointer, known, trusted):
        chain, digest = [], pointer[1]
        while digest is not None:
            entry = self.peer.held(digest)
            if entry is None:
                return
            chain.append(entry)
            if trusted or entry.parent in known:
                self.send(asker, asker.chain_came, Arrival(tuple(chain), trusted))
                return
            digest = entry.parent
        # The asker was away for longer than the chain reaches back.
        self.send(asker, asker.chain_came, Arrival(tuple(chain), False))

    def chain_came(self, arrival):
        pointer = arrival.entries[0]
        if self.fetching is None or self.fetching[0][1] != pointer.digest:
            return
        held = self.peer.entry
        self.fetching = None
        if not arrival.trusted and self.peer.held(arrival.entries[-1].parent) is None:
            self.tries[pointer.digest] = 1 << 30
        self.arrived.append(arrival)
        self.peer.dirty = True
        self.run()
        if self.peer.entry is held and not self.tries.get(pointer.digest, 0) >> 30:
            self.refused[pointer.digest] = self.world.now + 5 * SECOND

    def arrivals(self, peer):
        arrived, self.arrived = self.arrived, []
        return arrived

    # -- what the rules tell and ask -----------------------------------------------------------

    def draw(self, peer, what, low, high):
        if self.world.timeless and what == 'campaign':
            return self.rng.randrange(6 * SECOND)
        return self.rng.randint(low, high)

    def new_founding(self, peer):
        return self.rng.getrandbits(64)

    def new_digest(self, peer, version):
        return self.world.next_digest()

    def proposal(self, peer):
        return self.world.faults.proposal(self, peer)

    def hand_over(self, peer):
        return self.world.faults.hand_over(peer)

    def founding_body(self, peer):
        return 'founding'

    def founded(self, peer):
        self.world.check.found(peer)

    def joined(self, peer):
        self.world.check.joined(self, peer, self.before)

    def elected(self, peer):
        self.world.stats['elections'] += 1
        self.world.check.elected(peer)

    def voted(self, peer):
        self.world.check.voted(self, peer, peer.now)

    def resigned(self, peer):
        self.world.check.note_resigned(peer)

    def commits(self, peer):
        self.world.stats['commits'] += 1
        self.world.check.committed(peer)

    def proposed(self, peer, before):
        self.world.check.proposed(peer, before)

    def took_term(self, peer, leader):
        pass

    def conflict(self, peer):
        self.world.stats['conflicts'] += 1
