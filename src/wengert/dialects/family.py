"""What the dialects' array classes share: each is a tensor class with generated functions of its own.

A dialect's class derives from `DialectTensor`, defines in its body the methods that are spelled or behave differently,
and is handed to `found_family`, which makes its class of views, its table of functions and the operators::

    class NDArray(DialectTensor):
        __slots__ = ()
        _ground = DORMANT          # records only inside record(); GROUND, the default: wherever something requires grad

    found_family(NDArray, settle=float32_first, wrap=NDArray._box)

From then on NumPy's functions, wengert's own (`wengert.nn` …) and ``NDArray._table[np.sin]``, which is the generated
function itself, take and give ``NDArray``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import face
from wengert.box import bare
from wengert.dispatch import make_table
from wengert.generate import Family
from wengert.tensor import Tensor
from wengert.views import ViewOf, detached_view, make_view
from wengert.writes import in_place

NARROW = {np.dtype(np.float64): np.dtype(np.float32), np.dtype(np.complex128): np.dtype(np.complex64)}


class DialectTensor(Tensor):
    """Base of the dialects' classes. It has the slots of a view, so that a view can become a tensor of its own."""

    __slots__ = ("_array", "_at", "_base", "_cut", "_linked", "_parent", "_step")

    def _read(self, reader: str) -> Any:
        return bare(self)  # in the systems spoken here a number may be read off anywhere

    def detach(self) -> Any:
        """The same memory without a history: writing either writes both, and is recorded in neither's history."""
        return detached_view(self)

    def _stand_alone(self) -> None:
        """Stop being a view, so as to become a leaf: the memory is shared until either side is written."""
        if self._is_view:
            value, level, node = self._value, self._level, self._node
            self.__class__ = self._family.tensor
            self._value, self._level, self._node = value, level, node


def found_family(
    cls: type[DialectTensor],
    settle: Callable | None = None,
    wrap: Callable | None = None,
    shut: Any = None,
    around: Callable | None = None,
    refuse: Callable | None = None,
) -> Family:
    """Give a dialect's class its views, its functions and its operators; see `generate.Family` for the rest."""
    view = type(cls.__name__, (ViewOf, cls), {"__slots__": (), "__module__": cls.__module__})
    family = cls._family = Family(cls, view, make_view, settle, wrap, shut, around, refuse)
    cls._table = make_table(family)
    face.install(cls, cls._table)
    for name, ufunc in face.OPERATORS.items():
        if name != "divmod" and f"__i{name}__" not in vars(cls):
            setattr(cls, f"__i{name}__", in_place(ufunc, rebind=False))
    return family


def float32_first(y: Any, operands: tuple) -> Any:
    """A result in single precision, unless an operand with axes (or, if none has axes, any) was in double.

    NumPy makes double precision of integers and floats of another kind; the systems spoken here do not.
    """
    narrow = NARROW.get(y.dtype)
    if narrow is None:
        return y
    ranks = [x.ndim for x in operands if getattr(x, "dtype", None) in NARROW]
    if ranks and (max(ranks) or not any(getattr(x, "ndim", 0) for x in operands)):
        return y
    return y.astype(narrow)
