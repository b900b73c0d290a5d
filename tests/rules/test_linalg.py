"""Equal and zero values: what is well defined is finite and right, everything else raises. Never NaN.

The expected gradients are those of theory. For a Hermitian matrix A = V diag(w) V^H and a loss <G, f(A)> the gradient
is V (D * V^H G V) V^H with the divided differences D_ij = (f(w_i) - f(w_j)) / (w_i - w_j), which are f'(w_i) where two
eigenvalues are equal (Daleckii and Krein, 1951; Higham, "Functions of Matrices", 3.2).
"""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ArgumentError, GradientError
from wengert.testing import check_grad

RANDOM = np.random.default_rng(0)
ROTATION = np.linalg.qr(RANDOM.normal(size=(4, 4)))[0]
OTHER = np.linalg.qr(RANDOM.normal(size=(5, 5)))[0]
UNITARY = np.linalg.qr(RANDOM.normal(size=(4, 4)) + 1j * RANDOM.normal(size=(4, 4)))[0]
G = RANDOM.normal(size=(4, 4))


def adjoint(x):
    return np.conjugate(np.swapaxes(x, -1, -2))


def hermitian(u, *w):
    return (u * np.array(w)) @ adjoint(u)


def read(gradient):
    """The gradient in the lower triangle, which is the one that is read, of a gradient by a Hermitian matrix."""
    return np.tril(gradient) + np.tril(gradient, -1)


def assert_gradient(loss, a, expected, tolerance=1e-12):
    np.testing.assert_allclose(wg.grad(loss)(a), expected, rtol=tolerance, atol=tolerance)


def function_of(f):
    def apply(a):
        w, v = np.linalg.eigh(a)
        return (v * f(w)[..., None, :]) @ adjoint(v)

    return apply


def divided_differences(f, slope, w):
    gap = w[:, None] - w[None, :]
    near = np.abs(gap) < 1e-9
    return np.where(near, slope((w[:, None] + w) / 2), (f(w)[:, None] - f(w)) / np.where(near, 1, gap))


def derivative(f, slope, a, g):
    """Of <g, f(A)>, for a Hermitian matrix A."""
    w, v = np.linalg.eigh(a)
    inner = divided_differences(f, slope, w) * (adjoint(v) @ (g + adjoint(g)) @ v) / 2
    return read(v @ inner @ adjoint(v))


# Equal eigenvalues -----------------------------------------------------------------------------------------------

REPEATED = {
    "two pairs": hermitian(ROTATION, 1, 1, 2, 2),
    "one pair, of the unit matrix's vectors": np.diag([1.0, 1, 2, 3]),
    "three in a row": hermitian(ROTATION, 0.5, 3, 3, 3),
    "a multiple of the identity": 2 * np.eye(4),
    "complex": hermitian(UNITARY, 1, 1, 2, 3),
}
repeated = pytest.mark.parametrize("a", REPEATED.values(), ids=REPEATED)


@repeated
@pytest.mark.parametrize("values", [np.linalg.eigvalsh, lambda a: np.linalg.eigh(a)[0]], ids=["eigvalsh", "eigh"])
def test_functions_of_equal_eigenvalues(a, values):
    """The gradient of the sum of f(w) is f'(A)."""
    assert_gradient(lambda a: np.sum(np.exp(values(a))), a, read(function_of(np.exp)(a)))
    assert_gradient(lambda a: np.prod(values(a)), a, read(np.linalg.det(a) * np.linalg.inv(a)))
    assert_gradient(lambda a: np.sum(values(a)), a, np.eye(4))


@repeated
def test_second_derivatives_of_functions_of_equal_eigenvalues(a):
    """With f(w) = w ** 3: the gradient is 3 A^2, and its derivative along T is 3 (T A + A T)."""
    t = G + G.T

    def slope(a):
        gradient = wg.grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 3))(a)
        return np.sum(t * np.real(gradient))

    expected = read(3 * (t @ a + a @ t))
    assert_gradient(slope, a, expected, 1e-11)


@repeated
@pytest.mark.parametrize("g", [G, np.eye(4)], ids=["any cotangent", "trace"])
def test_matrix_functions_at_equal_eigenvalues(a, g):
    def loss(a):
        return np.sum(np.real(g * function_of(np.exp)(a)))

    assert_gradient(loss, a, derivative(np.exp, np.exp, a, g), 1e-11)

    def composed(a):
        return np.sum(np.abs(function_of(np.sqrt)(a) - np.eye(4)) ** 2)

    root = function_of(np.sqrt)(a)
    assert_gradient(composed, a, derivative(np.sqrt, lambda w: 0.5 / np.sqrt(w), a, 2 * (root - np.eye(4))), 1e-11)


@pytest.mark.parametrize("a", [hermitian(ROTATION, 1, 1, 2, 2), np.diag([1.0, 1, 2, 3])])
def test_projectors_on_spaces_of_equal_eigenvalues(a):
    """They are functions of the matrix, flat at both values."""

    def projector(a):
        v = np.linalg.eigh(a)[1][:, :2]
        return v @ v.T

    expected = derivative(lambda w: (w < 1.5) * 1.0, lambda w: 0 * w, a, G)
    assert_gradient(lambda a: np.sum(G * projector(a)), a, expected)
    assert_gradient(lambda a: np.sum(G * projector(a)) + np.sum(np.linalg.eigh(a)[0]), a, expected + np.eye(4))


def test_eigenvectors_of_other_eigenvalues():
    a = hermitian(ROTATION, 1, 1, 2, 5)
    expected = derivative(lambda w: (w > 4) * 1.0, lambda w: 0 * w, a, G)
    assert_gradient(lambda a: (lambda v: v @ G @ v)(np.linalg.eigh(a)[1][:, 3]), a, expected)


def test_equal_eigenvalues_share_evenly():
    a = hermitian(ROTATION, 1, 1, 2, 3)
    expected = read(hermitian(ROTATION, 0.5, 0.5, 0, 0))
    for smallest in (lambda a: np.linalg.eigvalsh(a)[0], lambda a: np.min(np.linalg.eigvalsh(a))):
        assert_gradient(smallest, a, expected)


def test_tiny_eigenvalues_that_matter_are_told_apart():
    w = np.array([1e-30, 1e-20, 1.0])
    assert_gradient(lambda a: np.sum(np.log(np.linalg.eigvalsh(a))), np.diag(w), np.diag(1 / w))
    assert_gradient(lambda a: np.sum(np.log(np.linalg.svdvals(a))), np.diag(w), np.diag(1 / w))


@pytest.mark.parametrize("loss", [
    lambda w, v: v[0, 0],
    lambda w, v: v[0, 0] ** 2,
    lambda w, v: v[:, 0] @ G @ v[:, 0],
    lambda w, v: np.sum((v * np.exp(w)) @ v.T) + v[1, 1],
    lambda w, v: w[0] * (v[:, 0] @ G @ v[:, 0]),
], ids=range(5))  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_single_eigenvectors_of_equal_eigenvalues_raise(loss, dtype):
    a = hermitian(ROTATION, 1, 1, 2, 2).astype(dtype)
    with pytest.raises(GradientError, match=r"\[linalg.eigh\] .* received values (1|2|1.0\d*|0.9\d*|2.0\d*), "):
        wg.grad(lambda a: loss(*np.linalg.eigh(a)))(a)


@pytest.mark.parametrize("loss", [
    lambda w, v: np.sum((v * np.log(w)) @ v.T),
    lambda w, v: np.sum(G * ((v * np.log(w)) @ v.T)),
    lambda w, v: np.sum((v * np.exp(w)) @ v.T),
], ids=["log of 1", "log of 1, any cotangent", "equal elements"])  # fmt: skip
def test_what_the_cotangents_do_not_determine_raises(loss):
    """At the identity these are the cotangents of other losses, with other gradients, too."""
    with pytest.raises(GradientError, match=r"determine the gradient .* received values 1, 1, 1, 1"):
        wg.grad(lambda a: loss(*np.linalg.eigh(a)))(np.eye(4))


def test_second_derivatives_of_matrix_functions_at_equal_eigenvalues_raise():
    gradient = wg.grad(lambda a: np.sum(G * function_of(np.exp)(a)))
    with pytest.raises(GradientError, match="second derivatives"):
        wg.grad(lambda a: np.sum(gradient(a) ** 2))(hermitian(ROTATION, 1, 1, 2, 3))


def test_second_derivatives_of_projectors():
    """Against the sign function by Newton's iteration. In general the cotangents do not determine them."""

    def projector(a):
        v = np.linalg.eigh(a)[1][:, :2]
        return v @ v.T

    def by_iteration(a):
        x = np.tril(a) + np.tril(a, -1).T - 1.5 * np.eye(4)
        for _ in range(12):
            x = (x + np.linalg.inv(x)) / 2
        return (np.eye(4) - x) / 2

    def second(f):
        gradient = wg.grad(lambda a: np.sum(G * f(a)))
        return wg.grad(lambda a: np.sum(G.T * gradient(a)))

    a = hermitian(ROTATION, 1, 1, 2, 2)
    np.testing.assert_allclose(second(projector)(a), second(by_iteration)(a), rtol=1e-10, atol=1e-10)
    with pytest.raises(GradientError, match="received values 1, 1"):
        second(projector)(hermitian(ROTATION, 1, 1, 2, 5))


def test_batches_are_looked_at_one_by_one():
    a = np.stack([np.diag([1.0, 2, 3, 4]), hermitian(ROTATION, 1, 1, 2, 3)])
    np.testing.assert_allclose(
        wg.grad(lambda a: np.sum(G * function_of(np.exp)(a)))(a),
        [derivative(np.exp, np.exp, x, G) for x in a],
        rtol=1e-11,
        atol=1e-11,
    )
    with pytest.raises(GradientError, match=r"values 1, 1 of matrix \[1\]"):
        wg.grad(lambda a: np.sum(G * np.linalg.eigh(a)[1]))(a)


def test_phases_of_complex_vectors():
    a = hermitian(UNITARY, 1, 2, 3, 4)
    b = RANDOM.normal(size=(4, 3)) + 1j * RANDOM.normal(size=(4, 3))
    with pytest.raises(GradientError, match=r"linalg.eigh\] .* phase"):
        wg.grad(lambda a: np.real(np.sum(G * np.linalg.eigh(a)[1])))(a)
    with pytest.raises(GradientError, match=r"linalg.svd\] .* phase"):
        wg.grad(lambda b: np.real(np.sum(np.linalg.svd(b, full_matrices=False)[0])))(b)
    check_grad(lambda a: np.sum(np.abs(np.linalg.eigh(a)[1]) ** 2 * G), a, order=2)
    check_grad(lambda b: np.sum(np.abs(np.linalg.svd(b)[0]) ** 2 * np.array([1, 2, 3, 4])), b, order=2)


# Equal and zero singular values ----------------------------------------------------------------------------------


def rectangular(*s):
    """A 5 by 4 matrix of these singular values."""
    return (OTHER[:, :4] * np.array(s, float)) @ ROTATION.T


@pytest.mark.parametrize("s", [(2, 2, 1, 1), (3, 1, 0, 0), (2, 2, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0), (4, 3, 2, 0)])
@pytest.mark.parametrize("turn", [lambda x: x, lambda x: x.T], ids=["tall", "wide"])
def test_functions_of_singular_values(s, turn):
    """The nuclear norm has U V^T of what is not zero, as abs has 0 at 0; the sum of s ** 2 is that of all elements."""
    a = turn(rectangular(*s))
    nuclear = turn((OTHER[:, :4] * (np.array(s) > 0)) @ ROTATION.T)
    for norm in (
        lambda a: np.sum(np.linalg.svdvals(a)),
        lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[1]),
        lambda a: np.sum(np.linalg.svd(a)[1]),
        lambda a: np.linalg.norm(a, "nuc"),
    ):
        assert_gradient(norm, a, nuclear)
    assert_gradient(lambda a: np.sum(np.linalg.svdvals(a) ** 2), a, 2 * a)
    largest = np.array(s) == max(s)
    shared = turn((OTHER[:, :4] * (largest / largest.sum() if max(s) else 0)) @ ROTATION.T)
    assert_gradient(lambda a: np.linalg.norm(a, 2), a, shared)


@pytest.mark.parametrize("s", [(2, 2, 1, 1), (3, 3, 3, 1), (2, 2, 2, 2)])
@pytest.mark.parametrize("full", [True, False])
def test_products_of_equal_singular_vectors(s, full):
    """U V^T, the orthogonal part, of matrices with equal singular values; and the matrix itself."""
    a, g = rectangular(*s), RANDOM.normal(size=(5, 4))

    def again(a):
        u, s, vh = np.linalg.svd(a, full_matrices=full)
        return (u[:, :4] * s) @ vh

    def orthogonal(a):
        u, _, vh = np.linalg.svd(a, full_matrices=full)
        return u[:, :4] @ vh

    def by_root(a):
        return a @ function_of(lambda w: 1 / np.sqrt(w))(a.T @ a)

    assert_gradient(lambda a: np.sum(g * again(a)), a, g)
    first, second = (wg.grad(lambda a, f=f: np.sum(g * f(a)))(a) for f in (orthogonal, by_root))
    np.testing.assert_allclose(first, second, rtol=1e-10, atol=1e-10)


def test_the_part_of_a_matrix_that_is_not_null():
    """Singular vectors of values that are not zero are well defined beside vectors that are not."""
    a, g = rectangular(3, 2, 0, 0), RANDOM.normal(size=(5, 4))

    def part(a):
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        return u[:, :2] @ vh[:2]

    def change(t):
        w = np.linalg.svd(a + t * g)
        return w[0][:, :2] @ w[2][:2]

    expected = (change(1e-5) - change(-1e-5)) / 2e-5
    gradient = wg.grad(lambda a: np.sum(expected * part(a)))(a)
    np.testing.assert_allclose(np.sum(gradient * g), np.sum(expected**2), rtol=1e-7)
    null = wg.grad(lambda a: np.sum(G * (lambda v: v.T @ v)(np.linalg.svd(a)[2][2:])))(a)
    assert np.all(np.isfinite(null))


@pytest.mark.parametrize("loss", [
    lambda u, s, vh: u[0, 3],
    lambda u, s, vh: np.sum((u[:, :4] * s) @ vh),
    lambda u, s, vh: np.sum(u[:, 2:4] @ vh[2:4]),
    lambda u, s, vh: np.sum(np.outer(u[:, 2], u[:, 2]) * OTHER),
], ids=range(4))  # fmt: skip
@pytest.mark.parametrize("full", [True, False])
def test_singular_vectors_of_zeros_raise(loss, full):
    with pytest.raises(GradientError, match=r"\[linalg.svd\]"):
        wg.grad(lambda a: loss(*np.linalg.svd(a, full_matrices=full)))(rectangular(3, 2, 0, 0))


def test_how_a_basis_is_completed():
    a = RANDOM.normal(size=(5, 2))
    for name, basis in (("svd", lambda a: np.linalg.svd(a)[0]), ("qr", lambda a: np.linalg.qr(a, "complete")[0])):
        with pytest.raises(GradientError, match=rf"linalg.{name}\] .* completed to a basis"):
            wg.grad(lambda a, basis=basis: np.sum(OTHER * basis(a)))(a)
        check_grad(lambda a, basis=basis: np.sum(OTHER * (lambda q: q @ q.T)(basis(a)[:, 2:])), a, order=2)


# Inverses and determinants ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [lambda x: x, lambda x: x.T], ids=["tall", "wide"])
@pytest.mark.parametrize("s", [(3, 2, 1, 1), (3, 2, 0, 0), (2, 2, 2, 2)])
def test_pinv_where_the_rank_stays(turn, s):
    """Along a path of matrices of one rank, against differences."""
    left, right = RANDOM.normal(size=(5, 5)), RANDOM.normal(size=(4, 4))

    def path(t):
        return turn((np.eye(5) + t * left) @ rectangular(*s) @ (np.eye(4) + t * right))

    step, a = 1e-5, path(0)
    g = RANDOM.normal(size=a.T.shape)
    for f in (lambda a: np.linalg.pinv(a, 1e-9), lambda a: np.linalg.pinv(a, rtol=None)):
        gradient = wg.grad(lambda a, f=f: np.sum(g * f(a)))(a)
        along = np.sum(gradient * (path(step) - path(-step)) / (2 * step))
        np.testing.assert_allclose(along, np.sum(g * (f(path(step)) - f(path(-step)))) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize("shape, rank", [((5, 4), 4), ((5, 4), 2), ((4, 6), 4), ((4, 6), 2)])
def test_least_squares_where_the_rank_stays(shape, rank):
    """The solution of least length, as the pseudoinverse gives it."""
    a = RANDOM.normal(size=(shape[0], rank)) @ RANDOM.normal(size=(rank, shape[1]))
    b, g = RANDOM.normal(size=(shape[0], 2)), RANDOM.normal(size=(shape[1], 2))
    by_lstsq = wg.grad(lambda a, b: np.sum(g * np.linalg.lstsq(a, b)[0]), argnums=(0, 1))(a, b)
    by_pinv = wg.grad(lambda a, b: np.sum(g * (np.linalg.pinv(a, 1e-12) @ b)), argnums=(0, 1))(a, b)
    for first, second in zip(by_lstsq, by_pinv, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("rank", [3, 2])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_det_of_singular_matrices_has_the_cofactors(rank, dtype):
    n = 4
    a = (np.arange(16.0).reshape(n, n) % 7).astype(dtype)
    a[:, 3] = a[:, 0] * 2
    a[:, 2] = a[:, 1] if rank == 2 else a[:, 2]
    if dtype is np.complex128:
        a[0, :] *= 1j
    assert abs(np.linalg.det(a)) < 1e-12

    def minor(i, j):
        return (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1))

    cofactors = np.array([[minor(i, j) for j in range(n)] for i in range(n)])
    assert_gradient(lambda a: np.real(np.linalg.det(a)), a, np.conjugate(cofactors), 1e-11)
    assert_gradient(np.linalg.det, np.zeros((2, 2)), np.zeros((2, 2)))
    assert_gradient(np.linalg.det, np.array([[1.0, 2], [2, 4]]), np.array([[4.0, -2], [-2, 1]]))


def test_slogdet_of_singular_matrices():
    a = np.stack([np.eye(2), np.ones((2, 2))])
    with pytest.raises(GradientError, match="singular"):
        wg.grad(lambda a: np.sum(np.linalg.slogdet(a)[1]))(a)
    assert_gradient(
        lambda a: np.sum(np.where([True, False], np.linalg.slogdet(a)[1], 0)), a, np.stack([a[0], 0 * a[1]])
    )


def test_dependent_columns_have_no_qr_gradient():
    with pytest.raises(GradientError, match=r"linalg.qr\] .* independent"):
        wg.grad(lambda a: np.sum(np.linalg.qr(a)[1]))(np.ones((3, 2)))


@pytest.mark.parametrize("mode", ["raw", "economic"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_modes_of_qr_without_a_rule(mode):
    with pytest.raises(ArgumentError, match=f"mode .* {mode!r}"):
        np.linalg.qr(wg.tensor(np.eye(2), requires_grad=True), mode)


# Any square matrix -----------------------------------------------------------------------------------------------


def similar(*w):
    s = RANDOM.normal(size=(4, 4)) + 2 * np.eye(4)
    return s @ np.diag(w) @ np.linalg.inv(s)


def test_functions_of_equal_eigenvalues_of_any_matrix():
    """The gradient of the sum of w ** 3 is 3 (A^T)^2."""
    for a in (similar(1.0, 1, 2, 3), np.eye(4), np.diag([2.0, 2, 2, -1])):
        assert_gradient(lambda a: np.sum(np.real(np.linalg.eigvals(a) ** 3)), a, 3 * a.T @ a.T, 1e-9)
        with pytest.raises(GradientError, match="equal eigenvalues"):
            wg.grad(lambda a: np.sum(np.real(np.linalg.eigvals(a) * np.arange(4))))(a)
        with pytest.raises(GradientError, match="equal eigenvalues"):
            wg.grad(lambda a: np.sum(np.abs(np.linalg.eig(a)[1] @ G) ** 2))(a)


@pytest.mark.parametrize("a", [
    np.array([[1.0, 1], [0, 1]]),
    np.array([[0.0, 1, 0], [0, 0, 1], [0, 0, 0]]),
    (ROTATION + 2 * np.eye(4)) @ np.array([[2.0, 1, 0, 0], [0, 2, 1, 0], [0, 0, 2, 0], [0, 0, 0, 5]])
    @ np.linalg.inv(ROTATION + 2 * np.eye(4)),
])  # fmt: skip
@pytest.mark.parametrize("loss", [
    lambda a: np.sum(np.abs(np.linalg.eigvals(a)) ** 2),
    lambda a: np.real(np.linalg.eigvals(a)[0]),
    lambda a: np.sum(np.abs(np.linalg.eig(a)[1][0])),
])  # fmt: skip
def test_defective_matrices_have_no_eigenvalue_derivatives(a, loss):
    with pytest.raises(GradientError, match=r"linalg.eig\] .* basis of eigenvectors"):
        wg.grad(loss)(a)


def test_eigenvectors_keep_their_length_and_phase():
    a = np.random.default_rng(1).normal(size=(4, 4))
    assert_gradient(lambda a: np.sum(np.abs(np.linalg.eig(a)[1]) ** 2), a, np.zeros((4, 4)), 1e-11)
    check_grad(lambda a: np.sum(np.real(np.linalg.eig(a)[1]) * G) + np.sum(np.imag(np.linalg.eig(a)[1]) * G), a)
    turn = np.array([[1.0, 2], [-2, 1]])  # eigenvectors (1, i) and (1, -i): neither element is the largest
    assert_gradient(lambda a: np.sum(np.imag(np.linalg.eigvals(a)) ** 2), turn, np.array([[0.0, 4], [-4, 0]]))
    with pytest.raises(GradientError, match="phase"):
        wg.grad(lambda a: np.imag(np.linalg.eig(a)[1][1, 0]) + np.real(np.linalg.eig(a)[1][1, 0]))(turn)


# The same with blocks, and in other precisions -------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 64, 65, 150])
@pytest.mark.parametrize("kind", [float, complex])
def test_cholesky_by_blocks(n, kind):
    """Of the loss sum(log(diag(L))) the gradient is half the inverse."""
    a = RANDOM.normal(size=(n, n)) + (1j * RANDOM.normal(size=(n, n)) if kind is complex else 0)
    a = a @ adjoint(a) / n + np.eye(n)

    def loss(a):
        return np.sum(np.log(np.real(np.diagonal(np.linalg.cholesky(a)))))

    assert_gradient(loss, a, read(0.5 * np.linalg.inv(a)), 1e-10)
    g = RANDOM.normal(size=(n, n))
    once = wg.grad(lambda a: np.sum(g * np.real(np.linalg.cholesky(a))))(a)
    root, inverse = np.linalg.cholesky(a), np.linalg.inv(np.linalg.cholesky(a))
    inner = np.tril(adjoint(root) @ np.tril(g)) * (1 - 0.5 * np.eye(n))
    outer = adjoint(inverse) @ inner @ inverse
    np.testing.assert_allclose(once, read((outer + adjoint(outer)) / 2), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3)])
def test_nothing(shape):
    a = np.zeros(shape)
    for f in (np.linalg.inv, np.linalg.eigvalsh, np.linalg.svdvals, np.linalg.det, np.linalg.cholesky):
        assert wg.grad(lambda a, f=f: np.sum(f(a)))(a).shape == shape
    for f in (np.linalg.eigh, np.linalg.svd, np.linalg.qr, np.linalg.eig, np.linalg.slogdet):
        assert wg.grad(lambda a, f=f: sum(np.sum(np.real(y)) for y in f(a)))(a).shape == shape


@pytest.mark.parametrize("a, p", [(np.ones((2, 2)), 1), (np.zeros((2, 2)), None), (np.zeros((2, 2)), -2)])
def test_infinite_condition_numbers_have_no_gradient(a, p):
    with pytest.raises(GradientError, match="infinite"):
        np.linalg.cond(wg.tensor(a, requires_grad=True), p)
    np.testing.assert_array_equal(np.linalg.cond(wg.tensor(a), p), np.linalg.cond(a, p))
