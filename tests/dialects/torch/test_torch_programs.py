"""What programs written for PyTorch use: pieces of tutorials and test suites, with the results that PyTorch gives."""

import math

import numpy as np
import pytest

import wengert.dialects.torch as torch
from wengert.dialects.torch import nn
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.utils.checkpoint import checkpoint, checkpoint_sequential


def close(actual, expected, tolerance=1e-4):
    np.testing.assert_allclose(np.asarray(actual.detach()), expected, rtol=tolerance, atol=tolerance)


# Whole numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("divide", [torch.floor_divide, torch.remainder, torch.fmod, lambda a, b: a // b])
@pytest.mark.parametrize("divisor", [0, torch.tensor([1, 0])])
def test_whole_numbers_are_not_divided_by_zero(divide, divisor):
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        divide(torch.tensor([3, 4]), divisor)


def test_whole_division():
    x = torch.tensor([7, -7])
    assert (x // 2).tolist() == [3, -4] and (x % 3).tolist() == [1, 2]
    assert torch.fmod(x, 3).tolist() == [1, -1]
    assert torch.div(x, 2, rounding_mode="trunc").tolist() == [3, -3]
    assert (7 // torch.tensor([2, 3])).tolist() == [3, 2] and (7 % torch.tensor([4])).tolist() == [3]
    x //= 2
    x %= 3
    assert x.tolist() == [0, 2]
    assert (torch.tensor([1.0]) // 0).isinf().item()


def test_powers_of_truth_values_are_integers():
    assert (torch.tensor([True, False]) ** 2).dtype is torch.int64


# Indexing and shapes -----------------------------------------------------------------------------------------------


def test_a_list_of_lists_is_an_index_for_each_dimension():
    x = torch.arange(16.0).reshape(4, 4).requires_grad_()
    x[[[1, 1, 3], [0, 0, 2]]].sum().backward()
    assert x.grad[1, 0] == 2 and x.grad[3, 2] == 1 and x.grad.sum() == 3


def test_scatter_with_one_position():
    assert torch.zeros(3).scatter_(0, torch.tensor(1), value=1).tolist() == [0, 1, 0]


def test_scatter_reduce():
    index, src = torch.tensor([0, 0, 1]), torch.tensor([1.0, 2.0, 3.0])
    assert torch.zeros(3).scatter_reduce(0, index, src, "sum").tolist() == [3, 3, 0]
    assert torch.ones(3).scatter_reduce(0, index, src, "mean").tolist() == pytest.approx([4 / 3, 2, 1])
    assert torch.zeros(3).scatter_reduce(0, index, src, "amax", include_self=False).tolist() == [2, 3, 0]


def test_shapes_in_place():
    x = torch.zeros(2, 3)
    assert x.unsqueeze_(0) is x and x.shape == (1, 2, 3)
    assert x.squeeze_(0).t_().shape == (3, 2)
    y = (torch.ones(2, requires_grad=True) * 2).unsqueeze_(1)
    assert y.shape == (2, 1) and y.requires_grad
    base = torch.zeros(2, 3)
    row = base[0]
    with pytest.raises(NotImplementedError, match="has none"):
        base.t_()
    assert row.shape == (3,)


def test_joining_and_splitting():
    assert torch.block_diag(torch.ones(1, 2), torch.ones(2, 1)).tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert torch.combinations(torch.tensor([1, 2, 3])).tolist() == [[1, 2], [1, 3], [2, 3]]
    assert torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3])).tolist() == [[1, 3], [2, 3]]
    assert torch.arange(6).unfold(0, 3, 2).tolist() == [[0, 1, 2], [2, 3, 4]]
    assert [part.shape for part in torch.hsplit(torch.zeros(2, 3), [1])] == [(2, 1), (2, 2)]


def test_running_extrema():
    x = torch.tensor([1.0, 3.0, 2.0, 3.0], requires_grad=True)
    values, indices = x.cummax(0)
    assert values.tolist() == [1, 3, 3, 3] and indices.tolist() == [0, 1, 1, 3]
    values.sum().backward()
    assert x.grad.tolist() == [1, 2, 0, 1]


def test_statistics():
    x = torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    assert torch.cov(x).tolist() == [[1, -1], [-1, 1]] and torch.corrcoef(x).tolist() == [[1, -1], [-1, 1]]
    assert torch.diff(torch.tensor([1.0, 4.0, 9.0]), n=2).tolist() == [2]
    assert torch.trapezoid(torch.tensor([1.0, 2.0, 3.0])).item() == 4
    assert torch.cdist(torch.eye(2), torch.zeros(1, 2)).tolist() == [[1], [1]]
    values, inverse, counts = torch.unique_consecutive(torch.tensor([1, 1, 2, 1]), True, True)
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == ([1, 2, 1], [0, 0, 1, 2], [2, 1, 1])


# Random numbers: those of PyTorch ----------------------------------------------------------------------------------


def test_random_numbers_of_one_probability():
    torch.manual_seed(0)
    drawn = torch.empty(20).bernoulli_(0.3)
    assert drawn.nonzero().flatten().tolist() == [6, 9, 11, 17]
    torch.manual_seed(0)
    assert F.dropout(torch.ones(12), 0.3).nonzero().flatten().tolist() == [2, 4, 6, 7, 8, 9, 10, 11]


def test_random_numbers_of_other_distributions():
    torch.manual_seed(0)
    close(torch.empty(3).exponential_(), [3.508326, 1.230385, 0.615044])
    torch.manual_seed(0)
    assert torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 5, replacement=True).tolist() == [2, 2, 2, 2, 2]
    torch.manual_seed(0)
    assert torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 2).tolist() == [2, 1]
    torch.manual_seed(0)
    assert torch.randint(0, 2**28, (3,)).tolist() == [130329135, 136432832, 195187451]


def test_distributions():
    normal = torch.distributions.Normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
    close(normal.log_prob(torch.tensor([0.5, 0.5])), [-1.0439, -1.6433])
    close(normal.entropy(), [1.4189, 2.1121])
    mean = torch.zeros(2, requires_grad=True)
    torch.distributions.Normal(mean, 1.0).rsample((3,)).sum().backward()
    assert mean.grad.tolist() == [3, 3]
    categorical = torch.distributions.Categorical(torch.tensor([0.2, 0.3, 0.5]))
    close(categorical.log_prob(torch.tensor([1, 2])), np.log([0.3, 0.5]))
    assert categorical.sample((4,)).shape == (4,)
    counts = torch.distributions.multinomial.Multinomial(100, torch.tensor([0.5, 0.5])).sample()
    assert counts.sum().item() == 100
    close(torch.distributions.Bernoulli(torch.tensor(0.3)).log_prob(torch.tensor(1.0)), math.log(0.3))
    close(torch.distributions.Uniform(0.0, 2.0).entropy(), math.log(2))


# Autograd ----------------------------------------------------------------------------------------------------------


def test_vmap_and_random_numbers():
    zeros = torch.zeros(2, 3)
    with pytest.raises(RuntimeError, match="randomness"):
        torch.vmap(lambda x: x + torch.rand(3))(zeros)
    same = torch.vmap(lambda x: x + torch.rand(3), randomness="same")(zeros)
    other = torch.vmap(lambda x: x + torch.rand(3), randomness="different")(zeros)
    assert torch.equal(same[0], same[1]) and not torch.equal(other[0], other[1])
    with pytest.raises(ValueError, match="one size"):
        torch.vmap(torch.mul)(torch.ones(2), torch.ones(3))


def test_strict_derivatives():
    x = torch.rand(2)
    with pytest.raises(RuntimeError, match="independent of an input"):
        torch.autograd.functional.jacobian(lambda x: torch.ones(2), x, strict=True)
    with pytest.raises(RuntimeError, match="independent of an input"):
        torch.autograd.functional.hessian(lambda x: x.sum(), x, strict=True)
    assert torch.autograd.functional.hessian(lambda x: (x**2).sum(), x, strict=True).tolist() == [[2, 0], [0, 2]]


@pytest.mark.filterwarnings("ignore:invalid value")
def test_anomaly_detection():
    x = torch.tensor([-1.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        assert torch.is_anomaly_enabled()
        with pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan"):
            (torch.sqrt(x) * 2).sum().backward()
        with pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan"):
            torch.autograd.grad(torch.sqrt(x).sum(), x)
        (x * 2).sum().backward()
    assert x.grad.tolist() == [2] and not torch.is_anomaly_enabled()
    torch.sqrt(x).sum().backward()
    assert x.grad.isnan().all()


def test_the_graph_of_a_loss_is_that_of_its_layers():
    model = nn.Linear(2, 2)
    loss = nn.MSELoss()(model(torch.ones(1, 2)), torch.zeros(1, 2))
    layer = loss.grad_fn.next_functions[0][0]
    assert (loss.grad_fn.name(), layer.name()) == ("MseLossBackward0", "AddmmBackward0")
    assert layer.next_functions[0][0].variable is model.bias


def test_memory_may_be_changed_inside_a_function():
    class PlusOne(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            array = x.numpy()
            array += 1
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g

    a = torch.ones(2, requires_grad=True)
    b = a.clone()
    PlusOne.apply(b)
    b.sum().backward()
    assert b.tolist() == [2, 2] and a.grad.tolist() == [1, 1]


def test_variable():
    x = torch.autograd.Variable(torch.ones(2), requires_grad=True)
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3, 3] and isinstance(x, torch.autograd.Variable)


# Checkpoints -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints_give_the_same_gradients(reentrant):
    torch.manual_seed(0)
    model, calls = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), []
    x = torch.randn(5, 3, requires_grad=True)
    model(x).pow(2).sum().backward()
    expected = [t.grad.clone() for t in (x, *model.parameters())]
    model.zero_grad()
    x.grad = None

    def run(x):
        calls.append(x)
        return model(x)

    y = checkpoint(run, x, use_reentrant=reentrant)
    assert len(calls) == 1
    y.pow(2).sum().backward()
    assert len(calls) == 2
    for t, g in zip((x, *model.parameters()), expected, strict=True):
        close(t.grad, g)


def test_checkpoints_of_several_arguments_and_of_higher_order():
    a, b = torch.ones(2, requires_grad=True), torch.full((2,), 3.0, requires_grad=True)
    u, v = checkpoint(lambda a, b, k: (a * b * k, a + b), a, b, k=5, use_reentrant=False)
    (u.sum() + 2 * v.sum()).backward()
    assert a.grad.tolist() == [17, 17] and b.grad.tolist() == [7, 7]
    x = torch.tensor(2.0, requires_grad=True)
    (g,) = torch.autograd.grad(checkpoint(lambda t: t**3, x, use_reentrant=False), x, create_graph=True)
    assert torch.autograd.grad(g, x)[0].item() == 12


def test_checkpoints_draw_the_same_numbers_again():
    x = torch.ones(50, requires_grad=True)
    y = checkpoint(lambda t: F.dropout(t) * 3, x, use_reentrant=False)
    y.sum().backward()
    assert torch.equal(y.detach(), x.grad)


def test_checkpoints_in_sequence():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    x = torch.ones(1, 2)
    close(checkpoint_sequential(model, 2, x, use_reentrant=False), model(x).detach().numpy())
