"""`check_rule`, `check_singular` and `check_value`: one function held to what the library expects of it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.primitive import Plain
from wengert.testing.calls import Call
from wengert.testing.contracts import CONTRACTS, SINGULAR_CONTRACTS, VALUE_CONTRACTS, known
from wengert.testing.reports import CheckError

__all__ = ["check_rule", "check_singular", "check_value"]


def check_rule(function: Callable, *args: Any, **kwargs: Any) -> None:
    """Hold a function with a derivative rule to all contracts, at the given arguments.

    The value, shape, dtype and type of the result are those of the function on plain arrays, recorded or not; first
    and second derivatives agree with differences, by all ways to get them; cotangents have their inputs' shapes and
    dtypes; the rule is linear in the cotangent, gives zero for zero, and writes to nothing that is not its own.
    Of a function declared to be without a gradient only the result is checked. The arguments should be places where
    the function is smooth; `check_singular` is for the others.

    Parameters
    ----------
    function : callable
        A NumPy function, or one declared with `wengert.primitive`.
    *args, **kwargs
        Its arguments. A few numbers are best: the time grows with the square of their count.

    Raises
    ------
    CheckError
        Naming every contract that is broken, and how.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.testing import check_rule
    >>> check_rule(np.arctan2, np.array([1.0, 2.0]), 0.5)
    >>> check_rule(np.sum, np.ones((2, 3)), axis=-1)
    """
    _check("check_rule", function, args, kwargs, CONTRACTS)


def check_value(function: Callable, *args: Any, **kwargs: Any) -> None:
    """Check only that the result is the function's own on plain arrays: value, dtype, shape and type.

    Integer and boolean arrays may be among the arguments, and are given as tensors too.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.testing import check_value
    >>> check_value(np.mean, np.array([1, 2, 4]))
    """
    _check("check_value", function, args, kwargs, VALUE_CONTRACTS)


def check_singular(function: Callable, *args: Any, **kwargs: Any) -> None:
    """Check a rule where the derivative is infinite or undefined: the result, and that a zero cotangent gives zero.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.testing import check_singular
    >>> check_singular(np.sqrt, np.zeros(2))
    """
    with np.errstate(all="ignore"):
        _check("check_singular", function, args, kwargs, SINGULAR_CONTRACTS)


def _check(check: str, function: Callable, args: tuple, kwargs: dict, contracts: dict[str, Callable]) -> None:
    call = Call(function, args, kwargs)
    if isinstance(known(function), Plain):
        contracts = VALUE_CONTRACTS
    elif contracts is CONTRACTS and not call.inputs:
        raise CheckError(
            f"[{check}] {call.name}: float or complex arrays or NumPy scalars as arguments were required; there "
            f"is nothing to check; pass np.float64(x) for a number"
        )
    broken = {name: report for name, contract in contracts.items() if (report := _verdict(contract, call))}
    if broken:
        reports = "\n".join(f"  {name}:\n    {report}" for name, report in broken.items())
        raise CheckError(f"[{check}] {call.name} breaks {len(broken)} of {len(contracts)} contracts\n{reports}")


def _verdict(contract: Callable, call: Call) -> str | None:
    """What a contract says of a call; an exception is a verdict too."""
    try:
        return contract(call)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
