"""R2: how a node gets a newer register, and why it believes it."""

from cards import CANDIDATE, HISTORY, LEADER


class Register:
    def adopt(self, entry):
        self.entry, self.entry_durable = entry, False
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
        """R2: fetch the newest register that is believed to be there."""
        self.take_arrivals()
        newest = self.newest_pointer()
        if newest and not ('M5b' in self.bugs and self.role == CANDIDATE):
            sources = [n for n in self.ring if n != self.id and self.card(n)
                       and self.card(n).register == newest]
            if self.host.exhausted(newest, sources):
                self.rejoin()
            else:
                self.host.fetch(self, newest, sources, False)

    def newest_pointer(self):
        """A voter is believed first: a member that invents a register must not keep everyone
        from the real one."""
        able = [pointer for pointer in self.shown_by(self.voters)
                if pointer[0] > self.entry.version and not self.host.failed(pointer)]
        if able:
            return max(able, key=lambda pointer: pointer[0])
        pointer = self.pointer_of_roster()
        return None if pointer is None or self.host.failed(pointer) else pointer

    def shown_by(self, nodes):
        return [card.register for node in nodes if node != self.id and node in self.ring
                and (card := self.card(node)) is not None and card.register]

    def pointer_of_roster(self):
        """What half of the roster's members in reach show or have gone beyond, when at least half
        of the roster is in reach: the voters that I know may be as far behind as I am, and one
        liar that is alone with me must not be believed."""
        others = [node for node in self.entry.roster if node != self.id]
        shown = sorted(self.shown_by(others), key=lambda pointer: pointer[0], reverse=True)
        if not shown or 2 * len(shown) < len(others):
            return None
        chosen = shown[len(shown) // 2]
        return chosen if chosen[0] > self.entry.version else None

    def rejoin(self):
        """Nobody in reach has the chain any more, or it cannot be checked. A voter's word is
        enough, for voters do not lie; otherwise that of the roster."""
        if 'NO-REJOIN' in self.bugs:
            return
        chosen = self.rejoined()
        if chosen is not None:
            self.host.fetch(self, chosen, [
                n for n in self.ring if n != self.id and (card := self.card(n)) is not None
                and card.register and card.register[0] >= chosen[0]], True)

    def rejoined(self):
        able = self.ring if 'REJOIN-ANYBODY' in self.bugs else self.voters
        chosen = max(self.shown_by(able), key=lambda pointer: pointer[0], default=None)
        if chosen is not None and chosen[0] > self.entry.version:
            return chosen
        return self.pointer_of_roster()

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
                self.rejoin()  # perhaps by somebody whose key nobody here has any more
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
                and child.roster == parent.roster
                and child.sealed == parent.sealed and self.proves(proof, parent.voters))

    def proves(self, certificate, voters):
        return sum(1 for v in certificate.valid if v in voters) >= len(voters) // 2 + 1

    def note_committed(self, version):
        entry = next((e for e in reversed(self.history) if e.version == version), None)
        if entry is not None:
            self.committed, self.committed_entry = version, entry
