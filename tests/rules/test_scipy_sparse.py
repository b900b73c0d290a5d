"""Sparse matrices: SciPy's with recorded arrays, and those whose entries are recorded."""

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spl

import wengert as wg
from wengert.errors import LostGradientError, MissingRuleError
from wengert.rules.scipy_sparse import Factors
from wengert.scipy import sparse

DENSE = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [1.0, 0.0, 4.0]])
X = np.array([0.3, -1.2, 0.7])


def recorded(x):
    return wg.tensor(x, requires_grad=True)


@pytest.mark.parametrize("kind", ["csr_array", "csc_array", "coo_array", "lil_array", "dia_array", "csr_matrix"])
def test_scipys_matrices_times_recorded_arrays(kind):
    a = getattr(sp, kind)(DENSE)
    for product, dense in (
        (lambda t: a @ t, lambda x: DENSE @ x),
        (lambda t: t @ a, lambda x: x @ DENSE),
        (lambda t: a.T @ t, lambda x: DENSE.T @ x),
        (lambda t: a.tocsr().dot(t), lambda x: DENSE @ x),
    ):
        y = product(recorded(X))
        np.testing.assert_allclose(y.data, dense(X))
        gradients = [wg.grad(lambda t, f=f: np.sum(f(t) ** 2))(X) for f in (product, dense)]
        np.testing.assert_allclose(*gradients)
        matrix = np.stack([X, 2 * X, X - 1], axis=1)
        np.testing.assert_allclose(product(recorded(matrix)).data, dense(matrix))


def test_second_derivatives_of_products():
    a = sp.csr_array(DENSE)
    hessian_times_one = wg.grad(lambda x: np.sum(wg.grad(lambda z: np.sum((a @ z) ** 2))(x)))(X)
    np.testing.assert_allclose(hessian_times_one, 2 * DENSE.T @ DENSE @ np.ones(3))


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda a, t: t + a, MissingRuleError),
        (lambda a, t: t * a, TypeError),
        (lambda a, t: a.multiply(t), LostGradientError),
        (lambda a, t: np.exp(sparse.with_data(a, recorded(a.data))), MissingRuleError),
        (lambda a, t: np.asarray(sparse.with_data(a, recorded(a.data))), TypeError),
        (lambda a, t: sparse.with_data(a, recorded(a.data)) @ a, TypeError),
        (lambda a, t: sp.csr_array((t, a.indices[:3], [0, 1, 2, 3])), LostGradientError),
        (lambda a, t: spl.spsolve(a, t), LostGradientError),
    ],
)
def test_nothing_is_dropped_in_silence(call, error):
    with pytest.raises(error):
        call(sp.csr_array(DENSE), recorded(X))


def test_products_by_entries():
    a = sp.csr_array(DENSE)
    gradient = wg.grad(lambda data: np.sum(sparse.matmul(data, a, X) * [1.0, 2.0, 3.0]))(a.data)
    rows, columns = a.nonzero()
    np.testing.assert_allclose(gradient, np.array([1.0, 2.0, 3.0])[rows] * X[columns])


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_array, sp.csc_matrix])
@pytest.mark.parametrize("b", [X, np.stack([X, 1 - X], axis=1), X[:, None]], ids=["vector", "matrix", "column"])
def test_spsolve(kind, b):
    a = kind(DENSE)
    expected = spl.spsolve(a, b)
    np.testing.assert_allclose(sparse.spsolve(a, recorded(b)).data, expected)
    np.testing.assert_allclose(sparse.linalg.spsolve(a, b), expected)
    data, right = recorded(a.data), recorded(b)
    y = sparse.spsolve(sparse.with_data(a, data), right)
    assert y.shape == expected.shape
    g = np.arange(1.0, 1 + y.size).reshape(y.shape)
    y.backward(g)
    columns = g.reshape(3, -1)
    gb = np.linalg.solve(DENSE.T, columns)
    np.testing.assert_allclose(right.grad, gb.reshape(b.shape))
    full = -gb @ expected.reshape(3, -1).T
    rows, places = a.nonzero() if kind is sp.csr_array else a.T.nonzero()[::-1]
    np.testing.assert_allclose(data.grad, full[rows, places])


def test_one_factorisation_serves_all_passes(monkeypatch):
    count, before = [], spl.splu
    monkeypatch.setattr(spl, "splu", lambda *args, **kwargs: count.append(1) or before(*args, **kwargs))
    a = sp.csc_array(DENSE)
    t = recorded(X)
    y = sparse.spsolve(sparse.with_data(a, recorded(a.data)), t)
    y.backward(np.ones(3), create_graph=True)
    np.sum(t.grad**2).backward()
    assert len(count) == 1
    assert Factors.__doc__


def test_factors_for_many_right_sides():
    lu = sparse.linalg.splu(sp.csc_array(DENSE))
    for trans in "NTH":
        expected = np.linalg.solve(DENSE if trans == "N" else DENSE.T, X)
        np.testing.assert_allclose(lu.solve(recorded(X), trans).data, expected)
    np.testing.assert_allclose(
        sparse.linalg.factorized(sp.csc_array(DENSE))(recorded(X)).data, np.linalg.solve(DENSE, X)
    )


def test_float32_and_complex():
    a = sp.csc_array(DENSE.astype(np.float32))
    t = recorded(X.astype(np.float32))
    y = sparse.spsolve(a, t)
    assert y.dtype == np.float32
    y.backward(np.ones(3, np.float32))
    assert t.grad.dtype == np.float32
    z = recorded(X + 1j)
    np.testing.assert_allclose(sparse.spsolve(sp.csc_array(DENSE), z).data, np.linalg.solve(DENSE, X + 1j))


def test_shapes_are_checked():
    a = sp.csr_array(DENSE[:2])
    for call in (
        lambda: a @ recorded(np.ones(2)),
        lambda: sparse.spsolve(a, recorded(np.ones(2))),
        lambda: sparse.spsolve(sp.csr_array(DENSE), recorded(np.ones(2))),
    ):
        with pytest.raises(ValueError, match=r"mismatch|square"):
            call()


def test_import_is_lazy():
    import subprocess
    import sys

    check = (
        "import sys, wengert; assert not any(name.startswith('scipy') for name in sys.modules); wengert.scipy.linalg"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
