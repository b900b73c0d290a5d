"""`out=` of any dtype: what is in it afterwards is what NumPy leaves there, with tensors and in compiled functions."""

import numpy as np
import pytest

import wengert as wg

RANDOM = np.random.default_rng(0)
THREE = np.eye(3, dtype=int)
FUNCTIONS = {
    "any": lambda x, out: np.any(x > 0, 0, out),
    "all": lambda x, out: np.all(x > 0, axis=0, out=out),
    "method": lambda x, out: (x > 0).any(0, out=out),
    "argmax": lambda x, out: np.argmax(x, 0, out=out),
    "nanargmin": lambda x, out: np.nanargmin(x, 0, out=out),
    "logical_or": lambda x, out: np.logical_or.reduce(x, axis=0, out=out),
    "isfinite": lambda x, out: np.isfinite(x[0], out=out),
    "isneginf": lambda x, out: np.isneginf(x[0], out),
    "greater": lambda x, out: np.greater(x[0], 0, out=out),
    "max": lambda x, out: np.max(x, 0, out=out),
    "maximum": lambda x, out: np.maximum.reduce(x, axis=0, out=out),
    "running maximum": lambda x, out: np.maximum.accumulate(x[0], out=out),
    "difference": lambda x, out: np.subtract.reduce(x, axis=0, out=out),
    "sum": lambda x, out: np.sum(x, 0, out=out),
    "sum by position": lambda x, out: np.sum(x, 0, None, out),
    "sum by name": lambda x, out: np.sum(a=x, axis=0, dtype=None, out=out),
    "add.reduce": lambda x, out: np.add.reduce(x, axis=0, out=out),
    "add.accumulate": lambda x, out: np.add.accumulate(x[0], out=out),
    "prod": lambda x, out: x.prod(0, out=out),
    "cumsum": lambda x, out: np.cumsum(x[0], out=out),
    "cumprod": lambda x, out: x[0].cumprod(out=out),
    "nansum": lambda x, out: np.nansum(x, 0, out=out),
    "mean": lambda x, out: x.mean(0, out=out),
    "std": lambda x, out: np.std(x, 0, out=out),
    "ptp": lambda x, out: np.ptp(x, axis=0, out=out),
    "median": lambda x, out: np.median(x, 0, out=out),
    "einsum": lambda x, out: np.einsum("ij->j", x, out=out),
    "trace": lambda x, out: np.trace(np.stack([x[:3]] * 3, -1), out=out),
    "dot": lambda x, out: np.dot(x[0], THREE.astype(x.dtype), out=out),
    "clip": lambda x, out: np.clip(x[0], -1, 1, out=out),
    "round": lambda x, out: np.round(x[0], 1, out=out),
    "take": lambda x, out: np.take(x[0], [0, 1, 2], out=out, mode="clip"),
    "concatenate": lambda x, out: np.concatenate([x[0, :1], x[1, :2]], out=out),
}


def filled(function, x, out):
    """What is left in `out`, or the class of what is raised."""
    try:
        function(x, out)
    except (TypeError, ValueError):
        return TypeError
    return np.asarray(out)


def assert_same(found, expected):
    if expected is TypeError or found is TypeError:
        assert found is expected
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12 if expected.dtype != np.float32 else 1e-4)


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("kind", "dfbl")
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_as_numpy_fills_it(function, kind):
    for of_out in "?bBldfD":
        fast = wg.compile(lambda x, of_out=of_out: filled(function, x, np.zeros(3, of_out)))
        for _ in range(3):
            x = (4 * RANDOM.normal(size=(4, 3))).astype(kind)
            expected = filled(function, x, np.zeros(3, of_out))
            assert_same(fast(x), expected)
            of_tensors = filled(function, wg.tensor(x), wg.zeros(3, dtype=np.dtype(of_out)))
            if of_tensors is not TypeError:  # fewer dtypes than NumPy takes, but no other numbers
                assert_same(of_tensors, expected)
