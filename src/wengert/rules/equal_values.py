"""Equal eigenvalues and singular values: which gradients are defined there, and what they are.

In the basis of the eigenvectors V of a Hermitian matrix, a change P of the matrix changes the eigenvalues by P_ii and V
by V (E * P), with E_ij = 1 / (w_j - w_i) (Giles, "Collected matrix derivative results", 2008). So a loss with
cotangents h of w and M = V^H (cotangent of V) has the cotangent::

    X = diag(h) + E * (M - M^H) / 2

Within a space of equal eigenvalues V is free to turn, and M - M^H is the derivative of the loss by such a turn. If it
is not zero the loss depends on a choice that LAPACK made, and there is no gradient. If it is, X_ij is a limit 0 / 0
that h and M alone do not always determine: a projector on the space gives 0, a matrix function V f(w) V^H with
cotangent G gives f'(w) G_ij, from M_ij = 2 f(w) G_ij and h_i = f'(w) G_ii. The rule gives what all these readings agree
on, and raises where they do not (`_repeated`):

- V is not used: h, in which losses that tell equal eigenvalues apart (w[0]) share evenly;
- the h_i are equal and M shows that they are no accident of the basis: a function of the eigenvalues, of a projector;
- the h_i are proportional to the M_ii, which differ: a matrix function, X_ij = h_i / M_ii * (M + M^H)_ij / 2.

Singular values are the same with M_U + M_V in the place of M, and with a sum of singular values in the place of the
difference for what turns U against V. At singular values of zero U and V turn on their own, and the derivative of a
loss of the values is 0, as that of abs is.

Numbers count as equal up to 32 units of rounding of the largest eigenvalue, cotangents as zero up to eps ** (2 / 3) of
the largest of them. Of values that are nearly equal, up to sqrt(eps), the same readings are tried, and taken in the
place of quotients that are rounding errors for the most part (`_settled`). What cannot be seen: cotangents that vanish
by accident in LAPACK's basis, as those of a single element of log(A) at the identity, or of v[0, 0] ** 2 where v is the
identity.

Second derivatives are those of the rule: at equal eigenvalues they are right for functions of the eigenvalues that are
a sum (`generic`), raise for matrix functions, and are given for projectors where they are determined in the way above.
"""

import math
from typing import Any

import numpy as np

from wengert.errors import GradientError
from wengert.protocol import Wrapper, anywhere, constant, everything
from wengert.rules.elementwise import is_complex

# Matrices --------------------------------------------------------------------------------------------------------


def adjoint(x: Any) -> Any:
    """The conjugate transpose."""
    x = x.swapaxes(-1, -2)
    return np.conjugate(x) if is_complex(x) else x


def skew(x: Any) -> Any:
    return 0.5 * (x - adjoint(x))


def diagonal(x: Any) -> Any:
    return np.diagonal(x, 0, -2, -1)


def is_differentiated(x: Any) -> bool:
    """Whether a value is followed by a derivative (a batch of plain values is not)."""
    while isinstance(x, Wrapper):
        if not (x._is_batch or x._recorded) and getattr(x, "_node", x) is not None:
            return True
        x = x._value
    return False


# Equal values ----------------------------------------------------------------------------------------------------

EQUAL = 32
"""Values nearer than so many units of rounding of the largest are equal."""


def tolerance(x: Any) -> float:
    """Below such a part of the largest number among others a number is zero."""
    return float(np.finfo(x.dtype).eps) ** (2 / 3)


def largest(x: Any, axes: int = 1) -> Any:
    return np.max(np.abs(x), axis=tuple(range(-axes, 0)), keepdims=True, initial=0)


def clusters(w: np.ndarray, units: float = EQUAL) -> Any:
    """For ordered values, which pairs are equal (in a chain of equal neighbours)."""
    limit = units * np.finfo(w.dtype).eps * largest(w)
    steps = np.abs(np.diff(w, axis=-1)) > limit
    number = np.concatenate([np.zeros_like(w[..., :1], int), np.cumsum(steps, axis=-1)], axis=-1)
    return number[..., :, None] == number[..., None, :]


def any_pair(same: np.ndarray) -> bool:
    same = everything(same)
    return bool(np.count_nonzero(same) > math.prod(same.shape[:-1]))


def refuse(name: str, values: Any, guilty: np.ndarray, what: str, then: str) -> None:
    """Raise if any value is guilty, and name those of the first matrix that has one."""
    if not anywhere(guilty):
        return
    values, guilty = np.broadcast_arrays(everything(values), everything(guilty))
    first = tuple(int(i) for i in np.argwhere(guilty)[0][:-1])
    found = ", ".join(f"{v:.6g}" for v in values[first][guilty[first]][:6])
    place = f" of matrix {list(first)}" if first else ""
    raise GradientError(f"[{name}] {what} was required; received values {found}{place}; {then}")


def shared(w: Any, h: Any, same: np.ndarray) -> Any:
    """Cotangents of values alone: where a loss tells equal ones apart (a tie), they share evenly.

    A loss to which the difference of the values matters, as log(1e-20) - log(1e-30), takes them as they are.
    """
    mean = same / np.sum(same, axis=-1, keepdims=True, dtype=w.dtype)
    values, plain = constant(w), constant(h)
    off = plain - (mean @ plain[..., None])[..., 0]
    differs = np.abs(off) > tolerance(w) * largest(plain)
    matters = np.abs(off * (values - (mean @ values[..., None])[..., 0])) > tolerance(w) * largest(plain * values)
    ties = _in_cluster(np.any, differs, same) & ~_in_cluster(np.any, differs & matters, same)
    return np.where(ties, (mean @ h[..., None])[..., 0], h) if anywhere(ties) else h


def _in_cluster(reduce: Any, x: np.ndarray, same: np.ndarray) -> Any:
    """A reduction over the cluster of each value (of a matrix: over its pairs)."""
    zero = np.zeros((), x.dtype)
    if x.ndim == same.ndim:
        x = reduce(np.where(same, x, zero), axis=-1)
    return reduce(np.where(same, x[..., None, :], zero), axis=-1)


ADVICE = (
    "use what does not depend on the basis within their space (a projector on all of it, a function of the values, "
    "from eigvalsh or svdvals), scipy.linalg's matrix functions, or move the values apart"
)


def spectral(name: str, w: Any, h: Any, m: Any, same: np.ndarray) -> Any:
    """The cotangent of a Hermitian matrix in the basis of its eigenvectors."""
    turn = skew(m)
    gap = w[..., None, :] - w[..., :, None]
    x = np.where(same, 0, turn / np.where(same, 1, gap)) + h[..., :, None] * np.eye(w.shape[-1], dtype=w.dtype)
    limit = tolerance(w) * (largest(constant(m), 2) + (largest(constant(h)) * largest(constant(w)))[..., None])
    turned = np.any(same & (np.abs(constant(turn)) > limit + 100 * np.finfo(w.dtype).eps), axis=-1)
    many = np.sum(same, axis=-1) > 1
    what = "a loss that does not depend on the basis of eigenvectors of equal values"
    refuse(name, constant(w), turned & many, what, ADVICE)
    what = "a loss that does not depend on the phase of complex eigenvectors"
    refuse(name, constant(w), turned, what, "use products in which the phase is lost, as v * conj(v)")
    if anywhere(many):
        x = x + _repeated(name, w, h, m, same, limit[..., 0])
    return x if any(map(is_differentiated, (w, h, m))) else _settled(x, w, h, m, same)


def _settled(x: np.ndarray, w: np.ndarray, h: np.ndarray, m: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Between values that are nearly equal a quotient of small differences is rough, and the limit is good.

    It takes the quotient's place if it says the same of the numerator, up to rounding.
    """
    eps = np.finfo(w.dtype).eps
    near = clusters(w, 1 / math.sqrt(eps))
    if not anywhere(near & ~same):
        return x
    rough, size = eps ** (3 / 8), largest(w)
    limit = rough * (largest(m, 2)[..., 0] + largest(h) * size)
    spread_out, function, limits = _readings(h, m, near, limit, _limit_of_values(h, m, size, rough))
    limits = np.where(function[..., None], limits, 0)
    noise = 64 * eps * (largest(m, 2) + (largest(h) * size)[..., None])
    gap = w[..., None, :] - w[..., :, None]
    fits = (spread_out | function)[..., None] & (np.abs(skew(m) - gap * limits) <= noise)
    return np.where(near & ~same & fits, limits, x)


def _repeated(name: str, w: Any, h: Any, m: Any, same: np.ndarray, limit: Any) -> Any:
    """What pairs of equal values contribute, where it is determined: see the top of this file."""
    recorded = any(map(is_differentiated, (w, h, m)))
    w, h, m = constant(w), constant(h), constant(m)
    h_limit = _limit_of_values(h, m, largest(w), tolerance(w))
    spread_out, function, limits = _readings(h, m, same, limit, h_limit)
    pairs = same & ~np.eye(w.shape[-1], dtype=bool)
    many = np.any(pairs, axis=-1)
    function &= many
    unknown = many & ~spread_out & ~function
    x = np.where(pairs & function[..., None], limits, 0)
    if anywhere(unknown):
        second, limits = _second_of_values(h, m, same, limit, h_limit)
        what = "a loss whose cotangents determine the gradient at equal values"
        refuse(name, w, unknown & ~second, what, ADVICE)
        x = np.where(same & unknown[..., None], limits - h[..., :, None] * np.eye(w.shape[-1]), x)
        function = function | unknown
    if recorded:
        what = "a matrix without equal values, for second derivatives of a function of it,"
        refuse(name, w, function, what, "use scipy.linalg's matrix functions, or move the values apart")
    return x.astype(m.dtype)


def generic(v: Any, same: Any) -> Any:
    """The vectors in a basis that is no special one within the space of equal values, always by the same turn.

    What a rule that is differentiated itself makes of values alone is the same in each basis. In this one no cotangent
    vanishes by accident, as single elements of the Hessian have it in LAPACK's (`_second_of_values`).
    """
    return v @ _generic_turn(same) if any_pair(same) else v


def _generic_turn(same: Any) -> Any:
    numbers = np.random.default_rng(0).normal(size=same.shape[-2:])
    return np.linalg.qr(np.where(same, numbers, 0))[0]


def _second_of_values(h: Any, m: Any, same: Any, limit: Any, h_limit: Any) -> tuple[Any, Any]:
    """Whether h and M can be of the gradient of a function of values, which took the vectors by `generic`."""
    s, turn = 0.5 * (m + adjoint(m)), _generic_turn(same)
    s_ii = np.real(diagonal(adjoint(turn) @ np.where(same, s, 0) @ turn))
    squares = _in_cluster(np.sum, s_ii * s_ii, same)
    ratio = _in_cluster(np.sum, s_ii * h, same) / np.where(squares == 0, 1, squares)
    fits = _in_cluster(np.max, np.abs(h - ratio * s_ii), same) <= h_limit
    return fits & (_in_cluster(np.max, np.abs(s_ii), same) > limit), ratio[..., None] * s


def _limit_of_values(h: Any, m: Any, size: Any, small: float) -> Any:
    """Below this the cotangent of a value is zero; of vectors it is of the size of that times the values."""
    return small * (largest(h) + largest(m, 2)[..., 0] / np.where(size == 0, np.inf, size))


def _readings(h: Any, m: Any, same: np.ndarray, limit: Any, h_limit: Any) -> tuple[Any, Any, Any]:
    """Whether values can be of a projector, of a matrix function, and what pairs of them contribute to that."""
    s = 0.5 * (m + adjoint(m))
    s_ii, pairs = np.real(diagonal(s)), same & ~np.eye(h.shape[-1], dtype=bool)

    def spread(x, limit):
        mean = _in_cluster(np.sum, x, same) / np.sum(same, axis=-1)
        return _in_cluster(np.max, np.abs(x - mean), same) <= limit, _in_cluster(np.max, np.abs(x), same) <= limit

    equal_h, zero_h = spread(h, h_limit)
    equal_s, zero_s = spread(s_ii, limit)
    diagonal_s = _in_cluster(np.max, np.abs(np.where(pairs, s, 0)), same) <= limit
    spread_out = equal_h & (~equal_s | (diagonal_s | zero_h) & ~zero_s | diagonal_s & zero_h)
    squares = _in_cluster(np.sum, s_ii * s_ii, same)
    ratio = _in_cluster(np.sum, s_ii * h, same) / np.where(squares == 0, 1, squares)
    function = ~spread_out & ~equal_s & (_in_cluster(np.max, np.abs(h - ratio * s_ii), same) <= h_limit)
    return spread_out, function, ratio[..., None] * s
