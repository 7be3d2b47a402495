"""F1 to F3: how a cluster begins, and how two beginnings become one before either is sealed."""

from cards import LEFT, NONE, VOTERS, Entry


class Founding:
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
        self.adopt(Entry(
            (0, 1), self.host.new_digest(self, (0, 1)), None, self.founding, voters, tuple(nodes),
            False, self.id, None, self.host.founding_body(self)))
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
            if entry.version <= self.entry.version:
                return  # this node has come further than what it once asked for
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
        self.bound = self.heartbeat = None
        if 'F-PROMISE' in self.bugs:
            self.bound_until = self.now
        self.adopt(entry)
        self.host.joined(self)
