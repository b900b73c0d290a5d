"""``mx.nd.random``: random numbers, from the dialect's generator. No gradient goes through them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet.context import on_cpu
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.ndarray.ndarray import NDArray, boxed
from wengert.dialects.mxnet.ndarray.operation import put
from wengert.dialects.mxnet.rng import draw, seed
from wengert.random import as_array

__all__ = [
    "bernoulli", "exponential", "gamma", "generalized_negative_binomial", "multinomial", "negative_binomial", "normal",
    "poisson", "randint", "randn", "seed", "shuffle", "uniform",
]  # fmt: skip


def _sampled(
    operation: str,
    sample: Callable,
    parameters: tuple,
    shape: Any,
    dtype: Any,
    ctx: Any,
    out: Any,
    default: str = "float32",
) -> Any:
    """Numbers in the given shape; of each, with arrays of parameters, of that shape behind the parameters' own."""
    on_cpu(operation, ctx)
    values = [as_array(bare(p)) for p in parameters]
    common = np.broadcast_shapes(*(v.shape for v in values))
    if shape is None:
        shape = out.shape if out is not None and not common else () if common else (1,)
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    spread = [v.reshape(*v.shape, *(1,) * len(shape)) if v.ndim else v for v in values]
    try:
        drawn = sample(*spread, size=(*common, *shape))
    except ValueError as error:
        raise MXNetError(f"[{operation}] parameters in their range were required; {error}") from error
    given = next((p.dtype for p in parameters if isinstance(p, NDArray) and p._spec.inexact), default)
    y = boxed(as_array(drawn).astype(given if dtype in (None, "None") else dtype))
    return y if out is None else put(out, y)


def uniform(
    low: Any = 0, high: Any = 1, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Numbers in [low, high)."""
    return _sampled("uniform", lambda a, b, size: draw("uniform", a, b, size), (low, high), shape, dtype, ctx, out)


def normal(
    loc: Any = 0, scale: Any = 1, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Numbers of a normal distribution with mean `loc` and standard deviation `scale`."""
    return _sampled("normal", lambda a, b, size: draw("normal", a, b, size), (loc, scale), shape, dtype, ctx, out)


def randn(*shape: int, loc: Any = 0, scale: Any = 1, dtype: Any = None, ctx: Any = None, out: Any = None) -> Any:
    """`normal`, with the shape first."""
    return normal(loc, scale, shape or None, dtype, ctx, out)


def randint(low: int, high: int, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None) -> Any:
    """Whole numbers in [low, high)."""
    return _sampled(
        "randint", lambda a, b, size: draw("integers", a, b, size), (low, high), shape, dtype, ctx, out, "int32"
    )


def poisson(lam: Any = 1, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None) -> Any:
    """Counts of a Poisson distribution."""
    return _sampled("poisson", lambda a, size: draw("poisson", a, size), (lam,), shape, dtype, ctx, out)


def exponential(scale: Any = 1, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None) -> Any:
    """Numbers of an exponential distribution with mean `scale`."""
    return _sampled("exponential", lambda a, size: draw("exponential", a, size), (scale,), shape, dtype, ctx, out)


def gamma(alpha: Any = 1, beta: Any = 1, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None) -> Any:
    """Numbers of a gamma distribution with shape `alpha` and scale `beta`."""
    return _sampled("gamma", lambda a, b, size: draw("gamma", a, b, size), (alpha, beta), shape, dtype, ctx, out)


def negative_binomial(
    k: Any = 1, p: Any = 1, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None
) -> Any:
    """Failures before the `k`-th success of probability `p`."""
    sample = lambda a, b, size: draw("negative_binomial", a, b, size)  # noqa: E731
    return _sampled("negative_binomial", sample, (k, p), shape, dtype, ctx, out)


def generalized_negative_binomial(
    mu: Any = 1, alpha: Any = 1, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None
) -> Any:
    """Counts with mean `mu` and dispersion `alpha`: Poisson's, with a rate of a gamma distribution."""
    sample = lambda m, a, size: draw("poisson", draw("gamma", 1 / a, a * m, size))  # noqa: E731
    return _sampled("generalized_negative_binomial", sample, (mu, alpha), shape, dtype, ctx, out)


def bernoulli(prob: Any = 0.5, shape: Any = None, dtype: Any = None, ctx: Any = None, out: Any = None) -> Any:
    """Ones with probability `prob`, and zeros."""
    return _sampled("bernoulli", lambda p, size: draw("random", size) < p, (prob,), shape, dtype, ctx, out)


def multinomial(data: Any, shape: Any = None, get_prob: bool = False, out: Any = None, dtype: Any = "int32") -> Any:
    """Classes, drawn by the probabilities along the last axis; with `get_prob`, the logarithms of these as well."""
    p = as_array(bare(data), np.float64)
    extra = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    rows = p.reshape(-1, p.shape[-1])
    count = int(np.prod(extra)) if extra else 1
    drawn = np.stack([draw("choice", p.shape[-1], count, p=row / row.sum()) for row in rows])
    result = boxed(drawn.reshape((*p.shape[:-1], *extra) or (1,)).astype(dtype))
    if not get_prob:
        return result if out is None else put(out, result)
    at = np.arange(len(rows))[:, None]
    return [result, np.log(data.reshape((-1, p.shape[-1]))[at, drawn]).reshape(result.shape)]


def shuffle(data: Any, out: Any = None, name: str | None = None) -> Any:
    """The rows in random order."""
    y = data[draw("permutation", data.shape[0])]
    return y if out is None else put(out, y)


LEGACY: dict[str, Callable] = {
    f"{prefix}_{name}": globals()[name]
    for prefix in ("random", "sample")
    for name in (
        "exponential", "gamma", "generalized_negative_binomial", "negative_binomial", "normal", "poisson", "uniform",
        "randint", "multinomial",
    )
} | {"normal": normal, "uniform": uniform, "shuffle": shuffle, "randn": randn, "randint": randint}  # fmt: skip
"""The older names, in ``mx.nd`` itself."""
