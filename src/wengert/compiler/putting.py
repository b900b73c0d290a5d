"""Values of many parts side by side, which are written to their places instead of being chosen for each element.

Where few arrays are joined, each element is chosen among them by the code that uses it. Among many, choosing would take
longer than anything else: so each part is computed by itself, into its place of an array that is then read as a whole.
"""

from wengert.compiler.graph import FEW_PARTS, Graph, Value
from wengert.compiler.plan import NATIVE

__all__ = ["put_together"]


def put_together(graph: Graph) -> None:
    """Let joins of many parts be assemblies."""
    if not any(map(_has_many_parts, graph.values)):
        return
    values, graph.values = graph.values, []
    for v in values:
        if _has_many_parts(v):
            # Each is written for this value alone.
            v.operands = tuple(
                graph.make("map", (o,), f"copy of {v.number}.{i}", o.shape, v.dtype) for i, o in enumerate(v.operands)
            )
            v.kind = "assembly"
        graph.values.append(v)
    graph.prune()


def _has_many_parts(v: Value) -> bool:
    """Whether it is a join that would be a long choice."""
    return v.kind == "join" and len(v.operands) > FEW_PARTS and v.dtype.char in NATIVE
