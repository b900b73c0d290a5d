"""Modules: registration, state, text, hooks."""

import copy
import pickle
from collections import OrderedDict

import pytest

import wengert.dialects.torch as torch
from wengert.dialects.torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.body = nn.Sequential(nn.ReLU(), nn.Linear(3, 1, bias=False))
        self.register_buffer("seen", torch.zeros(2))
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.scale * self.body(self.first(x))


def test_what_is_registered():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == ["scale", "first.weight", "first.bias", "body.1.weight"]
    assert list(net.state_dict()) == ["scale", "seen", "first.weight", "first.bias", "body.1.weight"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "body", "body.0", "body.1"]
    assert [name for name, _ in net.named_children()] == ["first", "body"]
    assert net.get_submodule("body.1") is net.body[1]
    assert net.get_parameter("first.bias") is net.first.bias


def test_printed_form():
    assert repr(Net()) == (
        "Net(\n  (first): Linear(in_features=2, out_features=3, bias=True)\n  (body): Sequential(\n    (0): ReLU()\n"
        "    (1): Linear(in_features=3, out_features=1, bias=False)\n  )\n)"
    )
    assert repr(nn.ModuleList([nn.Tanh(), nn.Tanh(), nn.ReLU()])) == (
        "ModuleList(\n  (0-1): 2 x Tanh()\n  (2): ReLU()\n)"
    )


def test_a_parameter_is_a_marked_tensor():
    p = nn.Parameter(torch.zeros(2))
    assert isinstance(p, nn.Parameter)
    assert isinstance(p, torch.Tensor)
    assert p.requires_grad and p.is_leaf
    assert not isinstance(torch.zeros(2, requires_grad=True), nn.Parameter)
    assert not isinstance(p.data, nn.Parameter)
    assert repr(p) == "Parameter containing:\ntensor([0., 0.], requires_grad=True)"


def test_tied_parameters_count_once_and_share_gradients():
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, nn.ReLU(), shared)
    assert len(list(net.parameters())) == 2
    net(torch.ones(1, 2)).sum().backward()
    assert shared.weight.grad is not None


def test_assignments():
    net = Net()
    with pytest.raises(TypeError, match="cannot assign"):
        net.scale = torch.zeros(1)
    with pytest.raises(TypeError, match="cannot assign"):
        net.first = 3
    net.seen = torch.ones(2)
    assert dict(net.named_buffers())["seen"].tolist() == [1, 1]
    net.scale = None
    assert "scale" not in dict(net.named_parameters())
    del net.first
    with pytest.raises(AttributeError, match="no attribute 'first'"):
        net.first  # noqa: B018


def test_attributes_before_init():
    class Early(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
        Early()


def test_state_goes_from_one_module_to_another():
    a, b = Net(), Net()
    assert repr(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
    x = torch.ones(1, 2)
    assert torch.equal(a(x), b(x))
    b.scale.data.zero_()
    assert a.scale.item() == 1


def test_state_that_does_not_fit():
    with pytest.raises(RuntimeError, match="Missing key") as caught:
        nn.Linear(2, 1).load_state_dict({"weight": torch.zeros(3, 3), "other": torch.zeros(1)})
    assert "Unexpected key" in str(caught.value)
    assert "size mismatch for weight" in str(caught.value)
    result = nn.Linear(2, 1).load_state_dict({"other": torch.zeros(1)}, strict=False)
    assert result.missing_keys == ["weight", "bias"]
    assert result.unexpected_keys == ["other"]


def test_modes_reach_everything_below():
    net = Net()
    net.eval()
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())


def test_zero_grad():
    net = nn.Linear(2, 1)
    net(torch.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.weight.grad.tolist() == [[0, 0]]
    net.zero_grad()
    assert net.weight.grad is None


def test_conversion_keeps_the_parameters_the_same_objects():
    net = nn.BatchNorm1d(2)
    weight = net.weight
    net.double()
    assert net.weight is weight
    assert weight.dtype == torch.float64
    assert net.num_batches_tracked.dtype == torch.int64
    assert net(torch.randn(4, 2, dtype=torch.float64)).dtype == torch.float64


def test_copies_are_independent_and_stay_parameters():
    net = Net()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert isinstance(twin.first.weight, nn.Parameter)
        twin.first.weight.data.zero_()
        assert net.first.weight.abs().sum() > 0


def test_apply_goes_from_the_leaves_up():
    seen = []
    Net().apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_forward_hooks():
    net, seen = nn.Linear(2, 1), []
    handles = [
        net.register_forward_pre_hook(lambda m, args: (args[0] * 2,)),
        net.register_forward_hook(lambda m, args, out: seen.append(args[0].tolist()) or out * 0),
    ]
    assert net(torch.ones(1, 2)).item() == 0
    assert seen == [[[2, 2]]]
    for handle in handles:
        handle.remove()
    net(torch.ones(1, 2))
    assert len(seen) == 1


def test_backward_hooks_see_what_enters_and_leaves():
    net, seen = nn.Linear(2, 1, bias=False), []
    net.weight.data.copy_(torch.tensor([[2.0, 3.0]]))
    net.register_full_backward_hook(lambda m, gi, go: seen.append((gi[0].tolist(), go[0].tolist())))
    x = torch.ones(1, 2, requires_grad=True)
    (net(x) * 5).sum().backward()
    assert seen == [([[10, 15]], [[5]])]
    assert x.grad.tolist() == [[10, 15]]


def test_sequential_is_a_list():
    net = nn.Sequential(OrderedDict([("a", nn.Linear(1, 2)), ("b", nn.ReLU())]))
    assert net.a is net[0]
    assert list(net[1:]._modules) == ["b"]
    net = nn.Sequential(nn.ReLU())
    net.append(nn.Tanh()).insert(0, nn.Sigmoid())
    assert [type(m).__name__ for m in net] == ["Sigmoid", "ReLU", "Tanh"]
    del net[0]
    assert len(net) == 2
    with pytest.raises(IndexError):
        net[2]


def test_other_containers():
    modules = nn.ModuleDict({"a": nn.Linear(1, 1)})
    modules["b"] = nn.ReLU()
    assert list(modules.keys()) == ["a", "b"]
    parameters = nn.ParameterList([torch.zeros(2), nn.Parameter(torch.ones(1))])
    assert len(list(parameters.parameters())) == len(parameters) == 2
    named = nn.ParameterDict({"w": torch.zeros(2, 3)})
    assert isinstance(named["w"], nn.Parameter)
    assert repr(named) == "ParameterDict(  (w): Parameter containing: [torch.FloatTensor of size 2x3])"


def test_lazy_modules_settle_at_the_first_input():
    net = nn.Sequential(nn.LazyConv2d(2, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(4))
    assert repr(net[3].weight) == "<UninitializedParameter>"
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    assert net(torch.randn(2, 1, 5, 5)).shape == (2, 4)
    assert type(net[3]) is nn.Linear
    assert net[3].weight.shape == (4, 18)
    before = net[3].weight.detach().clone()
    net(torch.randn(2, 1, 5, 5)).sum().backward()
    optimizer.step()
    assert not torch.equal(before, net[3].weight)


def test_no_gpu():
    with pytest.raises((AssertionError, RuntimeError)):
        nn.Linear(1, 1).cuda()
