"""Sparse matrices: `scipy.sparse`'s names, and matrices whose stored entries are recorded (`with_data`, `matmul`)."""

import importlib
from typing import Any

import scipy.sparse

from wengert.rules import scipy_sparse
from wengert.rules.scipy_tools import twins

globals().update(twins("sparse", scipy_sparse) | twins("sparse.linalg", scipy_sparse))


def __getattr__(name: str) -> Any:
    return importlib.import_module(f"{__name__}.linalg") if name == "linalg" else getattr(scipy.sparse, name)


def __dir__() -> list[str]:
    return [*globals(), *dir(scipy.sparse)]
