"""Recurrent steps and layers against their definitions, written out in NumPy."""

import numpy as np
import pytest
from tests.nn.differences import check_gradients

import wengert as wg
from wengert.nn.recurrent import gru_step, lstm_step, run_layers

RNG = np.random.default_rng(0)
TIME, BATCH, INPUTS, UNITS = 3, 2, 4, 3


def logistic(x):
    return 1 / (1 + np.exp(-x))


def draw(*shape):
    return RNG.normal(size=shape)


def test_lstm_step():
    x, h, cell = draw(2, 12), draw(2, 12), draw(2, 3)
    i, f, g, o = (np.asarray(part) for part in np.split(x + h, 4, axis=1))
    expected = logistic(f) * cell + logistic(i) * np.tanh(g)
    state, after = lstm_step(x, h, cell)
    np.testing.assert_allclose(after, expected)
    np.testing.assert_allclose(state, logistic(o) * np.tanh(expected))


def test_gru_step():
    x, h, state = draw(2, 9), draw(2, 9), draw(2, 3)
    (xr, xz, xn), (hr, hz, hn) = np.split(x, 3, axis=1), np.split(h, 3, axis=1)
    z = logistic(xz + hz)
    expected = (1 - z) * np.tanh(xn + logistic(xr + hr) * hn) + z * state
    np.testing.assert_allclose(gru_step(x, h, state), expected)


def weights(layers, directions):
    return [
        [
            (draw(UNITS, INPUTS if n == 0 else directions * UNITS), draw(UNITS, UNITS), draw(UNITS), draw(UNITS))
            for _ in range(directions)
        ]
        for n in range(layers)
    ]


def tanh_step(x, h, state):
    return (np.tanh(x + h),)


def along(x, state, maps):
    """One layer, forwards."""
    w, u, b, c = maps
    outputs = []
    for row in x:
        state = np.tanh(row @ w.T + b + state @ u.T + c)
        outputs.append(state)
    return np.array(outputs), state


@pytest.mark.parametrize("directions", [1, 2])
def test_layers_follow_one_another(directions):
    x, maps = draw(TIME, BATCH, INPUTS), weights(2, directions)
    start = draw(2 * directions, BATCH, UNITS)
    y, (last,) = run_layers(tanh_step, x, (start,), maps)
    expected, ends = x, []
    for n, layer in enumerate(maps):
        sides = []
        for backwards, one in enumerate(layer):
            seen = expected[::-1] if backwards else expected
            outputs, end = along(seen, start[n * directions + backwards], one)
            sides.append(outputs[::-1] if backwards else outputs)
            ends.append(end)
        expected = np.concatenate(sides, axis=-1)
    np.testing.assert_allclose(y, expected)
    np.testing.assert_allclose(last, ends)


def test_between_is_applied_between_layers_only():
    x, maps, start = draw(TIME, BATCH, INPUTS), weights(2, 1), np.zeros((2, BATCH, UNITS))
    calls = []
    run_layers(tanh_step, x, (start,), maps, lambda y: calls.append(y.shape) or y)
    assert calls == [(TIME, BATCH, UNITS)]


def test_gradients_flow_to_all_parts():
    x, maps, start = draw(TIME, BATCH, INPUTS), weights(1, 2), draw(2, BATCH, UNITS)
    check_gradients(lambda x: np.sum(run_layers(tanh_step, x, (start,), maps)[0] ** 2), x)
    check_gradients(lambda s: np.sum(run_layers(tanh_step, x, (s,), maps)[1][0] ** 2), start)
    tensors = [[tuple(wg.tensor(w, requires_grad=True) for w in side) for side in layer] for layer in maps]
    np.sum(run_layers(tanh_step, x, (start,), tensors)[0]).backward()
    assert all(np.any(w.grad.data) for layer in tensors for side in layer for w in side)
