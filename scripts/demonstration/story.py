"""The demonstration, step by step. Every step checks what it claims and gives the reason when it
does not hold."""

import subprocess
import time

import cluster as machines
from screen import Broken, check, until
from traffic import Client, Departures, ask

FIRST, SECOND = "2.10.2", "2.11.7"
FOUNDERS = 4


class Story:
    def __init__(self, screen, cluster, origin, archives):
        self.screen = screen
        self.cluster = cluster
        self.origin = origin
        self.first, self.second = archives
        self.figures = []

    def tell(self):
        self.four_find_each_other()
        self.a_leader_emerges()
        self.a_value_travels()
        self.the_leader_fetches()
        self.web_reaches_every_worker()
        self.a_fifth_joins()
        self.everyone_upgrades()
        self.the_leader_is_killed()
        self.the_share_holds_only_releases()

    # Steps

    def four_find_each_other(self):
        with self.screen.step("create a cluster that expects four") as fact:
            made = self.cluster.work / "cluster"
            outcome = subprocess.run(
                [str(self.cluster.program), "init", "--name", "demo", "--expect", str(FOUNDERS),
                 "--out", str(made)],
                capture_output=True, text=True, env=self.cluster.environment)
            check(outcome.returncode == 0, f"muster init: {outcome.stderr.strip()}")
            self.cluster.file = cluster_file(made)
            fact(f"{self.cluster.file.name}: the cluster's id and key, the same file on every node")

        with self.screen.step("start four agents that know no address") as fact:
            began = time.monotonic()
            for _ in range(FOUNDERS):
                self.cluster.add().start()
            self.wait_on_all("--members", FOUNDERS, limit=10)
            took = self.figure("four agents started, every one sees four alive", began, 1.5)
            for agent in self.cluster.agents:
                alive = self.alive_as_seen_by(agent)
                check(len(alive) == FOUNDERS, f"{agent.name} sees {sorted(alive)} alive")
            fact(f"every one of them sees {FOUNDERS} alive after {took:.2f} s")
        self.started = began

    def a_leader_emerges(self):
        with self.screen.step("a leader emerges and the roles follow") as fact:
            self.wait_on_all("--leader", limit=20)
            self.wait_on_all("--role", "web=1", limit=20)
            self.wait_on_all("--role", f"worker={FOUNDERS - 1}", limit=20)
            took = self.figure("four agents started, one leader and every role", self.started, 6)
            leaders = {self.leader_as_seen_by(agent) for agent in self.cluster.agents}
            check(len(leaders) == 1 and None not in leaders, f"they name {leaders} as leaders")
            roles = self.roles()
            check(roles[leaders.pop()] == "web", f"auto makes the leader web, but found {roles}")
            fact(f"{self.leader().name} leads after {took:.2f} s; " + spoken(roles))

    def a_value_travels(self):
        with self.screen.step("a value set on one node is seen on all") as fact:
            writer, *readers = self.cluster.agents
            value = f"{time.time_ns():x}"
            writer.muster("set", "warm", value)
            for reader in readers:
                self.reads(reader, writer, "warm", value)
            began = time.monotonic()
            writer.muster("set", "greeting", value)
            for reader in readers:
                self.reads(reader, writer, "greeting", value)
            took = self.figure("a value set on one node, seen on all", began, 0.1)
            fact(f"visible everywhere {took * 1000:.0f} ms after the command began")

    def the_leader_fetches(self):
        with self.screen.step(f"the leader alone fetches caddy {FIRST}; all run it") as fact:
            any_node = self.follower()
            self.release(any_node, self.first)
            any_node.muster("set", "--cluster", "version", FIRST)
            self.wait_on_all("--version", FIRST, limit=120)
            self.downloaded_once(self.first, fact)
            self.runs_everywhere(FIRST, fact)

    def web_reaches_every_worker(self):
        with self.screen.step("a request through web reaches every worker") as fact:
            self.reaches_every_worker(FIRST, fact)

    def a_fifth_joins(self):
        with self.screen.step("a fifth agent joins with one member's address") as fact:
            before = self.listing()
            web = self.web()
            began = time.monotonic()
            fifth = self.cluster.add()
            fifth.start(join=self.follower())
            expected = f"{fifth.name} {FIRST}"
            until(lambda: ask(web.host, machines.WEB_PORT) == expected, 15,
                  lambda: f"{fifth.name} did not serve within 15 s: {fifth.last_words()}")
            took = self.figure("a fifth agent started, web serves from it", began, 5)
            check(took <= 5, f"{fifth.name} served after {took:.1f} s, the limit is 5 s")
            self.downloaded_once(self.first, fact)
            check(self.listing() == before, "the shared directory changed while it joined")
            fact(f"{fifth.name} serves after {took:.2f} s and changed nothing on the share")
            self.wait_on_all("--members", FOUNDERS + 1, limit=10)

    def everyone_upgrades(self):
        with self.screen.step(f"one word upgrades everyone to {SECOND}") as fact:
            old = {pid: agent for agent in self.cluster.live for pid in agent.services()}
            departures = Departures(old)
            web, any_node = self.web(), self.follower()
            self.release(any_node, self.second)
            with Client(web.host, machines.WEB_PORT) as client:
                any_node.muster("set", "--cluster", "version", SECOND)
                self.wait_on_all("--version", SECOND, limit=120)
                until(lambda: client.answers and client.answers[-1][1].endswith(SECOND), 10,
                      f"web does not answer from {SECOND}")
            self.downloaded_once(self.second, fact)
            self.stopped_before_start(departures, fact)
            self.acknowledged(fact)
            self.runs_everywhere(SECOND, fact)
            self.reaches_every_worker(SECOND, fact)
            silence = client.longest_silence()
            self.figures.append(("the upgrade, longest silence that a client heard", silence, None))
            fact(f"{len(client.answers)} answers to a steady client, the longest silence "
                 f"{silence:.2f} s")

    def the_leader_is_killed(self):
        with self.screen.step("the leader is killed with SIGKILL") as fact:
            for agent in self.cluster.live:
                agent.remember()
            victim = self.leader()
            orphans = Departures(victim.services())
            began = time.monotonic()
            victim.kill()
            until(orphans.all_gone, 2, f"the services of {victim.name} outlived it")
            witness = self.cluster.live[0]
            leader = until(lambda: self.successor(witness, victim), 30,
                           lambda _: f"{witness.name} still names {victim.name} after 30 s")
            led = self.figure("the leader killed, another leads", began, None)
            until(lambda: ask(leader.host, machines.WEB_PORT), 30,
                  lambda _: f"{leader.name} leads and does not answer; {spoken(self.roles(witness))}")
            answered = self.figure("the leader killed, a request is answered again", began, None)
            until(lambda: self.settled(leader), 30,
                  lambda _: f"after 30 s the roles are still {spoken(self.roles(witness))}")
            fact(f"{victim.name} was killed; {leader.name} leads after {led:.2f} s")
            fact(f"web moved there and answers after {answered:.2f} s")
            self.reaches_every_worker(SECOND, fact)
            self.downloaded_once(self.second, fact)

    def the_share_holds_only_releases(self):
        with self.screen.step("the shared directory holds only releases") as fact:
            listing = self.listing()
            releases = {path.split("/")[1] for path in listing if path.count("/") >= 1}
            versions = sorted(name.rsplit("-", 2)[0] for name in releases)
            check(versions == [FIRST, SECOND], f"found {sorted(releases)}")
            for path in listing:
                full = self.cluster.shared / path
                known = path.split("/")[0] == "releases"
                check(known and not full.is_symlink() and (full.is_file() or full.is_dir()),
                      f"{path} does not belong on the share")
            fact(f"{len(releases)} releases, {len(listing)} entries, nothing else")

    # What the steps are made of

    def figure(self, what, began, limit):
        """Notes how long something took, and the time it may take."""
        took = time.monotonic() - began
        self.figures.append((what, took, limit))
        return took

    def wait_on_all(self, *condition, limit):
        for agent in self.cluster.live:
            agent.listening()
        self.cluster.on_all("wait", *condition, "--timeout", f"{limit}s")

    def alive_as_seen_by(self, agent):
        return {name for name, row in agent.members().items() if row["state"] == "alive"}

    def leader_as_seen_by(self, agent):
        return next((name for name, row in agent.members().items() if row["leader"]), None)

    def leader(self):
        witness = self.cluster.live[0]
        name = self.leader_as_seen_by(witness)
        check(name, f"{witness.name} knows no leader")
        return self.cluster.named(name)

    def successor(self, witness, victim):
        name = self.leader_as_seen_by(witness)
        return self.cluster.named(name) if name not in (None, victim.name) else None

    def settled(self, leader):
        """Whether every live node sees `leader` as web and all others as workers."""
        wanted = {agent.name: "worker" for agent in self.cluster.live} | {leader.name: "web"}
        return all(self.roles(agent) == wanted for agent in self.cluster.live)

    def roles(self, witness=None):
        rows = (witness or self.cluster.live[0]).members()
        return {name: row["role"] for name, row in rows.items() if row["state"] == "alive"}

    def web(self):
        roles = self.roles()
        name = next((name for name, role in roles.items() if role == "web"), None)
        check(name, f"no live node is web: {spoken(roles)}")
        return self.cluster.named(name)

    def workers(self):
        return [self.cluster.named(n) for n, role in self.roles().items() if role == "worker"]

    def follower(self):
        leader = self.leader()
        return next(agent for agent in self.cluster.live if agent is not leader)

    def reads(self, reader, writer, key, value):
        def read():
            try:
                return reader.muster("get", writer.name, key).strip() == value
            except Broken:
                return False
        until(read, 5, f"{reader.name} does not see the value that {writer.name} set", every=0.001)

    def release(self, agent, archive):
        agent.muster("release", "add", archive.version, "--source", self.origin.url(archive),
                     "--sha256", archive.sha256)

    def downloaded_once(self, archive, fact):
        count = self.origin.downloads(archive)
        check(count == 1, f"caddy {archive.version} was downloaded {count} times")
        fact(f"caddy {archive.version} was downloaded once")

    def runs_everywhere(self, version, fact):
        """Asks the very program that each node runs what it is."""
        for agent in self.cluster.live:
            programs = set(agent.services().values())
            check(len(programs) == 1, f"{agent.name} runs {sorted(programs) or 'nothing'}")
            program = programs.pop()
            said = subprocess.run([program, "version"], capture_output=True, text=True,
                                  env=self.cluster.environment).stdout.strip()
            check(said.startswith(f"v{version} "), f"{agent.name} runs caddy {said}")
            row = agent.members()[agent.name]
            check(row["version"] == version, f"{agent.name} says that it runs {row['version']}")
        fact(f"caddy version, asked of what all {len(self.cluster.live)} nodes run: {said}")

    def reaches_every_worker(self, version, fact):
        wanted = {f"{agent.name} {version}" for agent in self.workers()}
        web, heard = self.web(), set()

        def all_heard():
            body = ask(web.host, machines.WEB_PORT)
            heard.update({body} if body else set())
            return wanted <= heard

        until(all_heard, 15, lambda _: f"web reached {sorted(heard)}, wanted {sorted(wanted)}")
        fact(f"through {web.name} at http://{web.host}:{machines.WEB_PORT}/ answered: "
             + ", ".join(sorted(wanted)))

    def stopped_before_start(self, departures, fact):
        until(departures.all_gone, 5, "a process of the old release still runs")
        last = max(departures.times.values())
        new = {pid: machines.started_after_boot(pid)
               for agent in self.cluster.live for pid in agent.services()}
        # The kernel counts starts in hundredths of a second.
        check(min(new.values()) >= last - 0.02, "two versions ran at the same time")
        fact(f"{len(departures.times)} processes of {FIRST} ended, then {len(new)} of {SECOND} "
             f"began, {max(0.0, min(new.values()) - last):.2f} s after the last end")

    def acknowledged(self, fact):
        """The leader waits for everyone's word before it goes on, so its history has them all."""
        names = {agent.name for agent in self.cluster.live}
        history = self.leader().remember()
        plan = next((event["plan"] for event in reversed(history)
                     if event["kind"] == "plan-complete" and event["to"] == SECOND), None)
        check(plan, f"the leader's history has no completed plan for {SECOND}")
        said = {event["node"] for event in history
                if event["kind"] == "acknowledged" and event["plan"] == plan
                and event["acknowledgement"] == "stopped"}
        check(names <= said, f"nobody heard that these had stopped: {sorted(names - said)}")
        fact(f"acknowledged that they had stopped: {', '.join(sorted(names))}")

    def listing(self):
        return sorted(str(path.relative_to(self.cluster.shared))
                      for path in self.cluster.shared.rglob("*"))


def cluster_file(made):
    """The file that every node gets: the one that is not the operator's own key."""
    found = [path for path in sorted(made.iterdir()) if "authority" not in path.name]
    check(len(found) == 1, f"muster init wrote {[path.name for path in made.iterdir()]}")
    return found[0]


def spoken(roles):
    return ", ".join(f"{name} {role or 'without a role'}" for name, role in sorted(roles.items()))
