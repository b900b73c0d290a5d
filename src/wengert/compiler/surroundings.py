"""What a function can reach besides its arguments, found in its closure, its globals, attributes and containers.

Arrays and tensors found there are inputs of the program. All else - numbers, texts, functions, the lengths of lists -
is what the program was made for: where something has changed, it is another program.
"""

import operator
import weakref
from collections import defaultdict, deque
from dataclasses import is_dataclass
from functools import lru_cache, partial
from gc import get_referents
from types import (
    BuiltinMethodType,
    CellType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any

import numpy as np

from wengert.box import Box
from wengert.compiler.codenames import is_elsewhere
from wengert.compiler.containers import is_tuple
from wengert.compiler.found import Found, form, is_number, structure
from wengert.compiler.lookups import ELSEWHERE, Lookups
from wengert.compiler.places import (
    ABSENT,
    Ancestors,
    Cell,
    ClassContents,
    ClassItem,
    ClassOf,
    Contents,
    Item,
    Place,
    Referent,
    Shown,
    Slot,
    TupleItem,
)
from wengert.compiler.whose import (
    CONSTANT,
    OPEN,
    attributes_of,
    draws,
    exact,
    has_own_ways,
    is_library,
    is_of_users,
    is_ours,
    is_plain,
    is_unseen,
    module_of,
    parts_of,
    public_of,
    slots,
)
from wengert.protocol import Wrapper, spec_of

__all__ = ["find"]

DEEPEST, MOST = 16, 10_000
ASKING = frozenset(map(id, (isinstance, issubclass, hasattr, getattr, type)))
"""The functions that ask for classes, which may go by other names."""
TELLING_APART = frozenset(map(id, (operator.is_, operator.is_not)))
"""Those that ask whether two things are the same."""
WITH_PARTS = (Box, np.ndarray, dict, list, tuple, set, frozenset, deque, weakref.ref)
VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
CACHING = type(lru_cache(len))
OF_CLASSES = {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__slots__", "__annotations__"}
OF_CLASSES |= {"__match_args__", "__dataclass_fields__", "__dataclass_params__", "__parameters__", "__orig_bases__"}
OF_CLASSES |= {"__hash__", "__abstractmethods__", "__static_attributes__", "__firstlineno__", "__annotate_func__"}
"""What Python puts into classes."""
FACTORY = vars(defaultdict)["default_factory"]
SMALL = 1 << 16
"""Bytes up to which whole numbers are compared with what they were rather than read by the program."""


def find(roots: list, variables: dict, skip: list) -> Found:
    """Everything reachable from some objects; `skip` is what is known otherwise."""
    search = _Search(variables, skip)
    for root in roots:
        named = root if isinstance(root, (FunctionType, type)) else type(root)  # others may have attributes of any name
        search.lookups.roots.append(root)
        search.look(root, DEEPEST, named.__name__)
    search.follow()
    search.lookups.end()
    return search.found


class _Search:
    def __init__(self, variables: dict, skip: list):
        self.found = Found()
        self.variables = variables
        self.seen: dict[int, int] = {id(value): i for i, value in enumerate(skip)}
        self.arrays: dict[int, list[Place]] = {}
        self.classes: set[int] = set()
        self.references: list[tuple[weakref.ref, int, str]] = []
        self.named_in: list[Contents] = []
        """What holds attributes, where some code may go by their order."""
        self.closed = False
        """Whether this is inside an object of a library, where nothing else may be put."""
        self.lookups = Lookups(self)

    def enter(self, place: Place, depth: int) -> None:
        """Look at what a place holds."""
        value = place.get()
        found = self.found
        if value is ABSENT:
            self.absent(place)
            return
        found.entries.append((place, value))
        if is_elsewhere(value) and not self.closed:
            self.refuse(f"it uses {place}, {ELSEWHERE}")
        if id(value) in ASKING:
            found.asks_for_classes = found.asks_otherwise = True
        found.asks_for_identity |= id(value) in TELLING_APART
        if type(value) is ModuleType:
            self.lookups.module(value, depth - 1, is_whole=True)
        elif place.identity in self.variables and not self.closed and is_number(value):
            found.numbers.append((place, value))
            found.varies.add(place.identity)
            found._key.append(value.__class__)
        elif type(value) is np.ndarray and value.dtype.kind in "fciub" and self.lifts(value, place):
            self.array(value, place)
        elif _is_tuple_of_arrays(value) or self.has_variables(place, value):
            found._key.append(structure(value))
            for k in range(len(value)):
                self.enter(TupleItem(place, k, f"{place.name}[{k}]"), depth - 1)
        else:
            if type(value) is np.ndarray and value.dtype.kind in "iub" and not self.closed:
                found.small.append(place)
            self.look(value, depth, place.name, place)

    def absent(self, place: Place) -> None:
        """Note that a variable, or an attribute, is not there yet."""
        if isinstance(place, (Cell, Slot)) or place.holder.__class__ is dict:
            self.found.entries.append((place, ABSENT))
            self.found._key.append(ABSENT)

    def has_variables(self, place: Place, value: Any) -> bool:
        """Whether a tuple holds numbers that are inputs."""
        return is_tuple(value) and any((place.identity, k) in self.variables for k in range(len(value)))

    def lifts(self, value: np.ndarray, place: Place) -> bool:
        """Whether an array is read by the program."""
        return not self.closed and self.is_large(value, place)

    def is_large(self, value: np.ndarray, place: Place) -> bool:
        """Whether an array is not one to be compared."""
        return value.dtype.kind in "fc" or value.nbytes > SMALL or place.identity in self.variables

    def array(self, value: np.ndarray, place: Place) -> None:
        places = self.arrays.get(id(value))
        if places is None:
            places = self.arrays[id(value)] = []
            found = form(value)
            self.found.arrays.append((value, places))
            self.found.forms.append((value, *found))
            self.found._key.append(("array", *found))
        else:
            self.found._key.append(("again", [a is value for a, _ in self.found.arrays].index(True)))
        places.append(place)

    def look(self, value: Any, depth: int, name: str, place: Place | None = None) -> None:
        """Note a value, and look into it; `place` is where it lies, if that can hold another one."""
        found = self.found
        if has_own_ways(type(value)) or value.__class__ is not type(value):
            self.refuse(f"it uses {name}, a {type(value).__name__}, which says in its own way what it is, or holds")
            return
        if isinstance(value, CONSTANT) and not isinstance(value, np.void):
            found._key.append((type(value), exact(value)))
            if not is_of_users(value):
                return
        known = self.seen.get(id(value))
        if known is not None:
            found._key.append(("again", known))
            return
        self.seen[id(value)] = len(self.seen)
        found.note(value)
        if depth < 0 or len(self.seen) > MOST:
            self.refuse(f"what it uses is nested too deeply, or has too many parts, at {name}")
            return
        self.into(value, depth - 1, name, place)

    def refuse(self, why: str) -> None:
        """Leave the function to Python."""
        self.found.refused = self.found.refused or why

    def into(self, value: Any, depth: int, name: str, place: Place | None) -> None:
        """Look into something that is seen for the first time."""
        found = self.found
        if hasattr(type(value), "_waits_for_shape") and value._waits_for_shape:
            self.refuse(f"{name} gets its shape in its first call")
        if isinstance(value, Box):
            if value._is_view:
                self.look(value._base, depth, name)  # type: ignore[attr-defined]
            elif isinstance(value._value, Wrapper):
                self.refuse(f"it uses {name}, a value of a transformation around it")
            else:
                found.tensors.append(value)
        elif isinstance(value, np.ndarray):
            self.fixed(value, name)
        elif draws(value):
            found.generators.append(value)
        elif isinstance(value, GeneratorType) or hasattr(type(value), "__next__"):
            self.refuse(f"it uses an iterator, {name}, which a call moves on")
        elif isinstance(value, Wrapper):
            self.refuse(f"it uses {name}, a value of a transformation around it")
        elif isinstance(value, type):
            self.family(value, depth)
        elif isinstance(value, ModuleType):
            self.lookups.module(value, depth, is_whole=True)
        else:
            self.inside(value, depth, name, place)
        if isinstance(value, WITH_PARTS) and is_of_users(value):
            self.attributes(value, depth, name)

    def fixed(self, value: np.ndarray, name: str) -> None:
        """Note an array that is compared with what it was; of objects it says only which they are."""
        found = self.found
        if value.dtype.hasobject and not (value.dtype.kind == "O" and all(map(_is_constant, value.flat))):
            self.refuse(f"it uses {name}, an array of objects")
        if type(value) not in (np.ndarray, np.memmap):
            self.refuse(f"it uses {name}, a {type(value).__name__}, whose class results may have")
        found.forms.append((value, *form(value)))
        found.fixed.append((value, value.tobytes()))
        found._key.append((spec_of(value) if value.dtype.kind in "fciub" else None, hash(found.fixed[-1][1])))

    def inside(self, value: Any, depth: int, name: str, place: Place | None) -> None:
        """Look at the parts of a function, a container or an object."""
        if hasattr(type(value), "_searched"):
            self.named(vars(value), depth, name)
            value = value._searched
        if isinstance(value, FunctionType):
            self.lookups.function(value, depth)
        elif isinstance(value, MethodType):
            self.lookups.roots.append(value.__func__)
            self.look(value.__self__, depth, name)
            self.look(value.__func__, depth, name)
        elif isinstance(value, (BuiltinMethodType, MethodWrapperType)):
            if not isinstance(value.__self__, ModuleType):
                self.look(value.__self__, depth, name)
        elif isinstance(value, partial):
            for part in (value.func, value.args, value.keywords, value.__dict__):
                self.look(part, depth, name)
        elif isinstance(value, CellType):
            self.enter(Cell(value, f"{name}.cell_contents"), depth)
        elif isinstance(value, weakref.ref):
            self.references.append((value, depth, f"{name}()"))
        elif isinstance(value, VIEWS):
            self.look(value.mapping, depth, name)  # type: ignore[attr-defined]
        elif isinstance(value, (dict, list, tuple, set, frozenset, deque, MappingProxyType)):
            self.container(value, depth, name, place)
        else:
            self.object(value, depth, name, place)

    def container(self, value: Any, depth: int, name: str, place: Place | None) -> None:
        """Look at the parts of a container of Python's own."""
        if isinstance(value, defaultdict):
            self.enter(Slot(value, FACTORY, f"{name}.default_factory"), depth)
        if isinstance(value, (dict, MappingProxyType)):
            self.found.contents.append(Contents(value, in_order=True))
            closed, kind = self.closed, Shown if isinstance(value, MappingProxyType) else Item
            self.closed |= kind is Shown
            for key in list(value):
                shown = repr(key) if isinstance(key, (str, int)) else "..."
                if not isinstance(key, CONSTANT):
                    self.look(key, depth, f"a key of {name}")
                self.enter(kind(value, key, f"{name}[{shown}]", place), depth)
            self.closed = closed
        elif isinstance(value, list):
            self.found.contents.append(Contents(value, in_order=False))
            for i in range(len(value)):
                self.enter(Item(value, i, f"{name}[{i}]", place), depth)
        else:
            if isinstance(value, (set, deque)):
                self.found.contents.append(Contents(value, in_order=True))
            for part in tuple(value):
                self.look(part, depth, name)

    def follow(self) -> None:
        """What weak references refer to must not be kept alive by what is noted: attributes are, without the object."""
        while self.references:
            reference, depth, name = self.references.pop()
            value, place = reference(), Referent(reference, name)
            self.found.entries.append((place, place.get()))
            self.found._key.append(value is None)
            if value is None or id(value) in self.seen:
                continue
            if isinstance(reference, weakref.WeakMethod) or not is_plain(value):
                self.refuse(f"it uses {name}, which only a weak reference is known to hold")
            else:
                self.look(value, depth, name)

    def object(self, value: Any, depth: int, name: str, place: Place | None) -> None:
        """Look at the attributes of an object; those of libraries' are compared, and never replaced."""
        if is_unseen(value):
            what = type(value).__name__
            self.refuse(f"it uses {name}, a {what}, which may change unseen")
            return
        # A ufunc of `np.frompyfunc` has a function inside.
        for part in get_referents(value) if isinstance(value, np.ufunc) else parts_of(value):
            self.look(part, depth, name)
        if isinstance(value, CACHING):
            self.found.caches.append(value)
        self.attributes(value, depth, name, place if is_dataclass(value) else None)

    def attributes(self, value: Any, depth: int, name: str, place: Place | None = None) -> None:
        """Look at what an object, which may be a container too, has by name."""
        cls, attributes, closed = type(value), attributes_of(value), self.closed
        of_library = is_library(module_of(cls))
        self.closed = of_library and not isinstance(value, OPEN)
        if not of_library and not is_ours(module_of(cls)):
            self.found.entries.append((ClassOf(value, f"the class of {name}"), cls))
        if attributes is not None:
            self.found._key.append(tuple(attributes))
            self.named(attributes, depth, name, place)
        else:
            self.public(value, depth, name)
        if attributes is not None or not of_library:
            self.slots(value, depth, name)
        self.closed = closed

    def public(self, value: Any, depth: int, name: str) -> None:
        """Look at what a user may have set as attributes of an object of Python's own, but for what is used up."""
        attributes = public_of(value)
        for key in sorted(attributes):
            if key[:1] != "_" and not isinstance(attributes[key], GeneratorType):
                self.enter(Item(attributes, key, f"{name}.{key}"), depth)

    def named(self, attributes: dict, depth: int, name: str, place: Place | None = None) -> None:
        """Look at attributes, and note which there are."""
        self.attributes_in(Contents(attributes, in_order=False))
        self.items(attributes, depth, name, place)

    def attributes_in(self, contents: Contents) -> None:
        """Note which attributes there are, of an object, a class or a module."""
        self.found.contents.append(contents)
        self.named_in.append(contents)

    def items(self, attributes: dict, depth: int, name: str, place: Place | None = None) -> None:
        """Look at attributes."""
        for key in sorted(attributes):
            self.enter(Item(attributes, key, f"{name}.{key}", place), depth)

    def slots(self, value: Any, depth: int, name: str) -> None:
        """Look at the attributes of an object that have places of their own, and at its class."""
        for member in slots(type(value)):
            self.enter(Slot(value, member, f"{name}.{member.__name__}"), depth)
        if not is_ours(module_of(type(value))):
            self.family(type(value), depth)

    def family(self, value: type, depth: int) -> None:
        """A class, and those that it is made of."""
        for cls in value.__mro__:
            self.methods(cls, depth)

    def methods(self, cls: type, depth: int) -> None:
        """What the methods of a user's class use, and what the class itself holds."""
        if id(cls) in self.classes or is_library(module_of(cls)) or is_ours(module_of(cls)):
            return
        self.classes.add(id(cls))
        if has_own_ways(cls):
            self.refuse(f"it uses objects of {cls.__name__}, which say in their own way what they are, or hold")
            return
        self.attributes_in(ClassContents(cls))
        self.found.entries.append((ancestors := Ancestors(cls), ancestors.get()))
        self.found._key.append(tuple(map(id, cls.__mro__)))
        self.found.named.append(cls.__mro__)
        self.family(type(cls), depth)
        for key in sorted(vars(cls)):
            if key not in OF_CLASSES:
                self.enter(ClassItem(cls, key, f"{cls.__name__}.{key}"), depth)


def _is_tuple_of_arrays(value: Any) -> bool:
    """Whether a tuple, or one inside, holds arrays that a program may read."""
    return is_tuple(value) and any(part.__class__ is np.ndarray or _is_tuple_of_arrays(part) for part in value)


def _is_constant(value: Any) -> bool:
    """Whether an object in an array cannot change."""
    return isinstance(value, CONSTANT) and not isinstance(value, np.void)
