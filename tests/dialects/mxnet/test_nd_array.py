"""The legacy array class, and what mx.nd's functions give."""

import copy
import pickle

import numpy as np
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import autograd, nd


def values(x):
    return x.asnumpy().tolist()


# Making and printing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [[1, 2], np.array([1.0, 2.0]), np.array([1, 2], np.int64), (1, 2)])
def test_arrays_are_of_single_precision(source):
    x = nd.array(source)
    assert x.dtype == np.float32
    assert values(x) == [1, 2]


def test_arrays_of_arrays_keep_their_dtype():
    assert nd.array(nd.array([1], dtype="int32")).dtype == np.int32
    assert nd.array([1], dtype="float64").dtype == np.float64
    assert values(nd.array([nd.array([1, 2]), nd.array([3, 4])])) == [[1, 2], [3, 4]]


def test_arrays_are_copies():
    source = np.ones(2, np.float32)
    x = nd.array(source)
    x[:] = 5
    assert source.tolist() == [1, 1]
    shared = nd.from_numpy(source)
    shared[:] = 7
    assert source.tolist() == [7, 7]


def test_creation():
    assert values(nd.arange(3)) == [0, 1, 2]
    assert values(nd.arange(1, 7, 2)) == [1, 3, 5]
    assert values(nd.arange(2, repeat=2)) == [0, 0, 1, 1]
    assert values(nd.full((2,), 7)) == [7, 7]
    assert values(nd.eye(2)) == [[1, 0], [0, 1]]
    assert values(nd.linspace(0, 1, 3)) == [0, 0.5, 1]
    assert nd.zeros(3).shape == nd.ones((3,)).shape == nd.empty(3).shape == (3,)
    assert nd.zeros((2, 3), dtype="int32").dtype == np.int32
    assert nd.zeros_like(nd.ones((2, 1))).shape == (2, 1)


def test_printed_form():
    assert repr(nd.array([[0], [1]])) == "\n[[0.]\n [1.]]\n<NDArray 2x1 @cpu(0)>"
    assert str(nd.ones(1)) == "\n[1.]\n<NDArray 1 @cpu(0)>"
    assert f"{nd.ones(1)}" == str(nd.ones(1))


# Always an axis --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [nd.sum, nd.mean, nd.max, nd.min, nd.prod, nd.norm, nd.argmax, nd.nansum, lambda x: x[0], lambda x: nd.dot(x, x)],
)
def test_what_has_no_axes_elsewhere_has_one(f):
    assert f(nd.array([3.0, 4.0])).shape == (1,)


def test_indexing_keeps_an_axis():
    x = nd.arange(6).reshape((2, 3))
    assert values(x[1, 2]) == [5]
    assert values(x[-1, -1]) == [5]
    assert values(x[1]) == [3, 4, 5]
    assert values(x[nd.array([1, 0])]) == [[3, 4, 5], [0, 1, 2]]
    assert [values(v) for v in x[0]] == [[0], [1], [2]]
    with pytest.raises(IndexError):
        nd.ones(2)[2]


def test_writing():
    x = nd.zeros((2, 3))
    x[0, 1] = nd.array([5])
    x[1] = 7
    x[:, 2] = nd.array([8, 9])
    assert values(x) == [[0, 5, 8], [7, 7, 9]]
    row = x[0]
    row[:] = 1
    assert values(x[0]) == [1, 1, 1]


# As a number -----------------------------------------------------------------------------------------------------


def test_one_element_is_a_number():
    x = nd.array([2.5])
    assert (x.asscalar(), float(x), int(x), bool(x), x.item()) == (2.5, 2.5, 2, True, 2.5)
    assert type(x.asscalar()) is np.float32
    assert not nd.zeros(1)
    assert list(range(3))[nd.array([1], dtype="int32")] == 1
    assert "%.1f" % x.asnumpy() == "2.5"  # noqa: UP031
    assert repr(x.asnumpy()) == "array([2.5], dtype=float32)"


def test_several_elements_are_none():
    x = nd.ones(2)
    for read in (nd.NDArray.asscalar, bool):
        with pytest.raises(ValueError):
            read(x)
    for read in (float, int):
        with pytest.raises(TypeError):
            read(x)


# Operators -------------------------------------------------------------------------------------------------------


def test_comparisons_are_numbers_of_the_operands_dtype():
    x = nd.array([1, 2, 3])
    assert values(x > 2) == [0, 0, 1]
    assert (x == x).dtype == np.float32
    assert (nd.array([1], dtype="int32") != 1).dtype == np.int32
    assert values(nd.equal(x, 2)) == values(nd.broadcast_equal(x, nd.array([2]))) == [0, 1, 0]
    assert values(nd.logical_and(x > 1, x < 3)) == [0, 1, 0]
    assert values(nd.logical_not(x - 1)) == [1, 0, 0]
    assert (x == None) is False  # noqa: E711


def test_operators_broadcast_and_stay_in_single_precision():
    x, row = nd.arange(2).reshape((2, 1)), nd.arange(3).reshape((1, 3))
    assert values(x + row) == values(nd.broadcast_add(x, row)) == [[0, 1, 2], [1, 2, 3]]
    assert (x * 0.5 + 1).dtype == np.float32
    assert values(1 - row) == [[1, 0, -1]]
    assert values(2**row) == [[1, 2, 4]]


def test_elementwise_functions_want_one_shape():
    with pytest.raises(mx.MXNetError, match="broadcast_"):
        nd.elemwise_add(nd.ones((2, 1)), nd.ones((1, 2)))


def test_out():
    out = nd.zeros(2)
    assert nd.exp(nd.zeros(2), out=out) is out
    assert values(out) == [1, 1]
    nd.elemwise_add(out, out, out=out)
    assert values(out) == [2, 2]
    with pytest.raises(mx.MXNetError, match="shape"):
        nd.exp(nd.zeros(3), out=out)


# Shapes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape, codes, result",
    [
        ((2, 3, 4), (4, 0, 2), (4, 3, 2)),
        ((2, 3, 4), (2, 0, 0), (2, 3, 4)),
        ((2, 3, 4), (6, 1, -1), (6, 1, 4)),
        ((2, 3, 4), (3, -1, 8), (3, 1, 8)),
        ((2, 3, 4), (-1,), (24,)),
        ((2, 3, 4), (-2,), (2, 3, 4)),
        ((2, 3, 4), (2, -2), (2, 3, 4)),
        ((2, 3, 4), (-2, 1, 1), (2, 3, 4, 1, 1)),
        ((2, 3, 4), (-3, 4), (6, 4)),
        ((2, 3, 4, 5), (-3, -3), (6, 20)),
        ((2, 3, 4), (0, -3), (2, 12)),
        ((2, 3, 4), (-3, -2), (6, 4)),
        ((2, 3, 4), (-4, 1, 2, -2), (1, 2, 3, 4)),
        ((2, 3, 4), (2, -4, -1, 3, -2), (2, 1, 3, 4)),
    ],
)
def test_codes_of_reshape(shape, codes, result):
    assert nd.ones(shape).reshape(codes).shape == result
    assert nd.reshape(nd.ones(shape), shape=codes).shape == result


def test_reshape_from_the_right():
    x = nd.ones((10, 5, 4))
    assert x.reshape((-1, 0)).shape == (40, 5)
    assert x.reshape((-1, 0), reverse=True).shape == (50, 4)
    assert nd.ones((2, 3, 4)).reshape(2, -1).shape == (2, 12)
    with pytest.raises(mx.MXNetError, match="24 elements"):
        nd.ones((2, 3, 4)).reshape((5, 5))


def test_shapes():
    x = nd.arange(24).reshape((2, 3, 4))
    assert x.flatten().shape == nd.Flatten(x).shape == (2, 12)
    assert x.T.shape == (4, 3, 2)
    assert x.transpose((1, 0, 2)).shape == nd.transpose(x, axes=(1, 0, 2)).shape == (3, 2, 4)
    assert x.expand_dims(axis=1).shape == (2, 1, 3, 4)
    assert nd.ones((1, 1)).squeeze().shape == (1,)
    assert nd.swapaxes(x, 0, 2).shape == (4, 3, 2)
    assert nd.ones((1, 3)).broadcast_to((0, 3)).shape == (1, 3)
    assert nd.ones((1, 3)).broadcast_to((2, 3)).shape == (2, 3)
    assert values(x.shape_array()) == [2, 3, 4]
    assert values(x.size_array()) == [24]
    assert (x.size, x.ndim, x.stype, x.tostype("default") is x) == (24, 3, "default", True)


def test_slices():
    x = nd.arange(12).reshape((3, 4))
    assert values(nd.slice(x, begin=(0, 1), end=(2, None))) == [[1, 2, 3], [5, 6, 7]]
    assert values(nd.slice(x, begin=(None, 3), end=(None, 0), step=(2, -2))) == [[3, 1], [11, 9]]
    assert values(x.slice_axis(axis=1, begin=1, end=-1)) == [[1, 2], [5, 6], [9, 10]]
    assert x.slice_like(nd.ones((2, 2))).shape == (2, 2)
    assert x.slice_like(nd.ones((2, 2)), axes=(1,)).shape == (3, 2)


def test_joining_and_splitting():
    x = nd.arange(4).reshape((2, 2))
    assert values(nd.concat(x, x)) == [[0, 1, 0, 1], [2, 3, 2, 3]]
    assert nd.concat(x, x, dim=0).shape == nd.concatenate([x, x]).shape == (4, 2)
    assert nd.stack(x, x, axis=1).shape == (2, 2, 2)
    assert [values(part) for part in nd.split(x, 2)] == [[[0], [2]], [[1], [3]]]
    assert [values(part) for part in nd.split(x, 2, axis=0, squeeze_axis=True)] == [[0, 1], [2, 3]]
    assert values(nd.split(x, 1)) == values(x)


# Choosing --------------------------------------------------------------------------------------------------------


def test_gathering():
    x = nd.arange(6).reshape((3, 2))
    assert values(nd.take(x, nd.array([0, 9, -3]))) == [[0, 1], [4, 5], [0, 1]]
    assert values(nd.take(x, nd.array([4]), mode="wrap")) == [[2, 3]]
    assert values(nd.pick(x, nd.array([0, 1, 1]))) == [0, 3, 5]
    assert values(x.pick(nd.array([2, 0]), axis=0, keepdims=True)) == [[4, 1]]
    assert values(nd.one_hot(nd.array([1, 5]), 3)) == [[0, 1, 0], [0, 0, 0]]
    assert values(nd.where(nd.array([1, 0, 1]), x, -x)) == [[0, 1], [-2, -3], [4, 5]]
    assert values(nd.gather_nd(x, nd.array([[2, 0], [1, 0]]))) == [5, 0]
    assert values(nd.scatter_nd(nd.array([7, 8]), nd.array([[0, 1]]), (3,))) == [7, 8, 0]


def test_orderings():
    x = nd.array([[3, 1, 2], [5, 5, 4]])
    assert values(x.argmax(axis=1)) == [0, 0]
    assert x.argmax(axis=1).dtype == np.float32
    assert values(x.argmax()) == [3]
    assert values(nd.topk(x, k=2)) == [[0, 2], [0, 1]]
    assert values(nd.topk(x, k=1, ret_typ="mask")) == [[1, 0, 0], [1, 0, 0]]
    assert [values(part) for part in nd.topk(x, k=1, ret_typ="both", is_ascend=True)] == [[[1], [4]], [[1], [2]]]
    assert values(nd.sort(x, is_ascend=False)) == [[3, 2, 1], [5, 5, 4]]
    assert values(x.argsort()) == [[1, 2, 0], [2, 0, 1]]


def test_reductions():
    x = nd.array([[1, 2], [3, 4]])
    assert values(x.sum(axis=0, exclude=True)) == [3, 7]
    assert values(x.mean(axis=1, keepdims=True)) == [[1.5], [3.5]]
    assert values(nd.norm(x, ord=1)) == [10]
    assert values(nd.norm(nd.array([[3, 4]]), axis=1)) == [5]
    assert values(nd.nansum(nd.array([1, np.nan]))) == [1]
    assert values(x.sum(axis=())) == [10]


def test_rounding():
    x = nd.array([-1.5, 1.5, -1.9, 1.9, 2.1])
    assert values(nd.rint(x)) == [-2, 1, -2, 2, 2]
    assert values(nd.round(x)) == [-2, 2, -2, 2, 2]
    assert values(nd.fix(x)) == [-1, 1, -1, 1, 2]


def test_sequences():
    x = nd.arange(6).reshape((3, 2))
    lengths = nd.array([1, 2])
    assert values(nd.SequenceMask(x, lengths, use_sequence_length=True, value=-1)) == [[0, 1], [-1, 3], [-1, -1]]
    assert values(nd.SequenceLast(x, lengths, use_sequence_length=True)) == [0, 3]
    assert values(nd.SequenceReverse(x, lengths, use_sequence_length=True)) == [[0, 3], [2, 1], [4, 5]]
    assert values(nd.SequenceMask(x)) == values(x)


# Products --------------------------------------------------------------------------------------------------------


def test_dot():
    a, b = nd.arange(6).reshape((2, 3)), nd.arange(6).reshape((3, 2))
    assert values(nd.dot(a, b)) == values(a.dot(b)) == [[10, 13], [28, 40]]
    assert nd.dot(a, a, transpose_b=True).shape == (2, 2)
    assert nd.dot(a, a, transpose_a=True).shape == (3, 3)
    assert nd.dot(nd.ones((2, 3, 4)), nd.ones((4, 5, 6))).shape == (2, 3, 5, 6)
    assert nd.batch_dot(nd.ones((2, 3, 4)), nd.ones((2, 5, 4)), transpose_b=True).shape == (2, 3, 5)
    assert values(nd.linalg.gemm2(a, b, alpha=2.0)) == [[20, 26], [56, 80]]
    with pytest.raises(mx.MXNetError, match="dot"):
        nd.dot(a, a)


# Layers ----------------------------------------------------------------------------------------------------------


def test_batch_norm_follows_with_the_biased_variance():
    x = nd.array([[1.0], [3.0]])
    mean, var = nd.zeros(1), nd.zeros(1)
    with autograd.record():
        y = nd.BatchNorm(x, nd.ones(1), nd.zeros(1), mean, var, eps=0, momentum=0.5)
    assert values(y) == [[-1], [1]]
    assert (mean.asscalar(), var.asscalar()) == (1, 0.5)
    assert values(nd.BatchNorm(x, nd.ones(1), nd.zeros(1), nd.ones(1), nd.ones(1), eps=0)) == [[0], [2]]


def test_softmax_output_has_the_gradient_of_its_loss():
    x = nd.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    x.attach_grad()
    with autograd.record():
        y = nd.SoftmaxOutput(x, nd.array([2, 0]))
    y.backward(nd.full((2, 3), 100))
    assert np.allclose(y.asnumpy(), nd.softmax(x).asnumpy())
    assert np.allclose(x.grad.asnumpy(), y.asnumpy() - [[0, 0, 1], [1, 0, 0]], atol=1e-6)


def test_make_loss_starts_anew():
    x = nd.array([1.0, 2.0])
    x.attach_grad()
    with autograd.record():
        y = nd.make_loss(x * x, grad_scale=0.5) * 1000
    y.backward()
    assert values(x.grad) == [1, 2]


def test_stop_gradient():
    x = nd.array([3.0])
    x.attach_grad()
    with autograd.record():
        y = nd.BlockGrad(x) * x
    y.backward()
    assert x.grad.asscalar() == 3


def test_pooling_and_convolution():
    x = nd.arange(16).reshape((1, 1, 4, 4))
    assert values(nd.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max"))[0][0] == [[5, 7], [13, 15]]
    assert (
        values(nd.Pooling(x, kernel=(3, 3), stride=(2, 2), pool_type="max", pooling_convention="full")).__len__() == 1
    )
    assert nd.Pooling(x, global_pool=True, pool_type="avg").shape == (1, 1, 1, 1)
    w = nd.ones((2, 1, 3, 3))
    assert nd.Convolution(x, w, nd.zeros(2), kernel=(3, 3), num_filter=2, pad=(1, 1)).shape == (1, 2, 4, 4)
    with pytest.raises(mx.MXNetError, match="num_filter"):
        nd.Convolution(x, w, no_bias=True, kernel=(3, 3), num_filter=3)
    with pytest.raises(mx.MXNetError, match="layout"):
        nd.Convolution(x, w, no_bias=True, kernel=(3, 3), num_filter=2, layout="NHWC")


# Random numbers --------------------------------------------------------------------------------------------------


def test_random_numbers_repeat_after_a_seed():
    draws = []
    for _ in range(2):
        mx.random.seed(3)
        draws.append([nd.random.normal(shape=3), nd.random.uniform(1, 2, (2, 2)), nd.random.randint(0, 9, shape=4)])
    for a, b in zip(*draws, strict=True):
        assert values(a) == values(b)
    assert draws[0][0].shape == (3,)
    assert draws[0][1].min() >= 1
    assert draws[0][2].dtype == np.int32


def test_random_numbers_by_arrays_of_parameters():
    x = nd.random.normal(nd.array([0, 100]), nd.array([1, 1]), shape=4)
    assert x.shape == (2, 4)
    assert (x[0] < 50).min() == 1
    assert (x[1] > 50).min() == 1
    assert nd.sample_uniform(nd.zeros(2), nd.ones(2)).shape == (2,)
    assert nd.random_normal(shape=3).shape == nd.random.randn(3).shape == (3,)
    assert nd.random.uniform().shape == (1,)


def test_multinomial_and_shuffle():
    assert values(nd.random.multinomial(nd.array([[0, 1, 0], [1, 0, 0]]))) == [1, 0]
    sample, log = nd.random.multinomial(nd.array([0, 1, 0]), shape=2, get_prob=True)
    assert (values(sample), values(log)) == ([1, 1], [0, 0])
    assert sorted(values(nd.random.shuffle(nd.arange(5)))) == [0, 1, 2, 3, 4]


# Devices, copies, files ------------------------------------------------------------------------------------------


def test_a_gpu_can_be_named_and_is_not_there():
    assert str(mx.gpu(1)) == "gpu(1)"
    assert mx.context.num_gpus() == 0
    with pytest.raises(mx.MXNetError, match="no GPU"):
        nd.zeros((1,), ctx=mx.gpu())
    with pytest.raises(mx.MXNetError, match="no GPU"), mx.gpu():
        nd.zeros((1,))
    for move in (nd.NDArray.as_in_context, nd.NDArray.copyto):
        with pytest.raises(mx.MXNetError, match="no GPU"):
            move(nd.ones(1), mx.gpu())


def test_the_cpu():
    x = nd.ones(2, ctx=mx.cpu())
    assert x.context == x.ctx == mx.cpu() == mx.current_context() == mx.Context("cpu")
    assert x.as_in_context(mx.cpu()) is x
    with mx.Context("cpu", 1):
        assert mx.current_context() == mx.cpu(1)


def test_copies():
    x = nd.array([1.0, 2.0])
    x.attach_grad()
    y = nd.zeros(2)
    assert x.copyto(y) is y
    for other in (x.copy(), copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.copyto(mx.cpu()), y):
        assert type(other) is nd.NDArray
        assert values(other) == [1, 2]
        other[:] = 9
    assert values(x) == [1, 2]
    with autograd.record():
        z = x.copy() * 3
    z.backward()
    assert values(x.grad) == [3, 3]


def test_dtypes():
    x = nd.array([1.5])
    x.attach_grad()
    assert x.astype("int32").dtype == np.int32
    with autograd.record():
        y = x.astype("float64") * 2
        n = x.astype("int32")
    assert type(n) is nd.NDArray
    y.backward()
    assert (y.dtype, x.grad.dtype, x.grad.asscalar()) == (np.float64, np.float32, 2)


def test_files(tmp_path):
    path = str(tmp_path / "arrays")
    nd.save(path, [nd.ones(2), nd.zeros((1, 2))])
    assert [values(x) for x in nd.load(path)] == [[1, 1], [[0, 0]]]
    nd.save(path, {"w": nd.ones(1)})
    assert values(nd.load(path)["w"]) == [1]
    (tmp_path / "arrays").write_bytes(b"something else")
    with pytest.raises(mx.MXNetError, match="load"):
        nd.load(path)


def test_loops_of_contrib():
    step = lambda x, s: (x + s, x + s)  # noqa: E731
    outputs, state = nd.contrib.foreach(step, nd.arange(3), nd.zeros(1))
    assert (values(outputs), values(state)) == ([[0], [1], [3]], [3])
    func = lambda i, s: (s + i, (i + 1, s + i))  # noqa: E731
    outputs, (i, s) = nd.contrib.while_loop(lambda i, s: i < 3, func, (nd.zeros(1), nd.zeros(1)), max_iterations=5)
    assert (values(outputs), values(i), values(s)) == ([[0], [1], [3], [0], [0]], [3], [3])
    assert nd.contrib.cond(nd.ones(1), lambda: "then", lambda: "else") == "then"


def test_test_utils():
    mx.test_utils.assert_almost_equal(nd.ones(2), np.ones(2))
    with pytest.raises(AssertionError):
        mx.test_utils.assert_almost_equal(nd.ones(2), nd.zeros(2))
    assert mx.test_utils.same(nd.ones(2), np.ones(2))
