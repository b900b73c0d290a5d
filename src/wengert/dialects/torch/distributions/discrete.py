"""Discrete distributions."""

from typing import Any

import numpy as np

from wengert.box import array_of
from wengert.dialects.torch import random
from wengert.dialects.torch.distributions.distribution import Distribution, as_tensors, one_of
from wengert.dialects.torch.dtypes import Size
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.tensor import Tensor

__all__ = ["Bernoulli", "Categorical", "Multinomial"]


class Bernoulli(Distribution):
    """1 with a probability, otherwise 0."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: Any = None):
        one_of("Bernoulli", probs, logits)
        (given,) = as_tensors(logits if probs is None else probs)
        self.probs = F.sigmoid(given) if probs is None else given
        self.logits = given if probs is None else np.log(given) - np.log1p(-given)
        self.batch_shape = self.probs.shape

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.probs

    def _draw(self, sample_shape: tuple) -> Tensor:
        return random.bernoulli(self.probs.expand(*self._shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        logits = self.logits.expand(*np.broadcast_shapes(self.logits.shape, value.shape))
        return -F.binary_cross_entropy_with_logits(logits, value.expand_as(logits), reduction="none")

    def entropy(self) -> Tensor:
        """The entropy."""
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")


class Categorical(Distribution):
    """One of several categories, which the last axis of the parameters counts."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: Any = None):
        one_of("Categorical", probs, logits)
        if probs is None:
            self.logits = F.log_softmax(logits, -1)
            self.probs = np.exp(self.logits)
        else:
            self.probs = probs / probs.sum(-1, keepdim=True)
            limit = np.finfo(self.probs._spec.dtype).eps
            self.logits = np.log(self.probs.clamp(limit, 1 - limit))
        self.batch_shape, self._categories = Size(self.probs.shape[:-1]), self.probs.shape[-1]

    def _draw(self, sample_shape: tuple) -> Tensor:
        count = int(np.prod(sample_shape, dtype=np.int64))
        drawn = random.multinomial(self.probs.reshape(-1, self._categories), count, True)
        return drawn.T.reshape(self._shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        places = array_of(value).astype(np.int64)[..., None]
        shape = np.broadcast_shapes(places.shape[:-1], self.batch_shape)
        logits = self.logits.expand(*shape, self._categories)
        return np.take_along_axis(logits, np.broadcast_to(places, (*shape, 1)), -1)[..., 0]

    def entropy(self) -> Tensor:
        """The entropy."""
        return -(self.logits * self.probs).sum(-1)


class Multinomial(Distribution):
    """How often each of several categories comes up in a number of draws."""

    def __init__(self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: Any = None):
        self.total_count, self._one = total_count, Categorical(probs, logits)
        self.probs, self.logits = self._one.probs, self._one.logits
        self.batch_shape, self.event_shape = self._one.batch_shape, Size(self.probs.shape[-1:])

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.probs * self.total_count

    def _draw(self, sample_shape: tuple) -> Tensor:
        drawn = self._one.sample((self.total_count, *sample_shape))
        return F.one_hot(drawn, self.event_shape[0]).sum(0).type_as(self.probs)
