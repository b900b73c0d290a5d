"""Layers and losses: values and gradients."""

import numpy as onp
import pytest

from wengert.dialects.mxnet import autograd, gluon, nd
from wengert.dialects.mxnet.gluon import nn


def made(layer, init="ones"):
    layer.initialize(init)
    return layer


@pytest.mark.parametrize(
    ("layer", "shape", "result"),
    [
        (lambda: nn.Conv1D(16, 3), (1, 4, 10), (1, 16, 8)),
        (lambda: nn.Conv2D(16, (3, 4), strides=2, padding=1, groups=2), (1, 4, 20, 20), (1, 16, 10, 10)),
        (lambda: nn.Conv2D(16, 3, dilation=2, activation="relu", use_bias=False), (1, 4, 20, 20), (1, 16, 16, 16)),
        (lambda: nn.Conv3D(2, (1, 3, 3)), (1, 4, 5, 5, 5), (1, 2, 5, 3, 3)),
        (lambda: nn.Conv2DTranspose(2, 4, strides=2, padding=1), (1, 3, 4, 4), (1, 2, 8, 8)),
        (lambda: nn.Conv1DTranspose(2, 3, strides=2, output_padding=1), (1, 3, 4), (1, 2, 10)),
        (lambda: nn.MaxPool1D(3, 2), (1, 2, 10), (1, 2, 4)),
        (lambda: nn.MaxPool2D(3, ceil_mode=True), (2, 2, 10, 10), (2, 2, 4, 4)),
        (lambda: nn.AvgPool2D(count_include_pad=False), (2, 2, 10, 10), (2, 2, 5, 5)),
        (lambda: nn.GlobalAvgPool2D(), (2, 3, 5, 5), (2, 3, 1, 1)),
        (lambda: nn.GlobalMaxPool1D(), (2, 3, 5), (2, 3, 1)),
        (lambda: nn.BatchNorm(), (4, 3, 5), (4, 3, 5)),
        (lambda: nn.BatchNorm(axis=-1), (4, 3, 5), (4, 3, 5)),
        (lambda: nn.LayerNorm(), (4, 3), (4, 3)),
        (lambda: nn.GroupNorm(2), (2, 4, 3), (2, 4, 3)),
        (lambda: nn.InstanceNorm(), (2, 3, 4), (2, 3, 4)),
        (lambda: nn.InstanceNorm(axis=2), (2, 3, 4), (2, 3, 4)),
        (lambda: nn.Flatten(), (2, 3, 4), (2, 12)),
        (lambda: nn.Dense(5, flatten=False), (2, 3, 4), (2, 3, 5)),
        (lambda: nn.Lambda("relu"), (2, 3), (2, 3)),
        (lambda: nn.HybridLambda(lambda F, x: F.tanh(x)), (2, 3), (2, 3)),
        (lambda: nn.PReLU(), (2, 3), (2, 3)),
        (lambda: nn.ReflectionPad2D(1), (1, 1, 3, 3), (1, 1, 5, 5)),
    ],
)
def test_shapes_and_finite_gradients(layer, shape, result):
    layer = made(layer(), init=None)
    x = nd.random.normal(shape=shape)
    x.attach_grad()
    with autograd.record():
        y = layer(x)
    y.backward()
    assert y.shape == result
    assert onp.isfinite(x.grad.asnumpy()).all()
    for parameter in layer.collect_params().values():
        if parameter.grad_req != "null":
            assert parameter.data()._fresh_grad


def test_batch_norm_follows_the_biased_statistics():
    norm = made(nn.BatchNorm(momentum=0.5, epsilon=0), init=None)
    x = nd.array([[1.0], [3.0]])
    assert onp.allclose(norm(x).asnumpy(), [[1], [3]])  # running statistics: mean 0, variance 1
    with autograd.record():
        y = norm(x)
    assert onp.allclose(y.asnumpy(), [[-1], [1]])
    assert norm.running_mean.data().asnumpy().tolist() == [1]
    assert norm.running_var.data().asnumpy().tolist() == [1]
    norm = made(nn.BatchNorm(use_global_stats=True), init=None)
    with autograd.record():
        norm(x)
    assert norm.running_mean.data().asnumpy().tolist() == [0]


def test_dropout():
    layer, x = nn.Dropout(0.5), nd.ones((1000,))
    assert (layer(x).asnumpy() == 1).all()
    with autograd.record():
        y = layer(x)
    assert set(y.asnumpy().tolist()) == {0.0, 2.0}
    with autograd.record(train_mode=False):
        assert (layer(x).asnumpy() == 1).all()


def test_embedding_gradient():
    layer = made(nn.Embedding(3, 2))
    with autograd.record():
        y = layer(nd.array([1, 1, 2]))
    y.backward()
    assert layer.weight.grad().asnumpy().tolist() == [[0, 0], [2, 2], [1, 1]]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Activation("relu"), [0, 0, 2]),
        (nn.LeakyReLU(0.1), [-0.1, 0, 2]),
        (nn.PReLU(), [-0.25, 0, 2]),
        (nn.ELU(), [onp.expm1(-1), 0, 2]),
        (nn.SELU(), [1.0507009873554805 * 1.6732632423543772 * onp.expm1(-1), 0, 2 * 1.0507009873554805]),
        (nn.GELU(), [-0.15865525, 0, 1.9544997]),
        (nn.Swish(), [-1 / (1 + onp.e), 0, 2 / (1 + onp.exp(-2))]),
        (nn.Activation("softsign"), [-0.5, 0, 2 / 3]),
    ],
)
def test_activations(layer, expected):
    layer.initialize()
    assert onp.allclose(layer(nd.array([[-1.0, 0.0, 2.0]])).asnumpy(), [expected], atol=1e-6)


def test_slices_and_concatenation():
    net = nn.HybridConcatenate(axis=1)
    net.add(nn.Dense(2), nn.Dense(3))
    net.initialize()
    assert net(nd.ones((4, 5))).shape == (4, 5)


PRED, LABEL = [[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [0.0, 4.0]]
LOG2 = onp.log(2)


@pytest.mark.parametrize(
    ("loss", "pred", "label", "expected"),
    [
        (gluon.loss.L2Loss(), PRED, LABEL, [1, 2.25]),
        (gluon.loss.L2Loss(), [[1.0], [3.0]], [2.0, 5.0], [0.5, 2]),
        (gluon.loss.L2Loss(weight=2), PRED, LABEL, [2, 4.5]),
        (gluon.loss.L1Loss(), PRED, LABEL, [1, 1.5]),
        (gluon.loss.L1Loss(weight=0.5), PRED, LABEL, [0.5, 0.75]),
        (gluon.loss.HuberLoss(), PRED, LABEL, [0.75, 1.25]),
        (gluon.loss.HuberLoss(rho=2), [[1.0, 5.0]], [[0.0, 0.0]], [(0.25 + 4) / 2]),
        (gluon.loss.HingeLoss(), [[0.5, -2.0]], [[1.0, 1.0]], [1.75]),
        (gluon.loss.SquaredHingeLoss(), [[0.5, -2.0]], [[1.0, 1.0]], [(0.25 + 9) / 2]),
        (gluon.loss.LogisticLoss(), [[0.0]], [[-1.0]], [LOG2]),
        (gluon.loss.LogisticLoss(label_format="binary"), [[0.0]], [[0.0]], [LOG2]),
        (gluon.loss.SigmoidBCELoss(), [[0.0, 0.0]], [[1.0, 0.0]], [LOG2]),
        (gluon.loss.SigmoidBCELoss(from_sigmoid=True), [[0.5, 0.5]], [[1.0, 0.0]], [LOG2]),
        (gluon.loss.SoftmaxCELoss(), [[0.0, 2.0], [1.0, 4.0]], [0.0, 1.0], [2.126928, 0.04858735]),
        (gluon.loss.SoftmaxCELoss(sparse_label=False), [[0.0, 2.0]], [[0.5, 0.5]], [1.126928]),
        (gluon.loss.SoftmaxCELoss(from_logits=True), [[-1.0, -2.0]], [1.0], [2]),
        (gluon.loss.SoftmaxCELoss(axis=1), onp.zeros((1, 2, 3)), onp.zeros((1, 3)), [LOG2]),
        (gluon.loss.KLDivLoss(from_logits=False), [[0.0, 0.0]], [[1.0, 0.0]], [LOG2 / 2]),
        (gluon.loss.PoissonNLLLoss(), [[0.0, 0.0]], [[1.0, 3.0]], [1]),
    ],
)
def test_losses(loss, pred, label, expected):
    assert onp.allclose(loss(nd.array(pred), nd.array(label)).asnumpy(), expected, atol=1e-6)


def test_losses_of_several_arrays():
    anchor, near, far = nd.array([[0.0, 0.0]]), nd.array([[1.0, 0.0]]), nd.array([[1.0, 1.0]])
    assert gluon.loss.TripletLoss()(anchor, near, far).asnumpy().tolist() == [0]
    assert gluon.loss.TripletLoss(margin=2)(anchor, near, far).asnumpy().tolist() == [1]
    a, b = nd.array([[1.0, 0.0], [1.0, 1.0]]), nd.array([[1.0, 0.0], [1.0, 1.0]])
    assert onp.allclose(gluon.loss.CosineEmbeddingLoss()(a, b, nd.array([1, -1])).asnumpy(), [0, 1])


def test_sample_weights():
    loss = gluon.loss.L1Loss()(nd.array(PRED), nd.array(LABEL), nd.array([[0.0], [1.0]]))
    assert loss.asnumpy().tolist() == [0, 1.5]


def test_gradient_of_softmax_cross_entropy():
    x = nd.array([[0.0, 0.0], [0.0, 0.0]])
    x.attach_grad()
    with autograd.record():
        loss = gluon.loss.SoftmaxCELoss()(x, nd.array([0, 1]))
    loss.backward()
    assert onp.allclose(x.grad.asnumpy(), [[-0.5, 0.5], [0.5, -0.5]])
