"""Guards as comparisons of bytes.

A guard reads a truth value, a whole number or a float. The program is given nodes that have just that in memory, so
that all guards of a path are checked by one comparison of what they read with what they read when it was recorded. Two
zeros of different sign, or two NaNs of different bits, count as different: then the path is recorded once more.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler import trace
from wengert.compiler.buffers import primitive
from wengert.compiler.program import NONE, Call, Guard, Node, Program, Ref
from wengert.protocol import Spec, intern_spec

__all__ = ["comparable", "is_direct", "numbers_read"]


def comparable(program: Program) -> Program:
    """The same program, in which each guard's node has the dtype of what the guard reads."""
    if not program.guards:
        return program
    new = Program()
    new.nodes, new.inputs, new.results = list(program.nodes), program.inputs, program.results
    new.guards = [Guard(_read(new, g), g.reader, g.outcome, g.after, g.node) for g in program.guards]
    return new


def numbers_read(guard: Guard) -> np.ndarray:
    """What a guard has read, as numbers: it may have read all that there is in an array."""
    if guard.reader is trace._contents:
        shape, dtype, contents = guard.outcome
        return np.frombuffer(contents, dtype).reshape(shape)
    outcome = np.asarray(guard.outcome)
    return outcome if is_direct(guard) or outcome.dtype.kind in "biuf" else np.asarray(True)


def _as_before(reader: Callable, outcome: Any) -> Callable:
    """Whether a reader gives what it gave."""

    def as_before(value: Any) -> bool:
        found = reader(value)
        return type(found) is type(outcome) and bool(found == outcome)

    return as_before


DIRECT = {bool, int, float, complex, operator.index, trace._item, trace._list, trace._contents}
"""Readers that give a value's own numbers, or those in another dtype."""


def is_direct(guard: Guard) -> bool:
    """Whether what is read is the value itself; else it is what a Python function says of it."""
    return guard.reader in DIRECT


def _read(program: Program, guard: Guard) -> Node:
    """A node with what is read; of a complex number it is both of its parts."""
    node, outcome = guard.node, numbers_read(guard)
    if not is_direct(guard):
        spec = intern_spec(outcome.shape, outcome.dtype)
        numeric = np.asarray(guard.outcome).dtype.kind in "biuf"
        reader = guard.reader if numeric else _as_before(guard.reader, guard.outcome)
        return _node(program, "read", spec, (node,), (Ref(0),), {}, reader)
    if outcome.dtype.kind == "c":
        spec = intern_spec(outcome.shape, outcome.real.dtype)
        parts = tuple(_node(program, name, spec, (node,), (Ref(0),), {}) for name in ("real", "imag"))
        return _node(program, "stack", intern_spec((2, *outcome.shape), spec.dtype), parts, (Ref(0), Ref(1)), {})
    if node.spec.dtype == outcome.dtype:
        return node
    spec = intern_spec(node.spec.shape, outcome.dtype)
    return _node(program, "astype", spec, (node,), (Ref(0),), {"dtype": outcome.dtype})


def _node(
    program: Program, name: str, spec: Spec, operands: tuple, args: tuple, settings: dict, function: Any = None
) -> Node:
    """A new node at the end."""
    call = Call(name, spec, None, function or primitive(name), args, settings or NONE)
    node = Node(len(program.nodes), call, operands)
    program.nodes.append(node)
    return node
