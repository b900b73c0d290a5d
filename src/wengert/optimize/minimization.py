"""SciPy's `minimize`, supplied with exact gradients and Hessians."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize as scipy_optimize

from wengert.errors import ArgumentError
from wengert.optimize.constraints import with_derivatives
from wengert.optimize.objective import Objective, PairedObjective
from wengert.optimize.problem import Variables, plain_arguments
from wengert.optimize.progress import Progress, progress_line
from wengert.optimize.threads import one_solver_thread

__all__ = ["minimize"]

VALUES_ONLY = {"nelder-mead", "powell", "cobyla", "cobyqa"}
"""Methods that compare values and ask for no derivative."""
HESSIAN_PRODUCTS = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
HESSIANS = {"dogleg", "trust-exact"}


def minimize(
    fun: Callable,
    x0: Any,
    args: tuple = (),
    method: str | Callable | None = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Callable | None = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable | None = None,
    options: dict | None = None,
    *,
    progress: bool = False,
) -> scipy_optimize.OptimizeResult:
    """Minimise a function: `scipy.optimize.minimize`, supplied with exact derivatives.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``, a plain NumPy program with one real number as its value.
    x0 : array, number or nested containers of them
        Where to start. ``fun`` gets such containers, of float64 numbers; a number or a list of numbers becomes a
        vector, as in SciPy.
    args : tuple
        Further arguments, which are constants.
    method : str or callable, optional
        As in SciPy, which chooses BFGS, L-BFGS-B or SLSQP by default. Newton-CG, trust-ncg, trust-krylov and
        trust-constr get exact Hessian products, dogleg and trust-exact exact Hessians.
    jac : optional
        Your own gradient (a callable, or `True` if ``fun`` returns the pair of value and gradient) instead of the exact
        one; `False`, ``"2-point"``, ``"3-point"`` or ``"cs"`` for SciPy's differences.
    hess, hessp : optional
        Your own Hessian, or its products ``hessp(x, p, *args)``; or what SciPy takes for `hess` (``"2-point"``,
        ``BFGS()``). The Hessian is of the vector of all numbers in x0, leaf after leaf, those of dictionaries by
        sorted keys.
    bounds : optional
        As in SciPy, for the vector; for containers a pair ``(lower, upper)`` of `None`, numbers or containers like x0.
    constraints : optional
        As in SciPy. Nonlinear ones are functions of the containers and get exact Jacobians, and Hessians for
        trust-constr, where their own are left at SciPy's defaults. A LinearConstraint is one of the vector.
    tol, callback, options : optional
        As in SciPy; the callback sees the containers.
    progress : bool
        Show a line with the value and the gradient's largest entry while the solver runs.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's, with ``x`` and ``jac`` in the containers of x0. ``derivatives`` says what the method was given.

    Raises
    ------
    LostGradientError
        If x0, args or the function hold recorded values: use ``wg.implicit`` to differentiate a minimiser.
    ShapeError
        If the value is not one number.

    Warns
    -----
    RuntimeWarning
        If the method uses no derivatives, unless ``jac=False`` says that none are wanted.
    LostGradientWarning
        If the function's value does not depend on x.

    Notes
    -----
    Value and gradient are computed together, once for each point; products with the Hessian at a point share one run.
    While the solver runs, SciPy's own linear algebra uses one thread; that of NumPy, which the function uses, is left
    as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import optimize
    >>> def rosenbrock(p):
    ...     return (1 - p["x"]) ** 2 + 100 * (p["y"] - p["x"] ** 2) ** 2
    >>> found = optimize.minimize(rosenbrock, {"x": -1.0, "y": 1.0}, method="trust-ncg")
    >>> found.success, found.derivatives
    (True, 'exact gradient and Hessian products')
    >>> print({name: round(float(value), 3) for name, value in found.x.items()})
    {'x': 1.0, 'y': 1.0}
    """
    variables = Variables("minimize", x0)
    args = plain_arguments("minimize", args)
    name = _name(method, bounds, constraints)
    if name in VALUES_ONLY and jac is None and hess is None and hessp is None:
        warnings.warn(
            f"[minimize] method {method} uses no derivatives: it compares values of the function only; choose "
            f"L-BFGS-B, SLSQP or trust-constr to use them, or say jac=False",
            RuntimeWarning,
            stacklevel=2,
        )
    constraints = with_derivatives(constraints, variables, second_order=name == "trust-constr")
    with progress_line(progress, "minimize") as line, one_solver_thread():
        supplied, derivatives = _derivatives(fun, args, variables, name, jac, hess, hessp, line)
        found = scipy_optimize.minimize(
            x0=variables.start,
            method=method,
            bounds=variables.bounds(bounds),
            constraints=constraints,
            tol=tol,
            callback=variables.callback(callback),
            options=options,
            **supplied,
        )
    result = variables.result(found, "jac")
    result["derivatives"] = derivatives
    return result


def _name(method: Any, bounds: Any, constraints: Any) -> str:
    """The method in lower case, SciPy's choice where none is given."""
    if method is None:
        return "slsqp" if _are_given(constraints) else "l-bfgs-b" if bounds is not None else "bfgs"
    if callable(method):
        return "_custom"
    if not isinstance(method, str):
        raise ArgumentError(f"[minimize] the name of a method, or a callable, was required; received {method!r}")
    return method.lower()


def _are_given(constraints: Any) -> bool:
    return bool(constraints) if isinstance(constraints, (tuple, list, dict)) else constraints is not None


def _derivatives(
    fun: Callable,
    args: tuple,
    variables: Variables,
    name: str,
    jac: Any,
    hess: Any,
    hessp: Callable | None,
    line: Progress,
) -> tuple[dict, str]:
    """The functions that SciPy gets, and what is to be said of them."""

    def function(x: Any) -> Any:
        return fun(x, *args)

    exact = jac is None and name not in VALUES_ONLY
    objective = (
        PairedObjective(function, variables, line)
        if jac is True
        else Objective(function, variables, line, recorded=exact)
    )
    supplied: dict[str, Any] = {"fun": objective.value, "jac": objective.gradient}
    said = "exact gradient" if exact else "gradient given by the caller"
    if callable(jac):
        supplied["jac"] = lambda v: variables.pack(jac(variables.unpack(np.copy(v)), *args))
    elif not exact and jac is not True:
        supplied["jac"] = jac
        said = f"none: {name} compares values only" if name in VALUES_ONLY else "differences"
    second, what = _second_derivatives(objective, args, variables, name, hess, hessp)
    return supplied | second, said + what if second else said


def _second_derivatives(
    objective: Objective, args: tuple, variables: Variables, name: str, hess: Any, hessp: Callable | None
) -> tuple[dict, str]:
    """The Hessian or its products, the caller's own if there are some."""
    if hess is not None:
        given = (lambda v: hess(variables.unpack(np.copy(v)), *args)) if callable(hess) else hess
        return {"hess": given}, ", and the caller's Hessian"
    if hessp is not None:

        def product(v: np.ndarray, p: np.ndarray) -> np.ndarray:
            return variables.pack(hessp(variables.unpack(np.copy(v)), variables.unpack(np.copy(p)), *args))

        return {"hessp": product}, ", and the caller's Hessian products"
    if name in HESSIAN_PRODUCTS:
        return {"hessp": objective.hessian_product}, " and Hessian products"
    if name in HESSIANS:
        return {"hess": objective.hessian}, " and Hessian"
    return {}, ""
