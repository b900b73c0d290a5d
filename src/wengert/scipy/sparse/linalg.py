"""The names of `scipy.sparse.linalg`, recording."""

from typing import Any

import scipy.sparse.linalg

from wengert.rules import scipy_sparse
from wengert.rules.scipy_tools import twins

globals().update(twins("sparse.linalg", scipy_sparse))


def __getattr__(name: str) -> Any:
    return getattr(scipy.sparse.linalg, name)


def __dir__() -> list[str]:
    return dir(scipy.sparse.linalg)
