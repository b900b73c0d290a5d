"""NumPy's namespace, as the functions that tensors would be dispatched to.

``wengert.numpy.sin(t)`` is what ``np.sin(t)`` becomes, without NumPy's dispatch in between (a third of a microsecond).
Names without a rule are NumPy's own; everything works on plain arrays too.
"""

from typing import Any

import numpy as _numpy

from wengert.primitive import REGISTRY, Composite, Plain
from wengert.protocol import highest
from wengert.tensor import Tensor


def __getattr__(name: str) -> Any:
    function = getattr(_numpy, name)
    known = REGISTRY.get(function) if callable(function) and getattr(function, "__hash__", None) else None
    if known is None or isinstance(known, Plain):
        value = function
    elif isinstance(known, Composite):
        value = _dispatched(function)
    else:
        value = Tensor._table[function]
    globals()[name] = value
    return value


def _dispatched(function: Any) -> Any:
    """Composites run on wrappers only; plain arrays, and the keywords that all ufuncs have, are NumPy's business."""
    entry, is_ufunc = Tensor._table[function], isinstance(function, _numpy.ufunc)

    def call(*args: Any, **kwargs: Any) -> Any:
        top = highest(args)
        if top is None or kwargs.get("out") is not None or (is_ufunc and kwargs):
            return function(*args, **kwargs)
        return entry(*args, **kwargs) if isinstance(top, Tensor) else top._table[function](*args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = function.__doc__
    return call


def __dir__() -> list[str]:
    return dir(_numpy)
