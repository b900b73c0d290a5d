"""Backward passes as users start them: from which tensors, with what; and the gradients into the leaves."""

import threading
from sys import getrefcount
from time import monotonic, sleep
from typing import Any

import numpy as np

from wengert import tape
from wengert.arrays import copied_like
from wengert.box import Box, checked_cotangent
from wengert.cotangents import ALONE
from wengert.errors import ArgumentError, GradientError, NotRecordedError, ShapeError
from wengert.protocol import Wrapper

DEPOSITING = threading.RLock()
"""Held while gradients go into leaves, and while these are given traces to hold, or get back what they held."""
PATIENCE, TURN = 2.0, 1e-3
"""Seconds that gradients wait at most while another thread records with their leaf, as it may be waiting itself for who
brings them; and from one look to the next."""


def backward(tensors: Any, gradients: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
    """Run the tape backwards from several tensors in one pass; see `Tensor.backward`.

    Parameters
    ----------
    tensors : tensor or sequence of tensors
    gradients : sequence of array_like or None, optional
        The cotangent of each; `None` stands for 1 where a tensor has one element.
    """
    if isinstance(tensors, Box):
        tensors, gradients = [tensors], None if gradients is None else [gradients]
    gradients = [None] * len(tensors) if gradients is None else list(gradients)
    if not tensors or len(gradients) != len(tensors):
        raise ArgumentError(
            f"[backward] tensors, and a gradient for each, were required; received {len(gradients)} "
            f"gradients for {len(tensors)} tensors; pass None for those that start from 1"
        )
    level = tensors[0]._level if isinstance(tensors[0], Box) else 0
    heads = [(recorded_node(t), seed(t, g, create_graph)) for t, g in zip(tensors, gradients, strict=True)]
    if any(t._level != level for t in tensors):
        raise GradientError(
            "[backward] tensors of one level were required; received some that depend on the argument "
            "of a transformation and some that do not; run backward from each"
        )
    run_backward(heads, level, retain_graph, create_graph)


def run_backward(heads: list, level: int, retain_graph: bool, create_graph: bool) -> None:
    """The pass, and then the gradients into the leaves: all of them, or none if the pass fails."""
    if create_graph:
        with tape.recording_from(level):
            cotangents = tape.backpropagate(heads, True, level)
    else:
        cotangents = tape.backpropagate(heads, retain_graph)
    for leaf in cotangents:
        if leaf.owner is None:
            raise GradientError(
                "[backward] a tensor that leads back to leaves made by wg.tensor was required; "
                "received one that depends on the argument of a transformation; use wg.grad or "
                "wg.vjp inside it"
            )
    left = _deposited(cotangents)
    if left:
        _deposit_later(left)


def _deposit_later(left: dict) -> None:
    """Put gradients into leaves once nobody records with them any more, or there has been time enough for that."""
    until = monotonic() + PATIENCE
    while left:
        sleep(TURN)
        left = _deposited(left, whoever_records=monotonic() > until)


def _deposited(cotangents: dict, whoever_records: bool = False) -> dict:
    """Put gradients into the leaves; those are left with which another thread is recording a program."""
    left = {}
    with DEPOSITING:
        while cotangents:
            leaf, g = cotangents.popitem()
            tensor = leaf.owner()
            if tensor is None:
                continue
            value = tensor._value
            if isinstance(value, Wrapper) and value._is_of_another_thread() and not whoever_records:
                left[leaf] = g
                continue
            # Cotangents may be shared between leaves, or be windows on others: a gradient has memory of its own.
            if g.__class__ is np.ndarray and (getrefcount(g) > ALONE or g.base is not None):
                g = copied_like(g, value)
            tensor._accumulate(g)
    return left


def recorded_node(t: Any) -> tape.Node:
    """The node of a tensor that backward is to start from."""
    if not isinstance(t, Box):
        raise NotRecordedError(
            f"[backward] a recorded tensor was required; received {type(t).__name__}; it does not "
            f"depend on a tensor that requires grad"
        )
    if t._node is None:
        raise NotRecordedError(
            f"[backward] a recorded tensor was required; received {t._spec!r} without a history; "
            f"make an input with requires_grad=True, and do not compute it under no_grad()"
        )
    return t._node


def seed(t: Box, gradient: Any, create_graph: bool) -> Any:
    """The cotangent to start from."""
    spec = t._spec
    if gradient is None:
        if spec.size != 1 or spec.is_complex:
            raise ShapeError(
                f"[backward] a real tensor of one element was required, as no gradient was given; "
                f"received {spec!r}; pass gradient= of shape {spec.shape}, or reduce first: y.sum()"
            )
        return np.ones(spec.shape, spec.dtype) if spec.ndim else spec.dtype.type(1)
    # The history of a gradient of the tensor's own level matters only to a pass that is recorded.
    while not create_graph and isinstance(gradient, Box) and gradient._level >= t._level:
        gradient = gradient._value
    return checked_cotangent("backward", gradient, spec)
