"""Shapes, slices, joining and splitting in ``mx.nd``."""

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.ndarray.ndarray import TABLE, boxed
from wengert.dialects.mxnet.ndarray.operation import METHODS, constant, operation, put
from wengert.rules.reductions import normal_axes

_reshape = TABLE[np.reshape]

# Reshaping -------------------------------------------------------------------------------------------------------


def target_shape(shape: tuple[int, ...], codes: Sequence[int], reverse: bool = False) -> tuple[int, ...]:
    """The shape that reshape's codes describe.

    0 keeps an axis, -1 takes what is left, -2 keeps all further axes, -3 joins two axes, -4 splits one into the two
    that follow (one of which may be -1).
    """
    codes = list(codes)
    if not reverse:
        return _fill(_expanded(shape, codes), math.prod(shape), shape, codes)
    if -4 in codes:
        # Read from the right, the two lengths stand before the code.
        i = 0
        while i < len(codes):
            if codes[i] == -4:
                codes[i : i + 3] = [codes[i + 1], codes[i + 2], -4]
                i += 2
            i += 1
    backwards = list(codes[::-1])
    return _fill(_expanded(shape[::-1], backwards), math.prod(shape), shape, codes)[::-1]


def _expanded(shape: tuple[int, ...], codes: list[int]) -> list[int]:
    """The codes carried out, up to a -1."""
    result, at, k = [], 0, 0
    while k < len(codes):
        code = codes[k]
        if code > 0 or code == -1:
            result.append(code)
            at += 1
        elif code == 0:
            result.append(shape[at])
            at += 1
        elif code == -2:
            result += shape[at:]
            at = len(shape)
        elif code == -3:
            result.append(shape[at] * shape[at + 1])
            at += 2
        elif code == -4:
            first, second = codes[k + 1], codes[k + 2]
            first = shape[at] // second if first == -1 else first
            result += [first, shape[at] // first if second == -1 else second]
            at, k = at + 1, k + 2
        else:
            raise MXNetError(f"[reshape] lengths or the codes 0, -1, -2, -3, -4 were required; received {code}")
        k += 1
    return result


def _fill(result: list[int], size: int, shape: tuple[int, ...], codes: list[int]) -> tuple[int, ...]:
    """What is left for a -1."""
    unknown = [i for i, n in enumerate(result) if n == -1]
    if len(unknown) > 1:
        raise MXNetError(f"[reshape] one -1 at most was required; received {tuple(codes)} for shape {shape}")
    if unknown:
        known = math.prod(n for n in result if n != -1)
        result[unknown[0]] = size // known if known else 0
    if math.prod(result) != size:
        raise MXNetError(
            f"[reshape] a shape of {size} elements was required; received {tuple(codes)} for shape {shape}, which is "
            f"{tuple(result)}"
        )
    return tuple(result)


def reshape(data: Any, *shape: Any, reverse: bool = False, out: Any = None, name: Any = None, **kwargs: Any) -> Any:
    """The same elements in another shape, which may have the codes 0, -1, -2, -3 and -4; see `target_shape`."""
    if kwargs:
        shape = (kwargs.pop("shape", shape),)
        if kwargs:
            raise TypeError(f"[reshape] shape and reverse were required; received {sorted(kwargs)}")
    if len(shape) == 1 and shape[0].__class__ is not int:
        shape = (int(shape[0]),) if isinstance(shape[0], np.integer) else tuple(shape[0])
    if reverse or not shape or min(shape) < -1 or 0 in shape:
        shape = target_shape(data.shape, shape, reverse) if shape else (1,)
    try:
        y = _reshape(data, shape)
    except ValueError:
        y = _reshape(data, target_shape(data.shape, shape))  # an error in MXNet's words
    return y if out is None else put(out, y)


METHODS["reshape"] = reshape


@operation
def reshape_like(lhs: Any, rhs: Any) -> Any:
    """The elements of the first array in the shape of the second."""
    return _reshape(lhs, rhs.shape)


@operation
def flatten(data: Any) -> Any:
    """Two axes: the first, and all others in one."""
    return _reshape(data, (data.shape[0], math.prod(data.shape[1:])))


@operation
def expand_dims(data: Any, axis: int) -> Any:
    """See `numpy.expand_dims`."""
    return TABLE[np.expand_dims](data, axis)


@operation
def squeeze(data: Any, axis: Any = None) -> Any:
    """See `numpy.squeeze`; one axis at least stays."""
    y = TABLE[np.squeeze](data, axis)
    return y if y.ndim else _reshape(data, (1,))


@operation
def transpose(data: Any, *order: Any, axes: Any = None) -> Any:
    """See `numpy.transpose`; the order of the axes as one tuple or as several integers."""
    order = order if axes is None else axes
    if len(order) == 1 and not isinstance(order[0], int):
        order = order[0]
    return TABLE[np.transpose](data, tuple(order) if order else None)


@operation
def swapaxes(data: Any, dim1: int = 0, dim2: int = 0) -> Any:
    """Two axes exchanged."""
    return TABLE[np.swapaxes](data, dim1, dim2)


@operation(method=False)
def moveaxis(tensor: Any, source: Any, destination: Any) -> Any:
    """See `numpy.moveaxis`."""
    return TABLE[np.moveaxis](tensor, source, destination)


@operation
def flip(data: Any, axis: Any) -> Any:
    """The elements in reverse order along axes."""
    return TABLE[np.flip](data, axis)


@operation
def tile(data: Any, reps: Any) -> Any:
    """See `numpy.tile`."""
    return TABLE[np.tile](data, reps)


@operation
def repeat(data: Any, repeats: int, axis: int | None = None) -> Any:
    """See `numpy.repeat`."""
    return TABLE[np.repeat](data, repeats, axis)


@operation
def pad(data: Any, mode: str = "constant", pad_width: Any = (), constant_value: float = 0.0) -> Any:
    """Elements before and after along each axis: ``pad_width`` has two numbers per axis, in one row."""
    widths = list(zip(pad_width[::2], pad_width[1::2], strict=True))
    if mode == "constant":
        return TABLE[np.pad](data, widths, constant_values=constant_value)
    if mode not in ("edge", "reflect"):
        raise MXNetError(f"[pad] mode constant, edge or reflect was required; received {mode!r}")
    return TABLE[np.pad](data, widths, mode=mode)


@operation
def diag(data: Any, k: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A diagonal of a matrix, or the matrix of a diagonal."""
    return TABLE[np.diag](data, k) if data.ndim == 1 else TABLE[np.diagonal](data, k, axis1, axis2)


@operation
def depth_to_space(data: Any, block_size: int) -> Any:
    """Channels of a batch of images rearranged into blocks of pixels."""
    n, c, h, w = data.shape
    b = block_size
    y = _reshape(data, (n, b, b, c // b**2, h, w))
    return _reshape(TABLE[np.transpose](y, (0, 3, 4, 1, 5, 2)), (n, c // b**2, h * b, w * b))


@operation
def space_to_depth(data: Any, block_size: int) -> Any:
    """Blocks of pixels of a batch of images rearranged into channels."""
    n, c, h, w = data.shape
    b = block_size
    y = _reshape(data, (n, c, h // b, b, w // b, b))
    return _reshape(TABLE[np.transpose](y, (0, 3, 5, 1, 2, 4)), (n, c * b**2, h // b, w // b))


# Broadcasting ----------------------------------------------------------------------------------------------------


@operation
def broadcast_to(data: Any, shape: Any) -> Any:
    """Axes of length 1 stretched; 0 keeps a length."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if len(shape) == data.ndim:
        shape = tuple(m if n == 0 else n for n, m in zip(shape, data.shape, strict=True))
    return TABLE[np.broadcast_to](data, shape)


@operation
def broadcast_axis(data: Any, axis: Any, size: Any) -> Any:
    """Some axes of length 1 stretched to the given lengths."""
    axes, sizes = ((axis,), (size,)) if isinstance(axis, int) else (axis, size)
    shape = list(data.shape)
    for i, n in zip(axes, sizes, strict=True):
        shape[i] = n
    return TABLE[np.broadcast_to](data, tuple(shape))


@operation
def broadcast_like(lhs: Any, rhs: Any, lhs_axes: Any = None, rhs_axes: Any = None) -> Any:
    """Axes of length 1 stretched to those of another array."""
    if lhs_axes is None:
        return TABLE[np.broadcast_to](lhs, rhs.shape)
    return broadcast_axis(lhs, lhs_axes, tuple(rhs.shape[i] for i in rhs_axes))


# Slices ----------------------------------------------------------------------------------------------------------


@operation
def slice(data: Any, begin: Any, end: Any, step: Any = None) -> Any:
    """A slice along each of the first axes."""
    begin, end = ((v,) if v is None or isinstance(v, int) else v for v in (begin, end))
    steps = (step,) if isinstance(step, int) else step or (None,) * len(begin)
    return data[tuple(builtins.slice(b, e, s or None) for b, e, s in zip(begin, end, steps, strict=True))]


@operation
def slice_axis(data: Any, axis: int, begin: int, end: int | None) -> Any:
    """A slice along one axis."""
    (axis,) = normal_axes(axis, data.ndim)
    return data[(*(builtins.slice(None),) * axis, builtins.slice(begin, end))]


@operation
def slice_like(data: Any, shape_like: Any, axes: Any = ()) -> Any:
    """The beginning of each axis (or of some), as long as that of another array."""
    axes = normal_axes(tuple(axes), data.ndim) if axes else range(data.ndim)
    return data[tuple(builtins.slice(shape_like.shape[i] if i in axes else None) for i in range(data.ndim))]


# Joining and splitting -------------------------------------------------------------------------------------------


def _several(data: tuple) -> Any:
    return data[0] if len(data) == 1 and isinstance(data[0], (list, tuple)) else data


@operation(method=False)
def concat(*data: Any, dim: int = 1, num_args: int | None = None) -> Any:
    """Arrays joined along an axis, by default the second."""
    return TABLE[np.concatenate](_several(data), axis=dim)


@operation(method=False)
def concatenate(arrays: Sequence, axis: int = 0, always_copy: bool = True) -> Any:
    """Arrays joined along an axis, by default the first."""
    return TABLE[np.concatenate](arrays, axis=axis)


@operation(method=False)
def stack(*data: Any, axis: int = 0, num_args: int | None = None) -> Any:
    """Arrays of one shape joined along a new axis."""
    return TABLE[np.stack](_several(data), axis=axis)


@operation
def split(data: Any, num_outputs: int, axis: int = 1, squeeze_axis: bool = False) -> Any:
    """Parts of equal length along an axis; a single one as it is."""
    return split_v2(data, num_outputs, axis, squeeze_axis)


@operation
def split_v2(ary: Any, indices_or_sections: Any, axis: int = 0, squeeze_axis: bool = False) -> Any:
    """Parts of equal length, or between positions, along an axis."""
    parts = TABLE[np.split](ary, indices_or_sections, axis)
    if squeeze_axis:
        parts = [squeeze(part, axis) for part in parts]
    return parts if len(parts) > 1 else parts[0]


# Copies, dtypes, shapes as values --------------------------------------------------------------------------------


@operation
def cast(data: Any, dtype: Any) -> Any:
    """Another dtype; gradients come back in the array's own."""
    y = TABLE[np.astype](data, np.dtype(dtype))
    return y if isinstance(y, Array) else boxed(y)


def astype(data: Any, dtype: Any, copy: bool = True) -> Any:
    """Another dtype; gradients come back in the array's own. Without `copy`, an array that has it stays itself."""
    return data if not copy and data.dtype == np.dtype(dtype) else cast(data, dtype)


METHODS["astype"] = astype


@operation
def identity(data: Any) -> Any:
    """A copy."""
    return TABLE[np.copy](data)


METHODS["copy"] = identity


@operation
def stop_gradient(data: Any) -> Any:
    """The same values, without a history."""
    return constant(np.copy(bare(data)))


@operation
def zeros_like(data: Any, dtype: Any = None) -> Any:
    """Zeros of the same shape and dtype."""
    return boxed(np.zeros_like(bare(data), dtype))


@operation
def ones_like(data: Any, dtype: Any = None) -> Any:
    """Ones of the same shape and dtype."""
    return boxed(np.ones_like(bare(data), dtype))


@operation
def shape_array(data: Any) -> Any:
    """The shape as an array of integers."""
    return boxed(np.array(data.shape, np.int64))


@operation
def size_array(data: Any) -> Any:
    """The number of elements as an array of integers."""
    return boxed(np.array([data.size], np.int64))


FUNCTIONS = {
    name: globals()[name]
    for name in (
        "broadcast_axis", "broadcast_like", "broadcast_to", "cast", "concat", "concatenate", "depth_to_space", "diag",
        "expand_dims", "flatten", "flip", "identity", "moveaxis", "ones_like", "pad", "repeat", "reshape",
        "reshape_like", "shape_array", "size_array", "slice", "slice_axis", "slice_like", "space_to_depth", "split",
        "split_v2", "squeeze", "stack", "stop_gradient", "swapaxes", "tile", "transpose", "zeros_like",
    )
} | {
    "BlockGrad": stop_gradient, "Cast": cast, "Concat": concat, "Flatten": flatten, "Pad": pad, "Reshape": reshape,
    "SliceChannel": split, "SwapAxis": swapaxes, "broadcast_axes": broadcast_axis, "crop": slice, "reverse": flip,
}  # fmt: skip
