"""What the cluster has to do while it is being hit: data is set, releases come, versions change."""

import random
import threading
import time

from ground import Refusal, Silence

WRITES_PER_SECOND = 20
KEYS = 6


class Writer:
    """Sets data of random nodes, about twenty times a second."""

    def __init__(self, cluster, seed, complain):
        self.cluster = cluster
        self.random = random.Random(seed)
        self.complain = complain
        self.kept = self.unanswered = 0
        self.running = threading.Event()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._write, daemon=True)

    def _write(self):
        number = 0
        due = time.monotonic()
        while not self.ended.is_set():
            due = max(due + 1 / WRITES_PER_SECOND, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))
            if not self.running.is_set():
                continue
            agent = self.random.choice(self.cluster.agents)
            number += 1
            try:
                agent.keep(f"storm/{self.random.randrange(KEYS)}", number)
                self.kept += 1
            except Silence:
                self.unanswered += 1
            except Refusal as refusal:
                self.complain(f"a value was refused: {refusal}")

    def pause(self):
        """No write is under way any more when this returns."""
        self.running.clear()
        for agent in self.cluster.agents:
            with agent.lock:
                pass

    def resume(self):
        self.running.set()


class Operator:
    """Announces releases and asks for versions, at any agent that answers, until it is done."""

    def __init__(self, cluster, origin, seed, complain):
        self.cluster = cluster
        self.origin = origin
        self.random = random.Random(seed)
        self.complain = complain
        self.wanted = None
        self.asked = 0
        self.thread = None

    @property
    def busy(self):
        return self.thread is not None and self.thread.is_alive()

    def want(self, archive, limit):
        """Asks for a version in the background; the one before has to be through."""
        self.wanted = archive
        self.asked += 1
        self.thread = threading.Thread(target=self._insist, args=(archive, limit), daemon=True)
        self.thread.start()

    def _insist(self, archive, limit):
        release = {"version": archive.version, "source": self.origin.url(archive),
                   "sha256": archive.sha256}
        wish = {"key": "version", "value": archive.version, "cluster": True}
        deadline = time.monotonic() + limit
        answer = "nobody answered"
        while time.monotonic() < deadline:
            agent = self.random.choice(self.cluster.agents)
            try:
                if agent.ask("GET", "/status")["settings"].get("version") == archive.version:
                    return
                agent.ask("POST", "/release", release, timeout=35)
                agent.ask("POST", "/set", wish, timeout=35)
                return
            except Silence:
                pass
            except Refusal as refusal:
                # A plan under way refuses the next one, and a cluster without a leader both.
                answer = str(refusal)
            time.sleep(0.1)
        self.complain(f"version {archive.version} was not accepted in {limit} s: {answer}")
