"""What NumPy does slowly gives the same numbers when it is done faster."""

import itertools

import numpy as np
import pytest

import wengert as wg
from wengert.arrays import copied_like, in_order, sum_first, sum_last
from wengert.rules.elementwise import only
from wengert.rules.indexing import _add_each

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(512, 768), (2048, 64), (96, 64, 64), (40, 50), (3, 20_000), (5,), ()])
def test_copies_in_order(shape):
    x = DRAW.normal(size=shape)
    for axes in itertools.permutations(range(x.ndim)):
        for window in (x.transpose(axes), x.transpose(axes)[..., ::-1] if x.ndim else x):
            copy = in_order(window)
            assert copy.flags.c_contiguous
            assert not np.shares_memory(copy, x)
            np.testing.assert_array_equal(copy, window)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.longdouble])
@pytest.mark.parametrize("shape", [(5000, 2), (5000, 3), (300, 8, 4), (40, 2), (0, 2), (2000, 1), (7, 0)])
def test_sums_over_short_axes(shape, dtype):
    x = DRAW.normal(size=shape).astype(dtype)
    for y in (x, x[::-1], np.asfortranarray(x)):
        assert sum_last(y).dtype == sum_first(y, 1).dtype == dtype
        np.testing.assert_allclose(sum_last(y), np.sum(y, axis=-1), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(sum_first(y, 1), np.sum(y, axis=0), rtol=1e-4, atol=1e-2)


def test_infinities_stay_in_their_lines():
    x = np.ones((2000, 3))
    x[7, 1], x[9, 2] = np.inf, np.nan
    np.testing.assert_array_equal(sum_last(x), np.sum(x, axis=-1))
    np.testing.assert_array_equal(sum_first(x, 1), [2000, np.inf, np.nan])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_a_mask_leaves_zeros(dtype):
    g = DRAW.normal(size=(4, 5)).astype(dtype)
    g[0, 0], g[1, 1] = np.nan, np.inf
    mask = DRAW.uniform(size=(4, 5)) < 0.5
    mask[0, 0], mask[1, 1] = False, True
    for m, c in ((mask, g), (mask.T, g.T), (mask, g[:, :1]), (mask[0], g)):
        kept = only(m, c)
        assert kept.dtype == dtype
        np.testing.assert_array_equal(kept, np.where(m, c, 0))


@pytest.mark.parametrize("order", ["C", "F"])
def test_gradients_are_in_the_order_of_their_tensor(order):
    x = wg.tensor(np.array(DRAW.normal(size=(300, 200)), order=order), requires_grad=True)
    np.sum(x).backward()
    assert x.grad.data.flags[f"{order}_CONTIGUOUS"]
    x.grad = None
    np.sum(x.T * DRAW.normal(size=(200, 300))).backward()
    assert x.grad.data.flags[f"{order}_CONTIGUOUS"]
    assert copied_like(np.ones((2, 3)), np.asfortranarray(np.ones((2, 3)))).flags.f_contiguous


@pytest.mark.parametrize("shape", [(20, 30), (20, 300), (7, 4, 5), (400,)])
def test_rows_are_added_each(shape):
    """Negative indices and repeated ones, of some axes or all."""
    rows = DRAW.integers(-shape[0], shape[0], (40, 30))
    grid = tuple(DRAW.integers(-n, n, (30, 20 if k else 1)) for k, n in enumerate(shape))
    for index in (rows, (rows,), grid):
        g = DRAW.normal(size=np.zeros(shape)[index].shape)
        expected, found = np.ones(shape), np.ones(shape)
        np.add.at(expected, index, g)
        _add_each(found, g, index)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
