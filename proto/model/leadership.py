#!/usr/bin/env python3
"""A model of the leader, the lease and the register of Muster; see README.md beside it."""

import argparse
import multiprocessing
import sys
import time
from collections import Counter

sys.dont_write_bytecode = True  # before what is imported next

from bugs import BUGS
from conformance import check_files
from invariants import Violation
from world import World

# Mode, nodes, voters at the start (0: an odd number of all), planned size (0: all).
MODES = {
    'mix': [(5, 0, 0), (3, 0, 0), (7, 0, 0), (5, 3, 0), (5, 1, 0)],
    'isolate': [(5, 0, 0), (3, 0, 0)],
    'restart': [(5, 0, 0), (3, 0, 0)],
    'churn': [(5, 0, 0), (3, 0, 0), (7, 5, 0)],
    'timeless': [(5, 0, 0), (3, 0, 0), (7, 3, 0)],
    'storm': [(5, 0, 0), (3, 0, 0)],
    'founding': [(5, 0, 5), (3, 0, 3), (6, 0, 3), (5, 0, 4)],
    'merging': [(6, 0, 3), (8, 0, 3)],
    'insider': [(5, 0, 0), (4, 3, 0)],
}


def one(job):
    mode, seed, nodes, voters, expect, bugs, off = job
    world = World(seed, mode, nodes, voters or None, expect or None, bugs, off)
    try:
        world.run()
    except Violation as violation:
        return seed, nodes, world.stats, violation.name, f'{world.now / 1e9:.3f} s: {violation}'
    return seed, nodes, world.stats, None, ''


def results(jobs, workers):
    if workers == 1:
        yield from map(one, jobs)
        return
    with multiprocessing.Pool(workers) as pool:
        yield from pool.imap(one, jobs, chunksize=4)


def run(options):
    switches = next((b.switches for b in BUGS if b.name == options.bug), (options.bug,))
    bugs = switches if options.bug else ()
    failed = 0
    for mode in [options.mode] if options.mode else MODES:
        begun, total, bad = time.monotonic(), Counter(), []
        shapes = MODES[mode]
        jobs = [(mode, seed, *shapes[seed % len(shapes)], bugs, tuple(options.off))
                for seed in range(options.start, options.start + options.seeds)]
        for seed, nodes, stats, name, what in results(jobs, options.jobs):
            total.update(stats)
            if name:
                bad.append((seed, nodes, what))
        took = time.monotonic() - begun
        leased = 100 * total['leased'] // max(1, total['samples'])
        counts = ', '.join(f'{total[k]} {k}' for k in (
            'elections', 'commits', 'changes', 'resigned', 'crashes', 'pauses', 'cuts'))
        print(f'{mode:9} {options.seeds} runs in {took:.0f} s: {counts}; leased {leased} % of '
              f'the time; {len(bad)} violations', flush=True)
        for seed, nodes, what in bad[:5]:
            print(f'  --mode {mode} --start {seed} --seeds 1 ({nodes} nodes), {what}')
        failed += len(bad)
    return 1 if failed else 0


def bugs(options):
    failed = False
    print(f'{"bug":5} {"mode":9} {"caught by":10} {"seeds":>6}  what')
    for bug in BUGS:
        if options.only and bug.name not in options.only:
            continue
        limit = min(bug.seeds, options.limit)
        jobs = ((bug.mode, seed, bug.nodes, 0, bug.expect, bug.switches, bug.off)
                for seed in range(limit))
        caught, tried = None, 0
        for seed, nodes, stats, name, what in map(one, jobs):
            tried += 1
            if name:
                caught = name
                break
        right = caught in bug.caught_by if bug.caught_by else caught is None
        failed = failed or not right
        note = '' if right else '   <- WRONG' + (f': {what}' if caught else '')
        without = f' [without {", ".join(bug.off)}]' if bug.off else ''
        print(f'{bug.name:5} {bug.mode:9} {caught or "-":10} {tried:6}  {bug.what}{without}{note}',
              flush=True)
    return 1 if failed else 0


def check(options):
    return check_files(options.files, options.jobs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser('run', help='random runs of the rules as they are')
    part.add_argument('--seeds', type=int, default=100, help='runs of each mode')
    part.add_argument('--start', type=int, default=0)
    part.add_argument('--mode', choices=MODES)
    part.add_argument('--bug', help='a planted bug by its name in the table')
    part.add_argument('--off', action='append', default=[], help='an invariant to leave out')
    part.add_argument('--jobs', type=int, default=1)
    part.set_defaults(call=run)
    part = parts.add_parser('bugs', help='every planted bug, and what catches it')
    part.add_argument('--only', action='append')
    part.add_argument('--limit', type=int, default=1_000_000, help='seeds for each at most')
    part.set_defaults(call=bugs)
    part = parts.add_parser('check', help="traces of the daemon's core against the rules")
    part.add_argument('files', nargs='+')
    part.add_argument('--jobs', type=int, default=1)
    part.set_defaults(call=check)
    options = parser.parse_args()
    sys.exit(options.call(options))


if __name__ == '__main__':
    main()
