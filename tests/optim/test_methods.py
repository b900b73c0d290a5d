"""Each optimiser against its formula, written out in NumPy."""

import numpy as np
import pytest

import wengert as wg
from wengert import optim
from wengert.errors import ArgumentError

CURVATURE = np.array([1.0, 10.0, 0.1])


def loss(x):
    return np.sum(CURVATURE.astype(x.dtype) * x * x) / 2 + np.sum(np.sin(3 * x))


def slope(x):
    return CURVATURE * x + 3 * np.cos(3 * x)


def sgd(p, g, t, s, lr, momentum=0.0, nesterov=False, dampening=0.0):
    s["v"] = momentum * s["v"] + (1 - dampening) * g if "v" in s else g
    return p - lr * (g + momentum * s["v"] if nesterov else s["v"])


def adam(p, g, t, s, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, amsgrad=False):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g**2
    s["top"] = np.maximum(s.get("top", 0), s["v"])
    m_hat, v_hat = s["m"] / (1 - b1**t), s["top" if amsgrad else "v"] / (1 - b2**t)
    return p - lr * decay * p - lr * m_hat / (np.sqrt(v_hat) + eps)


def rmsprop(p, g, t, s, lr, alpha=0.99, eps=1e-8, momentum=0.0, centered=False, floor=0.0):
    s["v"] = alpha * s.get("v", 0) + (1 - alpha) * g**2
    s["m"] = alpha * s.get("m", 0) + (1 - alpha) * g
    s["b"] = momentum * s.get("b", 0) + g / (np.sqrt(s["v"] - centered * s["m"] ** 2 + floor) + eps)
    return p - lr * s["b"]


def adagrad(p, g, t, s, lr, eps=1e-10, decay=0.0):
    s["s"] = s.get("s", 0) + g**2
    return p - lr / (1 + (t - 1) * decay) * g / (np.sqrt(s["s"]) + eps)


def adadelta(p, g, t, s, lr, rho=0.9, eps=1e-6):
    s["s"] = rho * s.get("s", 0) + (1 - rho) * g**2
    d = np.sqrt(s.get("u", 0) + eps) / np.sqrt(s["s"] + eps) * g
    s["u"] = rho * s.get("u", 0) + (1 - rho) * d**2
    return p - lr * d


def adamax(p, g, t, s, lr, b1=0.9, b2=0.999, eps=1e-8):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["u"] = np.maximum(b2 * s.get("u", 0), abs(g) + eps)
    return p - lr / (1 - b1**t) * s["m"] / s["u"]


def nadam(p, g, t, s, lr, b1=0.9, b2=0.999, eps=1e-8, decay=4e-3):
    b = [b1 * (1 - 0.96 ** (k * decay) / 2) for k in range(t + 2)]
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g**2
    d = (1 - b[t]) / (1 - np.prod(b[1 : t + 1])) * g + b[t + 1] / (1 - np.prod(b[1 : t + 2])) * s["m"]
    return p - lr * d / (np.sqrt(s["v"] / (1 - b2**t)) + eps)


def ftrl(p, g, t, s, lr, l1=0.0, l2=0.0, beta=1.0):
    n = s.get("n", 0)
    s["n"] = n + g**2
    s["z"] = s.get("z", 0) + g - (np.sqrt(s["n"]) - np.sqrt(n)) / lr * p
    solved = -(s["z"] - np.sign(s["z"]) * l1) / ((beta + np.sqrt(s["n"])) / lr + l2)
    return np.where(abs(s["z"]) <= l1, 0.0, solved)


# name: (optimiser, its formula, L2 penalty)
METHODS = {
    "sgd": (lambda p: optim.SGD(p, 0.05), lambda *a: sgd(*a, 0.05), 0),
    "sgd decay": (lambda p: optim.SGD(p, 0.05, weight_decay=0.3), lambda *a: sgd(*a, 0.05), 0.3),
    "momentum": (lambda p: optim.SGD(p, 0.02, momentum=0.9), lambda *a: sgd(*a, 0.02, 0.9), 0),
    "nesterov": (
        lambda p: optim.SGD(p, 0.02, momentum=0.8, nesterov=True, weight_decay=0.1),
        lambda *a: sgd(*a, 0.02, 0.8, True),
        0.1,
    ),
    "dampening": (
        lambda p: optim.SGD(p, 0.02, momentum=0.9, dampening=0.3),
        lambda *a: sgd(*a, 0.02, 0.9, dampening=0.3),
        0,
    ),
    "adam": (lambda p: optim.Adam(p, 0.1), lambda *a: adam(*a, 0.1), 0),
    "adam all": (
        lambda p: optim.Adam(p, 0.1, betas=(0.5, 0.7), eps=1e-2, weight_decay=0.3),
        lambda *a: adam(*a, 0.1, 0.5, 0.7, 1e-2),
        0.3,
    ),
    "amsgrad": (lambda p: optim.Adam(p, 0.1, amsgrad=True), lambda *a: adam(*a, 0.1, amsgrad=True), 0),
    "adamw amsgrad": (
        lambda p: optim.AdamW(p, 0.1, betas=(0.9, 0.5), amsgrad=True),
        lambda *a: adam(*a, 0.1, b2=0.5, decay=0.01, amsgrad=True),
        0,
    ),
    "rmsprop centered": (
        lambda p: optim.RMSProp(p, 0.01, decay=0.9, centered=True),
        lambda *a: rmsprop(*a, 0.01, 0.9, centered=True),
        0,
    ),
    "rmsprop centered momentum": (
        lambda p: optim.RMSProp(p, 0.01, decay=0.9, momentum=0.5, centered=True),
        lambda *a: rmsprop(*a, 0.01, 0.9, momentum=0.5, centered=True),
        0,
    ),
    "adagrad lr decay": (lambda p: optim.Adagrad(p, 0.1, lr_decay=0.2), lambda *a: adagrad(*a, 0.1, decay=0.2), 0),
    "adamw": (lambda p: optim.AdamW(p, 0.1), lambda *a: adam(*a, 0.1, decay=0.01), 0),
    "adamw decay": (lambda p: optim.AdamW(p, 0.1, weight_decay=0.5), lambda *a: adam(*a, 0.1, decay=0.5), 0),
    "rmsprop": (lambda p: optim.RMSProp(p, 0.03), lambda *a: rmsprop(*a, 0.03), 0),
    "rmsprop all": (
        lambda p: optim.RMSProp(p, 0.01, decay=0.8, eps=1e-3, momentum=0.6, weight_decay=0.2),
        lambda *a: rmsprop(*a, 0.01, 0.8, 1e-3, 0.6),
        0.2,
    ),
    "adagrad": (lambda p: optim.Adagrad(p, 0.3), lambda *a: adagrad(*a, 0.3), 0),
    "adagrad all": (
        lambda p: optim.Adagrad(p, 0.3, eps=1e-2, weight_decay=0.2),
        lambda *a: adagrad(*a, 0.3, 1e-2),
        0.2,
    ),
    "rmsprop floor": (
        lambda p: optim.RMSProp(p, 0.01, decay=0.9, momentum=0.5, centered=True, floor=1e-3, eps=0.0),
        lambda *a: rmsprop(*a, 0.01, 0.9, 0.0, 0.5, True, 1e-3),
        0,
    ),
    "adadelta": (lambda p: optim.Adadelta(p), lambda *a: adadelta(*a, 1.0), 0),
    "adadelta all": (
        lambda p: optim.Adadelta(p, 0.5, rho=0.7, eps=1e-3, weight_decay=0.2),
        lambda *a: adadelta(*a, 0.5, 0.7, 1e-3),
        0.2,
    ),
    "adamax": (lambda p: optim.Adamax(p, 0.05), lambda *a: adamax(*a, 0.05), 0),
    "adamax all": (
        lambda p: optim.Adamax(p, 0.05, betas=(0.5, 0.7), eps=1e-3, weight_decay=0.2),
        lambda *a: adamax(*a, 0.05, 0.5, 0.7, 1e-3),
        0.2,
    ),
    "nadam": (lambda p: optim.NAdam(p, 0.05), lambda *a: nadam(*a, 0.05), 0),
    "nadam all": (
        lambda p: optim.NAdam(p, 0.05, betas=(0.5, 0.7), eps=1e-3, weight_decay=0.2, momentum_decay=0.3),
        lambda *a: nadam(*a, 0.05, 0.5, 0.7, 1e-3, 0.3),
        0.2,
    ),
    "ftrl": (lambda p: optim.Ftrl(p, 0.3), lambda *a: ftrl(*a, 0.3), 0),
    "ftrl all": (
        lambda p: optim.Ftrl(p, 0.3, l1=0.6, l2=0.2, beta=0.5, weight_decay=0.1),
        lambda *a: ftrl(*a, 0.3, 0.6, 0.2, 0.5),
        0.1,
    ),
}
each_method = pytest.mark.parametrize("name", METHODS)


def train(make, steps, x0=(1.0, -2.0, 0.5), dtype=float):
    x = wg.tensor(np.array(x0, dtype), requires_grad=True)
    optimizer = make([x])
    for _ in range(steps):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
    return x, optimizer


@each_method
def test_formula(name):
    make, formula, penalty = METHODS[name]
    x, _ = train(make, 30)
    p, state = np.array([1.0, -2.0, 0.5]), {}
    for t in range(1, 31):
        p = formula(p, slope(p) + penalty * p, t, state)
    np.testing.assert_allclose(x.data, p, rtol=1e-9)


@each_method
def test_float32_stays(name):
    make = METHODS[name][0]
    x, optimizer = train(make, 5, dtype=np.float32)
    assert x.dtype == np.float32
    slots = [array for key, array in optimizer.state_dict().items() if "." in key]
    assert all(array.dtype == np.float32 for array in slots)
    np.testing.assert_allclose(x.data, train(make, 5)[0].data, rtol=1e-3)


@each_method
@pytest.mark.parametrize("make_scalar", [lambda: wg.tensor(2.0), lambda: np.sum(wg.tensor([2.0]))])
def test_scalar_parameter(name, make_scalar):
    make = METHODS[name][0]
    x = make_scalar().requires_grad_()
    optimizer = make([x])
    for _ in range(5):
        optimizer.zero_grad()
        (x * x).backward()
        optimizer.step()
    assert x.shape == ()
    assert abs(x.item()) < 2
    assert x.requires_grad
    assert x.is_leaf


@each_method
def test_saved_and_loaded_goes_on_to_the_last_bit(name):
    make = METHODS[name][0]
    straight, _ = train(make, 20)
    first, before = train(make, 12)
    second = wg.tensor(first.numpy(), requires_grad=True)
    after = make([second])
    after.load_state_dict({key: array.copy() for key, array in before.state_dict().items()})
    for _ in range(8):
        after.zero_grad()
        loss(second).backward()
        after.step()
    np.testing.assert_array_equal(second.data, straight.data)


@each_method
def test_a_parameter_without_gradient_is_skipped(name):
    make = METHODS[name][0]
    used, rare = (wg.tensor([1.0, -2.0, 0.5], requires_grad=True) for _ in range(2))
    optimizer = make([used, rare])
    for step in range(6):
        optimizer.zero_grad()
        (loss(used) + loss(rare) if step % 2 else loss(used)).backward()
        optimizer.step()
    np.testing.assert_array_equal(used.data, train(make, 6)[0].data)
    np.testing.assert_array_equal(rare.data, train(make, 3)[0].data)


@each_method
def test_gradients_are_not_written(name):
    x = wg.tensor([1.0, -2.0, 0.5], requires_grad=True)
    optimizer = METHODS[name][0]([x])
    loss(x).backward()
    before = x.grad.numpy()
    optimizer.step()
    optimizer.step()
    np.testing.assert_array_equal(x.grad.data, before)


@each_method
def test_no_elements(name):
    x = wg.tensor(np.zeros((0, 3)), requires_grad=True)
    optimizer = METHODS[name][0]([x])
    np.sum(x).backward()
    optimizer.step()
    assert x.shape == (0, 3)


@pytest.mark.parametrize(
    "method",
    [
        optim.SGD,
        optim.Adam,
        optim.AdamW,
        optim.RMSProp,
        optim.Adagrad,
        optim.Adadelta,
        optim.Adamax,
        optim.NAdam,
        optim.Ftrl,
    ],
)
def test_maximizing_is_minimizing_the_negative(method):
    up, down = (
        wg.tensor(np.array([1.0, -2.0, 0.5]), requires_grad=True),
        wg.tensor([1.0, -2.0, 0.5], requires_grad=True),
    )
    climber, descender = method([up], 0.1, weight_decay=0.1, maximize=True), method([down], 0.1, weight_decay=0.1)
    for _ in range(3):
        climber.zero_grad()
        descender.zero_grad()
        loss(up).backward()
        (-loss(down)).backward()
        climber.step()
        descender.step()
    np.testing.assert_allclose(up.data, down.data)


def test_dampening_excludes_nesterov():
    with pytest.raises(ArgumentError, match="dampening must be 0"):
        optim.SGD([wg.tensor(1.0, requires_grad=True)], momentum=0.9, nesterov=True, dampening=0.5)
