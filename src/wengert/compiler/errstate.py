"""What NumPy is to do about floating-point errors (`numpy.errstate`): where it is to raise, native code does not serve.

NumPy keeps it in a context variable, as a capsule around a record that begins with three bits for each kind of error.
"""

import ctypes
import functools
from contextvars import Context, ContextVar
from typing import Any

import numpy as np

__all__ = ["CAPSULE_CONTENT", "LOUD", "is_loud", "silent", "variable"]

CAPSULE_CONTENT = 16
"""Where a capsule has the address of what is in it."""
LOUD = 0o6666
"""The bits that are set where an error raises, calls a function, or is printed; warnings and silence have none."""
HOWS = ("ignore", "warn", "raise", "call", "print")


@functools.cache
def variable() -> ContextVar | None:
    """The context variable; `None` where NumPy does not keep what it is to do as it is expected to."""
    try:
        found = np._core.umath._extobj_contextvar  # type: ignore[attr-defined]
        return found if Context().run(_is_as_expected, found) else None
    except Exception:
        return None


def _is_as_expected(found: ContextVar) -> bool:
    """Whether each way to deal with an error is what the bits say."""
    if type(found.get()).__name__ != "PyCapsule":
        return False
    for kind in ("divide", "over", "under", "invalid"):
        for how in HOWS:
            settings: dict[str, Any] = {kind: how}
            with np.errstate(all="ignore", call=print, **settings):
                if bool(_bits(found.get()) & LOUD) != (how not in ("ignore", "warn")):
                    return False
    return not _bits(found.get()) & LOUD


def _bits(capsule: Any) -> int:
    content = ctypes.c_uint64.from_address(id(capsule) + CAPSULE_CONTENT).value
    return ctypes.c_int.from_address(content).value


_known: tuple[Any, bool] = (None, False)
"""What was found last, and whether it is loud."""


def is_loud() -> bool:
    """Whether a floating-point error here is more than a warning."""
    global _known
    where = variable()
    if where is None:
        return False
    capsule, known = where.get(), _known
    if capsule is not known[0]:
        known = _known = capsule, bool(_bits(capsule) & LOUD)
    return known[1]


def silent() -> Any:
    """A context in which nothing is done about floating-point errors."""
    return _Silence() if variable() is not None else np.errstate(all="ignore")


class _Silence:
    """What `numpy.errstate` does with ``all="ignore"``, in a third of its time."""

    __slots__ = ("before",)

    def __enter__(self) -> None:
        variable, capsule = _silence()
        self.before = variable.set(capsule)

    def __exit__(self, *exception: object) -> None:
        _silence()[0].reset(self.before)


@functools.cache
def _silence() -> tuple[ContextVar, Any]:
    """The context variable, and what it holds where nothing is done."""
    found = variable()
    assert found is not None
    with np.errstate(all="ignore"):
        return found, found.get()
