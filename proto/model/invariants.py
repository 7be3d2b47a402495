"""What must hold, checked as a run goes on: the first sentence of each method is the promise.

The checker sees everything from outside and trusts no rule: it keeps its own notes of what was
said, promised, elected and committed. I2, I8, I10 and I11 need clocks within their bounds and are
left out where a run breaks those on purpose.
"""

from cards import LEADER, NONE


class Violation(Exception):
    def __init__(self, name, what):
        super().__init__(f'{name}: {what}')
        self.name = name


class Invariants:
    def __init__(self, world, off=()):
        self.world, self.off = world, frozenset(off)
        self.terms, self.votes, self.registers = {}, {}, {}
        self.leaders, self.commits, self.highest_vote = {}, {}, {}
        self.entries, self.promises, self.resigned = {}, {}, {}
        self.horizons, self.contacts = {}, {}
        self.founded, self.sealed, self.members = [], set(), {}

    def fail(self, name, what):
        if name not in self.off:
            raise Violation(name, what)

    # -- elections and terms -------------------------------------------------------------------

    def elected(self, peer):
        """I1: at most one leader in a term. I6: it holds everything committed before."""
        key = (peer.founding, peer.term)
        if self.leaders.setdefault(key, peer.id) != peer.id:
            self.fail('I1', f'term {peer.term} has leaders {self.leaders[key]} and {peer.id}')
        self.note_entry(peer.entry)
        for version, digest in reversed(self.commits.get(peer.founding, [])):
            if version[0] < peer.term:
                if not self.is_ancestor(digest, peer.entry.digest):
                    self.fail('I6', f'leader of term {peer.term} lacks committed {version}')
                break

    def voted(self, node, peer, now):
        """I8: nobody votes while promised, or in quarantine, unless released."""
        founding = peer.founding
        self.highest_vote[founding] = max(self.highest_vote.get(founding, 0), peer.term)
        if self.world.timeless:
            return
        if now < node.quarantine:
            self.fail('I8', f'{peer.id} votes in quarantine')
        leader, term, until = self.promises.get((peer.id, node.life, founding), (0, 0, 0))
        if now < until and self.resigned.get((founding, leader), 0) < term:
            self.fail('I8', f'{peer.id} votes in {peer.term}, promised to {leader} in {term}')

    def promised(self, node, peer, leader, term, now):
        """C: who is followed was elected."""
        if self.leaders.get((peer.founding, term)) != leader:
            self.fail('C', f'{peer.id} promises to {leader}, which nobody elected in {term}')
        # A leader of a higher term was elected, which proves that older leases are over.
        self.promises[peer.id, node.life, peer.founding] = (
            leader, term, now + peer.timing.promise)

    def note_resigned(self, peer):
        key = (peer.founding, peer.id)
        self.resigned[key] = max(self.resigned.get(key, 0), peer.resigned)

    # -- what is shown -------------------------------------------------------------------------

    def shown(self, node, card):
        """I3: one vote a term, terms never go back, across restarts. I4: one register of a
        version. I9: all of it is on disk. C: terms are earned by votes, registers by leaders."""
        if card.founding is None:
            return
        own = (node.id, card.founding)
        if card.term < self.terms.get(own, 0):
            self.fail('I3', f'{node.id} goes back from term {self.terms[own]} to {card.term}')
        self.terms[own] = card.term
        if card.vote is not None:
            first = self.votes.setdefault(own + (card.term,), card.vote)
            if first != card.vote:
                self.fail('I3', f'{node.id} votes for {first} and {card.vote} in {card.term}')
        disk = node.disk
        if (card.founding, card.term, card.vote, card.register, card.committed) != (
                disk.founding, disk.term, disk.vote,
                (disk.entry.version, disk.entry.digest) if disk.entry else None, disk.committed):
            self.fail('I9', f'{node.id} shows what it has not on disk')
        if card.term > self.highest_vote.get(card.founding, 0):
            self.fail('C', f'{node.id} shows term {card.term}, for which nobody voted')
        if card.register[1] not in self.entries:
            self.fail('C', f'{node.id} holds a register of nobody that was elected')
        version = (card.founding, card.register[0])
        if self.registers.setdefault(version, card.register[1]) != card.register[1]:
            self.fail('I4', f'two registers {card.register[0]}')

    # -- registers -----------------------------------------------------------------------------

    def note_entry(self, entry):
        self.entries[entry.digest] = entry

    def proposed(self, peer, before):
        """I7: consecutive registers differ in at most one voter."""
        self.note_entry(peer.entry)
        changed = set(before.voters) ^ set(peer.entry.voters)
        if len(changed) > 1:
            self.fail('I7', f'{len(changed)} voters change at once')

    def committed(self, peer):
        """I5: what is committed lies on one line."""
        entry = peer.entry
        commits = self.commits.setdefault(peer.founding, [])
        if commits:
            version, digest = commits[-1]
            low, high = digest, entry.digest
            if version > entry.version:
                low, high = high, low
            if not self.is_ancestor(low, high):
                self.fail('I5', f'committed {version} and {entry.version} fork')
        commits.append((entry.version, entry.digest))
        commits.sort(key=lambda pair: pair[0])
        if entry.sealed:
            self.sealed.add(peer.founding)

    def is_ancestor(self, low, high):
        while high is not None:
            if high == low:
                return True
            high = self.entries[high].parent if high in self.entries else None
        return False

    # -- leases --------------------------------------------------------------------------------

    def leases(self, node, peer, now):
        """I2: one lease at any instant. I10: a lease that was given is not shortened."""
        if self.world.timeless or peer.role != LEADER:
            return
        until = peer.lease_until()
        key = (node.id, node.life, peer.founding, peer.term)
        before = self.horizons.get(key)
        if before is not None and (until is None or until < before):
            self.fail('I10', f'the lease of {node.id} shrinks')
        if until is None:
            return
        self.horizons[key] = until
        if now >= until:
            return
        for other in self.world.nodes:
            if other is node or not other.up or other.peer.founding != peer.founding:
                continue
            if other.peer.role == LEADER and other.peer.has_lease(other.clock()):
                self.fail('I2', f'{node.id} and {other.id} hold leases, in terms {peer.term} '
                          f'and {other.peer.term}')

    def reach(self, node, heard):
        """I11: cut off from a majority for D_L / (1 - rho), there is no lease. `heard`: who can
        hear the node now, over any path."""
        now = self.world.now
        contact = self.contacts.setdefault(node.id, {})
        for other in heard:
            contact[other] = now
        peer = node.peer
        if peer.role != LEADER or self.world.timeless:
            return
        times = sorted((contact.get(v, 0) for v in peer.voters), reverse=True)
        since = times[len(times) // 2]
        if now - since > self.world.timing.lease * 10 // 9 and peer.has_lease(node.clock()):
            self.fail('I11', f'{node.id} still has a lease')

    # -- foundings -----------------------------------------------------------------------------

    def found(self, peer):
        """I13: no more identities than planned found at most once."""
        self.note_entry(peer.entry)
        self.founded.append(peer.founding)
        if len(self.founded) > 1 and len(self.world.nodes) <= peer.expect:
            self.fail('I13', f'{len(self.founded)} foundings by {len(self.world.nodes)} nodes')

    def joined(self, node, peer, before):
        """I12: the vote in a founding that is left is kept; nobody leaves a sealed one."""
        own = (node.id, peer.founding)
        term = self.terms.get(own, 0)
        if peer.term < term or peer.term == term and peer.vote != self.votes.get(own + (term,)):
            self.fail('I12', f'{node.id} comes back to {peer.founding} without its vote')
        if before is None:
            return
        if before.founding is not None and before.entry.sealed:
            self.fail('I12', f'{node.id} leaves a sealed founding')
        if before.founding is not None and not any(
                x[:2] == (before.founding, before.term) for x in peer.left):
            self.fail('I12', f'{node.id} forgets its vote in {before.founding}')

    def at_the_end(self):
        """I13: two sealed foundings are at least reported. L1: after the last fault there is
        one effective leader, and everybody in reach follows it."""
        live = [n for n in self.world.nodes if n.up and not n.is_liar]
        foundings = {n.peer.founding for n in live}
        if len(foundings) > 1:
            if any(n.peer.conflict is None and n.peer.entry.sealed for n in live
                   if n.peer.founding is not None):
                self.fail('I13', f'{len(foundings)} foundings, and no alarm')
            return
        leaders = [n for n in live if n.peer.has_lease(n.clock())]
        if len(leaders) != 1:
            self.fail('L1', f'{len(leaders)} leaders at the end')
        if any(n.peer.entry is None or n.peer.entry.digest != leaders[0].peer.entry.digest
               for n in live):
            self.fail('L1', 'registers differ at the end')
        if leaders[0].peer.committed == NONE:
            self.fail('L1', 'nothing is committed at the end')
