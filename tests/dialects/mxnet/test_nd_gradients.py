"""Gradients of mx.nd's functions, first and second, against differences."""

import numpy as np
import pytest

from wengert.dialects.mxnet import autograd, nd
from wengert.dialects.mxnet.ndarray import elementwise

L = nd.linalg
RNG = np.random.default_rng(0)
STEP = 1e-6


def A(*shape):
    return RNG.uniform(0.3, 0.9, shape)


def double(x):
    return nd.array(x, dtype="float64")


def variables(arrays):
    inputs = [double(x) for x in arrays]
    for x in inputs:
        x.attach_grad()
    return inputs


def gradient(f, arrays, k, head):
    inputs = variables(arrays)
    with autograd.record():
        y = f(*inputs)
    y.backward(head)
    return inputs[k].grad.asnumpy()


def second(f, arrays, k, head, direction):
    inputs = variables(arrays)
    with autograd.record():
        (g,) = autograd.grad(f(*inputs), inputs[k], head_grads=head, create_graph=True)
        slope = (g * double(direction)).sum()
    return autograd.grad(slope, inputs[k])[0].asnumpy()


def difference(f, arrays, k, direction):
    ends = [[x + s * direction if i == k else x for i, x in enumerate(arrays)] for s in (STEP, -STEP)]
    return (f(ends[0]) - f(ends[1])) / (2 * STEP)


def check(f, *arrays):
    y = f(*map(double, arrays))
    assert y.dtype == np.float64
    head = RNG.normal(size=y.shape)
    value = lambda v: np.sum(f(*map(double, v)).asnumpy() * head)  # noqa: E731
    for k, x in enumerate(arrays):
        d, e = RNG.normal(size=(2, *x.shape))
        slope = lambda v, k=k, d=d: np.sum(gradient(f, v, k, double(head)) * d)  # noqa: E731
        assert slope(arrays) == pytest.approx(difference(value, arrays, k, d), rel=1e-5, abs=1e-5)
        curvature = np.sum(second(f, arrays, k, double(head), d) * e)
        assert curvature == pytest.approx(difference(slope, arrays, k, e), rel=1e-4, abs=1e-4)


X, V, M = A(3, 4), A(5), A(2, 3, 4)
WITHOUT_RULE = {"digamma", "erf", "erfinv", "gamma", "gammaln"}
SHIFTED = ["relu", "sigmoid", "softsign", "hard_sigmoid", "softmax", "log_softmax", "softmin"]
OTHERS = [*SHIFTED, "smooth_l1", "identity", "rsqrt", "rcbrt", "round", "rint"]


@pytest.mark.parametrize("name", sorted({*elementwise.UNARY} - WITHOUT_RULE) + OTHERS)
def test_functions_of_one_array(name):
    x = X + 1 if name == "arccosh" else X - 0.5 if name in SHIFTED else X
    check(getattr(nd, name), x)
    check(lambda a: getattr(a, name)(), x)


@pytest.mark.parametrize("name", sorted(WITHOUT_RULE))
def test_functions_of_one_array_that_may_have_no_rule(name):
    assert type(getattr(nd, name)(nd.array(X))) is nd.NDArray


@pytest.mark.parametrize("name", sorted(elementwise.BINARY))
def test_functions_of_two_arrays(name):
    check(getattr(nd, name), X, A(3, 4) + 1)
    check(getattr(nd, f"broadcast_{elementwise.SHORT.get(name, name)}"), X, A(1, 4) + 1)
    check(lambda a: getattr(nd, name)(a, 2.0), X)
    check(lambda a: getattr(nd, name)(2.5, a), X)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "nansum", "nanprod", "norm"])
def test_reductions(name):
    f = getattr(nd, name)
    check(f, M)
    check(f, V)
    check(lambda a: f(a, axis=1), M)
    check(lambda a: f(a, axis=(0, 2), keepdims=True), M)
    check(lambda a: f(a, keepdims=True), M)
    check(lambda a: getattr(a, name)(axis=0), M)
    if name != "norm":
        check(lambda a: f(a, axis=1, exclude=True), M)


def batch_norm(a, gamma, beta):
    with autograd.train_mode():
        return nd.BatchNorm(a, gamma, beta, double(np.zeros(3)), double(np.ones(3)), fix_gamma=False)


CASES = [
    ("norm1", lambda a: a.norm(ord=1), M),
    ("cumsum", lambda a: nd.cumsum(a, axis=1), M),
    ("moments", lambda a: nd.moments(a, axes=(0, 1))[1], M),
    ("sort", lambda a: a.sort(is_ascend=False), M),
    ("topk", lambda a: a.topk(k=2, ret_typ="value", axis=1), M),
    ("topk_both", lambda a: nd.topk(a, k=2, ret_typ="both")[0], M),
    ("clip", lambda a: nd.clip(a, 0.4, 0.7), X),
    ("reshape", lambda a: a.reshape((0, -1)) * a.reshape((0, -1)), M),
    ("reshape2", lambda a: a.reshape((-3, -2)).exp(), M),
    ("reshape3", lambda a: nd.reshape(a, shape=(-4, 1, 2, -2)).exp(), M),
    ("flatten", lambda a: a.flatten() ** 2, M),
    ("expand", lambda a: a.expand_dims(1) ** 2, M),
    ("squeeze", lambda a: nd.squeeze(a.expand_dims(1)) ** 2, M),
    ("T", lambda a: a.T**2, M),
    ("tr", lambda a: a.transpose((1, 0, 2)) ** 2, M),
    ("tr2", lambda a: nd.transpose(a, axes=(1, 0, 2)) ** 2, M),
    ("swap", lambda a: nd.swapaxes(a, 0, 2) ** 2, M),
    ("flip", lambda a: nd.flip(a, axis=1) ** 2, M),
    ("tile", lambda a: nd.tile(a, reps=(2, 1, 1)) ** 2, M),
    ("repeat", lambda a: nd.repeat(a, repeats=2, axis=1) ** 2, M),
    ("repeatn", lambda a: nd.repeat(a, repeats=2) ** 2, M),
    ("pad", lambda a: nd.pad(a, mode="constant", pad_width=(0, 0, 1, 1, 2, 0), constant_value=0.3) ** 2, M),
    ("pade", lambda a: nd.pad(a, mode="edge", pad_width=(0, 0, 1, 1, 2, 0)) ** 2, M),
    ("padr", lambda a: nd.pad(a, mode="reflect", pad_width=(0, 0, 1, 1, 2, 0)) ** 2, M),
    ("diag", lambda a: nd.diag(a) ** 2, X),
    ("diag1", lambda a: nd.diag(a) ** 2, V),
    ("d2s", lambda a: nd.depth_to_space(a, 2) ** 2, A(1, 8, 2, 2)),
    ("s2d", lambda a: nd.space_to_depth(a, 2) ** 2, A(1, 2, 4, 4)),
    ("bto", lambda a: a.broadcast_to((3, 4)) ** 2, A(1, 4)),
    ("bax", lambda a: nd.broadcast_axis(a, axis=0, size=3) ** 2, A(1, 4)),
    ("blike", lambda a: a.broadcast_like(nd.ones((3, 4))) ** 2, A(1, 4)),
    ("slice", lambda a: nd.slice(a, begin=(0, 1), end=(2, None)) ** 2, M),
    ("slicest", lambda a: a.slice(begin=(None, 2), end=(None, 0), step=(1, -1)) ** 2, M),
    ("slax", lambda a: a.slice_axis(axis=-1, begin=1, end=3) ** 2, M),
    ("sllike", lambda a: a.slice_like(nd.ones((1, 2)), axes=(0, 1)) ** 2, M),
    ("concat", lambda a, b: nd.concat(a, b, dim=1) ** 2, X, A(3, 2)),
    ("stack", lambda a, b: nd.stack(a, b, axis=1) ** 2, X, X),
    ("concatenate", lambda a, b: nd.concatenate([a, b]) ** 2, X, X),
    ("split", lambda a: nd.split(a, num_outputs=2)[1] ** 2, X),
    ("splits", lambda a: nd.split(a, num_outputs=3, axis=0, squeeze_axis=True)[1] ** 2, X),
    ("take", lambda a: nd.take(a, nd.array([0, 2, 0])) ** 2, X),
    ("takem", lambda a: a.take(nd.array([0, 2, 0]), axis=1) ** 2, X),
    ("pick", lambda a: nd.pick(a, nd.array([0, 2, 0])) ** 2, X),
    ("pickk", lambda a: a.pick(nd.array([0, 2, 0, 1]), axis=0, keepdims=True) ** 2, X),
    ("pick1", lambda a: a.pick(nd.array([2])) ** 2, V),
    ("where", lambda a, b: nd.where(nd.array([1, 0, 1]), a, b) ** 2, X, X),
    ("gnd", lambda a: nd.gather_nd(a, nd.array([[0, 1], [2, 0]])) ** 2, X),
    ("snd", lambda a: nd.scatter_nd(a, nd.array([[0, 2], [1, 1]]), (3, 4)) ** 2, A(2)),
    ("bmask", lambda a: nd.contrib.boolean_mask(a, nd.array([1, 0, 1])) ** 2, X),
    ("icopy", lambda a, b: nd.contrib.index_copy(a, nd.array([2, 0]), b) ** 2, X, A(2, 4)),
    ("smask", lambda a: nd.SequenceMask(a, nd.array([1, 2, 3]), use_sequence_length=True) ** 2, A(4, 3, 2)),
    ("slast", lambda a: nd.SequenceLast(a, nd.array([1, 2, 3]), use_sequence_length=True) ** 2, A(4, 3, 2)),
    ("srev", lambda a: nd.SequenceReverse(a, nd.array([1, 2, 3]), use_sequence_length=True) ** 2, A(4, 3, 2)),
    ("dot", nd.dot, X, A(4, 2)),
    ("dott", lambda a, b: nd.dot(a, b, transpose_a=True), X, A(3, 2)),
    ("dottb", lambda a, b: nd.dot(a, b, transpose_b=True), X, A(3, 4)),
    ("dotv", nd.dot, V, A(5)),
    ("dotmv", nd.dot, X, A(4)),
    ("dotvm", nd.dot, A(3), X),
    ("dot3", nd.dot, M, A(4, 2)),
    ("dot33", nd.dot, M, A(4, 2, 3)),
    ("bdot", lambda a, b: nd.batch_dot(a, b, transpose_b=True), M, A(2, 5, 4)),
    ("dot3a", lambda a, b: nd.dot(a, b, transpose_a=True), A(4, 2, 3), A(4, 2)),
    ("khatri", nd.khatri_rao, A(2, 3), A(4, 3)),
    ("gemm2", lambda a, b: nd.linalg.gemm2(a, b, transpose_b=True, alpha=2.0), M, A(2, 5, 4)),
    ("gemm", lambda a, b, c: L.gemm(a, b, c, beta=0.5), M, A(2, 4, 5), A(2, 3, 5)),
    ("syrk", lambda a: L.syrk(a, transpose=True), M),
    ("trmm", lambda a, b: L.trmm(a, b), A(3, 3), A(3, 2)),
    ("sld", lambda a: L.sumlogdiag(a), A(2, 3, 3)),
    ("sld2", lambda a: L.sumlogdiag(a), A(3, 3)),
    ("exd", L.extractdiag, A(2, 3, 3)),
    ("mkd", L.makediag, A(2, 3)),
    ("mkdo", lambda a: L.makediag(a, offset=1), A(2, 3)),
    ("mkdn", lambda a: L.makediag(a, offset=-1), A(2, 3)),
    ("ext", L.extracttrian, A(2, 3, 3)),
    ("relu", lambda a: nd.Activation(a, act_type="relu"), X - 0.5),
    ("sigmoid", lambda a: nd.Activation(a, act_type="sigmoid"), X - 0.5),
    ("tanh", lambda a: nd.Activation(a, act_type="tanh"), X - 0.5),
    ("softrelu", lambda a: nd.Activation(a, act_type="softrelu"), X - 0.5),
    ("softsign", lambda a: nd.Activation(a, act_type="softsign"), X - 0.5),
    ("log_sigmoid", lambda a: nd.Activation(a, act_type="log_sigmoid"), X - 0.5),
    ("mish", lambda a: nd.Activation(a, act_type="mish"), X - 0.5),
    ("leaky", lambda a: nd.LeakyReLU(a, act_type="leaky"), X - 0.55),
    ("elu", lambda a: nd.LeakyReLU(a, act_type="elu"), X - 0.55),
    ("selu", lambda a: nd.LeakyReLU(a, act_type="selu"), X - 0.55),
    ("gelu", lambda a: nd.LeakyReLU(a, act_type="gelu"), X - 0.55),
    ("prelu", lambda a, g: nd.LeakyReLU(a, g, act_type="prelu"), A(2, 3, 4) - 0.55, A(3)),
    ("softmaxl", lambda a: nd.softmax(a, length=nd.array([1, 2, 3]), use_length=True), X),
    ("softmaxt", lambda a: nd.softmax(a, axis=0, temperature=2.0), X),
    ("sact", lambda a: nd.SoftmaxActivation(a), M),
    ("fc", lambda a, w, b: nd.FullyConnected(a, w, b, num_hidden=5), M, A(5, 12), A(5)),
    ("fcn", lambda a, w: nd.FullyConnected(a, w, num_hidden=5, no_bias=True, flatten=False), M, A(5, 4)),
    ("emb", lambda w: nd.Embedding(nd.array([[0, 1], [2, 0]]), w, input_dim=3, output_dim=4) ** 2, X),
    ("ln", lambda a, g, b: nd.LayerNorm(a, g, b), M, A(4), A(4)),
    ("in", lambda a, g, b: nd.InstanceNorm(a, g, b), M, A(3), A(3)),
    ("gn", lambda a, g, b: nd.GroupNorm(a, g, b, num_groups=2), A(2, 4, 3), A(4), A(4)),
    ("bn", batch_norm, M, A(3), A(3)),
    ("l2instance", lambda a: nd.L2Normalization(a, mode="instance"), M),
    ("l2channel", lambda a: nd.L2Normalization(a, mode="channel"), M),
    ("l2spatial", lambda a: nd.L2Normalization(a, mode="spatial"), M),
    (
        "conv",
        lambda a, w, b: nd.Convolution(a, w, b, kernel=(3, 3), num_filter=2, pad=(1, 1), stride=(2, 2)),
        A(1, 3, 5, 5),
        A(2, 3, 3, 3),
        A(2),
    ),
    (
        "deconv",
        lambda a, w: nd.Deconvolution(a, w, kernel=(3, 3), num_filter=2, stride=(2, 2), adj=(1, 1)),
        A(1, 3, 3, 3),
        A(3, 2, 3, 3),
    ),
    ("poolmax", lambda a: nd.Pooling(a, kernel=(2, 2), stride=(2, 2), pool_type="max"), A(1, 2, 5, 5)),
    ("gpoolmax", lambda a: nd.Pooling(a, global_pool=True, pool_type="max"), A(1, 2, 5, 5)),
    ("poolavg", lambda a: nd.Pooling(a, kernel=(2, 2), stride=(2, 2), pool_type="avg"), A(1, 2, 5, 5)),
    ("gpoolavg", lambda a: nd.Pooling(a, global_pool=True, pool_type="avg"), A(1, 2, 5, 5)),
    ("poolsum", lambda a: nd.Pooling(a, kernel=(2, 2), stride=(2, 2), pool_type="sum"), A(1, 2, 5, 5)),
    ("gpoolsum", lambda a: nd.Pooling(a, global_pool=True, pool_type="sum"), A(1, 2, 5, 5)),
    ("poollp", lambda a: nd.Pooling(a, kernel=(2, 2), stride=(2, 2), pool_type="lp"), A(1, 2, 5, 5)),
    ("gpoollp", lambda a: nd.Pooling(a, global_pool=True, pool_type="lp"), A(1, 2, 5, 5)),
    ("up", lambda a: nd.UpSampling(a, scale=2, sample_type="nearest") ** 2, A(1, 2, 3, 3)),
    ("sce", lambda a: nd.softmax_cross_entropy(a, nd.array([0, 1, 2])), X),
    ("idx", lambda a: a[1] * a[0], M),
    ("idx1", lambda a: a[1] * a[-1], V),
    ("idxall", lambda a: a[1, 2] * a[-1, 0], X),
    ("idxsl", lambda a: a[1:, ::2] ** 2, X),
    ("adv", lambda a: a[nd.array([0, 2, 0])] ** 2, X),
    ("iter", lambda a: sum(r * r for r in a), V),
    ("for", lambda a: nd.contrib.foreach(lambda d, s: (d * s[0], [d + s[0]]), a, [nd.ones(4, dtype="float64")])[0], X),
    ("pow", lambda a: 2.0**a * a**2 / a - -a + abs(a) % 0.7, X),
    ("mixed", lambda a: (a.sum() * a.mean() - a.max()) * a, M),
    ("add_n", lambda a, b: nd.add_n(a, b, a), X, X),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_gradients(case):
    _, f, *arrays = case
    check(f, *arrays)
