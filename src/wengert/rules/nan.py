"""Reductions that pass over NaNs: what is not there gets no gradient, and gives none."""

import warnings
from typing import Any

import numpy as np

from wengert.primitive import composite, is_wrapper
from wengert.protocol import anywhere, everywhere
from wengert.rules.reductions import UNSET
from wengert.rules.ufunc_methods import _reduce_of, array


def missing(a: Any) -> Any:
    """Where the NaNs are; `None` if there are none."""
    if a.dtype.kind not in "fc":
        return None
    mask = np.isnan(a)
    return mask if anywhere(mask) else None


def _filled(a: Any, value: Any) -> Any:
    mask = missing(a)
    return a if mask is None else np.where(mask, value, a)


def _given(**keywords: Any) -> dict[str, Any]:
    """The keywords that have a value."""
    return {k: v for k, v in keywords.items() if v is not UNSET and v is not None}


# Sums and products -----------------------------------------------------------------------------------------------


def _filling(function, value):
    def reduce(a, axis=None, dtype=None, out=None, keepdims=UNSET, initial=UNSET, where=UNSET):
        keywords = _given(dtype=dtype, keepdims=keepdims, initial=initial, where=where)
        return function(_filled(a, value), axis=axis, **keywords)

    return reduce


def _filling_along(function, value):
    def cumulate(a, axis=None, dtype=None, out=None):
        return function(_filled(a, value), axis=axis, dtype=dtype)

    return cumulate


composite(np.nansum)(_filling(np.sum, 0))
composite(np.nanprod)(_filling(np.prod, 1))
composite(np.nancumsum)(_filling_along(np.cumsum, 0))
composite(np.nancumprod)(_filling_along(np.cumprod, 1))


# Extrema ---------------------------------------------------------------------------------------------------------


def _extremum(ufunc):
    reduce = _reduce_of(ufunc)

    def extremum(a, axis=None, out=None, keepdims=UNSET, initial=UNSET, where=UNSET):
        y = reduce(a, axis=axis, **_given(keepdims=keepdims, initial=initial, where=where))
        if anywhere(np.isnan(y)):
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=3)
        return y

    return extremum


composite(np.nanmax)(_extremum(np.fmax))
composite(np.nanmin)(_extremum(np.fmin))


# Moments ---------------------------------------------------------------------------------------------------------


def _present(a: Any, where: Any) -> Any:
    """Where there are elements to take: the mask for ``where=`` of the function that knows no NaNs."""
    mask = missing(a)
    if mask is None:
        return where
    return ~mask if where is UNSET or where is True else np.logical_and(~mask, where)


def _axes(a: Any, axis: Any) -> Any:
    """The axes; NumPy gives a number the axes 0 and -1, in some functions."""
    return None if not a.ndim and not isinstance(axis, tuple) and axis in (0, -1) else axis


@composite(np.nanmean)
def nanmean(a, axis=None, dtype=None, out=None, keepdims=UNSET, *, where=UNSET):
    axis = _axes(a, axis)
    where = _present(a, where)
    if a.dtype.char == "e" and where is UNSET:
        where = np.ones(a.shape, bool)  # a mean without where= is one of single precision
    if not everywhere(np.any(np.broadcast_to(True if where is UNSET else where, a.shape), axis=axis)):
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.mean(a, axis=axis, **_given(dtype=dtype, keepdims=keepdims, where=where))


def _moment(function):
    def moment(
        a, axis=None, dtype=None, out=None, ddof=0, keepdims=UNSET, *, where=UNSET, mean=UNSET, correction=UNSET
    ):
        where, axis = _present(a, where), _axes(a, axis)
        spent = ddof if correction is UNSET else correction
        if mean is not UNSET and a.dtype.kind in "fc":
            mean = np.astype(array(mean), a.dtype, copy=False)
        keywords = _given(dtype=dtype, keepdims=keepdims, where=where, mean=mean, correction=correction)
        with np.errstate(divide="ignore", invalid="ignore"):
            y = function(a, axis=axis, ddof=ddof, **keywords)
        if where is UNSET and not is_wrapper(spent) and spent <= 0 and a.size:
            return y
        # Where no freedom is left NumPy makes it NaN here, and an infinity in the functions that know no NaNs.
        taken = np.sum(
            np.broadcast_to(True if where is UNSET else where, a.shape), axis=axis, keepdims=keepdims is True
        )
        if not anywhere(taken <= spent):
            return y
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=3)
        return np.where(taken <= spent, np.nan, y).astype(y.dtype)

    return moment


composite(np.nanvar)(_moment(np.var))
composite(np.nanstd)(_moment(np.std))
