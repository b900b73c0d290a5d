"""mx.test_utils, and the figures of mx.metric that classify or correlate."""

import os

import numpy as onp
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import nd, test_utils
from wengert.errors import ArgumentError


def test_everything_that_test_programs_expect():
    names: dict = {}
    exec("from wengert.dialects.mxnet.test_utils import *\nfrom wengert.dialects.mxnet.autograd import *", names)
    assert names["mx"] is mx
    assert names["np"] is onp
    assert names["NDArray"] is nd.NDArray


def test_comparing():
    a, b = nd.array([1, 2]), nd.array([1, 2.00001])
    assert test_utils.almost_equal(a, b)
    assert not test_utils.almost_equal(a, b, rtol=0, atol=1e-9)
    test_utils.assert_almost_equal(a, b.asnumpy())
    with pytest.raises(AssertionError, match="x and y differ"):
        test_utils.assert_almost_equal(a, a + 1, names=("x", "y"))
    with pytest.raises(AssertionError, match="one shape"):
        test_utils.assert_almost_equal(a, nd.array([[1, 2]]), use_broadcast=False)
    gaps = onp.array([1, onp.nan])
    assert test_utils.almost_equal_ignore_nan(gaps, onp.array([1.0, 5.0]))
    with pytest.raises(AssertionError):
        test_utils.assert_almost_equal_ignore_nan(gaps, onp.array([2.0, 5.0]))


def test_shared_memory():
    x = nd.ones((3,))
    assert test_utils.same_array(x, x[0:3])
    assert not test_utils.same_array(x, x.copy())
    assert x.asnumpy().tolist() == [1, 1, 1]


def test_expected_exceptions():
    test_utils.assert_exception(nd.zeros, mx.MXNetError, (2,), ctx=mx.gpu())
    with pytest.raises(AssertionError, match="nothing was raised"):
        test_utils.assert_exception(nd.zeros, mx.MXNetError, (2,))


def test_repetition():
    calls = []

    @test_utils.retry(3)
    def flaky():
        calls.append(1)
        assert len(calls) == 2

    flaky()
    assert len(calls) == 2
    with pytest.raises(AssertionError):
        flaky()
    assert len(calls) == 5


def test_surroundings(monkeypatch, capsys):
    monkeypatch.setenv("WENGERT_TEST", "a")
    with test_utils.environment("WENGERT_TEST", "b"):
        assert os.environ["WENGERT_TEST"] == "b"
    with test_utils.environment({"WENGERT_TEST": None}):
        assert "WENGERT_TEST" not in os.environ
    assert os.environ["WENGERT_TEST"] == "a"
    assert test_utils.default_context() == mx.cpu()
    assert len(test_utils.list_gpus()) == 0


def test_random_things():
    assert test_utils.rand_ndarray((2, 3), dtype="float64").dtype == onp.float64
    first, second = test_utils.random_arrays((2,), (3, 4))
    assert (first.shape, second.shape) == ((2,), (3, 4))
    assert sorted(test_utils.random_sample([1, 2, 3], 3)) == [1, 2, 3]
    assert all(1 <= n <= 4 for n in test_utils.rand_shape_nd(5, dim=4))
    assert len(test_utils.rand_shape_2d()) + len(test_utils.rand_shape_3d()) == 5
    x, y = test_utils.rand_coord_2d(0, 2, 5, 7)
    assert x in (0, 1)
    assert y in (5, 6)


# Metrics ---------------------------------------------------------------------------------------------------------

SCORES = [[0.3, 0.7], [0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]


def test_f1():
    metric = mx.metric.F1()
    metric.update([nd.array([0, 1, 1, 1])], [nd.array(SCORES)])  # right: 2, named: 3 and 3
    assert metric.get() == ("f1", pytest.approx(2 / 3))
    metric.update(nd.array([1]), nd.array([[0.0, 1.0]]))
    assert metric.get()[1] == pytest.approx((2 / 3 + 1) / 2)
    of_all = mx.metric.create("f1", average="micro")
    of_all.update(nd.array([0, 1, 1, 1]), nd.array(SCORES))
    of_all.update(nd.array([1]), nd.array([[0.0, 1.0]]))
    assert of_all.get()[1] == pytest.approx(6 / 8)
    of_all.reset()
    of_all.update(nd.array([0]), nd.array([[1.0, 0.0]]))
    assert of_all.get()[1] == 0
    with pytest.raises(ValueError, match="binary"):
        metric.update(nd.array([2]), nd.array([[0.0, 1.0]]))
    with pytest.raises(ArgumentError, match="average"):
        mx.metric.F1(average="none")


def test_correlation_and_likelihood():
    metric = mx.metric.create("pearsonr")
    a, b = onp.array([1.0, 2, 4, 3]), onp.array([0.5, 1, 1, 2])
    metric.update(nd.array(a), nd.array(b))
    assert metric.get()[1] == pytest.approx(onp.corrcoef(a, b)[0, 1])
    likelihood = mx.metric.NegativeLogLikelihood()
    likelihood.update(nd.array([1]), nd.array([[0.5, 0.5]]))
    assert likelihood.get() == ("nll-loss", pytest.approx(onp.log(2)))
