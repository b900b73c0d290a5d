"""What a shortcut gives back, and writes, from the results of its program: the steps of an answer."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np

from wengert.box import Box
from wengert.compiler.answer import Answer
from wengert.compiler.fields import is_named_tuple, plain_fields
from wengert.compiler.given import Filled, holder
from wengert.compiler.places import Cell, Item, Place, Slot
from wengert.compiler.required import Impossible, Required
from wengert.compiler.results import Leaf
from wengert.compiler.writing import IN_TENSORS
from wengert.protocol import intern_spec
from wengert.transforms.containers import rebuild

__all__ = ["answer_of"]


def answer_of(call: Required) -> Answer:
    """What a call gives that goes as another one did."""
    return _Returned(call).answer()


class _Returned:
    """The results of one call, and what it writes."""

    def __init__(self, required: Required):
        self.required, self.path, self.captured = required, required.path, required.captured
        computed = self.path.results.computed()
        self.numbers = {id(leaf): number for number, leaf in enumerate(computed)}
        """The numbers of the results that are given back, among the program's; those that are written come after."""

        self.kept: dict[int, list] = {}
        """The results that are tensors or arrays of the call: which kind, and its number."""

    def itself(self, answer: Answer, kind: str, number: int) -> None:
        """A tensor or an array of the call."""
        if kind == "fixed":
            answer.constant(self.captured.found.fixed[number][0])
        elif kind in ("tensor", "array"):
            answer.operand((self.required.tensors if kind == "tensor" else self.required.arrays)[number])
        else:
            raise Impossible("it keeps one array in two places")

    def answer(self) -> Answer:
        """The results in their containers; then what is written."""
        answer = Answer()
        results = self.path.results
        _contain(rebuild(results.structure, results.leaves), answer, self.result)
        first = len(self.numbers)
        written = list(enumerate(self.path.places, first))
        stores = [self.stored(kind, k, n, answer) for n, (kind, k) in written if kind != "part"]
        parts = [self.path.filled.parts] if self.path.filled is not None else []
        for container in (*self.path.remade, *parts):
            computed = container.results.computed()
            numbers = [n for n, place in written if place == container.place]
            self.numbers.update(zip(map(id, computed), numbers, strict=True))
            self.kept.update({id(container.results.leaves[i]): at for i, *at in container.kept})
        for container in self.path.remade:
            _contain(rebuild(container.results.structure, container.results.leaves), answer, self.result)
            stores.append(self.storing(self.required.found.entries[container.number][0], answer))
        if self.path.filled is not None:
            stores += self.filled(self.path.filled, answer)
        for k, name, value in self.path.cleared:
            if name == "_node":
                raise Impossible("it makes a tensor require a gradient")
            answer.constant(value)
            stores.append(partial(answer.store, self.required.tensors[k], type(self.captured.tensors[k]), name))
        for k, *at in self.path.twins:
            self.itself(answer, *at)
            stores.append(self.storing(self.required.found.entries[k][0], answer))
        for k, value in self.path.exchanged:
            answer.constant(value)
            stores.append(self.storing(self.required.found.entries[k][0], answer))
        for store in reversed(stores):
            store()
        return answer

    def filled(self, filled: Filled, answer: Answer) -> Iterator[Callable]:
        """What is put into containers among the arguments; gives what writes it when all has been made."""
        given = self.required.args, self.required.kwargs
        for path, leaf in zip(filled.paths, filled.parts.results.leaves, strict=True):
            around = holder(given, path)
            if id(around) not in self.required.holders:
                raise Impossible("it writes into a container of another kind")
            self.result(leaf, answer)
            store = answer.store_index if type(around) is list else answer.store_key
            yield partial(store, self.required.holders[id(around)], path[-1])

    def stored(self, kind: str, k: int, number: int, answer: Answer) -> Callable:
        """What is made of a result that is written; gives what writes it when all has been made."""
        if kind == "array":
            spec = self.required.plan.layout.wanted[number].spec
            pointer, size = self.required.pointers["array", k], spec.dtype.itemsize * prod(spec.shape)
            return partial(answer.copy, self.required.plan.layout.arguments + number, pointer, size)
        answer.result(number)
        if kind in IN_TENSORS:
            t = self.captured.tensors[k]
            if kind == "gradient":
                return partial(answer.store, self.required.gradients[k], type(t._grad), "_value")
            if kind == "grad":
                self.boxed(answer, t, number)
            return partial(answer.store, self.required.tensors[k], type(t), "_value" if kind == "tensor" else "_grad")
        place, held = self.required.found.entries[k]
        if kind == "number":
            if type(held) in (int, float):  # others are what results without axes are
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
            return partial(answer.store, self.required.holders[id(holder)], type(holder), slot)
        if isinstance(place, Item) and type(holder) is not OrderedDict:
            store = answer.store_index if type(holder) is list else answer.store_key
            return partial(store, self.required.holders[id(holder)], place.key)
        raise Impossible(f"it writes {place}")

    def result(self, leaf: Any, answer: Answer) -> None:
        """One result in the class that the function gave it."""
        if id(leaf) in self.kept:
            self.itself(answer, *self.kept[id(leaf)])
            return
        if leaf.node is None:
            is_array = leaf.value.__class__ is np.ndarray
            if isinstance(leaf.value, (Box, np.ndarray)) and not is_array:
                raise Impossible(f"it returns a {type(leaf.value).__name__} that is always the same")
            answer.constant(leaf.value)
            if is_array:  # a new one for each call
                answer.call(np.ndarray.copy)
            return
        number = self.numbers[id(leaf)]
        answer.result(number)
        if leaf.weak is not None:
            answer.call(leaf.weak)
        elif leaf.box is not None:
            self.boxed(answer, leaf.box.__self__, number)

    def boxed(self, answer: Answer, like: Any, number: int) -> None:
        """The result on top in a tensor, as `Box._box` makes it."""
        cls: Any = like if isinstance(like, type) else type(like)
        spec = self.required.plan.layout.wanted[number].spec
        others = {"_spec": intern_spec(spec.shape, spec.dtype), "_node": None, "_level": cls._ground}
        answer.boxed(cls._family.tensor, "_value", others)


def _contain(value: Any, answer: Answer, leaf: Callable) -> None:
    """Steps for containers of leaves."""
    cls = type(value)
    if cls in (tuple, list) or is_named_tuple(cls):
        for part in value:
            _contain(part, answer, leaf)
        if cls is list:
            answer.list(len(value))
        else:
            answer.tuple(len(value), None if cls is tuple else cls)
    elif cls is dict and all(type(key) is str for key in value):
        for part in value.values():
            _contain(part, answer, leaf)
        answer.dictionary(tuple(value))
    elif names := plain_fields(cls):
        for name in names:
            _contain(getattr(value, name), answer, leaf)
        answer.fields(cls, names)
    elif cls is Leaf:
        leaf(value, answer)
    else:
        raise Impossible(f"it returns a {cls.__name__}")
