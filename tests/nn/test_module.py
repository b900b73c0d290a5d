import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.errors import ArgumentError, DTypeError, ShapeError


def parameter(*shape):
    return wg.tensor(np.ones(shape), requires_grad=True)


class Nested(nn.Module):
    def __init__(self):
        self.size = 3
        self.scale = parameter()
        self.step = wg.tensor(np.zeros(2))
        self.child = nn.Linear(2, 3, rng=0)
        self.blocks = [nn.Linear(3, 3, rng=1), parameter(1)]
        self.heads = {"a": nn.Linear(3, 1, bias=False, rng=2), "b": (parameter(4), "text")}
        self.activation = np.tanh

    def forward(self, x):
        return self.heads["a"](self.activation(self.blocks[0](self.child(x)))) * self.scale


PARAMETERS = [
    "scale",
    "child.weight",
    "child.bias",
    "blocks.0.weight",
    "blocks.0.bias",
    "blocks.1",
    "heads.a.weight",
    "heads.b.0",
]


def test_names():
    model = Nested()
    assert [name for name, _ in model.named_parameters()] == PARAMETERS
    assert list(model.state_dict()) == ["scale", "step", *PARAMETERS[1:]]
    assert all(p is q for p, (_, q) in zip(model.parameters(), model.named_parameters(), strict=True))
    assert dict(model.named_parameters())["blocks.0.weight"] is model.blocks[0].weight


def test_call_is_forward():
    model = Nested()
    np.testing.assert_array_equal(model(np.ones((5, 2))).data, model.forward(np.ones((5, 2))).data)
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Module()(1)


def test_a_shared_tensor_counts_once():
    model = Nested()
    model.blocks.append(model.child)
    model.tied = model.scale
    assert [name for name, _ in model.named_parameters()] == PARAMETERS


def test_a_child_that_knows_its_parent():
    model = Nested()
    model.child.parent = model
    assert [name for name, _ in model.named_parameters()] == PARAMETERS
    assert "parent: Nested (shown above)" in repr(model)


def test_results_that_were_kept_are_not_state():
    model = Nested()
    model.hidden = model(np.ones((5, 2)))
    assert "hidden" not in model.state_dict()


def test_a_frozen_parameter_is_saved_and_not_trained():
    model = Nested()
    model.scale.requires_grad_(False)
    assert "scale" not in dict(model.named_parameters())
    assert "scale" in model.state_dict()


def test_zero_grad():
    model = Nested()
    np.sum(model(np.ones((5, 2)))).backward()
    assert model.child.weight.grad is not None
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_state_is_independent_of_the_module():
    model = Nested()
    state = model.state_dict()
    assert all(type(array) is np.ndarray for array in state.values())
    state["child.weight"][...] = 0
    assert np.any(model.child.weight.data != 0)
    before = state["child.bias"].copy()
    with wg.no_grad():
        model.child.bias += 1
    np.testing.assert_array_equal(state["child.bias"], before)


def test_round_trip(tmp_path):
    model, other = Nested(), Nested()
    with wg.no_grad():
        for p in model.parameters():
            p *= 3
        model.step += 1
    np.savez(tmp_path / "weights.npz", **model.state_dict())
    with np.load(tmp_path / "weights.npz") as state:
        assert other.load_state_dict(state) == ([], [])
    for name, array in other.state_dict().items():
        np.testing.assert_array_equal(array, model.state_dict()[name])
    x = np.ones((5, 2))
    np.testing.assert_array_equal(other(x).data, model(x).data)


def test_loading_keeps_the_tensors_and_copies_the_arrays():
    model = Nested()
    weight = model.child.weight
    state = {name: array + 1 for name, array in model.state_dict().items()}
    model.load_state_dict(state)
    assert model.child.weight is weight
    assert weight.requires_grad
    expected = state["child.weight"].copy()
    state["child.weight"][...] = 0
    np.testing.assert_array_equal(weight.data, expected)


def test_loading_converts_precision():
    model = Nested()
    model.load_state_dict({name: array.astype(np.float32) for name, array in model.state_dict().items()})
    assert model.child.weight.dtype == np.float64


def test_names_that_do_not_match():
    model = Nested()
    state = model.state_dict()
    state["extra"] = state.pop("scale")
    with pytest.raises(ArgumentError, match="missing: scale; unexpected: extra"):
        model.load_state_dict(state)
    assert model.load_state_dict(state, strict=False) == (["scale"], ["extra"])


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.zeros((3, 2)), ShapeError, r"child.weight has shape \(2, 3\) and dtype float64; got shape \(3, 2\)"),
        (np.zeros(()), ShapeError, r"got shape \(\)"),
        (np.zeros((2, 3), complex), DTypeError, "child.weight has dtype float64; got dtype complex128"),
        (np.full((2, 3), "a"), DTypeError, "got dtype <U1"),
    ],
)
def test_a_bad_value_changes_nothing(value, error, message):
    model = Nested()
    before = model.state_dict()
    state = {name: array + 1 for name, array in before.items()}
    state["child.weight"] = value
    with pytest.raises(error, match=message):
        model.load_state_dict(state)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_repr():
    assert repr(Nested()).splitlines() == [
        "Nested  scale () float64, step (2,) float64, blocks.1 (1,) float64, heads.b.0 (4,) float64",
        "  child: Linear  weight (2, 3) float64, bias (3,) float64",
        "  blocks.0: Linear  weight (3, 3) float64, bias (3,) float64",
        "  heads.a: Linear  weight (3, 1) float64",
        "  activation: tanh",
    ]
