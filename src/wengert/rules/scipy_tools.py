"""How functions of SciPy that are no ufuncs are declared, and the errors that they share.

SciPy does not hand them to tensors. So each has a twin of the same name and signature, in `wengert.scipy`, which
gives tensors to a function made of primitives, and everything else to SciPy's own.
"""

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ArgumentError, BatchError, GradientError, MissingRuleError
from wengert.primitive import REGISTRY, Composite, primitive
from wengert.protocol import Wrapper, everything, innermost, is_recorded
from wengert.protocol import constant as without_derivative


def twin(function: Callable, module: str, otherwise: Callable | None = None) -> Callable[[Callable], Callable]:
    """Decorator: the decorated function takes the place of SciPy's (or of `otherwise`) where there are wrappers."""
    otherwise = otherwise or function
    signature = inspect.signature(function)
    casts = module == "linalg" and function.__name__ not in EVERY_DTYPE

    def register(recorded: Callable) -> Callable:
        @functools.wraps(function)
        def either(*args, **kwargs):
            if not (any(map(has_wrapper, args)) or any(map(has_wrapper, kwargs.values()))):
                return otherwise(*args, **kwargs)
            given = signature.bind(*args, **kwargs)  # raises what SciPy would
            values = [*args, *kwargs.values()]
            like = first_wrapper(values)
            if kwargs.get("out") is not None:
                return like._table[either](*args, **kwargs)
            if hasattr(like, "_box") and not any(map(carries_gradient, values)):
                return _unrecorded(otherwise, given, like)
            if casts:
                args, kwargs = as_lapack(args), {name: as_lapack(x) for name, x in kwargs.items()}
            try:
                return recorded(*args, **kwargs)
            except BatchError:  # it runs once for each example then
                return first_wrapper([*args, *kwargs.values()])._table[either](*args, **kwargs)

        either.__module__ = f"wengert.scipy.{module}"
        either.__doc__ = f"See `scipy.{module}.{function.__name__}`, which this is for what is no tensor."
        REGISTRY[either] = Composite(f"{module}.{function.__name__}", recorded)
        return either

    return register


EVERY_DTYPE = {
    "block_diag", "circulant", "companion", "convolution_matrix", "expm", "fiedler", "fractional_matrix_power",
    "hankel", "khatri_rao", "leslie", "norm", "toeplitz",
}  # fmt: skip
"""Functions of scipy.linalg that keep the dtype of what they are given, and do not ask LAPACK."""


def as_lapack(value: Any) -> Any:
    """Recorded half precision becomes single and long double precision double, as LAPACK has neither."""
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(as_lapack, value))
    into = {"e": np.float32, "g": np.float64, "G": np.complex128}
    return value.astype(into[value.dtype.char]) if isinstance(value, Wrapper) and value.dtype.char in into else value


def _unrecorded(function: Callable, given: inspect.BoundArguments, like: Any) -> Any:
    """SciPy's own result as tensors, where nothing is recorded: so it has its dtype, of integers too."""
    for name, value in given.arguments.items():
        given.arguments[name] = False if name.startswith("overwrite_") else plain(value)
    arrays = [x for x in given.arguments.values() if isinstance(x, np.ndarray)]

    def boxed(result: Any) -> Any:
        if isinstance(result, (list, tuple)):
            return type(result)(map(boxed, result)) if type(result) in (list, tuple) else result
        if not isinstance(result, (np.ndarray, np.generic)):
            return result
        shared = any(np.may_share_memory(result, x) for x in arrays)
        return like._box(result.copy() if shared else result)

    return boxed(function(*given.args, **given.kwargs))


def refused(function: Callable, module: str, why: str) -> Callable:
    """A twin that has no gradient to give: recorded values are refused, others go to SciPy."""

    @functools.wraps(function)
    def refuse(*args, **kwargs):
        values = (*args, *kwargs.values())
        for value in values:
            if has_wrapper(value) and carries_gradient(value):
                found = first_wrapper(value)
                raise MissingRuleError(
                    f"[{function.__name__}] a value that is not recorded was required, as {why}; received shape "
                    f"{found.shape}, dtype {found.dtype}; pass t.detach() if no gradient should flow"
                )
        return function(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})

    refuse.__module__, refuse.refuses = f"wengert.scipy.{module}", True
    return refuse


def has_wrapper(value: Any) -> bool:
    """Whether a wrapper is in a value, or in (nested) sequences."""
    return isinstance(value, Wrapper) or (isinstance(value, (list, tuple)) and any(map(has_wrapper, value)))


def first_wrapper(value: Any) -> Any:
    return value if isinstance(value, Wrapper) else next(first_wrapper(v) for v in value if has_wrapper(v))


def carries_gradient(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(carries_gradient, value))
    return isinstance(value, Wrapper) and (value._carries_gradient() or is_recorded(everything(value)))


def plain(value: Any) -> Any:
    """The arrays inside wrappers, in sequences too."""
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(plain, value))
    return innermost(value)


def primal(value: Any) -> Any:
    """The values without their derivatives, in sequences too; batches stay batches."""
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(primal, value))
    return without_derivative(value)


def _searched(knots, x, side="left"):
    return np.searchsorted(knots, x, side)


def _searched_batch(knots, x, batched, size, side):
    if not batched[0]:
        return _apply_searched(knots, x, side=side)
    rows = ((knots[i], x[i] if batched[1] else x) for i in range(size))
    return np.stack([_apply_searched(*row, side=side) for row in rows])


_apply_searched = primitive(_searched, None, None, name="searchsorted", batch=_searched_batch)


def searched(knots: Any, x: Any, side: str = "left") -> Any:
    """`np.searchsorted` of values without a derivative."""
    return _apply_searched(primal(knots), primal(x), side=side)


def chosen(x: Any, i: Any) -> Any:
    """``x[i]`` along the first axis; NumPy does not ask the index whose batch it is."""
    return x[i] if isinstance(x, Wrapper) or not isinstance(i, Wrapper) else i._table[operator.getitem](x, i)


def array(x: Any) -> Any:
    """A wrapper as it is, one in which others are stacked, or an array."""
    if isinstance(x, Wrapper):
        return x._as_numpys()
    if has_wrapper(x):
        return np.stack([array(v) for v in x])
    return np.asarray(x)


def inexact(x: Any) -> Any:
    """The same for numbers with a derivative: integers become floats, as SciPy makes them."""
    x = array(x)
    return x if x.dtype.kind in "fc" else x.astype(float)


def double(x: Any) -> Any:
    """The same in double precision, to which some of SciPy's functions bring what they are given."""
    x = inexact(x)
    return x.astype(np.result_type(x.dtype, np.float64))


def single_or_double(x: Any) -> Any:
    """The same in double precision, and no other, unless it is in single."""
    x = inexact(x)
    return x if x.dtype.char in "fF" else x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def constant(name: str, keyword: str, value: Any) -> Any:
    """The plain value of an argument without a derivative; refused if it is recorded."""
    if has_wrapper(value):
        if carries_gradient(value):
            found = first_wrapper(value)
            raise MissingRuleError(
                f"[{name}] {keyword} that is not recorded was required, as there is no rule for it; received "
                f"shape {found.shape}, dtype {found.dtype}; pass {keyword}.detach() if no gradient should flow"
            )
        return plain(value)
    return value


def unsupported(name: str, keyword: str, value: Any, what: str, x: Any, then: str = "") -> ArgumentError:
    """The error for a value of a keyword that SciPy takes, and no rule knows."""
    then = then or "call SciPy's function on t.detach() where no gradient should flow"
    return ArgumentError(
        f"[{name}] {keyword}={what} was required for recorded values; received {keyword}={value!r}, with shape "
        f"{array(x).shape}, dtype {array(x).dtype}; {then}"
    )


def undefined(name: str, what: str, x: Any, then: str) -> GradientError:
    return GradientError(f"[{name}] {what} was required; received shape {x.shape}, dtype {x.dtype}; {then}")


def twins(module: str, *files: Any) -> dict[str, Any]:
    """The public names that rule files define in the place of a SciPy module's."""
    home = f"wengert.scipy.{module}"
    return {name: value for file in files for name, value in vars(file).items() if _home(value) == home}


def _home(value: Any) -> Any:
    return getattr(value, "__module__", None) if callable(value) else None
