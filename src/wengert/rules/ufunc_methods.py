"""The methods of ufuncs: outer, accumulate, reduce, reduceat and at, for every ufunc that has rules.

Sums, products and extrema have rules of their own (`reductions`). Of any other ufunc f the accumulation is the chain
``y[i] = f(y[i - 1], x[i])``, whose derivative follows from the partials of f at all steps at once: its cotangents are
a linear recurrence. A reduction is the last element of that.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ArgumentError, LostGradientError, MissingRuleError
from wengert.primitive import REGISTRY, composite, is_wrapper, linear, name_of, needs, primitive, ufunc_method
from wengert.protocol import anywhere, constant, everywhere, indexable, innermost, spec_of
from wengert.rules.elementwise import choose, only
from wengert.rules.recurrences import recurrence_back
from wengert.rules.reductions import (
    UNSET,
    _of_dtype,
    _prepared,
    normal_axes,
    normal_axis,
    part,
    shared_among,
    spread,
)


def array(x: Any) -> Any:
    """Wrappers as they are, anything else as an array."""
    return x._as_numpys() if is_wrapper(x) else np.asarray(x)


def _partial(ufunc: np.ufunc, i: int, **values: Any) -> Any:
    """The partial derivative of a ufunc by operand `i`, or the product with ``g`` if that is among the values."""
    rule = REGISTRY[ufunc].rules[i]
    values = {"g": np.ones_like(values["y"]), **values}
    result = 0 if rule is None else rule(**{name: values[name] for name in needs(rule)})
    return result * values["g"] if rule is None or "g" not in needs(rule) else result


def _by_chain(ufunc: np.ufunc) -> int | None:
    """The partial derivative by the first operand, where it is the same everywhere."""
    rule = REGISTRY[ufunc].rules[0]
    return None if rule is not None and needs(rule) else 0 if rule is None else rule()


def _refusing(ufunc: np.ufunc, method: str) -> Callable:
    """NumPy's own error for a ufunc that has no such method (one operand, or two outputs)."""

    def refuse(*args, **keywords):
        getattr(ufunc, method)(*map(innermost, args), **keywords)
        raise MissingRuleError(
            f"[{ufunc.__name__}.{method}] a ufunc of two operands and one output was required; received "
            f"{ufunc.nin} and {ufunc.nout}; apply the ufunc in a loop"
        )

    return refuse


def _binary(ufunc: np.ufunc) -> bool:
    return ufunc.nin == 2 and ufunc.nout == 1 and ufunc.signature is None


# outer -----------------------------------------------------------------------------------------------------------


@ufunc_method("outer")
def _outer(ufunc):
    if ufunc.nin != 2 or ufunc.signature is not None:
        return _refusing(ufunc, "outer")

    def outer(a, b, **keywords):
        a, b = array(a), array(b)
        return ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **keywords)

    return outer


# accumulate ------------------------------------------------------------------------------------------------------


def _accumulate(x, ufunc=None, axis=0):
    return ufunc.accumulate(x, axis=axis)


def _accumulate_rule(g, x, y, ufunc, axis):
    step = {"a": part(y, axis, None, -1), "b": part(x, axis, 1, None), "y": part(y, axis, 1, None)}
    one = np.ones_like(part(x, axis, None, 1))
    by_operand = np.concatenate([one, _partial(ufunc, 1, **step)], axis=axis)
    if _by_chain(ufunc) == 0:
        return g * by_operand
    if _by_chain(ufunc) == 1:
        return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis) * by_operand
    by_chain = np.concatenate([one, _partial(ufunc, 0, **step)], axis=axis)
    if ufunc is np.copysign:  # all are the first, with another sign
        total = np.sum(g * np.cumprod(by_chain, axis=axis), axis=axis, keepdims=True)
        return total * by_operand
    return recurrence_back(by_chain, g, axis) * by_operand


def _running(x, ufunc=None, axis=0):
    return ufunc.accumulate(x, axis=axis)


def _running_rule(g, x, y, ufunc, axis):
    """Extrema so far: all elements so far that are equal to one share its cotangent evenly."""
    x, y = constant(x), constant(y)
    changes = np.not_equal(part(y, axis, 1, None), part(y, axis, None, -1)) & ~np.isnan(part(y, axis, None, -1))
    if ufunc in (np.fmax, np.fmin):
        changes = changes | np.isnan(part(y, axis, None, -1)) & ~np.isnan(part(y, axis, 1, None))
    same = np.concatenate([np.zeros_like(part(y, axis, None, 1), bool), ~changes], axis=axis)
    taken = np.equal(x, y) | (np.isnan(x) & np.isnan(y))
    if x.__class__ is np.ndarray and x.size and np.count_nonzero(taken) == x.size - np.count_nonzero(same):
        return _to_starts(g, ~same, axis)
    # How many have shared since the value changed; where it did, it is one.
    total = np.cumsum(np.astype(taken, int), axis=axis)
    ties = total - np.maximum.accumulate(np.where(same, 0, total - 1), axis=axis)
    return only(taken, recurrence_back(same.astype(x.dtype), g / ties.astype(x.real.dtype), axis))


def _to_starts(g, begins, axis):
    """Without ties the first element of a run has the sum of all its cotangents."""
    moved, starts = np.moveaxis(g, axis, -1), np.flatnonzero(np.moveaxis(begins, axis, -1))
    sums = np.zeros_like(g, shape=begins.size)
    sums[starts] = np.add.reduceat(np.ravel(moved), starts)
    return np.moveaxis(np.reshape(sums, moved.shape), -1, axis)


_accumulate = primitive(_accumulate, _accumulate_rule, batch="axis")
_running = primitive(_running, _running_rule, batch="axis")


def _in_double(ufunc: np.ufunc, a: Any) -> tuple[np.ufunc, Any]:
    """``float_power`` is the power in double precision; other ufuncs are what they are."""
    if ufunc is not np.float_power:
        return ufunc, a
    return np.power, np.astype(a, np.result_type(a.dtype, float), copy=False)


@ufunc_method("accumulate")
def _accumulate_of(ufunc):
    if not _binary(ufunc):
        return _refusing(ufunc, "accumulate")
    chain = _running if ufunc in EXTREMA else _accumulate

    def accumulate(array, axis=0, dtype=None, out=None):
        f, a = _in_double(ufunc, _prepared(array, axis, dtype, UNSET, 0))
        if a.dtype.kind not in "fc":
            return _accumulate(constant(a), ufunc=ufunc, axis=axis)
        if not a.ndim:
            raise TypeError("cannot accumulate on a scalar")
        return chain(a, ufunc=f, axis=normal_axis(axis, a.ndim))

    return accumulate


# reduce ----------------------------------------------------------------------------------------------------------

EXTREMA = frozenset({np.maximum, np.minimum, np.fmax, np.fmin})
POOLED = frozenset({np.logaddexp, np.logaddexp2, np.hypot})
"""Associative ufuncs whose partial needs the operand and the result only: it is that of the reduction as well."""
NEUTRAL = {np.subtract: 0, np.divide: 1, np.power: 1, np.float_power: 1, np.fmax: np.nan, np.fmin: np.nan}
"""Second operands that change nothing, of ufuncs without an identity."""


def _pooled(x, ufunc=None, axis=None, keepdims=False):
    return ufunc.reduce(x, axis=axis, keepdims=keepdims)


def _pooled_rule(g, x, y, like, ufunc, axis, keepdims):
    g, y = (spread(v, like, axis, keepdims) for v in (g, y))
    return _pooled_shares(ufunc, g, x, y, lambda share: np.sum(share, axis=axis, keepdims=True))


def _pooled_shares(ufunc, g, x, y, total):
    if ufunc is np.hypot:
        return _partial(ufunc, 0, g=g, a=x, y=y)
    # Shares of a sum of exponentials are 1 together, which large results are too coarse for.
    difference = choose(np.isinf(y) & (x == y), np.zeros_like(y), x - y)
    share = (np.exp if ufunc is np.logaddexp else np.exp2)(difference)
    return choose(y == -np.inf, np.zeros_like(g), g * share / total(share))


def _first_minus_rest(x, axis=-1):
    return np.subtract.reduce(x, axis=axis)


def _quotients(x, axis=-1):
    return np.divide.reduce(x, axis=axis)


def _first_positive(like, axis):
    """1 for the first element along an axis, and -1 for the others: these are subtracted from it, or divide it."""
    signs = np.full(like.shape[axis], -1, like.dtype)
    signs[:1] = 1
    return signs.reshape(-1, *(1,) * (like.ndim - 1 - axis % like.ndim))


def _quotients_rule(g, x, y, like, axis):
    if not anywhere((y == 0) | ~np.isfinite(y)):
        return np.expand_dims(g * y, axis) * _first_positive(like, axis) / x
    first, rest = part(x, axis, None, 1), part(x, axis, 1, None)
    inverse = _quotients(np.concatenate([np.ones_like(first), rest], axis=axis), axis=axis)
    g, y, inverse = (np.expand_dims(v, axis) for v in (g, y, inverse))
    return np.concatenate([g * inverse, -(g * y) / rest], axis=axis)


def _fold(x, ufunc=None, axis=-1):
    """The last of the chain: of `power` and `arctan2` NumPy's ``reduce`` is none where elements are contiguous."""
    return np.take(ufunc.accumulate(x, axis=axis), -1, axis)


def _fold_rule(g, x, ufunc, axis):
    """Each partial by the chain times all later ones."""
    chain = _accumulate(x, ufunc=ufunc, axis=axis)
    step = {"a": part(chain, axis, None, -1), "b": part(x, axis, 1, None), "y": part(chain, axis, 1, None)}
    one = np.ones_like(part(x, axis, None, 1))
    by_operand = np.concatenate([one, _partial(ufunc, 1, **step)], axis=axis)
    if _by_chain(ufunc) == 1:
        return np.expand_dims(g, axis) * by_operand
    later = np.flip(_partial(ufunc, 0, **step), axis)
    later = np.flip(np.concatenate([one, np.cumprod(later, axis=axis)], axis=axis), axis)
    return np.expand_dims(g, axis) * later * by_operand


def _largest_present(x, axis=None, keepdims=False):
    return np.fmax.reduce(x, axis=axis, keepdims=keepdims)


def _least_present(x, axis=None, keepdims=False):
    return np.fmin.reduce(x, axis=axis, keepdims=keepdims)


def _present_extremum_rule(g, x, y, like, axis, keepdims):
    """As of `max`, but NaNs take part only where there is nothing else."""
    stretched = spread(y, like, axis, keepdims)
    taken = x == stretched
    if anywhere(y != y):
        taken = np.logical_or(taken, stretched != stretched)
    return shared_among(taken, g, like, axis, keepdims)


_pooled = primitive(_pooled, _pooled_rule, batch="axis")
_largest_present = primitive(_largest_present, _present_extremum_rule, batch="axis")
_least_present = primitive(_least_present, _present_extremum_rule, batch="axis")
_fold = primitive(_fold, _fold_rule, batch="axis")
FROM_FIRST = {
    np.subtract: linear(
        _first_minus_rest,
        lambda g, like, axis: np.expand_dims(g, axis) * _first_positive(like, axis),
        batch="axis",
    ),
    np.divide: primitive(_quotients, _quotients_rule, singular=True, batch="axis"),
}
PRESENT = {np.fmax: _largest_present, np.fmin: _least_present}


@ufunc_method("reduce")
def _reduce_of(ufunc):
    if not _binary(ufunc):
        return _refusing(ufunc, "reduce")

    def reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=UNSET, where=True):
        f, a = _in_double(ufunc, _prepared(array, axis, dtype, UNSET, 0))
        if a.dtype.kind not in "fc":
            if not is_wrapper(initial) or initial.dtype.kind not in "fc":
                keywords = {} if initial is UNSET else {"initial": innermost(initial)}
                return ufunc.reduce(innermost(a), axis=axis, keepdims=keepdims, where=innermost(where), **keywords)
            a = innermost(a).astype(initial.dtype)
        # NumPy's own errors: of wrong axes, or more than one of a ufunc that is not associative.
        ufunc.reduce(np.ones((1,) * a.ndim, a.dtype), axis=axis)
        if where is not True:
            a = np.where(where, a, _neutral(ufunc, initial, where))
        axes = tuple(range(a.ndim)) if axis is None else normal_axes(axis, a.ndim) if a.ndim else ()
        initial = initial if initial is UNSET or initial is None else _of_dtype(initial, a.dtype)
        if initial is UNSET or initial is None:
            return _reduced(f, a, axes, keepdims)
        if 0 in [a.shape[i] for i in axes]:
            shape = np.sum(np.empty(a.shape), axis=axes, keepdims=keepdims).shape
            return np.broadcast_to(initial, shape)[()]
        if ufunc in POOLED or ufunc in EXTREMA:
            return f(initial, _reduced(f, a, axes, keepdims))
        rows = _rows(a, axes)
        first = np.broadcast_to(initial, (*rows.shape[:-1], 1))
        return _unrowed(_accumulate(np.concatenate([first, rows], axis=-1), ufunc=f, axis=-1), a, axes, keepdims)

    return reduce


def _neutral(ufunc: np.ufunc, initial: Any, where: Any) -> Any:
    neutral = NEUTRAL.get(ufunc, ufunc.identity)
    if ufunc.identity is None and (initial is UNSET or initial is None):
        raise ValueError(
            f"reduction operation '{ufunc.__name__}' does not have an identity, so to use a where mask one has to "
            f"specify 'initial'"
        )
    if neutral is None:
        raise ArgumentError(
            f"[{ufunc.__name__}.reduce] a ufunc with an operand that changes nothing was required for where=; received "
            f"a mask of {spec_of(where)!r}; select the elements before"
        )
    return neutral


def _reduced(ufunc: np.ufunc, a: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if ufunc in PRESENT:
        return PRESENT[ufunc](a, axis=axes, keepdims=keepdims)
    if ufunc in POOLED:
        return _pooled(a, ufunc=ufunc, axis=axes, keepdims=keepdims)
    if 0 in [a.shape[i] for i in axes]:
        return ufunc.reduce(innermost(a), axis=axes, keepdims=keepdims)
    rows, axis = (a, axes[0]) if len(axes) == 1 else (_rows(a, axes), -1)
    if ufunc in FROM_FIRST:
        return _kept(FROM_FIRST[ufunc](rows, axis=axis), a, axes, keepdims)
    if ufunc is np.copysign and rows.shape[axis] > 1:  # the sign is the last one
        last = part(rows, axis, -1, None)
        return _kept(np.copysign(part(rows, axis, None, 1), last).squeeze(axis), a, axes, keepdims)
    if ufunc is np.heaviside and rows.shape[axis] > 1:  # without a derivative by what comes before the last
        y = _fold(constant(part(rows, axis, None, -1)), ufunc=ufunc, axis=axis)
        return _kept(np.heaviside(y, part(rows, axis, -1, None).squeeze(axis)), a, axes, keepdims)
    return _kept(_fold(rows, ufunc=ufunc, axis=axis), a, axes, keepdims)


def _rows(a: Any, axes: tuple[int, ...]) -> Any:
    """The axes to reduce as one, the last."""
    kept = [i for i in range(a.ndim) if i not in axes]
    n = int(np.prod([a.shape[i] for i in axes], dtype=int))
    return np.reshape(np.transpose(a, [*kept, *sorted(axes)]), (*[a.shape[i] for i in kept], n))


def _unrowed(rows: Any, a: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return _kept(rows[..., -1], a, axes, keepdims)


def _kept(y: Any, a: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return np.reshape(y, tuple(1 if i in axes else n for i, n in enumerate(a.shape))) if keepdims else y


# reduceat --------------------------------------------------------------------------------------------------------


def _segments(x, ufunc=None, begins=None, axis=0):
    """Reductions of segments that follow each other without gaps."""
    return ufunc.reduceat(x, begins, axis=axis)


def _segments_rule(g, x, y, ufunc, begins, axis):
    lengths = np.diff(begins, append=x.shape[axis])

    def stretch(v):
        return np.repeat(v, lengths, axis=axis)

    if ufunc is np.add:
        return stretch(g)
    if ufunc is np.multiply:
        return stretch(g * y) / x
    if ufunc in POOLED:
        sums = {"ufunc": np.add, "begins": begins, "axis": axis}
        return _pooled_shares(ufunc, stretch(g), x, stretch(y), lambda share: stretch(_segments(share, **sums)))
    taken = np.equal(x, stretch(y))
    if anywhere(np.isnan(y)):
        taken = taken | np.isnan(stretch(y)) & (np.isnan(x) if ufunc in (np.maximum, np.minimum) else True)
    if taken.__class__ is not np.ndarray or np.count_nonzero(taken) != g.size:
        g = g / _segments(np.astype(taken, int), ufunc=np.add, begins=begins, axis=axis).astype(g.real.dtype)
    elif g.__class__ is np.ndarray and 64 * g.size < taken.size:
        places = np.nonzero(taken) if taken.ndim > 1 else (np.flatnonzero(taken),)
        owners = np.searchsorted(begins, places[axis], "right") - 1
        few = np.zeros(taken.shape, g.dtype)
        few[places] = g[(*places[:axis], owners, *places[axis + 1 :])]
        return few
    return only(taken, stretch(g))


_segments = primitive(_segments, _segments_rule, batch="axis")


@ufunc_method("reduceat")
def _reduceat_of(ufunc):
    if not _binary(ufunc):
        return _refusing(ufunc, "reduceat")
    at_once = {np.add, np.multiply} | EXTREMA | POOLED

    def reduceat(array, indices, axis=0, dtype=None, out=None):
        f, a = _in_double(ufunc, _prepared(array, axis, dtype, UNSET, 0))
        starts = np.asarray(innermost(indices))
        if a.dtype.kind not in "fc":
            return ufunc.reduceat(innermost(a), starts, axis=axis)
        axis = normal_axis(axis, a.ndim)
        n = a.shape[axis]
        if starts.ndim != 1 or starts.dtype.kind not in "iu" or anywhere((starts < 0) | (starts >= n)):
            ufunc.reduceat(np.ones(n, a.dtype), starts)  # raises what NumPy raises
        if not len(starts):
            return part(a, axis, 0, 0)
        stops = np.append(starts[1:], n)
        lengths = np.maximum(stops - starts, 1)
        begins = np.cumsum(lengths) - lengths
        if everywhere(stops > starts):
            a = part(a, axis, int(starts[0]), None)
        else:
            # Segments that overlap, or of one element: gathered one after the other.
            a = np.take(a, np.repeat(starts - begins, lengths) + np.arange(np.sum(lengths)), axis=axis)
        if f in at_once and (f is not np.multiply or not anywhere(a == 0)):
            return _segments(a, ufunc=f, begins=begins, axis=axis)
        ends = begins + lengths
        pieces = [part(a, axis, i, j) for i, j in zip(begins.tolist(), ends.tolist(), strict=True)]
        return np.stack([f.reduce(piece, axis=axis) for piece in pieces], axis=axis)

    return reduceat


for _ufunc in (np.add, np.multiply, np.maximum, np.minimum):
    composite((_ufunc, "reduceat"))(_reduceat_of(_ufunc))
for _ufunc in (np.maximum, np.minimum):
    composite((_ufunc, "accumulate"))(_accumulate_of(_ufunc))


# at --------------------------------------------------------------------------------------------------------------


@ufunc_method("at")
def _at_of(ufunc):
    """Elements that occur more than once are changed in as many rounds. Addition has a record of its own (`writes`)."""

    def at(a, indices, *values):
        if not is_wrapper(a):
            _refuse_plain(ufunc, a, values)
            ufunc.at(a, innermost(indices), *map(innermost, values))
            return
        targets = indexable(np.arange(a.size).reshape(a.shape), indices)[indices]
        flat = targets.ravel()
        order = np.argsort(flat, kind="stable")
        first = np.append(True, flat[order][1:] != flat[order][:-1])[: flat.size]
        again = np.arange(flat.size) - np.maximum.accumulate(np.where(first, np.arange(flat.size), 0))
        if not anywhere(again):
            a[indices] = ufunc(a[indices], *values)
            return
        values = [np.ravel(np.broadcast_to(v, targets.shape)) for v in values]
        rounds = order[np.argsort(again, kind="stable")]
        for members in np.split(rounds, np.cumsum(np.bincount(again))[:-1]):
            index = np.unravel_index(flat[members], a.shape)
            a[index] = ufunc(a[index], *[v[members] for v in values])

    return at


def _refuse_plain(ufunc: np.ufunc, a: Any, values: tuple) -> None:
    if any(is_wrapper(v) and v._carries_gradient() for v in values):
        raise LostGradientError(
            f"[{name_of((ufunc, 'at'))}] a tensor was required to write recorded values into; received a plain array "
            f"of {spec_of(a)!r}; make it with wg.zeros or np.zeros_like(t)"
        )
