"""Differences, slopes and integrals of what is sampled along an axis; running sums with a first term."""

from typing import Any

import numpy as np

from wengert.primitive import composite, is_wrapper
from wengert.protocol import constant, innermost, is_recorded, lying_as
from wengert.rules.reductions import normal_axes, normal_axis, part
from wengert.rules.ufunc_methods import array

# Slopes ----------------------------------------------------------------------------------------------------------


@composite(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    f = array(f)
    if f.dtype.kind == "b":
        raise TypeError("numpy boolean subtract, the `-` operator, is not supported")
    f = f if f.dtype.kind in "fc" else np.astype(f, float)
    axes = tuple(range(f.ndim)) if axis is None else normal_axes(axis, f.ndim)
    if not varargs:
        spacings = (1.0,) * len(axes)
    elif len(varargs) == 1 and not np.ndim(varargs[0]):
        spacings = varargs * len(axes)
    elif len(varargs) == len(axes):
        spacings = tuple(_spacing(v, f.shape[i]) for v, i in zip(varargs, axes, strict=True))
    else:
        raise TypeError("invalid number of arguments")
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    slopes = tuple(lying_as(_slope(f, i, d, edge_order), f) for i, d in zip(axes, spacings, strict=True))
    return slopes[0] if len(axes) == 1 else slopes


def _spacing(given: Any, n: int) -> Any:
    """Distances from sample to sample: one for all, or those between coordinates."""
    if not np.ndim(given):
        return given
    given = array(given)
    if given.ndim != 1:
        raise ValueError("distances must be either scalars or 1d")
    if len(given) != n:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    steps = np.diff(given if given.dtype.kind in "fc" else np.astype(given, float))
    # Recorded coordinates have derivatives of their own, and are never taken for one distance.
    is_even = not is_wrapper(steps) and steps.size and (steps == steps[0]).all()
    return steps[0] if is_even else steps


def _slope(f: Any, axis: int, d: Any, edge_order: int) -> Any:
    """The slope at each sample from its neighbours, so that parabolas are differentiated exactly, as NumPy has it."""
    if f.shape[axis] < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are "
            "required."
        )
    if np.ndim(d):
        d = np.reshape(d, (-1, *(1,) * (f.ndim - 1 - axis)))
        inner, ends = _between(f, axis, d), (d[:1], d[1:2], d[-2:-1], d[-1:])
    else:
        inner, ends = (part(f, axis, 2, None) - part(f, axis, None, -2)) / (2.0 * d), (d, d, d, d)
    first = _at_end(f, axis, ends[0], ends[1], edge_order, 1)
    last = _at_end(f, axis, ends[3], ends[2], edge_order, -1)
    return np.concatenate([np.astype(v, f.dtype, copy=False) for v in (first, inner, last)], axis=axis)


def _between(f: Any, axis: int, d: Any) -> Any:
    """The slopes of parabolas through three samples each, in the middle of them."""
    before, after = d[:-1], d[1:]
    left = -after / (before * (before + after))
    middle = (after - before) / (before * after)
    right = before / (after * (before + after))
    samples = part(f, axis, None, -2), part(f, axis, 1, -1), part(f, axis, 2, None)
    return left * samples[0] + middle * samples[1] + right * samples[2]


def _at_end(f: Any, axis: int, near: Any, far: Any, edge_order: int, step: int) -> Any:
    """The slope at the first sample, or at the last one if counted backwards, from the distances next to it."""
    samples = [_sample(f, axis, k, step) for k in range(edge_order + 1)]
    if edge_order == 1:
        return (samples[1] - samples[0] if step > 0 else samples[0] - samples[1]) / near
    own, other, third = _weights(near, far)
    if step > 0:
        return own * samples[0] + other * samples[1] + third * samples[2]
    return -third * samples[2] - other * samples[1] - own * samples[0]


def _sample(f: Any, axis: int, k: int, step: int) -> Any:
    """The sample at a distance from an end, with the axis of length 1."""
    n = f.shape[axis]
    return part(f, axis, k, k + 1) if step > 0 else part(f, axis, n - 1 - k, n - k)


def _weights(near: Any, far: Any) -> tuple:
    """The weights of the three samples at an end, of which a parabola has its slope."""
    if not np.ndim(near):
        return -1.5 / near, 2.0 / near, -0.5 / near
    both = near + far
    return -(2.0 * near + far) / (near * both), both / (near * far), -near / (far * both)


# Differences and integrals ---------------------------------------------------------------------------------------


@composite(np.ediff1d)
def ediff1d(ary, to_end=None, to_begin=None):
    ary = np.ravel(array(ary))
    ends = [None if end is None else np.ravel(array(end)) for end in (to_begin, to_end)]
    for name, end in zip(("to_begin", "to_end"), ends, strict=True):
        if end is not None and not np.can_cast(end.dtype, ary.dtype, casting="same_kind"):
            raise TypeError(f"dtype of `{name}` must be compatible with input `ary` under the `same_kind` rule.")
    differences = ary[1:] - ary[:-1]
    parts = [ends[0], differences, ends[1]]
    parts = [np.astype(p, ary.dtype, copy=False) for p in parts if p is not None]
    return np.concatenate(parts) if len(parts) > 1 else differences


@composite(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = array(y)
    axis = normal_axis(axis, y.ndim)
    if x is not None:
        x = array(x)
        dx = np.diff(x) if x.ndim == 1 else np.diff(x, axis=axis)
        dx = np.reshape(dx, (-1, *(1,) * (y.ndim - 1 - axis))) if x.ndim == 1 else dx
    return np.sum(dx * (part(y, axis, 1, None) + part(y, axis, None, -1)) / 2.0, axis=axis)


@composite(np.unwrap, numpys=True)
def unwrap(p, discont=None, axis=-1, *, period=2 * np.pi):
    """What is added are whole periods: piecewise constant in the phase, linear in the period."""
    plain, turn = constant(p), innermost(period)
    plain = plain if is_recorded(plain) else innermost(plain)
    smooth = np.unwrap(plain, innermost(discont), axis, period=turn)
    if smooth.dtype.kind not in "f":
        return smooth
    whole = np.rint((smooth - plain) / turn)
    return np.astype(p, smooth.dtype, copy=False) + np.astype(whole * period, smooth.dtype, copy=False)


# Running sums and products ---------------------------------------------------------------------------------------


def _cumulative(along, first):
    def cumulative(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
        x = np.reshape(x, (1,)) if not x.ndim else x
        if axis is None:
            if x.ndim > 1:
                raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
            axis = 0
        running = along(x, axis=axis, dtype=dtype)
        if not include_initial:
            return running
        axis = normal_axis(axis, x.ndim)
        initial = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), first, running.dtype)
        return np.concatenate([initial, running], axis=axis)

    return cumulative


composite(np.cumulative_sum)(_cumulative(np.add.accumulate, 0))
composite(np.cumulative_prod)(_cumulative(np.multiply.accumulate, 1))
