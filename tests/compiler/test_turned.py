"""Arrays in Fortran's order: taken, computed with and given as they lie."""

import numpy as np
import pytest

import wengert as wg

pytest.importorskip("llvmlite")

SHAPE = (90, 70)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def like(rng, shape=SHAPE, order="F"):
    return np.asarray(rng.normal(size=shape), order=order)


PROGRAMS = {
    "elementwise": lambda x: np.exp(x) * 2 - x**2,
    "where": lambda x: np.where(x > 0, x, 0.1 * x),
    "clip": lambda x: np.clip(x, -1, 1) + 1,
    "a row": lambda x: x * x[0] + np.arange(x.shape[1]),
    "a column": lambda x: x - x.mean(axis=1, keepdims=True),
    "softmax": lambda x: np.exp(x - x.max(0)) / np.exp(x - x.max(0)).sum(0),
    "standardised": lambda x: (x - x.mean(0)) / x.std(0),
    "sums": lambda x: (x.sum(), x.sum(0), x.sum(1), (x * x).max(0), np.var(x, axis=1)),
    "differences": lambda x: x[1:] - x[:-1],
    "every second": lambda x: x[::2, ::-1] * 3,
    "transposed": lambda x: x.T + 1,
    "both orders": lambda x: x * np.ascontiguousarray(x),
    "itself": lambda x: (x, x.T),
    "one thing twice": lambda x: (y := x + 1, y),
    "flat": lambda x: x.ravel() * 2,
    "columns first": lambda x: np.cumsum(x, axis=0) + x,
    "sorted": lambda x: np.sort(x, axis=0) + x,
    "a product": lambda x: (x @ x.T, x.T @ x, x @ x[0], x.T @ x[:, 0]),
    "a decomposition": lambda x: np.linalg.svd(x, compute_uv=False),
    "of a transpose": lambda x: np.sort(x.T, axis=-1) + x.T,
    "whole numbers": lambda x: (x * 10).astype(int) // 3,
    "truth": lambda x: (x > 0) & (x < 1),
    "complex": lambda x: np.abs(np.exp(1j * x)) + (x * 1j).imag,
    "a decision": lambda x: x * 2 if x.sum() > 0 else x - 1,
    "picked": lambda x: x[np.array([3, 1, 1]), np.array([0, 2, 0])] + x[:3, 0],
    "stacked": lambda x: np.concatenate([x, x * 2]),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("orders", ["FFF", "CFC", "FCF"])
def test_it_does_what_numpy_does(name, orders, rng):
    f = PROGRAMS[name]
    fast = wg.compile(f)
    for _ in range(3):
        for order in orders:
            x = like(rng, order=order)
            before = x.copy(order="K")
            for found, expected in zip(leaves(fast(x)), leaves(f(x)), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
                assert found.dtype == expected.dtype
                assert not np.shares_memory(found, x)
            assert x.tobytes("K") == before.tobytes("K")


@pytest.mark.parametrize(
    "name", ["elementwise", "where", "a row", "a column", "softmax", "standardised", "differences"]
)
def test_derivatives_are_those_of_plain_programs(name, rng):
    def loss(x):
        return np.sum(PROGRAMS[name](x) ** 2)

    inside, outside = wg.compile(wg.value_and_grad(loss)), wg.value_and_grad(wg.compile(loss))
    along = wg.compile(lambda x, t: wg.jvp(loss, (x,), (t,)))
    for order in "FCFCF":
        x, t = like(rng, order=order), like(rng, order="F")
        expected = wg.value_and_grad(loss)(x)
        for found in (inside(x), outside(x)):
            np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
            np.testing.assert_allclose(found[1], expected[1], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(along(x, t)[1], np.sum(expected[1] * t), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["elementwise", "where", "clip", "softmax", "differences", "transposed", "truth"])
def test_results_lie_as_those_of_numpy_do(name, rng):
    f = PROGRAMS[name]
    fast = wg.compile(f)
    x = like(rng)
    for _ in range(3):
        assert fast(x).strides == f(x).strides


def test_it_is_not_copied(rng):
    fast = wg.compile(lambda x: np.sum(x * x, axis=0))
    x = like(rng, (3000, 1000))
    fast(x), fast(x)
    import tracemalloc

    tracemalloc.start()
    fast(x)
    assert tracemalloc.get_traced_memory()[1] < x.nbytes / 100
    tracemalloc.stop()
    assert "0 bytes of working memory" in fast.explain()


def test_each_order_has_its_program_and_both_are_native(rng):
    fast = wg.compile(lambda x: np.exp(x) + 1)
    for order in "CFCFCF":
        fast(like(rng, order=order))
    assert fast.stats()["recordings"] == 2
    ran = fast._shortcuts.runs
    for order in "CFCF":
        fast(like(rng, order=order))
    assert fast._shortcuts.runs == ran + 4


@pytest.mark.parametrize("shape", [(5000,), (1, 5000), (5000, 1), (50, 100)])
def test_a_misaligned_one_is_copied_by_native_code(shape, rng):
    fast = wg.compile(lambda x: np.exp(x) + 1)
    aligned = rng.normal(size=shape)
    x = np.zeros(aligned.nbytes + 1, np.uint8)[1:].view(float).reshape(shape)
    x[...] = aligned
    assert not x.flags.aligned
    fast(x), fast(x)
    ran = fast._shortcuts.runs
    np.testing.assert_allclose(fast(x), np.exp(aligned) + 1, rtol=1e-14)
    np.testing.assert_allclose(fast(aligned), np.exp(aligned) + 1, rtol=1e-14)
    assert fast._shortcuts.runs == ran + 2


def test_one_with_gaps_is_copied_as_it_lies(rng):
    f = lambda x: np.exp(x) - x.sum(1, keepdims=True)  # noqa: E731
    fast = wg.compile(f)
    for _ in range(4):
        x = like(rng, (140, 180), "C")[::2, ::2].T
        np.testing.assert_allclose(fast(x), f(x), rtol=1e-12, atol=1e-13)


def test_an_array_that_is_written_stays_as_it_lies(rng):
    def step(x, g):
        x -= 0.1 * g
        x[0] = 1
        return x.sum()

    fast = wg.compile(step)
    x, g = like(rng), like(rng)
    y = x.copy(order="F")
    for _ in range(5):
        np.testing.assert_allclose(fast(x, g), step(y, g), rtol=1e-12)
        np.testing.assert_array_equal(x, y)
        assert x.flags.f_contiguous


def test_an_array_around_it_may_come_to_lie_otherwise(rng):
    class Model:
        def __init__(self):
            self.data = like(rng)

        def loss(self, w):
            return np.sum((self.data @ w) ** 2) + np.sum(np.tanh(self.data) * w)

    model = Model()
    fast = wg.compile(wg.grad(model.loss))
    for order in "FFFCCCFCF":
        model.data = like(rng, order=order)
        w = rng.normal(size=SHAPE[1])
        np.testing.assert_allclose(fast(w), wg.grad(model.loss)(w), rtol=1e-10)


def test_a_closure_over_one_is_native(rng):
    x = like(rng, (500, 40))
    fast = wg.compile(wg.grad(lambda w: np.sum(np.logaddexp(0, x @ w)) + np.sum(np.abs(x) * w)))
    for _ in range(4):
        w = rng.normal(size=40)
        expected = x.T @ (1 / (1 + np.exp(-(x @ w)))) + np.abs(x).sum(0)
        np.testing.assert_allclose(fast(w), expected, rtol=1e-12)
    assert fast._shortcuts.runs


def test_three_axes(rng):
    f = lambda x: (np.exp(x).sum(1), x * 2, x.sum((0, 2)), np.transpose(x, (2, 0, 1)) + 1)  # noqa: E731
    fast = wg.compile(f)
    for _ in range(3):
        x = like(rng, (20, 30, 25))
        for found, expected in zip(fast(x), f(x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "int32", "complex128", "bool", ">f8"])
def test_other_numbers(dtype, rng):
    f = lambda x: (x + x, x.sum(0), x.T)  # noqa: E731
    fast = wg.compile(f)
    for _ in range(3):
        x = np.asarray(like(rng) * 5, dtype, order="F")
        for found, expected in zip(fast(x), f(x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
            assert found.dtype == expected.dtype


def test_without_native_code(rng, monkeypatch):
    monkeypatch.setattr("wengert.compiler.path._native", lambda *_: (None, "left out"))
    f = lambda x, y: (np.exp(x) * 2, x.sum(0) + y, y.T)  # noqa: E731
    fast = wg.compile(f)
    for _ in range(4):
        x, y = like(rng), like(rng, order="C")
        for found, expected in zip(fast(x, y), f(x, y), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_random_numbers_beside_it(rng):
    fast = wg.compile(lambda x, g: (x * 2 + wg.random.normal(g, 0.0, 1.0, 70), x.T * 3))
    for seed in range(4):
        x = like(rng)
        found = fast(x, np.random.default_rng(seed))
        np.testing.assert_allclose(found[0], x * 2 + np.random.default_rng(seed).normal(size=70), rtol=1e-12)
        np.testing.assert_allclose(found[1], x.T * 3)


def leaves(value):
    return value if isinstance(value, tuple) else (value,)
