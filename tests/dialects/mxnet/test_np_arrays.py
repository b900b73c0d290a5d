"""`mx.np`: dtypes, printed forms, functions, gradients."""

import numpy as onp
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import autograd, nd, np, npx
from wengert.errors import LostGradientError, MissingRuleError


@pytest.fixture(autouse=True)
def _flags():
    npx.set_np()
    yield
    npx.reset_np()


@pytest.mark.parametrize(
    ("made", "dtype"),
    [
        (lambda: np.array([1, 2]), "float32"),
        (lambda: np.array([1.0, 2.0]), "float32"),
        (lambda: np.array(onp.array([1.0])), "float32"),
        (lambda: np.array(onp.array([1])), "int64"),
        (lambda: np.array([1, 2], dtype="int32"), "int32"),
        (lambda: np.arange(3), "float32"),
        (lambda: np.arange(0, 1, 0.5), "float32"),
        (lambda: np.zeros((2,)), "float32"),
        (lambda: np.ones(2, "float64"), "float64"),
        (lambda: np.eye(2), "float32"),
        (lambda: np.linspace(0, 1, 3), "float32"),
        (lambda: np.full((2,), 7), "float32"),
        (lambda: np.random.normal(0, 1, (2,)), "float32"),
        (lambda: np.random.randint(0, 3, size=(2,)), "int64"),
        (lambda: np.ones(2) > 0, "bool"),
        (lambda: np.argmax(np.ones(2)), "int64"),
        (lambda: np.mean(np.ones(2, "int64")), "float32"),
        (lambda: np.ones(2, "int32") / 2, "float32"),
    ],
)
def test_dtypes(made, dtype):
    assert isinstance(made(), np.ndarray)
    assert made().dtype == dtype


def test_default_dtype_of_numpy():
    npx.set_np(dtype=True)
    assert np.array([1.0]).dtype == np.arange(2).dtype == np.zeros(2).dtype == onp.float64
    assert repr(np.ones(1)) == "array([1.])"


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (lambda: np.array([0, 1.5]), "array([0. , 1.5])"),
        (lambda: np.array([1.0], dtype="float64"), "array([1.], dtype=float64)"),
        (lambda: np.array([1], dtype="int64"), "array([1], dtype=int64)"),
        (lambda: np.array([1], dtype="int32"), "array([1], dtype=int32)"),
        (lambda: np.array([True], dtype=bool), "array([ True])"),
        (lambda: np.array(6.0), "array(6.)"),
    ],
)
def test_printed_forms(array, text):
    assert repr(array()) == text


def test_str_and_format():
    x = np.array([1.0, 2.0])
    assert str(x) == f"{x}" == "[1. 2.]"
    assert f"{x.sum():.2f}" == "3.00"


def test_arrays_without_axes():
    s = np.arange(4).sum()
    assert s.shape == ()
    assert s.item() == 6.0


def test_functions():
    x = np.arange(6).reshape(2, 3)
    assert x.sum(axis=[0, 1]).item() == np.sum(x, axis=[0, 1]).item() == 15
    assert onp.array_equal(np.concatenate([x, x], axis=1).asnumpy(), onp.tile(onp.arange(6).reshape(2, 3), 2))
    assert [p.shape for p in np.split(x, 3, axis=1)] == [(2, 1)] * 3
    assert np.dot(x, x.T).tolist() == [[5, 14], [14, 50]]
    assert np.einsum("ij->j", x).tolist() == [3, 5, 7]
    assert np.linalg.norm(np.array([3, -4])).item() == 5
    out = np.zeros((2, 3))
    assert np.add(x, x, out=out) is out
    assert out[1, 2].item() == 10
    assert isinstance(np.stack([onp.ones(2), onp.ones(2)]), np.ndarray)
    assert isinstance(np.linalg.svd(np.eye(2))[0], np.ndarray)


def test_names():
    names = set(dir(np))
    assert {"sin", "concatenate", "where", "einsum", "float32", "pi", "newaxis", "random", "linalg"} <= names
    assert np.tanh.__name__ == "tanh"
    assert np.tanh.__doc__


def test_float_arrays_as_indices():
    x = np.arange(6).reshape(3, 2)
    assert x[np.array([2, 0])].tolist() == [[4, 5], [0, 1]]
    x[np.array([0])] = 9
    assert x[[0, 1], [1, 0]].tolist() == [9, 2]


def test_take_clips():
    assert np.arange(3).take(np.array([5, 0])).tolist() == np.take(np.arange(3), np.array([5, 0])).tolist() == [2, 0]


def test_gradients():
    x = np.arange(4.0)
    x.attach_grad()
    assert x.grad.tolist() == [0, 0, 0, 0]
    with autograd.record():
        y = 2 * np.dot(x, x)
    y.backward()
    assert x.grad.tolist() == [0, 4, 8, 12]
    with autograd.record():
        u = (x * x).detach()
        z = u * x
    z.backward()
    assert x.grad.tolist() == [0, 1, 4, 9]


def test_recorded_values_in_a_new_array_stay_recorded():
    x = np.array([1.0, 2.0])
    x.attach_grad()
    with autograd.record():
        y = np.array([x[0] * 2, x[1] * 3]).sum()
    y.backward()
    assert x.grad.tolist() == [2, 3]


def test_functions_without_a_rule():
    x = np.eye(2)
    x.attach_grad()
    assert onp.array_equal(np.histogram(x, bins=2)[0].asnumpy(), [2, 2])
    with autograd.record(), pytest.raises(MissingRuleError, match="abs"):
        onp.frompyfunc(abs, 1, 1)(x)


def test_both_classes():
    x = np.arange(2)
    x.attach_grad()
    with autograd.record():
        y = x.as_nd_ndarray()
        z = (y * y).as_np_ndarray()
    assert isinstance(y, nd.NDArray)
    assert isinstance(z, np.ndarray)
    z.backward()
    assert x.grad.tolist() == [0, 2]
    assert np.array(5.0).as_nd_ndarray().shape == (1,)


def test_seeds_repeat():
    drawn = []
    for _ in range(2):
        mx.random.seed(3)
        drawn.append((np.random.rand(2).tolist(), np.random.normal(size=2).tolist(), np.random.permutation(5).tolist()))
    assert drawn[0] == drawn[1]


def test_no_gradient_goes_through_what_is_drawn():
    mean = np.zeros(2)
    mean.attach_grad()
    assert np.random.normal(mean, 1).shape == (2,)
    with autograd.record(), pytest.raises(LostGradientError, match="normal"):
        np.random.normal(mean, 1)


def test_shuffle_in_place():
    x = np.arange(10)
    np.random.shuffle(x)
    assert sorted(x.tolist()) == list(range(10))


def test_choice_and_multinomial_take_single_precision_probabilities():
    p = np.ones(6) / 6
    assert np.random.multinomial(10, p).sum().item() == 10
    assert np.random.choice(6, size=4, p=p).shape == (4,)


def test_gpu_is_a_clear_error():
    with pytest.raises(mx.MXNetError, match="GPU"):
        np.ones(2, ctx=npx.gpu())
