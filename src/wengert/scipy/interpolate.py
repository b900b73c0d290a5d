"""The names of `scipy.interpolate`, recording. Those without a rule are SciPy's, which refuse recorded values."""

from typing import Any

import scipy.interpolate

from wengert.rules import scipy_interpolate, scipy_tables
from wengert.rules.scipy_tools import twins

globals().update(twins("interpolate", scipy_interpolate, scipy_tables))


def __getattr__(name: str) -> Any:
    return getattr(scipy.interpolate, name)


def __dir__() -> list[str]:
    return dir(scipy.interpolate)
