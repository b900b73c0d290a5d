"""The variables of a problem as the vector that SciPy's solvers work on."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import Bounds, OptimizeResult

from wengert.errors import ArgumentError, DTypeError, LostGradientError, ShapeError
from wengert.protocol import Wrapper, innermost
from wengert.transforms.containers import flatten
from wengert.transforms.raveled import Raveled, constants, numbers_as_array

__all__ = ["Variables", "plain_arguments", "plain_array"]

_ADVICE = "use wg.implicit to differentiate a solution, or pass t.detach()"


class Variables:
    """The start of a solver: nested containers of the user's, or what SciPy takes.

    Parameters
    ----------
    operation : str
        What errors call the solver.
    x0 : numbers, arrays or nested containers of them
        Integers become floats, a number or a list of numbers a vector, as in SciPy.
    """

    def __init__(self, operation: str, x0: Any):
        self.operation = operation
        x0 = numbers_as_array(constants(operation, "x0", x0, _ADVICE))
        if flatten(x0)[1] is None:
            x0 = np.atleast_1d(np.asarray(x0))
        self.raveled = Raveled(x0, operation, "x0")
        if self.raveled.is_complex:
            raise DTypeError(
                f"[{operation}] real variables were required; received complex numbers in x0; make the real and the "
                f"imaginary parts variables of their own"
            )
        self.start: np.ndarray = np.array(self.raveled.pack(x0), float)
        self.are_vector = self.raveled.is_vector

    def unpack(self, vector: Any) -> Any:
        """The user's containers, filled from a vector."""
        return self.raveled.unpack(vector)

    def pack(self, value: Any) -> np.ndarray:
        """The vector of something with the variables' containers: a gradient, a direction."""
        if self.raveled.structure is None:
            value = np.reshape(value, self.raveled.shapes[0]) if np.size(value) == self.raveled.size else value
        return np.asarray(self.raveled.pack(value), float)

    def bounds(self, bounds: Any) -> Any:
        """Bounds as SciPy takes them.

        SciPy's own forms are for the vector, or for one array of any shape. For containers a pair ``(lower, upper)``
        is required, each of which is `None`, a number, or containers like those of the variables, with leaves that
        broadcast.
        """
        if bounds is None or (self.are_vector and not isinstance(bounds, Bounds)):
            return bounds
        if isinstance(bounds, Bounds):
            return Bounds(self._limit(bounds.lb, -np.inf), self._limit(bounds.ub, np.inf), bounds.keep_feasible)
        lower, upper = self.limits(bounds)
        return Bounds(lower, upper)

    def limits(self, bounds: Any) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the upper bounds of a pair ``(lower, upper)``, as vectors."""
        if isinstance(bounds, Bounds):
            bounds = (bounds.lb, bounds.ub)
        if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
            raise ArgumentError(
                f"[{self.operation}] a pair (lower, upper) was required as bounds of containers; received "
                f"{type(bounds).__name__}; each is None, a number, or containers like those of x0"
            )
        return self._limit(bounds[0], -np.inf), self._limit(bounds[1], np.inf)

    def _limit(self, limit: Any, nothing: float) -> np.ndarray:
        """One side of the bounds, as a vector."""
        if limit is None:
            limit = nothing
        leaves, structure = flatten(numbers_as_array(limit))
        raveled = self.raveled
        if structure is None:
            only = np.asarray(leaves[0], float)
            if only.ndim == 0 or only.shape == (1,):
                return np.full(raveled.size, float(only.reshape(())))
            if only.shape == (raveled.size,):
                return only
        elif structure != raveled.structure:
            raise ArgumentError(
                f"[{self.operation}] bounds in the containers of x0, {raveled.structure}, were required; received "
                f"{structure}"
            )
        parts = []
        for leaf, shape in zip(leaves, raveled.shapes, strict=True):
            part = np.asarray(nothing if leaf is None else leaf, float)
            try:
                parts.append(np.broadcast_to(part, shape).ravel())
            except ValueError:
                raise ShapeError(
                    f"[{self.operation}] bounds that broadcast to the shape {shape} of x0 were required; received "
                    f"shape {part.shape}"
                ) from None
        return np.concatenate(parts) if parts else np.zeros(0)

    def callback(self, callback: Callable | None) -> Callable | None:
        """A user's callback for SciPy, which sees the variables in their containers."""
        if callback is None or self.are_vector:
            return callback
        if set(inspect.signature(callback).parameters) == {"intermediate_result"}:

            def with_result(intermediate_result: OptimizeResult) -> Any:
                return callback(intermediate_result=self.result(intermediate_result))

            return with_result
        return lambda x, *state: callback(self.unpack(np.copy(x)), *state)

    def result(self, found: OptimizeResult, *gradients: str) -> OptimizeResult:
        """SciPy's result with the variables, and what has their shapes, in the user's containers."""
        result = type(found)(found)
        for name in ("x", *gradients):
            if name in result and not self.are_vector:
                value = np.asarray(result[name], float)
                result[name] = self.unpack(value.copy()) if value.shape == (self.raveled.size,) else result[name]
        return result


def plain_arguments(operation: str, args: Any) -> tuple:
    """Further arguments of the user's function, which have to be constants."""
    args = args if isinstance(args, tuple) else (args,)
    return tuple(constants(operation, "args", arg, _ADVICE) for arg in args)


def plain_array(operation: str, value: Any) -> np.ndarray:
    """What a user's function gives at plain numbers: an array of any shape, or a list of numbers."""
    value = numbers_as_array(value)
    if isinstance(value, Wrapper):
        if value._carries_gradient():
            raise LostGradientError(
                f"[{operation}] a function of its arguments was required; it uses recorded values from outside, whose "
                f"gradients would be lost: received {value._spec!r}; {_ADVICE} into the function"
            )
        value = innermost(value)
    return np.asarray(value)
