"""Layers, activations, losses and initial values, against numbers worked out by hand or with plain NumPy."""

import math

import numpy as np
import pytest

import wengert.dialects.torch as torch
import wengert.dialects.torch.nn.functional as F
from wengert.dialects.torch import nn


def test_linear():
    layer = nn.Linear(2, 1)
    layer.weight.data.copy_(torch.tensor([[2.0, 3.0]]))
    layer.bias.data.fill_(1.0)
    y = layer(torch.tensor([[1.0, 10.0]]))
    assert y.tolist() == [[33]]
    y.backward()
    assert layer.weight.grad.tolist() == [[1, 10]]
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        layer(torch.zeros(3, 4))
    with pytest.raises(RuntimeError, match="dtype"):
        layer(torch.zeros(3, 2, dtype=torch.float64))


def test_initial_values_follow_the_seed():
    # The numbers are PyTorch's own for this seed.
    torch.manual_seed(0)
    layer = nn.Linear(2, 3)
    expected = [[-0.0053, 0.3793], [-0.5820, -0.5204], [-0.2723, 0.1896]]
    np.testing.assert_allclose(layer.weight.detach().numpy(), expected, atol=1e-4)
    np.testing.assert_allclose(layer.bias.detach().numpy(), [-0.0140, 0.5607, -0.0628], atol=1e-4)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.ReLU(), [0, 0, 2]),
        (nn.LeakyReLU(0.1), [-0.1, 0, 2]),
        (nn.ELU(), [math.expm1(-1), 0, 2]),
        (nn.Hardtanh(), [-1, 0, 1]),
        (nn.ReLU6(), [0, 0, 2]),
        (nn.Softplus(), [math.log1p(math.exp(-1)), math.log(2), math.log1p(math.exp(2))]),
        (nn.Sigmoid(), [1 / (1 + math.e), 0.5, 1 / (1 + math.exp(-2))]),
        (nn.Tanh(), [math.tanh(-1), 0, math.tanh(2)]),
        (nn.SiLU(), [-1 / (1 + math.e), 0, 2 / (1 + math.exp(-2))]),
        (nn.GELU(), [-0.15865525, 0, 1.9544997]),
        (nn.GELU("tanh"), [-0.15880801, 0, 1.9545977]),
        (nn.Softsign(), [-0.5, 0, 2 / 3]),
        (nn.Softshrink(), [-0.5, 0, 1.5]),
        (nn.Hardshrink(1.5), [0, 0, 2]),
        (nn.Threshold(0.5, 9.0), [9, 9, 2]),
        (nn.PReLU(), [-0.25, 0, 2]),
        (nn.LogSigmoid(), [-math.log1p(math.e), -math.log(2), -math.log1p(math.exp(-2))]),
        (nn.Hardswish(), [-1 / 3, 0, 5 / 3]),
    ],
)
def test_activations(module, expected):
    y = module(torch.tensor([-1.0, 0.0, 2.0]))
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-5, atol=1e-7)


def test_softmax_is_named_and_normalised():
    y = F.softmax(torch.tensor([[0.0, math.log(3.0)]], requires_grad=True), dim=1)
    np.testing.assert_allclose(y.detach().numpy(), [[0.25, 0.75]], rtol=1e-6)
    assert y.grad_fn.name() == "SoftmaxBackward0"


def test_inplace_activations_write():
    x = torch.tensor([-1.0, 2.0])
    assert nn.ReLU(inplace=True)(x) is x
    assert x.tolist() == [0, 2]


def test_dropout_only_in_training():
    torch.manual_seed(0)
    layer = nn.Dropout(0.5)
    x = torch.ones(2000, requires_grad=True)
    y = layer(x)
    assert set(y.tolist()) == {0.0, 2.0}
    assert 0.45 < (y == 0).float().mean().item() < 0.55
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())
    layer.eval()
    assert layer(x) is x
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.Dropout(1.5)


def test_batch_norm():
    layer = nn.BatchNorm1d(1, eps=0.0)
    x = torch.tensor([[1.0], [3.0]])
    assert layer(x).tolist() == [[-1], [1]]
    np.testing.assert_allclose(layer.running_mean.numpy(), [0.2], rtol=1e-6)
    np.testing.assert_allclose(layer.running_var.numpy(), [1.1], rtol=1e-6)
    assert layer.num_batches_tracked.item() == 1
    layer.eval()
    np.testing.assert_allclose(layer(x).detach().numpy(), (x.numpy() - 0.2) / math.sqrt(1.1), rtol=1e-5)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        nn.BatchNorm1d(2)(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="expected 4D input"):
        nn.BatchNorm2d(2)(torch.zeros(1, 2))


def test_batch_norm_without_running_statistics():
    layer = nn.BatchNorm2d(2, affine=False, track_running_stats=False).eval()
    y = layer(torch.randn(4, 2, 3, 3))
    np.testing.assert_allclose(y.mean(dim=(0, 2, 3)).numpy(), [0, 0], atol=1e-6)
    assert list(layer.state_dict()) == []


def test_layer_norm_and_group_norm():
    x = torch.tensor([[1.0, 3.0, 10.0, 30.0]])
    assert nn.GroupNorm(2, 4, eps=0.0)(x).tolist() == [[-1, 1, -1, 1]]
    assert nn.LayerNorm(2, eps=0.0)(x.reshape(2, 2)).tolist() == [[-1, 1], [-1, 1]]
    with pytest.raises(RuntimeError, match="normalized_shape"):
        nn.LayerNorm(3)(x)


def test_embedding_leaves_the_padding_row_alone():
    table = nn.Embedding(3, 2, padding_idx=0)
    assert table.weight[0].tolist() == [0, 0]
    table(torch.tensor([0, 1, 1])).sum().backward()
    assert table.weight.grad.tolist() == [[0, 0], [2, 2], [0, 0]]


def test_convolution_and_pooling():
    layer = nn.Conv2d(1, 1, 2, bias=False)
    layer.weight.data.copy_(torch.tensor([[[[1.0, 0.0], [0.0, -1.0]]]]))
    x = torch.arange(9.0).reshape(1, 1, 3, 3).requires_grad_()
    y = layer(x)
    assert y.tolist() == [[[[-4, -4], [-4, -4]]]]
    y.sum().backward()
    assert x.grad.tolist() == [[[[1, 1, 0], [1, 0, -1], [0, -1, -1]]]]
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert nn.MaxPool2d(2)(image).tolist() == [[[[5, 7], [13, 15]]]]
    assert nn.AvgPool2d(2)(image).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
    assert nn.AdaptiveAvgPool2d(1)(image).tolist() == [[[[7.5]]]]
    assert nn.AdaptiveAvgPool2d((4, 3))(image)[0, 0, 0].tolist() == [0.5, 1.5, 2.5]
    with pytest.raises(RuntimeError):
        layer(torch.zeros(1, 2, 3, 3))


def test_padding():
    x = torch.tensor([[1.0, 2.0]])
    assert F.pad(x, (1, 2)).tolist() == [[0, 1, 2, 0, 0]]
    assert F.pad(x, (1, 0), value=7).tolist() == [[7, 1, 2]]
    assert F.pad(x, (1, 1), mode="replicate").tolist() == [[1, 1, 2, 2]]
    assert F.pad(x, (-1, 0)).tolist() == [[2]]


A, B = torch.tensor([0.0, 3.0]), torch.tensor([0.5, 0.0])


@pytest.mark.parametrize(
    ("loss", "each"),
    [
        (nn.MSELoss, [0.25, 9]),
        (nn.L1Loss, [0.5, 3]),
        (nn.HuberLoss, [0.125, 2.5]),
        (nn.SmoothL1Loss, [0.125, 2.5]),
    ],
)
def test_regression_losses(loss, each):
    assert loss(reduction="none")(A, B).tolist() == each
    assert loss(reduction="sum")(A, B).item() == sum(each)
    assert loss()(A, B).item() == sum(each) / 2


def test_cross_entropy_options():
    logits = torch.zeros(3, 4)
    labels = torch.tensor([0, 3, -100])
    assert F.cross_entropy(logits, labels).item() == pytest.approx(math.log(4))
    assert F.cross_entropy(logits, labels, reduction="none")[2].item() == 0
    weight = torch.tensor([1.0, 1.0, 1.0, 3.0])
    assert F.cross_entropy(logits, labels, weight=weight, reduction="sum").item() == pytest.approx(4 * math.log(4))
    assert F.cross_entropy(logits, labels, weight=weight).item() == pytest.approx(math.log(4))
    assert F.cross_entropy(logits, labels, label_smoothing=0.5).item() == pytest.approx(math.log(4))
    assert F.cross_entropy(logits, torch.full((3, 4), 0.25)).item() == pytest.approx(math.log(4))
    assert F.cross_entropy(torch.zeros(2, 4, 5), torch.zeros(2, 5, dtype=torch.int64)).item() == pytest.approx(
        math.log(4)
    )
    with pytest.raises((IndexError, ValueError)):
        F.cross_entropy(logits, torch.tensor([0, 4, 0]))


def test_losses_of_probabilities():
    p, t = torch.tensor([0.5, 0.0]), torch.tensor([1.0, 1.0])
    assert F.binary_cross_entropy(p, t, reduction="none").tolist() == [pytest.approx(math.log(2)), 100]
    assert F.binary_cross_entropy_with_logits(torch.zeros(1), torch.ones(1), pos_weight=torch.tensor(3.0)).item() == (
        pytest.approx(3 * math.log(2))
    )
    assert F.kl_div(
        torch.log(torch.tensor([[0.5, 0.5]])), torch.tensor([[1.0, 0.0]]), reduction="batchmean"
    ).item() == (pytest.approx(math.log(2)))


def test_operands_of_different_shapes_are_warned_about():
    with pytest.warns(UserWarning, match="Using a target size"):
        F.mse_loss(torch.zeros(3, 1), torch.zeros(3))


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("MseLossBackward0", lambda x: F.mse_loss(x, torch.zeros(2, 2))),
        ("NllLossBackward0", lambda x: F.cross_entropy(x, torch.tensor([0, 1]))),
        ("AddmmBackward0", lambda x: F.linear(x, torch.zeros(2, 2), torch.zeros(2))),
        ("ReluBackward0", F.relu),
        ("LogSoftmaxBackward0", lambda x: F.log_softmax(x, dim=1)),
    ],
)
def test_names_of_gradient_functions(name, loss):
    assert loss(torch.ones(2, 2, requires_grad=True)).grad_fn.name() == name


def test_initialisers():
    w = torch.empty(200, 100)
    assert nn.init.xavier_uniform_(w).abs().max().item() <= math.sqrt(6 / 300)
    assert nn.init.kaiming_normal_(w).std().item() == pytest.approx(math.sqrt(2 / 100), rel=0.05)
    assert nn.init.normal_(w, std=0.5).std().item() == pytest.approx(0.5, rel=0.05)
    assert nn.init.trunc_normal_(w, a=-1, b=1).abs().max().item() <= 1
    q = nn.init.orthogonal_(torch.empty(5, 3))
    np.testing.assert_allclose((q.T @ q).numpy(), np.eye(3), atol=1e-6)
    assert nn.init.constant_(torch.empty(2), 3.0).tolist() == [3, 3]
    assert nn.init.eye_(torch.empty(2, 2)).tolist() == [[1, 0], [0, 1]]
    with pytest.raises(ValueError, match="fewer than 2 dimensions"):
        nn.init.xavier_uniform_(torch.empty(3))


def test_gradient_utilities():
    x = torch.tensor([3.0, 4.0], requires_grad=True)
    (x * x).sum().backward()
    assert nn.utils.clip_grad_norm_([x], 1.0).item() == 10
    np.testing.assert_allclose(x.grad.numpy(), [0.6, 0.8], rtol=1e-6)
    nn.utils.clip_grad_value_([x], 0.7)
    np.testing.assert_allclose(x.grad.numpy(), [0.6, 0.7], rtol=1e-6)
    layer = nn.Linear(2, 1)
    vector = nn.utils.parameters_to_vector(layer.parameters())
    nn.utils.vector_to_parameters(torch.ones_like(vector), layer.parameters())
    assert layer.weight.tolist() == [[1, 1]]


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_networks(kind, gates):
    layer = kind(2, 3, num_layers=2, bidirectional=True, batch_first=True)
    assert layer.weight_ih_l1_reverse.shape == (3 * gates, 6)
    y, state = layer(torch.randn(4, 5, 2))
    last = state[0] if kind is nn.LSTM else state
    assert y.shape == (4, 5, 6)
    assert last.shape == (4, 4, 3)
    assert torch.equal(last[2], y[:, -1, :3])
    assert torch.equal(last[3], y[:, 0, 3:])
    y.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())
    with pytest.raises(RuntimeError, match="input_size"):
        layer(torch.randn(4, 5, 3))


def test_one_recurrent_step():
    zeros = {name: torch.zeros_like(p) for name, p in nn.GRU(1, 1).state_dict().items()}
    gru = nn.GRU(1, 1)
    gru.load_state_dict(zeros)
    assert gru(torch.ones(1, 1), torch.full((1, 1), 2.0))[0].item() == 1.0
    rnn = nn.RNN(1, 1)
    for p in rnn.parameters():
        nn.init.constant_(p, 0.5)
    assert rnn(torch.ones(1, 1))[0].item() == pytest.approx(math.tanh(1.5))
