"""Bugs that are planted on purpose: a checker that does not fail on them proves nothing."""

from typing import NamedTuple


class Bug(NamedTuple):
    name: str
    what: str
    switches: tuple
    mode: str
    caught_by: tuple  # invariants that may catch it; empty: inert
    nodes: int = 5
    expect: int = 0
    off: tuple = ()  # invariants left out, where they would see the bug before it does harm
    seeds: int = 2_000


BUGS = [
    Bug('M1', 'lease counted from the receipt of promises', ('M1',), 'mix', ('I2', 'I11')),
    Bug('M1b', 'the same, and nobody watches cut-off leaders', ('M1',), 'mix', ('I2',),
        off=('I11',)),
    Bug('M2', 'no margin for clock rates in the lease', ('M2',), 'isolate', ('I2',), 3,
        off=('I11',)),
    Bug('M3', 'no quarantine after a restart', ('M3',), 'restart', ('I8',)),
    Bug('M3b', 'the same, seen by its harm', ('M3',), 'restart', ('I2',), off=('I8',)),
    Bug('M4', 'vote while promised', ('M4',), 'storm', ('I8',)),
    Bug('M4b', 'the same, seen by its harm', ('M4',), 'storm', ('I2',), off=('I8',)),
    Bug('M5', 'no look at the register of a candidate; candidates do not abort either',
        ('M5', 'M5b'), 'timeless', ('I4', 'I5', 'I6')),
    Bug('M6', 'several voters change at once', ('M6',), 'churn', ('I7',)),
    Bug('M6b', 'the same, chains allow it, and nobody counts', ('M6b',), 'timeless',
        ('I1', 'I4', 'I5', 'I6'), off=('I7',), seeds=4_000),
    Bug('M7', 'the next register on top of one that is not committed', ('M7',), 'timeless',
        ('I1', 'I4', 'I5', 'I6')),
    Bug('M8', 'vote shown before it is on disk', ('M8',), 'storm', ('I9',)),
    Bug('M8b', 'the same, seen by its harm', ('M8',), 'storm', ('I3',), off=('I9',)),
    Bug('M9', 'a lost disk keeps its identity', ('M9',), 'mix', ('I3', 'I12'),
        off=('L1',)),
    Bug('M10', 'an exception for the leader one is promised to', ('M10',), 'mix', (), seeds=500,
        off=('I8',)),
    Bug('M11', 'a change of voters may shorten the lease', ('M11',), 'churn', ('I10',)),
    Bug('M12', 'a pause that stops the clock', ('M12',), 'mix', ('I2',), off=('I11',)),
    Bug('M12b', 'the same, but for leases', ('M12',), 'mix', (), off=('I2', 'I11'), seeds=500),
    Bug('M13', 'commit without a look at the term, leaders deaf to higher terms', ('M13',),
        'timeless', ('I4', 'I5', 'I6')),
    Bug('M14', 'resignation shown before the lease is dropped', ('M14',), 'mix', ('I2',),
        off=('L1',)),
    Bug('M15', "a sole voter's copy counts before it is on disk", ('M15',), 'storm',
        ('I4', 'I5', 'I6'), 1),
    Bug('C1', 'a leader is believed without a certificate', ('UNCERTIFIED-LEADER',), 'insider',
        ('C',)),
    Bug('C2', 'an insider inflates the term: others than voters are read', ('ANY-TERM',),
        'insider', ('C',)),
    Bug('C3', 'a register is believed without its chain', ('UNCERTIFIED-REGISTER',), 'insider',
        ('C',)),
    Bug('C4', 'who lost the chain believes any member in reach', ('REJOIN-ANYBODY',), 'insider',
        ('C',)),
    Bug('F1', 'founding with a majority of the planned nodes', ('F-MAJORITY',), 'founding',
        ('I13',)),
    Bug('F2', 'a sealed founding is left for a better one', ('F-SEALED',), 'founding',
        ('I12', 'I13'), 6, 3),
    Bug('F3', 'the vote in a founding that is left is forgotten', ('F-FORGET-VOTE',), 'merging',
        ('I3', 'I12'), 6, 3, seeds=4_000),
    Bug('F4', 'moving to another founding ends a promise', ('F-PROMISE',), 'merging',
        ('I8',), 6, 3, seeds=4_000),
    Bug('R1', 'who lost the chain to the present register waits for it for ever',
        ('NO-REJOIN',), 'storm', ('L1',)),
]
