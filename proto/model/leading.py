"""R9 to R13, R15 and F4: what a leader does."""

from cards import LEADER, Entry


class Leading:
    def lead(self):
        if self.role != LEADER:
            return
        # R11 first: a lease that lapsed is not taken up again in its term, not even by a sole
        # voter, which would only have to ask itself.
        if self.lease_over():
            self.step_down_without_quorum()
            return
        self.beat()
        self.commit()
        self.check_stuck_voters()
        if self.role != LEADER:
            return
        if self.has_lease() or self.timeless:
            self.propose()
        if self.role == LEADER and self.lease_over():
            self.step_down_without_quorum()

    def lease_over(self):
        """R11: without a quorum of promises within the lease there is no leader here."""
        end = max(self.lease_until() or 0, self.elected_at + self.timing.lease)
        return self.now >= end and not self.timeless

    def step_down_without_quorum(self):
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
        """R12: this node's own copy counts when it is on disk."""
        if self.entry.version[0] != self.term or self.committed == self.entry.version or not (
                self.entry_durable or 'M15' in self.bugs):
            return
        any_term = 'M13' in self.bugs
        if self.majority(lambda voter: voter == self.id or self.shows_mine(voter, any_term)):
            self.note_committed(self.entry.version)
            self.host.commits(self)

    def shows_mine(self, node, any_term=False):
        card = self.card(node)
        return (card is not None and (card.term == self.term or any_term)
                and card.register is not None and card.register[1] == self.entry.digest)

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
        asked = self.host.hand_over(self)
        if asked is not None and self.may_hand_over(*asked):
            self.resign()
            self.step_aside(*asked)
            return
        self.newcomer = None
        proposal = self.host.proposal(self)
        if proposal is None:
            return
        voters, roster, sealed, body = proposal
        if sealed and not entry.sealed and not self.may_seal():
            return
        if voters != entry.voters and not self.carries_lease(entry.voters, voters):
            # Its promise is needed first: a sole voter's lease would never carry over without.
            self.newcomer = next((v for v in voters if v not in entry.voters), None)
            return
        version = (self.term, entry.version[1] + 1)
        self.adopt(Entry(
            version, self.host.new_digest(self, version), entry.digest, entry.founding, voters,
            roster, sealed, self.id, self.certificate, body))
        self.host.proposed(self, entry)

    def may_hand_over(self, successor):
        """R14: to a live voter that shows the register and may lead; or to whoever is first."""
        able = [v for v in self.voters if v != self.id and v in self.ring
                and (card := self.card(v)) is not None and not card.leaving and card.priority > 0]
        return bool(able) if successor is None else (
            successor in able and self.shows_mine(successor))

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
