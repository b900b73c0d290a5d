"""Backward passes as PyTorch starts them: ``x.backward()``, ``autograd.backward`` and ``autograd.grad``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.box import checked_cotangent
from wengert.dialects.passes import gradients
from wengert.dialects.torch.anomaly import is_anomaly_enabled, watched
from wengert.dialects.torch.errors import FreedError, OperandError, OptionError, TorchError, TypeMismatchError
from wengert.errors import FreedGraphError
from wengert.passes import run_backward
from wengert.tensor import Tensor


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Run the graph backwards from `tensors` and add the gradients to the leaves' ``grad``.

    Parameters
    ----------
    tensors : tensor or sequence of tensors
    grad_tensors : tensor, None, or sequence of them, optional
        The gradient of each; `None` stands for 1 where a tensor has one element.
    retain_graph : bool, optional
        Keep the graph for another pass; by default as `create_graph`.
    create_graph : bool
        Record the pass itself.
    inputs : tensor or sequence of tensors, optional
        The only ones that get a gradient.
    """
    outputs = _sequence("backward", tensors)
    seeds = _seeds(outputs, grad_tensors if grad_tensors is not None else grad_variables, create_graph)
    heads = [(t._node, seed) for t, seed in zip(outputs, seeds, strict=True)]
    run(heads, outputs[0]._level, retain_graph, create_graph, inputs)


def run(heads: list, level: int, retain_graph: bool | None, create_graph: bool, inputs: Any = None) -> None:
    """A pass from nodes with their cotangents, into the leaves or into the `inputs` only."""
    retain = create_graph if retain_graph is None else retain_graph
    try:
        if inputs is not None:
            _into(heads, inputs, level, retain, create_graph)
        elif is_anomaly_enabled():
            with watched(heads):
                run_backward(heads, level, retain, create_graph)
        else:
            run_backward(heads, level, retain, create_graph)
    except FreedGraphError as error:
        raise _freed(error) from error


def _into(heads: list, inputs: Any, level: int, retain: bool, create_graph: bool) -> None:
    inputs = list(inputs.values()) if type(inputs) is dict else _sequence("backward", inputs)
    if not inputs:
        raise TorchError("[backward] inputs were required: `inputs` argument to `backward` cannot be empty")
    _check_inputs("backward", inputs)
    with watched(heads):
        found = gradients(heads, inputs, level, retain, create_graph)
    for t, g in zip(inputs, found, strict=True):
        if g is not None:
            t.__dict__.setdefault("_retained", True)
            t._accumulate(g if g._node is not None else g._value)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """The gradients of `outputs` (their sum, weighted by `grad_outputs`) with respect to `inputs`.

    Returns
    -------
    tuple of tensors
        One for each input, or a dictionary where `inputs` is one; nothing is added to any tensor's ``grad``.
    """
    if not only_inputs:
        raise OptionError("[grad] only_inputs=True was required; received False; use torch.autograd.backward")
    if materialize_grads and allow_unused is False:
        raise OptionError("[grad] expected allow_unused to be True or not passed when materialize_grads=True")
    outputs = _sequence("grad", outputs)
    names = list(inputs) if type(inputs) is dict else None
    inputs = list(inputs.values()) if names is not None else _sequence("grad", inputs)
    _check_inputs("grad", inputs)
    retain = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        found = _batched(outputs, inputs, grad_outputs, retain, create_graph)
    else:
        found = _one(outputs, inputs, grad_outputs, retain, create_graph)
    if materialize_grads:
        found = [
            t._new_grad(np.zeros(t._spec.shape, t._spec.dtype)) if g is None else g
            for t, g in zip(inputs, found, strict=True)
        ]
    elif not allow_unused and any(g is None for g in found):
        raise TorchError(
            "[grad] inputs that the outputs depend on were required: One of the differentiated Tensors appears to not "
            "have been used in the graph. Set allow_unused=True if this is the desired behavior."
        )
    return dict(zip(names, found, strict=True)) if names is not None else tuple(found)


def _one(outputs: list, inputs: list, grad_outputs: Any, retain: bool, create_graph: bool) -> list:
    seeds = _seeds(outputs, grad_outputs, create_graph)
    heads = [(t._node, seed) for t, seed in zip(outputs, seeds, strict=True)]
    try:
        with watched(heads):
            return gradients(heads, inputs, outputs[0]._level, retain, create_graph)
    except FreedGraphError as error:
        raise _freed(error) from error


def _batched(outputs: list, inputs: list, grad_outputs: Any, retain: bool, create_graph: bool) -> list:
    """One pass for each slice of the seeds; the gradients are stacked."""
    seeds = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    count = next(len(seed) for seed in seeds if seed is not None)
    rows = []
    for k in range(count):
        row = [None if seed is None else seed[k] for seed in seeds]
        rows.append(_one(outputs, inputs, row, retain or k + 1 < count, create_graph))
    return [
        None if any(g is None for g in column) else np.stack(column)
        for column in (list(c) for c in zip(*rows, strict=True))
    ]


def _sequence(operation: str, given: Any) -> list:
    if isinstance(given, Tensor):
        return [given]
    if isinstance(given, Sequence) or hasattr(given, "__iter__"):
        return list(given)
    raise TypeMismatchError(f"[{operation}] a tensor or a sequence of tensors was required; received {given!r}")


def _check_inputs(operation: str, inputs: list) -> None:
    for t in inputs:
        if not isinstance(t, Tensor):
            raise TypeMismatchError(f"[{operation}] tensors were required as inputs; received {type(t).__name__}")
        if t._node is None:
            raise TorchError(
                f"[{operation}] inputs that require grad were required; received {t._spec!r}: One of the "
                f"differentiated Tensors does not require grad"
            )


def _freed(error: FreedGraphError) -> FreedError:
    return FreedError(
        f"{error}: Trying to backward through the graph a second time (its saved values were freed); specify "
        f"retain_graph=True in the earlier backward"
    )


def _seeds(outputs: list, given: Any, create_graph: bool) -> list:
    if given is None:
        seeds: list = [None] * len(outputs)
    else:
        seeds = [given] if isinstance(given, Tensor) or not isinstance(given, Sequence) else list(given)
    if len(seeds) != len(outputs):
        raise TorchError(
            f"[backward] a gradient for each tensor was required: got {len(outputs)} tensors and {len(seeds)} gradients"
        )
    return [_seed(i, t, seed, create_graph) for i, (t, seed) in enumerate(zip(outputs, seeds, strict=True))]


def _seed(i: int, t: Any, seed: Any, create_graph: bool) -> Any:
    """The cotangent that a pass starts from, checked as PyTorch checks it."""
    if not isinstance(t, Tensor):
        raise TypeMismatchError(f"[backward] tensors were required; received {type(t).__name__}")
    spec = t._spec
    if t._node is None:
        raise TorchError(
            f"[backward] a recorded tensor was required; received {spec!r}: element {i} of tensors does not require "
            f"grad and does not have a grad_fn"
        )
    if seed is None:
        return implicit(spec)
    if not isinstance(seed, Tensor):
        raise TypeMismatchError(
            f"[backward] gradients can be either Tensors or None; received {type(seed).__name__}; use torch.tensor"
        )
    if seed._spec.shape != spec.shape:
        raise OperandError(
            f"[backward] Mismatch in shape: grad_output[{i}] has a shape of {seed.shape} and output[{i}] has a "
            f"shape of {t.shape}."
        )
    if seed._spec.is_complex is not spec.is_complex:
        raise TorchError(
            f"[backward] For complex Tensors, both grad_output and output are required to have the same dtype; "
            f"received {seed.dtype} for {t.dtype}"
        )
    while not create_graph and isinstance(seed, Tensor) and seed._level >= t._level:
        seed = seed._value
    return checked_cotangent("backward", seed, spec)


def implicit(spec: Any) -> Any:
    """The cotangent that stands for one that is not given: 1."""
    if spec.size != 1:
        raise OperandError(f"[backward] received {spec!r}: grad can be implicitly created only for scalar outputs")
    if spec.is_complex:
        raise TorchError(f"[backward] grad can be implicitly created only for real scalar outputs; received {spec!r}")
    return np.ones(spec.shape, spec.dtype) if spec.ndim else spec.dtype.type(1)
