"""Buffers that are filled piece by piece, or stacked: each piece becomes a value of its own.

A loop that writes ``out[t] = h`` is recorded as a chain of whole arrays, each with one more piece changed. What is read
from a piece is what was written there last, so reading needs no buffer; and where the whole array is wanted, all pieces
are put in their places at once. What was a chain whose every link copies an array becomes as long as what is written.
"""

import functools
from collections.abc import Callable
from heapq import heappop, heappush
from math import prod
from typing import Any

import numpy as np

from wengert.compiler import trace
from wengert.compiler.columns import Columns, starts_of
from wengert.compiler.program import Call, Ref
from wengert.primitive import REGISTRY, Primitive
from wengert.protocol import intern_spec

__all__ = ["assembled", "forward", "primitive", "whole_numbers"]


def assembled(root: Any, *pieces: Any, places: tuple = ()) -> Any:
    """An array with pieces in their places, each of which is an index of whole numbers."""
    y = np.array(root)
    for place, piece in zip(places, pieces, strict=True):
        y[place] = piece
    return y


@functools.cache
def primitive(name: str) -> Callable:
    """The function that is recorded for a primitive."""
    return next(p.call for p in REGISTRY.values() if isinstance(p, Primitive) and p.name == name)


FEW_ROWS = 16
"""Arrays stacked up to this number are a value like others."""
WRITES = (trace._assigned, trace._added)


def forward(columns: Columns) -> None:
    """Rewrite a program so that it has no chains of writes."""
    stack = primitive("stack")
    rows = columns.rows_of(lambda call: call.function is stack or _writes_piece(call))
    if len(rows):
        _Forwarding(columns, rows).commit()


def _writes_piece(call: Call) -> bool:
    """Whether it writes a piece that an index of whole numbers tells."""
    return call.function in WRITES and bool(whole_numbers(call.kwargs["index"], call.spec.shape))


class _Filled:
    """An array in the making: what it was, and which of its pieces have been written since."""

    __slots__ = ("pieces", "root", "whole")

    def __init__(self, root: int, pieces: dict[tuple, int]):
        self.root, self.pieces = root, pieces
        self.whole: int | None = None

    @property
    def depth(self) -> int:
        """How many axes the places of the pieces tell; 0 if there are none."""
        return len(next(iter(self.pieces), ()))


class _Forwarding:
    """What becomes of the rows of a program; nothing of it is changed before `commit`.

    Only writes are looked at, and rows that use what no longer stays. Between rows there is room for new ones: row `k`
    lies at position ``2 * k + 1``.
    """

    def __init__(self, columns: Columns, rows: np.ndarray):
        self.columns, self.n = columns, len(columns)
        self.of: dict[int, int | _Filled] = {}
        """What stands for rows that do not stay."""
        self.changed: dict[int, tuple] = {}
        """Rows that get other operands."""
        self.new: list[tuple[int, Call, tuple]] = []
        """New rows: position, what they do, operands. They have the numbers behind the others."""
        self.getitem, self.stack = primitive("getitem"), primitive("stack")
        self.calls: dict[tuple, Call] = {}
        self.known: dict[Any, int] = {}
        self.live = columns.live()
        self.last, self.users = _last_uses(columns, self.live), _Users(columns, self.live)
        self.read = columns.read.copy()
        self.guards: dict[int, list[int]] = {}
        """The guards that may read what does not stay, by how many rows had been recorded."""
        for k in np.flatnonzero(self._read_what_changes(rows)).tolist():
            self.guards.setdefault(int(columns.after[k]), []).append(k)
        self.waiting = sorted([2 * row + 1 for row in rows[self.live[rows]].tolist()] + [2 * k for k in self.guards])
        self.position = 0
        self.rewrite()
        self.position = 2 * self.n
        self.wanted = [self.row(row) for row in columns.wanted.tolist()]

    def _read_what_changes(self, rows: np.ndarray) -> np.ndarray:
        """For each guard whether it reads one of these rows, or what is made of one."""
        read = self.columns.read
        return np.isin(read, [*rows.tolist(), *self.users.of_all(rows)]) if len(read) else np.zeros(0, bool)

    def commit(self) -> None:
        """Change the program."""
        columns, n = self.columns, self.n
        columns.read = columns.recorded = self.read
        columns.wanted = np.array(self.wanted, np.int32)
        columns.extend([(call, operands) for _, call, operands in self.new])
        for row, operands in self.changed.items():
            columns.operands[columns.starts[row] : columns.starts[row + 1]] = operands
        stays = self.live.copy()
        stays[list(self.of)] = False
        old, behind = np.flatnonzero(stays), [position for position, *_ in self.new]
        positions = np.concatenate([2 * old + 1, np.array(behind, np.int64)])
        columns.arrange(np.concatenate([old, np.arange(n, len(columns))]), positions)

    def rewrite(self) -> None:
        """Go on with rows: as they are, with other operands, or as what they stand for."""
        while self.waiting:
            self.position = heappop(self.waiting)
            row, is_row = divmod(self.position, 2)
            if not is_row:
                for k in self.guards[row]:
                    self.read[k] = self.row(int(self.read[k]))
            elif row not in self.of and row not in self.changed:
                self.position -= 1
                self.rewrite_row(row)

    def rewrite_row(self, row: int) -> None:
        """What becomes of one row; those that use what does not stay are looked at later."""
        function = self.columns.call(row).function
        found: int | _Filled | None = None
        if function is self.getitem:
            found = self.piece_read(row)
        elif function in WRITES:
            found = self.written(row)
        elif function is self.stack:
            found = self.table(row)
        if found is not None:
            self.of[row] = found
            for user in self.users.of(row):
                heappush(self.waiting, 2 * user + 1)
            return
        operands = self.columns.operands_of(row)
        if any(operand in self.of for operand in operands):
            self.changed[row] = tuple(map(self.row, operands))

    def call_of(self, row: int) -> Call:
        """What a row does, which may be a new one."""
        return self.columns.call(row) if row < self.n else self.new[row - self.n][1]

    def append(self, call: Call, operands: tuple = ()) -> int:
        """A new row here."""
        self.new.append((self.position, call, operands))
        return self.n + len(self.new) - 1

    def row(self, old: int) -> int:
        """What stands for a row; an array in the making is put together."""
        found = self.of.get(old, old)
        if isinstance(found, int):
            return found
        if found.whole is None:
            found.whole = self.put_together(found)
        return found.whole

    def put_together(self, array: _Filled) -> int:
        spec = self.call_of(array.root).spec
        is_full = len(array.pieces) == prod(spec.shape[: array.depth])
        return self.assembled(self.zeros(spec) if is_full else array.root, array.pieces, spec)

    def assembled(self, root: int, pieces: dict[tuple, int], spec: Any) -> int:
        """An array with pieces in their places."""
        refs = tuple(Ref(k) for k in range(len(pieces) + 1))
        return self.call(assembled, "assembled", (root, *pieces.values()), refs, {"places": tuple(pieces)}, spec)

    def zeros(self, spec: Any) -> int:
        """An array of zeros."""
        return self.call(np.zeros, "zeros", (), (spec.shape, spec.dtype), {}, spec)

    def call(self, function: Callable, name: str, operands: tuple, args: tuple, kwargs: dict, spec: Any) -> int:
        what = (function, args, tuple(kwargs.items()), spec)
        try:
            known = self.known.get((what, operands))
        except TypeError:
            return self.append(Call(name, spec, None, function, args, kwargs), operands)
        if known is None:
            call = self.calls.get(what)
            if call is None:
                call = self.calls[what] = Call(name, spec, None, function, args, kwargs)
            known = self.known[what, operands] = self.append(call, operands)
        return known

    # Writing and reading ----------------------------------------------------------------------------------------

    def base(self, row: int) -> "int | _Filled":
        """What a call writes into, or reads from."""
        base = int(self.columns.operands[self.columns.starts[row]])
        return self.of.get(base, base)

    def written(self, row: int) -> "_Filled | None":
        """What a write makes of an array, if it writes one piece."""
        call, operands = self.columns.call(row), self.columns.operands_of(row)
        base = self.base(row) if call.args and call.args[0].__class__ is Ref else None
        place = whole_numbers(call.kwargs["index"], call.spec.shape)
        if base is None or not place or call.args[0].position:
            return None
        if call.spec is not self.columns.call(operands[0]).spec:
            return None
        if call.function is trace._added and not self.is_added_as_it_is(call, operands):
            return None
        if isinstance(base, int):
            base = _Filled(base, {})
        if base.pieces and base.depth != len(place):
            base = _Filled(self.row(operands[0]), {})
        value = self.value(call, operands, call.spec.shape[len(place) :])
        if value is None:
            return None
        if call.function is trace._added:
            old = self.piece(base, place)
            if not self.is_zero(old):
                spec = self.call_of(old).spec
                value = self.call(np.add, "add", (old, value), (Ref(0), Ref(1)), {}, spec)
        # Nobody reads what the array was before: the list of its pieces goes on.
        pieces = base.pieces if self.last[operands[0]] == row else dict(base.pieces)
        pieces[place] = value
        return _Filled(base.root, pieces)

    def is_added_as_it_is(self, call: Call, operands: list[int]) -> bool:
        """Whether a sum has the dtype that it is written in: NumPy makes whole numbers of it, not of what is added."""
        given = call.args[1]
        spec = self.call_of(operands[given.position]).spec if given.__class__ is Ref else None
        return np.result_type(call.spec.dtype, given if spec is None else spec.dtype) == call.spec.dtype

    def table(self, row: int) -> "_Filled | None":
        """Many arrays stacked as rows, as a buffer into which each of them is written."""
        call, operands = self.columns.call(row), self.columns.operands_of(row)
        if (
            len(operands) <= FEW_ROWS
            or call.kwargs.get("axis", 0)
            or call.args != tuple(map(Ref, range(len(operands))))
        ):
            return None
        spec = intern_spec(call.spec.shape[1:], call.spec.dtype)
        if any(self.columns.call(o).spec is not spec for o in operands):
            return None
        return _Filled(self.zeros(call.spec), {(i,): self.row(o) for i, o in enumerate(operands)})

    def value(self, call: Call, operands: list[int], shape: tuple) -> int | None:
        """What is written, with the shape and dtype of the piece."""
        given = call.args[1]
        spec = intern_spec(shape, call.spec.dtype)
        if given.__class__ is Ref:
            value = self.row(operands[given.position])
        elif isinstance(given, (bool, int, float, np.generic)):
            number = np.asarray(given, spec.dtype)[()]
            value = self.append(Call("constant", intern_spec((), spec.dtype), source=number))
        else:
            return None
        found = self.call_of(value).spec
        if found is None:
            return None
        if found.dtype != spec.dtype:
            found = intern_spec(found.shape, spec.dtype)
            value = self.call(primitive("astype"), "astype", (value,), (Ref(0),), {"dtype": spec.dtype}, found)
        if found.ndim > len(shape):
            found = intern_spec(found.shape[-len(shape) :] if shape else (), spec.dtype)
            value = self.call(primitive("reshape"), "reshape", (value,), (Ref(0),), {"shape": found.shape}, found)
        if found.shape != shape:
            value = self.call(primitive("broadcast_to"), "broadcast_to", (value,), (Ref(0),), {"shape": shape}, spec)
        return value

    def piece_read(self, row: int) -> int | None:
        """What reading a piece gives, if it has been written."""
        call = self.columns.call(row)
        base = self.base(row) if call.args[:1] == (Ref(0),) else None
        if not isinstance(base, _Filled) or not base.pieces:
            return None
        place = whole_numbers(call.kwargs.get("index"), self.columns.call(self.columns.operands_of(row)[0]).spec.shape)
        if place is None or len(place) < base.depth:
            return self.part_read(call, base)
        piece = self.piece(base, place[: base.depth])
        rest = place[base.depth :]
        if not rest:
            return piece
        return self.call(self.getitem, "getitem", (piece,), (Ref(0),), {"index": rest}, call.spec)

    def part_read(self, call: Call, array: _Filled) -> int | None:
        """What reading some of the pieces gives, which are put together alone: fewer than all that there are."""
        index = call.kwargs.get("index")
        parts = index if isinstance(index, tuple) else (index,)
        if len(parts) > array.depth or not all(isinstance(part, (int, slice)) for part in parts):
            return None
        lengths = self.call_of(array.root).spec.shape[: array.depth]
        try:
            chosen = np.arange(prod(lengths)).reshape(lengths)[parts]
        except (IndexError, TypeError):
            return None
        if not 0 < chosen.size < len(array.pieces):
            return None
        places = zip(*[axis.ravel().tolist() for axis in np.unravel_index(chosen, lengths)], strict=True)
        found = {
            at: array.pieces[place]
            for at, place in zip(np.ndindex(chosen.shape), places, strict=True)
            if place in array.pieces
        }
        spec = call.spec
        if len(found) == chosen.size or self.is_zero(array.root):
            root = self.zeros(spec)
        else:
            root = self.call(self.getitem, "getitem", (array.root,), (Ref(0),), call.kwargs, spec)
        return self.assembled(root, found, spec) if found else root

    def piece(self, array: _Filled, place: tuple) -> int:
        found = array.pieces.get(place)
        if found is None:
            root = self.call_of(array.root).spec
            spec = intern_spec(root.shape[len(place) :], root.dtype)
            if self.is_zero(array.root):
                return self.zeros(spec)
            found = self.call(self.getitem, "getitem", (array.root,), (Ref(0),), {"index": place}, spec)
        return found

    def is_zero(self, row: int) -> bool:
        """Whether it is made of zeros."""
        return self.call_of(row).function is np.zeros


class _Users:
    """Which rows use which."""

    def __init__(self, columns: Columns, live: np.ndarray):
        users = columns.users()
        counted = live[users]
        used = columns.operands[counted]
        self.users = users[counted][np.argsort(used, kind="stable")]
        self.starts = starts_of(np.bincount(used, minlength=len(columns)))

    def of(self, row: int) -> list[int]:
        """The rows that use one."""
        return self.users[self.starts[row] : self.starts[row + 1]].tolist()

    def of_all(self, rows: np.ndarray) -> list[int]:
        """The rows that use some."""
        return [user for row in rows.tolist() for user in self.of(row)]


def whole_numbers(index: Any, shape: tuple) -> tuple[int, ...] | None:
    """An index that only has whole numbers, for the first axes, counted from the front; `None` for all others."""
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) > len(shape):
        return None
    found = []
    for part, n in zip(parts, shape, strict=False):
        if isinstance(part, (bool, np.bool_)) or not isinstance(part, (int, np.integer)) or not -n <= part < n:
            return None
        found.append(int(part) % n)
    return tuple(found)


def _last_uses(columns: Columns, live: np.ndarray) -> np.ndarray:
    """The last row that uses each one; results and guards are used to the end."""
    last, users = np.zeros(len(columns), np.int32), columns.users()
    counted = live[users]
    np.maximum.at(last, columns.operands[counted], users[counted])
    last[columns.wanted] = last[columns.read] = len(columns)
    return last
