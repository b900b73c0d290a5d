"""Recording once more, where NumPy asks recorded values for their numbers.

NumPy hands a call over where an operand is a tensor. It does not where tensors are in a list (``np.sum([a, b])``), or
are written into an array of its own (``table[i] = a``): there it asks each for its number, which would end a gradient,
or be a decision by the value. Such a function is recorded a second time, in which other functions go by NumPy's names:
one that joins lists before it calls the one which was met, or those that make arrays into which tensors are written.
"""

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np

from wengert.compiler.instead import SPECIAL, Names, renamed, replacement
from wengert.primitive import REGISTRY
from wengert.reading import called, running

__all__ = ["INEXACT", "RecordAgain", "Replaced", "look_for_better"]

INEXACT, WHOLE = "fdFD", "?bhilqBHILQ"
"""The dtypes of arrays that take recorded values: at first, and besides where whole numbers are written into one."""


class RecordAgain(BaseException):  # no `except Exception` of the function's may go on from here
    """Raised where another recording of the function would not ask for a number."""


class Replaced:
    """What goes by other names while a function is recorded, as earlier recordings have found."""

    def __init__(self) -> None:
        self.functions: dict[Any, list[dict]] = {}
        """NumPy's functions that were called with lists of recorded values, and the namespaces of who called them."""
        self.dtypes = ""
        """The dtypes of arrays that are to take recorded values, whatever makes them; none at first."""

    def add(self, wanted: tuple) -> None:
        """Take note of what has been met."""
        if len(wanted) > 1:
            self.functions.setdefault(wanted[0], []).append(wanted[1])
        else:
            self.dtypes = wanted[0]

    def has(self, wanted: tuple) -> bool:
        """Whether that has been met before, and did not help."""
        if len(wanted) > 1:
            return any(namespace is wanted[1] for namespace in self.functions.get(wanted[0], ()))
        return len(wanted[0]) <= len(self.dtypes)

    def patches(self) -> Iterator[tuple[dict, str, Any]]:
        """What goes by other names in users' modules: for each the namespace, the name, and what it stands for."""
        namespaces = {id(namespace): namespace for places in self.functions.values() for namespace in places}
        for namespace in namespaces.values():
            others = {id(function): replacement(function) for function in self.functions}
            for module in (np.linalg, np.fft, np):
                others[id(module)] = Names(module, others)
            yield from ((namespace, name, other) for name, other in renamed(namespace, others))


# Where a number is asked for ----------------------------------------------------------------------------------------


def look_for_better(program: Any, dtype: np.dtype, is_array: bool, is_written: bool = False) -> None:
    """Have the function recorded once more, if then nobody would ask a recorded value of a dtype for its number.

    Whether it is asked as an array makes the difference for operators, which ask for no numbers. `is_written` says that
    it is to be written into an array of NumPy's own.

    Raises
    ------
    RecordAgain
        If so, and if all that the function has done so far can be undone.
    """
    if program.closed or program.replaced is None:
        return
    frame = None if is_written else _users(sys._getframe(2))
    wanted = _buffers(dtype) if is_written else frame and _wanted(*frame, dtype, is_array)
    if wanted and not program.replaced.has(wanted) and program.can_be_undone():
        program.wanted = wanted
        raise RecordAgain


def _users(frame: FrameType | None) -> tuple[FrameType, Any] | None:
    """The frame of the user's code that NumPy, if anybody, asks for, with NumPy's own; not where a library does."""
    numpys = None
    while frame is not None:
        if _package(frame) == "numpy":
            numpys = frame
        elif _package(frame) != "wengert" or frame.f_code.co_name not in READERS:
            break
        frame = frame.f_back
    if frame is None or _package(frame) == "scipy":
        return None
    if _package(frame) == "wengert":  # ``np.copyto(array, t)`` writes there
        return (frame, None) if running(frame)[0] == "store" else None
    return frame, numpys


JOINS_INDICES: Any = type(np.r_).__base__
READERS = {
    "__array__",
    "__float__",
    "__int__",
    "__complex__",
    "_read",
    "_asked",
    "_ask",
    "_shown",
    "ask_to_record_again",
    "choose",
    "make",
}
"""Functions of wrappers by which numbers are asked for."""


def _package(frame: FrameType) -> str:
    return (frame.f_globals.get("__name__") or "").partition(".")[0]


def _wanted(frame: FrameType, numpys: FrameType | None, dtype: np.dtype, is_array: bool) -> tuple | None:
    """What would have to be replaced at the instruction that a frame is at."""
    asked = numpys and numpys.f_locals.get("self")
    if isinstance(asked, JOINS_INDICES):  # what is indexed to join: ``np.r_[t, u]``
        return asked, frame.f_globals
    if isinstance(asked, np.vectorize):  # made in the function, or in a module
        in_module = any(value is asked for value in list(frame.f_globals.values()))
        return asked if in_module else np.vectorize, frame.f_globals
    kind, _ = running(frame)
    if kind == "store" or (kind == "operator" and is_array):
        return _buffers(dtype)
    if kind != "call":
        return None
    owner, function = called(frame)
    if isinstance(owner, (np.ndarray, np.flatiter)):  # ``buffer.fill(t)``
        return _buffers(dtype)
    if isinstance(owner, np.ufunc):  # ``np.add.reduce([t, u])``
        function = owner
    function = getattr(function, "stands_for", function)
    is_numpys = isinstance(function, np.ufunc) or function in SPECIAL or function in REGISTRY
    return (function, frame.f_globals) if is_numpys else None


def _buffers(dtype: np.dtype) -> tuple:
    return (INEXACT if dtype.kind in "fc" else INEXACT + WHOLE,)
