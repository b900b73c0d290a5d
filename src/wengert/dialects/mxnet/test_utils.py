"""``mxnet.test_utils``: comparing arrays."""

from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet.context import Context, current_context
from wengert.dialects.mxnet.ndarray import NDArray, array

__all__ = ["almost_equal", "assert_almost_equal", "default_context", "rand_ndarray", "rand_shape_2d", "rand_shape_3d",
           "rand_shape_nd", "same"]  # fmt: skip

TOLERANCES = {2: (1e-2, 1e-1), 4: (1e-4, 1e-3), 8: (1e-5, 1e-20)}
"""Relative and absolute tolerance, by the bytes of a float."""


def same(a: Any, b: Any) -> bool:
    """Whether two arrays are equal."""
    return np.array_equal(_value(a), _value(b))


def _value(a: Any) -> np.ndarray:
    return np.asarray(bare(a))


def _tolerances(a: np.ndarray, b: np.ndarray, rtol: float | None, atol: float | None) -> tuple[float, float]:
    size = min((x.dtype.itemsize for x in (a, b) if x.dtype.kind == "f"), default=8)
    relative, absolute = TOLERANCES.get(size, TOLERANCES[8])
    return (relative if rtol is None else rtol), (absolute if atol is None else atol)


def almost_equal(
    a: Any, b: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = False, **kwargs: Any
) -> bool:
    """Whether two arrays are equal within tolerances, which depend on their dtypes if not given."""
    a, b = _value(a), _value(b)
    rtol, atol = _tolerances(a, b, rtol, atol)
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan))


def assert_almost_equal(
    a: Any, b: Any, rtol: float | None = None, atol: float | None = None, names: tuple = ("a", "b"),
    equal_nan: bool = False, **kwargs: Any,
) -> None:  # fmt: skip
    """Raise an `AssertionError` if two arrays are not equal within tolerances."""
    a, b = _value(a), _value(b)
    rtol, atol = _tolerances(a, b, rtol, atol)
    np.testing.assert_allclose(a, b, rtol, atol, equal_nan, err_msg=f"{names[0]} and {names[1]} differ")


def default_context() -> Context:
    """The device that tests run on."""
    return current_context()


def rand_ndarray(shape: Any, stype: str = "default", density: Any = None, dtype: Any = None, **kwargs: Any) -> NDArray:
    """Numbers in [-1, 1)."""
    return array(np.random.default_rng().uniform(-1, 1, shape), dtype=dtype or np.float32)


def rand_shape_2d(dim0: int = 10, dim1: int = 10) -> tuple[int, ...]:
    """A shape of two axes."""
    return _random_shape(dim0, dim1)


def rand_shape_3d(dim0: int = 10, dim1: int = 10, dim2: int = 10) -> tuple[int, ...]:
    """A shape of three axes."""
    return _random_shape(dim0, dim1, dim2)


def rand_shape_nd(num_dim: int, dim: int = 10) -> tuple[int, ...]:
    """A shape of any number of axes."""
    return _random_shape(*(dim,) * num_dim)


def _random_shape(*limits: int) -> tuple[int, ...]:
    return tuple(int(np.random.default_rng().integers(1, limit + 1)) for limit in limits)
