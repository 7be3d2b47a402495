"""The signed receive path on one core, and a crash while one member is flooded with forgeries."""

import json
import pathlib
import statistics
import subprocess

import fleet
from network import Namespace
from twins import hosts

AGENTS = 8
FLOODED = 3
CRASHED = 5
PER_SECOND = 100_000
CRASHES = 3


def run(system, results, options):
    program = pathlib.Path(system.program).parent / "muster-bench-receive"
    if not program.exists():
        raise RuntimeError(f"{program} is missing: swift build -c release --static-swift-stdlib")
    results.begin("the receive path, on one core")
    path(program, results)
    for turn in range(options.rounds):
        results.begin(f"a crash, calm and under a flood, round {turn + 1}")
        crash(program, system, results, options)


def path(program, results):
    words = ["taskset", "-c", "0", program, "path", "5"]
    found = json.loads(subprocess.run(
        words, capture_output=True, text=True, check=True, timeout=300).stdout)
    for figures in found["rounds"]:
        for measure, key in (("verify alone/s", "verify_alone"),
                             ("fresh records/s", "fresh_records"),
                             ("replayed dropped/s", "replayed"),
                             ("forged dropped/s", "forged_pair"),
                             ("forged as first contact dropped/s", "forged_cluster")):
            results.add("receive", 1, measure, "muster", figures[key])
        results.add("receive", 1, "fresh records, of verify alone", "muster",
                    figures["fresh_records"] / figures["verify_alone"])


def crash(program, system, results, options):
    space = Namespace(f"mb-{options.tag}")
    system.prepare(AGENTS)
    addresses = hosts(AGENTS)
    agents = fleet.Fleet(system, addresses, [space] * AGENTS, seed=addresses[0])
    flood = None
    try:
        agents.start(range(AGENTS))
        if not agents.wait(30, lambda: agents.all_full() is not None):
            raise RuntimeError("the agents that were to be flooded did not find each other")
        agents.rest(8)
        calm = [detection(agents) for _ in range(CRASHES)]
        target = agents.nodes[FLOODED]
        # Half of the forgeries show a member, half of them nobody.
        hints = [member_of(system, agents, 0)[:16], "0123456789abcdef"]
        before, spent = status(system, agents)["datagrams_received"], fleet.processor_seconds(target)
        with space.entered():
            flood = subprocess.Popen(
                [program, "flood", "127.80.9.9:0", f"{target.host}:7946", str(PER_SECOND),
                 str(12 + CRASHES * 9), *hints], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, text=True)
        agents.rest(5)
        flooded = [detection(agents) for _ in range(CRASHES)]
        sent = int(flood.communicate(timeout=120)[0])
        arrived = status(system, agents)["datagrams_received"] - before
        spent = fleet.processor_seconds(target) - spent
        for measure, value in (
                ("crash, calm: last says dead", middle(calm)),
                ("crash under the flood: last says dead", middle(flooded)),
                ("crash under the flood: last, of the calm one", share(flooded, calm)),
                ("flood: sent, thousands", sent / 1000),
                ("flood: read, of those sent", arrived / sent),
                ("flood: CPU a datagram, µs", spent / max(1, arrived) * 1e6),
                ("flood: false deaths", agents.false_deaths)):
            results.add("receive", AGENTS, measure, "muster", value)
    finally:
        if flood and flood.poll() is None:
            flood.kill()
            flood.wait()
        agents.end()
        space.remove()


def detection(agents):
    when = agents.kill(CRASHED)
    victim = agents.nodes[CRASHED]
    others = len(agents.running)
    known = agents.wait(30, lambda: len(agents.told("dead", victim.key, when)) >= others)
    dead = agents.told("dead", victim.key, when)
    agents.start([CRASHED])
    agents.wait(30, lambda: agents.all_full() is not None)
    agents.rest(4)
    return max(dead.values()) - when if known else None


def middle(values):
    return None if None in values else statistics.median(values)


def share(flooded, calm):
    return None if None in flooded + calm else middle(flooded) / middle(calm)


def ask(system, agents, words):
    control = system.folder / agents.nodes[FLOODED].name / "control"
    done = subprocess.run([system.program, *words, "--json", "--control", str(control)],
                          capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout)


def status(system, agents):
    return ask(system, agents, ["status"])["counters"]


def member_of(system, agents, number):
    name = agents.nodes[number].name
    return next(row["id"] for row in ask(system, agents, ["members"]) if row["name"] == name)
