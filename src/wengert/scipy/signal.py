"""The names of `scipy.signal`, recording. Those without a rule are SciPy's, which refuse recorded values."""

from typing import Any

import scipy.signal

from wengert.rules import scipy_signal
from wengert.rules.scipy_tools import twins

globals().update(twins("signal", scipy_signal))


def __getattr__(name: str) -> Any:
    return getattr(scipy.signal, name)


def __dir__() -> list[str]:
    return dir(scipy.signal)
