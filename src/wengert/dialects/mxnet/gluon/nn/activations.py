"""Activations as blocks."""

from typing import Any

from wengert.dialects.mxnet import initializer, neural
from wengert.dialects.mxnet.gluon.block import HybridBlock
from wengert.dialects.mxnet.numpy_extension import functions

__all__ = ["ELU", "GELU", "SELU", "Activation", "LeakyReLU", "PReLU", "SiLU", "Swish"]


class Activation(HybridBlock):
    """The activation of a name: relu, sigmoid, tanh, softrelu, softsign, log_sigmoid, mish, gelu, silu."""

    _act_type: str

    def __init__(self, activation: str, prefix: str | None = None, params: Any = None) -> None:
        object.__setattr__(self, "_act_type", activation)  # it is in the block's name
        super().__init__(prefix, params)

    def _alias(self) -> str:
        return self._act_type

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Apply it."""
        return functions.activation(x, self._act_type)

    def __repr__(self) -> str:
        return f"Activation({self._act_type})"


class LeakyReLU(HybridBlock):
    """``x`` where positive, ``alpha * x`` elsewhere."""

    def __init__(self, alpha: float, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._alpha = alpha

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Apply it."""
        return neural.LeakyReLU(x, act_type="leaky", slope=self._alpha)

    def __repr__(self) -> str:
        return f"LeakyReLU({self._alpha})"


class PReLU(HybridBlock):
    """`LeakyReLU` with a slope that is learnt, one or one for each channel."""

    def __init__(
        self, alpha_initializer: Any = None, in_channels: int = 1, prefix: str | None = None, params: Any = None
    ) -> None:
        super().__init__(prefix, params)
        init = initializer.Constant(0.25) if alpha_initializer is None else alpha_initializer
        self.alpha = self.params.get("alpha", shape=(in_channels,), init=init)

    def hybrid_forward(self, F: Any, x: Any, alpha: Any) -> Any:
        """Apply it."""
        return neural.LeakyReLU(x, alpha, act_type="prelu")


class ELU(HybridBlock):
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""

    def __init__(self, alpha: float = 1.0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._alpha = alpha

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Apply it."""
        return functions.elu(x, self._alpha)


class SELU(HybridBlock):
    """The `ELU` that keeps mean 0 and variance 1."""

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Apply it."""
        return functions.selu(x)


class GELU(HybridBlock):
    """``x`` times the normal distribution function of ``x``."""

    def __init__(self, approximation: str = "erf", prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._approximation = approximation

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Apply it."""
        return functions.gelu(x, self._approximation)


class Swish(HybridBlock):
    """``x * sigmoid(beta * x)``."""

    def __init__(self, beta: float = 1.0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._beta = beta

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Apply it."""
        return functions.silu(x, self._beta)


class SiLU(Swish):
    """``x * sigmoid(x)``."""
