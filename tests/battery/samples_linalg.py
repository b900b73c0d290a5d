"""Samples of numpy.linalg."""

import numpy as np
from tests.battery.samples import A, P, args, fortran, real, refused, samples, singular


def S(*shape):
    """Square matrices far from singular, with eigenvalues far from each other, that are not symmetric."""
    return 0.5 * A(*shape, shape[-1]) + np.diag(2.0 + 1.5 * np.arange(shape[-1]))


def D(*shape):
    """Positive definite matrices, symmetric but for what the other triangle has to be read for."""
    a = S(*shape)
    return 0.5 * (a + np.swapaxes(a, -1, -2)) + 0.1 * np.triu(A(shape[-1], shape[-1]), 1)


def adjoint(x):
    return np.conjugate(np.swapaxes(x, -1, -2))


def eigh_products(a, UPLO="L"):
    """What does not depend on signs and phases of eigenvectors."""
    w, v = np.linalg.eigh(a, UPLO)
    return w, (v * np.sin(w)[..., None, :]) @ adjoint(v), np.abs(v)


def svd_products(a, full_matrices=True):
    u, s, vh = np.linalg.svd(a, full_matrices)
    first, rest, v = u[..., :2], u[..., 2:], adjoint(vh)
    return (first * np.sin(s)[..., None, :]) @ vh[..., :2, :], np.abs(first), rest @ adjoint(rest), v @ adjoint(v)


def qr_products(a):
    q, r = np.linalg.qr(a, "complete")
    return r, q[..., 2:] @ adjoint(q[..., 2:])


# Equations -------------------------------------------------------------------------------------------------------

samples(
    np.linalg.solve,
    args(S(3), A(3)),
    args(S(2, 2), A(2, 3)),
    args(S(2), A(2, 2, 3)),
    args(S(2, 1, 2), A(3, 2, 1)),
    args(S(2), np.ones(2)),
    args(np.array([[2.0, 1.0], [0.5, 3.0]]), A(2, 1)),
    args(S(2, 2), A(2)),
    args(np.zeros((0, 0)), np.zeros((0, 2))),
    args(fortran(S(3))[::-1], A(3)),
    args([[2, 1], [1, 3]], A(2)),
)
samples(np.linalg.inv, args(S(3)), args(S(2, 2)), args(S(1)), args(np.zeros((2, 0, 0))), args(S(3)[::-1]))
samples(np.linalg.tensorinv, args(S(4).reshape(2, 2, 4)), args(S(4).reshape(4, 2, 2), ind=1))
samples(
    np.linalg.tensorsolve,
    args(S(4).reshape(2, 2, 4), A(2, 2)),
    args(S(4).reshape(2, 4, 2), A(2, 2), axes=(1,)),
    args(S(4).reshape(2, 2, 2, 2), A(2, 2), (0, 2)),
)
samples(
    np.linalg.matrix_power,
    args(S(2), 0),
    args(S(2), 1),
    args(S(2), 2),
    args(0.5 * S(2, 2), 3),
    args(0.4 * S(2), n=6),
    args(S(3), -1),
    args(S(2), -3),
)

# Determinants, Cholesky, least squares ---------------------------------------------------------------------------

samples(
    np.linalg.det,
    args(np.outer(P(3), P(3))),
    args(np.stack([np.diag([0.0, 0.0, 1.3]), S(3)])),
    args(np.array([[1.0, 2.0], [2.0, 4.001]])),
    args(S(3)),
    args(0.5 * S(2, 2)),
    args(S(1)),
    args(A(3, 3)),
    args(np.zeros((2, 0, 0))),
    args(fortran(S(2))[::-1]),
)
samples(np.linalg.slogdet, args(S(3)), args(S(2, 2)), args(-S(1)), args(S(3)[::-1]), args(np.zeros((0, 0))))
singular(np.linalg.det, args(np.zeros((2, 2))), args(np.ones((3, 3))))
samples(np.linalg.cholesky, args(D(3)), args(D(2, 2)), args(D(3), upper=True), args(D(1)), args(np.zeros((2, 0, 0))))
samples(
    np.linalg.pinv,
    args(A(3, 2)),
    args(A(2, 3)),
    args(S(2, 2)),
    args(np.outer(P(3), P(2)) + np.eye(3, 2), 0.4),
    args(A(2, 3, 2), rcond=np.array([1e-3, 1e-10])),
    args(S(2), rtol=None),
    args(S(3), rtol=1e-6),
    args(D(3), hermitian=True),
    args(D(2, 2), 1e-5, True),
)
samples(
    np.linalg.lstsq,
    args(A(4, 2), A(4)),
    args(A(4, 2), A(4, 2)),
    args(A(2, 3), A(2, 2)),
    args(S(2), A(2)),
    args(S(3), A(3, 2), 0.4),
    args(A(4, 2), A(4), rcond=-1),
    args(A(3, 1), A(3, 1), rcond=1e-6),
)

# Decompositions --------------------------------------------------------------------------------------------------

samples(
    np.linalg.qr,
    args(S(3)),
    args(A(4, 2)),
    args(A(2, 4)),
    args(A(2, 3, 2)),
    args(A(3, 2), "r"),
    args(A(2, 3), mode="complete"),
    args(S(2, 2), mode="complete"),
)
refused(np.linalg.qr, args(A(3, 2), mode="raw"))
samples(qr_products, args(A(4, 2)), args(A(2, 3, 2)))
samples(np.linalg.eigvalsh, args(D(3)), args(D(2, 2)), args(D(3), "U"), args(D(2), UPLO="u"), args(np.zeros((0, 0))))
samples(np.linalg.eigh, real(D(3)), real(D(2, 2)), real(D(3), "U"), real(D(2), UPLO="l"))
samples(eigh_products, args(D(3)), args(D(2, 2), UPLO="U"))
samples(np.linalg.eigvals, args(S(3)), args(S(2, 2)), args(np.array([[1.0, 2.0], [-3.0, 1.5]])), args(np.zeros((0, 0))))
samples(np.linalg.eig, args(S(3)), args(S(2, 2)), args(np.array([[1.0, 2.0], [-3.0, 1.5]])))
samples(np.linalg.svdvals, args(S(3)), args(A(4, 2)), args(A(2, 4)), args(A(2, 3, 2)), args(np.zeros((0, 2))))
samples(
    np.linalg.svd,
    real(S(3)),
    real(A(2, 2, 2) + np.diag([3.0, 1.0])),
    real(A(4, 2), False),
    real(A(2, 4), full_matrices=False),
    args(A(4, 2), compute_uv=False),
    real(D(3), hermitian=True),
    args(D(3), True, False, True),
)
samples(
    svd_products, args(S(2)[::-1]), args(A(4, 2)), args(A(2, 4)), args(A(4, 2), full_matrices=False), args(A(2, 2, 3))
)

# Norms -----------------------------------------------------------------------------------------------------------

samples(
    np.linalg.norm,
    args(S(3), "nuc"),
    args(A(2, 3, 2), 2, axis=(0, 2), keepdims=True),
    args(A(2, 3, 2), -2, (2, 1)),
    args(A(3, 2), ord=2),
)
samples(
    np.linalg.matrix_norm,
    args(A(2, 3)),
    args(A(2, 2, 3), ord=1),
    args(S(2, 2), keepdims=True, ord="nuc"),
    args(A(2, 3), ord=-2),
)
samples(
    np.linalg.vector_norm,
    args(A(2, 3)),
    args(A(2, 3), axis=1),
    args(A(2, 3, 2), axis=(0, -1), keepdims=True, ord=3),
    args(A(2, 3), ord=1),
    args(A(2, 3), axis=0, ord=np.inf, keepdims=True),
)
samples(
    np.linalg.cond,
    args(S(3)),
    args(S(2, 2), -2),
    args(S(2), 2),
    args(S(2, 2), p="fro"),
    args(S(2), 1),
    args(S(2), np.inf),
    args(S(2), "nuc"),
    args(A(3, 2)),
)
samples(
    np.linalg.matrix_rank,
    args(A(2, 3)),
    args(np.ones((2, 2, 2)), 1e-3),
    args(D(2), hermitian=True),
    args(A(2, 2), rtol=0.1),
    args(A(2, 2), tol=10.0),
)

# Products --------------------------------------------------------------------------------------------------------

samples(
    np.linalg.multi_dot,
    args([A(2, 3), A(3, 2)]),
    args([A(2), A(2, 3), A(3)]),
    args([A(2, 3), A(3, 1), A(1, 3), A(3, 2)]),
    args((A(2), A(2, 2), np.ones((2, 3)), A(3, 2))),
    args([A(2), A(2)]),
)
samples(np.linalg.matmul, args(A(2, 3), A(3, 2)), args(A(2, 2, 3), A(3)))
samples(np.linalg.tensordot, args(A(2, 3, 2), A(3, 2)), args(A(2, 3), A(2, 3), axes=((-1,), (1,))))
samples(np.linalg.outer, args(A(2), A(3)), args([1.0, 2.0], A(2)))
samples(np.linalg.vecdot, args(A(3), A(3)), args(A(2, 3), A(3)), args(A(3, 2), A(3, 1), axis=0))
samples(np.linalg.cross, args(A(3), A(3)), args(A(2, 3), A(3)), args(A(3, 2), A(3, 2), axis=0))
