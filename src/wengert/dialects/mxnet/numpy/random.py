"""``mxnet.np.random``: random arrays, from the generator that ``mx.random.seed`` starts anew."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet import graph, rng
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.context import on_cpu
from wengert.dialects.mxnet.naming import named
from wengert.dialects.mxnet.numpy.array import boxed, ndarray
from wengert.dialects.mxnet.util import default_float
from wengert.errors import LostGradientError
from wengert.random import as_array

_DISTRIBUTIONS = {
    "beta": 2, "binomial": 2, "chisquare": 1, "exponential": 1, "f": 2, "gamma": 2, "geometric": 1, "gumbel": 2,
    "laplace": 2, "logistic": 2, "lognormal": 2, "negative_binomial": 2, "normal": 2, "pareto": 1, "poisson": 1,
    "power": 1, "rayleigh": 1, "standard_normal": 0, "uniform": 2, "weibull": 1,
}  # fmt: skip
"""Distributions of NumPy's, and how many parameters each has before the size."""


def _require_constants(name: str, values: Any) -> None:
    for value in values:
        if isinstance(value, Array) and value._node is not None and graph.recording(value):
            raise LostGradientError(
                f"[random.{name}] parameters without a history were required, as no gradient flows through what is "
                f"drawn; received {value._spec!r}; pass x.detach(), or scale standard values: mu + sigma * "
                f"np.random.normal(size=...)"
            )


def _size(size: Any) -> Any:
    return None if size is None else tuple(map(int, size)) if np.iterable(size) else int(size)


def _distribution(name: str) -> Callable:
    """Draws from one of NumPy's distributions, whose parameters may be arrays."""

    def draw(*parameters: Any, size: Any = None, dtype: Any = None, ctx: Any = None, device: Any = None,
             out: Any = None, **named: Any) -> Any:  # fmt: skip
        on_cpu(f"random.{name}", ctx or device)
        method = functools.partial(rng.draw, name)
        limit = _DISTRIBUTIONS[name]
        if len(parameters) > limit:
            parameters, size = parameters[:limit], parameters[limit]
        _require_constants(name, (*parameters, *named.values()))
        drawn = method(*map(bare, parameters), **{key: bare(value) for key, value in named.items()}, size=_size(size))
        made = boxed(as_array(drawn, default_float() if dtype is None else dtype))
        return made if out is None else made.copyto(out)

    return named(draw, name, f"See `numpy.random.{name}`.")


globals().update({name: _distribution(name) for name in _DISTRIBUTIONS})


def seed(seed: int | None = None) -> None:
    """Start the generator anew."""
    rng.seed(np.random.SeedSequence().entropy if seed is None else seed)


def rand(*size: int, dtype: Any = None, ctx: Any = None) -> ndarray:
    """Uniform over [0, 1), in the given shape."""
    on_cpu("random.rand", ctx)
    return boxed(as_array(rng.draw("random", size), default_float() if dtype is None else dtype))


def random_sample(size: Any = None) -> ndarray:
    """Uniform over [0, 1), in the given shape."""
    return rand(*(() if size is None else size if np.iterable(size) else (size,)))


def randn(*size: int, dtype: Any = None, ctx: Any = None) -> ndarray:
    """Standard normal, in the given shape."""
    on_cpu("random.randn", ctx)
    drawn = rng.draw("standard_normal", size)
    return boxed(as_array(drawn, default_float() if dtype is None else dtype))


def randint(
    low: int, high: int | None = None, size: Any = None, dtype: Any = None, ctx: Any = None, device: Any = None,
    out: Any = None,
) -> Any:  # fmt: skip
    """Integers from [low, high), or from [0, low)."""
    on_cpu("random.randint", ctx or device)
    drawn = boxed(as_array(rng.draw("integers", low, high, _size(size)), dtype or np.int64))
    return drawn if out is None else drawn.copyto(out)


def choice(
    a: Any, size: Any = None, replace: bool = True, p: Any = None, ctx: Any = None, device: Any = None, out: Any = None
) -> Any:
    """Entries of `a`, or numbers below `a`, drawn with probabilities `p`."""
    on_cpu("random.choice", ctx or device)
    if p is not None:
        p = as_array(bare(p), float)
        p = p / p.sum() if np.isclose(p.sum(), 1, atol=1e-4) else p  # single precision does not add up exactly
    drawn = boxed(as_array(rng.draw("choice", bare(a), _size(size), replace, p)))
    return drawn if out is None else drawn.copyto(out)


def multinomial(n: int, pvals: Any, size: Any = None, ctx: Any = None, device: Any = None) -> ndarray:
    """How often each outcome came in `n` trials."""
    on_cpu("random.multinomial", ctx or device)
    p = as_array(bare(pvals), float)
    p = p / p.sum() if np.isclose(p.sum(), 1, atol=1e-4) else p
    return boxed(rng.draw("multinomial", int(bare(n)), p, _size(size)))


def multivariate_normal(mean: Any, cov: Any, size: Any = None, **kwargs: Any) -> ndarray:
    """Vectors from a normal distribution of given mean and covariance."""
    _require_constants("multivariate_normal", (mean, cov))
    drawn = rng.draw("multivariate_normal", bare(mean), bare(cov), _size(size), **kwargs)
    return boxed(as_array(drawn, default_float()))


def bernoulli(
    prob: Any = None, logit: Any = None, size: Any = None, dtype: Any = None, ctx: Any = None, device: Any = None
) -> ndarray:
    """Ones with probability `prob`, zeros else."""
    on_cpu("random.bernoulli", ctx or device)
    _require_constants("bernoulli", (prob, logit))
    p = bare(prob) if prob is not None else 1 / (1 + np.exp(-as_array(bare(logit))))
    drawn = rng.draw("random", np.shape(p) if size is None else _size(size)) < p
    return boxed(as_array(drawn, default_float() if dtype is None else dtype))


def permutation(x: Any) -> ndarray:
    """The rows of `x`, or the numbers below it, in random order."""
    return boxed(as_array(rng.draw("permutation", bare(x))))


def shuffle(x: ndarray) -> None:
    """Put the rows of `x` in random order, in place."""
    x[...] = rng.draw("permutation", bare(x))


__all__ = [
    "bernoulli", "choice", "multinomial", "multivariate_normal", "permutation", "rand", "randint", "randn",
    "random_sample", "seed", "shuffle", *_DISTRIBUTIONS,
]  # fmt: skip


def __dir__() -> list[str]:
    return list(__all__)
