"""`detect_anomaly`: where the first NaN or infinity comes from, forwards or backwards.

Nothing of this is on the engine's paths while it is off. Entering it puts an ``__init__`` on the tape's nodes, and
functions of its own in the place of the pass, of the maker of dual numbers and of calls with own rules; leaving it
takes them away. Threads and tasks that have not entered it are let through.
"""

import contextlib
import functools
import linecache
import os
import sys
import threading
from contextvars import ContextVar
from heapq import heappop, heappush
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from wengert import tape
from wengert.errors import AnomalyError, ArgumentError
from wengert.primitive import name_of
from wengert.protocol import Wrapper, spec_of
from wengert.transforms import calls
from wengert.transforms.batching import Batch
from wengert.transforms.containers import flatten
from wengert.transforms.forward import Dual

__all__ = ["detect_anomaly"]


class detect_anomaly:
    """Inside, the first NaN or infinity raises an error that names the operation and the line that called it.

    Looked at are the results of recorded operations, values and tangents of forward mode, what is computed of the
    batches of `vmap`, and the cotangents of every backward pass, at all levels. Costs several times the running time;
    nothing while it is off.

    Parameters
    ----------
    infinities : bool
        Whether infinite numbers count, too; without, only NaN does.

    Raises
    ------
    AnomalyError
        Inside. Its attributes ``operation``, ``made_at`` and ``met_at`` tell what the message tells.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> with wg.detect_anomaly():
    ...     wg.grad(lambda x: np.sqrt(x * 0.0))(1.0)  # 0.5 / sqrt(0)
    Traceback (most recent call last):
        ...
    wengert.errors.AnomalyError: [detect_anomaly] finite cotangents were required; the backward step of 'sqrt' gave ...
    """

    def __init__(self, infinities: bool = True):
        if not isinstance(infinities, bool):
            raise ArgumentError(f"[detect_anomaly] infinities=True or False was required; received {infinities!r}")
        self._infinities = infinities

    def __enter__(self) -> "detect_anomaly":
        # What to return to is kept per thread and task, never in the object, which several of them may share.
        _entered.set((*_entered.get(), _watch.get()))
        _watch.set(_Watch(self._infinities))
        _install()
        return self

    def __exit__(self, *exception: Any) -> None:
        _uninstall()
        *rest, previous = _entered.get()
        _entered.set(tuple(rest))
        _watch.set(previous)


class _Watch:
    """What is known while anomalies are looked for."""

    def __init__(self, infinities: bool):
        self.infinities = infinities
        self.made: dict[int, tuple[tape.Node, str]] = {}
        self.passes = 0
        self._limit = 10_000

    def remember(self, node: tape.Node, where: str) -> None:
        """Keep where an operation was called, as long as anybody has its node."""
        self.made[id(node)] = node, where
        if len(self.made) > self._limit:
            for key in reversed(list(self.made)):  # the newest first: they hold the older ones
                if sys.getrefcount(self.made[key][0]) <= _HELD_BY_US:
                    del self.made[key]
            self._limit = max(10_000, 2 * len(self.made))

    def place(self, node: tape.Node) -> str:
        """Where an operation was called."""
        return self.made.get(id(node), (None, "a place before detect_anomaly"))[1]

    def first(self, value: Any) -> str | None:
        """The first number in a value, or in a tangent that it has, that should not be there, and its index."""
        while isinstance(value, Wrapper):
            found = self.first(value._tangent) if isinstance(value, Dual) else None
            if found:
                return f"a tangent of {found}"
            value = value._value
        array = np.asarray(value)
        if array.dtype.kind not in "fc":
            return None
        bad = ~np.isfinite(array) if self.infinities else np.isnan(array)
        if not bad.any():
            return None
        index = tuple(map(int, np.unravel_index(int(bad.argmax()), bad.shape)))
        return f"{array[index]} at index {index}" if index else f"{array[()]}"


_watch: ContextVar[_Watch | None] = ContextVar("wengert_anomaly_watch", default=None)
_entered: ContextVar[tuple] = ContextVar("wengert_anomaly_entered", default=())


def _measure() -> int:
    """What `getrefcount` says of a node that only an entry has."""
    entries = {0: (tape.Node(), "")}
    return sys.getrefcount(entries[0][0])


_HELD_BY_US = _measure()

# Places in the user's program ------------------------------------------------------------------------------------

_LIBRARIES = tuple(str(Path(str(module.__file__)).parent) + os.sep for module in (sys.modules["wengert"], np))
_PASSED_OVER = ("<wengert ", "<__array_function__", "<frozen ")
_SUPPORT = {contextlib.__file__, functools.__file__}


def _user_line(frame: FrameType | None) -> str:
    """The innermost line that is no library's."""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((*_LIBRARIES, *_PASSED_OVER)) and file not in _SUPPORT:
            text = linecache.getline(file, frame.f_lineno).strip()
            return f"{file}:{frame.f_lineno} in {frame.f_code.co_name}" + (f" ({text})" if text else "")
        frame = frame.f_back
    return "a place in the library"


def _raise(what: str, operation: str, made_at: str, met_at: str, advice: str) -> None:
    error = AnomalyError(
        f"[detect_anomaly] {what}; the operation was called at {made_at}"
        + (f"; {met_at}" if met_at else "")
        + f"; {advice}"
    )
    error.operation, error.made_at, error.met_at = operation, made_at, met_at.removeprefix("backward met it at ")
    raise error


# Forwards --------------------------------------------------------------------------------------------------------


def _born(node: Any) -> None:
    """What a new node does: say where, and look at the value that it is made for."""
    watch = _watch.get()
    if watch is None:
        return
    frame = sys._getframe(1)
    where = _user_line(frame)
    watch.remember(node, where)
    if not watch.passes and frame.f_code.co_filename.startswith("<wengert "):  # generated: see `source`
        known = frame.f_locals
        found = watch.first(known["y"]) if "y" in known else None
        if found:
            operands = [known[f"x{i}"] for i in range(8) if f"x{i}" in known] or known.get("xs", ())
            _forward(watch, frame.f_globals["forward"].__name__, found, known["y"], operands, where)


def _forward(watch: _Watch, name: str, found: str, y: Any, operands: Any, where: str) -> None:
    held = [i for i, x in enumerate(operands) if x is not None and watch.first(x)]
    before = f", which was in operand {held[0]} already" if held else ""
    _raise(
        f"finite values were required; '{name}' gave {found} of a result {spec_of(y)!r}{before}",
        name,
        where,
        "",
        "look at what goes into that operation, or pass infinities=False if only NaN counts",
    )


def _on_tensors(call: Any, top: Any, leaves: list) -> Any:
    out = _BEFORE[calls, "_on_tensors"](call, top, leaves)
    watch = _watch.get()
    if watch is not None and not watch.passes:
        for y in flatten(out)[0]:
            found = watch.first(y) if hasattr(y, "dtype") else None
            if found:
                _forward(watch, call.name, found, y, leaves, _user_line(sys._getframe(1)))
    return out


def _dual(cls: Any, value: Any, tangent: Any, level: int) -> Any:
    watch = _watch.get()
    if watch is not None and not watch.passes:
        frame = sys._getframe(1)
        known = frame.f_locals
        name = getattr(known.get("p", known.get("call")), "name", "jvp")
        where = _user_line(frame)
        found = watch.first(value)
        if found:
            _forward(watch, name, found, value, known.get("xs", known.get("primals", ())), where)
        found = watch.first(tangent)
        if found:
            _raise(
                f"finite tangents were required; the tangent of '{name}' is {found} of a result {spec_of(value)!r}",
                name,
                where,
                "",
                "look at the operation's derivative there",
            )
    return _BEFORE[Dual, "_of"].__func__(cls, value, tangent, level)


def _batch(cls: Any, value: Any, level: int) -> Any:
    watch = _watch.get()
    if watch is not None and not watch.passes:
        frame = sys._getframe(1)
        known = frame.f_locals
        operation = known.get("p", known.get("call"))
        found = None if operation is None else watch.first(value)  # other places pack and unpack batches
        if found:
            name = getattr(operation, "name", None) or name_of(operation)
            _forward(watch, name, found, value, known.get("xs", ()), _user_line(frame))
    return _BEFORE[Batch, "_of"].__func__(cls, value, level)


# Backwards -------------------------------------------------------------------------------------------------------


def _run(heap: list, nodes: dict, grads: Any, retain: bool, recorded: bool) -> None:
    """A backward pass (see `tape._run`) that looks at each cotangent on its way."""
    watch = _watch.get()
    if watch is None:
        _BEFORE[tape, "_run"](heap, nodes, grads, retain, recorded)
        return
    met_at = _user_line(sys._getframe(1))
    for order, node in nodes.items():
        found = None if isinstance(grads[order], dict) else watch.first(grads[order])
        if found:
            _raise(
                f"a finite cotangent to start from was required; received {found} for the result of '{node.name}'",
                node.name,
                watch.place(node),
                f"backward met it at {met_at}",
                "look at the gradient that was passed",
            )
    watch.passes += 1
    try:
        _visit(watch, met_at, heap, nodes, grads, retain, recorded)
    finally:
        watch.passes -= 1


def _visit(watch: _Watch, met_at: str, heap: list, nodes: dict, grads: Any, retain: bool, recorded: bool) -> None:
    while heap:
        # One node at a time, through the pass itself: what the node leads to is put back in line.
        order = heappop(heap)
        node = nodes.pop(order)
        rule, parents = node.rule, node.next_functions
        following = (rule.graph if recorded else rule)(node, grads.pop(order), heap, nodes, grads)
        if following is not None:
            heappush(heap, following.order)
            nodes[following.order] = following
        for parent in parents:
            c = grads.get(parent.order)
            found = None if c is None or isinstance(c, dict) else watch.first(c)
            if found:
                _backward(watch, rule, node, parent, found, met_at)
        if not retain:
            retain = _release(node, rule)


def _release(node: Any, rule: Any) -> bool:
    """Free a node that has been used, as `tape._run` does; returns whether the pass keeps all that follow."""
    kind: Any = node.__class__
    if kind is tape.Node:
        node.rule, node.s1 = tape.freed, rule
        node.p0 = node.p1 = node.s0 = None
    return kind is tape.Lasting


def _backward(watch: _Watch, rule: Any, node: tape.Node, parent: tape.Node, found: str, met_at: str) -> None:
    of = "an input" if isinstance(parent, tape.Leaf) else f"the result of '{parent.name}' ({watch.place(parent)})"
    _raise(
        f"finite cotangents were required; the backward step of '{rule.name}' gave {found} of the cotangent of {of}, "
        f"{parent.spec!r}",
        rule.name,
        watch.place(node),
        f"backward met it at {met_at}",
        "look at the operation's derivative there, or at a cotangent that grows on the way",
    )


# On and off ------------------------------------------------------------------------------------------------------

_PLACES: tuple[tuple[Any, str, Any], ...] = (
    (tape, "_run", _run),
    (tape.Node, "__init__", _born),
    (Dual, "_of", classmethod(_dual)),
    (Batch, "_of", classmethod(_batch)),
    (calls, "_on_tensors", _on_tensors),
)
"""Whose attribute becomes what while anybody looks for anomalies."""
_BEFORE: dict[tuple[Any, str], Any] = {
    (owner, name): vars(owner)[name] for owner, name, _ in _PLACES if name in vars(owner)
}
_switching = threading.Lock()
_users = 0


def _install() -> None:
    global _users
    with _switching:
        _users += 1
        if _users == 1:
            for owner, name, function in _PLACES:
                setattr(owner, name, function)


def _uninstall() -> None:
    global _users
    with _switching:
        _users -= 1
        if not _users:
            for owner, name, _ in _PLACES:
                if (owner, name) in _BEFORE:
                    setattr(owner, name, _BEFORE[owner, name])
                else:
                    delattr(owner, name)
