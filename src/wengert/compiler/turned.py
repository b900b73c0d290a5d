"""Arrays in Fortran's order: a program takes them as what they are the transposes of, and gives results like them.

What comes from a data frame, from Fortran or Matlab, or is a transpose, lies column by column. Programs know one order
only, in which rows lie one after the other; a copy in that order would cost more than most programs do. So the array
with its axes reversed, which is in that order, is the input, and its transpose what the function was given. Loops see
through it (`Graph.map`): what is computed of transposes alone is computed of what they are transposes of.
"""

from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from wengert.compiler.buffers import primitive
from wengert.compiler.found import layout
from wengert.compiler.later import looks
from wengert.compiler.program import KINDS, Call, Node, Program, Ref
from wengert.compiler.results import Results
from wengert.protocol import Spec, intern_spec

__all__ = ["LARGE", "is_turned", "transposed", "turn"]

LARGE = 4096
"""Elements from which on it matters how an array lies; smaller ones are copied."""
ELEMENTWISE = {"where", "clip", "guarded", "astype", "real", "conjugate"}
"""Operations on each element, besides those that are ufuncs."""


def is_turned(x: Any) -> bool:
    """Whether something is a large array of which the axes lie in memory in reverse order."""
    return x.__class__ is np.ndarray and x.size >= LARGE and layout(x) == tuple(reversed(range(x.ndim)))


def turn(program: Program, arrays: dict[int, np.ndarray], results: Results) -> tuple[list[int], list[int]]:
    """Let a program take arrays that lie in reverse order, and give such where the function does, as their transposes.

    Parameters
    ----------
    program : Program
        What has been recorded; it is changed.
    arrays : dict
        The arrays among the inputs, by their numbers, but for those that are written.
    results : Results
        What the function has returned; the leaves that are given as transposes are marked.

    Returns
    -------
    list of int, list of int
        The numbers of such inputs, and of such results.
    """
    inputs = [] if program.by_layout else [k for k, x in arrays.items() if is_turned(x)]
    lying = {program.inputs[k] for k in inputs}
    for node in program.nodes:
        if node not in lying and _is_turned_node(node, lying):
            lying.add(node)
    if not lying:
        return [], []
    wanted = [k for k, leaf in enumerate(results.computed()) if leaf.node in lying and _lies_turned(leaf)]
    _take_turned(program, inputs)
    for k, leaf in enumerate(results.computed()):
        if k in wanted:
            leaf.is_turned = True
            program.results[k] = _appended(program, program.results[k])
    return inputs, wanted


def transposed(arrays: Sequence[Any], numbers: Container[int]) -> list:
    """The same arrays, but those with certain numbers as their transposes."""
    return [x.T if k in numbers else x for k, x in enumerate(arrays)]


def _is_turned_node(node: Node, lying: set[Node]) -> bool:
    """Whether it is, or can be computed as, the transpose of something in the usual order."""
    spec = node.spec
    if spec is None or spec.ndim < 2 or spec.size < LARGE or node.function is None:
        return False
    if node.name == "transpose":
        axes = node.kwargs.get("axes")
        is_reversed = axes is None or tuple(k % spec.ndim for k in axes) == tuple(reversed(range(spec.ndim)))
        return is_reversed and node.operands[0] not in lying
    if node.name == "getitem":
        return len(node.operands) == 1 and node.operands[0] in lying and node.operands[0].spec.ndim == spec.ndim
    is_elementwise = isinstance(node.function, np.ufunc) and node.function.signature is None
    if not (is_elementwise or node.name in ELEMENTWISE):
        return False
    whole = [o for o in node.operands if o.spec is not None and o.spec.shape == spec.shape and not _is_stretched(o)]
    return bool(whole) and all(o in lying for o in whole)


def _is_stretched(node: Node) -> bool:
    """Whether there are fewer numbers than elements."""
    return node.name == "broadcast_to" or (node.name == "constant" and not any(node.source.strides))


def _lies_turned(leaf: Any) -> bool:
    """Whether a result is an array of numbers that lies in reverse order where nothing is compiled."""
    is_plain = leaf.box is None and leaf.weak is None and leaf.node.spec.dtype.char in KINDS
    return is_plain and is_turned(looks(leaf.value._held))


def _take_turned(program: Program, inputs: list[int]) -> None:
    """Put inputs with their axes reversed in the place of inputs, which become the transposes of those."""
    added = []
    for k in inputs:
        node = program.inputs[k]
        source = Node(0, Call("input", _reversed(node.spec), source=k))
        node.call, node.operands = _transposition(node.spec), (source,)
        program.inputs[k] = source
        added.append(source)
    program.nodes[:0] = added
    for index, node in enumerate(program.nodes):
        node.index = index
    for guard in program.guards:
        guard.after += len(added)


def _appended(program: Program, node: Node) -> Node:
    """The transpose of a node, as the last one."""
    made = Node(len(program.nodes), _transposition(_reversed(node.spec)), (node,))
    program.nodes.append(made)
    return made


def _transposition(spec: Spec) -> Call:
    """What makes a transpose with this shape."""
    return Call("transpose", spec, function=primitive("transpose"), args=(Ref(0),))


def _reversed(spec: Spec) -> Spec:
    return intern_spec(spec.shape[::-1], spec.dtype)
