"""What the handlers of all families build values with."""

import operator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.graph import Graph, Move, Value, identity, together

__all__ = ["Builder", "Selection", "kept", "normal_axes"]


MOST_STEPS = 256
"""Operations through which what a mask has selected is followed."""
FEW, MANY = 4, 64
"""So few elements of each of so many rows are combined one by one."""


@dataclass(slots=True)
class Selection:
    """What a mask selects from, with all of the mask's axes, and how many axes come before them.

    ``order`` is what puts the selected elements one after the other.
    """

    mask: Value
    region: Value
    before: int
    order: Value


class Builder:
    """Makes values in a graph."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.checks: list[Value] = []
        """Truth values without which the values made are not what NumPy gives."""
        self.factored: dict[int, Value] = {}
        """The LU factorisations that there are, by the numbers of what was factored."""
        self.selections: dict[Value, Selection] = {}
        """What masks have selected."""
        self.unselected: set[Value] = set()
        """Values that are known to be made of nothing of that kind."""

    # Numbers and dtypes -----------------------------------------------------------------------------------------

    def cast(self, x: Value, dtype: Any) -> Value:
        """The value in another dtype."""
        if x.dtype is dtype:
            return x
        dtype = np.dtype(dtype)
        if x.dtype == dtype:
            return x
        if x.kind == "literal":
            return self.graph.literal(x.setting, dtype)
        if x.kind == "move" and x.operands[0].kind == "literal":
            return self.graph.broadcast(self.cast(x.operands[0], dtype), x.shape)
        return self.graph.map("cast", x, dtype=dtype)

    def value(self, x: Any, dtype: Any) -> Value:
        """An operand in a dtype, whether it is a value or a number."""
        if isinstance(x, Value):
            return self.cast(x, dtype)
        if x.__class__ is float:
            return self.graph.literal(x, dtype)
        if np.ndim(x):
            return self.graph.make("constant", (), np.ascontiguousarray(x, dtype), np.shape(x), dtype)
        return self.graph.literal(np.asarray(x).astype(dtype)[()], dtype)

    def filled(self, number: Any, shape: tuple, dtype: Any) -> Value:
        """An array of one number."""
        return self.graph.broadcast(self.graph.literal(number, dtype), shape)

    # Elementwise ------------------------------------------------------------------------------------------------

    def map(self, name: str, *operands: Any, dtype: Any = None) -> Value:
        """An elementwise operation; operands may be numbers, which take the dtype of the first value.

        Along axes on which no operand changes it is done once.
        """
        first = next(v for v in operands if v.__class__ is Value)
        if first.kind != "move" and all(v.__class__ is Value and v.shape == first.shape for v in operands):
            return self.graph.make("map", operands, name, first.shape, dtype or first.dtype)
        given = [v if isinstance(v, Value) else self.graph.literal(v, first.dtype) for v in operands]
        shape = together(given)
        still = _still_axes(given, shape)
        dtype = dtype or first.dtype
        if not still:
            return self.graph.map(name, *given, dtype=dtype)
        once = [self._once(v, still, len(shape)) for v in given]
        return self.graph.broadcast(self.graph.map(name, *once, dtype=dtype), shape)

    def _once(self, v: Value, still: set[int], ndim: int) -> Value:
        """The first element of a value along axes of the result on which it does not change."""
        missing = ndim - len(v.shape)
        parts = [slice(0, 1) if k + missing in still else slice(None) for k in range(len(v.shape))]
        return self.graph.slices(v, parts)

    # Reductions -------------------------------------------------------------------------------------------------

    def reduced(self, name: str, x: Value, axis: Any = None, keepdims: bool = False) -> Value | None:
        """A value combined along axes: ``add``, ``multiply``, ``maximum`` or ``minimum``."""
        axes = normal_axes(axis, len(x.shape))
        kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
        shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape)) if keepdims else kept
        if self.selections and x.size:
            x, axes = self._with_neutral(name, x, axes)
        if not prod(kept) or not x.size:
            neutral = {"add": 0, "multiply": 1}.get(name)
            return None if neutral is None and prod(kept) else self.filled(neutral or 0, shape, x.dtype)
        still = _still_axes([x], x.shape) & set(axes)
        repeats = prod(x.shape[i] for i in still)
        if name == "multiply" and still:
            still, repeats = set(), 1
        if still:
            x = self._once(x, still, len(x.shape))
        long = tuple(i for i in axes if x.shape[i] != 1)
        if long and prod(x.shape[i] for i in long) <= FEW and prod(kept) >= MANY:
            x = self._one_by_one(name, x, long)
        elif long:
            x = self.graph.reduce(x, name, long)
        elif name == "add" and x.dtype.kind == "f":
            x = self.map("add", x, 0.0)  # a sum begins with 0.0, so it is never -0.0
        if name == "add" and repeats > 1:
            x = self.map("multiply", x, x.dtype.type(repeats))
        return self.graph.reshape(x, shape)

    def _with_neutral(self, name: str, x: Value, axes: tuple[int, ...]) -> tuple[Value, tuple[int, ...]]:
        """All that a mask has selected from, with what changes nothing where it selects none; and the axes of that."""
        found = self._selection_in(x)
        behind = 0 if found is None else len(found[0].shape) - 1 - found[1].before
        axis = len(x.shape) - 1 - behind
        if found is None or axis not in axes:
            return x, axes
        mask = found[1].mask
        everywhere = self.everywhere(x, mask, behind)
        if everywhere is None:
            return x, axes
        depth = len(mask.shape)
        everywhere = self.graph.broadcast(everywhere, (*x.shape[:axis], *mask.shape, *x.shape[axis + 1 :]))
        ones = self.graph.reshape(mask, (*mask.shape, *(1,) * behind))
        neutral = self.graph.literal(_neutral(name, x.dtype), x.dtype)
        moved = [k if k < axis else k + depth - 1 for k in axes if k != axis]
        return (
            self.graph.map("where", ones, everywhere, neutral, dtype=x.dtype),
            tuple(sorted([*moved, *range(axis, axis + depth)])),
        )

    def _selection_in(self, x: Value) -> tuple[Value, Selection] | None:
        """Something that a mask has selected, of which a value is made element by element."""
        waiting, seen = [x], {x}
        while waiting and len(seen) < MOST_STEPS:
            v = waiting.pop()
            if v in self.selections:
                return v, self.selections[v]
            if v.kind == "map" and v not in self.unselected:
                operands = [o for o in v.operands if o not in seen]
                waiting += operands
                seen.update(operands)
        if not waiting:
            self.unselected |= seen
        return None

    def everywhere(self, x: Value, mask: Value, behind: int) -> Value | None:
        """What is made, element by element, of what a mask selects, made of all that it selects from.

        The axis of what is selected, behind which there are so many others, becomes the mask's axes.
        """
        return self._everywhere(x, mask, behind, {})

    def _everywhere(self, x: Value, mask: Value, behind: int, known: dict[Value, Value | None]) -> Value | None:
        axis = len(x.shape) - 1 - behind
        if axis < 0:
            return x
        if x not in known and len(known) < MOST_STEPS:
            known[x] = None
            selection = self.selections.get(x)
            if selection is not None and selection.mask is mask and selection.before == axis:
                known[x] = selection.region
            elif x.shape[axis] == 1 or axis in _still_axes([x], x.shape):
                first = self.part(x, axis, slice(0, 1))
                shape = (*x.shape[:axis], *(1,) * len(mask.shape), *x.shape[axis + 1 :])
                known[x] = self.graph.reshape(first, shape)
            elif x.kind == "map":
                operands = [self._everywhere(o, mask, behind, known) for o in x.operands]
                if not any(o is None for o in operands):
                    known[x] = self.map(x.setting, *operands, dtype=x.dtype)
        return known.get(x)

    def _one_by_one(self, name: str, x: Value, axes: tuple[int, ...]) -> Value:
        """A few elements of each of many rows combined, which is elementwise."""
        places = np.ndindex(*[x.shape[i] for i in axes])
        rows: list[list] = [[slice(None)] * len(x.shape) for _ in range(prod(x.shape[i] for i in axes))]
        for row, place in zip(rows, places, strict=True):
            for i, k in zip(axes, place, strict=True):
                row[i] = k
        first, *others = [self.graph.slices(x, row) for row in rows]
        for part in others:
            first = self.map(name, first, part)
        # A sum begins with 0.0, so it is never -0.0.
        return self.map("add", first, 0.0) if name == "add" and x.dtype.kind == "f" else first

    def total(self, x: Value, axis: Any = None, keepdims: bool = False) -> Value:
        """The sum along axes."""
        found = self.reduced("add", x, axis, keepdims)
        assert found is not None
        return found

    def any_of(self, x: Value, axis: Any = None, keepdims: bool = False) -> Value:
        """Whether a truth value holds anywhere along axes."""
        found = self.reduced("maximum" if x.size else "add", x, axis, keepdims)
        assert found is not None
        return found

    def all_of(self, x: Value, axis: Any = None, keepdims: bool = False) -> Value:
        """Whether a truth value holds everywhere along axes."""
        return self.map("logical_not", self.any_of(self.map("logical_not", x), axis, keepdims))

    def check(self, truth: Value) -> None:
        """What is made holds only if this is true."""
        if truth.kind != "literal" or not truth.setting:
            self.checks.append(truth)

    # Places -----------------------------------------------------------------------------------------------------

    def updated(self, x: Value, value: Value, move: Move, adds: bool) -> Value:
        """A region overwritten, or added to; all of it is no update any more."""
        if move == identity(x.shape):
            return self.map("add", x, value) if adds else value
        if not value.size:
            return x
        if adds and x.kind == "move" and x.operands[0].kind == "literal" and x.operands[0].setting == 0:
            adds, value = False, self.map("add", value, 0)
        return self.graph.make("update", (x, value), (move, adds), x.shape, x.dtype)

    def joined(self, parts: list[Value], axis: int) -> Value:
        """Values side by side along an axis."""
        parts = [v for v in parts if v.size] or parts[:1]
        if len(parts) == 1:
            return parts[0]
        shape = list(parts[0].shape)
        shape[axis] = sum(v.shape[axis] for v in parts)
        return self.graph.make("join", tuple(parts), axis, tuple(shape), parts[0].dtype)

    def part(self, x: Value, axis: int, part: Any) -> Value:
        """A slice, or an element, along one axis."""
        parts: list = [slice(None)] * len(x.shape)
        parts[axis] = part
        return self.graph.slices(x, parts)

    def moveaxis(self, x: Value, source: int, target: int) -> Value:
        """An axis at another position."""
        order = [i for i in range(len(x.shape)) if i != source % len(x.shape)]
        order.insert(target % len(x.shape), source % len(x.shape))
        return self.graph.transpose(x, tuple(order))

    def swapped(self, x: Value) -> Value:
        """Matrices transposed."""
        n = len(x.shape)
        return self.graph.transpose(x, (*range(n - 2), n - 1, n - 2))

    def counted(self, shape: tuple, axis: int) -> Value:
        """The position along an axis."""
        n = shape[axis]
        lengths = tuple(n if i == axis else 1 for i in range(len(shape)))
        counts = self.graph.make("constant", (), kept(np.arange(n)), (n,), np.int64)
        return self.graph.broadcast(self.graph.reshape(counts, lengths), shape)


_arrays: dict[tuple, np.ndarray] = {}


def kept(array: np.ndarray) -> np.ndarray:
    """One array for equal contents, which nobody else writes to."""
    key = (array.shape, array.dtype, array.tobytes())
    if key not in _arrays:
        if len(_arrays) > 256:
            _arrays.clear()
        array.flags.writeable = False
        _arrays[key] = array
    return _arrays[key]


def normal_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of numbers from 0 on; `None` is all of them."""
    if axis is None or not ndim:
        return tuple(range(ndim))
    axis = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(sorted(operator.index(i) % ndim for i in axis))


def _neutral(name: str, dtype: np.dtype) -> Any:
    """What changes nothing that it is combined with."""
    if name in ("add", "multiply"):
        return name == "multiply"
    sign = 1 if name == "minimum" else -1
    if dtype.kind == "f":
        return sign * np.inf
    return sign > 0 if dtype.kind == "b" else np.iinfo(dtype).max if sign > 0 else np.iinfo(dtype).min


def _still_axes(operands: list[Value], shape: tuple) -> set[int]:
    """Axes longer than 1 along which none of the operands changes."""
    if any(v.kind != "move" and v.shape == shape for v in operands):
        return set()
    still = {k for k, n in enumerate(shape) if n > 1}
    for v in operands:
        if not still:
            break
        missing = len(shape) - len(v.shape)
        own = {k - missing for k in still if k >= missing and v.shape[k - missing] != 1}
        if not own:
            continue
        if v.kind != "move":
            changing = own
        else:
            changing = own & {axis for _, terms in v.setting.places for axis, _ in terms}
        still -= {k + missing for k in changing}
    return still
