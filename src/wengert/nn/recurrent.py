"""One step of recurrent networks, from the gates' sums of input and of state.

`x` and `h` are what a cell's linear maps made of the input and of the state: of shape (..., gates * features), with
the gates one after another on the last axis.
"""

import numpy as np

from wengert.nn._inputs import Array
from wengert.rules.nn import sigmoid

__all__ = ["gru_step", "lstm_step"]


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
