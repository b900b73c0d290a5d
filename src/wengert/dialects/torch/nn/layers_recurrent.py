"""Recurrent networks as modules: layers of cells that run along a sequence."""

import math
from typing import Any

import numpy as np

from wengert.dialects.torch import creation, functions_shapes
from wengert.dialects.torch.errors import MissingError, OperandError, OptionError
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.nn import init
from wengert.dialects.torch.nn.module import Module
from wengert.dialects.torch.nn.parameter import Parameter
from wengert.dialects.torch.tensor import Tensor
from wengert.nn.recurrent import gru_step, lstm_step

__all__ = ["GRU", "LSTM", "RNN"]


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
                shapes = {"weight_ih": (inputs,), "weight_hh": (hidden_size,), "bias_ih": (), "bias_hh": ()}
                for name, rest in list(shapes.items())[: 4 if bias else 2]:
                    value = creation.empty((self.gates * hidden_size, *rest), dtype=dtype)
                    self.register_parameter(name + suffix, Parameter(value))
        self.reset_parameters()

    def _suffixes(self, layer: int) -> tuple[str, ...]:
        """What the names of a layer's parameters end in, one for each direction."""
        return (f"_l{layer}", f"_l{layer}_reverse") if self.bidirectional else (f"_l{layer}",)

    def reset_parameters(self) -> None:
        """Draw initial values."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

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
        last: list = []
        for layer in range(self.num_layers):
            outputs = []
            for suffix in self._suffixes(layer):
                states = self._along(x, tuple(part[len(last)] for part in given), suffix)
                last.append(states[-1])
                hidden = [state[0] for state in states]
                outputs.append(functions_shapes.stack(hidden[::-1] if suffix.endswith("reverse") else hidden))
            x = outputs[0] if len(outputs) == 1 else functions_shapes.cat(outputs, -1)
            if layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        return x, tuple(functions_shapes.stack(list(part)) for part in zip(*last, strict=True))

    def _along(self, x: Tensor, state: tuple, suffix: str) -> list:
        """The states of one layer in one direction, in the order in which they come."""
        weight_ih, weight_hh = getattr(self, "weight_ih" + suffix), getattr(self, "weight_hh" + suffix)
        bias_ih, bias_hh = (getattr(self, name + suffix) if self.bias else None for name in ("bias_ih", "bias_hh"))
        inputs = F.linear(x, weight_ih, bias_ih)
        states = []
        for t in range(x.shape[0])[:: -1 if suffix.endswith("reverse") else 1]:
            state = self.step(inputs[t], F.linear(state[0], weight_hh, bias_hh), state)
            states.append(state)
        return states

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
