"""Where the turns of a loop begin that are not quite equal.

A gradient adds to what was there before, but not in the first turn that reaches it; a turn takes one branch or the
other. No period is found then, but there is a call that each turn has once. Cut before that call, the turns have a few
forms between them.
"""

from itertools import pairwise

import numpy as np

__all__ = ["landmarks"]

FEWEST, SHORTEST, LONGEST = 6, 25, 1200
"""How many turns there are at least, and how many calls they have."""
MOST_TRIED = 24
"""How many calls are tried as landmarks."""
ALIKE = 1.25
"""Of cuts whose turns come out about as different, the fewest are made, and where the fewest values pass over them."""


def landmarks(symbols: np.ndarray, uses: np.ndarray) -> tuple[list[int], int]:
    """Positions at which turns begin, and how many calls are left to compile with them.

    Parameters
    ----------
    symbols : ndarray of int64, shape (n,)
        What each call does.
    uses : ndarray of int64, shape (m, 2)
        Pairs of calls of which the second uses what the first gives; positions of others are outside of ``0 .. n``.

    Returns
    -------
    positions : list of int
        Empty where no call is of use as a landmark; then the other number is `n`.
    left : int
        The calls of different turns, and of what is before and behind all turns.
    """
    n = len(symbols)
    counts = np.bincount(symbols)
    names = np.flatnonzero(counts)
    counts = counts[names]
    names = names[(counts >= FEWEST) & (n >= counts * SHORTEST) & (n <= counts * LONGEST)]
    if not len(names):
        return [], n
    found = []
    for name in names[:: -(-len(names) // MOST_TRIED)]:
        positions = np.flatnonzero(symbols == name)
        found.append((_left(symbols, positions), positions))
    least = min(left for left, _ in found)
    close = [(left, positions) for left, positions in found if left <= ALIKE * least]
    left, positions = min(close, key=lambda choice: (len(choice[1]), _crossing(uses, choice[1])))
    return positions.tolist(), left


def _left(symbols: np.ndarray, positions: np.ndarray) -> int:
    """The calls that are compiled if turns begin at these positions."""
    bounds = positions.tolist()
    turns = {symbols[a:b].tobytes() for a, b in pairwise(bounds)}
    behind = len(symbols) - bounds[-1] + bounds[0]
    return sum(map(len, turns)) // symbols.itemsize + behind


def _crossing(uses: np.ndarray, positions: np.ndarray) -> int:
    """How many uses pass from one turn to another."""
    marks = np.zeros(max(int(uses.max(initial=0)), int(positions[-1])) + 2, np.int32)
    marks[positions + 1] = 1
    turns = np.cumsum(marks, dtype=np.int32)[np.maximum(uses, -1) + 1]
    return int(np.count_nonzero(turns[:, 0] != turns[:, 1]))
