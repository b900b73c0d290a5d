"""Backward passes that leave gradients with the caller instead of in the leaves: ``autograd.grad`` of the dialects."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wengert import tape
from wengert.tensor import Tensor


def gradients(
    heads: Iterable[tuple[tape.Node, Any]],
    inputs: Sequence[Tensor],
    level: int,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> list:
    """The cotangents of `inputs`, recorded ones of which each may be a leaf or the result of an operation.

    Parameters
    ----------
    heads : pairs of a node and the cotangent of its value
    inputs : recorded tensors
    level : the level that the heads belong to
    retain_graph, create_graph : as in `Tensor.backward`

    Returns
    -------
    list
        For each input a tensor of its family, or `None` where nothing arrived. No tensor's ``grad`` is touched.
    """
    caught: dict = {}
    watched = [(t._node, _catcher(t._node, caught)) for t in inputs if not t.is_leaf]
    for node, catch in watched:
        tape.hooked(node).hooks.append(catch)
    try:
        if create_graph:
            with tape.recording_from(level):
                arrived = tape.backpropagate(heads, True, level)
        else:
            arrived = tape.backpropagate(heads, retain_graph)
    finally:
        for node, catch in watched:
            _hooks_of(node).remove(catch)
    arrived |= caught
    return [_own(t, arrived.get(t._node)) for t in inputs]


def _catcher(node: tape.Node, caught: dict) -> Any:
    def catch(g: Any, recorded: bool) -> Any:
        caught[node] = g
        return g

    return catch


def _hooks_of(node: tape.Node) -> list:
    """The hooks of a node, also of one that the pass has used and freed."""
    return (node.s1 if node.rule is tape.freed else node.rule).hooks


def _own(t: Tensor, g: Any) -> Any:
    """A cotangent as a tensor with memory of its own."""
    if g is None:
        return None
    if isinstance(g, Tensor):
        return t._adopt(g)
    return t._new_grad(g.copy() if g.__class__ is np.ndarray else g)
