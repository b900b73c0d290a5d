"""`npx`: functions of layers, and the flags."""

import numpy as onp
import pytest

from wengert.dialects.mxnet import autograd, gluon, nd, np, npx, util
from wengert.errors import ShapeError


@pytest.fixture(autouse=True)
def _flags():
    npx.set_np()
    yield
    npx.reset_np()


def test_flags():
    assert npx.is_np_array()
    npx.reset_np()
    assert not npx.is_np_array()
    with util.np_array():
        assert npx.is_np_array()
    assert not npx.is_np_array()

    @npx.use_np
    def inside():
        return npx.is_np_array(), npx.is_np_shape()

    assert inside() == (True, True)
    assert not npx.is_np_array()


@pytest.mark.parametrize("array", [np.array, nd.array])
def test_both_classes(array):
    x = array([-1.0, 2.0])
    assert type(npx.relu(x)) is type(x)
    assert npx.relu(x).asnumpy().tolist() == [0, 2]
    assert npx.one_hot(array([1, 0]), 3).asnumpy().tolist() == [[0, 1, 0], [1, 0, 0]]
    table = array([[1.0, 5.0, 3.0], [4.0, 2.0, 6.0]])
    assert npx.pick(table, array([1, 2])).asnumpy().tolist() == [5, 6]
    assert npx.topk(table, k=2).asnumpy().tolist() == [[1, 2], [2, 0]]
    values, positions = npx.topk(table, k=1, ret_typ="both")
    assert values.asnumpy().tolist() == [[5], [6]]
    assert positions.asnumpy().tolist() == [[1], [2]]
    assert npx.topk(table, k=1, ret_typ="mask").asnumpy().tolist() == [[0, 1, 0], [0, 0, 1]]


def test_gradient_of_pick():
    x = np.zeros((2, 3))
    x.attach_grad()
    with autograd.record():
        y = npx.pick(x, np.array([1, 2]))
    y.backward()
    assert x.grad.tolist() == [[0, 1, 0], [0, 0, 1]]


def test_masks():
    x = np.zeros((1, 4))
    assert npx.masked_softmax(x, np.array([[1, 1, 0, 0]])).tolist() == [[0.5, 0.5, 0, 0]]
    assert npx.softmax(x, length=np.array([2]), use_length=True).tolist() == [[0.5, 0.5, 0, 0]]
    steps = np.ones((3, 2))
    masked = npx.sequence_mask(steps, np.array([1, 3]), use_sequence_length=True)
    assert masked.tolist() == [[1, 1], [0, 1], [0, 1]]
    masked = npx.sequence_mask(steps, np.array([1, 2, 0]), use_sequence_length=True, value=-1, axis=1)
    assert masked.tolist() == [[1, -1], [1, 1], [-1, -1]]


def test_layers():
    x, w = np.ones((2, 3, 4)), np.ones((5, 12))
    assert npx.fully_connected(x, w, np.ones(5), num_hidden=5).tolist() == [[13] * 5] * 2
    assert npx.fully_connected(x, np.ones((5, 4)), no_bias=True, flatten=False).shape == (2, 3, 5)
    images = np.ones((1, 1, 4, 4))
    assert npx.convolution(images, np.ones((1, 1, 3, 3)), kernel=(3, 3), num_filter=1, no_bias=True).tolist() == [
        [[[9, 9], [9, 9]]]
    ]
    assert npx.pooling(images, kernel=(2, 2), stride=(2, 2), pool_type="avg").shape == (1, 1, 2, 2)
    assert npx.embedding(np.array([2, 0]), np.arange(6).reshape(3, 2)).tolist() == [[4, 5], [0, 1]]
    assert npx.batch_dot(np.ones((2, 3, 4)), np.ones((2, 3, 4)), transpose_b=True).shape == (2, 3, 3)


@pytest.mark.parametrize(
    ("codes", "shape"),
    [
        ((-2, -2, -1), (2, 3, 4)),
        ((6, 4), (6, 4)),
        ((-5, -4), (6, 4)),
        ((-4,), (2, 3, 4)),
        ((-6, 1, 2, -4), (1, 2, 3, 4)),
        ((-6, 2, -1, -4), (2, 1, 3, 4)),
    ],
)
def test_reshape_codes(codes, shape):
    assert npx.reshape(np.zeros((2, 3, 4)), codes).shape == shape


def test_reshape_drops_ones_only():
    assert npx.reshape(np.zeros((2, 1, 3)), (-2, -3, -2)).shape == (2, 3)
    with pytest.raises(ShapeError):
        npx.reshape(np.zeros((2, 2)), (-2, -3))


def test_dropout_in_training_only():
    x = np.ones(1000)
    assert npx.dropout(x, 0.5).sum().item() == 1000
    with autograd.record():
        y = npx.dropout(x, 0.5)
    assert set(y.tolist()) == {0.0, 2.0}


def test_files(tmp_path):
    x, y = np.arange(4), np.zeros(4)
    npx.save(str(tmp_path / "one"), x)
    (loaded,) = npx.load(str(tmp_path / "one"))
    assert repr(loaded) == repr(x)
    npx.save(str(tmp_path / "two"), [x, y])
    assert [a.tolist() for a in npx.load(str(tmp_path / "two"))] == [x.tolist(), y.tolist()]
    npx.save(str(tmp_path / "named"), {"x": x})
    assert list(npx.load(str(tmp_path / "named"))) == ["x"]
    npx.reset_np()
    assert isinstance(npx.load(str(tmp_path / "one"))[0], nd.NDArray)


def test_stop_gradient_and_smooth_l1():
    x = np.array([0.5, -2.0])
    x.attach_grad()
    with autograd.record():
        y = npx.smooth_l1(x) + npx.stop_gradient(x)
    y.backward()
    assert onp.allclose(y.asnumpy(), [0.625, -0.5])
    assert x.grad.tolist() == [0.5, -1]


def test_losses_of_linear_regression():
    x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
    net = gluon.nn.Dense(1)
    net.initialize(init=None)
    with autograd.record():
        loss = gluon.loss.L2Loss()(net(x), y)
    loss.backward()
    residuals = net(x).asnumpy() - y.asnumpy()
    assert onp.allclose(loss.asnumpy(), residuals[:, 0] ** 2 / 2)
    assert onp.allclose(net.weight.grad().asnumpy(), residuals.T @ x.asnumpy())
