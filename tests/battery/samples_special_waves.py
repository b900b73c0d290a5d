"""Samples for functions of SciPy's special module that differential equations give, and noncentral distributions."""

import numpy as np
import scipy.special as sp
from tests.battery.samples import P, U, args, ints, real, rough, samples

import wengert.scipy.special as ws
from wengert.rules import special_noncentral

SMALL = P(3) * 0.4 + 0.05  # between 0 and 1

samples((sp.airye, sp.modfresnelp, sp.modfresnelm), real(P(3)), real(P()))
# In single precision SciPy's Mathieu functions are NaN; with an integer array they are in double.
samples((sp.mathieu_cem, sp.mathieu_sem), real(np.int64(2), 1.5, 40 * P(3)), real(np.int64(2), 1.5, 40 * P()))
samples((sp.mathieu_modcem1, sp.mathieu_modcem2), real(np.int64(2), 1.5, P(3)))
samples((sp.mathieu_modsem1, sp.mathieu_modsem2), real(np.int64(2), 1.5, P(3)))

samples(sp.nctdtr, real(4.5, P(3), P(3)))
samples(sp.nctdtrit, real(4.5, P(3), SMALL))
samples(sp.nctdtrinc, rough(4.5, 0.2 + 0.3 * SMALL, 1 + P(3)))
samples(special_noncentral.nct_density, real(4.5, P(3), P(3)))
samples(sp.ncfdtr, real(4.5, 3.5, P(3), P(3)))
samples(sp.ncfdtri, real(4.5, 3.5, P(3), SMALL))
samples(sp.ncfdtrinc, rough(4.5, 3.5, 0.3 * SMALL, 2 + P(3)))
samples(special_noncentral.ncf_density, real(4.5, 3.5, P(3), P(3)))
samples((sp.nbdtrik, sp.bdtrik), real(0.3 + 0.3 * SMALL, 9 + P(3), 0.3 + 0.1 * SMALL))
samples((sp.nbdtrin, sp.bdtrin), real(2 + P(3), 0.3 + 0.3 * SMALL, 0.3 + 0.1 * SMALL))
samples(
    (sp.smirnov, special_noncentral.smirnov_slope, special_noncentral.smirnov_high),
    real(5, np.array([0.23, 0.31, 0.52])),
)
samples(sp.smirnovi, real(5, np.array([0.1, 0.3, 0.6])))

# Legendre functions and spherical harmonics -----------------------------------------------------------------------


samples(ws.legendre_p, real(3, U(2)), real(ints(0, 2), U(2, 1), diff_n=2))
samples(ws.legendre_p_all, args(3, U(2)), args(4, U(), diff_n=2), real(0, U(2), diff_n=1))
samples(
    ws.assoc_legendre_p,
    real(3, ints(1, -2), U(2)),
    real(2, 1, U(2), diff_n=2, norm=True),
    args(3, 2, 0.2 + 0.4 * P(2), branch_cut=2),
    real(3, 1, 1.2 + P(2), branch_cut=3),
)
samples(
    ws.assoc_legendre_p_all,
    real(2, 1, U(2)),
    real(2, 1, U(), diff_n=1, norm=True),
    real(2, 1, 2.0 + U(2), branch_cut=3),
)
samples(ws.sph_legendre_p, real(3, ints(1, -2), P(2)), real(2, 2, np.array([0.0, np.pi]), diff_n=2))
samples(ws.sph_legendre_p_all, real(2, 1, P(2)), real(2, 3, P(), diff_n=2))
samples(
    ws.sph_harm_y,
    real(3, ints(1, -2), P(2), P(2, 1)),
    real(2, 1, P(), P(2), diff_n=2),
    real(2, 0, P(2), P(2), diff_n=1),
)
samples(ws.sph_harm_y_all, real(2, 1, P(2), P(2, 1)), real(2, 1, P(), P(2), diff_n=2))
