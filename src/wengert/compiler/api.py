"""`compile`: a function that is recorded once for each kind of arguments, and runs as native code from then on."""

import functools
import inspect
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

from wengert.compiler.arguments import static_arguments
from wengert.compiler.compiled import Compiled
from wengert.compiler.preparing import prepare
from wengert.errors import ArgumentError

__all__ = ["Compiled", "compile"]

LEFT_HALFWAY = inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction
"""What tells functions that have done nothing yet when they return."""


def compile(
    function: Callable | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    check: bool = False,
) -> Any:
    """A function that does what `function` does, as native code.

    It is recorded when it is called, once for each kind of arguments (shapes, dtypes, and the values of what is no
    array or float), and for each way that it takes by their values. From then on it runs as compiled.

    Parameters
    ----------
    function : callable
        A function of arrays, tensors, numbers and nested containers of them. It may use tensors and arrays from
        around it, write them, and call ``backward()``. Left out, `compile` is a decorator.
    static_argnums : int or tuple of int
        Positions of arguments that are part of the program: a program is made for each value.
    static_argnames : str or tuple of str
        Their names, where they are passed by name.
    check : bool
        Run the function itself beside the compiled one at each call, and compare.

    Returns
    -------
    Compiled
        A function with the same arguments, which has ``stats()`` and ``explain()``.

    Raises
    ------
    ArgumentError
        If it is no function, or a generator function; when called, for random numbers that are not drawn by
        `wengert.random`.
    StaticArgumentError
        When called, for static arguments without a hash (a list, a dictionary, an array).

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> fast = wg.compile(wg.grad(lambda x: np.sum(x**2)))
    >>> print(fast(np.array([1.0, 2.0])))
    [2. 4.]
    """
    if function is None:
        return functools.partial(compile, static_argnums=static_argnums, static_argnames=static_argnames, check=check)
    if not callable(function) or isinstance(function, type):
        raise ArgumentError(f"[compile] a function was required; received {function!r}; pass one, or a method")
    prepare()
    if any(asks(function) for asks in LEFT_HALFWAY):
        raise ArgumentError(
            f"[compile] a function that returns its results was required; received {function!r}, which yields or "
            f"awaits; compile the function that it calls for each item"
        )
    if isinstance(function, Compiled):
        return function._with(static_argnums, static_argnames, check)
    if isinstance(function, MethodType) and isinstance(function.__func__, Compiled):
        found = function.__func__._with(static_argnums, static_argnames, check)
        if found is function.__func__:
            return function
        return found if isinstance(found.function, MethodType) else MethodType(found, function.__self__)
    return Compiled(function, *static_arguments(function, static_argnums, static_argnames), check)
