"""`Multinomial`, under the name of its own module."""

from wengert.dialects.torch.distributions.discrete import Multinomial

__all__ = ["Multinomial"]
