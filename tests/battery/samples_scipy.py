"""Samples of the functions in wengert.scipy: matrices and signals."""

import numpy as np
from tests.battery.samples import A, P, U, args, ints, real, samples
from tests.battery.samples_linalg import D, S, adjoint

from wengert.rules import padding, scipy_signal, scipy_structured
from wengert.scipy import linalg, signal

# Equations -------------------------------------------------------------------------------------------------------

samples(
    linalg.solve,
    args(S(3), A(3)),
    args(S(2, 2), A(2, 3)),
    args(S(2), A(2, 2, 1)),
    args(S(2, 2), A(2)),
    args(S(2), ints(1, 2)),
    args(S(2), A(2), assume_a="gen", check_finite=False),
    args(S(2), A(2), overwrite_a=False, overwrite_b=False),
    args(D(3), A(3), lower=True, assume_a="sym"),
    args(D(3), A(3, 2), assume_a="her"),
    args(D(3), A(3), lower=True, assume_a="pos"),
    args(D(3), A(3), assume_a="pos"),
    args(S(3), A(3), assume_a="diagonal"),
    args(np.triu(S(3)), A(3)),
    args(S(3), A(3), assume_a="tridiagonal"),
    args(S(3), A(3), assume_a="upper triangular"),
    real(S(3), A(3), assume_a="lower triangular", transposed=True),
    real(D(3), A(3, 2), assume_a="sym", transposed=True),
)
samples(
    linalg.solve_triangular,
    args(S(3), A(3)),
    args(S(3), A(3, 2), trans=1),
    args(S(3), A(3), "C", True),
    args(S(2, 2), A(2), lower=True),
    args(S(2), A(2, 2, 2), "T", unit_diagonal=True),
    args(S(3), A(3), lower=True, unit_diagonal=True, overwrite_b=False, check_finite=False),
)
samples(linalg.inv, args(S(3)), args(S(2, 2)), args(D(3), assume_a="pos", lower=True), args(D(2), assume_a="sym"))
samples(linalg.det, args(S(3)), args(S(2, 2)), args(S(2), overwrite_a=False, check_finite=False))
samples(
    linalg.norm,
    args(A(3)),
    args(A(2, 3)),
    args(A(2, 3), 1),
    args(A(2, 3), ord=2),
    args(A(2, 3), "nuc"),
    args(A(2, 3), axis=1, keepdims=True),
    args(A(2, 3), "fro", check_finite=False),
)
samples(
    linalg.pinv,
    args(A(3, 2)),
    args(A(2, 3), atol=1e-3, rtol=1e-3),
    args(A(2, 3), rtol=1e-3, return_rank=True, check_finite=False),
)
samples(linalg.pinvh, args(D(3)), args(D(2), lower=False, return_rank=True), args(D(2), atol=1e-3, rtol=1e-3))
samples(
    linalg.lstsq,
    args(A(3, 2), A(3)),
    args(A(3, 2), A(3, 2), cond=1e-9),
    args(A(2, 3), A(2, 1)),
    args(S(2), A(2), overwrite_a=False, overwrite_b=False, check_finite=False, lapack_driver="gelsd"),
)

# Factorisations --------------------------------------------------------------------------------------------------

samples(linalg.cholesky, args(D(3)), args(D(2, 2), lower=True), args(D(2), overwrite_a=False, check_finite=False))
samples(linalg.cho_factor, args(D(3)), args(D(3), lower=True), args(D(2, 2)), args(D(2), False, False, False))
samples(
    linalg.cho_solve,
    args((S(3), True), A(3)),
    args((S(3), False), A(3, 2), overwrite_b=False, check_finite=False),
    args((S(2, 2), False), A(2)),
)
samples(
    linalg.lu,
    args(S(2)[::-1]),
    args(A(3, 2)),
    args(A(2, 3)),
    args(S(2, 2)[:, ::-1], p_indices=True),
    args(S(3)[ints(2, 0, 1)], permute_l=True, overwrite_a=False, check_finite=False),
)
samples(linalg.lu_factor, args(S(3)[ints(2, 0, 1)]), args(A(3, 2)), args(A(2, 3)), args(S(2, 2), False, False))
samples(
    linalg.lu_solve,
    args((S(3), ints(1, 2, 2)), A(3)),
    args((S(3), ints(1, 2, 2)), A(3, 2), trans=1, overwrite_b=False, check_finite=False),
    args((S(3), ints(2, 1, 2)), A(3), 2),
    args((S(2, 2), ints(1, 1)), A(2)),
)
samples(
    linalg.qr,
    real(A(3, 2)),
    args(A(3, 2), mode="economic"),
    args(A(2, 3), mode="economic"),
    args(A(3, 2), mode="r"),
    args(S(3)[:, ::-1], pivoting=True, overwrite_a=False, lwork=20, check_finite=False),
    args(S(2, 2), mode="economic"),
)
samples(linalg.svdvals, args(A(3, 2)), args(S(2, 2)), args(A(2, 3), False, False))


def svd_products(a, **keywords):
    """What does not depend on signs and phases of singular vectors."""
    u, s, vh = linalg.svd(a, **keywords)
    k = s.shape[-1]
    return s, (u[..., :k] * np.sin(s)[..., None, :]) @ vh[..., :k, :]


def null_space_projector(a):
    q = linalg.null_space(a)
    return q @ adjoint(q)


samples(
    svd_products,
    args(A(3, 2)),
    args(A(2, 3), full_matrices=False),
    args(A(2, 2), overwrite_a=False, check_finite=False, lapack_driver="gesvd"),
)
samples(null_space_projector, real(A(1, 3)), real(A(2, 4)))
samples(linalg.svd, real(A(3, 2), full_matrices=False), real(A(2, 3), compute_uv=False))
samples(linalg.null_space, real(A(2, 3)), real(A(1, 2), rcond=1e-9, overwrite_a=False, check_finite=False))
samples(linalg.orth, real(A(3, 2)), real(A(2, 3), rcond=1e-9))

# Eigenvalues -----------------------------------------------------------------------------------------------------

samples(
    linalg.eigh,
    real(D(2)),
    real(D(3), lower=False, driver="evd"),
    args(D(3), eigvals_only=True),
    real(S(3), D(3)),
    real(S(3), D(3), lower=False, type=2),
    real(D(3), D(3), type=3, overwrite_a=False, overwrite_b=False, check_finite=False),
    real(D(3), subset_by_index=[0, 1]),
    args(D(3), eigvals_only=True, subset_by_value=[0.0, 4.0]),
    real(D(2, 2)),
)
samples(
    linalg.eigvalsh,
    args(D(3)),
    args(S(2), D(2), lower=False, type=2),
    args(D(3), subset_by_index=[1, 2], driver="evr"),
    args(D(3), subset_by_value=[-1.0, 3.5]),
    args(D(2), overwrite_a=False, overwrite_b=False, check_finite=False),
)
samples(linalg.eigvals, args(S(3)), args(S(2, 2)), args(A(3, 3), None, False, False))
samples(linalg.eig, real(S(3)), args(S(3), right=False), real(S(2), overwrite_a=False, overwrite_b=False))
samples(
    linalg.eigh_tridiagonal,
    real(np.arange(3.0), P(2)),
    real(P(3), P(2), eigvals_only=True),
    real(np.arange(3.0), P(2), select="i", select_range=(0, 1), tol=0.0, check_finite=False),
    real(np.arange(3.0), P(2), True, "v", (-0.5, 2.0), lapack_driver="stebz"),
)
samples(linalg.eigvalsh_tridiagonal, real(P(3), P(2)), real(P(3), P(2), "i", (1, 2)))

# Functions of matrices -------------------------------------------------------------------------------------------

samples(linalg.expm, args(A(3, 3)), args(A(2, 2, 2)), args(A(1, 1)), args(np.array([[0.0, 1.0], [-1.0, 0.0]])))
samples(
    linalg.expm_frechet,
    args(A(2, 2), A(2, 2)),
    args(A(2, 2), A(2, 2), compute_expm=False, method="SPS", check_finite=False),
)
samples(linalg.logm, args(S(2)))
samples(linalg.sqrtm, args(S(3)), args(S(2, 2)), real(-S(2)))
samples(linalg.fractional_matrix_power, args(S(2), 0.3), real(S(2), -1.5), args(S(2), 3))
samples(
    (linalg.cosm, linalg.sinm, linalg.coshm, linalg.sinhm, linalg.tanm, linalg.tanhm), args(A(2, 2)), args(U(2, 2, 2))
)
samples(linalg.polar, args(S(3)), args(A(3, 2)), args(A(2, 3), side="left"), args(A(2, 3)), args(S(2), "left"))
samples(linalg.orthogonal_procrustes, args(S(2), S(2)), args(A(3, 2), A(3, 2), check_finite=False))
samples(linalg.solve_sylvester, args(S(2), S(3), A(2, 3)), args(S(2), S(2, 2), A(2, 2)))
samples(linalg.solve_continuous_lyapunov, args(S(2), A(2, 2)), args(S(2, 2), A(2, 2)))
samples(
    linalg.solve_discrete_lyapunov,
    args(U(2, 2), A(2, 2)),
    args(0.5 * U(2, 2), A(2, 2), method="bilinear"),
    args(0.3 * U(2, 2), A(2, 2), "direct"),
)


class OfRoot:
    """A function of Hermitian matrices as one of their roots, so that changes keep them Hermitian."""

    def __init__(self, function):
        self.function, self.__name__ = function, f"{function.__name__}_of_roots"

    def __call__(self, a, b, q, r, **keywords):
        return self.function(a, b, q @ adjoint(q), r @ adjoint(r), **keywords)


for _riccati in (linalg.solve_continuous_are, linalg.solve_discrete_are):
    samples(OfRoot(_riccati), args(A(2, 2), A(2, 1), S(2), P(1, 1)), args(U(3, 3), A(3, 2), S(3), S(2), balanced=False))

# Structured matrices ---------------------------------------------------------------------------------------------


def banded(lower, upper, n):
    """A band with a large diagonal."""
    ab = A(lower + upper + 1, n)
    ab[upper] += 5.0
    return ab


samples(
    linalg.solve_banded,
    args((1, 1), banded(1, 1, 3), A(3)),
    args((2, 1), banded(2, 1, 4), A(4, 2), overwrite_ab=False, overwrite_b=False, check_finite=False),
    args((0, 1), banded(0, 1, 3), A(3)),
    args((1, 0), banded(1, 0, 3), A(3)),
    args((0, 0), banded(0, 0, 2), A(2)),
)
samples(
    linalg.solveh_banded,
    args(banded(0, 1, 3), A(3)),
    args(banded(1, 0, 3), A(3, 2), lower=True),
    args(banded(2, 0, 4), A(4), False, False, True, False),
    args(banded(0, 2, 4), A(4)),
)
TALL = np.array([5.0, 0.3, -0.7])
samples(
    linalg.solve_toeplitz,
    args((TALL, A(3)), A(3)),
    args(TALL, A(3, 2), check_finite=False),
    args((TALL[:1], TALL[:1]), A(1)),
)
samples(linalg.matmul_toeplitz, args((A(3), A(2)), A(2)), args(A(3), A(3, 2)), args((A(2), A(3)), A(3), True, 1))
samples(linalg.toeplitz, args(A(3)), args(A(3), A(2)), args(A(2, 2), A(3)))
samples(linalg.hankel, args(A(3)), args(A(3), A(2)))
samples(linalg.circulant, args(A(3)), args(A(2, 3)))
samples(linalg.companion, args(1 + P(4)), args(1 + P(2, 3)))
samples(linalg.leslie, args(A(3), A(2)))
samples(linalg.fiedler, args(A(3)), args(A(2, 2)))
samples(linalg.convolution_matrix, args(A(3), 4), args(A(4), 2, "valid"), args(A(3), 4, mode="same"))
samples(linalg.block_diag, args(A(2, 2), A(3), A(1, 1)), args(A(2, 2, 1), A(1, 2)), args(A(2), 3.0))
samples(linalg.khatri_rao, args(A(2, 3), A(1, 3)), args(A(2, 2, 2), A(3, 2)))

# Convolutions ----------------------------------------------------------------------------------------------------

samples(
    (signal.convolve, signal.correlate),
    args(A(4), A(3)),
    args(A(3), A(4), mode="same"),
    args(A(4), A(3), mode="valid"),
    args(A(2), A(4), mode="valid"),
    args(A(3, 2), A(2, 2), method="direct"),
    args(A(3, 2), A(2, 2), "same", "fft"),
    args(A(), A()),
    args(A(4), ints(1, 2)),
    args(ints(1, 2), A(2)),
)
samples(
    (signal.fftconvolve, signal.oaconvolve),
    args(A(4), A(3)),
    args(A(2, 4), A(2, 3), axes=1),
    args(A(2, 4), A(1, 3), mode="same", axes=[-1]),
    args(A(2, 2), A(3, 3), "valid"),
)
samples(
    (signal.convolve2d, signal.correlate2d),
    args(A(3, 4), A(2, 3)),
    args(A(3, 3), A(2, 2), "same"),
    args(A(2, 2), A(3, 3), mode="valid"),
    args(A(3, 3), A(2, 2), mode="same", boundary="wrap"),
    args(A(2, 3), A(3, 2), boundary="symm"),
    args(A(3, 3), A(2, 3), "same", "fill", 1.5),
)

# Filters ---------------------------------------------------------------------------------------------------------

SECTIONS = np.array([[1.0, 0.4, 0.2, 1, -0.3, 0.1], [0.5, -0.2, 0.0, 1, 0.2, 0.3]])


class Sections:
    """A function of second-order sections as one of the numbers in them that are free."""

    def __init__(self, function):
        self.function, self.__name__ = function, f"{function.__name__}_of_numbers"

    def __call__(self, sos, *given, **keywords):
        return self.function(np.where(np.arange(6) == 3, 1, sos), *given, **keywords)


samples(
    signal.lfilter,
    args(A(2), [1.0, 0.3], A(4)),
    args(A(2), 1 + U(3), A(2, 4)),
    args(A(3), 1 + U(1), A(4, 2), axis=0),
    args(A(2), 1 + U(3), A(5), zi=A(2)),
    args(A(3), 1 + U(2), A(2, 4), 1, A(1, 2)),
    args(A(3), 1 + U(2), A(1), zi=A(2)),
    args(A(3), 1 + P(1), A(4, 2), 0, zi=A(2, 2)),
)
samples(signal.lfilter_zi, args(A(3), 1 + P(3)), args(A(2), 1 + P(3)))
samples(
    Sections(signal.sosfilt),
    args(SECTIONS, A(4)),
    args(SECTIONS, A(4, 2), axis=0),
    args(SECTIONS, A(3), zi=A(2, 2)),
)
samples(Sections(signal.sosfilt_zi), args(SECTIONS))
samples(signal.sosfilt, args(np.array([[1, 2, 0, 1, 0, 0]]), A(3)))
samples(signal.sosfilt_zi, args(np.array([[1, 2, 0, 1, 0, 0]])))
DECAYING = np.array([1.3, 0.4])
samples(
    signal.filtfilt,
    args(A(2), DECAYING, A(8)),
    args(A(2), DECAYING, A(2, 6), padtype="even", padlen=2),
    args(A(2), DECAYING, A(5, 2), axis=0, padtype="constant", padlen=3, method="pad"),
    args(A(2), DECAYING, A(4), padtype=None),
)
samples(signal.sosfiltfilt, args(np.array([[1, 2, 0, 1, 0, 0]]), A(9)))
samples(
    Sections(signal.sosfiltfilt),
    args(SECTIONS, A(5), padlen=3),
    args(SECTIONS, A(5, 2), 0, "even", 3),
)
samples(
    signal.savgol_filter,
    real(A(6), 3, 1),
    real(A(2, 6), 5, 2, 1, 0.5),
    real(A(6, 2), 3, 2, axis=0, mode="nearest"),
    real(A(7), 4, 2),
    real(A(6), 4, 2, mode="constant", cval=0.5),
    real(A(6), 3, 1, mode="mirror"),
    real(A(6), 3, 1, mode="wrap", deriv=1, delta=2.0),
)
samples(
    signal.detrend,
    args(A(5)),
    args(A(5, 2), axis=0, type="constant"),
    args(A(2, 6), bp=[3], overwrite_data=False),
)
samples(signal.hilbert, real(A(5)), real(A(4, 2), axis=0), real(A(4), N=6), real(A(5), 3))
samples(
    scipy_signal.lags, args(A(4), A(4), count=3), args(A(2, 3), A(2, 3), count=2, axis=0), args(A(2), A(2), count=3)
)
samples(scipy_structured.sums_of_diagonals, args(A(2, 3)), args(A(2, 3, 2)), args(A(1, 1)), args(A(3, 2)))
samples(
    padding.pad_back,
    args(A(6, 5), widths=((1, 2), (0, 1)), mode="reflect"),
    args(A(8), widths=((2, 3),), mode="wrap"),
)
