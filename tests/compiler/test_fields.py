"""Named tuples and dataclasses go the short way, as tuples and dictionaries do."""

import copy
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from tests.compiler.test_shortcut import ENOUGH, X, runs, warm

from wengert.compiler import native
from wengert.compiler.api import compile

if not native.probe():
    pytest.skip("this interpreter's objects are laid out in another way", allow_module_level=True)


class Pair(NamedTuple):
    w: Any
    b: Any


@dataclass
class Layer:
    w: Any
    b: Any = 0.0


@dataclass(frozen=True, slots=True)
class Slotted:
    w: Any
    b: Any


@dataclass(frozen=True)
class Frozen:
    w: Any
    b: Any


@dataclass
class Model:
    inner: Layer
    scale: float
    name: str = "first"


@pytest.mark.parametrize("kind", [Pair, Layer, Slotted])
def test_named_tuples_and_dataclasses_go_the_short_way(kind):
    f = compile(lambda p, x: np.tanh(p.w * x + p.b))
    warm(f, kind(X.copy(), 0.5), X)
    for w, b in ((2 * X, 0.25), (X.copy(), -1.0)):
        result, short = runs(f, kind(w, b), X)
        assert short
        np.testing.assert_allclose(result, np.tanh(w * X + b))
    for other in (kind(X[:1], 0.5), kind(2 * X, np.float64(0.5)), kind(2 * X, 1)):
        result, short = runs(f, other, X)
        assert not short
        np.testing.assert_allclose(result, np.tanh(other.w * X + other.b))


def test_dataclasses_in_containers_and_what_they_hold():
    f = compile(lambda models: [np.sum(m.inner.w * m.scale) * len(m.name) for m in models])
    warm(f, (Model(Layer(X.copy()), 2.0), Model(Layer(X), 1.0)))
    for name, expected in (("first", True), ("other", False)):
        given = (Model(Layer(3 * X), 2.0), Model(Layer(X), 5.0, name))
        result, short = runs(f, given)
        assert short == expected
        np.testing.assert_allclose(result, [30 * X.sum(), 25 * X.sum()])
    broken = Model(Layer(X), 2.0)
    del broken.inner
    with pytest.raises(AttributeError):
        f((broken, broken))


def test_named_tuples_are_returned_the_short_way():
    f = compile(lambda x: Pair(x * 2, (x.sum(), Pair(x, 3))))
    warm(f, X)
    result, short = runs(f, X + 1)
    assert short
    assert type(result) is Pair
    assert type(result.b[1]) is Pair
    np.testing.assert_allclose(result.w, 2 * X + 2)


@pytest.mark.parametrize("kind", [Layer, Frozen, Slotted])
def test_dataclasses_are_returned_the_short_way(kind):
    f = compile(lambda x: kind(x * 2, {"inner": Model(kind(x.sum(), 1), 2.0)}))
    warm(f, X)
    results = [runs(f, X + k) for k in range(3)]
    for k, (result, short) in enumerate(results):
        assert short
        assert type(result) is type(result.b["inner"].inner) is kind
        assert result.b["inner"].name == "first"
        np.testing.assert_allclose(result.w, 2 * (X + k))
        np.testing.assert_allclose(result.b["inner"].inner.w, (X + k).sum())
    count = sys.getrefcount(results[0][0].w)
    assert count == 2
    assert copy.copy(results[0][0]).w is results[0][0].w


def test_dataclasses_whose_fields_run_code_go_the_usual_way():
    class Counted:
        def __get__(self, owner, kind=None):
            return 1.0 if owner is None else owner.__dict__["w"] * 2

        def __set__(self, owner, value):
            owner.__dict__["w"] = value

    @dataclass
    class Odd:
        w: Any = Counted()  # noqa: RUF009

    f = compile(lambda p: p.w + 1)
    for _ in range(2 * ENOUGH):
        np.testing.assert_allclose(f(Odd(X)), 2 * X + 1)
    assert f._shortcuts.function is None


def test_references_of_fields_are_given_back():
    f = compile(lambda p: p.w * 2 + p.b)
    p = Layer(np.arange(3.0), 12345.5)
    warm(f, p)
    before = sys.getrefcount(p.w), sys.getrefcount(p.b)
    for _ in range(100):
        f(p)
        f(Layer(p.w[::-1], p.b))
    assert (sys.getrefcount(p.w), sys.getrefcount(p.b)) == before
