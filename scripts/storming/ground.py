"""Where the storm happens: small releases, a slow origin that knows what is published, and agents
that can be started again."""

import gzip
import http.client
import io
import json
import os
import pathlib
import random
import socket
import tarfile
import threading
import time

import cluster as machines
from archives import Archive
from origin import Origin

# The service of every release: it answers with its version and does nothing else.
SERVER = b"""\
import socket, sys
host, version = sys.argv[1:]
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((host, 8080))
listener.listen(64)
body = version.encode()
head = b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
while True:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(1)
        try:
            connection.recv(4096)
            connection.sendall(head + body)
        except OSError:
            pass
"""

CONFIGURATION = """\
services:
  answer:
    roles: [web, worker]
    command: [python3, -S, -E, "{{release.directory}}/bin/server.py", "{{node.host}}",
              "{{release.version}}"]
    ready:
      http: "http://{{node.host}}:8080/ready"
      interval: 100ms
    stop:
      signal: TERM
      limit: 2s
"""

PAYLOAD = 400_000
DOWNLOAD_SECONDS = 0.8


def make_release(folder, number):
    """A small archive whose bytes depend on its number alone."""
    version = f"1.{number}"
    noise = random.Random(number)
    files = {
        "bin/server.py": SERVER,
        "share/first": noise.randbytes(PAYLOAD // 2),
        "share/more/second": noise.randbytes(PAYLOAD // 2),
        "share/empty": b"",
    }
    return pack_release(folder, version, files)


def pack_release(folder, version, files):
    """The archive of a release: the same files give the same bytes."""
    path = folder / f"answer-{version}.tar.gz"
    with open(path, "wb") as raw:
        with gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed:
            with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for name, content in files.items():
                    entry = tarfile.TarInfo(name)
                    entry.mode = 0o755 if name.startswith("bin/") else 0o644
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
    return Archive(version, path)


class SlowOrigin(Origin):
    """Serves each archive slowly enough to be interrupted, and notes every request for one that
    is on the shared directory already."""

    def __init__(self, shared, complain):
        super().__init__([])
        self.shared = shared
        self.complain = complain

    def offer(self, archive):
        self.files[f"/{archive.path.name}"] = archive

    def answer(self, request):
        archive = self.files.get(request.path)
        if archive and request.command == "GET":
            visible = published(self.shared, archive.version)
            if visible:
                self.complain(f"{archive.version} was asked for again although {visible[0]} "
                              "was visible already")
        super().answer(request)

    def send(self, file, connection):
        pieces = 40
        size = max(1, os.fstat(file.fileno()).st_size // pieces)
        while piece := file.read(size):
            connection.write(piece)
            connection.flush()
            time.sleep(DOWNLOAD_SECONDS / pieces)


def published(shared, version):
    """The visible directories of one version."""
    return [name for name in names(shared / "releases")
            if not name.startswith(".") and name.rsplit("-", 2)[0] == version]


def names(folder):
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []


class Refusal(Exception):
    """The agent answered, and the answer was no."""


class Silence(Exception):
    """No answer came: the agent is dead, or died while it was asked."""


class ControlConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("agent", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class StormAgent(machines.Agent):
    """An agent that is killed and started again, with the same state, as often as one likes."""

    def __init__(self, cluster, number):
        super().__init__(cluster, number)
        self.begun = 0.0
        self.kills = 0
        # The last values that the agent said were kept: they must outlive every kill.
        self.kept = {}
        self.lock = threading.Lock()

    def start(self, **way):
        super().start(**way)
        self.begun = time.monotonic()
        self.killed = False

    def kill(self):
        super().kill()
        self.kills += 1

    def ask(self, method, target, body=None, timeout=5):
        """One request to the control socket, as the command line makes it."""
        connection = ControlConnection(self.control, timeout)
        try:
            content = json.dumps(body).encode() if body is not None else None
            kind = {"Content-Type": "application/json"} if content else {}
            connection.request(method, target, content, kind)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as trouble:
            raise Silence(f"{self.name}: {trouble}") from None
        finally:
            connection.close()
        if answer.status != 200:
            raise Refusal(f"{self.name}: {answer.status} {text.strip()}")
        return json.loads(text)

    def keep(self, key, value):
        """Sets a value of this node. Only what was acknowledged counts as kept."""
        with self.lock:
            self.ask("POST", "/set", {"key": key, "value": str(value), "cluster": False})
            self.kept[key] = value


class StormCluster(machines.Cluster):
    def __init__(self, *all):
        super().__init__(*all)
        # Whoever looks for a free network asks for its first address, and agents come and go.
        self.claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.claim.bind((super().host(0), machines.GOSSIP_PORT))

    def host(self, number):
        return super().host(number + 1)

    def add(self):
        agent = StormAgent(self, len(self.agents))
        self.agents.append(agent)
        return agent

    def children(self):
        """What agents have started on the shared directory: {pid: (parent, words)}."""
        found = {}
        mark = f"{self.shared}/".encode()
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes()
                if mark in words:
                    parent = machines.parent_of(int(entry.name))
                    found[int(entry.name)] = (parent, words.decode(errors="replace").split("\0"))
            except (OSError, IndexError):
                continue
        return found

    def orphans(self):
        """Services and downloads whose agent is gone."""
        parents = {agent.process.pid for agent in self.agents if agent.alive}
        return {pid: words for pid, (parent, words) in self.children().items()
                if parent not in parents and parent is not None}

    def fetcher(self):
        """The agent that downloads at this moment."""
        for _, (parent, words) in self.children().items():
            if words[0].endswith("muster-fetch"):
                return next((a for a in self.agents if a.alive and a.process.pid == parent), None)
        return None

