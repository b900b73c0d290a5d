"""Operations with any number of results as nodes of the tape, whose backward step is a function.

An operation with one result is one node. One with several is a node for each result, all of which lead to the node of
the operation itself; there the cotangents meet. As nodes are visited the newest first, all of them have arrived when
it is visited.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from wengert import tape
from wengert.protocol import Spec

__all__ = ["Pull", "record"]

Pull = Callable[[list, int | None], Iterable[tuple[tape.Node, Any]]]
"""``pull(cotangents, level)``: from the cotangents of the results (`None` where none arrived) the pairs of a node and
the cotangent to send there. `level` is that of a pass that is itself recorded, `None` for a plain one."""


class Arrived(dict):
    """The cotangents of an operation's results, by position, as they arrive."""

    def __add__(self, other: dict) -> "Arrived":
        return Arrived({**self, **other})


def record(name: str, parents: Sequence[tape.Node | None], results: Sequence[Spec], pull: Pull) -> list[tape.Node]:
    """Record an operation and give the nodes of its results.

    Parameters
    ----------
    name : str
        What errors and ``grad_fn`` call the operation.
    parents : sequence of nodes
        Where the operands come from; `None` for constants.
    results : sequence of Spec
        Shape and dtype of each result.
    pull : callable
        The backward step, see `Pull`. The tape lets go of it as soon as it has been used.
    """
    rules = _rules(name)
    if len(results) == 1:
        return [_node(rules.single, results[0], tuple(parents), pull)]
    core = _node(rules.core, results[0], tuple(parents), (pull, len(results)))
    return [_node(rules.result, spec, core, i) for i, spec in enumerate(results)]


def _node(rule: Callable, spec: Spec, p0: Any, s0: Any) -> tape.Node:
    n: Any = tape.Node()
    n.order, n.spec, n.rule, n.p0, n.p1, n.s0, n.s1 = next(tape.ORDER), spec, rule, p0, None, s0, None
    return n


class _Rules:
    """The rules of an operation's nodes, which have its name."""

    def __init__(self, name: str):
        self.single = _with_graph(_pull_single, name)
        self.core = _with_graph(_pull_all, name)
        self.result = _with_graph(_pass_on, name)


_rules = functools.lru_cache(4096)(_Rules)


def _with_graph(step: Callable, name: str) -> Any:
    def rule(node: tape.Node, g: Any, heap: list, nodes: dict, grads: dict) -> None:
        step(node, g, heap, nodes, grads, None)

    def graph(node: tape.Node, g: Any, heap: list, nodes: dict, grads: Any) -> None:
        step(node, g, heap, nodes, grads, grads.level)

    made: Any = rule
    made.graph, made.name = graph, name
    return made


def _pull_single(node: Any, g: Any, heap: list, nodes: dict, grads: dict, level: int | None) -> None:
    _send(node.s0([g], level), heap, nodes, grads)


def _pull_all(node: Any, arrived: Arrived, heap: list, nodes: dict, grads: dict, level: int | None) -> None:
    pull, n = node.s0
    _send(pull([arrived.get(i) for i in range(n)], level), heap, nodes, grads)


def _pass_on(node: Any, g: Any, heap: list, nodes: dict, grads: dict, level: int | None) -> None:
    tape.send(node.p0, Arrived({node.s0: g}), heap, nodes, grads)


def _send(pairs: Iterable, heap: list, nodes: dict, grads: dict) -> None:
    for parent, c in pairs:
        tape.send(parent, c, heap, nodes, grads)
