"""Every function that has a rule, at each of its samples: pushed forward, and batched, alone and under reverse mode."""

import warnings

import numpy as np
import pytest
from tests.battery.samples import SMOOTH
from tests.battery.variants import applies, name_of, recast

import wengert as wg
from wengert.errors import BatchWarning
from wengert.testing import calls

DTYPES = (np.float64, np.complex128)

LOOPED = {
    **dict.fromkeys(("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values", "union1d", "setdiff1d",
                     "setxor1d", "intersect1d", "trim_zeros", "polymul", "polydiv"), "how many there are is up "
                    "to their values"),
    **dict.fromkeys(("histogram", "histogram2d", "histogramdd", "histogram_bin_edges", "bincount"), "NumPy bins one "
                    "sample"),
    **dict.fromkeys(("nanquantile", "nanpercentile", "nanmedian"), "each line has places of its own"),
    **dict.fromkeys(("quantile", "percentile"), "with weights or batched places each line has places of its own"),
    **dict.fromkeys(("reshape", "ravel"), "orders A and K are those of one example's memory"),
    **dict.fromkeys(("linalg.linalg.pinv", "linalg.linalg.lstsq", "polyfit", "roots", "poly"), "the algorithm, or the "
                    "shapes of its results, are up to the rank or to conjugate pairs"),
    **dict.fromkeys(("pinv", "pinvh", "lstsq"), "what counts as zero is up to the values of each example"),
    **dict.fromkeys(("eigh", "eigvalsh", "eigh_tridiagonal"), "how many values are chosen is up to the values"),
    **dict.fromkeys(("unwrap", "frexp"), "NumPy's own whole numbers are used"),
}  # fmt: skip
"""Functions that run once for each example of a batch, at some of their samples, and why."""


def _cases():
    return [
        pytest.param(function, sample, dtype, id=f"{name_of(function)}-{i}-{dtype.__name__}")
        for function, given in SMOOTH.items()
        for i, sample in enumerate(given)
        for dtype in DTYPES
        if applies(function, sample, dtype)
    ]


CASES = _cases()


def _call(function, sample, dtype):
    args, kwargs = recast(sample, dtype)
    call = calls.Call(function, args, kwargs)
    if not call.inputs or not call.cotangents:
        pytest.skip("nothing to differentiate")
    return call


def _tolerance(call):
    return 1e-4 if call.single else 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function, sample, dtype", CASES)
def test_forward_is_the_transpose_of_reverse(function, sample, dtype):
    call = _call(function, sample, dtype)
    _, pushed = wg.jvp(call, tuple(call.inputs), tuple(call.tangents))
    pulled = calls.pulled_back(call, call.inputs, call.cotangents)
    there, back = calls.along(call.cotangents, pushed), calls.along(call.tangents, pulled)
    np.testing.assert_allclose(there, back, rtol=_tolerance(call), atol=_tolerance(call))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function, sample, dtype", CASES)
def test_a_batch_is_a_stack(function, sample, dtype):
    call = _call(function, sample, dtype)
    _compare(call, call, name_of(function) in LOOPED)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function, sample, dtype", CASES)
def test_a_batch_of_gradients_is_a_stack(function, sample, dtype):
    call = _call(function, sample, dtype)
    _compare(call, lambda *inputs: wg.vjp(call, *inputs)[1](list(call.cotangents)), name_of(function) in LOOPED)


def _compare(call, f, looped):
    """Two examples near each other, batched and one by one; nothing may be looped over in silence or aloud."""
    examples = [np.stack([x, x * (1 + 1e-3)]) for x in call.inputs]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("ignore" if looped else "error", BatchWarning)
        batched = wg.vmap(f)(*examples)
        rows = [f(*(x[i] for x in examples)) for i in (0, 1)]
    for got, *expected in zip(batched, *rows, strict=True):
        expected = np.stack(expected)
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=_tolerance(call), atol=_tolerance(call))
