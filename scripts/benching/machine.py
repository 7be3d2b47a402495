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


def load():
    return os.getloadavg()[0]
