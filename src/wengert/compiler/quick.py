"""Elementwise operations of traces and numbers, which most of a program is made of: recorded in the fewest steps.

`trace` imports this module when what it is made of is there.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.arithmetic import PYTHONS
from wengert.compiler.later import LARGE, Later, elementwise
from wengert.compiler.program import NONE, Operation, Program
from wengert.compiler.taking import plain_index
from wengert.compiler.trace import EXPANDED, NUMBERS, ONE, TRACES, TWO, WEAK, Trace, TraceView, recorded
from wengert.primitive import Primitive

__all__ = ["counting", "quick"]


def quick(p: Primitive, general: Callable) -> Callable:
    """Elementwise operations of traces and numbers, which most of a program is made of."""
    if p.kind != "elementwise" or p.params or p.name in EXPANDED or not isinstance(p.call, np.ufunc) or p.call.nout > 1:
        return _quick_with_settings(p, general) if len(p.operands) == 1 and not p.variadic else general
    if len(p.operands) == 1:
        return _quick_of_one(p, general)
    return _quick_of_two(p, general) if len(p.operands) == 2 else general


def _quick_with_settings(p: Primitive, general: Callable) -> Callable:
    """Functions of one trace, with settings that are no traces."""
    names, indexes = tuple(p.params), p.name == "getitem"

    def entry(*args: Any, **params: Any) -> Any:
        if not args or args[0].__class__ is not Trace or len(args) > 1 + len(names):
            return general(*args, **params)
        if len(args) > 1:
            params = dict(zip(names, args[1:], strict=False)) | params
        if indexes:
            index = params.get("index")
            if index.__class__ not in SIMPLE and plain_index(index) is None:
                return general(args[0], **params)
            if index.__class__ is not type(Ellipsis) and args[0]._held.__class__ is np.ndarray:
                return _piece(p, args[0], index)
        return Trace._here[p](args[0], args[:1], p.params | params)

    return entry


def _piece(p: Primitive, a: Trace, index: Any) -> Any:
    """A row, a number or a stretch of an array: where it is an array, one that shares the memory."""
    x, program, known = a._held, a._program, plain_index(index)
    if known is None or not 0 < x.size < LARGE or program.closed or program.puts_off:
        return Trace._here[p](a, (a,), {"index": index})
    try:
        y = x[index]
    except Exception as error:
        program.failed(error)
        raise
    settings = {"index": index}
    t = _noted(program, (p.call, ONE[0], known), p.call, p.name, (a._node,), ONE, y, settings)
    return TraceView._on(a, ((p, settings),), t) if y.__class__ is np.ndarray and y.size else t


SIMPLE = frozenset({int, slice, type(Ellipsis)})
"""Classes of indices that hold no traces, or only where that makes no difference."""


def _quick_of_one(p: Primitive, general: Callable) -> Callable:
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


def _quick_of_two(p: Primitive, general: Callable) -> Callable:
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
            # 0.0 and -0.0 are equal
            key = (call, ONE[0], b.__class__, b or repr(b))
            return _noted(a._program, key, call, name, (node,), (ONE[0], b), result_of(a._program, a._held, b))
        if b.__class__ not in TRACES or a.__class__ not in NUMBERS:
            return general(a, b)
        node = b._node
        if b._program.closed or (node.call.weak and a.__class__ in WEAK):
            return general(a, b)
        of_number = (call, a.__class__, a or repr(a), ONE[0])
        return _noted(b._program, of_number, call, name, (node,), (a, ONE[0]), result_of(b._program, a, b._held))

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
        if not isinstance(x, Trace):
            return general(x, weights, minlength)
        return recorded(x._program, np.bincount, "bincount", (x, weights, minlength), {})

    return entry
