"""Runs the rules over the traces of the daemon's own core, and compares after each step.

The rules keep their own state of every node. From a trace they are given what reached a node,
what it saw, what chance drew (times of candidacies, identifiers, digests) and what body its
leader wished; never what it decided.
"""

import json
import multiprocessing

from cards import LEADER, NONE, Arrival, Card, Certificate, Durable, Entry, Timing
from rules import Peer

COMPARED = ('founding', 'term', 'vote', 'role', 'version', 'digest', 'voters', 'sealed',
            'committed', 'resigned', 'successor', 'bound', 'bound_until', 'lease_until', 'campaign_at',
            'hold_off_until', 'candidate_until', 'writing')


class Disagreement(Exception):
    pass


def proof(value):
    return Certificate(value[0], value[1], tuple(value[2])) if value else None


def read_card(value):
    (founding, term, vote, signed, register, committed, role, free, resigned, certificate, expect,
     leaving, sealed, priority, successor) = value
    return Card(founding, term, vote, bool(signed),
                (tuple(register[0]), register[1]) if register else None, tuple(committed), role,
                bool(free), resigned, proof(certificate), expect, bool(leaving), bool(sealed), priority, successor)


def read_entry(value):
    (version, digest, parent, founding, voters, roster, sealed, proposer, votes, body,
     signed) = value
    return Entry(tuple(version), digest, parent, founding, tuple(voters), tuple(roster),
                 bool(sealed), proposer, proof(votes), body, bool(signed))


class Replay:
    """One node of a trace: the rules, and what they reach for."""

    skips_prevote = False

    def __init__(self, trace, identity):
        self.trace, self.id = trace, identity
        self.peer = Peer(identity, trace.timing, trace.expect, self)
        self.disk, self.writing = Durable(), None
        self.cards, self.ring, self.alive = {}, [identity], {identity}
        self.out, self.arrived, self.proposals, self.asked = None, [], [], []
        self.wanted = set()  # what may have been asked for: digests, and on whose word

    # -- one line ------------------------------------------------------------------------------

    def step(self, line):
        peer, now = self.peer, line['t']
        peer.now = now
        self.out, self.arrived, self.proposals, self.asked = line['out'], [], [], []
        for item in line.get('in', ()):
            getattr(self, 'take_' + item[0])(now, line, *item[1:])
        if peer.waiting:
            raise Disagreement('decides while a write is under way')
        self.see(line)
        if peer.step(now):
            self.writing = peer.wrote
        else:
            self.trace.note_shown(self)
        if self.proposals or self.asked:
            raise Disagreement('deliberates where nothing may be proposed')
        if self.arrived:
            raise Disagreement('takes a register where none is asked for')
        self.compare()

    def see(self, line):
        peer = self.peer
        if 'ring' in line:
            self.ring = sorted(line['ring'])
        if 'alive' in line:
            self.alive = set(line['alive']) | {self.id}
        for node, value in line.get('cards', {}).items():
            if value is None:
                self.cards.pop(node, None)
                continue
            card = self.cards[node] = read_card(value)
            if not self.trace.was_shown(node, card):
                raise Disagreement(f'sees a card that {node} has not shown: {card}')
        peer.cards, peer.ring, peer.alive = self.cards, self.ring, self.alive
        peer.leaving = bool(line.get('leaving'))
        peer.left_out = bool(line.get('left_out'))

    def compare(self):
        peer, out = self.peer, self.out
        entry = peer.entry
        mine = {
            'founding': peer.founding, 'term': peer.term, 'vote': peer.vote, 'role': peer.role,
            'version': list(entry.version if entry else NONE),
            'digest': entry.digest if entry else None, 'voters': list(peer.voters),
            'sealed': int(entry.sealed if entry else False), 'committed': list(peer.committed),
            'resigned': peer.resigned, 'successor': peer.successor, 'bound': list(peer.bound) if peer.bound else None,
            'bound_until': self.ahead(peer.bound_until), 'lease_until': peer.lease_until(),
            'campaign_at': peer.campaign_at, 'hold_off_until': peer.hold_off_until,
            'candidate_until': peer.candidate_until, 'writing': int(peer.waiting)}
        out = dict(out, bound_until=self.ahead(out['bound_until']))
        for name in COMPARED:
            if mine[name] != out[name]:
                raise Disagreement(f'{name}: the model says {mine[name]}, the trace {out[name]}')

    def ahead(self, instant):
        """A promise that is over binds nobody, whenever it ended."""
        return instant if instant > self.peer.now else None

    # -- inputs --------------------------------------------------------------------------------

    def take_boot(self, now, line, held, fresh, priority):
        disk = next((disk for disk in (self.disk, self.writing) if disk is not None and (
            disk.founding, disk.term, disk.vote, list(disk.committed),
            disk.entry.digest if disk.entry else None) == (
            held['founding'], held['term'], held['vote'], held['committed'], held['digest'])),
            None)
        if disk is None:
            raise Disagreement(f'boots with what it did not write: {held}, not {self.disk}')
        if self.peer.leaving and self.writing is not None:
            self.trace.note_shown(self)  # see `was_shown`
        self.disk, self.writing = disk, None
        self.wanted = set()
        self.peer.priority = priority
        self.cards, self.ring, self.alive = {}, [self.id], {self.id}
        self.peer.founds = bool(line.get('founds'))
        self.peer.boot(disk, now, bool(fresh))
        if disk.founding is None:
            self.trace.note_unfounded(self)

    def take_heartbeat(self, now, line, sender, term, number):
        self.peer.take_heartbeat(sender, term, number)

    def take_promise(self, now, line, sender, term, number):
        self.peer.take_promise(sender, term, number)

    def take_persisted(self, now, line):
        if self.writing is None:
            raise Disagreement('hears of a write that was not asked for')
        self.disk, self.writing = self.writing, None
        self.peer.persisted()
        self.trace.note_shown(self)

    def take_resigned(self, now, line, at):
        if self.peer.role != LEADER or not at <= now:
            raise Disagreement('resigns without being leader')
        self.peer.now = at
        self.peer.resign()
        self.peer.now = now

    def take_clock_stood(self, now, line, at):
        self.peer.now = at
        self.peer.clock_stood()
        self.peer.now = now

    def take_hand_over(self, now, line, successor):
        self.asked.append((successor,))

    def take_fetched(self, now, line, entries, trusted):
        self.arrived.append(Arrival(tuple(map(read_entry, entries)), bool(trusted)))

    def take_proposal(self, now, line, voters, roster, sealed, body):
        self.proposals.append((tuple(voters), tuple(roster), bool(sealed), body))

    # -- what the rules reach for --------------------------------------------------------------

    def draw(self, peer, what, low, high):
        field = {'hold-off': 'hold_off_until', 'candidate': 'candidate_until',
                 'campaign': 'campaign_at'}[what]
        base = peer.now
        if what == 'campaign':
            base += peer.timing.stagger * peer.rank()
        drawn = self.out[field]
        if drawn is None or not low <= drawn - base <= high:
            raise Disagreement(f'{field} {drawn} was not drawn between {low} and {high} '
                               f'from {base}')
        return drawn - base

    def new_digest(self, peer, version):
        # A sole voter wins, commits and goes on in one step: only the last digest is told.
        return self.out['digest'] if list(version) == self.out['version'] else str(version)

    def new_founding(self, peer):
        return self.out['founding']

    def arrivals(self, peer):
        """What has come, if it is among what could be asked for, then or since. Which of these
        was asked for depends on what could be had."""
        if peer.founding is not None:
            self.wanted.update(
                (pointer[1], False) for pointer in peer.shown_by(peer.voters)
                if pointer[0] > peer.entry.version)
            for pointer, trusted in ((peer.pointer_of_roster(), False), (peer.rejoined(), True)):
                if pointer is not None:
                    self.wanted.add((pointer[1], trusted))
        arrived, self.arrived = self.arrived, []
        for arrival in arrived:
            if (arrival.entries[0].digest, arrival.trusted) not in self.wanted:
                raise Disagreement(f'takes {arrival.entries[0]}, which it may not ask for')
        return arrived

    def founding_body(self, peer):
        return self.proposals.pop(0)[3] if self.proposals else None

    def proposal(self, peer):
        if not self.proposals:
            return None
        proposal = self.proposals.pop(0)
        if proposal[2] and not peer.entry.sealed and not peer.may_seal():
            raise Disagreement('seals too early')
        return proposal

    def hand_over(self, peer):
        if not self.asked:
            return None
        asked = self.asked.pop(0)
        if not peer.may_hand_over(*asked):
            raise Disagreement(f'hands over to {asked[0]}')
        return asked

    def failed(self, pointer):
        return False

    def exhausted(self, pointer, sources):
        return False

    def nothing(self, *_):
        pass

    def fetch(self, peer, pointer, sources, trusted):
        self.wanted.add((pointer[1], trusted))

    send_heartbeats = send_promise = founded = joined = elected = voted = nothing
    commits = proposed = took_term = conflict = resigned = nothing


class Trace:
    def __init__(self, header):
        self.expect, self.timing = header['expect'], Timing()
        vars(self.timing).update(header['timing'], window=header['window'])
        self.timing.lease = self.timing.promise * 9 // 11
        self.nodes, self.shown = {}, {}
        self.elections = self.changes = 0

    def node(self, identity):
        if identity not in self.nodes:
            self.nodes[identity] = Replay(self, identity)
        return self.nodes[identity]

    @staticmethod
    def key(card):
        return (card.founding, card.term, card.vote, card.register, card.committed, card.role,
                card.resigned, card.priority, card.successor)

    def note_unfounded(self, replay):
        """F1: its member card says it, before any step."""
        self.shown.setdefault(replay.id, set()).add(self.key(Card()))

    def note_shown(self, replay):
        self.shown.setdefault(replay.id, set()).add(self.key(replay.peer.to_show()))

    def was_shown(self, node, card):
        if self.key(card) in self.shown.get(node, ()):
            return True
        # Who leaves ends when its last write is done, before another step.
        replay = self.node(node)
        return (card.leaving and replay.writing is not None
                and self.key(card) == self.key(replay.peer.to_show()))


def check_file(path):
    """Returns the steps checked, elections and changes of voters seen, and what is wrong."""
    steps = elections = changes = 0
    with open(path, encoding='utf-8') as lines:
        trace = Trace(json.loads(next(lines)))
        for number, text in enumerate(lines, 2):
            line = json.loads(text)
            replay = trace.node(line['n'])
            role, voters = replay.peer.role, replay.peer.voters
            try:
                replay.step(line)
            except Disagreement as difference:
                return steps, elections, changes, (
                    f'{path}:{number}: {line["n"]} at {line["t"] / 1e9:.6f} s: {difference}')
            steps += 1
            elections += role != LEADER and replay.peer.role == LEADER
            changes += replay.peer.role == LEADER and voters not in ((), replay.peer.voters)
    return steps, elections, changes, None


def check_files(paths, workers):
    totals, wrong = [0, 0, 0], []
    with multiprocessing.Pool(workers) as pool:
        for *counts, difference in pool.imap_unordered(check_file, paths, chunksize=4):
            totals = [a + b for a, b in zip(totals, counts)]
            if difference:
                wrong.append(difference)
    for difference in sorted(wrong)[:10]:
        print(difference)
    print(f'{len(paths)} traces, {totals[0]} steps, {totals[1]} elections, {totals[2]} changes of '
          f'voters: {len(wrong)} traces differ')
    return 1 if wrong else 0
