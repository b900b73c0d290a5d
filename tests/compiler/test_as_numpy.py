"""Dtypes, signs of zeros and edges that are NumPy's own: powers, rounding, sums, extrema."""

import warnings

import numpy as np
import pytest

import wengert as wg

EDGES = np.array([0.0, -0.0, 1.0, -1.5, 2.675, np.inf, -np.inf, np.nan, 1e300, -3.3])
NUMBERS = {
    "?": np.array([True, False]),
    **{c: np.array([3, 0, 7]).astype(c) for c in "bBhHiIlL"},
    **{c: EDGES.clip(-6e4, 6e4).astype(c) for c in "ef"},
    "d": EDGES,
    "D": np.array([complex(a, b) for a in EDGES for b in EDGES]),
}


def like_numpy(function, *arrays, ulps=0):
    """Compare eager and compiled results with NumPy's, down to the signs of zeros."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected = np.asarray(function(*arrays))
        fast = wg.compile(function)
        compiled = [np.asarray(fast(*arrays)) for _ in range(3)]
        tensors = function(*map(wg.tensor, arrays))
        for found in (*compiled, tensors.numpy() if isinstance(tensors, wg.Tensor) else np.asarray(tensors)):
            assert found.dtype == expected.dtype
            for a, b in zip(parts(found), parts(expected), strict=True):
                np.testing.assert_allclose(a, b, rtol=ulps * np.finfo(float).eps if ulps else 0, atol=0)
                numbers = ~np.isnan(b)
                np.testing.assert_array_equal(np.signbit(a)[numbers], np.signbit(b)[numbers])


def parts(x):
    return (x.real, x.imag) if x.dtype.kind == "c" else (x.astype(float),)


@pytest.mark.parametrize("char", NUMBERS)
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 0.5, 2.0, True, np.int8(2), np.float32(2)], ids=repr)
def test_powers(char, exponent):
    x = NUMBERS[char]
    if char == "D" and exponent == 0.5:
        x = x[np.isfinite(x)][:20]
    ulps = 2**31 if char in "ef" else 64
    like_numpy(lambda x: x**exponent, x, ulps=ulps)
    like_numpy(lambda x: np.power(x, exponent), x, ulps=ulps)


def test_squares_of_truth_values():
    truths = NUMBERS["?"]
    assert (truths**2).dtype == np.int8
    assert np.power(truths, 2).dtype == np.int64
    for exponent in (2, 3, np.int64(2)):
        like_numpy(lambda x, n=exponent: x**n, truths)
        like_numpy(lambda x, n=exponent: np.power(x, n), truths)
    like_numpy(np.square, truths)


def test_float_power_has_no_roots():
    like_numpy(lambda x: np.float_power(x, 0.5), EDGES, ulps=4)
    like_numpy(lambda x: np.float_power(x, -1), EDGES, ulps=4)
    x = np.array([1.5, 2.0])
    gradient = wg.grad(lambda x: np.sum(np.float_power(x, 3)))
    np.testing.assert_allclose(gradient(x), 3 * x**2)
    assert gradient(x.astype(np.float32)).dtype == np.float32


def test_reciprocals_of_complex_numbers():
    like_numpy(lambda z: z**-1, NUMBERS["D"], ulps=4)
    like_numpy(lambda z: np.power(z, -1), NUMBERS["D"], ulps=4)


def test_powers_in_place():
    def powers(z):
        y = z * 1
        y **= 2
        y **= -1
        y **= 0.5
        return y

    like_numpy(
        powers, np.array([complex(a, b) for a in (0.0, -0.0, 1.5, -np.inf, 1e200) for b in (0.0, -0.0, 2.0)]), ulps=8
    )
    like_numpy(powers, np.array([-0.0, 4.0, np.nan], np.float16))


def test_the_warning_names_the_operation():
    x = wg.tensor(np.full(3000, 1e200))
    with pytest.warns(RuntimeWarning, match="overflow encountered in square"):
        x**2


@pytest.mark.parametrize("char", "fdD")
@pytest.mark.parametrize("decimals", [0, 1, 5, -1, 15])
def test_rounding(char, decimals):
    like_numpy(lambda x: np.round(x, decimals), NUMBERS[char])


def test_rounding_has_no_slope():
    z = np.array([1.26 + 2.345j, 3.0])
    for function in (np.round, lambda z: np.round(z, 1)):
        weighted = lambda z, f=function: np.sum(np.abs(f(z)))  # noqa: E731
        np.testing.assert_array_equal(wg.grad(weighted)(z), 0)
        np.testing.assert_array_equal(wg.compile(wg.grad(weighted))(z), 0)
    with pytest.raises(TypeError, match="truth values"):
        np.round(wg.tensor([True]), 1)


@pytest.mark.parametrize("shape", [(1,), (3,), (9,), (5, 1), (1, 70), (33, 40)])
def test_sums_of_negative_zeros(shape):
    zeros = np.full(shape, -0.0)
    mixed = np.where(np.arange(zeros.size).reshape(shape) % 3 == 2, 0.0, -0.0)
    for x in (zeros, mixed, zeros.astype(np.float32), zeros * (1 - 0j)):
        like_numpy(np.cumsum, x)
        like_numpy(lambda x: np.cumsum(x, -1), x)
        like_numpy(lambda x: np.cumsum(x[..., ::-1], -1), x)
        like_numpy(lambda x: np.sum(x, -1), x)
        like_numpy(lambda x: np.sum(-x), x)
        like_numpy(lambda x: np.mean(x, -1, keepdims=True), x)


def test_running_sums_by_eager_kernels(monkeypatch):
    from wengert import large, planned

    for module, name in ((large, "WARM"), (large, "WARM_IMPORT"), (planned, "WARM")):
        monkeypatch.setattr(module, name, 0)
    for x in (np.full((20, 1003), -0.0), np.where(np.arange(20_011) > 5000, 1.0, -0.0)):
        for function in (lambda x: np.cumsum(x, -1), lambda x: np.cumsum(x[..., ::-1], -1)):
            expected = function(x)
            for _ in range(3):
                found = function(wg.tensor(x)).numpy()
                np.testing.assert_array_equal(found, expected)
                np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


def test_products_that_leave_the_range():
    for x in (
        np.r_[-0.0, np.full(2000, 3.5)],
        np.r_[np.full(500, 1e10), np.full(500, 1e-10)],
        np.r_[np.full(500, 1e-10), np.full(500, 1e10)],
        np.full(500, 1e10),
        np.full(500, 1e-10),
        np.r_[np.full(500, 1.01), -2.0],
    ):
        like_numpy(np.prod, x, ulps=2000)
        like_numpy(lambda x: np.prod(x.reshape(-1, 1) * np.ones(3), 0), x, ulps=2000)


def test_extrema_of_two_zeros():
    zeros, below = np.zeros(9), np.full(9, -0.0)
    for function in (np.maximum, np.minimum):
        like_numpy(function, zeros, below)
        like_numpy(function, below, zeros)
        like_numpy(lambda x, f=function: f(x, -0.0), zeros)
        like_numpy(lambda x, f=function: f(-0.0, x), zeros.astype(int))
        like_numpy(function, EDGES, EDGES[::-1].copy())


def test_parts_and_exponents():
    like_numpy(lambda x: np.modf(x)[0], EDGES)
    like_numpy(lambda x: np.modf(x)[0], np.array([3, -5]))
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(np.modf(x)[0]))(np.array([-5.0, 0.0, 2.5])), 1)
    far = np.array([2**32 - 2, 5], np.uint32)
    like_numpy(np.ldexp, np.array([-0.5, 1.5], np.float32), far)


@pytest.mark.parametrize("shape", [(1, 70), (60, 1), (60, 70)])
def test_memory_order_of_eager_kernels(monkeypatch, shape):
    from wengert import large, planned

    for module, name in ((large, "WARM"), (large, "WARM_IMPORT"), (planned, "WARM"), (planned, "LEAST")):
        monkeypatch.setattr(module, name, 0)
    base, other = np.arange(4200.0).reshape(60, 70), np.ones(shape)
    for x in (base, np.asfortranarray(base), base[::-1], np.broadcast_to(base[:1], base.shape)):
        for y in (other, np.asfortranarray(other), np.broadcast_to(other[:1], other.shape)):
            for function in (np.add, np.hypot, lambda a, b: np.where(a > b, a, b)):
                expected = function(x, y)
                for _ in range(3):
                    found = function(wg.Tensor._box(x), y)
                    assert found.data.strides == expected.strides
                    np.testing.assert_allclose(found.data, expected)
