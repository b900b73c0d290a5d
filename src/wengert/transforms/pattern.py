"""Sparsity detection: arrays that know on which inputs each of their elements depends.

A `Pattern` is a value, and for each element the number of a set of inputs; number 0 is the empty set. Functions that
only move elements do to the numbers what they do to the values, and views and writes come for free; the others make
new sets, the unions of those of the elements that they combine. The sets of a run are the rows of sparse matrices.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import unbox
from wengert.errors import ArgumentError
from wengert.primitive import Plain, Primitive, needs
from wengert.protocol import spec_of
from wengert.transforms.batching import behind
from wengert.transforms.lifted import Lifted, found, fresh, own_memory, store

__all__ = ["Pattern", "Sets"]

_MOST_ENTRIES = 200_000_000
"""So many non-zeros and more are refused: what is dense needs no pattern, and would not fit into memory."""


class Sets:
    """The sets of inputs met in one run: number k is row k of all blocks together."""

    def __init__(self, inputs: int):
        from scipy import sparse

        self.inputs, self.entries = inputs, 0
        empty = sparse.csr_array((1, inputs), dtype=bool)
        single = sparse.eye_array(inputs, format="csr", dtype=bool)
        self.blocks, self.starts = [empty, single], [0, 1]

    def rows(self, numbers: np.ndarray) -> Any:
        """The sets of these numbers as the rows of a sparse matrix."""
        from scipy import sparse

        if len(self.blocks) > 64:
            self.blocks, self.starts = [sparse.vstack(self.blocks, format="csr")], [0]
        owner = np.searchsorted(self.starts, numbers, side="right") - 1
        used = np.unique(owner)
        if len(used) == 1:
            block, places = self.blocks[used[0]], numbers - self.starts[used[0]]
            self._check(int(np.sum(np.diff(block.indptr)[places])))
            return block[places]
        parts, order = [], []
        for k in used:
            places = np.flatnonzero(owner == k)
            self._check(int(np.sum(np.diff(self.blocks[k].indptr)[numbers[places] - self.starts[k]])))
            parts.append(self.blocks[k][numbers[places] - self.starts[k]])
            order.append(places)
        if not parts:
            return self.blocks[0][:0]
        return sparse.vstack(parts, format="csr")[np.argsort(np.concatenate(order))]

    def _check(self, entries: int) -> None:
        if entries > _MOST_ENTRIES:
            raise ArgumentError(
                f"[sparse] a function whose derivatives are mostly zero was required; received one with more than "
                f"{_MOST_ENTRIES:,} dependencies on {self.inputs:,} inputs; use wg.jacobian, wg.hessian or wg.hvp"
            )

    def add(self, rows: Any) -> np.ndarray:
        """Numbers for new sets, given as the rows of a sparse matrix."""
        rows = rows.tocsr()  # a product with a matrix in another format has that
        self.entries += rows.nnz
        self._check(self.entries)
        start = self.starts[-1] + self.blocks[-1].shape[0]
        self.blocks.append(rows)
        self.starts.append(start)
        return np.arange(start, start + rows.shape[0])

    def union(self, columns: list[np.ndarray]) -> np.ndarray:
        """Numbers of the unions, element by element, of arrays of numbers of one shape."""
        known = [c for c in columns if c.any()]
        if len(known) < 2:
            return known[0] if known else columns[0]
        shape = known[0].shape
        tuples, inverse = np.unique(np.stack([c.ravel() for c in known]), axis=1, return_inverse=True)
        total = self.rows(tuples[0])
        for numbers in tuples[1:]:
            total = total + self.rows(numbers)
        return self.add(total)[inverse.ravel()].reshape(shape)

    def grouped(self, numbers: np.ndarray) -> np.ndarray:
        """For each row of a matrix of numbers the union of all its sets."""
        from scipy import sparse

        groups, length = numbers.shape
        if not numbers.any() or not length:
            return np.zeros(groups, np.int64)
        if length == 1:
            return numbers[:, 0]
        different, inverse = np.unique(numbers, return_inverse=True)
        owner = np.repeat(np.arange(groups), length)
        member = sparse.csr_array((np.ones(owner.size, bool), (owner, inverse.ravel())), (groups, different.size))
        return self.add(member @ self.rows(different))


class Pattern(Lifted):
    """A value, and for each of its elements the number of the set of inputs on which it depends."""

    __slots__ = ("_numbers", "_sets")
    _numbers: Any
    _sets: Sets
    _word = "value whose dependencies are traced"

    @classmethod
    def _of(cls, value: Any, numbers: Any, sets: Sets, level: int) -> "Pattern":
        t = object.__new__(cls)
        t._value, t._numbers, t._sets, t._level, t._spec = value, numbers, sets, level, spec_of(value)
        return t

    def _buffer(self, array: Any) -> "Pattern":
        return self._of(array, np.zeros(np.shape(array), np.int64), self._sets, self._level)

    def _store(self, index: Any, value: Any, add: bool = False) -> None:
        mine = isinstance(value, Pattern) and value._level == self._level
        store(self, "_value", index, value._value if mine else value, add)
        numbers: Any = unbox(value._numbers) if mine else np.int64(0)
        if mine or not add:
            store(self, "_numbers", index, self._added(index, numbers) if add else numbers)

    def _added(self, index: Any, numbers: np.ndarray) -> np.ndarray:
        """The numbers at an index after sets have been added there, each of repeated elements counted."""
        before = unbox(self._numbers)
        places = np.arange(before.size).reshape(before.shape)[index]
        numbers = np.broadcast_to(numbers, np.shape(places))
        targets, inverse = np.unique(places, return_inverse=True)
        if targets.size == np.size(places):
            return self._sets.union([np.asarray(before[index]), np.asarray(numbers)])
        from scipy import sparse

        member = sparse.csr_array(
            (np.ones(numbers.size, bool), (inverse.ravel(), np.arange(numbers.size))), (targets.size, numbers.size)
        )
        rows = member @ self._sets.rows(numbers.ravel()) + self._sets.rows(before.ravel()[targets])
        return self._sets.add(rows)[inverse.ravel()].reshape(np.shape(places))


# Primitives ------------------------------------------------------------------------------------------------------


def _trace(p: Primitive) -> Callable:
    """What a primitive does to dependencies."""
    combine = _combination(p)

    def here(top: Pattern, operands: tuple, params: dict) -> Any:
        level, sets = top._level, top._sets
        mine = [isinstance(a, Pattern) and a._level == level for a in operands]
        if p.view:
            y, numbers = (fresh(p.apply(own_memory(top, slot), **params)) for slot in ("_value", "_numbers"))
            return Pattern._of(y, _whole(numbers), sets, level)
        xs = tuple(unbox(a._value) if ours else a for a, ours in zip(operands, mine, strict=True))
        y = p.apply(*xs, **params)
        if not spec_of(y).inexact:
            return y
        numbers = [
            unbox(a._numbers) if ours else np.zeros(np.shape(x), np.int64)
            for a, x, ours in zip(operands, xs, mine, strict=True)
        ]
        return Pattern._of(y, combine(sets, numbers, xs, y, params, mine), sets, level)

    return here


def _whole(numbers: Any) -> Any:
    """Numbers of sets after a function that may have changed their dtype."""
    return numbers if spec_of(numbers).dtype == np.int64 else np.astype(numbers, np.int64)


def _combination(p: Primitive) -> Callable:
    if p.moves:
        return lambda sets, numbers, xs, y, params, mine: _moved(p, numbers, params)
    if p.kind == "elementwise" or p.batch == "elementwise":
        return lambda sets, numbers, xs, y, params, mine: _elementwise(p, sets, numbers, np.shape(y))
    if p.name in _PRODUCTS:
        return _PRODUCTS[p.name]
    if p.batch == "axis" and not p.variadic:
        return _along_axes
    return _leading if p.batch == "leading" and len(p.operands) == 1 else _mixed


def _moved(p: Primitive, numbers: list, params: dict) -> np.ndarray:
    """Elements are moved, or replaced by zeros: so are the numbers."""
    return numbers[0] if "dtype" in params else _whole(p.call(*numbers, **params))


def _elementwise(p: Primitive, sets: Sets, numbers: list, shape: tuple) -> np.ndarray:
    felt = [n for n, rule in zip(numbers, p.rules, strict=True) if rule is not None and not _is_zero(rule)]
    if not felt:
        return np.zeros(shape, np.int64)
    return sets.union([np.broadcast_to(n, shape) for n in felt])


def _is_zero(rule: Callable) -> bool:
    """Whether a partial derivative is 0 everywhere."""
    return not needs(rule) and rule() == 0


def _along_axes(sets: Sets, numbers: list, xs: tuple, y: Any, params: dict, mine: list) -> np.ndarray:
    """All elements along the axes are combined."""
    (x,) = numbers
    axes = [axis - 1 if axis > 0 else axis % x.ndim for axis in _as_tuple(behind(params["axis"], x.ndim))]
    others = [i for i in range(x.ndim) if i not in axes]
    kept = tuple(x.shape[i] if i in others else 1 for i in range(x.ndim))
    groups = np.transpose(x, (*others, *axes)).reshape(int(np.prod([x.shape[i] for i in others])), -1)
    joined = sets.grouped(groups).reshape(kept)
    shape = np.shape(y)
    return np.broadcast_to(joined if len(shape) == x.ndim else joined.reshape([x.shape[i] for i in others]), shape)


def _as_tuple(axis: Any) -> tuple:
    return axis if isinstance(axis, tuple) else (axis,)


def _product(sets: Sets, numbers: list, xs: tuple, y: Any, params: dict, mine: list) -> np.ndarray:
    """A row of the first operand meets a column of the second; zeros of a constant matrix are seen."""
    a, b = xs
    if mine == [False, True] and np.ndim(a) == 2 and b.ndim == 1:
        return _through(sets, a, numbers[1])
    if mine == [True, False] and np.ndim(b) == 2 and a.ndim == 1:
        return _through(sets, np.transpose(b), numbers[0])
    shape = np.shape(y)
    rows = _joined(sets, numbers[0], -1)
    columns = _joined(sets, numbers[1], -1 if b.ndim == 1 else -2)
    if a.ndim > 1 and b.ndim > 1:
        rows, columns = rows[..., :, None], columns[..., None, :]
    elif b.ndim == 1:
        columns = columns[..., None] if a.ndim > 1 else columns
    return sets.union([np.broadcast_to(rows, shape), np.broadcast_to(columns, shape)])


def _joined(sets: Sets, numbers: np.ndarray, axis: int) -> np.ndarray:
    moved = np.moveaxis(numbers, axis, -1)
    return sets.grouped(moved.reshape(-1, moved.shape[-1])).reshape(moved.shape[:-1])


def _through(sets: Sets, matrix: Any, numbers: np.ndarray) -> np.ndarray:
    """The sets behind a constant matrix."""
    from scipy import sparse

    return sets.add(sparse.csr_array(np.asarray(matrix) != 0) @ sets.rows(numbers))


def _sparse_product(sets: Sets, numbers: list, xs: tuple, y: Any, params: dict, mine: list) -> np.ndarray:
    """A sparse matrix of constants times one vector or several."""
    if mine[0]:
        return _mixed(sets, numbers, xs, y, params, mine)
    matrix = params["pattern"].matrix(np.ones(np.shape(xs[0]), bool))
    columns = numbers[1].reshape(numbers[1].shape[0], -1).T
    return np.stack([sets.add(matrix @ sets.rows(column)) for column in columns], axis=1).reshape(np.shape(y))


def _differences(sets: Sets, numbers: list, xs: tuple, y: Any, params: dict, mine: list) -> np.ndarray:
    """Neighbours along an axis are combined."""
    axis = params["axis"]
    x = np.moveaxis(numbers[0], axis, -1)
    return np.moveaxis(sets.union([x[..., 1:], x[..., :-1]]), -1, axis)


def _convolved(sets: Sets, numbers: list, xs: tuple, y: Any, params: dict, mine: list) -> np.ndarray:
    """A window of the longer operand, with zeros around it where the result is longer, meets all of the shorter one."""
    longer, shorter = sorted(numbers, key=np.size, reverse=True)
    n = shorter.size
    if n * np.size(y) > _MOST_ENTRIES:
        return _mixed(sets, numbers, xs, y, params, mine)
    padded = np.pad(longer, (np.size(y) - (longer.size - n + 1)) // 2)
    windows = sets.grouped(np.lib.stride_tricks.sliding_window_view(padded, n))
    return sets.union([windows, np.broadcast_to(sets.grouped(shorter[None])[0], windows.shape)])


_PRODUCTS = {
    "matmul": _product,
    "sparse.matmul": _sparse_product,
    "differences": _differences,
    "convolve_all": _convolved,
    "convolve_valid": _convolved,
}


def _leading(sets: Sets, numbers: list, xs: tuple, y: Any, params: dict, mine: list) -> np.ndarray:
    """Functions of stacks of matrices: each matrix on its own."""
    (x,), shape = numbers, np.shape(y)
    lead = x.shape[: max(x.ndim - 2, 0)]
    if shape[: len(lead)] != lead:
        return _mixed(sets, numbers, xs, y, params, mine)
    joined = sets.grouped(x.reshape(int(np.prod(lead)), -1)).reshape(lead)
    return np.broadcast_to(joined.reshape(lead + (1,) * (len(shape) - len(lead))), shape)


def _mixed(sets: Sets, numbers: list, xs: tuple, y: Any, params: dict, mine: list) -> np.ndarray:
    """Nothing is known: every element depends on everything."""
    everything = np.concatenate([n.ravel() for n in numbers])
    return np.broadcast_to(sets.grouped(np.unique(everything)[None])[0], np.shape(y))


def _read(known: Plain) -> Callable:
    """A function without a derivative sees the values."""

    def read(*args: Any, **kwargs: Any) -> Any:
        return known.call(*map(_value, args), **{k: _value(v) for k, v in kwargs.items()})

    return read


def _value(value: Any) -> Any:
    if type(value) in (list, tuple):
        return type(value)(map(_value, value))
    value = unbox(value) if isinstance(value, Lifted) or hasattr(value, "_node") else value
    return _value(value._value) if isinstance(value, Pattern) else value


found(Pattern, _trace, _read)
