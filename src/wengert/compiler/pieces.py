"""Stretches of a kernel's axes on which no place needs to be tested.

Where arrays are shifted, padded or joined, the elements at the edges are made in another way than those between. So an
axis is cut where one way ends and the next begins: each long stretch gets a loop of its own, in which it is known what
is meant, and what is left, a few elements at the edges, is done by one loop that chooses for each element.
"""

from collections.abc import Iterator
from itertools import pairwise

from wengert.compiler.expand import Condition, Item
from wengert.compiler.fuse import Kernel
from wengert.compiler.walk import Walk

__all__ = ["Stretch", "stretches_of"]

Stretch = tuple[int, int]
"""The first position along an axis, and the one after the last."""

WORTH_CUTTING = 2_000.0
"""From so many additions of vectors on the time that is saved is worth the code."""
LONG = 8
"""How many times the lanes' number a stretch is long."""
MOST = 3
"""How many stretches of an axis have loops of their own, and how many loops a kernel gets in this way."""


def stretches_of(kernel: Kernel, walk: Walk, items: list[Item]) -> dict[int, list[Stretch]]:
    """For the axes that are worth it, their long stretches; along wide lanes only the last vector is masked."""
    if walk.wide and walk.lane is not None:
        return {walk.lane: [(0, walk.extents[walk.lane])]}
    if walk.unrolled:
        return {axis: [(k, k + 1) for k in range(walk.extents[axis])] for axis in walk.unrolled}
    if walk.work < WORTH_CUTTING or walk.tile is not None:
        return {}
    edges: dict[int, set[int]] = {}
    for condition in _conditions(items):
        (start, terms), low, high = condition
        if len(terms) == 1:
            ((axis, step),) = terms
            edges.setdefault(axis, set()).update(_changes(start, step, low, high))
    if any(root.scans for root in kernel.roots):
        edges = {axis: found for axis, found in edges.items() if axis not in kernel.inner}
    found = {axis: _long(walk, axis, cuts) for axis, cuts in edges.items()}
    found = {axis: stretches for axis, stretches in found.items() if stretches}
    if sum(map(len, found.values())) > MOST:
        found = {axis: stretches for axis, stretches in found.items() if axis == walk.lane}
    return found


def _conditions(items: list[Item]) -> Iterator[Condition]:
    for item in items:
        yield from item.conditions
        for test in item.tests:
            yield from test


def _changes(start: int, step: int, low: int, high: int) -> list[int]:
    """The positions from which on ``low <= start + step * position <= high`` holds, and does not hold any more."""
    first, last = (low - start, high - start) if step > 0 else (start - high, start - low)
    step = abs(step)
    return [-(-first // step), last // step + 1]


def _long(walk: Walk, axis: int, cuts: set[int]) -> list[Stretch]:
    """The longest stretches between cuts, in order."""
    n = walk.extents[axis]
    places = [0, *sorted(cut for cut in cuts if 0 < cut < n), n]
    width = walk.width if axis == walk.lane else 1
    # From full vectors on, so that they are where memory has its lines.
    stretches = [(-(-a // width) * width, b) for a, b in pairwise(places)]
    stretches = [(a, b) for a, b in stretches if b - a >= max(LONG * width, 1)]
    return sorted(sorted(stretches, key=lambda s: s[0] - s[1])[:MOST])
