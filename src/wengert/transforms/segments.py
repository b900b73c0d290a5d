"""Parts of a program that keep nothing but their arguments and run once more in the backward pass.

A part runs and is recorded; then its tape is dropped, and each of its results gets a node whose backward step runs the
part again and hands the cotangents to the nodes of the fresh results. As a pass visits the newest node first, it goes
on with the fresh nodes, and what they lead to - arguments, closures, constants of other levels - needs no accounting.

Results may be wrapped more than once (a dual number of tensors of two levels …). `boxes_in` finds the tensors of all
levels inside; those of each level have a backward step of their own.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box, alias
from wengert.errors import GradientError
from wengert.protocol import everything, is_open, is_recorded, open_levels, reopened
from wengert.transforms.joint import record
from wengert.transforms.lifted import Lifted

__all__ = ["Segment", "aliases", "boxes_in", "fingerprint", "is_generator", "replaced", "sealed"]


# Tensors inside values -------------------------------------------------------------------------------------------


def boxes_in(value: Any, since: int) -> Iterator[Box]:
    """The tensors in a value, of all levels, whose history is newer than the number `since`; in a fixed order."""
    if isinstance(value, Box):
        if not is_open(value._level):
            return
        if _is_newer(value, since):
            yield value
        elif value._node is not None:
            return  # given from outside, with all that is in it
        yield from boxes_in(value._value, since)
    elif isinstance(value, Lifted) and not value._recorded:
        for slot in _slots(type(value)):
            yield from boxes_in(getattr(value, slot, None), since)


def _is_newer(t: Any, since: int) -> bool:
    # Numbers of nodes fall. A view stands where its base does: its own node is made when somebody asks.
    node = t._base._node if t._is_view else t._node
    return t._node is not None and node.order < since


def _slots(kind: type) -> list[str]:
    """The slots of a wrapper class that may hold values."""
    names = [name for cls in kind.__mro__ for name in getattr(cls, "__slots__", ())]
    return [name for name in names if name not in ("__weakref__", "_level", "_spec")]


def replaced(value: Any, since: int, node_of: Callable[[Box], tape.Node]) -> Any:
    """The value with other nodes for the tensors that `boxes_in` finds, asked for in the same order."""
    if isinstance(value, Box):
        if not is_open(value._level) or (value._node is not None and not _is_newer(value, since)):
            return value
        node = None if value._node is None else node_of(value)
        return value._box(replaced(value._value, since, node_of), value._level, node)
    if isinstance(value, Lifted) and not value._recorded:
        return _with_slots(value, lambda part: replaced(part, since, node_of))
    return value


def aliases(leaves: Sequence) -> list:
    """Leaves as somebody has them who keeps them; random generators as they are now."""
    return [_kept(leaf) for leaf in leaves]


def _kept(leaf: Any) -> Any:
    if isinstance(leaf, Lifted):
        return leaf._apart() if leaf._recorded else _with_slots(leaf, _kept)
    return copy.deepcopy(leaf) if is_generator(leaf) else alias(leaf)


def is_generator(leaf: Any) -> bool:
    """Whether a leaf is a source of random numbers."""
    return isinstance(leaf, (np.random.Generator, np.random.RandomState, np.random.BitGenerator))


def _with_slots(value: Lifted, change: Callable[[Any], Any]) -> Any:
    """A wrapper like `value`, with what its slots hold changed."""
    changed = object.__new__(type(value))
    changed._level, changed._spec = value._level, value._spec
    for slot in _slots(type(value)):
        if hasattr(value, slot):
            setattr(changed, slot, change(getattr(value, slot)))
    return changed


def sealed(name: str, leaves: Sequence, since: int, pull_of: Callable[[int], Callable], origins: Sequence = ()) -> list:
    """Leaves whose tensors have a node with the backward step ``pull_of(level)`` in the place of their history.

    The step needs no parents, as it knows where it goes; those who look at a tape are shown the nodes of `origins`.
    """
    found: dict[int, list[Box]] = {}
    for leaf in leaves:
        for t in boxes_in(leaf, since):
            found.setdefault(t._level, []).append(t)
    nodes = {
        level: iter(record(name, _nodes(origins, level), [t._spec for t in boxes], pull_of(level)))
        for level, boxes in found.items()
    }
    return [replaced(leaf, since, lambda t: next(nodes[t._level])) for leaf in leaves]


def _nodes(values: Sequence, level: int) -> list:
    found, waiting = [], list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Box) and value._level == level and value._node is not None:
            found.append(value._node)
        elif isinstance(value, Box):
            waiting.append(value._value)
        elif isinstance(value, Lifted) and not value._recorded:
            waiting += [getattr(value, slot, None) for slot in _slots(type(value))]
    return found


_GLOBAL = np.random.mtrand._rand
"""The generator behind ``np.random.normal()`` and the like."""


# Running again ---------------------------------------------------------------------------------------------------


class Segment:
    """What a part of a program needs to run once more: the levels that are open, and the state of random numbers."""

    def __init__(self, name: str):
        self.name, self.since = name, next(tape.ORDER)
        self.levels = open_levels()
        self._random: Any = _GLOBAL.get_state(legacy=False)

    def ran(self) -> None:
        """Say that the first run is over: a state that it has not changed is nothing to go back to."""
        if _same_state(self._random, _GLOBAL.get_state(legacy=False)):
            self._random = None

    def random(self) -> Any:
        """The random state here, to come back to; `None` where it is that of the beginning."""
        now = None if self._random is None else _GLOBAL.get_state(legacy=False)
        return None if now is None or _same_state(self._random, now) else now

    def rewind(self, random: Any) -> None:
        """Inside `again`, go on with the random numbers of another place than the beginning."""
        if random is not None:
            _GLOBAL.set_state(random)

    @contextmanager
    def again(self, level: int) -> Iterator[None]:
        """Inside, things are as they were in the first run, and what is of `level` or above is recorded."""
        now = None if self._random is None else _GLOBAL.get_state(legacy=False)
        with reopened(self.levels), tape.recording_from(level):
            if now is not None:
                _GLOBAL.set_state(self._random)
            try:
                yield
            finally:
                if now is not None:
                    _GLOBAL.set_state(now)

    def check(self, first: list, again: list) -> None:
        """Refuse a second run that gave other results."""
        if len(first) != len(again) or not all(map(_alike, first, again)):
            raise GradientError(
                f"[{self.name}] a function that gives the same results each time was required, as it runs again in the "
                f"backward pass; it gave others, of which {_first_difference(first, again)}; draw random numbers "
                f"outside, or pass the np.random.Generator as an argument, and change nothing that it reads in between"
            )


def _same_state(a: dict, b: dict) -> bool:
    a, b = a["state"], b["state"]
    return a["pos"] == b["pos"] and np.array_equal(a["key"], b["key"])


def fingerprint(t: Box) -> tuple:
    """A few numbers by which other values are recognized, without keeping them."""
    value = everything(t)
    if is_recorded(value):  # of which the program may compute others at another run
        return value.shape, value.dtype, 0.0, 0.0, 0.0
    value = np.asarray(value)
    flat = value.ravel()
    with np.errstate(all="ignore"):
        # The sum of a part notices elements that have changed places.
        sums = (float(np.real(np.add.reduce(part))) for part in (flat, flat[: (flat.size + 2) // 3]))
        return value.shape, value.dtype, float(np.real(np.vdot(flat, flat))), *sums


def _alike(a: tuple, b: tuple) -> bool:
    tolerance = 1e-7 if np.finfo(a[1]).bits >= 64 else 1e-2
    size = float(np.sqrt(abs(a[2]) * max(1, int(np.prod(a[0])))))  # a bound of the sum, which may cancel
    return (
        a[:2] == b[:2]
        and bool(np.isclose(a[2], b[2], rtol=tolerance, atol=0, equal_nan=True))
        and (not np.isfinite(size) or bool(np.allclose(a[3:], b[3:], rtol=0, atol=tolerance * size, equal_nan=True)))
    )


def _first_difference(first: list, again: list) -> str:
    for i, (a, b) in enumerate(zip(first, again, strict=False)):
        if not _alike(a, b):
            return f"tensor {i} is {a[1]}{list(a[0])} with the sum {a[3]:.6g}, then {b[1]}{list(b[0])} with {b[3]:.6g}"
    return f"{len(first)} were recorded, then {len(again)}"
