"""Attention, transformers, cells, interpolation, margin losses, and the optimisers that came with them."""

import numpy as np
import pytest

import wengert.dialects.torch as torch
from wengert.dialects.torch import nn, optim
from wengert.dialects.torch.nn import functional as F


def close(actual, expected, tolerance=1e-4):
    np.testing.assert_allclose(np.asarray(actual.detach()), expected, rtol=tolerance, atol=tolerance)


def test_scaled_dot_product_attention():
    q, v = torch.zeros(1, 2, 3), torch.tensor([[[1.0], [3.0]]])
    close(F.scaled_dot_product_attention(q, q, v), [[[2], [2]]])
    close(F.scaled_dot_product_attention(q, q, v, is_causal=True), [[[1], [2]]])
    close(F.scaled_dot_product_attention(q, q, v, attn_mask=torch.tensor([False, True])), [[[3], [3]]])


def test_multihead_attention():
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    assert list(attention.state_dict()) == ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.eye(4).repeat(3, 1))
        attention.out_proj.weight.copy_(torch.eye(4))
    x = torch.tensor([[[1.0, 0, 0, 0], [0, 1.0, 0, 0]]])
    y, weights = attention(x, x, x, average_attn_weights=False)
    share = 1 / (1 + np.exp(-(2**-0.5)))
    close(weights[0, 0], [[share, 1 - share], [1 - share, share]])
    close(weights[0, 1], [[0.5, 0.5], [0.5, 0.5]])
    close(y[0], [[share, 1 - share, 0, 0], [1 - share, share, 0, 0]])
    assert attention(x, x, x, need_weights=False)[1] is None
    hidden = attention(x, x, x, key_padding_mask=torch.tensor([[False, True]]))[1]
    close(hidden, [[[1, 0], [1, 0]]])
    causal = attention(x, x, x, attn_mask=nn.Transformer.generate_square_subsequent_mask(2))[1]
    close(causal[0, 0], [1, 0])


def test_transformer_layers():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2)
    x = torch.randn(2, 5, 8, requires_grad=True)
    y = encoder(x)
    close(y.mean(-1), np.zeros((2, 5)))
    y.pow(3).sum().backward()
    assert x.grad.abs().sum() > 0 and all(p.grad is not None for p in encoder.parameters())
    model = nn.Transformer(8, 2, 1, 1, 16, dropout=0.0, batch_first=True)
    assert model(x, torch.randn(2, 3, 8)).shape == (2, 3, 8)
    with pytest.raises(ValueError, match="divisible by num_heads"):
        nn.MultiheadAttention(4, 3)


def test_cells_are_one_step_of_their_networks():
    for network, cell in ((nn.RNN, nn.RNNCell), (nn.GRU, nn.GRUCell), (nn.LSTM, nn.LSTMCell)):
        whole, step = network(3, 4), cell(3, 4)
        step.load_state_dict({k.removesuffix("_l0"): v for k, v in whole.state_dict().items()})
        x = torch.randn(1, 2, 3)
        result = step(x[0])
        close(result[0] if isinstance(result, tuple) else result, whole(x)[0][0].detach().numpy())
    assert repr(nn.GRUCell(2, 3)) == "GRUCell(2, 3)"


def test_interpolation():
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert F.interpolate(x, scale_factor=2)[0, 0, 0].tolist() == [0, 0, 1, 1]
    corners = nn.Upsample(size=(3, 3), mode="bilinear", align_corners=True)(x)
    close(corners[0, 0], [[0, 0.5, 1], [1, 1.5, 2], [2, 2.5, 3]])
    assert nn.PixelShuffle(2)(torch.zeros(1, 8, 2, 3)).shape == (1, 2, 4, 6)
    with pytest.raises(NotImplementedError, match="a mode in"):
        F.interpolate(x, scale_factor=2, mode="bicubic")
    with pytest.raises(ValueError, match="only one of size or scale_factor"):
        F.interpolate(x)


def test_margin_losses():
    a, b = torch.tensor([1.0, 3.0], requires_grad=True), torch.tensor([2.0, 1.0])
    order = torch.tensor([1.0, -1.0])
    loss = nn.MarginRankingLoss(margin=0.5)(a, b, order)
    loss.backward()
    assert loss.item() == 2 and a.grad.tolist() == [-0.5, 0.5]
    assert F.margin_ranking_loss(a, b, order, reduction="none").tolist() == [1, 2]
    assert nn.MultiMarginLoss()(torch.eye(2), torch.tensor([0, 1])).item() == 0
    assert nn.TripletMarginLoss(swap=True)(torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 2)).item() == 1
    close(nn.GaussianNLLLoss()(torch.ones(3), torch.zeros(3), torch.full((3,), 0.5)), 1 + np.log(0.5) / 2)
    close(nn.PoissonNLLLoss()(torch.zeros(2), torch.ones(2)), 1)
    close(nn.MultiLabelSoftMarginLoss()(torch.zeros(2, 3), torch.ones(2, 3)), np.log(2))


def test_pad_sequence():
    x = nn.utils.rnn.pad_sequence([torch.ones(1), torch.ones(2)], batch_first=True, padding_value=-1)
    assert x.tolist() == [[1, -1], [1, 1]]
    assert [t.tolist() for t in nn.utils.rnn.unpad_sequence(x, torch.tensor([1, 2]), True)] == [[1], [1, 1]]


# Optimisers --------------------------------------------------------------------------------------------------------


def _steps(make, n):
    p = torch.tensor([-1.0, 1.5, 0.3], requires_grad=True)
    optimizer = make([p])

    def closure():
        optimizer.zero_grad()
        loss = (1 - p[0]) ** 2 + 10 * (p[1] - p[0] ** 2) ** 2 + (p[2] * p[0]).sin()
        loss.backward()
        return loss

    for _ in range(n):
        optimizer.step(closure)
    return p, optimizer


@pytest.mark.parametrize(
    ("make", "n", "expected"),
    [
        (lambda q: optim.Adadelta(q, lr=1.0), 8, [-1.0254, 1.4745, 0.3269]),
        (lambda q: optim.Adamax(q, lr=0.1), 8, [-1.0965, 1.2612, 1.0345]),
        (lambda q: optim.NAdam(q, lr=0.1), 8, [-1.0823, 1.2213, 0.9024]),
        (lambda q: optim.LBFGS(q, lr=0.1, max_iter=3), 3, [-1.0980, 1.4222, 0.3207]),
    ],
)
def test_optimisers_take_pytorchs_steps(make, n, expected):
    close(_steps(make, n)[0], expected)


def test_lbfgs_with_a_line_search():
    p, optimizer = _steps(lambda q: optim.LBFGS(q, line_search_fn="strong_wolfe"), 3)
    first = optimizer.step(lambda: _bowl(p, optimizer))
    assert first.item() > 0
    close(p, [1, 1, 1], 1e-3)
    with pytest.raises(ValueError, match="closure"):
        optimizer.step()
    assert len(optimizer.state_dict()["state"]) == 1


def _bowl(p, optimizer):
    optimizer.zero_grad()
    loss = ((p - 1) ** 2).sum()
    loss.backward()
    return loss


def _rates(make, n):
    p = torch.zeros(1, requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
    scheduler, rates = make(optimizer), []
    for _ in range(n):
        rates.append(round(optimizer.param_groups[0]["lr"], 4))
        optimizer.step()
        scheduler.step()
    return rates, optimizer.param_groups[0]["momentum"]


def test_one_cycle():
    rates, momentum = _rates(lambda o: optim.lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=11), 10)
    assert rates == [0.04, 0.4223, 0.9603, 0.9797, 0.8845, 0.7261, 0.5306, 0.3301, 0.1574, 0.041]
    assert momentum == pytest.approx(0.95)
    with pytest.raises(ValueError, match="total_steps"):
        optim.lr_scheduler.OneCycleLR(optim.SGD([torch.zeros(1)], 0.1, momentum=0.9), 1.0)


def test_cyclic():
    rates, momentum = _rates(lambda o: optim.lr_scheduler.CyclicLR(o, 0.0, 1.0, step_size_up=2), 6)
    assert rates == [0, 0.5, 1, 0.5, 0, 0.5] and momentum == pytest.approx(0.8)
    halves, _ = _rates(lambda o: optim.lr_scheduler.CyclicLR(o, 0.0, 1.0, step_size_up=1, mode="triangular2"), 6)
    assert halves == [0, 1, 0, 0.5, 0, 0.25]
