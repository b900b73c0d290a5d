"""The array API standard: what a library that is written for it finds."""

import os
import subprocess
import sys

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ArgumentError, WengertError


@pytest.fixture
def t():
    return wg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)


def test_every_name_of_the_standard_is_there(t):
    xp = t.__array_namespace__(api_version="2023.12")
    assert len(dir(xp)) > 150
    for name in dir(xp):
        assert getattr(xp, name) is not None or name == "newaxis"
    with pytest.raises(AttributeError, match="no such name"):
        xp.cbrt  # noqa: B018 (NumPy has it, the standard does not)
    with pytest.raises(ArgumentError, match="version"):
        t.__array_namespace__(api_version="2030.12")


def normalised(x):
    """A function as such a library has it: it knows only the array that it is given."""
    xp = x.__array_namespace__()
    total = xp.zeros((x.shape[0], 1), dtype=x.dtype, device=x.device)
    for i in range(x.shape[1]):
        total[:, 0] += xp.abs(x[:, i])
    stacked = xp.concat([x / total, xp.ones_like(total)], axis=-1)
    return xp.sum(xp.where(stacked > 0.5, stacked**2, stacked), axis=-1, keepdims=True)


def test_a_function_of_the_standard_is_differentiated(t):
    y = normalised(t)
    np.testing.assert_array_equal(y.data, normalised_plain(t.data))
    wg.backward(y, np.ones((2, 1)))
    step = 1e-6
    for i, j in np.ndindex(2, 2):
        moved = [t.data + sign * step * np.outer(np.eye(2)[i], np.eye(2)[j]) for sign in (1, -1)]
        difference = (normalised_plain(moved[0]).sum() - normalised_plain(moved[1]).sum()) / (2 * step)
        assert t.grad[i, j].item() == pytest.approx(difference, rel=1e-6)


def normalised_plain(x):
    ratio = np.concatenate([x / np.abs(x).sum(1, keepdims=True), np.ones((2, 1))], axis=1)
    return np.where(ratio > 0.5, ratio**2, ratio).sum(1, keepdims=True)


def test_making_arrays(t):
    xp = t.__array_namespace__()
    assert isinstance(xp.arange(3), wg.Tensor) and xp.arange(3).dtype == xp.int64
    assert xp.asarray(t) is t
    plain = np.arange(3.0)
    assert xp.asarray(plain, copy=True).tolist() == [0.0, 1.0, 2.0]
    copied = xp.asarray(t, copy=True)
    assert copied is not t and copied.requires_grad
    assert xp.from_dlpack(plain).tolist() == [0.0, 1.0, 2.0]
    for wrong in (lambda: xp.zeros(3, device="gpu"), lambda: t.to_device("gpu"), lambda: xp.asarray([1], copy=False)):
        with pytest.raises(WengertError):
            wrong()
    assert t.device == "cpu" and t.to_device("cpu") is t


def test_scipy_accepts_tensors():
    program = (
        "import wengert as wg, scipy.special\n"
        "t = wg.tensor([3.0, 4.0], requires_grad=True)\n"
        "y = scipy.special.logsumexp(t)\n"
        "y.backward()\n"
        "print(type(y).__name__, t.grad.data.round(9).tolist())\n"
    )
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "Tensor [0.268941421, 0.731058579]\n", done.stderr


def test_sorting_backwards(t):
    xp = t.__array_namespace__()
    x = wg.tensor([1.0, 3.0, 3.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal(xp.argsort(x, descending=True), [1, 2, 3, 0])
    np.testing.assert_array_equal(xp.argsort(x), [0, 3, 1, 2])
    np.testing.assert_array_equal(xp.argsort(t, axis=0, descending=True), [[1, 1], [0, 0]])
    y = xp.sort(x, descending=True)
    assert y.tolist() == [3.0, 3.0, 2.0, 1.0]
    wg.backward(y, np.array([0.0, 0.0, 5.0, 7.0]))
    assert x.grad.tolist() == [7.0, 0.0, 0.0, 5.0]


def test_the_standards_keywords_of_ufuncs(t):
    xp = t.__array_namespace__()
    y = xp.vecdot(t, t, axis=0)
    assert y.tolist() == [10.0, 20.0]
    wg.backward(y, np.ones(2))
    np.testing.assert_array_equal(t.grad, 2 * t.data)


def test_indices_that_are_tensors(t):
    xp = t.__array_namespace__()
    wg.backward(xp.take(t, xp.asarray([1, 1]), axis=0), np.ones((2, 2)))
    assert t.grad.tolist() == [[0.0, 0.0], [2.0, 2.0]]


def test_memory_for_other_libraries(t):
    assert t.__dlpack_device__() == (1, 0)
    np.testing.assert_array_equal(np.from_dlpack(t.detach()), t.data)
    with pytest.raises(WengertError, match="gradient"):
        np.from_dlpack(t)


@pytest.mark.parametrize(
    "use",
    [
        lambda t: np.ma.array(t),
        lambda t: np.ma.masked_where(t.data > 1, t),
        lambda t: np.ma.array(t.data, mask=t.data > 1) * t,
        lambda t: t * np.ma.array(t.data, mask=t.data > 1),
        lambda t: np.ma.sum(t),
        lambda t: np.vectorize(lambda v: 2 * v)(t),
        lambda t: np.frompyfunc(lambda v: 2 * v, 1, 1)(t),
        lambda t: np.nditer(t),
        lambda t: list(np.ndenumerate(t)),
        lambda t: np.zeros(2, [("a", float)]).__setitem__("a", t[0]),
        lambda t: np.broadcast(t, t),
        lambda t: np.r_[t, t],
        lambda t: np.polynomial.Polynomial(t[0])(1.0),
        lambda t: np.polynomial.polynomial.polyval(1.0, t[0]),
    ],
)
def test_what_would_drop_a_gradient_raises(t, use):
    with pytest.raises(WengertError):
        use(t)
