"""Totals and running sums of single large arrays, by kernels."""

import subprocess
import sys

import numpy as np
import pytest

folds = pytest.importorskip("wengert.compiler.folds")
SIZES = [1, 2, 7, 8, 9, 63, 64, 65, 127, 1023, 1024, 1025, 3000, 8192, 65535, 65536, 65537, 200_003]
TOTALS = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "norm": np.linalg.norm}
EPS = {"d": 2.0**-52, "f": 2.0**-23}


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("name", TOTALS)
def test_totals(name, char):
    for n in SIZES:
        x = np.random.default_rng(n).normal(size=n).astype(char)
        got = folds.fold_of(name, (x, None, False))(x)
        wide = x.astype(np.longdouble)
        size = np.sum(np.abs(wide)) / (n if name == "mean" else 1)
        assert type(got) is x.dtype.type
        if name in ("max", "min"):
            assert got == TOTALS[name](x)
        else:
            numpys = abs(TOTALS[name](x) - TOTALS[name](wide))
            assert abs(got - TOTALS[name](wide)) <= max(numpys, EPS[char] * (abs(got) + 0.2 * size))


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize(
    "shape", [(1,), (9,), (3001,), (70_001,), (300, 7), (5, 1000), (1000, 100), (3, 4, 33), (90, 1)]
)
def test_running_sums(shape, char):
    x = np.random.default_rng(0).normal(size=shape).astype(char)
    wide = x.astype(np.longdouble)
    for name, wanted, numpys in (
        ("running sum", np.cumsum(wide, -1), np.cumsum(x, -1)),
        ("running sum from the end", np.cumsum(wide[..., ::-1], -1)[..., ::-1], np.cumsum(x[..., ::-1], -1)[..., ::-1]),
    ):
        got = folds.fold_of(name, (x, x.ndim - 1))(x)
        assert got.shape == x.shape and got.dtype == x.dtype
        assert np.max(np.abs(got - wanted)) <= np.max(np.abs(numpys - wanted)) + EPS[char] * np.max(np.abs(wanted))


@pytest.mark.parametrize("place", [0, 5, 4096, 8999])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_left_to_numpy(place, value):
    x = np.ones(9000)
    x[place] = value
    for name in TOTALS.keys() - {"max", "min"} | ({"max", "min"} if np.isnan(value) else set()):
        assert folds.fold_of(name, (x, None, False))(x) is None
    for name in ("running sum", "running sum from the end"):
        assert folds.fold_of(name, (x, 0))(x) is None
        assert folds.fold_of(name, (x.reshape(9, 1000), 1))(x.reshape(9, 1000)) is None
    if value == np.inf:
        assert folds.fold_of("max", (x, None, False))(x) == np.inf and folds.fold_of("min", (x, None, False))(x) == 1


@pytest.mark.parametrize("char", "df")
def test_sums_that_overflow_in_another_order_only_are_left_to_numpy(char):
    big = np.finfo(char).max * 0.9
    x = np.tile(np.array([-big, big, big, -big], char), 4000)
    assert folds.fold_of("running sum", (x, 0))(x) is None
    assert np.isfinite(np.cumsum(x)).all()


def test_axes_and_dtypes():
    x = np.ones((30, 40))
    assert folds.fold_of("sum", (x, 0, False)) is None and folds.fold_of("sum", (x[::2], None, False)) is None
    assert folds.fold_of("sum", (x.astype(int), None, False)) is None
    assert folds.fold_of("running sum", (x, 0)) is None and folds.fold_of("running sum", (x.T, 1)) is None
    assert folds.fold_of("sum", (x, None, True))(x).shape == (1, 1)


SCRIPT = """
import numpy as np
from wengert.compiler import folds
x = np.random.default_rng(0).normal(size=300_000)
print(folds.fold_of("sum", (x, None, False))(x).hex(), folds.fold_of("running sum", (x, 0))(x)[-1].hex())
"""


def test_bits_do_not_depend_on_the_number_of_threads(monkeypatch):
    found = set()
    for threads in "124":
        monkeypatch.setenv("WENGERT_THREADS", threads)
        found.add(subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60).stdout)
    assert len(found) == 1 and found.pop()
