"""From recorded calls to the compiler's own values.

What a NumPy function is made of stands in the files of `wengert.compiler.lowering`, by the names of the primitives. A
function that has no entry there, or dtypes that kernels do not know, stays a call.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler import buffers, trace, written
from wengert.compiler.graph import Graph, Value
from wengert.compiler.lowering import complexes, elementwise, indexing, linalg, products, reductions, sequences, shapes
from wengert.compiler.lowering.builder import Builder
from wengert.compiler.lowering.pairs import Pair, as_pair, handled, pair_in, part_dtype, stored
from wengert.compiler.lowering.ufuncs import ufunc
from wengert.compiler.program import KINDS, Call, Node, Program, filled, uniform
from wengert.compiler.raising import succeeded
from wengert.cotangents import selected
from wengert.primitive import REGISTRY, Primitive, name_of

__all__ = ["known_functions", "lower", "stands_for"]

COMPLEX = "FD"
FAMILIES = (elementwise, shapes, reductions, products, indexing, sequences, linalg)


def lower(program: Program) -> Graph:
    """The graph of a program; inputs stay in their order.

    Its results are those of the program, and behind them `Graph.checks` truth values that all have to hold, or else
    the program has to be run as it was recorded.
    """
    lowering = _Lowering(program, set())
    dear = lowering.dear_selections()
    return (_Lowering(program, dear) if dear else lowering).graph


class _Lowering:
    """The lowering of a program, of which NumPy is to do the selections with some numbers."""

    def __init__(self, program: Program, selections: set[int]):
        self.selections = selections
        self.graph = Graph()
        self.builder = Builder(self.graph)
        self.handlers = known_functions()
        self.of: dict[int, Any] = {}
        self.known_kinds: dict[Call, bool] = {}
        """Whether kernels know what calls give, by what they do."""
        live = program.live()
        for node in program.nodes:
            if live[node.index] or node.call.name == "input":
                self.of[node.index] = self.lowered(node)
        results = [self.of[node.index] for node in program.results]
        self.graph.results = [stored(self.builder, x) if isinstance(x, Pair) else x for x in results]
        checks = list(dict.fromkeys(self.builder.checks))
        self.graph.results += checks
        self.graph.checks = len(checks)
        self.graph.prune()

    def dear_selections(self) -> set[int]:
        """The numbers of those selections by long masks that are needed one element after the other."""
        known = self.builder.selections
        parts = {i: _parts(x)[0] for i, x in self.of.items()} if known else {}
        long = {i: known[x] for i, x in parts.items() if x in known and known[x].region.size > MOST_ORDERED}
        values = set(self.graph.values) if long else ()
        return {i for i, selection in long.items() if selection.order in values}

    def lowered(self, node: Node) -> Any:
        graph, call = self.graph, node.call
        spec: Any = call.spec
        if call.name in ("input", "constant"):
            return self.given(node)
        if call.function is succeeded and not _is_left(self.of[node.operands[0].index]):
            return graph.literal(True, bool)  # the checks say so
        if self.is_known_kind(call) and all(self.is_known_kind(o.call) for o in node.operands):
            checks = len(self.builder.checks)
            found = self.known(node)
            if found is not None and found.shape == spec.shape and found.dtype == spec.dtype:
                return self.selected(node, found) if node.index in self.selections else found
            del self.builder.checks[checks:]
        return self.call(node)

    def call(self, node: Node) -> Any:
        """What NumPy gives."""
        spec = node.call.spec
        operands = tuple(self.as_numpy(self.of[o.index]) for o in node.operands)
        if spec is None:
            return self.graph.make("call", operands, node, (), np.dtype("V0"))
        found = self.graph.make("call", operands, node, spec.shape, spec.dtype)
        return self.in_memory(found) if spec.dtype.char in COMPLEX else found

    def selected(self, node: Node, found: Any) -> Any:
        """What NumPy selects, of which it is known as well what it is selected from."""
        selected, known = self.call(node), self.builder.selections
        known.update((ours, known[x]) for ours, x in zip(_parts(selected), _parts(found), strict=True) if x in known)
        return selected

    def given(self, node: Node) -> Any:
        """What is there before the program runs."""
        graph, spec = self.graph, node.spec
        shape, dtype, pairs = spec.shape, spec.dtype, spec.dtype.char in COMPLEX
        if node.name == "constant":
            number = uniform(node.source)
            if number is not None and pairs:
                return Pair(*[self.builder.filled(x, shape, part_dtype(dtype)) for x in (number.real, number.imag)])
            if number is not None:
                return self.builder.filled(number, shape, dtype)
        source = node.source
        if pairs:
            shape, dtype = (*shape, 2), part_dtype(dtype)
            if node.name == "constant":
                source = np.ascontiguousarray(source).view(dtype).reshape(shape)
        found = graph.make(node.name, (), source, shape, dtype)
        return pair_in(self.builder, found) if pairs else found

    def in_memory(self, x: Value) -> Pair:
        """Complex numbers that something has stored as such."""
        return pair_in(self.builder, self.graph.make("reshape", (x,), None, (*x.shape, 2), part_dtype(x.dtype)))

    def as_numpy(self, x: Any) -> Value:
        """A value as functions of NumPy's take it."""
        if not isinstance(x, Pair):
            return self.graph.as_reshaped(x)
        return self.graph.make("reshape", (stored(self.builder, x),), None, x.shape, x.dtype)

    def is_known_kind(self, call: Call) -> bool:
        """Whether kernels know the dtype of what calls give."""
        found = self.known_kinds.get(call)
        if found is None:
            found = self.known_kinds[call] = call.spec is not None and call.spec.dtype.char in KINDS
        return found

    def known(self, node: Node) -> Any:
        """What a call is made of, if the tables have it."""
        function = node.call.function
        handler = self.handlers.get(function)
        if handler is None and isinstance(function, np.ufunc):
            return ufunc(self.builder, node, self.of)
        operands = [self.of[o.index] for o in node.operands]
        args, kwargs = filled(node.args, operands), filled(node.kwargs, operands)
        if node.spec.dtype.kind == "c" or any(isinstance(x, Pair) for x in operands):
            name = _names.get(node.function, "")
            args = [as_pair(self.builder, a, np.result_type(a)) if _is_complex(a) else a for a in args]
            own = complexes.HANDLERS.get(name)
            if own is not None:
                return own(self.builder, node.spec, *args, **kwargs)
            return handled(self.builder, name, handler, node.spec, args, kwargs)
        return handler(self.builder, node.spec, *args, **kwargs) if handler is not None else None


def _parts(x: Any) -> tuple[Value, ...]:
    """The values that there are of one: two of complex ones."""
    return (x.real, x.imag) if isinstance(x, Pair) else (x,)


def _is_left(x: Any) -> bool:
    """Whether a value is what a function of NumPy's gives."""
    x = x.real if isinstance(x, Pair) else x
    while x.kind in ("move", "reshape"):
        x = x.operands[0]
    return bool(x.kind == "call")


def _is_complex(number: Any) -> bool:
    """Whether an argument is a complex number, or an array of them, as it stands in the program."""
    return isinstance(number, (complex, np.complexfloating, np.ndarray)) and np.result_type(number).char in COMPLEX


def stands_for(function: Callable) -> str | None:
    """A name for what the calls of a function are made into, the same in all processes; `None` where there is none.

    Functions that stay calls all have the same one: it does not matter to a program's form which they are.
    """
    if function is succeeded:
        return "wengert.succeeded"
    if function in known_functions():
        return _names[function]
    if isinstance(function, np.ufunc):
        name = name_of(function)
        found = [m for m in ("numpy", "scipy.special") if getattr(sys.modules.get(m), name, None) is function]
        return f"{found[0]}.{name}" if found else None
    return "call"


MOST_ORDERED = 4096
"""Elements from which a mask selects natively one after the other; from more of them NumPy does it faster."""
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
            trace._numpy: shapes.same,
            selected: elementwise.guarded,
            int: elementwise.whole,
            trace._count: reductions.count_nonzero,
            trace._extent: elementwise.whole,
            buffers.assembled: indexing.assembled,
            written.length: indexing.length,
            np.zeros: shapes.zeros,
            np.any: reductions.logical("any"),
            np.all: reductions.logical("all"),
            np.count_nonzero: reductions.count_nonzero,
            np.argmax: sequences.place_of_extremum("maximum"),
            np.argmin: sequences.place_of_extremum("minimum"),
            np.searchsorted: sequences.searched,
        }
        _by_function.update(others)
        _names.update((function, f"wengert.{function.__name__}") for function in others)
        _seen[:] = [len(REGISTRY)]
    return _by_function
