"""`wengert.numpy`: NumPy's namespace, and what NumPy itself cannot hand over."""

import importlib

import numpy as onp
import pytest

import wengert as wg
import wengert.numpy as np
from wengert.errors import ArgumentError
from wengert.testing import check_grad

X = onp.array([1.5, -0.5, 2.0])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.array([x[0], 2.0, x[1] * x[2]]) ** 2,
        lambda x: np.array([[x[0], 1.0], [2.0, x[1]]]) @ np.array([3.0, 4.0]),
        lambda x: np.array(x, ndmin=3) ** 2,
        lambda x: np.asarray((x[0], x[0] ** 2)) ** 2,
        lambda x: np.asanyarray([x, x * x]),
        lambda x: np.full((2, 3), x * x),
        lambda x: np.mean([x[0] ** 2, 3.0, x[1]]),
        lambda x: np.std([x[0], x[1], 5.0]),
        lambda x: np.linalg.norm([x[0], x[2]]),
        lambda x: np.append([x[0], 1.0], x[1]) ** 2,
        lambda x: np.append([[x[0], 1.0]], [[2.0, x[1]]], axis=0) ** 2,
        lambda x: np.dot([x[0], 1.0, x[1]], x),
        lambda x: np.fft.ifft(np.fft.fft(x * x)),
    ],
)
def test_what_numpy_does_not_hand_over(function):
    check_grad(function, X)


@pytest.mark.parametrize(
    "key",
    [
        lambda x: (x, x * x),
        lambda x: (x, 1.0, slice(0, 1, 3j), slice(3)),
        lambda x: (slice(None, x[0], 3j), x),
        lambda x: ("0, 2", x, x * x),
        lambda x: ("0, 2, 0", x, x * x),
        lambda x: ("1, 2, 0", x, X),
        lambda x: ("0, 3, 1", x, x),
        lambda x: ("0, 3, -2", x, x),
        lambda x: ("-1", x[None], X[None]),
        lambda x: x * x,
    ],
)
@pytest.mark.parametrize("name", ["r_", "c_"])
def test_joining(name, key):
    try:
        expected = getattr(onp, name)[key(X)]
    except ValueError:
        pytest.skip("NumPy does not join these")
    onp.testing.assert_array_equal(getattr(np, name)[key(X)], expected)
    onp.testing.assert_array_equal(getattr(np, name)[key(wg.tensor(X, requires_grad=True))].data, expected)
    check_grad(lambda x: getattr(np, name)[key(x)], X)


def test_matrices_are_refused():
    with pytest.raises(ArgumentError, match=r"np\.matrix"):
        np.r_["r", wg.tensor(X, requires_grad=True)]


def test_plain_numbers_stay_numpys():
    made = [np.array([1, 2]), np.asarray(X), np.full(2, 3.0), np.array(wg.tensor(X)), np.mean([1.0, 2.0])]
    for y in (*made, np.exp(X), np.add(X, 1), np.exp(1.0), np.where(X > 0, X, 0), np.sum(X), np.stack([X, X])):
        assert isinstance(y, (onp.ndarray, onp.floating))
    assert isinstance(np.exp(wg.tensor(X)), wg.Tensor)
    assert np.asarray(X) is X
    assert np.array(X) is not X
    assert np.array([1], ndmin=2, dtype=float).shape == (1, 1)


def test_an_array_of_a_tensor_is_a_copy():
    def f(x):
        y = np.array(x)
        y[0] = 0.0
        return np.sum(x * y)

    onp.testing.assert_array_equal(wg.grad(f)(X), [0.0, -1.0, 4.0])


@pytest.mark.parametrize("name", ["linalg", "fft", "random"])
def test_submodules(name):
    module = importlib.import_module(f"wengert.numpy.{name}")
    assert getattr(np, name) is module
    assert set(dir(module)) == set(dir(getattr(onp, name)))
    with pytest.raises(AttributeError):
        module.no_such_name  # noqa: B018
