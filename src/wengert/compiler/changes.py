"""What a function has written while it was recorded: how a program does it, and how it is undone."""

from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box, bare
from wengert.compiler.containers import (
    FILLED,
    are_alike,
    containers,
    everything,
    identity,
    is_container,
    is_record,
    with_parts,
)
from wengert.compiler.found import flags, is_number
from wengert.compiler.given import GIVEN, Filled, can_be_filled, holder
from wengert.compiler.places import ABSENT, Place, TupleItem
from wengert.compiler.program import Node, Program, depends
from wengert.compiler.remade import Remade, base, changed, note_base, remade, shows_kept
from wengert.compiler.shown import are_told_apart
from wengert.compiler.trace import Trace
from wengert.compiler.whose import CONSTANT
from wengert.compiler.writing import IN_PLACES, IN_TENSORS, OF_GRADIENTS, write_back
from wengert.tensor import Tensor

__all__ = ["Changes"]


class Changes:
    """What a function has written: for each the place, and the node of what is there afterwards."""

    def __init__(self, captured: Any, program: Program):
        self.captured, self.program = captured, program
        self.tensors: list[tuple[Node, Node | None]] = []
        self.histories = [t._node for t in captured.tensors]
        self.hooks = [(node, node.rule, [*_hooks(node)]) for node in self.histories if node is not None]
        self.gradients: list[Any] = []
        """What stands for the gradients: tensors that users may hold as well."""
        self.stand_ins: list[tuple[Any, Node]] = []
        self.expected: dict[tuple, Any] = {}
        self.written: list[tuple[str, int, Node]] = []
        self.made: list[Any] = []
        """What the recorded run has made for each of them."""
        self.replaced: list[tuple[Place, Any]] = []
        self.cleared: list[tuple[int, str, Any]] = []
        """Slots of tensors that get the same at each call: no gradient, a flag; by the tensor's number."""
        self.exchanged: list[tuple[int, Any]] = []
        """Places, by their numbers among the entries, that get one thing at each call: a number, a text."""
        self.twins: list[tuple[int, str, int]] = []
        """Places that get what another one holds: the kind of that, and its number."""
        self.remade: list[Remade] = []
        """Containers that places get in the place of others."""
        self.within: set[tuple] = set()
        """The identities of their places, and of those inside."""
        self.settled: dict[int, tuple[Any, Any]] = {}
        """What is kept somewhere, and what stands for it after the recording; by identity."""
        self.escaped: str | None = None
        """What of the recording outlives it where nobody looks, if something does."""
        self.leaks = False
        """Whether the function has kept something of the recording of which nobody can tell what it would have been:
        objects that it has made hold tensors where it would have put arrays, or what is kept shares its memory."""
        self.visited: set[int] = set()
        """Containers in which traces have been looked for."""
        self.flags = [flags(t) for t in captured.tensors]
        self.unsettled: str | None = None
        """What the function does that a program cannot do, if so."""
        self.rewritten: str | None = None
        """What it does to its arguments that a program cannot do, if so."""
        self.given: list[tuple] | None = []
        """What lies in containers among the arguments that was not there, each with its place."""
        self.filled: Filled | None = None
        """How a program puts it there."""
        self.rebuilt: set[int] = set()
        """The containers that stand for those among the arguments; by identity."""
        self.failed: BaseException | None = None
        """What the function has raised, if so."""
        self.interrupted: BaseException | None = None
        """What it has been interrupted by, if so: what it has done until then stays."""
        self.variables: list[Place] = []
        """Numbers that turned out to change."""
        program.can_be_undone = captured.found.has_same_contents

    def input(self, value: Any, program: Program) -> Trace:
        """A trace for an input."""
        return Trace._of(value, program.input(value), program)

    def note(self) -> None:
        """Look at everything after the function has run."""
        if any(isinstance(guard.outcome, tuple) for guard in self.program.guards):  # whole arrays are read out
            self.variables += self.captured.found.small  # one of them may have been indexed by a recorded value
        self._shared_memory()
        if any(_hooks(node) != hooks for node, _, hooks in self.hooks):
            self.rewritten = "it puts a hook on a tensor that it is given, or uses"
        for k, t in enumerate(self.captured.tensors):
            self._tensor(k, t)
        self._windows()
        for k, (stand_in, node) in enumerate(self.stand_ins):
            value = bare(stand_in)
            if not isinstance(value, Trace) or value._node is not node:
                self._write("array", k, value)
        held_at = {id(t): ("tensor", j) for j, t in enumerate(self.captured.tensors)}
        held_at |= {id(s): ("array", j) for j, (s, _) in enumerate(self.stand_ins)}
        held_at |= {id(a): ("fixed", j) for j, (a, _) in enumerate(self.captured.found.fixed)}
        held_at |= {id(bare(x)): ("part", j) for j, x in enumerate(self.captured.tensors)}  # the memory of `x.data`
        self._entries(held_at)
        self._given(held_at)
        if self.unsettled:
            self.leaks = self._keeps_what_is_guessed(held_at)
        for array in [array for array, contents in self.captured.found.fixed if array.tobytes() != contents]:
            is_float = array.dtype.kind in "fc"
            what = "that no other can take the place of (a function's default)" if is_float else "of whole numbers"
            self._refuse(f"it writes an array {what}")
        for contents in self.captured.found.contents:
            if not contents.is_same():
                self._look_for_given(contents.container)
                what = "changes the order, or the parts, of" if contents.has_size() else "adds to or takes from"
                self._refuse(f"it {what} a {type(contents.container).__name__}")
                with_parts(contents.container, self.concrete)

    def _shared_memory(self) -> None:
        """What was written while something else had its memory, where nothing of that is recorded."""
        if any(bare(a)._node is not bare(b)._node for a, b in self.program.lent):
            self.rewritten = "it writes an array that shares its memory with a tensor"
        self.program.lent.clear()
        if are_told_apart(self.program):
            self.program.misread = "it writes an array that shares its memory with another one"
        self.program.shown, self.program.still = [], []
        self.rewritten = self.rewritten or self.program.misread

    def _windows(self) -> None:
        """Views among the tensors that are given: nothing can be written through them."""
        written = {id(self.captured.tensors[k]) for kind, k in self.places() if kind == "tensor"}
        for own, view in self.captured.windows:
            if id(own) in written:
                self.rewritten = "it writes a view that it is given"
            elif own._node is not None and not hasattr(view, "_stand_alone"):
                self.rewritten = "it asks for the gradient of a view"

    def _entries(self, held_at: dict[int, tuple[str, int]]) -> None:
        """Places that hold something else now; `held_at` says what is where, by its identity."""
        now = [place.get() for place, _ in self.captured.found.entries]
        for k, (place, held) in enumerate(self.captured.found.entries):
            is_inside = place.identity[0] in self.within
            if is_inside:
                self.within.add(place.identity)
            if is_inside and self._is_part_of_remade(place):
                continue
            if self._is_put(place, held, now[k]):
                if is_inside:
                    self.rewritten = "it writes into a container that it makes anew"
                self._entry(k, place, held, now[k], held_at)

    def _is_put(self, place: Place, held: Any, now: Any) -> bool:
        """Whether a place has been given something else.

        The same number is something else where that of a later call may differ, for which a trace stood there.
        """
        if place.identity in self.expected:
            return now is not self.expected[place.identity]
        return now is not held and not _is_same_number(now, held)

    def _keeps_what_is_guessed(self, held_at: dict[int, tuple[str, int]]) -> bool:
        """Whether it keeps tensors with a history, views, or what may be a tensor or an array."""
        as_tensors = {self.captured.found.entries[k][0].identity for kind, k in self.places() if kind == "box"}
        kept = {id(y): (place, y) for place, x in self.replaced for y in everything(x) if _is_of_recording(y)}
        bases = {id(base(y)) for _, y in kept.values()}
        if len(bases) < len(kept) or any(shows_kept(y, held_at) for _, y in kept.values()):
            return True
        boxes = [(place, y) for place, y in kept.values() if isinstance(y, Box)]
        if any(y._node is not None for _, y in boxes):
            return True
        tensors = {node for node, _ in self.tensors}
        doubtful = [bare(y)._node for place, y in boxes if place.identity not in as_tensors]
        return bool(tensors) and any(depends(node, tensors) for node in doubtful)

    def _given(self, held_at: dict[int, tuple[str, int]]) -> None:
        """Containers among the arguments that hold something else now."""
        if self.given is None:
            self.rewritten = "it writes into a container that it is given"
        elif self.given and self.unsettled:
            self.rewritten = "it writes into a container that it is given, and keeps something of another kind"
        elif self.given:
            self._fill(self.given, held_at)

    def _tensor(self, k: int, t: Any) -> None:
        value, grad = bare(t), getattr(t, "_grad", None)
        before, before_grad = self.tensors[k]
        if t._node is not self.histories[k]:
            self._requires(k, t)
        if not isinstance(value, Trace) or value._node is not before:
            self._write("tensor", k, value)
        if grad is None:
            if before_grad is not None:
                self.cleared.append((k, "_grad", None))
        elif not isinstance(bare(grad), Trace) or bare(grad)._node is not before_grad:
            self._write("gradient" if grad is self.gradients[k] else "grad", k, bare(grad))
        for name, held, now in zip(t._flags, self.flags[k], flags(t), strict=True):
            if now is not held:
                self.cleared.append((k, name, now))

    def _requires(self, k: int, t: Any) -> None:
        """A tensor is a leaf that collects gradients now; any other history is no leaf's."""
        if self.histories[k] is None and isinstance(t._node, tape.Leaf):
            self.cleared.append((k, "_node", t._node))
        elif not (isinstance(t._node, tape.Leaf) and isinstance(self.histories[k], tape.Leaf)):
            self.rewritten = "it changes whether a tensor requires a gradient"

    def _entry(self, k: int, place: Place, held: Any, now: Any, held_at: dict[int, tuple[str, int]]) -> None:
        """A place holds something else now; what other places hold is theirs, too."""
        value = bare(now) if isinstance(now, Box) else now
        if held is ABSENT:
            self._refuse(f"it makes {place}")
        self._look_for_given(now)
        plain = now.__class__ in (int, float)
        if isinstance(now, Box) and now._node is not None:
            self._refuse(f"it keeps a tensor with a history in {place}")
        elif shows_kept(now, held_at):
            self.rewritten = f"it keeps a view, in {place}, of what it keeps elsewhere"
        elif plain and held.__class__ in (int, float):
            if place.identity not in self.expected:
                self.variables.append(place)
                self._refuse(f"it changes {place}")
            else:  # in its own class, which may be another one than that of what was there
                self.exchanged.append((k, now))
        elif isinstance(value, Trace) and is_number(held) and self._class(now) is held.__class__:
            self._write("number", k, value)
            if place.identity not in self.expected:
                self.variables.append(place)
        elif _is_array(value) and value.ndim and isinstance(held, (Box, np.ndarray)) and id(now) in held_at:
            self._twin(k, place, held_at[id(now)])
        elif isinstance(now, Box) and isinstance(held, Box):
            if not self._is_tensor(now):
                self.rewritten = f"it puts an array where a tensor was, into {place}"
            self._write("box", k, value)
        elif _is_array(value) and isinstance(held, np.ndarray) and self._is_plain_array(now):
            self._write("rebound", k, value)
        elif is_container(now) and id(now) in held_at:
            self._twin(k, place, held_at[id(now)])
        elif are_alike(held, now):
            self._container(k, place, held, now, held_at)
        elif isinstance(now, CONSTANT):
            self.exchanged.append((k, now))
        else:
            if isinstance(value, Trace) and self._class(now):  # a number from now on, or one of another class
                self.variables.append(place)
            self._refuse(f"it puts something else into {place}")
        self.replaced.append((place, now))
        held_at.setdefault(id(now), ("entry", k))
        note_base(now, k, held_at)

    def _look_for_given(self, x: Any) -> None:
        """What is kept must not hold a container that stands for one which the caller goes on to use."""
        if any(id(part) in self.rebuilt for part in everything(x)):
            self.rewritten = "it keeps a container that it is given"

    def _twin(self, k: int, place: Place, at: tuple[str, int]) -> None:
        """A place has got what another one holds."""
        if at[0] == "part":
            self.rewritten = f"it puts a part of what it keeps elsewhere into {place}, too"
        self.twins.append((k, *at))

    def _is_plain_array(self, now: Any) -> bool:
        """Whether the function itself would have put an array somewhere, no number and no tensor."""
        return self._class(now) is None and not (isinstance(now, Box) and self._is_tensor(now))

    def _is_tensor(self, now: Box) -> bool:
        """Whether the function itself would have put a tensor somewhere, not an array."""
        value = bare(now)
        is_made = not isinstance(value, Trace) or now._family.tensor is not Tensor
        return is_made or depends(value._node, {node for node, _ in self.tensors})

    def _class(self, now: Any) -> type | None:
        """The class of the number that the function itself would have put somewhere; `None` if that is no number."""
        value = bare(now) if isinstance(now, Box) else now
        if not isinstance(value, Trace):
            return None
        if now is value and value._held.__class__ in (int, float):
            return value._held.__class__
        is_tensor = now is not value and (now._family.tensor is not Tensor or getattr(now, "_mutable", False))
        if value._spec.shape or is_tensor or depends(value._node, {node for node, _ in self.tensors}):
            return None
        return value._spec.dtype.type

    def _container(self, k: int, place: Place, held: Any, now: Any, held_at: dict[int, tuple[str, int]]) -> None:
        """A place has got another container, built as the one that was there: so it does at each call."""
        found = self.captured.found
        known = {id(contents.container) for contents in found.contents} | {id(x) for _, x in found.entries}
        own = [x for x in containers([now]) if not isinstance(x, tuple)]
        before = known | held_at.keys()
        if len(set(map(id, own))) < len(own) or any(id(x) in before or identity(x) in before for x in own):
            self.rewritten = f"it puts a container that is elsewhere into {place}"
            return
        for inside, number in changed(place, held, now):
            if inside.identity not in self.expected:
                self.variables.append(inside)
                if is_number(number):
                    self._refuse(f"it changes {inside}")
        made = remade(k, now, held_at, {node for node, _ in self.tensors})
        if isinstance(made, str):
            self.rewritten = f"it puts {made} into {place}"
            return
        self._parts(made)
        held_at[id(now)] = "entry", k
        for part in everything(now):
            held_at.setdefault(id(part), ("part", k))
            note_base(part, k, held_at)
        self.remade.append(made)
        self.within.add(place.identity)

    def _fill(self, given: list[tuple], held_at: dict[int, tuple[str, int]]) -> None:
        """Containers among the arguments have got other parts."""
        paths, now = zip(*given, strict=True)
        parts = remade(GIVEN, now, held_at, {node for node, _ in self.tensors})
        if isinstance(parts, Remade) and all(can_be_filled(self.captured.given, path) for path in paths):
            self._parts(parts)
            self.filled = Filled(paths, parts)
        else:
            self.rewritten = "it writes into a container that it is given"

    def _is_part_of_remade(self, place: Place) -> bool:
        """Whether a place is an item of a tuple that has been made anew, so that the new one's item is there."""
        while isinstance(place, TupleItem):
            place = place.holder
        return place.identity in {self.captured.found.entries[made.number][0].identity for made in self.remade}

    def _parts(self, container: Remade) -> None:
        """Let the program compute what is in a container."""
        for leaf in container.results.leaves:
            if leaf.node is not None:
                self._write("part", container.number, leaf.value)
        container.results.forget()

    def are_any(self) -> bool:
        """Whether the function has written anything."""
        noted = self.written, self.cleared, self.replaced, self.given, self.unsettled, self.rewritten
        return any(map(bool, noted)) or self.given is None or self.puts()

    def puts(self) -> bool:
        """Whether it puts anything into a place."""
        is_put = any(kind in (*IN_PLACES, "part") for kind, _ in self.places())
        return is_put or bool(self.exchanged or self.twins or self.remade or self.filled)

    def _refuse(self, why: str) -> None:
        self.unsettled = self.unsettled or why

    def _write(self, kind: str, k: int, value: Any) -> None:
        if not isinstance(value, Trace) and np.asarray(value).dtype.kind not in "fciub":
            self.rewritten = "it keeps an array of what is no number"
            return
        node = value._node if isinstance(value, Trace) else self.program.constant(np.asarray(value))
        self.written.append((kind, k, node))
        self.made.append(value._apart() if isinstance(value, Trace) else _copied(value))

    def can_be_repeated(self) -> bool:
        """Whether all that the function has done is undone; if so, random numbers are those that they were, too."""
        self.rewind()
        return self.captured.found.has_same_contents()

    def rewind(self) -> None:
        """Draw the same random numbers again; containers, and arrays that are compared, get back what was in them.

        Hooks that have been put on tensors are taken away.
        """
        for generator, state in self.program.states:
            generator.bit_generator.state = state
        for contents in self.captured.found.contents:
            contents.restore()
        for node, rule, hooks in self.hooks:
            if _hooks(node) != hooks:
                node.rule = rule
                _hooks(node)[:] = hooks
        for array, before in self.captured.found.fixed:
            if array.tobytes() != before and not array.dtype.hasobject:
                array[...] = np.frombuffer(before, array.dtype).reshape(array.shape)

    def concrete(self, value: Any) -> Any:
        """What has been kept somewhere, as the function itself would have kept it; the same wherever it is kept."""
        if isinstance(value, Trace):
            return value._value
        if not isinstance(value, Box):
            return self._with_concrete_parts(value)
        if not isinstance(bare(value), Trace):
            return value
        if id(value) not in self.settled:
            given = [a for (s, _), (a, _) in zip(self.stand_ins, self.captured.arrays, strict=True) if s is value]
            self.settled[id(value)] = value, given[0] if given else self._made_concrete(value)
        return self.settled[id(value)][1]

    def _with_concrete_parts(self, value: Any) -> Any:
        """A container, or a record of fields, without traces in it."""
        if id(value) in self.visited:
            return value
        if isinstance(value, FILLED) or is_record(value):
            self.visited.add(id(value))
        return with_parts(value, self.concrete)

    def _made_concrete(self, value: Any) -> Any:
        """A tensor if it is made from one; an array, or NumPy's number, if not."""
        array = np.array(bare(value)._value)
        is_dialects = value._family.tensor is not Tensor
        if is_dialects or depends(bare(value)._node, {node for node, _ in self.tensors}):
            return value._box(array)
        return array if array.ndim or getattr(value, "_mutable", False) else array[()]

    def arrays_read(self) -> dict[int, np.ndarray]:
        """The arrays that are not written, by the numbers of the inputs that they are."""
        written = {k for kind, k in self.places() if kind == "array"}
        nodes = [node for _, node in self.stand_ins]
        return {nodes[k].source: a for k, (a, _) in enumerate(self.captured.arrays) if k not in written}

    def nodes(self) -> list[Node]:
        """The results of the program that are written back."""
        return [node for *_, node in self.written]

    def places(self) -> list[tuple[str, int]]:
        """What is written: the kind of thing, and its number."""
        return [(kind, k) for kind, k, _ in self.written]

    def writes_gradients(self) -> bool:
        """Whether any of that is a gradient."""
        return any(kind in OF_GRADIENTS for kind, *_ in self.written)

    def now(self) -> None:
        """Write back what the recorded run itself has made."""
        made = [_copied(x._value) if isinstance(x, Trace) else x for x in self.made]
        replaced = [(place, self.concrete(x)) for place, x in self.replaced if x is not ABSENT]
        given = list(zip(self.places(), made, strict=True))
        if self.unsettled:
            self.remade = []
            given = [(at, x) for at, x in given if at[0] in (*IN_TENSORS, "array") or at == ("part", GIVEN)]
        write_back(self.captured, [place for place, _ in given], [value for _, value in given], self)
        if self.unsettled:
            for place, value in replaced:
                place.set(value)
        if self.interrupted is not None and self.filled is None:
            for path, value in self.given or ():
                if can_be_filled(self.captured.given, path):
                    holder(self.captured.given, path)[path[-1]] = self.concrete(value)


def _hooks(node: Any) -> list:
    """The hooks that wait for a tensor's gradient."""
    return node.rule.hooks if isinstance(node.rule, tape.Hooked) else []


def _copied(value: Any) -> Any:
    return np.array(value) if isinstance(value, np.ndarray) else value


def _is_of_recording(value: Any) -> bool:
    """Whether something is an array or a tensor of the recording."""
    return isinstance(bare(value) if isinstance(value, Box) else value, Trace) and bool(value.ndim)


def _is_array(value: Any) -> bool:
    return isinstance(value, (Trace, np.ndarray))


def _is_same_number(now: Any, held: Any) -> bool:
    """Whether a place has been given the number that was there."""
    return now.__class__ is held.__class__ and is_number(now) and repr(now) == repr(held)
