"""What SciPy writes in Python, and so does not hand to tensors, in forms that carry gradients."""

import importlib
from typing import Any

_MODULES = ("fft", "integrate", "interpolate", "linalg", "ndimage", "signal", "sparse", "spatial", "special", "stats")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"wengert.scipy.{name}")
    raise AttributeError(f"module 'wengert.scipy' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(_MODULES)
