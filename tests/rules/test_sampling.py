"""Sampled functions and products along axes: what samples cannot say."""

import numpy as np
import pytest

import wengert as wg


def test_at_a_point_interpolation_has_the_slope_to_the_right():
    gradient = wg.grad(lambda x: np.sum(np.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 5.0])))(np.array([0.0, 1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(gradient, [1, 4, 4, 0])


def test_interpolation_beyond_infinite_values():
    values = np.array([np.inf, 2.0, 3.0, np.inf])
    x = np.array([1.5, 2.0])
    gradient = wg.grad(lambda x: np.interp(x, [0.0, 1.0, 2.0, 3.0], values)[0])(x)
    np.testing.assert_array_equal(gradient, [1, 0])


def test_a_long_convolution_makes_no_matrix():
    """Memory and time as for the function itself: 200 times as much would not fit."""
    a, v = np.ones(200_000), np.ones(100)
    da, dv = wg.grad(lambda a, v: np.sum(np.convolve(a, v)), argnums=(0, 1))(a, v)
    np.testing.assert_allclose(da, 100)
    np.testing.assert_allclose(dv, 200_000)


def test_weights_of_a_histogram_and_edges():
    a, weights = np.array([0.0, 0.4, 1.0]), np.array([1.0, 2.0, 3.0])
    back = wg.grad(lambda w: np.histogram(a, 2, weights=w)[0] @ np.array([10.0, 20.0]))(weights)
    np.testing.assert_array_equal(back, [10, 10, 20])
    back = wg.grad(lambda a: np.histogram(a, 2)[1] @ np.array([1.0, 2.0, 4.0]))(a)
    np.testing.assert_array_equal(back, [2, 0, 5])


def test_the_way_back_of_einsum_follows_its_path(monkeypatch):
    searched = []
    path = np.einsum_path
    entry = wg.Tensor._table[np.einsum_path]
    monkeypatch.setattr(np, "einsum_path", lambda *args, **kwargs: searched.append(args[0]) or path(*args, **kwargs))
    t = [wg.tensor(np.ones((n, m)), requires_grad=True) for n, m in ((50, 2), (2, 50), (50, 2))]
    np.einsum("ij,jk,kl->il", *t, optimize=True).backward(np.ones((50, 2)))
    assert len(searched) == 1
    assert entry is wg.Tensor._table[path]
    np.testing.assert_array_equal(t[0].grad, np.full((50, 2), 100.0))


@pytest.mark.parametrize("keywords, error", [
    ({"axes": [0]}, ValueError), ({"axis": 0, "axes": [0, 0]}, TypeError), ({"axis": 5}, np.exceptions.AxisError),
])  # fmt: skip
def test_wrong_axes_of_generalized_ufuncs(keywords, error):
    t = wg.tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(error):
        np.vecdot(t, np.ones((2, 3)), **keywords)
    with pytest.raises(TypeError, match="core dimension"):
        np.matmul(t, np.ones((3, 2)), axis=0)
    with pytest.raises(TypeError, match="keepdims"):
        np.matmul(t, np.ones((3, 2)), keepdims=True)


def test_beside_a_cut_the_sign_of_zero_tells_the_side():
    """Real operands that NumPy's emath takes outside of the real numbers lie on the upper side of the cuts."""
    step = 1e-6
    for function in (np.emath.arcsin, np.emath.arccos):
        for x in (1.5, -1.5):
            gradient = wg.grad(lambda x, f=function: np.imag(f(x)))(x)
            expected = np.imag(function(x + step) - function(x - step)) / (2 * step)
            assert gradient == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("arrays", [[[1.0], 2.0], [], [(1.0, 2.0)]])
def test_wrong_blocks_raise_what_numpy_raises(arrays):
    t = wg.tensor([1.0], requires_grad=True)
    with pytest.raises((ValueError, TypeError)):
        np.block([t, arrays])


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.ma.masked_array(t),
        lambda t: np.ma.array([1.0, 2.0], mask=[0, 1]) * t,
        lambda t: list(np.nditer(t)),
        lambda t: list(np.ndenumerate(t)),
        lambda t: np.lib.stride_tricks.as_strided(t, (1,)),
        lambda t: np.require(t),
        lambda t: np.ascontiguousarray(t),
        lambda t: np.vectorize(lambda x: 2 * x)(t),
        lambda t: np.full(2, t),
        lambda t: np.copyto(np.zeros(2), t),
        lambda t: np.r_[t, t],
    ],
)
def test_what_would_make_plain_arrays_is_refused(call):
    with pytest.raises(wg.errors.WengertError):
        call(wg.tensor([1.0, 2.0], requires_grad=True))
