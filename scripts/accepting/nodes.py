"""Clusters of small releases whose service starts and stops as slowly as a case asks."""

import json
import os
import random
import subprocess
import threading
import time

import cluster as machines
from ground import (
    Refusal, Silence, SlowOrigin, StormAgent, StormCluster, pack_release, published)
from ledger import Skipped
from report import seconds
from screen import Broken, check, until
from share import Share
from story import cluster_file

WEB_PORT = 8080

# Answers with its version, with its environment when asked for it, and is as slow as it is told.
SERVER = b"""\
import json, os, signal, socket, sys, time
host, version = sys.argv[1:]

def slowness(name):
    wanted = os.environ.get(name, "0").split("=")
    return float(wanted[-1]) if len(wanted) == 1 or wanted[0] == version else 0.0

def stop(*_):
    time.sleep(slowness("STOP_SECONDS"))
    os._exit(0)

signal.signal(signal.SIGTERM, stop)
time.sleep(slowness("START_SECONDS"))
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((host, 8080))
listener.listen(64)
while True:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(1)
        try:
            asked = connection.recv(4096).split()[1]
            text = json.dumps(dict(os.environ)) if asked == b"/environment" else version
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d"
                               b"\\r\\n\\r\\n%s" % (len(text.encode()), text.encode()))
        except (OSError, IndexError):
            pass
"""

CONFIGURATION = """\
services:
  answer:
    roles: [web, worker]
    command: [python3, -S, -E, "{{release.directory}}/bin/server.py", "{{node.host}}",
              "{{release.version}}"]
    environment:
      SET_BY_CONFIGURATION: "{{node.name}}"
      SET_BY_BOTH: configuration
    ready:
      http: "http://{{node.host}}:8080/ready"
      interval: 100ms
    stop:
      signal: TERM
      limit: 100s
"""

PAYLOAD = 400_000


def make_release(folder, version, payload=PAYLOAD, program=SERVER):
    """An archive whose bytes depend on its version alone; `payload` of them do not compress."""
    files = {"bin/server.py": program, "share/data": random.Random(version).randbytes(payload)}
    return pack_release(folder, version, files)


class WatchedOrigin(SlowOrigin):
    """Knows how many downloads run at a time, and can hold them back."""

    def __init__(self, shared, complain):
        super().__init__(shared, complain)
        self.running = self.most = 0
        self.ranges = []
        self.open = threading.Event()
        self.open.set()

    def answer(self, request):
        if request.command == "GET":
            self.open.wait(60)
            self.ranges.append(request.headers.get("Range", ""))
        super().answer(request)

    def send(self, file, connection):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            super().send(file, connection)
        finally:
            with self.lock:
                self.running -= 1


class Node(StormAgent):
    """One agent of a case, with an environment of its own."""

    def __init__(self, cluster, number):
        super().__init__(cluster, number)
        self.environment = dict(cluster.environment)

    def services(self):
        """The service processes of this agent: {pid: words}."""
        found = {}
        for pid, (parent, words) in self.cluster.children().items():
            if parent == self.process.pid and not words[0].endswith("muster-fetch"):
                found[pid] = words
        return found

    def row(self, of=None):
        """What this node shows of itself, or of another."""
        wanted = (of or self).name
        return next((row for row in self.ask("GET", "/members") if row["name"] == wanted), {})

    def status(self):
        return self.ask("GET", "/status")

    def plan(self):
        try:
            return self.status()["plan"]
        except (Silence, Refusal):
            return {"phase": "unknown"}

    def when(self, kind, version=None, after=0.0):
        """The moment of the first event of a kind in this node's history, or nothing."""
        return next((seconds(event["at"]) for event in self.history
                     if event["kind"] == kind and seconds(event["at"]) >= after
                     and version in (None, event.get("version"))), None)


class Ground(StormCluster):
    """A cluster with its releases, its origin, and a watch that a partial release would trip."""

    place = "127.110"

    def __init__(self, work, program, name, expect, configuration=CONFIGURATION):
        work.mkdir()
        file = work / "muster.yaml"
        if isinstance(configuration, str):
            file.write_text(configuration)
        else:
            file = configuration
        super().__init__(work, program, file)
        self.violations = []
        self.archives = work / "archives"
        self.archives.mkdir()
        self.origin = WatchedOrigin(self.shared, self.complain)
        self.share = Share(self.shared)
        self.expect = expect
        outcome = subprocess.run(
            [str(program), "init", "--name", name, "--expect", str(expect), "--out",
             str(work / "cluster")], capture_output=True, text=True, env=self.environment)
        check(outcome.returncode == 0, f"muster init: {outcome.stderr.strip()}")
        self.file = cluster_file(work / "cluster")

    def complain(self, what):
        if what not in self.violations:
            self.violations.append(what)

    def add(self):
        agent = Node(self, len(self.agents))
        self.agents.append(agent)
        return agent

    def form(self):
        """Starts as many agents as the cluster expects, and waits for their leader."""
        while len(self.agents) < self.expect:
            self.add()
        for agent in self.agents:
            agent.start()
        self.settle("--members", self.expect, "--leader", limit=30)
        return self

    def settle(self, *condition, limit=60):
        for agent in self.live:
            agent.listening()
        self.on_all("wait", *condition, "--timeout", f"{limit}s")

    def release(self, version, payload=PAYLOAD, program=SERVER):
        archive = make_release(self.archives, version, payload, program)
        self.origin.offer(archive)
        self.announce(archive)
        return archive

    def announce(self, archive, url=None):
        self.insist("release", "add", archive.version, "--source", url or self.origin.url(archive),
                    "--sha256", archive.sha256)

    def insist(self, *words, limit=30):
        """Asks again while the cluster has no leader, or is still at the plan before."""
        deadline = time.monotonic() + limit
        while True:
            try:
                return self.live[-1].muster(*words)
            except Broken:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def want(self, version):
        self.insist("set", "--cluster", "version", version)

    def install(self, version, limit=60):
        self.want(version)
        self.settle("--version", version, limit=limit)

    def leader(self):
        """Who holds the lease by its own word."""
        def holder():
            for agent in self.live:
                try:
                    if agent.status()["lease"]["held_here"]:
                        return agent
                except (Silence, Refusal):
                    continue
            return None
        return until(holder, 30, "nobody leads for 30 s")

    def followers(self):
        leader = self.leader()
        return [agent for agent in self.live if agent is not leader]

    def whole(self, thoroughly=True):
        """Nothing on the share but whole releases, and no complaint of the origin."""
        wrong = self.share.look(thoroughly) + self.violations
        check(not wrong, "; ".join(wrong))

    def published(self, version):
        return published(self.shared, version)

    def remember(self):
        for agent in self.live:
            agent.remember()

    def end(self):
        """Ends every agent and says what outlived them."""
        self.origin.open.set()
        self.origin.close()
        self.claim.close()
        for agent in self.agents:
            if agent.alive:
                # A case that broke may have left slow services; the end need not wait for them.
                for pid in agent.services():
                    kill(pid)
        self.stop()
        left = {pid: words for pid, (_, words) in self.children().items()}
        for pid in left:
            kill(pid)
        return left


def kill(pid):
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        pass


def body_of(agent, path):
    from traffic import ask
    text = until(lambda: ask(agent.host, WEB_PORT, path), 10, f"{agent.name} serves nothing")
    return json.loads(text) if path == "/environment" else text


def need_root(what):
    if os.geteuid() != 0:
        raise Skipped(f"{what} needs root")
