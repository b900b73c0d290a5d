"""Cotangents as values: brought to the shape and dtype of what they belong to, guarded, added up, written into."""

import sys
from cmath import isfinite
from sys import getrefcount
from typing import Any

import numpy as np

from wengert.arrays import sum_first, sum_last
from wengert.large import LEAST, adding
from wengert.planned import whole
from wengert.protocol import Spec, Wrapper, everything


def fit(c: Any, like: Spec) -> Any:
    """Bring the cotangent of a broadcast or promoted operand back to the operand's own shape and dtype."""
    if c.__class__ is np.ndarray and c.size > LEAST and c.shape != like.shape:
        return _fit_large(c, like)
    return _fit(c, like)


def _fit(c: Any, like: Spec) -> Any:
    if c.shape != like.shape:
        extra = c.ndim - like.ndim
        if extra:
            c = sum_first(c, extra)
        stretched = tuple(i for i, (n, m) in enumerate(zip(c.shape, like.shape, strict=True)) if n != m)
        if stretched:
            c = sum_last(c)[..., None] if stretched == (c.ndim - 1,) else np.sum(c, axis=stretched, keepdims=True)
    return cast(c, like.dtype)


_fit_large = whole(_fit, backward=True)


def cast(c: Any, dtype: np.dtype) -> Any:
    """Bring a cotangent to the operand's dtype: of a complex one, a real operand feels the real part."""
    if c.dtype is dtype:
        return c
    if c.dtype.kind == "c" and dtype.kind != "c":
        c = np.real(c)
    return c.astype(dtype)


def zeros(like: Spec, g: Any) -> Any:
    """A zero cotangent into which `g`, or something made from it, will be written."""
    if isinstance(g, Wrapper):
        return g._zeros(like)
    return np.zeros(like.shape, like.dtype) if like.shape else like.dtype.type(0)


def guard(c: Any, g: Any) -> Any:
    """A zero cotangent wins over an infinite or undefined partial: ``0 * inf`` is 0 here, not NaN."""
    value = everything(c)
    if value.__class__ is np.ndarray:
        flat = value.ravel("K")
        check = flat.dot(flat) if flat.size <= 4096 else np.add.reduce(flat)
    else:
        check = value
    # A finite product may overflow in the check: that costs time, no more. A recorded program always selects.
    if not isinstance(value, Wrapper):
        if isfinite(check):
            return c
    elif value.shape != np.shape(g) and np.all(np.isfinite(value)):
        return c
    elif c is value:
        return c._guarded(g)
    return selected(c, g)


def selected(c: Any, g: Any) -> Any:
    """The partial, or 0 where it is infinite or undefined and the cotangent is 0."""
    return np.where(np.logical_and(g == 0, np.logical_not(np.isfinite(c))), np.zeros((), c.dtype)[()], c)


def _calibrate() -> tuple[int, int]:
    """What `getrefcount` says of an object that one local variable holds; and of one that is passed on from there."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return 0, 0  # without the GIL counts are estimates: nothing is ever taken to be ours alone
    only = object()
    return getrefcount(only), _count_argument(only)


def _count_argument(value: Any) -> int:
    return getrefcount(value)


ALONE, ALONE_WITH_CALLER = _calibrate()


def is_window(c: Any) -> bool:
    """Whether writing into a cotangent would write into something else, or nowhere."""
    if c.__class__ is np.ndarray:
        return c.base is not None or not c.flags.writeable
    # Views hold the array, or the tensor, that they are of; but not a wrapper around it.
    return isinstance(c, Wrapper) and (c._is_view or c._has_views)


def add_large(grads: dict, order: int, c: Any) -> None:
    """Add to a large waiting cotangent, in place where nobody else holds it."""
    s = grads.pop(order)
    if s.__class__ is np.ndarray is c.__class__ and getrefcount(s) <= ALONE and s.base is None:
        grads[order] = adding(s, c) if s.size > LEAST and s.shape == c.shape else np.add(s, c, out=s)
    else:
        grads[order] = s + c


def multiply_large(g: Any, partial: Any) -> Any:
    """``g * partial`` for a large cotangent that is used for the last time: in its own buffer, if nobody else has it.

    The rule that calls this has `g` in a local variable, so here there is one reference more.
    """
    if (
        g.__class__ is np.ndarray is partial.__class__
        and getrefcount(g) <= ALONE_WITH_CALLER
        and g.dtype is partial.dtype
        and g.shape == partial.shape
        and not is_window(g)
    ):
        return np.multiply(g, partial, out=g)
    return g * partial
