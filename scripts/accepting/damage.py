"""One wrong byte: in what is downloaded, and in what was published."""

import os
import shutil

from archives import Archive
from nodes import Ground
from screen import check, until

NODES = 3
LARGE = 50_000_000


class Damage:
    def __init__(self, ledger, work, program):
        self.ledger = ledger
        self.ground = Ground(work, program, "damage", NODES)
        self.cases = [
            ("A7-download", "one wrong byte of 50 MB on the way is refused", self.on_the_way),
            ("A7", "one wrong byte of a published 50 MB file is refused by all", self.on_the_share),
            ("A7-restart", "no service starts from a wrong byte", self.no_start),
        ]

    def on_the_way(self, fact):
        ground = self.ground.form()
        ground.release("1.0")
        ground.install("1.0")
        good = ground.release("1.1", LARGE)
        bad = self.ground.archives / "bad.tar.gz"
        shutil.copy(good.path, bad)
        flip(bad, good.size // 2)
        served = Archive("1.1", bad)
        ground.origin.files[f"/{good.path.name}"] = served
        ground.want("1.1")
        reason = until(lambda: ground.leader().plan().get("failure"), 60,
                       "the wrong archive was not refused")
        check("sha" in reason.lower(), f"the reason does not say what is wrong: {reason}")
        ground.settle("--version", "1.0", limit=10)
        check(not ground.published("1.1"), f"published all the same: {ground.published('1.1')}")
        fact(f"refused: {reason}")
        fact("1.0 was not stopped for it")
        ground.origin.files[f"/{good.path.name}"] = good
        ground.install("1.1", limit=90)
        fact("from the right bytes the same version installs")

    def on_the_share(self, fact):
        ground = self.ground
        name = ground.published("1.1")[0]
        # What replaces the copy has to wait until everyone has looked at the bad one.
        ground.origin.open.clear()
        ground.share.releases.pop(name, None)
        flip(ground.shared / "releases" / name / "share" / "data", LARGE // 2)
        try:
            for agent in ground.live:
                said = agent.ask("POST", "/release/verify", {"version": "1.1"}, timeout=60)
                found = {problem["path"]: problem["reason"] for problem in said["problems"]}
                check(not said["ok"] and list(found) == ["share/data"],
                      f"{agent.name} says of the wrong copy: {said}")
                fact(f"{agent.name}: {said['directory']}: share/data {found['share/data'][:90]}")
        finally:
            ground.origin.open.set()
        for agent in ground.live:
            until(lambda: agent.status()["release"]["repair"] == 1, 60,
                  lambda _: f"{agent.name} knows no other copy: {agent.status()['release']}")
            agent.muster("release", "verify", "1.1")
        fact("another copy was published by itself, and is right on every node")
        ground.remember()
        check(not any(e["kind"] == "service-stopped" and e.get("version") == "1.1"
                      for a in ground.live for e in a.history), "a service was stopped for it")

    def no_start(self, fact):
        """A service that dies where the copy is wrong stays down until a right one is there."""
        ground = self.ground
        name = next(n for n in ground.published("1.1") if n.endswith("-1"))
        ground.origin.open.clear()
        flip(ground.shared / "releases" / name / "share" / "data", 17)
        victim = ground.followers()[0]
        try:
            for pid in victim.services():
                os.kill(pid, 9)
            reason = until(lambda: victim.row().get("failure"), 20,
                           f"{victim.name} gives no reason")
            check(not victim.services(), f"{victim.name} runs {victim.services()}")
            check("share/data" in reason, f"the reason does not name the file: {reason}")
            fact(f"{victim.name} stays down: {reason[:150]}")
        finally:
            ground.origin.open.set()
        until(lambda: victim.row().get("ready") and victim.row()["copy"].endswith("-2"), 60,
              lambda _: f"{victim.name} does not come back: {victim.row()}")
        fact(f"back by itself on {victim.row()['copy']}, fetched once more")


def flip(path, offset):
    """Changes one byte, as a disk would: in place, size and times kept."""
    status = path.stat()
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))
    path.chmod(status.st_mode & 0o7777)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
