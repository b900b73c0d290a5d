"""Calls that are left to the function: seldom looked at closely, and compiled where that has become possible."""

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import compiled, left

X = np.array([0.5, 1.0, 2.0])
MANY = left.LOOKS + left.SKIPPED + 8


def test_what_raises_is_not_recorded_each_time(recorded):
    state = {"raises": True}

    @wg.compile
    def f(x):
        if state["raises"]:
            raise ValueError("not now")
        return np.sin(x)

    for _ in range(MANY):
        with pytest.raises(ValueError, match="not now"):
            f(X)
    assert len(recorded) == compiled.MOST_FAILURES
    assert f.stats()["eager"] == f.stats()["calls"] == MANY
    state["raises"] = False
    for _ in range(left.SKIPPED + 4):
        np.testing.assert_allclose(f(X), np.sin(X))
    assert f.stats()["paths"] == 1


def test_what_raises_by_values_is_compiled_once_it_returns(recorded):
    @wg.compile
    def f(x):
        if x[0] < 0:
            raise ValueError("positive numbers, please")
        return np.sqrt(x)

    for _ in range(MANY):
        with pytest.raises(ValueError, match="positive"):
            f(-X)
    for _ in range(4):
        np.testing.assert_allclose(f(X), np.sqrt(X))
    assert f.stats()["paths"] == 1
    assert len(recorded) == compiled.MOST_FAILURES + 1
    with pytest.raises(ValueError, match="positive"):
        f(-X)


def test_other_arguments_and_modes_are_looked_at(recorded):
    @wg.compile
    def f(x, how="object"):
        return (x * 2, object()) if how == "object" and x.ndim == 1 and wg.is_recording() else x * 2

    for _ in range(MANY):
        np.testing.assert_array_equal(f(X)[0], 2 * X)
    assert len(recorded) == 1
    for _ in range(3):
        np.testing.assert_array_equal(f(X, how="array"), 2 * X)
        np.testing.assert_array_equal(f(X[:, None]), 2 * X[:, None])
        with wg.no_grad():
            np.testing.assert_array_equal(f(X), 2 * X)
    assert f.stats()["paths"] == 3


def test_containers_are_told_from_others(recorded):
    @wg.compile
    def f(given):
        total = sum(given["x"]) + len(given.get("name", ""))
        return (total, object()) if isinstance(given["x"], list) and len(given["x"]) == 2 else total

    for _ in range(MANY):
        np.testing.assert_array_equal(f({"x": [X, X]})[0], 2 * X)
    assert len(recorded) == 1
    for _ in range(3):
        np.testing.assert_array_equal(f({"x": [X, X, X]}), 3 * X)
        np.testing.assert_array_equal(f({"x": (X, X)}), 2 * X)
        np.testing.assert_array_equal(f({"x": [X, X], "name": "ab"})[0], 2 * X + 2)
    assert len(recorded) == 4


def test_two_kinds_that_take_turns(recorded):
    state = {"as": "object"}

    @wg.compile
    def f(x):
        return (x * 2, object()) if state["as"] == "object" else x * 2

    for _ in range(MANY):
        state["as"] = "object"
        np.testing.assert_array_equal(f(X)[0], 2 * X)
        state["as"] = "array"
        np.testing.assert_array_equal(f(X), 2 * X)
    assert f.stats()["paths"] == 1
    assert f.stats()["eager"] <= MANY + 2


@pytest.mark.parametrize(
    ("derived", "recordings"),
    [
        (lambda f: wg.grad(f)(X), 2),
        (lambda f: wg.jvp(f, (X,), (X,)), 2),
        (lambda f: wg.vmap(f)(np.stack([X, X])), 1),
        (lambda f: f(wg.tensor(X, requires_grad=True)).backward(), 2),
    ],
)
def test_figures_tell_of_derivatives_that_are_asked_for_from_outside(derived, recordings):
    f = wg.compile(lambda x: np.sum(np.sin(x) * x))
    for _ in range(4):
        derived(f)
    stats = f.stats()
    assert (stats["calls"], stats["recordings"], stats["paths"], stats["eager"]) == (4, recordings, recordings, 0)


class Called(Exception):
    """What a function for floating-point errors raises."""


def called(*given):
    raise Called


@pytest.mark.parametrize("settings", [{"all": "raise"}, {"invalid": "raise"}, {"invalid": "call", "call": called}])
def test_errors_of_numbers_that_are_to_raise(settings):
    f = wg.compile(lambda x: np.sum(np.log(x)))
    for _ in range(6):
        assert f(X) == pytest.approx(0)
    for _ in range(3):
        with np.errstate(**settings), pytest.raises((FloatingPointError, Called)):
            f(-X)
        with np.errstate(**settings):
            assert f(X) == pytest.approx(0)
        with np.errstate(all="ignore"):
            assert np.isnan(f(-X))
    assert np.isnan(f(-X))
    assert f.stats()["eager"] == 6


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.histogram(x, 50)[0],
        lambda x: len(str(x)),
        lambda x: x + len(set(np.round(x).tolist())),
    ],
)
def test_large_arrays_that_are_read_out_are_not_compared_number_by_number(f):
    fast = wg.compile(f)
    x = np.random.default_rng(0).random(100_000)
    for k in range(6):
        np.testing.assert_array_equal(fast(x + k % 2), f(x + k % 2))
    assert all(path.native is None for kind in fast._kinds for path in kind.paths.values())
    assert "large arrays" in fast.explain()
