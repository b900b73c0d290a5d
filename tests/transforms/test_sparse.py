"""Sparse Jacobians and Hessians: what comes close to the edge of their patterns."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ArgumentError, GradientError, ShapeError

X = np.array([0.3, -0.7, 0.5, 0.9, -0.2, 0.4])


def test_entries_that_cancel_are_no_entries_outside_of_the_pattern():
    # Rounded to 1e-9 of the largest entries, where the exact derivative is zero.
    weights = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    inverse = np.linalg.inv(weights.astype(float)).astype(np.float32)
    x = X.astype(np.float32)
    sparse = wg.sparse_jacobian(lambda x: np.concatenate([x, inverse @ (weights @ x) - x]), mode="forward")
    np.testing.assert_allclose(sparse(x).toarray(), np.eye(12, 6), atol=1e-4)
    filtered = wg.sparse_jacobian(lambda x: np.fft.irfft(np.fft.rfft(x), 6)[::2], mode="reverse")
    np.testing.assert_allclose(filtered(X).toarray(), np.eye(6)[::2], atol=1e-15)
    with pytest.raises(GradientError, match="outside of it"):
        branching = wg.sparse_jacobian(lambda x: x * 1.0 if x[0] > 0 else x[::-1] * 1.0)
        branching(X)
        branching(-X)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize(
    "f",
    [lambda x: np.exp(1j * x) * x, lambda x: np.stack([np.sum(np.exp(1j * x))]), np.fft.fft],
    ids=["square", "wide", "fft"],
)
def test_complex_values(f, mode):
    np.testing.assert_allclose(wg.sparse_jacobian(f, mode=mode)(X).toarray(), wg.jacobian(f)(X), atol=1e-14)


NEIGHBOURS = {
    "diff": (lambda x: np.diff(x) ** 2, 2),
    "second diff": (lambda x: np.diff(x, 2) * x[1:-1], 3),
    "diff of columns": (lambda x: np.diff(x.reshape(-1, 4), axis=0) ** 2, 2),
    "convolve": (lambda x: np.convolve(x, [1.0, 2.0, 0.5], "same") ** 2, 3),
    "convolve full": (lambda x: np.convolve([1.0, 2.0], x), 2),
    "convolve valid": (lambda x: np.convolve(x, [1.0, 2.0, 0.5], "valid"), 3),
    "convolve with itself": (lambda x: np.convolve(x, x[:2], "valid")[:2], 3),
    "correlate": (lambda x: np.correlate(x, [1.0, 2.0, 3.0]), 3),
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_functions_of_neighbours_have_few_entries(name):
    f, most = NEIGHBOURS[name]
    x = np.linspace(-1, 1, 40)
    assert wg.jacobian_pattern(f, x).sum(axis=1).max() <= most
    dense = wg.jacobian(f)(x).reshape(-1, 40)
    np.testing.assert_allclose(wg.sparse_jacobian(f)(x).toarray(), dense)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("check", [True, False])
def test_a_value_of_another_size_than_the_plans_is_refused(mode, check):
    jacobian = wg.sparse_jacobian(lambda x, n: np.tile(x, n), mode=mode, check=check)
    np.testing.assert_array_equal(jacobian(X, 1).toarray(), np.eye(6))
    with pytest.raises(ShapeError, match="as many elements as the plan has rows"):
        jacobian(X, 2)


def test_what_is_no_array_or_not_sparse_is_refused():
    for f in (lambda x: (x, x), lambda x: [x[0], x[1]], lambda x: {"a": x}):
        with pytest.raises(ArgumentError, match="one array"):
            wg.sparse_jacobian(f)(X)
    x = np.linspace(0.0, 1.0, 20_000)
    with pytest.raises(ArgumentError, match="mostly zero"):
        wg.jacobian_pattern(lambda x: np.sum(x) * x, x)


@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
def test_products_with_sparse_matrices_of_any_format(layout):
    from scipy import sparse

    matrix = sparse.random(4, 6, density=0.4, format=layout, random_state=0)

    def f(x):
        y = matrix @ x
        return np.sum(np.sin(y[1:] * y[:-1] * x[0]))

    np.testing.assert_allclose(wg.sparse_hessian(f)(X).toarray(), wg.hessian(f)(X), atol=1e-15)
