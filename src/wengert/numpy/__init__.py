"""NumPy's namespace, as the functions that tensors would be dispatched to.

``wengert.numpy.sin(t)`` is what ``np.sin(t)`` becomes, without NumPy's dispatch in between (a third of a microsecond).
Names without a rule are NumPy's own; everything works on plain arrays too.

Besides, functions that NumPy cannot hand over take recorded values here: ``array([t, 2 * t])``, ``full``, ``r_`` and
``c_``, and most that take lists of numbers take lists of tensors (``mean([t, u])``).

>>> import wengert as wg
>>> import wengert.numpy as np
>>> wg.grad(lambda x: np.sum(np.array([x, x**2]) * np.r_[1.0, x]))(3.0)
np.float64(28.0)
"""

import importlib
from typing import Any

import numpy as _numpy

from wengert.numpy.lookup import names_of
from wengert.numpy.making import array, asanyarray, asarray, c_, full, r_

__all__ = ["array", "asanyarray", "asarray", "c_", "full", "r_"]  # as imported here; NumPy's names besides

_look_up, __dir__ = names_of(_numpy, globals())


def __getattr__(name: str) -> Any:
    if name in ("fft", "linalg", "random"):
        return importlib.import_module(f"wengert.numpy.{name}")
    return _look_up(name)
