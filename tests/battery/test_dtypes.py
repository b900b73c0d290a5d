"""Dtypes: what NumPy makes of other dtypes than those that gradients are checked in, the library makes too."""

import numpy as np
import pytest
from tests.battery.samples import SMOOTH
from tests.battery.variants import applies, name_of, recast

from wengert.testing import check_value

ROUNDED = ("simpson",)
OTHERS = (np.float16, np.longdouble, np.complex64, np.int64, np.int32, np.uint8, np.bool_)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", OTHERS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("function", SMOOTH, ids=name_of)
def test_results(function, dtype):
    if dtype is np.longdouble and name_of(function) in ROUNDED:
        pytest.skip("SciPy computes a part of it in double precision")
    if function is np.power and dtype is np.bool_:
        pytest.skip("of truth values the operator ** is another function than np.power")
    for sample in SMOOTH[function]:
        if applies(function, sample, dtype):
            args, kwargs = recast(sample, dtype)
            check_value(function, *args, **kwargs)
