"""Derivatives by differences of values, and gradients held to them."""

from collections.abc import Callable, Sequence

import numpy as np

from wengert.testing.calls import double, units
from wengert.testing.reports import worst

__all__ = ["along_one_line", "beside_differences", "differences"]

_OTHER_STEPS = (1.37, 0.71)
"""What steps are multiplied by to see whether differences depend on them; no simple ratios, as rounding has those."""


def beside_differences(
    what: str, names: Sequence[str], got: Sequence, f: Callable, values: Sequence, rtol: float, atol: float, eps: float
) -> str | None:
    """A report of the worst entry of a gradient of the real function `f`, `None` if it is that of the differences.

    The steps are `eps`, and if that does not fit, `eps` times the size of each entry: a function may live at scales
    that are smaller.
    """
    values = [double(x) for x in values]
    first = None
    for steps in (_steps(values, eps), _relative_steps(values, eps)):
        if steps is None:
            break
        with np.errstate(all="ignore"):
            expected = differences(f, values, steps)
            largest = max(np.max(np.abs(e), initial=0.0) for e in expected)
            floors = [_floor(f, values, steps, k, e, atol, largest) for k, e in enumerate(expected)]
        report = worst(what, names, got, expected, rtol, floors, steps)
        if report is None:
            return None
        first = first or report
    return first


def _steps(values: Sequence, eps: float) -> list:
    """The step at each number: longer where rounding would eat it."""
    return [np.fmax(eps, 1e-6 * np.abs(x)) for x in values]


def _relative_steps(values: Sequence, eps: float) -> list | None:
    """Steps in proportion to the numbers, those at zero as for the least of the others; `None` if none is shorter."""
    steps = []
    for x in values:
        size = np.abs(x)
        least = np.min(size, initial=1.0, where=(size > 0) & np.isfinite(size))
        steps.append(np.fmin(eps, eps * np.where(size > 0, size, least)))
    return steps if any(np.any(s < eps) for s in steps) else None


def _floor(
    f: Callable, values: Sequence, steps: Sequence, k: int, expected: np.ndarray, atol: float, largest: float
) -> float:
    """The absolute tolerance for one array: `atol`, and less for tiny gradients that do not come from rounding.

    Those are tiny for all arrays, and do not depend on the steps.
    """
    scale = np.max(np.abs(expected), initial=0.0)
    if not 1e-6 * largest < scale < 100 * atol:
        return atol
    for factor in _OTHER_STEPS:
        other = differences(f, values, [factor * s for s in steps], only=k)[k]
        if not np.all(np.abs(other - expected) <= 1e-3 * scale):
            return atol
    return min(atol, 1e-2 * scale)


def differences(f: Callable, values: Sequence, steps: Sequence, only: int | None = None) -> list:
    """Gradient of the real function `f` by central differences of fourth order, in double precision.

    For a complex entry x + iy it is df/dx + i df/dy, the direction in which `f` grows fastest. With `only`, the other
    arrays' gradients are left at zero.
    """
    slopes = [np.zeros(x.shape, x.dtype) for x in values]
    for k, index, unit in units(values):
        if only is None or k == only:
            step = float(steps[k][index])
            ends = [float(f(*_moved(values, k, index, n * step * unit))) for n in (1, -1, 2, -2)]
            slopes[k][index] += unit * _slope(ends, step)
    return slopes


def _slope(ends: Sequence[float], step: float) -> float:
    return (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * step)


def _moved(values: Sequence, k: int, index: tuple, by: complex) -> list:
    """The values with one entry of one of them moved."""
    moved = list(values)
    array = np.array(values[k])
    array[index] += by
    moved[k] = array if isinstance(values[k], np.ndarray) else array[()]
    return moved


def along_one_line(
    f: Callable, gradient: Callable, values: Sequence, rtol: float, atol: float, eps: float
) -> str | None:
    """The same beside the given place, along one line: a rule may be right at one point only by luck.

    Nothing is moved farther than `differences` moves it.
    """
    values = [double(x) for x in values]
    random = np.random.default_rng(1)
    for steps in (_steps(values, eps), _relative_steps(values, eps)):
        if steps is None:
            break
        moves = [s * random.uniform(0.5, 1.0, np.shape(x)) for s, x in zip(steps, values, strict=True)]
        at = [_like(x + 0.5 * m, x) for x, m in zip(values, moves, strict=True)]
        with np.errstate(all="ignore"):
            ends = [
                float(f(*(_like(x + n * 0.25 * m, x) for x, m in zip(at, moves, strict=True)))) for n in (1, -1, 2, -2)
            ]
            parts = [np.real(g) * m for g, m in zip(gradient(at), moves, strict=True)]
        expected, got = _slope(ends, 0.25), sum(float(np.sum(part)) for part in parts)
        size = sum(float(np.sum(np.abs(part))) for part in parts)
        room = rtol * max(size, abs(expected)) + atol * sum(float(np.sum(np.abs(m))) for m in moves)
        if abs(got - expected) <= room + 1e-13 * max(map(abs, ends)):
            return None
    return (
        f"beside the given arguments, which are moved by up to {0.5 * eps:.2g}: got a slope of {got} along a line, "
        f"expected {expected}; the rule fits at the arguments themselves by chance"
    )


def _like(x: np.ndarray, kind: np.ndarray) -> np.ndarray:
    return x if isinstance(kind, np.ndarray) else x[()]
