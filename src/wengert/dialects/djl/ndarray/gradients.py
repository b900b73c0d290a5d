"""Which gradient collector is the current one, and which arrays collect gradients.

Gradients belong to the collector in which they arose: those of an earlier one count as zero, and are overwritten.
"""

import itertools
import weakref
from typing import Any

_numbers = itertools.count(1)
_current = 0
watched: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""The arrays that collect gradients, by identity."""


def begin() -> None:
    """A new collector is open: what earlier ones left is of the past."""
    global _current
    _current = next(_numbers)


def current() -> int:
    """The number of the latest collector."""
    return _current
