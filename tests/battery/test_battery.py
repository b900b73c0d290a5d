"""The battery: every function that has a rule, at each of its samples, in several dtypes, against all contracts."""

import numpy as np
import pytest
from tests.battery.samples import SINGULAR, SMOOTH
from tests.battery.variants import applies, name_of, recast

from wengert.testing import check_rule, check_singular, check_value
from wengert.testing.calls import Call

DTYPES = (np.float64, np.float32, np.complex128)


def _cases(table):
    return [
        pytest.param(function, sample, dtype, id=f"{name_of(function)}-{i}-{dtype.__name__}")
        for function, given in table.items()
        for i, sample in enumerate(given)
        for dtype in DTYPES
        if applies(function, sample, dtype)
    ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function, sample, dtype", _cases(SMOOTH))
def test_rule(function, sample, dtype):
    args, kwargs = recast(sample, dtype)
    if Call(function, args, kwargs).inputs:
        check_rule(function, *args, **kwargs)
    else:
        check_value(function, *args, **kwargs)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function, sample, dtype", _cases(SINGULAR))
def test_singular(function, sample, dtype):
    args, kwargs = recast(sample, dtype)
    check_singular(function, *args, **kwargs)
