"""Recurrent layers, which run along whole sequences."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.dialects.mxnet import neural, numpy
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.gluon.block import HybridBlock
from wengert.dialects.mxnet.ndarray import creation
from wengert.dialects.mxnet.util import is_np_array
from wengert.nn import relu
from wengert.nn.recurrent import gru_step, lstm_step, run_layers

__all__ = ["GRU", "LSTM", "RNN"]


class _Layer(HybridBlock):
    """What recurrent layers share: their parameters, and how a sequence goes through.

    Parameters
    ----------
    hidden_size : int
    num_layers : int
    layout : {"TNC", "NTC"}
        Order of the axes of the sequence: time, batch, channels.
    dropout : float
        Between layers, in training.
    bidirectional : bool
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : of the parameters
    input_size : int
        Number of channels; 0: told by the first data.
    dtype : of the parameters
    """

    _gates = 1
    _parts = 1

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        input_size: int = 0,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        dtype: Any = "float32",
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        neural.choice(type(self).__name__, "layout", layout, ("TNC", "NTC"))
        self._hidden_size, self._num_layers, self._layout, self._dropout = hidden_size, num_layers, layout, dropout
        self._dir, self._input_size, self._dtype = (2 if bidirectional else 1), input_size, dtype
        rows = self._gates * hidden_size
        for n in range(num_layers):
            inputs = input_size if n == 0 else hidden_size * self._dir
            for side in "lr"[: self._dir]:
                for name, shape, init in (
                    ("i2h_weight", (rows, inputs), i2h_weight_initializer),
                    ("h2h_weight", (rows, hidden_size), h2h_weight_initializer),
                    ("i2h_bias", (rows,), i2h_bias_initializer),
                    ("h2h_bias", (rows,), h2h_bias_initializer),
                ):
                    full = f"{side}{n}_{name}"
                    param = self.params.get(full, shape=shape, init=init, allow_deferred_init=True, dtype=dtype)
                    setattr(self, full, param)

    def infer_shape(self, inputs: Any, *args: Any) -> None:
        """Channels are what the data has."""
        for side in "lr"[: self._dir]:
            weight = self._reg_params[f"{side}0_i2h_weight"]
            weight.shape = (self._gates * self._hidden_size, inputs.shape[2])

    def state_info(self, batch_size: int = 0) -> list[dict]:
        """Shapes of the arrays of a state."""
        shape = (self._num_layers * self._dir, batch_size, self._hidden_size)
        return [{"shape": shape, "__layout__": "LNC", "dtype": self._dtype} for _ in range(self._parts)]

    def begin_state(self, batch_size: int = 0, func: Callable | None = None, **kwargs: Any) -> list:
        """A state to start from: zeros, or what `func` makes of a shape."""
        return started(self.state_info(batch_size), func, kwargs)

    def forward(self, inputs: Any, states: Any = None, sequence_length: Any = None) -> Any:
        """Run along the sequence: the outputs; and the last state, if one was given to start from."""
        neural.supported(type(self).__name__, sequence_length=(sequence_length, None))
        batch = inputs.shape[self._layout.index("N")]
        given = self.begin_state(batch, dtype=inputs.dtype) if states is None else states
        given = [given] if isinstance(given, Array) else list(given)
        for state, info in zip(given, self.state_info(batch), strict=True):
            if state.shape != info["shape"]:
                raise ValueError(
                    f"[{self.name}] a state of shape {info['shape']} was required (Invalid recurrent state shape); "
                    f"received {state._spec!r}; see begin_state(batch_size)"
                )
        x = inputs if self._layout == "TNC" else np.swapaxes(inputs, 0, 1)
        y, last = run_layers(self._step, x, tuple(given), self._weights(), self._between)
        y = y if self._layout == "TNC" else np.swapaxes(y, 0, 1)
        return y if states is None else (y, list(last))

    def _weights(self) -> list:
        names = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
        return [
            [tuple(self._reg_params[f"{side}{n}_{name}"].data() for name in names) for side in "lr"[: self._dir]]
            for n in range(self._num_layers)
        ]

    def _between(self, x: Any) -> Any:
        return neural.Dropout(x, self._dropout) if self._dropout else x

    def _step(self, x: Any, h: Any, state: tuple) -> tuple:
        raise NotImplementedError

    def __repr__(self) -> str:
        rows, inputs = self._reg_params["l0_i2h_weight"].shape or (0, 0)
        text = f"{type(self).__name__}({inputs if inputs > 0 else None} -> {rows // self._gates}, {self._layout}"
        text += f", num_layers={self._num_layers}" if self._num_layers != 1 else ""
        text += f", dropout={self._dropout}" if self._dropout else ""
        return text + (", bidirectional)" if self._dir == 2 else ")")


def started(infos: list[dict], func: Callable | None, settings: dict) -> list:
    """Arrays for the parts of a state."""
    func = (numpy.zeros if is_np_array() else creation.zeros) if func is None else func
    settings = {"dtype": infos[0].get("dtype", "float32")} | settings if infos and func in _ZEROS else settings
    return [func(shape=info["shape"], **settings) for info in infos]


_ZEROS = (numpy.zeros, creation.zeros)


class RNN(_Layer):
    """A recurrent network with relu, or tanh, of the sums."""

    def __init__(
        self, hidden_size: int, num_layers: int = 1, activation: str = "relu", layout: str = "TNC", *args: Any,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(hidden_size, num_layers, layout, *args, **kwargs)
        self._activation = neural.choice("RNN", "activation", activation, {"relu": relu, "tanh": np.tanh})

    def _step(self, x: Any, h: Any, state: tuple) -> tuple:
        return (self._activation(x + h),)


class LongShortTerm:
    """What layers and cells of long short-term memory are, beside layers and cells."""

    _gates, _parts = 4, 2

    def _step(self, x: Any, h: Any, state: tuple) -> tuple:
        return lstm_step(x, h, state[1])


class GatedUnit:
    """What layers and cells of gated recurrent units are, beside layers and cells."""

    _gates = 3

    def _step(self, x: Any, h: Any, state: tuple) -> tuple:
        return (gru_step(x, h, state[0]),)


class LSTM(LongShortTerm, _Layer):
    """Long short-term memory; gates: input, forget, candidate, output."""


class GRU(GatedUnit, _Layer):
    """Gated recurrent units; gates: reset, update, candidate."""
