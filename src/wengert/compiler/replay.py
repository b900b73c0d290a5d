"""A program run again call by call: what is always there, also without a native compiler."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.compiler.program import Guard, Node, Program, filled

__all__ = ["Mismatch", "Replay", "call_of", "replay", "same"]


class Mismatch(Exception):
    """A guard read something else: its number, and what it read; or, by -1, the call whose result has another shape."""

    def __init__(self, number: int, outcome: Any):
        super().__init__(f"guard {number} read {outcome!r}" if number >= 0 else f"{outcome} gave another shape")
        self.number, self.outcome = number, outcome


def same(a: Any, b: Any) -> bool:
    """Whether two readings are the same: of one class, and equal or both not-a-number."""
    return type(a) is type(b) and (a == b or (a != a and b != b))


class Replay:
    """A program ready to run as calls of NumPy's functions."""

    def __init__(self, program: Program):
        self.program = program
        self.steps = list(_steps(program))
        self.constants = {n.index: n.source for n in program.nodes if n.name == "constant"}

    def __call__(self, *inputs: Any) -> list:
        """The results for other inputs.

        Raises
        ------
        Mismatch
            If a guard reads something else than it did.
        """
        values = dict(self.constants)
        for node, given in zip(self.program.inputs, inputs, strict=True):
            values[node.index] = given
        with np.errstate(all="ignore"):
            for step, spent in self.steps:
                if isinstance(step, Guard):
                    _check(self.program, step, values)
                else:
                    values[step.index] = call_of(step, [values[operand.index] for operand in step.operands])
                for index in spent:
                    del values[index]
        return [values[node.index] for node in self.program.results]


def _steps(program: Program) -> Iterator[tuple[Node | Guard, list[int]]]:
    """What is to be done in its order, and which values nobody needs after each."""
    live, guards = program.live(), list(program.guards)
    order: list[Node | Guard] = []
    for node in program.nodes:
        while guards and guards[0].after <= node.index:
            order.append(guards.pop(0))
        if live[node.index] and node.function is not None:
            order.append(node)
    order += guards
    last = {}
    for k, step in enumerate(order):
        for operand in (step.node,) if isinstance(step, Guard) else (step, *step.operands):
            last[operand.index] = k
    spent: list[list[int]] = [[] for _ in order]
    results = {node.index for node in program.results}
    for index, k in last.items():
        if index not in results:
            spent[k].append(index)
    return zip(order, spent, strict=True)


def call_of(node: Node, operands: list) -> Any:
    """The result of a node's call, for operands of which some may stand for Python's numbers.

    Raises
    ------
    Mismatch
        If it has another shape or dtype than it had.
    """
    operands = [
        of.weak(x) if of.weak and x.__class__ is not of.weak else x
        for of, x in zip(node.operands, operands, strict=True)
    ]
    result = node.function(*filled(node.args, operands), **filled(node.kwargs, operands))
    if node.spec is not None and (np.shape(result) != node.spec.shape or _dtype(result) != node.spec.dtype):
        raise Mismatch(-1, node.operands[0].name if node.name == "part" else node.name)
    return node.weak(result) if node.weak else result


def _dtype(result: Any) -> np.dtype:
    return result.dtype if isinstance(result, (np.ndarray, np.generic)) else np.asarray(result).dtype


def _check(program: Program, guard: Guard, values: dict) -> None:
    outcome = guard.reader(values[guard.node.index])
    if not same(outcome, guard.outcome):
        raise Mismatch(program.guards.index(guard), outcome)


def replay(program: Program, inputs: list) -> list:
    """The results of a program for other inputs."""
    return Replay(program)(*inputs)
