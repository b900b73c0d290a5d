"""Constraints with exact derivatives in the place of SciPy's differences."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint

from wengert.errors import ArgumentError
from wengert.optimize.objective import VectorFunction
from wengert.optimize.problem import Variables, plain_arguments

__all__ = ["with_derivatives"]


def with_derivatives(constraints: Any, variables: Variables, second_order: bool) -> list:
    """Constraints of containers as constraints of the vector, with exact Jacobians where the user gives none.

    Parameters
    ----------
    constraints : one or a sequence of NonlinearConstraint, LinearConstraint, Bounds, or SciPy's dictionaries
    variables : Variables
    second_order : bool
        Whether the solver takes Hessians of nonlinear constraints.
    """
    single = isinstance(constraints, (NonlinearConstraint, LinearConstraint, Bounds, Mapping))
    return [_converted(c, variables, second_order) for c in ((constraints,) if single else constraints)]


def _converted(constraint: Any, variables: Variables, second_order: bool) -> Any:
    if isinstance(constraint, Mapping):
        return _dictionary(constraint, variables)
    if isinstance(constraint, NonlinearConstraint):
        return _nonlinear(constraint, variables, second_order)
    if isinstance(constraint, Bounds):
        return variables.bounds(constraint)
    if isinstance(constraint, LinearConstraint):
        columns = constraint.A.shape[-1]
        if columns != variables.raveled.size:
            raise ArgumentError(
                f"[{variables.operation}] a LinearConstraint whose A has {variables.raveled.size} columns, one for "
                f"each number in x0 in the order of its leaves, was required; received shape {constraint.A.shape}"
            )
        return constraint
    raise ArgumentError(
        f"[{variables.operation}] NonlinearConstraint, LinearConstraint, Bounds or SciPy's dictionaries were required "
        f"as constraints; received {type(constraint).__name__}"
    )


def _dictionary(constraint: Mapping, variables: Variables) -> dict:
    """SciPy's older form, ``{"type": "ineq", "fun": f, "jac": j, "args": ()}``."""
    given = dict(constraint)
    if "fun" not in given:
        raise ArgumentError(
            f"[{variables.operation}] a constraint with a function 'fun' was required; received {sorted(given)}"
        )
    args = plain_arguments(variables.operation, given.pop("args", ()))
    fun, jac = given["fun"], given.get("jac")
    function = VectorFunction(lambda x: fun(x, *args), variables)
    given["fun"] = function.value
    if callable(jac):
        given["jac"] = lambda v: jac(variables.unpack(v), *args)
    elif not jac:
        given["jac"] = function.jacobian
    return given


def _nonlinear(constraint: NonlinearConstraint, variables: Variables, second_order: bool) -> NonlinearConstraint:
    """A nonlinear constraint; ``jac="2-point"``, which is SciPy's default, counts as not given."""
    from scipy.optimize import BFGS

    function = VectorFunction(constraint.fun, variables)
    jac, hess = constraint.jac, constraint.hess
    if jac == "2-point" and constraint.finite_diff_rel_step is None:
        if constraint.finite_diff_jac_sparsity is not None:
            function.use_pattern(constraint.finite_diff_jac_sparsity)
            jac = function.sparse_jacobian
        else:
            jac = function.jacobian
    elif callable(jac):
        jac = _on_vector(jac, variables)
    if callable(hess):
        hess = _on_vector(hess, variables)
    elif second_order and type(hess) is BFGS:
        hess = function.combined_hessian
    return NonlinearConstraint(
        function.value,
        np.asarray(constraint.lb, float),
        np.asarray(constraint.ub, float),
        jac,
        hess,
        constraint.keep_feasible,
        constraint.finite_diff_rel_step,
    )


def _on_vector(function: Any, variables: Variables) -> Any:
    """A user's function of containers and further arguments, as one of the vector."""
    return lambda v, *more: function(variables.unpack(np.copy(v)), *more)
