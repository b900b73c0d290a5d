"""SciPy's `least_squares` and `curve_fit`, supplied with exact Jacobians."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import optimize as scipy_optimize

from wengert.optimize.objective import VectorFunction
from wengert.optimize.problem import Variables, plain_arguments, plain_array
from wengert.optimize.progress import Progress, progress_line
from wengert.optimize.threads import one_solver_thread
from wengert.transforms.containers import flatten
from wengert.transforms.raveled import numbers_as_array

__all__ = ["curve_fit", "least_squares"]


def least_squares(
    fun: Callable,
    x0: Any,
    jac: Any = None,
    bounds: Any = (-np.inf, np.inf),
    method: str = "trf",
    *,
    args: tuple = (),
    kwargs: dict | None = None,
    jac_sparsity: Any = None,
    callback: Callable | None = None,
    progress: bool = False,
    **options: Any,
) -> scipy_optimize.OptimizeResult:
    """Minimise a sum of squares: `scipy.optimize.least_squares`, supplied with the exact Jacobian.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args, **kwargs)``, a plain NumPy program; its value, an array of any shape, holds the residuals.
    x0 : array, number or nested containers of them
        Where to start.
    jac : optional
        Your own Jacobian by the vector of all numbers in x0; ``"sparse"`` for the exact one as a sparse matrix, whose
        pattern is found by running ``fun`` once; ``"2-point"``, ``"3-point"`` or ``"cs"`` for SciPy's differences.
    bounds : optional
        As in SciPy a pair ``(lower, upper)`` of numbers or vectors, here also of containers like x0.
    method : {"trf", "dogbox", "lm"}
    args, kwargs
        Further arguments, which are constants.
    jac_sparsity : matrix, optional
        Where the Jacobian can have entries: the exact one is computed as a sparse matrix, a few columns at once.
    callback : callable, optional
        As in SciPy (1.16 and later).
    progress : bool
        Show a line with the sum of squares while the solver runs.
    **options
        SciPy's others by their names: ``loss``, ``f_scale``, ``x_scale``, ``ftol``, ``max_nfev``, ``tr_solver`` ….

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's, with ``x`` and ``grad`` in the containers of x0; ``fun`` and ``jac`` by the vector of all numbers,
        leaf after leaf, those of dictionaries by sorted keys.

    Raises
    ------
    LostGradientError
        If x0, args or the function hold recorded values: use ``wg.implicit`` to differentiate a minimiser.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import optimize
    >>> t = np.linspace(0, 1, 20)
    >>> y = 3 * np.exp(-2 * t)
    >>> found = optimize.least_squares(lambda p: p["a"] * np.exp(-p["k"] * t) - y, {"a": 1.0, "k": 1.0})
    >>> print({name: round(float(value), 6) for name, value in found.x.items()})
    {'a': 3.0, 'k': 2.0}
    """
    variables = Variables("least_squares", x0)
    args, named = plain_arguments("least_squares", args), dict(kwargs or {})
    plain_arguments("least_squares", tuple(named.values()))
    if callback is not None:
        options["callback"] = variables.callback(callback)
    lower, upper = variables.limits(bounds)
    with progress_line(progress, "least_squares") as line, one_solver_thread():
        residuals = VectorFunction(lambda x: fun(x, *args, **named), variables, line)
        if jac == "sparse" or (jac is None and jac_sparsity is not None):
            residuals.use_pattern(jac_sparsity)
            jac, jac_sparsity = residuals.sparse_jacobian, None
        elif jac is None:
            jac = residuals.jacobian
        elif callable(jac):
            jac = _on_vector(jac, variables, args, named)
        if jac_sparsity is not None:
            options["jac_sparsity"] = jac_sparsity
        found = scipy_optimize.least_squares(
            residuals.value, variables.start, jac=jac, bounds=(lower, upper), method=method, **options
        )
    return variables.result(found, "grad")


def _on_vector(jac: Callable, variables: Variables, args: tuple, kwargs: dict) -> Callable:
    return lambda v: jac(variables.unpack(np.copy(v)), *args, **kwargs)


# Curves ----------------------------------------------------------------------------------------------------------


def curve_fit(
    f: Callable,
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    jac: Any = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    progress: bool = False,
    **kwargs: Any,
) -> tuple:
    """Fit a curve to data: `scipy.optimize.curve_fit`, supplied with the exact Jacobian by the parameters.

    Parameters
    ----------
    f : callable
        ``f(xdata, *parameters)``, a plain NumPy program.
    xdata, ydata : array_like
        The data; ``ydata`` has the shape of the function's value.
    p0 : sequence of numbers, or nested containers, optional
        Where to start; by default 1 for each parameter that `f` has. A dictionary whose keys are names of parameters of
        `f` is passed by these names; other containers are passed as one argument, ``f(xdata, p0)``.
    sigma : array_like, optional
        The errors of ``ydata``, or their covariance matrix.
    jac : optional
        Your own Jacobian ``jac(xdata, *parameters)``; ``"2-point"``, ``"3-point"`` or ``"cs"`` for SciPy's differences.
    bounds : optional
        A pair ``(lower, upper)``, each as p0 is, or a number.
    absolute_sigma, check_finite, method, full_output, nan_policy, **kwargs
        As in SciPy.
    progress : bool
        Show a line with the sum of squares while the solver runs.

    Returns
    -------
    popt : the parameters, in the containers of p0
    pcov : array of shape (n, n)
        Their covariance, in the order of p0; of nested containers in that of their leaves, which are those of
        dictionaries by sorted keys.
    infodict, mesg, ier : only with `full_output`

    Raises
    ------
    LostGradientError
        If the data or p0 are recorded: use ``wg.implicit`` to differentiate a fit.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import optimize
    >>> def decay(t, amplitude, rate):
    ...     return amplitude * np.exp(-rate * t)
    >>> t = np.linspace(0, 4, 30)
    >>> y = decay(t, 2.0, 0.7)
    >>> popt, pcov = optimize.curve_fit(decay, t, y, p0={"amplitude": 1.0, "rate": 1.0})
    >>> print({name: round(float(value), 6) for name, value in popt.items()})
    {'amplitude': 2.0, 'rate': 0.7}
    """
    xdata, ydata, sigma = plain_arguments("curve_fit", (xdata, ydata, sigma))
    fit = _Fit(f, p0)
    with progress_line(progress, "curve_fit") as line, one_solver_thread():
        popt, *others = scipy_optimize.curve_fit(
            fit.model(line),
            xdata,
            ydata,
            p0=fit.start,
            sigma=sigma,
            absolute_sigma=absolute_sigma,
            check_finite=check_finite,
            bounds=fit.bounds(bounds),
            method=method,
            jac=fit.jacobian if jac is None else fit.given(jac),
            full_output=full_output,
            nan_policy=nan_policy,
            **kwargs,
        )
    return (fit.unpack(popt), *others)


class _Fit:
    """A model whose parameters are SciPy's separate numbers, or the user's containers of them."""

    def __init__(self, f: Callable, p0: Any):
        self.f = f
        p0 = numbers_as_array(p0)
        self.names = self._names_in(p0)
        if self.names:
            # In their own order; containers have the leaves of dictionaries in the order of the sorted keys.
            p0 = [p0[name] for name in self.names]
        self.variables = Variables("curve_fit", p0) if self.names or flatten(p0)[1] is not None else None
        self.start = None if p0 is None else Variables("curve_fit", p0).start

    def _names_in(self, p0: Any) -> list[str]:
        """The names by which parameters are passed, if they are passed by names."""
        by_name = isinstance(p0, Mapping) and set(p0) <= set(list(inspect.signature(self.f).parameters)[1:])
        return list(p0) if by_name else []

    def _call(self, function: Callable, xdata: Any, parameters: Any) -> Any:
        """The model, or its Jacobian, at a vector of parameters."""
        if self.variables is None:
            return function(xdata, *parameters)
        containers = self.variables.unpack(parameters)
        if self.names:
            return function(xdata, **dict(zip(self.names, containers, strict=True)))
        return function(xdata, containers)

    def model(self, line: Progress) -> Callable:
        """The model as SciPy calls it; it has the user's signature, from which SciPy counts the parameters."""

        @functools.wraps(self.f)
        def model(xdata: Any, *parameters: float) -> np.ndarray:
            value = plain_array("curve_fit", self._call(self.f, xdata, np.array(parameters)))
            line.report(float(np.sum(np.square(value))))
            return value

        return model

    def jacobian(self, xdata: Any, *parameters: float) -> np.ndarray:
        """The exact Jacobian of the model by the parameters."""
        vector = np.array(parameters, float)
        whole = Variables("curve_fit", vector)
        return VectorFunction(lambda p: self._call(self.f, xdata, p), whole).jacobian(vector)

    def given(self, jac: Any) -> Any:
        """The caller's own Jacobian, or the name of SciPy's differences."""
        return (lambda xdata, *p: self._call(jac, xdata, np.array(p))) if callable(jac) else jac

    def bounds(self, bounds: Any) -> Any:
        """Bounds as SciPy takes them."""
        if self.variables is None:
            return bounds
        if self.names and isinstance(bounds, (tuple, list)):
            bounds = [[side[name] for name in self.names] if isinstance(side, Mapping) else side for side in bounds]
        return self.variables.limits(bounds)

    def unpack(self, popt: np.ndarray) -> Any:
        """The parameters in the containers of p0."""
        if self.variables is None:
            return popt
        containers = self.variables.unpack(np.copy(popt))
        return dict(zip(self.names, containers, strict=True)) if self.names else containers
