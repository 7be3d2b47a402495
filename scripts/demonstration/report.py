"""What is printed when all of it held: the timeline, the table, the listing and the figures."""

import datetime

from story import FIRST, SECOND


def print_report(screen, story):
    cluster = story.cluster
    for agent in cluster.live:
        agent.remember()
    start = min(agent.started_at for agent in cluster.agents)
    events = merged(cluster, start)
    print_discovery(screen, cluster, start)
    print_timeline(screen, events)
    for version in (FIRST, SECOND):
        print_release(screen, cluster, events, start, version)
    screen.heading("The nodes, as one of them sees them")
    screen.line(cluster.live[0].muster("members").rstrip())
    screen.heading("The shared directory")
    for path in story.listing():
        full = cluster.shared / path
        size = f"{full.stat().st_size:>12,}" if full.is_file() else f"{'':12}"
        screen.line(f"{full.stat().st_mode & 0o7777:04o} {size}  {path}")
    screen.heading("Measured")
    for what, took, limit in story.figures:
        bound = f"  (at most {limit:g} s)" if limit else ""
        screen.line(f"{took:8.3f} s  {what}{bound}")


def merged(cluster, start):
    """All histories as one: (seconds since `start`, who tells it, event)."""
    return sorted(
        ((seconds(event["at"]) - start, agent.name, event)
         for agent in cluster.agents for event in agent.history),
        key=lambda entry: entry[0])


def seconds(at):
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()


def print_discovery(screen, cluster, start):
    screen.heading("Who found whom (seconds since the first agent was started)")
    for agent in cluster.agents:
        found = {}
        for event in agent.history:
            if event["kind"] == "member-alive" and event["node"] != agent.name:
                found.setdefault(event["node"], (seconds(event["at"]) - start, event["via"]))
        ways = ", ".join(f"{name} {at:.3f} by {via}"
                         for name, (at, via) in sorted(found.items(), key=lambda row: row[1]))
        screen.line(f"{agent.name}  {ways}")


def print_timeline(screen, events):
    """What several nodes saw is told once, by the first that saw it."""
    screen.heading("Timeline")
    told = {}
    for at, witness, event in events:
        what = describe(event, witness)
        if what is None:
            continue
        subject, text = what
        if told.get(subject) != text:
            told[subject] = text
            screen.line(f"{at:8.3f}  {text}")


def describe(event, witness):
    """What an event is about and a sentence for it; nothing for what is too small to tell."""
    kind, node = event["kind"], event["node"]
    version = event.get("version")
    match kind:
        case "agent-started":
            return (kind, witness), f"{witness} starts"
        case "founded":
            return kind, f"{witness} founds the cluster with voters {', '.join(event['voters'])}"
        case "sealed":
            return kind, "the founding is sealed: no second cluster can come of it"
        case "leader-changed":
            leads = f"{event['leader'] or 'nobody'} leads in term {event['term']}"
            return (kind, leads), leads
        case "role-changed":
            return (kind, node), f"{node} is {event['role'] or 'without a role'}"
        case "member-suspect":
            return ("member", node), f"{node} is suspected"
        case "member-dead":
            return ("member", node), f"{node} is dead"
        case "member-left":
            return ("member", node), f"{node} has left"
        case "plan-downloading" | "plan-prepare" | "plan-complete" | "plan-rolling-back":
            change = f"{event['from']} to {event['to']}" if event["from"] else event["to"]
            return (kind, event["plan"]), f"plan {change}: {kind.removeprefix('plan-')}"
        case "acknowledged":
            word = event["acknowledgement"]
            return (kind, node, event["plan"], word), f"{node} acknowledges: {word}"
        case "release-fetching" | "release-published" | "release-verified":
            return (kind, node, version), f"{node} {fetching[kind]} {version}"
        case "release-changed" if "version" in event:
            return (kind, version), f"the release is {version}"
        case "release-failed" | "service-failed":
            return (kind, node, event["at"]), f"{node}: {kind}: {event['reason']}"
        case "service-ready":
            return (kind, node, event["at"]), f"{node} serves: {event['service']} {version}"
        case "service-stopped":
            return (kind, node, event["at"]), f"{node} stopped {event['service']}"
    return None


fetching = {"release-fetching": "fetches", "release-published": "publishes",
            "release-verified": "has verified"}


def print_release(screen, cluster, events, start, version):
    """Per node: how long it waited for the release, and when it served. For a node that joined
    later the time counts from its own start."""
    screen.heading(f"Release {version} (seconds since it was ordered, or since the node's start)")
    ordered = next((at for at, _, event in events
                    if event["kind"].startswith("plan-") and event.get("to") == version), 0)

    def first(name, kind, since, until):
        return next((at for at, teller, event in events
                     if teller == name and event["kind"] == kind and since <= at <= until
                     and event.get("version", version) == version), None)

    kinds = ["release-fetching", "release-published", "release-verified", "service-stopped",
             "service-ready"]
    screen.line("node   " + "".join(f"{kind.split('-')[1]:>11}" for kind in kinds))
    for agent in cluster.agents:
        since = max(ordered, agent.started_at - start)
        ready = first(agent.name, "service-ready", since, float("inf"))
        if ready is not None:
            times = [first(agent.name, kind, since, ready) for kind in kinds]
            screen.line(f"{agent.name:<7}" + "".join(
                f"{'-':>11}" if at is None else f"{at - since:>11.3f}" for at in times))
