"""Shares that are mounted for real: taken away from a running node, read-only, and over a network
that is cut."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import network
from ledger import Skipped
from nodes import CONFIGURATION, Ground, need_root
from screen import Broken, check, until

SFTP_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server")
SFTP_PORT = 7022
NEVER_LEADS = "leader:\n  priority: 0\n"


class Mounts:
    """Every node sees the share through a mount of its own, in a mount namespace of its own."""

    goes_on = True

    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = MountGround(work, program, "mounts", 3)
        self.work = work
        self.cases = [
            ("A9", "workers whose share is mounted read-only", self.read_only),
            ("A8", "the share is unmounted under a running node", self.unmounted),
        ]

    def mount(self):
        """A filesystem of its own as the share; the two workers see it read-only."""
        ground = self.ground
        run("mount", "-t", "tmpfs", "-o", "size=512m,mode=0755", "share", ground.shared)
        ground.is_mounted = True
        workers = self.work / "workers.yaml"
        workers.write_text(NEVER_LEADS + CONFIGURATION)
        for number in range(3):
            agent = ground.add()
            agent.folder.mkdir()
            agent.shared = agent.folder / "shared"
            agent.shared.mkdir()
            steps = f"mount --bind {ground.shared} {agent.shared}"
            if number > 0:
                agent.configuration = workers
                steps += f" && mount -o remount,bind,ro {agent.shared}"
            agent.inside = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                            f'{steps} && exec "$@"', "sh"]

    def read_only(self, fact):
        need_root("a mount of one's own")
        self.mount()
        ground = self.ground.form()
        archive = ground.release("1.0")
        ground.install("1.0")
        ground.release("1.1")
        ground.install("1.1")
        check(ground.origin.downloads(archive) == 1, "1.0 was downloaded more than once")
        for agent in ground.agents[1:]:
            state = agent.row()["storage"]
            check(state.startswith("read-only"), f"the share of {agent.name} is {state}")
            refused = inside(agent, "touch", agent.shared / "releases" / "x")
            check(refused.returncode != 0, f"{agent.name} can write on the share")
            check(agent.row()["ready"] and agent.row()["version"] == "1.1",
                  f"{agent.name} shows {agent.row()}")
        fact("two workers cannot write on the share, say read-only, and were installed and "
             "upgraded")
        fact(f"the leader sees {ground.agents[0].row()['storage']}, and publishes")

    def unmounted(self, fact):
        need_root("a mount of one's own")
        ground = self.ground
        node, witness = ground.agents[1], ground.agents[0]
        check(witness.alive and node.alive, "the cluster of A9 is not there")
        pids = sorted(node.services())
        done = inside(node, "umount", "--lazy", node.shared)
        check(done.returncode == 0, f"umount: {done.stderr}")
        began = time.monotonic()
        state = until(lambda: (lambda s: s if s.startswith("lost") else None)(
            witness.row(node)["storage"]), 30,
            lambda _: f"after 30 s {witness.name} reads: {witness.row(node)['storage']}")
        took = time.monotonic() - began
        self.ledger.figure("a share unmounted under a node, said by name", took, 30, "s", "30 s")
        fact(f"{witness.name} reads of {node.name} after {took:.1f} s: {state}")
        check(sorted(node.services()) == pids, f"the service of {node.name} was touched")
        done = inside(node, "sh", "-c", f"mount --bind {ground.shared} {node.shared} && "
                      f"mount -o remount,bind,ro {node.shared}")
        check(done.returncode == 0, f"mount: {done.stderr}")
        began = time.monotonic()
        until(lambda: witness.row(node)["storage"].startswith("read-only"), 30,
              lambda _: f"mounted again for 30 s, and it is {witness.row(node)['storage']}")
        took = time.monotonic() - began
        self.ledger.figure("mounted again, right by itself", took, 30, "s")
        ground.release("1.2")
        ground.install("1.2")
        fact(f"mounted again: read-only after {took:.1f} s by itself, its service ran on, and the "
             "next upgrade takes it along")


class MountGround(Ground):
    """Takes its share's mount away, which would keep its folder from being removed."""

    is_mounted = False

    def children(self):
        """What agents have started: each sees the share at a place of its own."""
        return children_of(self.agents)

    def end(self):
        left = super().end()
        if self.is_mounted:
            run("umount", self.shared)
        return left


class NetworkShare:
    """The share is another machine's directory, over sshfs; the network to it is cut and heals."""

    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = NetworkGround(work, program, "network", 3)
        self.cases = [
            ("network", "the share over a network: one download, all run it", self.install),
            ("network-cut", "the way to the share is cut: said by name, the service runs on",
             self.cut),
            ("network-heal", "it heals, in the middle of an upgrade", self.heal),
        ]

    def install(self, fact):
        need_root("a network namespace")
        missing = [name for name in ("sshfs", "ip", "nft") if not shutil.which(name)]
        if missing or not any(map(os.path.exists, SFTP_SERVERS)):
            raise Skipped(f"not installed: {', '.join(missing) or 'openssh-sftp-server'}")
        if not os.path.exists("/dev/fuse"):
            raise Skipped("this kernel has no /dev/fuse")
        ground = self.ground
        ground.build()
        ground.form()
        archive = ground.release("1.0")
        ground.announce(archive, f"file://{archive.path}")
        ground.install("1.0")
        types = {agent.row()["volume"]["type"] for agent in ground.agents}
        copies = {agent.row()["copy"] for agent in ground.agents}
        check(types == {"fuse"} or all("fuse" in t for t in types), f"mounted are {types}")
        check(len(copies) == 1, f"they run {copies}")
        ground.whole()
        fact(f"three nodes, each with a {types.pop()} mount of its own: all run {copies.pop()}")

    def need_network(self):
        if not self.ground.bridge:
            raise Skipped("there is no share over a network here")

    def cut(self, fact):
        self.need_network()
        ground = self.ground
        self.node = node = ground.followers()[0]
        witness = next(agent for agent in ground.agents if agent is not node)
        pids = sorted(node.services())
        self.cut_off(node)
        began = time.monotonic()
        state = until(lambda: (lambda s: s if s.startswith("lost") else None)(
            witness.row(node)["storage"]), 30,
            lambda _: f"after 30 s {witness.name} reads: {witness.row(node)['storage']}")
        took = time.monotonic() - began
        self.ledger.figure("a share that does not answer, said by name", took, 30, "s", "30 s")
        check(sorted(node.services()) == pids, f"the service of {node.name} was touched")
        check(witness.row(node)["state"] == "alive", f"{node.name} is not alive")
        fact(f"after {took:.1f} s: {state}; {node.name} is alive and its service runs")

    def cut_off(self, node):
        self.ground.hosts[node.name].nft(f"""
            table inet cutting {{
              chain out {{ type filter hook output priority 0; tcp dport {SFTP_PORT} drop; }}
              chain in {{ type filter hook input priority 0; tcp sport {SFTP_PORT} drop; }}
            }}""")

    def heal(self, fact):
        """No upgrade begins while a share is lost, so the way is cut when one has begun."""
        self.need_network()
        ground, node = self.ground, self.node
        leader = ground.leader()
        archive = ground.release("1.1")
        ground.announce(archive, f"file://{archive.path}")
        refused = refusal_of(leader, "1.1")
        check("its storage is lost" in refused, f"it was not refused for the share: {refused}")
        ground.hosts[node.name].nft("table inet cutting\ndelete table inet cutting\n")
        for agent in ground.live:
            until(lambda: agent.row(node)["storage"] == "ready", 40,
                  lambda _: f"{agent.name} reads {agent.row(node)['storage']} of {node.name}")
        self.cut_off(node)
        ground.want("1.1")
        time.sleep(5)
        phase = leader.plan()["phase"]
        check(phase == "downloading", f"{node.name} cannot have verified it, and it is {phase}")
        ground.hosts[node.name].nft("table inet cutting\ndelete table inet cutting\n")
        began = time.monotonic()
        ground.settle("--version", "1.1", limit=110)
        took = time.monotonic() - began
        until(lambda: node.row()["storage"] == "ready", 30,
              lambda _: f"the share of {node.name} is {node.row()['storage']}")
        self.ledger.figure("the network to the share heals, the upgrade ends", took, 100, "s")
        ground.whole()
        fact(f"the upgrade waited for {node.name}, stopped nobody meanwhile, and ended "
             f"{took:.1f} s after the network was back")


def refusal_of(agent, version):
    try:
        agent.muster("set", "--cluster", "version", version)
    except Broken as refusal:
        return str(refusal)
    return "it was taken"


class NetworkGround(Ground):
    """Each node in a network namespace of its own, the share's server in another."""

    bridge = None

    def __init__(self, *all):
        super().__init__(*all)
        self.hosts, self.mounts, self.listener = {}, [], None

    def host(self, number):
        return network.Bridge.address(number + 1) if self.bridge else super().host(number)

    def build(self):
        for line in network.run("ip", "netns", "list").splitlines():
            name = line.split(" ", 1)[0]
            if name.startswith("ma-") and not os.path.exists(f"/proc/{name.split('-')[1]}"):
                subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=60)
        self.bridge = network.Bridge(f"ma-{os.getpid()}", self.expect + 1)
        server = self.bridge.hosts[0]
        with server.entered():
            self.listener = socket.create_server((self.bridge.address(0), SFTP_PORT))
        threading.Thread(target=self.serve, daemon=True).start()
        for number in range(self.expect):
            agent, host = self.add(), self.bridge.hosts[number + 1]
            self.hosts[agent.name] = host
            agent.folder.mkdir()
            agent.shared = agent.folder / "shared"
            agent.shared.mkdir()
            mount = subprocess.Popen(
                ["ip", "netns", "exec", host.name, "unshare", "--mount", "--propagation",
                 "private", "sshfs", "-f", "-o",
                 f"directport={SFTP_PORT},dir_cache=no,attr_timeout=0,entry_timeout=0",
                 f"{self.bridge.address(0)}:{self.shared}", str(agent.shared)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=open(agent.folder / "sshfs.log", "wb"))
            self.mounts.append(mount)
            agent.inside = ["nsenter", f"--target={mount.pid}", "--mount", "--net"]
            until(lambda: is_mounted(mount, agent.shared), 10,
                  lambda _: (agent.folder / "sshfs.log").read_text())

    def serve(self):
        """One sftp-server a connection, as sshd would start it."""
        program = next(path for path in SFTP_SERVERS if os.path.exists(path))
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.mounts.append(subprocess.Popen([program], stdin=connection, stdout=connection,
                                                    stderr=subprocess.DEVNULL))

    def children(self):
        """What agents have started: each sees the share at a place of its own."""
        return children_of(self.agents)

    def end(self):
        try:
            # A mount that does not answer would hold its agent, and a case may have broken there.
            for host in self.hosts.values():
                with contextlib.suppress(RuntimeError):
                    host.nft("table inet cutting\ndelete table inet cutting\n")
            left = super().end()
        finally:
            if self.listener:
                self.listener.shutdown(socket.SHUT_RDWR)
                self.listener.close()
            for process in self.mounts:
                process.kill()
                process.wait()
            if self.bridge:
                self.bridge.remove()
        return left


def children_of(agents):
    """Processes whose parent is one of the agents: {pid: (parent, words)}."""
    parents = {agent.process.pid for agent in agents if agent.process}
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent in parents:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                found[int(entry.name)] = (parent, words)
        except (OSError, IndexError):
            continue
    return found


def is_mounted(process, path):
    if process.poll() is not None:
        raise Broken(f"sshfs ended with {process.returncode}")
    try:
        return f" {path} fuse" in pathlib.Path(f"/proc/{process.pid}/mounts").read_text()
    except OSError:
        return False


def inside(agent, *words):
    """Runs a command where the agent lives."""
    return subprocess.run(["nsenter", f"--target={agent.process.pid}", "--mount",
                           *map(str, words)], capture_output=True, text=True, timeout=30)


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=30)
    check(done.returncode == 0, f"{words[0]}: {done.stderr.strip()}")
