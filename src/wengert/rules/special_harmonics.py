"""Legendre functions and spherical harmonics in the forms of SciPy that take `diff_n`, which do not ask tensors.

Twins (see `scipy_tools`). As in SciPy, what is returned has the derivatives along a first axis; of spherical harmonics
it is a tuple.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.errors import ArgumentError
from wengert.primitive import MISSING, elementwise, primitive
from wengert.rules.scipy_tools import array, constant, inexact, twin

__all__ = [
    "assoc_legendre_p", "assoc_legendre_p_all", "legendre_p", "legendre_p_all", "sph_harm_y", "sph_harm_y_all",
    "sph_legendre_p", "sph_legendre_p_all",
]  # fmt: skip


def _twin(recorded: Callable) -> Callable:
    """SciPy's object has no signature; that of the function here is the same."""

    @functools.wraps(recorded)
    def own(*args, **kwargs):
        return getattr(sp, recorded.__name__)(*args, **kwargs)

    return twin(own, "special")(recorded)


def _orders(name: str, diff_n: Any, x: Any) -> range:
    if diff_n not in (0, 1, 2):
        raise ArgumentError(
            f"[{name}] diff_n= of 0, 1 or 2 was required; received diff_n={diff_n!r}, with shape {x.shape}, dtype "
            f"{x.dtype}; differentiate the result for higher ones"
        )
    return range(diff_n + 1)


def _whole(name: str, keyword: str, value: Any) -> Any:
    """A degree or an order as an array, or a batch."""
    value = array(value)
    if value.dtype.kind not in "biu":
        raise ArgumentError(
            f"[{name}] {keyword} of integers was required, as there is no derivative by it; received shape "
            f"{value.shape}, dtype {value.dtype}; pass integers"
        )
    return value


def _dtype(*operands: Any) -> np.dtype:
    """That of SciPy's results, which integers take part in; half precision becomes double."""
    dtype = np.result_type(*(x.dtype for x in operands))
    return dtype if dtype.char in "fdFD" else np.dtype(float)


def _lifted(x: Any, count: int) -> Any:
    """`x` with so many axes more at the end."""
    return np.reshape(x, (*np.shape(x), *(1,) * count))


# Legendre polynomials ---------------------------------------------------------------------------------------------


@_twin
def legendre_p(n, z, *, diff_n=0):
    n, z = _whole("legendre_p", "n", n), inexact(z)
    return np.stack([np.astype(_legendre(n, z, k), _dtype(n, z)) for k in _orders("legendre_p", diff_n, z)])


def _legendre(n: Any, z: Any, order: int) -> Any:
    """The derivative of an order, by DLMF 18.9.15 and 18.7.9."""
    if not order:
        return sp.eval_legendre(n, z)
    lower = np.where(n < order, 0, n - order)[()]
    scale = (n >= order) * sp.poch(n + 1, order) * 0.5**order
    return scale * sp.eval_jacobi(lower, order, order, z)


def _legendre_all(x, degree=0):
    return sp.legendre_p_all(degree, x)[0]


def _legendre_climb(y: Any) -> Any:
    """The derivatives of all polynomials up to a degree.

    Those of degree k and k - 2 differ by ``(2 k - 1) * P`` of degree k - 1 (DLMF 18.9.19).
    """
    count = len(y)
    steps = _lifted(2 * np.arange(count - 1) + 1, y.ndim - 1).astype(y.real.dtype) * y[:-1]
    steps = np.concatenate([np.zeros_like(y[:1]), steps])
    if count % 2:
        steps = np.concatenate([steps, np.zeros_like(y[:1])])
    pairs = np.cumsum(np.reshape(steps, (-1, 2, *y.shape[1:])), axis=0)
    return np.reshape(pairs, (-1, *y.shape[1:]))[:count]


legendre_all = primitive(
    _legendre_all,
    lambda g, x, degree: np.sum(g * _legendre_climb(legendre_all(x, degree=degree)), axis=0),
    tangents=(lambda g, x, degree: g * _legendre_climb(legendre_all(x, degree=degree)),),
    name="legendre_p_all",
    batch=lambda x, degree: np.moveaxis(legendre_all(x, degree=degree), 1, 0),
)


@_twin
def legendre_p_all(n, z, *, diff_n=0):
    z, n = inexact(z), constant("legendre_p_all", "n", n)
    results = [legendre_all(z, degree=n)]
    for _ in _orders("legendre_p_all", diff_n, z)[1:]:
        results.append(_legendre_climb(results[-1]))
    return np.stack(results)


# Associated Legendre functions: two derivatives are SciPy's, the differential equation (DLMF 14.2.2) has the third --


def _assoc_third(n: Any, m: Any, z: Any, y: Any, first: Any, second: Any) -> Any:
    falls = 1 / (1 - z * z)
    square = m * m * falls
    return falls * (4 * z * second + (2 - n * (n + 1) + square) * first + 2 * z * square * falls * y)


def _assoc(n, m, z, branch_cut, norm=False, order=0):
    return sp.assoc_legendre_p(n, m, z, branch_cut=branch_cut, norm=norm, diff_n=order)[order]


def _assoc_next(n: Any, m: Any, z: Any, branch_cut: Any, norm: bool, order: int) -> Any:
    if order < 2:
        return assoc_legendre(n, m, z, branch_cut, norm=norm, order=order + 1)
    return _assoc_third(n, m, z, *(assoc_legendre(n, m, z, branch_cut, norm=norm, order=k) for k in range(3)))


assoc_legendre = elementwise(
    _assoc,
    MISSING,
    MISSING,
    lambda n, m, z, branch_cut, norm, order: _assoc_next(n, m, z, branch_cut, norm, order),
    None,
    name="assoc_legendre_p",
    singular=True,
    casts=True,
)


@_twin
def assoc_legendre_p(n, m, z, *, branch_cut=2, norm=False, diff_n=0):
    name, z = "assoc_legendre_p", inexact(z)
    n, m, branch_cut = _whole(name, "n", n), _whole(name, "m", m), _whole(name, "branch_cut", branch_cut)
    orders = _orders(name, diff_n, z)
    return np.stack([assoc_legendre(n, m, z, branch_cut, norm=bool(norm), order=k) for k in orders])


def _assoc_all(x, branch_cut, degree=0, last=0, norm=False, order=0):
    return sp.assoc_legendre_p_all(degree, last, x, branch_cut=branch_cut, norm=norm, diff_n=order)[order]


def _assoc_all_next(x: Any, branch_cut: Any, n: int, m: int, norm: bool, order: int) -> Any:
    if order < 2:
        return assoc_legendre_all(x, branch_cut, degree=n, last=m, norm=norm, order=order + 1)
    three = [assoc_legendre_all(x, branch_cut, degree=n, last=m, norm=norm, order=k) for k in range(3)]
    axes = three[0].ndim - 2
    return _assoc_third(_lifted(np.arange(n + 1), axes + 1), _lifted(_all_orders(m), axes), x, *three)


def _assoc_all_batch(x, branch_cut, batched, degree, last, norm, order):
    ndim = max(x.ndim - batched[0], branch_cut.ndim - batched[1])
    x, branch_cut = (
        np.reshape(v, (*v.shape[:is_in], *(1,) * (ndim - v.ndim + is_in), *v.shape[is_in:]))
        for v, is_in in zip((x, branch_cut), map(int, batched), strict=True)
    )
    return np.moveaxis(assoc_legendre_all(x, branch_cut, degree=degree, last=last, norm=norm, order=order), 2, 0)


assoc_legendre_all = primitive(
    _assoc_all,
    lambda g, x, branch_cut, degree, last, norm, order: np.sum(
        g * _assoc_all_next(x, branch_cut, degree, last, norm, order), axis=(0, 1)
    ),
    None,
    tangents=(
        lambda g, x, branch_cut, degree, last, norm, order: (
            g * _assoc_all_next(x, branch_cut, degree, last, norm, order)
        ),
    ),
    name="assoc_legendre_p_all",
    singular=True,
    broadcasts=True,
    batch=_assoc_all_batch,
)


@_twin
def assoc_legendre_p_all(n, m, z, *, branch_cut=2, norm=False, diff_n=0):
    name, z = "assoc_legendre_p_all", inexact(z)
    branch_cut = np.asarray(constant(name, "branch_cut", branch_cut))
    sizes = {"degree": constant(name, "n", n), "last": constant(name, "m", m), "norm": bool(norm)}
    return np.stack([assoc_legendre_all(z, branch_cut, **sizes, order=k) for k in _orders(name, diff_n, z)])


# Spherical Legendre functions: the derivative is a sum of those of both neighbouring orders, also at the poles -----
# This is the difference of the ladder operators, ``exp(±i phi) (±d/dtheta + i cot(theta) d/dphi)``. Outside of 0 to pi
# SciPy takes the absolute value of the sine.


def _sph(n, m, theta):
    return sp.sph_legendre_p(n, m, theta)[0]


def _sph_slope(n: Any, m: Any, theta: Any, order: int = 1) -> Any:
    """The derivative of an order."""
    if not order:
        return sph_legendre(n, m, theta)
    above = _side(theta) * np.sqrt(np.maximum((n - m) * (n + m + 1), 0))
    below = _side(theta) * np.sqrt(np.maximum((n + m) * (n - m + 1), 0))
    return above * _sph_slope(n, m + 1, theta, order - 1) - below * _sph_slope(n, m - 1, theta, order - 1)


def _side(theta: Any) -> Any:
    return np.where(np.sin(theta) < 0, -0.5, 0.5).astype(theta.dtype)


sph_legendre = elementwise(
    _sph,
    MISSING,
    MISSING,
    lambda n, m, theta: _sph_slope(n, m, theta),
    name="sph_legendre_p",
    casts=True,
)


@_twin
def sph_legendre_p(n, m, theta, *, diff_n=0):
    name, theta = "sph_legendre_p", inexact(theta)
    n, m, orders = _whole(name, "n", n), _whole(name, "m", m), _orders(name, diff_n, theta)
    return np.stack([np.astype(_sph_slope(n, m, theta, k), _dtype(n, m, theta)) for k in orders])


def _all_orders(m: int) -> Any:
    """The orders along SciPy's second axis: indices of it as Python counts them."""
    return np.concatenate([np.arange(m + 1), np.arange(-m, 0)])


def _sph_all(x, degree=0, last=0):
    return sp.sph_legendre_p_all(degree, last, x)[0]


def _sph_all_slope(x: Any, n: int, m: int, order: int = 1) -> Any:
    if not order:
        return sph_legendre_all(x, degree=n, last=m)
    y = _sph_all_slope(x, n, m + 1, order - 1)
    degrees, orders = np.arange(n + 1)[:, None], _all_orders(m)
    above = np.sqrt(np.maximum((degrees - orders) * (degrees + orders + 1), 0)).astype(y.dtype)
    below = np.sqrt(np.maximum((degrees + orders) * (degrees - orders + 1), 0)).astype(y.dtype)
    above, below = _lifted(above, x.ndim), _lifted(below, x.ndim)
    return _side(x) * (above * y[:, orders + 1] - below * y[:, orders - 1])


sph_legendre_all = primitive(
    _sph_all,
    lambda g, x, degree, last: np.sum(g * _sph_all_slope(x, degree, last), axis=(0, 1)),
    tangents=(lambda g, x, degree, last: g * _sph_all_slope(x, degree, last),),
    name="sph_legendre_p_all",
    batch=lambda x, degree, last: np.moveaxis(sph_legendre_all(x, degree=degree, last=last), 2, 0),
)


@_twin
def sph_legendre_p_all(n, m, theta, *, diff_n=0):
    name, theta = "sph_legendre_p_all", inexact(theta)
    n, m = constant(name, "n", n), abs(constant(name, "m", m))
    return np.stack([_sph_all_slope(theta, n, m, k) for k in _orders(name, diff_n, theta)])


# Spherical harmonics ----------------------------------------------------------------------------------------------


def _harmonics(slopes: list, m: Any, phi: Any, dtype: Any) -> Any:
    """The functions, their gradients and Hessian matrices, as many as there are derivatives of Legendre functions."""
    dtype = np.result_type(dtype, np.complex64)
    turn = np.asarray(1j) * m
    wave = np.exp(turn * phi)
    y = [slope * wave for slope in slopes]
    results = [y[0]]
    if len(y) > 1:
        results.append(np.stack(np.broadcast_arrays(y[1], turn * y[0]), axis=-1))
    if len(y) > 2:
        mixed = turn * y[1]
        rows = np.stack([y[2], mixed], axis=-1), np.stack([mixed, turn * (turn * y[0])], axis=-1)
        results.append(np.stack(rows, axis=-2))
    results = [np.astype(result, dtype) for result in results]
    return tuple(results) if len(results) > 1 else results[0]


@_twin
def sph_harm_y(n, m, theta, phi, *, diff_n=0):
    name, theta, phi = "sph_harm_y", inexact(theta), inexact(phi)
    n, m, orders = _whole(name, "n", n), _whole(name, "m", m), _orders(name, diff_n, theta)
    return _harmonics([_sph_slope(n, m, theta, k) for k in orders], m, phi, _dtype(n, m, theta, phi))


@_twin
def sph_harm_y_all(n, m, theta, phi, *, diff_n=0):
    name, theta, phi = "sph_harm_y_all", inexact(theta), inexact(phi)
    n, m = constant(name, "n", n), abs(constant(name, "m", m))
    orders, dtype, ndim = _orders(name, diff_n, theta), _dtype(theta, phi), max(theta.ndim, phi.ndim)
    theta = np.reshape(theta, (*(1,) * (ndim - theta.ndim), *theta.shape))
    slopes = [_sph_all_slope(theta, n, m, k) for k in orders]
    return _harmonics(slopes, _lifted(_all_orders(m), ndim), phi, dtype)
