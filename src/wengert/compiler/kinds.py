"""The kinds of arguments that a compiled function has met: the latest of them, and what the others have counted."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from wengert.compiler.arguments import what_changes
from wengert.compiler.path import Kind
from wengert.errors import CompileWarning

__all__ = ["Kinds", "parted"]

MOST = 256
"""Kinds of arguments that are kept."""
MANY = 8
"""Kinds of arguments from which on a warning names what keeps changing."""


class Kinds:
    """What is known of a function for each kind of arguments.

    Parameters
    ----------
    function : callable
        The function.
    name : str
        What a warning calls it.
    """

    def __init__(self, function: Any, name: Any):
        self.function, self.name = function, name
        self.known: dict[Any, Kind] = {}
        self.made = 0
        """How many there have been, without those whose recordings only showed what changes from call to call."""
        self.calls = self.recordings = self.eager = 0
        """What kinds have counted that are no longer kept."""
        self._last_key: Any = None

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self.known.values()))

    def __len__(self) -> int:
        return len(self.known)

    def of(self, key: Any, found: Any, problem: str | None) -> Kind:
        """What is known for a key, of arguments and what was found around; a problem is why it is given up."""
        try:
            known = self.known.get(key)
        except Exception:  # of an argument that has a hash, but compares like an array, or not at all
            problem = "it is given something that cannot be compared with what it was given before"
            key = None, problem
            known = self.known.get(key)
        return known or self._new(key, found, problem)

    def _new(self, key: Any, found: Any, problem: str | None) -> Kind:
        kind = self.known[key] = Kind(found)
        kind.given_up = problem
        self.made += 1
        if self.made == MANY:
            self._warn(key)
        self._last_key = key
        if len(self.known) > MOST:
            oldest, self.known = parted(self.known)
            self._let_go(oldest)
        return kind

    def _let_go(self, kinds: Iterable[Kind]) -> None:
        for kind in kinds:
            self.calls += kind.calls
            self.recordings += kind.recordings
            self.eager += kind.eager

    def total(self, figure: str) -> int:
        """What all kinds that there have been have counted."""
        return getattr(self, figure) + sum(getattr(kind, figure) for kind in self)

    def _warn(self, key: tuple) -> None:
        """Name what keeps changing."""
        what = what_changes(self._last_key, key, self.function)
        warnings.warn(
            f"[compile] '{self.name}' has been recorded for {self.made} kinds of arguments, as something keeps "
            f"changing: {what}; pass whole numbers that change as arrays or floats, pad arrays to few shapes, and "
            "give large ones in one order in memory (np.ascontiguousarray)",
            CompileWarning,
            stacklevel=7,
        )


def parted(known: dict) -> tuple[list, dict]:
    """What a dictionary has had for the longest time, one in sixteen, and the rest.

    Nothing is looked up for it: a key of which a part is an argument may have another hash by now.
    """
    items = list(known.items())
    count = len(items) // 16 + 1
    return [value for _, value in items[:count]], dict(items[count:])
