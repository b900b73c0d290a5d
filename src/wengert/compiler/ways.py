"""Ways through a function that no program is known for: which of them come again.

A program costs as much as some hundred runs of the function, so a way that is met for the first time is left to the
function itself. What is known of a call before it runs is its inputs, and where it leaves the paths that are known:
what the guards there read, up to the one that differs. Ways that leave at one place may still part later on. So a way
counts as met again where the inputs are those of an earlier call, or where some calls that left at the place have
recorded equally many operations on tapes (of two, that is too often chance).
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from wengert.tape import ORDER

__all__ = ["Ways"]

MOST = 1024
"""Facts that are remembered; the oldest is forgotten first."""
FEW = 1 << 16
"""Bytes of inputs up to which they are compared with those of earlier calls."""
ENOUGH = 3
"""Calls with equally many operations that are taken to have gone the same way."""


class Ways:
    """What is remembered of calls that left all known paths."""

    def __init__(self) -> None:
        self._facts: OrderedDict[tuple, int] = OrderedDict()
        """What has been seen, and how often."""
        self._given: tuple = ()
        """The fact that says which inputs were the last ones."""

    def is_met_again(self, read: tuple | None, inputs: Sequence) -> str:
        """By what a way is known to have been met before, or "", as far as can be said.

        It is then forgotten, as it will be recorded.

        Parameters
        ----------
        read : tuple or None
            What the guards of the known paths read, up to the one that differs; `None` where that is not known.
        inputs : sequence of arrays and numbers
            All that the function reads.
        """
        again, given = ("comes again", _place(read)), ("inputs", _contents(inputs))
        known = [fact for fact in (given, again) if self._facts.pop(fact, None)]
        if known:
            return str(known[0][0])
        self._given = given
        if given[1] is not None:
            self._add(given)
        return ""

    @contextmanager
    def followed(self, read: tuple | None) -> Iterator[None]:
        """Count the operations that are recorded inside, by which the way is known again."""
        start, given = next(ORDER), self._given
        try:
            yield
        except Exception:  # it would raise again while it is recorded
            self._facts.pop(given, None)
            raise
        place, length = _place(read), start - next(ORDER)
        if self._add(("length", place, length)) >= ENOUGH:
            self._add(("comes again", place))

    def _add(self, fact: tuple) -> int:
        self._facts[fact] = often = self._facts.pop(fact, 0) + 1
        if len(self._facts) > MOST:
            self._facts.popitem(last=False)
        return often


def _place(read: tuple | None) -> int:
    """Where known paths are left, in one number."""
    return hash(read and tuple("not a number" if x != x else x for x in read))


def _contents(inputs: Sequence) -> int | None:
    """The inputs in one number, if they are few."""
    arrays = [np.asarray(x) for x in inputs]
    if sum(a.nbytes for a in arrays) > FEW:
        return None
    return hash(tuple(a.tobytes() for a in arrays))
