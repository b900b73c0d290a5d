"""Programs that run as calls of NumPy's functions: where no native compiler is, or none of their numbers native."""

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import path


@pytest.fixture(autouse=True)
def no_native_code(monkeypatch):
    monkeypatch.setattr(path, "_native", lambda program, forgets: (None, "left out"))


def chain(x, y):
    z = np.sin(x) * y
    z = z + x
    return np.exp(-z) / (1 + z), z


def view_of_what_is_read_on(x, y):
    z = np.sin(x)
    flipped = z[::-1]
    w = np.cos(z)
    return flipped, w * y, np.negative(w)


def same_operand_twice(x, y):
    z = x + y
    z = z * z
    return z + z, np.maximum(z, z)


def in_place(x, y):
    z = x * 2
    z += y
    z[0] = 7
    before = z.copy()
    z *= y
    return z, before


def numbers(x, y):
    n = float(len(x)) / 3
    return x * n, n * 2.0, x.sum() * y.sum(), 2 - x, np.where(x > 0.5, x, n)


def narrowing(x, y):
    wide = x + y
    return (wide > 1).astype(np.float32) + np.float32(2), np.floor(wide).astype(int) + 1


def gradient(x, y):
    return wg.grad(lambda x: np.sum(np.tanh(x * y) ** 2 / (1 + x**2)))(x)


@pytest.mark.parametrize(
    "f", [chain, view_of_what_is_read_on, same_operand_twice, in_place, numbers, narrowing, gradient]
)
@pytest.mark.parametrize("dtype", ["f8", "f2", "g"])
def test_calls_again(f, dtype):
    if f is gradient and dtype == "f2":
        pytest.skip("half precision has few digits")
    fast = wg.compile(f)
    kept = []
    for seed in range(4):
        x, y = np.random.default_rng(seed).uniform(0.1, 1, (2, 6)).astype(dtype)
        before = x.copy(), y.copy()
        found, expected = fast(x, y), f(x.copy(), y.copy())
        assert np.array_equal(x, before[0]) and np.array_equal(y, before[1])
        for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in (found, expected)), strict=True):
            assert np.asarray(a).dtype == np.asarray(b).dtype
            np.testing.assert_allclose(a, b, rtol=8 * np.finfo(dtype).eps if f is gradient else 0)
            assert not any(np.may_share_memory(a, other) for other in kept)
        kept += [a for a in (found if isinstance(found, tuple) else (found,)) if isinstance(a, np.ndarray)]
    assert fast.stats()["recordings"] == 1


def test_a_decision_after_the_last_use_of_its_value():
    @wg.compile
    def f(x):
        y = np.sin(x)
        if y.sum() > 0:
            return np.exp(y)
        return np.cos(y)

    for x in (np.ones(3), -np.ones(3), np.ones(3), -np.ones(3), -np.ones(3)):
        np.testing.assert_array_equal(f(x), np.exp(np.sin(x)) if x[0] > 0 else np.cos(np.sin(x)))
