"""The names of `scipy.linalg`, recording. Those without a rule are SciPy's, which refuse recorded values."""

from typing import Any

import scipy.linalg

from wengert.rules import scipy_eigenvalues, scipy_linalg, scipy_matrix_functions, scipy_structured
from wengert.rules.scipy_tools import twins

globals().update(twins("linalg", scipy_linalg, scipy_eigenvalues, scipy_matrix_functions, scipy_structured))


def __getattr__(name: str) -> Any:
    return getattr(scipy.linalg, name)


def __dir__() -> list[str]:
    return dir(scipy.linalg)
