"""Where a program is cut: a loop is recorded as its turns, one after the other."""

from itertools import pairwise
from typing import Any

import numpy as np

from wengert.compiler.columns import SHORT, distinct
from wengert.compiler.landmarks import landmarks

__all__ = ["cut"]

LARGEST = SHORT
"""The calls of a chunk where nothing repeats."""
MUCH, BETTER = 0.25, 0.6
"""Turns that are not quite equal are looked for where that much of a program does not repeat, and taken if it helps."""
MOST_TIMES = 8
"""How often a call may be in a turn whose length it tells."""


def cut(symbols: np.ndarray, uses: Any, turns: int) -> list[tuple[int, int]]:
    """Where a sequence of calls is cut: the bounds of the chunks; turns are taken together up to so many calls.

    ``uses`` are pairs of positions: a call, and one that uses it.
    """
    return _cut(symbols, np.asarray(uses, np.int32).reshape(-1, 2), turns, 0, len(symbols))


def _cut(symbols: np.ndarray, uses: np.ndarray, turns: int, start: int, stop: int) -> list[tuple[int, int]]:
    n = stop - start
    if n <= 0:
        return []
    if n <= turns:
        return [(start, stop)]
    here = symbols[start:stop]
    period, first, length = _repetition(here, turns)
    left = period + n - length if period else n
    if left > MUCH * n:
        marks, compiled = landmarks(here, uses - start)
        if compiled < BETTER * left:
            edges = [start, *[start + k for k in marks], stop]
            turn = list(pairwise(edges[1:-1]))
            return [*_cut(symbols, uses, turns, *edges[:2]), *turn, *_cut(symbols, uses, turns, *edges[-2:])]
    if not period:
        count = -(-n // LARGEST)
        edges = [start + n * k // count for k in range(count + 1)]
        return list(pairwise(edges))
    size = period * max(1, turns // period)
    first, end = start + first, start + first + length
    first += _best_phase(uses, first, end, period, size)
    count = (end - first) // size
    middle = [(first + k * size, first + (k + 1) * size) for k in range(count)]
    return [
        *_cut(symbols, uses, turns, start, first),
        *middle,
        *_cut(symbols, uses, turns, first + count * size, stop),
    ]


def _repetition(symbols: np.ndarray, turns: int) -> tuple[int, int, int]:
    """The best period, and the first position and the length of what repeats; a period of 0 if nothing does.

    A call that is there once in a turn tells the period by where it comes next, one that is there twice by where it
    comes after that.
    """
    order = np.argsort(symbols, kind="stable")
    for times in range(1, min(MOST_TIMES, len(symbols) - 1) + 1):
        gaps = (order[times:] - order[:-times])[symbols[order[times:]] == symbols[order[:-times]]]
        found = _best_period(symbols, turns, gaps[gaps <= len(symbols) // 3])
        if found[0]:
            return found
    return 0, 0, 0


def _best_period(symbols: np.ndarray, turns: int, gaps: np.ndarray) -> tuple[int, int, int]:
    """The same of the periods that are seen often."""
    counts = np.bincount(gaps)
    best = (0, 0, 0)
    for period in np.argsort(counts * np.arange(len(counts)), kind="stable")[::-1][:12].tolist():
        if not period or not counts[period]:
            continue
        first, length = _longest_run(symbols[:-period] == symbols[period:])
        length += period
        if length >= max(3 * period, 3 * turns) and length > best[2] * (1.05 if period > best[0] else 0.95):
            best = period, first, length
    return best


def _longest_run(same: np.ndarray) -> tuple[int, int]:
    """Where the longest stretch of truths starts, and its length."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    if not len(edges):
        return 0, 0
    starts, stops = edges[::2], edges[1::2]
    k = int(np.argmax(stops - starts))
    return int(starts[k]), int(stops[k] - starts[k])


def _best_phase(uses: np.ndarray, first: int, end: int, period: int, size: int) -> int:
    """How many calls to leave before the first turn, so that as few values as possible pass between turns."""
    middle = first + ((end - first) // 2 // period) * period
    near = uses[(uses[:, 0] < middle + period) & (uses[:, 1] > middle - size) & (uses[:, 1] - uses[:, 0] <= size)]
    crossing = [len(distinct(near[(near[:, 0] < middle + k) & (near[:, 1] >= middle + k), 0])) for k in range(period)]
    return int(np.argmin(crossing))
