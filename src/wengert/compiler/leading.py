"""Pieces along another axis than the first, read and written where that axis is the first one.

A loop that reads ``x[:, t]`` and writes ``out[:, t]`` takes pieces that lie scattered, and no two turns are equal. They
are in an array whose axes have another order, in which this one is the first: a piece lies together there, as ``x[t]``.
"""

from typing import Any

import numpy as np

from wengert.compiler import trace
from wengert.compiler.buffers import primitive
from wengert.compiler.columns import Columns
from wengert.compiler.program import Call, Ref
from wengert.protocol import Spec, intern_spec

__all__ = ["lead"]

MANY, MOST = 16, 4
"""Different pieces of one array from which on it is moved, if they are one in so many of all its pieces."""
WRITES = (trace._assigned, trace._added)
WHOLE = slice(None)


def lead(columns: Columns) -> None:
    """Rewrite a program so that pieces of arrays are taken along their first axes, where there are many."""
    getitem = primitive("getitem")
    rows = columns.rows_of(lambda call: call.function is getitem or call.function in WRITES)
    if len(rows) >= MANY:
        _Leading(columns, rows.tolist()).commit()


def _axis(call: Call, spec: Spec) -> int:
    """The axis along which a call takes one piece of an array; 0 for the first one, and for other parts."""
    index = call.kwargs.get("index")
    if call.args[:1] != (Ref(0),) or index.__class__ is not tuple or not index:
        return 0
    if index[0] is Ellipsis:
        index = (*[WHOLE] * (spec.ndim - len(index) + 1), *index[1:])
    parts = [(axis, part) for axis, part in enumerate(index) if not (type(part) is slice and part == WHOLE)]
    return parts[0][0] if len(parts) == 1 and type(parts[0][1]) is int else 0


class _Leading:
    """What becomes of the rows of a program; nothing of it is changed before `commit`.

    Between rows there is room for new ones: row `k` lies at position ``2 * k + 1``.
    """

    def __init__(self, columns: Columns, rows: list[int]):
        self.columns, self.n = columns, len(columns)
        self.new: list[tuple[int, Call, tuple]] = []
        """New rows: position, what they do, operands. They have the numbers behind the others."""
        self.instead: dict[int, int] = {}
        """The new rows that old ones become."""
        self.moved: dict[tuple[int, int], int] = {}
        """For rows and axes the rows of the same arrays with the axis in front."""
        self.roots: dict[int, tuple[int, int]] = {}
        """For rows that take or write pieces, what they are pieces of to begin with, and the axis."""
        for row in rows:
            self.find_root(row)
        pieces: dict[tuple[int, int], set[int]] = {}
        for row, root in self.roots.items():
            pieces.setdefault(root, set()).add(self.place(row, root[1]))
        for row in [row for row, root in self.roots.items() if self.is_worth(root, len(pieces[root]))]:
            self.rewrite(row, self.roots[row][1])

    def base(self, row: int) -> int:
        """What a row takes a piece of, or writes into."""
        return int(self.columns.operands[self.columns.starts[row]])

    def find_root(self, row: int) -> None:
        """Note what a row is a piece of."""
        base = self.base(row)
        axis = _axis(self.columns.call(row), self.columns.call(base).spec)
        if axis:
            known = self.roots.get(base, (base, axis))
            follows = self.columns.call(base).function in WRITES and known[1] == axis
            self.roots[row] = known if follows else (base, axis)

    def is_worth(self, root: tuple[int, int], pieces: int) -> bool:
        """Whether so many pieces of an array are most of it."""
        row, axis = root
        return pieces >= MANY and pieces * MOST >= self.columns.call(row).spec.shape[axis]

    def place(self, row: int, axis: int) -> int:
        """The index of the piece that a row takes or writes."""
        spec, index = self.columns.call(self.base(row)).spec, self.columns.call(row).kwargs["index"]
        return int(index[axis - spec.ndim if index[0] is Ellipsis else axis] % spec.shape[axis])

    def rewrite(self, row: int, axis: int) -> None:
        """Take or write the piece where its axis is the first one."""
        call, operands = self.columns.call(row), self.columns.operands_of(row)
        kwargs = {**call.kwargs, "index": (self.place(row, axis),)}
        is_write = call.function in WRITES
        made = _in_front(call.spec, axis) if is_write else call.spec
        operands[0] = self.in_front(operands[0], axis)
        new = self.append(2 * row + 1, Call(call.name, made, call.weak, call.function, call.args, kwargs), operands)
        if is_write:
            self.moved[row, axis] = new
            new = self.transposed(2 * row + 1, new, call.spec, np.argsort(_order(call.spec.ndim, axis)))
        self.instead[row] = new

    def in_front(self, row: int, axis: int) -> int:
        """The array of a row with an axis in front."""
        known = self.moved.get((row, axis))
        if known is None:
            spec = self.columns.call(row).spec
            order = _order(spec.ndim, axis)
            known = self.moved[row, axis] = self.transposed(2 * row + 2, row, _in_front(spec, axis), order)
        return known

    def transposed(self, position: int, row: int, spec: Spec, order: Any) -> int:
        """The array of a row with its axes in this order."""
        call = self.columns.call(row) if row < self.n else None
        if call is not None and call.function is np.zeros:
            return self.append(position, Call("zeros", spec, None, np.zeros, (spec.shape, spec.dtype), {}), ())
        if call is not None and call.name == "constant":
            whole = np.broadcast_to(call.source, call.spec.shape)
            source = np.ascontiguousarray(np.transpose(whole, order))
            return self.append(position, Call("constant", spec, source=source), ())
        axes = {"axes": tuple(map(int, order))}
        return self.append(position, Call("transpose", spec, None, primitive("transpose"), (Ref(0),), axes), (row,))

    def append(self, position: int, call: Call, operands: Any) -> int:
        """A new row."""
        self.new.append((position, call, tuple(operands)))
        return self.n + len(self.new) - 1

    def commit(self) -> None:
        """Change the program."""
        if not self.new:
            return
        columns = self.columns
        columns.extend([(call, operands) for _, call, operands in self.new])
        to = np.arange(len(columns), dtype=np.int32)
        to[list(self.instead)] = list(self.instead.values())
        columns.operands = to[columns.operands]
        columns.wanted, columns.read, columns.recorded = (
            to[x] for x in (columns.wanted, columns.read, columns.recorded)
        )
        positions = np.concatenate([2 * np.arange(self.n) + 1, [position for position, *_ in self.new]])
        stays = np.ones(len(columns), bool)
        stays[list(self.instead)] = False
        columns.arrange(np.flatnonzero(stays), positions[stays])


def _order(ndim: int, axis: int) -> list[int]:
    """The axes with one of them in front."""
    return [axis, *[k for k in range(ndim) if k != axis]]


def _in_front(spec: Spec, axis: int) -> Spec:
    """The shape and dtype of an array with an axis in front."""
    return intern_spec(tuple(spec.shape[k] for k in _order(spec.ndim, axis)), spec.dtype)
