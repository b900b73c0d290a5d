"""Arguments and results in containers with empty places, and results that have no derivative."""

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.errors import DTypeError

X = np.array([1.0, 2.0, 3.0])
Pair = namedtuple("Pair", "a b")


@dataclass(frozen=True)
class Layer:
    w: Any
    bias: Any = None


def cubes(layer):
    return np.sum(layer.w**3) if layer.bias is None else np.sum(layer.w**3 + layer.bias)


def test_none_in_a_container_is_an_empty_place():
    gradient = wg.grad(cubes)(Layer(X))
    assert gradient.bias is None
    np.testing.assert_array_equal(gradient.w, 3 * X**2)
    nested = wg.grad(lambda layer: np.sum(wg.grad(cubes)(layer).w))(Layer(X))
    np.testing.assert_array_equal(nested.w, 6 * X)
    (pulled,) = wg.vjp(lambda p: p[0] * 2, [X, None])[1](X)
    assert pulled[1] is None
    np.testing.assert_array_equal(pulled[0], 2 * X)
    np.testing.assert_array_equal(wg.vmap(lambda layer: layer.w * 2)(Layer(X)), 2 * X)
    for options in ({}, {"chunk_size": 2}, {"fallback": "loop"}):
        doubled = wg.vmap(lambda x: Layer(2 * x), **options)(X)
        assert doubled.bias is None
        np.testing.assert_array_equal(doubled.w, 2 * X)
    _, (product,) = wg.hvp(cubes, (Layer(X),), (Layer(X),))
    np.testing.assert_array_equal(product.w, 6 * X**2)
    with pytest.raises(DTypeError, match="received None"):
        wg.grad(lambda x: 1.0)(None)


def mixed(x):
    return {"a": 2 * x, "count": 3, "none": None, "word": "s"}


def test_results_without_derivatives_beside_others():
    value, pullback = wg.vjp(mixed, X)
    np.testing.assert_array_equal(pullback(value | {"a": X})[0], 2 * X)
    _, push = wg.linearize(mixed, X)
    pushed, expected = push(X), wg.jvp(mixed, (X,), (X,))[1]
    assert pushed.keys() == expected.keys() and pushed["none"] is None
    for key in ("a", "count", "word"):
        np.testing.assert_array_equal(pushed[key], expected[key])
        assert pushed[key].dtype == expected[key].dtype


@pytest.mark.parametrize("make", [Pair, lambda a, b: OrderedDict(b=b, a=a), lambda a, b: defaultdict(list, a=a, b=b)])
def test_containers_of_the_standard_library(make):
    get = (lambda p, k: getattr(p, k)) if make is Pair else (lambda p, k: p[k])
    gradient = wg.grad(lambda p: np.sum(get(p, "a") * get(p, "b") ** 2))(make(X, 2 * X))
    assert type(gradient) is type(make(X, X))
    np.testing.assert_array_equal(get(gradient, "a"), 4 * X**2)
    np.testing.assert_array_equal(get(gradient, "b"), 4 * X**2)
