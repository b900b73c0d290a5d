"""The functions of ``mxnet.np``, from a list of names: each is NumPy's, on the dialect's arrays.

What wengert has rules for is recorded. Other functions are NumPy's own, on the values; while recording, they are
refused for arrays in a graph.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import bare
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.context import on_cpu
from wengert.dialects.mxnet.naming import named
from wengert.dialects.mxnet.numpy.array import array, boxed, ndarray, single_first
from wengert.dialects.mxnet.util import default_float
from wengert.primitive import REGISTRY
from wengert.protocol import DORMANT

__all__ = ["CONSTANTS", "adapted", "adapted_module", "creation_functions"]

CONSTANTS = (
    "pi", "e", "inf", "nan", "euler_gamma", "newaxis", "float16", "float32", "float64", "int8", "int16", "int32",
    "int64", "uint8", "uint16", "uint32", "uint64", "bool_", "bool", "complex64", "complex128", "dtype", "integer",
    "floating", "number", "generic", "int_", "intp", "iinfo", "finfo", "errstate", "ndindex", "ndenumerate", "s_",
    "c_", "r_", "issubdtype", "isscalar", "broadcast_shapes", "set_printoptions", "get_printoptions",
    "printoptions", "vectorize",
)  # fmt: skip
"""Names that mean the same here as in NumPy: numbers, dtypes, helpers."""
_LEFT_OUT = {
    "load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromfile", "show_config",
    "info", "test",
}  # fmt: skip


def adapted_module(module: Any) -> dict[str, Callable]:
    """The functions of a NumPy module that work on arrays, by name."""
    names = (name for name in dir(module) if not name.startswith("_") and name not in _LEFT_OUT)
    functions = {name: getattr(module, name) for name in names}
    return {name: adapted(name, f) for name, f in functions.items() if _is_array_function(f)}


def _is_array_function(function: Any) -> bool:
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation") or _is_recordable(function)


def _is_recordable(function: Any) -> bool:
    return callable(function) and not inspect.isclass(function) and function in REGISTRY


def adapted(name: str, function: Any) -> Callable:
    """A function of NumPy's for the dialect's arrays: made of its table entry when first called."""

    def entry(*args: Any, **kwargs: Any) -> Any:
        nonlocal entry
        entry = ndarray._table[function] if _is_recordable(function) else _unrecorded(function)
        return entry(*args, **kwargs)

    is_ufunc = isinstance(function, np.ufunc)

    def call(*args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            result = entry(*args)
        elif is_ufunc:
            result = function(*args, **kwargs)  # NumPy's protocol knows what out=, where= and dtype= mean
        else:
            result = entry(*args, **_understood(name, kwargs))
        return result if result.__class__ in _OURS else _own(result, (*args, *kwargs.values()))

    def of_one(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        y = call(x, *args, **kwargs) if args or kwargs else entry(x)
        return y if y.__class__ is ndarray else _own(y, (x,))

    def of_two(x1: Any, x2: Any, /, *args: Any, **kwargs: Any) -> Any:
        y = call(x1, x2, *args, **kwargs) if args or kwargs else entry(x1, x2)
        return y if y.__class__ is ndarray else _own(y, (x1, x2))

    made = {(1, 1): of_one, (2, 1): of_two}.get((function.nin, function.nout), call) if is_ufunc else call
    return named(made, name, f"See `numpy.{name}`.")


_OURS = {ndarray, ndarray._family.view}


def _understood(name: str, kwargs: dict) -> dict:
    """Keywords as NumPy has them: no device, and axes in a tuple."""
    for place in ("ctx", "device"):
        if place in kwargs:
            on_cpu(name, kwargs.pop(place))
    if kwargs.get("axis").__class__ is list:
        kwargs["axis"] = tuple(kwargs["axis"])
    return kwargs


def _own(result: Any, operands: tuple) -> Any:
    if isinstance(result, (np.ndarray, np.generic)):
        return boxed(single_first(result, tuple(map(_value, operands))))
    if isinstance(result, (list, tuple)) and any(isinstance(part, np.ndarray) for part in result):
        parts = [_own(part, operands) for part in result]
        return parts if isinstance(result, list) else _like_tuple(result, parts)
    return result


def _value(operand: Any) -> Any:
    return bare(operand[0] if isinstance(operand, (list, tuple)) and operand else operand)


def _like_tuple(result: tuple, parts: list) -> tuple:
    return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)


def _unrecorded(function: Any) -> Callable:
    """A function without a rule: where nothing is recorded, it may be asked of variables as well."""
    entry = ndarray._table[function]

    def call(*args: Any, **kwargs: Any) -> Any:
        if tape.floor() <= DORMANT:
            return entry(*args, **kwargs)
        return function(*map(_bare_deep, args), **{name: _bare_deep(value) for name, value in kwargs.items()})

    return call


def _bare_deep(value: Any) -> Any:
    if type(value) in (list, tuple):
        return type(value)(map(_bare_deep, value))
    return bare(value)


# Creation --------------------------------------------------------------------------------------------------------


def asarray(obj: Any, dtype: Any = None, ctx: Any = None, device: Any = None, copy: bool | None = None) -> ndarray:
    """The array itself where it fits, else a new one."""
    if isinstance(obj, ndarray) and dtype in (None, obj.dtype) and not copy:
        return obj
    return array(obj, dtype, ctx, device)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", ctx: Any = None, device: Any = None,
    out: Any = None,
) -> ndarray:  # fmt: skip
    """An array with `fill_value` everywhere; a recorded value stays recorded."""
    on_cpu("full", ctx or device)
    if dtype is None:
        dtype = getattr(fill_value, "dtype", np.bool_ if isinstance(fill_value, bool) else default_float())
    shape = _sizes(shape)
    filled = boxed(np.zeros(shape, dtype))
    filled[...] = fill_value
    return filled


def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "C", ctx: Any = None, **kwargs: Any) -> ndarray:
    """An array like `a` with `fill_value` everywhere."""
    return full(a.shape, fill_value, a.dtype if dtype is None else dtype, ctx=ctx, **kwargs)


def _sizes(shape: Any) -> Any:
    shape = bare(shape)
    return tuple(int(bare(n)) for n in shape) if np.iterable(shape) else int(shape)


def _maker(name: str) -> Callable:
    """A function that makes arrays, in the default precision."""
    function = getattr(np, name)

    def make(*args: Any, ctx: Any = None, device: Any = None, dtype: Any = None, **kwargs: Any) -> ndarray:
        on_cpu(name, ctx or device)
        made = function(*map(_bare_deep, args), **kwargs)
        return boxed(np.asarray(made).astype(default_float() if dtype is None else dtype, copy=False))

    return named(make, name, f"See `numpy.{name}`; of single precision unless `dtype` says otherwise.")


def _indices(name: str) -> Callable:
    """A function that makes integer arrays."""
    function = getattr(np, name)

    def make(*args: Any, ctx: Any = None, device: Any = None, **kwargs: Any) -> Any:
        on_cpu(name, ctx or device)
        return _own(function(*args, **kwargs), ())

    return named(make, name, f"See `numpy.{name}`.")


def _shaped_maker(name: str) -> Callable:
    """The same for a shape, after which the dtype may come by position."""
    function = getattr(np, name)

    def make(
        shape: Any, dtype: Any = None, order: str = "C", ctx: Any = None, device: Any = None, **kwargs: Any
    ) -> ndarray:
        on_cpu(name, ctx or device)
        return boxed(function(_sizes(shape), default_float() if dtype is None else dtype, **kwargs))

    return named(make, name, f"See `numpy.{name}`; of single precision unless `dtype` says otherwise.")


def _like_maker(name: str) -> Callable:
    """An array of the shape and dtype of another."""
    function = getattr(np, name)

    def make(a: Any, dtype: Any = None, order: str = "C", ctx: Any = None, device: Any = None) -> ndarray:
        on_cpu(name, ctx or device)
        return boxed(function(bare(a), dtype))

    return named(make, name, f"See `numpy.{name}`.")


def arange(
    start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, ctx: Any = None, device: Any = None
) -> ndarray:
    """See `numpy.arange`; of single precision unless `dtype` says otherwise."""
    on_cpu("arange", ctx or device)
    start, stop = (0, start) if stop is None else (start, stop)
    numbers = np.arange(bare(start), bare(stop), bare(step))
    return boxed(numbers.astype(default_float() if dtype is None else dtype))


def creation_functions() -> dict[str, Any]:
    """The functions that make arrays, by name."""
    shaped = {name: _shaped_maker(name) for name in ("zeros", "ones", "empty")}
    like = {name: _like_maker(name) for name in ("zeros_like", "ones_like", "empty_like")}
    others = {
        name: _maker(name) for name in ("eye", "identity", "logspace", "tri", "blackman", "hamming", "hanning")
    } | {name: _indices(name) for name in ("indices", "tril_indices", "triu_indices", "diag_indices")}
    own = {"array": array, "asarray": asarray, "ascontiguousarray": asarray, "full": full, "full_like": full_like}
    return (
        shaped
        | like
        | others
        | own
        | {
            "arange": arange,
            "dot": dot,
            "take": take,
            "linspace": linspace,
            "fill_diagonal": fill_diagonal,
            "genfromtxt": genfromtxt,
        }
    )


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """See `numpy.dot`; of vectors and matrices it is the product that ``@`` is."""
    if out is None and a.__class__ in _OURS and b.__class__ in _OURS and a._spec.ndim and 1 <= b._spec.ndim <= 2:
        return _matmul(a, b)
    return _dot(a, b) if out is None else _dot(a, b, out=out)


_matmul, _dot = ndarray._table[np.matmul], adapted("dot", np.dot)


def take(a: Any, indices: Any, axis: int | None = None, mode: str = "clip", out: Any = None) -> Any:
    """Elements at positions along an axis; positions beyond the ends are those of the ends."""
    taken = asarray(a).take(indices, axis, mode)
    return taken if out is None else taken.copyto(out)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, ctx: Any = None, device: Any = None,
) -> Any:  # fmt: skip
    """See `numpy.linspace`; of single precision unless `dtype` says otherwise. Gradients flow to both ends."""
    on_cpu("linspace", ctx or device)
    if isinstance(start, Array) or isinstance(stop, Array):
        return ndarray._table[np.linspace](start, stop, num, endpoint, retstep=retstep, dtype=dtype, axis=axis)
    made: Any = np.linspace(start, stop, num, endpoint, retstep=retstep, axis=axis)
    values, *step = made if retstep else (made,)
    result = boxed(values.astype(default_float() if dtype is None else dtype))
    return (result, *step) if retstep else result


def genfromtxt(*args: Any, **kwargs: Any) -> ndarray:
    """See `numpy.genfromtxt`."""
    return boxed(single_first(np.genfromtxt(*args, **kwargs), ()))


def fill_diagonal(a: ndarray, val: Any, wrap: bool = False) -> None:
    """See `numpy.fill_diagonal`."""
    ndarray._table[np.fill_diagonal](a, val, wrap)
