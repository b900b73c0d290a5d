"""Buffers that are filled piece by piece, or stacked: each piece becomes a value of its own.

A loop that writes ``out[t] = h`` is recorded as a chain of whole arrays, each with one more piece changed. What is read
from a piece is what was written there last, so reading needs no buffer; and where the whole array is wanted, all pieces
are put in their places at once. What was a chain whose every link copies an array becomes as long as what is written.
"""

import functools
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from wengert.compiler import trace
from wengert.compiler.program import Call, Guard, Node, Program, Ref
from wengert.primitive import REGISTRY, Primitive
from wengert.protocol import intern_spec

__all__ = ["assembled", "forward", "primitive", "whole_numbers"]


def assembled(root: Any, *pieces: Any, places: tuple = ()) -> Any:
    """An array with pieces in their places, each of which is an index of whole numbers."""
    y = np.array(root)
    for place, piece in zip(places, pieces, strict=True):
        y[place] = piece
    return y


@functools.cache
def primitive(name: str) -> Callable:
    """The function that is recorded for a primitive."""
    return next(p.call for p in REGISTRY.values() if isinstance(p, Primitive) and p.name == name)


NEW = -1
"""The number of nodes that have none yet."""


def forward(program: Program) -> None:
    """Rewrite a program so that it has no chains of writes; its nodes get other operands and numbers."""
    if any(node.function in (trace._assigned, trace._added) or _is_table(node) for node in program.nodes):
        _Forwarding(program).commit()


FEW_ROWS = 16
"""Arrays stacked up to this number are a value like others."""


def _is_table(node: Node) -> bool:
    """Whether it is many arrays stacked as rows, which is a buffer filled row by row."""
    if len(node.operands) <= FEW_ROWS or node.function is not primitive("stack"):
        return False
    as_rows = node.kwargs.get("axis", 0) == 0 and node.args == tuple(map(Ref, range(len(node.operands))))
    spec = intern_spec(node.spec.shape[1:], node.spec.dtype)
    return as_rows and all(o.spec is spec for o in node.operands)


class _Filled:
    """An array in the making: what it was, and which of its pieces have been written since."""

    __slots__ = ("pieces", "root", "whole")

    def __init__(self, root: Node, pieces: dict[tuple, Node]):
        self.root, self.pieces = root, pieces
        self.whole: Node | None = None

    @property
    def depth(self) -> int:
        """How many axes the places of the pieces tell; 0 if there are none."""
        return len(next(iter(self.pieces), ()))


class _Forwarding:
    """What becomes of a program; nothing of it is changed before `commit`."""

    def __init__(self, program: Program):
        self.program = program
        self.nodes: list[Node] = []
        self.guards: list[Guard] = []
        self.of: dict[int, Node | _Filled] = {}
        """What stands for nodes that do not stay."""
        self.changed: list[tuple[Node, tuple]] = []
        """Nodes that get other operands."""
        self.getitem, self.stack = primitive("getitem"), primitive("stack")
        self.calls: dict[tuple, Call] = {}
        self.known: dict[Any, Node] = {}
        live = program.live()
        self.later = _later_uses(program, live)
        begin = 0
        for guard in program.guards:
            self.rewrite(program.nodes[begin : guard.after], live)
            self.guards.append(Guard(self.node(guard.node), guard.reader, guard.outcome, len(self.nodes)))
            begin = guard.after
        self.rewrite(program.nodes[begin:], live)
        self.results = [self.node(node) for node in program.results]

    def commit(self) -> None:
        """Change the program."""
        for node, operands in self.changed:
            node.operands = operands
        for k, node in enumerate(self.nodes):
            node.index = k
        self.program.nodes, self.program.guards, self.program.results = self.nodes, self.guards, self.results

    def rewrite(self, nodes: list[Node], live: bytearray) -> None:
        """Go on with nodes: as they are, with other operands, or as what they stand for."""
        of, getitem = self.of, self.getitem
        for node in nodes:
            call = node.call
            if not live[node.index] and call.name != "input":
                continue
            function = call.function
            if function is getitem:
                found: Node | _Filled | None = self.read(node)
            elif function is trace._assigned or function is trace._added:
                found = self.written(node)
            else:
                found = self.table(node) if function is self.stack else None
            if found is not None:
                of[node.index] = found
                continue
            for operand in node.operands:
                if operand.index in of:
                    self.changed.append((node, tuple(map(self.node, node.operands))))
                    break
            self.nodes.append(node)

    def append(self, node: Node) -> Node:
        """A new node; it gets its number in the end."""
        self.nodes.append(node)
        return node

    def node(self, old: Node) -> Node:
        """What stands for a node; an array in the making is put together."""
        found = self.of.get(old.index, old)
        if isinstance(found, Node):
            return found
        if found.whole is None:
            found.whole = self.put_together(found)
        return found.whole

    def put_together(self, array: _Filled) -> Node:
        spec = array.root.spec
        places, pieces = tuple(array.pieces), tuple(array.pieces.values())
        if len(places) == prod(spec.shape[: array.depth]):
            root = self.call(np.zeros, "zeros", (), (spec.shape, spec.dtype), {}, spec)
        else:
            root = array.root
        refs = tuple(Ref(k) for k in range(len(pieces) + 1))
        return self.call(assembled, "assembled", (root, *pieces), refs, {"places": places}, spec)

    def call(self, function: Callable, name: str, operands: tuple, args: tuple, kwargs: dict, spec: Any) -> Node:
        what = (function, args, tuple(kwargs.items()), spec)
        try:
            known = self.known.get((what, operands))
        except TypeError:
            return self.append(Node(NEW, Call(name, spec, None, function, args, kwargs), operands))
        if known is None:
            call = self.calls.get(what)
            if call is None:
                call = self.calls[what] = Call(name, spec, None, function, args, kwargs)
            known = self.known[what, operands] = self.append(Node(NEW, call, operands))
        return known

    # Writing and reading ----------------------------------------------------------------------------------------

    def base(self, node: Node) -> "Node | _Filled":
        """What a call writes into, or reads from."""
        return self.of.get(node.operands[0].index, node.operands[0])

    def written(self, node: Node) -> "_Filled | None":
        """What a write makes of an array, if it writes one piece."""
        base = self.base(node) if node.args and node.args[0].__class__ is Ref else None
        place = whole_numbers(node.kwargs["index"], node.spec.shape)
        if base is None or not place or node.args[0].position or node.spec.shape != node.operands[0].spec.shape:
            return None
        if node.spec.dtype != node.operands[0].spec.dtype:
            return None
        if isinstance(base, Node):
            base = _Filled(base, {})
        if base.pieces and base.depth != len(place):
            base = _Filled(self.node(node.operands[0]), {})
        value = self.value(node, node.spec.shape[len(place) :])
        if value is None:
            return None
        if node.function is trace._added:
            old = self.piece(base, place)
            if not _is_zero(old):
                refs = (Ref(0), Ref(1))
                value = self.call(np.add, "add", (old, value), refs, {}, old.spec)
        # Nobody reads what the array was before: the list of its pieces goes on.
        last = self.later[node.operands[0].index] == node.index
        pieces = base.pieces if last else dict(base.pieces)
        pieces[place] = value
        return _Filled(base.root, pieces)

    def table(self, node: Node) -> "_Filled | None":
        """Stacked rows as a buffer into which each of them is written."""
        if not _is_table(node):
            return None
        root = self.call(np.zeros, "zeros", (), (node.spec.shape, node.spec.dtype), {}, node.spec)
        return _Filled(root, {(i,): self.node(o) for i, o in enumerate(node.operands)})

    def value(self, node: Node, shape: tuple) -> Node | None:
        """What is written, with the shape and dtype of the piece."""
        given = node.args[1]
        spec = intern_spec(shape, node.spec.dtype)
        if given.__class__ is Ref:
            value = self.node(node.operands[given.position])
        elif isinstance(given, (bool, int, float, np.generic)):
            number = np.asarray(given, spec.dtype)[()]
            value = self.append(Node(NEW, Call("constant", intern_spec((), spec.dtype), source=number)))
        else:
            return None
        if value.spec is None:
            return None
        if value.spec.dtype != spec.dtype:
            cast = intern_spec(value.spec.shape, spec.dtype)
            value = self.call(primitive("astype"), "astype", (value,), (Ref(0),), {"dtype": spec.dtype}, cast)
        if value.spec.ndim > len(shape):
            value = self.call(
                primitive("reshape"),
                "reshape",
                (value,),
                (Ref(0),),
                {"shape": value.spec.shape[-len(shape) :] if shape else ()},
                intern_spec(value.spec.shape[-len(shape) :] if shape else (), spec.dtype),
            )
        if value.spec.shape != shape:
            value = self.call(primitive("broadcast_to"), "broadcast_to", (value,), (Ref(0),), {"shape": shape}, spec)
        return value

    def read(self, node: Node) -> Node | None:
        """What reading a piece gives, if it has been written."""
        base = self.base(node) if node.operands and node.args[:1] == (Ref(0),) else None
        if not isinstance(base, _Filled) or not base.pieces:
            return None
        place = whole_numbers(node.kwargs.get("index"), node.operands[0].spec.shape)
        if place is None or len(place) < base.depth:
            return None
        piece = self.piece(base, place[: base.depth])
        rest = place[base.depth :]
        if not rest:
            return piece
        return self.call(self.getitem, "getitem", (piece,), (Ref(0),), {"index": rest}, node.spec)

    def piece(self, array: _Filled, place: tuple) -> Node:
        found = array.pieces.get(place)
        if found is None:
            spec = intern_spec(array.root.spec.shape[len(place) :], array.root.spec.dtype)
            if _is_zero(array.root):
                return self.call(np.zeros, "zeros", (), (spec.shape, spec.dtype), {}, spec)
            found = self.call(self.getitem, "getitem", (array.root,), (Ref(0),), {"index": place}, spec)
        return found


def _is_zero(node: Node) -> bool:
    """Whether it is made of zeros."""
    return node.function is np.zeros


def whole_numbers(index: Any, shape: tuple) -> tuple[int, ...] | None:
    """An index that only has whole numbers, for the first axes, counted from the front; `None` for all others."""
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) > len(shape):
        return None
    found = []
    for part, n in zip(parts, shape, strict=False):
        if isinstance(part, (bool, np.bool_)) or not isinstance(part, (int, np.integer)) or not -n <= part < n:
            return None
        found.append(int(part) % n)
    return tuple(found)


def _later_uses(program: Program, live: bytearray) -> list[int]:
    """The last node that uses each one; results and guards are used to the end."""
    last = [0] * len(program.nodes)
    for node in program.nodes:
        if live[node.index]:
            for operand in node.operands:
                last[operand.index] = node.index
    for node in [*program.results, *[guard.node for guard in program.guards]]:
        last[node.index] = len(program.nodes)
    return last
