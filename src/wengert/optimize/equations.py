"""SciPy's `root` and `root_scalar`, supplied with exact derivatives."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize as scipy_optimize

from wengert.errors import ShapeError
from wengert.optimize.objective import VectorFunction
from wengert.optimize.problem import Variables, plain_arguments, plain_array
from wengert.optimize.progress import progress_line
from wengert.optimize.threads import one_solver_thread
from wengert.protocol import spec_of
from wengert.transforms.reverse import grad

__all__ = ["root", "root_scalar"]

WITH_JACOBIAN = {"hybr", "lm"}
"""Methods of `root` that use the Jacobian."""


def root(
    fun: Callable,
    x0: Any,
    args: tuple = (),
    method: str = "hybr",
    jac: Any = None,
    tol: float | None = None,
    callback: Callable | None = None,
    options: dict | None = None,
    *,
    progress: bool = False,
) -> scipy_optimize.OptimizeResult:
    """Find a root of a system of equations: `scipy.optimize.root`, supplied with the exact Jacobian.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``, a plain NumPy program; its value has as many elements as x0.
    x0 : array, number or nested containers of them
        Where to start.
    args : tuple
        Further arguments, which are constants.
    method : str
        As in SciPy. ``"hybr"`` and ``"lm"`` use the Jacobian; the others build approximations of their own.
    jac : optional
        Your own Jacobian by the vector of all numbers in x0 (a callable, or `True` if ``fun`` returns the pair of value
        and Jacobian); `False` for SciPy's differences.
    tol, callback, options : optional
        As in SciPy.
    progress : bool
        Show a line with the sum of squares while the solver runs.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's, with ``x`` in the containers of x0, and ``fun`` as a vector.

    Raises
    ------
    LostGradientError
        If x0, args or the function hold recorded values: use ``wg.implicit.root`` to differentiate a root.

    Warns
    -----
    RuntimeWarning
        If the method does not use the Jacobian, unless ``jac=False``.

    Examples
    --------
    >>> from wengert import optimize
    >>> found = optimize.root(lambda x: [x[0] ** 2 + x[1] - 3, x[0] - x[1] + 1], [1.0, 1.0])
    >>> print(found.x)
    [1. 2.]
    """
    variables = Variables("root", x0)
    args = plain_arguments("root", args)
    if method.lower() not in WITH_JACOBIAN and jac is None:
        warnings.warn(
            f"[root] method {method} uses no Jacobian; choose 'hybr' or 'lm' to use the exact one, or say jac=False",
            RuntimeWarning,
            stacklevel=2,
        )
    with progress_line(progress, "root") as line, one_solver_thread():
        paired = jac is True
        values = VectorFunction(lambda x: fun(x, *args)[0] if paired else fun(x, *args), variables, line)
        found = scipy_optimize.root(
            values.value,
            variables.start,
            method=method,
            jac=_jacobian(fun, args, variables, values, method, jac),
            tol=tol,
            callback=variables.callback(callback),
            options=options,
        )
    return variables.result(found)


def _jacobian(fun: Callable, args: tuple, variables: Variables, values: VectorFunction, method: str, jac: Any) -> Any:
    """The Jacobian for SciPy: exact, or as the caller says."""
    if jac is None:
        return values.jacobian if method.lower() in WITH_JACOBIAN else None
    if jac is True:
        return lambda v: np.asarray(fun(variables.unpack(np.copy(v)), *args)[1])
    if callable(jac):
        return lambda v: jac(variables.unpack(np.copy(v)), *args)
    return jac or None


def root_scalar(
    f: Callable,
    args: tuple = (),
    method: str | None = None,
    bracket: Any = None,
    fprime: Any = None,
    fprime2: Any = None,
    x0: float | None = None,
    x1: float | None = None,
    xtol: float | None = None,
    rtol: float | None = None,
    maxiter: int | None = None,
    options: dict | None = None,
) -> Any:
    """Find a root of a function of one number: `scipy.optimize.root_scalar`, supplied with exact derivatives.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``, a plain NumPy program of one real number, with such a value.
    args : tuple
        Further arguments, which are constants.
    method : str, optional
        As in SciPy: by default a bracketing method where there is a bracket, the secant method where there are x0 and
        x1, Newton's method with the exact derivative where there is only x0. ``"halley"`` gets the second one, too.
    fprime, fprime2 : optional
        Your own derivatives, as in SciPy.
    bracket, x0, x1, xtol, rtol, maxiter, options : optional
        As in SciPy.

    Returns
    -------
    scipy.optimize.RootResults

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import optimize
    >>> found = optimize.root_scalar(lambda x, a: x * np.exp(x) - a, args=(2.0,), x0=1.0)
    >>> found.method, round(float(found.root), 6)
    ('newton', 0.852606)
    """
    args = plain_arguments("root_scalar", args)
    start, second = (None if x is None else Variables("root_scalar", x).start.item() for x in (x0, x1))
    if method is None and bracket is None and start is not None and second is None:
        method = "halley" if fprime2 is not None else "newton"

    def of_x(x: Any) -> Any:
        y = f(x, *args)
        if spec_of(y).size != 1:
            raise ShapeError(
                f"[root_scalar] a function with one number as its value was required; received {spec_of(y)!r}"
            )
        return np.reshape(y, ()) if spec_of(y).ndim else y

    def number(function: Callable) -> Callable:
        return lambda x: float(plain_array("root_scalar", function(float(x))))

    if method in ("newton", "halley") and fprime is None:
        fprime = number(grad(of_x))
    elif callable(fprime):
        fprime = _with_args(fprime, args)
    if method == "halley" and fprime2 is None:
        fprime2 = number(grad(grad(of_x)))
    elif callable(fprime2):
        fprime2 = _with_args(fprime2, args)
    given = number(of_x) if fprime is not True else lambda x: f(x, *args)
    with one_solver_thread():
        return scipy_optimize.root_scalar(
            given,
            method=method,
            bracket=bracket,
            fprime=fprime,
            fprime2=fprime2,
            x0=start,
            x1=second,
            xtol=xtol,
            rtol=rtol,
            maxiter=maxiter,
            options=options,
        )


def _with_args(derivative: Callable, args: tuple) -> Callable:
    return lambda x: derivative(x, *args)
