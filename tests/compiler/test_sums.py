"""Sums are at least as accurate as NumPy's pairwise ones, on numbers that cancel, along whichever axis."""

from fractions import Fraction

import numpy as np
import pytest

import wengert as wg


def hard(kind, shape, char, seed=0):
    """Numbers of very different sizes, in an order that is bad for sums."""
    random = np.random.default_rng(seed)
    if kind == "one sign":
        x = random.uniform(1, 2, shape)
    elif kind == "cancelling":
        x = random.normal(size=shape) * 10.0 ** random.uniform(-4, 4, shape)
        x = x - np.mean(x, axis=-1, keepdims=True)
    elif kind == "growing":
        x = np.sort(10.0 ** random.uniform(-6, 6, shape), axis=-1)
    else:  # one large number, that small ones hardly change
        x = random.uniform(0, 1, shape)
        x[..., 0] = 1e8 if char == "d" else 1e4
    return x.astype(char)


def exact(x, axis):
    """Sums as fractions, and the sums of the sizes, rounded once."""
    lines = np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis]) if axis is not None else x.reshape(1, -1)
    sums = [float(sum(map(Fraction, line.tolist()))) for line in lines]
    return np.array(sums), np.abs(lines).astype(float).sum(axis=1)


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("kind", ["one sign", "cancelling", "growing", "one large"])
@pytest.mark.parametrize(("shape", "axis"), [((5000,), None), ((3, 2000), 1), ((2000, 3), 0), ((37, 150), None),
                                             ((9, 400, 5), 1), ((700, 16), 0), ((16, 700), 1)])  # fmt: skip
def test_sums(shape, axis, kind, char):
    x = hard(kind, shape, char)
    wanted, sizes = exact(x, axis)
    for f in (lambda x: np.sum(x, axis=axis), lambda x: np.sum(x * x.dtype.type(0.5) * 2, axis=axis)):
        fast = wg.compile(f)
        fast(x)
        ours = np.abs(np.asarray(fast(x), float).ravel() - wanted)
        numpys = np.abs(np.asarray(f(x), float).ravel() - wanted)
        # The result is rounded; of what cancels a unit may be left, as only blocks of a few vectors are compensated.
        assert (ours <= np.maximum(numpys, np.finfo(char).eps * (np.abs(wanted) + sizes))).all()


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("shape", [(30000, 2), (5000, 17), (1025, 3), (1300, 1, 4)])
def test_sums_over_many_rows_in_either_order(shape, char):
    rows = hard("one sign", shape, char)
    wanted, sizes = exact(rows.reshape(shape[0], -1), 0)
    for x in (rows, np.asfortranarray(rows)):
        fast = wg.compile(lambda x: np.sum(x, axis=0))
        fast(x)
        pairwise = np.abs(np.asarray(np.sum(np.asfortranarray(x), axis=0), float).ravel() - wanted)
        ours = np.abs(np.asarray(fast(x), float).ravel() - wanted)
        assert (ours <= np.maximum(pairwise, np.finfo(char).eps * sizes)).all()


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("axis", [0, 1])
def test_running_sums(axis, char):
    x = hard("cancelling", (300, 40) if axis == 0 else (40, 300), char)
    fast = wg.compile(lambda x: np.cumsum(x, axis=axis))
    fast(x)
    wide = np.cumsum(x.astype(np.longdouble), axis=axis)
    ours, numpys = np.abs(fast(x) - wide), np.abs(np.cumsum(x, axis=axis) - wide)
    assert np.max(ours) <= 1.01 * np.max(numpys)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_means_and_variances_of_numbers_far_from_zero(axis):
    x = 1e7 + np.random.default_rng(0).normal(size=(200, 300))
    for f in (np.mean, np.var, np.std):
        fast = wg.compile(lambda x, f=f: f(x, axis=axis))
        fast(x)
        wide = np.asarray(f(x.astype(np.longdouble), axis=axis), float)
        ours, numpys = np.abs(fast(x) - wide), np.abs(f(x, axis=axis) - wide)
        assert np.max(ours) <= 1.01 * np.max(numpys) + np.max(np.spacing(wide))


def test_sums_of_what_is_not_finite():
    x = np.random.default_rng(0).normal(size=(50, 40))
    x[3, 5], x[4, 6], x[5, 7], x[5, 8] = np.inf, np.nan, np.inf, -np.inf
    x[6] = 1e308
    with np.errstate(all="ignore"):
        for axis in (None, 0, 1):
            fast = wg.compile(lambda x, axis=axis: np.sum(x, axis=axis))
            fast(x)
            np.testing.assert_allclose(fast(x), np.sum(x, axis=axis), rtol=1e-12)


@pytest.mark.parametrize("shape", [(255,), (257,), (4099,), (70_001,), (3, 999), (257, 300), (5, 3, 700)])
@pytest.mark.parametrize("char", "df")
def test_extrema_of_many_numbers_find_what_is_none(shape, char):
    x = np.random.default_rng(0).normal(size=shape).astype(char)
    functions = [lambda x, f=f, axis=axis: f(x, axis=axis) for f in (np.max, np.min) for axis in (None, 0, -1)]
    compiled = [wg.compile(f) for f in functions]
    for number in (0.0, np.nan, np.inf, -np.inf):
        for place in (0, 31, x.size // 2, -20, -1):
            y = x.copy()
            y.flat[place] = number
            for f, fast in zip(functions, compiled, strict=True):
                assert np.array_equal(fast(y), f(y), equal_nan=True)


@pytest.mark.parametrize("char", ["?", "b", "B", "h", "i", "l", "L"])
@pytest.mark.parametrize("shape", [(100,), (5000,), (300, 257), (7, 3000)])
def test_totals_of_integers(shape, char):
    info = np.iinfo(char) if char != "?" else None
    random = np.random.default_rng(1)
    x = random.random(shape) > 0.99 if info is None else random.integers(info.min, info.max, shape, dtype=char)
    for f in (np.sum, np.max, np.min, np.any, np.all, np.count_nonzero):
        for axis in (None, 0, -1):
            fast = wg.compile(lambda x, f=f, axis=axis: f(x, axis=axis))
            for _ in range(2):
                found = fast(x)
            assert np.array_equal(found, f(x, axis=axis))
            assert np.asarray(found).dtype == np.asarray(f(x, axis=axis)).dtype


@pytest.mark.parametrize("char", ["b", "B", "i", "l"])
def test_powers_and_products_of_integers(char):
    random = np.random.default_rng(2)
    x = random.integers(0, 100, size=(6, 4)).astype(char)
    y = random.integers(0, 100, size=(4, 5)).astype(char)
    programs = [lambda x, y: x @ y, lambda x, y: x[0] @ y, lambda x, y: x @ y[:, 0], lambda x, y: y.T @ x.T]
    programs += [lambda x, y, k=k: x**k for k in range(12)]
    for f in programs:
        fast = wg.compile(f)
        for _ in range(2):
            found = fast(x, y)
        assert found.dtype == f(x, y).dtype
        assert np.array_equal(found, f(x, y))


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("shape", [(7, 600), (20, 2000), (600, 20), (2000, 7), (5, 6, 700), (700, 6, 5)])
@pytest.mark.parametrize("first", [np.sum, np.min, np.mean])
def test_totals_of_totals(first, shape, char):
    """What is reduced along some axes is reduced again in the same loops."""
    x = hard("growing", shape, char)
    for axis in range(len(shape)):
        for second in (np.sum, np.max):
            fast = wg.compile(lambda x, second=second, axis=axis: second(first(2 * x, axis=axis)))
            fast(x)
            wanted = second(first(2 * x.astype(float), axis=axis))
            np.testing.assert_allclose(fast(x), wanted, rtol=8 * np.finfo(char).eps)


def test_nearest_centres():
    """Products, sums of squares and a minimum, which all lie in one loop with the last sum."""

    def cost(points, centres):
        squares = (points**2).sum(1)[None, :] + (centres**2).sum(1)[:, None]
        return (squares - 2 * centres @ points.T).min(0).sum()

    random = np.random.default_rng(1)
    fast = wg.compile(cost)
    for _ in range(3):
        given = random.normal(size=(2000, 8)), random.normal(size=(20, 8))
        np.testing.assert_allclose(fast(*given), cost(*given), rtol=1e-12)
