"""Indexing by masks: what is read and written is native, and the same as NumPy's, whatever the masks select."""

import numpy as np
import pytest

import wengert as wg

SHAPE = (6, 5, 4)
INDICES = {
    "all axes": (SHAPE, lambda m: m),
    "rows": (SHAPE[:1], lambda m: m),
    "rows, in a tuple": (SHAPE[:1], lambda m: (m,)),
    "planes": (SHAPE[:2], lambda m: m),
    "rows of a column": (SHAPE[:1], lambda m: (m, 1)),
    "rows, backwards": (SHAPE[:1], lambda m: (m, slice(None, None, -1), 2)),
    "rows of a part": (SHAPE[:1], lambda m: (m, slice(1, 4), slice(0, 2))),
    "planes of a column": (SHAPE[:2], lambda m: (m, -1)),
    "columns": (SHAPE[1:2], lambda m: (slice(None), m)),
    "columns of a part": (SHAPE[1:2], lambda m: (slice(2, 5), m, slice(1, None))),
    "inner planes": (SHAPE[1:], lambda m: (slice(None), m)),
    "last axis": (SHAPE[2:], lambda m: (slice(None), slice(1, 3), m)),
}
RANDOM = np.random.default_rng(0)


def array(kind):
    """Numbers of a dtype, some of them not finite."""
    x = RANDOM.normal(scale=3, size=SHAPE)
    if kind in "fd":
        x[1, 2], x[2, 1], x[3, 0] = np.nan, np.inf, -0.0
    return (x + 1j * RANDOM.normal(size=SHAPE) if kind in "FD" else x).astype(kind)


def masks(shape, count):
    """Several that select as many."""
    for _ in range(3):
        yield np.isin(RANDOM.permutation(int(np.prod(shape))), range(count)).reshape(shape)


def programs(place):
    """Reads and writes at an index of `mask > 0`, which only the program knows."""

    def read(x, given, v):
        return x[place(given > 0)] + x[place(given > 0)]

    def written(x, given, v):
        y = x.copy()
        y[place(given > 0)] = v
        return y

    def one_number(x, given, v):
        y = x.copy()
        y[place(given > 0)] = 3
        y[place(given > 1)] = 2
        return y

    def changed(x, given, v):
        y = x.copy()
        y[place(given > 0)] += v
        y[place(~(given > 0))] *= 2
        return y

    def moved(x, given, v):
        y = np.zeros_like(x)
        y[place(given > 0)] = x[place(given > 0)]
        return y + y

    return read, written, one_number, changed, moved


@pytest.mark.parametrize("kind", ["d", "f", "l", "b", "D"])
@pytest.mark.parametrize(("shape", "place"), INDICES.values(), ids=INDICES)
def test_as_numpy_does(shape, place, kind):
    size = int(np.prod(shape))
    for program in programs(place):
        for count in (0, 1, 2, size // 2, size):
            fast = wg.compile(program)
            for mask in masks(shape, count):
                x = array(kind)
                v = array(kind)[place(mask)]
                for value in (v, v[..., :1], kind == "d" and v[:1]):
                    if value is False or np.broadcast_shapes(value.shape, v.shape) != v.shape:
                        continue
                    given = np.where(mask, 1.0, -1.0)
                    np.testing.assert_array_equal(fast(x, given, value), program(x, given, value))
            assert "NumPy's" not in fast.explain()
            assert fast.stats()["eager"] == 0


def test_gradients_go_through_what_is_selected():
    def f(x, c):
        y = x * c
        y[x > 0] = np.log(y[x > 0])
        y[x <= 0, ...] *= c
        return np.sum(y[(x > -1) & (x < 1)] ** 2)

    fast, inside, outside = (
        wg.compile(f),
        wg.compile(wg.grad(f, argnums=(0, 1))),
        wg.grad(wg.compile(f), argnums=(0, 1)),
    )
    for scale in (0.9, 1.0, 1.1):
        x = scale * np.array([-1.3, -0.4, 0.3, 0.8, 1.7, -0.01])
        np.testing.assert_allclose(fast(x, 2.0), f(x, 2.0))
        for gradient in (inside, outside):
            for ours, theirs in zip(gradient(x, 2.0), wg.grad(f, argnums=(0, 1))(x, 2.0), strict=True):
                np.testing.assert_allclose(ours, theirs)


def test_large_masks():
    def f(z):
        z = z.copy()
        for _ in range(2):
            held = z > 0
            z[held] *= 0.5
            z[~held] += 0.25
        return z, np.sum(z[z > 0.1])

    z = RANDOM.normal(size=200_000)
    fast = wg.compile(f)
    for _ in range(3):
        z = RANDOM.permutation(z)
        for ours, theirs in zip(fast(z), f(z), strict=True):
            np.testing.assert_allclose(ours, theirs, 1e-13)
    assert fast.stats()["recordings"] == 1


def test_another_count_is_another_path():
    def f(x, v):
        y = x.copy()
        y[x > 0] = v
        return y

    fast = wg.compile(f)
    x = np.array([1.0, -1.0, 2.0])
    np.testing.assert_array_equal(fast(x, np.array([5.0, 6.0])), [5, -1, 6])
    np.testing.assert_array_equal(fast(-x, np.array([7.0])), [-1, 7, -2])
    for given in (x, -x):
        with pytest.raises(ValueError, match="assign"):
            fast(given, np.ones(3))
    np.testing.assert_array_equal(fast(x[::-1], np.array([5.0, 6.0])), [5, -1, 6])


@pytest.mark.parametrize("rare", [3, 100])
def test_masks_that_select_little_of_much(rare):
    """NumPy does it faster; what is written everywhere by one number is native all the same."""

    def f(x, v):
        y = x.copy()
        y[x > 4] = v
        y[x < -4] = 0.0
        return y, x[x > 4]

    fast = wg.compile(f)
    for seed in range(3):
        x = np.random.default_rng(seed).permutation(np.r_[np.full(rare, 5.0), np.full(20_000 - rare, -4.5)])
        v = np.arange(float(rare))
        for ours, numpys in zip(fast(x, v), f(x, v), strict=True):
            np.testing.assert_array_equal(ours, numpys)


@pytest.mark.parametrize("value", [np.array([-1, 2], np.int8), np.int8(-1), np.array([1, -1]), True])
def test_numbers_added_to_truth_values_are_added_before_they_are_made_truths(value):
    def f(x, given, v):
        y = x.copy()
        np.add.at(y, given > 0, v)
        np.add.at(y, 0, np.int8(-1))
        return y

    fast = wg.compile(f)
    for _ in range(3):
        given = np.array([True, False, True]), np.array([1.0, -1.0, 1.0]), value
        np.testing.assert_array_equal(fast(*given), f(*given))
