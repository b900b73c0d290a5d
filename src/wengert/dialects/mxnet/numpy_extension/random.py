"""``mxnet.npx.random``: random numbers beyond NumPy's."""

from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet.numpy import random as np_random
from wengert.dialects.mxnet.numpy.random import bernoulli
from wengert.dialects.mxnet.rng import seed

__all__ = ["bernoulli", "normal_n", "seed", "uniform_n"]


def normal_n(loc: Any = 0.0, scale: Any = 1.0, batch_shape: Any = None, **kwargs: Any) -> Any:
    """Normal: `batch_shape` values for each pair of parameters."""
    return np_random.normal(loc, scale, size=_batched(batch_shape, loc, scale), **kwargs)


def uniform_n(low: Any = 0.0, high: Any = 1.0, batch_shape: Any = None, **kwargs: Any) -> Any:
    """Uniform: `batch_shape` values for each pair of parameters."""
    return np_random.uniform(low, high, size=_batched(batch_shape, low, high), **kwargs)


def _batched(batch_shape: Any, *parameters: Any) -> tuple[int, ...]:
    batch = () if batch_shape is None else tuple(np.atleast_1d(batch_shape).tolist())
    return batch + np.broadcast_shapes(*(np.shape(bare(p)) for p in parameters))
