"""What a function uses besides its arguments, while it is recorded: read, written, and given back.

While the function is recorded each tensor holds a trace, and each array and changing number is replaced by one where
it is kept. What has been written is a result of the program, which is written back at every call.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from wengert import tape
from wengert.box import Box, bare
from wengert.compiler.changes import Changes
from wengert.compiler.found import Found, flags, is_number
from wengert.compiler.places import ABSENT, Place, TupleItem
from wengert.compiler.program import Program
from wengert.compiler.surroundings import find
from wengert.compiler.writing import IN_TENSORS
from wengert.passes import DEPOSITING
from wengert.protocol import GROUND, Wrapper
from wengert.tensor import Tensor

__all__ = ["LARGEST", "Captured", "Surroundings", "is_liftable", "is_window", "shares_memory"]


LARGEST = 1 << 31
"""Whole numbers up to which a program computes: sums and products of two of them are exact, as Python's are."""


class Surroundings:
    """What a function can reach, looked up again where something has changed."""

    def __init__(self, function: Callable):
        self.function = function
        self.variables: dict[tuple, Place] = {}
        """Numbers that change from call to call, by the identities of their places."""
        self.last: Found | None = None
        self.reals: dict[tuple, Any] = {}
        """Numbers that were not whole when it was looked last, by the identities of their places."""
        self.roots: list = []

    def now(self, roots: list, arguments: list, fresh: bool = False) -> Found:
        """What there is now; tensors that are arguments are left out."""
        found = self._known(roots, fresh)
        if arguments and {id(t) for t in arguments} & {id(t) for t in found.tensors}:
            return find([self.function, *roots], self.variables, arguments)
        return found

    def _known(self, roots: list, fresh: bool) -> Found:
        last = self.last
        same_roots = len(roots) == len(self.roots) and all(a is b for a, b in zip(roots, self.roots, strict=True))
        if last is not None and same_roots and not (fresh and last.varies) and last.holds():
            return last
        found = find([self.function, *roots], self.variables, [])
        if self._changing(found):
            found = find([self.function, *roots], self.variables, [])
        self.last, self.roots = found, roots
        return found

    def release(self) -> None:
        """Let go of the arrays that were found: native code finds them anew, where others may lie by then."""
        self.last, self.roots = None, []

    def _changing(self, found: Found) -> bool:
        """Whether a number that is not whole has changed since, and is no input yet: from then on it is one."""
        fixed = [(place, held) for place, held in found.entries if _is_real(held)]
        before, real = self.reals, [(place, held) for place, held in fixed if place.identity not in self.variables]
        self.reals = {place.identity: held for place, held in real}
        changed = [place for place, held in real if before.get(place.identity, held) != held]
        for place in changed:
            self.variables[place.identity] = place
        return bool(changed)


def is_liftable(t: Any) -> bool:
    """Whether a tensor can hold a trace: outside every transformation, and with no history."""
    return (
        isinstance(t, Box)
        and not t._is_view
        and t._level <= GROUND
        and (t._node is None or isinstance(t._node, tape.Leaf))
        and not isinstance(t._value, Wrapper)
    )


def is_window(t: Any) -> bool:
    """Whether a tensor is a view without a history: a program reads it as a tensor of its own, and may not write it."""
    return (
        isinstance(t, Box) and t._is_view and t._level <= GROUND and t._node is None and bare(t).__class__ is np.ndarray
    )


class Captured:
    """Tensors, arrays and numbers at one call: those among the arguments first, then what the function reaches."""

    def __init__(self, found: Found, tensors: list, arrays: list, windows: Sequence = (), given: Any = ((), {})):
        self.found, self.windows, self.given = found, windows, given
        self.tensors = [*tensors, *found.tensors]
        self.arrays = [*[(a, []) for a in arrays], *found.arrays]
        self.numbers = found.numbers
        self._gradients = self._have_gradients()
        self._before: tuple[list, list] | None = None
        """What tensors held before they were lifted, until that is put back."""

    def _have_gradients(self) -> list[bool]:
        """Which of the tensors have a gradient now."""
        return [getattr(t, "_grad", None) is not None for t in self.tensors]

    def has_same_gradients(self) -> bool:
        """Whether the tensors have gradients that had some when the call was looked at."""
        return self._gradients == self._have_gradients()

    def values(self) -> list:
        """What is to be read: tensors, their gradients, arrays, numbers."""
        given = []
        for t in self.tensors:
            given.append(bare(t))
            g = getattr(t, "_grad", None)
            if g is not None:
                given.append(bare(g))
        return [*given, *[a for a, _ in self.arrays], *[place.get() for place, _ in self.numbers]]

    def strides(self) -> tuple:
        """How arrays and tensors lie in memory."""
        return tuple(np.asarray(x).strides for x in [*map(bare, self.tensors), *[a for a, _ in self.arrays]])

    def has_bases(self) -> bool:
        """Whether a tensor is here by itself, and as a view that is an argument."""
        return any(view._base is t for _, view in self.windows for t in self.tensors)

    def has_large(self) -> bool:
        """Whether a whole number is one that programs do not compute with."""
        whole = [place.get() for place, held in self.numbers if held.__class__ is int]
        return any(not -LARGEST <= x <= LARGEST for x in whole if x.__class__ is int)

    def has_state(self) -> bool:
        """Whether there is something that holds traces while a function is recorded."""
        return bool(self.tensors or self.arrays or self.numbers)

    def overlap(self, places: Iterable[tuple[str, int]]) -> str | None:
        """Whether something that is written lies in memory with something else."""
        n = len(self.tensors)
        written = {k if kind == "tensor" else n + k for kind, k in places if kind in ("array", "tensor")}
        if written and shares_memory(self._memory(), written):
            return "it writes an array that shares memory with another one, or in itself"
        return None

    def _memory(self) -> list:
        """All arrays, of tensors first; then what is always the same."""
        return [*map(bare, self.tensors), *[a for a, _ in self.arrays], *[a for a, _ in self.found.fixed]]

    def is_apart(self, places: Iterable[tuple[str, int]], known: Found | None) -> bool:
        """Whether arrays that are written lie apart from all others; those of what was found so are known to."""
        written = {len(self.tensors) + k for kind, k in places if kind == "array"}
        is_as_known = self.found is known and not self.tensors and len(self.arrays) == len(self.found.arrays)
        return not written or is_as_known or not shares_memory(self._memory(), written)

    def can_be_written(self, places: Iterable[tuple[str, int]]) -> bool:
        """Whether NumPy lets anybody write to the arrays that are written; else the function raises on its way."""
        return all(self.arrays[k][0].flags.writeable for kind, k in places if kind == "array")

    def shares(self, places: Iterable[tuple[str, int]]) -> bool:
        """Whether a tensor that is written shares its memory with an array, or is another one's gradient, too."""
        own = [(self.tensors[k], kind) for kind, k in places if kind in IN_TENSORS]
        written = [(t if kind == "tensor" else getattr(t, "_grad", None), kind) for t, kind in own]
        if not written:
            return False
        gradients = [id(t._grad) for t in self.tensors if getattr(t, "_grad", None) is not None]
        known = [*map(id, self.tensors), *gradients]
        twice = len(set(known)) < len(known)
        if twice and any(known.count(id(t)) > 1 for t, _ in written):
            return True
        return any(kind != "grad" and _is_shared(t) for t, kind in written)

    def problem(self) -> str | None:
        """Why no program can be made, if so."""
        if self.found.refused:
            return self.found.refused
        if not all(map(is_liftable, self.tensors)):
            return "it uses a tensor with a history from outside"
        return None

    @contextmanager
    def lifted(self, program: Program) -> Iterator[Changes]:
        """Traces in the place of everything inside, and what was there before again afterwards.

        An interruption while that is put back leaves it to who calls `put_back` once more.
        """
        flagged = [(t, flags(t)) for t in self.tensors if t._flags]
        changes = Changes(self, program)
        try:
            with DEPOSITING:  # gradients of other threads that come from now on wait
                held = [(t, t._value, t._node, t._level, getattr(t, "_grad", None)) for t in self.tensors]
                self._before = held, flagged
                for t, value, *_, grad in held:
                    self._lift_tensor(t, value, grad, changes)
            for array, places in self.arrays:
                stand_in = Tensor._box(changes.input(array, program))
                stand_in._mutable = True  # also where it has no axes
                changes.stand_ins.append((stand_in, stand_in._value._node))
                for place in places:
                    place.set(stand_in)
                    changes.expected[place.identity] = stand_in
            for place, value in self.numbers:
                number = changes.input(value, program)
                place.set(number)
                changes.expected[place.identity] = number
            for place, _ in self.found.entries:
                if isinstance(place, TupleItem):
                    changes.expected[place.holder.identity] = place.holder.get()
            yield changes
        finally:
            self.put_back()

    def _lift_tensor(self, t: Any, value: Any, grad: Any, changes: Changes) -> None:
        """Let a tensor, and its gradient, hold traces."""
        program = changes.program
        t._value = changes.input(value, program)
        if grad is not None:
            t._grad = grad._box(changes.input(bare(grad), program))
        program.tensors.add(t._value._node)
        changes.tensors.append((t._value._node, None if grad is None else t._grad._value._node))
        changes.gradients.append(None if grad is None else t._grad)

    def put_back(self) -> None:
        """Give everything back what was there before it was lifted, unless that has been done."""
        if self._before is None:
            return
        held, flagged = self._before
        for place, value in self.found.entries:
            if place.get() is not value and (place.get() is not ABSENT or value is ABSENT):
                place.set(value)
        with DEPOSITING:
            for t, value, node, level, grad in held:
                t._value, t._node, t._level = value, node, level
                if hasattr(t, "_grad"):
                    t._grad = grad
        for t, known in flagged:
            for name, flag in zip(t._flags, known, strict=True):
                setattr(t, name, flag)
        self._before = None


def _is_shared(t: Any) -> bool:
    """Whether the memory of a tensor belongs to an array, too: to one that it was made on, or that was given away."""
    storage = getattr(t, "_storage", None)
    if storage is None or storage.exports is None or storage.buffer is not t._value:
        return False
    if t._value.base is not None or storage.exported() > 0:
        return True
    storage.exports = None  # those that were given away are gone
    return False


def shares_memory(arrays: list, written: set[int]) -> bool:
    """Whether one of the arrays that are written, by their numbers, may share memory with another one, or in itself.

    They are gone through by where they begin, so that this takes time in proportion to how many there are.
    """
    filled = [(k, a) for k, a in enumerate(arrays) if a.__class__ is np.ndarray and a.size]
    if any(k in written and overlaps_itself(a) for k, a in filled):
        return True
    last = last_written = 0
    for begin, stop, is_written in sorted((*byte_bounds(a), k in written) for k, a in filled):
        if begin < (last if is_written else last_written):
            return True
        last = max(last, stop)
        last_written = max(last_written, stop) if is_written else last_written
    return False


def overlaps_itself(x: np.ndarray) -> bool:
    """Whether elements of an array may share their memory: an axis has smaller steps than what lies inside is long."""
    reach = x.itemsize
    for step, n in sorted((abs(step), n) for step, n in zip(x.strides, x.shape, strict=True) if n > 1):
        if step < reach:
            return True
        reach += (n - 1) * step
    return False


def _is_real(held: Any) -> bool:
    """Whether something is a number that is not whole; whole ones that change are other programs."""
    return type(held) is float or (is_number(held) and type(held) is not int and held.dtype.kind in "fc")
