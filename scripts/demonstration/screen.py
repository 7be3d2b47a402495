"""What a person watches: one line a step, alive while it works."""

import contextlib
import signal
import sys
import threading
import time
import traceback


class Broken(Exception):
    """A step did not hold; the text says what was expected and what was found."""


class Screen:
    """Prints steps. On a terminal the running step shows its elapsed time; in a log each step is
    a line when it begins and a line when it ends."""

    def __init__(self, stream=sys.stdout):
        self.stream = stream
        self.terminal = stream.isatty()
        self.begun = time.monotonic()
        self.number = 0

    def elapsed(self):
        return time.monotonic() - self.begun

    def line(self, text=""):
        print(text, file=self.stream, flush=True)

    def heading(self, text):
        self.line()
        self.line(f"\033[1m{text}\033[0m" if self.terminal else f"== {text}")

    @contextlib.contextmanager
    def step(self, title):
        """Runs one step and yields the function that adds a fact below it."""
        self.number += 1
        began = time.monotonic()
        label = f"{self.number:2}  {title}"
        ended = threading.Event()
        facts = []
        if self.terminal:
            spinner = threading.Thread(target=self._spin, args=(label, began, ended), daemon=True)
            spinner.start()
        else:
            self.line(f"..  {label}")
        outcome = "failed"
        try:
            yield facts.append
            outcome = "ok"
        finally:
            ended.set()
            took = f"{time.monotonic() - began:.1f} s"
            if self.terminal:
                spinner.join()
                mark = "\033[32m✓\033[0m" if outcome == "ok" else "\033[31m✗\033[0m"
                self.line(f"\r\033[K{mark}   {label}  \033[2m{took}\033[0m")
            else:
                self.line(f"{outcome:<6}{self.number:2}  {took}")
            for fact in facts:
                self.line(f"        {fact}")

    def _spin(self, label, began, ended):
        frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
        turn = 0
        while True:
            elapsed = time.monotonic() - began
            self.stream.write(f"\r\033[K{frames[turn % len(frames)]}   {label}  {elapsed:.0f} s")
            self.stream.flush()
            turn += 1
            if ended.wait(0.1):
                return


def until(condition, limit, otherwise, every=0.02):
    """The first true answer of `condition`, asked again and again for at most `limit` seconds.
    `otherwise` is the reason to give, or a function that makes it from the last answer."""
    deadline = time.monotonic() + limit
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Broken(otherwise(answer) if callable(otherwise) else otherwise)
        time.sleep(every)


def attempt(action, misunderstood):
    """Why the action did not end well, or nothing; whatever comes in between, also a signal to end.

    Afterwards a second interrupt must not leave processes behind, and is not heard any more."""
    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    reason = ""
    try:
        action()
    except Broken as broken:
        reason = str(broken) or misunderstood
    except KeyboardInterrupt:
        reason = "interrupted"
    except Exception:
        reason = f"{misunderstood}\n{traceback.format_exc()}"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return reason


def check(condition, otherwise):
    if not condition:
        raise Broken(otherwise)
