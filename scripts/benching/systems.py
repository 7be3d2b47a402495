"""The two systems under measurement: how each is started, told and read."""

import pathlib
import subprocess
import tempfile

GOSSIP_PORT = 7946
RPC_PORT = 7373
MULTICAST = "239.77.80.1:7980"


class Muster:
    """Real `muster agent` processes with everything sealed and signed, which is all there is."""

    name = "muster"

    def __init__(self, program, work):
        self.program = str(program)
        self.work = work

    def prepare(self, count):
        """A fresh cluster for `count` agents."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muster.", dir=self.work))
        (self.folder / "shared").mkdir()
        subprocess.run([self.program, "init", "--name", "bench", "--expect", str(count),
                        "--out", str(self.folder / "keys")], check=True,
                       stdout=subprocess.DEVNULL, timeout=30)

    def command(self, name, host, seed):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        way = (["--multicast", MULTICAST] if seed is None
               else ["--multicast", "off", "--join", f"{seed}:{GOSSIP_PORT}"])
        return [self.program, "agent", "--cluster", str(self.folder / "keys/cluster"),
                "--name", name, "--state", str(folder / "state"),
                "--shared", str(self.folder / "shared"), "--bind", f"{host}:{GOSSIP_PORT}",
                "--control", str(folder / "control"), "--log-level", "debug", *way]

    def update(self, name, host, value):
        return [self.program, "set", "bench", value,
                "--control", str(self.folder / name / "control")]

    @staticmethod
    def read(line):
        """What a line of the log says: (kind, subject), or None."""
        said = line.partition(b": ")[2]
        subject, _, rest = said.partition(b" ")
        if b" is alive, found" in rest:
            return "alive", subject
        if b" is suspected by" in rest:
            return "suspect", subject
        if b" is dead, say" in rest:
            return "dead", subject
        if b"data of" in rest and rest.endswith(b"has changed"):
            return "update", b""
        if b" founded " in said or said.startswith(b"joined the cluster"):
            return "founded", b""
        return None


class Serf:
    """Debian's serf with its LAN profile, neither sealed nor signed: its default, and its best."""

    name = "serf"

    def __init__(self, work):
        self.work = work

    def prepare(self, count):
        pass

    def command(self, name, host, seed):
        way = (["-discover", "bench", "-iface", "eth0"] if seed is None
               else ["-retry-join", f"{seed}:{GOSSIP_PORT}", "-retry-interval", "1s"])
        return ["serf", "agent", "-node", name, "-bind", f"{host}:{GOSSIP_PORT}",
                "-rpc-addr", f"{host}:{RPC_PORT}", "-profile", "lan", "-log-level", "info", *way]

    def update(self, name, host, value):
        return ["serf", "tags", f"-rpc-addr={host}:{RPC_PORT}", "-set", f"bench={value}"]

    @staticmethod
    def read(line):
        _, found, said = line.partition(b"serf: EventMember")
        if not found:
            if b"memberlist: Suspect " in line:
                return "suspect", line.partition(b"Suspect ")[2].split(b" ", 1)[0]
            return None
        kind, _, rest = said.partition(b": ")
        kind = {b"Join": "alive", b"Failed": "dead", b"Update": "update"}.get(kind)
        return (kind, rest.split(b" ", 1)[0]) if kind else None
