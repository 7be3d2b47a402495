"""The rules R1 to R16 and F1 to F4 of proto/README.md, for one node, as a machine in steps.

A node is given its sight (the cards of others, who is alive), heartbeats, promises and fetched
registers; it reaches for nothing else. Chance, time and the world are behind `host`, so the same
rules run in the random simulation and against the traces of the daemon's own core.

`bugs` names planted bugs: each is one deviation at the place where its rule stands.
"""

from cards import (CANDIDATE, FOLLOWER, HISTORY, LEADER, LEFT, NONE, VOTERS, Card, Certificate,
                   Durable, Entry)


class Peer:
    def __init__(self, identity, timing, expect, host, bugs=frozenset(), founds=False):
        self.id, self.timing, self.expect, self.host = identity, timing, expect, host
        self.bugs, self.founds = bugs, founds
        self.timeless = False  # every rule that reads a clock for safety is off
        self.boot(Durable(), 0, True)

    # -- a life --------------------------------------------------------------------------------

    def boot(self, durable, now, fresh):
        """R1: one promise length without voting, unless this identity never promised."""
        self.now = now
        self.founding, self.term, self.vote = durable.founding, durable.term, durable.vote
        self.committed, self.committed_entry = durable.committed, durable.committed_entry
        self.left = durable.left
        self.entry, self.history = None, []
        self.wrote = durable
        self.waiting = self.leaving = False
        self.dirty = True
        self.quarantine_until = now if fresh or 'M3' in self.bugs else now + self.timing.promise
        self.role, self.certificate = FOLLOWER, None
        self.bound, self.bound_until, self.resigned = None, 0, 0
        self.heartbeat = None
        self.campaign_at, self.candidate_until, self.hold_off_until = None, 0, 0
        self.number, self.sent, self.promised = 0, {}, {}
        self.received = {}  # only for the bug "lease counted from receipt"
        self.next_heartbeat = self.elected_at = 0
        self.stuck_since = self.last_stuck = self.quiet_since = None
        self.gate, self.gate_since, self.conflict = [], 0, None
        self.cards, self.ring, self.alive = {}, [self.id], {self.id}
        if durable.committed_entry:
            self.remember(durable.committed_entry)
        if durable.entry:
            self.adopt(durable.entry)

    def durable(self):
        return Durable(self.founding, self.term, self.vote, self.committed, self.entry,
                       self.committed_entry, self.left)

    # -- vocabulary ----------------------------------------------------------------------------

    @property
    def voters(self):
        return self.entry.voters if self.entry else ()

    def unbound(self):
        return self.timeless or (
            self.now >= self.bound_until and self.now >= self.quarantine_until)

    def card(self, node):
        card = self.cards.get(node)
        return card if card is not None and card.founding == self.founding else None

    def majority(self, condition):
        voters = self.voters
        return sum(1 for voter in voters if condition(voter)) >= len(voters) // 2 + 1

    def quorum_number(self, voters):
        """The newest heartbeat that a majority of `voters` has promised to."""
        numbers = sorted((self.number if voter == self.id else self.promised.get(voter, 0)
                          for voter in voters), reverse=True)
        return numbers[len(voters) // 2] if numbers else 0

    def lease_until(self, voters=None):
        """R10: from before the heartbeat was sent, never from its answer."""
        voters = self.voters if voters is None else voters
        if self.role != LEADER or not voters:
            return None
        quorum = self.quorum_number(voters)
        start = (self.received if 'M1' in self.bugs else self.sent).get(quorum)
        if start is None:
            return None
        return start + (self.timing.promise if 'M2' in self.bugs else self.timing.lease)

    def has_lease(self, now=None):
        until = self.lease_until()
        return until is not None and (self.now if now is None else now) < until

    def effective(self):
        """R16."""
        return (self.has_lease() and self.committed[0] == self.term
                and self.committed == self.entry.version and self.entry.sealed)

    def to_show(self):
        return Card(
            self.founding, self.term, self.vote, self.vote is not None,
            (self.entry.version, self.entry.digest) if self.entry else None, self.committed,
            self.role, self.unbound(), self.resigned,
            self.certificate if self.role == LEADER else None, self.expect, self.leaving,
            self.entry.sealed if self.entry else False)

    # -- inputs between steps ------------------------------------------------------------------

    def take_heartbeat(self, sender, term, number):
        if term < self.term:
            return False
        self.heartbeat = (sender, term, number)
        self.dirty = True
        return True

    def take_promise(self, sender, term, number):
        if self.role != LEADER or term != self.term or number > self.number:
            return False
        self.promised[sender] = max(self.promised.get(sender, 0), number)
        quorum = self.quorum_number(self.voters)
        self.received.setdefault(quorum, self.now)
        self.dirty = True
        return True

    def persisted(self):
        self.waiting = False
        self.dirty = True

    # -- one step ------------------------------------------------------------------------------

    def step(self, now):
        """All rules once, in the order in which the daemon has them. Never while waiting for
        the disk. Returns whether something durable has changed."""
        self.now, self.dirty = now, False
        if self.founding is None:
            self.found()
        else:
            self.consider_foundings()
            self.catch_up()
            self.follow()
            self.cast_vote()
            self.campaign()
            self.lead()
        if self.durable() != self.wrote:
            self.wrote, self.waiting = self.durable(), True
        return self.waiting

    # -- founding ------------------------------------------------------------------------------

    def found(self):
        """F1 and F2."""
        best = self.best_founding()
        if best is not None:
            self.join(best)
            return
        if self.expect == 1:
            if self.founds:
                self.found_now([self.id])
            return
        unfounded = [node for node in self.ring if node == self.id or (
            node in self.alive and node in self.cards and self.cards[node].founding is None
            and self.cards[node].expect == self.expect)]
        if unfounded != self.gate:
            self.gate, self.gate_since = unfounded, self.now
        enough = self.expect // 2 + 1 if 'F-MAJORITY' in self.bugs else self.expect
        if len(unfounded) < enough or unfounded[0] != self.id:
            return
        due = self.gate_due(enough)
        if due is not None and self.now >= due:
            self.found_now(unfounded)

    def gate_due(self, enough=None):
        enough = self.expect if enough is None else enough
        if len(self.gate) < enough or self.expect <= 1:
            return None
        crowded = len(self.gate) > self.expect
        return self.gate_since + (
            self.timing.settle_crowded if crowded else self.timing.settle)

    def found_now(self, nodes):
        odd = len(nodes) - 1 if len(nodes) % 2 == 0 else len(nodes)
        voters = tuple(nodes[:min(max(odd, 1), VOTERS)])
        self.founding = self.host.new_founding(self)
        self.adopt(Entry((0, 1), self.host.new_digest(self, (0, 1)), None, self.founding, voters, False,
                         self.id, None, self.host.founding_body(self)))
        self.host.founded(self)

    def best_founding(self):
        """Sealed before unsealed, then the smaller identifier."""
        best = None
        for node in self.ring:
            card = self.cards.get(node)
            if node != self.id and card is not None and card.founding is not None:
                rank = (not card.sealed, card.founding)
                best = rank if best is None or rank < best else best
        if self.founding is not None:
            rank = (not self.entry.sealed, self.founding)
            best = rank if best is None or rank < best else best
        return best[1] if best else None

    def consider_foundings(self):
        """F3."""
        if self.entry.sealed and 'F-SEALED' not in self.bugs:
            # Both sides report, also the one whose founding is the better one.
            other = next((card.founding for node in self.ring
                          if (card := self.cards.get(node)) is not None and card.sealed
                          and card.founding != self.founding), None)
            if other is not None and self.conflict != other:
                self.conflict = other
                self.host.conflict(self)
            return
        best = self.best_founding()
        if best is None or best == self.founding:
            return
        self.join(best)

    def join(self, founding):
        shown = sorted(
            ((self.cards[node].register, node) for node in self.ring
             if node != self.id and node in self.cards
             and self.cards[node].founding == founding and self.cards[node].register),
            key=lambda pair: pair[0][0], reverse=True)
        if not shown:
            return
        chosen = shown[len(shown) // 2][0]
        self.host.fetch(self, chosen, [n for p, n in shown if p[0] >= chosen[0]], True)
        if self.founding is None:
            self.take_arrivals()

    def move(self, entry):
        """Takes a register on trust: of another founding, or of this one after long absence."""
        if entry.founding == self.founding:
            self.step_down()
            if entry.version[0] > self.term:
                self.term, self.vote = entry.version[0], None
            self.adopt(entry)
            return
        if self.founding is not None:
            if self.entry.sealed and 'F-SEALED' not in self.bugs:
                return  # what is sealed stays, also when a fetch began before the seal
            self.left = (self.left + ((self.founding, self.term, self.vote),))[-LEFT:]
        self.step_down()
        returned = next((x for x in reversed(self.left) if x[0] == entry.founding), None)
        self.founding = entry.founding
        self.term = max(returned[1] if returned else 0, entry.version[0])
        self.vote = returned[2] if returned and returned[1] == self.term else None
        if 'F-FORGET-VOTE' in self.bugs:
            self.term, self.vote = entry.version[0], None
        self.committed, self.committed_entry, self.history = NONE, None, []
        self.bound = None
        if 'F-PROMISE' in self.bugs:
            self.bound_until = self.now
        self.adopt(entry)
        self.host.joined(self)

    # -- the register --------------------------------------------------------------------------

    def adopt(self, entry):
        self.entry = entry
        self.remember(entry)
        self.dirty = True

    def remember(self, entry):
        if any(known.digest == entry.digest for known in self.history):
            return
        self.history.append(entry)
        del self.history[:-HISTORY]

    def held(self, digest):
        return next((e for e in reversed(self.history) if e.digest == digest), None)

    def catch_up(self):
        """R2: fetch the newest register that a live voter shows."""
        self.take_arrivals()
        version, newest = self.entry.version, None
        live = [v for v in self.voters if v != self.id and v in self.ring]
        for node in live or [n for n in self.ring if n != self.id]:
            card = self.card(node)
            if card and card.register and card.register[0] > version and not self.host.failed(
                    card.register):
                newest = card.register
                version = newest[0]
        if newest and not ('M5b' in self.bugs and self.role == CANDIDATE):
            sources = [n for n in self.ring if n != self.id and self.card(n)
                       and self.card(n).register == newest]
            if self.host.exhausted(newest, sources) and 'NO-REJOIN' not in self.bugs:
                self.rejoin()
            else:
                self.host.fetch(self, newest, sources, False)

    def rejoin(self):
        """Nobody in reach has the chain any more. My voters do not lie, so what most of those in
        reach show is taken without it; what others show is not, or one liar could capture a node
        that is alone with it."""
        able = [v for v in self.voters if v in self.ring]
        if 'REJOIN-ANYBODY' in self.bugs:
            able = self.ring
        shown = sorted((card.register for node in able if node != self.id
                        and (card := self.card(node)) is not None and card.register),
                       key=lambda register: register[0], reverse=True)
        if not shown or shown[len(shown) // 2][0] <= self.entry.version:
            return
        chosen = shown[len(shown) // 2]
        self.host.fetch(self, chosen, [
            n for n in able if n != self.id and (card := self.card(n)) is not None
            and card.register and card.register[0] >= chosen[0]], True)

    def take_arrivals(self):
        for arrival in self.host.arrivals(self):
            if not arrival.trusted:
                self.adopt_chain(arrival.entries)
            elif arrival.entries[0].signed:
                self.move(arrival.entries[0])

    def adopt_chain(self, entries):
        previous = self.held(entries[-1].parent)
        if previous is None or entries[0].founding != self.founding:
            return
        for index in range(len(entries) - 1, -1, -1):
            entry = entries[index]
            if not self.linked(entry, previous) or not entry.signed:
                return
            previous = entry
            if index:
                self.remember(entry)
        newest = entries[0]
        if newest.version <= self.entry.version:
            return
        if self.role == LEADER and newest.version[0] <= self.term:
            return
        if 'M5b' in self.bugs and self.role == CANDIDATE:
            return
        self.step_down()
        self.adopt(newest)

    def linked(self, child, parent):
        """A new term re-stamps the body under votes of the old voters; within a term the same
        leader goes on by one and changes at most one voter."""
        if 'UNCERTIFIED-REGISTER' in self.bugs:
            return True
        proof = child.certificate
        if (proof is None or child.version[0] <= 0 or proof.term != child.version[0]
                or proof.leader != child.proposer or child.founding != parent.founding):
            return False
        if child.version[0] == parent.version[0]:
            changed = len(set(child.voters) ^ set(parent.voters))
            return (child.proposer == parent.proposer
                    and (changed <= 1 or 'M6b' in self.bugs)
                    and child.version[1] == parent.version[1] + 1)
        return (child.version[0] > parent.version[0] and child.version[1] == parent.version[1]
                and child.body == parent.body and child.voters == parent.voters
                and child.sealed == parent.sealed and self.proves(proof, parent.voters))

    def proves(self, certificate, voters):
        return sum(1 for v in certificate.valid if v in voters) >= len(voters) // 2 + 1

    def note_committed(self, version):
        entry = next((e for e in reversed(self.history) if e.version == version), None)
        if entry is not None:
            self.committed, self.committed_entry = version, entry

    # -- following -----------------------------------------------------------------------------

    def follow(self):
        """R3, R4 and R5."""
        leader = self.certified_leader()
        if leader is not None:
            shown = self.card(leader)
            if shown.term > self.term:
                self.step_down()
                self.term, self.vote = shown.term, None
                self.host.took_term(self, leader)
                return
            if self.role == CANDIDATE:
                self.step_down()
            self.promise(leader, shown.term)
            self.learn_committed(shown)
        self.release_by_resignation()
        self.catch_up_term()

    def certified_leader(self):
        best, term = None, 0
        for node in self.ring:
            card = self.card(node)
            if (node != self.id and card and card.role == LEADER and card.term >= self.term
                    and card.term > term and self.certified(card, node)):
                best, term = node, card.term
        return best

    def certified(self, card, node):
        if 'UNCERTIFIED-LEADER' in self.bugs:
            return True
        if self.entry.version[0] == card.term and self.entry.proposer == node:
            return True
        proof = card.certificate
        return (proof is not None and proof.term == card.term and proof.leader == node
                and self.proves(proof, self.voters))

    def promise(self, leader, term):
        pending = self.heartbeat
        if self.role != FOLLOWER or pending is None or pending[:2] != (leader, term) \
                or term != self.term:
            return
        self.heartbeat = None
        if self.bound and self.bound[:2] == (leader, term) and self.bound[2] >= pending[2]:
            return
        self.bound = (leader, term, pending[2])
        self.bound_until = self.now + self.timing.promise
        self.campaign_at = None
        self.host.send_promise(self, leader, term, pending[2])

    def learn_committed(self, shown):
        held = self.entry.version
        if held[0] != shown.term and held != shown.committed:
            return
        known = min(shown.committed, held)
        if known > self.committed:
            self.note_committed(known)

    def release_by_resignation(self):
        """R4: only a resignation shortens a promise; being dead does not."""
        if not self.bound or self.bound[0] == self.id or self.bound_until <= self.now:
            return
        shown = self.card(self.bound[0])
        if shown and shown.resigned >= self.bound[1]:
            self.bound_until = self.now
            self.dirty = True

    def highest_voter_term(self):
        read = self.cards if 'ANY-TERM' in self.bugs else self.voters
        return max((card.term for card in map(self.card, read) if card), default=0)

    def catch_up_term(self):
        """R5."""
        if not self.unbound() or (self.role == LEADER and 'M13' in self.bugs):
            return
        highest = self.highest_voter_term()
        if highest > self.term:
            self.step_down()
            self.term, self.vote = highest, None
            self.hold_off()

    # -- elections -----------------------------------------------------------------------------

    def cast_vote(self):
        """R6."""
        free = self.unbound() or 'M4' in self.bugs or (
            'M10' in self.bugs and self.bound and self.now >= self.quarantine_until)
        if self.role != FOLLOWER or not free:
            return
        best, term = None, 0
        for node in self.voters:
            card = self.card(node)
            if (node != self.id and card and card.role == CANDIDATE and card.vote == node
                    and card.register
                    and (card.register[0] >= self.entry.version or 'M5' in self.bugs)
                    and (card.term > self.term or card.term == self.term and self.vote is None)
                    and card.term > term):
                best, term = node, card.term
        if best is None:
            return
        if 'M10' in self.bugs and not self.unbound() and self.bound[0] != best:
            return
        self.term, self.vote = term, best
        self.host.voted(self)
        self.hold_off()

    def hold_off(self):
        self.campaign_at = None
        self.hold_off_until = self.now + self.host.draw(
            self, 'hold-off', self.timing.candidate_min, self.timing.candidate_max)

    def free_majority(self):
        return self.majority(lambda voter: voter == self.id or (
            voter in self.alive and (card := self.card(voter)) is not None and card.free))

    def campaign(self):
        """R7, and R8 for a candidate."""
        if self.role == CANDIDATE:
            self.count_votes()
            return
        if (self.role != FOLLOWER or self.id not in self.voters or not self.unbound()
                or self.now < self.hold_off_until or self.leaving
                or not (self.host.skips_prevote or self.free_majority())):
            self.campaign_at = None
            return
        if self.campaign_at is None:
            live = [v for v in self.voters if v == self.id or v in self.alive]
            self.campaign_at = (self.now + self.timing.stagger * live.index(self.id)
                                + self.host.draw(self, 'campaign', 0, self.timing.jitter))
            return
        if self.now < self.campaign_at:
            return
        self.campaign_at = None
        highest = self.highest_voter_term()
        self.role = CANDIDATE
        self.term, self.vote = max(highest, self.term) + 1, self.id
        self.host.voted(self)
        self.candidate_until = self.now + self.host.draw(
            self, 'candidate', self.timing.candidate_min, self.timing.candidate_max)

    def count_votes(self):
        votes = [v for v in self.voters if (card := self.card(v)) is not None
                 and card.term == self.term and card.vote == self.id and card.vote_signed]
        needed = len(self.voters) // 2 + 1
        if len(votes) >= needed:
            self.win(Certificate(self.term, self.id, tuple(votes[:needed])))
        elif self.now >= self.candidate_until:
            self.role = FOLLOWER
            self.hold_off()

    def win(self, certificate):
        """R8: the same body under the new term."""
        old = self.entry
        self.role, self.certificate = LEADER, certificate
        self.number, self.sent, self.promised, self.received = 0, {}, {}, {}
        self.elected_at = self.next_heartbeat = self.now
        self.stuck_since = self.quiet_since = None
        version = (self.term, old.version[1])
        self.adopt(old._replace(
            version=version, digest=self.host.new_digest(self, version), parent=old.digest, proposer=self.id, certificate=certificate, signed=True))
        self.host.elected(self)

    def step_down(self):
        if self.role == FOLLOWER:
            return
        self.role, self.certificate = FOLLOWER, None
        self.number, self.sent, self.promised = 0, {}, {}
        self.dirty = True

    def resign(self):
        """R14: the lease ends before the resignation is shown."""
        if self.role != LEADER:
            return
        self.resigned = self.term
        if 'M14' not in self.bugs:
            self.step_down()
        self.bound_until = self.now
        self.dirty = True
        self.host.resigned(self)

    # -- leading -------------------------------------------------------------------------------

    def lead(self):
        if self.role != LEADER:
            return
        self.beat()
        self.commit()
        self.check_stuck_voters()
        if self.role != LEADER:
            return
        if self.has_lease() or self.timeless:
            self.propose()
        # R11: without a quorum of promises within the lease there is no leader here.
        end = max(self.lease_until() or 0, self.elected_at + self.timing.lease)
        if self.now >= end and not self.timeless:
            self.step_down()
            self.hold_off_until = self.now + self.timing.candidate_max

    def beat(self):
        """R9: the time is taken before the heartbeat is sent."""
        quorum = self.quorum_number(self.voters)
        if self.now < self.next_heartbeat or self.number - quorum >= self.timing.window:
            return
        self.number += 1
        self.sent[self.number] = self.now
        oldest = self.number - 4 * self.timing.window
        self.sent = {n: at for n, at in self.sent.items() if n >= oldest or n == quorum}
        self.next_heartbeat = self.now + self.timing.heartbeat
        self.bound = (self.id, self.term, self.number)
        self.bound_until = self.now + self.timing.promise
        self.host.send_heartbeats(self, self.term, self.number)
        if len(self.voters) == 1:
            self.received[self.number] = self.now

    def commit(self):
        """R12."""
        if self.entry.version[0] != self.term or self.committed == self.entry.version:
            return
        any_term = 'M13' in self.bugs
        if self.majority(lambda voter: voter == self.id or (
                (card := self.card(voter)) is not None
                and (card.term == self.term or any_term)
                and card.register is not None and card.register[1] == self.entry.digest)):
            self.note_committed(self.entry.version)
            self.host.commits(self)

    def check_stuck_voters(self):
        """R15."""
        stuck = any(v != self.id and (card := self.card(v)) is not None
                    and card.term > self.term for v in self.voters)
        if not stuck or not self.has_lease():
            self.stuck_since = None
            return
        if self.stuck_since is None:
            self.stuck_since = self.now
            return
        rested = self.last_stuck is None or self.now - self.last_stuck > self.timing.stuck_rest
        if self.now - self.stuck_since < 3 * self.timing.heartbeat or not rested:
            return
        self.stuck_since, self.last_stuck = None, self.now
        self.resign()
        self.hold_off_until = self.now

    def propose(self):
        """R13, and F4 for the seal."""
        entry = self.entry
        if entry.version[0] != self.term or (
                self.committed != entry.version and 'M7' not in self.bugs):
            return
        self.note_quiet()
        proposal = self.host.proposal(self)
        if proposal is None:
            return
        voters, sealed, body = proposal
        if sealed and not entry.sealed and not self.may_seal():
            return
        if voters != entry.voters and not self.carries_lease(entry.voters, voters):
            return
        version = (self.term, entry.version[1] + 1)
        self.adopt(Entry(
            version, self.host.new_digest(self, version), entry.digest, entry.founding, voters, sealed, self.id, self.certificate, body))
        self.host.proposed(self, entry)

    def carries_lease(self, old, new):
        if len(set(old) ^ set(new)) != 1 and not {'M6', 'M6b'} & self.bugs:
            return False
        if self.id not in new:
            return False
        if 'M11' in self.bugs or self.timeless:
            return True
        before, after = self.lease_until(old), self.lease_until(new)
        return before is not None and after is not None and after >= before

    def note_quiet(self):
        """F4: everyone planned shows this founding, and nobody another or none."""
        if self.entry.sealed:
            return
        shown = [n for n in self.ring if n == self.id or (
            n in self.cards and self.cards[n].founding == self.founding)]
        quiet = len(shown) == len(self.ring) and len(shown) >= self.expect
        if not quiet:
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = self.now

    def seal_delay(self):
        crowded = len(self.ring) > self.expect
        return self.timing.seal_crowded if crowded else self.timing.seal

    def may_seal(self):
        if self.quiet_since is None:
            return False
        return (self.expect == 1 and self.founds) or (
            self.now - self.quiet_since >= self.seal_delay())

    # -- waking --------------------------------------------------------------------------------

    def next_wake(self):
        now, found = self.now, []
        if self.founding is None:
            found.append(self.gate_due(0 if 'F-MAJORITY' in self.bugs else None))
        else:
            found += [self.bound_until, self.quarantine_until, self.campaign_at,
                      self.hold_off_until]
            if self.role == CANDIDATE:
                found.append(self.candidate_until)
            elif self.role == LEADER:
                found += [self.next_heartbeat, self.lease_until(),
                          self.elected_at + self.timing.lease]
                if self.quiet_since is not None:
                    found.append(self.quiet_since + self.seal_delay())
                if self.stuck_since is not None:
                    found.append(self.stuck_since + 3 * self.timing.heartbeat)
        return min((t for t in found if t is not None and t > now), default=None)
