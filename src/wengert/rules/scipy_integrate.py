"""scipy.integrate: integrals of samples, as sums of NumPy's functions."""

from typing import Any

import numpy as np
import scipy.integrate as sg

from wengert.protocol import anywhere
from wengert.rules.scipy_tools import inexact, plain, primal, twin

integrate = "integrate"


def _along(v: Any, y: Any, axis: int, name: str) -> Any:
    """Numbers along an axis (or as many as `y` has), with that axis last."""
    v = inexact(v)
    if v.ndim == 1:
        return v
    if v.ndim != y.ndim:
        raise ValueError(f"If given, shape of `{name}` must be 1-D or the same as `y`.")
    return np.moveaxis(v, axis, -1)


def _like(dx: Any, y: Any) -> Any:
    """A distance in the precision of the samples."""
    return inexact(dx).astype(primal(y).real.dtype)


def _checked(x: Any, y: Any) -> None:
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("If given, length of `x` along axis must be the same as `y`.")


@twin(sg.trapezoid, integrate)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = inexact(y)
    d = dx if x is None else np.diff(_along(x, y, axis, "x"), axis=-1)
    y = np.moveaxis(y, axis, -1)
    return np.sum(d * (y[..., 1:] + y[..., :-1]) * 0.5, axis=-1)


@twin(sg.cumulative_trapezoid, integrate)
def cumulative_trapezoid(y, x=None, dx=1.0, axis=-1, initial=None):
    y = inexact(y)
    if y.shape[axis] == 0:
        raise ValueError("At least one point is required along `axis`.")
    if initial is not None and plain(initial) != 0:
        raise ValueError("`initial` must be `None` or `0`.")
    d = dx
    if x is not None:
        x = _along(x, y, axis, "x")
        d = np.diff(x, axis=-1)
    y = np.moveaxis(y, axis, -1)
    if x is not None:
        _checked(x, y)
    total = np.cumsum(d * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)
    return np.moveaxis(_begun(total, initial), -1, axis)


def _begun(total: Any, initial: Any) -> Any:
    """With what it begins at, if that is given."""
    if initial is None:
        return total
    initial = initial if np.ndim(primal(initial)) else np.broadcast_to(inexact(initial), (*total.shape[:-1], 1))
    return np.concatenate([initial.astype(total.dtype), total], axis=-1)


def _parabolas(y: Any, h: Any, start: int, stop: int) -> Any:
    """Simpson's rule for intervals of two steps each, that begin at every second point."""
    y0, y1, y2 = y[..., start:stop:2], y[..., start + 1 : stop + 1 : 2], y[..., start + 2 : stop + 2 : 2]
    h0, h1 = h[..., start:stop:2], h[..., start + 1 : stop + 1 : 2]
    both, ratio = h0 + h1, h0 / h1
    terms = y0 * (2.0 - 1.0 / ratio) + y1 * (both * both / (h0 * h1)) + y2 * (2.0 - ratio)
    return np.sum(both / 6.0 * terms, axis=-1)


@twin(sg.simpson, integrate)
def simpson(y, x=None, *, dx=1.0, axis=-1):
    """An even number of points ends with the correction of Cartwright (J. Math. Sci. Math. Educ. 12, 2017)."""
    y = inexact(y)
    x = None if x is None else _along(x, y, axis, "x")
    y = np.moveaxis(y, axis, -1)
    n = y.shape[-1]
    if x is None:
        h = np.broadcast_to(_like(dx, y), (max(n - 1, 0),))
    else:
        _checked(x, y)
        h = np.diff(x, axis=-1).astype(np.float64)
    if n % 2:
        return _parabolas(y, h, 0, n - 2) if n > 1 else np.sum(y, axis=-1) * 0.0
    if n == 2:
        return 0.5 * h[..., -1] * (y[..., -1] + y[..., -2])
    a, b = h[..., -2], h[..., -1]
    alpha = (2 * b * b + 3 * a * b) / (6 * (a + b))
    beta = (b * b + 3 * a * b) / (6 * a)
    eta = b * b * b / (6 * a * (a + b))
    return _parabolas(y, h, 0, n - 3) + alpha * y[..., -1] + beta * y[..., -2] - eta * y[..., -3]


@twin(sg.cumulative_simpson, integrate)
def cumulative_simpson(y, *, x=None, dx=1.0, axis=-1, initial=None):
    """Of each step, the integral of the parabola through its ends and a point beside: behind, or before the last."""
    y = inexact(y)
    x = None if x is None else _along(x, y, axis, "x")
    y = np.moveaxis(y, axis, -1)
    n = y.shape[-1]
    if x is None:
        dx = inexact(dx) if n > 2 else _like(dx, y)
        dx = np.moveaxis(dx, axis, -1) if dx.ndim == y.ndim else dx
        h = np.broadcast_to(dx, (*y.shape[:-1], n - 1))
    else:
        _checked(x, y)
        if anywhere(np.diff(primal(x), axis=-1) <= 0):
            raise ValueError("Input x must be strictly increasing.")
        h = np.broadcast_to(np.diff(x, axis=-1), (*y.shape[:-1], n - 1))
    if n < 3:
        steps = 0.5 * h * (y[..., 1:] + y[..., :-1])
    else:
        forward = _step(y[..., :-2], y[..., 1:-1], y[..., 2:], h[..., :-1], h[..., 1:])
        backward = _step(y[..., 2:], y[..., 1:-1], y[..., :-2], h[..., 1:], h[..., :-1])
        even = np.arange(n - 1) % 2 == 0
        wide_forward = np.concatenate([forward, backward[..., -1:]], axis=-1)
        wide_backward = np.concatenate([forward[..., :1], backward], axis=-1)
        steps = np.where(even, wide_forward, wide_backward)
    total = np.cumsum(steps, axis=-1)
    if initial is not None:
        initial = inexact(initial)
        initial = initial if not initial.ndim else np.moveaxis(initial, axis, -1)
        total = total + initial
        total = _begun(total, initial)
    return np.moveaxis(total, -1, axis)


def _step(near: Any, middle: Any, far: Any, h: Any, h2: Any) -> Any:
    """The integral over the step `h` between the first two of three points."""
    ratio = h / (h + h2)
    return h / 6 * ((3 - ratio) * near + (3 + h / h2 * ratio + ratio) * middle - h / h2 * ratio * far)
