"""Samples for the pieces of distributions that have rules of their own; the distributions have a test file."""

import numpy as np
from tests.battery.samples import A, P, U, real, samples, singular

from wengert.rules import scipy_stats as pieces

LARGE = 100 + 10 * P(2)

samples(pieces.log1p_less, real(P(3)), real(0.1 * A()))
samples(pieces.log_gamma_density, real(P(2), P(2)), real(LARGE, LARGE), real(LARGE[:1], LARGE[::-1]))
samples(
    pieces.log_beta_density,
    real(P(2), P(2), 0.3 + 0.1 * P(2)),
    real(LARGE, 50.0 + P(2), 0.6 + 0.02 * P(2)),
    real(LARGE, np.ones(1), 0.6 + 0.02 * P(2)),
)
samples(pieces.log_student_density, real(P(2), A(2)), real(np.array([120.0, 12.0]), A(2)))
samples(
    pieces.log_normal_mass,
    real(-P(3), P(3)),
    real(np.array([1.0, -3.0, 0.4]), np.array([2.5, -1.0, 0.5])),
    real(np.array([-2.0, 0.5]), np.inf),
)
samples((pieces.skewed,), real(A(3), A(3)), real(-P(2), 2 + P(2)), real(A(2), np.array([3.0])))
samples(pieces.skewed_quantile, real(0.3 + 0.2 * U(3), A(3)))
samples(pieces.gamma_entropy, real(P(2)), real(np.array([120.0, 0.5])))
singular(pieces.log_gamma_density, real(np.array([120.0]), np.array([0.0])))
