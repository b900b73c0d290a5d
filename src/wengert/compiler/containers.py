"""Containers: lists, tuples, dictionaries, sets, and records of fields; what they hold, and putting other things there.

How a user's class goes over its objects is not asked: what Python's own class, from which it is made, holds is read.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from inspect import getattr_static
from typing import Any

from wengert.compiler.whose import has_own_ways

__all__ = [
    "FILLED", "are_alike", "containers", "everything", "identity", "is_container", "is_record", "is_tuple",
    "own_kind", "refill", "with_parts",
]  # fmt: skip

FILLED = (list, dict, set, deque)
"""Classes of containers whose parts can be put in the place of others."""
NESTED = (list, dict, tuple)
"""Classes of containers in which arguments and results may lie."""


# What they hold ------------------------------------------------------------------------------------------------------


def is_record(x: Any) -> bool:
    """Whether something is an object of a dataclass."""
    return is_dataclass(x) and not isinstance(x, type)


def contents(x: Any, kinds: tuple[type, ...]) -> Iterable | None:
    """The parts of a container of one of some classes, or of a record of fields; `None` of what is neither."""
    for base in kinds:
        if issubclass(type(x), base):
            return dict.values(x) if base is dict else base.__iter__(x)  # type: ignore[attr-defined]
    return [getattr(x, field.name, None) for field in fields(x)] if is_record(x) else None


def containers(values: Iterable) -> Iterator[Any]:
    """The containers among some values, and in these, each before what is in it."""
    for x in values:
        held = contents(x, NESTED)
        if held is not None:
            yield x
            yield from containers(held)


def everything(value: Any) -> Iterator[Any]:
    """A value, and all that is in it if it is a container, once each."""
    line, seen = [value], set()
    while line:
        x = line.pop()
        if id(x) not in seen:
            seen.add(id(x))
            yield x
            line.extend(contents(x, (*FILLED, tuple)) or ())


# Putting other things there ------------------------------------------------------------------------------------------


def own_kind(container: Any) -> Any:
    """The class of Python's own that a container is of: what the user's has made of that may do more."""
    return next(cls for cls in (OrderedDict, *FILLED) if isinstance(container, cls))


def refill(container: Any, parts: Iterable, values: Iterable = ()) -> None:
    """Put other parts into a container; those of a dictionary are its keys."""
    kind = own_kind(container)
    kind.clear(container)
    if isinstance(container, dict):
        for key, value in zip(parts, values, strict=True):
            kind.__setitem__(container, key, value)
    elif isinstance(container, set):
        kind.update(container, parts)
    else:
        kind.extend(container, parts)


def with_parts(x: Any, change: Callable[[Any], Any]) -> Any:
    """A container with each part as `change` gives it: the container itself, or a new one for a tuple."""
    if isinstance(x, FILLED):
        before = tuple(contents(x, FILLED) or ())
        after = tuple(map(change, before))
        if any(a is not b for a, b in zip(before, after, strict=True)):
            refill(x, tuple(x) if isinstance(x, dict) else after, after)
    elif is_record(x):
        for field in fields(x):
            part = getattr(x, field.name, None)
            changed = change(part)
            if changed is not part:
                object.__setattr__(x, field.name, changed)
    elif isinstance(x, tuple):
        parts = list(map(change, x))
        if any(a is not b for a, b in zip(x, parts, strict=True)):
            return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return x


# Those that are made anew at each call -------------------------------------------------------------------------------


def is_tuple(x: Any) -> bool:
    """Whether something is a tuple, with names or without, that can be made anew from its parts."""
    cls = type(x)
    return cls is tuple or (issubclass(cls, tuple) and hasattr(cls, "_fields") and not has_own_ways(cls))


def is_container(x: Any) -> bool:
    """Whether something is built of parts, and may be made anew from them."""
    if is_record(x):
        names = [field.name for field in fields(x)]
        return hasattr(x, "__dict__") and list(vars(x)) == names and not any(_is_descriptor(type(x), n) for n in names)
    return type(x) in (dict, list) or is_tuple(x)


def _is_descriptor(cls: type, name: str) -> bool:
    """Whether an attribute of a class's objects lies elsewhere than in their dictionaries."""
    return hasattr(type(getattr_static(cls, name, None)), "__set__")


def identity(x: Any) -> int:
    """What tells a container from others; of a dataclass it is that of its attributes."""
    return id(vars(x)) if is_dataclass(x) and hasattr(x, "__dict__") else id(x)


def are_alike(held: Any, now: Any) -> bool:
    """Whether containers are built alike, of parts that are; what holds itself is like nothing."""
    try:
        return is_container(now) and _fit(held, now)
    except RecursionError:
        return False


def _fit(held: Any, now: Any) -> bool:
    """Whether two things are leaves both, or containers that are built alike."""
    if not is_container(held) and not is_container(now):
        return True
    if held.__class__ is not now.__class__ or not is_container(now) or not is_container(held):
        return False
    if not isinstance(now, (list, tuple)):
        held, now = (x if isinstance(x, dict) else vars(x) for x in (held, now))
        if list(held) != list(now):
            return False
        held, now = held.values(), now.values()
    return len(held) == len(now) and all(map(_fit, held, now))
