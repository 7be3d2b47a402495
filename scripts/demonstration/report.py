"""What is printed when all of it held: the timeline, the table, the listing and the figures."""

import datetime
import os


def seconds(at):
    """An event's time in seconds since 1970, from text (RFC 3339) or a count of milliseconds."""
    if isinstance(at, str):
        return datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
    return at / 1000


def print_report(screen, story):
    cluster = story.cluster
    for agent in cluster.live:
        agent.remember()
    print_timeline(screen, cluster)
    screen.heading("The nodes")
    screen.line(cluster.live[0].muster("members").rstrip())
    screen.heading("The shared directory")
    for path in story.listing():
        full = cluster.shared / path
        size = f"{full.stat().st_size:>12,}" if full.is_file() else f"{'':12}"
        screen.line(f"{oct(os.lstat(full).st_mode & 0o7777)[2:]:>5} {size}  {path}")
    screen.heading("Measured")
    for what, took, limit in story.figures:
        bound = f"  (at most {limit:g} s)" if limit else ""
        screen.line(f"{took:8.3f} s  {what}{bound}")


def print_timeline(screen, cluster):
    """All histories as one. What several nodes saw is told once, by who saw it first; what
    each node sees for itself (who it found, and how) is told for each."""
    screen.heading("Timeline (seconds since the first agent started)")
    start = min(agent.started_at for agent in cluster.agents)
    rows = []
    for agent in cluster.agents:
        rows += [(seconds(event["at"]) - start, agent.name, event) for event in agent.history]
    told = set()
    for at, witness, event in sorted(rows, key=lambda row: row[0]):
        text, once = describe(event, witness)
        if text is None or (once and text in told):
            continue
        told.add(text)
        screen.line(f"{at:8.3f}  {text}" if once else f"{at:8.3f}  {witness}: {text}")


def describe(event, witness):
    """A sentence for an event, and whether it is told once for the whole cluster."""
    return f"{event['kind']} {event.get('node', '')}", True
