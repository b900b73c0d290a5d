"""Indexing: elements at places that arrays name, read and written.

Integers in an index array are brought into bounds, so that nothing outside an array is ever touched; whether they
were in bounds is a check of the program.
"""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.graph import FEW_PARTS, Gather, Move, Scatter, Value, identity
from wengert.compiler.lowering.builder import Builder, kept
from wengert.compiler.lowering.masks import selected, written_where
from wengert.protocol import Spec

__all__ = ["HANDLERS", "assembled", "elements_at", "length", "scattered", "written", "written_in_view"]


def basic_index(index: Any, ndim: int) -> list | None:
    """A basic index with a part for each axis; `None` if arrays are in it."""
    parts = list(index) if isinstance(index, tuple) else [index]
    for part in parts:
        if isinstance(part, (bool, np.bool_)) or not (
            part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice))
        ):
            return None
        if is_window(part):
            return None
    return _complete(parts, sum(part is not None and part is not Ellipsis for part in parts), ndim)


def _complete(parts: list, used: int, ndim: int) -> list:
    """With full slices in the place of the ellipsis."""
    rest = [slice(None)] * (ndim - used)
    at = next((k for k, part in enumerate(parts) if part is Ellipsis), None)
    return parts + rest if at is None else parts[:at] + rest + parts[at + 1 :]


class _Index:
    """An index with arrays: for each axis of the array where its elements are, in terms of the result's axes.

    ``lengths`` are those of the result's last axes, as far as they are known, for slices between computed bounds.
    """

    def __init__(self, b: Builder, index: Any, shape: tuple, lengths: tuple[int | None, ...]):
        self.b, self.ok, self.known = b, False, lengths
        self.operands: list[Value] = []
        parts = _with_masks_opened(list(index) if isinstance(index, tuple) else [index])
        if parts is None:
            return
        used = sum(part is not None and part is not Ellipsis for part in parts)
        if used > len(shape):
            return
        parts = _complete(parts, used, len(shape))
        arrays = [k for k, part in enumerate(parts) if _is_index(part)]
        together = np.broadcast_shapes(*[_shape_of(parts[k]) for k in arrays])
        adjacent = bool(arrays) and arrays == list(range(arrays[0], arrays[-1] + 1))
        before = arrays[0] if adjacent else 0
        self._lay_out(parts, shape, together, before)

    def _lay_out(self, parts: list, shape: tuple, together: tuple, before: int) -> None:
        """The axes of the result, and each axis' place."""
        lengths: list[int] = []
        places: list = []
        pending: list[tuple[int, Any]] = []
        axis = taken = 0
        ahead = sum(part is None or isinstance(part, slice) for part in parts) + len(together) - len(self.known)
        for part in parts:
            if part is None:
                lengths.append(1)
                taken += 1
                continue
            n = shape[axis]
            if isinstance(part, slice):
                where = taken if taken < before else taken + len(together)
                taken += 1
                found = self._slice(part, n, where, self.known[where - ahead] if where >= ahead else None)
                if found is None:
                    return
                lengths.append(found[0])
                places.append(found[1])
            else:
                pending.append((len(places), part))
                places.append(n)
            axis += 1
        self.shape = (*lengths[:before], *together, *lengths[before:])
        for k, part in pending:
            found = self._place(part, places[k], before, len(together))
            if found is None:
                return
            places[k] = found
        self.operands = [self.b.graph.broadcast(v, self.shape) for v in self.operands]
        self.places, self.ok = tuple(places), True

    def _slice(self, part: slice, n: int, where: int, known: int | None) -> tuple[int, tuple] | None:
        """How many elements a slice has, and where they are; `known` is their number between computed bounds."""
        if not is_window(part):
            start, stop, step = part.indices(n)
            return len(range(start, stop, step)), (start, ((where, step),), ())
        first = None if known is None else _start(self.b, part, n, known)
        if known is None or first is None:
            return None
        self.operands.append(first)
        return known, (0, ((where, 1),), ((len(self.operands) - 1, 1),))

    def _place(self, part: Any, n: int, before: int, ndim: int) -> tuple | None:
        """Where an index array points to: constant ones that grow evenly need no array."""
        last = before + ndim
        if not isinstance(part, Value) or part.kind in ("constant", "literal"):
            array = np.asarray(part.setting if isinstance(part, Value) else part)
            if array.dtype.kind not in "iu":
                return None
            array = array.astype(np.int64)
            if array.size and not (-n <= array.min() and array.max() < n):
                return None
            array = np.where(array < 0, array + n, array)
            even = _even(array)
            if even is not None:
                start, steps = even
                return start, tuple((last - array.ndim + i, s) for i, s in enumerate(steps) if s), ()
            part = self.b.graph.make("constant", (), kept(array), array.shape, np.int64)
        else:
            part = self._in_bounds(part, n)
            if part is None:
                return None
        self.operands.append(self._spread(part, last))
        return 0, (), ((len(self.operands) - 1, 1),)

    def _spread(self, index: Value, last: int) -> Value:
        """An index with the axes of the result."""
        behind = len(self.shape) - last
        index = self.b.graph.reshape(index, (*index.shape, *(1,) * behind))
        return self.b.graph.broadcast(index, self.shape)

    def _in_bounds(self, index: Value, n: int) -> Value | None:
        if index.dtype.kind not in "iu" or not n:
            return None
        b, index = self.b, self.b.cast(index, np.int64)
        low, high = (b.map(name, index, k, dtype=np.bool_) for name, k in (("less", -n), ("greater", n - 1)))
        if index.size:
            b.check(b.map("logical_not", b.any_of(b.map("logical_or", low, high))))
        counted = b.map("where", b.map("less", index, 0, dtype=np.bool_), b.map("add", index, n), index, dtype=np.int64)
        return b.map("minimum", b.map("maximum", counted, 0), n - 1)


def is_window(part: Any) -> bool:
    """Whether a part of an index is a slice between bounds that the program computes."""
    return isinstance(part, slice) and any(isinstance(s, Value) for s in (part.start, part.stop, part.step))


def _start(b: Builder, part: slice, n: int, known: int) -> Value | None:
    """Where a slice begins that has so many of an axis' elements, which is a check of the program."""
    bounds = _bounds(b, part, n)
    if bounds is None or known > n:
        return None
    start, stop = bounds
    b.check(b.map("equal", _length(b, start, stop), known, dtype=np.bool_))
    return b.map("minimum", start, n - known)


def length(b: Builder, spec: Spec, start: Any, stop: Any, step: Any, n: int) -> Value | None:
    """How many elements a slice has."""
    bounds = _bounds(b, slice(start, stop, step), n)
    return None if bounds is None else _length(b, *bounds)


def _length(b: Builder, start: Value, stop: Value) -> Value:
    return b.map("maximum", b.map("subtract", stop, start), 0)


def _bounds(b: Builder, part: slice, n: int) -> list[Value] | None:
    """Where a slice of consecutive elements begins and ends, both from 0 to `n`."""
    if part.step not in (None, 1):
        return None
    found = []
    for bound, default in ((part.start, 0), (part.stop, n)):
        k = b.value(default, np.int64) if bound is None else bound
        if isinstance(k, Value) and (k.shape or k.dtype.kind not in "iu" or k.dtype == np.uint64):
            return None
        k = b.value(k, np.int64)
        k = b.map("where", b.map("less", k, 0, dtype=np.bool_), b.map("add", k, n), k, dtype=np.int64)
        found.append(b.map("minimum", b.map("maximum", k, 0), n))
    return found


def _shape_of(part: Any) -> tuple:
    return part.shape if isinstance(part, Value) else np.shape(part)


def _is_index(part: Any) -> bool:
    return isinstance(part, (Value, np.ndarray, int, np.integer, list)) and not isinstance(part, bool)


def _with_masks_opened(parts: list) -> list | None:
    """Constant masks as the places where they hold; `None` for what is no index that kernels know."""
    found: list = []
    for part in parts:
        if isinstance(part, Value) and part.kind == "constant" and part.dtype.kind == "b":
            found += np.nonzero(part.setting)
        elif isinstance(part, slice):
            found.append(part)
        elif part is None or part is Ellipsis or (_is_index(part) and not isinstance(part, list)):
            if isinstance(part, Value) and part.dtype.kind not in "iu":
                return None
            found.append(part)
        else:
            return None
    is_own = any(is_window(part) or (_is_index(part) and not isinstance(part, (int, np.integer))) for part in found)
    return found if is_own else None


def _even(array: np.ndarray) -> tuple[int, list[int]] | None:
    """``start + sum(step * position)``, if that is what an array holds."""
    if not array.size:
        return 0, [0] * array.ndim
    start, steps = int(array.flat[0]), []
    expected = np.full(array.shape, start)
    for axis, n in enumerate(array.shape):
        step = int(np.take(array, 1, axis).flat[0]) - start if n > 1 else 0
        steps.append(step)
        lengths = [n if i == axis else 1 for i in range(array.ndim)]
        expected += (step * np.arange(n)).reshape(lengths)
    return (start, steps) if np.array_equal(array, expected) else None


# Reading ------------------------------------------------------------------------------------------------------------


def elements_at(b: Builder, spec: Spec, x: Value, index: Any = ()) -> Value | None:
    """NumPy's indexing."""
    parts = basic_index(index, len(x.shape))
    if parts is not None:
        return b.graph.slices(x, parts)
    by_mask = selected(b, spec, x, index)
    if by_mask is not None:
        return by_mask
    found = _Index(b, index, x.shape, spec.shape)
    if not found.ok or found.shape != spec.shape:
        return None
    if not spec.size:
        return b.filled(0, spec.shape, x.dtype)
    return b.graph.gather(x, Gather(found.shape, found.places), tuple(found.operands))


# Writing ------------------------------------------------------------------------------------------------------------


def written(adds: bool) -> Callable:
    """A copy with a part overwritten, or with something added to it."""

    def handler(b: Builder, spec: Spec, x: Any, value: Any, index: Any = None) -> Value | None:
        if not isinstance(x, Value) or not x.size or (adds and _truncates(x, value)):
            return None
        parts = basic_index(index, spec.ndim)
        if parts is None:
            masked = written_where(b, x, b.value(value, spec.dtype), index, adds)
            if masked is not None:
                return masked
            return _scattered(b, x, b.value(value, spec.dtype), index, adds)
        region = b.graph.slices(b.graph.make("place", (), None, spec.shape, spec.dtype), parts)
        move = region.setting if region.kind == "move" else identity(spec.shape)
        value = _without_leading(b, b.value(value, spec.dtype), move.shape)
        if any(len(terms) > 1 or any(abs(step) != 1 for _, step in terms) for _, terms in move.places):
            places = tuple((start, terms, ()) for start, terms in move.places)
            return _scatter(b, x, value, Gather(move.shape, places), (), adds)
        return b.updated(x, b.graph.broadcast(value, move.shape), move, adds)

    return handler


def _truncates(x: Value, value: Any) -> bool:
    """Whether NumPy makes whole numbers of sums, rather than of what is added to whole numbers."""
    dtype = value.dtype if isinstance(value, Value) else np.asarray(value).dtype
    return x.dtype.kind in "biu" and (dtype.kind in "fc" or (x.dtype.kind == "b" and dtype.kind != "b"))


def _without_leading(b: Builder, value: Value, shape: tuple) -> Value:
    """The value without axes of length 1 in front of those of the region."""
    while len(value.shape) > len(shape):
        value = b.graph.reshape(value, value.shape[1:])
    return value


def _scattered(b: Builder, x: Value, value: Value, index: Any, adds: bool) -> Value | None:
    found = _Index(b, index, x.shape, tuple([n if n != 1 else None for n in value.shape]))
    if not found.ok:
        index = _window_as_mask(b, index, x.shape)
        return None if index is None else written_where(b, x, value, index, adds)
    if not value.size:
        return x
    value = _without_leading(b, value, found.shape)
    if all(not indices for _, _, indices in found.places):
        move = Move(found.shape, tuple((start, terms) for start, terms, _ in found.places))
        if _is_region(move):
            return b.updated(x, b.graph.broadcast(value, move.shape), move, adds)
    return _scatter(b, x, value, Gather(found.shape, found.places), tuple(found.operands), adds)


def _window_as_mask(b: Builder, index: Any, shape: tuple) -> tuple | None:
    """An index of slices with truth values in the place of the one between computed bounds, however long it is."""
    parts = list(index) if isinstance(index, tuple) else [index]
    windows = [k for k, part in enumerate(parts) if is_window(part)]
    if len(windows) != 1 or not all(isinstance(part, slice) for part in parts[: windows[0]]):
        return None
    axis = windows[0]
    bounds = _bounds(b, parts[axis], shape[axis])
    if bounds is None:
        return None
    places = b.counted((shape[axis],), 0)
    is_behind, is_before = (
        b.map(name, places, k, dtype=np.bool_) for name, k in zip(("greater_equal", "less"), bounds, strict=True)
    )
    return (*parts[:axis], b.map("logical_and", is_behind, is_before), *parts[axis + 1 :])


def _is_region(move: Move) -> bool:
    """Whether a move names a rectangle, each of its elements once."""
    axes = [axis for _, terms in move.places for axis, _ in terms]
    single = all(len(terms) < 2 and all(abs(step) == 1 for _, step in terms) for _, terms in move.places)
    return single and sorted(axes) == [k for k, n in enumerate(move.shape) if n != 1]


def _scatter(b: Builder, x: Value, value: Value, places: Gather, indices: tuple, adds: bool) -> Value | None:
    if 0 in places.shape:
        return x
    if adds and x.dtype.kind == "b":
        return None
    value = b.graph.broadcast(value, places.shape)
    zero = x.kind == "move" and x.operands[0].kind == "literal" and not np.signbit(x.operands[0].setting)
    zero = zero and x.operands[0].setting == 0
    narrow = [_without_repetition(b, index) for index in indices]
    operands = (value, *narrow) if zero else (value, *narrow, x)
    return b.graph.make("scatter", operands, Scatter(places, adds, zero), x.shape, x.dtype)


def _without_repetition(b: Builder, index: Value) -> Value:
    """An array with length 1 along the axes along which it repeats itself."""
    if index.kind != "move":
        return index
    own = {k for _, terms in index.setting.places for k, _ in terms}
    return b.graph.slices(index, [slice(None) if k in own else slice(0, 1) for k in range(len(index.shape))])


def scattered(b: Builder, x: Value, value: Value, places: Gather) -> Value | None:
    """Numbers added to `x` at known places, of which some may be the same."""
    return _scatter(b, x, value, places, (), adds=True)


def _constant(index: Any) -> tuple | None:
    """An index with the arrays that constants stand for; `None` if something in it is no constant."""
    if any(isinstance(v, Value) and v.kind not in ("constant", "literal") for v in _inside(index)):
        return None
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(slice(*map(_setting, _inside(part))) if isinstance(part, slice) else _setting(part) for part in parts)


def _setting(x: Any) -> Any:
    return x.setting if isinstance(x, Value) else x


def _inside(index: Any) -> Iterator[Any]:
    """What an index is made of, the bounds of slices one by one."""
    for part in index if isinstance(index, tuple) else (index,):
        yield from (part.start, part.stop, part.step) if isinstance(part, slice) else (part,)


def written_in_view(
    b: Builder, spec: Spec, x: Value, value: Any, path: tuple = (), index: Any = None, add: bool = False
) -> Value | None:
    """A part of a view written: the places are found by viewing the positions in the same way."""
    index = _constant(index)
    if not isinstance(x, Value) or not x.size or index is None or (add and _truncates(x, value)):
        return None
    places = np.arange(x.size).reshape(x.shape)
    for function, settings in path:
        if any(isinstance(v, Value) for setting in settings.values() for v in _inside(setting)):
            return None
        places = function(places, **settings)
    if not places[index].size:
        return x
    if not x.shape:
        only = b.graph.reshape(b.value(value, spec.dtype), ())
        return b.map("add", x, only) if add else only
    where = np.unravel_index(places[index], x.shape)
    return _scattered(b, x, b.value(value, spec.dtype), tuple(map(np.asarray, where)), add)


def assembled(b: Builder, spec: Spec, x: Value, *pieces: Any, places: tuple = ()) -> Value | None:
    """An array with pieces in their places, whole numbers along the first axes."""
    known = prod(spec.shape[: len(places[0])])
    if len(places) > FEW_PARTS and known <= 2 * len(places):
        return _side_by_side(b, spec, x, dict(zip(places, pieces, strict=True)))
    write = written(adds=False)
    for place, piece in zip(places, pieces, strict=True):
        found = write(b, spec, x, piece, place)
        if found is None:
            return None
        x = found
    return x


def _side_by_side(b: Builder, spec: Spec, x: Value, pieces: dict[tuple, Any]) -> Value:
    """The pieces, and between them what the array was, one after the other."""
    depth = len(next(iter(pieces)))
    shape = spec.shape[depth:]
    parts = []
    for place in np.ndindex(spec.shape[:depth]):
        piece = b.value(pieces[place], spec.dtype) if place in pieces else b.graph.slices(x, [*place, *_all_of(shape)])
        parts.append(b.graph.reshape(b.graph.broadcast(piece, shape), (1, *shape)))
    return b.graph.reshape(b.joined(parts, 0), spec.shape)


def _all_of(shape: tuple) -> list[slice]:
    return [slice(None)] * len(shape)


def _bincount(b: Builder, spec: Spec, weights: Value, places: Any = (), minlength: int = 0) -> Value | None:
    """Sums of weights by constant places."""
    if not isinstance(places, Value) or places.kind != "constant" or not weights.size:
        return None
    zeros = b.filled(0, spec.shape, spec.dtype)
    return _scattered(b, zeros, b.cast(weights, spec.dtype), places, True)


HANDLERS: dict[str, Callable] = {"getitem": elements_at, "bincount": _bincount}
