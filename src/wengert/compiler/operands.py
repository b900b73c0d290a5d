"""What a program asks of its arguments, one operand after the other, for the native entry to check.

An operand is an argument, or something inside an earlier operand: an item of a tuple or list, a value of a dictionary,
the content of a slot, an attribute. It must be what its check says; arrays and numbers also say into which of the
program's pointers the address of their data goes.

>>> operands = Operands()
>>> pair = operands.argument(0, Sized(tuple, 2))
>>> _ = operands.item(pair, 0, Array((3,), np.dtype(float)), pointer=0)
>>> _ = operands.item(pair, 1, Number(float), pointer=1)
"""

import ctypes
import functools
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from math import prod
from types import CellType
from typing import Any

import numpy as np

from wengert.compiler.assembly import filled

__all__ = [
    "Again", "Array", "At", "Contents", "Equal", "Exact", "Number", "Operands", "Quiet", "Same", "Sized", "slot_offset",
]  # fmt: skip

ROWS, COLUMNS, ALIGNED, WRITABLE = 0x1, 0x2, 0x100, 0x400
"""NumPy's flags: in one piece in C order, and in Fortran's; aligned; may be written."""
ARGUMENT, TUPLE, LIST, KEY, SLOT, FIXED, CONTEXT, ATTRIBUTE = range(8)
ARRAY, NUMBER, SAME, EQUAL, SIZED, EXACT, CONTENTS, AGAIN, WHOLE, QUIET = range(10)
MOST_PAIRED = 16
"""Operands up to which each is compared with all others."""
CELL_CONTENT = 16
DICTIONARY_VERSION = 24
"""Where a dictionary has its version (PEP 509), if dictionaries have one."""
SIZE, SET_SIZE = 16, 24
"""Where a tuple, list or dictionary, and a set, has the number of its items."""


@dataclass(frozen=True)
class Array:
    """A plain array of a shape and dtype; one in another order in memory is copied, unless it is to be written.

    Nor is it with ``as_is``, where another is written, which might be the same memory. One that only Python code reads
    may lie ``anywhere``. The order is C's, or Fortran's of one that is ``turned``; where that is `strict`, an array in
    the other one of these two is refused, not copied, so no shape must be `strict` for which they are the same.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    written: bool = False
    as_is: bool = False
    anywhere: bool = False
    turned: bool = False
    strict: bool = False


@dataclass(frozen=True, eq=False)
class Contents:
    """A plain array of the shape and dtype of one, with certain bytes as its contents in C order."""

    value: np.ndarray
    contents: bytes


@dataclass(frozen=True)
class Number:
    """A Python float or int (of at most 64 bits), or a NumPy scalar, of exactly this class.

    An int has at most the absolute value `most`, if that is not 0.
    """

    cls: type
    most: int = 0


@dataclass(frozen=True)
class Same:
    """One certain object; or, with ``empty``, a slot that has no content or a key that is not there."""

    value: Any
    empty: bool = False


@dataclass(frozen=True)
class At:
    """The object at an address, which is not kept alive."""

    address: int


@dataclass(frozen=True)
class Equal:
    """A bool, int, string or bytes object of the same class and value."""

    value: Any


@dataclass(frozen=True)
class Again:
    """The same object as an earlier operand."""

    operand: int


@dataclass(frozen=True)
class Sized:
    """A tuple, list, dictionary or set, of exactly this class, with so many items; a dictionary's keys in order."""

    cls: type
    size: int
    keys: tuple | None = None


@dataclass(frozen=True)
class Exact:
    """An object of exactly this class."""

    cls: type


@dataclass(frozen=True)
class Quiet:
    """What NumPy is to do about floating-point errors, as `errstate.variable` has it: at most warn."""


Check = Array | Contents | Number | Same | At | Again | Equal | Sized | Exact | Quiet
_KINDS: dict[type, int] = {
    Array: ARRAY, Number: NUMBER, Same: SAME, Equal: EQUAL, Sized: SIZED, Exact: EXACT,
    Contents: CONTENTS, Again: AGAIN, At: SAME, Quiet: QUIET,
}  # fmt: skip
_ITEMS = {tuple: TUPLE, list: LIST}


class Operands:
    """The operands of a program in the order in which they are checked; methods give an operand's number."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, Any, Check, int | None]] = []
        """For each operand its source, the operand it lies in, where, its check, and the number of its pointer."""
        self.others: dict[int, int] = {}
        """For operands that must be no other of their chain the last one before, plus one; 0 for none."""
        self._latest: dict[str, int] = {}

    def argument(self, number: int, check: Check, pointer: int | None = None) -> int:
        """An argument, by its position; those given by name follow the others."""
        return self._add(ARGUMENT, 0, number, check, pointer)

    def item(self, parent: int, number: int, check: Check, pointer: int | None = None) -> int:
        """An item of a tuple or list that has been checked to be one."""
        box = self._check_of(parent)
        if isinstance(box, Same) and isinstance(box.value, tuple) and 0 <= number < len(box.value):
            return self._add(TUPLE, parent, number, check, pointer)
        source = next((_ITEMS[c] for c in _ITEMS if isinstance(box, Sized) and issubclass(box.cls, c)), None)
        if source is None or not isinstance(box, Sized) or not 0 <= number < box.size:
            raise ValueError(f"operand {parent} must be a tuple or list with an item {number}; it is {box}")
        return self._add(source, parent, number, check, pointer)

    def key(self, parent: int, key: Any, check: Check, pointer: int | None = None) -> int:
        """A value of a dictionary that has been checked to be one, by its key."""
        box = self._check_of(parent)
        known = box.cls if isinstance(box, (Sized, Exact)) else type(box.value) if isinstance(box, Same) else None
        if known is None or not issubclass(known, dict):
            raise ValueError(f"operand {parent} must be a dictionary; it is {box}")
        return self._add(KEY, parent, key, check, pointer)

    def slot(self, parent: int, name: str, check: Check, pointer: int | None = None) -> int:
        """The content of a slot of an object whose class is certain; `cell_contents` for a cell."""
        box = self._check_of(parent)
        cls = box.cls if isinstance(box, Exact) else type(box.value) if isinstance(box, Same) else None
        if cls is None:
            raise ValueError(f"operand {parent} must be of a certain class; it is {box}")
        return self._add(SLOT, parent, (cls, name), check, pointer)

    def attribute(self, parent: int, name: str, check: Check, pointer: int | None = None) -> int:
        """An attribute, as objects have it by themselves, of one whose class is certain."""
        if not isinstance(self._check_of(parent), Exact):
            raise ValueError(f"operand {parent} must be of a certain class; it is {self._check_of(parent)}")
        return self._add(ATTRIBUTE, parent, sys.intern(name), check, pointer)

    def fixed(self, value: Any, check: Check | None = None, pointer: int | None = None) -> int:
        """An object that does not depend on the call: where captured state is looked for."""
        return self._add(FIXED, 0, value, check or Same(value), pointer)

    def distinct(self, number: int, chain: str, varies: bool = True) -> None:
        """Ask that an operand is no other of its chain; two that do not vary are known to differ."""
        if not varies and chain not in self._latest:
            return
        self.others[number] = self._latest.get(chain, 0)
        if varies:
            self._latest[chain] = number + 1

    @property
    def slots(self) -> int:
        """The size of a table of all objects that must differ, where they are too many to be compared in pairs."""
        n = len(self.others)
        return 1 << (2 * n).bit_length() if n > MOST_PAIRED else 0

    def context(self, variable: ContextVar, check: Check) -> int:
        """The value of a context variable."""
        return self._add(CONTEXT, 0, variable, check, None)

    def _check_of(self, number: int) -> Check:
        return self.rows[number][3]

    def _add(self, source: int, parent: int, where: Any, check: Check, pointer: int | None) -> int:
        if (pointer is None) != (not isinstance(check, (Array, Contents, Number))):
            raise ValueError(f"arrays and numbers need a pointer, others have none; received {check}, {pointer}")
        self.rows.append((source, parent, where, check, pointer))
        return len(self.rows) - 1

    @property
    def writes(self) -> bool:
        """Whether an operand is written."""
        return any(isinstance(check, Array) and check.written for *_, check, _ in self.rows)

    def table(self, keep: Any) -> np.ndarray:
        """The rows as the native code reads them; what they point to is given to `keep`."""
        are_many = bool(self.slots)
        others = {k: link or are_many for k, link in self.others.items()}
        rows = [_row(*row, keep) | {"others": others.get(k, 0)} for k, row in enumerate(self.rows)]
        return filled("operand", rows)


def _row(source: int, parent: int, where: Any, check: Check, pointer: int | None, keep: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"source": source, "parent": parent, "kind": _KINDS[type(check)], "pointer": pointer or 0}
    row["where"] = _where(source, where, keep)
    if isinstance(check, Array):
        lengths = keep(np.array(check.shape, np.int64))
        row |= {
            "what": id(keep(check.dtype)), "size": len(check.shape), "lengths": lengths.ctypes.data,
            "flags": ((COLUMNS if check.turned else ROWS) | ALIGNED) * (not check.anywhere) | WRITABLE * check.written,
            "refused": (ROWS if check.turned else COLUMNS) * check.strict,
            "written": 1 if check.written else 2 * check.as_is,
            "bytes": prod(check.shape) * check.dtype.itemsize,
        }  # fmt: skip
    elif isinstance(check, Contents):
        row |= _row(source, parent, where, Array(check.value.shape, check.value.dtype), pointer, keep)
        row |= {"kind": CONTENTS, "contents": keep(np.frombuffer(check.contents, np.uint8)).ctypes.data}
    elif isinstance(check, Again):
        row["what"] = check.operand
    elif isinstance(check, Same):
        row["what"] = 0 if check.empty else id(keep(check.value))
        row["version"] = source == KEY and has_versions()
    elif isinstance(check, At):
        row["what"] = check.address
    elif isinstance(check, Quiet):
        row["what"] = id(type(where.get()))
    elif isinstance(check, Equal):
        row["what"] = id(keep(check.value))
    else:
        row["what"] = id(keep(check.cls))
        if isinstance(check, Number) and check.cls is int:
            row |= {"kind": WHOLE, "size": check.most}
        if isinstance(check, Sized):
            row |= {"size": check.size, "bytes": SET_SIZE if check.cls is set else SIZE}
            row["written"] = check.cls not in (tuple, list)
            if check.keys:
                row["flags"] = all(type(key) is str for key in check.keys)
                row["contents"] = keep(np.array([id(keep(key)) for key in check.keys], np.uint64)).ctypes.data
    return row


@functools.cache
def has_versions() -> bool:
    """Whether dictionaries have a number that no dictionary has had before, and a new one after each change."""
    if sys.version_info >= (3, 13):
        return False
    seen = set()
    for change in (_Changed.insert, _Changed.replace, _Changed.remove, _Changed.update, _Changed.clear, _Changed.copy):
        changed = _Changed()
        for _ in range(64):  # until the interpreter has made special instructions of it
            seen.add(_version(changed.content))
            before = len(seen)
            change(changed)
            seen.add(_version(changed.content))
            if len(seen) != before + 1:
                return False
    return True


def _version(dictionary: dict) -> int:
    return ctypes.c_uint64.from_address(id(dictionary) + DICTIONARY_VERSION).value


class _Changed:
    """The dictionary of an object, and ways to change it."""

    def __init__(self) -> None:
        self.content = vars(self)
        self.count = 0
        self.other: Any = None

    def insert(self) -> None:
        self.count += 1
        self.content[str(self.count)] = self.count

    def replace(self) -> None:
        self.other = object()

    def remove(self) -> None:
        self.content["again"] = None
        del self.content["again"]

    def update(self) -> None:
        self.content.update(other=object())

    def clear(self) -> None:
        content = self.content
        content.clear()
        self.content, self.count = content, 0

    def copy(self) -> None:
        self.content = dict(self.content)


def _where(source: int, where: Any, keep: Any) -> int:
    if source in (KEY, FIXED, CONTEXT, ATTRIBUTE):
        return id(keep(where))
    return slot_offset(*where) if source == SLOT else where


def slot_offset(cls: type, name: str) -> int:
    """Where a slot lies in the objects of a class: what CPython's description of the slot says."""
    if cls is CellType and name == "cell_contents":
        return CELL_CONTENT
    slot = next((base.__dict__[name] for base in cls.__mro__ if name in base.__dict__), None)
    if type(slot).__name__ != "member_descriptor":
        raise ValueError(f"{cls.__name__}.{name} must be a slot; it is {slot!r}")
    # A member descriptor: five words of its own, then the address of {name, type, offset, ...}.
    description = ctypes.c_uint64.from_address(id(slot) + 40).value
    return ctypes.c_int64.from_address(description + 16).value
