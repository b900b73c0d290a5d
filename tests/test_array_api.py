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
