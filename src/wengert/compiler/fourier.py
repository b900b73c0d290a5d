"""NumPy's Fourier transforms without the Python code around them, which takes longer than a short transform.

What is found out there at each call (the factor, the axis, lengths, dtypes) is known beforehand. The transforms
themselves are NumPy's, called as it calls them, so that the bits are the same; where it has them elsewhere, its own
functions are called. Those of several axes are recorded one axis after the other.
"""

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler.buffers import primitive
from wengert.compiler.program import Node, Ref
from wengert.protocol import Spec, intern_spec

__all__ = ["Transform", "transform_of"]

FORWARD = {None: "backward", "backward": "backward", "ortho": "ortho", "forward": "forward"}
BACK = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""Which factor each direction has under each norm, named as the norm under which the forward transform has it."""


@dataclass(frozen=True, slots=True)
class Transform:
    """A transform along one axis: its gufunc, the factor of its results, the axes if not the last, what it gives."""

    function: Any
    factor: Any
    settings: dict
    spec: Spec

    def __call__(self, x: Any) -> np.ndarray:
        """The transform of an array."""
        out = np.empty(self.spec.shape, self.spec.dtype)
        return self.function(x, self.factor, out=(out,), **self.settings)

    def between(self, x: np.ndarray, out: np.ndarray) -> Callable:
        """What transforms the numbers that an array has then, into another one."""
        return functools.partial(self.function, x, self.factor, out=(out,), **self.settings)


def transform_of(node: Node) -> Transform | None:
    """What gives the result of a Fourier transform along one axis for its operand; `None` for other calls."""
    name = _names().get(node.function)
    if name is None or node.args != (Ref(0),) or node.operands[0].spec.dtype.char not in "fdFD":
        return None
    settings = {"length": None, "axis": -1, "norm": None} | node.kwargs
    return _transform(name, node.operands[0].spec, node.spec, **settings)


def _transform(name: str, given: Spec, spec: Spec, length: Any, axis: int, norm: Any) -> Transform:
    """The transform of arrays of one spec into those of another."""
    axis %= given.ndim
    places = spec.shape[axis] if name != "rfft" else length or given.shape[axis]
    ways = FORWARD if name in ("fft", "rfft") else BACK
    factor = _factor(ways[norm], places, np.result_type(given.dtype.char.lower(), 1.0))
    function = getattr(_gufuncs(), ("rfft_n_odd" if places % 2 else "rfft_n_even") if name == "rfft" else name)
    return Transform(function, factor, {} if axis == given.ndim - 1 else {"axes": [(axis,), (), (axis,)]}, spec)


def _factor(way: str, places: int, real: Any) -> Any:
    if way == "backward":
        return 1
    return np.reciprocal(np.sqrt(places, dtype=real) if way == "ortho" else places, dtype=real)


def _gufuncs() -> Any:
    return importlib.import_module("numpy.fft._pocketfft_umath")


@functools.cache
def _names() -> dict[Any, str]:
    """The transforms that are recorded, by what they are; none where NumPy has them elsewhere, or otherwise."""
    x = np.array([[0.5, 1.0, 4.0, 2.0, 3.0], [1.0, 7.0, 2.0, -3.0, 0.0]])
    names = {primitive(name): name for name in ("fft", "ifft", "rfft", "irfft")}
    try:
        agree = all(_agrees(name, x if name == "rfft" else x + 1j, norm) for name in names.values() for norm in FORWARD)
    except (ImportError, AttributeError, TypeError, ValueError):
        return {}
    return names if agree else {}


def _agrees(name: str, x: np.ndarray, norm: Any) -> bool:
    """Whether a transform gives what NumPy's function of that name gives, along either axis."""
    known = [getattr(np.fft, name)(x, None, axis, norm) for axis in (0, 1)]
    spec = intern_spec(x.shape, x.dtype)
    found = [_transform(name, spec, intern_spec(y.shape, y.dtype), None, k, norm)(x) for k, y in enumerate(known)]
    return all(np.array_equal(a, b) for a, b in zip(found, known, strict=True))
