"""What a name of NumPy's is in `wengert.numpy`."""

from collections.abc import Callable
from typing import Any

import numpy

from wengert.creation import asarray, holds_recorded
from wengert.errors import LostGradientError
from wengert.primitive import REGISTRY, Composite, Plain
from wengert.protocol import highest
from wengert.tensor import Tensor


def names_of(module: Any, found: dict) -> tuple[Callable, Callable]:
    """``__getattr__`` and ``__dir__`` for a module that gives the names of one of NumPy's; `found` is its namespace."""

    def look_up(name: str) -> Any:
        value = found[name] = _undispatched(getattr(module, name))
        return value

    return look_up, lambda: dir(module)


def _undispatched(function: Any) -> Any:
    known = REGISTRY.get(function) if callable(function) and getattr(function, "__hash__", None) else None
    if known is None or isinstance(known, Plain):
        return function
    return _of_lists(function) if isinstance(known, Composite) else Tensor._table[function]


def _of_lists(function: Any) -> Any:
    """Composites run on wrappers only; plain arrays, and the keywords that all ufuncs have, are NumPy's business.

    In NumPy lists of numbers pass for arrays. So do lists of tensors here, which NumPy itself cannot hand over.
    """
    entry, is_ufunc = Tensor._table[function], isinstance(function, numpy.ufunc)

    def call(*args: Any, **kwargs: Any) -> Any:
        top = highest(args)
        try:
            if top is None or kwargs.get("out") is not None or (is_ufunc and kwargs):
                return function(*args, **kwargs)
            return entry(*args, **kwargs) if isinstance(top, Tensor) else top._table[function](*args, **kwargs)
        except LostGradientError:
            if not any(map(_is_list, (*args, *kwargs.values()))):
                raise
        return call(*map(_joined, args), **{name: _joined(value) for name, value in kwargs.items()})

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = function.__doc__
    return call


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and holds_recorded(value)


def _joined(value: Any) -> Any:
    return asarray(value) if _is_list(value) else value
