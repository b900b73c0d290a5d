"""Implicit differentiation: of what a solver finds, without differentiating the solver.

A solver finds ``x`` with ``f(x, a) = 0``. Let ``P`` be the inverse of the Jacobian of ``f`` by ``x`` there, a constant.
One step of the simplified Newton method, ``x - P f(x, a)``, changes nothing in the value, and has the derivatives that
the implicit function theorem tells; each further step makes one more order of derivatives right, as its error is that
of the step before times the change of the Jacobian. So all there is to differentiate is `f` itself, and one linear
function, ``P``, whose transpose solves with the transposed Jacobian. What `f` reads from around it, recorded or not, is
differentiated like its arguments. (Gilbert, Automatic differentiation and iterative processes, 1992; Christianson,
Reverse accumulation and attractive fixed points, 1994.)
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from wengert.box import Box
from wengert.errors import ArgumentError, GradientError
from wengert.primitive import linear
from wengert.protocol import Wrapper, innermost, open_levels
from wengert.tape import no_grad, recording_above
from wengert.transforms.forward import Dual, jvp
from wengert.transforms.jacobian import jacobian
from wengert.transforms.raveled import Raveled, numbers_as_array
from wengert.transforms.reverse import grad, vjp
from wengert.transforms.series import Series

__all__ = ["argmin", "fixed_point", "linear_solve", "root"]

_DENSE = 400
"""Up to so many unknowns the Jacobian is formed and factorised; beyond, equations are solved by its products."""


# The inverse of a Jacobian as a linear function ------------------------------------------------------------------


class _Jacobian:
    """The Jacobian of a function of vectors at a place, all of it constant; and equations with it."""

    def __init__(self, operation: str, f: Callable, x: np.ndarray, solver: str, rtol: float):
        self.operation, self.f, self.x, self.rtol = operation, f, x, rtol
        self.solver = ("dense" if x.size <= _DENSE else "gmres") if solver == "auto" else solver

    def times(self, v: np.ndarray) -> np.ndarray:
        """The product with a vector."""
        with no_grad():
            return innermost(jvp(self.f, (self.x,), (v,))[1])

    def transposed_times(self, v: np.ndarray) -> np.ndarray:
        """The product of the transposed matrix with a vector."""
        with no_grad():
            return np.conj(innermost(self._pullback(np.conj(v))[0]))

    @cached_property
    def _pullback(self) -> Callable:
        return vjp(self.f, self.x)[1]

    @cached_property
    def _factors(self) -> Any:
        from scipy.linalg import lu_factor

        with no_grad():
            matrix = innermost(jacobian(self.f, holomorphic=True)(self.x))
        if not np.all(np.isfinite(matrix)):
            raise GradientError(f"[{self.operation}] a finite Jacobian was required at the solution; received {matrix}")
        factors = lu_factor(matrix, check_finite=False)
        if not np.all(np.diag(factors[0])):
            raise GradientError(
                f"[{self.operation}] a Jacobian that is not singular was required at the solution, as the implicit "
                f"function theorem asks; received one of {self.x.size} unknowns that is; the solution is not isolated"
            )
        return factors

    def solve(self, b: np.ndarray, transposed: bool) -> np.ndarray:
        """The solution of the equations with the matrix, or with its transpose."""
        if self.solver == "dense":
            from scipy.linalg import lu_solve

            return lu_solve(self._factors, b, trans=int(transposed), check_finite=False)
        return _iterate(self.operation, self.solver, self.transposed_times if transposed else self.times, b, self.rtol)


def _iterate(operation: str, method: str, product: Callable, b: np.ndarray, rtol: float, **options: Any) -> np.ndarray:
    """One of SciPy's iterative solvers."""
    from scipy.sparse import linalg

    if not np.any(b):
        return np.zeros_like(b)
    matrix = linalg.LinearOperator((b.size, b.size), matvec=product, dtype=b.dtype)
    x, info = getattr(linalg, method)(matrix, b, rtol=rtol, **options)
    if info:
        raise GradientError(
            f"[{operation}] equations that {method} can solve to {rtol:g} were required; received {b.size} of "
            f"which the residual stayed at {np.linalg.norm(b - product(x)) / np.linalg.norm(b):g} after "
            f"{info if info > 0 else 'some'} iterations; choose another linear solver, or a larger tolerance"
        )
    return x


def _inverse(x, matrix=None, transposed=False):
    return matrix.solve(x, transposed)


def _inverse_back(g, matrix, transposed):
    """The adjoint: the transposed matrix between two complex conjugations."""
    return np.conjugate(inverse(np.conjugate(g), matrix=matrix, transposed=not transposed))


def _inverse_each(x, matrix, transposed):
    return np.stack([inverse(row, matrix=matrix, transposed=transposed) for row in x])


inverse = linear(
    _inverse,
    lambda g, matrix, transposed: _inverse_back(g, matrix, transposed),
    name="implicit.inverse",
    batch=_inverse_each,
)


def _orders(value: Any) -> int:
    """How many orders of derivative are recorded in a value."""
    orders = 0
    while isinstance(value, Wrapper):
        if isinstance(value, Series):
            orders += value._value.shape[0] - 1
        elif isinstance(value, Dual) or (isinstance(value, Box) and value._node is not None):
            orders += 1
        value = value._value
    return orders


def _attached(residual: Callable, x: np.ndarray, matrix: _Jacobian) -> Any:
    """The solution `x` with its derivatives, by one simplified Newton step for each order that is recorded."""
    r = residual(x)
    z: Any = x
    for k in range(_orders(r)):
        r = residual(z) if k else r
        # The value stays as the solver has found it.
        z = z - inverse(r - innermost(r), matrix=matrix)
    return z


def _plain(f: Callable) -> Callable:
    """A function of vectors whose value is a plain array, whatever it reads from around it.

    Transformations that the solver itself applies to it go on working.
    """
    outside = max(open_levels())

    def plain(v: Any) -> Any:
        with recording_above(outside):
            y = f(v)
        return y if isinstance(y, Wrapper) and y._level > outside else np.asarray(innermost(y))

    return plain


def _check_solver(operation: str, solver: str) -> None:
    if solver not in ("auto", "dense", "cg", "gmres", "bicgstab", "minres", "lgmres"):
        raise ArgumentError(
            f"[{operation}] linear_solver 'auto', 'dense', 'cg', 'gmres', 'bicgstab', 'lgmres' or 'minres' was "
            f"required; received {solver!r}"
        )


def _several(args: Any) -> tuple:
    """Further arguments, given as SciPy lets them be: in a tuple, or one alone."""
    return args if isinstance(args, tuple) else (args,)


def _start(operation: str, x0: Any) -> tuple[Raveled, np.ndarray]:
    x0 = numbers_as_array(x0)
    shape = Raveled(x0, operation, "x0")
    return shape, np.array(innermost(shape.pack(x0)))


# The transformations ---------------------------------------------------------------------------------------------


def root(
    f: Callable,
    x0: Any,
    args: Any = (),
    method: str | Callable | None = None,
    linear_solver: str = "auto",
    rtol: float = 1e-10,
    **options: Any,
) -> Any:
    """A root of ``f(x, *args)`` in ``x``, found by SciPy, with derivatives by all that `f` depends on.

    Parameters
    ----------
    f : callable
        A function of arrays or nested containers, with a value of the containers and shapes of ``x``.
    x0 : array, number, or nested containers of them
        Where the solver starts; it has no influence on the derivatives.
    args : tuple, or one argument that is none
        Further arguments of `f`, differentiated like what `f` reads from around it.
    method : str or callable, optional
        A method of `scipy.optimize.root` (``"hybr"`` for up to 400 unknowns, else ``"krylov"``), which is given the
        exact Jacobian where it takes one; or ``method(f, x0)``, with `f` a function of vectors, that returns a vector.
    linear_solver : {"auto", "dense", "gmres", "bicgstab", "lgmres", "cg", "minres"}
        How the equations behind the derivatives are solved: by factorising the Jacobian (up to 400 unknowns by
        default), or by products with it alone.
    rtol : float
        Relative tolerance of iterative linear solvers.
    **options
        Passed to the solver.

    Returns
    -------
    In the containers of `x0`.

    Raises
    ------
    GradientError
        If the solver does not converge, or the Jacobian is singular at the root.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> def square_root(a):
    ...     return wg.implicit.root(lambda x: x * x - a, 1.0)
    >>> print(round(float(wg.grad(square_root)(4.0)), 6))
    0.25
    """
    _check_solver("implicit.root", linear_solver)
    args = _several(args)
    shape, start = _start("implicit.root", x0)

    def residual(v: Any) -> Any:
        return shape.pack(f(shape.unpack(v), *args))

    x = _find_root(_plain(residual), start, method, options)
    return shape.unpack(_attached(residual, x, _Jacobian("implicit.root", residual, x, linear_solver, rtol)))


def _find_root(f: Callable, start: np.ndarray, method: str | Callable | None, options: dict) -> np.ndarray:
    if callable(method):
        with no_grad():
            return np.asarray(innermost(method(f, start, **options)))
    from scipy import optimize

    method = method or ("hybr" if start.size <= _DENSE else "krylov")
    keywords: dict[str, Any] = {}
    if method in ("hybr", "lm"):
        keywords = {"jac": lambda v: innermost(jacobian(f)(v)), "tol": 1e-13}
    found = optimize.root(f, start, method=method, **keywords | options)
    if not found.success and not _is_small(f, found.x, start):
        raise GradientError(
            f"[implicit.root] a solver that converges was required; received from {method!r}: {found.message!r}, "
            f"residual {np.linalg.norm(found.fun):g}; choose another x0 or method"
        )
    return np.asarray(found.x)


def _is_small(f: Callable, x: np.ndarray, start: np.ndarray) -> bool:
    """Whether a solver stopped only because rounding allows no further progress."""
    scale = np.linalg.norm(f(start)) + np.linalg.norm(jvp(f, (x,), (x,))[1])
    return bool(np.linalg.norm(f(x)) <= 1e-10 * scale)


def fixed_point(
    g: Callable,
    x0: Any,
    args: Any = (),
    method: str | Callable = "del2",
    linear_solver: str = "auto",
    rtol: float = 1e-10,
    xtol: float = 1e-12,
    maxiter: int = 1000,
) -> Any:
    """A fixed point ``x = g(x, *args)``, found by SciPy, with derivatives by all that `g` depends on.

    Parameters
    ----------
    g, x0, args, linear_solver, rtol
        See `root`.
    method : {"del2", "iteration"} or callable
        The method of `scipy.optimize.fixed_point`; or ``method(g, x0)``, with `g` a function of vectors.
    xtol, maxiter : float, int
        Where the iteration stops.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> def kepler(e):
    ...     return wg.implicit.fixed_point(lambda E: 1.0 + e * np.sin(E), 1.0)
    >>> print(round(float(wg.grad(kepler)(0.2)), 6))
    1.001968
    """
    _check_solver("implicit.fixed_point", linear_solver)
    args = _several(args)
    shape, start = _start("implicit.fixed_point", x0)

    def residual(v: Any) -> Any:
        return v - shape.pack(g(shape.unpack(v), *args))

    plain = _plain(lambda v: shape.pack(g(shape.unpack(v), *args)))
    if callable(method):
        with no_grad():
            x = np.asarray(innermost(method(plain, start)))
    else:
        from scipy.optimize import fixed_point

        try:
            x = np.asarray(fixed_point(plain, start, xtol=xtol, maxiter=maxiter, method=method))
        except RuntimeError as error:
            raise GradientError(
                f"[implicit.fixed_point] an iteration that converges was required; received {error}; choose another "
                f"x0, method='iteration', or wg.implicit.root of x - g(x)"
            ) from None
    matrix = _Jacobian("implicit.fixed_point", residual, x, linear_solver, rtol)
    return shape.unpack(_attached(residual, _polished(_plain(residual), x, matrix), matrix))


def argmin(
    f: Callable,
    x0: Any,
    args: Any = (),
    method: str | Callable = "BFGS",
    linear_solver: str = "auto",
    rtol: float = 1e-10,
    **options: Any,
) -> Any:
    """Where ``f(x, *args)`` is least, found by SciPy, with derivatives by all that `f` depends on.

    Parameters
    ----------
    f : callable
        A function with one real number as its value, with two derivatives.
    x0, args, linear_solver, rtol
        See `root`; the equations are those of the Hessian, for which ``"cg"`` and ``"minres"`` are made.
    method : str or callable
        A method of `scipy.optimize.minimize` without constraints, given the exact gradient; or ``method(f, x0)``, with
        `f` a function of vectors.
    **options
        Passed to the solver.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> def ridge(strength):
    ...     return wg.implicit.argmin(lambda w: np.sum((w - 1.0) ** 2) + strength * np.sum(w**2), np.zeros(2))
    >>> print(np.round(wg.jacobian(ridge)(1.0), 6))
    [-0.25 -0.25]
    """
    _check_solver("implicit.argmin", linear_solver)
    args = _several(args)
    shape, start = _start("implicit.argmin", x0)

    def value(v: Any) -> Any:
        return f(shape.unpack(v), *args)

    residual = grad(value)
    if callable(method):
        with no_grad():
            x = np.asarray(innermost(method(_plain(value), start, **options)))
    else:
        from scipy.optimize import minimize

        found = minimize(_plain(value), start, jac=_plain(residual), method=method, **options)
        x = np.asarray(found.x)
    matrix = _Jacobian("implicit.argmin", residual, x, linear_solver, rtol)
    x = _polished(_plain(residual), x, matrix)
    if np.linalg.norm(_plain(residual)(x)) > 1e-6 * (1 + np.linalg.norm(_plain(residual)(start))):
        raise GradientError(
            f"[implicit.argmin] a solver that converges was required; received a point where the gradient is "
            f"{np.linalg.norm(_plain(residual)(x)):g}; choose another x0 or method"
        )
    return shape.unpack(_attached(residual, x, _Jacobian("implicit.argmin", residual, x, linear_solver, rtol)))


def _polished(f: Callable, x: np.ndarray, matrix: _Jacobian) -> np.ndarray:
    """A few steps more of the simplified Newton method, as long as they help: derivatives want an accurate solution."""
    r = f(x)
    for _ in range(10):
        better = x - matrix.solve(r, False)
        following = f(better)
        if not np.linalg.norm(following) < 0.5 * np.linalg.norm(r):
            return x
        x, r = better, following
    return x


def linear_solve(
    product: Callable,
    b: Any,
    args: Any = (),
    method: str = "gmres",
    rtol: float = 1e-10,
    **options: Any,
) -> Any:
    """The solution of ``product(x, *args) = b``, with `product` linear in ``x``: by an iterative solver of SciPy's.

    Parameters
    ----------
    product : callable
        The product of a matrix with ``x``, which has the containers and shapes of `b`.
    b : array, or nested containers of arrays
    args : tuple, or one argument that is none
        Further arguments of `product`.
    method : {"gmres", "cg", "bicgstab", "lgmres", "minres"}
        The solver; ``"cg"`` and ``"minres"`` are for symmetric matrices. The transposed equations behind a gradient are
        solved by the same.
    rtol : float
        Relative tolerance of the residual.
    **options
        Passed to the solver (``maxiter=``, ``restart=`` …).

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> def solution(d):
    ...     return wg.implicit.linear_solve(lambda x: d * x + np.roll(x, 1) * 0.1, np.ones(3))
    >>> print(np.round(solution(np.full(3, 2.0)), 6))
    [0.47619 0.47619 0.47619]
    """
    if method == "auto" or method == "dense":
        raise ArgumentError(
            f"[implicit.linear_solve] an iterative solver was required; received {method!r}; use np.linalg.solve for "
            f"matrices that fit into memory"
        )
    _check_solver("implicit.linear_solve", method)
    args = _several(args)
    shape = Raveled(b, "implicit.linear_solve", "b")
    right = shape.pack(b)

    def times(v: Any) -> Any:
        return shape.pack(product(shape.unpack(v), *args))

    def residual(v: Any) -> Any:
        return times(v) - right

    x = _iterate("implicit.linear_solve", method, _plain(times), np.asarray(innermost(right)), rtol, **options)
    return shape.unpack(_attached(residual, x, _Jacobian("implicit.linear_solve", residual, x, method, rtol)))
