"""Every public function has its place: a rule, a derivative that is zero by nature, or a reason to have none."""

import numpy as np
import pytest
from scipy import special
from tests.battery import orders

import wengert as wg
from wengert import coverage
from wengert.primitive import REGISTRY

NAMES = list(coverage.public_functions())
MISSING: set[str] = set()
"""Public functions about which nothing has been said yet."""


def test_nothing_is_forgotten():
    assert {name for name in NAMES if coverage.status(name) == "missing"} == MISSING


def test_every_status_occurs_and_no_other():
    assert {coverage.status(name) for name in NAMES} == set(coverage.STATUSES) - {"missing"}


@pytest.mark.parametrize(
    "name, status",
    [
        ("numpy.sin", "differentiable"),
        ("numpy.concat", "differentiable"),
        ("numpy.linalg.svd", "differentiable"),
        ("numpy.fft.fft", "differentiable"),
        ("numpy.emath.sqrt", "differentiable"),
        ("scipy.special.erf", "differentiable"),
        ("scipy.special.logsumexp", "differentiable"),
        ("numpy.floor", "zero gradient by nature"),
        ("numpy.round", "zero gradient by nature"),
        ("numpy.argmax", "zero gradient by nature"),
        ("numpy.load", "not about arrays"),
        ("numpy.float64", "not about arrays"),
        ("scipy.special.pro_ang1", "not differentiable"),
        ("scipy.linalg.expm", "differentiable"),
        ("scipy.fft.dct", "differentiable"),
        ("scipy.ndimage.label", "not differentiable"),
        ("scipy.linalg.schur", "not differentiable"),
    ],
)
def test_status(name, status):
    assert coverage.status(name) == status
    assert bool(coverage.reason(name)) == (status in ("not about arrays", "not differentiable"))


def test_what_is_listed_exists_and_has_no_rule():
    """Where a function gets a rule, its line in the table is to go."""
    without = {f"scipy.special.{name}" for name in coverage.SPECIAL_WITHOUT_RULES}
    assert without <= set(NAMES)
    assert {coverage.status(name) for name in without} == {"not differentiable"}
    listed = {name.rpartition(".")[2] for name in NAMES}
    assert set(coverage.NOT_ABOUT_ARRAYS) | set(coverage.SPECIAL_NOT_ABOUT_ARRAYS) <= listed


@pytest.mark.parametrize(
    "name", [name for name in sorted(coverage.SPECIAL_WITHOUT_RULES) if isinstance(getattr(special, name), np.ufunc)]
)
def test_what_has_no_rule_refuses_recorded_values(name):
    function = getattr(special, name)
    t = wg.tensor(0.5, requires_grad=True)
    with pytest.raises(wg.errors.MissingRuleError, match=name):
        function(*[1] * (function.nin - 1), t)


def test_the_columns_are_what_the_samples_show():
    shown = {name: letters for letters, names in orders.stored().items() for name in names}
    assert shown == orders.measured(), "python -m tests.battery.orders"


def test_every_function_of_numpy_that_is_said_to_work_has_samples():
    """Others are plain Python around functions that have."""
    sampled = {name for name, _ in orders.sampled()}
    by_parts = {
        name
        for name in NAMES
        if name.startswith("numpy") and coverage.status(name) == "differentiable" and name not in sampled
    }
    assert not {name for name in by_parts if coverage.function_of(name) in REGISTRY}
    assert {answer for name in by_parts for answer in list(coverage.orders(name).values())[:3]} <= {"–"}


def test_orders():
    assert coverage.orders("numpy.linalg.eigh") == {
        "reverse": "yes",
        "forward": "yes",
        "second order": "yes",
        "compiled": "a call",
    }
