"""A program run again call by call: what is always there, also without a native compiler."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.compiler.errstate import silent
from wengert.compiler.fourier import transform_of
from wengert.compiler.nested import found_in
from wengert.compiler.program import Guard, Node, Program, Ref, filled

__all__ = ["Mismatch", "Replay", "caller", "same", "told_apart"]


class Mismatch(Exception):
    """A guard read something else: its number, and what it read; or, by -1, the call whose result has another shape."""

    def __init__(self, number: int, outcome: Any):
        super().__init__(number)  # what an array holds takes long to be written down
        self.number, self.outcome = number, outcome


def told_apart(outcome: Any) -> Any:
    """A reading in a form that is equal only to the same one: zeros of either sign, which are equal, are two."""
    if isinstance(outcome, complex) or (isinstance(outcome, (float, np.floating)) and not outcome):
        return repr(outcome)
    return outcome


def same(a: Any, b: Any) -> bool:
    """Whether two readings are the same: of one class, and equal or both not-a-number."""
    return type(a) is type(b) and (told_apart(a) == told_apart(b) or (_is_nan(a) and _is_nan(b)))


def _is_nan(reading: Any) -> bool:
    """Whether it is not a number; of complex ones the parts are told apart."""
    return not isinstance(reading, complex) and reading != reading


class Replay:
    """A program ready to run as calls of NumPy's functions.

    Each call is prepared: what it is given in the same way every time is filled in, and an elementwise operation
    writes over an operand that nobody needs any more.
    """

    def __init__(self, program: Program):
        self.program = program
        steps = list(_steps(program))
        self.slots = {node.index: k for k, node in enumerate(_nodes(program, steps))}
        self.start: list[Any] = [None] * len(self.slots)
        for node in program.nodes:
            if node.name == "constant" and node.index in self.slots:
                self.start[self.slots[node.index]] = node.source
        self.inputs = [self.slots.get(node.index, len(self.start)) for node in program.inputs]
        """The slots of inputs, of which those that nobody needs share one."""
        self.start.append(None)
        self.weak = [(k, node.weak) for k, node in zip(self.inputs, program.inputs, strict=True) if node.weak]
        self.numbers = {id(guard): number for number, guard in enumerate(program.guards)}
        self.results = [self.slots[node.index] for node in program.results]
        fresh = _fresh(steps)
        once = Counter(self.results)
        # Results are arrays of their own: not constants, arguments, views of these, or of each other.
        self.shared = [
            k for k, n in enumerate(program.results) if n.index not in fresh or once[self.slots[n.index]] > 1
        ]
        self.steps = [
            self._guard(step, spent) if isinstance(step, Guard) else self._call(step, spent, fresh)
            for step, spent in steps
        ]

    def __call__(self, *inputs: Any) -> list:
        """The results for other inputs.

        Raises
        ------
        Mismatch
            If a guard reads something else than it did, or a result has another shape than it had.
        """
        values = self.start.copy()
        for slot, given in zip(self.inputs, inputs, strict=True):
            values[slot] = given
        for slot, weak in self.weak:
            if values[slot].__class__ is not weak:
                values[slot] = weak(values[slot])
        with silent():
            for call, operands, target, check, spent in self.steps:
                result = call(*[values[k] for k in operands])
                if check is not None:
                    result = check(result)
                values[target] = result
                for k in spent:
                    values[k] = None
        found = [values[slot] for slot in self.results]
        for k in self.shared:
            if found[k].__class__ is np.ndarray:
                found[k] = np.array(found[k])
        return found

    def _guard(self, guard: Guard, spent: list[int]) -> tuple:
        number, slot = self.numbers[id(guard)], self.slots[guard.node.index]

        def check(value: Any) -> Any:
            outcome = guard.reader(value)
            if not same(outcome, guard.outcome):
                raise Mismatch(number, outcome)
            return value

        return _unchanged, (slot,), slot, check, [self.slots[k] for k in spent]

    def _call(self, node: Node, spent: list[int], fresh: set[int]) -> tuple:
        operands = [self.slots[operand.index] for operand in node.operands]
        call = prepared(node)
        is_plain = isinstance(node.function, np.ufunc) and not node.weak and node.function.nout == 1
        over = [k for k, o in enumerate(node.operands) if o.index in fresh and o.index in spent and o.spec is node.spec]
        if is_plain and over and call is node.function:
            # The operand's memory takes the result.
            operands.append(operands[over[0]])
        check = None if is_plain else _checking(node)
        return call, tuple(operands), self.slots[node.index], check, [self.slots[k] for k in spent]


def _unchanged(value: Any) -> Any:
    return value


def _nodes(program: Program, steps: list) -> list[Node]:
    """All nodes that a run has to do with, once each."""
    found: dict[int, Node] = {}
    for step, _ in steps:
        for node in (step.node,) if isinstance(step, Guard) else (step, *step.operands):
            found[node.index] = node
    found.update((node.index, node) for node in program.results)
    return list(found.values())


MAKERS = frozenset({np.sort, np.argsort, np.partition, np.argpartition, np.bincount})
"""Functions, besides ufuncs, that make new arrays, and keep nothing of what they are given."""


def _fresh(steps: list) -> set[int]:
    """Arrays that such functions make and only such functions read: nobody else can have their memory."""
    found: set[int] = set()
    for step, _ in steps:
        node = step.node if isinstance(step, Guard) else step
        if not isinstance(step, Guard) and (isinstance(node.function, np.ufunc) or node.function in MAKERS):
            if node.spec is not None and node.spec.ndim and not node.weak:
                found.add(node.index)
        else:
            found.difference_update(o.index for o in node.operands)
            found.discard(node.index)
    return found


def prepared(node: Node) -> Callable:
    """A node's function of its operands alone."""
    transform = transform_of(node)
    if transform is not None:
        return transform
    function, args, kwargs, n = node.function, node.args, node.kwargs, len(node.operands)
    rest = args[n:]
    if args[:n] == tuple(map(Ref, range(n))) and _is_fixed((rest, kwargs)):
        if not rest:
            return functools.partial(function, **kwargs) if kwargs else function
        if n == 1 and len(rest) == 1 and not kwargs:
            (second,) = rest
            return lambda x: function(x, second)
        return lambda *operands: function(*operands, *rest, **kwargs)
    if not kwargs and len(args) == 2 and args[1:] == (Ref(0),) and _is_fixed(args[0]):
        return functools.partial(function, args[0])
    return lambda *operands: function(*filled(args, operands), **filled(kwargs, operands))


def _is_fixed(value: Any) -> bool:
    """Whether an argument is the same in every run."""
    return next(found_in(value, Ref), None) is None


def _checking(node: Node) -> Callable | None:
    """What looks whether a result has the shape and dtype that it had; Python numbers become such again."""
    spec, weak = node.spec, node.weak
    if spec is None:
        return weak
    name = node.operands[0].name if node.name == "part" else node.name
    shape, dtype = spec.shape, spec.dtype

    def check(result: Any) -> Any:
        is_array = result.__class__ is np.ndarray
        if (result.shape if is_array else np.shape(result)) != shape or _dtype(result) != dtype:
            raise Mismatch(-1, name)
        return weak(result) if weak else result

    return check


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


def caller(node: Node) -> Callable:
    """What gives the result of a node's call for a list of operands, of which some may stand for Python's numbers.

    It raises `Mismatch` if the result has another shape or dtype than it had.
    """
    call, check = prepared(node), _checking(node)
    weak = [(k, o.weak) for k, o in enumerate(node.operands) if o.weak]

    def called(operands: list) -> Any:
        for k, kind in weak:
            if operands[k].__class__ is not kind:
                operands[k] = kind(operands[k])
        result = call(*operands)
        return result if check is None else check(result)

    return called


def _dtype(result: Any) -> np.dtype:
    return result.dtype if isinstance(result, (np.ndarray, np.generic)) else np.asarray(result).dtype
