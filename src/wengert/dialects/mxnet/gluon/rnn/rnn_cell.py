"""Recurrent cells: one step each, which ``unroll`` repeats along a sequence."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.dialects.mxnet import ndarray, neural
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.gluon.block import Block, HybridBlock, _tree
from wengert.dialects.mxnet.gluon.rnn.rnn_layer import GatedUnit, LongShortTerm, started
from wengert.dialects.mxnet.numpy_extension import functions

__all__ = [
    "BidirectionalCell", "DropoutCell", "GRUCell", "HybridRecurrentCell", "HybridSequentialRNNCell", "LSTMCell",
    "RNNCell", "RecurrentCell", "ResidualCell", "SequentialRNNCell",
]  # fmt: skip


class RecurrentCell(Block):
    """Base of the cells: ``output, states = cell(input, states)``. A subclass defines `state_info` and `forward`."""

    def reset(self) -> None:
        """Forget what belongs to one sequence."""
        for child in self._children.values():
            if isinstance(child, RecurrentCell):
                child.reset()

    def state_info(self, batch_size: int = 0) -> list[dict]:
        """Shapes of the arrays of a state."""
        raise NotImplementedError(f"[{type(self).__name__}] a cell needs a method state_info; define it")

    def begin_state(self, batch_size: int = 0, func: Callable | None = None, **kwargs: Any) -> list:
        """A state to start from: zeros, or what `func` makes of a shape."""
        return started(self.state_info(batch_size), func, kwargs)

    def unroll(
        self, length: int, inputs: Any, begin_state: Any = None, layout: str = "NTC", merge_outputs: bool | None = None,
        valid_length: Any = None,
    ) -> tuple:  # fmt: skip
        """Repeat the cell along a sequence.

        Parameters
        ----------
        length : int
        inputs : array in the given layout, or list of arrays of shape (batch, channels)
        begin_state : list of arrays, optional
            Zeros by default.
        layout : {"NTC", "TNC"}
        merge_outputs : bool, optional
            Whether the outputs come in one array in the given layout, or in a list.
        valid_length : array, optional
            Where each sequence ends: beyond, outputs are zero, and the states are those from there.
        """
        self.reset()
        axis = layout.index("T")
        steps = _steps(inputs, length, axis)
        states = self.begin_state(steps[0].shape[0]) if begin_state is None else begin_state
        outputs, passed = [], []
        for x in steps:
            output, states = self(x, states)
            outputs.append(output)
            passed.append(states)
        if valid_length is not None:
            states = [_last(part, valid_length) for part in zip(*passed, strict=True)]
        return _joined(outputs, axis, merge_outputs, valid_length), states


def _steps(inputs: Any, length: int, axis: int) -> list:
    """The entries of a sequence."""
    if not isinstance(inputs, Array):
        steps = list(inputs)
    else:
        steps = [inputs[:, t] if axis else inputs[t] for t in range(inputs.shape[axis])]
    if len(steps) != length:
        raise ValueError(f"[unroll] a sequence of length={length} was required; received one of length {len(steps)}")
    return steps


def _last(states: tuple, valid_length: Any) -> Any:
    """The state where each sequence ends."""
    return ndarray.SequenceLast(np.stack(states), valid_length, True)


def _joined(outputs: list, axis: int, merge: bool | None, valid_length: Any) -> Any:
    if not merge and valid_length is None:
        return outputs
    y = np.stack(outputs, axis=axis)
    if valid_length is not None:
        y = functions.sequence_mask(y, valid_length, True, axis=axis)
    return _steps(y, len(outputs), axis) if merge is False else y


class HybridRecurrentCell(RecurrentCell, HybridBlock):
    """A cell that defines `hybrid_forward`."""

    def hybrid_forward(self, F: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The step, of functions `F`, an input, states and parameters; a subclass defines it."""
        raise NotImplementedError(f"[{type(self).__name__}] a cell needs a method hybrid_forward; define it")


class _Cell(HybridRecurrentCell):
    """What the elementary cells share: two linear maps, whose outputs are the gates' sums."""

    _gates = 1
    _parts = 1

    def __init__(
        self,
        hidden_size: int,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._hidden_size, rows = hidden_size, self._gates * hidden_size
        for name, shape, init in (
            ("i2h_weight", (rows, input_size), i2h_weight_initializer),
            ("h2h_weight", (rows, hidden_size), h2h_weight_initializer),
            ("i2h_bias", (rows,), i2h_bias_initializer),
            ("h2h_bias", (rows,), h2h_bias_initializer),
        ):
            setattr(self, name, self.params.get(name, shape=shape, init=init, allow_deferred_init=True))

    def infer_shape(self, inputs: Any, *args: Any) -> None:
        """Channels are what the data has."""
        self._reg_params["i2h_weight"].shape = (self._gates * self._hidden_size, inputs.shape[-1])

    def state_info(self, batch_size: int = 0) -> list[dict]:
        """Shapes of the arrays of a state."""
        return [{"shape": (batch_size, self._hidden_size), "__layout__": "NC"} for _ in range(self._parts)]

    def hybrid_forward(
        self, F: Any, inputs: Any, states: Any, i2h_weight: Any, h2h_weight: Any, i2h_bias: Any, h2h_bias: Any
    ) -> tuple:  # fmt: skip
        """One step: the output, and the next state."""
        x = neural.FullyConnected(inputs, i2h_weight, i2h_bias)
        h = neural.FullyConnected(states[0], h2h_weight, h2h_bias)
        after = self._step(x, h, states)
        return after[0], list(after)

    def _step(self, x: Any, h: Any, states: Any) -> tuple:
        raise NotImplementedError

    def __repr__(self) -> str:
        rows, inputs = self._reg_params["i2h_weight"].shape or (0, 0)
        return f"{type(self).__name__}({inputs if inputs > 0 else None} -> {rows})"


class RNNCell(_Cell):
    """tanh, or another activation, of the sums."""

    def __init__(self, hidden_size: int, activation: str = "tanh", *args: Any, **kwargs: Any) -> None:
        super().__init__(hidden_size, *args, **kwargs)
        self._activation = activation

    def _step(self, x: Any, h: Any, states: Any) -> tuple:
        return (functions.activation(x + h, self._activation),)


class LSTMCell(LongShortTerm, _Cell):
    """Long short-term memory; gates: input, forget, candidate, output."""


class GRUCell(GatedUnit, _Cell):
    """Gated recurrent unit; gates: reset, update, candidate."""


# Cells made of cells ---------------------------------------------------------------------------------------------


class SequentialRNNCell(RecurrentCell):
    """Cells one after another, as one cell; their states follow one another."""

    def add(self, cell: RecurrentCell) -> None:
        """Put a cell at the end."""
        self.register_child(cell)

    def state_info(self, batch_size: int = 0) -> list[dict]:
        """Shapes of the arrays of all cells' states."""
        return [info for cell in self._children.values() for info in cell.state_info(batch_size)]

    def forward(self, inputs: Any, states: Any) -> tuple:
        """One step of each cell."""
        states, after = list(states), []
        for cell in self._children.values():
            count = len(cell.state_info())
            own, states = states[:count], states[count:]
            inputs, own = cell(inputs, own)
            after += own
        return inputs, after

    def __len__(self) -> int:
        return len(self._children)

    def __getitem__(self, i: int) -> Block:
        return list(self._children.values())[i]

    def __repr__(self) -> str:
        return _tree(type(self).__name__, self._children)


class HybridSequentialRNNCell(SequentialRNNCell, HybridRecurrentCell):
    """`SequentialRNNCell` of hybrid cells."""


class DropoutCell(HybridRecurrentCell):
    """Dropout as a cell without a state."""

    def __init__(self, rate: float, axes: Any = (), prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._rate, self._axes = rate, axes

    def state_info(self, batch_size: int = 0) -> list[dict]:
        """No arrays."""
        return []

    def hybrid_forward(self, F: Any, inputs: Any, states: Any) -> tuple:
        """Drop at random, in training."""
        return (neural.Dropout(inputs, self._rate, axes=self._axes) if self._rate > 0 else inputs), states

    def __repr__(self) -> str:
        return f"DropoutCell(rate={self._rate}, axes={self._axes})"


class ResidualCell(HybridRecurrentCell):
    """A cell whose output has its input added."""

    def __init__(self, base_cell: RecurrentCell) -> None:
        super().__init__(params=None)
        self.base_cell = base_cell

    def state_info(self, batch_size: int = 0) -> list[dict]:
        """Shapes of the arrays of the cell's state."""
        return self.base_cell.state_info(batch_size)

    def hybrid_forward(self, F: Any, inputs: Any, states: Any) -> tuple:
        """One step."""
        output, states = self.base_cell(inputs, states)
        return output + inputs, states

    def __repr__(self) -> str:
        return f"ResidualCell({self.base_cell!r})"


class BidirectionalCell(HybridRecurrentCell):
    """One cell forwards and one backwards, their outputs beside each other; only to be unrolled."""

    def __init__(self, l_cell: RecurrentCell, r_cell: RecurrentCell, output_prefix: str = "bi_") -> None:
        super().__init__(prefix="", params=None)
        self.l_cell, self.r_cell = l_cell, r_cell

    def __call__(self, inputs: Any, states: Any) -> Any:
        """Not possible: an error."""
        raise NotImplementedError("[BidirectionalCell] cannot be stepped, as it needs whole sequences; use unroll")

    def state_info(self, batch_size: int = 0) -> list[dict]:
        """Shapes of the arrays of both states."""
        return self.l_cell.state_info(batch_size) + self.r_cell.state_info(batch_size)

    def unroll(
        self, length: int, inputs: Any, begin_state: Any = None, layout: str = "NTC", merge_outputs: bool | None = None,
        valid_length: Any = None,
    ) -> tuple:  # fmt: skip
        """Repeat both cells along a sequence; see `RecurrentCell.unroll`."""
        neural.supported("BidirectionalCell.unroll", valid_length=(valid_length, None))
        self.reset()
        axis = layout.index("T")
        steps = _steps(inputs, length, axis)
        states = self.begin_state(steps[0].shape[0]) if begin_state is None else list(begin_state)
        count = len(self.l_cell.state_info())
        left, ahead = self.l_cell.unroll(length, steps, states[:count], layout, False)
        right, behind = self.r_cell.unroll(length, steps[::-1], states[count:], layout, False)
        outputs = [np.concatenate(pair, axis=-1) for pair in zip(left, right[::-1], strict=True)]
        return _joined(outputs, axis, merge_outputs, None), [*ahead, *behind]

    def __repr__(self) -> str:
        return f"BidirectionalCell(forward={self.l_cell!r}, backward={self.r_cell!r})"
