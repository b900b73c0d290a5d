import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim


def test_linear_layer():
    layer = nn.Linear(3, 2, rng=0, initializer=nn.init.kaiming_normal, dtype=np.float32)
    assert (layer.weight.shape, layer.bias.shape) == ((3, 2), (2,))
    assert layer.weight.dtype == layer.bias.dtype == np.float32
    y = layer(np.ones((4, 3), np.float32))
    assert (y.shape, y.dtype) == ((4, 2), np.float32)
    assert nn.Linear(3, 2, bias=False).bias is None


@pytest.mark.parametrize("make", [lambda rng: nn.Linear(5, 4, rng=rng), lambda rng: nn.Embedding(5, 4, rng=rng)])
def test_one_seed_one_model(make):
    def values(rng):
        return next(iter(make(rng).state_dict().values()))

    np.testing.assert_array_equal(values(1), values(np.random.default_rng(1)))
    assert not np.array_equal(values(1), values(2))
    assert not np.array_equal(values(None), values(None))


def test_one_generator_gives_different_layers():
    rng = np.random.default_rng(0)
    assert not np.array_equal(nn.Linear(2, 2, rng=rng).weight.data, nn.Linear(2, 2, rng=rng).weight.data)


def test_embedding_layer():
    layer = nn.Embedding(7, 3, rng=0, dtype=np.float32)
    assert layer([[1, 2], [3, 3]]).shape == (2, 2, 3)
    assert layer([0]).dtype == np.float32


def test_dropout_layer_is_repeatable():
    with wg.train_mode():
        np.testing.assert_array_equal(*(nn.Dropout(0.5, rng=9)(np.ones(64)) for _ in range(2)))


def test_batch_norm_layer():
    layer = nn.BatchNorm(4, axis=1, momentum=0.5)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    x = np.random.default_rng(0).normal(5, 2, size=(8, 4, 3))
    with wg.train_mode():
        for _ in range(60):
            layer(x)
    np.testing.assert_allclose(layer.running_mean.data, x.mean((0, 2)))
    other = nn.BatchNorm(4, axis=1)
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other(x).data, layer(x).data)
    assert not nn.BatchNorm(4, affine=False).parameters()


@pytest.mark.parametrize("shape", [4, (4,), (3, 4)])
def test_layer_norm_layer(shape):
    layer = nn.LayerNorm(shape)
    y = layer(np.random.default_rng(0).normal(size=(2, 3, 4)))
    assert y.shape == (2, 3, 4)
    assert layer.weight.shape == (shape if isinstance(shape, tuple) else (shape,))
    assert nn.LayerNorm(shape, affine=False).parameters() == []


def test_sequential_of_modules_and_functions():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.relu, np.tanh, lambda x: 2 * x)
    x = np.random.default_rng(0).normal(size=(5, 3))
    first = model.layers[0]
    expected = 2 * np.tanh(np.maximum(x @ first.weight.data + first.bias.data, 0))
    np.testing.assert_allclose(model(x).data, expected)
    assert nn.Sequential()(x) is x
    assert repr(model).splitlines()[2:] == ["  layers.1: relu", "  layers.2: tanh", "  layers.3: <lambda>"]


def test_a_network_of_everything_learns():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 20, size=(200, 2))
    labels = (x[:, 0] > x[:, 1]).astype(int)
    model = nn.Sequential(
        nn.Embedding(20, 8, rng=rng),
        lambda h: h.reshape(len(h), 16),
        nn.Linear(16, 32, rng=rng),
        nn.BatchNorm(32),
        nn.gelu,
        nn.Dropout(0.1, rng=rng),
        nn.LayerNorm(32),
        nn.Linear(32, 2, rng=rng),
    )
    optimizer = optim.AdamW(model.parameters(), lr=optim.schedules.warmup(5, optim.schedules.cosine(0.02, 60)))
    with wg.train_mode():
        for _ in range(60):
            optimizer.zero_grad()
            nn.cross_entropy(model(x), labels).backward()
            optim.clip_grad_norm(model.parameters(), 1.0)
            optimizer.step()
    assert np.mean(np.argmax(model(x), axis=1) == labels) > 0.97
