"""What must hold of a call for it to go as another one did, as operands that native code checks.

These are the arguments and their containers, every place that the function reads, the tensors that it uses.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import replace
from gc import get_referents
from types import CellType
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box
from wengert.compiler.arguments import ARRAY
from wengert.compiler.binding import input_check
from wengert.compiler.capture import LARGEST
from wengert.compiler.containers import is_container, is_tuple
from wengert.compiler.errstate import variable
from wengert.compiler.fields import is_named_tuple, plain_fields
from wengert.compiler.found import flags
from wengert.compiler.operands import (
    Again,
    Array,
    At,
    Check,
    Contents,
    Equal,
    Exact,
    Number,
    Operands,
    Quiet,
    Same,
    Sized,
)
from wengert.compiler.places import ABSENT, Cell, ClassItem, ClassOf, Item, Place, Slot, TupleItem
from wengert.compiler.turned import LARGE
from wengert.compiler.writing import OF_GRADIENTS

__all__ = ["Impossible", "Required"]

MOST_OPERANDS = 20_000
SIMPLE = (int, str, bytes)


class Impossible(Exception):
    """No shortcut can be made; says why."""


class _KeptAs:
    """As what the values of places are known: the numbers of arrays and numbers, by place, and of tensors."""

    def __init__(self, path: Any, found: Any, captured: Any):
        first = len(captured.arrays) - len(found.arrays)
        self.arrays = {place.identity: first + k for k, (_, places) in enumerate(found.arrays) for place in places}
        self.numbers = {place.identity: k for k, (place, _) in enumerate(found.numbers)}
        self.tensors = {id(t): k for k, t in enumerate(captured.tensors)}
        self.boxes = {k for kind, k in path.places if kind == "box"}
        """The places that get another tensor at each call."""


class Required:
    """One call written down: its arguments, every place that the function reads, the tensors that it uses."""

    def __init__(self, path: Any, before: tuple, args: tuple, kwargs: dict, call: Any, found: Any, captured: Any):
        self.before, self.path, self.args, self.kwargs, self.call = before, path, args, kwargs, call
        self.plan = path.plan
        self.found, self.captured = found, captured
        if found.refused:
            raise Impossible(found.refused)
        if path.generators and not path.draws:
            raise Impossible("it draws random numbers")
        if self.plan is None or not self.plan.native:
            raise Impossible("it returns what is no array of numbers")
        self.operands = Operands()
        self.holders: dict[Any, int] = {}
        self.tensors: dict[int, int] = {}
        self.given: dict[tuple[int, int], int] = {}
        """The operands of arguments that are inputs; one that is given again must be the same object."""
        self.arrays: dict[int, int] = {}
        self.remade: set[int] = set()
        """The identities of containers of which there are others after each call."""
        self.gradients: dict[int, int] = {}
        self.written = {k for kind, k in path.places if kind == "array"}
        self.kept_as = _KeptAs(path, found, captured)
        self.pointers = _pointers(call, captured)
        self.spare = len(self.plan.layout.inputs)
        self.arguments()  # first, as they tell most kinds apart
        self.modes()
        self.surroundings()
        self.captured_tensors()
        if len(self.operands.rows) > MOST_OPERANDS:
            raise Impossible("it uses too many things")

    def adds(self) -> bool:
        """Whether it adds to gradients: to those that it reads, or to none so far."""
        gradients = [k for kind, k in self.path.places if kind in OF_GRADIENTS]
        pointers = [self.pointers.get(("grad", k)) for k in gradients]
        return any(pointer is None or self.plan.layout.reads(pointer) for pointer in pointers)

    def modes(self) -> None:
        """Whether operations are recorded, whether a model is trained, and what errors of numbers lead to."""
        self.operands.context(tape._floor, Equal(tape._floor.get()))
        self.operands.context(tape._training, Same(tape._training.get()))
        if (errors := variable()) is not None:
            self.operands.context(errors, Quiet())

    # Arguments --------------------------------------------------------------------------------------------------

    def arguments(self) -> None:
        """Every part of the arguments, by the leaf that it is."""
        for number, check in enumerate(self.before):
            self.operands.argument(number, check)
        given = [*self.args, *self.kwargs.values()]
        kinds = iter(self.call.kinds)
        leaves = iter(self.call.leaves)
        order = [*range(len(self.args)), *_sorted_positions(self.kwargs, len(self.args))]
        for number in order:
            self.part(given[number], _argument(self.operands, len(self.before) + number), leaves, kinds)
        if next(leaves, None) is not None:
            raise Impossible("its arguments are in containers of other kinds")

    def part(self, value: Any, add: Callable, leaves: Any, kinds: Any) -> None:
        """A container, or a leaf."""
        cls = type(value)
        if cls in (tuple, list) or is_named_tuple(cls):
            box = self.noted_container(value, add(Sized(cls, len(value)), None))
            for k, inner in enumerate(tuple.__iter__(value) if cls is not list else value):
                self.part(inner, _item(self.operands, box, k), leaves, kinds)
        elif names := plain_fields(cls):
            box = add(Exact(cls), None)
            if cls.__dictoffset__:  # others are no containers
                inside = self.operands.attribute(box, "__dict__", Sized(dict, len(vars(value))))
                self.noted_container(vars(value), inside)
            for name in names:
                self.part(getattr(value, name), _attribute(self.operands, box, name), leaves, kinds)
        elif cls is dict and all(type(key) is str for key in value):
            box = self.noted_container(value, add(Sized(dict, len(value), tuple(value)), None))
            for key in sorted(value):
                self.part(value[key], _key(self.operands, box, key), leaves, kinds)
        else:
            leaf = next(leaves, self)
            if leaf is not value and getattr(leaf, "value", None) is not value:
                raise Impossible("its arguments are in containers of other kinds")
            self.leaf(leaf, add, *next(kinds))

    def noted_container(self, x: Any, operand: int, varies: bool = True) -> int:
        """The operand of a container, which must be no other one: functions may ask, or put something into it."""
        if type(x) in (list, dict):
            self.holders[id(x)] = operand
            if varies or self.path.puts:
                self.operands.distinct(operand, "container", varies)
        return operand

    def leaf(self, x: Any, add: Callable, kind: int, number: int) -> None:
        """An array, a tensor, a number, or something that must be as it was."""
        pointer = self.pointers.get((kind, number))
        if (kind, number) in self.given:
            add(Again(self.given[kind, number]), None)
        elif isinstance(x, Box):
            if pointer is None or x._is_view:
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
        check = self.lying(x, Number(int, LARGEST) if type(x) is int else _number_check(x))
        if kind == ARRAY and isinstance(check, Array):
            check = self.ordered(x, check, self.pointers["array", number])
        if isinstance(check, Array) and (self.written or self.path.keeps or self.are_told_apart()):
            return replace(check, written=kind == ARRAY and number in self.written, as_is=True)
        return check

    def are_told_apart(self) -> bool:
        """Whether it may go by which of several arrays are the same one; a copy is another one."""
        several = len(self.call.arrays) + len(self.found.arrays) + len(self.found.fixed) > 1
        return self.found.asks_for_identity and several

    def ordered(self, x: np.ndarray, check: Array, pointer: int) -> Array:
        """The same for an array that may lie in C order or in Fortran's, if there is a program for each."""
        turned = pointer in self.path.turned_inputs
        in_rows_only = x.flags.c_contiguous and not x.flags.f_contiguous
        return replace(check, turned=turned, strict=turned or (x.size >= LARGE and in_rows_only))

    def lying(self, x: Any, check: Check) -> Check:
        """The same for an input that must lie in memory as it does, if the program goes by that."""
        if not (isinstance(check, Array) and self.path.by_layout):
            return check
        if not x.flags.c_contiguous or (self.path.by_strides and min(x.shape, default=2) < 2):
            raise Impossible("it goes by how an array lies in memory")
        return replace(check, as_is=True)

    # Surroundings -----------------------------------------------------------------------------------------------

    def surroundings(self) -> None:
        """Every place that was looked at, with what must be there."""
        remade = {container.number for container in self.path.remade}
        often = Counter(id(held) for _, held in self.found.entries)
        places = {id(place.holder.get()) for place, _ in self.found.entries if isinstance(place, TupleItem)}
        for number, (place, held) in enumerate(self.found.entries):
            is_anew = number in remade or self.is_remade(place)
            if is_anew:
                self.remade.add(id(held))
            if is_anew and often[id(held)] > 1 and (isinstance(held, Box) or is_container(held)):
                raise Impossible("it keeps one container, or tensor, in two places")
            if is_anew and is_container(held):
                self.container(held, self.place(place))
                self.fixed_parts(held, places)
            elif not isinstance(place, ClassOf):
                self.entry(number, place, held, is_anew)
            elif id(place.owner()) not in self.remade:  # else it has been looked at where it lies
                self.of_class(place.owner(), Exact(held))
        if len(self.arrays) < len(self.found.arrays):
            raise Impossible("it uses an array that is kept in no place")
        self.containers()
        for array, contents in self.found.fixed:
            self.other_array(self.operands.fixed(array, Contents(array, contents), pointer=self.spare))

    def other_array(self, operand: int) -> None:
        """An array of those around, which must be none of the arguments if the function asks for that."""
        if self.found.asks_for_identity:
            self.operands.distinct(operand, "array")

    def entry(self, number: int, place: Place, held: Any, is_anew: bool) -> None:
        """What a place must hold: something like what it holds now, where there is another one after each call."""
        add, kept_as = self.noted(place, self.place(place)), self.kept_as
        if (number in kept_as.boxes or is_anew) and id(held) in kept_as.tensors:
            k = kept_as.tensors[id(held)]
            if k in self.tensors:
                add(Again(self.tensors[k]), None)
                return
            self.tensors[k] = add(Exact(type(held)), None)
            self.operands.distinct(self.tensors[k], "tensor")
            self.tensor(k)
        elif place.identity in kept_as.arrays:
            k = kept_as.arrays[place.identity]
            if k in self.arrays:
                add(Again(self.arrays[k]), None)
            else:
                self.arrays[k] = add(self.input(held, ARRAY, k), self.pointers["array", k])
                self.other_array(self.arrays[k])
        elif place.identity in kept_as.numbers:
            check = Number(int, LARGEST) if type(held) is int else _number_check(held)
            add(check, self.pointers["number", kept_as.numbers[place.identity]])
        else:
            add(Same(None, empty=True) if held is ABSENT else Same(held), None)

    def is_remade(self, place: Place) -> bool:
        """Whether a place is in a container of which there is another one after each call."""
        holder = place.holder
        return id(holder.get() if isinstance(place, TupleItem) else holder) in self.remade

    def container(self, x: Any, add: Callable) -> None:
        """A container of which there is another one after each call, built in the same way."""
        if type(x) in (list, dict):
            keys = tuple(x) if type(x) is dict else None
            self.noted_container(x, add(Sized(type(x), len(x), keys), None))
        elif is_tuple(x):
            self.holders[id(x)] = add(Sized(type(x), len(x)), None)
        else:
            box = self.holders[id(x)] = add(Exact(type(x)), None)
            fields = vars(x)
            self.remade.add(id(fields))
            inside = self.operands.attribute(box, "__dict__", Sized(dict, len(fields), tuple(fields)))
            self.noted_container(fields, inside)

    def fixed_parts(self, x: Any, places: set[int]) -> None:
        """The parts of a tuple that are no places, as it holds no inputs: a program is made for what they are."""
        if not is_tuple(x) or id(x) in places:
            return
        for k, part in enumerate(tuple.__iter__(x)):
            add = _item(self.operands, self.holders[id(x)], k)
            if is_tuple(part):
                self.container(part, add)
                self.fixed_parts(part, places)
            elif is_container(part):
                raise Impossible(f"it makes a {type(part).__name__} anew inside a tuple")
            else:
                add(Same(part), None)

    def of_class(self, x: Any, check: Exact) -> None:
        """The class of an object; of one that calls give before all arguments it is theirs, and is not kept alive."""
        if any(isinstance(before, At) and before.address == id(x) for before in self.before):
            self.operands.argument(0, check)
        else:
            self.holder(x, check)

    def containers(self) -> None:
        """The lengths of containers, the order of keys, and what is in sets."""
        for contents in self.found.contents:
            container = contents.container
            if id(container) in self.remade:
                continue
            if type(container) is set and all(type(part) in (str, bytes) for part in container):
                self.operands.fixed(container, Equal(set(container)))
            elif type(container) is list or _is_dictionary(container):
                keys = contents.parts if contents.in_order and type(container) is not OrderedDict else None
                operand = self.operands.fixed(container, Sized(type(container), len(contents.parts), keys))
                self.noted_container(container, operand, varies=False)
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
            around = holder.get()
            known = self.holders.get(id(around))
            return _item(self.operands, self.holders[holder.identity] if known is None else known, place.key)
        if isinstance(place, Cell) and type(holder) is CellType:
            return _slot(self.operands, self.holder(holder, Same(holder)), "cell_contents")
        if isinstance(place, Item) and type(holder) is list:
            return _item(self.operands, self.holder(holder, Sized(list, len(holder))), place.key)
        if isinstance(place, ClassItem):
            (holder,) = get_referents(vars(holder))
        if isinstance(place, (Item, ClassItem)) and _is_dictionary(holder) and _is_plain_key(place.key):
            return _key(self.operands, self.holder(holder, Same(holder)), place.key)
        if isinstance(place, Slot) and not place.is_shadowed():
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
        operands.slot(operand, "_value", self.lying(t._value, _number_check(t._value)), self.pointers["tensor", k])
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
