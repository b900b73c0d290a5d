"""Calls that go straight to native code: no Python runs between the caller and the kernels.

Once a path through a function has been found again, what led to it is written down as operands of a native entry: the
arguments and their containers, every place that the function reads, the tensors that it uses. A later call for which
all of that still holds runs; any other goes the usual way. What cannot be written down, or checked so, has no shortcut.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from gc import get_referents
from math import prod
from types import CellType
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box
from wengert.compiler.answer import Answer
from wengert.compiler.arguments import ARRAY
from wengert.compiler.binding import bound, input_check
from wengert.compiler.capture import IN_TENSORS, LARGEST
from wengert.compiler.fields import is_named_tuple, plain_fields
from wengert.compiler.native import probe
from wengert.compiler.operands import Again, Array, Check, Contents, Equal, Exact, Number, Operands, Same, Sized
from wengert.compiler.places import Cell, ClassItem, Item, Place, Slot, TupleItem
from wengert.compiler.surroundings import flags
from wengert.protocol import intern_spec
from wengert.transforms.containers import rebuild

__all__ = ["Impossible", "Shortcuts"]

MOST = 24
"""Shortcuts of one function; each that does not fit costs a call some 30 ns."""
MOST_OPERANDS = 600
RARELY = 64
"""So many calls of a path that finds no room for a shortcut, and all are made anew."""
SIMPLE = (int, str, bytes)


class Impossible(Exception):
    """No shortcut can be made; says why."""


class Shortcuts:
    """The shortcuts of a compiled function, tried one after the other.

    Parameters
    ----------
    slow : callable
        The usual way, called as ``slow(read, *args, **kwargs)``.

    Attributes
    ----------
    function : builtin_function_or_method or None
        The first shortcut, to be called with the function's own arguments.
    """

    def __init__(self, slow: Callable):
        self.slow = slow
        self.entries: list[Any] = []
        self.function: Any = None
        self._runs_before = 0
        self._tried: set[int] = set()
        self._kept: list[Any] = []
        self._paths: list[Any] = []
        """The path of each entry."""

    def add(self, path: Any, args: tuple, kwargs: dict, call: Any, found: Any, captured: Any) -> None:
        """Make a shortcut of a call that took a path, if one can be made; each path is tried once.

        Parameters
        ----------
        path : wengert.compiler.path.Path
            What ran.
        args, kwargs : tuple, dict
            The arguments, as given.
        call, found, captured
            What was made of them, and of what the function uses.
        """
        if len(self.entries) >= MOST and path.calls % RARELY == 0:
            self._forget()
        if id(path) in self._tried or len(self.entries) >= MOST or path.native is None or not probe():
            return
        self._tried.add(id(path))
        self._kept.append(path)
        try:
            entry = _Shortcut(path, args, kwargs, call, found, captured).entry(self.slow)
        except Impossible as why:
            path.no_shortcut = str(why)
            return
        if self.entries:
            self.entries[-1].link(entry)
            self.entries[-1].otherwise(entry)
        path.has_shortcut = True
        self.entries.append(entry)
        self._paths.append(path)
        self.function = self.entries[0].function

    def _forget(self) -> None:
        """Begin again: what is called now is not among the shortcuts."""
        self._runs_before = self.runs
        self.entries, self._tried, self._kept, self._paths, self.function = [], set(), [], [], None

    @property
    def runs(self) -> int:
        """How many calls have gone this way."""
        return self._runs_before + sum(entry.runs for entry in self.entries)

    def runs_of(self, paths: Iterable) -> int:
        """How many calls have gone this way by some paths."""
        chosen = set(map(id, paths))
        return sum(entry.runs for entry, path in zip(self.entries, self._paths, strict=True) if id(path) in chosen)


class _Shortcut:
    """One call written down."""

    def __init__(self, path: Any, args: tuple, kwargs: dict, call: Any, found: Any, captured: Any):
        self.path, self.args, self.kwargs, self.call = path, args, kwargs, call
        self.found, self.captured = found, captured
        if found.refused or found.generators or path.generators:
            raise Impossible("it draws random numbers")
        if not path.native.native:
            raise Impossible("it returns what is no array of numbers")
        self.operands = Operands()
        self.holders: dict[Any, int] = {}
        self.tensors: dict[int, int] = {}
        self.given: dict[tuple[int, int], int] = {}
        """The operands of arguments that are inputs; one that is given again must be the same object."""
        self.arrays: dict[int, int] = {}
        self.gradients: dict[int, int] = {}
        self.written = {k for kind, k in path.places if kind == "array"}
        self.pointers = _pointers(call, captured)
        self.spare = len(path.native.layout.inputs)
        self.modes()
        self.arguments()
        self.surroundings()
        self.captured_tensors()
        if len(self.operands.rows) > MOST_OPERANDS:
            raise Impossible("it uses too many things")

    def entry(self, slow: Callable) -> Any:
        """The native function."""
        answer = self.answer()
        nargs = len(self.args) + len(self.kwargs)
        names = tuple(self.kwargs)
        return bound(self.path.native, self.operands, answer, nargs=nargs, slow=slow, names=names, forgive=True)

    def modes(self) -> None:
        """Whether operations are recorded, and whether a model is trained."""
        self.operands.context(tape._floor, Equal(tape._floor.get()))
        self.operands.context(tape._training, Same(tape._training.get()))

    # Arguments --------------------------------------------------------------------------------------------------

    def arguments(self) -> None:
        """Every part of the arguments, by the leaf that it is."""
        given = [*self.args, *self.kwargs.values()]
        kinds = iter(self.call.kinds)
        leaves = iter(self.call.leaves)
        order = [*range(len(self.args)), *_sorted_positions(self.kwargs, len(self.args))]
        for number in order:
            self.part(given[number], _argument(self.operands, number), leaves, kinds)
        if next(leaves, None) is not None:
            raise Impossible("its arguments are in containers of other kinds")

    def part(self, value: Any, add: Callable, leaves: Any, kinds: Any) -> None:
        """A container, or a leaf."""
        cls = type(value)
        if cls in (tuple, list) or is_named_tuple(cls):
            box = add(Sized(cls, len(value)), None)
            for k, inner in enumerate(tuple.__iter__(value) if cls is not list else value):
                self.part(inner, _item(self.operands, box, k), leaves, kinds)
        elif names := plain_fields(cls):
            box = add(Exact(cls), None)
            for name in names:
                self.part(getattr(value, name), _attribute(self.operands, box, name), leaves, kinds)
        elif cls is dict and all(type(key) is str for key in value):
            box = add(Sized(dict, len(value), tuple(value)), None)
            for key in sorted(value):
                self.part(value[key], _key(self.operands, box, key), leaves, kinds)
        else:
            leaf = next(leaves, self)
            if leaf is not value and getattr(leaf, "value", None) is not value:
                raise Impossible("its arguments are in containers of other kinds")
            self.leaf(leaf, add, *next(kinds))

    def leaf(self, x: Any, add: Callable, kind: int, number: int) -> None:
        """An array, a tensor, a number, or something that must be as it was."""
        pointer = self.pointers.get((kind, number))
        if (kind, number) in self.given:
            add(Again(self.given[kind, number]), None)
        elif isinstance(x, Box):
            if pointer is None:
                raise Impossible("an argument is a tensor that is looked at in Python")
            self.tensors[number] = self.given[kind, number] = add(Exact(type(x)), None)
            self.operands.distinct(self.tensors[number], "tensor")
            self.tensor(number)
        elif pointer is not None:
            self.given[kind, number] = add(self.input(x, kind, number), pointer)
            if isinstance(x, np.ndarray):
                self.arrays[number] = self.given[kind, number]
                self.operands.distinct(self.arrays[number], "array")
        else:
            add(_fixed_check(x.value if type(x).__name__ == "Static" else x, self.call.roots), None)

    def input(self, x: Any, kind: int, number: int) -> Check:
        """What an array or a number must be, which the program reads, and may write."""
        check = _number_check(x)
        if isinstance(check, Array) and self.written:
            return replace(check, written=kind == ARRAY and number in self.written, as_is=True)
        return check

    # Surroundings -----------------------------------------------------------------------------------------------

    def surroundings(self) -> None:
        """Every place that was looked at, with what must be there."""
        arrays = {place.identity: k for k, (_, places) in enumerate(self.found.arrays) for place in places}
        numbers = {place.identity: k for k, (place, _) in enumerate(self.found.numbers)}
        first = len(self.captured.arrays) - len(self.found.arrays)
        tensors = {id(t): k for k, t in enumerate(self.captured.tensors)}
        boxes = {k for kind, k in self.path.places if kind == "box"}
        for number, (place, held) in enumerate(self.found.entries):
            add = self.noted(place, self.place(place))
            if number in boxes and id(held) in tensors:  # another tensor after each call
                k = tensors[id(held)]
                if k in self.tensors:
                    add(Again(self.tensors[k]), None)
                    continue
                self.tensors[k] = add(Exact(type(held)), None)
                self.operands.distinct(self.tensors[k], "tensor")
                self.tensor(k)
            elif place.identity in arrays:
                k = first + arrays[place.identity]
                if k in self.arrays:
                    add(Again(self.arrays[k]), None)
                else:
                    self.arrays[k] = add(self.input(held, ARRAY, k), self.pointers["array", k])
            elif place.identity in numbers:
                check = Number(int, LARGEST) if type(held) is int else _number_check(held)
                add(check, self.pointers["number", numbers[place.identity]])
            else:
                add(Same(held), None)
        if len(self.arrays) < len(self.found.arrays):
            raise Impossible("it uses an array that is kept in no place")
        self.containers()
        for array, contents in self.found.fixed:
            self.operands.fixed(array, Contents(array, contents), pointer=self.spare)

    def containers(self) -> None:
        """The lengths of containers, the order of keys, and what is in sets."""
        orders = {id(container): parts for container, parts in self.found.orders}
        for container, size in self.found.lengths:
            if type(container) is set and all(type(part) in (str, bytes) for part in container):
                self.operands.fixed(container, Equal(set(container)))
            elif type(container) is list or _is_dictionary(container):
                keys = None if type(container) is OrderedDict else orders.get(id(container))
                self.operands.fixed(container, Sized(type(container), size, keys))
            else:
                raise Impossible(f"it uses a {type(container).__name__}")

    def noted(self, place: Place, add: Callable) -> Callable:
        """The same, with the operand kept for items of a tuple that lies in the place."""

        def note(check: Check, pointer: int | None) -> int:
            self.holders[place.identity] = add(check, pointer)
            return self.holders[place.identity]

        return note

    def place(self, place: Place) -> Callable:
        """What adds an operand for the content of a place."""
        holder = place.holder
        if isinstance(place, TupleItem):
            return _item(self.operands, self.holders[holder.identity], place.key)
        if isinstance(place, Cell) and type(holder) is CellType:
            return _slot(self.operands, self.holder(holder, Same(holder)), "cell_contents")
        if isinstance(place, Item) and type(holder) is list:
            return _item(self.operands, self.holder(holder, Sized(list, len(holder))), place.key)
        if isinstance(place, ClassItem):
            (holder,) = get_referents(vars(holder))
        if isinstance(place, (Item, ClassItem)) and _is_dictionary(holder) and _is_plain_key(place.key):
            return _key(self.operands, self.holder(holder, Same(holder)), place.key)
        if isinstance(place, Slot):
            return _slot(self.operands, self.holder(holder, Same(holder)), place.key)
        raise Impossible(f"{place} lies in a {type(holder).__name__}")

    def holder(self, holder: Any, check: Check) -> int:
        """The operand of an object that holds places."""
        if id(holder) not in self.holders:
            self.holders[id(holder)] = self.operands.fixed(holder, check)
        return self.holders[id(holder)]

    # Tensors ----------------------------------------------------------------------------------------------------

    def captured_tensors(self) -> None:
        """The tensors that the function uses besides its arguments, with their gradients."""
        first = len(self.captured.tensors) - len(self.found.tensors)
        for k, t in enumerate(self.found.tensors):
            number = first + k
            if number in self.tensors:
                continue
            self.tensors[number] = self.operands.fixed(t, Exact(type(t)))
            self.operands.distinct(self.tensors[number], "tensor", varies=False)
            self.tensor(number)

    def tensor(self, k: int) -> None:
        """The value of a tensor, and all that a program depends on besides."""
        operands, operand, t = self.operands, self.tensors[k], self.captured.tensors[k]
        if type(t)._is_view:
            raise Impossible("it uses a view of a tensor")
        operands.slot(operand, "_value", _number_check(t._value), self.pointers["tensor", k])
        if ("tensor", k) in self.path.places:
            self.apart(operand, t)
        operands.slot(operand, "_node", Same(None) if t._node is None else Exact(type(t._node)))
        operands.slot(operand, "_level", Same(t._level))
        for name, flag in zip(t._flags, flags(t), strict=True):
            operands.slot(operand, name, Same(flag, empty=not hasattr(t, name)))
        if not hasattr(type(t), "_grad"):
            return
        grad = getattr(t, "_grad", None)
        if grad is not None:
            inner = self.gradients[k] = operands.slot(operand, "_grad", Exact(type(grad)))
            mine = k < len(self.captured.tensors) - len(self.found.tensors)
            others = any(kind == "tensor" and j != k for kind, j in self.path.places)
            if others or {("gradient", k), ("grad", k)} & {*self.path.places}:
                operands.distinct(inner, "tensor", varies=mine)
            operands.slot(inner, "_node", Same(None))
            operands.slot(inner, "_value", _number_check(grad._value), self.pointers["grad", k])
            if ("gradient", k) in self.path.places:
                self.apart(inner, grad)
        else:
            operands.slot(operand, "_grad", Same(None, empty=not hasattr(t, "_grad")))

    def apart(self, operand: int, t: Any) -> None:
        """A tensor that is written must not share its memory with an array; that arrays were given away is noted."""
        if getattr(t, "_storage", None) is None:
            self.operands.slot(operand, "_storage", Same(None, empty=not hasattr(t, "_storage")))
        else:
            storage = self.operands.slot(operand, "_storage", Exact(type(t._storage)))
            if t._storage.exports is not None:
                raise Impossible("it writes a tensor whose memory has been shared with an array")
            self.operands.slot(storage, "exports", Same(None))

    # The answer -------------------------------------------------------------------------------------------------

    def answer(self) -> Answer:
        """The results in their containers; then what is written."""
        answer = Answer()
        results = self.path.results
        self.values = iter(range(len(self.path.native.layout.wanted)))
        _contain(rebuild(results.structure, results.leaves), answer, self.result)
        stores = [self.stored(kind, k, next(self.values), answer) for kind, k in self.path.places]
        for k, name, value in self.path.cleared:
            answer.constant(value)
            stores.append(partial(answer.store, self.tensors[k], type(self.captured.tensors[k]), name))
        for store in reversed(stores):
            store()
        return answer

    def stored(self, kind: str, k: int, number: int, answer: Answer) -> Callable:
        """What is made of a result that is written; gives what writes it when all has been made."""
        if kind == "array":
            spec = self.path.native.layout.wanted[number].spec
            pointer, size = self.pointers["array", k], spec.dtype.itemsize * prod(spec.shape)
            return partial(answer.copy, self.path.native.layout.arguments + number, pointer, size)
        answer.result(number)
        if kind in IN_TENSORS:
            t = self.captured.tensors[k]
            if kind == "gradient":
                return partial(answer.store, self.gradients[k], type(t._grad), "_value")
            if kind == "grad":
                self.boxed(answer, t, number)
            return partial(answer.store, self.tensors[k], type(t), "_value" if kind == "tensor" else "_grad")
        place, held = self.found.entries[k]
        if kind == "number":
            answer.call(type(held))
        elif kind == "box":
            self.boxed(answer, held, number)
        else:
            answer.call(np.asarray)
        return self.storing(place, answer)

    def storing(self, place: Place, answer: Answer) -> Callable:
        """What puts the topmost object into a place."""
        holder = place.holder
        if isinstance(place, (Cell, Slot)):
            slot = "cell_contents" if isinstance(place, Cell) else place.key
            return partial(answer.store, self.holders[id(holder)], type(holder), slot)
        if isinstance(place, Item) and type(holder) is not OrderedDict:
            store = answer.store_index if type(holder) is list else answer.store_key
            return partial(store, self.holders[id(holder)], place.key)
        raise Impossible(f"it writes {place}")

    def result(self, leaf: Any, answer: Answer) -> None:
        """One result in the class that the function gave it."""
        if leaf.node is None:
            if isinstance(leaf.value, (Box, np.ndarray)):
                raise Impossible("it returns an array that is always the same")
            answer.constant(leaf.value)
            return
        number = next(self.values)
        answer.result(number)
        if leaf.weak is not None:
            answer.call(leaf.weak)
        elif leaf.box is not None:
            self.boxed(answer, leaf.box.__self__, number)

    def boxed(self, answer: Answer, like: Any, number: int) -> None:
        """The result on top in a tensor, as `Box._box` makes it."""
        cls: Any = like if isinstance(like, type) else type(like)
        spec = self.path.native.layout.wanted[number].spec
        others = {"_spec": intern_spec(spec.shape, spec.dtype), "_node": None, "_level": cls._ground}
        answer.boxed(cls._family.tensor, "_value", others)


def _pointers(call: Any, captured: Any) -> dict[Any, int]:
    """The number of the program's input for each thing that is read, in the order of `Captured.values`."""
    found: dict[Any, int] = {}
    count = 0
    kinds = {number: key for key, number in (("array", 0), ("tensor", 1), ("number", 2))}
    for k, t in enumerate(captured.tensors):
        found["tensor", k] = count
        count += 1
        if getattr(t, "_grad", None) is not None:
            found["grad", k] = count
            count += 1
    for k in range(len(captured.arrays)):
        found["array", k] = count
        count += 1
    for k in range(len(captured.numbers)):
        found["number", k] = count
        count += 1
    for kind, k in set(call.kinds):
        name = kinds.get(kind)
        if name == "number":
            found[kind, k] = count + k
        elif name is not None:
            found[kind, k] = found[name, k]
    return found


def _sorted_positions(kwargs: dict, first: int) -> list[int]:
    position = {name: first + k for k, name in enumerate(kwargs)}
    return [position[name] for name in sorted(kwargs)]


def _number_check(x: Any) -> Check:
    """What an input must be."""
    check = input_check(x)
    if check is None:
        raise Impossible(f"it reads a {type(x).__name__}")
    return check


def _fixed_check(x: Any, roots: list) -> Check:
    if type(x) in SIMPLE:
        return Equal(x)
    if x is None or type(x) is bool or any(x is root for root in roots):
        return Same(x)
    raise Impossible(f"an argument is a {type(x).__name__}")


def _is_dictionary(x: Any) -> bool:
    """Whether an object is a dictionary that is looked into as all are."""
    return type(x) in (dict, defaultdict, OrderedDict, Counter)


def _is_plain_key(key: Any) -> bool:
    """Whether a key can be looked up without running code of the user's."""
    return type(key) in (str, int, bytes) or isinstance(key, Box)


def _contain(value: Any, answer: Answer, leaf: Callable) -> None:
    """Steps for containers of leaves."""
    cls = type(value)
    if cls in (tuple, list) or is_named_tuple(cls):
        for part in value:
            _contain(part, answer, leaf)
        (answer.list if cls is list else answer.tuple)(len(value))
        if cls not in (tuple, list):
            answer.call(partial(tuple.__new__, cls))
    elif cls is dict and all(type(key) is str for key in value) and list(value) == sorted(value):
        for part in value.values():
            _contain(part, answer, leaf)
        answer.dictionary(tuple(value))
    elif cls.__name__ == "_Leaf":
        leaf(value, answer)
    else:
        raise Impossible(f"it returns a {cls.__name__}")


# Adding an operand in a certain place: each gives a function of a check and a pointer ------------------------------


def _argument(operands: Operands, number: int) -> Callable:
    return lambda check, pointer: operands.argument(number, check, pointer)


def _item(operands: Operands, parent: int, number: int) -> Callable:
    return lambda check, pointer: operands.item(parent, number, check, pointer)


def _key(operands: Operands, parent: int, key: str) -> Callable:
    return lambda check, pointer: operands.key(parent, key, check, pointer)


def _attribute(operands: Operands, parent: int, name: str) -> Callable:
    return lambda check, pointer: operands.attribute(parent, name, check, pointer)


def _slot(operands: Operands, parent: int, name: str) -> Callable:
    return lambda check, pointer: operands.slot(parent, name, check, pointer)
