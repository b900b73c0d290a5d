"""Containers as vectors and back."""

import numpy as np
import pytest

import wengert as wg
from wengert.transforms.raveled import Raveled, constants, numbers_as_array

LIKE = {"a": np.ones((2, 3)), "b": [4, np.float32(5)]}


def test_there_and_back():
    raveled = Raveled(LIKE, "test", "x")
    vector = raveled.pack(LIKE)
    assert vector.dtype == float and raveled.size == 8 and not raveled.is_vector
    back = raveled.unpack(vector)
    assert back["a"].shape == (2, 3) and back["b"] == [4, 5]
    rows = raveled.unpack(np.stack([vector, 2 * vector]))
    assert rows["a"].shape == (2, 2, 3) and np.array_equal(rows["b"][1], [5, 10])


def test_gradients_pass_through():
    raveled = Raveled(LIKE, "test", "x")
    gradient = wg.grad(lambda p: np.sum(raveled.pack(p) ** 2))({"a": np.ones((2, 3)), "b": [4.0, 5.0]})
    assert gradient["b"] == [8, 10]
    assert np.array_equal(wg.grad(lambda v: raveled.unpack(v)["b"][0] ** 2)(np.arange(8.0)), 12 * np.eye(8)[6])


def test_other_containers_shapes_and_kinds_are_refused():
    raveled = Raveled(LIKE, "test", "x")
    with pytest.raises(wg.errors.ArgumentError, match="containers of x"):
        raveled.pack([1.0])
    with pytest.raises(wg.errors.ShapeError, match=r"\(2, 3\)"):
        raveled.pack({"a": np.ones(6), "b": [4, 5]})
    with pytest.raises(wg.errors.DTypeError, match="real"):
        raveled.pack({"a": 1j * np.ones((2, 3)), "b": [4, 5]})
    with pytest.raises(wg.errors.DTypeError, match="numbers"):
        Raveled({"a": True}, "test", "x")


def test_numbers_become_an_array_and_recorded_constants_are_refused():
    assert numbers_as_array([1, 2.5]).dtype == float
    assert numbers_as_array([[1, 2]]) == [[1, 2]]
    x = wg.tensor(2.0, requires_grad=True)
    assert numbers_as_array([x, 1.0]).requires_grad
    assert type(constants("test", "x", {"a": x.detach()}, "")["a"]) is not wg.Tensor
    with pytest.raises(wg.errors.LostGradientError, match="advice"):
        constants("test", "x", {"a": x}, "advice")
