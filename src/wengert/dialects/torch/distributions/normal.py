"""Continuous distributions."""

from math import log, pi
from typing import Any

import numpy as np

from wengert.dialects.torch import random
from wengert.dialects.torch.distributions.distribution import Distribution, as_tensors
from wengert.dialects.torch.tensor import Tensor
from wengert.nn.distances import gaussian_nll

__all__ = ["Normal", "Uniform"]


class Normal(Distribution):
    """The normal distribution with a mean and a standard deviation."""

    def __init__(self, loc: Any, scale: Any, validate_args: Any = None):
        self.loc, self.scale = as_tensors(loc, scale)
        self.batch_shape = self.loc.shape

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.scale**2

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw, as a function of the parameters."""
        return self.loc + random.randn(self._shape(sample_shape), dtype=self.loc.dtype) * self.scale

    def _draw(self, sample_shape: tuple) -> Tensor:
        shape = self._shape(sample_shape)
        return random.normal(self.loc.expand(*shape), self.scale.expand(*shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        return -gaussian_nll(self.loc, value, self.scale**2, full=True, eps=0)

    def entropy(self) -> Tensor:
        """The entropy."""
        return 0.5 + 0.5 * log(2 * pi) + np.log(self.scale)


class Uniform(Distribution):
    """The uniform distribution between two numbers."""

    def __init__(self, low: Any, high: Any, validate_args: Any = None):
        self.low, self.high = as_tensors(low, high)
        self.batch_shape = self.low.shape

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return (self.high + self.low) / 2

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw, as a function of the parameters."""
        drawn = random.rand(self._shape(sample_shape), dtype=self.low.dtype)
        return self.low + drawn * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        inside = (self.low <= value) & (value < self.high)
        return np.log(inside.type_as(self.low)) - np.log(self.high - self.low)

    def entropy(self) -> Tensor:
        """The entropy."""
        return np.log(self.high - self.low)
