"""``mxnet.test_utils``: comparing arrays, and making random ones.

Test programs import everything from here, and find the package and NumPy as ``mx`` and ``np`` among it. They seed
NumPy's common generator, from which these functions draw.
"""
# ruff: noqa: NPY002

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy import random as rnd
from numpy import testing as npt

import wengert.dialects.mxnet as mx
from wengert.box import bare
from wengert.dialects.mxnet.context import Context, current_context
from wengert.dialects.mxnet.ndarray import NDArray, array
from wengert.dialects.mxnet.util import use_np

__all__ = [
    "Context", "almost_equal", "almost_equal_ignore_nan", "array", "assert_allclose", "assert_almost_equal",
    "assert_almost_equal_ignore_nan", "assert_exception", "current_context", "default_context", "default_device",
    "default_dtype", "discard_stderr", "environment", "get_atol", "get_rtol", "list_gpus", "mx", "np", "npt",
    "rand_coord_2d", "rand_ndarray", "rand_shape_2d", "rand_shape_3d", "rand_shape_nd", "random_arrays",
    "random_sample", "retry", "rnd", "same", "same_array", "use_np",
]  # fmt: skip

TOLERANCES = {2: (1e-2, 1e-1), 4: (1e-4, 1e-3), 8: (1e-5, 1e-20)}
"""Relative and absolute tolerance, by the bytes of a float."""

# Comparing -------------------------------------------------------------------------------------------------------


def same(a: Any, b: Any) -> bool:
    """Whether two arrays are equal."""
    return np.array_equal(_value(a), _value(b))


def same_array(array1: Any, array2: Any) -> bool:
    """Whether two arrays share memory: a change of one is seen in the other."""
    array1[:] += 1
    seen = same(array1, array2)
    array1[:] -= 1
    return seen and same(array1, array2)


def _value(a: Any) -> np.ndarray:
    return np.asarray(bare(a))


def get_rtol(rtol: float | None = None, dtype: Any = np.float32) -> float:
    """A relative tolerance, by default that of a dtype."""
    return TOLERANCES[np.dtype(dtype).itemsize][0] if rtol is None else rtol


def get_atol(atol: float | None = None, dtype: Any = np.float32) -> float:
    """An absolute tolerance, by default that of a dtype."""
    return TOLERANCES[np.dtype(dtype).itemsize][1] if atol is None else atol


def _tolerances(a: np.ndarray, b: np.ndarray, rtol: float | None, atol: float | None) -> tuple[float, float]:
    coarsest = min((x.dtype for x in (a, b) if x.dtype.kind == "f"), key=lambda d: d.itemsize, default=np.float64)
    return get_rtol(rtol, coarsest), get_atol(atol, coarsest)


def almost_equal(a: Any, b: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = False) -> bool:
    """Whether two arrays are equal within tolerances, which depend on their dtypes if not given."""
    a, b = _value(a), _value(b)
    rtol, atol = _tolerances(a, b, rtol, atol)
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan))


def assert_almost_equal(
    a: Any, b: Any, rtol: float | None = None, atol: float | None = None, names: tuple = ("a", "b"),
    equal_nan: bool = False, use_broadcast: bool = True,
) -> None:  # fmt: skip
    """Raise an `AssertionError` if two arrays are not equal within tolerances."""
    a, b = _value(a), _value(b)
    rtol, atol = _tolerances(a, b, rtol, atol)
    if not use_broadcast:
        assert a.shape == b.shape, f"[assert_almost_equal] one shape was required; received {a.shape} and {b.shape}"
    npt.assert_allclose(a, b, rtol, atol, equal_nan, err_msg=f"{names[0]} and {names[1]} differ")


assert_allclose = assert_almost_equal


def _without_nan(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    a, b = _value(a), _value(b)
    nan = np.isnan(a) | np.isnan(b)
    return np.where(nan, 0, a), np.where(nan, 0, b)


def almost_equal_ignore_nan(a: Any, b: Any, rtol: float | None = None, atol: float | None = None) -> bool:
    """`almost_equal` where both are numbers."""
    return almost_equal(*_without_nan(a, b), rtol, atol)


def assert_almost_equal_ignore_nan(
    a: Any, b: Any, rtol: float | None = None, atol: float | None = None, names: tuple = ("a", "b")
) -> None:
    """`assert_almost_equal` where both are numbers."""
    assert_almost_equal(*_without_nan(a, b), rtol, atol, names)


def assert_exception(f: Callable, exception_type: type[BaseException], *args: Any, **kwargs: Any) -> None:
    """Raise an `AssertionError` unless a call raises such an exception."""
    try:
        f(*args, **kwargs)
    except exception_type:
        return
    raise AssertionError(f"[assert_exception] {exception_type.__name__} was required; nothing was raised")


# Surroundings ----------------------------------------------------------------------------------------------------


def default_context() -> Context:
    """The device that tests run on."""
    return current_context()


default_device = default_context


def default_dtype() -> type[np.floating]:
    """The dtype that tests use."""
    return np.float32


def list_gpus() -> range:
    """The GPUs: none."""
    return range(0)


def retry(n: int) -> Callable:
    """A decorator that calls a test again when it fails, `n` times in all."""
    if n < 1:
        raise ValueError(f"[retry] n of at least 1 was required; received {n}")

    def decorate(test: Callable) -> Callable:
        def repeated(*args: Any, **kwargs: Any) -> Any:
            for _ in range(n - 1):
                with contextlib.suppress(AssertionError):
                    return test(*args, **kwargs)
            return test(*args, **kwargs)

        return repeated

    return decorate


@contextlib.contextmanager
def discard_stderr() -> Iterator[None]:
    """Inside, what is written to standard error is lost."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield
    sys.stderr.flush()


@contextlib.contextmanager
def environment(*changes: Any) -> Iterator[None]:
    """Inside, environment variables are others: a name and a value, or a dictionary; `None` deletes one."""
    wanted = changes[0] if isinstance(changes[0], dict) else dict([changes])
    before = {name: os.environ.get(name) for name in wanted}
    try:
        _set_environment(wanted)
        yield
    finally:
        _set_environment(before)


def _set_environment(values: dict) -> None:
    for name, value in values.items():
        mx.util.setenv(name, value)


# Random arrays ---------------------------------------------------------------------------------------------------


def rand_ndarray(shape: Any, stype: str = "default", density: Any = None, dtype: Any = None) -> NDArray:
    """Numbers in [-1, 1)."""
    return array(rnd.uniform(-1, 1, shape), dtype=dtype or np.float32).tostype(stype)


def random_arrays(*shapes: tuple[int, ...]) -> Any:
    """NumPy arrays of normal numbers; one, or a list of them."""
    arrays = [np.array(rnd.randn(*shape), default_dtype()) for shape in shapes]
    return arrays if len(arrays) > 1 else arrays[0]


def random_sample(population: Any, k: int) -> list:
    """`k` elements of a list, in order of choice."""
    return [population[i] for i in rnd.permutation(len(population))[:k]]


def rand_coord_2d(x_low: int, x_high: int, y_low: int, y_high: int) -> tuple[int, int]:
    """A random position."""
    return int(rnd.randint(x_low, x_high)), int(rnd.randint(y_low, y_high))


def rand_shape_2d(dim0: int = 10, dim1: int = 10, allow_zero_size: bool = False) -> tuple[int, ...]:
    """A shape of two axes."""
    return _random_shape(allow_zero_size, dim0, dim1)


def rand_shape_3d(dim0: int = 10, dim1: int = 10, dim2: int = 10, allow_zero_size: bool = False) -> tuple[int, ...]:
    """A shape of three axes."""
    return _random_shape(allow_zero_size, dim0, dim1, dim2)


def rand_shape_nd(num_dim: int, dim: int = 10, allow_zero_size: bool = False) -> tuple[int, ...]:
    """A shape of any number of axes."""
    return _random_shape(allow_zero_size, *(dim,) * num_dim)


def _random_shape(allow_zero_size: bool, *limits: int) -> tuple[int, ...]:
    return tuple(int(rnd.randint(0 if allow_zero_size else 1, limit + 1)) for limit in limits)
