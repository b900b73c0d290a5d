"""What `native.Entry` does, in Python: for interpreters whose objects are laid out otherwise, and to test it by.

The kernels are the same and are called one by one, which costs microseconds for each.
"""

import ctypes
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from wengert.compiler import answer as steps
from wengert.compiler import operands as parts
from wengert.compiler.answer import Answer
from wengert.compiler.assembly import FIELDS
from wengert.compiler.capture import shares_memory
from wengert.compiler.errstate import is_loud
from wengert.compiler.native import GUARD, MOST_TRIES, PYTHON, Launch, Result, aligned
from wengert.compiler.operands import Again, Array, At, Contents, Equal, Exact, Number, Operands, Quiet, Same, Sized

__all__ = ["PlainEntry"]

NOTHING = object()
KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


class _Other(Exception):
    """The arguments are not this program's."""


class _Read(Exception):
    """A guard has read something else."""


class PlainEntry:
    """A program as a function; takes what `native.Entry` takes."""

    def __init__(
        self,
        operands: Operands,
        results: Sequence[Result],
        launches: Sequence[Launch],
        answer: Answer,
        *,
        nargs: int,
        pointers: int,
        slow: Callable,
        names: Sequence[str] = (),
        arena: tuple[int, int] | None = None,
        block: tuple[int, int] | None = None,
        expected: np.ndarray | None = None,
        constants: dict[int, np.ndarray] | None = None,
        views: Callable | None = None,
        release: bool = False,
        forgive: bool = False,
        lock: Any = None,
        spare: list[np.ndarray] | None = None,
    ):
        self.operands, self.results, self.launches, self.answer = operands, results, launches, answer
        self.nargs, self.names, self.pointers, self.slow = nargs, tuple(names), pointers, slow
        self.arena, self.block, self.constants, self.views = arena, block, constants or {}, views
        self.expected = b"" if expected is None else expected.tobytes()
        self.forgive, self.lock = forgive, lock or nullcontext()
        self.next: PlainEntry | None = None
        self.instead: PlainEntry | None = None
        self.function = self._call
        self.runs = 0
        """How often the program has run to its end."""

    def link(self, other: "PlainEntry | None") -> None:
        """Try another program, with the same arguments, where those of a call are not this one's."""
        self.next = other

    def otherwise(self, other: "PlainEntry | None") -> None:
        """Try another program where a guard reads something else."""
        self.instead = other

    def consistent(self, looked_at: list[tuple[int, int, int]]) -> "PlainEntry | None":
        """The first program after this one of which the guards may read what has been read, with which masks where."""
        other = self.instead
        for _ in range(MOST_TRIES):
            if other is None or self.may_read(other, looked_at):
                return other
            other = other.instead
        return None

    def may_read(self, other: "PlainEntry", looked_at: list[tuple[int, int, int]]) -> bool:
        """Whether another program's guards may read what has been read, as far as the block means the same."""
        both = zip(self.expected, other.expected, strict=False)
        shared = next((k + 1 for k, (a, b) in enumerate(both) if a != b), min(len(self.expected), len(other.expected)))
        for offset, mask, bits in looked_at:
            wanted = int.from_bytes(other.expected[offset : offset + 8], "little")
            kept = (1 << 8 * max(min(shared - offset, 8), 0)) - 1
            if (wanted ^ bits) & mask & kept:
                return False
        return True

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        entry = self
        for _ in range(MOST_TRIES):
            read, other = None, entry.next
            try:
                with entry.lock:
                    answer = _Run(entry, args, kwargs).answer()
                entry.runs += 1
                return answer
            except _Other:
                pass
            except _Read as error:
                read, looked_at = error.args
                other = entry.consistent(looked_at)
            except Exception:
                if not entry.forgive:
                    raise
            if other is None:
                break
            entry, read = other, None
        return entry.slow(read, *args, **kwargs)


class _Run:
    """One call in flight."""

    def __init__(self, entry: PlainEntry, args: tuple, kwargs: dict):
        self.entry = entry
        self.given = (*args, *kwargs.values())
        if len(self.given) != entry.nargs or tuple(kwargs) != entry.names:
            raise _Other
        self.kept: list[Any] = []
        self.objects: list[Any] = []
        self.originals: list[Any] = []
        self.seen: set[int] = set()
        self.looked_at: list[tuple[int, int, int]] = []
        """What guards have read: where in the block, with which mask, and what."""
        self.pointers = np.zeros(entry.pointers + 1, np.uint64)
        for number, row in enumerate(entry.operands.rows):
            self._operand(*row)
            self._check_new(number, entry.operands)
        if entry.operands.writes:
            self._check_apart()
        self.fresh = [np.empty(r.shape, r.dtype, "F" if r.turned else "C") for r in entry.results]
        for result, array in zip(entry.results, self.fresh, strict=True):
            self._point(result.pointer, array)
        for pointer, array in entry.constants.items():
            self._point(pointer, array)
        self.views = self._state()

    def _point(self, pointer: int, array: np.ndarray) -> None:
        self.kept.append(array)
        self.pointers[pointer] = array.ctypes.data

    # Operands ---------------------------------------------------------------------------------------------------

    def _operand(self, source: int, parent: int, where: Any, check: Any, pointer: int | None) -> None:
        value = self._found(source, parent, where)
        if value is NOTHING:
            if not (isinstance(check, Same) and check.empty):
                raise _Other
        elif isinstance(check, Again):
            if value is not self.originals[check.operand]:
                raise _Other
        elif not _fits(value, check):
            raise _Other
        self.originals.append(value)
        if pointer is not None:
            array = np.asarray(value)
            if isinstance(check, Array):
                array = value = _in_order(array, check)
            elif not (array.flags.c_contiguous and array.flags.aligned):
                array = value = array.copy()
            self._point(pointer, array)
        self.objects.append(value)

    def _check_new(self, number: int, operands: Operands) -> None:
        if number in operands.others:
            if id(self.originals[number]) in self.seen:
                raise _Other
            self.seen.add(id(self.originals[number]))

    def _found(self, source: int, parent: int, where: Any) -> Any:
        if source == parts.ARGUMENT:
            return self.given[where]
        if source == parts.FIXED:
            return where
        if source == parts.CONTEXT:
            try:
                return where.get()
            except LookupError:
                return NOTHING
        box = self.objects[parent]
        if source == parts.KEY:
            return box.get(where, NOTHING)
        if source == parts.ATTRIBUTE:
            return getattr(box, where, NOTHING)
        if source == parts.SLOT:
            cls, name = where
            slot = next(vars(base)[name] for base in cls.__mro__ if name in vars(base))
            try:
                return slot.__get__(box)
            except (AttributeError, ValueError):  # an empty slot, or cell
                return NOTHING
        return box[where]

    def _check_apart(self) -> None:
        checks = [row[3] for row in self.entry.operands.rows]
        arrays = [a if isinstance(c, (Array, Contents)) else None for a, c in zip(self.originals, checks, strict=True)]
        written = {k for k, check in enumerate(checks) if isinstance(check, Array) and check.written}
        if shares_memory(arrays, written):
            raise _Other

    def _state(self) -> list:
        entry = self.entry
        memory = {pointer: aligned(size) for pointer, size in (entry.arena or (0, 0), entry.block or (0, 0)) if size}
        for pointer, array in memory.items():
            self._point(pointer, array)
        scalars = [array.reshape(-1).view(np.uint8) if not array.ndim else None for array in self.fresh]
        return list(entry.views(memory, scalars)) if entry.views is not None else []

    # The run ----------------------------------------------------------------------------------------------------

    def answer(self) -> Any:
        """Run the launches, and build the answer."""
        for launch in self.entry.launches:
            if launch.code == GUARD:
                self._guard(launch)
            elif launch.code == PYTHON:
                tables = (self.objects, self.fresh, self.views)
                launch.function(*[tables[table][number] for table, number in launch.row.tolist()])
            else:
                KERNEL(launch.function)(self.pointers.ctypes.data, launch.row.ctypes.data, 0, launch.extent)
        stack: list[Any] = []
        for kind, what, count, slot in self.entry.answer.steps:
            taken = stack[len(stack) - count :]
            del stack[len(stack) - count :]
            if kind == steps.STORE:
                setattr(self.objects[what], slot[1], taken[0])
            elif kind in (steps.STORE_KEY, steps.STORE_INDEX):
                self.objects[what][slot] = taken[0]
            elif kind == steps.COPY:
                ctypes.memmove(int(self.pointers[what]), int(self.pointers[slot[0]]), slot[1])
            else:
                stack.append(self._made(kind, what, taken, slot))
        return stack[0]

    def _guard(self, launch: Launch) -> None:
        row = dict(zip(FIELDS["guard"], launch.row[0].tolist(), strict=True))
        at = int(self.pointers[row["pointer"]]) + row["offset"]
        bits = int.from_bytes(ctypes.string_at(at, row["size"]), "little") & row["mask"]
        if not row["above"]:
            self.looked_at.append((row["offset"], row["mask"], bits))
        if (bits > row["expected"]) if row["above"] else (bits == row["expected"]):
            return
        raise _Read(ctypes.string_at(int(self.pointers[row["pointer"]]), launch.extent), self.looked_at)

    def _made(self, kind: int, what: Any, taken: list, slot: Any) -> Any:
        if kind == steps.RESULT:
            return self.fresh[what][()] if self.entry.results[what].scalar else self.fresh[what]
        if kind == steps.OPERAND:
            return self.objects[what]
        if kind == steps.CONSTANT:
            return what
        if kind == steps.TUPLE:
            return tuple(taken) if what is None else tuple.__new__(what, taken)
        if kind == steps.LIST:
            return taken
        if kind == steps.DICTIONARY:
            return dict(zip(what, taken, strict=True))
        if kind == steps.CALL:
            return what(taken[0])
        cls, others = what
        made = object.__new__(cls)
        if kind == steps.FIELDS:
            for name, value in zip(others, taken, strict=True):
                object.__setattr__(made, name, value)
            return made
        for name, value in (others | {slot[1]: taken[0]}).items():
            setattr(made, name, value)
        return made


def _in_order(array: np.ndarray, check: Array) -> np.ndarray:
    """The array, or a copy that lies as a check says; one that must not be copied is for another program."""
    in_rows, in_columns = array.flags.c_contiguous, array.flags.f_contiguous
    if array.flags.aligned and (in_columns if check.turned else in_rows):
        return array
    if check.written or check.as_is or (check.strict and (in_rows if check.turned else in_columns)):
        raise _Other
    return array.copy("F" if check.turned else "C")


def _fits(value: Any, check: Any) -> bool:
    """Whether an object is as a check says."""
    cls = type(value)
    if isinstance(check, Array):
        if cls is not np.ndarray or value.shape != check.shape or value.dtype != check.dtype:
            return False
        return not check.written or value.flags.writeable
    if isinstance(check, Contents):
        same = cls is np.ndarray and value.shape == check.value.shape and value.dtype == check.value.dtype
        return same and value.tobytes() == check.contents
    if isinstance(check, Same):
        return not check.empty and value is check.value
    if isinstance(check, At):
        return id(value) == check.address
    if isinstance(check, Quiet):
        return not is_loud()
    if isinstance(check, Equal):
        return cls is type(check.value) and value == check.value
    if isinstance(check, Sized):
        in_order = not check.keys or tuple(value) == check.keys
        return cls is check.cls and len(value) == check.size and in_order
    assert isinstance(check, (Number, Exact))
    if check == Number(int):
        return cls is int and -(2**63) <= value < 2**63
    return cls is check.cls
