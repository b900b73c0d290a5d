"""Telling a written ``float(t)`` from a conversion behind the program's back.

NumPy and the C library convert a 0-d value through ``__float__`` whenever they want a number: ``plain[0] = t``,
``plain.fill(t)``, ``np.float64(t)``, ``math.sin(t)`` would each drop a gradient without a word. The method cannot see
who calls, but the frame that was running shows its current instruction: a call whose callee is the name ``float``
was written by somebody who wants the number; a store into a subscript, or a call of anything else, was not.
"""

import builtins
import importlib
import math
import sys
import warnings
from opcode import opmap
from types import CodeType, FrameType, ModuleType
from typing import Any

from wengert.callees import calls_of
from wengert.errors import LostGradientError, LostGradientWarning

_READERS = {
    float, int, complex, bool, round, str, format, print, repr, abs,
    math.isnan, math.isinf, math.isfinite, math.isclose, math.floor, math.ceil, math.trunc,
}  # fmt: skip
"""Functions that read a number to show it, or to decide by it: their results carry no gradient."""
_GATHERERS = {list, tuple, sum, max, min, sorted, map, set, next, zip, enumerate, dict, any, all}
"""Builtins that call another function on each item: whether that one was ``float`` cannot be seen."""
_TAKING = {opmap[name] for name in ("UNPACK_SEQUENCE", "UNPACK_EX", "FOR_ITER", "LIST_EXTEND", "SET_UPDATE")}
"""The instructions that take the items of an iterator."""
_seen: dict[tuple[CodeType, int], tuple[str, str | None]] = {}
"""For each place in the code that was met: what kind of instruction it is, and the name of what it calls."""


def check_reading(reader: str, depth: int = 2) -> None:
    """Allow a recorded value to be read as a number if the running instruction says ``reader(t)``.

    Raises
    ------
    LostGradientError
        If the instruction is a store, or a call of something else than a builtin that reads numbers.
    """
    frame = sys._getframe(depth)
    kind, name = running(frame)
    if kind == "call" and name is not None:
        callee = _resolve(frame, name)
        if callee in _READERS:
            return
        if callee not in _GATHERERS:
            _refuse(reader, frame, f"by {name}(...)")
    elif kind == "format":
        return
    elif kind == "store":
        _refuse(reader, frame, "to store it into a plain array or list")
    elif kind == "other call":
        _refuse(reader, frame, f"by a call of {name}" if name else "by a function written in C")
    warnings.warn(
        f"[{reader}] a recorded value is read as a plain number in {_where(frame)}, by code that cannot be seen: its "
        f"gradient ends here; write t.item() if that is meant",
        LostGradientWarning,
        stacklevel=depth + 1,
    )


def calls(frame: FrameType, function: Any) -> bool:
    """Whether the instruction that a frame is at calls a function by its name: not something that calls it in turn."""
    kind, name = running(frame)
    return kind == "call" and name is not None and _resolve(frame, name) is function


def goes_over(frame: FrameType) -> bool:
    """Whether the instruction that a frame is at takes the items of an iterator, which may be made by calls."""
    kind, name = running(frame)
    if kind == "call" and name is not None:
        return _resolve(frame, name) in _GATHERERS
    return kind == "unknown" and frame.f_code.co_code[frame.f_lasti] in _TAKING


def called(frame: FrameType) -> tuple[Any, Any]:
    """What the instruction that a frame is at calls: the object before the last dot, if any, and the function."""
    kind, name = running(frame)
    return _resolve_both(frame, name) if kind == "call" and name is not None else (None, None)


def who_asks(depth: int = 2) -> FrameType | None:
    """The frame that asks for an array, past those of this library which stand between it and what gives one."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and frame.f_code.co_name in _BETWEEN:
        frame = frame.f_back
    return frame


_BETWEEN = {"__array__", "_shown", "shown", "choose"}
"""Functions of this library through which an array is asked for; `choose` is in NumPy's namespace meanwhile."""


def is_sparse_product() -> bool:
    """Whether scipy.sparse asks for an array to see what it is multiplied by."""
    frame = who_asks()
    return frame is not None and frame.f_code.co_name == "_matmul_dispatch"


def instead_of_scipys() -> str:
    """What to call in the place of SciPy's function that asks for an array, as part of a sentence, if there is one."""
    frame, found = who_asks(), ""
    while frame is not None and (frame.f_globals.get("__name__") or "").startswith("scipy."):
        part, name = frame.f_globals["__name__"].split(".")[1], frame.f_code.co_name
        name = type(frame.f_locals.get("self")).__name__ if name == "__init__" else name
        if part in OF_SCIPY and hasattr(importlib.import_module(f"wengert.scipy.{part}"), name):
            found = f"call wengert.scipy.{part}.{name}, "
        frame = frame.f_back
    return found


OF_SCIPY = {"fft", "integrate", "interpolate", "linalg", "ndimage", "signal", "sparse", "spatial", "special", "stats"}
"""The parts of SciPy's of which there are functions in `wengert.scipy`."""


def running(frame: FrameType) -> tuple[str, str | None]:
    """What kind of instruction a frame is at, and the name of what it calls."""
    place = (frame.f_code, frame.f_lasti)
    if place not in _seen:
        if len(_seen) > 10_000:
            _seen.clear()
        _seen[place] = _classify(*place)
    return _seen[place]


def _refuse(reader: str, frame: FrameType, how: str) -> None:
    raise LostGradientError(
        f"[{reader}] a value whose gradient is recorded was asked for as a plain number {how}, in {_where(frame)}, "
        f"which would drop the gradient; call the NumPy function (np.sin instead of math.sin), make the buffer with "
        f"wg.zeros or np.zeros_like(t), collect with np.stack, or write t.item() or t.detach() to leave the tape"
    )


def _where(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def _resolve(frame: FrameType, name: str) -> Any:
    """The function that a name, or the name of a module and of something in it, stands for there."""
    return _resolve_both(frame, name)[1]


def _resolve_both(frame: FrameType, name: str) -> tuple[Any, Any]:
    """The object before the last dot in a name, and the function; attributes are looked up in modules only."""
    name, *attributes = name.split(".")
    scopes = (frame.f_locals, frame.f_globals, vars(builtins))
    found = next((scope[name] for scope in scopes if name in scope), None)
    owner = None
    for attribute in attributes:
        owner, found = found, getattr(found, attribute, None) if isinstance(found, ModuleType) else None
    return owner, found if _hashable(found) else None


def _hashable(value: Any) -> bool:
    return getattr(type(value), "__hash__", None) is not None


def _classify(code: CodeType, offset: int) -> tuple[str, str | None]:
    """Tell what the instruction at `offset` does with the value: ``("call", name)``, ``("store", None)``, others."""
    calls = calls_of(code)
    current = calls.at(offset)  # while a Python function runs, the frame that called it is behind the call
    if current is None:
        return "unknown", None
    if current.opname.startswith("STORE_SUBSCR") or current.opname.startswith("STORE_SLICE"):
        return "store", None
    if current.opname == "BINARY_OP":  # "%.3f" % t: of operators only a string's reads numbers
        return "format" if current.argrepr == "%" else "operator", None
    if current.offset not in calls.names:
        return "unknown", None
    name = calls.names[current.offset]
    return ("call", name) if name else ("other call", None)
