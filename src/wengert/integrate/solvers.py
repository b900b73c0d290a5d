"""`odeint` and `solve_ivp`: initial value problems whose solutions are differentiable."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate as scipy_integrate
from scipy.optimize import OptimizeResult

from wengert.errors import ArgumentError, GradientError
from wengert.integrate import runge_kutta
from wengert.integrate.adjoint import IMPLICIT, solve_by_adjoint
from wengert.integrate.runge_kutta import TABLEAUS, Control, Failure, equal_steps, tableau
from wengert.integrate.system import System, is_recorded, plain, times_vector
from wengert.protocol import Wrapper, innermost
from wengert.transforms.containers import flatten, rebuild

__all__ = ["odeint", "solve_ivp"]


def odeint(
    func: Callable,
    y0: Any,
    t: Any,
    args: tuple = (),
    *,
    method: str = "DOP853",
    gradient: str = "auto",
    rtol: Any = 1.49012e-8,
    atol: Any = 1.49012e-8,
    steps: int | None = None,
    first_step: float | None = None,
    max_step: float = np.inf,
    tfirst: bool = False,
) -> Any:
    """The states of ``dy/dt = func(y, t, *args)`` at given times, differentiable in everything.

    Parameters
    ----------
    func : callable
        ``func(y, t, *args)``, or ``func(t, y, *args)`` with `tfirst`: a NumPy program that returns the derivative in
        the containers of the state.
    y0 : array, numbers or nested containers of them
        The state at the time ``t[0]``.
    t : sequence of times, rising or falling
    args : tuple
        Parameters, in nested containers.
    method : {"DOP853", "RK45", "RK23", "Radau", "BDF", "LSODA"}
        The last three are for stiff systems.
    gradient : {"auto", "discrete", "adjoint"}
        ``"discrete"`` records the steps of an explicit method: derivatives of what was computed, in all modes and of
        any order, with memory for each step. ``"adjoint"`` solves the adjoint equation backwards: first derivatives
        in reverse mode, exact up to the tolerances, for all methods. ``"auto"`` takes the first for explicit methods.
    rtol, atol : float
        Tolerances for the error of each step.
    steps : int, optional
        Take so many equal steps of an explicit method from each time to the next instead of controlling the error.
    first_step, max_step : float, optional
        As in `solve_ivp`.
    tfirst : bool
        ``func`` takes the time first.

    Returns
    -------
    the states, in the containers of y0, each leaf with an axis of the times in front

    Raises
    ------
    GradientError
        If the tolerances cannot be kept (where the solution escapes to infinity, say), or if the adjoint method meets
        a transformation that it does not pass.
    LostGradientError
        If `func` uses recorded values that are not in args, with ``gradient="adjoint"``.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> from wengert.integrate import odeint
    >>> def end(rate):
    ...     return odeint(lambda y, t, rate: -rate * y, 2.0, [0.0, 1.0], args=(rate,))[-1]
    >>> print(f"{wg.grad(end)(0.5):.6f}, {-2 * np.exp(-0.5):.6f}")
    -1.213061, -1.213061
    """
    function = func if tfirst or not callable(func) else lambda time, y, *more: func(y, time, *more)
    system = System("odeint", function, y0, args)
    times, numbers = times_vector("odeint", "t", t)
    gradient = _checked("odeint", method, gradient)
    if steps is not None:
        rows = _by_equal_steps(system, times, method, steps)
    elif not _records(system, times, numbers):
        rows = _values(system, numbers, method, _options(rtol, atol, first_step, max_step))
    elif gradient == "adjoint":
        rows = solve_by_adjoint(system, times, method, _options(rtol, atol, first_step, max_step))
    else:
        control = Control(rtol, atol, first_step, max_step)
        rows, failure, _ = _by_steps(system, times[0], numbers[-1], times, numbers, method, control)
        if failure:
            raise _failed("odeint", failure)
    return system.raveled.unpack(rows)


def _options(rtol: Any, atol: Any, first_step: float | None, max_step: float) -> dict:
    return {"rtol": rtol, "atol": atol, "first_step": first_step, "max_step": max_step}


def _checked(operation: str, method: str, gradient: str) -> str:
    """Which gradient is meant, for a method that can give it."""
    if method not in (*TABLEAUS, *IMPLICIT):
        raise ArgumentError(
            f"[{operation}] a method of {', '.join([*TABLEAUS, *sorted(IMPLICIT)])} was required; received {method!r}"
        )
    if gradient not in ("auto", "discrete", "adjoint"):
        raise ArgumentError(
            f"[{operation}] gradient 'auto', 'discrete' or 'adjoint' was required; received {gradient!r}"
        )
    if gradient == "discrete" and method in IMPLICIT:
        raise ArgumentError(
            f"[{operation}] an explicit method ({', '.join(TABLEAUS)}) was required for gradient='discrete'; received "
            f"{method}; use gradient='adjoint'"
        )
    return ("adjoint" if method in IMPLICIT else "discrete") if gradient == "auto" else gradient


def _records(system: System, times: Any, numbers: np.ndarray) -> bool:
    """Whether the solution depends on something recorded, seen or only used by the function."""
    if is_recorded((system.y0, times, system.args)):
        return True
    return is_recorded(system.at(float(numbers[0]), plain(system.y0), plain(system.args))) if len(numbers) else False


def _failed(operation: str, failure: Failure) -> GradientError:
    return GradientError(
        f"[{operation}] a solution up to the last time was required; {failure}; relax rtol and atol, or choose a stiff "
        f"method (Radau, BDF)"
    )


def _values(system: System, numbers: np.ndarray, method: str, options: dict) -> np.ndarray:
    """The states at all times as SciPy computes them."""
    y0 = np.asarray(innermost(system.y0))
    if len(numbers) < 2 or numbers[0] == numbers[-1]:
        return np.repeat(y0[None], len(numbers), axis=0)
    span = (numbers[0], numbers[-1])
    found = scipy_integrate.solve_ivp(system.plain, span, y0, method=method, dense_output=True, **options)
    if not found.success:
        raise GradientError(f"[{system.operation}] a solution up to the last time was required; {found.message}")
    return found.sol(numbers).T


def _by_equal_steps(system: System, times: Any, method: str, steps: int) -> Any:
    if method not in TABLEAUS or not isinstance(steps, (int, np.integer)) or steps < 1:
        raise ArgumentError(
            f"[odeint] an explicit method ({', '.join(TABLEAUS)}) and a positive number of steps were required; "
            f"received {method} and {steps!r}"
        )
    return np.stack(list(equal_steps(tableau(method), system, times, system.y0, steps)))


def _by_steps(
    system: System, t0: Any, stop: float, times: Any, numbers: np.ndarray, method: str, control: Control
) -> tuple[Any, Failure | None, int]:
    """The states at the times by recorded steps; why the integration stopped early; how many states were reached."""
    start = float(innermost(t0))
    if start == numbers[-1]:
        return system.y0 + (times - t0)[:, None] * system(t0, system.y0), None, len(numbers)
    direction = 1.0 if stop >= start else -1.0
    rows: list = []
    reached, failed = 0, None
    try:
        for step in runge_kutta.steps(tableau(method), system, t0, stop, system.y0, control):
            last = int(np.searchsorted(direction * numbers, direction * step.end, side="right"))
            if last > reached:
                rows.append(step.at(times[reached:last]))
                reached = last
            if reached == len(numbers):
                break
    except Failure as failure:
        failed = failure
    return _stacked(system, rows), failed, reached


def _by_own_times(
    system: System, t0: Any, t1: Any, method: str, control: Control
) -> tuple[list[float], Any, Failure | None]:
    """The times at which recorded steps end, and the states there; why the integration stopped early."""
    numbers, rows, failed = [float(innermost(t0))], [system.y0[None]], None
    stop = float(innermost(t1))
    try:
        for step in runge_kutta.steps(tableau(method), system, t0, stop, system.y0, control):
            numbers.append(step.end)
            # The last state moves with the last time, the others with the steps.
            is_last = step.end == stop and isinstance(t1, Wrapper)
            rows.append(step.at(np.reshape(t1, (1,))) if is_last else step.y_new[None])
    except Failure as failure:
        failed = failure
    return numbers, np.concatenate(rows), failed


def _stacked(system: System, rows: list) -> Any:
    return np.concatenate(rows) if rows else np.zeros((0, system.raveled.size), system.raveled.dtype)


# SciPy's other name ----------------------------------------------------------------------------------------------


def solve_ivp(
    fun: Callable,
    t_span: Any,
    y0: Any,
    method: str = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    *,
    gradient: str = "auto",
    **options: Any,
) -> OptimizeResult:
    """Solve an initial value problem: `scipy.integrate.solve_ivp`, differentiable in everything.

    Parameters
    ----------
    fun : callable
        ``fun(t, y, *args)``: a NumPy program that returns the derivative in the containers of the state.
    t_span : pair of times
    y0 : array, numbers or nested containers of them
        The state at the first time.
    method : {"RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA"}
    t_eval : sequence of times, optional
        Where the states are wanted; by default at the ends of the steps.
    dense_output, events
        As in SciPy. The interpolant, and the times and states of events, carry no gradient; the time at which a
        terminal event stops the integration is a constant.
    vectorized : bool
        Accepted and not used.
    args : tuple, optional
        Parameters, in nested containers.
    gradient : {"auto", "discrete", "adjoint"}
        See `odeint`.
    **options
        SciPy's ``rtol``, ``atol``, ``first_step``, ``max_step``, and for stiff methods ``jac`` and the like.

    Returns
    -------
    scipy.optimize.OptimizeResult
        As SciPy's: ``t``, plain numbers; ``y``, in the containers of the state, each leaf with an axis of the times at
        the end; ``status``, ``success``, ``message``, ``nfev``, ``sol``, ``t_events``, ``y_events``. Where nothing is
        recorded it is what SciPy computes.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> from wengert.integrate import solve_ivp
    >>> def height(speed):
    ...     state = {"height": 0.0, "speed": speed}
    ...     fall = lambda t, y: {"height": y["speed"], "speed": -9.81}
    ...     return solve_ivp(fall, (0.0, 1.0), state).y["height"][-1]
    >>> print(f"{height(5.0):.3f} {wg.grad(height)(5.0):.3f}")
    0.095 1.000
    """
    system = System("solve_ivp", fun, y0, () if args is None else args)
    span, ends = times_vector("solve_ivp", "t_span", t_span)
    if len(ends) != 2:
        raise ArgumentError(f"[solve_ivp] a pair of times was required as t_span; received {ends}")
    times, numbers = (None, ends) if t_eval is None else times_vector("solve_ivp", "t_eval", t_eval)
    _check_within(ends, numbers)
    gradient = _checked("solve_ivp", method, gradient)
    plainly: Any = None
    recorded = _records(system, (span, times), ends)
    if not recorded or gradient == "adjoint" or events is not None or dense_output:
        given = _for_scipy(system, options, events)
        wanted = None if times is None else numbers
        plainly = scipy_integrate.solve_ivp(
            system.plain,
            tuple(ends),
            np.asarray(innermost(system.y0)),
            method=method,
            t_eval=wanted,
            dense_output=dense_output,
            **given,
        )
    if not recorded:
        return _in_containers(system, plainly, np.moveaxis(plainly.y, -1, 0))
    if plainly is not None:
        times, numbers = _reached(span, times, plainly)
    if gradient == "adjoint":
        whole = np.concatenate([span[:1], times])
        rows = solve_by_adjoint(system, whole, method, _for_scipy(system, options, None))[1:]
        return _in_containers(system, plainly, rows)
    return _recorded_steps(system, span, times, numbers, method, options, plainly)


def _check_within(ends: np.ndarray, numbers: np.ndarray) -> None:
    low, high = min(ends), max(ends)
    falling = ends[1] < ends[0]
    steps = np.diff(numbers)
    if np.any(numbers < low) or np.any(numbers > high) or not np.all(steps <= 0 if falling else steps >= 0):
        raise ArgumentError(f"[solve_ivp] t_eval within t_span, and in its direction, was required; received {numbers}")


def _for_scipy(system: System, options: dict, events: Any) -> dict:
    """SciPy's options, with functions of containers as ones of vectors."""
    given = dict(options)
    args = plain(system.args)
    if callable(given.get("jac")):
        jac = given["jac"]
        given["jac"] = lambda t, y: jac(t, system.raveled.unpack(y), *args)
    if events is not None:
        several = events if isinstance(events, (list, tuple)) else (events,)
        given["events"] = [_event(system, args, event) for event in several]
    return given


def _event(system: System, args: tuple, event: Callable) -> Callable:
    """An event of containers as one of vectors, with SciPy's attributes."""

    def on_vector(t: float, y: np.ndarray) -> float:
        return float(innermost(event(t, system.raveled.unpack(y), *args)))

    for name in ("terminal", "direction"):
        if hasattr(event, name):
            setattr(on_vector, name, getattr(event, name))
    return on_vector


def _reached(span: Any, times: Any, plainly: Any) -> tuple[Any, np.ndarray]:
    """The times that SciPy's solution has, recorded as far as the caller's are."""
    numbers = np.asarray(plainly.t)
    if times is not None:
        return times[: len(numbers)], numbers
    last = span[1:] if plainly.status == 0 else numbers[-1:]
    return np.concatenate([span[:1], numbers[1:-1], last]), numbers


def _recorded_steps(
    system: System, span: Any, times: Any, numbers: np.ndarray, method: str, options: dict, plainly: Any
) -> OptimizeResult:
    """The result of recorded steps; `plainly` is SciPy's, where events or an interpolant were asked for."""
    try:
        control = Control(**options)
    except TypeError:
        raise ArgumentError(
            f"[solve_ivp] the options rtol, atol, first_step and max_step were required for recorded steps; received "
            f'{sorted(options)}; drop the others, or use gradient="adjoint"'
        ) from None
    if times is None:
        reached, rows, failure = _by_own_times(system, span[0], span[1], method, control)
        numbers = np.array(reached)
    else:
        stop = innermost(span[1]) if plainly is None or plainly.status == 0 else numbers[-1]
        rows, failure, count = _by_steps(system, span[0], float(stop), times, numbers, method, control)
        numbers = numbers[:count]
    if plainly is None:
        message = "The solver successfully reached the end of the integration interval."
        plainly = OptimizeResult(
            t=numbers,
            sol=None,
            t_events=None,
            y_events=None,
            nfev=system.evaluations,
            njev=0,
            nlu=0,
            status=-1 if failure else 0,
            message=f"[solve_ivp] {failure}" if failure else message,
            success=failure is None,
        )
    return _in_containers(system, plainly, rows)


def _in_containers(system: System, found: Any, rows: Any) -> OptimizeResult:
    """A result whose states are in the caller's containers."""
    raveled = system.raveled
    leaves, structure = flatten(raveled.unpack(rows))
    found = type(found)(found)
    found["y"] = rebuild(structure, [np.moveaxis(leaf, 0, -1) for leaf in leaves])
    if not raveled.is_vector:
        if found.sol is not None:
            sol = found.sol
            found["sol"] = lambda t: raveled.unpack(sol(t).T)
        if found.y_events is not None:
            found["y_events"] = [raveled.unpack(np.asarray(y).reshape(-1, raveled.size)) for y in found.y_events]
    return found
