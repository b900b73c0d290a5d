"""Explicit Runge-Kutta methods whose steps are NumPy calls, so that every transformation passes through them.

Step sizes are numbers: they are chosen by the values, and are constants of every derivative.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import bare
from wengert.protocol import Wrapper, everything, innermost

__all__ = ["TABLEAUS", "Control", "Failure", "Step", "equal_steps", "steps", "tableau"]

TABLEAUS = ("RK23", "RK45", "DOP853")

RightSide = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Tableau:
    """The coefficients of a method: those of SciPy's solver of that name.

    Stage s is at ``nodes[s]`` and adds ``stages[s]`` times the slopes before it; the step adds ``weights`` times all.
    """

    nodes: np.ndarray
    stages: np.ndarray
    weights: np.ndarray
    error_order: int
    source: Any
    """SciPy's class, which has the coefficients of the error estimate and of the interpolant."""


_known: dict[str, Tableau] = {}


def tableau(name: str) -> Tableau:
    """The method of a name: Bogacki and Shampine (1989), Dormand and Prince (1980), or Hairer's of order 8 (1993)."""
    if name not in _known:
        from scipy import integrate

        source = getattr(integrate, name)
        _known[name] = Tableau(source.C, source.A, source.B, source.error_estimator_order, source)
    return _known[name]


@dataclass(frozen=True)
class Control:
    """How steps are chosen."""

    rtol: Any = 1e-3
    atol: Any = 1e-6
    first_step: float | None = None
    max_step: float = np.inf


@dataclass
class Step:
    """One accepted step, from ``(t, y)`` by `size` to `y_new`, with the slopes at its stages."""

    method: Tableau
    f: RightSide
    t: Any
    size: Any
    y: Any
    y_new: Any
    slopes: list = field(repr=False)
    end: float = np.nan
    """The time at the end as a number, where the step was chosen by tolerances."""

    def at(self, times: Any) -> Any:
        """The states at a vector of times within the step, one in each row."""
        x = (times - self.t) / self.size
        return self._by_nested(x) if hasattr(self.method.source, "D") else self._by_powers(x)

    def _by_powers(self, x: Any) -> Any:
        """The interpolant of a method of order 3 or 5 (Shampine 1986), a polynomial in the fraction of the step."""
        coefficients = self.method.source.P
        powers = np.stack([x ** (k + 1) for k in range(coefficients.shape[1])], axis=-1)
        return self.y + self.size * ((powers @ coefficients.T) @ np.stack(self.slopes))

    def _by_nested(self, x: Any) -> Any:
        """The interpolant of order 7 of Hairer, Nørsett and Wanner (Solving ODEs I, II.6), with three more slopes."""
        source, h, slopes = self.method.source, self.size, list(self.slopes)
        for a, c in zip(source.A_EXTRA, source.C_EXTRA, strict=True):
            slopes.append(self.f(self.t + c * h, self.y + h * _combined(a[: len(slopes)], slopes)))
        change = self.y_new - self.y
        first, last = h * slopes[0] - change, h * slopes[len(self.slopes) - 1]
        terms = [change, first, change - last - first]
        terms += [h * _combined(row, slopes) for row in source.D]
        x = x[..., None]
        total: Any = 0.0
        for i, term in enumerate(reversed(terms)):
            total = (total + term) * (x if i % 2 == 0 else 1 - x)
        return self.y + total


class Failure(Exception):
    """The steps became too small; holds the time."""

    def __init__(self, t: float):
        super().__init__(f"at t = {t} the step that the tolerances ask for is less than the spacing between numbers")


def _combined(coefficients: np.ndarray, slopes: list) -> Any:
    """A linear combination of slopes; those with the coefficient 0 are left out."""
    used = np.flatnonzero(coefficients)
    if len(used) == 1:
        return float(coefficients[used[0]]) * slopes[used[0]]
    return coefficients[used] @ np.stack([slopes[i] for i in used])


def _step(method: Tableau, f: RightSide, t: Any, y: Any, slope: Any, h: Any) -> Step:
    slopes = [slope]
    for a, c in zip(method.stages[1:], method.nodes[1:], strict=True):
        slopes.append(f(t + float(c) * h, y + h * _combined(a[: len(slopes)], slopes)))
    y_new = y + h * _combined(method.weights, slopes)
    slopes.append(f(t + h, y_new))
    return Step(method, f, t, h, y, y_new, slopes)


def equal_steps(method: Tableau, f: RightSide, times: Any, y: Any, number: int) -> Iterator[Any]:
    """The states at all times, with so many equal steps from each to the next."""
    yield y
    slope = None
    for k in range(len(times) - 1):
        h = (times[k + 1] - times[k]) / number
        for j in range(number):
            t = times[k] + j * h
            step = _step(method, f, t, y, f(t, y) if slope is None else slope, h)
            y, slope = step.y_new, step.slopes[-1]
        yield y


# Steps by tolerances -------------------------------------------------------------------------------------------


def steps(method: Tableau, f: RightSide, t0: Any, stop: float, y: Any, control: Control) -> Iterator[Step]:
    """The steps from `t0` until `stop` that keep the estimated error within the tolerances.

    Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, section II.4.

    Raises
    ------
    Failure
        If the steps become too small.
    """
    start = float(innermost(t0))
    direction = 1.0 if stop >= start else -1.0
    now, slope = start, f(t0, y)
    size = control.first_step or _first_step(method, f, t0, y, slope, stop, control)
    exponent = -1 / (method.error_order + 1)
    while direction * (stop - now) > 0:
        smallest = 10 * abs(float(np.nextafter(now, direction * np.inf)) - now)
        size = min(max(size, smallest), control.max_step)
        rejected = False
        while True:
            if size < smallest:
                raise Failure(now)
            after = now + direction * size
            if direction * (after - stop) > 0:
                after = stop
            h = after - now
            # The time as it depends on the start, from which the steps keep their distances.
            step = _step(method, f, t0 + (now - start), y, slope, h)
            error = _error(step, control)
            if error < 1:
                factor = 10.0 if error == 0 else min(10.0, 0.9 * error**exponent)
                size = abs(h) * (min(1.0, factor) if rejected else factor)
                step.end = after
                break
            size = abs(h) * max(0.2, 0.9 * error**exponent)
            rejected = True
        yield step
        now, y, slope = after, step.y_new, step.slopes[-1]


def _error(step: Step, control: Control) -> float:
    """The estimated error of a step, relative to the tolerances; of a batch the largest."""
    with tape.no_grad():
        y, y_new, *slopes = map(bare, (step.y, step.y_new, *step.slopes))
        scale = control.atol + np.maximum(np.abs(y), np.abs(y_new)) * control.rtol
        source, h = step.method.source, abs(innermost(step.size))
        if not hasattr(source, "E5"):
            return _largest(_norm(h * _combined(source.E, slopes) / scale))
        fifth = np.mean(np.abs(_combined(source.E5, slopes) / scale) ** 2, axis=-1)
        third = np.mean(np.abs(_combined(source.E3, slopes) / scale) ** 2, axis=-1)
        below = fifth + 0.01 * third
        return _largest(h * fifth / np.sqrt(np.where(below == 0, 1.0, below)))


def _norm(vector: Any) -> Any:
    return np.sqrt(np.mean(np.abs(vector) ** 2, axis=-1))


def _largest(value: Any) -> float:
    return float(np.max(everything(bare(value)) if isinstance(value, Wrapper) else value))


def _first_step(method: Tableau, f: RightSide, t: Any, y: Any, slope: Any, stop: float, control: Control) -> float:
    """A size to begin with, from the sizes of the state and of its first two derivatives (there, II.4)."""
    with tape.no_grad():
        y, slope = bare(y), bare(slope)
        start = innermost(t)
        length, direction = abs(stop - start), 1.0 if stop >= start else -1.0
        if length == 0 or not len(np.atleast_1d(everything(y))):
            return length
        scale = control.atol + np.abs(y) * control.rtol
        state, first = _largest(_norm(y / scale)), _largest(_norm(slope / scale))
        trial = 1e-6 if state < 1e-5 or first < 1e-5 else 0.01 * state / first
        trial = min(trial, length)
        later = bare(f(start + direction * trial, y + direction * trial * slope))
        second = _largest(_norm((later - slope) / scale)) / trial
        if first <= 1e-15 and second <= 1e-15:
            guess = max(1e-6, trial * 1e-3)
        else:
            guess = (0.01 / max(first, second)) ** (1 / (method.error_order + 1))
        return float(min(100 * trial, guess, length, control.max_step))
