"""A call with derivative rules of its user's own, at whatever level its operands are.

`apply` looks at the operand of the highest level and does there what the rules say: a tensor's call is recorded as one
operation, the tangents of dual numbers are pushed through, a batch is taken apart. What is inside the operands goes to
the rules, which are NumPy programs: so the levels below see the rules' own operations, and derivatives of derivatives
need nothing of their own.

One rule is enough for both modes. A tangent rule is linear in the tangents, so that its transpose, found by recording
it once, pulls cotangents back. A cotangent rule is linear in the cotangents: transposed, it pushes tangents forward.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box, alias, checked_cotangent, plain, read_only, unbox
from wengert.errors import BatchError, GradientError, LostGradientError, RuleError
from wengert.protocol import GROUND, Spec, Wrapper, everything, highest, new_level, spec_of
from wengert.tensor import Tensor
from wengert.transforms.batching import Batch, stretched
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.forward import Dual
from wengert.transforms.joint import record
from wengert.transforms.lifted import opened

__all__ = ["Batched", "Call", "Results", "apply"]


@dataclass
class Results:
    """The containers of a call's results, and shape and dtype of each that is a float or complex array."""

    structure: Any
    specs: list[Spec | None]

    def filled(self, given: Sequence) -> Any:
        """Cotangents (`None` where none arrived) in the results' containers; zeros for those that are missing."""
        return rebuild(self.structure, [self.zero(i) if g is None else g for i, g in enumerate(given)])

    def zero(self, i: int) -> Any:
        """A zero cotangent of one result."""
        spec = self.specs[i]
        return None if spec is None else np.zeros(spec.shape, spec.dtype)[()]


class Call:
    """One call of a function with rules, as a function of the leaves of its arguments."""

    name: str
    pulls = True
    """Whether there is a rule for cotangents (`forward` and `pull`)."""
    pushes = False
    """Whether there is a rule for tangents (`push`)."""
    replaces = False
    """Whether the rules stand in the place of the derivative that the function's own operations have."""
    fixed: frozenset[int] = frozenset()
    """The positions of results that are constants, known after `forward` or `push`."""

    def operand(self, i: int) -> str:
        """The name of a leaf, for messages."""
        return f"argument {i}"

    def run(self, leaves: list) -> Any:
        """The function itself."""
        raise NotImplementedError

    def forward(self, leaves: list) -> tuple[Any, Any]:
        """The results, and what `pull` needs of them (in containers)."""
        raise NotImplementedError

    def pull(self, state: Any, results: Results, given: list) -> list:
        """The cotangent of each leaf (or `None`) from those of the results (or `None`)."""
        raise NotImplementedError

    def push(self, leaves: list, tangents: list) -> tuple[Any, Any]:
        """The results and their tangents, from a tangent (or `None`) for each leaf."""
        raise NotImplementedError


def apply(call: Call, leaves: Sequence) -> Any:
    """Run a call, with its rules in the place of what its function's operations would do."""
    opened_leaves = [opened(x) if isinstance(x, Wrapper) else x for x in leaves]
    top = highest(opened_leaves)
    if isinstance(top, Box):
        return _on_tensors(call, top, opened_leaves)
    if isinstance(top, Dual):
        return _on_duals(call, top, opened_leaves)
    if isinstance(top, Batch):
        return _on_batches(call, top, opened_leaves)
    if call.replaces and top is not None and getattr(top, "_is_series", False):
        raise GradientError(
            f"[{call.name}] a function without rules of its own was required by wg.taylor and wg.derivatives, which "
            f"expand its operations; received {top._spec!r}; use nested wg.jvp, or a primitive of wg.elementwise"
        )
    return call.run(opened_leaves)


def _ours(top: Any, leaves: list) -> list[bool]:
    return [isinstance(x, Wrapper) and x._level == top._level for x in leaves]


def _value(x: Any) -> Any:
    """What is inside an operand, to be read by the rules."""
    return read_only(unbox(x._value))


def _results_of(call: Call, out: Any, level: int) -> tuple[list, Results]:
    """The leaves of the results, which must not depend on the level but by the call's operands."""
    leaves, structure = flatten(out)
    leaves = [opened(y) if isinstance(y, Wrapper) else y for y in leaves]
    _refuse_leaks(call, leaves, level)
    return leaves, Results(structure, [None if i in call.fixed else inexact_spec(y) for i, y in enumerate(leaves)])


def _refuse_leaks(call: Call, values: list, level: int) -> None:
    for y in values:
        if isinstance(y, Wrapper) and y._level >= level:
            raise LostGradientError(
                f"[{call.name}] a function that reads recorded values from its arguments only was required, as its "
                f"rule knows of no others; a result, {y._spec!r}, depends on a recorded value from elsewhere; make "
                f"that an argument, or give wg.stop_gradient of it"
            )


def inexact_spec(y: Any) -> Spec | None:
    """Shape and dtype of a float or complex array or number; `None` of anything else."""
    if isinstance(y, (Wrapper, np.ndarray, np.generic, float, complex)):
        spec = spec_of(y)
        return spec if spec.inexact else None
    return None


# Tensors ---------------------------------------------------------------------------------------------------------


def _on_tensors(call: Call, top: Any, leaves: list) -> Any:
    ours = _ours(top, leaves)
    inner = [_value(x) if mine else alias(x) for x, mine in zip(leaves, ours, strict=True)]
    if tape.floor() > top._level:
        return _boxed(top, *flatten(apply(call, inner)))
    step = _Pulled if call.pulls else _Transposed
    pulled = step(call, top._level, leaves, ours, inner)
    positions = [i for i, spec in enumerate(pulled.results.specs) if spec is not None]
    if not positions:
        return rebuild(pulled.results.structure, pulled.values)
    pulled.positions = positions
    parents = [x._node if mine else None for x, mine in zip(leaves, ours, strict=True)]
    values = pulled.values
    del pulled.values  # the tape keeps what the rule asked for, and no more
    specs = [spec for spec in pulled.results.specs if spec is not None]
    nodes = record(call.name, parents, specs, pulled)
    for i, node in zip(positions, nodes, strict=True):
        values[i] = top._box(values[i], top._level, node)
    return rebuild(pulled.results.structure, values)


def _boxed(top: Any, values: list, structure: Any) -> Any:
    """Results that are not recorded, as tensors of the operands' class."""
    boxed = [y if isinstance(y, Box) or inexact_spec(y) is None else top._buffer(y) for y in values]
    return rebuild(structure, boxed)


class _Pulled:
    """The backward step of a call with a rule for cotangents."""

    positions: list[int]

    def __init__(self, call: Call, level: int, leaves: list, ours: list[bool], inner: list):
        self.call, self.level = call, level
        self.parents = [(i, x._node) for i, x in enumerate(leaves) if ours[i]]
        out, self.state = call.forward(inner)
        self.values, self.results = _results_of(call, out, level)
        # Only a pass outside all transformations can be recorded itself (create_graph).
        self.again = _Again(leaves, inner, self.state) if level <= GROUND else None

    def __call__(self, arrived: list, level: int | None) -> Iterator[tuple[tape.Node, Any]]:
        given: list = [None] * len(self.results.specs)
        for i, g in zip(self.positions, arrived, strict=True):
            given[i] = read_only(g)
        if level is not None and self.again is not None:
            state = self.again.state(self.call, self.state)
            return self._sent(self.call.pull(state, self.results, given), recorded=True)
        with tape.recording_above(self.level) if self.level <= GROUND else nullcontext():
            return self._sent(self.call.pull(self.state, self.results, given), recorded=False)

    def _sent(self, cotangents: list, recorded: bool) -> Iterator[tuple[tape.Node, Any]]:
        return _sent(self.call, self.parents, cotangents, self.level, recorded)


def _sent(call: Call, parents: list, cotangents: list, level: int, recorded: bool) -> Iterator:
    """The cotangents, checked, with the nodes they go to."""
    pairs = []
    for i, node in parents:
        c = cotangents[i]
        if not recorded and isinstance(c, Box) and c._level == level:
            c = c._value  # what else it depends on at this level is no business of a pass that is not recorded
        if c is not None:
            pairs.append((node, _checked(call, i, c, node.spec)))
    return iter(pairs)


def _checked(call: Call, i: int, c: Any, like: Spec) -> Any:
    if not isinstance(c, (Wrapper, np.ndarray, np.generic, float, complex, int)):
        raise RuleError(
            f"[{call.name}] an array was required as the cotangent of {call.operand(i)}, {like!r}; received "
            f"{type(c).__name__}; return an array of that shape, or None for zero"
        )
    return checked_cotangent(f"{call.name}, cotangent of {call.operand(i)}", c, like)


class _Again:
    """What a call needs to be run once more in a pass that is itself recorded, so that its state has a history."""

    def __init__(self, leaves: list, inner: list, state: Any):
        kept = [alias(x) for x in leaves]
        self.kept: list | None = kept
        saved, self.structure = flatten(state)
        places = [next((k for k, x in enumerate(inner) if x is s), None) for s in saved]
        self.lifted: list | None = None
        if all(k is not None or _is_constant(s) for s, k in zip(saved, places, strict=True)):
            # All that is kept are arguments: they are there with their history.
            self.lifted = [s if k is None else kept[k] for s, k in zip(saved, places, strict=True)]
            self.kept = None

    def state(self, call: Call, first: Any) -> Any:
        """The state with its history."""
        if self.lifted is not None:
            return rebuild(self.structure, self.lifted)
        _, second = call.forward([alias(x) for x in self.kept or ()])
        _check_same(call, first, second)
        return second


def _is_constant(value: Any) -> bool:
    """Whether a kept value cannot depend on the arguments in a way that has a derivative."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "fcO"
    return value is None or isinstance(value, _CONSTANTS)


_CONSTANTS: tuple[type, ...] = (int, float, complex, str, bytes, np.integer, np.bool_, np.dtype, type)


def _check_same(call: Call, first: Any, second: Any) -> None:
    """Refuse a function that gave other values when it was run once more."""
    before, after = flatten(first)[0], flatten(second)[0]
    same = len(before) == len(after) and all(_agree(a, b) for a, b in zip(before, after, strict=False))
    if not same:
        raise GradientError(
            f"[{call.name}] a function that gives the same values each time was required, as a pass with "
            f"create_graph=True runs it once more; it kept others the second time; draw random numbers outside and "
            f"pass them as arguments"
        )


def _agree(a: Any, b: Any) -> bool:
    a, b = everything(a), everything(b)
    if isinstance(a, (np.ndarray, np.generic)) and isinstance(b, (np.ndarray, np.generic)):
        return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-4, atol=1e-12, equal_nan=True))
    return True


class _Transposed:
    """The backward step of a call with a rule for tangents: the rule, recorded as a function of them, backwards."""

    positions: list[int]

    def __init__(self, call: Call, level: int, leaves: list, ours: list[bool], inner: list):
        self.call, self.level = call, level
        self.parents = [(i, x._node) for i, x in enumerate(leaves) if ours[i]]
        self.kept = [alias(x) for x in leaves] if level <= GROUND else None
        self.values, self.results, self.linear = self._recorded(inner, level)

    def _recorded(self, inner: list, above: int) -> tuple[list, Results, tuple]:
        """The results, and the tape of their tangents: the leaves, and a node for each result that depends on them.

        The results must be `above` no level but by the operands.
        """
        with new_level() as level, tape.recording_from(level):
            tangents: list = [None] * len(inner)
            starts = []
            for i, node in self.parents:
                start = tape.new_leaf(node.spec)
                tangents[i] = Tensor._box(np.ones(node.spec.shape, node.spec.dtype)[()], level, start)
                starts.append(start)
            out, moved = self.call.push(inner, tangents)
            values, results = _results_of(self.call, out, above)
            moved = _tangents_of(self.call, results, moved)
            ends = [t._node if isinstance(t, Tensor) and t._level == level else None for t in moved]
        return values, results, (starts, ends)

    def __call__(self, arrived: list, level: int | None) -> Iterator[tuple[tape.Node, Any]]:
        starts, ends = self.linear
        if level is not None:
            _, _, (starts, ends) = self._recorded([alias(x) for x in self.kept or ()], level + 1)
        heads = [(ends[i], g) for i, g in zip(self.positions, arrived, strict=True) if ends[i] is not None]
        if any(g is not None for _, g in heads):
            found = tape.backpropagate([(n, g) for n, g in heads if g is not None], retain=True)
        else:
            found = {}
        cotangents: list = [None] * (max(i for i, _ in self.parents) + 1)
        for (i, _), start in zip(self.parents, starts, strict=True):
            cotangents[i] = found.get(start)
        return _sent(self.call, self.parents, cotangents, self.level, recorded=level is not None)


# Dual numbers ----------------------------------------------------------------------------------------------------


def _on_duals(call: Call, top: Dual, leaves: list) -> Any:
    ours = _ours(top, leaves)
    primals = [_value(x) if mine else x for x, mine in zip(leaves, ours, strict=True)]
    tangents = [read_only(unbox(x._tangent)) if mine else None for x, mine in zip(leaves, ours, strict=True)]
    if call.pushes:
        out, moved = call.push(primals, tangents)
        values, results = _results_of(call, out, top._level)
        moved = _tangents_of(call, results, moved)
    else:
        values, results, moved = _pushed(call, primals, tangents, top._level)
    for i, spec in enumerate(results.specs):
        if spec is not None:
            t = results.zero(i) if moved[i] is None else moved[i]
            while isinstance(t, (Dual, Box)) and t._level >= top._level:
                t = unbox(t._value)  # what a rule has closed over is a constant to the tangent's own level
            _refuse_leaks(call, [t], top._level)
            values[i] = Dual._of(_scalar(values[i]), _scalar(t), top._level)
    return rebuild(results.structure, values)


def _scalar(y: Any) -> Any:
    """Values without axes as NumPy's scalars."""
    return y if isinstance(y, Wrapper) or np.ndim(y) else np.asarray(y)[()]


def _tangents_of(call: Call, results: Results, moved: Any) -> list:
    """The tangents that a rule gave, checked against the results."""
    tangents, structure = flatten(moved)
    if structure != results.structure:
        raise RuleError(
            f"[{call.name}] tangents in the containers of the results, {results.structure or 'a single array'}, were "
            f"required; the rule gave {structure or 'a single array'}"
        )
    return [
        None if spec is None or t is None else checked_cotangent(f"{call.name}, tangent of result {i}", t, spec)
        for i, (t, spec) in enumerate(zip(tangents, results.specs, strict=True))
    ]


def _pushed(call: Call, primals: list, tangents: list, above: int) -> tuple[list, Results, list]:
    """Results and their tangents by transposing the rule for cotangents, which is linear in them."""
    out, state = call.forward(primals)
    values, results = _results_of(call, out, above)
    with new_level() as level, tape.recording_from(level):
        starts = [None if spec is None else tape.new_leaf(spec) for spec in results.specs]
        given = [
            None if start is None else Tensor._box(np.ones(start.spec.shape, start.spec.dtype)[()], level, start)
            for start in starts
        ]
        heads = []
        for i, c in enumerate(call.pull(state, results, given)):
            if c is not None and tangents[i] is not None:
                c = _checked(call, i, c, spec_of(primals[i]))
                if isinstance(c, Tensor) and c._level == level:
                    heads.append((c._node, tangents[i]))
        found = tape.backpropagate(heads)
    return values, results, [None if start is None else found.get(start) for start in starts]


# Batches ---------------------------------------------------------------------------------------------------------


def _on_batches(call: Call, top: Batch, leaves: list) -> Any:
    ours = _ours(top, leaves)
    inner = [unbox(x._value) if mine else x for x, mine in zip(leaves, ours, strict=True)]
    if highest(inner) is None:  # nobody asks for derivatives
        return call.run([Batch._of(x, top._level) if mine else x for x, mine in zip(inner, ours, strict=True)])
    values, structure = flatten(apply(Batched(call, ours, top._length, top._level), inner))
    return rebuild(structure, [Batch._of(y, top._level) if _has_axes(y) else y for y in values])


def _has_axes(y: Any) -> bool:
    return isinstance(y, (Wrapper, np.ndarray))


class Batched(Call):
    """A call for all examples of a batch at once; its results all have the batch axis."""

    def __init__(self, call: Call, mapped: list[bool], length: int, outside: int | None = None):
        self.call, self.mapped, self.n, self.outside = call, mapped, length, outside
        self.name, self.pulls, self.pushes = call.name, call.pulls, call.pushes
        self.replaces = call.replaces
        self.operand = call.operand  # type: ignore[method-assign]

    @property
    def fixed(self) -> frozenset[int]:  # type: ignore[override]
        """As of the call for one example."""
        return self.call.fixed

    def _in(self, leaves: list, level: int) -> list:
        return [
            Batch._of(x, level) if mine and x is not None else x for x, mine in zip(leaves, self.mapped, strict=True)
        ]

    def _out(self, value: Any, level: int) -> Any:
        leaves, structure = flatten(value)
        return rebuild(structure, [self._with_axis(y, level) for y in leaves])

    def _with_axis(self, y: Any, level: int) -> Any:
        y = opened(y) if isinstance(y, Wrapper) else y
        inside = y._value if isinstance(y, Batch) and y._level == level else y
        while isinstance(inside, Wrapper):
            if inside._level == self.outside:
                _refuse_leaks(self.call, [inside], inside._level)
            inside = inside._value
        if isinstance(y, Batch) and y._level == level:
            return unbox(y._value)
        if not isinstance(y, (Wrapper, np.ndarray, np.generic, float, complex, int)):
            return y
        return np.copy(stretched(y if isinstance(y, Wrapper) else plain(y), self.n))

    def run(self, leaves: list) -> Any:
        """Run the call for all examples at once."""
        with new_level() as level:
            return self._out(self.call.run(self._in(leaves, level)), level)

    def forward(self, leaves: list) -> tuple[Any, Any]:
        """As of the call for one example, for all at once."""
        with new_level() as level:
            out, state = self.call.forward(self._in(leaves, level))
            saved, structure = flatten(state)
            saved = [opened(s) if isinstance(s, Wrapper) else s for s in saved]
            batched = tuple(isinstance(s, Batch) and s._level == level for s in saved)
            for s in saved:
                if not isinstance(s, (Wrapper, np.ndarray, np.generic)) and not _is_constant(s):
                    raise BatchError(
                        f"[{self.name}] arrays in containers were required to be kept for the backward rule inside "
                        f"vmap; received {type(s).__name__}, in which batches cannot be seen; keep arrays"
                    )
            kept = [unbox(s._value) if mine else s for s, mine in zip(saved, batched, strict=True)]
            return self._out(out, level), (kept, _Rebatch(structure, batched))

    def pull(self, state: Any, results: Results, given: list) -> list:
        """As of the call for one example, for all at once; cotangents of what they share are summed."""
        kept, batches = state
        specs = [None if spec is None else _example(spec) for spec in results.specs]
        with new_level() as level:
            cotangents = self.call.pull(
                batches.of(kept, level),
                Results(results.structure, specs),
                [None if g is None else Batch._of(g, level) for g in given],
            )
            found = [None if c is None else self._with_axis(c, level) for c in cotangents]
        return [c if c is None or mine else np.sum(c, axis=0) for c, mine in zip(found, self.mapped, strict=True)]

    def push(self, leaves: list, tangents: list) -> tuple[Any, Any]:
        """As of the call for one example, for all at once."""
        with new_level() as level:
            out, moved = self.call.push(self._in(leaves, level), self._in(tangents, level))
            return self._out(out, level), self._out(moved, level)


def _example(spec: Spec) -> Spec:
    """Shape and dtype of one example of a batch."""
    return spec_of(np.broadcast_to(np.zeros((), spec.dtype), spec.shape[1:]))


class _Rebatch:
    """Which of the values that a call has kept are batches."""

    def __init__(self, structure: Any, batched: tuple[bool, ...]):
        self.structure, self.batched = structure, batched

    def of(self, kept: list, level: int) -> Any:
        """The values in their containers, with those that are batches as batches of a level."""
        values = [Batch._of(s, level) if mine else s for s, mine in zip(kept, self.batched, strict=True)]
        return rebuild(self.structure, values)


_CONSTANTS += (_Rebatch,)
