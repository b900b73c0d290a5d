"""`scipy.special` for tensors: the namespace of SciPy's, with gradients also in the functions it writes in Python.

SciPy's ufuncs (``erf``, ``gamma``, ``jv`` …) take tensors as they are. The functions here are those that convert their
arguments to plain arrays first, which recorded tensors refuse. Every other name is SciPy's own.
"""

import math
from typing import Any

import numpy as np
import scipy.special as _special

import wengert.rules.special  # noqa: F401  registers the rules of the ufuncs
from wengert.errors import ArgumentError, MissingRuleError
from wengert.protocol import anywhere, constant, highest, innermost, spec_of
from wengert.rules import nn as _nn
from wengert.rules.special_harmonics import (
    assoc_legendre_p,
    assoc_legendre_p_all,
    legendre_p,
    legendre_p_all,
    sph_harm_y,
    sph_harm_y_all,
    sph_legendre_p,
    sph_legendre_p_all,
)

__all__ = [
    "assoc_legendre_p", "assoc_legendre_p_all", "comb", "diric", "factorial", "legendre_p", "legendre_p_all",
    "log_softmax", "logsumexp", "multigammaln", "perm", "polygamma", "softmax", "sph_harm_y", "sph_harm_y_all",
    "sph_legendre_p", "sph_legendre_p_all", "spherical_in", "spherical_jn", "spherical_kn", "spherical_yn",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    return getattr(_special, name)


def __dir__() -> list[str]:
    return dir(_special)


def _is_plain(*values: Any) -> bool:
    """Whether there are no tensors, or none that could have a gradient."""
    return not any(highest((x,)) is not None and spec_of(x).inexact for x in values)


def _plainly(function: Any, *args: Any, **kwargs: Any) -> Any:
    """SciPy's own function of plain values."""
    return function(*map(innermost, args), **{name: innermost(x) for name, x in kwargs.items()})


def _constant(operation: str, name: str, value: Any) -> Any:
    """An argument without a derivative, as a plain value."""
    top = highest((value,))
    if top is not None and top._carries_gradient():
        raise MissingRuleError(
            f"[{operation}] {name}= without a recorded history was required; received a recorded value "
            f"{spec_of(value)!r}, by which there is no derivative; pass {name}.detach()"
        )
    return innermost(value)


def _array(x: Any) -> Any:
    """A tensor, or an array in the dtype that SciPy takes it in."""
    return np.asarray(x) if _is_plain(x) else x


def _inexact(operation: str, exact: bool) -> None:
    if exact:
        raise ArgumentError(
            f"[{operation}] exact=False was required of a tensor; received exact=True, which counts in Python's "
            f"integers and has no derivative; leave exact= away"
        )


# Reductions ------------------------------------------------------------------------------------------------------


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """``log(sum(b * exp(a)))`` along axes; with ``return_sign=`` that of the absolute value, and the sign."""
    if _is_plain(a, b):
        return _plainly(_special.logsumexp, a, axis=axis, b=b, keepdims=keepdims, return_sign=return_sign)
    if b is None and not return_sign:
        return _nn.logsumexp(a, axis=axis, keepdims=keepdims)
    # Whatever is subtracted from the exponents, here their largest real part, is added again and needs no gradient.
    exponents = np.real(constant(a))
    if b is not None:
        exponents = np.where(constant(b) == 0, -np.inf, exponents)
    largest = np.max(exponents, axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)
    largest = largest if largest.dtype.kind == "f" else largest.astype(float)
    exponents = a - largest
    if b is not None:
        # Of what has no weight the exponent may be anything, infinities included.
        overflows = np.real(constant(exponents)) > np.log(np.finfo(largest.dtype).max)
        exponents = np.where(np.logical_and(constant(b) == 0, overflows), 0.0, exponents)
    terms = np.exp(exponents) if b is None else b * np.exp(exponents)
    total = np.sum(terms, axis=axis, keepdims=keepdims)
    shift = largest if keepdims else np.squeeze(largest, axis=axis)[()]
    if return_sign:
        return np.log(np.abs(total)) + shift, np.sign(total)
    return np.log(total) + shift


def softmax(x: Any, axis: Any = None) -> Any:
    """``exp(x) / sum(exp(x))`` along axes, over all by default as in SciPy."""
    return _plainly(_special.softmax, x, axis=axis) if _is_plain(x) else _nn.softmax(x, axis=axis)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """``log(softmax(x))``, over all axes by default as in SciPy."""
    return _plainly(_special.log_softmax, x, axis=axis) if _is_plain(x) else _nn.log_softmax(x, axis=axis)


# Gamma functions -------------------------------------------------------------------------------------------------


def multigammaln(a: Any, d: int) -> Any:
    """Logarithm of the multivariate gamma function of dimension `d`."""
    if _is_plain(a):
        return _plainly(_special.multigammaln, a, d)
    d = _constant("multigammaln", "d", d)
    if d != math.floor(d) or d < 1:
        raise ArgumentError(f"[multigammaln] a positive integer d was required; received {d!r}; give a dimension")
    if anywhere(a <= 0.5 * (d - 1)):
        raise ArgumentError(
            f"[multigammaln] a > (d - 1) / 2 = {0.5 * (d - 1)} was required; received {spec_of(a)!r} with smaller "
            f"entries; the integral diverges there"
        )
    terms = [_special.gammaln(a - 0.5 * j) for j in range(int(d))]
    # In double precision, as SciPy has it.
    return sum(terms[1:], terms[0]) + np.float64(d * (d - 1) * 0.25 * math.log(math.pi))


def polygamma(n: Any, x: Any) -> Any:
    """The derivative of order `n` of the digamma function."""
    if _is_plain(n, x):
        return _plainly(_special.polygamma, n, x)
    n = np.asarray(_constant("polygamma", "n", n))
    sign = np.where(n % 2 == 1, 1.0, -1.0)[()]
    values = sign * _special.gamma(n + 1.0) * _special.zeta(np.where(n == 0, 2, n + 1)[()], x)
    return np.where(n == 0, _special.psi(x), values) if np.any(n == 0) else values


def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """``gamma(n + 1)``; of negative numbers 0, unless ``extend="complex"``."""
    if _is_plain(n):
        return _plainly(_special.factorial, n, exact=exact, extend=extend)
    _inexact("factorial", exact)
    if extend == "complex":
        return _special.gamma(n + 1)
    negative = n < 0
    return np.astype(np.where(negative, 0.0, _special.gamma(np.where(negative, 0.0, n) + 1)), float)


def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """Binomial coefficients; 0 where k is negative or beyond N."""
    if _is_plain(N, k):
        return _plainly(_special.comb, N, k, exact=exact, repetition=repetition)
    _inexact("comb", exact)
    N, k = _array(N), _array(k)
    if repetition:
        return np.where(np.logical_and(k == 0, N >= 0), 1.0, _special.binom(N + k - 1, k))
    counts = np.logical_and(k <= N, np.logical_and(N >= 0, k >= 0))
    return np.where(counts, _special.binom(N, k), 0.0)


def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """Numbers of ordered choices of k out of N."""
    if _is_plain(N, k):
        return _plainly(_special.perm, N, k, exact=exact)
    _inexact("perm", exact)
    N, k = _array(N), _array(k)
    counts = np.logical_and(k <= N, np.logical_and(N >= 0, k >= 0))
    return np.where(counts, _special.poch(N - k + 1, k), 0.0)


# Others ----------------------------------------------------------------------------------------------------------


def diric(x: Any, n: Any) -> Any:
    """Dirichlet's kernel ``sin(n x / 2) / (n sin(x / 2))``; NaN unless n is a positive integer."""
    if _is_plain(x, n):
        return _plainly(_special.diric, x, n)
    x, n = _array(x), np.asarray(_constant("diric", "n", n))
    dtype = np.result_type(spec_of(x).dtype, n.dtype)
    half = 0.5 * x
    turns = np.rint(constant(half) / math.pi)
    rest = half - math.pi * turns
    near = np.abs(n * constant(rest)) < 1e-3
    square = rest * rest
    odd = np.where(np.logical_and(turns % 2 == 1, n % 2 == 0), -1.0, 1.0)
    series = odd * (1 - (n * n - 1) * square / 6 * (1 - (3 * n * n - 7) * square / 60))
    away = np.where(near, 1.0, half)
    values = np.where(near, series, np.sin(n * away) / (n * np.sin(away)))
    values = np.where(np.logical_or(n <= 0, n != np.floor(n)), np.nan, values)
    return np.astype(values, dtype if dtype.kind == "f" else float)


def _spherical(name: str, even: int, odd: int) -> Any:
    """A spherical Bessel function; `even` and `odd` are its signs at negative arguments, by the order (0: not real)."""
    own = getattr(_special, name)
    ufuncs = getattr(_special._ufuncs, f"_{name}"), getattr(_special._ufuncs, f"_{name}_d")

    def function(n: Any, z: Any, derivative: bool = False) -> Any:
        if _is_plain(n, z):
            return _plainly(own, n, z, derivative)
        n = np.asarray(_constant(name, "n", n), np.dtype("long"))[()]
        function = ufuncs[bool(derivative)]
        negative = spec_of(z).real and constant(z) < 0
        if not anywhere(negative):
            return function(n, z)
        if not even:
            raise ArgumentError(
                f"[{name}] arguments that are not negative were required of a tensor; received {spec_of(z)!r} with "
                f"negative ones; pass complex numbers"
            )
        sign = np.where(n % 2 == 0, even, odd) * (-1 if derivative else 1)
        return np.where(negative, sign, 1) * function(n, np.where(negative, -1, 1) * z)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = own.__doc__
    return function


spherical_jn = _spherical("spherical_jn", 1, -1)
spherical_yn = _spherical("spherical_yn", -1, 1)
spherical_in = _spherical("spherical_in", 1, -1)
spherical_kn = _spherical("spherical_kn", 0, 0)
