"""Calls that are left to the function, told from others by their arguments alone: looking around takes longer."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box
from wengert.protocol import GROUND

__all__ = ["Left"]

LOOKS = 8
"""Calls of one kind in a row, all left to the function, after which the next ones are not looked at closely."""
SKIPPED = 64
"""So many of those; what the function uses may have changed meanwhile, so that it can be compiled."""
COMPARED = (int, str, bool, type(None))


class Left:
    """The calls that have been left to a function lately, all of one kind.

    Parameters
    ----------
    kind : Kind or FromOutside
        What they are counted for.
    args, kwargs : tuple, dict
        The arguments of the first one.
    around : context manager
        What the function runs in.
    """

    __slots__ = ("around", "kind", "like", "looks", "skips")

    def __init__(self, kind: Any, args: tuple, kwargs: dict, around: Any):
        self.kind, self.around = kind, around
        self.like = _likeness(args, kwargs)
        self.looks = self.skips = 0

    def looked(self) -> None:
        """Another one has been looked at closely."""
        self.looks += 1
        if self.looks >= LOOKS and self.like is not None:
            self.skips = SKIPPED

    def takes(self, args: tuple, kwargs: dict) -> bool:
        """Whether a call is left to the function as the others were."""
        return self.skips > 0 and _likeness(args, kwargs) == self.like

    def call(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Call the function; where it has raised until now, and no longer does, calls are looked at again."""
        self.skips -= 1
        self.kind.calls += 1
        self.kind.eager += 1
        with self.around:
            found = function(*args, **kwargs)
        if self.kind.failures:
            self.kind.failures = self.skips = 0
        return found


def _likeness(args: tuple, kwargs: dict) -> tuple | None:
    """What calls of one kind have in common, where that is quickly told."""
    parts: list[Any] = [tape.floor(), tape.is_training(), *kwargs]
    try:
        known = _describe(args, parts) and _describe(kwargs.values(), parts)
    except RecursionError:  # a container holds itself
        known = False
    return tuple(parts) if known else None


def _describe(values: Iterable, parts: list) -> bool:
    """Add what a program would be made for in some values; says whether all of them are of the usual kinds."""
    for x in values:
        cls = type(x)
        if cls is np.ndarray:
            parts += x.dtype, x.shape, x.strides
        elif cls is float:
            parts.append(cls)
        elif isinstance(x, Box):
            parts += cls, x._spec, x._level <= GROUND, x._node is None
        elif cls in COMPARED:
            parts += cls, x
        elif cls is tuple or cls is list:
            parts += cls, len(x)
            if not _describe(x, parts):
                return False
        elif cls is dict:
            parts += cls, len(x)
            if not _describe((*x, *x.values()), parts):
                return False
        else:
            return False
    return True
