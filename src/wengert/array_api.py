"""The array API standard's namespace for tensors: what ``t.__array_namespace__()`` gives.

Libraries that are written for the standard (https://data-apis.org/array-api/2024.12/) ask an array for its namespace
and use nothing else. Here it is NumPy's own, whose functions record tensors, with the functions that make arrays
replaced: those make tensors, so that what a library fills step by step can take recorded values.

>>> import wengert as wg
>>> t = wg.tensor([3.0, 4.0], requires_grad=True)
>>> xp = t.__array_namespace__()
>>> length = xp.sqrt(xp.sum(xp.asarray(t) ** 2))
>>> length.backward()
>>> t.grad
tensor([0.6, 0.8])
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import creation
from wengert import numpy as recorded
from wengert.errors import ArgumentError
from wengert.tensor import Tensor

VERSION = "2024.12"
_FROM_NUMPY = """
astype can_cast finfo iinfo isdtype result_type
abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or
bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater
greater_equal hypot imag isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not
logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real reciprocal remainder
round sign signbit sin sinh square sqrt subtract tan tanh trunc
matmul matrix_transpose tensordot vecdot meshgrid tril triu
broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile
unstack argmax argmin count_nonzero nonzero searchsorted where take take_along_axis unique_all unique_counts
unique_inverse unique_values cumulative_prod cumulative_sum max mean min prod std sum var diff all any
e inf nan newaxis pi bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128
linalg fft __array_namespace_info__
""".split()  # noqa: SIM905
__array_api_version__ = VERSION


def _making(name: str) -> Callable:
    """A function that makes arrays, with the standard's keyword ``device=``."""
    make = getattr(creation, name)

    def call(*args: Any, device: Any = None, **keywords: Any) -> Any:
        _check_device(name, device)
        return make(*args, **keywords)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = make.__doc__
    return call


def _check_device(name: str, device: Any) -> None:
    if device not in (None, "cpu"):
        raise ArgumentError(f"[{name}] device 'cpu' (or none) was required; received {device!r}; there is no other")


arange, empty, empty_like, eye, full, full_like, linspace, ones, ones_like, zeros, zeros_like = map(
    _making,
    ("arange", "empty", "empty_like", "eye", "full", "full_like", "linspace", "ones", "ones_like", "zeros",
     "zeros_like"),
)  # fmt: skip


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor of `obj`; a tensor as it is, unless `copy` or another `dtype` is asked for."""
    _check_device("asarray", device)
    if copy is False and not isinstance(obj, (np.ndarray, Tensor)):
        raise ArgumentError(f"[asarray] an array was required for copy=False; received {type(obj).__name__}")
    made = creation.asarray(obj, dtype)
    return made.copy() if copy else made


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor on the memory of an array of another library."""
    _check_device("from_dlpack", device)
    return creation.asarray(np.from_dlpack(x, copy=copy))


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The values in order along an axis; with ``descending=`` the largest first."""
    del stable  # the order here always is
    ascending = recorded.sort(x, axis=axis, stable=True)
    return recorded.flip(ascending, axis=axis) if descending else ascending


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The indices that `sort` would take; equal values stay in their order."""
    del stable
    if not descending:
        return recorded.argsort(x, axis=axis, stable=True)
    backwards = recorded.argsort(recorded.flip(x, axis=axis), axis=axis, stable=True)
    return recorded.flip(x.shape[axis] - 1 - backwards, axis=axis)


def __getattr__(name: str) -> Any:
    if name not in _FROM_NUMPY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: the standard {VERSION} has no such name")
    value = globals()[name] = getattr(recorded, name)
    return value


def __dir__() -> list[str]:
    return sorted({*_FROM_NUMPY, "argsort", "asarray", "from_dlpack", "sort", *creation.__all__} - {"tensor"})


def _namespace(self: Tensor, api_version: str | None = None) -> Any:
    """The namespace of the array API standard for this tensor; see `wengert.array_api`."""
    if api_version not in (None, "2021.12", "2022.12", "2023.12", VERSION):
        raise ArgumentError(f"[__array_namespace__] version {VERSION} or older was required; received {api_version!r}")
    return sys.modules[__name__]


Tensor.__array_namespace__ = _namespace  # type: ignore[attr-defined]


def _dlpack(self: Tensor, **keywords: Any) -> Any:
    """The memory of a tensor without a history for another library; `keywords` as of ``ndarray.__dlpack__``."""
    return np.asarray(self).__dlpack__(**keywords)


def _dlpack_device(self: Tensor) -> tuple[int, int]:
    """The number of the processor's memory in the protocol, and of the device."""
    return np.empty(0).__dlpack_device__()


Tensor.__dlpack__ = _dlpack  # type: ignore[attr-defined]
Tensor.__dlpack_device__ = _dlpack_device  # type: ignore[attr-defined]
