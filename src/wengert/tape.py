"""The tape: nodes, recording modes, and the backward pass. It knows no operator and no tensor.

An operation that is recorded makes a `Node`, which holds what its backward step needs and points to the nodes of its
operands; a tape is nothing but these pointers. Numbers given to nodes fall as the program runs, so that a heap of
them yields the newest node first, and every node after all that depend on it: no recursion, no sorting, and nothing
visited that no cotangent reaches. Cotangents that wait belong to the pass, never to the nodes, so that passes may run
at the same time; and no node points to a tensor, so that a tape has no reference cycles.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from heapq import heappop, heappush
from itertools import count
from sys import getrefcount
from typing import Any

import numpy as np

from wengert.cotangents import ALONE, is_window, zeros
from wengert.errors import ArgumentError, FreedGraphError
from wengert.protocol import DORMANT, GROUND, Spec, Wrapper

# ---------------------------------------------------------------------------------------------------------------
# Nodes
# ---------------------------------------------------------------------------------------------------------------

ORDER = count(-1, -1)
"""Falling numbers: an operation recorded later has a smaller one."""


class Node:
    """One recorded operation.

    ``rule(node, g, heap, nodes, grads)`` sends the cotangent ``g`` of the result on to the operands' nodes; it may
    return the node to visit next instead of putting it in line.

    ``p0`` and ``p1`` are the operands' nodes (``None`` for a constant; ``p0`` is a tuple of more than two),
    ``s0`` and ``s1`` what the rule asked to keep, ``spec`` the shape and dtype of the result.
    """

    __slots__ = ("order", "p0", "p1", "rule", "s0", "s1", "spec")
    order: int
    spec: Spec
    rule: Any

    @property
    def name(self) -> str:
        """Name of the recorded function."""
        return self.s1.name if self.rule is freed else self.rule.name

    @property
    def next_functions(self) -> tuple["Node", ...]:
        """Nodes of the operands that are recorded themselves."""
        p0, p1 = getattr(self, "p0", None), getattr(self, "p1", None)
        parents = p0 if isinstance(p0, tuple) else (p0, p1)
        return tuple(p for p in parents if p is not None)

    def __repr__(self) -> str:
        return f"<{self.name} at {id(self):#x}>"


class Lasting(Node):
    """A node whose history outlives the passes that cross it, because a pass of its own will start there."""

    __slots__ = ()


class Leaf(Node):
    """A node without operands, where backward ends. ``owner`` is a weak reference to its tensor, or ``None``."""

    __slots__ = ("owner",)
    owner: Any


def leaf_rule(node: Leaf, g: Any, heap: list, nodes: dict, grads: dict) -> None:
    """What arrives at a leaf stays in `grads`, under the node itself."""
    grads[node] = g


leaf_rule.graph = leaf_rule
leaf_rule.name = "leaf"


def new_leaf(spec: Spec, owner: Any = None) -> Leaf:
    """A leaf for a value of this shape and dtype."""
    leaf = Leaf()
    leaf.rule, leaf.order, leaf.spec, leaf.owner = leaf_rule, next(ORDER), spec, owner
    leaf.p0 = leaf.p1 = None
    return leaf


def history(nodes: Iterable[Node]) -> list[Node]:
    """Nodes and all that they come from, the oldest first."""
    waiting = list(nodes)
    found = set(waiting)
    while waiting:
        for parent in waiting.pop().next_functions:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted(found, key=lambda node: -node.order)


def freed(node: Node, g: Any, heap: list, nodes: dict, grads: dict) -> None:
    """The rule of a node that an earlier backward has used; the rule that it had before is its ``s1``."""
    raise FreedGraphError(
        f"[backward] a recorded tape was required; received one whose step '{node.name}' an earlier backward has "
        f"already used and freed; call the earlier backward with retain_graph=True, or run the program again"
    )


freed.graph = freed


class Hooked:
    """A node's rule with functions in front that see, and may replace, the cotangent.

    Each is called with the cotangent and whether the pass is recorded, in the order of registration; ``keep`` last.
    """

    __slots__ = ("hooks", "keep", "rule")

    def __init__(self, rule: Callable):
        self.rule = rule
        self.hooks: list[Callable] = []
        self.keep: Callable | None = None

    def _seen(self, g: Any, recorded: bool) -> Any:
        for hook in self.hooks:
            g = hook(g, recorded)
        if self.keep is not None:
            self.keep(g)
        return g

    def __call__(self, node, g, heap, nodes, grads):
        """Run the hooks, then the rule with what they made of the cotangent."""
        return self.rule(node, self._seen(g, False), heap, nodes, grads)

    def graph(self, node, g, heap, nodes, grads):
        """The same in a recorded pass."""
        return self.rule.graph(node, self._seen(g, True), heap, nodes, grads)

    @property
    def name(self) -> str:
        """Name of the recorded function."""
        return self.rule.name


def hooked(node: Node) -> Hooked:
    """The node's rule, ready to take hooks."""
    if not isinstance(node.rule, Hooked):
        node.rule = Hooked(node.rule)
    return node.rule


# ---------------------------------------------------------------------------------------------------------------
# Modes
# ---------------------------------------------------------------------------------------------------------------

NEVER = sys.maxsize
_floor: ContextVar[int] = ContextVar("wengert_recording_floor", default=GROUND)
floor = _floor.get
"""The lowest level that records: by default `GROUND`; `DORMANT` where everything does; `NEVER` under `no_grad`."""
_training: ContextVar[bool] = ContextVar("wengert_training", default=False)
_entered: ContextVar[tuple] = ContextVar("wengert_modes_entered", default=())


class Mode:
    """Base of the context managers that set a context variable; each is a decorator as well.

    Generator functions are decorated so that the mode holds inside the generator only, not where it is suspended.
    """

    variable: ContextVar
    value: Any

    def __new__(cls, function: Callable | None = None):
        """A context manager, or, given a function, that function in this mode."""
        if function is not None and not callable(function):
            raise ArgumentError(
                f"[{cls.__name__}] a function to decorate, or nothing, was required; received {function!r}"
            )
        mode = super().__new__(cls)
        return mode if function is None else mode(function)

    def __enter__(self) -> "Mode":
        # What to return to is kept per thread and task, never in the object, which several of them may share.
        _entered.set((*_entered.get(), (self.variable, self.variable.get())))
        self.variable.set(self.value)
        return self

    def __exit__(self, *exception) -> None:
        *rest, (variable, previous) = _entered.get()
        _entered.set(tuple(rest))
        variable.set(previous)

    def __call__(self, function: Callable) -> Callable:
        """The function, run in this mode."""
        cls = type(self)
        if inspect.isgeneratorfunction(function):
            return _decorate_generator(cls, function)
        if inspect.isasyncgenfunction(function):
            return _decorate_async_generator(cls, function)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def in_mode(*args, **kwargs):
                with cls():
                    return await function(*args, **kwargs)
        else:

            @functools.wraps(function)
            def in_mode(*args, **kwargs):
                with cls():
                    return function(*args, **kwargs)

        return in_mode


def _decorate_generator(mode: type[Mode], function: Callable) -> Callable:
    @functools.wraps(function)
    def in_mode(*args, **kwargs):
        generator = function(*args, **kwargs)
        step, value = generator.send, None
        while True:
            try:
                with mode():
                    produced = step(value)
            except StopIteration as stop:
                return stop.value
            try:
                step, value = generator.send, (yield produced)
            except GeneratorExit:
                with mode():
                    generator.close()
                raise
            except BaseException as error:
                step, value = generator.throw, error

    return in_mode


def _decorate_async_generator(mode: type[Mode], function: Callable) -> Callable:
    @functools.wraps(function)
    async def in_mode(*args, **kwargs):
        generator = function(*args, **kwargs)
        step, value = generator.asend, None
        while True:
            try:
                with mode():
                    produced = await step(value)
            except StopAsyncIteration:
                return
            try:
                step, value = generator.asend, (yield produced)
            except GeneratorExit:
                with mode():
                    await generator.aclose()
                raise
            except BaseException as error:
                step, value = generator.athrow, error

    return in_mode


class no_grad(Mode):
    """Record nothing inside; per thread and per asyncio task.

    Examples
    --------
    >>> import wengert as wg
    >>> w = wg.tensor([1.0, 2.0], requires_grad=True)
    >>> with wg.no_grad():
    ...     w -= 0.1
    >>> w.requires_grad, w.grad_fn
    (True, None)
    """

    variable, value = _floor, NEVER


class enable_grad(Mode):
    """Record again inside, within `no_grad`."""

    variable, value = _floor, GROUND


class record_all(Mode):
    """Record dormant tensors too inside: what the dialects that record on demand are built on."""

    variable, value = _floor, DORMANT


class train_mode(Mode):
    """Functions that behave differently in training (dropout, batch norm) do so inside."""

    variable, value = _training, True


class predict_mode(Mode):
    """Functions that behave differently in training behave as for prediction inside (the default)."""

    variable, value = _training, False


class recording_from:
    """Inside, `level` and what is above it record, whatever was set before; lower levels as they were."""

    def __init__(self, level: int):
        self._floor = min(level, floor())

    def __enter__(self) -> None:
        self._token = _floor.set(self._floor)

    def __exit__(self, *exception) -> None:
        _floor.reset(self._token)


class recording_above:
    """Inside, only what is above `level` records: for what a backward pass of that level runs of its user's own."""

    def __init__(self, level: int):
        self._floor = max(level + 1, floor())

    def __enter__(self) -> None:
        self._token = _floor.set(self._floor)

    def __exit__(self, *exception) -> None:
        _floor.reset(self._token)


def is_recording() -> bool:
    """Whether operations on tensors that require grad are recorded here."""
    return floor() != NEVER


def is_training() -> bool:
    """Whether `train_mode` is on here."""
    return _training.get()


# ---------------------------------------------------------------------------------------------------------------
# The backward pass
# ---------------------------------------------------------------------------------------------------------------


def send(parent: Node, c: Any, heap: list, nodes: dict, grads: dict) -> None:
    """Add a cotangent to those waiting at a node."""
    order = parent.order
    if order in grads:
        grads[order] = grads[order] + c
    else:
        heappush(heap, order)
        nodes[order], grads[order] = parent, c


def take_buffer(grads: dict, parent: Node, heap: list, nodes: dict, g: Any) -> Any:
    """The cotangent waiting at `parent`, ours alone to write into; zeros, and `parent` put in line, if none waits."""
    order = parent.order
    buffer = grads.pop(order, None)
    if buffer is None:
        heappush(heap, order)
        nodes[order] = parent
        return zeros(parent.spec, g)
    if getrefcount(buffer) > ALONE or is_window(buffer):
        buffer = buffer.copy()
    if isinstance(g, Wrapper) and not (isinstance(buffer, Wrapper) and buffer._level >= g._level):
        buffer = g._buffer(buffer)
    return buffer


class GraphPass(dict):
    """Waiting cotangents of a pass that is itself recorded (``create_graph``), at `level`."""

    __slots__ = ("level",)


def backpropagate(heads: Iterable[tuple[Node, Any]], retain: bool = False, level: int | None = None) -> dict:
    """Send the cotangents of `heads` back along the tape.

    Parameters
    ----------
    heads : pairs of a node and the cotangent of its value
    retain : keep the tape, so that it may be used again
    level : record the pass itself, at this level (cotangents are then tensors of it)

    Returns
    -------
    dict
        From each leaf that was reached to its cotangent.

    Raises
    ------
    FreedGraphError
        If an earlier pass has freed a part of the tape. No leaf has received anything then.
    """
    grads: dict = {} if level is None else GraphPass()
    heap: list[int] = []
    nodes: dict[int, Node] = {}
    if level is not None:
        grads.level = level
    for node, g in heads:
        send(node, g, heap, nodes, grads)
    g = None
    with np.errstate(all="ignore"):
        _run(heap, nodes, grads, retain, level is not None)
    return grads


def _run(heap: list[int], nodes: dict[int, Node], grads: dict, retain: bool, recorded: bool) -> None:
    """The hot loop of the library: visit nodes, the newest first, until no cotangent waits."""
    node = None
    while True:
        if node is not None:
            order = node.order
        elif heap:
            order = heappop(heap)
            node = nodes.pop(order)
        else:
            return
        rule = node.rule
        following = (rule.graph if recorded else rule)(node, grads.pop(order), heap, nodes, grads)
        if not retain:
            if node.__class__ is Node:
                node.rule, node.s1 = freed, rule
                node.p0 = node.p1 = node.s0 = None
            elif node.__class__ is Lasting:
                retain = True  # its history is older than it, and only older nodes are still to come
        node = following
