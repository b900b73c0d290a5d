import itertools

import numpy as np
import pytest
from tests.nn.differences import check_gradients

import wengert as wg
from wengert import nn
from wengert.errors import ArgumentError, ShapeError

rng = np.random.default_rng(7)

CONVOLUTIONS = {1: nn.conv1d, 2: nn.conv2d, 3: nn.conv3d}
TRANSPOSES = {1: nn.conv_transpose1d, 2: nn.conv_transpose2d, 3: nn.conv_transpose3d}
OPTIONS = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"dilation": 2},
    {"groups": 2},
    {"stride": 3, "padding": 2, "dilation": 2, "groups": 2},
    {"stride": 2, "padding": 1, "groups": 2},
]


def by_definition(x, weight, stride=1, padding=0, dilation=1, groups=1):
    """Convolution, window by window."""
    ndim = weight.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * ndim)
    reach = [dilation * (k - 1) + 1 for k in weight.shape[2:]]
    counts = [(n - r) // stride + 1 for n, r in zip(x.shape[2:], reach, strict=True)]
    y = np.zeros((len(x), len(weight), *counts))
    channels, features = weight.shape[1], len(weight) // groups
    for g, at in itertools.product(range(groups), np.ndindex(*counts)):
        part = tuple(slice(i * stride, i * stride + r, dilation) for i, r in zip(at, reach, strict=True))
        seen = x[(slice(None), slice(g * channels, (g + 1) * channels), *part)]
        filters = weight[g * features : (g + 1) * features]
        products = np.tensordot(seen, filters, (range(1, ndim + 2), range(1, ndim + 2)))
        y[(slice(None), slice(g * features, (g + 1) * features), *at)] = products
    return y


def arrays(ndim, groups=1):
    size = (7, 6, 5)[:ndim] if ndim < 3 else (5, 6, 5)
    return rng.normal(size=(2, 2 * groups, *size)), rng.normal(size=(3 * groups, 2, *(3, 2, 1)[:ndim]))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_values(ndim, options):
    x, weight = arrays(ndim, options.get("groups", 1))
    np.testing.assert_allclose(CONVOLUTIONS[ndim](x, weight, **options), by_definition(x, weight, **options))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_the_transpose_is_the_adjoint(ndim, options):
    x, weight = arrays(ndim, options.get("groups", 1))
    y = CONVOLUTIONS[ndim](x, weight, **options)
    g = rng.normal(size=y.shape)
    # Elements that no window reached are what output_padding brings back.
    back = TRANSPOSES[ndim](g, weight, **options)
    missing = [n - m for n, m in zip(x.shape[2:], back.shape[2:], strict=True)]
    back = TRANSPOSES[ndim](g, weight, output_padding=missing, **options)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.vdot(y, g), np.vdot(x, back))


def test_gradients():
    x, weight = arrays(2, groups=2)
    x, weight = x[:, :, :4, :4], weight / 4
    bias = rng.normal(size=6)
    options = {"stride": 2, "padding": 1, "groups": 2}
    check_gradients(lambda *a: np.mean(np.sin(nn.conv2d(*a, **options))), x, weight, bias)
    weight, bias = rng.normal(size=(4, 1, 2, 2)) / 4, rng.normal(size=2)
    check_gradients(lambda *a: np.mean(np.sin(nn.conv_transpose2d(*a, **options))), x, weight, bias)


def test_options_per_axis():
    x, weight = rng.normal(size=(1, 1, 5, 6)), rng.normal(size=(1, 1, 2, 3))
    y = nn.conv2d(x, weight, stride=(1, 2), padding=(0, 1), dilation=(2, 1))
    expected = by_definition(np.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1))), np.insert(weight, 1, 0, axis=2))[..., ::2]
    np.testing.assert_allclose(y, expected)


@pytest.mark.parametrize("window", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_same_padding(window, dilation):
    x, weight = rng.normal(size=(2, 1, 5)), rng.normal(size=(1, 1, window))
    outer = dilation * (window - 1)
    padded = np.pad(x, ((0, 0), (0, 0), (outer // 2, outer - outer // 2)))
    y = nn.conv1d(x, weight, padding="same", dilation=dilation)
    assert y.shape == x.shape
    np.testing.assert_allclose(y, by_definition(padded, weight, dilation=dilation))
    assert nn.conv1d(np.ones((1, 1, 20)), weight, padding="valid", dilation=dilation).shape == (1, 1, 20 - outer)


def test_bias_and_examples_without_a_batch():
    x, weight = arrays(2)
    bias = np.arange(3.0)
    y = nn.conv2d(x, weight, bias)
    np.testing.assert_allclose(y, by_definition(x, weight) + bias[:, None, None])
    np.testing.assert_allclose(nn.conv2d(x[0], weight, bias), y[0])
    weight = weight.swapaxes(0, 1)
    np.testing.assert_allclose(nn.conv_transpose2d(x[0], weight, bias), nn.conv_transpose2d(x, weight, bias)[0])


def test_each_example_by_itself_where_the_batch_is_worked_off_in_parts():
    x, weight = rng.normal(size=(40, 4, 32, 32)), rng.normal(size=(8, 4, 3, 3))

    def gradients(x):
        w = wg.tensor(weight, requires_grad=True)
        x = wg.tensor(x, requires_grad=True)
        y = nn.conv2d(x, w, padding=1)
        np.sum(y * y).backward()
        return y.data, x.grad.data, w.grad.data

    y, dx, dw = gradients(x)
    ones = [gradients(x[i : i + 1]) for i in range(40)]
    np.testing.assert_allclose(y, np.concatenate([one[0] for one in ones]), atol=1e-10)
    np.testing.assert_allclose(dx, np.concatenate([one[1] for one in ones]), atol=1e-10)
    np.testing.assert_allclose(dw, np.sum([one[2] for one in ones], axis=0))


def test_float32_stays():
    x, weight = (wg.tensor(a.astype(np.float32), requires_grad=True) for a in arrays(2))
    y = nn.conv2d(x, weight, np.zeros(3, np.float32))
    np.sum(y).backward()
    assert y.dtype == x.grad.dtype == weight.grad.dtype == np.float32
    assert nn.conv_transpose2d(x, weight.detach().swapaxes(0, 1)).dtype == np.float32


def test_no_examples():
    x, weight = wg.tensor(np.ones((0, 2, 4, 4)), requires_grad=True), wg.tensor(np.ones((3, 2, 2, 2)))
    weight.requires_grad_()
    y = nn.conv2d(x, weight)
    assert y.shape == (0, 3, 3, 3)
    np.sum(y).backward()
    assert x.grad.shape == x.shape
    np.testing.assert_array_equal(weight.grad.data, 0)


def test_no_features():
    x = wg.tensor(np.ones((2, 2, 4)), requires_grad=True)
    y = nn.conv1d(x, np.ones((0, 2, 2)))
    assert y.shape == (2, 0, 3)
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad.data, 0)


def test_lists_and_integers():
    np.testing.assert_array_equal(nn.conv1d([[[1, 2, 3]]], [[[1, 1]]]), [[[3, 5]]])
    np.testing.assert_array_equal(nn.conv1d([[[1, 2, 3]]], [[[0.5, 0]]]), [[[0.5, 1]]])
    np.testing.assert_array_equal(nn.conv_transpose1d([[[1, 2]]], [[[1, 10]]]), [[[1, 12, 20]]])


def test_strided_operands():
    x, weight = arrays(2)
    y = nn.conv2d(x[:, ::-1, ::2].swapaxes(2, 3), weight[..., ::-1, :].swapaxes(2, 3))
    expected = by_definition(x[:, ::-1, ::2].swapaxes(2, 3), weight[..., ::-1, :].swapaxes(2, 3))
    np.testing.assert_allclose(y, expected)


def test_operands_are_not_written_to():
    x, weight = arrays(1)
    before = x.copy(), weight.copy()
    x.flags.writeable = weight.flags.writeable = False
    a, b = (wg.tensor(v, requires_grad=True) for v in (x, weight))
    np.sum(nn.conv1d(a, b, padding=1) ** 2).backward()
    nn.conv1d(x, weight)
    nn.conv_transpose1d(nn.conv1d(x, weight), weight)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(weight, before[1])


@pytest.mark.parametrize(
    ("x", "weight", "options", "error", "message"),
    [
        ((2, 3, 8, 8), (4, 2, 3, 3), {}, ShapeError, r"x with shape \(2, 3, 8, 8\).*weight with shape \(4, 2, 3, 3\)"),
        ((2, 4, 8, 8), (3, 2, 3, 3), {"groups": 2}, ShapeError, "features a multiple of groups"),
        ((2, 8, 8), (3, 2, 3), {}, ShapeError, "a batch axis, a channel axis and 2 more"),
        ((8, 8), (3, 2, 3, 3), {}, ShapeError, r"x with shape \(8, 8\)"),
        ((1, 1, 2, 2), (1, 1, 3, 3), {}, ShapeError, r"reaches over \(3, 3\); got x with shape \(1, 1, 2, 2\)"),
        ((1, 1, 4, 4), (1, 1, 3, 3), {"dilation": 2}, ShapeError, r"reaches over \(5, 5\)"),
        ((1, 1, 4, 4), (1, 1, 0, 3), {}, ShapeError, r"weight with shape \(1, 1, 0, 3\)"),
        ((1, 1, 4, 4), (1, 1, 3, 3), {"stride": 0}, ArgumentError, "stride must be a whole number of at least 1"),
        ((1, 1, 4, 4), (1, 1, 3, 3), {"stride": (1, 2, 3)}, ArgumentError, r"2 of them.*got \(1, 2, 3\)"),
        ((1, 1, 4, 4), (1, 1, 3, 3), {"stride": 1.5}, ArgumentError, "got 1.5"),
        ((1, 1, 4, 4), (1, 1, 3, 3), {"padding": -1}, ArgumentError, "padding must be a whole number of at least 0"),
        (
            (1, 1, 4, 4),
            (1, 1, 3, 3),
            {"padding": "full"},
            ArgumentError,
            "'same', 'valid' or whole numbers; got 'full'",
        ),
        ((1, 1, 4, 4), (1, 1, 3, 3), {"padding": "same", "stride": 2}, ArgumentError, "needs a stride of 1"),
        ((1, 1, 4, 4), (1, 1, 3, 3), {"groups": 0}, ArgumentError, "groups must be a whole number of at least 1"),
        ((1, 1, 4, 4), (2, 1, 3, 3), {"bias": np.zeros(3)}, ShapeError, r"bias must have shape \(2,\)"),
    ],
)
def test_bad_arguments(x, weight, options, error, message):
    with pytest.raises(error, match=rf"\[conv2d\].*{message}"):
        nn.conv2d(np.ones(x), np.ones(weight), **options)


@pytest.mark.parametrize(
    ("x", "weight", "options", "error", "message"),
    [
        ((1, 3, 4), (2, 3, 2), {}, ShapeError, r"x with shape \(1, 3, 4\)"),
        ((1, 3, 4), (3, 2, 2), {"groups": 2}, ShapeError, "channels a multiple of groups"),
        ((1, 1, 1), (1, 1, 2), {"padding": 1}, ShapeError, "a result of at least one element"),
        ((1, 1, 4), (1, 1, 2), {"output_padding": 1}, ArgumentError, "output_padding must be smaller than stride"),
        ((1, 1, 4), (1, 1, 2), {"padding": "same"}, ArgumentError, "padding must be a whole number"),
    ],
)
def test_bad_arguments_of_transposes(x, weight, options, error, message):
    with pytest.raises(error, match=rf"\[conv_transpose1d\].*{message}"):
        nn.conv_transpose1d(np.ones(x), np.ones(weight), **options)
