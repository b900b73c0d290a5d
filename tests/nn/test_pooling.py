import itertools

import numpy as np
import pytest
from tests.nn.differences import check_gradients

import wengert as wg
from wengert import nn
from wengert.errors import ArgumentError, ShapeError

rng = np.random.default_rng(5)

MAX = {1: nn.max_pool1d, 2: nn.max_pool2d, 3: nn.max_pool3d}
MEAN = {1: nn.avg_pool1d, 2: nn.avg_pool2d, 3: nn.avg_pool3d}
OPTIONS = [
    {},
    {"stride": 1},
    {"stride": 2},
    {"padding": 1},
    {"stride": 2, "padding": 1},
    {"stride": 2, "ceil_mode": True},
    {"stride": 3, "padding": 1, "ceil_mode": True},
]


def by_definition(reduce, x, window, ndim, stride=None, padding=0, dilation=1, ceil_mode=False):
    """Pooling, window by window, of the elements that there are."""
    stride = stride or window
    axes = []
    for n in x.shape[-ndim:]:
        starts = range(-padding, n + (n if ceil_mode else padding), stride)
        reach = dilation * (window - 1) + 1
        fits = [s for s in starts if s < n + padding - (0 if ceil_mode else reach - 1)]
        if ceil_mode:
            # The first that reaches the end is the last; one that begins behind the array is left out.
            last = next((i for i, s in enumerate(fits) if s + reach >= n + padding), len(fits))
            fits = [s for s in fits[: last + 1] if s < n]
        axes.append([[i for i in range(s, s + reach, dilation) if 0 <= i < n] for s in fits])
    parts = [reduce(x[(..., *np.ix_(*at))], axis=tuple(range(-ndim, 0))) for at in itertools.product(*axes)]
    return np.stack(parts, -1).reshape(*x.shape[:-ndim], *map(len, axes))


@pytest.mark.parametrize("options", [*OPTIONS, {"dilation": 2}, {"dilation": 2, "stride": 1, "padding": 1}], ids=str)
@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("window", [2, 3])
def test_max_values(ndim, window, options):
    x = rng.normal(size=(2, 7, 6, 8)[: ndim + 1])
    np.testing.assert_array_equal(MAX[ndim](x, window, **options), by_definition(np.max, x, window, ndim, **options))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("window", [2, 3])
def test_mean_values(ndim, window, options):
    x = rng.normal(size=(2, 7, 6, 8)[: ndim + 1])
    y = MEAN[ndim](x, window, count_include_pad=False, **options)
    np.testing.assert_allclose(y, by_definition(np.mean, x, window, ndim, **options))


def test_zeros_of_the_padding_count():
    np.testing.assert_allclose(nn.avg_pool1d(np.ones(3), 2, 1, 1), [0.5, 1, 1, 0.5])
    np.testing.assert_allclose(nn.avg_pool1d(np.ones(3), 2, 1, 1, count_include_pad=False), 1)
    # The last window reaches beyond the padding, and what is there never counts.
    np.testing.assert_allclose(nn.avg_pool1d(np.ones(4), 3, 2, 1, ceil_mode=True), [2 / 3, 1, 0.5])


def test_gradients():
    x = rng.permutation(48).reshape(2, 4, 6) / 10
    check_gradients(lambda x: np.mean(np.sin(nn.max_pool2d(x, 3, 2, 1))), x)
    check_gradients(lambda x: np.mean(np.sin(nn.avg_pool2d(x, 3, 2, 1, ceil_mode=True))), x)
    check_gradients(lambda x: np.mean(np.sin(nn.adaptive_avg_pool2d(x, (3, 4)))), x)
    check_gradients(lambda x: np.mean(np.sin(nn.adaptive_max_pool2d(x, (3, 4)))), x)


def gradient(f, x):
    x = wg.tensor(x, requires_grad=True)
    np.sum(f(x)).backward()
    return x.grad.data


def test_equal_elements_share_the_gradient():
    np.testing.assert_array_equal(gradient(lambda x: nn.max_pool1d(x, 2), [1.0, 1.0, 0.0, 2.0]), [0.5, 0.5, 0, 1])
    np.testing.assert_array_equal(gradient(lambda x: nn.max_pool1d(x, 2, 1), [1.0, 1.0, 0.0]), [0.5, 1.5, 0])
    np.testing.assert_allclose(gradient(lambda x: nn.max_pool2d(x, 3, 1, 1), np.zeros((1, 1))), 1)


def test_nan_is_the_maximum():
    x = [np.nan, 1.0, 3.0, 2.0]
    np.testing.assert_array_equal(nn.max_pool1d(np.array(x), 2), [np.nan, 3])
    np.testing.assert_array_equal(gradient(lambda x: nn.max_pool1d(x, 2), x), [1, 0, 1, 0])


def test_infinite_cotangents_stay_where_they_are():
    x = wg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    np.sum(nn.max_pool1d(x, 2) * [np.inf, 1]).backward()
    np.testing.assert_array_equal(x.grad.data, [0, np.inf, 0, 1])


def test_whole_numbers():
    y = nn.max_pool1d(np.array([-5, -7, -9]), 2, 1, 1)
    np.testing.assert_array_equal(y, [-5, -5, -7, -9])
    assert y.dtype == int
    np.testing.assert_array_equal(nn.avg_pool1d([1, 2], 2), [1.5])


def test_float32_stays():
    x = wg.tensor(rng.normal(size=(2, 5, 5)).astype(np.float32), requires_grad=True)
    results = [nn.max_pool2d(x, 2, 1, 1), nn.avg_pool2d(x, 2), nn.avg_pool2d(x, 2, 1, 1, count_include_pad=False)]
    results += [nn.adaptive_avg_pool2d(x, 2), nn.adaptive_max_pool2d(x, 2)]
    assert all(y.dtype == np.float32 for y in results)
    sum(np.sum(y) for y in results).backward()
    assert x.grad.dtype == np.float32


def test_results_are_arrays_of_their_own():
    x = np.arange(4.0)
    for y in (nn.max_pool1d(x, 1), nn.avg_pool1d(x, 1), nn.max_pool1d(x, 2)):
        assert not np.shares_memory(x, y)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7])
def test_adaptive_pooling(size):
    x = rng.normal(size=(3, 5, 4))
    rows = [(i * 5 // size, -(-(i + 1) * 5 // size)) for i in range(size)]
    parts = [[x[:, a:b, 2 * j : 2 * j + 2] for j in range(2)] for a, b in rows]
    for function, reduce in ((nn.adaptive_avg_pool2d, np.mean), (nn.adaptive_max_pool2d, np.max)):
        expected = np.array([[reduce(part, axis=(1, 2)) for part in row] for row in parts])
        np.testing.assert_allclose(function(x, (size, 2)), np.moveaxis(expected, -1, 0))


def test_adaptive_pooling_of_one_axis_only():
    x = rng.normal(size=(3, 5, 4))
    np.testing.assert_allclose(nn.adaptive_avg_pool2d(x, (None, 1)), x.mean(2, keepdims=True))
    np.testing.assert_allclose(nn.adaptive_avg_pool2d(x, 1)[:, 0, 0], x.mean((1, 2)))
    np.testing.assert_allclose(nn.adaptive_max_pool1d(x[0, 0], 3), [max(x[0, 0, i : i + 2]) for i in range(3)])


@pytest.mark.parametrize(
    ("shape", "arguments", "error", "message"),
    [
        ((4,), (2,), ShapeError, r"at least 2 axes; got x with shape \(4,\)"),
        ((2, 4), (3,), ShapeError, r"reaches over \(3, 3\); got x with shape \(2, 4\)"),
        ((4, 4), (0,), ArgumentError, "window must be a whole number of at least 1.*got 0"),
        ((4, 4), (2, 0), ArgumentError, "stride must be a whole number of at least 1"),
        ((4, 4), ((2, 2, 2),), ArgumentError, r"window.*got \(2, 2, 2\)"),
        ((4, 4), (2, 2, 2), ArgumentError, "padding must be at most half of the window"),
    ],
)
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_bad_arguments(name, shape, arguments, error, message):
    with pytest.raises(error, match=rf"\[{name}\].*{message}"):
        getattr(nn, name)(np.ones(shape), *arguments)


@pytest.mark.parametrize(
    ("shape", "size", "error", "message"),
    [
        ((4,), 2, ShapeError, "at least 2 axes"),
        ((0, 4), 2, ShapeError, "axes of some length"),
        ((4, 4), 0, ArgumentError, "output_size must be a whole number of at least 1"),
        ((4, 4), (1, 2, 3), ArgumentError, "output_size"),
        ((4, 4), None, ArgumentError, "output_size.*got None"),
    ],
)
def test_bad_arguments_of_adaptive_pooling(shape, size, error, message):
    with pytest.raises(error, match=rf"\[adaptive_avg_pool2d\].*{message}"):
        nn.adaptive_avg_pool2d(np.ones(shape), size)
