"""The rules R1 to R16 and F1 to F4 of proto/README.md, for one node, as a machine in steps.

A node is given its sight (the cards of others, who is alive), heartbeats, promises and fetched
registers; it reaches for nothing else. Chance, time and the world are behind `host`, so the same
rules run in the random simulation and against the traces of the daemon's own core.

`bugs` names planted bugs: each is one deviation at the place where its rule stands.
"""

from cards import CANDIDATE, FOLLOWER, LEADER, PRIORITY, Card, Durable
from elections import Elections
from following import Following
from founding import Founding
from leading import Leading
from register import Register


class Peer(Founding, Register, Following, Elections, Leading):
    def __init__(self, identity, timing, expect, host, bugs=frozenset(), founds=False):
        self.id, self.timing, self.expect, self.host = identity, timing, expect, host
        self.bugs, self.founds = bugs, founds
        self.priority = PRIORITY
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
        self.waiting = self.leaving = self.left_out = False
        self.dirty = True
        self.quarantine_until = now if fresh or 'M3' in self.bugs else now + self.timing.promise
        self.role, self.certificate = FOLLOWER, None
        self.bound, self.bound_until, self.resigned = None, 0, 0
        self.successor, self.named = None, False
        self.heartbeat = None
        self.campaign_at, self.candidate_until, self.hold_off_until = None, 0, 0
        self.number, self.sent, self.promised = 0, {}, {}
        self.received = {}  # only for the bug "lease counted from receipt"
        self.next_heartbeat = self.elected_at = 0
        self.newcomer = None  # who is to become a voter as soon as it has promised, too
        self.stuck_since = self.last_stuck = self.quiet_since = None
        self.gate, self.gate_since, self.conflict = [], 0, None
        self.cards, self.ring, self.alive = {}, [self.id], {self.id}
        if durable.committed_entry:
            self.remember(durable.committed_entry)
        if durable.entry:
            self.adopt(durable.entry)
        self.entry_durable = durable.entry is not None

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
            self.entry.sealed if self.entry else False, self.priority, self.successor)

    # -- inputs between steps ------------------------------------------------------------------

    def take_heartbeat(self, sender, term, number):
        if term < self.least_leader_term():
            return False
        if self.heartbeat and self.heartbeat[:2] == (sender, term):
            number = max(number, self.heartbeat[2])  # one heartbeat takes several ways
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
        self.entry_durable = True
        self.dirty = True

    def clock_stood(self):
        """The lease may have been over for long. What was promised stands; what came before is
        not promised to."""
        self.heartbeat = None
        self.dirty = True
        if self.role == LEADER:
            self.resign()
            self.step_aside(None)
        else:
            self.step_down()

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
