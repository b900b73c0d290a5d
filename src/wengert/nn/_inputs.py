"""What the functions of `wengert.nn` ask of their arguments."""

from typing import Any

import numpy as np

from wengert.box import bare
from wengert.errors import ArgumentError, DTypeError, ShapeError
from wengert.protocol import is_recorded
from wengert.tensor import Tensor

# An array or any wrapper of one: Tensor today, whatever else speaks NumPy's protocols tomorrow.
Array = Any


def as_array(x: Array) -> Array:
    """Make arrays of lists and numbers; arrays and tensors stay what they are."""
    return x if hasattr(x, "dtype") else np.asarray(x)


def describe(x: Array) -> str:
    """Shape and dtype, as error messages name them."""
    return f"shape {x.shape} and dtype {x.dtype}"


def as_float(x: Array, like: Array) -> Array:
    """Give counts and truth values the dtype of `like`; floating-point arrays stay what they are."""
    x = as_array(x)
    return x.astype(like.dtype) if x.dtype.kind in "biu" else x


def as_indices(operation: str, what: str, x: Array, size: int) -> Array:
    """Insist on whole numbers in [0, size).

    Checked because NumPy would count negative ones from the end, and a wrong label would train in silence.
    """
    x = as_array(x)
    if x.dtype.kind not in "iu":
        raise DTypeError(f"[{operation}] {what} must be integers; got {describe(x)}; convert them with .astype(int).")
    if isinstance(x, Tensor):
        x = bare(x)
    if (isinstance(x, (np.ndarray, np.integer)) or is_recorded(x)) and x.size and (x.min() < 0 or x.max() >= size):
        raise ArgumentError(
            f"[{operation}] {what} must lie in [0, {size}); got values from {x.min()} to {x.max()}; "
            f"number the entries from 0."
        )
    return x


def require_same_shape(operation: str, first: str, a: Array, second: str, b: Array) -> None:
    """Broadcasting (n, 1) against (n,) gives an (n, n) loss, hardly ever what was meant."""
    if a.shape != b.shape:
        raise ShapeError(
            f"[{operation}] {first} and {second} must have one shape; got {describe(a)} and {describe(b)}; "
            f"reshape one of them."
        )


def require_generator(operation: str, rng: Any) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator):
        raise ArgumentError(
            f"[{operation}] rng must be a numpy.random.Generator; got {rng!r}; pass np.random.default_rng(seed)."
        )
    return rng


def require_probability(operation: str, name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ArgumentError(f"[{operation}] {name} must lie in [0, 1]; got {p!r}; give a probability.")
