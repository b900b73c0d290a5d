"""Which arrays collect gradients.

Gradients belong to the collector in which they arose: those of an earlier one count as zero, and are overwritten.
"""

import weakref
from typing import Any

watched: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""The arrays that collect gradients, by identity."""


def begin() -> None:
    """A new collector is open: what earlier ones left is of the past."""
    for array in list(watched.values()):
        array._is_latest = False
