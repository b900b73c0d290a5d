"""Containers that a function is given, and writes into: ``params[name] = params[name] - rate * gradients[name]``."""

from collections.abc import Iterable, Sequence
from typing import Any

from wengert.compiler.arguments import orders
from wengert.compiler.containers import containers, identity, is_container, is_record, is_tuple
from wengert.compiler.fields import plain_fields
from wengert.compiler.places import Item
from wengert.compiler.remade import Remade
from wengert.transforms.containers import WHOLE, flatten

__all__ = ["GIVEN", "Filled", "are_shared", "built", "can_be_filled", "holder", "rewritten"]

GIVEN = -1
"""What stands for the number of a place where there is none."""


class Filled:
    """What lies in containers among the arguments after each call.

    Parameters
    ----------
    paths : sequence of tuples
        The places, as indices and names from ``(args, kwargs)`` on.
    parts : Remade
        What is put there, as a tuple.
    """

    __slots__ = ("parts", "paths")

    def __init__(self, paths: Sequence[tuple], parts: Remade):
        self.paths, self.parts = paths, parts

    def fill(self, given: tuple, made: tuple) -> None:
        """Put the parts of a tuple into the containers of a call."""
        places = [Item(holder(given, path), path[-1], "") for path in self.paths]
        for place, x in zip(places, made, strict=True):
            place.set(x)

    def there(self, given: tuple) -> tuple:
        """What lies in these places now."""
        return tuple(holder(given, path)[path[-1]] for path in self.paths)


def _around(given: tuple, path: tuple) -> Any:
    """The container among some arguments in which a leaf lies; `None` if it is in one of an unknown class."""
    x: Any = given
    for entry in path[:-1]:
        if type(x) in (list, dict) or is_tuple(x):
            x = x[entry]
        elif is_container(x):
            x = vars(x).get(entry)
        else:
            return None
    return x


def holder(given: tuple, path: tuple) -> Any:
    """The list or dictionary among some arguments in which a leaf lies; of a dataclass, that of its attributes."""
    x = _around(given, path)
    return x if type(x) in (list, dict) else vars(x)


def can_be_filled(given: tuple, path: tuple) -> bool:
    """Whether a leaf lies in a list, a dictionary, or an object whose class adds nothing to setting an attribute."""
    x = _around(given, path)
    if is_record(x):
        return is_container(x) and bool(plain_fields(type(x))) and type(x).__setattr__ is object.__setattr__
    return len(path) > 2 and type(x) in (list, dict)


def are_shared(inside: Iterable, known: Iterable = ()) -> bool:
    """Whether a container that can be written is there twice among the arguments, or is used besides."""
    own = [identity(x) for x in inside if not isinstance(x, tuple)]
    return len(set(own)) < len(own) or not {id(contents.container) for contents in known}.isdisjoint(own)


def built(given: Any) -> tuple[list, list, Any, list]:
    """The leaves of containers, those that can be written themselves, how they are built, and the order of keys."""
    inside = list(containers(given))
    leaves, structure = flatten(given, WHOLE)
    return leaves, [x for x in inside if not isinstance(x, tuple)], structure, list(orders(inside))


def rewritten(before: tuple[list, list, Any, list], given: Any) -> list[tuple] | None:
    """What lies in containers now that was not there, each with its place; `None` if they are built otherwise."""
    leaves, inside, *shape = before
    try:
        now, inside_now, *found = built(given)
    except RecursionError:  # one has been put into itself
        return None
    if found != shape or list(map(id, inside)) != list(map(id, inside_now)):
        return None
    changed = [i for i, (a, b) in enumerate(zip(leaves, now, strict=True)) if a is not b]
    paths = shape[0].paths() if changed else ()
    return [(paths[i], now[i]) for i in changed]
