"""The compiler's own values: few kinds of operations, of which loops can be made.

==============  =====================================================================================================
kind            what it is; ``setting``
==============  =====================================================================================================
``input``       an argument; its position
``constant``    an array; the array
``literal``     one number; the number
``map``         an elementwise operation, operands broadcast; its name
``move``        elements of one operand at other places: `Move`
``reduce``      an operand combined along axes; ``(operation, axes)``
``scan``        the running sum along an axis; ``(operation, axis, backwards)``
``gather``      elements of the first operand at places that the others, integers in bounds, name: `Gather`
``scatter``     the last operand (or zeros) with the first written to places, or added there: `Scatter`
``update``      the first operand with a region overwritten by the second, or it added there; ``(Move, adds)``
``join``        operands side by side along an axis; the axis
``assembly``    operands side by side, each stored in its place: the axis; `None` for columns of a new last one
``routine``     what a routine of LAPACK's gives: its name and parameters
``product``     a matrix product of two operands of two axes, or with batch axes in front; `None`
``call``        a function of NumPy's; the recorded node
``part``        one result of a call; its position
``reshape``     the same memory in another shape, or floats there as complex numbers, or the other way round; `None`
==============  =====================================================================================================

Equal values are one object. Literals are folded and operations that do nothing left out when values are made.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

__all__ = [
    "FEW_PARTS", "Gather", "Graph", "Move", "Scatter", "Value", "identity", "is_transposed", "lies_turned", "together",
]  # fmt: skip

LARGE = 1024
"""Elements from which on it is looked at how a transpose lies."""
FEW_PARTS = 12
"""Parts of a join up to which each element is chosen among them where it is used."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where the elements of a result are found in the operand.

    For each axis of the *operand* the position is ``start + sum(stride * index)`` over the axes of the result:
    ``terms`` has the pairs (axis of the result, stride).
    """

    shape: tuple[int, ...]
    places: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True, slots=True)
class Gather:
    """Where the elements of a result are found in the operand, with places that are read from arrays of integers.

    For each axis of the operand a triple: start and terms as in `Move`, and pairs (number of the array, stride).
    """

    shape: tuple[int, ...]
    places: tuple[tuple[int, tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True, slots=True)
class Scatter:
    """Where elements are written, whether they are added, and whether that is done in zeros.

    The operands are what is written, the arrays of integers of `places`, and, unless ``zero``, the array to start from.
    """

    places: Gather
    adds: bool
    zero: bool


class Value:
    """One value: its kind, operands, setting, shape and dtype; ``number`` in the order of the program."""

    __slots__ = ("dtype", "kind", "number", "operands", "setting", "shape", "size", "users")

    def __init__(self, number: int, kind: str, operands: tuple, setting: Any, shape: tuple, dtype: np.dtype):
        self.number, self.kind, self.operands, self.setting = number, kind, operands, setting
        self.shape, self.dtype = shape, dtype
        self.size = prod(shape)
        """How many elements it has."""
        self.users: list[Value] = []

    def __repr__(self) -> str:
        return f"%{self.number}"


class Graph:
    """Values in the order of their making."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.results: list[Value] = []
        self.checks = 0
        """How many of the results, the last ones, only say whether the others hold."""
        self._turns = False
        """Whether there are transposes of large arrays."""
        self._known: dict[Any, Value] = {}
        self._numbers = itertools.count()

    def make(self, kind: str, operands: tuple, setting: Any, shape: tuple, dtype: Any) -> Value:
        """The value of an operation, the one there is if an equal one was made before."""
        if not isinstance(dtype, np.dtype):
            dtype = np.dtype(dtype)
        key = (kind, setting if setting.__class__ is str else _key(setting), shape, dtype, operands)
        value = self._known.get(key)
        if value is None:
            value = self._known[key] = Value(next(self._numbers), kind, operands, setting, shape, dtype)
            self.values.append(value)
        return value

    def settle(self) -> None:
        """Forget which values there are, when no more are made."""
        self._known = {}

    def release(self) -> None:
        """Forget who uses what, so that values go when nobody holds them: cycles would stay until a collection."""
        for v in self.values:
            v.users = []

    def literal(self, number: Any, dtype: Any) -> Value:
        """One number."""
        dtype = np.dtype(dtype)
        return self.make("literal", (), dtype.type(number), (), dtype)

    def map(self, name: str, *operands: Value, dtype: Any) -> Value:
        """An elementwise operation on operands that broadcast against each other.

        Of transposes alone it is the transpose of an operation on what they are transposes of.
        """
        shape = together(operands)
        if self._turns and _are_turned(operands, shape):
            turned = self.make("map", tuple(self._turned(v, shape) for v in operands), name, shape[::-1], dtype)
            return self.reversed(turned)
        return self.make("map", operands, name, shape, dtype)

    def _turned(self, v: Value, shape: tuple) -> Value:
        """An operand of an operation with this shape, with axes reversed."""
        return self.reversed(self.reshape(v, (1,) * (len(shape) - len(v.shape)) + v.shape)) if v.shape else v

    def reduce(self, x: Value, name: str, axes: tuple[int, ...]) -> Value:
        """A value combined along axes; a transpose as what it is the transpose of."""
        last = len(x.shape) - 1
        if self._turns and lies_turned(x):
            return self.reversed(self.reduce(self.reversed(x), name, tuple(last - k for k in axes[::-1])))
        shape = tuple(n for i, n in enumerate(x.shape) if i not in axes)
        return self.make("reduce", (x,), (name, axes), shape, x.dtype)

    def move(self, x: Value, move: Move) -> Value:
        """Elements of `x` at other places; a move of a move is one."""
        if x.kind == "literal":
            return x if not move.shape else self.make("move", (x,), move, move.shape, x.dtype)
        if x.kind == "move":
            x, move = x.operands[0], _after(x.setting, move)
        move = _without_ones(move)
        if move == identity(x.shape):
            return x
        if x.kind in ("update", "join"):
            found = self._forwarded(x, move)
            if found is not None:
                return found
        return self.make("move", (x,), move, move.shape, x.dtype)

    def _forwarded(self, x: Value, move: Move) -> Value | None:
        """What has been written to the places that are read, if that is one thing for all of them."""
        if 0 in move.shape:
            return None
        read = [_bounds(place, move.shape) for place in move.places]
        if x.kind == "join":
            axis, start = x.setting, 0
            for part in x.operands:
                stop = start + part.shape[axis]
                if start <= read[axis][0] and read[axis][1] < stop:
                    first, terms = move.places[axis]
                    places = (*move.places[:axis], (first - start, terms), *move.places[axis + 1 :])
                    return self.move(part, Move(move.shape, places))
                start = stop
            return None
        (before, value), (region, adds) = x.operands, x.setting
        wrote = [_bounds(place, region.shape) for place in region.places]
        if any(r[1] < w[0] or r[0] > w[1] for r, w in zip(read, wrote, strict=True)):
            return self.move(before, move)
        if adds or not all(w[0] <= r[0] and r[1] <= w[1] for r, w in zip(read, wrote, strict=True)):
            return None
        return self.move(value, Move(move.shape, _written_at(region, move)))

    def gather(self, x: Value, places: Gather, indices: tuple[Value, ...]) -> Value:
        """Elements of `x` at places named by arrays, which have the shape of the result."""
        if x.kind == "move" and x.operands[0].kind != "literal":
            x, places = x.operands[0], Gather(places.shape, _gathered_after(x.setting, places))
        if all(not arrays for _, _, arrays in places.places) or x.size == 1 or x.kind == "move":
            return self.move(x, Move(places.shape, tuple((start, terms) for start, terms, _ in places.places)))
        return self.make("gather", (x, *indices), places, places.shape, x.dtype)

    # The moves that NumPy has ----------------------------------------------------------------------------------

    def broadcast(self, x: Value, shape: tuple) -> Value:
        """NumPy's ``broadcast_to``."""
        extra = len(shape) - len(x.shape)
        places = tuple(
            (0, ()) if n == 1 and shape[extra + i] != 1 else (0, ((extra + i, 1),)) for i, n in enumerate(x.shape)
        )
        return self.move(x, Move(shape, places))

    def transpose(self, x: Value, axes: tuple) -> Value:
        """NumPy's ``transpose``."""
        self._turns = self._turns or (x.size >= LARGE and axes == tuple(range(len(axes)))[::-1])
        back = {axis: i for i, axis in enumerate(axes)}
        places = tuple((0, ((back[k], 1),)) for k in range(len(x.shape)))
        return self.move(x, Move(tuple(x.shape[k] for k in axes), places))

    def reversed(self, x: Value) -> Value:
        """The transpose, with all axes in reverse order."""
        return self.transpose(x, tuple(range(len(x.shape)))[::-1]) if len(x.shape) > 1 else x

    def reshape(self, x: Value, shape: tuple) -> Value:
        """NumPy's ``reshape`` in C order."""
        if x.shape == shape:
            return x
        places = _reshaped(x.shape, shape)
        if places is None:
            return self.make("reshape", (x,), None, shape, x.dtype)
        return self.move(x, Move(shape, places))

    def as_reshaped(self, x: Value) -> Value:
        """The value itself; if it is all of another one in another shape, as that one's memory."""
        if x.kind == "move" and x.operands[0].kind != "literal":
            (source,) = x.operands
            if source.size == x.size and x.setting.places == _reshaped(source.shape, x.shape):
                return self.make("reshape", (source,), None, x.shape, x.dtype)
        return x

    def slices(self, x: Value, parts: list) -> Value:
        """Basic indexing; `parts` has an integer, a slice or None (a new axis) for each place."""
        places: list[Any] = []
        shape: list[int] = []
        axis = 0
        for part in parts:
            if part is None:
                shape.append(1)
                continue
            n = x.shape[axis]
            if isinstance(part, slice):
                start, stop, step = part.indices(n)
                count = len(range(start, stop, step))
                places.append((start, ((len(shape), step),)))
                shape.append(count)
            else:
                places.append((int(part) % n, ()))
            axis += 1
        return self.move(x, Move(tuple(shape), tuple(places)))

    def prune(self) -> None:
        """Leave out what no result needs, and note the users of each value."""
        live = set(self.results)
        for v in reversed(self.values):
            if v in live:
                live.update(v.operands)
                v.users = []
        self.values = [v for v in self.values if v in live]
        for v in self.values:
            for o in v.operands:
                users = o.users
                if not users or users[-1] is not v:
                    users.append(v)

    def __str__(self) -> str:
        return "\n".join(
            [f"{v!r:>6} : {str(v.dtype) + str(list(v.shape)):<18} = {_shown(v)}" for v in self.values]
            + [f"return {', '.join(map(repr, self.results))}"]
        )


def together(values: Sequence[Value]) -> tuple[int, ...]:
    """The shape that values broadcast to; NumPy's own function takes its time, and most have one shape."""
    first, *others = [v.shape for v in values]
    return first if all(shape == first for shape in others) else np.broadcast_shapes(first, *others)


@functools.lru_cache(4096)
def identity(shape: tuple) -> Move:
    """The move that leaves everything where it is."""
    return Move(shape, tuple((0, ((i, 1),) if n != 1 else ()) for i, n in enumerate(shape)))


def _bounds(place: tuple, shape: tuple) -> tuple[int, int]:
    """The least and the largest position that a place takes."""
    low = high = place[0]
    for axis, stride in place[1]:
        far = stride * (shape[axis] - 1)
        low, high = low + min(far, 0), high + max(far, 0)
    return low, high


def _written_at(region: Move, move: Move) -> tuple:
    """Places in the whole as places in what was written to a region, whose steps are 1 or -1."""
    places: list = [(0, ())] * len(region.shape)
    for (start, terms), (first, read) in zip(region.places, move.places, strict=True):
        if terms:
            ((axis, step),) = terms
            places[axis] = ((first - start) * step, tuple((k, s * step) for k, s in read))
    return tuple(places)


def _gathered_after(first: Move, second: Gather) -> tuple:
    """The places of a gather from what a move gave, in the operand of the move."""
    places = []
    for start, terms in first.places:
        total: dict[int, int] = {}
        arrays: dict[int, int] = {}
        for axis, stride in terms:
            offset, inner, named = second.places[axis]
            start += stride * offset
            for k, s in inner:
                total[k] = total.get(k, 0) + stride * s
            for k, s in named:
                arrays[k] = arrays.get(k, 0) + stride * s
        places.append((start, tuple(sorted(total.items())), tuple(sorted(arrays.items()))))
    return tuple(places)


def is_transposed(v: Value) -> bool:
    """Whether matrices are those of another value with rows and columns exchanged, and nothing else."""
    if v.kind != "move" or len(v.shape) < 2:
        return False
    n = len(v.shape)
    swapped = (*range(n - 2), n - 1, n - 2)
    x = v.operands[0]
    places = tuple((0, ((k, 1),) if v.shape[k] != 1 else ()) for k in swapped)
    return len(x.shape) == n and v.setting.places == places and x.shape == tuple(v.shape[k] for k in swapped)


def lies_turned(v: Value) -> bool:
    """Whether a value is (a part of) another one with all axes in reverse order."""
    if v.kind != "move" or len(v.shape) < 2 or len(v.setting.places) != len(v.shape):
        return False
    last = len(v.shape) - 1
    axes = [(last - i, [k for k, _ in terms]) for i, (_, terms) in enumerate(v.setting.places)]
    return sum(own == [k] for k, own in axes) > 1 and all(own in ([], [k]) for k, own in axes)


def _are_turned(operands: Sequence[Value], shape: tuple) -> bool:
    """Whether some operands lie turned, and no other one has as many numbers."""
    size = prod(shape)
    whole = [v for v in operands if v.size == size and (v.kind != "move" or v.operands[0].size >= size)]
    return bool(whole) and all(map(lies_turned, whole))


def _without_ones(move: Move) -> Move:
    """The move without terms for axes of length 1, along which the index is 0."""
    shape = move.shape
    if 1 not in shape:
        return move
    places = tuple((start, tuple(t for t in terms if shape[t[0]] != 1)) for start, terms in move.places)
    return Move(shape, places)


def _after(first: Move, second: Move) -> Move:
    """One move for two: `second` takes elements from what `first` gave."""
    places = []
    for start, terms in first.places:
        total: dict[int, int] = {}
        for axis, stride in terms:
            offset, inner = second.places[axis]
            start += stride * offset
            for k, s in inner:
                total[k] = total.get(k, 0) + stride * s
        places.append((start, tuple(sorted((k, s) for k, s in total.items() if s))))
    return Move(second.shape, tuple(places))


def _reshaped(old: tuple, new: tuple) -> tuple | None:
    """The places of a reshape that only merges what it has, or adds and drops axes of length 1; else `None`.

    An axis of the operand is found from those of the result if it is one of them, or several side by side.
    """
    if 0 in old or 0 in new:
        return None
    places: list = []
    k = 0
    for n in old:
        if n == 1:
            places.append((0, ()))
            continue
        while k < len(new) and new[k] == 1:
            k += 1
        first, size = k, 1
        while k < len(new) and size < n:
            size *= new[k]
            k += 1
        if size != n:
            return None
        terms, stride = [], 1
        for axis in range(k - 1, first - 1, -1):
            if new[axis] != 1:
                terms.append((axis, stride))
            stride *= new[axis]
        places.append((0, tuple(sorted(terms))))
    return tuple(places)


def _key(value: Any) -> Any:
    if isinstance(value, np.generic):
        return (value.dtype, value.tobytes())
    if isinstance(value, tuple):
        return tuple(map(_key, value))
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


def _shown(v: Value) -> str:
    operands = ", ".join(map(repr, v.operands))
    if v.kind == "map":
        return f"{v.setting}({operands})"
    if v.kind in ("constant", "call"):
        return f"{v.kind} {getattr(v.setting, 'name', '')}({operands})"
    return f"{v.kind}({operands}; {v.setting})"
