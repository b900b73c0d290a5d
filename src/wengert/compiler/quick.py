"""Calls on small traces and numbers, which most of a program is made of: recorded in the fewest steps.

`trace` has this module imported (by `entries`) when what it is made of is there.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.arithmetic import PYTHONS
from wengert.compiler.later import LARGE, Later, elementwise, looks
from wengert.compiler.program import NONE, Operation, Program
from wengert.compiler.taking import REFERENCES, foremost, number_key, plain_index, plain_settings
from wengert.compiler.trace import (
    JOINING,
    NUMBERS,
    ONE,
    READ_ONLY,
    TRACES,
    TWO,
    WEAK,
    Trace,
    TraceView,
    _traced,
    recorded,
)
from wengert.primitive import Plain, Primitive
from wengert.transforms.lifted import opened

__all__ = ["EXPANDED", "counting", "is_called", "quick", "quick_of_plain", "quick_of_several", "view_on"]


def quick(p: Primitive, general: Callable) -> Callable:
    """What most of a program is made of: calls on traces and numbers, with settings that are no traces."""
    if p.variadic:
        return general
    if p.name == "getitem":
        return _quick_index(p, general)
    if len(p.operands) == 1:
        is_plain = p.kind == "elementwise" and not p.params and isinstance(p.call, np.ufunc) and p.call.nout == 1
        return _quick_of_one(p, general) if is_plain and p.name not in EXPANDED else _quick_with_settings(p, general)
    if p.params or p.view or p.name in EXPANDED:
        return general
    if len(p.operands) == 2 and p.kind == "elementwise" and isinstance(p.call, np.ufunc) and p.call.nout == 1:
        return _quick_of_two(p, general)
    return quick_of_several(p.call, p.name, len(p.operands), general)


def quick_of_plain(p: Plain, general: Callable) -> Callable:
    """The same for comparisons and other functions that have no derivative."""
    if not isinstance(p.call, np.ufunc) or p.call.nout > 1 or p.call.nin > 2:
        return general
    return _quick_of_one(p, general) if p.call.nin == 1 else _quick_of_two(p, general)


EXPANDED = {"sigmoid", "softplus", "relu", "logsumexp", "softmax", "log_softmax"}
"""Primitives that are formulas: recorded as what they are made of."""


def is_called(p: Primitive, dtype: np.dtype) -> bool:
    """Whether a primitive is recorded as one call, and not as what it is made of, or as nothing."""
    return not (p.name in EXPANDED or p.name == "copy" or (p.name == "sech_squared" and dtype.kind == "c"))


def _quick_with_settings(p: Primitive, general: Callable) -> Callable:
    """Functions of one trace, with settings that are no traces."""
    names = tuple(p.params)

    def entry(*args: Any, **params: Any) -> Any:
        a = args[0] if args else None
        if a.__class__ is not Trace or len(args) > 1 + len(names):
            return general(*args, **params)
        if len(args) > 1:
            params = dict(zip(names, args[1:], strict=False)) | params
        if _is_small(a) and is_called(p, a._spec.dtype):
            given = {name: x for name, x in params.items() if name not in p.params or x is not p.params[name]}
            known = plain_settings(given)
            if known is not None:
                return _called(p, a, given, known, p.params | params)
        return Trace._here[p](a, (a,), p.params | params)

    return entry


def _is_small(a: Trace) -> bool:
    """Whether a trace has an array with which it is worth to compute at once."""
    x, program = a._held, a._program
    return x.__class__ is np.ndarray and x.size < LARGE and not program.closed and not program.puts_off


def _quick_index(p: Primitive, general: Callable) -> Callable:
    """What an index selects of a trace: where it holds no traces, and gives a view."""

    def entry(*args: Any, **params: Any) -> Any:
        a = args[0] if args else None
        if a.__class__ is not Trace or len(args) != 2 or params:
            return general(*args, **params)
        index = args[1]
        known = plain_index(index)
        if known is None and index.__class__ is not slice:
            return general(a, index)
        if known is None or index is Ellipsis or not _is_small(a) or not a._held.size:
            return Trace._here[p](a, (a,), {"index": index})
        y = a._program.run(operator.getitem, a._held, index)
        settings = {"index": index}
        t = _noted(a._program, (p.call, ONE[0], known), p.call, p.name, (a._node,), ONE, y, settings)
        return TraceView._on(a, ((p, settings),), t) if y.__class__ is np.ndarray and y.size else t

    return entry


def _called(p: Primitive, a: Trace, given: dict, known: tuple, params: dict) -> Any:
    """The result of a function of a small array; where it shares the memory, it does so as a trace, too."""
    x, program = a._held, a._program
    y = program.run(p.call, x, **given)
    key = (p.call, ONE[0], known) if given else (p.call, ONE[0])
    t = _traced(program, program.call(key, p.call, p.name, (a._node,), ONE, given, y), y)
    return view_on(p, a, params, t) if p.view else t


def view_on(p: Primitive, x: Any, params: dict, y: Any) -> Any:
    """The result of a view operation: one that writes reach, where it shares the memory of what it is taken of."""
    if not isinstance(x, Trace) or not isinstance(y, Trace):
        return y
    if not _shares(x, y, p.name):
        if p.name in JOINING and x._spec.ndim and x._spec.size:
            x._program.look_at_layout()
        return y
    if isinstance(x, TraceView):
        return TraceView._on(x._base, (*x._steps, (p, params)), y)
    return TraceView._on(x, ((p, params),), y)


def _shares(x: Trace, y: Trace, name: str) -> bool:
    if name in READ_ONLY:
        return True  # of numbers, too: nobody may write to it
    a, b = looks(x._held), looks(y._held)
    return a.__class__ is np.ndarray and b.__class__ is np.ndarray and np.may_share_memory(a, b)


def _quick_of_one(p: Primitive | Plain, general: Callable) -> Callable:
    call, name, is_weak = p.call, p.name, p.name in PYTHONS
    key = (call, *ONE)

    def entry(*args: Any, **params: Any) -> Any:
        a = args[0]
        if a.__class__ not in TRACES or params or len(args) > 1:
            return general(*args, **params)
        program, x, node = a._program, a._held, a._node
        if program.closed or (is_weak and node.call.weak):
            return general(a)
        try:
            y = elementwise(call, x) if _is_large(x) else call(x)
        except Exception as error:
            program.failed(error)
            raise
        return _noted(program, key, call, name, (node,), ONE, y)

    return entry


def _quick_of_two(p: Primitive | Plain, general: Callable) -> Callable:
    call, name, is_weak = p.call, p.name, p.name in PYTHONS
    of_both = (call, *TWO)
    # The same, at a tenth of the cost where both are numbers; but ``**`` is not always `numpy.power`.
    run: Callable = call if name == "power" else PYTHONS.get(name, call)

    def result_of(program: Program, x: Any, y: Any) -> Any:
        try:
            return elementwise(call, x, y) if _is_large(x) or _is_large(y) else run(x, y)
        except Exception as error:
            program.failed(error)
            raise

    def entry(*args: Any, **params: Any) -> Any:
        if params or len(args) != 2:
            return general(*args, **params)
        a, b = args
        if a.__class__ in TRACES:
            node = a._node
            if b.__class__ in TRACES:
                other = b._node
                if a._program.closed or b._program.closed or (is_weak and node.call.weak and other.call.weak):
                    return general(a, b)
                y = result_of(a._program, a._held, b._held)
                return _noted(a._program, of_both, call, name, (node, other), TWO, y)
            if b.__class__ not in NUMBERS or a._program.closed or (node.call.weak and b.__class__ in WEAK):
                return general(a, b)
            key = (call, ONE[0], number_key(b))
            return _noted(a._program, key, call, name, (node,), (ONE[0], b), result_of(a._program, a._held, b))
        if b.__class__ not in TRACES or a.__class__ not in NUMBERS:
            return general(a, b)
        node = b._node
        if b._program.closed or (node.call.weak and a.__class__ in WEAK):
            return general(a, b)
        of_number = (call, number_key(a), ONE[0])
        return _noted(b._program, of_number, call, name, (node,), (a, ONE[0]), result_of(b._program, a, b._held))

    return entry


def quick_of_several(
    call: Callable, name: str, n: int, general: Callable, names: frozenset[str] = frozenset()
) -> Callable:
    """A function of so many small traces and numbers alone, and of settings with these names."""

    def entry(*args: Any, **settings: Any) -> Any:
        known = plain_settings(settings) if settings else ()
        if known is None or settings.keys() != names or len(args) != n:
            return general(*args, **settings)
        program: Any = None
        operands: list[Any] = []
        given: list[Any] = []
        values: list[Any] = []
        key: list[Any] = [call]
        for a in args:
            if a.__class__ in NUMBERS:
                given.append(a)
                key.append(number_key(a))
                values.append(a)
                continue
            a = a if a.__class__ in TRACES else opened(a)
            if a.__class__ not in TRACES or a._program is not (program or a._program) or _is_large(a._held):
                return general(*args, **settings)
            program, ref = a._program, REFERENCES[len(operands)]
            operands.append(a._node)
            given.append(ref)
            key.append(ref)
            values.append(a._held)
        if program is None or program.closed or program.puts_off:
            return general(*args, **settings)
        if settings:
            key.append(known)
        y = program.run(call, *values, **settings)
        return _traced(program, program.call(tuple(key), call, name, tuple(operands), tuple(given), settings, y), y)

    return entry


def _is_large(x: Any) -> bool:
    kind = x.__class__
    return x.size >= LARGE if kind is np.ndarray else kind is Later


def _noted(
    program: Program, key: tuple, call: Callable, name: str, operands: tuple, args: tuple, result: Any,
    settings: dict = NONE,
) -> Trace:  # fmt: skip
    """The result of a call as a trace: of the node that the program knows, or of a new one."""
    operation = program.operations.get(key)
    if operation is None:
        operation = program.operations[key] = Operation(call, name, args, settings)
    node = operation.nodes.get(operands) or program.new(operation, operands, result)
    if result.__class__ is Later:
        program.puts_off = True
    t = object.__new__(Trace)
    t._held, t._spec, t._node, t._program = result, node.call.spec, node, program
    return t


def counting(general: Callable) -> Callable:
    """``bincount``; that of places which are computed is a call, as their values decide only how long the result is."""

    def entry(x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
        if not isinstance(x, Trace) or foremost((x, weights)) is not x:
            return general(x, weights, minlength)
        return recorded(x._program, np.bincount, "bincount", (x, weights, minlength), {})

    return entry
