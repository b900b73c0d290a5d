"""The names of `scipy.integrate`, recording. Those without a rule are SciPy's, which refuse recorded values."""

from typing import Any

import scipy.integrate

from wengert.rules import scipy_integrate
from wengert.rules.scipy_tools import twins

globals().update(twins("integrate", scipy_integrate))


def __getattr__(name: str) -> Any:
    return getattr(scipy.integrate, name)


def __dir__() -> list[str]:
    return dir(scipy.integrate)
