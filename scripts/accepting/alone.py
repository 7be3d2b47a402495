"""No shared directory: one node asks the source, the others copy from each other, and trust none."""

import os
import signal

from damage import flip
from nodes import Ground
from screen import Broken, check, until

NODES = 5
NEWCOMERS = 4
PAYLOAD = 5_000_000


class Alone:
    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = Ground(work, program, "alone", NODES)
        self.cases = [
            ("alone", "without a shared directory one node asks the source", self.spread),
            ("alone-removed", "a removed release goes from every node, also from one that was away",
             self.remove),
            ("alone-lies", "peers that hand out what is wrong are found, others are asked",
             self.lies),
            ("alone-source", "where no peer has it right, the source is asked", self.fall_back),
        ]

    def add(self):
        agent = self.ground.add()
        agent.shared = "none"
        return agent

    def spread(self, fact):
        ground = self.ground
        for _ in range(NODES):
            self.add()
        ground.form()
        for version in ("1.0", "1.1"):
            archive = ground.release(version, PAYLOAD)
            ground.install(version)
            asked = ground.origin.downloads(archive)
            check(asked == 1, f"{version} was asked of the source {asked} times")
            ground.live[-1].muster("release", "verify", version, "--all", "--timeout", "60s")
        fact(f"two versions on {NODES} nodes: one request of the source for each")
        served = sum(metric(agent, "muster_served_files_total") for agent in ground.live)
        check(served >= 2 * (NODES - 1), f"only {served} files were handed on")
        fact(f"{served} files were handed on by peers")

    def remove(self, fact):
        ground = self.ground
        away = ground.followers()[-1]
        away.kill()
        ground.live[0].muster("release", "remove", "1.0")
        for agent in ground.live:
            until(lambda: not copies(agent, "1.0"), 10, f"{agent.name} keeps 1.0")
        check(copies(away, "1.0"), f"{away.name} had no copy to free")
        away.start()
        away.listening()
        until(lambda: not copies(away, "1.0"), 30, f"{away.name} keeps 1.0")
        until(lambda: away.row().get("ready"), 30, f"{away.name} does not start 1.1")
        ground.live[-1].muster("release", "verify", "1.1", "--all", "--timeout", "60s")
        fact(f"{len(ground.live) - 1} nodes freed 1.0 at once, {away.name} when it was back; 1.1 "
             "is right on all")

    def lies(self, fact):
        ground = self.ground
        archive = ground.origin.files["/answer-1.1.tar.gz"]
        before = ground.origin.downloads(archive)
        flipped, short, without, silent, honest = ground.agents
        flip(data_of(flipped), PAYLOAD // 2)
        data_of(short).chmod(0o644)
        os.truncate(data_of(short), PAYLOAD // 2)
        data_of(without).parent.chmod(0o755)
        data_of(without).unlink()
        silent.process.send_signal(signal.SIGSTOP)
        try:
            newcomers = [self.add() for _ in range(NEWCOMERS)]
            for agent in newcomers:
                agent.start()
            for agent in newcomers:
                agent.listening()
                agent.muster("wait", "--version", "1.1", "--timeout", "60s")
                until(lambda: agent.row().get("ready"), 60, f"{agent.name} does not start 1.1")
                until(lambda: is_right(agent), 30, f"{agent.name} has not every byte right")
        finally:
            silent.process.send_signal(signal.SIGCONT)
        log = "".join(agent.log.read_text(errors="replace") for agent in newcomers)
        refused = [line.partition("is not asked again: ") for line in log.splitlines()
                   if "is not asked again" in line]
        check(refused, "none of the newcomers met one of four bad peers")
        check(ground.origin.downloads(archive) == before, "the source was asked")
        for head, _, reason in refused:
            peer, what = head.split()[-1], reason.split("/")[-1]
            fact(f"{peer}: {what[:150]}")
        fact(f"{NEWCOMERS} newcomers have every byte right, and the source was not asked")

    def fall_back(self, fact):
        ground = self.ground
        archive = ground.origin.files["/answer-1.1.tar.gz"]
        before = ground.origin.downloads(archive)
        for agent in ground.live:
            if data_of(agent).exists():
                flip(data_of(agent), 17)
        last = self.add()
        last.start()
        last.listening()
        last.muster("wait", "--version", "1.1", "--timeout", "60s")
        until(lambda: last.row().get("ready"), 60, f"{last.name} does not start 1.1")
        until(lambda: is_right(last), 30, f"{last.name} has not every byte right")
        asked = ground.origin.downloads(archive) - before
        check(asked == 1, f"the source was asked {asked} times")
        fact(f"{last.name} found no peer with a right copy, and asked the source once")


def is_right(agent):
    """What is found corrupt is published anew, and then the new copy has to come first."""
    try:
        agent.muster("release", "verify", "1.1")
    except Broken:
        return False
    return True


def copies(agent, version):
    return list((agent.state / "local" / "releases").glob(f"{version}-*"))


def data_of(agent):
    (release,) = (agent.state / "local" / "releases").glob("1.1-*")
    return release / "share" / "data"


def metric(agent, name):
    from traffic import ask
    text = ask(agent.host, 7947, "/metrics")
    return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))
