"""What the distributions share."""

from typing import Any

import numpy as np

from wengert.dialects.torch import creation
from wengert.dialects.torch.dtypes import Size
from wengert.dialects.torch.errors import MissingError, OptionError
from wengert.dialects.torch.tensor import Tensor
from wengert.tape import no_grad

__all__ = ["Distribution"]


def as_tensors(*values: Any) -> list[Tensor]:
    """Parameters as tensors of one shape."""
    tensors = [v if isinstance(v, Tensor) else creation.tensor(float(v)) for v in values]
    shape = np.broadcast_shapes(*(t._spec.shape for t in tensors))
    return [t if t._spec.shape == shape else t.expand(*shape) for t in tensors]


class Distribution:
    """Independent distributions, one for each element of the parameters."""

    batch_shape: Size = Size()
    event_shape: Size = Size()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw, without a history."""
        with no_grad():
            return self._draw(tuple(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw, as a function of the parameters."""
        raise MissingError(f"[rsample] a distribution that can be drawn so was required; {type(self).__name__} cannot")

    def _draw(self, sample_shape: tuple) -> Tensor:
        return self.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or the probability, of values."""
        raise NotImplementedError

    def _shape(self, sample_shape: Any) -> tuple:
        return (*sample_shape, *self.batch_shape, *self.event_shape)


def one_of(operation: str, probs: Any, logits: Any) -> None:
    """Insist on exactly one of two ways to say the probabilities."""
    if (probs is None) is (logits is None):
        raise OptionError(f"[{operation}] either `probs` or `logits` must be specified, but not both")
