"""Who asks the demonstrated service: a steady client, and a watch over processes that end."""

import http.client
import os
import select
import threading
import time


def ask(host, port, path="/", timeout=2):
    """The body of a successful answer, or nothing."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace").strip()
        return body if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Client:
    """Asks again and again and remembers when it was answered, and what."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.answers = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _ask(self):
        while not self.ended.wait(0.01):
            body = ask(self.host, self.port)
            if body is not None:
                self.answers.append((time.monotonic(), body))

    def longest_silence(self):
        times = [at for at, _ in self.answers]
        return max((b - a for a, b in zip(times, times[1:])), default=0)


class Departures:
    """Notes the moment at which each of some processes ends."""

    def __init__(self, pids):
        self.times = {}
        self.poll = select.poll()
        self.descriptors = {}
        for pid in pids:
            descriptor = os.pidfd_open(pid)
            self.descriptors[descriptor] = pid
            self.poll.register(descriptor, select.POLLIN)
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while self.descriptors:
            for descriptor, _ in self.poll.poll():
                self.times[self.descriptors.pop(descriptor)] = time.clock_gettime(
                    time.CLOCK_BOOTTIME)
                self.poll.unregister(descriptor)
                os.close(descriptor)

    def all_gone(self):
        return not self.thread.is_alive()
