"""Samples of calls that were found wrong when functions, shapes and keywords were drawn at random."""

import numpy as np
import scipy.special as special
from tests.battery.samples import A, P, U, args, ints, real, samples

# An operand may have the result's shape and be broadcast all the same.
samples(np.vecdot, args(A(3, 3), A(3)), args(A(3), A(3, 3)), args(A(1, 1), A(1)), args(A(2, 1, 1), A(1, 1)))

# The exponent 0: the derivative by the base is 0, but changes with the exponent.
samples((np.power, np.float_power), args(P(3), np.array([0.0, 1.0, 2.0])), args(P(), np.zeros(())))

# Without axes.
samples(np.linalg.norm, args(A()), args(np.array(A())), args(np.array(A()), keepdims=True))
samples(np.pad, args(np.array(A()), 2), args(np.array(A()), ((1, 2),), mode="edge"))
samples(
    np.piecewise,
    real(np.array(1.3), [np.array(False), np.array(True)], [2.5, np.square, 0.0]),
    real(np.array(0.3), [np.array(True), np.array(False)], [np.square, 2.5, 0.0]),
)

# Keywords.
samples(np.diff, args(A(3, 3), 0, prepend=1.5), args(A(2, 3), n=0, axis=0))
samples(np.meshgrid, args(A(2), A(3), sparse=True, copy=False), args(A(2), copy=False))
samples((np.var, np.std), args(A(4), dtype=complex), args(A(2, 3), axis=1, dtype=complex, ddof=1))
samples(np.linspace, args(A(2), True, 3), args(False, A(), 4), args(A(), A(), num=0))
samples(np.logspace, real(A(2), True, 3), real(np.array([True, False]), A(2), 3))

# dtypes: Python's numbers give way.
samples(np.select, args([np.array([True, False])], [A(2)], 2), args([np.array([True, True, False])], [A(3)], 2.0))
samples(np.take, args(A(3), []), args(A(2, 3), (), axis=1, mode="clip"))
samples(np.interp, real(A(2, 3), A(4), A(4), left=0.5, right=1.5, period=None), real(A(3), A(4), A(4), period=3.0))

# Functions of SciPy.
samples(special.rgamma, real(np.array([0.0, -1.0, -3.0, 0.5])))
samples(special.kn, real(1.7, P(2)))
samples(special.yn, real(1.7, P(2)))
samples(special.expn, real(2.9, 1 + P(2)), real(0.7, 1 + P(2)))
samples((special.nbdtr, special.nbdtrc), real(-0.5, ints(3, 4), np.array([0.4, 0.6])))
samples(special.pdtri, real(-0.5, np.array([0.4, 0.6])))
samples(
    (special.eval_chebyt, special.eval_chebyu, special.eval_chebyc, special.eval_chebys, special.eval_sh_chebyu),
    real(0.0, U(2)),
    real(1.0, U(2)),
)
samples(special.eval_gegenbauer, real(0.0, 1.5, U(2)), real(1.0, 1.5, U(2)))
samples(special.log_ndtr, real(np.array([3.0, -3.0, 38.0, 120.0])))
samples(special.elliprc, real(0.0, 1 + P(2)), real(0.0, P()))
samples(special.fdtri, real(3.0, 0.5 + P(2), np.array([0.4, 0.6])))
