"""Samples for functions of SciPy's special module; arguments without a derivative are Python numbers and integers."""

import numpy as np
import scipy.special as sp
from tests.battery.samples import A, P, U, args, ints, real, samples, singular

import wengert.scipy.special as ws
from wengert.rules import special_elliptic, special_gamma

SMALL = P(3) * 0.4 + 0.05  # between 0 and 1

# Error functions, elementary functions ---------------------------------------------------------------------------

samples((sp.erf, sp.erfc, sp.erfcx, sp.erfi, sp.dawsn, sp.wofz), args(A(3)), args(A()))
samples(sp.erfcx, args(np.array([9.3, 10.7, 40.0])))
samples(sp.dawsn, real(np.array([-12.0, 10.7])))
samples((sp.erfinv, sp.ndtri, sp.logit, sp.log1p, sp.erfcinv), real(SMALL))
samples(sp.fresnel, args(A(3)), args(A()))
samples(sp.voigt_profile, real(A(3), P(3), P(3)), real(A(2, 1), 0.7, P()), real(np.array([30.0]), P(1), P(1)))
samples((sp.ndtr, sp.log_ndtr), args(A(3)), args(A()))
samples(sp.log_ndtr, real(np.array([-30.0, 8.0])))
samples(sp.ndtri_exp, real(-P(3)))
samples(sp.owens_t, real(A(3), A(3)), real(A(2, 1), A()))
samples(sp.nrdtrimn, real(SMALL, P(3), A(3)))
samples(sp.nrdtrisd, real(A(3), 0.8 + 0.1 * SMALL, 3 + A(3)))
samples(
    (sp.exp2, sp.exp10, sp.expm1, sp.cosm1, sp.expit, sp.log_expit, sp.exprel, sp.sindg, sp.cosdg, sp.tandg),
    args(A(3)),
    args(A()),
)
samples(sp.cbrt, real(P(3)), real(-P()))
samples(sp.cotdg, real(10 + 10 * P(3)))
samples(sp.exprel, real(np.array([3.0, -0.4, 1e-3])))
samples(sp.radian, real(A(3), A(3), A(3)))
samples((sp.xlogy, sp.xlog1py), args(A(3), P(3)), args(A(2, 1), P()))
samples(sp.powm1, real(P(3), A(3)))
samples((sp.boxcox, sp.boxcox1p), real(P(3), A(3)), real(P(2, 1), 1e-3), real(P(2), 2.0))
samples(
    (sp.inv_boxcox, sp.inv_boxcox1p), real(P(3), 0.5 * P(3)), real(P(2, 1), P()), real(P(2), np.array([1e-3, 0.02]))
)
samples((sp.entr, sp.exp1, sp.expi, sp.spence), args(P(3)), args(P()))
samples((sp.rel_entr, sp.kl_div), real(P(3), P(3)), real(P(2, 1), P()))
samples(sp.huber, real(P(3), np.array([0.1, -4.0, 3.0])), real(1.0, A(3)))
samples(sp.pseudo_huber, real(P(3), A(3)), real(1.0, A(3)))
samples(sp.expn, real(2, P(3)), real(ints(0, 1, 3), P(3)))
samples((sp.sici, sp.shichi), args(P(3)), args(P()))
samples(sp.wrightomega, args(A(3)))
samples(sp._ufuncs._lambertw, args(P(3), 0, 1e-8), args(1 + P(), ints(0, 1), 1e-8))
samples(sp.round, real(A(3)))
samples((sp.kolmogorov,), real(P(3)))
samples(sp.kolmogi, real(SMALL))
singular((sp.xlogy, sp.rel_entr), real(np.array([0.0, 0.0]), np.array([0.0, 1.0])))
singular((sp.entr, sp.exp1, sp.cbrt, sp.log1p), real(np.array([0.0, -1.0])))
singular(sp.logit, real(np.array([0.0, 1.0])))

# Gamma functions and distributions -------------------------------------------------------------------------------

samples((sp.gamma, sp.gammaln, sp.loggamma, sp.rgamma, sp.psi), args(P(3)), args(P()))
samples((sp.gamma, sp.rgamma, sp.psi), args(A(3)))
samples(sp.gammasgn, real(A(3)))
samples(sp._ufuncs._zeta, real(2.5, P(3)), real(ints(2, 3), P()))
samples((sp.beta, sp.betaln), real(P(3), P(3)), real(P(2, 1), 25.0))
samples(sp.poch, real(P(3), P(3)))
samples(sp.binom, real(3 + P(3), P(3)), real(25 + P(2, 1), 2.0))
samples((sp.gammainc, sp.gammaincc), real(P(3), P(3)), real(2 + P(2, 1), 3 * P()), real(2.0, P(3)))
samples((sp.gammaincinv, sp.gammainccinv), real(P(3), SMALL), real(2.0, SMALL))
samples((sp.betainc, sp.betaincc), real(P(3), P(3), SMALL), real(P(2, 1), 2.0, 0.3 * P()))
samples((sp.betaincinv, sp.betainccinv), real(1 + P(3), 1 + P(3), SMALL))
samples((sp.chdtr, sp.chdtrc), real(P(3), P(3)))
samples(sp.chdtri, real(1 + P(3), SMALL))
samples(sp.chdtriv, real(SMALL, 1 + P(3)))
samples((sp.gdtr, sp.gdtrc), real(P(3), P(3), P(3)))
samples(sp.gdtrix, real(P(3), 1 + P(3), SMALL))
samples(sp.gdtria, real(SMALL, 1 + P(3), P(3)))
samples(sp.gdtrib, real(P(3), SMALL, 1 + P(3)))
samples((sp.pdtr, sp.pdtrc), real(P(3), P(3)), real(2, P(3)))
samples(sp.pdtri, real(2, SMALL))
samples(sp.pdtrik, real(0.3 * SMALL + 0.3, 2 + P(3)))
samples((sp.bdtr, sp.bdtrc, sp.bdtri), real(ints(1, 2, 3), 5, SMALL))
samples((sp.bdtr, sp.bdtrc, sp.bdtri), real(np.array(1.5), np.array(5.5), SMALL))
samples((sp.nbdtr, sp.nbdtrc, sp.nbdtri), real(ints(1, 2, 3), 4, SMALL))
samples((sp.nbdtr, sp.nbdtrc, sp.nbdtri), real(np.array(1.5), np.array(4.5), SMALL))
samples(sp.btdtria, real(SMALL, 1 + P(3), SMALL[::-1]))
samples(sp.btdtrib, real(1 + P(3), SMALL, SMALL[::-1]))
samples((sp.fdtr, sp.fdtrc), real(1 + P(3), 1 + P(3), P(3)))
samples(sp.fdtri, real(2 + P(3), 2 + P(3), SMALL))
samples(sp.fdtridfd, real(3.0, np.array([0.45]), np.array([0.9])), real(np.array([3.0]), np.array([0.45]), 0.9))
samples(sp.stdtr, real(4.0, A(3)), real(2 + P(3), A(3)))
samples(sp.stdtrit, real(4.0, SMALL), real(2 + P(3), SMALL))
samples(sp.stdtridf, real(0.8, np.array([1.0, 1.1])), real(np.array([0.85, 0.8]), np.array([2.2, 1.5])))
samples(sp.chndtr, real(P(3), 3.0, P(3)))
samples(sp.chndtrix, real(SMALL, 3.0, P(3)))
samples(sp.chndtrinc, real(3 * P(2), 3.0, np.array([0.2, 0.3])))
samples((special_gamma.gammainc_aa,), real(2.0, P(3)))
samples((special_gamma.betainc_aa, special_gamma.betainc_ab, special_gamma.betainc_bb), real(2.0, 1.3, SMALL))
singular((sp.gammainc, sp.gammaincc), real(np.array([0.5, 2.0]), np.array([0.0, np.inf])))
singular(sp.betainc, real(np.array([0.5, 2.0]), P(2), np.array([0.0, 1.0])))
singular(sp.psi, real(np.array([0.0, -1.0])))

# Bessel functions ------------------------------------------------------------------------------------------------

samples((sp.j0, sp.j1, sp.i0, sp.i1), real(A(3)), real(A()), real(np.array([0.0, 1e-9])))
samples((sp.i0e, sp.i1e), real(A(3)), real(np.array([35.0, 70.0])))
samples((sp.y0, sp.y1, sp.k0, sp.k1), real(P(3)), real(P()))
samples((sp.k0e, sp.k1e), real(P(3)), real(np.array([35.0, 70.0])))
samples((sp.jv, sp.jve, sp.iv, sp.hankel1, sp.hankel2, sp.hankel1e, sp.hankel2e), args(2, P(3)), args(0.5, P()))
samples((sp.yv, sp.yve, sp.kv, sp.kve), args(1.5, P(3)), args(ints(0, 1, 2), P()))
samples(sp.ive, real(2, P(3)), args(1, P(3)), real(0.5, np.array([60.0, -60.0])[:1]))
samples(sp.kve, real(0.5, np.array([60.0])))
samples((sp.yn, sp.kn), real(2, P(3)), real(ints(0, 1, 2), P()))
samples((sp.struve, sp.modstruve), real(1.5, P(3)))
samples((sp._ufuncs._spherical_jn, sp._ufuncs._spherical_yn), args(2, P(3)), real(0, P()))
samples((sp._ufuncs._spherical_in, sp._ufuncs._spherical_kn), args(2, P(3)), real(ints(0, 1), P()))
samples((sp._ufuncs._spherical_jn_d, sp._ufuncs._spherical_yn_d), args(2, P(3)), real(0, P()))
samples((sp._ufuncs._spherical_in_d, sp._ufuncs._spherical_kn_d), args(2, P(3)), real(1, P()))
samples(sp.airy, args(A(3)), args(A()))
samples((sp.ber, sp.bei, sp.berp, sp.beip), real(P(3)))
samples((sp.ker, sp.kei, sp.kerp, sp.keip), real(P(3)))
samples(sp.kelvin, real(P(3)))
samples((sp.pbdv, sp.pbvv, sp.pbwa), real(1.5, P(3)))
samples(
    (sp.itj0y0, sp.iti0k0, sp.it2j0y0, sp.it2i0k0, sp.itairy, sp.itstruve0, sp.itmodstruve0, sp.it2struve0), real(P(3))
)
samples((sp.wright_bessel, sp.log_wright_bessel), real(0.5, 1.2, P(3)))

# Elliptic integrals ----------------------------------------------------------------------------------------------

samples((sp.ellipk, sp.ellipe), real(U(3)), real(np.array([1e-3, -30.0])))
samples(sp.ellipkm1, real(P(3)))
samples((sp.ellipkinc, sp.ellipeinc), real(A(3), U(3)), real(np.array([4.0, -8.0]), 0.3), real(1.2, U(3)))
samples(sp.ellipj, real(A(3), SMALL), real(A(2, 1), 0.4))
samples((sp.elliprf, sp.elliprd, sp.elliprg), args(P(3), P(3), P(3)), args(P(2, 1), 1.0, P()))
samples(sp.elliprj, args(P(2), P(2), P(2), P(2)))
samples(sp.elliprc, args(P(3), P(3)), args(P(3), -P(3)))
samples(sp.agm, real(P(3), P(3)), real(2.0, P(3)))
samples(special_elliptic.carlson, real(P(2), P(2), P(2), P(2), powers=(1, 3, 1, 2)), real(P(2), P(2), P(2), 1.0))
singular(sp.ellipe, real(np.array([1.0, 0.0])))

# Hypergeometric functions and polynomials ------------------------------------------------------------------------

samples(sp.hyp0f1, args(1.5, A(3)))
samples(sp.hyp1f1, args(0.5, 1.5, A(3)))
samples(sp.hyperu, real(0.5, 1.5, P(3)))
samples(sp.hyp2f1, args(0.5, 1.2, 1.7, 0.6 * U(3)))
samples(
    (
        sp.eval_legendre, sp.eval_chebyt, sp.eval_chebyu, sp.eval_chebyc, sp.eval_chebys, sp.eval_laguerre,
        sp.eval_sh_legendre, sp.eval_sh_chebyt, sp.eval_sh_chebyu,
    ),
    real(3, SMALL),
    args(2.0, SMALL),
    real(ints(0, 1, 2), SMALL),
)  # fmt: skip
samples((sp.eval_hermite, sp.eval_hermitenorm), real(3, A(3)), real(ints(0, 1, 2), A()))
samples((sp.eval_genlaguerre, sp.eval_gegenbauer), real(3, 1.5, A(3)), real(0, 1.5, A()))
samples((sp.eval_jacobi, sp.eval_sh_jacobi), real(3, 2.5, 1.5, SMALL), real(0, 2.5, 1.5, SMALL))
samples(sp.lpmv, real(1, 3, U(3)))

# Functions that SciPy writes in Python ---------------------------------------------------------------------------

samples(
    ws.logsumexp,
    args(A(2, 3)),
    args(A(2, 3), axis=0, keepdims=True),
    real(A(2, 3), axis=1, b=P(2, 3)),
    real(A(2, 3), b=A(3), axis=-1, return_sign=True),
    real(A(3), return_sign=True),
)
samples((ws.softmax, ws.log_softmax), real(A(2, 3)), real(A(2, 3), axis=0), real(A(2, 3), axis=(0, 1)))
samples(ws.multigammaln, real(2 + P(3), 3))
samples(ws.polygamma, real(1, P(3)), real(ints(0, 1, 2), P()))
samples(ws.factorial, real(P(3)), real(A(3)))
samples(ws.comb, real(3 + P(3), P(3)), real(3 + P(3), 2.0, repetition=True), real(3.0, A(3)))
samples(ws.perm, real(3 + P(3), 2.0))
samples(ws.diric, real(A(3), 3), real(np.array([1e-5, 6.2831, 12.0]), 4))
samples((ws.spherical_jn, ws.spherical_yn, ws.spherical_in), real(2, A(3)), real(1, A(3), derivative=True))
samples(ws.spherical_kn, real(2, P(3)), real(1, P(3), True))
