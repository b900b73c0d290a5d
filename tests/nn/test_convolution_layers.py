import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.errors import ArgumentError

rng = np.random.default_rng(2)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_convolution_layers(ndim):
    layer = getattr(nn, f"Conv{ndim}d")(4, 6, 3, stride=2, padding=1, dilation=1, groups=2, rng=0, dtype=np.float32)
    assert layer.weight.shape == (6, 2, *(3,) * ndim)
    assert layer.bias.shape == (6,)
    x = rng.normal(size=(2, 4, *(5,) * ndim)).astype(np.float32)
    function = getattr(nn, f"conv{ndim}d")
    y = layer(x)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(
        y.data, function(x, layer.weight.data, layer.bias.data, stride=2, padding=1, groups=2)
    )


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_transposed_layers(ndim):
    layer = getattr(nn, f"ConvTranspose{ndim}d")(4, 6, 3, 2, 1, 1, groups=2, dilation=1, rng=0)
    assert layer.weight.shape == (4, 3, *(3,) * ndim)
    x = rng.normal(size=(2, 4, *(3,) * ndim))
    function = getattr(nn, f"conv_transpose{ndim}d")
    expected = function(x, layer.weight.data, layer.bias.data, stride=2, padding=1, output_padding=1, groups=2)
    np.testing.assert_array_equal(layer(x).data, expected)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_pooling_layers(ndim):
    x = rng.normal(size=(2, 3, *(5,) * ndim))
    maxima = getattr(nn, f"MaxPool{ndim}d")(2, 1, 1, dilation=2, ceil_mode=True)
    np.testing.assert_array_equal(maxima(x), getattr(nn, f"max_pool{ndim}d")(x, 2, 1, 1, 2, True))
    means = getattr(nn, f"AvgPool{ndim}d")(2, 3, 1, ceil_mode=True, count_include_pad=False)
    np.testing.assert_array_equal(means(x), getattr(nn, f"avg_pool{ndim}d")(x, 2, 3, 1, True, False))


def test_options_of_construction():
    assert nn.Conv2d(1, 2, (3, 1), bias=False).bias is None
    assert nn.Conv2d(1, 2, (3, 1)).weight.shape == (2, 1, 3, 1)
    assert [name for name, _ in nn.Conv1d(1, 2, 3).named_parameters()] == ["weight", "bias"]
    first, second = (nn.Conv2d(3, 4, 5, rng=1).weight.data for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_variance_of_the_weight_follows_the_inputs():
    layer = nn.Conv2d(16, 32, 5, rng=0, initializer=nn.init.kaiming_normal)
    np.testing.assert_allclose(np.std(layer.weight.data), np.sqrt(2 / (16 * 25)), rtol=0.05)
    layer = nn.ConvTranspose2d(16, 32, 5, rng=0, initializer=nn.init.kaiming_normal)
    np.testing.assert_allclose(np.std(layer.weight.data), np.sqrt(2 / (16 * 25)), rtol=0.05)


@pytest.mark.parametrize("make", [nn.Conv2d, nn.ConvTranspose2d])
def test_bad_construction(make):
    with pytest.raises(ArgumentError, match="multiples of groups; got channels=3, features=4 and groups=2"):
        make(3, 4, 3, groups=2)
    with pytest.raises(ArgumentError, match=r"window must be a whole number of at least 1"):
        make(2, 4, 0)


def test_a_network_of_convolutions_learns():
    """To tell horizontal from vertical stripes."""
    x = np.sign(rng.normal(size=(64, 1, 1, 8))) * np.ones((8, 1))
    labels = np.arange(64) % 2
    x[labels == 1] = x[labels == 1].swapaxes(2, 3)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, rng=0),
        nn.relu,
        nn.MaxPool2d(2),
        lambda x: x.reshape(64, 64),
        nn.Linear(64, 2, rng=0),
    )
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for _ in range(40):
        optimizer.zero_grad()
        nn.cross_entropy(model(x), labels).backward()
        optimizer.step()
    with wg.no_grad():
        assert np.mean(np.argmax(model(x), axis=1) == labels) == 1
