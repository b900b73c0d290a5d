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
from wengert.compiler.columns import Columns
from wengert.compiler.program import NONE, Call, Guard, Ref
from wengert.compiler.replay import same
from wengert.protocol import Spec, intern_spec

__all__ = ["comparable", "is_direct", "numbers_read"]


def comparable(columns: Columns) -> None:
    """Have each guard compare a row with the dtype of what the guard reads."""
    new: list[tuple[Call, tuple[int, ...]]] = []
    stays: dict[tuple, bool] = {}
    for k, (row, reader, outcome) in enumerate(
        zip(columns.recorded.tolist(), columns.readers, columns.outcomes, strict=True)
    ):
        kind = columns.symbols[row], reader, outcome.__class__
        if outcome.__class__ not in NUMBERS or stays.get(kind) is None:
            guard = columns.guard(k)
            stays[kind] = is_direct(guard) and guard.node.spec.dtype == numbers_read(guard).dtype
            stays[kind] &= numbers_read(guard).dtype.kind != "c"
        if not stays[kind]:
            columns.read[k] = _read(columns, new, columns.guard(k))
    if new:
        columns.extend(new)


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
        return bool(same(reader(value), outcome))

    return as_before


NUMBERS = {bool, int, float}
"""Classes of outcomes that tell how a guard compares."""
DIRECT = {bool, int, float, complex, operator.index, trace._item, trace._list, trace._contents}
"""Readers that give a value's own numbers, or those in another dtype."""


def is_direct(guard: Guard) -> bool:
    """Whether what is read is the value itself; else it is what a Python function says of it."""
    return guard.reader in DIRECT


def _read(columns: Columns, new: list, guard: Guard) -> int:
    """A new row with what is read; of a complex number it is both of its parts."""
    node, outcome = guard.node, numbers_read(guard)

    def add(name: str, spec: Spec, operands: tuple, settings: dict = NONE, function: Any = None) -> int:
        args = tuple(map(Ref, range(len(operands))))
        new.append((Call(name, spec, None, function or primitive(name), args, settings), operands))
        return len(columns) + len(new) - 1

    if not is_direct(guard):
        numeric = np.asarray(guard.outcome).dtype.kind in "biuf"
        reader = guard.reader if numeric else _as_before(guard.reader, guard.outcome)
        return add("read", intern_spec(outcome.shape, outcome.dtype), (node.index,), function=reader)
    if outcome.dtype.kind == "c":
        spec = intern_spec(outcome.shape, outcome.real.dtype)
        parts = tuple([add(name, spec, (node.index,)) for name in ("real", "imag")])
        return add("stack", intern_spec((2, *outcome.shape), spec.dtype), parts)
    spec = intern_spec(node.spec.shape, outcome.dtype)
    return add("astype", spec, (node.index,), {"dtype": outcome.dtype})
