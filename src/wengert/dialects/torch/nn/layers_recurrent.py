"""Recurrent networks as modules: layers of cells that run along a sequence."""

import math
from typing import Any

import numpy as np

from wengert.dialects.torch import creation
from wengert.dialects.torch.errors import MissingError, OperandError, OptionError
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.nn import init
from wengert.dialects.torch.nn.module import Module
from wengert.dialects.torch.nn.parameter import Parameter
from wengert.dialects.torch.tensor import Tensor
from wengert.nn.recurrent import gru_step, lstm_step, run_layers

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


def _shapes(gates: int, inputs: int, hidden: int, bias: bool) -> dict[str, tuple]:
    """The parameters of a layer, by name."""
    rows = gates * hidden
    weights = {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden)}
    return weights | ({"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {})


def _draw(module: Any) -> None:
    """Draw initial values."""
    bound = 1 / math.sqrt(module.hidden_size) if module.hidden_size > 0 else 0
    for p in module.parameters():
        init.uniform_(p, -bound, bound)


class _Recurrent(Module):
    """What recurrent networks share: their parameters, and how the layers follow one another."""

    gates = 1
    parts = 1
    """How many tensors a state consists of."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if proj_size:
            raise MissingError(f"[{type(self).__name__}] proj_size=0 was required; add a Linear behind it")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, dropout, bidirectional
        directions = 2 if bidirectional else 1
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                inputs = input_size if layer == 0 else directions * hidden_size
                for name, shape in _shapes(self.gates, inputs, hidden_size, bias).items():
                    self.register_parameter(name + suffix, Parameter(creation.empty(shape, dtype=dtype)))
        self.reset_parameters()

    def _suffixes(self, layer: int) -> tuple[str, ...]:
        """What the names of a layer's parameters end in, one for each direction."""
        return (f"_l{layer}", f"_l{layer}_reverse") if self.bidirectional else (f"_l{layer}",)

    def reset_parameters(self) -> None:
        """Draw initial values."""
        _draw(self)

    def flatten_parameters(self) -> None:
        """Do nothing: how parameters lie in memory makes no difference here."""

    def step(self, x: Tensor, h: Tensor, state: tuple) -> tuple:
        """The next state; written by the subclass."""
        raise NotImplementedError

    def forward(self, input: Tensor, hx: Any = None) -> tuple:
        """Run along the sequence; gives the last layer's states at all times, and all layers' last states."""
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            raise OperandError(
                f"[{type(self).__name__}] input of 2 or 3 axes, the last of size {self.input_size}, was required: "
                f"input.size(-1) must be equal to input_size; received {input._spec!r}"
            )
        batched = input.ndim == 3
        x = (input.transpose(0, 1) if self.batch_first else input) if batched else input.unsqueeze(1)
        rows = self.num_layers * (2 if self.bidirectional else 1)
        if hx is None:
            zeros = creation.zeros(rows, x.shape[1], self.hidden_size, dtype=x.dtype)
            given: tuple = (zeros,) * self.parts
        else:
            given = hx if isinstance(hx, tuple) else (hx,)
            given = given if batched else tuple(part.unsqueeze(1) for part in given)
        y, last = self._run(x, given)
        if not batched:
            y, last = y.squeeze(1), tuple(part.squeeze(1) for part in last)
        elif self.batch_first:
            y = y.transpose(0, 1)
        return y, last if self.parts > 1 else last[0]

    def _run(self, x: Tensor, given: tuple) -> tuple:
        """All layers, each on what the one before gave."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weights = [
            [tuple(getattr(self, name + suffix, None) for name in names) for suffix in self._suffixes(layer)]
            for layer in range(self.num_layers)
        ]
        return run_layers(self.step, x, given, weights, lambda between: F.dropout(between, self.dropout, self.training))

    def extra_repr(self) -> str:
        """The settings."""
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        shown = [f", {k}={getattr(self, k)}" for k, default in defaults.items() if getattr(self, k) != default]
        return text + "".join(shown)


class RNN(_Recurrent):
    """A recurrent network with tanh, or relu, of the sums."""

    def __init__(self, *args: Any, nonlinearity: str = "tanh", **kwargs: Any) -> None:
        if len(args) > 3 and isinstance(args[3], str):
            nonlinearity, args = args[3], args[:3] + args[4:]
        if nonlinearity not in ("tanh", "relu"):
            raise OptionError(f"[RNN] Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(*args, **kwargs)
        self.nonlinearity = nonlinearity

    def step(self, x: Tensor, h: Tensor, state: tuple) -> tuple:
        """The next state."""
        return (np.tanh(x + h) if self.nonlinearity == "tanh" else F.relu(x + h),)


class LSTM(_Recurrent):
    """Long short-term memory; see `wengert.nn.recurrent.lstm_step`."""

    gates, parts = 4, 2

    def step(self, x: Tensor, h: Tensor, state: tuple) -> tuple:
        """The next state."""
        return lstm_step(x, h, state[1])


class GRU(_Recurrent):
    """Gated recurrent units; see `wengert.nn.recurrent.gru_step`."""

    gates = 3

    def step(self, x: Tensor, h: Tensor, state: tuple) -> tuple:
        """The next state."""
        return (gru_step(x, h, state[0]),)


# Cells -----------------------------------------------------------------------------------------------------------


class _Cell(Module):
    """One step of a recurrent network, with the parameters of one layer."""

    of: type[_Recurrent]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        for name, shape in _shapes(self.of.gates, input_size, hidden_size, bias).items():
            self.register_parameter(name, Parameter(creation.empty(shape, dtype=dtype)))
        _draw(self)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """The next state, from an input of shape (batch, input_size) or (input_size,)."""
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise OperandError(
                f"[{type(self).__name__}] input of 1 or 2 axes, the last of size {self.input_size}, was required: "
                f"input has inconsistent input_size; received {input._spec!r}"
            )
        if hx is None:
            zeros = creation.zeros((*input.shape[:-1], self.hidden_size), dtype=input.dtype)
            hx = (zeros,) * self.of.parts
        state = hx if isinstance(hx, tuple) else (hx,)
        bias_ih, bias_hh = (self.bias_ih, self.bias_hh) if self.bias else (None, None)
        sums = F.linear(input, self.weight_ih, bias_ih), F.linear(state[0], self.weight_hh, bias_hh)
        following = self.of.step(self, *sums, state)
        return following if self.of.parts > 1 else following[0]

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of `RNN`."""

    of = RNN

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", **options: Any
    ) -> None:
        super().__init__(input_size, hidden_size, bias, **options)
        self.nonlinearity = nonlinearity


class LSTMCell(_Cell):
    """One step of `LSTM`."""

    of = LSTM


class GRUCell(_Cell):
    """One step of `GRU`."""

    of = GRU
