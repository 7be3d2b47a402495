"""scripts/storm: agents are killed at random moments, under load, and must come back each time."""

import argparse
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "demonstration"))

import ordeal
from storm import Storm


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/storm",
        description="Kills agents with SIGKILL at random moments while data is set, releases are "
        "fetched and versions change. After each gust of kills: no state refused, no partial "
        "release visible, no second download of a finished one, no two leases, all converged.")
    return ordeal.add_options(
        parser, 20, (200, "how many; 200 when not given, 12 take less than a minute"),
        "moments and victims")


def main():
    options = arguments()

    def play(storm, screen):
        with screen.step("a cluster that runs its first release"):
            storm.begin()
        storm.rage(options.kills)
        storm.end()

    return ordeal.endure("storm", options, "kills", Storm, play)


sys.exit(main())
