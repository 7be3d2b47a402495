"""R3 to R5: following a certified leader, its release, and the terms of voters."""

from cards import CANDIDATE, FOLLOWER, LEADER


class Following:
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

    def least_leader_term(self):
        """Who votes for nobody follows whoever the votes of others made leader."""
        if self.entry is None or self.id in self.voters:
            return self.term
        return min(self.term, self.entry.version[0])

    def certified_leader(self):
        best, term = None, 0
        least = self.least_leader_term()
        for node in self.ring:
            card = self.card(node)
            if (node != self.id and card and card.role == LEADER and card.term >= least
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
                or term != self.term and not self.may_promise_below(leader):
            return
        self.heartbeat = None
        if self.bound and self.bound[:2] == (leader, term) and self.bound[2] >= pending[2]:
            return
        self.bound = (leader, term, pending[2])
        self.bound_until = self.now + self.timing.promise
        self.campaign_at, self.named = None, False
        self.host.send_promise(self, leader, term, pending[2])

    def may_promise_below(self, leader):
        return self.id not in self.voters and (
            self.unbound() or self.bound is not None and self.bound[0] == leader)

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
            if shown.successor is not None and shown.resigned == self.term:
                # The others leave it the time of one candidacy.
                self.named = shown.successor == self.id
                self.hold_off_until = self.now + (0 if self.named else self.timing.candidate_max)

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
