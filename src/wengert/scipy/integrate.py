"""The names of `scipy.integrate`, recording. Those without a rule are SciPy's, which refuse recorded values."""

import functools
from typing import Any

import numpy as np
import scipy.integrate

from wengert.errors import ArgumentError, LostGradientError
from wengert.rules import scipy_integrate
from wengert.rules.scipy_tools import has_wrapper, inexact, twins

globals().update(twins("integrate", scipy_integrate))


@functools.wraps(scipy.integrate.solve_ivp)
def solve_ivp(*args: Any, **kwargs: Any) -> Any:
    """See `wengert.integrate.solve_ivp`; without recorded values it is SciPy's."""
    from wengert.integrate import solve_ivp as recorded

    return recorded(*args, **kwargs)


_MEANT = {"rtol": "rtol", "atol": "atol", "tfirst": "tfirst", "h0": "first_step", "hmax": "max_step"}
"""What the parameters of SciPy's `odeint` are called here; others say how its own method goes about it."""


@functools.wraps(scipy.integrate.odeint)
def odeint(func: Any, y0: Any, t: Any, args: Any = (), *more: Any, **kwargs: Any) -> Any:
    """SciPy's, and `wengert.integrate.odeint` where something is recorded, which solves by another method."""
    args = args if isinstance(args, tuple) else (args,)
    if not any(map(has_wrapper, (y0, t, args))):
        try:
            return scipy.integrate.odeint(func, y0, t, args, *more, **kwargs)
        except LostGradientError:  # `func` uses recorded values from outside
            pass
    from wengert.integrate import odeint as recorded

    if more or kwargs.get("full_output") or kwargs.get("tcrit") is not None:
        raise ArgumentError(
            "[odeint] no full_output= or tcrit=, and keywords after args, were required of recorded values; received "
            f"{len(more)} more positional arguments and {sorted(kwargs)}; use wengert.integrate.solve_ivp"
        )
    options = {_MEANT[name]: value for name, value in kwargs.items() if name in _MEANT and value}
    return recorded(func, np.atleast_1d(inexact(y0)), t, args, **options)


def __getattr__(name: str) -> Any:
    return getattr(scipy.integrate, name)


def __dir__() -> list[str]:
    return dir(scipy.integrate)
