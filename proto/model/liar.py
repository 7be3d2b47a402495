"""A member that lies. Only voters are trusted, so nothing that it says may change anything."""

from cards import LEADER, MILLISECOND, NONE, SECOND, Card, Certificate, Entry
from machine import Node


class Liar(Node):
    """A member, not a voter, with the cluster's key and no shame: it shows itself leader of
    terms of its own, with registers of its own, certified by nobody but itself."""

    is_liar = True

    def run(self):
        pass

    def boot(self, fresh=False):
        super().boot(True)
        self.world.at(self.rng.randrange(SECOND), self.lie, self.life)

    def show(self):
        pass

    def lie(self, life):
        if life != self.life:
            return
        self.world.at(self.rng.randint(200, 2_000) * MILLISECOND, self.lie, life)
        seen = [c for n, (_, c) in self.records.items() if n != self.id and c.founding is not None]
        if not seen:
            return
        model = max(seen, key=lambda card: card.term)
        term = model.term + self.rng.choice([0, 1, 2, 1 << 40])
        proof = self.rng.choice([None, Certificate(term, self.id, (self.id,))])
        register = model.register
        if self.rng.random() < .5:
            parent = self.world.check.entries.get(model.register[1], self.peer.entry)
            entry = Entry((term, parent.version[1] + self.rng.randint(0, 1)),
                          self.world.next_digest(), parent.digest, model.founding, (self.id,),
                          (self.id,), True, self.id, Certificate(term, self.id, (self.id,)), 'lie')
            self.peer.remember(entry)
            register = (entry.version, entry.digest)
        self.publish(Card(
            model.founding, term, self.id, True, register,
            self.rng.choice([NONE, model.committed, register[0]]),
            self.rng.choice([0, 1, LEADER, LEADER]), True, 0, proof, model.expect, False, True))
        for other in self.world.nodes:
            if other is not self:
                self.send(other, other.heartbeat_came, self.id, term, self.rng.randint(1, 99), None)
                self.send(other, other.promise_came, self.id, model.term, 1, None)

    def heartbeat_came(self, *_):
        pass

    promise_came = heartbeat_came
