"""The program under test: built in release mode from this very tree."""

import pathlib
import subprocess

from screen import Broken, check

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent


def build(screen, work, skip):
    """Builds in release mode and returns the program."""
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib"]
    if not skip:
        with screen.step("build in release mode") as fact:
            log = work / "build.log"
            with open(log, "wb") as output:
                outcome = subprocess.run(command, cwd=PROJECT, stdin=subprocess.DEVNULL,
                                         stdout=output, stderr=subprocess.STDOUT)
            if outcome.returncode != 0:
                fact(log.read_text(errors="replace")[-3000:])
                raise Broken(f"swift build ended with {outcome.returncode}")
    found = subprocess.run([*command, "--show-bin-path"], cwd=PROJECT, capture_output=True,
                           text=True, check=True, stdin=subprocess.DEVNULL)
    program = pathlib.Path(found.stdout.strip()) / "muster"
    check(program.exists(), f"{program} is missing: run without --no-build")
    return program
