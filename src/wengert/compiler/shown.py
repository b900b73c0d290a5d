"""Arrays of NumPy's in the place of recorded ones, where what is no function of NumPy's asks for such an array.

Who asks gets a copy, which must not be told from the array itself: so the function is left to Python if it turns out to
have written one of the two, or looks at memory around it.
"""

from types import FrameType
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.protocol import Wrapper, is_recorded
from wengert.reading import who_asks

__all__ = ["are_told_apart", "note_alias", "shown"]


def shown(value: Any, owner: Any, dtype: Any, copy: bool | None) -> np.ndarray:
    """The array that ``owner.__array__(dtype, copy)`` gives, where `value` is the recorded value that is inside."""
    held, program = value._read_whole(), value._program
    if copy is False and not (isinstance(held, np.ndarray) and dtype in (None, held.dtype)):
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    array = np.array(held, dtype)
    if program.closed or copy or not isinstance(held, np.ndarray) or array.dtype != held.dtype:
        return array
    if (frame := _striding()) is not None:
        program.look_at_layout(exactly=True)
        if not _reaches_inside(held, frame.f_locals):
            program.leave("it looks at the memory between, or around, the elements of an array")
    if value._is_instead_of(owner):
        program.shown.append((array, held))
        program.still.append((owner, value._node))
    return array


def note_alias(program: Any, args: tuple, result: Any) -> None:
    """Note that the result of a call has memory in common with what was given, which a program does not know of."""
    made = [x for x in (result if result.__class__ in (tuple, list) else (result,)) if _memory(x) is not None]
    for owner in args:
        alike = [x for x in made if _memory(owner) is not None and np.may_share_memory(_memory(x), _memory(owner))]
        program.still += [(x, bare(x)._node) for x in (owner, *alike) if alike]


def _memory(x: Any) -> np.ndarray | None:
    """The array that a recorded value has at hand."""
    inside = bare(x) if isinstance(x, Wrapper) else x
    held = inside._held if is_recorded(inside) else None
    return held if held.__class__ is np.ndarray else None


def _striding() -> FrameType | None:
    """The frame of NumPy's `as_strided`, if it asks for an array."""
    frame = who_asks()
    return frame if frame is not None and frame.f_code.co_name == "as_strided" else None


def _reaches_inside(x: np.ndarray, asked: dict) -> bool:
    """Whether `as_strided` reaches elements of an array only, and the array is in one piece in C order."""
    shape = x.shape if asked.get("shape") is None else tuple(asked["shape"])
    strides = x.strides if asked.get("strides") is None else tuple(asked["strides"])
    if not x.flags.c_contiguous or len(shape) != len(strides):
        return False
    last = sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    return 0 in shape or (min(strides, default=0) >= 0 and last + x.itemsize <= x.nbytes)


def are_told_apart(program: Any) -> bool:
    """Whether something has been written that has its memory for itself only while it is recorded."""
    is_moved = any(bare(owner)._node is not node for owner, node in program.still)
    return is_moved or any(array.tobytes() != held.tobytes() for array, held in program.shown)
