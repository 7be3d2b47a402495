"""R6 to R8 and R14: voting, standing, winning, resigning."""

from cards import CANDIDATE, FOLLOWER, LEADER, Certificate


class Elections:
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
        """Only voters that could vote for this node: none that holds a newer register."""
        held = self.entry.version
        return self.majority(lambda voter: voter == self.id or (
            voter in self.alive and (card := self.card(voter)) is not None and card.free
            and (card.register is None or card.register[0] <= held or 'M5' in self.bugs)))

    def campaign(self):
        """R7, and R8 for a candidate."""
        if self.role == CANDIDATE:
            self.count_votes()
            return
        if (self.role != FOLLOWER or self.id not in self.voters or not self.unbound()
                or self.now < self.hold_off_until or self.leaving or self.left_out
                or self.priority == 0 or not (self.host.skips_prevote or self.free_majority())):
            self.campaign_at = None
            return
        if self.campaign_at is None:
            # Whom the last leader has named stands at once; the others one after the other.
            self.campaign_at = self.now + (0 if self.named else (
                self.timing.stagger * self.rank()
                + self.host.draw(self, 'campaign', 0, self.timing.jitter)))
        if self.now < self.campaign_at:
            return
        self.campaign_at, self.named = None, False
        highest = self.highest_voter_term()
        self.role = CANDIDATE
        self.term, self.vote = max(highest, self.term) + 1, self.id
        self.host.voted(self)
        self.candidate_until = self.now + self.host.draw(
            self, 'candidate', self.timing.candidate_min, self.timing.candidate_max)

    def rank(self):
        """How many live voters that may stand come before this one: by priority, then by
        identity."""
        cards = ((v, self.cards.get(v)) for v in self.voters if v != self.id and v in self.alive)
        return sum(1 for voter, card in cards if card is not None and card.priority > 0
                   and (card.resigned == 0 or card.resigned < self.term)
                   and (-card.priority, voter) < (-self.priority, self.id))

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
        self.role, self.certificate, self.successor = LEADER, certificate, None
        self.newcomer = None
        self.number, self.sent, self.promised, self.received = 0, {}, {}, {}
        self.elected_at = self.next_heartbeat = self.now
        self.stuck_since = self.quiet_since = None
        version = (self.term, old.version[1])
        self.adopt(old._replace(
            version=version, digest=self.host.new_digest(self, version), parent=old.digest,
            proposer=self.id, certificate=certificate, signed=True))
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

    def step_aside(self, successor):
        """After a resignation: the others stand first, the one that is named before all."""
        self.successor = successor
        self.hold_off_until = self.now + self.timing.promise
