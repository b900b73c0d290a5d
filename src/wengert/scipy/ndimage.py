"""The names of `scipy.ndimage`, recording. Those without a rule are SciPy's, which refuse recorded values."""

from typing import Any

import scipy.ndimage

from wengert.rules import scipy_ndimage
from wengert.rules.scipy_tools import twins

globals().update(twins("ndimage", scipy_ndimage))


def __getattr__(name: str) -> Any:
    return getattr(scipy.ndimage, name)


def __dir__() -> list[str]:
    return dir(scipy.ndimage)
