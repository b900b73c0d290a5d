"""Whole numbers among the arguments that are new at each call: a step's number, a seed.

Such numbers are part of a program, as they may say how often a loop runs. One that never comes again would have a
program made for each call. So after some calls in a row, among which no other argument differs, it becomes an input, by
which the program may decide as by others.
"""

from typing import Any

__all__ = ["Fleeting"]

ENOUGH = 3
"""Changes in a row, each from a number that was given once only, after which it is an input."""


class Fleeting:
    """The whole numbers that have turned out to be inputs, for each structure of arguments."""

    def __init__(self) -> None:
        self._inputs: dict[Any, frozenset[int]] = {}
        self._last: tuple | None = None
        self._last_kind: Any = None
        self._changes: dict[int, int] = {}

    def of(self, structure: Any) -> frozenset[int]:
        """The positions, among the leaves of arguments, of numbers that are inputs."""
        return self._inputs.get(structure, frozenset())

    def met(self, key: tuple, kind: Any) -> bool:
        """Note a kind of arguments that is new; says whether a number has become an input by it.

        Parameters
        ----------
        key : tuple
            The structure, a part for each leaf, and what else a program depends on.
        kind : wengert.compiler.path.Kind
            What is known of it, which says how often it has been called.
        """
        last, last_kind = self._last, self._last_kind
        self._last, self._last_kind = key, kind
        changed = _changed_numbers(last, key) if last is not None and last_kind.calls <= 1 else ()
        self._changes = {i: self._changes.get(i, 0) + 1 for i in changed}
        found = frozenset(i for i, times in self._changes.items() if times >= ENOUGH)
        if found:
            self._inputs[key[0]] = self.of(key[0]) | found
            self._last, self._changes = None, {}
        return bool(found)


def _changed_numbers(last: tuple, key: tuple) -> tuple[int, ...]:
    """The positions of the leaves in which two keys differ, if all of these are whole numbers."""
    if len(last) != len(key) or last[0] != key[0]:
        return ()
    changed = [i for i, (a, b) in enumerate(zip(last[1:-1], key[1:-1], strict=True)) if a != b]
    parts = [part for i in changed for part in (last[1 + i], key[1 + i])]
    are_whole = all(isinstance(part, tuple) and len(part) == 2 and part[0] is int for part in parts)
    return tuple(changed) if are_whole else ()
