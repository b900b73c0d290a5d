import math

import numpy as np
import pytest

from wengert.errors import ArgumentError, ShapeError
from wengert.nn import init

SHAPE = (300, 200)
EXPECTED_STD = {
    init.normal: 1.0,
    init.uniform: math.sqrt(1 / 12),
    init.xavier_uniform: math.sqrt(2 / 500),
    init.xavier_normal: math.sqrt(2 / 500),
    init.kaiming_uniform: math.sqrt(2 / 300),
    init.kaiming_normal: math.sqrt(2 / 300),
    init.orthogonal: math.sqrt(1 / 300),
}
each = pytest.mark.parametrize("initializer", EXPECTED_STD)


@each
def test_spread(initializer):
    values = initializer(SHAPE, np.random.default_rng(0))
    assert values.shape == SHAPE
    assert values.std() == pytest.approx(EXPECTED_STD[initializer], rel=0.02)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_repeatable_and_of_the_dtype_asked_for(initializer, dtype):
    first, second = (initializer(SHAPE, np.random.default_rng(4), dtype) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == dtype
    assert first.flags.c_contiguous


@each
@pytest.mark.parametrize("rng", [0, None, np.random])
def test_the_generator_is_explicit(initializer, rng):
    with pytest.raises(ArgumentError, match=r"must be a numpy.random.Generator"):
        initializer(SHAPE, rng)


@pytest.mark.parametrize("gain", [0.5, 3.0])
def test_bounds_and_gain(gain):
    rng = np.random.default_rng(1)
    assert np.abs(init.xavier_uniform(SHAPE, rng, gain=gain)).max() <= gain * math.sqrt(6 / 500)
    assert np.abs(init.kaiming_uniform(SHAPE, rng, gain=gain)).max() <= gain * math.sqrt(3 / 300)


def test_leading_axes_count_with_both_fans():
    values = init.kaiming_normal((3, 3, 50, 60), np.random.default_rng(2))
    assert values.std() == pytest.approx(math.sqrt(2 / (9 * 50)), rel=0.03)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 1), (0, 3)])
def test_orthogonal(shape):
    q = init.orthogonal(shape, np.random.default_rng(3), gain=2.0)
    assert q.shape == shape
    small = q.T @ q if shape[0] >= shape[1] else q @ q.T
    np.testing.assert_allclose(small, 4 * np.eye(min(shape)), atol=1e-12)


def test_plain_ones():
    rng = np.random.default_rng(5)
    assert not init.zeros((2, 3), rng, np.float32).any()
    assert init.normal((10_000,), rng, mean=5, std=0.1).mean() == pytest.approx(5, abs=0.01)
    values = init.uniform((1000,), rng, low=2, high=3)
    assert values.min() >= 2
    assert values.max() < 3


@pytest.mark.parametrize(
    "initializer", [init.xavier_uniform, init.xavier_normal, init.kaiming_uniform, init.kaiming_normal]
)
@pytest.mark.parametrize("shape", [(), (3,)])
def test_fans_need_two_axes(initializer, shape):
    with pytest.raises(ShapeError, match="fan_in, fan_out"):
        initializer(shape, np.random.default_rng(0))


def test_orthogonal_needs_a_matrix():
    with pytest.raises(ShapeError, match="fan_in, fan_out"):
        init.orthogonal((2, 2, 2), np.random.default_rng(0))
