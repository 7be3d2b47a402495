"""R2: how a node gets a newer register, and why it believes it."""

from cards import CANDIDATE, HISTORY, LEADER


class Register:
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
