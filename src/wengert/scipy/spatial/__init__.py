"""The names of `scipy.spatial`; those of `distance` record."""

import importlib
from typing import Any

import scipy.spatial


def __getattr__(name: str) -> Any:
    return importlib.import_module(f"{__name__}.distance") if name == "distance" else getattr(scipy.spatial, name)
