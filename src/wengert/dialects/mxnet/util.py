"""`mxnet.util`: which array class programs ask for (``npx.set_np()``), and a few helpers.

Two flags: whether layers and data loaders make ``mx.np`` arrays (`is_np_array`) or ``mx.nd`` ones, and whether
``mx.np`` makes double precision by default (`is_np_default_dtype`).
"""

import functools
import inspect
import os
import threading
from typing import Any

import numpy as np

from wengert.dialects.mxnet.context import num_gpus
from wengert.errors import ArgumentError

__all__ = [
    "default_float", "get_gpu_count", "getenv", "is_np_array", "is_np_default_dtype", "is_np_shape", "makedirs",
    "np_array", "np_default_dtype", "np_shape", "reset_np", "set_np", "set_np_default_dtype", "set_np_shape", "setenv",
    "use_np", "use_np_array", "use_np_default_dtype", "use_np_shape",
]  # fmt: skip


class _Flags(threading.local):
    """The flags of a thread."""

    array = shape = dtype = False


_flags = _Flags()


def set_np(shape: bool = True, array: bool = True, dtype: bool = False) -> None:
    """Have layers and data loaders make ``mx.np`` arrays from here on; with `dtype`, in double precision."""
    if not shape and array:
        raise ArgumentError("[set_np] shape=True was required with array=True, as mx.np has arrays without axes")
    _flags.shape, _flags.array, _flags.dtype = shape, array, dtype


def reset_np() -> None:
    """Back to ``mx.nd`` arrays, in single precision."""
    set_np(shape=False, array=False, dtype=False)


def is_np_array() -> bool:
    """Whether layers and data loaders make ``mx.np`` arrays."""
    return _flags.array


def is_np_shape() -> bool:
    """Whether shapes are NumPy's: ``()`` has no axes, and an unknown length is -1."""
    return _flags.shape


def is_np_default_dtype() -> bool:
    """Whether ``mx.np`` makes double precision by default."""
    return _flags.dtype


def set_np_shape(active: bool) -> bool:
    """Set the flag from here on; returns what it was."""
    previous, _flags.shape = _flags.shape, bool(active)
    return previous


def set_np_default_dtype(is_np_default_dtype: bool = True) -> bool:
    """Set the flag from here on; returns what it was."""
    previous, _flags.dtype = _flags.dtype, bool(is_np_default_dtype)
    return previous


class _Scope:
    """A context manager, and a decorator of functions and classes, that sets flags inside."""

    def __init__(self, **flags: bool) -> None:
        self._inside = flags
        self._before: list[dict] = []

    def __enter__(self) -> "_Scope":
        self._before.append({name: getattr(_flags, name) for name in self._inside})
        vars(_flags).update(self._inside)
        return self

    def __exit__(self, *exception: Any) -> None:
        vars(_flags).update(self._before.pop())

    def __call__(self, target: Any) -> Any:
        if inspect.isclass(target):
            for name, method in list(vars(target).items()):
                if inspect.isfunction(method):
                    setattr(target, name, self(method))
            return target

        @functools.wraps(target)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with _Scope(**self._inside):
                return target(*args, **kwargs)

        return inside


def np_array(active: bool = True) -> _Scope:
    """A context in which ``mx.np`` arrays are made, or not."""
    return _Scope(array=active)


def np_shape(active: bool = True) -> _Scope:
    """A context in which shapes are NumPy's, or not."""
    return _Scope(shape=active)


def np_default_dtype(active: bool = True) -> _Scope:
    """A context in which ``mx.np`` makes double precision by default, or not."""
    return _Scope(dtype=active)


use_np_array, use_np_shape, use_np_default_dtype = np_array(), np_shape(), np_default_dtype()
use_np = _Scope(array=True, shape=True)


def default_float() -> type[np.floating]:
    """The dtype of ``mx.np`` arrays for which none is asked."""
    return np.float64 if _flags.dtype else np.float32


def makedirs(d: str) -> None:
    """Make a directory and what leads to it, unless it is there."""
    os.makedirs(os.path.expanduser(d), exist_ok=True)


def get_gpu_count() -> int:
    """How many GPUs there are."""
    return num_gpus()


def getenv(name: str) -> str | None:
    """An environment variable; `None` if it is not set."""
    return os.environ.get(name)


def setenv(name: str, value: str | None) -> None:
    """Set an environment variable, or with `None` delete it."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
