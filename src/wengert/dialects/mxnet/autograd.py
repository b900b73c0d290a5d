"""``mxnet.autograd``: recording and training flags, marked variables, passes, custom functions."""

from collections.abc import Sequence
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any

from wengert import tape
from wengert.dialects.mxnet import graph
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.function import Function
from wengert.dialects.mxnet.ndarray.ndarray import NDArray
from wengert.protocol import DORMANT, GROUND

__all__ = [
    "Function", "NDArray", "backward", "get_symbol", "grad", "is_recording", "is_training", "mark_variables", "pause",
    "predict_mode", "record", "set_recording", "set_training", "train_mode",
]  # fmt: skip

# Flags -----------------------------------------------------------------------------------------------------------


def is_recording() -> bool:
    """Whether operations are recorded here."""
    return tape.floor() <= DORMANT


def is_training() -> bool:
    """Whether dropout and its like behave as in training here."""
    return tape.is_training()


def set_recording(is_record: bool) -> bool:
    """Switch recording on or off from here on; returns what it was."""
    previous = is_recording()
    _floor.set(DORMANT if is_record else max(tape.floor(), GROUND))
    return previous


def set_training(train_mode: bool) -> bool:
    """Switch training behaviour on or off from here on; returns what it was."""
    previous = is_training()
    _training.set(bool(train_mode))
    return previous


class _Scope(ContextDecorator):
    """Sets one of the flags or both; may be entered repeatedly, and by several threads."""

    def __init__(self, floor: int | None, training: bool | None):
        self._floor, self._train = floor, training

    def __enter__(self) -> None:
        _entered.set((_entered.get(), _floor.get(), _training.get()))
        if self._floor is not None:
            _floor.set(self._floor)
        if self._train is not None:
            _training.set(self._train)

    def __exit__(self, *exception) -> None:
        outer, floor, training = _entered.get()
        _entered.set(outer)
        _floor.set(floor)
        _training.set(training)


_floor, _training = tape.record_all.variable, tape.train_mode.variable
_entered: ContextVar[Any] = ContextVar("wengert_mxnet_scopes", default=None)
_RECORD = {flag: _Scope(DORMANT, flag) for flag in (True, False, None)}
_PAUSE = {flag: _Scope(tape.NEVER, flag) for flag in (True, False, None)}
_MODE = {flag: _Scope(None, flag) for flag in (True, False)}


def record(train_mode: bool | None = True) -> Any:
    """Inside, operations on variables are recorded; by default with training behaviour."""
    return _RECORD[train_mode]


def pause(train_mode: bool | None = False) -> Any:
    """Inside, nothing is recorded; by default without training behaviour."""
    return _PAUSE[train_mode]


def train_mode() -> Any:
    """Inside, training behaviour; recording stays as it is."""
    return _MODE[True]


def predict_mode() -> Any:
    """Inside, the behaviour for prediction; recording stays as it is."""
    return _MODE[False]


# Variables and passes --------------------------------------------------------------------------------------------


def mark_variables(variables: Any, gradients: Any, grad_reqs: str | Sequence[str] = "write") -> None:
    """Make arrays variables whose gradients go into the given arrays."""
    variables, gradients = _listed(variables), _listed(gradients)
    reqs = [grad_reqs] * len(variables) if isinstance(grad_reqs, str) else grad_reqs
    for v, g, req in zip(variables, gradients, reqs, strict=True):
        if g.shape != v.shape or g.dtype != v.dtype:
            raise MXNetError(
                f"[mark_variables] a gradient of the variable's {v._spec!r} was required; received {g._spec!r}"
            )
        graph.mark(v, g, req)


def backward(heads: Any, head_grads: Any = None, retain_graph: bool = False, train_mode: bool = True) -> None:
    """Run the graph backwards from several arrays in one pass.

    Parameters
    ----------
    heads : array or list of arrays
    head_grads : array or list of arrays or None, optional
        The gradient of each head; `None` stands for ones.
    retain_graph : bool
        Keep the graph for another pass.
    train_mode : bool
        What `is_training` is in the pass.
    """
    heads = _listed(heads)
    seeds = graph.seeds("backward", heads, None if head_grads is None else _listed(head_grads))
    graph.backward(seeds, heads[0]._level, retain_graph, train_mode)


def grad(
    heads: Any,
    variables: Any,
    head_grads: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    train_mode: bool = True,
) -> list:
    """The gradients of heads with respect to marked variables, in arrays of their own: a list, always.

    Parameters
    ----------
    heads, head_grads, train_mode : as for `backward`
    variables : array or list of arrays
    retain_graph : bool, optional
        By default as `create_graph`.
    create_graph : bool
        Record the pass itself, so that gradients can be differentiated again.
    """
    heads, variables = _listed(heads), _listed(variables)
    assert variables, "[grad] at least one variable was required; received an empty list"
    head_grads = None if head_grads is None else _listed(head_grads)
    retain_graph = create_graph if retain_graph is None else retain_graph
    return graph.grad(heads, variables, head_grads, retain_graph, create_graph, train_mode)


def _listed(arrays: Any) -> list:
    return [arrays] if isinstance(arrays, Array) else list(arrays)


def get_symbol(x: Any) -> Any:
    """The recorded history as a symbol: not supported."""
    raise MXNetError(
        f"[get_symbol] symbols are not supported; received {x._spec!r}; for the recorded operations follow "
        f"x.grad_fn.next_functions"
    )
