"""Distributions: sampling, and the logarithms of densities and probabilities, for the methods that need them."""

from wengert.dialects.torch.distributions import multinomial
from wengert.dialects.torch.distributions.discrete import Bernoulli, Categorical, Multinomial
from wengert.dialects.torch.distributions.distribution import Distribution
from wengert.dialects.torch.distributions.normal import Normal, Uniform

__all__ = ["Bernoulli", "Categorical", "Distribution", "Multinomial", "Normal", "Uniform", "multinomial"]
