"""Network namespaces that a run makes and takes away again, and what is counted and lost in them."""

import contextlib
import ctypes
import json
import os
import re
import subprocess

CLONE_NEWNET = 0x4000_0000
# Ethernet, of which the kernel's counters below know nothing: what they count begins with IP.
LINK_HEADER = 14

LIBC = ctypes.CDLL(None, use_errno=True)


def run(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def sweep():
    """Removes what a run has left that was killed before it could do so itself."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split(" ", 1)[0]
        found = re.fullmatch(r"mb-(\d+)(-.*)?", name)
        if found and not os.path.exists(f"/proc/{found[1]}"):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=60)


class Namespace:
    """A namespace of its own with a loopback interface, where every 127.0.0.0/8 address is at home."""

    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, timeout=60)

    @contextlib.contextmanager
    def entered(self):
        """What is started meanwhile lives in the namespace: a child inherits its parent's."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            enter(there)
            yield
        finally:
            enter(home)
            os.close(home)
            os.close(there)

    def nft(self, rules):
        with self.entered():
            run("nft", "-f", "-", text=rules)

    def count(self):
        """Begins to count what is sent, by protocol."""
        self.nft("""
            table inet counting {
              counter sent_udp {}
              counter sent_tcp {}
              chain sent {
                type filter hook output priority 0;
                meta l4proto udp counter name sent_udp
                meta l4proto tcp counter name sent_tcp
              }
            }""")

    def count_groups(self):
        """Begins to count what is sent to groups, whoever hears it."""
        self.nft("""
            table inet counting {
              counter sent_groups {}
              chain sent {
                type filter hook output priority 0;
                ip daddr 224.0.0.0/4 meta l4proto udp counter name sent_groups
              }
            }""")

    def counted(self):
        """Packets and bytes sent, by protocol; the bytes with IP and link headers."""
        with self.entered():
            listed = json.loads(run("nft", "-j", "list", "counters"))["nftables"]
        counters = [item["counter"] for item in listed if "counter" in item]
        return {c["name"].removeprefix("sent_"): (c["packets"], c["bytes"] + LINK_HEADER * c["packets"])
                for c in counters}

    def lose(self, percent, only=""):
        """Drops UDP datagrams at random as they arrive; `only` narrows it down."""
        self.nft("table inet losing\ndelete table inet losing\n")
        if percent:
            self.nft(f"""
                table inet losing {{
                  chain arrived {{
                    type filter hook input priority 0;
                    meta l4proto udp {only} numgen random mod 100 < {percent} drop
                  }}
                }}""")


def enter(descriptor):
    if LIBC.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Bridge:
    """A switch with one namespace a host, for what only a network with several machines shows."""

    def __init__(self, name, hosts):
        self.name = name
        self.hosts = []
        self.switch = Namespace(f"{name}-sw")
        run("ip", "-n", self.switch.name, "link", "add", "br0", "type", "bridge",
            "mcast_snooping", "0", "forward_delay", "0")
        run("ip", "-n", self.switch.name, "link", "set", "br0", "up")
        for number in range(hosts):
            self.add(number)

    def add(self, number):
        host = Namespace(f"{self.name}-{number}")
        self.hosts.append(host)
        run("ip", "-n", self.switch.name, "link", "add", f"v{number}", "type", "veth",
            "peer", "name", "eth0", "netns", host.name)
        run("ip", "-n", self.switch.name, "link", "set", f"v{number}", "master", "br0", "up")
        run("ip", "-n", host.name, "-batch", "-", text="\n".join([
            f"addr add {self.address(number)}/16 dev eth0", "link set eth0 up",
            "route add 224.0.0.0/4 dev eth0", ""]))

    @staticmethod
    def address(number):
        return f"10.80.{number // 250}.{number % 250 + 1}"

    def remove(self):
        for host in self.hosts:
            host.remove()
        self.switch.remove()
