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


REDUCTIONS = {
    "sum": lambda v: v.sum(),
    "mean": lambda v: v.mean(),
    "max": lambda v: v.max(),
    "min": lambda v: v.min(),
    "prod": lambda v: v.prod(),
    "std": lambda v: v.std(),
    "any": lambda v: np.any(v > 1),
    "all": lambda v: np.all(v > 1),
    "several": lambda v: np.sum(np.exp(-(v**2))) / v.max() + v[0],
}


@pytest.mark.parametrize("kind", ["d", "f", "l", "b"])
@pytest.mark.parametrize("reduce", REDUCTIONS.values(), ids=REDUCTIONS)
def test_what_is_selected_is_combined_where_it_is(reduce, kind):
    fast = wg.compile(lambda x, given: reduce(x[given > 0]))
    for mask in masks((40,), 17):
        x, given = (RANDOM.normal(loc=1, scale=2, size=40)).astype(kind), np.where(mask, 1.0, -1.0)
        tolerance = 1e-5 if kind in "fb" else 1e-12
        np.testing.assert_allclose(fast(x, given), reduce(x[mask]), rtol=tolerance)
    if reduce is not REDUCTIONS["several"]:
        assert "scatter" not in fast.explain()


@pytest.mark.parametrize("axis", [0, 1, 2, (0, 1), (1, 2), None])
@pytest.mark.parametrize("keepdims", [False, True])
def test_along_axes(axis, keepdims):
    fast = wg.compile(lambda x, given: np.max(x[:, given > 0] * 2.0, axis=axis, keepdims=keepdims))
    for mask in masks(SHAPE[1:2], 3):
        x = RANDOM.normal(size=SHAPE)
        expected = np.max(x[:, mask] * 2.0, axis=axis, keepdims=keepdims)
        np.testing.assert_array_equal(fast(x, np.where(mask, 1.0, -1.0)), expected)


def test_what_is_written_back_where_it_was_is_one_loop():
    def step(x, c):
        y = x.copy()
        inside = y > 0
        y[inside] = np.sqrt(y[inside]) + c[inside] ** 2
        y[~inside] *= np.float64(2)
        return y

    fast, gradient = wg.compile(step), wg.compile(wg.grad(lambda x, c: np.sum(step(x, c) ** 2)))
    for mask in masks((50,), 20):
        x, c = np.where(mask, 1.0, -1.0) * RANDOM.random(50), RANDOM.random(50)
        np.testing.assert_array_equal(fast(x, c), step(x, c))
        y = step(x, c)
        expected = 2 * y * np.where(mask, 0.5 / np.sqrt(np.abs(x)), 2.0)
        np.testing.assert_allclose(gradient(x, c), expected, rtol=1e-13)
    for compiled in (fast, gradient):
        assert "scatter" not in compiled.explain()
        assert "running sum" not in compiled.explain()


def test_what_is_not_selected_is_nobodys_business():
    """Neither what would be infinite or undefined there, nor what whole numbers are divided by."""

    def f(x, k):
        y = x.copy()
        y[x > 0] = np.log(y[x > 0])
        n = k.copy()
        n[k != 0] = 100 // n[k != 0]
        return y, n, np.sum(1 / x[x > 0]), np.max(100 // k[k != 0])

    fast = wg.compile(f)
    for _ in range(3):
        x, k = np.array([-1.0, 0.0, np.nan, 2.0, -np.inf, np.inf]), np.array([0, 3, -7, 0])
        with np.errstate(all="raise"):
            expected = f(x, k)
            for ours, theirs in zip(fast(x, k), expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-15)
        for ours, theirs in zip(fast(x, k), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-15)


def doubled(x):
    z = np.zeros(x.shape)
    z[x > 0] = x[x > 0] * 2
    return np.sum(z**2 * x)


def doubled_in_tensors(x):
    z = wg.zeros(x.shape)
    z[x > 0] = x[x > 0] * 2
    return np.sum(z**2 * x)


@pytest.mark.parametrize("f", [doubled, doubled_in_tensors])
def test_masks_of_several_axes_under_batches(f):
    x = np.array([[1.0, -2.0], [3.0, 4.0]])
    expected = np.zeros((2, 2, 2, 2))
    for place in ((0, 0), (1, 0), (1, 1)):
        expected[place + place] = 24 * x[place]
    inside, outside = wg.compile(wg.hessian(f)), wg.hessian(wg.compile(f))
    for _ in range(3):
        np.testing.assert_allclose(inside(x), expected)
        np.testing.assert_allclose(outside(x), expected)
    assert inside.stats()["given up"] == []


def test_long_masks_whose_elements_are_needed_in_order():
    """NumPy selects them; what is combined, or put back, is still computed where it is."""

    def f(x, given):
        taken = x[given > 0]
        y = x.copy()
        y[given > 0] = np.sqrt(taken)
        return taken * 2, y, np.sum(taken)

    fast = wg.compile(f)
    for kind in "dD":
        for mask in masks((9000,), 5000):
            x, given = RANDOM.random(9000).astype(kind), np.where(mask, 1.0, -1.0)
            for ours, theirs in zip(fast(x, given), f(x, given), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    text = fast.explain()
    assert "scatter" not in text
    assert text.count("NumPy's getitem") == 2  # one for each dtype


@pytest.mark.parametrize("dtype", ["?", "b", "H", "i", "l", "f", "d", "D"])
@pytest.mark.parametrize("n", [1, 3, 8, 63, 64, 65, 130])
def test_columns_that_are_written_by_turns(n, dtype):
    """Two roots of a kernel, whose numbers alternate in memory; those of truth values are bits in registers."""

    def f(x):
        columns = x.T ^ True if x.dtype == bool else x.T * 2
        return columns, np.stack([x[0] > 0, x[1] > 0], axis=-1), (columns[:, 1:] != columns[:, :-1]).T

    fast, random = wg.compile(f), np.random.default_rng(0)
    for _ in range(3):
        x = random.integers(0, 3, (2, n)).astype(dtype)
        for found, expected in zip(fast(x), f(x), strict=True):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype
