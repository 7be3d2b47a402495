"""What goes wrong in a run, drawn from its seed, and what a leader is asked to change."""

from cards import LEADER, MILLISECOND, SECOND, Durable

STRIKE = 100 * MILLISECOND


class Faults:
    def __init__(self, world):
        self.world, self.rng = world, world.rng
        self.over = False
        self.strength = self.rng.choice([.2, .5, 1.0])
        self.change = self.rng.choice([.002, .01, .05])
        self.payload = 0

    # -- changes of the register ---------------------------------------------------------------

    def proposal(self, node, peer):
        """The next body that the leader wishes, or nothing. Whether it may is a rule's matter."""
        entry = peer.entry
        if not entry.sealed:
            return self.admitted(peer, entry.voters) if peer.may_seal() else None
        if self.over or self.rng.random() > self.change:
            return None
        voters = set(entry.voters)
        several = {'M6', 'M6b'} & peer.bugs
        for _ in range(3 if several else 1):
            outside = sorted(peer.alive - voters - {n.id for n in self.world.nodes if n.is_liar})
            roll = self.rng.random()
            if roll < .4 and outside and len(voters) < 7:
                voters.add(self.rng.choice(outside))
            elif roll < .75 and len(voters) > 1:
                voters.discard(self.rng.choice(sorted(voters - {peer.id}) or [None]))
        self.world.stats['changes'] += 1
        return self.admitted(peer, tuple(sorted(voters)))

    def admitted(self, peer, voters):
        """Everybody alive is admitted, and dying removes nobody."""
        return voters, tuple(sorted(set(peer.entry.roster) | peer.alive)), True, self.next_body()

    def hand_over(self, peer):
        if self.over or self.rng.random() > self.change / 10:
            return None
        return (self.rng.choice((None, *peer.voters)),)

    def next_body(self):
        self.payload += 1
        return self.payload

    # -- striking ------------------------------------------------------------------------------

    def strike(self):
        if self.over:
            return
        self.world.at(STRIKE, self.strike)
        mode = self.world.mode
        if mode in ('isolate', 'restart'):
            self.isolate(mode == 'restart')
        elif mode == 'merging':
            self.wander()
        elif mode in ('churn', 'timeless'):
            self.churn()
        elif self.rng.random() < self.strength:
            self.mix()
            if mode == 'storm' and self.rng.random() < .03:
                for node in self.world.nodes:
                    if self.rng.random() < .7:
                        self.crash(node, self.rng.randrange(SECOND))

    def mix(self):
        roll, world = self.rng.random, self.world
        if roll() < .03:
            self.cut_somehow()
        if roll() < .012:
            self.crash(self.rng.choice(world.nodes), self.rng.randrange(20 * SECOND))
        if roll() < .012:
            self.pause(self.someone_leading())
        if roll() < .006:
            self.resign()
        if roll() < .002 and world.mode not in ('founding', 'insider') and len(world.nodes) < 9:
            world.add().boot(True)  # a lost disk is a new identity
        if roll() < .01 and 'M9' in world.bugs:
            node = self.rng.choice(world.nodes)
            if node.up and not node.is_liar:
                node.crash()
                node.disk = Durable()
                world.at(MILLISECOND, self.back, node, node.life)

    def resign(self):
        leaders = [n for n in self.world.nodes if n.up and not n.paused and not n.is_liar
                   and n.peer.role == LEADER]
        for node in leaders:
            node.peer.now = node.clock()
            node.peer.resign()
            self.world.stats['resigned'] += 1
            if self.rng.random() < .3:
                node.peer.leaving = True
                self.world.at(5 * SECOND, self.crash, node, self.rng.randrange(9 * SECOND), True)
            node.run()

    def someone_leading(self):
        leaders = [n for n in self.world.nodes if n.peer.role == LEADER and n.up]
        several = leaders if leaders and self.rng.random() < .6 else self.world.nodes
        return self.rng.choice(several)

    def crash(self, node, pause, leaves=False):
        if not node.up or node.is_liar or self.over and not leaves:
            return
        node.crash()
        self.world.stats['crashes'] += 1
        self.world.at(pause, self.back, node, node.life)

    def back(self, node, life):
        if not node.up and node.life == life:
            node.boot()

    def pause(self, node):
        if not node.up or node.paused:
            return
        self.world.stats['pauses'] += 1
        node.pause('M12' in self.world.bugs)
        self.world.at(self.rng.randint(1, 20) * SECOND, self.go_on, node, node.life)

    def go_on(self, node, life):
        if node.life == life and node.paused:
            node.resume()

    # -- cutting -------------------------------------------------------------------------------

    def pairs(self):
        ids = [n.id for n in self.world.nodes]
        return [(a, b) for a in ids for b in ids if a != b]

    def cut_somehow(self):
        world, roll = self.world, self.rng.random()
        world.stats['cuts'] += 1
        links = set()
        world.crossing = max(world.crossing, world.now + 12 * SECOND if world.slow else 0)
        world.loss = self.rng.choice([0, .05, .2, .4])
        world.slow = self.rng.choice([0, 0, .05])
        if roll < .35:
            side = {n.id for n in world.nodes if self.rng.random() < .5}
            links = {(a, b) for a, b in self.pairs() if (a in side) != (b in side)}
        elif roll < .6:
            one = self.someone_leading().id
            kind = self.rng.choice(['both', 'mute', 'deaf'])
            links = {
                (a, b) for a, b in self.pairs()
                if kind != 'deaf' and a == one or kind != 'mute' and b == one}
        elif roll < .8:
            links = {pair for pair in self.pairs() if self.rng.random() < .45}
        world.cut(links)

    def isolate(self, restarts):
        world = self.world
        if world.network_cut:
            if world.now > self.heal_at:
                world.cut(set())
            return
        leaders = [n for n in world.nodes if n.up and n.peer.has_lease(n.clock())]
        if not leaders or self.rng.random() > .03:
            return
        one = leaders[0].id
        world.stats['cuts'] += 1
        self.heal_at = world.now + self.rng.randint(3, 8) * SECOND
        world.cut({(a, b) for a, b in self.pairs() if (a == one) != (b == one)})
        if restarts:
            for node in world.nodes:
                if node.id != one:
                    self.crash(node, 20 * MILLISECOND)

    heal_at = 0  # when the cut under way ends

    def churn(self):
        if self.rng.random() > .06:
            return
        world = self.world
        world.stats['cuts'] += 1
        world.loss = self.rng.choice([0, .1, .3])
        share = self.rng.choice([0, .2, .4, .6])
        world.cut({pair for pair in self.pairs() if self.rng.random() < share})

    def wander(self):
        """A voter of the one founding comes to see the other, just when its own is sealed."""
        world = self.world
        if world.network_cut and self.heal_at and world.now > self.heal_at:
            world.cut(set())
        if self.heal_at:
            return
        for node in world.nodes:
            peer = node.peer
            if peer.role != LEADER or peer.founding != 2 or peer.quiet_since is None:
                continue
            waited = (peer.now - peer.quiet_since) / world.timing.seal
            if self.rng.random() < waited ** 2 / 2:
                one = self.rng.choice([v for v in peer.voters if v != node.id])
                near = set(peer.voters) - {one}
                self.heal_at = world.now + self.rng.randint(300, 2_500) * MILLISECOND
                silent = self.rng.choice(['both', 'out'])
                world.cut({(a, b) for a, b in self.pairs()
                           if (a in near) != (b in near) and one not in (a, b)
                           or a == one and b in near
                           or b == one and a in near and silent == 'both'})

    def end(self):
        """Everything is well from now on, so that liveness can be asked for."""
        self.over = True
        world = self.world
        world.cut(set())
        world.loss = world.slow = 0.0
        for node in world.nodes:
            if node.paused:
                node.resume()
            if not node.up:
                node.boot(False)
            node.peer.leaving = False
