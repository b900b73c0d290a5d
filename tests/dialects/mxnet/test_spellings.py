"""Ways of calling that programs use: keywords, codes, lists in the place of tuples, results of several kinds."""

import io

import numpy as onp
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import autograd, gluon, nd, np, npx
from wengert.errors import WengertError


def values(x):
    return x.asnumpy().tolist()


# mx.nd -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reduce", "expected"),
    [
        (nd.sum, onp.ones((2, 3))),
        (nd.mean, onp.full((2, 3), 1 / 6)),
        (nd.max, [[0, 0, 0], [0, 0, 1]]),
        (nd.prod, 720 / onp.arange(1, 7).reshape(2, 3)),
        (nd.norm, onp.arange(1, 7).reshape(2, 3) / onp.sqrt(91)),
        (lambda x: nd.norm(x, ord=1), onp.ones((2, 3))),
    ],
)
def test_what_reduces_everything_has_one_axis_and_its_gradient(reduce, expected):
    x = nd.arange(1, 7).reshape((2, 3))
    x.attach_grad()
    with autograd.record():
        y = reduce(x)
    assert y.shape == (1,)
    y.backward(nd.array([2]))
    onp.testing.assert_allclose(x.grad.asnumpy(), 2 * onp.asarray(expected), rtol=1e-6)


@pytest.mark.parametrize("shape", [(-1,), (3, -1), (2, -1, 1), (6, 1), (0, -1), (-1, 0)])
def test_reshape_with_unknown_lengths(shape):
    x = nd.arange(6).reshape((2, 3))
    full = tuple(n if m == 0 else m for n, m in zip((2, 3, 1), shape, strict=False))
    expected = onp.arange(6.0).reshape(full)
    assert values(x.reshape(shape)) == expected.tolist()
    assert values(x.reshape(*shape)) == values(nd.reshape(x, shape=shape)) == expected.tolist()


def test_reshape_into_an_array_and_errors():
    x, out = nd.arange(6), nd.zeros((2, 3))
    assert nd.reshape(x, shape=(2, 3), out=out) is out
    assert values(out) == [[0, 1, 2], [3, 4, 5]]
    assert x.reshape(onp.int64(6)).shape == (6,)
    for wrong in ((4,), (4, -1), (-1, -1)):
        with pytest.raises(mx.MXNetError, match="reshape"):
            x.reshape(wrong)
    with pytest.raises(TypeError, match="order"):
        x.reshape((6,), order="F")


def test_transpose_spellings():
    x = nd.zeros((2, 3, 4))
    assert x.transpose((1, 0, 2)).shape == nd.transpose(x, axes=(1, 0, 2)).shape == x.transpose(1, 0, 2).shape
    assert x.transpose().shape == (4, 3, 2)


def test_arrays_that_do_not_fit_for_dot():
    with pytest.raises(mx.MXNetError, match=r"\[dot\]"):
        nd.dot(nd.ones((2, 3)), nd.ones((2, 3)))
    with pytest.raises(mx.MXNetError, match=r"\[dot\]"):
        nd.dot(nd.ones((2, 3)), nd.ones((2, 3, 4)))


def test_writing_single_elements():
    x = nd.zeros((4,))
    x[0], x[1], x[-1] = 1, nd.array([2]), onp.float32(3)
    assert values(x) == [1, 2, 0, 3]
    with pytest.raises(IndexError):
        x[4] = 1
    y = nd.zeros((2, 2))
    y[0, 1], y[1] = 5, nd.array([6, 7])
    y[1, 1:] = 8
    assert values(y) == [[0, 5], [6, 8]]


def test_reading_single_elements():
    x = nd.array([[1, 2], [3, 4]])
    assert x[1, 0].shape == (1,)
    assert x[onp.int64(1), -1].asscalar() == 4
    assert x[1, :].shape == (2,)
    assert values(x[nd.array([1, 0]), nd.array([0, 0])]) == [3, 1]
    part = x[0, 0]
    part[:] = 9
    assert x[0, 0].asscalar() == 9


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "float64"])
def test_comparisons_keep_the_dtype(dtype):
    x = nd.array([1, 2, 3], dtype=dtype)
    for result, expected in (
        (x == 2, [0, 1, 0]),
        (x > nd.array([0, 2, 9], dtype=dtype), [1, 0, 0]),
        (x.reshape((3, 1)) <= nd.array([2], dtype=dtype), [[1], [1], [0]]),
        (nd.broadcast_lesser(x, nd.array([2], dtype=dtype)), [1, 0, 0]),
    ):
        assert values(result) == expected
        assert result.dtype == x.dtype
    assert (x == None) is False  # noqa: E711
    assert (x != "text") is True


def test_one_hot_into_an_array():
    out = nd.zeros((2, 3))
    assert nd.onehot_encode(nd.array([2, 0]), out=out) is out
    assert values(out) == [[0, 0, 1], [1, 0, 0]]


def test_the_largest_of_unsigned_numbers():
    x = nd.array([3, 0, 200], dtype="uint8")
    assert values(nd.topk(x, k=2)) == [2, 0]
    assert values(nd.topk(x, k=9, ret_typ="value")) == [200, 3, 0]
    assert values(npx.topk(np.array([3, 0, 200], dtype="uint8"), k=2)) == [2, 0]
    assert values(nd.sort(x, is_ascend=False)) == [200, 3, 0]


def test_numbers_read_off():
    assert nd.array([[[2.5]]]).asscalar() == 2.5
    assert nd.array([3], dtype="int32").asscalar() == 3
    assert isinstance(nd.array([2.5]).asscalar(), onp.float32)


def test_gradients_filled_with_zeros():
    x = nd.ones((2,))
    x.attach_grad()
    with autograd.record():
        y = x * 3
    y.backward()
    buffer = x.grad
    x.zero_grad()
    assert x.grad is buffer
    assert values(buffer) == [0, 0]
    nd.ones((1,)).zero_grad()  # nothing to fill


def test_keywords_that_mean_nothing_are_refused():
    for call in (
        lambda: nd.random.uniform(size=(2,)),
        lambda: nd.zeros_like(nd.ones((1,)), ctx=mx.cpu()),
        lambda: gluon.nn.BatchNorm(eps=1e-3),
        lambda: npx.activation(np.ones(1), "relu", 2, alpha=1),
        lambda: np.zeros_like(np.ones(1), subok=False),
    ):
        with pytest.raises(TypeError):
            call()


# mx.np -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["float32", "int32", "bool", "float64"])
@pytest.mark.parametrize("target", ["float32", "int32", "bool", "int8"])
def test_conversions_stay_in_the_family(source, target):
    x = np.array([1, 0], dtype=source)
    y = x.astype(target)
    assert type(y) is np.ndarray
    assert y.dtype == target


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std", "any", "all"])
def test_methods_take_lists_of_axes(name):
    x = np.arange(24).reshape(2, 3, 4)
    expected = getattr(x.asnumpy(), name)(axis=(0, 2), keepdims=True)
    for y in (getattr(x, name)(axis=[0, 2], keepdims=True), getattr(x, name)([0, 2], keepdims=True)):
        onp.testing.assert_allclose(y.asnumpy(), expected, rtol=1e-5)
    assert getattr(x, name)().shape == ()


def test_reductions_with_dtype():
    x = np.ones((2, 2))
    assert x.sum(dtype="float64").dtype == onp.float64
    assert x.mean(0, "float64").dtype == onp.float64
    assert float(x.var(ddof=1)) == 0


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((), (3,)), ((2, 3), (4, 3, 2))])
def test_dot_is_numpys(shapes):
    a, b = (onp.random.default_rng(0).normal(size=shape).astype(onp.float32) for shape in shapes)
    onp.testing.assert_allclose(np.dot(np.array(a), np.array(b)).asnumpy(), onp.dot(a, b), rtol=1e-5)


def test_functions_of_arrays_in_all_their_forms():
    x, out = np.array([1.0, 4.0]), np.zeros(2)
    assert np.sqrt(x, out=out) is out
    assert values(out) == [1, 2]
    assert values(np.add(x, 1, out=out)) == [2, 5]
    assert type(np.sqrt(x[:1])) is np.ndarray
    assert values(np.maximum(2, x)) == [2, 4]
    assert np.exp(0.0) == 1
    assert np.sqrt.__name__ == "sqrt"
    assert values(np.positive(np.array([[1, 2]]))) == [[1, 2]]


def test_indices_in_floats():
    x = np.arange(6).reshape(2, 3)
    assert values(x[np.array([1.0])]) == [[3, 4, 5]]
    x[np.array([0.0]), 1] = 7
    assert x[0, 1] == 7


def test_tables_of_numbers():
    table = np.genfromtxt(io.StringIO("1\t2\n3\t4"), delimiter="\t")
    assert type(table) is np.ndarray
    assert table.dtype == onp.float32
    assert values(table) == [[1, 2], [3, 4]]


# Losses and layers that are spelled with wengert.nn ----------------------------------------------------------------


def test_the_constant_of_poisson_likelihoods():
    pred, target = onp.array([[0.5, 1.0]], onp.float32), onp.array([[1.0, 3.0]], onp.float32)
    plain = onp.exp(pred) - target * pred
    stirling = 3 * onp.log(3) - 3 + 0.5 * onp.log(6 * onp.pi)
    for full, expected in ((False, plain.mean()), (True, (plain.sum() + stirling) / 2)):
        loss = gluon.loss.PoissonNLLLoss(compute_full=full)(nd.array(pred), nd.array(target))
        assert loss.asscalar() == pytest.approx(expected, rel=1e-5)
    rates = gluon.loss.PoissonNLLLoss(from_logits=False)(nd.array(onp.exp(pred)), nd.array(target))
    assert rates.asscalar() == pytest.approx(plain.mean(), rel=1e-5)


def test_certain_mistakes_of_probabilities():
    loss = gluon.loss.SigmoidBCELoss(from_sigmoid=True)
    assert loss(nd.array([[0.0]]), nd.array([[1.0]])).asscalar() == pytest.approx(-onp.log(1e-12), rel=1e-5)
    weighted = loss(nd.array([[0.5]]), nd.array([[1.0]]), None, nd.array([[3.0]]))
    assert weighted.asscalar() == pytest.approx(3 * onp.log(2), rel=1e-5)


def test_norms_of_groups():
    x = onp.random.default_rng(0).normal(size=(2, 4, 3)).astype(onp.float32)
    groups = x.reshape(2, 2, 6)
    expected = ((groups - groups.mean(2, keepdims=True)) / groups.std(2, keepdims=True)).reshape(x.shape)
    scale = onp.array([1, 2], onp.float32)
    y = nd.GroupNorm(nd.array(x), nd.array(scale), nd.zeros((2,)), num_groups=2, eps=0)
    onp.testing.assert_allclose(y.asnumpy(), expected * onp.repeat(scale, 2)[:, None], rtol=1e-4, atol=1e-5)
    each = nd.InstanceNorm(nd.array(x), nd.ones((4,)), nd.ones((4,)), eps=0)
    onp.testing.assert_allclose(
        each.asnumpy(), 1 + (x - x.mean(2, keepdims=True)) / x.std(2, keepdims=True), rtol=1e-4, atol=1e-5
    )


def test_swish_with_another_slope():
    x = nd.array([-1, 2])
    expected = x.asnumpy() / (1 + onp.exp(-3 * x.asnumpy()))
    onp.testing.assert_allclose(gluon.nn.Swish(beta=3.0)(x).asnumpy(), expected, rtol=1e-5)
    onp.testing.assert_allclose(npx.silu(x, 3.0).asnumpy(), expected, rtol=1e-5)


def test_errors_are_the_librarys_own():
    with pytest.raises(WengertError):
        nd.topk(nd.ones((2,)), ret_typ="nothing")
