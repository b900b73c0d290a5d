"""gluon.rnn: cells, and layers of them."""

import numpy as onp
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import autograd, gluon, nd, np, npx
from wengert.dialects.mxnet.gluon import rnn

LAYERS = {
    "rnn": (rnn.RNN, rnn.RNNCell, 1, 1),
    "lstm": (rnn.LSTM, rnn.LSTMCell, 4, 2),
    "gru": (rnn.GRU, rnn.GRUCell, 3, 1),
}
each_kind = pytest.mark.parametrize("kind", LAYERS)


@pytest.fixture(autouse=True)
def seeded():
    mx.random.seed(0)


def made(layer):
    layer.initialize(mx.init.Normal(0.5))
    return layer


@each_kind
def test_shapes_of_outputs_and_states(kind):
    make, _, gates, parts = LAYERS[kind]
    layer = made(make(5, num_layers=2, bidirectional=True))
    x = nd.random.normal(shape=(3, 2, 4))
    assert layer(x).shape == (3, 2, 10)
    y, states = layer(x, layer.begin_state(batch_size=2))
    assert y.shape == (3, 2, 10)
    assert [s.shape for s in states] == [(4, 2, 5)] * parts
    assert layer.l0_i2h_weight.shape == (gates * 5, 4)
    assert layer.r1_i2h_weight.shape == (gates * 5, 10)


@each_kind
def test_a_layer_is_its_cell_unrolled(kind):
    make, make_cell, _, _ = LAYERS[kind]
    layer = made(make(5, **({"activation": "tanh"} if kind == "rnn" else {})))
    cell = make_cell(5)
    x = nd.random.normal(shape=(3, 2, 4))
    y = layer(x)
    cell.initialize()
    cell.unroll(3, x, layout="TNC")
    for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"):
        getattr(cell, name).set_data(getattr(layer, f"l0_{name}").data())
    outputs, states = cell.unroll(3, x, layout="TNC", merge_outputs=True)
    onp.testing.assert_allclose(outputs.asnumpy(), y.asnumpy(), rtol=1e-5)
    onp.testing.assert_allclose(states[0].asnumpy(), y[2].asnumpy(), rtol=1e-5)


def test_the_default_of_a_recurrent_layer_is_relu():
    layer = rnn.RNN(2, input_size=2, i2h_weight_initializer=mx.init.One(), h2h_weight_initializer="zeros")
    layer.initialize()
    assert layer(nd.array([[[1, 2]], [[-1, -2]]])).asnumpy().tolist() == [[[3, 3]], [[0, 0]]]


def test_layout_with_the_batch_first():
    layer = made(rnn.GRU(3, layout="NTC", input_size=2))
    x = nd.random.normal(shape=(4, 5, 2))
    y = layer(x)
    layer._layout = "TNC"
    onp.testing.assert_array_equal(y.asnumpy(), layer(x.swapaxes(0, 1)).swapaxes(0, 1).asnumpy())


def test_gradients_reach_all_parameters():
    layer = made(rnn.LSTM(3, num_layers=2, dropout=0.5))
    with autograd.record():
        loss = layer(nd.random.normal(shape=(4, 2, 3))).square().sum()
    loss.backward()
    for name, p in layer.collect_params().items():
        assert float(p.grad().norm().asscalar()) > 0, name


def test_dropout_is_between_layers_in_training_only():
    layer = made(rnn.RNN(3, num_layers=2, dropout=0.9))
    x = nd.ones((2, 2, 3))
    onp.testing.assert_array_equal(layer(x).asnumpy(), layer(x).asnumpy())
    with autograd.train_mode():
        assert (layer(x) != layer(x)).asnumpy().any()


def test_layers_of_numpy_arrays():
    npx.set_np()
    try:
        layer = made(rnn.LSTM(3))
        y, (h, c) = layer(np.ones((2, 1, 4)), layer.begin_state(batch_size=1))
        assert type(h).__name__ == "ndarray"
        assert (y.shape, h.shape, c.shape) == ((2, 1, 3), (1, 1, 3), (1, 1, 3))
    finally:
        npx.reset_np()


def test_printed_forms_and_names():
    assert repr(rnn.LSTM(8, num_layers=2, bidirectional=True, dropout=0.5)) == (
        "LSTM(None -> 8, TNC, num_layers=2, dropout=0.5, bidirectional)"
    )
    layer = made(rnn.GRU(8, input_size=4, prefix="gru_"))
    assert repr(layer) == "GRU(4 -> 8, TNC)"
    assert list(layer.collect_params().keys()) == [
        "gru_l0_i2h_weight",
        "gru_l0_h2h_weight",
        "gru_l0_i2h_bias",
        "gru_l0_h2h_bias",
    ]


def test_errors_of_layers():
    layer = made(rnn.RNN(3, input_size=2))
    with pytest.raises(ValueError, match="Invalid recurrent state shape"):
        layer(nd.ones((2, 4, 2)), layer.begin_state(batch_size=3))
    with pytest.raises(mx.MXNetError, match="layout"):
        rnn.LSTM(3, layout="CNT")
    with pytest.raises(mx.MXNetError, match="activation"):
        rnn.RNN(3, activation="sine")


# Cells -----------------------------------------------------------------------------------------------------------


def test_a_cell_steps():
    cell = rnn.RNNCell(1, i2h_weight_initializer=mx.init.One(), h2h_weight_initializer=mx.init.One(), activation="relu")
    cell.initialize()
    states = cell.begin_state(batch_size=1)
    for expected in (3, 6, 9):
        output, states = cell(nd.array([[1, 2]]), states)
        assert output.asscalar() == expected
    assert states[0] is output


def test_unrolling_from_a_list_gives_a_list():
    cell = made(rnn.LSTMCell(3))
    steps = [nd.ones((2, 4))] * 3
    outputs, states = cell.unroll(3, steps)
    assert [y.shape for y in outputs] == [(2, 3)] * 3
    assert len(states) == 2
    with pytest.raises(ValueError, match="length=4"):
        cell.unroll(4, steps)


def test_valid_lengths():
    cell = made(rnn.GRUCell(3))
    x = nd.random.normal(shape=(2, 4, 2))
    whole, _ = cell.unroll(4, x, merge_outputs=True)
    outputs, states = cell.unroll(4, x, merge_outputs=True, valid_length=nd.array([1, 3]))
    assert not outputs[0, 1:].asnumpy().any()
    onp.testing.assert_array_equal(outputs[1, :3].asnumpy(), whole[1, :3].asnumpy())
    onp.testing.assert_array_equal(states[0].asnumpy(), onp.stack([whole[0, 0].asnumpy(), whole[1, 2].asnumpy()]))


def test_cells_made_of_cells():
    stack = rnn.SequentialRNNCell()
    with stack.name_scope():
        stack.add(rnn.LSTMCell(4))
        stack.add(rnn.DropoutCell(0.5))
        stack.add(rnn.ResidualCell(rnn.GRUCell(4)))
    made(stack)
    outputs, states = stack.unroll(3, nd.ones((2, 3, 5)), merge_outputs=True)
    assert outputs.shape == (2, 3, 4)
    assert [s.shape for s in states] == [(2, 4)] * 3
    assert len(stack) == 3


def test_a_residual_cell_adds_its_input():
    cell = rnn.ResidualCell(rnn.RNNCell(2, i2h_weight_initializer="zeros", h2h_weight_initializer="zeros"))
    cell.initialize()
    output, _ = cell(nd.array([[1, 2]]), cell.begin_state(batch_size=1))
    assert output.asnumpy().tolist() == [[1, 2]]


def test_both_directions():
    cell = made(rnn.BidirectionalCell(rnn.LSTMCell(3), rnn.LSTMCell(3)))
    outputs, states = cell.unroll(4, nd.random.normal(shape=(2, 4, 5)), merge_outputs=True)
    assert outputs.shape == (2, 4, 6)
    assert len(states) == 4
    onp.testing.assert_array_equal(outputs[:, 0, 3:].asnumpy(), states[2].asnumpy())
    with pytest.raises(NotImplementedError, match="unroll"):
        cell(nd.ones((2, 5)), states)


def test_a_cell_of_the_user():
    class Doubling(rnn.HybridRecurrentCell):
        def state_info(self, batch_size=0):
            return [{"shape": (batch_size, 2), "__layout__": "NC"}]

        def hybrid_forward(self, F, x, states):
            y = F.broadcast_add(x, 2 * states[0])
            return y, [y]

    outputs, _ = Doubling().unroll(3, nd.ones((1, 3, 2)), merge_outputs=True)
    assert outputs.asnumpy()[0, :, 0].tolist() == [1, 3, 7]


def test_parameters_survive_a_file(tmp_path):
    net = gluon.nn.Sequential()
    net.add(rnn.LSTM(3), gluon.nn.Dense(2))
    made(net)
    x = nd.random.normal(shape=(4, 2, 3))
    y = net(x)
    net.save_parameters(str(tmp_path / "net.params"))
    other = gluon.nn.Sequential()
    other.add(rnn.LSTM(3), gluon.nn.Dense(2))
    other.load_parameters(str(tmp_path / "net.params"))
    onp.testing.assert_array_equal(other(x).asnumpy(), y.asnumpy())
