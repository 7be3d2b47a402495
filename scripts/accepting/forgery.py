"""Datagrams of an upgrade, recorded and sent again or forged; and a leader of a past term."""

import os
import pathlib
import signal
import socket
import struct
import threading
import time

from cluster import GOSSIP_PORT, stat_fields
from ledger import Skipped
from nodes import Ground, need_root
from screen import check, until
from traffic import ask

NODES = 5
MOST = 3_000
ETH_P_IP = 0x0800
# proto/README.md, "Datagrams".
PAIR_SEALED = 0x12
COUNTER_ORDER = "big"


class Forgery:
    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = Ground(work, program, "forgery", NODES)
        self.frames = []
        self.cases = [
            ("A16-replay", "an upgrade's datagrams, played again, change nothing", self.replay),
            ("A16-forge", "and with a forged counter neither", self.forge),
            ("A16", "a leader of a past term orders nothing", self.past_term),
            ("A16-share", "and what it still writes to the share changes nothing that runs",
             self.late_write),
        ]

    def replay(self, fact):
        ground = self.ground.form()
        ground.release("1.0")
        ground.install("1.0")
        need_root("a capture of loopback")
        ground.release("1.1")
        recorder = Recorder({agent.host for agent in ground.agents})
        with recorder:
            ground.install("1.1")
        self.frames = recorder.frames
        check(len(self.frames) > 50, f"only {len(self.frames)} datagrams were seen")
        ground.want("1.0")
        ground.settle("--version", "1.0")
        before = self.dropped("replayed")
        register = self.register()
        self.send(self.frames)
        until(lambda: self.dropped("replayed") - before >= len(self.frames) // 2, 10,
              lambda _: f"of {len(self.frames)} played again {self.dropped('replayed') - before} "
              "were counted as such")
        counted = self.dropped("replayed") - before
        self.unchanged(register)
        fact(f"{len(self.frames)} datagrams of the upgrade to 1.1, sent again after the way back "
             f"to 1.0: {counted} counted as replayed, none had an effect")
        page = ask(ground.agents[0].host, 7947, "/metrics")
        line = next((text for text in page.splitlines() if 'replayed"' in text), None)
        check(line, "/metrics does not show it")
        fact(f"/metrics shows it: {line}")

    def forge(self, fact):
        """With counters that are new, so that nothing but the seal tells them from true ones."""
        need_root("a sender's address that is another's")
        before, register = self.dropped("unsealable"), self.register()
        changed = [ahead(packet) for packet in self.frames]
        changed = [packet for packet in changed if packet]
        check(len(changed) > 50, f"only {len(changed)} datagrams between two members were seen")
        self.send(changed)
        until(lambda: self.dropped("unsealable") - before >= len(changed), 10,
              lambda _: f"of {len(changed)} forged ones {self.dropped('unsealable') - before} "
              "were counted as such")
        self.unchanged(register)
        # Had a forged counter been believed, true ones would be taken for replayed now.
        self.ground.settle("--members", NODES, "--converged", limit=20)
        fact(f"{len(changed)} with a counter that is to come: all counted as unsealable, none had "
             "an effect, and the members hear each other as before")

    def past_term(self, fact):
        """The leader is stopped in an upgrade, and wakes when another leads and has decided."""
        ground = self.ground
        ground.release("1.2")
        old = ground.leader()
        term = old.status()["term"]
        ground.want("1.2")
        until(lambda: ground.origin.running == 1, 20, "no download was seen", every=0.005)
        old.process.send_signal(signal.SIGSTOP)
        others = [agent for agent in ground.agents if agent is not old]
        try:
            for agent in others:
                agent.muster("wait", "--version", "1.2", "--timeout", "60s")
            later = until(lambda: next((a.status()["term"] for a in others
                                        if a.status()["lease"]["held_here"]), None), 30,
                          "nobody else leads")
            check(later > term, f"term {later} is not above {term}")
        finally:
            old.process.send_signal(signal.SIGCONT)
        ground.settle("--members", NODES, "--leader", "--version", "1.2", "--converged", limit=60)
        holders = [a.name for a in ground.agents if a.status()["lease"]["held_here"]]
        check(len(holders) == 1, f"{holders} hold leases")
        check(old.status()["term"] >= later, f"{old.name} is in term {old.status()['term']}")
        self.ground.whole()
        fact(f"{old.name}, stopped in its download in term {term}, woke in term {later}: it "
             f"follows {holders[0]}, and what it downloads is not published a second time")

    def late_write(self, fact):
        """The leader and its download are stopped together, and go on when another has published:
        the download first, so that it ends before its agent can call it off."""
        ground = self.ground
        ground.release("1.3", 2_000_000)
        old = ground.leader()
        term = old.status()["term"]
        ground.want("1.3")
        until(lambda: ground.origin.running == 1, 20, "no download was seen", every=0.005)
        download = next(pid for pid, (parent, words) in ground.children().items()
                        if parent == old.process.pid and words[0].endswith("muster-fetch"))
        time.sleep(0.3)
        old.process.send_signal(signal.SIGSTOP)
        os.kill(download, signal.SIGSTOP)
        others = [agent for agent in ground.agents if agent is not old]
        try:
            for agent in others:
                agent.muster("wait", "--version", "1.3", "--timeout", "60s")
            tree, running = self.tree(), [agent.services() for agent in others]
            stage = self.bytes_staged()
            os.kill(download, signal.SIGCONT)
            until(lambda: state(download) in "ZX", 20, "the download that went on does not end")
            late = self.bytes_staged() - stage
        finally:
            for pid in (download, old.process.pid):
                os.kill(pid, signal.SIGCONT)
        check(late > 0, "the download that went on wrote nothing, so nothing was shown")
        ground.settle("--members", NODES, "--leader", "--version", "1.3", "--converged", limit=60)
        time.sleep(2)
        check(self.tree() == tree, "the published copies are not what they were")
        check([agent.services() for agent in others] == running, "services were started again")
        ground.whole()
        fact(f"{old.name} and its download, stopped in term {term}, went on when another had "
             f"published: {late:,} bytes were written to a stage of its own, the published files "
             "are the same inodes with the same bytes, and no other node's service was touched")

    # What they are made of

    def tree(self):
        """Every published file: which it is, and what is in it."""
        releases = self.ground.shared / "releases"
        found = {}
        for file in sorted(releases.rglob("*")):
            name = file.relative_to(releases)
            if name.parts[0].startswith(".") or not file.is_file():
                continue
            facts = file.stat()
            found[str(name)] = (facts.st_ino, facts.st_mtime_ns, file.read_bytes())
        return found

    def bytes_staged(self):
        """What lies on the share and is not published."""
        total = 0
        for folder, _, files in os.walk(self.ground.shared):
            hidden = any(part.startswith(".") or part == "staging"
                         for part in pathlib.Path(folder).relative_to(self.ground.shared).parts)
            if hidden:
                total += sum(os.path.getsize(os.path.join(folder, name)) for name in files)
        return total

    def send(self, frames):
        """Once more as they were, with the sender's address and port."""
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:
            for frame in frames:
                wire.sendto(frame, (socket.inet_ntoa(frame[16:20]), 0))
                time.sleep(0.0005)

    def dropped(self, reason):
        return sum(agent.status()["counters"]["dropped"][reason] for agent in self.ground.live)

    def register(self):
        status = self.ground.live[0].status()
        return status["register"], status["release"], status["plan"]["phase"]

    def unchanged(self, register):
        time.sleep(1)
        check(self.register() == register, f"{register} has become {self.register()}")
        for agent in self.ground.live:
            check(agent.row()["version"] == register[1]["version"], f"{agent.name} moved")


class Recorder:
    """Keeps the datagrams between some hosts, as packets that can be sent again."""

    def __init__(self, hosts):
        self.hosts = {socket.inet_aton(host) for host in hosts}
        self.frames = []
        self.ended = threading.Event()
        try:
            self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
        except PermissionError as refusal:
            raise Skipped(f"no capture of loopback: {refusal}") from None
        self.wire.bind(("lo", ETH_P_IP))
        self.wire.settimeout(0.1)
        self.thread = threading.Thread(target=self.record, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.wire.close()

    def record(self):
        seen = set()
        while not self.ended.is_set() and len(self.frames) < MOST:
            try:
                frame, origin = self.wire.recvfrom(2_048)
            except TimeoutError:
                continue
            header = 14 + (frame[14] & 15) * 4
            if (frame[23] != socket.IPPROTO_UDP or frame[26:30] not in self.hosts
                    or frame[30:34] not in self.hosts or frame in seen):
                continue
            if struct.unpack("!H", frame[header + 2:header + 4])[0] == GOSSIP_PORT:
                seen.add(frame)
                # Without a checksum the kernel asks for none, so that a changed byte gets through.
                self.frames.append(frame[14:header + 6] + b"\0\0" + frame[header + 8:])


def ahead(packet):
    """The packet with a counter that its receiver has not seen, or nothing if it has no counter."""
    start = (packet[0] & 15) * 4 + 8
    if packet[start] != PAIR_SEALED:
        return None
    counter = slice(start + 25, start + 33)
    value = int.from_bytes(packet[counter], COUNTER_ORDER) + 1_000
    return packet[:counter.start] + value.to_bytes(8, COUNTER_ORDER) + packet[counter.stop:]


def state(pid):
    """The letter of a process, X when it is gone."""
    try:
        return stat_fields(pid)[0]
    except OSError:
        return "X"
