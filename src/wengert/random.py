"""Random numbers from an explicit generator, as parts of a program: compiled functions draw them anew at each call.

Each function does what the method of the same name does, and takes the `numpy.random.Generator` first. Normal and
uniform numbers have derivatives with respect to their parameters.
"""

from typing import Any

import numpy as np

from wengert.errors import ArgumentError
from wengert.protocol import is_recorded

__all__ = ["choice", "exponential", "integers", "normal", "permutation", "random", "standard_normal", "uniform"]


def _draw(operation: str, generator: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    if not isinstance(generator, np.random.Generator):
        raise ArgumentError(
            f"[random.{operation}] a generator was required as the first argument; received "
            f"{type(generator).__name__}; make one with np.random.default_rng(seed)"
        )
    if is_recording() and not any(g is generator for g in _LASTING):
        from wengert.compiler.randomness import check_lasts

        check_lasts(generator)
    return drawn(generator, method, *args, **kwargs)


_LASTING: list[np.random.Generator] = []


def lasting(generator: np.random.Generator) -> np.random.Generator:
    """A generator of a module, which a function that draws from it has not made itself."""
    _LASTING.append(generator)
    return generator


def drawn(generator: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """What a method of a generator draws; a function that is being compiled draws it anew at each call."""
    from wengert.compiler import randomness

    return randomness.drawn(generator, method, *args, **kwargs)


def is_recording() -> bool:
    """Whether this thread's function is being recorded, to be compiled."""
    from wengert.compiler import trace

    return getattr(trace.recording, "program", None) is not None


def leave_to_python(what: str, generator: Any = None) -> None:
    """Tell a function that is being compiled what it does with random numbers that no program can do again."""
    from wengert.compiler import randomness

    randomness.leave_to_python(what, generator)


def as_array(numbers: Any, dtype: Any = None) -> Any:
    """What has been drawn as an array of a dtype; as a value of the program where that is being recorded."""
    if not is_recorded(numbers):
        return np.asarray(numbers, dtype)
    return numbers if dtype is None or numbers.dtype == np.dtype(dtype) else numbers.astype(dtype)


def _size(size: Any, *parameters: Any) -> Any:
    return np.broadcast_shapes(*map(np.shape, parameters)) or None if size is None else size


def random(generator: np.random.Generator, size: Any = None, dtype: Any = float) -> Any:
    """Numbers in [0, 1); see `numpy.random.Generator.random`."""
    return _draw("random", generator, "random", size, dtype)


def standard_normal(generator: np.random.Generator, size: Any = None, dtype: Any = float) -> Any:
    """Normal numbers of mean 0 and standard deviation 1; see `numpy.random.Generator.standard_normal`."""
    return _draw("standard_normal", generator, "standard_normal", size, dtype)


def normal(generator: np.random.Generator, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    """Normal numbers, differentiable with respect to mean and standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> draw = wg.compile(lambda rng, scale: wg.random.normal(rng, 0.0, scale, 3))
    >>> bool(np.all(draw(np.random.default_rng(1), 2.0) == np.random.default_rng(1).normal(0.0, 2.0, 3)))
    True
    """
    return loc + scale * _draw("normal", generator, "standard_normal", _size(size, loc, scale))


def uniform(generator: np.random.Generator, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    """Numbers spread evenly between two bounds, differentiable with respect to these."""
    return low + (high - low) * _draw("uniform", generator, "random", _size(size, low, high))


def exponential(generator: np.random.Generator, scale: Any = 1.0, size: Any = None) -> Any:
    """Exponentially distributed numbers, differentiable with respect to their mean."""
    return scale * _draw("exponential", generator, "standard_exponential", _size(size, scale))


def integers(
    generator: np.random.Generator,
    low: int,
    high: int | None = None,
    size: Any = None,
    dtype: Any = np.int64,
    endpoint: bool = False,
) -> Any:
    """Whole numbers; see `numpy.random.Generator.integers`."""
    return _draw("integers", generator, "integers", low, high, size, dtype, endpoint)


def permutation(generator: np.random.Generator, x: Any, axis: int = 0) -> Any:
    """The numbers below `x` in random order, or an array with its slices in random order."""
    if isinstance(x, (int, np.integer)):
        return _draw("permutation", generator, "permutation", x)
    return np.take(x, _draw("permutation", generator, "permutation", np.shape(x)[axis]), axis=axis)


def choice(generator: np.random.Generator, a: Any, size: Any = None, replace: bool = True, p: Any = None) -> Any:
    """Elements of `a` (or whole numbers below it) by chance; see `numpy.random.Generator.choice`."""
    if isinstance(a, (int, np.integer)):
        return _draw("choice", generator, "choice", a, size, replace, p)
    return np.take(a, _draw("choice", generator, "choice", np.shape(a)[0], size, replace, p), axis=0)
