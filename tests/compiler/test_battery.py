"""Samples of all rules, compiled once and run at other numbers: nothing of the first ones may stay in the program."""

import numpy as np
import pytest
from tests.battery.samples import SMOOTH
from tests.battery.variants import applies, name_of, recast

import wengert as wg
from wengert.testing import calls

EVERY = 37
"""One of so many samples is compiled here."""
UNSORTED = {"interp"}
"""Functions that need arguments in order."""


def chosen():
    """Some samples of functions of all families."""
    number = 0
    for function, samples in SMOOTH.items():
        for i, sample in enumerate(samples):
            number += 1
            if number % EVERY == 0 and applies(function, sample, np.float64) and name_of(function) not in UNSORTED:
                yield pytest.param(function, sample, id=f"{name_of(function)}-{i}")


def others(inputs):
    """The same inputs, other ones near by, and the same in another order."""
    rng = np.random.default_rng(0)
    yield inputs
    yield [near(np.asarray(x), rng) for x in inputs]
    yield [np.flip(x)[()] if np.asarray(x).dtype.kind in "fc" else x for x in inputs]
    yield inputs


def near(x, rng):
    return (x + 0.02 * rng.standard_normal(x.shape)).astype(x.dtype)[()] if x.dtype.kind in "fc" else x[()]


def run(f, xs):
    """The results, or the class of the error."""
    try:
        with np.errstate(all="ignore"):
            return f(*xs)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize(("function", "sample"), list(chosen()))
@pytest.mark.filterwarnings("ignore")
def test_a_program_is_right_for_other_numbers(function, sample):
    call = calls.Call(function, *recast(sample, np.float64))
    if not call.inputs or not call.cotangents:
        pytest.skip("it has no inexact operand")
    cotangents = list(call.cotangents)
    tolerance = 1e-3 if call.single else 1e-7
    for f in (lambda *x: list(call(*x)), lambda *x: list(wg.vjp(call, *x)[1](cotangents))):
        fast = wg.compile(f)
        for xs in others(call.inputs):
            found, expected = run(fast, xs), run(f, xs)
            if isinstance(expected, type):
                assert found is expected
                continue
            for a, b in zip(found, expected, strict=True):
                size = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
                np.testing.assert_allclose(a, b, tolerance, tolerance * max(1, size) * 1e-2)
                assert np.asarray(a).dtype == np.asarray(b).dtype
