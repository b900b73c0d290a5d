"""How a function of ``mx.nd`` is made: what ``out=`` and ``name=`` mean is the same for all."""

import functools
from collections.abc import Callable
from typing import Any

from wengert.box import bare
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.ndarray.ndarray import NDArray

__all__ = ["METHODS", "constant", "operation", "put", "raw", "same_shape"]

METHODS: dict[str, Callable] = {}
"""Functions that are methods of the array as well."""


def put(out: Any, result: Any) -> Any:
    """Write a result (or each of several) into arrays that the caller gave, and return these."""
    if isinstance(out, (list, tuple)):
        return [put(o, r) for o, r in zip(out, result, strict=True)]
    if out.shape != result.shape:
        raise MXNetError(f"[out] an array of shape {result.shape} was required; received {out._spec!r}")
    out[...] = result
    return out


def operation(function: Callable | None = None, *, method: bool = True) -> Callable:
    """Give a function the keywords ``out=`` and ``name=``; make it a method where its first argument is an array."""
    if function is None:
        return functools.partial(operation, method=method)

    @functools.wraps(function)
    def call(*args: Any, out: Any = None, name: str | None = None, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return result if out is None else put(out, result)

    del call.__wrapped__
    call.__name__ = call.__qualname__ = function.__name__.rstrip("_")
    if method:
        METHODS[call.__name__] = call
    return call


def raw(x: Any) -> Any:
    """The NumPy array inside an array."""
    return bare(x)


def constant(x: Any) -> Any:
    """The values of an array as one without a history."""
    return NDArray._box(bare(x))


def same_shape(operation: str, a: Any, b: Any) -> None:
    """Insist on operands of one shape."""
    if isinstance(a, Array) and isinstance(b, Array) and a.shape != b.shape:
        raise MXNetError(
            f"[{operation}] arrays of one shape were required; received {a._spec!r} and {b._spec!r}; use a broadcast_ "
            f"function"
        )
