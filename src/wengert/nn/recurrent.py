"""Recurrent networks: one step, from the gates' sums of input and of state; and layers that run along a sequence.

`x` and `h` are what a cell's linear maps made of the input and of the state: of shape (..., gates * features), with
the gates one after another on the last axis.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.nn._inputs import Array
from wengert.nn.maps import linear
from wengert.rules.nn import sigmoid

__all__ = ["gru_step", "lstm_step", "run_layers"]


def lstm_step(x: Array, h: Array, cell: Array) -> tuple[Array, Array]:
    """The next state and cell of long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    Gates, in this order: input, forget, candidate, output.

    Examples
    --------
    >>> h, cell = lstm_step(np.zeros((1, 4)), np.zeros((1, 4)), np.array([[2.0]]))
    >>> cell, h.round(4)
    (array([[1.]]), array([[0.3808]]))
    """
    i, f, g, o = np.split(x + h, 4, axis=-1)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def gru_step(x: Array, h: Array, state: Array) -> Array:
    """The next state of a gated recurrent unit (Cho et al. 2014), with the reset behind the state's linear map.

    Gates, in this order: reset, update, candidate.

    Examples
    --------
    >>> gru_step(np.zeros((1, 3)), np.zeros((1, 3)), np.array([[2.0]]))
    array([[1.]])
    """
    (xr, xz, xn), (hr, hz, hn) = np.split(x, 3, axis=-1), np.split(h, 3, axis=-1)
    update = sigmoid(xz + hz)
    return (1 - update) * np.tanh(xn + sigmoid(xr + hr) * hn) + update * state


def run_layers(
    step: Callable[[Array, Array, tuple], tuple],
    x: Array,
    states: tuple,
    weights: Sequence[Sequence[tuple]],
    between: Callable[[Array], Array] | None = None,
) -> tuple[Array, tuple]:
    """Run layers of cells along a sequence, each on what the one before gave.

    Parameters
    ----------
    step : function of the input's sums, the state's sums and the state, that gives the next state
        A state is a tuple of arrays, of which the first is the output.
    x : array of shape (time, batch, features)
    states : tuple of arrays of shape (layers * directions, batch, state features)
        Where each layer starts.
    weights : for each layer, for each direction, the tuple (input's weight, state's weight, input's bias, state's bias)
        Weights have their outputs on the first axis; a bias may be `None`. A second direction runs backwards.
    between : function, optional
        Applied to what goes from one layer to the next.

    Returns
    -------
    outputs of the last layer, of shape (time, batch, directions * features)
    states where each layer ended, as `states`

    Examples
    --------
    A layer that adds up what comes in:

    >>> add = lambda x, h, state: (x + h,)
    >>> one = np.ones((1, 1))
    >>> y, last = run_layers(add, np.ones((3, 1, 1)), (np.zeros((1, 1, 1)),), [[(one, one, None, None)]])
    >>> y.ravel(), last[0].ravel()
    (array([1., 2., 3.]), array([3.]))
    """
    ends: list[tuple] = []
    for n, layer in enumerate(weights):
        x = between(x) if n and between is not None else x
        outputs = []
        for backwards, maps in enumerate(layer):
            passed = _along(step, x, tuple(part[len(ends)] for part in states), maps, bool(backwards))
            ends.append(passed[-1])
            hidden = [state[0] for state in passed]
            outputs.append(np.stack(hidden[::-1] if backwards else hidden))
        x = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)
    return x, tuple(np.stack(part) for part in zip(*ends, strict=True))


def _along(step: Callable, x: Array, state: tuple, maps: tuple, backwards: bool) -> list[Any]:
    """The states of one layer in one direction, in the order in which they come."""
    of_input, of_state, input_bias, state_bias = maps
    sums, of_state = linear(x, of_input.T, input_bias), of_state.T
    states = []
    for t in range(x.shape[0])[:: -1 if backwards else 1]:
        state = step(sums[t], linear(state[0], of_state, state_bias), state)
        states.append(state)
    return states
