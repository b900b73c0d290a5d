"""Turns of a loop that are of one form, found all at once.

Most turns do what another one does with what lies as far back. So one of them is brought into its form step by step;
the operands of the others are the rows of a matrix, and those of which it can be told that they have the same form are
not looked at any further.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wengert.compiler.columns import Columns, distinct, starts_of

__all__ = ["Alike", "alike"]


@dataclass(slots=True)
class Alike:
    """Turns beside a first one: whether each has its form, and what it takes from outside and gives."""

    same: np.ndarray
    outside: np.ndarray
    outputs: np.ndarray


def alike(
    columns: Columns, rows: np.ndarray, starts: np.ndarray, outside: np.ndarray, *, base: np.ndarray,
    last: np.ndarray, number: Callable, head: Callable,
) -> Alike:  # fmt: skip
    """Which turns have the form of a first one.

    Parameters
    ----------
    columns : Columns
        The program.
    rows : ndarray
        The rows of the first turn.
    starts : ndarray
        The first rows of all turns, of this one in the first place; they do the same, at the same distances.
    outside : ndarray
        What the first turn takes from outside, in the order of its form.
    base, last : ndarray
        For each row the one in whose memory it lies, and the last one that uses it.
    number, head : callable
        For the row of a constant the number of what it means, or `None`; for a call the number of what it gives.
    """
    at = starts[:, None] + (rows - rows[0])
    operands = _operands(columns, rows, at)
    near = operands - starts[:, None]
    inside = np.isin(near[0], rows - rows[0])
    same = (near[:, inside] == near[0, inside]).all(1)
    beyond = operands[:, ~inside]
    same &= (base[beyond] < starts[:, None]).all(1)  # nothing is a piece of what the turn makes itself
    free = np.isin(beyond[0], outside)
    same &= (beyond[:, ~free] == beyond[0, ~free]).all(1)
    values = beyond[:, free]
    place = {row: k for k, row in reversed(list(enumerate(values[0].tolist())))}
    first = [place[row] for row in outside.tolist()]
    order = {row: k for k, row in enumerate(outside.tolist())}
    taken = values[:, first]
    same &= (values == taken[:, [order[row] for row in values[0].tolist()]]).all(1)
    same &= (np.diff(np.sort(taken, 1), axis=1) != 0).all(1)
    same &= _mean_nothing(columns, taken, number) & _give_alike(columns, taken, head)
    used = last[at] > at[:, -1:]
    same &= (used == used[0]).all(1)
    return Alike(same, taken, at[:, used[0]])


def _operands(columns: Columns, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The operands of each turn, one after the other."""
    counts = np.diff(columns.starts)[rows]
    within = np.arange(counts.sum()) - np.repeat(starts_of(counts)[:-1], counts)
    return columns.operands[np.repeat(columns.starts[at], counts, axis=1) + within]


def _mean_nothing(columns: Columns, taken: np.ndarray, number: Callable) -> np.ndarray:
    """For each turn whether nothing that it takes is a constant that is part of the code."""
    is_constant = np.array([call.name == "constant" for call in columns.calls], bool)
    constants = distinct(taken[is_constant[columns.symbols[taken]]])
    part = [row for row in constants.tolist() if number(row) is not None]
    return np.asarray(~np.isin(taken, part).any(1))


def _give_alike(columns: Columns, taken: np.ndarray, head: Callable) -> np.ndarray:
    """For each turn whether what it takes is of the same shapes and dtypes as in the first."""
    symbols = columns.symbols[taken]
    heads = np.zeros(len(columns.calls), np.int64)
    for symbol in distinct(symbols).tolist():
        heads[symbol] = head(symbol)
    return np.asarray((heads[symbols] == heads[symbols[0]]).all(1))
