"""Containers that a function makes anew at each call, and keeps: ``weights = [w - rate * g for w, g in ...]``."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.box import Box, bare
from wengert.compiler.containers import are_alike, is_tuple
from wengert.compiler.found import is_number
from wengert.compiler.places import Item, Place, TupleItem
from wengert.compiler.program import Node
from wengert.compiler.results import Results, is_lasting
from wengert.compiler.trace import Trace
from wengert.transforms.containers import WHOLE, flatten, rebuild

__all__ = ["Remade", "base", "changed", "note_base", "remade", "shows_kept"]


class Remade:
    """What a place gets at each call: a container built as the one that was there.

    Parameters
    ----------
    number : int
        Of the place among the entries.
    results : Results
        The container, and what becomes of each leaf.
    kept : list of (int, str, int)
        The leaves that are no results, but tensors or arrays that are elsewhere: the kind of place, and its number.
    """

    __slots__ = ("kept", "number", "results")

    def __init__(self, number: int, results: Results, kept: list[tuple[int, str, int]]):
        self.number, self.results, self.kept = number, results, kept

    @property
    def place(self) -> tuple[str, int]:
        """What its parts are called among all that is written."""
        return "part", self.number

    def beside(self, values: list, there: Any) -> tuple[Any, Any]:
        """The container from computed values, and the one that is there, without what is kept elsewhere."""
        leaves, structure = flatten(there, WHOLE)
        for i, *_ in self.kept:
            leaves[i] = None
        return self.rebuilt(values, [None] * len(self.kept)), rebuild(structure, leaves)

    def rebuilt(self, values: list, kept: list) -> Any:
        """The container from the values that a program has computed for it, and what is kept elsewhere."""
        leaves = self.results.made(values)
        for (i, *_), x in zip(self.kept, kept, strict=True):
            leaves[i] = x
        return rebuild(self.results.structure, leaves)


def remade(number: int, now: Any, held_at: dict[int, tuple[str, int]], tensors: set[Node]) -> Remade | str:
    """What puts such a container somewhere at each call; or what it holds for which that cannot be."""
    leaves, structure = flatten(now, WHOLE)
    arrays = [(i, y) for i, y in enumerate(leaves) if isinstance(y, (Box, Trace, np.ndarray)) and y.ndim]
    kept = [(i, *held_at[id(y)]) for i, y in arrays if id(y) in held_at]
    if any(kind == "part" for _, kind, _ in kept):
        return "a part of what it keeps elsewhere"
    others = [y for i, y in enumerate(leaves) if i not in {i for i, *_ in kept}]
    bases = [id(base(y)) for i, y in arrays if i not in {i for i, *_ in kept}]
    if len(set(bases)) < len(bases):
        return "one array twice"
    if any(shows_kept(y, held_at) for y in others):
        return "a view of what is elsewhere"
    if any(isinstance(y, Box) and (y._node is not None or _can_be_written(y)) for y in others):
        return "a tensor with a history"
    if not all(map(is_lasting, others)):
        return "what may change"
    for i, *_ in kept:
        leaves[i] = None
    return Remade(number, Results(leaves, structure, tensors), kept)


def base(y: Any) -> Any:
    """What an array is a view of, or the array itself."""
    return y._base if isinstance(y, (Box, Trace)) and y._is_view else y  # type: ignore[union-attr]


def shows_kept(y: Any, held_at: dict[int, tuple[str, int]]) -> bool:
    """Whether something is a view of what is kept elsewhere."""
    return base(y) is not y and id(base(y)) in held_at


def note_base(y: Any, k: int, held_at: dict[int, tuple[str, int]]) -> None:
    """Note that what an array is a view of may not be kept besides."""
    if base(y) is not y:
        held_at.setdefault(id(base(y)), ("part", k))


def _can_be_written(y: Box) -> bool:
    """Whether an array has no axes, and is no number all the same."""
    return not y.ndim and getattr(y, "_mutable", False)


def parts(place: Place, held: Any) -> list[tuple[Place, Any]]:
    """What a container holds, each with its place; the place is where the container lies."""
    if is_tuple(held):
        return [(TupleItem(place, i, f"{place}[{i}]"), part) for i, part in enumerate(held)]
    if isinstance(held, list):
        return [(Item(held, i, f"{place}[{i}]", place), part) for i, part in enumerate(held)]
    names = held if isinstance(held, dict) else vars(held)
    return [(Item(names, key, f"{place}[{key!r}]", place), part) for key, part in names.items()]


def changed(place: Place, held: Any, now: Any) -> Iterator[tuple[Place, Any]]:
    """The places of numbers inside a container that are other ones in the container that it gets, with these."""
    if are_alike(held, now):
        for (inside, a), (_, b) in zip(parts(place, held), parts(place, now), strict=True):
            yield from changed(inside, a, b)
        return
    value = bare(now) if isinstance(now, Box) else now
    is_read = isinstance(value, Trace) and not value._spec.shape
    if is_number(held) and (is_read or (is_number(now) and (type(now), repr(now)) != (type(held), repr(held)))):
        yield place, now
