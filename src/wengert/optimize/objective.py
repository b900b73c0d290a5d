"""What SciPy's solvers ask of a function: its values, and derivatives that are exact."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ArgumentError, LostGradientWarning, ShapeError
from wengert.optimize.problem import Variables, plain_array
from wengert.optimize.progress import Progress
from wengert.protocol import Wrapper, spec_of
from wengert.transforms.jacobian import hessian, jacobian
from wengert.transforms.raveled import numbers_as_array
from wengert.transforms.reverse import grad, value_and_grad, vjp
from wengert.transforms.sparse import sparse_jacobian

__all__ = ["Objective", "PairedObjective", "VectorFunction"]


class Objective:
    """A real function of the variables, with its gradient and the products of its Hessian.

    Value and gradient are computed together, once for each point, however SciPy asks for them; a point's Hessian
    products share one run of the gradient.
    """

    def __init__(self, function: Callable, variables: Variables, progress: Progress, recorded: bool = True):
        self._function, self._variables, self._progress = function, variables, progress
        self._recorded = recorded
        self._both = value_and_grad(self._number)
        self._point: np.ndarray | None = None
        self._value = np.nan
        self._gradient = np.zeros(0)
        self._product_point: np.ndarray | None = None
        self._pullback: Any = None

    def value(self, x: np.ndarray) -> float:
        """The function's value at a vector."""
        if self._recorded:
            self._move(x)
            return self._value
        value = self._as_float(self._number(self._variables.unpack(np.copy(x))))
        self._progress.report(value)
        return value

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """The gradient at a vector."""
        self._move(x)
        return self._gradient.copy()

    def _move(self, x: np.ndarray) -> None:
        if self._point is not None and np.array_equal(x, self._point):
            return
        self._point = None  # in case the function raises
        self._value, self._gradient = self._pair(np.copy(x))
        self._point = np.copy(x)
        self._progress.report(self._value, float(np.abs(self._gradient).max(initial=0.0)))

    def _pair(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self._both(self._variables.unpack(x))
        return self._as_float(value), self._variables.pack(gradient)

    def _as_float(self, value: Any) -> float:
        return float(plain_array(self._variables.operation, value))

    def _number(self, x: Any) -> Any:
        """The user's function at containers, as one number."""
        y = self._function(x)
        if not isinstance(y, Wrapper):
            if self._recorded:
                self._warn_unrecorded(y)
            y = np.asarray(y)
        spec = spec_of(y)
        if spec.size != 1:
            raise ShapeError(
                f"[{self._variables.operation}] a function with one number as its value was required; received "
                f"{spec!r}; reduce it (np.sum), or use wg.optimize.least_squares for the sum of its squares"
            )
        return np.reshape(y, ()) if spec.ndim else y

    def _warn_unrecorded(self, y: Any) -> None:
        if y is None:
            raise ShapeError(
                f"[{self._variables.operation}] a function with one number as its value was required; it returned "
                f"None; is a return missing?"
            )
        warnings.warn(
            f"[{self._variables.operation}] a value that depends on the variables was required; received "
            f"{type(y).__name__} {y!r}, whose gradient is zero; does the function leave the tape by float() or "
            f".item()? jac=False uses differences instead",
            LostGradientWarning,
            stacklevel=2,
        )

    def hessian_product(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """The Hessian at a vector times another, by a pullback of the gradient."""
        unpack, pack = self._variables.unpack, self._variables.pack
        if self._product_point is None or not np.array_equal(x, self._product_point):
            self._product_point = self._pullback = None
            _, self._pullback = vjp(grad(self._number), unpack(np.copy(x)))
            self._product_point = np.copy(x)
        return pack(self._pullback(unpack(np.array(p, float)))[0])

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """The Hessian at a vector."""
        return np.asarray(hessian(lambda v: self._number(self._variables.unpack(v)))(np.copy(x)))


class PairedObjective(Objective):
    """An objective whose gradient is the user's own: ``function(x)`` gives ``(value, gradient)``."""

    def __init__(self, function: Callable, variables: Variables, progress: Progress):
        super().__init__(lambda x: function(x)[0], variables, progress)
        self._given = function

    def _pair(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self._given(self._variables.unpack(x))
        return float(plain_array(self._variables.operation, value).reshape(())), self._variables.pack(gradient)


class VectorFunction:
    """An array-valued function of the variables (residuals, equations, constraints) as a vector, and its Jacobian."""

    def __init__(self, function: Callable, variables: Variables, progress: Progress | None = None):
        self._function, self._variables, self._progress = function, variables, progress
        self._sparse: Any = None
        self._size: int | None = None

    def value(self, x: np.ndarray) -> np.ndarray:
        """The values at a vector, which are as many as the function's value has elements."""
        values = plain_array(self._variables.operation, self._function(self._variables.unpack(np.copy(x)))).ravel()
        self._size = values.size
        if self._progress is not None:
            self._progress.report(float(values @ values) if values.dtype.kind == "f" else np.nan)
        return values

    def of_vector(self, x: Any) -> Any:
        """The user's function from vector to vector, for recorded vectors."""
        return np.ravel(numbers_as_array(self._function(self._variables.unpack(x))))

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """The Jacobian at a vector: of as many rows as values, by columns or rows, whichever are fewer."""
        mode = "auto" if self._size is None else "forward" if x.size < self._size else "reverse"
        found = plain_array(self._variables.operation, jacobian(self.of_vector, mode=mode)(np.copy(x)))
        return np.asarray(found, float)

    def sparse_jacobian(self, x: np.ndarray) -> Any:
        """The Jacobian at a vector as a sparse matrix; its pattern is found at the first call unless it was given."""
        if self._sparse is None:
            self.use_pattern(None)
        return self._sparse(np.copy(x))

    def use_pattern(self, pattern: Any) -> None:
        """Compute sparse Jacobians, with entries where a matrix has some."""
        from scipy import sparse

        if pattern is not None:
            pattern = sparse.csr_array(pattern)
            wanted = (self._size, self._variables.raveled.size)
            if self._size is not None and pattern.shape != wanted:
                raise ArgumentError(
                    f"[{self._variables.operation}] jac_sparsity of shape {wanted} was required; received "
                    f"{pattern.shape}"
                )
        self._sparse = sparse_jacobian(self.of_vector, plan=pattern)

    def combined_hessian(self, x: np.ndarray, weights: np.ndarray) -> Any:
        """The Hessian of the weighted sum of the values, as the operator that SciPy's solvers multiply by."""
        from scipy.sparse.linalg import LinearOperator

        weights = np.copy(weights)
        _, pullback = vjp(grad(lambda v: np.sum(weights * self.of_vector(v))), np.copy(x))
        return LinearOperator((x.size, x.size), matvec=lambda p: pullback(np.ravel(p).astype(float))[0], dtype=float)
