"""Update formulas of optimisers with more state, written out in NumPy, and how weight decay is left out by name."""

import numpy as np
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import nd
from wengert.errors import ArgumentError

SLOPES = np.random.default_rng(0).normal(size=(8, 3))
START = np.array([1.0, -2.0, 0.5])


def adadelta(w, g, t, s, lr, rho=0.9, eps=1e-5):
    s["g"] = rho * s.get("g", 0) + (1 - rho) * g**2
    step = np.sqrt(s.get("d", 0) + eps) / np.sqrt(s["g"] + eps) * g
    s["d"] = rho * s.get("d", 0) + (1 - rho) * step**2
    return w - lr * step


def adamax(w, g, t, s, lr, b1=0.9, b2=0.999):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["u"] = np.maximum(b2 * s.get("u", 0), abs(g))
    return w - lr / (1 - b1**t) * s["m"] / (s["u"] + 1e-8)


def nadam(w, g, t, s, lr, b1=0.9, b2=0.999, decay=0.004):
    now, ahead = (b1 * (1 - 0.5 * 0.96 ** (k * decay)) for k in (t, t + 1))
    s["schedule"] = s.get("schedule", 1) * now
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g**2
    bar = (1 - now) * g / (1 - s["schedule"]) + ahead * s["m"] / (1 - s["schedule"] * ahead)
    return w - lr * bar / (np.sqrt(s["v"] / (1 - b2**t)) + 1e-8)


def ftrl(w, g, t, s, lr, lamda1=0.01, beta=1.0, wd=0.0):
    n = s.get("n", 0)
    s["n"] = n + g**2
    s["z"] = s.get("z", 0) + g - (np.sqrt(s["n"]) - np.sqrt(n)) * w / lr
    solved = (np.sign(s["z"]) * lamda1 - s["z"]) / ((beta + np.sqrt(s["n"])) / lr + wd)
    return solved * (abs(s["z"]) > lamda1)


def centred(w, g, t, s, lr, rho=0.9, momentum=0.9, eps=1e-8):
    s["n"] = rho * s.get("n", 0) + (1 - rho) * g**2
    s["g"] = rho * s.get("g", 0) + (1 - rho) * g
    s["d"] = momentum * s.get("d", 0) - lr * g / np.sqrt(s["n"] - s["g"] ** 2 + eps)
    return w + s["d"]


CASES = {
    "adadelta": ("adadelta", {"rho": 0.8, "wd": 0.25}, lambda *a: adadelta(*a, rho=0.8), 0.25),
    "adamax": ("adamax", {"beta1": 0.7, "wd": 0.25}, lambda *a: adamax(*a, b1=0.7), 0.25),
    "nadam": ("nadam", {"schedule_decay": 0.1}, lambda *a: nadam(*a, decay=0.1), 0),
    "ftrl": ("ftrl", {"lamda1": 0.5, "wd": 0.25}, lambda *a: ftrl(*a, lamda1=0.5, wd=0.25), 0),
    "rmsprop": ("rmsprop", {"centered": True}, centred, 0),
    "rmsprop of old": (
        "rmsprop",
        {"centered": True, "gamma1": 0.7, "gamma2": 0.5, "epsilon": 1e-3},
        lambda *a: centred(*a, 0.7, 0.5, 1e-3),
        0,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_formulas(case):
    name, settings, formula, penalty = CASES[case]
    optimizer = mx.optimizer.create(name, learning_rate=0.25, **settings)
    weight, expected, kept = nd.array(START, dtype="float64"), START, {}
    state = optimizer.create_state(0, weight)
    for t, slope in enumerate(SLOPES, 1):
        if t == 5 and name != "ftrl":
            optimizer.set_learning_rate(0.125)
        lr = optimizer.learning_rate
        optimizer.update(0, weight, nd.array(slope, dtype="float64"), state)
        expected = formula(expected, slope + penalty * expected, t, kept, lr)
    np.testing.assert_allclose(weight.asnumpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "rate"),
    [("adadelta", 1.0), ("adamax", 0.002), ("nadam", 0.001), ("ftrl", 0.1), ("rmsprop", 0.001), ("sgd", 0.01)],
)
def test_rates_where_none_is_given(name, rate):
    assert mx.optimizer.create(name).learning_rate == rate
    schedule = mx.lr_scheduler.FactorScheduler(10, base_lr=0.5)
    assert mx.optimizer.create(name, lr_scheduler=schedule).learning_rate == 0.5


def test_clipped_weights():
    optimizer = mx.optimizer.RMSProp(learning_rate=10.0, clip_weights=1.0)
    weight = nd.array([0.5])
    optimizer.update(0, weight, nd.array([1.0]), optimizer.create_state(0, weight))
    assert weight.asscalar() == -1


def test_biases_by_name_have_no_weight_decay():
    names = {0: "fc_weight", 1: "fc_bias", 2: "fc_gamma"}
    optimizer = mx.optimizer.SGD(wd=0.5, param_idx2name=names)
    assert [optimizer._get_wd(i) for i in range(3)] == [0.5, 0, 0]
    optimizer.set_wd_mult({"fc_bias": 2.0})
    assert [optimizer._get_wd(i) for i in range(3)] == [0.5, 1, 0]


def test_several_precisions():
    optimizer = mx.optimizer.SGD(multi_precision=True)
    optimizer.create_state_multi_precision(0, nd.ones((1,)))
    with pytest.raises(ArgumentError, match="multi_precision"):
        optimizer.create_state_multi_precision(0, nd.ones((1,), dtype="float16"))
