"""From recorded calls to the compiler's own values.

What a NumPy function is made of stands in the files of `wengert.compiler.lowering`, by the names of the primitives. A
function that has no entry there, or dtypes that kernels do not know, stays a call.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler import buffers, trace
from wengert.compiler.graph import Graph, Value
from wengert.compiler.lowering import elementwise, indexing, linalg, products, reductions, sequences, shapes
from wengert.compiler.lowering.builder import Builder
from wengert.compiler.program import KINDS, Node, Program, filled, uniform
from wengert.primitive import REGISTRY, Primitive, name_of

__all__ = ["known_functions", "lower", "stands_for"]

FAMILIES = (elementwise, shapes, reductions, products, indexing, sequences, linalg)


def lower(program: Program) -> Graph:
    """The graph of a program; inputs stay in their order.

    Its results are those of the program, and behind them `Graph.checks` truth values that all have to hold, or else
    the program has to be run as it was recorded.
    """
    return _Lowering(program).graph


class _Lowering:
    def __init__(self, program: Program):
        self.graph = Graph()
        self.builder = Builder(self.graph)
        self.handlers = known_functions()
        self.of: dict[int, Any] = {}
        live = program.live()
        for node in program.nodes:
            if live[node.index] or node.name == "input":
                self.of[node.index] = self.lowered(node)
        self.graph.results = [self.of[node.index] for node in program.results]
        checks = list(dict.fromkeys(self.builder.checks))
        self.graph.results += checks
        self.graph.checks = len(checks)
        self.graph.prune()

    def lowered(self, node: Node) -> Any:
        graph = self.graph
        spec: Any = node.spec
        if node.name == "input":
            return graph.make("input", (), node.source, spec.shape, spec.dtype)
        if node.name == "constant":
            if not spec.ndim and spec.dtype.char in KINDS:
                return graph.literal(np.asarray(node.source)[()], spec.dtype)
            number = uniform(node.source)
            if number is not None:
                return self.builder.filled(number, spec.shape, spec.dtype)
            return graph.make("constant", (), node.source, spec.shape, spec.dtype)
        if _computes(node):
            checks = len(self.builder.checks)
            found = self.known(node)
            if found is not None and found.shape == spec.shape and found.dtype == spec.dtype:
                return found
            del self.builder.checks[checks:]
        operands = tuple(self.of[o.index] for o in node.operands)
        if spec is None:
            return graph.make("call", operands, node, (), np.dtype("V0"))
        return graph.make("call", operands, node, spec.shape, spec.dtype)

    def known(self, node: Node) -> Value | None:
        """What a call is made of, if the tables have it."""
        handler = self.handlers.get(node.function)
        if handler is None:
            return elementwise.ufunc(self.builder, node, self.of) if isinstance(node.function, np.ufunc) else None
        operands = [self.of[o.index] for o in node.operands]
        return handler(self.builder, node.spec, *filled(node.args, operands), **filled(node.kwargs, operands))


def _computes(node: Node) -> bool:
    """Whether kernels know the dtypes of a call."""
    known = node.spec is not None and node.spec.dtype.char in KINDS
    return known and all(o.spec is not None and o.spec.dtype.char in KINDS for o in node.operands)


def stands_for(function: Callable) -> str | None:
    """A name for what the calls of a function are made into, the same in all processes; `None` where there is none.

    Functions that stay calls all have the same one: it does not matter to a program's form which they are.
    """
    if function in known_functions():
        return _names[function]
    if isinstance(function, np.ufunc):
        name = name_of(function)
        found = [m for m in ("numpy", "scipy.special") if getattr(sys.modules.get(m), name, None) is function]
        return f"{found[0]}.{name}" if found else None
    return "call"


_by_function: dict[Any, Callable] = {}
_names: dict[Any, str] = {}
_seen: list[int] = []


def known_functions() -> dict[Any, Callable]:
    """The handlers by the functions that are recorded; primitives may have come since the last time."""
    if _seen != [len(REGISTRY)]:
        named = {name: handler for family in FAMILIES for name, handler in family.HANDLERS.items()}
        for p in list(REGISTRY.values()):
            if isinstance(p, Primitive) and p.name in named:
                _by_function[p.call], _names[p.call] = named[p.name], p.name
        others: dict[Any, Callable] = {
            trace._assigned: indexing.written(adds=False),
            trace._added: indexing.written(adds=True),
            trace._written: indexing.written_in_view,
            trace._item: shapes.item,
            int: elementwise.whole,
            trace._count: reductions.count_nonzero,
            buffers.assembled: indexing.assembled,
            np.zeros: shapes.zeros,
            np.any: reductions.logical("any"),
            np.all: reductions.logical("all"),
            np.count_nonzero: reductions.count_nonzero,
            np.argmax: sequences.place_of_extremum("maximum"),
            np.argmin: sequences.place_of_extremum("minimum"),
        }
        _by_function.update(others)
        _names.update((function, f"wengert.{function.__name__}") for function in others)
        _seen[:] = [len(REGISTRY)]
    return _by_function
