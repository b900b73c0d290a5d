"""How a call's answer is built from its results: steps on a stack of objects.

>>> answer = Answer()
>>> answer.result(0)
>>> answer.constant(None)
>>> answer.tuple(2)
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.compiler.assembly import filled
from wengert.compiler.operands import slot_offset

__all__ = ["Answer"]

RESULT, CONSTANT, TUPLE, LIST, DICTIONARY, BOX, STORE, CALL, STORE_KEY, STORE_INDEX, COPY, FIELDS, OPERAND = range(13)
WRITES = (STORE, STORE_KEY, STORE_INDEX, COPY)


class Answer:
    """The steps; the one object that is left on the stack in the end is what the call gives.

    Stores and copies come last, after everything that may fail; a store takes the top of the stack.
    """

    def __init__(self) -> None:
        self.steps: list[tuple[int, Any, int, Any]] = []
        """For each step its kind, what it is about, how many objects it takes, and a slot, as its class and name."""
        self.depth = self.deepest = 0

    def result(self, number: int) -> None:
        """A result of the program."""
        self._add(RESULT, number, 0)

    def operand(self, number: int) -> None:
        """What the call is given, or uses, itself."""
        self._add(OPERAND, number, 0)

    def constant(self, value: Any) -> None:
        """An object that is the same at each call."""
        self._add(CONSTANT, value, 0)

    def tuple(self, size: int, cls: Any = None) -> None:
        """The topmost objects in a tuple, or in one of a class of named tuples."""
        self._add(TUPLE, cls, size)

    def list(self, size: int) -> None:
        """The topmost objects in a list."""
        self._add(LIST, None, size)

    def dictionary(self, keys: Sequence) -> None:
        """The topmost objects as the values of a dictionary."""
        self._add(DICTIONARY, tuple(keys), len(keys))

    def fields(self, cls: type, names: Sequence[str]) -> None:
        """The topmost objects as the attributes of a new object of a class, whose ``__init__`` is not called."""
        self._add(FIELDS, (cls, tuple(map(sys.intern, names))), len(names))

    def boxed(self, cls: type, slot: str, others: dict[str, Any]) -> None:
        """A new object of a class of slots: the topmost object in one of them, constants in others."""
        self._add(BOX, (cls, others), 1, (cls, slot))

    def store(self, operand: int, cls: type, slot: str) -> None:
        """The topmost object into a slot of an operand that has been checked to be of a class."""
        self._add(STORE, operand, 1, (cls, slot))

    def store_key(self, operand: int, key: Any) -> None:
        """The topmost object into a dictionary that has the key already."""
        self._add(STORE_KEY, operand, 1, key)

    def store_index(self, operand: int, index: int) -> None:
        """The topmost object into a list."""
        self._add(STORE_INDEX, operand, 1, index)

    def copy(self, number: int, into: int, size: int) -> None:
        """The bytes of a result, by its pointer, to where another pointer points: an array that is to be written."""
        self._add(COPY, into, 0, (number, size))

    def call(self, function: Callable) -> None:
        """What a Python function makes of the topmost object."""
        self._add(CALL, function, 1)

    def _add(self, kind: int, what: Any, count: int, slot: Any = None) -> None:
        if count > self.depth:
            raise ValueError(f"{count} objects are needed; there are {self.depth}")
        if self.steps and self.steps[-1][0] in WRITES and kind not in WRITES:
            raise ValueError("nothing may follow a store but stores")
        self.steps.append((kind, what, count, slot))
        self.depth += (kind not in WRITES) - count
        self.deepest = max(self.deepest, self.depth)

    def table(self, keep: Any) -> np.ndarray:
        """The steps as the native code reads them; what they point to is given to `keep`."""
        if self.depth != 1:
            raise ValueError(f"one object must be left in the end; there are {self.depth}")
        rows = [
            {
                "kind": kind, "what": _word(kind, what, slot, keep), "count": count,
                "offset": _offset(kind, slot, keep), "bytes": slot[1] if kind == COPY else 0,
            }
            for kind, what, count, slot in self.steps
        ]  # fmt: skip
        return filled("step", rows)


def _offset(kind: int, slot: Any, keep: Any) -> int:
    if kind == STORE:
        return slot_offset(*slot)
    if kind == STORE_KEY:
        return id(keep(slot))
    return slot if kind == STORE_INDEX else slot[0] if kind == COPY else 0


def _word(kind: int, what: Any, slot: Any, keep: Any) -> int:
    if kind in (RESULT, OPERAND) or kind in WRITES:
        return what
    if kind in (CONSTANT, CALL) or (kind == TUPLE and what is not None):
        return id(keep(what))
    if kind == DICTIONARY:
        return keep(np.array([id(key) for key in keep(what)], np.uint64)).ctypes.data
    if kind == FIELDS:
        cls, names = keep(what)
        return keep(np.array([id(x) for x in keep([object.__new__, cls, *names])], np.uint64)).ctypes.data
    if kind == BOX:
        cls, others = keep(what)
        pairs = [word for name, value in others.items() for word in (slot_offset(cls, name), id(value))]
        return keep(np.array([id(cls), len(others), slot_offset(*slot), *pairs], np.uint64)).ctypes.data
    return 0
