"""A worker whose own disk stops answering: it lives, hears of the stop, and never says that it has."""

import shutil
import subprocess
import time

from nodes import CONFIGURATION, Ground, need_root
from ledger import Skipped
from screen import check, until

NODES = 4
STOP_LIMIT = 5
# What is allowed on top of the limit of a service: see "Timers" in proto/README.md.
ALLOWANCE = 5
MARGIN = 3
IMAGE_BYTES = 64 << 20
# A disk that is frozen answers again after so long, whatever becomes of this program.
LONGEST_FREEZE = 90


class Stuck:
    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = DiskGround(
            work, program, "stuck", NODES,
            CONFIGURATION.replace("limit: 100s", f"limit: {STOP_LIMIT}s"))
        limit = STOP_LIMIT + ALLOWANCE
        self.cases = [
            ("A4-stop", "one worker lives and never says that it has stopped: overtaken by name "
             f"after {limit} s", self.proceed),
            ("A4-stop-abort", "the same, and the policy is to give up: everyone goes back",
             self.abort),
        ]

    def proceed(self, fact):
        need_root("a disk of one's own")
        ground = self.ground
        ground.build()
        ground.form()
        ground.release("1.0")
        ground.install("1.0")
        mute, leader = ground.agents[-1], ground.leader()
        freeze, plan, waited = self.silence(mute, leader, "1.1", "proceed", "complete")
        named = [p["node"] for p in plan["participants"] if p["overtaken"]]
        check(named == [mute.name], f"overtaken, by the leader's word: {named}")
        for agent in ground.live:
            if agent is not mute:
                self.runs(agent, "1.1")
        check(leader.row(mute)["state"] == "alive", f"{mute.name} was no live node")
        check(mute.row()["version"] == "1.0", f"{mute.name} runs {mute.row()['version']}")
        fact(f"after {waited:.1f} s the others went on, and {mute.name} is named as overtaken; it "
             "is alive to everyone and runs on")
        freeze.end()
        self.runs(mute, "1.1")
        until(lambda: leader.plan()["phase"] == "idle", 30, "the plan does not end")
        fact(f"{mute.name} followed by itself when its disk answered")

    def abort(self, fact):
        ground = self.ground
        mute, leader = ground.agents[-1], ground.leader()
        freeze, _, waited = self.silence(mute, leader, "1.2", "abort", "rolling-back")
        freeze.end()
        until(lambda: leader.plan()["phase"] == "idle", 30, "it rolls back for ever")
        reason = leader.plan().get("failure") or ""
        check("has not said stopped" in reason, f"the reason is another: {reason}")
        for agent in ground.live:
            self.runs(agent, "1.1")
        check(leader.status()["settings"]["version"] == "1.1", "the version is wanted again")
        ground.whole()
        fact(f"given up after {waited:.1f} s: {reason}; everyone runs 1.1 again")

    def silence(self, mute, leader, version, policy, phase):
        """Lets everyone verify a version, freezes one node's disk, and has the plan go on."""
        ground = self.ground
        ground.origin.open.clear()
        ground.release(version)
        ground.insist("upgrade", version, "--policy", policy)
        until(lambda: leader.plan()["phase"] == "downloading", 30, "no plan begins")
        leader.muster("upgrade", "pause")
        ground.origin.open.set()
        until(lambda: all(p["acknowledgement"] == "verified"
                          for p in leader.plan().get("participants", [{"acknowledgement": ""}])),
              60, lambda _: f"not all have verified {version}: {leader.plan()}")
        freeze = ground.freeze()
        leader.muster("upgrade", "resume")
        self.seen(leader, "prepare", 10)
        began = time.monotonic()
        limit = STOP_LIMIT + ALLOWANCE
        plan = self.seen(leader, phase, limit + 30)
        waited = time.monotonic() - began
        check(waited > limit - MARGIN, f"it waited for {waited:.1f} s only")
        self.ledger.figure(f"a live worker that never says stopped holds the others up ({policy})",
                           waited, limit + MARGIN, "s")
        return freeze, plan, waited

    def seen(self, leader, phase, limit):
        return until(lambda: (lambda p: p if p["phase"] == phase else None)(leader.plan()), limit,
                     lambda _: f"no {phase}, but {leader.plan()}", every=0.05)

    def runs(self, agent, version):
        until(lambda: agent.row()["version"] == version and agent.row()["ready"], 30,
              lambda _: f"{agent.name} does not run {version}: {agent.row()}")


class DiskGround(Ground):
    """The last node keeps its state on a filesystem of its own, which can be frozen."""

    disk = None
    frozen = None

    def build(self):
        for tool in ("mkfs.ext4", "fsfreeze"):
            if not shutil.which(tool):
                raise Skipped(f"there is no {tool}")
        image, disk = self.work / "disk.image", self.work / "disk"
        with open(image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        disk.mkdir()
        for words in (["mkfs.ext4", "-q", "-F", image], ["mount", "-o", "loop", image, disk]):
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                  timeout=60)
            if done.returncode != 0:
                raise Skipped(f"{words[0]}: {done.stderr.strip()}")
        self.disk = disk
        for _ in range(NODES):
            self.add()
        # A leader whose disk is mute is another case: this one never leads.
        worker = self.work / "never-leads.yaml"
        worker.write_text(self.configuration.read_text() + "leader: {priority: 0}\n")
        self.agents[-1].configuration = worker
        self.agents[-1].state = disk / "state"

    def freeze(self):
        self.frozen = Freeze(self.disk)
        return self.frozen

    def end(self):
        if self.frozen:
            self.frozen.end()
        left = super().end()
        if self.disk:
            subprocess.run(["umount", str(self.disk)], capture_output=True, timeout=60)
        return left


class Freeze:
    """Nothing can be written to a disk from now on; what is in memory can be read."""

    def __init__(self, disk):
        # The helper outlives nobody: it thaws when its input ends, and after a while by itself.
        self.process = subprocess.Popen(
            ["bash", "-c", 'fsfreeze -f "$1" && echo frozen; '
             'read -r -t "$2" _; fsfreeze -u "$1"', "bash", str(disk), str(LONGEST_FREEZE)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        check(self.process.stdout.readline() == "frozen\n", f"{disk} cannot be frozen")

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)
