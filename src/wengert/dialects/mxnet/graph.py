"""The recorded graph as MXNet sees it: marked variables, backward passes, and writes that recording forbids."""

import weakref
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import checked_cotangent
from wengert.dialects import passes
from wengert.dialects.mxnet.errors import MXNetError
from wengert.errors import FreedGraphError
from wengert.passes import run_backward
from wengert.protocol import Spec, spec_of
from wengert.tensor import Tensor

GRAD_REQ = {"null": 0, "write": 1, "add": 3}
_training = tape.train_mode.variable


def recording(t: Tensor) -> bool:
    """Whether an operation on this array would be recorded here, if the array is in a graph."""
    return tape.floor() <= t._level


# Marked variables ------------------------------------------------------------------------------------------------


def mark(t: Any, buffer: Any, grad_req: str) -> None:
    """Make an array a variable whose gradient goes into `buffer`.

    A recorded result keeps its history, through which gradients go on flowing. Anything else becomes a new variable,
    which earlier recordings do not reach.
    """
    if grad_req not in GRAD_REQ:
        raise KeyError(grad_req)
    if grad_req != "null" and not t._spec.inexact:
        raise MXNetError(
            f"[attach_grad] a float array was required; received {t._spec!r}; convert it: x.astype('float32')"
        )
    node: Any = live_node(t)
    if node is None or isinstance(node, tape.Leaf):
        _abandon(node, t)
        t._stand_alone()
        t._node = tape.new_leaf(t._spec, weakref.ref(t)) if grad_req != "null" else None
    elif isinstance(node, tape.Lasting):
        raise MXNetError(
            f"[attach_grad] a result that is no variable yet was required; received {t._spec!r}, which has already "
            f"been marked; use its grad, or x.detach() for another variable"
        )
    elif grad_req != "null":
        t.retain_grad()
        node.__class__ = tape.Lasting
    t._accumulation, t._grad = grad_req, buffer


def unmark(t: Any) -> None:
    """Take an array's gradient buffer away, and its node if it is a variable."""
    if getattr(t, "_grad", None) is None:
        raise MXNetError(
            f"[drop_grad] an array with a gradient buffer was required; received {t._spec!r} without one; call "
            f"attach_grad() first"
        )
    node: Any = t._node
    if isinstance(node, tape.Lasting):
        tape.hooked(node).keep = None
        node.__class__ = tape.Node
    elif isinstance(node, tape.Leaf):
        _abandon(node, t)
        t._node = None
    t._grad = None


def _abandon(node: Any, t: Any) -> None:
    """Have what arrives at an array's old node go nowhere."""
    if node is not None and not t._is_view:
        node.owner = _nobody


def _nobody() -> None:
    return None


def is_marked(t: Any) -> bool:
    """Whether an array is a variable: gradients can be asked for it."""
    return isinstance(getattr(t, "_node", None), (tape.Leaf, tape.Lasting))


def live_node(t: Any) -> tape.Node | None:
    """The node of an array in a graph; none if a backward pass has cleared that graph."""
    node = t._node
    return None if node is None or node.rule is tape.freed else node


# Writes ----------------------------------------------------------------------------------------------------------


def check_write(operation: str, t: Any) -> None:
    """Refuse to write in place into an array that is in a graph, while recording."""
    if t._node is None or not recording(t):
        return
    if live_node(t) is None:
        if not t._is_view:
            t._node = None
        return
    raise MXNetError(
        f"[{operation}] an array that is in no graph was required, as in-place operations (+=, -=, x[:] = y, out=) are "
        f"not supported when recording with autograd; received {t._spec!r}, made by '{t._node.name}'; write "
        f"x = x op y, or write outside autograd.record()"
    )


# Passes ----------------------------------------------------------------------------------------------------------


def backward(seeds: list, level: int, retain_graph: bool = False, train_mode: bool = True) -> None:
    """Run the graph backwards from `seeds`, and leave gradients in the buffers of marked variables."""
    if not retain_graph:
        _release(seeds)
    before = _training.get()
    if train_mode is not before:
        _training.set(bool(train_mode))
    try:
        run_backward(seeds, level, retain_graph, False)
    except FreedGraphError as error:
        raise not_in_graph("backward", seeds[0][0].spec) from error
    finally:
        if train_mode is not before:
            _training.set(before)


def grad(
    heads: list, variables: list, head_grads: Any, retain_graph: bool, create_graph: bool, train_mode: bool
) -> list:
    """The gradients of the sum of `heads` (weighted with `head_grads`) with respect to marked variables."""
    given = seeds("grad", heads, head_grads, create_graph)
    for k, v in enumerate(variables, 1):
        if not is_marked(v):
            raise MXNetError(
                f"[grad] marked variables were required; variable {k} ({spec_of(v)!r}) does not require gradient; call "
                f"its attach_grad() before recording"
            )
    if not (retain_graph or create_graph):
        _release(given)
    before = _training.set(bool(train_mode))
    try:
        arrived = passes.gradients(given, variables, heads[0]._level, retain_graph, create_graph)
    except FreedGraphError as error:
        raise not_in_graph("grad", given[0][0].spec) from error
    finally:
        _training.reset(before)
    settled = []
    for v, g in zip(variables, arrived, strict=True):
        g = v._buffer(np.zeros(v.shape, v._spec.dtype)) if g is None else g
        settled.append(_connected(v, g) if create_graph else g)
    return settled


def _connected(v: Any, g: Any) -> Any:
    """A gradient that does not depend on its variable, in the graph nevertheless: its derivative is zero, no error."""
    if g._node is not None:
        return g
    with tape.recording_from(v._level):
        return np.where(np.False_, v, g)


def seeds(operation: str, heads: list, head_grads: Any, create_graph: bool = False) -> list:
    """What a pass starts from: for each head its node, and the cotangent that is given for it."""
    if head_grads is None:
        head_grads = [None] * len(heads)
    assert len(head_grads) == len(heads), (
        f"[{operation}] a gradient for each of {len(heads)} heads was required; received {len(head_grads)}; pass None "
        f"for those that start from ones"
    )
    return [seed(operation, t, g, create_graph) for t, g in zip(heads, head_grads, strict=True)]


def seed(operation: str, t: Any, g: Any, create_graph: bool = False) -> tuple[tape.Node, Any]:
    """The node of a head, and the cotangent to start from: ones where none is given."""
    node = live_node(t) if isinstance(t, Tensor) else None
    if node is None:
        raise not_in_graph(operation, spec_of(t))
    spec = t._spec
    if g is None:
        return node, np.ones(spec.shape, spec.dtype) if spec.ndim else spec.dtype.type(1)
    while not create_graph and isinstance(g, Tensor) and g._level >= t._level:
        g = g._value
    return node, checked_cotangent(operation, g, spec)


def not_in_graph(operation: str, spec: Spec) -> MXNetError:
    """The error for a head that nothing recorded, or whose graph is gone: the remedies are told for both."""
    return MXNetError(
        f"[{operation}] a head that is in a computational graph was required; received {spec!r}, which is not: "
        f"either it was not computed from a variable with a gradient under autograd.record(), or an earlier backward "
        f"has cleared its graph; record it, or pass retain_graph=True to the earlier backward"
    )


def _release(heads: list) -> None:
    """A pass frees the history of the variable that it starts from, unless the graph is retained."""
    for node, _ in heads:
        if isinstance(node, tape.Lasting):
            node.__class__ = tape.Node
