"""Programs that stay calls of NumPy's, and those that draw random numbers, as native functions."""

import types
import warnings

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert as wg
from wengert.compiler.native import probe

pytestmark = pytest.mark.skipif(not probe(), reason="the native entry needs CPython's layout of objects")
random = np.random.default_rng(0)
X, WHOLE, SQUARE = random.normal(size=(6, 8)), random.integers(1, 50, size=(6, 8)), random.normal(size=(5, 5))
PROGRAMS = [
    (lambda x: np.sort(x), X),
    (lambda x: np.sort(x, axis=0), X),
    (lambda x: np.sort(x, axis=None), X),
    (lambda x: np.sort(x, kind="stable"), WHOLE),
    (lambda x: np.partition(x, 3), X),
    (lambda x: np.argsort(x), X),
    (lambda x: np.gcd(x, 12), WHOLE),
    (lambda x: np.gcd(np.broadcast_to(np.sum(x + 1), (2, 3)), 5040) * x[0, 0] + x[1, 1], WHOLE),
    (lambda x: np.cos(np.sort(np.exp(x).reshape(-1, 2), axis=0)) + x[0, :2], X),
    (lambda x: np.cos(np.argsort(x.reshape(-1, 2), axis=0)) + x[0, :2], X),
    (lambda x: np.bincount(np.ravel(x), minlength=60), WHOLE),
    (lambda x: np.fft.fft(x), X),
    (lambda x: np.linalg.eigh(x + x.T), SQUARE),
    (lambda x: np.linalg.svd(x), SQUARE),
    (lambda x: np.linalg.qr(x)[1], SQUARE),
    (lambda x: np.argmax(x), np.tile(X, (100, 1))),
    (lambda x: (np.sort(x), np.argsort(x)[0, 0], {"a": np.gcd(3, np.argsort(x))}), X),
]


def parts_of(y):
    if isinstance(y, dict):
        y = tuple(y.values())
    return [part for z in y for part in parts_of(z)] if isinstance(y, tuple) else [y]


@pytest.mark.parametrize(("f", "x"), PROGRAMS)
def test_what_numpy_gives_is_given(f, x):
    fast = wg.compile(f)
    for given in (x, x[::-1].copy(), np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], x):
        for _ in range(3):
            found, wanted = fast(given), f(given)
            assert type(found) is type(wanted)
            for a, b in zip(parts_of(found), parts_of(wanted), strict=True):
                assert type(a) is type(b)
                assert np.asarray(a).dtype == np.asarray(b).dtype
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert isinstance(fast.__call__, types.BuiltinFunctionType)
    assert fast.stats()["eager"] == 0


def test_results_are_new_arrays():
    fast = wg.compile(lambda x: (np.sort(x), np.sort(x), x))
    x = np.array([3.0, 1.0, 2.0])
    for _ in range(5):
        a, b, c = fast(x)
        a[:] = b[0] = c[1] = -1
        assert b[1:].tolist() == [2.0, 3.0]
        assert x.tolist() == [3.0, 1.0, 2.0]


def test_sorting_without_a_gradient_is_sorting():
    fast = wg.compile(lambda x: np.sort(x))
    fast(X)
    assert "argsort" not in fast.explain()
    assert isinstance(np.sort(wg.tensor(X)), wg.Tensor)
    gradient = wg.grad(lambda x: np.sort(x) @ np.arange(3.0))
    for g in (gradient, wg.compile(gradient)):
        for _ in range(3):
            assert g(np.array([3.0, 1.0, 2.0])).tolist() == [2.0, 0.0, 1.0]
    assert wg.vmap(np.sort)(X[:, ::-1]).tolist() == np.sort(X).tolist()


def test_counts_of_another_length():
    fast = wg.compile(lambda i: np.bincount(i))
    for top in (3, 3, 3, 5, 5, 5, 3, 9):
        i = np.array([1, top, 1])
        assert fast(i).tolist() == np.bincount(i).tolist()
    weights = wg.grad(lambda w: np.bincount(np.array([0, 2, 0]), w) @ np.arange(3.0))
    assert weights(np.ones(3)).tolist() == [0.0, 2.0, 0.0]


def test_exceptions_are_the_functions_own():
    fast = wg.compile(lambda x: np.linalg.eigvalsh(x))
    for _ in range(4):
        fast(SQUARE)
    with pytest.raises(np.linalg.LinAlgError):
        fast(np.full((5, 5), np.nan))
    assert np.allclose(fast(SQUARE), np.linalg.eigvalsh(SQUARE))


def drawing(seed):
    generator = np.random.default_rng(seed)
    return lambda x: np.linalg.eigvalsh(x * wg.random.uniform(generator, 1, 2, size=(5, 5)))


def test_random_numbers_come_in_their_order():
    plain, fast = drawing(3), wg.compile(drawing(3))
    for k in range(12):
        if k % 5 == 4:
            for f in (plain, fast):
                with pytest.raises(np.linalg.LinAlgError):
                    f(np.full((5, 5), np.nan))
        np.testing.assert_allclose(fast(SQUARE), plain(SQUARE), rtol=1e-12)
    assert isinstance(fast.__call__, types.BuiltinFunctionType)


def test_no_warnings_are_given():
    fast = wg.compile(lambda x: np.sort(x.astype(np.float16) * np.float16(60000)))
    with np.errstate(all="ignore"):
        fast(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(4):
            assert np.isinf(fast(X)).any()
