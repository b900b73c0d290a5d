"""Methods of ufuncs: chains, ties, segments, repeated targets, and what is refused."""

import functools

import numpy as np
import pytest

import wengert as wg
from wengert.testing import check_grad

X = np.array([1.3, 0.7, 1.9, 1.1, 0.4])
BINARY = [
    np.add, np.subtract, np.multiply, np.divide, np.power, np.float_power, np.arctan2, np.hypot, np.logaddexp,
    np.logaddexp2, np.maximum, np.minimum, np.fmax, np.fmin, np.copysign,
]  # fmt: skip


def name_of(ufunc):
    return ufunc.__name__


@pytest.mark.parametrize("ufunc", BINARY, ids=name_of)
def test_reduce_is_the_chain(ufunc):
    """Of `power` and `arctan2` NumPy 2.4 has another value, which is no chain, for contiguous lines."""
    f = functools.partial(functools.reduce, ufunc)
    value, gradient = wg.value_and_grad(ufunc.reduce)(X)
    assert value == pytest.approx(f(X))
    np.testing.assert_allclose(gradient, wg.grad(f)(X), rtol=1e-10)
    if ufunc not in (np.power, np.arctan2):
        check_grad(ufunc.reduce, X, order=2)


@pytest.mark.parametrize("ufunc", BINARY, ids=name_of)
def test_accumulate_holds_all_of_the_chain(ufunc):
    t = wg.tensor(np.stack([X, X[::-1]]), requires_grad=True)
    y = ufunc.accumulate(t, axis=1)
    rows = [functools.reduce(ufunc, row[: i + 1]) for row in t.data for i in range(5)]
    np.testing.assert_allclose(y.data.ravel(), rows)
    check_grad(lambda x: ufunc.accumulate(x, axis=-1), np.stack([X, X[::-1]]), order=2)


def test_a_product_with_zeros_has_its_gradient_in_linear_time():
    x = np.random.default_rng(0).choice([-1.0, 1.0], 20_000)
    x[[5, 700, 15_000]] = 0
    first = wg.grad(lambda x: np.sum(np.cumprod(x)))(x)
    assert np.flatnonzero(first).max() == 5
    second = wg.grad(lambda x: np.sum(wg.grad(lambda x: np.sum(np.cumprod(x)))(x)))(x)
    assert np.all(np.isfinite(second))


@pytest.mark.parametrize("ufunc", [np.maximum, np.fmax])
def test_equal_extrema_so_far_share_evenly(ufunc):
    gradient = wg.grad(lambda x: ufunc.accumulate(x)[-1])(np.array([2.0, 1.0, 2.0, 2.0]))
    np.testing.assert_allclose(gradient, [1 / 3, 0, 1 / 3, 1 / 3])


def test_fmax_passes_over_nans_as_long_as_there_is_something_else():
    x = np.array([1.0, np.nan, 3.0])
    np.testing.assert_array_equal(wg.grad(np.fmax.reduce)(x), [0, 0, 1])
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(np.fmax.accumulate(x)))(x), [2, 0, 1])


@pytest.mark.parametrize("indices", [[0, 2, 4], [1, 3], [0, 3, 1, 4, 4], [2], [3, 0]], ids=repr)
@pytest.mark.parametrize("ufunc", [*BINARY[:4], *BINARY[7:]], ids=name_of)
def test_segments(ufunc, indices):
    np.testing.assert_allclose(ufunc.reduceat(wg.tensor(X), indices).data, ufunc.reduceat(X, indices))
    check_grad(lambda x: ufunc.reduceat(x, indices), X, order=2)


def test_segments_with_zeros():
    check_grad(lambda x: np.multiply.reduceat(x, [0, 2]), np.array([2.0, 0.0, 0.0, 3.0, 0.0]), order=2)


# at --------------------------------------------------------------------------------------------------------------


def changed(ufunc, x, *args):
    y = x.copy()
    ufunc.at(y, *args)
    return y


@pytest.mark.parametrize("index", [[0, 2, 0, 0], ([1, 1, 0, 0],), slice(0, 4), np.array([3, 3, 1, 1])], ids=repr)
@pytest.mark.parametrize("ufunc", BINARY, ids=name_of)
def test_at_changes_repeated_targets_repeatedly(ufunc, index):
    values = np.array([1.7, 0.6, 1.4, 0.8])
    np.testing.assert_allclose(
        changed(ufunc, wg.tensor(X), index, wg.tensor(values)).data, changed(ufunc, X, index, values)
    )
    check_grad(lambda x, v: changed(ufunc, x, index, v), X, values, order=2)


def test_at_of_one_operand_and_of_stretched_values():
    check_grad(lambda x: changed(np.exp, x, [0, 0, 1]), X)
    check_grad(lambda x, v: changed(np.multiply, x, ([0, 0, 1],), v), np.stack([X, X]), X, order=2)
    check_grad(lambda x, v: changed(np.multiply, x, [0, 0], v), X, 1.5)


def test_at_does_not_drop_gradients_into_plain_arrays():
    with pytest.raises(wg.errors.LostGradientError, match=r"multiply\.at"):
        np.multiply.at(np.ones(2), [0], wg.tensor(2.0, requires_grad=True))


# Refusals --------------------------------------------------------------------------------------------------------

REFUSED = {
    "subtract.reduce": lambda x: np.subtract.reduce(x, axis=(0, 1)),
    "sin.reduce": lambda x: np.sin.reduce(x),
    "divmod.reduce": lambda x: np.divmod.reduce(x),
    "axis": lambda x: np.divide.reduce(x, axis=5),
    "where": lambda x: np.subtract.reduce(x, where=x > 0),
    "sin.outer": lambda x: np.sin.outer(x, x),
    "matmul.outer": lambda x: np.matmul.outer(x, x),
    "reduceat": lambda x: np.maximum.reduceat(x, [7]),
    "scalar": lambda x: np.hypot.accumulate(x[0, 0]),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_what_numpy_refuses_is_refused_alike(call):
    x = np.ones((2, 3))
    with pytest.raises((ValueError, TypeError, IndexError)) as numpys:
        call(x)
    with pytest.raises(type(numpys.value)):
        call(wg.tensor(x, requires_grad=True))


def test_where_needs_an_operand_that_changes_nothing():
    with pytest.raises(wg.errors.ArgumentError, match="where="):
        np.copysign.reduce(wg.tensor(X, requires_grad=True), initial=1.0, where=X > 1)


def test_functions_of_two_results_take_where():
    t = wg.tensor([2.5, 3.5], requires_grad=True)
    whole, rest = np.divmod(t, 2.0, where=np.array([True, False]))
    np.testing.assert_array_equal(whole.data, [1, 0])
    rest.backward(np.ones(2))
    np.testing.assert_array_equal(t.grad.data, [1, 0])
