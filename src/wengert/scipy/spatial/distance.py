"""The names of `scipy.spatial.distance`, recording. Those without a rule are SciPy's, which refuse recorded values."""

from typing import Any

import scipy.spatial.distance

from wengert.rules import scipy_distance
from wengert.rules.scipy_tools import twins

globals().update(twins("spatial.distance", scipy_distance))


def __getattr__(name: str) -> Any:
    return getattr(scipy.spatial.distance, name)


def __dir__() -> list[str]:
    return dir(scipy.spatial.distance)
