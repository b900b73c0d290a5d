import numpy as np
import pytest
from tests.nn.differences import check_gradients

import wengert as wg
from wengert import nn
from wengert.errors import ArgumentError, DTypeError, ShapeError

rng = np.random.default_rng(3)


@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 3, 4)])
def test_linear(shape):
    x, weight, bias = rng.normal(size=shape), rng.normal(size=(4, 2)), rng.normal(size=2)
    np.testing.assert_allclose(nn.linear(x, weight, bias), x @ weight + bias)
    np.testing.assert_allclose(nn.linear(x, weight), x @ weight)
    check_gradients(lambda *arrays: np.mean(np.sin(nn.linear(*arrays))), x, weight, bias)


@pytest.mark.parametrize(
    ("x", "weight", "bias", "message"),
    [
        ((5, 3), (4, 2), None, r"got x with shape \(5, 3\).* and weight with shape \(4, 2\)"),
        ((), (4, 2), None, r"got x with shape \(\)"),
        ((5, 4), (4,), None, r"weight with shape \(4,\)"),
        ((5, 4), (4, 2), (4,), r"bias must have shape \(2,\)"),
        ((5, 4), (4, 2), (), r"bias must have shape \(2,\)"),
    ],
)
def test_linear_with_bad_shapes(x, weight, bias, message):
    with pytest.raises(ShapeError, match=message):
        nn.linear(np.ones(x), np.ones(weight), None if bias is None else np.ones(bias))


def test_linear_takes_lists_of_numbers():
    np.testing.assert_allclose(nn.linear([[1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], [0.0, 1.0]), [[1, 3]])


def test_embedding():
    table = rng.normal(size=(5, 3))
    indices = np.array([[0, 4], [4, 1]])
    np.testing.assert_array_equal(nn.embedding(indices, table), table[indices])
    check_gradients(lambda t: np.mean(np.sin(nn.embedding(indices, t))), table)


def test_embedding_adds_where_a_row_is_looked_up_twice():
    table = wg.tensor(np.zeros((3, 2)), requires_grad=True)
    np.sum(nn.embedding([1, 1, 2], table)).backward()
    np.testing.assert_array_equal(table.grad.data, [[0, 0], [2, 2], [1, 1]])


@pytest.mark.parametrize("index", [3, -1])
def test_embedding_outside_of_the_table(index):
    with pytest.raises(ArgumentError, match=r"indices must lie in \[0, 3\)"):
        nn.embedding([0, index], np.zeros((3, 2)))


def test_embedding_of_floats():
    with pytest.raises(DTypeError, match="must be integers"):
        nn.embedding([0.0], np.zeros((3, 2)))


def test_embedding_of_one_number_and_of_none():
    assert nn.embedding(1, np.zeros((3, 2))).shape == (2,)
    assert nn.embedding(np.zeros((0, 4), int), np.zeros((3, 2))).shape == (0, 4, 2)


def test_one_hot():
    np.testing.assert_array_equal(nn.one_hot([[2], [0]], 3), [[[0, 0, 1]], [[1, 0, 0]]])
    assert nn.one_hot([0], 2).dtype == np.float64
    assert nn.one_hot([0], 2, np.float32).dtype == np.float32
    assert nn.one_hot(1, 2).tolist() == [0, 1]
    assert nn.one_hot(np.zeros(0, int), 0).shape == (0, 0)


def test_one_hot_with_bad_arguments():
    with pytest.raises(ArgumentError, match=r"labels must lie in \[0, 2\)"):
        nn.one_hot([2], 2)
    with pytest.raises(ArgumentError, match="must not be negative"):
        nn.one_hot(np.zeros(0, int), -1)
    with pytest.raises(DTypeError, match="must be integers"):
        nn.one_hot([True, False], 2)
