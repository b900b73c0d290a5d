"""``mxnet.random``: random numbers of the legacy class, and the seed of everything random in the dialect."""

from wengert.dialects.mxnet.ndarray.random import (
    exponential,
    gamma,
    generalized_negative_binomial,
    multinomial,
    negative_binomial,
    normal,
    poisson,
    randint,
    randn,
    shuffle,
    uniform,
)
from wengert.dialects.mxnet.rng import generator, seed

__all__ = [
    "exponential", "gamma", "generalized_negative_binomial", "generator", "multinomial", "negative_binomial", "normal",
    "poisson", "randint", "randn", "seed", "shuffle", "uniform",
]  # fmt: skip
