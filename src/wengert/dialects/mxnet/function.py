"""``autograd.Function``: operations with a backward step of the user's own."""

from typing import Any

import numpy as np

from wengert import tape
from wengert.dialects.mxnet import graph
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.errors import MXNetError
from wengert.errors import GradientError
from wengert.protocol import Spec, Wrapper
from wengert.tensor import Tensor

__all__ = ["Function"]


class Function:
    """Base of operations with a backward step of their own: `forward` on arrays, `backward` on their gradients.

    An instance is called once. `forward` runs without recording; `backward` is given the gradient of each output and
    returns that of each input, of its shape (or `None`, for nothing).
    """

    def __init__(self) -> None:
        self._used = False
        self._saved: tuple = ()

    def save_for_backward(self, *args: Any) -> None:
        """Keep arrays for `backward`."""
        self._saved = args

    @property
    def saved_tensors(self) -> tuple:
        """What `save_for_backward` has kept."""
        return self._saved

    def forward(self, *inputs: Any) -> Any:
        """The outputs: an array, or a sequence of them."""
        raise NotImplementedError

    def backward(self, *output_grads: Any) -> Any:
        """The gradients of the inputs: an array, or a sequence of them."""
        raise NotImplementedError

    def __call__(self, *inputs: Any) -> Any:
        """Run `forward`, and put its outputs into the graph where recording is on."""
        assert not getattr(self, "_used", False), (
            f"[{type(self).__name__}] each Function instance can only be called once; received a second call; make an "
            f"instance for each call"
        )
        self._used = True
        if any(isinstance(x, Array) and isinstance(x._value, Wrapper) and x._value._carries_gradient() for x in inputs):
            raise _unsupported(type(self).__name__, "an array inside two transformations")
        with tape.no_grad():
            result = self.forward(*inputs)
        outputs = [result] if isinstance(result, Array) else list(result)
        arrays = [x for x in inputs if isinstance(x, Array)]
        if arrays and graph.recording(arrays[0]) and any(x._node is not None for x in arrays):
            outputs = self._recorded(arrays, outputs)
        return outputs[0] if isinstance(result, Array) else outputs

    def _recorded(self, inputs: list, outputs: list) -> list:
        """The outputs in the graph: each has a node that leads to the one where `backward` runs."""
        step = _Step(self, inputs, [y._spec for y in outputs])
        call: Any = tape.Node()
        call.order, call.spec, call.rule, call.p0, call.p1 = (
            next(tape.ORDER),
            outputs[0]._spec,
            step,
            step.parents,
            None,
        )
        call.s0 = call.s1 = None
        # An output that is an input, or a view of one, would take that into the graph in a new place.
        ours = [y.copy() if y._is_view or any(y is x for x in inputs) else y for y in outputs]
        for k, y in enumerate(ours):
            node: Any = tape.Node()
            y._node = node
            node.order, node.spec, node.rule = next(tape.ORDER), y._spec, _output_rule
            node.p0, node.p1, node.s0, node.s1 = call, None, k, None
        return ours


class _Cotangents(dict):
    """The cotangents of a call's outputs, by position, as they arrive."""

    def __add__(self, other: "_Cotangents") -> "_Cotangents":
        return _Cotangents({**self, **other})


def _output_rule(node: Any, g: Any, heap: list, nodes: dict, grads: dict) -> None:
    """What arrives at an output waits at the call for the other outputs."""
    tape.send(node.p0, _Cotangents({node.s0: g}), heap, nodes, grads)


_output_rule.graph, _output_rule.name = _output_rule, "Function"


class _Step:
    """The rule of a call: the user's backward step, checked."""

    def __init__(self, function: Function, inputs: list, outputs: list[Spec]):
        self.function, self.outputs = function, outputs
        self.parents = tuple(x._node for x in inputs)
        self.likes, self.box, self.name = [x._spec for x in inputs], inputs[0]._box, type(function).__name__

    def __call__(self, node: Any, g: _Cotangents, heap: list, nodes: dict, grads: dict) -> None:
        given = [self.box(g[k] if k in g else np.zeros(spec.shape, spec.dtype)) for k, spec in enumerate(self.outputs)]
        with tape.no_grad():
            result = self.function.backward(*given)
        result = [result] if isinstance(result, Array) or result is None else list(result)
        if len(result) != len(self.likes):
            raise MXNetError(
                f"[{self.name}.backward] a gradient for each of {len(self.likes)} inputs was required; received "
                f"{len(result)}"
            )
        for k, (parent, like, c) in enumerate(zip(self.parents, self.likes, result, strict=True)):
            if parent is not None and c is not None:
                tape.send(parent, self._checked(k, like, c), heap, nodes, grads)

    def _checked(self, k: int, like: Spec, c: Any) -> Any:
        while isinstance(c, Tensor):
            c = c._value
        if np.shape(c) != like.shape:
            raise MXNetError(
                f"[{self.name}.backward] a gradient of shape {like.shape} was required for input {k}; received "
                f"shape {np.shape(c)}"
            )
        # A copy: what a user's function returns may be an array that it goes on using.
        return np.array(c, like.dtype)[()] if not like.ndim else np.array(c, like.dtype)

    def graph(self, node: Any, g: Any, heap: list, nodes: dict, grads: dict) -> None:
        """In a recorded pass: refused, as what the user's function has kept may lack its history."""
        raise _unsupported(self.name, "create_graph=True")


class UnsupportedHigherOrder(MXNetError, GradientError):
    """A second derivative through a user's own backward step."""


def _unsupported(name: str, received: str) -> UnsupportedHigherOrder:
    return UnsupportedHigherOrder(
        f"[{name}.backward] a first derivative was required, as what a Function keeps has no history; received "
        f"{received}; write the operation with functions of mx.nd, or leave create_graph out"
    )
