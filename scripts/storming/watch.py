"""Who watches during the storm: leases, the share and the logs, all the time."""

import collections
import re
import threading
import time

from ground import Refusal, Silence

LINE = re.compile(r"\d{4}-\d\d-\d\dT\S+ (debug|info|warning|error) (\S+?): (.*)")


class Leases:
    """Asks every agent again and again whether it holds the lease.

    One process that says so twice in one term held it in between. Nobody else may have said so at
    a moment that lies wholly within that time."""

    def __init__(self, cluster, complain):
        self.cluster = cluster
        self.complain = complain
        self.lock = threading.Lock()
        # By process: (agent, term, the end of the first answer, the beginning of the last).
        self.spans = {}
        self.claims = collections.deque(maxlen=400)
        self.terms = set()
        self.statuses = {}
        self.asked = 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(agent,), daemon=True)
                        for agent in cluster.agents]

    def _ask(self, agent):
        while not self.ended.wait(0.1):
            if not agent.alive:
                continue
            pid, began = agent.process.pid, time.monotonic()
            try:
                status = agent.ask("GET", "/status", timeout=2)
            except (Silence, Refusal):
                continue
            with self.lock:
                self.asked += 1
                self.statuses[agent.name] = (began, status)
                if status["lease"]["held_here"]:
                    self._claim(agent.name, pid, status["term"], began, time.monotonic())

    def _claim(self, name, pid, term, began, ended):
        self.terms.add(term)
        _, _, first, _ = self.spans.get((pid, term), (name, term, ended, began))
        self.spans[pid, term] = (name, term, first, began)
        self.claims.append((name, pid, term, began, ended))
        for span_pid, span_term in list(self.spans):
            holder, _, first, last = self.spans[span_pid, span_term]
            for other, other_pid, other_term, other_began, other_ended in self.claims:
                if (other_pid, other_term) != (span_pid, span_term) and (
                        first <= other_began and other_ended <= last):
                    self.complain(
                        f"two leases at once: {holder} in term {span_term} and {other} in term "
                        f"{other_term}")
            if last < began - 60:
                del self.spans[span_pid, span_term]

    def status(self, agent):
        """What an agent said last, if that was lately."""
        with self.lock:
            asked, status = self.statuses.get(agent.name, (0, {}))
        return status if asked > time.monotonic() - 1 else {}

    def leader(self):
        """The agent that held the lease when it was asked last."""
        return next((agent for agent in self.cluster.agents if agent.alive
                     and self.status(agent).get("lease", {}).get("held_here")), None)

    def upgrading(self):
        return any(self.status(agent).get("plan", {}).get("phase", "idle") != "idle"
                   for agent in self.cluster.agents)


class ShareWatch:
    """Looks at the share all the time, and thoroughly when asked to."""

    def __init__(self, share, complain):
        self.share = share
        self.complain = complain
        self.lock = threading.Lock()
        self.looks = 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._watch, daemon=True)]

    def _watch(self):
        while not self.ended.wait(0.03):
            self.look()

    def look(self, thoroughly=False):
        with self.lock:
            self.looks += 1
            for wrong in self.share.look(thoroughly):
                self.complain(wrong)


class Logs:
    """Reads what agents log: no error may be in it, and nothing that is not a line of the log."""

    def __init__(self, cluster, complain):
        self.cluster = cluster
        self.complain = complain
        self.read = collections.Counter()
        self.warnings = collections.Counter()

    def look(self):
        for agent in self.cluster.agents:
            with open(agent.log, "rb") as file:
                file.seek(self.read[agent.name])
                text = file.read()
            whole = text[:text.rfind(b"\n") + 1]
            self.read[agent.name] += len(whole)
            for line in whole.decode(errors="replace").splitlines():
                self._judge(agent, line)

    def _judge(self, agent, line):
        found = LINE.fullmatch(line)
        if not found or found[1] == "error":
            self.complain(f"{agent.name} logged: {line}")
        elif found[1] == "warning":
            kind = re.sub(r"[0-9a-f]{8,}", "…", re.sub(r"ci/\d+", "NODE", found[3]))
            self.warnings[re.sub(r"\d+", "N", kind)] += 1
