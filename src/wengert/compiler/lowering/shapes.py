"""Shapes: views, copies of parts, joins."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.graph import Gather, Move, Value
from wengert.compiler.lowering.builder import Builder, kept
from wengert.compiler.lowering.elementwise import chosen
from wengert.protocol import Spec

__all__ = ["HANDLERS", "diagonal", "item", "same"]


def _reshape(b: Builder, spec: Spec, x: Value, shape: Any = (), order: str = "C") -> Value | None:
    if order in ("C", "A", "K") or (len(x.shape) < 2 and len(spec.shape) < 2):
        return b.graph.reshape(x, spec.shape)
    if order != "F":
        return None
    flipped = b.graph.reshape(_reversed_axes(b, x), spec.shape[::-1])
    return _reversed_axes(b, flipped)


def _reversed_axes(b: Builder, x: Value) -> Value:
    return b.graph.transpose(x, tuple(range(len(x.shape) - 1, -1, -1)))


def _ravel(b: Builder, spec: Spec, x: Value, order: str = "C") -> Value | None:
    return _reshape(b, spec, x, order=order)


def _transpose(b: Builder, spec: Spec, x: Value, axes: Any = None) -> Value:
    n = len(x.shape)
    return b.graph.transpose(x, tuple(range(n - 1, -1, -1)) if axes is None else tuple(a % n for a in axes))


def _broadcast(b: Builder, spec: Spec, x: Value, shape: Any = ()) -> Value:
    return b.graph.broadcast(x, spec.shape)


def _flip(b: Builder, spec: Spec, x: Value, axis: tuple = ()) -> Value:
    return b.graph.slices(x, [slice(None, None, -1) if i in axis else slice(None) for i in range(len(x.shape))])


def _diagonal(b: Builder, spec: Spec, x: Value, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    return diagonal(b, x, axis1 % len(x.shape), axis2 % len(x.shape), offset)


def diagonal(b: Builder, x: Value, axis1: int, axis2: int, offset: int = 0) -> Value:
    """Elements whose places along two axes differ by the offset, as a last axis."""
    n, last = len(x.shape), len(x.shape) - 2
    length = max(min(x.shape[axis1] + min(offset, 0), x.shape[axis2] - max(offset, 0)), 0)
    rest = [i for i in range(n) if i not in (axis1, axis2)]
    where: dict[int, Any] = {axis: (0, ((k, 1),)) for k, axis in enumerate(rest)}
    where[axis1], where[axis2] = (max(-offset, 0), ((last, 1),)), (max(offset, 0), ((last, 1),))
    shape = (*[x.shape[i] for i in rest], length)
    return b.graph.move(x, Move(shape, tuple(where[i] for i in range(n))))


def _on_diagonal(b: Builder, spec: Spec, x: Value, k: int = 0) -> Value:
    """A vector on a diagonal: where row and column meet there is the element of the column (or the row)."""
    shape = spec.shape
    rows, columns = b.counted(shape, 0), b.counted(shape, 1)
    long = b.graph.reshape(x, (1, x.shape[0]) if k <= 0 else (x.shape[0], 1))
    spread = b.graph.broadcast(long, (shape[0], x.shape[0]) if k <= 0 else (x.shape[0], shape[1]))
    if k:
        zeros = b.filled(0, shape, x.dtype)
        spread = b.updated(zeros, spread, Move(spread.shape, ((0, ((0, 1),)), (0, ((1, 1),)))), adds=False)
    on = b.map("equal", b.map("add", rows, k) if k else rows, columns, dtype=np.bool_)
    return chosen(b, on, spread, b.graph.literal(0, x.dtype))


def _triangle(name: str) -> Callable:
    """``tril`` or ``triu``: elements on one side of a diagonal, zeros elsewhere."""

    def handler(b: Builder, spec: Spec, x: Value, k: int = 0) -> Value | None:
        if not isinstance(k, (int, np.integer)) or not x.size:
            return None
        rows, columns = (b.counted(x.shape, len(x.shape) + i) for i in (-2, -1))
        kept = b.map(name, columns, b.map("add", rows, int(k)) if k else rows, dtype=np.bool_)
        return chosen(b, kept, x, b.graph.literal(0, x.dtype))

    return handler


def _concatenate(b: Builder, spec: Spec, *arrays: Any, axis: int = 0) -> Value | None:
    if any(not isinstance(a, Value) for a in arrays):
        return None
    if not spec.size:
        return b.filled(0, spec.shape, spec.dtype)
    return b.joined([b.cast(a, spec.dtype) for a in arrays], axis % spec.ndim)


def _stack(b: Builder, spec: Spec, *arrays: Any, axis: int = 0) -> Value | None:
    axis %= spec.ndim
    shape = tuple(1 if i == axis else n for i, n in enumerate(spec.shape))
    return b.joined([b.graph.reshape(b.value(a, spec.dtype), shape) for a in arrays], axis)


def _pad_zeros(b: Builder, spec: Spec, x: Value, widths: Any = ()) -> Value:
    zeros = b.filled(0, spec.shape, x.dtype)
    places = tuple(
        (before, ((i, 1),) if n != 1 else ()) for i, ((before, _), n) in enumerate(zip(widths, x.shape, strict=True))
    )
    return b.updated(zeros, x, Move(x.shape, places), adds=False)


def _pad_copies(b: Builder, spec: Spec, x: Value, widths: Any = (), mode: Any = "edge") -> Value | None:
    """Axis by axis: what is joined on is found by padding the positions."""
    if not x.size:
        return None
    for axis, (before, after) in enumerate(widths):
        if before + after > 16:
            return None
        n = x.shape[axis]
        places = np.pad(np.arange(n), (before, after), mode)
        margins = [b.part(x, axis, slice(int(k), int(k) + 1)) for k in (*places[:before], *places[before + n :])]
        x = b.joined([*margins[:before], x, *margins[before:]], axis)
    return x


def _roll(b: Builder, spec: Spec, x: Value, shift: Any = 0, axis: Any = None) -> Value | None:
    if axis is None:
        if not isinstance(shift, (int, np.integer)):
            return None
        flat = b.graph.reshape(x, (x.size,))
        return b.graph.reshape(_rolled(b, flat, int(shift), 0), x.shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(axes) != len(shifts):
        return None
    for by, i in zip(shifts, axes, strict=True):
        x = _rolled(b, x, int(by), i % len(x.shape))
    return x


def _rolled(b: Builder, x: Value, shift: int, axis: int) -> Value:
    n = x.shape[axis]
    cut = -shift % n if n else 0
    return b.joined([b.part(x, axis, slice(cut, None)), b.part(x, axis, slice(None, cut))], axis) if cut else x


def _repeat(b: Builder, spec: Spec, x: Value, repeats: Any = 1, axis: int = 0) -> Value | None:
    axis %= max(len(x.shape), 1)
    if isinstance(repeats, Value) and repeats.kind == "constant":
        return _repeated_unevenly(b, x, np.asarray(repeats.setting), axis)
    if not isinstance(repeats, int) or not x.shape:
        return None
    shape = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    apart = b.graph.reshape(x, (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
    return b.graph.reshape(b.graph.broadcast(apart, shape), spec.shape)


def _repeated_unevenly(b: Builder, x: Value, repeats: np.ndarray, axis: int) -> Value | None:
    """Each element as often as a constant array says: read from the places of their copies."""
    places = np.repeat(np.arange(x.shape[axis]), repeats)
    if not len(places) or not x.size:
        return None
    index = b.graph.make("constant", (), kept(places), places.shape, np.int64)
    shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    lengths = tuple(len(places) if k == axis else 1 for k in range(len(shape)))
    where = tuple((0, (), ((0, 1),)) if k == axis else (0, ((k, 1),), ()) for k in range(len(shape)))
    return b.graph.gather(x, Gather(shape, where), (b.graph.broadcast(b.graph.reshape(index, lengths), shape),))


def _differences(b: Builder, spec: Spec, x: Value, axis: int = -1) -> Value:
    axis %= len(x.shape)
    later, earlier = b.part(x, axis, slice(1, None)), b.part(x, axis, slice(None, -1))
    return b.map("not_equal" if x.dtype.kind == "b" else "subtract", later, earlier, dtype=spec.dtype)


def zeros(b: Builder, spec: Spec, shape: Any, dtype: Any) -> Value:
    """NumPy's ``zeros``."""
    return b.filled(0, spec.shape, spec.dtype)


def item(b: Builder, spec: Spec, x: Value) -> Value:
    """The one number in an array."""
    return b.graph.reshape(b.cast(x, spec.dtype), ())


def same(b: Builder, spec: Spec, x: Value) -> Value:
    """The value itself."""
    return x


HANDLERS: dict[str, Callable] = {
    "reshape": _reshape,
    "ravel": _ravel,
    "transpose": _transpose,
    "broadcast_to": _broadcast,
    "flip": _flip,
    "diagonal": _diagonal,
    "on_diagonal": _on_diagonal,
    "tril": _triangle("less_equal"),
    "triu": _triangle("greater_equal"),
    "concatenate": _concatenate,
    "stack": _stack,
    "pad_zeros": _pad_zeros,
    "pad": _pad_copies,
    "roll": _roll,
    "repeat": _repeat,
    "differences": _differences,
}
