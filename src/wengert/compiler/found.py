"""All that has been found around a function, and what a program depends on in it."""

from collections import Counter
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from wengert.box import Box
from wengert.compiler.places import Contents, Place
from wengert.compiler.whose import CONSTANT, OPEN, attributes_of, exact, is_library, module_of

__all__ = ["Found", "flags", "form", "is_number", "layout", "structure"]


KINDS = "fciub"
"""The kinds of dtypes that programs compute with."""
LOWEST_ADDRESS = 1 << 24
"""Whole numbers from here on may be what `id` has given."""


class Found:
    """All that was found, in the order in which it was."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.arrays: list[tuple[np.ndarray, list[Place]]] = []
        self.forms: list[tuple] = []
        """The arrays that are read, and compared, with what can be changed of them in place: shape, dtype and order."""
        self.numbers: list[tuple[Place, Any]] = []
        """Python numbers that have been seen to change: inputs, too."""
        self.varies: set[tuple] = set()
        """The identities of their places."""
        self.entries: list[tuple[Place, Any]] = []
        self.contents: list[Contents] = []
        """What was in lists, dictionaries, sets and queues."""
        self.fixed: list[tuple[np.ndarray, bytes]] = []
        self.small: list[Place] = []
        """Where small arrays of whole numbers lie, which are compared as long as nothing asks for more."""
        self.generators: list[Any] = []
        self.codes: list[tuple[dict, CodeType]] = []
        """The code of users' functions, with the variables of the modules in which it is written."""
        self.caches: list[Any] = []
        """Functions whose results are kept (`functools.lru_cache`), nobody sees where."""
        self.asks_for_classes = False
        """Whether a function may go another way for traces than for arrays and numbers."""
        self.asks_otherwise = False
        """Whether it asks for that by more than ``isinstance``, which answers as if there were none."""
        self.asks_for_history = False
        """Whether a function may ask what a tape notes, or have a say in it."""
        self.asks_for_identity = False
        """Whether a function may ask whether two things are the same, which stand-ins of arrays are not."""
        self.refused: str | None = None
        """Why a program cannot be made for what is here."""
        self.named: list[Any] = []
        """What the key names by identity, which nothing else must get."""
        self._key: list[Any] = []
        self._often: Counter | None = None
        """In how many places each tensor and array lies."""

    def note(self, value: Any) -> None:
        """Note how something is built that is looked into."""
        built = structure(value)
        if built is None:
            self.named.append(value)
            built = id(value), tuple(attributes_of(value) or ())
        self._key.append(built)

    def key(self) -> tuple:
        """What must be the same for a program to serve."""
        return (*self._key, *[_state(t) for t in self.tensors])

    def holds_addresses(self) -> bool:
        """Whether something that was found may be the address of an object: a key, a part, a number."""
        kept = [part for contents in self.contents for part in contents.parts]
        return any(map(_is_address, kept)) or any(_is_address(value) for _, value in self.entries)

    def holds_any(self, arrays: list) -> bool:
        """Whether some arrays are among those that were found."""
        known = {id(a) for a, *_ in (*self.arrays, *self.fixed)}
        return any(id(a) in known for a in arrays)

    def keep_order(self, attributes: list[Contents]) -> None:
        """Compare the order of attributes from now on, too."""
        for contents in attributes:
            contents.in_order = True
            self._key.append(contents.parts)

    def reads(self) -> list[str]:
        """The names of the places of tensors, arrays and numbers."""
        held = {id(x) for x in (*self.tensors, *[a for a, _ in self.arrays], *[x for _, x in self.numbers])}
        return [str(place) for place, value in self.entries if id(value) in held]

    def holds(self) -> bool:
        """Whether all is as it was found, but for the values of arrays and tensors."""
        for place, held in self.entries:
            if place.get() is not held and not (
                place.identity in self.varies and place.get().__class__ is held.__class__
            ):
                return False
        if any(form(array) != before for array, *before in self.forms):
            return False
        return self.has_same_contents() and all(array.tobytes() == contents for array, contents in self.fixed)

    def renew(self, k: int, now: Any) -> None:
        """Note what a program has put into a place in which something else of its kind was, in one place only."""
        place, held = self.entries[k]
        if self._often is None:
            self._often = Counter(id(x) for _, x in self.entries if isinstance(x, (Box, np.ndarray)))
        if self._often.get(id(held)) != 1:
            return
        if isinstance(held, Box) and type(now) is type(held) and now._spec is held._spec:
            found = next((i for i, t in enumerate(self.tensors) if t is held), None)
            if found is None:
                return
            self.tensors[found] = now
        elif held.__class__ is now.__class__ is np.ndarray and _lie_alike(held, now):
            found = next((i for i, (a, _) in enumerate(self.arrays) if a is held), None)
            if found is None:
                return
            self.arrays[found] = now, self.arrays[found][1]
            at = next(i for i, (a, *_) in enumerate(self.forms) if a is held)
            self.forms[at] = now, *form(now)
        else:
            return
        self.entries[k] = place, now
        del self._often[id(held)]
        self._often[id(now)] = 1

    def has_state(self) -> bool:
        """Whether there is something that holds traces while a function is recorded."""
        return bool(self.tensors or self.arrays or self.numbers)

    def has_same_contents(self) -> bool:
        """Whether lengths, keys, and what is in sets, queues and arrays of objects, are as they were."""
        objects = ((array, before) for array, before in self.fixed if array.dtype.hasobject)
        return all(contents.is_same() for contents in self.contents) and all(x.tobytes() == b for x, b in objects)


def _is_address(value: Any) -> bool:
    """Whether a whole number, or one in a tuple, may be the address of an object."""
    if isinstance(value, tuple):
        return any(map(_is_address, tuple.__iter__(value)))
    return type(value) is int and value >= LOWEST_ADDRESS


def is_number(value: Any) -> bool:
    """Whether a program can read something as a number: one of Python's, or of NumPy's."""
    cls = type(value)
    is_numpys = issubclass(cls, np.generic) and cls.__module__ == "numpy"
    return cls in (int, float) or (is_numpys and value.dtype.kind in KINDS)


def structure(value: Any) -> Any:
    """How something that is looked into is built, if a program depends on that, and not on which one it is."""
    if isinstance(value, dict):
        return dict, tuple((type(key), exact(key) if isinstance(key, CONSTANT) else None) for key in value)
    if isinstance(value, (list, tuple)):
        return type(value), len(value)
    if isinstance(value, Box):
        return type(value)
    if isinstance(value, FunctionType):
        return value.__code__
    if isinstance(value, (np.ndarray, MethodType, partial)):
        return type(value)
    attributes = attributes_of(value)
    if attributes is not None and (isinstance(value, OPEN) or not is_library(module_of(type(value)))):
        return type(value), tuple(attributes)
    return None


def layout(x: np.ndarray) -> tuple | None:
    """The order of the axes in memory, by which a function may decide; `None` for the usual one."""
    if x.ndim < 2 or x.flags.c_contiguous:
        return None
    return tuple(sorted(range(x.ndim), key=lambda k: -abs(x.strides[k])))


def form(x: np.ndarray) -> list:
    """What a program depends on in an array that it reads."""
    return [x.shape, x.dtype, layout(x)]


def _lie_alike(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the same program reads both."""
    return form(x) == form(y)


def _state(t: Any) -> tuple:
    """What a program depends on in a tensor: shape and dtype, whether it requires a gradient, and has one."""
    return t._spec, t._node is None, getattr(t, "_grad", None) is None, t._level, flags(t)


def flags(t: Any) -> tuple:
    """The truth values that belong to a tensor of a dialect."""
    return tuple([getattr(t, name, None) for name in t._flags])
