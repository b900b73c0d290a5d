"""No collection of cycles for a while."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collection_frozen", "give_back"]


@contextmanager
def collection_frozen() -> Iterator[None]:
    """Let nothing be collected inside: it would walk all that has been recorded again and again."""
    enabled = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if enabled:
            gc.enable()


def give_back() -> None:
    """Have memory given back that is kept for later: freed tuples lie everywhere in what a recording took.

    Python lets go of them when it collects everything; what there is need not be looked at for that.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.collect()
        gc.unfreeze()
