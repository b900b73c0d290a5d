"""A system of differential equations over nested containers, as one of vectors."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.errors import ArgumentError, LostGradientError, ShapeError
from wengert.protocol import Wrapper, innermost, spec_of
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.raveled import Raveled, numbers_as_array

__all__ = ["System", "is_recorded", "plain", "times_vector"]


class System:
    """``dy/dt = function(t, y, *args)`` as a function of vectors; counts its evaluations.

    Attributes
    ----------
    y0 : vector
        The initial state, recorded where the user's is.
    """

    def __init__(self, operation: str, function: Callable, y0: Any, args: Any):
        if not callable(function):
            raise ArgumentError(f"[{operation}] a function of time and state was required; received {function!r}")
        self.operation, self.function = operation, function
        self.args = args if isinstance(args, tuple) else (args,)
        y0 = numbers_as_array(y0)
        self.raveled = Raveled(y0, operation, "the state")
        self.y0 = self.raveled.pack(y0)
        self.evaluations = 0

    def __call__(self, t: Any, y: Any) -> Any:
        """The derivative at a time and a vector, recorded where they, or what the function uses, are."""
        return self.at(t, y, self.args)

    def at(self, t: Any, y: Any, args: tuple) -> Any:
        """The derivative with other arguments."""
        self.evaluations += 1
        slope = self.function(t, self.raveled.unpack(y), *args)
        if self.raveled.structure is None:
            slope = numbers_as_array(slope)
            shape = self.raveled.shapes[0]
            if spec_of(slope).shape != shape and spec_of(slope).size == 1 == self.raveled.size:
                slope = np.reshape(slope, shape)
            elif not isinstance(slope, Wrapper):
                slope = np.asarray(slope)
        return self.raveled.pack(slope)

    def plain(self, t: float, y: np.ndarray) -> np.ndarray:
        """The derivative as numbers, with everything recorded seen as constant."""
        return np.asarray(innermost(self.at(t, y, plain(self.args))))

    def closed(self, t: float, y: np.ndarray, args: tuple) -> np.ndarray:
        """The derivative as numbers, of a function that uses no recorded value but its arguments."""
        slope = self.at(t, y, args)
        if isinstance(slope, Wrapper) and slope._carries_gradient():
            raise LostGradientError(
                f"[{self.operation}] a function of its arguments was required by the adjoint method; it uses recorded "
                f'values from outside: received {slope._spec!r}; pass them by args=, or use gradient="discrete"'
            )
        return np.asarray(innermost(slope))


def plain(value: Any) -> Any:
    """Containers whose recorded leaves are seen as constants."""
    leaves, structure = flatten(value)
    if not any(isinstance(leaf, Wrapper) for leaf in leaves):
        return value
    return rebuild(structure, [innermost(leaf) if isinstance(leaf, Wrapper) else leaf for leaf in leaves])


def is_recorded(value: Any) -> bool:
    """Whether a leaf of containers belongs to some transformation."""
    return any(isinstance(bare(leaf), Wrapper) or _has_gradient(leaf) for leaf in flatten(value)[0])


def _has_gradient(leaf: Any) -> bool:
    return isinstance(leaf, Wrapper) and leaf._carries_gradient()


def times_vector(operation: str, name: str, times: Any) -> tuple[Any, np.ndarray]:
    """Times as a vector, recorded where they are, and as numbers; they have to rise or to fall."""
    times = numbers_as_array(times)
    if not isinstance(times, Wrapper):
        times = np.asarray(times)
    spec = spec_of(times)
    if spec.ndim != 1 or spec.dtype.kind not in "fiu":
        raise ShapeError(f"[{operation}] {name} as a vector of real numbers was required; received {spec!r}")
    times = times if spec.dtype == np.dtype(float) else times.astype(float)
    numbers = np.asarray(innermost(times))
    steps = np.diff(numbers)
    if not (np.all(steps >= 0) or np.all(steps <= 0)):
        raise ArgumentError(f"[{operation}] {name} that rise or fall were required; received {numbers}; sort them")
    return times, numbers
