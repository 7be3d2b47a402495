"""Many agents of one system: one reader stamps what all of them say, as they say it."""

import os
import select
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


class Node:
    def __init__(self, number, host, namespace):
        self.number = number
        self.name = f"n{number}"
        self.key = self.name.encode()
        self.host = host
        self.namespace = namespace
        self.process = None
        self.tail = b""
        self.last_lines = []
        self.believed = set()
        self.full_at = None

    @property
    def runs(self):
        return self.process is not None and self.process.poll() is None


class Fleet:
    """Nodes by number, and every event that one of them has told: (time, node, kind, subject)."""

    def __init__(self, system, hosts, namespaces, seed):
        self.system = system
        self.seed = seed
        self.nodes = [Node(number, host, namespace)
                      for number, (host, namespace) in enumerate(zip(hosts, namespaces))]
        self.epoll = select.epoll()
        self.by_descriptor = {}
        self.events = []
        self.killed = set()
        self.false_deaths = 0
        self.full = 0
        self.present = set()

    # Starting and ending

    def start(self, numbers):
        """Starts agents one right after the other; returns when the first and the last was."""
        stamps = []
        for number in numbers:
            node = self.nodes[number]
            command = self.system.command(node.name, node.host, self.seed)
            read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            os.set_blocking(write, True)
            # The first stamp is before the first start, the last one after the last.
            stamps = stamps or [time.monotonic()]
            with node.namespace.entered():
                node.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=write,
                                                stderr=write, cwd="/")
            os.close(write)
            self.by_descriptor[read] = node
            self.epoll.register(read, select.EPOLLIN)
            node.tail, node.believed, node.full_at = b"", {node.key}, None
            self.killed.discard(node.key)
            self.present.add(node.key)
            self.pump(0)
        self.recount()
        return stamps[0], time.monotonic()

    def kill(self, number):
        """Ends one without a word; returns when."""
        node = self.nodes[number]
        self.killed.add(node.key)
        self.present.discard(node.key)
        node.process.send_signal(signal.SIGKILL)
        when = time.monotonic()
        node.process.wait()
        node.full_at = None
        self.recount()
        return when

    def end(self):
        for node in self.nodes:
            if node.process:
                node.process.kill()
        for node in self.nodes:
            if node.process:
                node.process.wait()
        for descriptor in self.by_descriptor:
            os.close(descriptor)
        self.by_descriptor = {}
        self.epoll.close()

    # Reading

    def pump(self, seconds):
        """Reads what is there, waiting at most so long for something to come."""
        for descriptor, _ in self.epoll.poll(seconds):
            node = self.by_descriptor[descriptor]
            data = os.read(descriptor, 1 << 16)
            now = time.monotonic()
            if not data:
                self.epoll.unregister(descriptor)
                del self.by_descriptor[descriptor]
                os.close(descriptor)
                continue
            *lines, node.tail = (node.tail + data).split(b"\n")
            node.last_lines = lines[-3:] or node.last_lines
            for line in lines:
                said = self.system.read(line)
                if said:
                    self.note(now, node, *said)

    def note(self, now, node, kind, subject):
        self.events.append((now, node.key, kind, subject))
        if kind == "alive":
            node.believed.add(subject)
        elif kind == "dead":
            node.believed.discard(subject)
            if subject not in self.killed:
                self.false_deaths += 1
        else:
            return
        self.recount_node(node, now)

    def recount_node(self, node, now):
        if not node.runs:
            return
        if self.present <= node.believed:
            node.full_at = node.full_at or now
        else:
            node.full_at = None

    def recount(self):
        now = time.monotonic()
        for node in self.nodes:
            if node.runs:
                self.recount_node(node, now)

    def wait(self, seconds, condition):
        """Reads until `condition` holds; False when it did not in time."""
        until = time.monotonic() + seconds
        while not condition():
            left = until - time.monotonic()
            if left <= 0:
                return False
            self.pump(min(left, 0.2))
        return True

    def rest(self, seconds):
        self.wait(seconds, lambda: False)

    # Questions

    @property
    def running(self):
        return [node for node in self.nodes if node.runs]

    def all_full(self):
        """When the last node saw everybody, if all do."""
        stamps = [node.full_at for node in self.nodes if node.key in self.present]
        return None if None in stamps else max(stamps)

    def told(self, kind, subject, since):
        """When each node first said so since then."""
        first = {}
        for when, key, its_kind, its_subject in reversed(self.events):
            if when < since:
                break
            if its_kind == kind and its_subject in (subject, b""):
                first[key] = when
        return first

    def update(self, number, value, seconds=10):
        """Changes a value at one node; returns when it was asked and when each had heard."""
        node = self.nodes[number]
        asked = time.monotonic()
        with node.namespace.entered():
            command = subprocess.Popen(
                self.system.update(node.name, node.host, value), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        others = len(self.running) - 1
        self.wait(seconds, lambda: sum(
            key != node.key for key in self.told("update", node.key, asked)) >= others)
        command.wait(10)
        heard = self.told("update", node.key, asked)
        heard.pop(node.key, None)
        return asked, heard


def processor_seconds(node):
    """User and system time of a process so far."""
    with open(f"/proc/{node.process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(node):
    """Resident and proportional size of a process, in MiB."""
    with open(f"/proc/{node.process.pid}/smaps_rollup") as file:
        lines = file.read().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return sizes["Rss"] / 1024, sizes["Pss"] / 1024
