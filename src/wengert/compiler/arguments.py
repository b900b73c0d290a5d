"""The arguments of one call: what is read from them, and what a program is made for."""

from collections.abc import Callable, Iterable, Iterator
from inspect import Parameter, signature
from typing import Any

import numpy as np

from wengert.box import Box
from wengert.compiler.found import flags, layout
from wengert.compiler.program import Program
from wengert.compiler.whose import CONSTANT, exact
from wengert.errors import ArgumentError, StaticArgumentError

__all__ = [
    "ARRAY",
    "Arguments",
    "Static",
    "described",
    "incomparable",
    "is_usual",
    "names_of_leaves",
    "orders",
    "static",
    "static_arguments",
    "what_changes",
]


class Static:
    """An argument that is part of the program."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and _exact(other.value) == _exact(self.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"static {self.value!r}"


def static(value: Any, at: int | str, function: Callable) -> Static:
    """A static argument, given by position or by name.

    Raises
    ------
    StaticArgumentError
        If it has no hash.
    """
    if _has_hash(value):
        return Static(value)
    name = _parameter(function, at) if isinstance(at, int) else at
    raise StaticArgumentError(
        f"[compile] a static argument with a hash was required, as there is a program for each of its values; received "
        f"a {type(value).__name__} for '{name}': {value!r:.60}; pass what cannot change (a tuple, a frozen dataclass), "
        f"or do not call it static: arrays and floats in containers are inputs, all else in them is fixed"
    )


def _exact(value: Any) -> Any:
    """What tells constants apart that Python calls equal: 2 and 2.0, 0.0 and -0.0."""
    if isinstance(value, tuple):
        return type(value), tuple(map(_exact, value))
    if isinstance(value, frozenset):
        return type(value), frozenset(map(_exact, value))
    return type(value), exact(value) if isinstance(value, CONSTANT) else value


ARRAY, TENSOR, NUMBER, OTHER = range(4)


class Arguments:
    """The leaves of the arguments of one call: tensors, arrays and numbers are read, the rest is compared."""

    def __init__(self, leaves: list):
        self.leaves = leaves
        self.tensors: list[Any] = []
        self.arrays: list[np.ndarray] = []
        self.numbers: list[Any] = []
        self.roots: list[Any] = []
        self.classes: list[type] = []
        """The classes of the user's that containers among the arguments are of: their methods use something, too."""
        self.windows: list[tuple[Any, Any]] = []
        """Views among the tensors, each after the tensor of its own that stands for it."""
        self.kinds: list[tuple[int, int]] = []
        self.numbers_of: dict[int, int] = {}
        """The number that an array or tensor has among those of its kind, by its identity."""
        self.key = [self._part(x) for x in leaves]
        self.shapes = [a.shape for a in self.arrays]

    @property
    def looked_into(self) -> list:
        """What is looked into for what the function uses: objects and classes."""
        return [*self.roots, *self.classes]

    def are_still(self) -> bool:
        """Whether arrays have the shapes that they had: comparing keys may have run code of the user's."""
        return all(a.shape == shape for a, shape in zip(self.arrays, self.shapes, strict=True))

    def _part(self, x: Any) -> Any:
        if isinstance(x, np.ndarray) and x.dtype.kind in "fciub":
            return self._shared(x, self.arrays, ARRAY, (x.shape, x.dtype, layout(x)))
        if isinstance(x, Box):
            x = self._apart(x) if x._is_view else x
            return self._shared(x, self.tensors, TENSOR, (type(x), x._spec, x._node is None, x._level, flags(x)))
        if x.__class__ in (float, complex) or (isinstance(x, np.generic) and x.dtype.kind in "fciub"):
            self.numbers.append(x)
            self.kinds.append((NUMBER, len(self.numbers) - 1))
            return x.__class__
        self.kinds.append((OTHER, 0))
        if type(x) not in (int, bool, str, bytes, type(None), Static):
            self.roots.append(x)
        return _exact(x) if isinstance(x, CONSTANT) else (type(x), x)

    def _apart(self, view: Any) -> Any:
        """A tensor of its own on the memory of a view."""
        found = [own for own, given in self.windows if given is view]
        if not found:
            found = [view._box(view._value, view._level)]
            for name, flag in zip(view._flags, flags(view), strict=True):
                setattr(found[0], name, flag)
            self.windows.append((found[0], view))
        return found[0]

    def _shared(self, x: Any, known: list, kind: int, key: tuple) -> tuple:
        """The same object given twice is one input."""
        i = self.numbers_of.setdefault(id(x), len(known))
        if i == len(known):
            known.append(x)
        self.kinds.append((kind, i))
        return (kind, i, *key, getattr(x, "_grad", None) is None if kind == TENSOR else True)

    def lifted(self, program: Program, stand_ins: list, changes: Any) -> list:
        """The arguments as the function gets them while it is recorded."""
        numbers = [changes.input(x, program) for x in self.numbers]
        ways = {
            ARRAY: lambda i, x: stand_ins[i],
            TENSOR: lambda i, x: self.tensors[i],
            NUMBER: lambda i, x: numbers[i],
            OTHER: lambda i, x: x,
        }
        return [ways[kind](i, x) for (kind, i), x in zip(self.kinds, self.leaves, strict=True)]


def is_usual(array: np.ndarray) -> bool:
    """Whether an array is NumPy's own and of numbers, with its bytes in this machine's order."""
    return type(array) in (np.ndarray, np.memmap) and array.dtype.kind in "fciub" and array.dtype.isnative


COMPARABLE = (int, float, complex, np.generic, tuple)
"""Classes of keys that may be equal to those of other classes."""


def orders(found: Iterable) -> Iterator[tuple]:
    """What a function may go by of dictionaries, and structures do not tell: their keys' order, and classes.

    The keys 1, 1.0 and True are equal.
    """
    for x in found:
        if isinstance(x, dict) and len(x) > 1:
            yield tuple(x)
        if isinstance(x, dict) and any(isinstance(key, COMPARABLE) for key in x):
            yield tuple(map(_exact, x))


def classes(found: Iterable) -> list[type]:
    """The classes of containers that are the user's: of named tuples and dataclasses."""
    return list(dict.fromkeys(type(x) for x in found if type(x) not in (tuple, list) and not isinstance(x, dict)))


def incomparable(key: tuple, leaves: list) -> str | None:
    """Why a key cannot be looked up, if so: an argument says nothing about when it is the same."""
    if _has_hash(key):
        return None
    given = [x.value if isinstance(x, Static) else x for x in leaves]
    kinds = {type(x).__name__ for x in given if not isinstance(x, (np.ndarray, Box)) and not _has_hash(x)}
    return (
        f"it is given a {' and a '.join(sorted(kinds)) or 'dictionary with unusual keys'}, which cannot be compared "
        f"with those of other calls; pass its arrays, or use it from around the function"
    )


def _has_hash(x: Any) -> bool:
    try:
        hash(x)
    except Exception:  # a memory view raises a ValueError
        return False
    return True


def static_arguments(function: Callable, nums: Any, names: Any) -> tuple[tuple, tuple]:
    """The positions and the names of static arguments, by whichever they were given.

    Raises
    ------
    ArgumentError
        If the function has no such parameter.
    """
    nums = (nums,) if isinstance(nums, (int, str)) else tuple(nums)
    names = (names,) if isinstance(names, str) else tuple(names)
    try:
        parameters = signature(function).parameters
    except (TypeError, ValueError):
        return nums, names
    known = [name for name, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    kinds = {p.kind for p in parameters.values()}
    for i in nums:
        if not isinstance(i, int) or not (-len(known) <= i < len(known) or Parameter.VAR_POSITIONAL in kinds):
            _refuse_static(function, "static_argnums", "positions", i, known)
    for name in names:
        if not isinstance(name, str) or not (name in known or Parameter.VAR_KEYWORD in kinds):
            _refuse_static(function, "static_argnames", "names", name, known)
    nums = tuple(i % len(known) if i < 0 else i for i in nums)
    by_name = tuple(known[i] for i in nums if i < len(known))
    by_position = tuple(known.index(name) for name in names if name in known)
    return (*nums, *by_position), (*names, *by_name)


def _refuse_static(function: Callable, option: str, what: str, given: Any, known: list[str]) -> None:
    raise ArgumentError(
        f"[compile] {option}: {what} of the parameters of '{getattr(function, '__name__', function)}' were required, "
        f"which has {', '.join(known) or 'none'}; received {given!r}; leave it out, or correct it"
    )


def _parameter(function: Callable, position: int) -> str:
    """The name of a function's parameter, or words for it."""
    try:
        names = list(signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return names[position] if position < len(names) else f"argument {position}"


def names_of_leaves(structure: Any, function: Callable) -> list[str]:
    """What the parts of the arguments are called: ``x``, ``options['rate']``, ``pair[0]``."""
    if structure is None:  # calls that are left to the function
        return []
    names = []
    for kind, first, *path in structure.paths():
        name = _parameter(function, first) if kind == 0 else str(first)
        names.append(name + "".join(f"[{entry!r}]" for entry in path))
    return names


def what_changes(before: tuple, key: tuple, function: Callable) -> str:
    """What differs between two keys, in words."""
    names = names_of_leaves(key[0], function)
    changed = [
        f"{name} ({described(b)}{_order(a, b)})"
        for name, a, b in zip(names, before[1:-1], key[1:-1], strict=False)
        if a != b and before[0] == key[0]
    ]
    inside = "what the function uses" if before[0] == key[0] else "the containers that it is given"
    return ", ".join(changed) or inside


def _order(before: Any, part: Any) -> str:
    """How an array lies in memory, in words, where that has changed."""
    if not (isinstance(before, tuple) and isinstance(part, tuple) and before[:1] == part[:1] == (ARRAY,)):
        return ""
    if before[4] == part[4]:
        return ""
    return " in C order" if part[4] is None else f" with its axes in the order {part[4]} in memory"


def described(part: Any) -> str:
    """A part of a key in words."""
    if isinstance(part, tuple) and part and part[0] == ARRAY and len(part) > 4:
        return f"{part[3]}{list(part[2])}"
    if isinstance(part, tuple) and part and part[0] == TENSOR and len(part) > 4:
        return f"tensor {part[3]!r}"
    if isinstance(part, tuple) and len(part) == 2:
        return f"{getattr(part[0], '__name__', part[0])} {part[1]!r}"
    return getattr(part, "__name__", repr(part))
