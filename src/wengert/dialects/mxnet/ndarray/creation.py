"""Making arrays, and keeping them in files."""

from typing import Any

import numpy as np

from wengert.box import array_from, bare, holds_recorded
from wengert.dialects.mxnet.array import Array, dense
from wengert.dialects.mxnet.context import on_cpu
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.ndarray.ndarray import NDArray, boxed
from wengert.dialects.mxnet.ndarray.operation import operation
from wengert.views import on_array

__all__ = [
    "arange", "array", "empty", "eye", "from_numpy", "full", "histogram", "linspace", "load", "ones", "save", "waitall",
    "zeros",
]  # fmt: skip


def array(source_array: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """An array with a copy of numbers; of single precision, unless the source is an array or `dtype` says so."""
    on_cpu("array", ctx)
    if dtype is None:
        dtype = source_array.dtype if isinstance(source_array, Array) else np.float32
    numbers = _numbers(source_array)
    return boxed(array_from(numbers).astype(dtype, copy=False) if holds_recorded(numbers) else np.array(numbers, dtype))


def _numbers(source: Any) -> Any:
    """Nested sequences with the values of arrays in the place of arrays."""
    if isinstance(source, (list, tuple)):
        return [_numbers(item) for item in source]
    return bare(source)


def _made(operation: str, ctx: Any, value: np.ndarray, stype: str | None = None) -> NDArray:
    on_cpu(operation, ctx)
    dense(operation, stype)
    return boxed(value)


def _shape(shape: Any) -> Any:
    return shape if isinstance(shape, (int, np.integer)) else tuple(shape)


@operation(method=False)
def zeros(shape: Any, ctx: Any = None, dtype: Any = None, stype: str | None = None) -> NDArray:
    """Zeros."""
    return _made("zeros", ctx, np.zeros(_shape(shape), dtype or np.float32), stype)


@operation(method=False)
def ones(shape: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Ones."""
    return _made("ones", ctx, np.ones(_shape(shape), dtype or np.float32))


@operation(method=False)
def full(shape: Any, val: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """One number everywhere."""
    return _made("full", ctx, np.full(_shape(shape), bare(val), dtype or np.float32))


def empty(shape: Any, ctx: Any = None, dtype: Any = None, stype: str | None = None) -> NDArray:
    """An array whose values are not set yet."""
    return _made("empty", ctx, np.empty(_shape(shape), dtype or np.float32), stype)


def arange(
    start: float, stop: float | None = None, step: float = 1.0, repeat: int = 1, infer_range: bool | None = None,
    ctx: Any = None, dtype: Any = None,
) -> NDArray:  # fmt: skip
    """Evenly spaced numbers, each `repeat` times; in single precision."""
    start, stop = (0, start) if stop is None else (start, stop)
    values = np.arange(float(start), float(stop), float(step)).astype(dtype or np.float32)
    return _made("arange", ctx, np.repeat(values, repeat))


def linspace(start: float, stop: float, num: int, endpoint: bool = True, ctx: Any = None, dtype: Any = None) -> NDArray:
    """`num` evenly spaced numbers."""
    return _made("linspace", ctx, np.linspace(start, stop, num, endpoint).astype(dtype or np.float32))


@operation(method=False)
def eye(N: int, M: int = 0, k: int = 0, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Ones on a diagonal."""
    return _made("eye", ctx, np.eye(N, M or N, k, dtype or np.float32))


def from_numpy(ndarray: np.ndarray, zero_copy: bool = True) -> Any:
    """An array on the memory of NumPy's: writing either writes both."""
    return on_array(NDArray, ndarray) if zero_copy and ndarray.ndim else boxed(np.array(ndarray))


def histogram(a: Any, bins: Any = 10, range: Any = None) -> tuple[NDArray, NDArray]:
    """How many elements are in each bin, and the edges of the bins."""
    counts, edges = np.histogram(bare(a), bare(bins), range)
    return boxed(counts), boxed(edges.astype(np.float32))


def waitall() -> None:
    """Return at once: every operation has been carried out."""


# Files -----------------------------------------------------------------------------------------------------------


def save(fname: str, data: Any) -> None:
    """Keep an array, a list of arrays or a dictionary of arrays in a file, for `load`. The format is NumPy's npz."""
    if isinstance(data, Array):
        data = [data]
    named = data if isinstance(data, dict) else {str(i): a for i, a in enumerate(data)}
    kind = "dict" if isinstance(data, dict) else "list"
    with open(fname, "wb") as file:
        np.savez(file, **{f"{kind}:{name}": a.asnumpy() for name, a in named.items()})


def load(fname: str) -> Any:
    """What `save` has kept: a list, or a dictionary."""
    try:
        with np.load(fname, allow_pickle=False) as file:
            entries = [(name.split(":", 1), file[name]) for name in file.files]
    except ValueError as error:
        raise MXNetError(
            f"[load] a file that nd.save of this dialect has written was required; received {fname!r}, which is none; "
            f"files of MXNet's own format cannot be read"
        ) from error
    if entries and entries[0][0][0] == "dict":
        return {name: boxed(value) for (_, name), value in entries}
    return [boxed(value) for _, value in entries]


FUNCTIONS = {name: globals()[name] for name in __all__}
