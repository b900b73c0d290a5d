"""The arguments of a call taken apart: what stands in the program, what the function is called with, and a key.

All three in one walk, as this is done for each call that is recorded.
"""

from types import EllipsisType
from typing import Any

import numpy as np

from wengert.box import unbox
from wengert.compiler.later import all_known
from wengert.compiler.program import Node, Program, Ref
from wengert.protocol import Wrapper, highest, innermost, is_recorded
from wengert.transforms.lifted import opened

__all__ = [
    "REFERENCES",
    "foremost",
    "number_key",
    "plain_index",
    "plain_settings",
    "settled",
    "take",
    "take_settings",
    "values_in",
]

REFERENCES = tuple(map(Ref, range(64)))
CONSTANT = frozenset({int, bool, str, bytes, type(None), EllipsisType})


def take(value: Any, program: Program, operands: list[Node]) -> tuple[Any, Any, Any]:
    """An argument with references in the place of traces and arrays, with their values, and what tells it from others.

    ``1``, ``1.0``, ``True`` and ``-0.0`` differ. The nodes that the references stand for are appended to `operands`;
    what tells an argument from others has the references, too.
    """
    kind = value.__class__
    if kind in CONSTANT:
        return value, value, (kind, value)
    if kind is float:
        return value, value, number_key(value)
    if isinstance(value, Wrapper):
        return _trace(unbox(value), program, operands)
    if kind is tuple or kind is list:
        return _parts(value, program, operands)
    if kind is slice:
        parts = _parts((value.start, value.stop, value.step), program, operands)
        return slice(*parts[0]), slice(*parts[1]), (slice, parts[2])
    if isinstance(value, np.ndarray):
        node = program.constant(value)
        ref = _reference(operands, node)
        is_usual = value.ndim and (value.ndim == 1 or value.flags.c_contiguous)
        return ref, node.source if is_usual else value.copy("K"), ref  # which says how results lie
    if kind is dict:
        parts = _parts(tuple(value.values()), program, operands)
        template, actual = (dict(zip(value, part, strict=True)) for part in parts[:2])
        return template, actual, (dict, *value, parts[2])
    if isinstance(value, (tuple, list)):  # named tuples
        parts = _parts(tuple(value), program, operands)
        make = kind if hasattr(value, "_fields") else lambda *given: kind(given)
        return make(*parts[0]), make(*parts[1]), (kind, parts[2])
    return value, value, _key(value, program)


COMPLEX = frozenset({complex, np.complex64, np.complex128, np.clongdouble})


def number_key(x: Any) -> tuple:
    """What tells a number from others: 1, 1.0 and True differ, and 0.0 and -0.0, also as part of a complex number."""
    kind = x.__class__
    return kind, repr(x) if not x or kind in COMPLEX else x


def take_settings(settings: dict, program: Program, operands: list[Node]) -> tuple[dict, dict, Any]:
    """Arguments by name, taken apart in the same way; most are numbers and words, which stay as they are."""
    key = plain_settings(settings)
    return take(settings, program, operands) if key is None else (settings, settings, key)


BOUNDS = frozenset({int, type(None)})


def plain_settings(settings: dict) -> tuple | None:
    """What tells arguments by name from others that hold nothing recorded; `None` if they may."""
    key: list[Any] = [dict]
    for name, value in settings.items():
        known = _plain(value)
        if known is None:
            return None
        key += (name, *known)
    return tuple(key)


BASIC = frozenset({int, slice, type(None), EllipsisType})
"""Classes of indices, or of their parts, that give a view."""


def plain_index(index: Any) -> tuple | None:
    """The same for an index alone that gives a view."""
    if not BASIC.issuperset(map(type, index) if index.__class__ is tuple else (index.__class__,)):
        return None
    known = _plain(index)
    return known and (dict, "index", *known)


def _plain(value: Any) -> tuple | None:
    """What tells a number, a word, a slice or a tuple of such from others; `None` for all else."""
    kind = value.__class__
    if kind in CONSTANT:
        return (kind, value)
    if kind is slice:
        start, stop, step = value.start, value.stop, value.step
        if start.__class__ in BOUNDS and stop.__class__ in BOUNDS and step.__class__ in BOUNDS:
            return (kind, start, stop, step)
        return None
    if kind is tuple:
        if BOUNDS.issuperset(map(type, value)):
            return (kind, value)
        parts = tuple(map(_plain, value))
        return None if None in parts else (kind, *parts)
    return (kind, value) if isinstance(value, np.dtype) else None


def _trace(value: Any, program: Program, operands: list[Node]) -> tuple[Any, Any, Any]:
    """What is inside a wrapper: a value of the program, or a constant, as which a leaked one counts."""
    if not isinstance(value, Wrapper):
        return take(value, program, operands)
    return _recorded(value, program, operands)


def _recorded(value: Any, program: Program, operands: list[Node]) -> tuple[Any, Any, Any]:
    if not value._recorded:  # it would be a constant of the program; who calls has to hand the call over to it
        program.leave(f"it calls a function with a {type(value).__name__} where values of a program were required")
        return value, value, (Wrapper, id(value))
    if value._program is not program:
        return take(value._value, program, operands)
    ref = _reference(operands, value._node)
    return ref, value._held, ref


def _reference(operands: list[Node], node: Node) -> Ref:
    operands.append(node)
    k = len(operands) - 1
    return REFERENCES[k] if k < 64 else Ref(k)


def _parts(value: Any, program: Program, operands: list[Node]) -> tuple[Any, Any, Any]:
    templates, actuals, keys = [], [], [value.__class__]
    for part in value:
        template, actual, key = take(part, program, operands)
        templates.append(template)
        actuals.append(actual)
        keys.append(key)
    if value.__class__ is tuple:
        return tuple(templates), tuple(actuals), tuple(keys)
    return templates, actuals, tuple(keys)


def _key(value: Any, program: Program) -> Any:
    """What a setting has in common with an equal one."""
    if isinstance(value, (float, complex, np.generic)):
        return type(value), np.asarray(value).tobytes()
    try:
        hash(value)
    except TypeError:
        program.kept.append(value)  # so that no other object gets its identity
        return type(value), id(value)
    return type(value), value


PLAINLY_SET = frozenset({int, bool, str, type(None), np.dtype})
"""Classes of most settings, which hold nothing that is recorded."""
SELECTING = frozenset({"index", "indices"})
"""Settings that are computed with: which elements are taken."""


def settled(params: dict) -> dict:
    """Settings with whole numbers in the place of recorded ones: shapes and axes are decided by their values."""
    return {
        name: value if name in SELECTING or value.__class__ in PLAINLY_SET else _whole(value)
        for name, value in params.items()
    }


def _whole(value: Any) -> Any:
    """A setting whose whole numbers have been read; other recorded values stay."""
    if isinstance(value, Wrapper):
        if not is_recorded(unbox(value)) or value._spec.dtype.kind not in "iu":
            return value
        known = np.asarray(innermost(value))
        return known.item() if not known.ndim else tuple(known.tolist())
    return type(value)(map(_whole, value)) if value.__class__ in (tuple, list) else value


def values_in(value: Any) -> Any:
    """An argument with the arrays that it holds."""
    return all_known(take(value, Program(), [])[1])


def foremost(arguments: Any) -> Wrapper | None:
    """The wrapper of the highest level among arguments, however deep: the one to handle a call with them.

    Values of a program have the lowest level, so what they are recorded as is asked for only where there is no other.
    """
    kind = arguments.__class__
    if kind in CONSTANT or kind is float:
        return None
    if isinstance(arguments, Wrapper):
        return highest((opened(arguments),))
    if kind is dict:
        arguments = tuple(arguments.values())
    elif kind is slice:
        arguments = arguments.start, arguments.stop, arguments.step
    return highest(tuple(map(foremost, arguments))) if isinstance(arguments, (tuple, list)) else None
