import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.errors import ArgumentError


def test_predict_mode_returns_the_argument_itself():
    x = wg.tensor(np.ones(5), requires_grad=True)
    with wg.predict_mode():
        assert nn.dropout(x, 0.5) is x
    assert nn.dropout(x, 0.5) is x  # the mode without any context


def test_value_and_gradient_share_one_mask():
    x = wg.tensor(np.full((50, 40), 3.0), requires_grad=True)
    with wg.train_mode():
        y = nn.dropout(x, 0.25, np.random.default_rng(0))
    np.sum(y).backward()
    np.testing.assert_allclose(np.unique(y.data), [0, 4])
    np.testing.assert_allclose(x.grad.data, y.data / 3)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_dropped_and_mean_kept(p):
    with wg.train_mode():
        y = nn.dropout(np.ones(100_000), p, np.random.default_rng(1))
    assert np.mean(y == 0) == pytest.approx(p, abs=0.01)
    assert np.mean(y) == pytest.approx(1, abs=0.02)


@wg.train_mode()
def test_no_dropping_and_nothing_but_dropping():
    x = wg.tensor(np.ones(100), requires_grad=True)
    assert nn.dropout(x, 0) is x
    y = nn.dropout(x, 1)
    np.sum(y).backward()
    np.testing.assert_array_equal(y.data, 0)
    np.testing.assert_array_equal(x.grad.data, 0)


@wg.train_mode()
def test_one_generator_gives_one_sequence_of_masks():
    first, second = (np.random.default_rng(5) for _ in range(2))
    x = np.ones(64)
    masks = [nn.dropout(x, 0.5, first) for _ in range(2)]
    np.testing.assert_array_equal(masks[0], nn.dropout(x, 0.5, second))
    np.testing.assert_array_equal(masks[1], nn.dropout(x, 0.5, second))
    assert not np.array_equal(*masks)


@wg.train_mode()
def test_dtype_and_empty_arrays():
    assert nn.dropout(np.ones(3, np.float32), 0.5).dtype == np.float32
    assert nn.dropout(wg.tensor(np.ones(3, np.float32), requires_grad=True), 1.0).dtype == np.float32
    assert nn.dropout(np.ones((0, 3)), 0.5).shape == (0, 3)


@wg.train_mode()
@pytest.mark.parametrize("rng", [0, 7, np.random])
def test_a_seed_is_no_generator(rng):
    with pytest.raises(ArgumentError, match=r"must be a numpy.random.Generator"):
        nn.dropout(np.ones(3), 0.5, rng)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_p_is_a_probability(p):
    with pytest.raises(ArgumentError, match=r"p must lie in \[0, 1\]"):
        nn.dropout(np.ones(3), p)
    with pytest.raises(ArgumentError, match=r"p must lie in \[0, 1\]"):
        nn.Dropout(p)
