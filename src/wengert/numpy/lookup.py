"""What a name of NumPy's is in `wengert.numpy`."""

from collections.abc import Callable
from typing import Any

import numpy

from wengert.primitive import REGISTRY, Composite, Plain
from wengert.protocol import highest
from wengert.sequences import arguments_joined
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
    entry, is_ufunc, name = Tensor._table[function], isinstance(function, numpy.ufunc), function.__name__

    def call(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = arguments_joined(name, args, kwargs)
        top = highest(args)
        if top is None or kwargs.get("out") is not None or (is_ufunc and kwargs):
            return function(*args, **kwargs)
        return entry(*args, **kwargs) if isinstance(top, Tensor) else top._table[function](*args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = function.__doc__
    return call
