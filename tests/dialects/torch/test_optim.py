"""Optimisers and schedules under PyTorch's conventions."""

import numpy as np
import pytest

import wengert.dialects.torch as torch
from wengert import optim as native
from wengert.creation import tensor
from wengert.dialects.torch import nn
from wengert.dialects.torch.optim import lr_scheduler

optim = torch.optim
START = [1.0, -2.0, 0.5]
PAIRS = {
    "sgd": (lambda p: optim.SGD(p, lr=0.05), lambda p: native.SGD(p, 0.05)),
    "momentum": (
        lambda p: optim.SGD(p, lr=0.01, momentum=0.9, dampening=0.2, weight_decay=0.1),
        lambda p: native.SGD(p, 0.01, momentum=0.9, dampening=0.2, weight_decay=0.1),
    ),
    "adam": (lambda p: optim.Adam(p, lr=0.1, amsgrad=True), lambda p: native.Adam(p, 0.1, amsgrad=True)),
    "adamw": (lambda p: optim.AdamW(p, lr=0.1), lambda p: native.AdamW(p, 0.1)),
    "rmsprop": (
        lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9, centered=True, momentum=0.5),
        lambda p: native.RMSProp(p, 0.01, decay=0.9, centered=True, momentum=0.5),
    ),
    "adagrad": (lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1), lambda p: native.Adagrad(p, 0.1, lr_decay=0.1)),
}


def run(x, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        (np.sum(x**4) + np.sum(np.sin(x))).backward()
        optimizer.step()


@pytest.mark.parametrize("name", PAIRS)
def test_methods_are_the_native_ones(name):
    ours, theirs = PAIRS[name]
    x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    y = tensor(np.array(START), requires_grad=True)
    run(x, ours([x]), 20)
    run(y, theirs([y]), 20)
    np.testing.assert_allclose(x.detach().numpy(), y.data, rtol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_a_saved_state_goes_on_where_it_was(name):
    make = PAIRS[name][0]
    x = torch.tensor(START, requires_grad=True)
    optimizer = make([x])
    run(x, optimizer, 3)
    y = x.detach().clone().requires_grad_()
    twin = make([y])
    twin.load_state_dict(optimizer.state_dict())
    run(x, optimizer, 3)
    run(y, twin, 3)
    assert x.tolist() == y.tolist()


def test_state_has_pytorchs_names():
    x = torch.ones(2, requires_grad=True)
    optimizer = optim.Adam([x])
    assert optimizer.state_dict()["state"] == {}
    run(x, optimizer, 2)
    state = optimizer.state_dict()
    assert list(state["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert state["state"][0]["step"].item() == 2
    assert state["param_groups"][0]["betas"] == (0.9, 0.999)
    assert state["param_groups"][0]["params"] == [0]


def test_numbers_are_trained_as_well():
    x = torch.tensor(2.0, requires_grad=True)
    optimizer = optim.SGD([x], lr=0.25, momentum=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        (x * x).backward()
        optimizer.step()
    assert x.item() == 0.0  # 2 - 0.25 * 4 = 1, then 1 - 0.25 * (0.5 * 4 + 2)


def test_groups_have_settings_of_their_own():
    a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    optimizer = optim.SGD([{"params": [a], "lr": 0.5}, {"params": b}], lr=0.1)
    (a + b).sum().backward()
    optimizer.step()
    assert a.item() == 0.5
    assert b.item() == pytest.approx(0.9)
    optimizer.param_groups[1]["lr"] = 0.4
    optimizer.step()
    assert b.item() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group({"params": [a]})


def test_printed_form():
    assert repr(optim.SGD([torch.zeros(1)], lr=0.1)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n"
        "    lr: 0.1\n    maximize: False\n    momentum: 0\n    nesterov: False\n    weight_decay: 0\n)"
    )


def test_closure_and_zero_grad():
    x = torch.ones(1, requires_grad=True)
    optimizer = optim.SGD([x], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 1
    assert x.item() == 0
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0]
    optimizer.zero_grad()
    assert x.grad is None


def test_bad_settings():
    x = torch.ones(1, requires_grad=True)
    for make in (
        lambda: optim.SGD([], lr=0.1),
        lambda: optim.SGD([x], lr=-0.1),
        lambda: optim.SGD([x], lr=0.1, nesterov=True),
        lambda: optim.Adam([x], betas=(1.0, 0.9)),
        lambda: optim.SGD([x * 2], lr=0.1),
    ):
        with pytest.raises(ValueError):
            make()
    with pytest.raises(TypeError):
        optim.SGD(x, lr=0.1)
    with pytest.raises(NotImplementedError, match="differentiable"):
        optim.SGD([x], lr=0.1, differentiable=True)


def test_an_optimizer_of_ones_own():
    class Halving(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"factor": 0.5})

        def step(self, closure=None):
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p.mul_(group["factor"])
                        self.state[p]["count"] = self.state[p].get("count", 0) + 1

    x = torch.ones(2, requires_grad=True)
    optimizer = Halving([x])
    optimizer.step()
    assert x.tolist() == [0.5, 0.5]
    assert optimizer.state_dict()["state"] == {0: {"count": 1}}


@pytest.mark.parametrize(
    ("make", "rates"),
    [
        (lambda o: lr_scheduler.StepLR(o, 2, 0.5), [1, 0.5, 0.5, 0.25]),
        (lambda o: lr_scheduler.MultiStepLR(o, [1, 3], 0.5), [0.5, 0.5, 0.25, 0.25]),
        (lambda o: lr_scheduler.ExponentialLR(o, 0.5), [0.5, 0.25, 0.125, 0.0625]),
        (lambda o: lr_scheduler.LambdaLR(o, lambda k: 1 / (1 + k)), [1 / 2, 1 / 3, 1 / 4, 1 / 5]),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 2), [0.5, 0, 0.5, 1]),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2), [0.5, 1, 0.5, 1]),
        (lambda o: lr_scheduler.LinearLR(o, 0.5, total_iters=2), [0.75, 1, 1, 1]),
        (lambda o: lr_scheduler.ConstantLR(o, 0.5, 2), [0.5, 1, 1, 1]),
        (lambda o: lr_scheduler.PolynomialLR(o, 4), [0.75, 0.5, 0.25, 0]),
    ],
)
def test_schedules(make, rates):
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    seen = []
    for _ in rates:
        optimizer.step()
        scheduler.step()
        seen.append(scheduler.get_last_lr()[0])
        assert optimizer.param_groups[0]["lr"] == seen[-1]
    assert seen == pytest.approx(rates, abs=1e-12)


def test_rates_fall_on_a_plateau():
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    seen = []
    for measure in (1.0, 0.9, 0.9, 0.9, 0.9, 0.9):
        scheduler.step(measure)
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == [1, 1, 1, 0.5, 0.5, 0.25]


def test_a_network_learns():
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 64).reshape(-1, 1)
    net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = optim.Adam(net.parameters(), lr=0.02)
    for _ in range(300):
        loss = nn.functional.mse_loss(net(x), x**2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-3
