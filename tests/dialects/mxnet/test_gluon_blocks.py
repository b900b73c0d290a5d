"""Blocks, parameters, deferred shapes, files, printed forms."""

import copy
import pickle

import numpy as onp
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import autograd, gluon, nd, np, npx
from wengert.dialects.mxnet.gluon import nn


@pytest.fixture
def numpy_mode():
    npx.set_np()
    yield
    npx.reset_np()


def values(array):
    return array.asnumpy().tolist()


def test_deferred_shapes():
    net = nn.Sequential()
    net.add(nn.Dense(3, activation="relu"), nn.Dense(2))
    with pytest.raises(RuntimeError, match="has not been initialized"):
        net[0].weight.data()
    net.initialize()
    assert net[0].weight.shape == (3, 0)
    with pytest.raises(gluon.parameter.DeferredInitializationError):
        net[0].weight.data()
    assert net(nd.ones((4, 5))).shape == (4, 2)
    assert net[0].weight.shape == (3, 5)
    assert isinstance(net[0].weight.data(), nd.NDArray)


def test_printed_forms(numpy_mode):
    net = nn.Sequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Dense(3, activation="relu"), nn.Conv2D(4, 3, padding=1), nn.Dropout(0.5), nn.BatchNorm())
    assert repr(net) == (
        "Sequential(\n  (0): Dense(-1 -> 3, Activation(relu))\n"
        "  (1): Conv2D(-1 -> 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n  (2): Dropout(p = 0.5, axes=())\n"
        "  (3): BatchNorm(axis=1, eps=1e-05, momentum=0.9, fix_gamma=False, use_global_stats=False, in_channels=-1)\n)"
    )
    assert repr(net[0].params) == (
        "net_dense0_ (\n  Parameter net_dense0_weight (shape=(3, -1), dtype=float32)\n"
        "  Parameter net_dense0_bias (shape=(3,), dtype=float32)\n)"
    )
    assert repr(nn.MaxPool2D()) == (
        "MaxPool2D(size=(2, 2), stride=(2, 2), padding=(0, 0), ceil_mode=False, global_pool=False, pool_type=max, "
        "layout=NCHW)"
    )


def test_names_and_selection():
    net = nn.HybridSequential(prefix="test_")
    with net.name_scope():
        net.add(nn.Conv2D(10, 3), nn.Dense(10, activation="relu"))
    names = ["test_conv0_weight", "test_conv0_bias", "test_dense0_weight", "test_dense0_bias"]
    assert list(net.collect_params()) == names
    assert list(net.collect_params(".*weight")) == names[::2]
    assert net.collect_params()["1.bias"] is net[1].bias
    assert len(net[:1]) == 1


def test_blocks_of_users():
    class Net(gluon.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.weight = self.params.get("weight", shape=(2, 3))
            self.const = self.params.get_constant("const", nd.array([1.0, 2.0, 3.0]))
            self.dense = nn.Dense(1)

        def forward(self, x):
            return self.dense(nd.dot(x, self.weight.data()) + self.const.data())

    net = Net(prefix="net_")
    assert list(net.collect_params())[:2] == ["net_weight", "net_const"]
    net.initialize(mx.init.One())
    assert values(net(nd.ones((1, 2)))) == [[12]]
    with pytest.raises(TypeError, match="Changing attribute type"):
        net.dense = 3


def test_hybrid_blocks_of_users():
    class Layer(gluon.HybridBlock):
        def __init__(self, units, in_units=0, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.weight = self.params.get("weight", shape=(units, in_units), init="ones", allow_deferred_init=True)
                self.bias = self.params.get("bias", shape=(units,), init="zeros")

        def hybrid_forward(self, F, x, weight, bias):
            return F.relu(F.FullyConnected(x, weight, bias, num_hidden=bias.shape[0]))

    layer = Layer(2, 3)
    layer.initialize()
    layer.hybridize()
    assert values(layer(nd.ones((1, 3)))) == [[3, 3]]


def test_shapes_of_users_parameters_are_inferred():
    class Layer(gluon.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.weight = self.params.get("weight", shape=(2, 0), init="ones", allow_deferred_init=True)

        def hybrid_forward(self, F, x, weight):
            return F.FullyConnected(F.square(x), weight, no_bias=True, num_hidden=2)

    class Own(gluon.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.weight = self.params.get("weight", shape=(0,), init="ones", allow_deferred_init=True)

        def hybrid_forward(self, F, x, weight):
            return x * weight

    layer = Layer()
    layer.initialize()
    assert values(layer(nd.ones((1, 3)))) == [[3, 3]]
    own = Own()
    own.initialize()
    with pytest.raises(gluon.DeferredInitializationError, match="infer_shape"):
        own(nd.ones((3,)))
    own.infer_shape = lambda x: setattr(own.weight, "shape", x.shape)
    assert values(own(nd.ones((3,)))) == [1, 1, 1]


def test_parameters_without_a_dictionary():
    class Net(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.a = gluon.Parameter("weight", shape=(1,), init="ones")
            self.b = gluon.Parameter("weight", shape=(1,), init="ones")

        def forward(self, x):
            return self.a.data() * x + self.b.data()

    net = Net()
    net.initialize()
    assert len(net.collect_params()) == 2
    assert values(net(nd.array([2.0]))) == [3]


def test_sharing():
    shared = nn.Dense(2, in_units=2)
    net = nn.Sequential()
    net.add(shared, nn.Dense(2, in_units=2, params=shared.params))
    net.initialize()
    assert net[0].weight is net[1].weight
    assert len(net.collect_params()) == 2


def test_children_of_hybrid_blocks_are_hybrid():
    with pytest.raises(ValueError, match="must also be HybridBlock"):
        nn.HybridSequential().add(nn.Sequential())


def test_hooks_and_apply():
    seen = []
    net = nn.Sequential()
    net.add(nn.Dense(2, in_units=3), nn.Dropout(0.5))
    net.initialize()
    handle = net.register_forward_hook(lambda block, inputs, out: seen.append(out.shape))
    net.register_forward_pre_hook(lambda block, inputs: seen.append(len(inputs)))
    net(nd.ones((1, 3)))
    handle.detach()
    net(nd.ones((1, 3)))
    assert seen == [1, (1, 2), 1]
    kinds = []
    net.apply(lambda block: kinds.append(type(block)))
    assert kinds == [nn.Dense, nn.Dropout, nn.Sequential]


@pytest.mark.parametrize("mode", [npx.reset_np, npx.set_np])
def test_files(tmp_path, mode):
    def made():
        net = nn.HybridSequential()
        net.add(nn.Dense(3), nn.BatchNorm())
        return net

    mode()
    try:
        ones = np.ones((2, 4)) if npx.is_np_array() else nd.ones((2, 4))
        net, copy = made(), made()
        net.initialize()
        expected = net(ones)
        net.save_parameters(str(tmp_path / "net.params"))
        copy.load_parameters(str(tmp_path / "net.params"))
        assert values(copy(ones)) == values(expected)
        other = nn.HybridSequential()
        other.add(nn.Dense(3))
        with pytest.raises(ValueError, match="is not present"):
            other.load_parameters(str(tmp_path / "net.params"))
        other.load_parameters(str(tmp_path / "net.params"), ignore_extra=True)
        longer = made()
        longer.add(nn.Dense(2))
        with pytest.raises(AssertionError, match="is missing"):
            longer.load_parameters(str(tmp_path / "net.params"))
    finally:
        npx.reset_np()


def test_copies_are_trained_on_their_own():
    net = nn.Dense(1, in_units=1)
    net.initialize("ones")
    for duplicate in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        with autograd.record():
            y = duplicate(nd.array([[3.0]]))
        y.backward()
        assert values(duplicate.weight.grad()) == [[3]]
        assert values(net.weight.grad()) == [[0]]


def test_dictionaries(tmp_path):
    params = gluon.ParameterDict("net_")
    weight = params.get("w", shape=(2, 0), allow_deferred_init=True)
    assert params.get("w", shape=(2, 3)) is weight
    assert weight.shape == (2, 3)
    with pytest.raises(AssertionError, match="does not match"):
        params.get("w", dtype="float64")
    params.initialize()
    params.save(str(tmp_path / "p"), strip_prefix="net_")
    other = gluon.ParameterDict("net_")
    other.get("w", shape=(2, 3))
    other.load(str(tmp_path / "p"), restore_prefix="net_")
    assert values(other["net_w"].data()) == values(weight.data())


def test_initialization_again():
    net = nn.Dense(1, in_units=1)
    net.initialize()
    with pytest.warns(UserWarning, match="already initialized"):
        net.initialize()
    net.initialize(mx.init.Constant(3), force_reinit=True)
    assert values(net.weight.data()) == [[3]]
    assert values(net.bias.data()) == [0]
    net.weight.set_data(nd.array([[5.0]]))
    assert values(net.weight.data()) == [[5]]
    with pytest.raises(AssertionError, match="shape"):
        net.weight.set_data(nd.ones((2, 2)))


def test_gradient_requests():
    net = nn.Dense(1, in_units=1)
    net.initialize("ones")
    net.collect_params().setattr("grad_req", "add")
    for _ in range(2):
        with autograd.record():
            y = net(nd.array([[2.0]]))
        y.backward()
    assert values(net.weight.grad()) == [[4]]
    net.collect_params().zero_grad()
    assert values(net.weight.grad()) == [[0]]
    net.weight.grad_req = "null"
    with pytest.raises(RuntimeError, match="null"):
        net.weight.grad()


@pytest.mark.parametrize(
    ("initializer", "holds"),
    [
        (mx.init.Uniform(0.5), lambda w: 0.4 < abs(w).max() <= 0.5),
        (mx.init.Normal(2), lambda w: 1.8 < w.std() < 2.2),
        (mx.init.Xavier(), lambda w: 0.9 < abs(w).max() / (3 / 40) ** 0.5 <= 1),
        (mx.init.Xavier("gaussian", "in", 2), lambda w: 0.9 < w.std() / (2 / 50) ** 0.5 < 1.1),
        (mx.init.MSRAPrelu(slope=0), lambda w: 0.9 < w.std() / (2 / 40) ** 0.5 < 1.1),
        (mx.init.Orthogonal(scale=1), lambda w: onp.allclose(w @ w.T, onp.eye(30), atol=1e-5)),
        (mx.init.Zero(), lambda w: not w.any()),
        ("ones", lambda w: (w == 1).all()),
        (mx.init.Mixed([".*bias", ".*"], ["zeros", mx.init.One()]), lambda w: (w == 1).all()),
        (None, lambda w: 0.06 < abs(w).max() <= 0.07),
    ],
)
def test_initializers(initializer, holds):
    mx.random.seed(0)
    net = nn.Dense(30, in_units=50)
    net.initialize(initializer)
    assert holds(net.weight.data().asnumpy())
    assert not net.bias.data().asnumpy().any()


def test_initializers_of_users():
    seen = []

    class Mine(mx.init.Initializer):
        def _init_weight(self, name, data):
            seen.append((str(name), data.shape))
            data[:] = 4

    net = nn.Dense(2, in_units=3, prefix="mine_")
    net.initialize(Mine())
    assert seen == [("mine_weight", (2, 3))]
    assert values(net.weight.data()) == [[4] * 3] * 2


def test_summary(capsys):
    net = nn.Sequential()
    net.add(nn.Dense(3, in_units=2), nn.BatchNorm(in_channels=3))
    net.initialize()
    net.summary(nd.ones((1, 2)))
    assert "Total params: 21\nTrainable params: 15\nNon-trainable params: 6" in capsys.readouterr().out
