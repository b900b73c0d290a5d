"""`check_grad`: the gradient of any function beside differences of its values."""

from collections.abc import Callable, Sequence
from typing import Any

from wengert.errors import ArgumentError
from wengert.testing.calls import Call, as_scalar
from wengert.testing.orders import first_order, second_order
from wengert.testing.reports import CheckError
from wengert.transforms.containers import flatten, rebuild

__all__ = ["check_grad"]

MODES = ("reverse", "forward")


def check_grad(
    f: Callable,
    *args: Any,
    order: int = 1,
    modes: Sequence[str] = MODES,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    eps: float = 1e-3,
) -> None:
    """Compare the gradient of a function with differences of its values.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value. Arrays of results are reduced
        to one number by fixed random cotangents.
    *args
        Its arguments. Every float or complex number among them is differentiated, also those in lists, tuples,
        dictionaries and dataclasses; integers, strings and the like are constants.
    order : {1, 2}
        With 2, derivatives of the gradient are compared as well, with differences of the gradient.
    modes : sequence of {"reverse", "forward"}
        Which modes to look at. Of second order: reverse over reverse; forward over reverse and over forward.
    rtol, atol : float
        How far a number may be from the differences: ``atol + rtol * abs(differences)``.
    eps : float
        Step of the differences. They are of fourth order: their error is of the size of ``eps**4``, if the function
        has five derivatives that near.

    Raises
    ------
    CheckError
        With the entry that is worst: which argument, which index, both numbers, the step, and the relative error.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> from wengert.testing import check_grad
    >>> check_grad(lambda x, y: np.sin(x) * y["k"], np.array([1.0, 2.0]), {"k": 3.0}, order=2)
    >>> half = lambda x: x * wg.asarray(x).detach()  # the derivative by one of the factors is missing
    >>> check_grad(half, np.array([1.0, 2.0]), modes=["reverse"])
    Traceback (most recent call last):
        ...
    wengert.testing.reports.CheckError: [check_grad] <lambda>: gradient and differences, reverse mode: worst is ...
    """
    unknown = [mode for mode in modes if mode not in MODES]
    if isinstance(modes, str) or unknown or order not in (1, 2):
        raise ArgumentError(
            f"[check_grad] order 1 or 2 and modes among {MODES} were required; received order={order!r}, "
            f"modes={modes!r}"
        )
    leaves, structure = flatten(args)
    call = Call(f, rebuild(structure, list(map(as_scalar, leaves))), {})
    if not call.inputs or not call.cotangents:
        what = "arguments" if not call.inputs else "results"
        raise CheckError(f"[check_grad] {call.name}: float or complex {what} were required; there is nothing to check")
    broken = first_order(call, rtol, atol, eps, modes)
    if broken is None and order > 1:
        broken = second_order(call, rtol, atol, eps, modes)
    if broken:
        raise CheckError(f"[check_grad] {call.name}: {broken}")
