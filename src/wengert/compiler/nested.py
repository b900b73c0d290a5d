"""Arguments of calls: containers in which some parts stand for something else."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["found_in", "holds", "replaced"]


def replaced(value: Any, kind: type, by: Callable) -> Any:
    """The arguments with ``by(part)`` in the place of each part that is of a class."""
    if value.__class__ is kind:
        return by(value)
    if isinstance(value, (tuple, list)):
        parts = [replaced(part, kind, by) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {name: replaced(part, kind, by) for name, part in value.items()}
    if isinstance(value, slice):
        return slice(*[replaced(part, kind, by) for part in (value.start, value.stop, value.step)])
    return value


CONTAINERS = (tuple, list, dict, slice)


def holds(parts: Iterable, kind: type) -> bool:
    """Whether one of some arguments is of a class, or holds such; for most a glance is enough."""
    for part in parts:
        if part.__class__ is kind:
            return True
        if isinstance(part, CONTAINERS) and next(found_in(part, kind), None) is not None:
            return True
    return False


def found_in(value: Any, kind: type) -> Iterator[Any]:
    """The parts of a class."""
    if value.__class__ is kind:
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from found_in(part, kind)
    elif isinstance(value, dict):
        yield from found_in(list(value.values()), kind)
    elif isinstance(value, slice):
        yield from found_in((value.start, value.stop, value.step), kind)
