"""Indexing by masks that only the program knows: what they select, read and written.

How many elements a mask selects is known when a program is made: a guard has looked at it, or a check does. Running
sums of the mask say where each of them is among those selected.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler.graph import Gather, Move, Scatter, Value, identity
from wengert.compiler.lowering.builder import Builder, Selection
from wengert.compiler.lowering.elementwise import chosen
from wengert.protocol import Spec

__all__ = ["selected", "written_where"]

_ALL = slice(None)


def selected(b: Builder, spec: Spec, x: Value, index: Any) -> Value | None:
    """The elements that a mask selects, one after the other; `None` where the index is of another kind."""
    found = _Masked.of(b, x, index)
    if found is None or not x.size:
        return None
    if not spec.size:
        return b.filled(0, spec.shape, x.dtype)
    if _is_rare(found, spec.shape[found.before]):
        return None
    mask, region, before = found.mask, found.region, found.before
    depth, rest = len(mask.shape), (*region.shape[:before], *region.shape[before + len(mask.shape) :])
    for k in range(depth):
        region = b.moveaxis(region, before + k, k)
    count = spec.shape[before]
    place = b.map("minimum", b.map("subtract", _running(b, mask), 1), count)
    place = chosen(b, b.graph.reshape(mask, (mask.size,)), place, b.filled(count, (mask.size,), np.int64))
    # What is not selected goes to a place behind the others.
    rows = b.graph.reshape(region, (mask.size, *rest))
    place = b.graph.reshape(place, (mask.size, *(1,) * len(rest)))
    places = ((0, (), ((0, 1),)), *((0, ((k, 1),), ()) for k in range(1, len(rows.shape))))
    shape = (count + 1, *rest)
    together = b.graph.make("scatter", (rows, place), Scatter(Gather(rows.shape, places), False, True), shape, x.dtype)
    result = b.moveaxis(b.part(together, 0, slice(0, count)), 0, before)
    b.selections[result] = Selection(mask, found.region, before, together)
    return result


def written_where(b: Builder, x: Value, value: Value, index: Any, adds: bool) -> Value | None:
    """A copy with values in the places that a mask selects, or added there: a choice for every element."""
    found = _Masked.of(b, x, index)
    if found is None:
        return None
    mask, region, before = found.mask, found.region, found.before
    behind = len(region.shape) - before - len(mask.shape)
    if not region.size:
        return x
    if not value.size:  # nothing is selected
        b.check(b.map("logical_not", b.any_of(mask)))
        return x
    spread = found.spread(b, value, behind)
    if spread is None:
        return None
    ones = b.graph.reshape(mask, (*mask.shape, *(1,) * behind))
    new = b.map("add", region, spread) if adds else b.graph.broadcast(spread, region.shape)
    new = chosen(b, b.graph.broadcast(ones, region.shape), new, region)
    return b.updated(x, new, found.move, adds=False)


@dataclass(slots=True)
class _Masked:
    """An index of which one part is a mask, all others are slices, or numbers behind a mask that is the first."""

    mask: Value
    region: Value
    """What the other parts leave, with all of the mask's axes."""
    move: Move
    """Where that is."""
    before: int
    """How many axes of it come before those of the mask."""

    @classmethod
    def of(cls, b: Builder, x: Value, index: Any) -> "_Masked | None":
        """What an index says of an array; `None` where it is of another kind."""
        parts = list(index) if isinstance(index, tuple) else [index]
        at = next((k for k, part in enumerate(parts) if _is_mask(part)), None)
        if at is None or not all(_is_plain(part, at == 0) for k, part in enumerate(parts) if k != at):
            return None
        mask = parts[at]
        parts[at : at + 1] = [_ALL] * len(mask.shape)
        parts += [_ALL] * (len(x.shape) - len(parts))
        if len(parts) > len(x.shape) or x.shape[at : at + len(mask.shape)] != mask.shape:
            return None
        whole = b.graph.slices(b.graph.make("place", (), None, x.shape, x.dtype), parts)
        move = whole.setting if whole.kind == "move" else identity(x.shape)
        if any(abs(step) != 1 for _, terms in move.places for _, step in terms):
            return None
        return cls(mask, b.graph.slices(x, parts), move, at)

    def spread(self, b: Builder, value: Value, behind: int) -> Value | None:
        """What is written, for each place whether it is selected or not."""
        mask = self.mask
        if len(value.shape) <= behind:
            return value
        shape, axis = value.shape, len(value.shape) - behind - 1
        if axis > self.before:
            return None
        count, depth = shape[axis], len(mask.shape)
        if count == 1:
            return b.graph.reshape(value, (*shape[:axis], *(1,) * depth, *shape[axis + 1 :]))
        if _is_rare(self, count):
            return None
        everywhere = b.everywhere(value, mask, behind)
        if everywhere is not None:
            b.check(b.map("equal", b.total(b.cast(mask, np.int64)), count, dtype=np.bool_))
            return everywhere
        running = _running(b, mask)
        b.check(b.map("equal", b.part(running, 0, mask.size - 1), count, dtype=np.bool_))
        place = b.map("minimum", b.map("maximum", b.map("subtract", running, 1), 0), count - 1)
        place = b.graph.reshape(place, (*mask.shape, *(1,) * behind))
        whole = (*shape[:axis], *mask.shape, *shape[axis + 1 :])
        own: list[tuple] = [(0, ((k, 1),), ()) for k in range(len(whole))]
        own[axis : axis + depth] = [(0, (), ((0, 1),))]
        return b.graph.gather(value, Gather(whole, tuple(own)), (b.graph.broadcast(place, whole),))


LONG, RARE = 10_000, 8
"""Of so many elements one in so many is selected faster by NumPy."""


def _is_rare(masked: _Masked, count: int) -> bool:
    return masked.region.size >= LONG and RARE * count < masked.mask.size


def _is_mask(part: Any) -> bool:
    return isinstance(part, Value) and part.dtype.kind == "b" and bool(part.shape) and part.kind != "constant"


def _is_plain(part: Any, is_behind: bool) -> bool:
    """Whether a part besides a mask is a slice, or a number where those are allowed."""
    if isinstance(part, slice):
        return not any(isinstance(s, Value) for s in (part.start, part.stop, part.step))
    return is_behind and isinstance(part, (int, np.integer)) and not isinstance(part, bool)


def _running(b: Builder, mask: Value) -> Value:
    """How many elements a mask has selected up to each of its own, as one row."""
    flat = b.cast(b.graph.reshape(mask, (mask.size,)), np.int64)
    return flat if mask.size == 1 else b.graph.make("scan", (flat,), ("add", 0), flat.shape, flat.dtype)
