"""Loops over another axis than the first one: ``x[:, t]`` is read, ``out[:, t]`` written."""

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import leading
from wengert.compiler.roll import Chunk

STEPS = 40


def data():
    random = np.random.default_rng(2)
    return 0.3 * random.normal(size=(4, STEPS, 3)), 0.3 * random.normal(size=(3, 3))


def recurrent(x, w):
    h = np.zeros((4, 3))
    for t in range(STEPS):
        h = np.tanh(h @ w + x[:, t])
    return np.sum(h**2)


def written(x, w):
    out = wg.zeros((4, STEPS, 3))
    h = x[:, 0]
    for t in range(1, STEPS):
        h = np.tanh(h @ w) + x[:, t]
        out[:, t] = h
    return np.sum(out * out) + np.sum(out[1] * w[0])


def backwards(x, w):
    h = np.zeros((4, 3))
    for t in reversed(range(STEPS)):
        h = np.tanh(h @ w) * x[:, t - STEPS, :]
        h = h + x[:, -1]
    return np.sum(h)


def last_axis(x, w):
    y = np.swapaxes(x, 1, 2)
    h = np.zeros((4, 3))
    for t in range(STEPS):
        h = np.tanh(h @ w) + y[..., t]
    return np.sum(h * y[:, :, 3])


def read_from_what_is_written(x, w):
    out = wg.zeros((4, STEPS, 3))
    out[:, 0] = x[:, 0]
    for t in range(1, STEPS):
        out[:, t] = np.tanh(out[:, t - 1] @ w) + x[:, t]
        out[:, t] += 0.5
        out[:, t] *= 0.9
    return np.sum(out[:, -1]) + np.mean(out[0])


def two_axes(x, w):
    total = 0.0
    for t in range(STEPS):
        total = total + np.sum(np.tanh(x[:, t] @ w))
    for i in range(4):
        total = total + np.sum(x[i] @ w)
    for k in range(3):
        total = total * np.cos(x[:, :, k].sum() * 0.01)
    return total


def started_from_an_argument(x, w):
    y = x + 0.0
    for t in range(1, STEPS):
        y[:, t] = np.tanh(y[:, t - 1] @ w) + y[:, t]
    return np.sum(y**2)


def kept_in_the_middle(x, w):
    y = x * 1.0
    half = 0.0
    for t in range(1, STEPS):
        y[:, t] = np.tanh(y[:, t - 1] @ w) + y[:, t]
        if t == STEPS // 2:
            half = np.sum(y * y)
    return np.sum(y) + half


def broadcast_values(x, w):
    out = wg.zeros((4, STEPS, 3))
    for t in range(STEPS):
        out[:, t] = w[t % 3]
        out[:, t] += np.sum(x[:, t], axis=1, keepdims=True) * 0.1
        out[:, t] = out[:, t] @ w
    return np.sum(out**2)


def decided(x, w):
    h = np.zeros((4, 3))
    for t in range(STEPS):
        h = np.tanh(h @ w) + x[:, t]
        if h[0, 0] > 100:
            break
    return np.sum(h)


PROGRAMS = [
    recurrent, written, backwards, last_axis, read_from_what_is_written, two_axes, started_from_an_argument,
    kept_in_the_middle, broadcast_values, decided,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_that_it_is_what_the_function_gives(program):
    x, w = data()
    for of in (program, wg.value_and_grad(program, (0, 1))):
        fast = wg.compile(of)
        for scale in (1.0, 1.0, -0.5):
            found, expected = fast(scale * x, w), of(scale * x, w)
            for a, b in zip(flat(found), flat(expected), strict=True):
                assert a.shape == b.shape
                assert np.allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("program", [recurrent, written, backwards, last_axis], ids=lambda program: program.__name__)
def test_that_turns_are_alike(program, monkeypatch):
    def chunks():
        fast = wg.compile(wg.value_and_grad(program, (0, 1)))
        fast(*data())
        (kind,) = fast._kinds
        return [step.form for step in kind.last.native.rolled.steps if isinstance(step, Chunk)]

    found = chunks()
    assert len(found) > 2 * len(set(found))
    monkeypatch.setattr(leading, "MANY", 10**6)
    assert len(chunks()) < len(found)


def test_that_few_pieces_of_a_wide_array_stay_where_they_are():
    def program(x, w):
        h = np.zeros((4, 3))
        for t in range(120):
            h = np.tanh(h @ w + x[:, t % 20])
        return np.sum(h)

    _, w = data()
    x = 0.1 * np.random.default_rng(1).normal(size=(4, 900, 3))
    fast = wg.compile(program)
    assert np.allclose(fast(x, w), program(x, w))
    assert "transpose" not in fast.explain()
    assert np.allclose(fast(2 * x, w), program(2 * x, w))


def flat(found):
    if isinstance(found, tuple):
        return [x for part in found for x in flat(part)]
    return [np.asarray(found)]
