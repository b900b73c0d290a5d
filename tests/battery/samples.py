"""Sample arguments for every function that has a rule. A line here puts a function through the whole battery.

``samples(function, args(...), args(...))`` gives places where the function is smooth, ``singular(function, ...)``
places where its derivative is infinite or undefined. Every float array among the arguments is differentiated; the
battery runs each sample in other dtypes too. Each parameter that NumPy documents should be used by some sample.
"""

import itertools
import operator
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

import wengert as wg
from wengert import nn
from wengert.rules import windows

# Arrays ----------------------------------------------------------------------------------------------------------
# Values depend on the position within a line only, so that a new line changes no other.

_seeds = itertools.count()


def _spread(shape: tuple, low: float, high: float) -> Any:
    """Distinct numbers, at least 0.01 from every integer, spread evenly over an interval in random order."""
    random = np.random.default_rng(next(_seeds))
    n = int(np.prod(shape))
    values = np.zeros(n)
    for k in range(n):
        while abs(values[k] - np.rint(values[k])) < 0.01:
            values[k] = low + (high - low) * (k + random.uniform(0.2, 0.8)) / n
    return random.permutation(values).reshape(shape)[()]


def A(*shape):
    """Numbers of both signs; without a shape a NumPy scalar."""
    return _spread(shape, -2, 2)


def P(*shape):
    """Positive numbers."""
    return _spread(shape, 0.3, 2.3)


def U(*shape):
    """Numbers between -1 and 1."""
    return _spread(shape, -0.9, 0.9)


def M(*shape):
    """A mask: two of three are True."""
    return np.arange(int(np.prod(shape))).reshape(shape) % 3 != 1


def ints(*values):
    """An integer array."""
    return np.array(values, int)


def fortran(x):
    """The same numbers with the first axis contiguous."""
    return np.asfortranarray(x)


# The table -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """Arguments of one call."""

    args: tuple
    kwargs: dict
    complex: bool = True
    """Whether it makes sense with complex numbers in the place of real ones."""
    double: bool = True
    """Whether the function is accurate enough for differences in double precision."""


SMOOTH: dict[Any, list[Sample]] = defaultdict(list)
SINGULAR: dict[Any, list[Sample]] = defaultdict(list)
REFUSED: dict[Any, list[Sample]] = defaultdict(list)


def args(*positional, **keywords) -> Sample:
    """The arguments of a call, as they would be written in it."""
    return Sample(positional, keywords)


def real(*positional, **keywords) -> Sample:
    """The same, not to be tried with complex numbers."""
    return Sample(positional, keywords, complex=False)


def rough(*positional, **keywords) -> Sample:
    """The same of functions that SciPy solves for to a few digits: differences in single precision only."""
    return Sample(positional, keywords, complex=False, double=False)


def _enter(table: dict, functions: Any, given: tuple[Sample, ...]) -> None:
    global _seeds
    _seeds = itertools.count()
    for function in functions if isinstance(functions, tuple) else (functions,):
        table[function] += given


def samples(functions: Any, *given: Sample) -> None:
    """Samples for a function, or for each of a tuple of functions."""
    _enter(SMOOTH, functions, given)


def singular(functions: Any, *given: Sample) -> None:
    """The same where the derivative is infinite or undefined."""
    _enter(SINGULAR, functions, given)


def refused(functions: Any, *given: Sample) -> None:
    """What NumPy takes and no rule is there for: the error must name the keywords' values."""
    _enter(REFUSED, functions, given)


# Elementwise functions of one operand ----------------------------------------------------------------------------

ANYWHERE = (
    np.negative, np.positive, np.square, np.absolute, np.fabs, np.sign, np.floor, np.ceil, np.trunc, np.rint, np.exp,
    np.exp2, np.expm1, np.cbrt, np.sin, np.cos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.deg2rad,
    np.radians, np.rad2deg, np.degrees, np.sinc, np.conjugate, np.real, np.imag, np.angle, np.reciprocal,
    wg.sigmoid, wg.softplus, wg.relu, wg.gelu, wg.normal_cdf,
)  # fmt: skip
POSITIVE = np.log, np.log2, np.log10, np.sqrt
WITHIN_ONE = np.arcsin, np.arccos, np.arctanh, np.log1p, np.tan

samples(ANYWHERE, args(A(2, 3)), args(A(4, 6)[::-2, ::3]), args(A()), args(np.array(A())), args(A(0, 3)))
samples(POSITIVE, args(P(2, 3)), args(P(6)[::-2]), args(P()), args(P(2, 0)))
samples(WITHIN_ONE, args(U(2, 3)), args(U(6)[::-2]), args(U()), args(U(0)))
samples(np.arccosh, args(1 + P(2, 3)), args(1 + P()))
samples(np.sinc, args(np.array([3e-4, -2e-3, 0.99, 1.0])))
samples(np.angle, args(A(3), deg=True))
samples(np.tan, args(np.array([0.1, 3.0, -2.3])))
samples(wg.sigmoid, args(np.array([-40.0, 30.0, 0.0])))
samples(wg.softplus, args(np.array([-40.0, 30.0, 0.0])))

singular(
    (np.sqrt, np.cbrt, np.absolute, np.fabs, np.sign, np.reciprocal, np.log, np.log2, np.log10, wg.relu, np.angle),
    args(np.array([0.0, -0.0, 1.0])),
    args(np.zeros(())),
)
singular((np.floor, np.ceil, np.trunc, np.rint), args(np.array([0.0, 2.0, -1.0, np.inf, -np.inf, np.nan])))
singular((np.tanh, np.sinc, np.square), args(np.array([0.0, 1.0, -800.0])))
singular((np.arcsin, np.arccos, np.arctanh, np.log1p, np.arccosh), args(np.array([1.0, -1.0, 0.0, 2.0])))
singular(
    (np.arctan, np.arcsinh, np.sqrt, np.log, wg.sigmoid, wg.softplus, wg.gelu), real(np.array([1e30, 800.0, -800.0]))
)

# Elementwise functions of two operands ---------------------------------------------------------------------------

ANY_PAIR = (
    np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.copysign, np.heaviside, np.logaddexp,
    np.logaddexp2, np.arctan2, np.hypot,
)  # fmt: skip
NONZERO_DIVISOR = np.divide, np.remainder, np.fmod, np.floor_divide
POSITIVE_BASE = np.power, np.float_power

samples(
    ANY_PAIR,
    args(A(2, 3), A(2, 3)),
    args(A(2, 3), A(3)),
    args(A(2, 1), A(1, 3)),
    args(A(3), A()),
    args(A(), A()),
    args(A(3), 0.7),
    args(-0.7, A(3)),
    args(np.array(A()), A(2)),
    args(A(0, 2), A(2)),
    args(A(4)[::-2], A(2, 2).T),
    args(A(2, 3), ints(1, 2, 3)),
    args(A(1, 2, 1), A(3)),
)
samples(
    NONZERO_DIVISOR,
    args(A(2, 3), P(2, 3)),
    args(A(2, 3), P(3)),
    args(A(2, 1), -P(1, 3)),
    args(A(3), P()),
    args(A(), P()),
    args(A(3), 0.7),
    args(3.3, P(3)),
    args(A(3), 2),
    args(A(0, 2), P(2)),
    args(A(4)[::-2], P(2, 2).T),
    args(A(2, 3), ints(1, 2, 3)),
)
samples(
    POSITIVE_BASE,
    args(P(2, 3), A(2, 3)),
    args(P(2, 3), A(3)),
    args(P(2, 1), A(1, 3)),
    args(P(3), A()),
    args(P(), A()),
    args(P(3), 0.7),
    args(1.7, A(3)),
    args(P(0, 2), A(2)),
    args(P(4)[::-2], A(2, 2).T),
    args(P(3), 2),
    args(A(3), 2),
    args(A(3), 3),
    args(A(3), 1),
    args(A(3), 0),
    args(P(3), -1),
    args(A(3), -2),
    args(P(3), ints(0, 2, 3)),
    args(A(3), 2.0),
    args(2, A(3)),
)

samples((np.add, np.subtract, np.multiply, np.divide, np.power), args(P(), 0.5j), args(0.5j, P()), args(0.5j, P(2)))

singular(np.divide, args(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 2.0])), args(1.0, np.zeros(2)))
singular((np.remainder, np.fmod, np.floor_divide), args(np.array([0.0, 1.0, 4.0]), np.array([0.0, 0.0, 2.0])))
singular(
    POSITIVE_BASE,
    args(np.zeros(4), [0.0, 0.5, 1.0, 2.0]),
    args(np.zeros(2), 0.5),
    args(np.zeros(2), 0),
    args(np.zeros(2), -1.0),
    args(-P(2), [2.0, 3.0]),
    args(0, np.array([0.0, 1.0, 2.0])),
    args(np.zeros(()), 2),
)
singular((np.arctan2, np.hypot), args(np.zeros(2), np.zeros(2)), args(np.zeros(2), 0.0))
singular((np.maximum, np.minimum, np.fmax, np.fmin), args(np.array([1.0, np.nan, 0.0]), np.array([1.0, 2.0, np.nan])))
singular(
    (np.logaddexp, np.logaddexp2),
    args(np.array([-np.inf, -np.inf, np.inf, np.inf]), np.array([-np.inf, 1.0, np.inf, 1.0])),
)
singular((np.copysign, np.heaviside), args(np.array([0.0, -0.0, 1.0]), np.array([0.0, 1.0, -0.0])))

samples(np.heaviside, args([0.0, 1.0, -1.0], A(3)))
samples((np.divmod,), args(A(2, 3), P(3)), args(A(), P()), args(A(3), 0.7))
samples(np.modf, args(A(2, 3)), args(A()))
samples(
    np.clip,
    args(A(2, 3), -0.5, 0.5),
    args(A(3), 0.1, None),
    args(A(3), None, 0.1),
    args(A(3), min=-0.4, max=0.3),
    args(A(2, 3), -P(3), P(3)),
    args(A(2, 3), a_min=-P(2, 1), a_max=1.0),
    args(A(), -0.5, 0.5),
    args(A(3)),
)
samples(np._core.umath.clip, real(A(3), -0.5, 0.7), real(A(2, 3), A(3) - 2, P(3)))  # what array.clip calls
samples(
    (np.round, np.around),
    args(A(3)),
    args(np.array([0.12, -1.37, 0.83]), 1),
    args(A(3), decimals=-1),
    real(np.float64(0.1302), 2),
    args(np.array([0.12 - 0.53j, -1.37 + 2.61j]), 1),
)
samples(np.fix, args(A(3)), args(A()))
samples(np.nan_to_num, args(A(3)), args(A(2), copy=True, nan=1.0, posinf=2.0, neginf=-2.0), args(A()))
singular(
    np.nan_to_num,
    args(np.array([np.nan, np.inf, -np.inf, 1.0])),
    args(np.array([np.nan, np.inf, -np.inf, 1.0]), nan=1.0, posinf=2.0, neginf=-3.0),
)
samples(
    (
        np.add.outer,
        np.subtract.outer,
        np.multiply.outer,
        np.maximum.outer,
        np.minimum.outer,
        np.hypot.outer,
        np.arctan2.outer,
        np.logaddexp.outer,
    ),
    args(A(2), A(3)),
    args(A(2, 2), A(2)),
    args(A(), A(2)),
    args(A(2), 0.3),
)
samples((np.divide.outer, np.power.outer), args(P(2), P(3)), args(P(2, 2), P(2)))

# Reductions ------------------------------------------------------------------------------------------------------

AXES = (args(A(2, 3)), args(A(2, 3), axis=0), args(A(2, 3), axis=-1, keepdims=True), args(A(2, 3), axis=(0, 1)),
        args(A(2, 3, 2), axis=(0, -1), keepdims=True), args(A(3), axis=0), args(A(1)), args(A(2, 3), keepdims=True),
        args(A(4, 6)[::-2, ::3], axis=1), args(fortran(A(2, 3)), 1), args(A()), args(A(2, 3), axis=()))  # fmt: skip
SUMS = np.sum, np.prod

samples(
    (np.sum, np.mean, np.prod, np.max, np.amax, np.min, np.amin, np.ptp, np.var, np.std, np.median, wg.logsumexp), *AXES
)
samples(
    (np.sum, np.prod, np.max, np.amax, np.min, np.amin, np.var, np.std, np.ptp),
    args(A(0, 3), axis=1),
    args(A(3, 0), axis=0),
)
samples(
    SUMS,
    args(A(0, 3), axis=0),
    args(A(2, 3), dtype=np.float32),
    args(A(2, 3), initial=2.0),
    args(A(2, 3), where=M(2, 3)),
    args(A(2, 3), axis=1, where=M(3), initial=0.5, keepdims=True),
    args(A(2, 3), axis=0, dtype=np.complex128),
    args(A(2, 3), 0, None, None, True),
)
samples(
    (np.add.reduce, np.multiply.reduce),
    args(A(2, 3)),
    args(A(2, 3), axis=None),
    args(A(2, 3), 1, keepdims=True),
    args(A(2, 3), initial=1.5),
    args(A(2, 3), where=M(2, 3)),
    args(A(2, 3), axis=(0, 1)),
    args(A(2, 3), dtype=np.float32),
)
samples(
    (np.maximum.reduce, np.minimum.reduce),
    args(A(2, 3)),
    args(A(2, 3), axis=None),
    args(A(2, 3), 1, keepdims=True),
    args(A(2, 3), initial=0.1),
    args(A(2, 3), where=M(2, 3), initial=-0.2),
)
samples(
    (np.max, np.amax, np.min, np.amin),
    args(A(2, 3), initial=0.1),
    args(A(2, 3), axis=0, initial=0.2),
    args(A(2, 3), where=M(2, 3), initial=0.1),
    args(A(2, 3), axis=1, keepdims=True, where=M(2, 3), initial=0.1),
    args(A(0), initial=1.0),
    args(A(0, 2), axis=0, initial=1.0),
)
samples(
    np.mean,
    args(A(2, 3), dtype=np.float32),
    args(A(2, 3), where=M(2, 3)),
    args(A(0, 3), axis=1),
    args(A(2, 3), axis=1, where=M(3), keepdims=True),
)
samples(
    (np.var, np.std),
    args(A(2, 3), ddof=1),
    args(A(2, 3), axis=1, ddof=1, keepdims=True),
    real(A(2, 3), dtype=np.float32),
    args(A(2, 3), correction=1),
    args(A(2, 3), where=M(2, 3)),
    args(A(2, 3), axis=0, mean=A(1, 3)),
    args(A(2, 3), axis=1, where=M(2, 3), ddof=0.5),
)
samples(
    np.average,
    args(A(2, 3)),
    args(A(2, 3), axis=0),
    args(A(2, 3), weights=P(2, 3)),
    args(A(2, 3), axis=1, weights=P(3)),
    args(A(2, 3), 0, [1.0, 3.0]),
    args(A(2, 3), 1, P(3), True),
    args(A(2, 3), returned=True),
    args(A(2, 3), axis=-1, weights=P(3), keepdims=True),
    args(A(2, 3), axis=(0, 1), weights=P(2, 3)),
    args(A(2, 3, 2), axis=(1, 2), weights=P(3, 2)),
)
samples(
    (np.cumsum, np.cumprod),
    args(A(2, 3)),
    args(A(2, 3), 0),
    args(A(2, 3), axis=-1),
    args(A(3)),
    args(A(2, 3), axis=1, dtype=np.float32),
    args(A(0, 2), axis=0),
    args(A()),
    args(A(4, 6)[::-2, ::3], axis=1),
)
samples((np.add.accumulate, np.multiply.accumulate), args(A(2, 3)), args(A(2, 3), axis=1), args(A(2), dtype=np.float32))
samples(
    (np.cumprod, np.prod),
    args(np.array([1.5, 0.0, -0.7, 2.0])),
    args(np.array([[0.0, 2.0], [0.0, 3.0]])),
    args(np.array([[0.0, 2.0, 1.2], [0.0, 3.0, 0.0]]), axis=1),
    args(np.array([0.0, 1.0, 0.0]), axis=0),
)
samples(
    np.linalg.norm,
    args(A(3)),
    args(A(2, 3)),
    args(A(2, 3), axis=1),
    args(A(2, 3), axis=-1, keepdims=True),
    args(A(2, 3), None, (0, 1)),
    args(A(2, 3), "fro"),
    args(A(2, 2, 3), "fro", axis=(1, 2), keepdims=True),
    args(A(2, 2, 3)),
    args(A(2, 3), keepdims=True),
    args(A(3), 3),
    args(P(3), -1),
    args(P(3), 0.5),
    args(A(4), np.inf),
    args(A(4), -np.inf),
    args(A(4), 1),
    args(A(4), 2),
    args(A(2, 3), 3, 1),
    args(A(3), 0),
    args(A(2, 3), 1),
    args(A(2, 3), -1),
    args(A(2, 3), np.inf),
    args(A(2, 3), -np.inf, keepdims=True),
    args(A(2, 2, 3), 1, axis=(2, 0)),
)
samples(
    (wg.softmax, wg.log_softmax),
    args(A(3)),
    args(A(2, 3)),
    args(A(2, 3), axis=0),
    args(A(2, 2, 2), axis=(0, 1)),
    args(A(4, 6)[::-2, ::3]),
)
samples((wg.logsumexp, wg.softmax, wg.log_softmax), args(np.array([1000.0, 999.0, 1000.5])))

singular(
    (np.max, np.min, np.ptp, np.prod, np.cumprod, np.var, np.std, np.linalg.norm, np.median),
    args(np.zeros(3)),
    args(np.ones((2, 2)), axis=0),
)
singular((np.max, np.min), args(np.array([np.nan, 1.0, np.nan])), args(np.array([np.inf, 1.0, np.inf])))
singular(
    np.linalg.norm,
    args(np.zeros((2, 2)), "fro"),
    args(np.zeros(2), 3),
    args(np.zeros(2), 1),
    args(np.zeros(2), np.inf),
    args(np.zeros((2, 2)), 1),
)
singular((np.mean, np.var, np.std), args(np.zeros((0, 2)), axis=0), args(np.ones(1), where=np.zeros(1, bool)))
singular((np.var, np.std), args(np.ones(1), ddof=1), args(np.ones((2, 2)), where=np.eye(2, dtype=bool)))
singular((wg.logsumexp, wg.softmax, wg.log_softmax), args(np.array([-np.inf, 0.0])))
singular(wg.logsumexp, args(np.full(2, -np.inf)))

# Shapes ----------------------------------------------------------------------------------------------------------

samples(
    np.reshape,
    args(A(2, 3), (3, 2)),
    args(A(2, 3), -1),
    args(A(2, 3), (3, -1), order="F"),
    args(A(1), ()),
    args(A(), (1, 1)),
    args(A(4, 6)[::-2, ::3], 4),
    args(A(2, 3), (2, 3), copy=True),
    args(A(0, 2), (2, 0)),
    args(fortran(A(2, 3)), 6),
    args(A(6), shape=[2, 3]),
    args(fortran(A(2, 3)), 6, "A"),
    args(A(2, 3).T, 6, "A"),
)
samples(
    np.ravel,
    args(A(2, 3)),
    args(A(2, 3), "F"),
    args(A(2, 3).T, order="A"),
    args(A(2, 3).T, "K"),
    args(A(2, 3, 2).transpose(1, 0, 2), "K"),
    args(A()),
    args(A(0, 2)),
)
samples(
    np.transpose,
    args(A(2, 3)),
    args(A(2, 3, 2), (1, 2, 0)),
    args(A(2, 3, 2), axes=[-1, 0, 1]),
    args(A(3)),
    args(A()),
    args(A(0, 2)),
)
samples(np.swapaxes, args(A(2, 3, 2), 0, 1), args(A(2, 3, 2), axis1=-1, axis2=0), args(A(2, 3), 1, 1))
samples(
    np.moveaxis,
    args(A(2, 3, 2), 0, -1),
    args(A(2, 3, 2), [0, 1], [-1, 0]),
    args(A(2, 3), source=1, destination=0),
    args(A(2, 3, 1, 2), (3, 0), (0, 2)),
)
samples(
    np.rollaxis,
    args(A(2, 3, 2), 2),
    args(A(2, 3, 2), -1, 1),
    args(A(2, 3, 2), axis=0, start=3),
    args(A(2, 3), 1, -1),
    args(A(2, 3, 2), 1, 1),
)
samples((np.matrix_transpose, np.linalg.matrix_transpose), args(A(2, 3)), args(A(2, 2, 3)))
samples(
    np.squeeze,
    args(A(), axis=-1),
    args(A(1, 3, 1)),
    args(A(1, 3, 1), 0),
    args(A(1, 3, 1), axis=(0, -1)),
    args(A(1, 1)),
    args(A(2)),
    args(A(1, 1), axis=()),
)
samples(np.expand_dims, args(A(2, 3), 0), args(A(2, 3), axis=-1), args(A(3), (0, 2)), args(A(), 0))
samples(
    np.broadcast_to,
    args(A(3), (2, 3)),
    args(A(2, 1), shape=(2, 3)),
    args(A(), (2, 2)),
    args(A(1), 3),
    args(A(2), (0, 2)),
)
samples(np.broadcast_arrays, args(A(3), A(2, 1)), args(A(2)), args(A(), A(2), ints(1, 2)))
samples(np.flip, args(A(2, 3)), args(A(2, 3), 0), args(A(2, 3), axis=(0, -1)), args(A(0, 2)), args(A(3), axis=-1))
samples((np.fliplr, np.flipud), args(A(2, 3)), args(A(2, 1, 2)))
samples(np.flipud, args(A(3)))
samples(
    np.rot90,
    args(A(2, 3)),
    args(A(2, 3), 2),
    args(A(2, 3), k=3),
    args(A(2, 3), 4),
    args(A(2, 3), -1),
    args(A(2, 3, 2), 1, (1, 2)),
    args(A(2, 3, 2), k=3, axes=(2, 0)),
)
samples(
    (np.atleast_1d, np.atleast_2d, np.atleast_3d),
    args(A(2, 3)),
    args(A(2)),
    args(A()),
    args(A(2), A(), 3.0),
    args(A(1, 2, 1, 2)),
    args(np.array(A())),
)
samples(np.copy, args(A(2, 3)), args(A(2, 3).T, order="C"), args(A(2, 3), "F"), args(A()))
samples(
    np.astype,
    args(A(2, 3), np.float32),
    args(A(2), np.float64),
    args(A(2), np.float64, copy=False),
    args(A(2), np.complex128),
    args(A(2), np.int64),
    args(A(2), bool),
    args(A(), np.float32),
)
samples(
    (np.zeros_like, np.ones_like),
    args(A(2, 3)),
    args(A(2, 3), dtype=np.float32),
    args(A(2), shape=(3, 1)),
    args(A(2, 3).T, order="C"),
    args(A()),
    args(A(2), np.int64),
)
samples(
    np.empty_like, args(A(0, 3)), args(A(2, 3), shape=(0,)), args(A(0, 3), dtype=np.float32), args(A(0, 3), order="F")
)
samples(
    np.full_like,
    args(A(2, 3), 2.0),
    args(A(2, 3), A()),
    args(A(2, 3), A(3), dtype=np.float32),
    args(A(2), 1.5, shape=(2, 2)),
    args(A(2), 1.5, order="F"),
    args(ints(1, 2), 3.7),
)
samples(
    np.linspace,
    args(A(), A(), 4),
    args(0, A(), num=3, endpoint=False),
    args(A(2), A(3, 1), 3, axis=1),
    args(A(), 2.0, 5, retstep=True),
    args(A(), A(), 1),
    args(A(), A(), 0),
    real(A(), A(), 4, dtype=np.float32),
    args(A(), A(), 3, dtype=np.int64),
)
samples(
    np.roll,
    args(A(2, 3), 1),
    args(A(2, 3), -4),
    args(A(2, 3), 1, 0),
    args(A(2, 3), (1, 2), axis=(0, 1)),
    args(A(2, 3), [1, 1], axis=[1, 1]),
    args(A(2, 3), shift=1, axis=(0, 1)),
    args(A(3), ints(2)),
    args(A(0), 1),
    args(A(2, 3), (1, 2)),
)
samples(
    np.pad,
    args(A(2, 3), 1),
    args(A(2, 3), ((1, 0), (0, 2))),
    args(A(3), (1, 2), constant_values=3.0),
    args(A(2, 3), 1, "constant", constant_values=((1.0, 2.0), (3.0, 4.0))),
    args(A(3), 2, "edge"),
    args(A(2, 3), (1, 2), mode="wrap"),
    args(A(3), 2, mode="reflect"),
    args(A(2, 3), 1, "symmetric"),
    args(A(2, 3), {-1: (1, 2)}),
    args(A(2, 3), {0: 1}),
    args(A(2), 0),
    args(A(3), 1, constant_values=A()),
    args(A(2, 3), [[1, 1], [0, 1]]),
    args(A(3), ints(1, 2)),
    args(A(3, 2), ((1, 2), (0, 3)), mode="mean"),
    args(A(3, 4), 2, mode="mean", stat_length=2),
    args(A(3), 2, mode="median"),
    args(A(3, 2), 1, mode="minimum"),
    args(A(4), 1, mode="maximum", stat_length=2),
    args(A(2, 4), 1, mode="maximum", stat_length=((1, 2), (3, 9))),
    args(A(2, 3), 2, mode="linear_ramp"),
    args(A(2, 3), ((1, 2), (0, 3)), mode="linear_ramp", end_values=((1.0, 2.0), (3.0, -4.0))),
)
refused(np.pad, args(A(3), 1, mode="reflect", reflect_type="odd"))
samples(
    np.repeat,
    args(A(2, 3), 2),
    args(A(2, 3), 2, axis=0),
    args(A(2, 3), repeats=ints(1, 0, 2), axis=-1),
    args(A(3), ints(0, 2, 1)),
    args(A(2, 3), 0, axis=1),
    args(A(2, 3), [3], axis=1),
    args(A(), 3),
    args(A(0, 2), 2, 0),
)
samples(
    np.tile,
    args(A(2, 3), 2),
    args(A(2, 3), (2, 1)),
    args(A(3), (2, 2)),
    args(A(2, 3), reps=[1, 2]),
    args(A(), 2),
    args(A(2, 1, 2), 2),
    args(A(2), 0),
    args(A(2), ()),
)
samples(
    np.concatenate,
    args([A(2, 3), A(1, 3)]),
    args((A(2, 3), A(2, 1)), axis=-1),
    args([A(2, 2), A(3)], None),
    args([A(2), ints(1, 2)]),
    args([A(2), A(0)]),
    args([A(2), np.ones(2, np.float32)]),
    args([A(3)], 0),
    args([A(2), A(2)], dtype=np.float32, casting="same_kind"),
    args([A(2, 1), A(2, 2), A(2, 1)], 1),
    args([A(2), [1.0, 2.0]]),
    args(A(2, 3)),
)
samples(
    np.stack,
    args([A(2), A(2)]),
    args([A(2, 3), A(2, 3)], axis=1),
    args((A(), A(), A())),
    args([A(2), A(2)], -1),
    args([A(2), ints(1, 2)], dtype=np.float32, casting="same_kind"),
    args([A(), 1.0]),
    args(A(2, 3)),
)
samples(
    (np.vstack, np.hstack),
    args([A(2, 3), A(2, 3)]),
    args([A(2), A(2)]),
    args([A(), A()]),
    args([A(2, 1), A(2, 1)], dtype=np.float32, casting="same_kind"),
    args((A(2, 1, 2), A(2, 1, 2))),
)
samples(np.hstack, args([A(2, 3), A(2, 1)]), args([A(2), A(3)]))
samples(np.dstack, args([A(2, 3), A(2, 3)]), args([A(2), A(2)]), args((A(), A())))
samples(np.column_stack, args([A(2), A(2)]), args([A(2), A(2, 3)]))
samples(np.append, args(A(2, 3), A(2)), args(A(2, 3), A(1, 3), axis=0), args(A(2), 3.0), args(A(2), [1.0, 2.0]))
samples(
    np.meshgrid,
    args(A(2), A(3)),
    args(A(2), A(3), indexing="ij"),
    args(A(2), A(3), sparse=True),
    args(A(2), A(3), copy=False),
    args(A(2)),
    args(A(2), A(1), A(3)),
    args(A(), A(2)),
    args(A(2), ints(1, 2, 3)),
)
samples(np.array_split, args(A(5), 3), args(A(2, 3), 2, axis=1), args(A(4), [1, 3]), args(A(4), [1, 9]), args(A(2), 3))
samples(
    np.split, args(A(4), 2), args(A(2, 3), 3, axis=-1), args(A(4), [1, 3]), args(A(5), [-2]), args(A(4), ints(3, 1))
)
samples(np.hsplit, args(A(2, 4), 2), args(A(4), 2), args(A(2, 3), [1]))
samples(np.vsplit, args(A(4, 2), 2), args(A(3, 2), [1]))
samples(np.dsplit, args(A(1, 2, 4), 2), args(A(1, 2, 3), [1]))
samples(np.unstack, args(A(2, 3)), args(A(2, 3), axis=1), args(A(2, 3), axis=-1))
samples(
    np.diff,
    args(A(4)),
    args(A(2, 3)),
    args(A(2, 4), 2),
    args(A(3, 2), axis=0),
    args(A(3), n=0),
    args(A(2, 3), prepend=0.5, append=A(2, 2)),
    args(A(3), 1, -1, A(1)),
    args(A(2, 2), 1, 0, append=A(1, 2)),
    args(A(2), n=3),
)

# Indexing --------------------------------------------------------------------------------------------------------

samples(
    operator.getitem,
    args(A(3), 1),
    args(A(3), -1),
    args(A(2, 3), 0),
    args(A(2, 3), (1, 2)),
    args(A(4), slice(None, None, -2)),
    args(A(2, 3), (slice(None), 1)),
    args(A(2, 3), (Ellipsis, None, slice(1, None))),
    args(A(4), ints(1, 1, -1)),
    args(A(2, 3), (ints(0, 1, 0), ints(1, 2, 1))),
    args(A(2, 3), M(2, 3)),
    args(A(2, 3), (slice(None), M(3))),
    args(A(2, 3), (ints([0], [1]), ints(0, 2))),
    args(A(2, 3), ints()),
    args(A(2, 3, 2), (ints(1, 0), slice(None), ints(0, 0))),
    args(A(2, 3), []),
    args(A(3), [0, 2]),
    args(A(), ()),
    args(A(2), (Ellipsis,)),
    args(A(), None),
    args(A(3), slice(5, None)),
)
samples(
    np.take,
    args(A(), [0, 0], axis=-1),
    args(A(4), ints(1, 1, -1)),
    args(A(2, 3), 2),
    args(A(2, 3), [[0, 1]], axis=1),
    args(A(2, 3), 1, axis=-1),
    args(A(3), ints(4, -5, 0), mode="wrap"),
    args(A(2, 3), ints(4, -5), 1, None, "clip"),
    args(A(2, 3), ints(), axis=0),
)
samples(
    np.take_along_axis,
    args(A(2, 3), ints([0, 1, 1], [1, 0, 0]), 0),
    args(A(2, 3), ints([0, 0], [2, -1]), axis=-1),
    args(A(2, 3), ints(0, 5), None),
    args(A(2, 3), ints([0, 2])),
    args(A(2, 3), ints([0], [1]), axis=1),
)
samples(
    np.compress,
    args([True, False, True], A(3)),
    args([0, 1], A(2, 3), axis=0),
    args(M(3), A(2, 3), 1),
    args([True], A(2, 3)),
)
samples(np.extract, args(M(2, 3), A(2, 3)), args([1, 0, 2], A(3)))
samples(
    np.where,
    args(M(2, 3), A(2, 3), A(3)),
    args(M(3), A(3), 0.0),
    args(M(3), 1, A(3)),
    args(M(2, 1), A(), A(3)),
    args(True, A(2), A(2)),
    args(np.False_, A(), A()),
    args(M(2, 3), A(2, 1), ints(1, 2, 3)),
    args(A(3), A(3), 2.0),
    args(M(0), A(0), 1.0),
)
samples(
    np.select,
    args([M(3), ~M(3)], [A(3), A(3)]),
    args([M(2, 3), M(3)], [A(3), A(2, 3)], A()),
    args([M(3)], [A(3)], default=2.0),
)
samples(
    np.choose,
    args(ints(0, 1, 1), [A(3), A(3)]),
    args(ints(0, 3, -1), [A(3), A(3), 2.0], mode="wrap"),
    args(ints(0, 3, -1), (A(3), A()), mode="clip"),
    args(1, [A(2), A(2)]),
)
samples(
    np.diagonal,
    args(A(2, 3)),
    args(A(3, 3), 1),
    args(A(3, 3), offset=-1),
    args(A(2, 2, 3), 0, axis1=0, axis2=2),
    args(A(2, 2, 3), axis1=-1, axis2=-2),
    args(A(2, 2), 3),
)
samples(np.linalg.diagonal, args(A(2, 3)), args(A(2, 2, 3), offset=1))
samples(
    np.trace,
    args(A(2, 3)),
    args(A(3, 3), offset=1),
    args(A(2, 2, 3), 0, 1, 2),
    args(A(2, 2, 3), axis1=0, axis2=-1),
    args(A(2, 2), dtype=np.float32),
)
samples(np.linalg.trace, args(A(2, 3)), args(A(2, 2, 3), offset=-1), args(A(2, 2), dtype=np.float32))
samples((np.diag, np.diagflat), args(A(3)), args(A(2), 1), args(A(2), k=-1), args(A(2, 2)), args(A(0)))
samples(np.diag, args(A(2, 3), 1), args(A(3, 3), k=-1))
samples((np.tril, np.triu), args(A(3, 3)), args(A(2, 3), 1), args(A(2, 3), k=-1), args(A(2, 2, 2)), args(A(3)))


class InPlace:
    """A NumPy function that writes into its first argument, as one that returns what it has written."""

    def __init__(self, function):
        self.function, self.__name__ = function, function.__name__

    def __call__(self, x, *args, **kwargs):
        x = np.copy(x)
        self.function(x, *args, **kwargs)
        return x


samples(InPlace(np.copyto), args(A(2, 3), A(3)), args(A(2, 3), A(), where=M(2, 3)), args(A(3), 2.0))
samples(
    InPlace(np.put),
    args(A(4), ints(1, -1), A(2)),
    args(A(2, 3), [0, 4, 5], A(2)),
    args(A(3), 1, A()),
    args(A(3), ints(4, -4), A(2), mode="wrap"),
    args(A(3), ints(4, -4), A(2), "clip"),
    args(A(4, 6)[::-2, ::3], 1, 0.5),
)
samples(InPlace(np.place), args(A(2, 3), M(2, 3), A(2)), args(A(3), M(3), A(4)), args(A(3), M(3), 1.5))
samples(InPlace(np.putmask), args(A(2, 3), M(2, 3), A(2, 3)), args(A(2, 3), M(2, 3), A(2)), args(A(3), M(3), 1.5))
samples(
    InPlace(np.fill_diagonal),
    args(A(2, 3), A(2)),
    args(A(3, 3), A()),
    args(A(5, 2), A(2), wrap=True),
    args(A(5, 2), 1.5),
    args(A(2, 2, 2), A(2)),
)
samples(
    InPlace(np.put_along_axis),
    args(A(2, 3), ints([0], [1]), A(2, 1), 1),
    args(A(2, 3), ints([1, 0, 1]), A(3), axis=0),
    args(A(2, 3), ints(0, 5), A(2), None),
    args(A(2, 3), ints([0, 2], [2, 1]), 0.5, -1),
)
samples(np.bincount, args(ints(1, 3, 1), weights=A(3)), args(ints(0, 1), A(2), minlength=4))

# Products --------------------------------------------------------------------------------------------------------

samples(
    np.matmul,
    args(A(2, 3), A(3, 2)),
    args(A(3), A(3)),
    args(A(3), A(3, 2)),
    args(A(2, 3), A(3)),
    args(A(2, 2, 3), A(3, 2)),
    args(A(2, 3), A(2, 3, 2)),
    args(A(2, 2, 3), A(2, 3, 1)),
    args(A(2, 1, 2, 3), A(3, 3, 2)),
    args(A(3), A(2, 3, 2)),
    args(A(2, 2, 3), A(3)),
    args(A(2, 3), np.ones((3, 1))),
    args(A(2, 0), A(0, 3)),
    args(A(0, 2), A(2, 3)),
    args(A(4, 6)[::-2, ::2], A(2, 3).T),
    args(A(2, 2), ints([1, 2], [3, 4])),
)
samples(
    np.dot,
    args(A(2, 3), A(3, 2)),
    args(A(3), A(3)),
    args(A(3), A(3, 2)),
    args(A(2, 3), A(3)),
    args(A(2), 0.5),
    args(A(), A(2)),
    args(A(2, 2, 3), A(3)),
    args(A(2, 3), A(2, 3, 2)),
    args(A(2, 1, 3), A(2, 3, 2)),
    args(A(2, 2, 3), A(3, 2)),
    args(A(), A()),
    args(A(3), A(2, 3, 2)),
)
samples(np.vdot, args(A(3), A(3)), args(A(2, 3), A(2, 3)), args(A(2, 3), A(6)), args(A(), A()))
samples(
    np.inner,
    args(A(3), A(3)),
    args(A(2, 3), A(3)),
    args(A(2, 3), A(2, 3)),
    args(A(2), 0.5),
    args(A(), A(2)),
    args(A(2, 1, 3), A(2, 3)),
)
samples(np.outer, args(A(2), A(3)), args(A(2, 2), A(2)), args(A(), A(2)), args(A(2), [1.0, 2.0]))
samples(
    np.tensordot,
    args(A(2, 3, 2), A(3, 2)),
    args(A(2, 3), A(3, 2), axes=1),
    args(A(2), A(3), 0),
    args(A(2, 3, 2), A(2, 3), ([0, 1], [0, 1])),
    args(A(2, 3), A(2, 3), axes=((-1,), (1,))),
    args(A(2, 3), A(3, 2), (1, 0)),
    args(A(2, 3), A(2, 3)),
    args(A(2, 0), A(0, 3), 1),
    args(A(0, 3), A(3, 2), 1),
)
samples(np.kron, args(A(2), A(3)), args(A(2, 2), A(1, 3)), args(A(2), A(2, 2)), args(A(), A(2)))
samples(
    np.einsum,
    args("ij,jk->ik", A(2, 3), A(3, 2)),
    args("ij,jk", A(2, 3), A(3, 2)),
    args("ii", A(3, 3)),
    args("ii->i", A(3, 3)),
    args("ij->", A(2, 3)),
    args("ij->ji", A(2, 3)),
    args("...i,i->...", A(2, 2, 3), A(3)),
    args("i...,i...", A(2, 3), A(2, 3)),
    args("i,j,k->kij", A(2), A(2), A(3)),
    args(A(2, 3), [0, 1], A(3), [1], [0]),
    args(A(2, 3), [0, 1], A(3, 2), [1, 2]),
    args("ij,ij->i", A(2, 3), A(2, 3), optimize=True),
    args("ij,kj->", A(2, 3), A(2, 3)),
    args("iij,ij->i", A(2, 2, 3), A(2, 3)),
    args("i,i", A(3), A(3)),
    args("b...j,jk->b...k", A(2, 2, 3), A(3, 2)),
    args("ij,ij->ij", A(1, 3), A(2, 3)),
    args("ij,ij->j", A(1, 3), A(2, 3)),
    args("ij,ij->", A(2, 1), A(2, 3)),
    args("ji,jk,k->i", A(2, 1), A(2, 3), A(1), optimize=True),
    args("iij,jk->k", A(2, 2, 1), A(3, 2)),
    args("ij,jk,kl->il", A(2, 2), A(2, 3), A(3, 2)),
    args("ii,i->i", A(2, 2), A(2)),
    args("i->", A(0)),
    args(",i", A(), A(2)),
    args(" i j -> j ", A(2, 3)),
    args("ijk,ilm->jklm", A(2, 1, 2), A(2, 2, 1), optimize="greedy"),
    args("...->...", A(2, 2)),
    args("ij...->j...", A(2, 3, 2)),
)

# Windows ---------------------------------------------------------------------------------------------------------

samples(
    np.lib.stride_tricks.sliding_window_view,
    args(A(4), 2),
    args(A(3, 4), (2, 3)),
    args(A(2, 4), 2, axis=1),
    args(A(4, 6)[::-2, ::3], window_shape=2, axis=0),
    args(A(2, 4), (2, 2), axis=(1, 1)),
    args(A(4), 4),
    args(A(2, 3), (), axis=()),
)
refused(np.lib.stride_tricks.sliding_window_view, args(A(4), 2, writeable=True))
samples(
    nn.conv1d,
    args(A(2, 1, 4), A(2, 1, 2)),
    args(A(2, 2, 4), A(3, 2, 2), A(3), stride=2, padding=1),
    args(A(1, 2, 5), A(2, 1, 2), groups=2, dilation=2),
    args(A(1, 4), A(1, 1, 2), padding="same"),
    args(A(0, 1, 3), A(2, 1, 2)),
    args(A(2, 4, 6)[:, ::-2, ::2], A(2, 2, 1).T),
    args(A(2, 1, 3), ints(1, 2).reshape(1, 1, 2)),
    args(ints(1, 2, 3).reshape(1, 1, 3), A(1, 1, 2), A(1)),
)
samples(
    nn.conv2d,
    args(A(2, 1, 3, 3), A(2, 1, 2, 2), A(2)),
    args(A(1, 2, 3, 4), A(2, 1, 2, 3), stride=(2, 1), padding=(0, 1), groups=2),
    args(A(1, 3, 3), A(1, 1, 2, 2), dilation=2),
    args(A(1, 1, 2, 3), A(1, 1, 3, 2), padding="same"),
)
samples(nn.conv3d, args(A(1, 1, 2, 3, 2), A(2, 1, 2, 2, 1), A(2), stride=(1, 2, 1)))
samples(
    nn.conv_transpose1d,
    args(A(2, 2, 2), A(2, 1, 2), A(1)),
    args(A(2, 2, 2), A(2, 1, 3), A(2), stride=2, padding=1, output_padding=1, groups=2, dilation=1),
    args(A(1, 3), A(1, 2, 2), dilation=2, padding=1),
)
samples(nn.conv_transpose2d, args(A(1, 2, 2, 2), A(2, 1, 2, 3), A(1), stride=(1, 2), padding=(0, 1)))
samples(nn.conv_transpose3d, args(A(1, 1, 1, 2, 2), A(1, 1, 2, 1, 2)))
samples(
    nn.max_pool1d,
    real(A(2, 4), 2),
    real(A(5), 3, 1, 1),
    real(A(2, 6), 2, stride=2, dilation=2, ceil_mode=True),
    real(A(0, 4), 2),
)
samples(nn.max_pool2d, real(A(2, 4, 4), 2), real(A(4, 5), (3, 2), stride=(1, 2), padding=1, ceil_mode=True))
samples(nn.max_pool3d, real(A(2, 3, 4), (1, 2, 3), 1))
singular(
    nn.max_pool1d, real(np.zeros(4), 2), real(np.zeros(4), 3, 1, 1), real(np.array([np.nan, 1.0, np.nan, np.nan]), 2)
)
samples(
    nn.avg_pool1d,
    args(A(2, 4), 2),
    args(A(5), 3, 2, 1, True),
    args(A(4), 2, 1, padding=1, count_include_pad=False),
)
samples(nn.avg_pool2d, args(A(2, 4, 4), 2), args(A(4, 5), (3, 2), stride=(1, 2), padding=1, ceil_mode=True))
samples(nn.avg_pool3d, args(A(2, 3, 4), (1, 2, 3), 1))
samples((nn.adaptive_avg_pool2d, nn.adaptive_max_pool2d), real(A(2, 4), 2), real(A(1, 3, 4), (2, 3)))

# What the ways back consist of.
SQUARES = windows.windows((3, 3), (2, 2), (2, 2), (2, 1), (1, 0), (1, 1))
PAIRS = windows.windows((4,), (2,), (2,), (2,), (0,), (1,))
samples(windows.convolve_weight, args(A(1, 2, 2, 2), A(1, 1, 3, 3), windows=SQUARES))
samples(windows.window_sum_back, args(A(1, 2, 2), windows=SQUARES))
samples(windows.to_maxima, real(A(2), ints(1, 3, 3, 3), ints(3, 3), windows=PAIRS))
samples(windows.from_maxima, real(A(4), ints(1, 3, 3, 3), ints(3, 3), windows=PAIRS))
samples(windows.slide_back, args(A(2, 3, 2), size=(2, 4), window=(2,), axis=(1,)))

# Sorting ---------------------------------------------------------------------------------------------------------

samples(
    np.sort,
    args(A(4)),
    args(A(2, 3)),
    args(A(2, 3), 0),
    args(A(2, 3), axis=None),
    args(A(3), -1, "mergesort"),
    args(A(3), stable=True),
    args(A(0, 2)),
    args(A(3), kind="stable"),
)
samples(
    np.partition,
    args(A(3), 1),
    args(A(2, 3), kth=1, axis=-1),
    args(A(2, 3), 1, 0),
    args(A(4), (1, 2)),
    args(A(2, 2), (1, 2), None),
    args(A(3), 1, kind="introselect"),
)
samples(np.median, args(A(4), overwrite_input=False), args(A(2, 2, 2), axis=(0, 2)))
singular(np.sort, args(np.array([np.nan, 1.0, 1.0])))
singular(np.partition, args(np.array([np.nan, 1.0, 1.0]), 1))

# Without a gradient ----------------------------------------------------------------------------------------------

COMPARISONS = np.less, np.less_equal, np.equal, np.not_equal, np.greater, np.greater_equal
BITWISE = np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift, np.gcd, np.lcm

samples(
    (*COMPARISONS, np.logical_and, np.logical_or, np.logical_xor),
    args(A(2, 3), A(3)),
    args(A(), A()),
    args(A(2), 0.5),
    args(0.5, A(2)),
    args(A(2), ints(1, 2)),
    args(np.array([0.0, 1.0]), A()),
    args(A(), 1),
)
samples(
    (np.less.outer, np.less_equal.outer, np.equal.outer, np.not_equal.outer, np.greater.outer, np.greater_equal.outer),
    args(A(2), A(3)),
    args(A(2), 0.3),
)
samples(
    (np.logical_not, np.isnan, np.isinf, np.isfinite, np.signbit),
    args(A(2, 3)),
    args(A()),
    args(np.array([np.nan, np.inf, -0.0])),
)
samples(BITWISE, args(ints(1, 2, 3), ints(2)), args(np.int64(6), 2))
samples(np.invert, args(ints(1, 2)), args(M(3)))
samples(
    (np.isclose, np.allclose),
    args(A(3), A(3)),
    args(np.ones(2), np.array([1.0, 1.1]), 0.2),
    args(np.array([np.nan, 1.0]), np.array([np.nan, 1.05]), rtol=0.01, atol=0.1, equal_nan=True),
)
samples(
    (np.array_equal, np.array_equiv), args(A(3), A(3)), args(np.ones(2), np.ones(2)), args(np.ones(2), np.ones((2, 2)))
)
samples(np.array_equal, args(np.array([np.nan]), np.array([np.nan]), equal_nan=True))
samples((np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj), args(A(3)), args(A()))
samples((np.isneginf, np.isposinf), args(np.array([np.inf, -np.inf, 1.0])))
samples(
    np.isin,
    args(A(2), A(3)),
    args(np.ones(2), [1.0, 2.0], assume_unique=False, invert=True),
    args(ints(1, 2), ints(1, 3), kind="sort", assume_unique=True),
)
samples((np.shape, np.ndim, np.size), args(A(2, 3)), args(A()))
samples(np.size, args(A(2, 3), axis=1))
samples(np.result_type, args(A(2), np.float32), args(ints(1), 2.0))
samples(np.can_cast, args(np.float64, np.float32, casting="same_kind"), args(np.float32, np.float64))
samples(np.min_scalar_type, args(A(2)))
samples(np.common_type, args(A(2), np.ones(2, np.float32)))
samples((np.shares_memory, np.may_share_memory), args(A(2), A(2)), args(A(2), A(2), max_work=1))
samples((np.array_repr, np.array_str), args(A(2)), args(A(2), max_line_width=20, precision=2, suppress_small=True))
samples(np.array2string, args(A(2)), args(A(2), precision=3, separator=", "))
samples(
    (np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.any, np.all),
    args(A(2, 3)),
    args(A(2, 3), 0),
    args(A(2, 3), axis=1, keepdims=True),
    args(A()),
    args(np.zeros((2, 3)), axis=-1),
)
samples((np.any, np.all), args(A(2, 3), axis=1, where=M(3)), args(A(2, 3), axis=(0, 1)))
samples(np.count_nonzero, args(A(2, 3)), args(np.eye(2), axis=1), args(np.eye(2), axis=0, keepdims=True))
samples(
    (np.logical_and.reduce, np.logical_or.reduce),
    args(A(2, 3)),
    args(np.eye(2), axis=None),
    args(np.eye(2), 1, keepdims=True),
)
samples((np.nonzero, np.flatnonzero, np.argwhere), args(np.eye(2)), args(A(3)))
samples(np.where, args(A(3)), args(np.eye(2)))
samples(
    np.searchsorted,
    args(np.arange(4.0), A(3)),
    args(np.arange(4.0), A(), "right"),
    args(np.array([3.0, 1.0]), 2.0, sorter=ints(1, 0)),
    args(np.arange(4.0), 2.0, side="right"),
)
samples(np.digitize, args(A(3), np.arange(4.0)), args(np.arange(3.0), np.arange(4.0), right=True))
samples(np.bincount, args(ints(1, 2, 2)), args(ints(1, 2, 2), minlength=5))
samples(np.unravel_index, args(ints(1, 5), (2, 3)), args(5, (2, 3), order="F"))
samples(np.ravel_multi_index, args((ints(1, 0), ints(2, 1)), (2, 3)), args((1, 5), (2, 3), mode="clip", order="F"))
samples(np.lexsort, args((A(3), A(3))), args(A(2, 3)), args(A(2, 3), axis=0))
samples(
    np.argsort,
    args(A(2, 3)),
    args(A(2, 3), 0),
    args(A(2, 3), axis=None),
    args(A(3), kind="stable"),
    args(A(3), stable=True),
)
samples(
    np.argpartition,
    args(A(4), 1),
    args(A(2, 3), kth=1, axis=0),
    args(A(2, 3), 2, None),
    args(A(3), 1, kind="introselect"),
)

from tests.battery import (  # noqa: E402, F401  # noqa: E402, F401
    samples_assembling,
    samples_drawn,
    samples_fft,
    samples_linalg,
    samples_polynomials,
    samples_scipy,
    samples_scipy_fields,
    samples_scipy_stats,
    samples_special,
    samples_special_waves,
    samples_statistics,
)
