import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.errors import ArgumentError, DTypeError, ShapeError


def parameter(*values, dtype=float):
    return wg.tensor(np.array(values, dtype), requires_grad=True)


def backward(*tensors):
    sum(np.sum(t * t) for t in tensors).backward()


def test_the_update_happens_in_place_and_unrecorded():
    x = parameter(1.0, 2.0)
    other = x
    backward(x)
    optim.SGD([x], 0.1).step()
    assert other is x
    assert x.is_leaf
    assert x.requires_grad
    np.testing.assert_allclose(x.data, [0.8, 1.6])


def test_an_array_that_was_read_before_does_not_change():
    x = parameter(1.0, 2.0)
    kept = x.data
    backward(x)
    optim.SGD([x], 0.1).step()
    np.testing.assert_array_equal(kept, [1, 2])


def test_a_value_that_backward_still_needs_is_not_lost():
    x = parameter(1.0, 2.0)
    backward(x)
    waiting = np.sum(x * x * x)
    optim.SGD([x], 0.1).step()
    x.zero_grad()
    waiting.backward()
    np.testing.assert_allclose(x.grad.data, [3, 12])


def test_zero_grad():
    x, y = parameter(1.0), parameter(1.0)
    optimizer = optim.SGD([x, y], 0.1)
    backward(x, y)
    optimizer.zero_grad()
    assert x.grad is None
    assert y.grad is None


def test_gradient_with_a_history():
    x = parameter(1.0, 2.0)
    np.sum(x * x * x).backward(create_graph=True)
    optim.SGD([x], 0.1).step()
    np.testing.assert_allclose(x.data, [0.7, 0.8])
    assert x.is_leaf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_schedule(dtype):
    seen = []

    def schedule(step):
        seen.append(step)
        return np.float64(0.5 / (step + 1))

    x = parameter(1.0, dtype=dtype)
    optimizer = optim.SGD([x], schedule)
    for _ in range(3):
        optimizer.zero_grad()
        backward(x)
        optimizer.step()
    assert seen == [0, 1, 2]
    assert x.dtype == dtype
    np.testing.assert_allclose(x.data, (1 - 1) * (1 - 0.5) * (1 - 1 / 3), atol=1e-7)
    assert optimizer.steps == 3


def test_learning_rate_may_be_set_between_steps():
    x = parameter(1.0)
    optimizer = optim.SGD([x], 0.1)
    optimizer.lr = 0.25
    backward(x)
    optimizer.step()
    assert x.data[0] == 0.5


def test_state_holds_the_learning_rate_but_no_schedule():
    saved = optim.SGD([parameter(1.0)], 0.125).state_dict()
    optimizer = optim.SGD([parameter(1.0)], 0.5)
    optimizer.load_state_dict(saved)
    assert optimizer.lr == 0.125
    schedule = optim.schedules.constant(0.5)
    optimizer = optim.SGD([parameter(1.0)], schedule)
    assert "lr" not in optimizer.state_dict()
    optimizer.load_state_dict(saved)
    assert optimizer.lr is schedule


def test_state_survives_a_file(tmp_path):
    x = parameter(1.0, 2.0)
    optimizer = optim.Adam([x], 0.1)
    backward(x)
    optimizer.step()
    np.savez(tmp_path / "state.npz", **optimizer.state_dict())
    other = optim.Adam([parameter(0.0, 0.0)], 0.7)
    with np.load(tmp_path / "state.npz") as state:
        other.load_state_dict(state)
    for name, array in optimizer.state_dict().items():
        np.testing.assert_array_equal(array, other.state_dict()[name])


def test_state_is_a_copy_both_ways():
    x = parameter(1.0, 2.0)
    optimizer = optim.SGD([x], 0.1, momentum=0.9)
    backward(x)
    optimizer.step()
    state = optimizer.state_dict()
    state["0.velocity"][...] = 99
    np.testing.assert_array_equal(optimizer.state_dict()["0.velocity"], [2, 4])
    optimizer.load_state_dict(state)
    state["0.velocity"][...] = 7
    np.testing.assert_array_equal(optimizer.state_dict()["0.velocity"], [99, 99])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("0.mean"), ArgumentError, "missing: 0.mean; unexpected: none"),
        (lambda s: s.update(x=np.ones(1)), ArgumentError, "missing: none; unexpected: x"),
        (lambda s: s.update({"0.mean": np.ones(3)}), ShapeError, r"0.mean must have shape \(2,\); got shape \(3,\)"),
        (lambda s: s.update(counts=np.ones(2, int)), ShapeError, "counts must have shape"),
    ],
)
def test_state_that_does_not_fit(change, error, message):
    optimizer = optim.Adam([parameter(1.0, 2.0)], 0.1)
    before = optimizer.state_dict()
    state = {name: array + 1 for name, array in before.items()}
    change(state)
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(state)
    for name, array in optimizer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (list, "at least one parameter is needed"),
        (lambda: parameter(1.0), r"write \[tensor\]"),
        (lambda: nn.Linear(2, 2), r"write module.parameters\(\)"),
        (lambda: [np.ones(2)], "got ndarray at position 0"),
        (lambda: nn.Linear(2, 2).named_parameters(), "got tuple at position 0"),
        (lambda: [parameter(1.0), wg.tensor([1.0])], "at position 1, a tensor with requires_grad=False"),
        (lambda: [parameter(1.0) * 2], "is_leaf=False"),
        (lambda: [parameter(1.0)] * 2, "may be given once"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ArgumentError, match=message):
        optim.SGD(parameters(), 0.1)


def test_complex_parameters():
    with pytest.raises(DTypeError, match="must be real"):
        optim.SGD([parameter(1j, dtype=complex)], 0.1)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda p: optim.SGD(p, -1.0), "lr"),
        (lambda p: optim.SGD(p, float("nan")), "lr"),
        (lambda p: optim.SGD(p, None), "lr"),
        (lambda p: optim.SGD(p, "0.1"), "lr"),
        (lambda p: optim.SGD(p, weight_decay=-1.0), "weight_decay"),
        (lambda p: optim.SGD(p, momentum=-1.0), "momentum"),
        (lambda p: optim.SGD(p, nesterov=True), "momentum"),
        (lambda p: optim.Adam(p, betas=(0.9, 1.0)), "betas"),
        (lambda p: optim.Adam(p, betas=(-0.1, 0.9)), "betas"),
        (lambda p: optim.Adam(p, eps=-1.0), "eps"),
        (lambda p: optim.AdamW(p, weight_decay=-1.0), "weight_decay"),
        (lambda p: optim.RMSProp(p, decay=1.0), "decay"),
        (lambda p: optim.RMSProp(p, momentum=-1.0), "momentum"),
        (lambda p: optim.Adagrad(p, eps=-1.0), "eps"),
        (lambda p: optim.RMSProp(p, floor=-1.0), "floor"),
        (lambda p: optim.Adadelta(p, rho=1.0), "rho"),
        (lambda p: optim.Adamax(p, eps=0.0), "eps"),
        (lambda p: optim.NAdam(p, momentum_decay=-1.0), "momentum_decay"),
        (lambda p: optim.Ftrl(p, l1=-1.0), "l1"),
    ],
)
def test_bad_settings(make, name):
    with pytest.raises(ArgumentError, match=f"{name} must be"):
        make([parameter(1.0)])


def test_repr_shows_the_settings():
    shown = repr(optim.SGD([parameter(1.0)], 0.1))
    expected = "lr=0.1, weight_decay=0.0, maximize=False, steps=0, momentum=0.0, nesterov=False, dampening=0.0"
    assert shown == f"SGD(1 parameters: {expected})"


def test_a_base_class_without_formula():
    x = parameter(1.0)
    backward(x)
    with pytest.raises(NotImplementedError, match="change"):
        optim.Optimizer([x], 0.1).step()


def test_parameters_that_move_to_new_values_keep_their_slots():
    model = nn.Linear(2, 1, rng=0)
    optimizer = optim.Adam(model.parameters(), 0.1)
    backward(*model.parameters())
    optimizer.step()
    model.load_state_dict(model.state_dict())
    optimizer.zero_grad()
    backward(*model.parameters())
    optimizer.step()
    assert optimizer.state_dict()["counts"].tolist() == [2, 2]
