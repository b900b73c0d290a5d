"""A value at a level, with its node on the tape if it has one: what a tensor is, before it has a face.

A `Box` without a node is transparent: operations see through it (`unbox`), whatever its level.
"""

import importlib
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from wengert import face, tape
from wengert.errors import DTypeError, LevelError, ShapeError
from wengert.protocol import GROUND, Spec, Wrapper, is_open, is_recorded, spec_of
from wengert.sequences import Flat, holds_wrapper, joined


class Box(face.ArrayFace):
    """Base of the tensor classes: the slots, and how they are filled."""

    __slots__ = ("__weakref__", "_level", "_mutable", "_node", "_spec", "_storage", "_value")
    _is_view = False
    _rises = True
    _node: Any
    _mutable: bool
    _storage: Any
    _family: ClassVar[Any]
    """The `generate.Family` that the class belongs to."""
    _ground: ClassVar[int] = GROUND
    _flags: ClassVar[tuple[str, ...]] = ()
    """Slots with truth values that are part of a dialect's state, which compiled functions read and write, too."""
    """The level of its tensors outside every transformation."""

    @classmethod
    def _box(cls, value: Any, level: int | None = None, node: tape.Node | None = None) -> Any:
        """A tensor around an array, a NumPy scalar or a wrapper of a lower level; Python numbers become NumPy's."""
        if value.__class__ in (float, int, bool, complex) or (value.__class__ is np.ndarray and not value.ndim):
            value = np.asarray(value)[()]
        t = object.__new__(cls._family.tensor)
        t._value, t._spec, t._node = value, spec_of(value), node
        t._level = cls._ground if level is None else level
        return t

    def _buffer(self, array: np.ndarray) -> Any:
        """A tensor around `array`, to be written into with values like this one."""
        return self._box(array, min(self._level, self._ground))

    def _carries_gradient(self) -> bool:
        return (self._node is not None and is_open(self._level)) or (
            isinstance(self._value, Wrapper) and self._value._carries_gradient()
        )


def bare(value: Any) -> Any:
    """The value inside tensors of any level: an array, a NumPy scalar, or a wrapper of another transformation."""
    while isinstance(value, Box):
        value = value._value
    return value


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor to users, and does not hold what is recorded of an array."""
    if not isinstance(value, Box):
        return False
    inside = bare(value)
    return not (is_recorded(inside) and inside._is_instead_of(value))


def array_of(value: Any, copy: bool = False) -> Any:
    """The array inside a tensor; while a program is recorded, its value of the program, which is not read for that."""
    value = bare(value)
    if is_recorded(value):
        return value._apart() if copy else value
    return np.array(value) if copy else np.asarray(value)


def is_numpys(value: Any) -> bool:
    """Whether a value has a dtype of its own: an array, a tensor or a NumPy scalar, and no number of Python's."""
    return isinstance(value, (Box, np.ndarray, np.generic)) or (is_recorded(value) and not value._node.weak)


def speaks_dialect(kinds: Iterable) -> bool:
    """Whether one of the classes is a dialect's of tensors, which knows better what comes of it and a plain array."""
    return any(issubclass(kind, Box) and kind._family.settle is not None for kind in kinds)


def array_from(data: Any) -> Any:
    """A new array of a number, an array, or nested sequences of them; with values of a program it is one."""
    return _joined(data) if holds_recorded(data) else np.array(data)


def holds_recorded(data: Any) -> bool:
    """Whether nested sequences hold a value of a program that is being recorded."""
    return any(map(holds_recorded, data)) if isinstance(data, (list, tuple)) else is_recorded(data)


def _joined(data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return np.stack([_joined(part) for part in data])
    return data.copy() if is_recorded(data) else np.asarray(data)


def read_only(value: Any) -> Any:
    """A window on an array through which nobody can write."""
    if value.__class__ is np.ndarray:
        value = value.view()
        value.flags.writeable = False
    return value


def unbox(value: Any) -> Any:
    """See through tensors without a history, or of a level that is closed; sequences become arrays."""
    given = value
    while isinstance(value, Box) and (value._node is None or not is_open(value._level)):
        value = value._value
    if value.__class__ is np.ndarray:
        return value
    if isinstance(value, Wrapper):
        return value if value is given or is_open(value._level) else _left_behind(value)
    if isinstance(value, (list, tuple, Flat)):
        return unbox(joined(value)) if holds_wrapper(value) else plain(value)
    if isinstance(value, np.ndarray):
        return plain(value)
    return _sparse(value) if hasattr(value, "tocsr") else value


def _left_behind(value: Wrapper) -> Any:
    """What a buffer holds into which a transformation has written that is over: its values, as constants."""
    if value._stacked:
        raise LevelError(
            f"[vmap] a buffer made inside the function was required to write examples into; received one from outside, "
            f"{value._spec!r}, which now has a value for each example; make it inside, or return the values"
        )
    return unbox(value._value)


def _sparse(matrix: Any) -> Any:
    """A sparse matrix of SciPy's, of which NumPy would make an array of objects, as a wrapper that knows products."""
    return importlib.import_module("wengert.rules.scipy_sparse").wrapped(matrix)


def plain(value: Any) -> np.ndarray:
    """An array of NumPy's own class, without the subclasses whose arithmetic is another."""
    if isinstance(value, (np.ma.MaskedArray, np.matrix)):
        kind = "np.where(mask, value, other)" if isinstance(value, np.ma.MaskedArray) else "np.asarray(m), and @"
        raise DTypeError(
            f"[asarray] an ordinary array was required; received a {type(value).__name__} of shape {value.shape}, "
            f"dtype {value.dtype}, whose arithmetic is not an array's; use {kind}"
        )
    return np.asarray(value)


def alias(value: Any) -> Any:
    """The same value for somebody who keeps it: a tensor of their own, which later writes into the other pass by.

    Both have the same buffer, and so whichever is written first moves to a copy.
    """
    return value._box(value._value, value._level, value._node) if isinstance(value, Box) else value


def freeze(index: Any) -> Any:
    """An index that nobody can change later: arrays copied, lists made arrays, tensors read."""
    if isinstance(index, tuple):
        return tuple(map(freeze, index))
    if isinstance(index, np.ndarray):
        return index.copy()
    if isinstance(index, list):
        return freeze(joined(index)) if index else np.empty(0, np.intp)
    if isinstance(index, Box):
        return freeze(bare(index))
    return index


def lift(value: Any, node: tape.Node | None, level: int) -> Any:
    """A saved value as the tensor that it was, for a backward pass that is itself recorded."""
    return value if node is None else Box._box(value, level, node)


def checked_cotangent(operation: str, g: Any, like: Spec) -> Any:
    """A cotangent that a user gives for a value: of its shape, a number, real where the value is; in its dtype."""
    if g.__class__ is np.ndarray and g.shape == like.shape != () and g.dtype is like.dtype and g.flags.writeable:
        return g
    g = unbox(g)
    if not isinstance(g, Wrapper):
        g = plain(g)
    kind = g.dtype.kind
    if kind not in "fciub" or g.shape != like.shape or (kind == "c" and not like.is_complex):
        error = ShapeError if kind in "fciub" and g.shape != like.shape else DTypeError
        raise error(
            f"[{operation}] a gradient of shape {like.shape} and dtype {like.dtype} was required; received shape "
            f"{g.shape}, dtype {g.dtype}; pass numbers of the value's own shape, real ones for a real value"
        )
    if g.dtype is not like.dtype or (g.__class__ is np.ndarray and not g.flags.writeable):
        g = g.astype(like.dtype)
    return g if like.ndim or isinstance(g, Wrapper) else g[()]
