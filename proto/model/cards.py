"""The values that the rules read and write: cards, register entries, certificates, time.

All instants and spans are whole nanoseconds, as in the daemon, so that both compute the same.
"""

from typing import NamedTuple, Optional

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
FOLLOWER, CANDIDATE, LEADER = 0, 1, 2
NONE = (0, 0)  # the version of no register: (term, count)
HISTORY = 64  # register entries kept
LEFT = 16  # foundings left that are remembered
VOTERS = 7
PRIORITY = 100  # of a node that says nothing else; 0 never leads


class Timing:
    """Every time of the rules; see "Timers" in proto/README.md."""

    def __init__(self, promise=4_000 * MILLISECOND):
        self.promise = promise
        self.lease = promise * 9 // 11
        self.heartbeat = 500 * MILLISECOND
        self.window = 5
        self.stagger = 150 * MILLISECOND
        self.jitter = 100 * MILLISECOND
        self.candidate_min = 500 * MILLISECOND
        self.candidate_max = 800 * MILLISECOND
        self.settle = 1 * SECOND
        self.seal = 1 * SECOND
        self.settle_crowded = 3 * SECOND
        self.seal_crowded = 5 * SECOND
        self.chunk_retry = 150 * MILLISECOND
        self.stuck_rest = 30 * SECOND


class Certificate(NamedTuple):
    """The votes for one leader of one term. `valid` names the voters whose signature verifies:
    signatures themselves are outside the model, which only asks whose there are."""

    term: int
    leader: object
    valid: tuple


class Entry(NamedTuple):
    """One version of the register. `body` stands for everything in it that the rules only
    compare; `digest` names the entry."""

    version: tuple
    digest: object
    parent: object
    founding: object
    voters: tuple
    roster: tuple
    sealed: bool
    proposer: object
    certificate: Optional[Certificate]
    body: object
    signed: bool = True


class Card(NamedTuple):
    """The content of the record `coordination`. `vote_signed`: the vote's signature verifies."""

    founding: object = None
    term: int = 0
    vote: object = None
    vote_signed: bool = False
    register: Optional[tuple] = None  # (version, digest)
    committed: tuple = NONE
    role: int = FOLLOWER
    free: bool = False
    resigned: int = 0
    certificate: Optional[Certificate] = None
    expect: int = 0
    leaving: bool = False
    sealed: bool = False
    priority: int = PRIORITY
    successor: object = None


class Durable(NamedTuple):
    """What is on disk before anybody can see it."""

    founding: object = None
    term: int = 0
    vote: object = None
    committed: tuple = NONE
    entry: Optional[Entry] = None
    committed_entry: Optional[Entry] = None
    left: tuple = ()  # (founding, term, vote)


class Arrival(NamedTuple):
    """A register that was fetched: the chain, newest first, down to one that is held; or one
    entry that is taken on the word of a voter or of a majority."""

    entries: tuple
    trusted: bool
