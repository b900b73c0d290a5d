"""Matrices at which naive rules divide by zero: singular ones, and those with values that are equal, or nearly so."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import GradientError
from wengert.scipy import linalg

RANDOM = np.random.default_rng(5)
G = RANDOM.normal(size=(4, 4))
KINDS = ("f", "c")


def matrix(m, n, kind="f"):
    a = RANDOM.normal(size=(m, n))
    return a + 1j * RANDOM.normal(size=(m, n)) if kind == "c" else a


def adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def hermitian(*w, kind="f"):
    q = np.linalg.qr(matrix(len(w), len(w), kind))[0]
    return (q * np.array(w)) @ adjoint(q)


def of_triangle(a):
    """The Hermitian matrix of which `eigh` reads the triangle."""
    below = np.tril(a, -1)
    return below + adjoint(below) + np.real(a) * np.eye(a.shape[-1])


def power_by_eigh(f):
    def apply(a):
        w, v = np.linalg.eigh(a)
        return np.real(np.sum(G * ((v * f(w)) @ adjoint(v))))

    return apply


# Nearly equal values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gap", [0, 1e-15, 1e-14, 1e-13, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-4])
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_matrix_functions_at_nearly_equal_eigenvalues(n, gap, kind):
    """The differences of cotangents that a quotient takes are lost at small gaps; the limit is not."""
    a = hermitian(1, 1 + gap, 2, 3, kind=kind)
    want = wg.grad(lambda a: np.real(np.sum(G * np.linalg.matrix_power(of_triangle(a), n))))(a)
    np.testing.assert_allclose(wg.grad(power_by_eigh(lambda w: w**n))(a), want, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("gap", [0, 1e-14, 1e-12, 1e-10, 1e-8])
def test_orthogonal_factors_at_nearly_equal_singular_values(gap):
    a = hermitian(1, 1 + gap, 2, 3) @ np.linalg.qr(matrix(4, 4))[0]

    def by_svd(a):
        u, _, vh = np.linalg.svd(a)
        return np.sum(G * (u @ vh))

    want = wg.grad(lambda a: np.sum(G * (a @ np.linalg.inv(linalg.sqrtm(a.T @ a)))))(a)
    np.testing.assert_allclose(wg.grad(by_svd)(a), want, rtol=1e-7, atol=1e-7)


def test_a_zero_matrix_is_known_by_no_scale():
    want = wg.grad(lambda a: np.sum(G * linalg.expm(of_triangle(a))))(np.zeros((4, 4)))
    np.testing.assert_allclose(wg.grad(power_by_eigh(np.exp))(np.zeros((4, 4))), want, atol=1e-14)


# Hessians of functions of values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "w", [(1, 1, 1, 1), (1, 1, 2, 2), (0, 0, 0, 0), (0, 0, 1, 3), (1, 2, 3, 4), (1, 1 + 1e-12, 2, 3)]
)
@pytest.mark.parametrize("turned", [False, True])
def test_hessians_of_sums_of_eigenvalues(w, turned):
    a = hermitian(*w) if turned else np.diag(np.array(w, float))
    hessian = wg.hessian(lambda a: np.sum(np.linalg.eigvalsh(a) ** 3))(a)
    want = wg.hessian(lambda a: np.trace(np.linalg.matrix_power(of_triangle(a), 3)))(a)
    np.testing.assert_allclose(hessian, want, atol=1e-5 if 1 + 1e-12 in w else 1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_hessians_of_sums_of_singular_values(shape):
    a = 2 * np.eye(*shape)
    hessian = wg.hessian(lambda a: np.sum(np.linalg.svdvals(a) ** 4))(a)
    want = wg.hessian(lambda a: np.sum((a.T @ a) ** 2))(a)
    np.testing.assert_allclose(hessian, want, atol=1e-12)


def test_hessians_in_complex_directions():
    a, direction = np.eye(3) + 0j, np.array([[1, 2j, 0], [-2j, 3, 1], [0, 1, 1]])

    def along(f):
        return wg.grad(lambda a: np.real(np.sum(wg.grad(f)(a) * np.conj(direction))))(a)

    want = along(lambda a: np.real(np.trace(linalg.expm(of_triangle(a)))))
    np.testing.assert_allclose(along(lambda a: np.sum(np.exp(np.linalg.eigvalsh(a)))), want, atol=1e-13)


# Singular matrices -----------------------------------------------------------------------------------------------


def laplace(a):
    """The determinant by its definition, for any number of rows."""
    if len(a) == 1:
        return a[0, 0]
    columns = range(len(a))
    return sum((-1) ** j * a[0, j] * laplace(a[1:][:, [k for k in columns if k != j]]) for j in columns)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", [0, 1e-17, 1e-12, 1e-7, 1e-3])
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_determinants_have_derivatives_of_two_orders(rank, noise, kind):
    a = matrix(3, rank, kind) @ matrix(rank, 3, kind) + noise * matrix(3, 3, kind)
    weights = matrix(3, 3, kind)

    def second(f):
        return wg.grad(lambda a: np.real(np.sum(weights * wg.grad(lambda a: np.real(f(a)))(a))))

    for derivative in (lambda f: wg.grad(lambda a: np.real(f(a))), second):
        np.testing.assert_allclose(derivative(np.linalg.det)(a), derivative(laplace)(a), rtol=1e-9, atol=1e-11)


def test_determinants_in_forward_mode():
    a, t = np.ones((3, 3)), matrix(3, 3)
    hvp = wg.jvp(wg.grad(np.linalg.det), (a,), (t,))[1]
    np.testing.assert_allclose(hvp, wg.jvp(wg.grad(laplace), (a,), (t,))[1], atol=1e-13)


def test_the_smallest_singular_value_of_a_singular_matrix():
    """Like abs at 0."""
    for a in (np.ones((3, 3)), np.zeros((2, 3)), np.outer([1.0, 2, 3], [1.0, 0, 1])):
        np.testing.assert_array_equal(wg.grad(lambda a: np.linalg.norm(a, -2))(a), np.zeros_like(a))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(5, 3), (3, 3), (3, 5)])
def test_dependent_columns_are_found_among_rounding_errors(shape, kind):
    for _ in range(10):
        a = matrix(shape[0], 2, kind) @ matrix(2, shape[1], kind)
        with pytest.raises(GradientError, match="columns are independent"):
            wg.grad(lambda a: np.real(np.sum(np.linalg.qr(a)[1])))(a)


@pytest.mark.filterwarnings("ignore:The logm input")
@pytest.mark.parametrize("function", [linalg.logm, linalg.sqrtm, lambda a: linalg.fractional_matrix_power(a, 0.3)])
def test_matrix_functions_with_a_branch_point_at_zero(function):
    for a in (np.diag([0.0, 1, 2]), np.diag([0.0, 1, 2]) + 0j):
        with pytest.raises(GradientError, match="eigenvalues of zero"):
            wg.grad(lambda a: np.real(np.sum(function(a))))(a)


def test_errors_name_the_matrix_in_batches_of_hessians():
    def loss(a):
        return np.linalg.svd(a)[0][0, 0]

    with pytest.raises(GradientError, match="basis of eigenvectors of equal values"):
        wg.jacobian(lambda a: wg.grad(loss)(a))(np.eye(2))
