"""The continuous adjoint: gradients of a solution by solving a second equation backwards in time.

For ``dy/dt = f(t, y, p)`` and cotangents g_k of the states at the times t_k, the adjoint a has
``da/dt = -(df/dy)^T a`` between the times and jumps by g_k at t_k, from the last time to the first. Then a(t_0) is the
cotangent of the initial state, the integral of ``(df/dp)^T a`` that of the parameters, and ``g_k f(t_k, y_k)`` that of
t_k (Pontryagin et al. 1962; Chen et al., Neural Ordinary Differential Equations, 2018).

The states that the equation needs are those of the forward solution, whose interpolant is kept: solving for them
backwards, too, as Chen et al. do, is unstable where a system is stiff. The integral is Gauss's, on the steps of both.
"""

import itertools
from typing import Any

import numpy as np

from wengert.errors import DTypeError, GradientError
from wengert.integrate.system import System, plain
from wengert.protocol import Wrapper, highest, innermost, spec_of
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.custom import CustomFunction
from wengert.transforms.jacobian import jacobian
from wengert.transforms.reverse import vjp

__all__ = ["IMPLICIT", "solve_by_adjoint"]

IMPLICIT = {"Radau", "BDF", "LSODA"}
"""Methods for stiff systems, which use the Jacobian."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)


def solve_by_adjoint(system: System, times: Any, method: str, options: dict) -> Any:
    """The states at all times, one in each row; the first time is the initial one.

    Cotangents are pulled back to the initial state, the times and the arguments by the adjoint equation.
    """
    if system.raveled.is_complex:
        raise DTypeError(
            f"[{system.operation}] real states were required by the adjoint method; received {spec_of(system.y0)!r}; "
            f'make real and imaginary parts states of their own, or use gradient="discrete"'
        )
    problem = _Problem(system, method, options)
    solve = CustomFunction(problem.states)
    solve.name = system.operation
    solve.defvjp(problem.forward, problem.backward)
    return solve(system.y0, times, problem.recorded)


class _Problem:
    """One initial value problem; what is recorded in its arguments are the parameters."""

    def __init__(self, system: System, method: str, options: dict):
        self.system, self.method, self.options = system, method, options
        self.leaves, self.structure = flatten(system.args)
        self.places = [i for i, leaf in enumerate(self.leaves) if isinstance(leaf, Wrapper) and spec_of(leaf).inexact]
        self.recorded = [self.leaves[i] for i in self.places]
        self.fixed = plain(self.leaves)

    def _args(self, parameters: list) -> tuple:
        """The right-hand side's arguments, with parameters in their places."""
        leaves = list(self.fixed)
        for i, p in zip(self.places, parameters, strict=True):
            leaves[i] = p
        return rebuild(self.structure, leaves)

    def states(self, y0: Any, times: Any, parameters: list) -> Any:
        """The solution at all times."""
        return self.forward(y0, times, parameters)[0]

    def forward(self, y0: Any, times: Any, parameters: list) -> tuple[Any, Any]:
        """The solution at all times, and its interpolant."""
        self._check([y0, times, *parameters])
        y0, times = np.asarray(innermost(y0)), np.asarray(innermost(times))
        solution = self._solution(times, y0, self._args(plain(parameters)))
        rows = np.repeat(y0[None], len(times), axis=0) if solution is None else solution(times).T
        return rows, (y0, solution, times, parameters)

    def _solution(self, times: np.ndarray, y0: np.ndarray, args: tuple) -> Any:
        """SciPy's solution as a function of time, `None` where no time passes; stiff methods get the exact Jacobian."""
        if times[0] == times[-1]:
            return None
        from scipy.integrate import solve_ivp

        def right_side(t: float, y: np.ndarray) -> np.ndarray:
            return self.system.closed(t, y, args)

        options = dict(self.options)
        if self.method in IMPLICIT and options.get("jac") is None:
            options["jac"] = lambda t, y: jacobian(lambda v: self.system.at(t, v, args))(y)
        span = (times[0], times[-1])
        found = solve_ivp(right_side, span, y0, method=self.method, dense_output=True, **options)
        _check_success(self.system.operation, found)
        return found.sol

    def _check(self, values: list) -> None:
        """The solver works on numbers: its steps cannot be recorded, pushed forward or batched."""
        if highest([x for x in values if isinstance(x, Wrapper) and x._carries_gradient()]) is not None:
            raise GradientError(
                f"[{self.system.operation}] a first derivative in reverse mode was required of the adjoint method; "
                f'received values of another transformation; use gradient="discrete", which every one passes through'
            )

    def backward(self, residuals: Any, cotangents: Any) -> tuple:
        """The cotangents of the initial state, of the times and of the parameters."""
        y0, solution, times, parameters = residuals
        self._check([cotangents, *parameters])
        g = np.asarray(innermost(cotangents))
        parameters = plain(parameters)
        run = _Backward(self, (lambda t: y0) if solution is None else solution, parameters)
        adjoint = np.zeros(g.shape[1:])
        of_times = np.zeros(len(times))
        late = len(times) - 1
        for k in range(len(times) - 1, -1, -1):
            if not g[k].any() and k:
                continue
            adjoint = run.back(times[late], times[k], adjoint)
            of_times[k] += g[k] @ run.slope(times[k])
            adjoint = adjoint + g[k]
            late = k
        of_times[0] -= adjoint @ run.slope(times[0])
        return adjoint, of_times, run.of_parameters


class _Backward:
    """The adjoint equation along one solution."""

    def __init__(self, problem: _Problem, solution: Any, parameters: list):
        self.problem, self.solution, self.parameters = problem, solution, parameters
        self.of_parameters = [np.zeros(np.shape(p), np.asarray(p).dtype)[()] for p in parameters]

    def _of(self, t: float) -> Any:
        """The right-hand side at a time as a function of state and parameters."""
        problem = self.problem
        return lambda y, parameters: problem.system.at(t, y, problem._args(parameters))

    def slope(self, t: float) -> np.ndarray:
        """The derivative of the solution."""
        return np.asarray(self._of(t)(self.solution(t), self.parameters))

    def _pull(self, t: float, adjoint: np.ndarray) -> tuple[np.ndarray, list]:
        _, pullback = vjp(self._of(t), self.solution(t), self.parameters)
        return pullback(adjoint)

    def _pull_state(self, t: float, adjoint: np.ndarray) -> np.ndarray:
        _, pullback = vjp(lambda y: self._of(t)(y, self.parameters), self.solution(t))
        return -pullback(adjoint)[0]

    def _matrix(self, t: float, adjoint: np.ndarray) -> np.ndarray:
        return -jacobian(lambda y: self._of(t)(y, self.parameters))(self.solution(t)).T

    def back(self, late: float, early: float, adjoint: np.ndarray) -> np.ndarray:
        """The adjoint at an earlier time; what the stretch gives to the parameters is added up."""
        if late == early or not adjoint.any():
            return adjoint
        from scipy.integrate import solve_ivp

        problem = self.problem
        options = {name: problem.options[name] for name in ("rtol", "atol", "max_step") if name in problem.options}
        if np.ndim(options.get("atol", 0.0)):
            options["atol"] = float(np.min(options["atol"]))
        if problem.method in IMPLICIT:
            options["jac"] = self._matrix
        dense = bool(self.parameters)
        found = solve_ivp(
            self._pull_state, (late, early), adjoint, method=problem.method, dense_output=dense, **options
        )
        _check_success(problem.system.operation, found)
        if dense:
            self._integrate(found.sol, late, early)
        return found.y[:, -1]

    def _integrate(self, adjoint: Any, late: float, early: float) -> None:
        """Add the integral of the pullback to the parameters over a stretch, by Gauss's rule on each step."""
        low, high = min(late, early), max(late, early)
        joints = np.unique(np.concatenate([adjoint.ts, self.solution.ts]))
        joints = joints[(joints >= low) & (joints <= high)]
        sign = 1.0 if late >= early else -1.0
        for a, b in itertools.pairwise(joints):
            for node, weight in zip(_NODES, _WEIGHTS, strict=True):
                t = (a + b) / 2 + (b - a) / 2 * node
                _, parts = self._pull(t, adjoint(t))
                share = sign * weight * (b - a) / 2
                self.of_parameters = [
                    (total + share * part).astype(total.dtype)
                    for total, part in zip(self.of_parameters, parts, strict=True)
                ]


def _check_success(operation: str, found: Any) -> None:
    if not found.success:
        raise GradientError(
            f"[{operation}] a solution up to the last time was required; the solver stopped at t = "
            f"{found.t[-1] if len(found.t) else 'the start'}: {found.message}; relax rtol and atol, or choose a stiff "
            f"method (Radau, BDF)"
        )
