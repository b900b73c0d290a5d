"""No collection of cycles for a while."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collection_frozen"]


@contextmanager
def collection_frozen() -> Iterator[None]:
    """Let nothing be collected inside: it would walk all that has been recorded again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
