"""A recorded program: what was computed, as a list of calls in the order of the run.

A `Node` is one call of a function with values and with settings that are part of the program. Calls that are equal are
one node (hash-consing), so nothing is computed twice. A `Guard` is a place where the program decided by a value: what
follows is right as long as the value reads the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from threading import get_ident
from typing import Any, ClassVar

import numpy as np

from wengert.compiler.later import Later
from wengert.compiler.nested import replaced
from wengert.primitive import REGISTRY, Plain
from wengert.protocol import spec_of

__all__ = [
    "KINDS", "NONE", "Call", "Guard", "LeftToPython", "Node", "Operation", "Program", "Ref", "depends", "filled",
    "signature", "uniform",
]  # fmt: skip


class Ref:
    """In the place of an operand that is a value of the program: its position among the node's operands.

    There is one for each position, so that equal ones are the same.
    """

    __slots__ = ("position",)
    _made: ClassVar[dict[int, "Ref"]] = {}
    position: int

    def __new__(cls, position: int) -> "Ref":
        """The one for a position."""
        ref = cls._made.get(position)
        if ref is None:
            ref = object.__new__(cls)
            ref.position = position
            ref = cls._made.setdefault(position, ref)
        return ref

    def __repr__(self) -> str:
        return f"Ref({self.position})"


NONE: dict = {}
"""The settings of calls that have none, which nobody writes."""


@dataclass(slots=True, eq=False)
class Call:
    """What a node does, whatever it does it with: one object for many nodes.

    ``function`` gives a value of this shape and dtype when it is called with ``args`` and ``kwargs``, in which `Ref`
    stand for operands; it is `None` for inputs (``source`` says which) and constants (``source`` is the array).
    """

    name: str
    spec: Any
    """The shape and dtype (a `Spec`), or `None` of what is no array and no number."""
    weak: Any = None
    """The class of a Python number, which takes on the dtype of what it meets; `None` of all else."""
    function: Any = None
    args: tuple = ()
    kwargs: dict = field(default_factory=lambda: NONE)
    source: Any = None


class Node:
    """One value of a program: what is done, and with which others."""

    __slots__ = ("call", "index", "operands")

    def __init__(self, index: int, call: Call, operands: tuple["Node", ...] = ()):
        self.index, self.call, self.operands = index, call, operands

    name = property(lambda self: self.call.name)
    spec = property(lambda self: self.call.spec)
    weak = property(lambda self: self.call.weak)
    function = property(lambda self: self.call.function)
    args = property(lambda self: self.call.args)
    kwargs = property(lambda self: self.call.kwargs)
    source = property(lambda self: self.call.source)

    def __repr__(self) -> str:
        return f"%{self.index}"


class Operation:
    """Calls that differ in their operands only; those of equal operands are one node."""

    __slots__ = ("args", "calls", "function", "kwargs", "last", "name", "nodes")

    def __init__(self, function: Callable, name: str, args: tuple, kwargs: dict):
        self.function, self.name, self.args, self.kwargs = function, name, args, kwargs or NONE
        self.nodes: dict[tuple[Node, ...], Node] = {}
        self.last: Call | None = None
        """What the last node does; most others do the same."""
        self.calls: dict[tuple, Call] = {}
        """What nodes do, by what comes out."""

    def call(self, spec: Any, weak: Any) -> Call:
        """What a node with this result does."""
        last = self.last
        if last is None or last.spec is not spec or last.weak is not weak:
            last = self.calls.get((spec, weak))
            if last is None:
                last = self.calls[spec, weak] = Call(self.name, spec, weak, self.function, self.args, self.kwargs)
            self.last = last
        return last


class LeftToPython(BaseException):  # no `except Exception` of the function's may go on from here
    """Raised where a function that is being recorded does what no program can do."""


@dataclass(slots=True)
class Guard:
    """A value that the program has decided by: how it was read, and what came out."""

    node: Node
    reader: Callable
    outcome: Any
    after: int
    """How many nodes had been recorded."""
    recorded: Any = None
    """The node that was read, where ``node`` is what native code compares instead."""


class Program:
    """The nodes of one run, its guards, and which nodes are the results."""

    def __init__(self) -> None:
        self.thread = get_ident()
        """The thread that records it."""
        self.lent: list[tuple[Any, Any]] = []
        """Pairs of objects that share their memory where they are no values of a program."""
        self.shown: list[tuple[np.ndarray, np.ndarray]] = []
        """Copies in the place of recorded arrays, each with what it is a copy of: neither may be written."""
        self.still: list[tuple[Any, Node]] = []
        """What may not be written, as something else shares its memory where nothing is recorded; with its node."""
        self.by_layout = self.by_strides = False
        """Whether the function goes by the order in which what it is given lies in memory; and by how far apart."""
        self.misread: str | None = None
        """Why the function may have got other values or other memory than it gets when nothing is recorded, if so."""
        self.nodes: list[Node] = []
        self.inputs: list[Node] = []
        self.guards: list[Guard] = []
        self.results: list[Node] = []
        self.closed = False
        """Whether recording is over: what has leaked out of it is a constant."""
        self.puts_off = False
        """Whether there are values that have not been computed (`later`)."""
        self.known: dict[Any, Node] = {}
        self.generators: list[Any] = []
        """The generators of random numbers that the program draws from."""
        self.lasting: list[Any] = []
        """The generators that the function uses, and has not made itself."""
        self.states: list[tuple[Any, Any]] = []
        """Where the generators that the function draws from, in whatever way, were before."""
        self.refused: str | None = None
        """What the function does that a program cannot do again, if so: the function is left to Python."""
        self.raised: str | None = None
        """What a call has raised: if the function goes on all the same, the program is right for these values only."""
        self.products: set[Node] = set()
        """Python's whole numbers that are products, or computed from such."""
        self.tensors: set[Node] = set()
        """The inputs that are tensors, and not arrays or numbers."""
        self.of_tensors: dict[Node, bool] = {}
        """Whether values are made from one, as far as that has been asked."""
        self.can_be_undone: Callable[[], bool] = _always
        """Whether the function has done nothing yet that would be there twice if it ran again."""
        self.replaced: Any = None
        """What goes by other names while this is recorded (`again.Replaced`), if that can be changed."""
        self.fills = False
        """Whether values of a tape are written into arrays that are not tensors when nothing is recorded."""
        self.wanted: tuple | None = None
        """What was missing there, if so: another recording is to be made, whatever comes of this one."""
        self.kept: list[Any] = []
        self.operations: dict[Any, Operation] = {}

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *exception: object) -> None:
        self.closed = True
        self.nodes = list(self.nodes)
        for k, node in enumerate(self.nodes):  # two threads that have noted something at once took one number
            node.index = k
        self.known, self.operations, self.products, self.can_be_undone = {}, {}, set(), _always
        self.of_tensors = {}

    # Recording --------------------------------------------------------------------------------------------------

    def input(self, value: Any) -> Node:
        """A new input, with the shape and dtype of a value."""
        call = Call("input", spec_of(value), _weak(value), source=len(self.inputs))
        node = self._append(Node(len(self.nodes), call))
        self.inputs.append(node)
        return node

    def constant(self, value: np.ndarray) -> Node:
        """An array that the program uses as it is now: a copy, as its owner may write it later."""
        number = uniform(value) if value.size > SMALL else None
        if number is not None:
            key: Any = ("uniform", value.shape, value.dtype.str, number.tobytes())
            return self.known.get(key) or self._new_constant(key, np.broadcast_to(number, value.shape))
        contents = value.tobytes()
        key = ("constant", value.shape, value.dtype.str, contents if len(contents) <= SMALL else hash(contents))
        node = self.known.get(key)
        if node is not None and (len(contents) <= SMALL or node.source.tobytes() == contents):
            return node
        return self._new_constant(key, np.array(value, order="C", copy=True))

    def _new_constant(self, key: Any, source: np.ndarray) -> Node:
        node = self.known[key] = self._append(Node(len(self.nodes), Call("constant", spec_of(source), source=source)))
        return node

    def call(
        self, key: Any, function: Callable, name: str, operands: tuple, args: tuple, kwargs: dict, result: Any
    ) -> Node:
        """The node of a call, with references in the place of operands; `key` tells it from others with the same."""
        operation = self.operations.get(key)
        if operation is None:
            operation = self.operations[key] = Operation(function, name, args, kwargs)
        return operation.nodes.get(operands) or self.new(operation, operands, result)

    def new(self, operation: Operation, operands: tuple, result: Any) -> Node:
        """A new node for what came out."""
        nodes, call = self.nodes, operation.last
        if call is None or result.__class__ is not np.ndarray or not _gives(call, result):
            call = self.call_of(operation, result)
        node = operation.nodes[operands] = Node(len(nodes), call, operands)
        nodes.append(node)
        return node

    def run(self, function: Callable, /, *args: Any, **kwargs: Any) -> Any:
        """What a call gives; if it raises, that is noted."""
        try:
            return function(*args, **kwargs)
        except Exception as error:
            self.failed(error)
            raise

    def failed(self, error: Exception) -> None:
        """Note that a call has raised."""
        if not self.closed:
            self.raised = self.raised or f"{type(error).__name__}: {error}"

    def call_of(self, operation: Operation, result: Any) -> Call:
        """What an operation does where this comes out."""
        kind = result.__class__
        if kind is Later:
            self.puts_off, result = True, result.looks
        spec = spec_of(result) if isinstance(result, NUMERIC) or kind is int or kind is bool else None
        return operation.call(spec, _weak(result))

    def draw(self, generator: Any, method: str, args: tuple, kwargs: dict, result: Any) -> Node:
        """Random numbers: drawn at each run, in the order of the program, also where nobody needs them."""
        node = self.call(object(), getattr(generator, method), f"draw.{method}", (), args, kwargs, result)
        node.call.source = generator
        if not any(g is generator for g in self.generators):
            self.generators.append(generator)
        return node

    def uses(self, generator: Any) -> None:
        """Note where a generator is before the function first draws from it."""
        if not any(g is generator for g, _ in self.states):
            self.states.append((generator, generator.bit_generator.state))

    def take_draws(self) -> list[Callable]:
        """Make random numbers inputs, behind the others; gives what draws them, in the order of the program."""
        draws: list[Callable] = []
        for node in self.nodes if self.generators else ():
            if node.name.startswith("draw."):
                draws.append(partial(node.function, *node.args, **node.kwargs))
                node.call = Call("input", node.spec, node.weak, source=len(self.inputs))
                self.inputs.append(node)
        return draws

    def leave(self, why: str) -> None:
        """Leave the function to Python: at once, or when it returns, where it could not be undone that it has run."""
        self.refused, self.misread = self.refused or why, self.misread or why
        if self.can_be_undone():
            raise LeftToPython(why)

    def look_at_layout(self, exactly: bool = False) -> None:
        """Note that the function goes by how arrays lie in memory."""
        self.by_layout = True
        self.by_strides |= exactly

    def guard(self, node: Node, reader: Callable, outcome: Any) -> None:
        """The program goes on as it did when ``reader(value)`` gave `outcome`."""
        key = ("guard", node, reader)
        if key not in self.known:
            self.known[key] = node
            self.guards.append(Guard(node, reader, outcome, len(self.nodes)))

    def _append(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def forget(self) -> None:
        """Let the nodes go, which are much; whatever still has one of them keeps none of those that it is made from."""
        for node in self.nodes:
            node.operands = ()
        self.nodes, self.inputs, self.guards, self.results = [], [], [], []

    def become(self, other: "Program") -> None:
        """Have the nodes of another program."""
        self.nodes, self.inputs, self.guards, self.results = other.nodes, other.inputs, other.guards, other.results

    # Simplifying ------------------------------------------------------------------------------------------------

    def calls(self) -> set[Call]:
        """What the nodes do."""
        return set(map(attrgetter("call"), self.nodes))

    def live(self) -> bytearray:
        """For each node whether a result or a guard needs it."""
        live = bytearray(len(self.nodes))
        for node in self.results:
            live[node.index] = True
        for guard in self.guards:
            live[guard.node.index] = live[(guard.recorded or guard.node).index] = True
        for node in reversed(self.nodes):
            if live[node.index]:
                for operand in node.operands:
                    live[operand.index] = True
        return live

    # Printing ---------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        lines = []
        guards = iter([*self.guards, None])
        guard = next(guards)
        for node in self.nodes:
            while guard is not None and guard.after <= node.index:
                lines.append(f"     guard {guard.reader.__name__}({guard.node!r}) == {guard.outcome!r}")
                guard = next(guards)
            lines.append(_line(node))
        while guard is not None:
            lines.append(f"     guard {guard.reader.__name__}({guard.node!r}) == {guard.outcome!r}")
            guard = next(guards)
        lines.append(f"     return {', '.join(map(repr, self.results))}")
        return "\n".join(lines)


def _always() -> bool:
    return True


def _line(node: Node) -> str:
    start = f"{node!r:>5} : {node.spec!r:<16} = "
    if node.function is None:
        return start + (f"input {node.source}" if node.name == "input" else "constant")
    shown = [_shown(a, node.operands) for a in node.args]
    shown += [f"{name}={_shown(a, node.operands)}" for name, a in node.kwargs.items()]
    return f"{start}{node.name}({', '.join(shown)})"


def _shown(value: Any, operands: tuple) -> str:
    return repr(filled(value, operands))


SMALL = 4096
"""Bytes up to which constants of equal content are found by it."""


def _gives(call: Call, array: np.ndarray) -> bool:
    """Whether an array is what a call gives."""
    spec = call.spec
    return spec is not None and array.shape == spec.shape and array.dtype is spec.dtype and call.weak is None


NUMERIC = (np.ndarray, np.generic, float, complex)


def _weak(value: Any) -> type | None:
    """The class of a Python number, which takes on the dtype of what it meets; `None` for all else."""
    return value.__class__ if value.__class__ in (float, int, complex) else None


KINDS = "?bhilqBHILQfdFD"
"""The dtypes that loops are made for; others stay calls."""


def uniform(array: np.ndarray) -> Any:
    """The number that an array holds everywhere, bit for bit; `None` if there is none."""
    if not array.size or array.dtype.char not in KINDS:
        return None
    if array.dtype.kind == "c":
        parts = uniform(array.real), uniform(array.imag)
        return None if None in parts else array.dtype.type(complex(*parts))
    first = array[(slice(0, 1),) * array.ndim].reshape(-1)
    if any(array.strides[k] for k, n in enumerate(array.shape) if n > 1):
        bits = f"u{array.dtype.itemsize}"
        row = (0,) * (array.ndim - 1)
        middle = tuple(n // 2 for n in array.shape[:-1])
        for part in (array[row][:SMALL], array[middle][:SMALL], array):  # most others differ there already
            if not (np.ascontiguousarray(part).view(bits) == first.view(bits)).all():
                return None
    return first[0]


# Operands inside arguments ----------------------------------------------------------------------------------------


def filled(value: Any, values: Any) -> Any:
    """Arguments with values in the place of references."""
    return replaced(value, Ref, lambda ref: values[ref.position])


def signature(function: Callable, args: tuple, kwargs: dict) -> tuple:
    """What a call does, whatever it does it with: equal for calls that differ in their operands only."""
    if not kwargs:
        for a in args:
            if a.__class__ is not Ref:
                break
        else:
            return (function, args)
    return (function, _key(args), _key(kwargs))


def _key(value: Any) -> Any:
    """What equal settings have in common, and no others: ``1``, ``1.0``, ``True`` and ``-0.0`` differ."""
    kind = value.__class__
    if kind in PLAIN:
        return value if kind is Ref else (kind, value)
    if kind is slice:
        return ("slice", _key(value.start), _key(value.stop), _key(value.step))
    if isinstance(value, (tuple, list)):
        return (kind, *map(_key, value))
    if isinstance(value, dict):
        return tuple((name, _key(part)) for name, part in value.items())
    if isinstance(value, (float, complex, np.generic)):
        return (kind, np.asarray(value).tobytes())
    try:
        hash(value)
    except TypeError:
        return (kind, id(value))
    return (kind, value)


PLAIN = frozenset({Ref, int, bool, str, type(None)})


LEAVING = {"item", "numpy"}
"""Methods of tensors that give numbers and arrays."""


def depends(node: Node, tensors: set[Node], known: dict[Node, bool] | None = None) -> bool:
    """Whether a value is made from a tensor, so that it is one, too; `known` is what has been found out of others."""
    known = {} if known is None else known
    waiting = [node] if tensors else []
    while waiting:
        top = waiting[-1]
        operands = () if top in tensors or _leaves_tensors(top) else top.operands
        unknown = [operand for operand in operands if operand not in known]
        if unknown and top not in known:
            waiting += unknown
        else:
            known[waiting.pop()] = top in tensors or any(known[operand] for operand in operands)
    return known.get(node, False)


def _leaves_tensors(node: Node) -> bool:
    """Whether a call gives no tensors, whatever it is given."""
    return node.name in LEAVING or isinstance(REGISTRY.get(node.function), Plain)
