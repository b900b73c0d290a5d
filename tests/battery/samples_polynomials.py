"""Samples of polynomials by their coefficients."""

import numpy as np
from tests.battery.samples import A, P, args, ints, real, samples, singular

from wengert.rules import polynomials

samples(
    np.polyval,
    args(A(3), A(2)),
    args(A(4), A(2, 2)),
    args(A(3), A()),
    args(A(1), A(2)),
    args(A(0), A(2)),
    args([1.0, 2.0], A(2)),
    args(A(3), 2.0),
    args(A(3, 2), A(2)),
    args(A(2), ints(1, 2)),
)
samples(np.vander, args(A(3)), args(A(3), 2), args(A(3), N=4, increasing=True), args(A(2), 0), args(A(0), 2))
samples(
    (np.polyadd, np.polysub, np.polymul),
    args(A(3), A(2)),
    args(A(2), A(3)),
    args(A(2), A(2)),
    args(A(2), 2.0),
    args(A(), A(3)),
    args([1, 2], A(3)),
)
# Divisors that start with 1 leave no rounding in the place of the zeros that are cut off the rest.
samples(
    np.polydiv,
    args(np.array([1.5, -0.5, 2.0, 1.0, 0.25]), [1.0, 0.5, -1.5]),
    args(A(4), [1.0, 0.7]),
    args(A(2), A(3)),
    args([3.0, 1.0, 2.0, -1.0], np.array([1.0, 0.5])),
    args(np.array([1.5, -0.5, 2.0]), np.array([1.0])),
    args(np.array([3.0, 0.25, 1.0]), np.array([1.0, 0.5, 0.25])),
)
samples(np.polyder, args(A(4)), args(A(4), 2), args(A(3), m=0), args(A(2), 3), args(A(1)))
samples(np.polyint, args(A(3)), args(A(3), 2, A(2)), args(A(2), m=2, k=1.5), args(A(2), 0), args(A(2), 1, A()))
samples(np.poly, args(A(3)), args(A(1)), args(A(0)), args(np.diag([1.0, 2.5]) + 0.1 * A(2, 2)))
samples(np.roots, real(np.array([1.0, -2.0, -1.5, 2.0])), args(A(2)), args(A(1)), real(np.array([2.0, 1.0, 3.0, -1.0])))
singular(np.roots, real(np.array([1.0, -2.0, 1.0])), real(np.array([0.0, 1.0, 2.0, 0.0])), real(np.zeros(3)))
samples(
    np.polyfit,
    real(A(5), A(5), 2),
    real(A(5), A(5, 2), 1, w=P(5)),
    real(A(4), A(4), deg=1, rcond=1e-12, full=True),
    real(A(5), A(5), 2, cov=True),
    real(A(5), A(5, 2), 1, w=P(5), cov="unscaled"),
)

# What the ways back consist of.
samples(polynomials._moments, args(A(2), A(2), count=3), args(A(2, 2), A(2, 2), count=1))
