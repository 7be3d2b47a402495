"""The machine that the figures are from, and how steady it was meanwhile."""

import os
import platform
import time


def describe():
    model = "unknown"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {"date": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
            "cores": len(os.sched_getaffinity(0)), "model": model, "kernel": platform.release()}


def spin():
    """How long a fixed piece of work takes here and now, in milliseconds: the machine's mood."""
    began = time.perf_counter()
    total = 0
    for number in range(400_000):
        total += number & 7
    assert total
    return (time.perf_counter() - began) * 1000


class Watch:
    """What share of the machine others took: work that this run has not started, and time that
    the host gave to other guests. A comparison beside them measures them, too."""

    def __init__(self):
        self.last = busy(), own(), time.monotonic()

    def others(self):
        """Their share of all processors since it was asked the last time; 0 when that was now.
        Only children that have ended and were waited for are known to be this run's own."""
        (spent, ours, when), self.last = self.last, (busy(), own(), time.monotonic())
        span = (self.last[2] - when) * len(os.sched_getaffinity(0))
        if span < 0.05:
            return 0.0
        return min(1.0, max(0.0, ((self.last[0] - spent) - (self.last[1] - ours)) / span))


def busy():
    """Seconds that processes and other guests have had. What the kernel does between processes is
    not counted: datagrams on their way are this run's own."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, _, _, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + steal) / os.sysconf("SC_CLK_TCK")


def own():
    """Seconds that this process and its children have had."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
