"""What a function can reach besides its arguments, found in its closure, its globals, attributes and containers.

Arrays and tensors found there are inputs of the program. All else - numbers, texts, functions, the lengths of lists -
is what the program was made for: where something has changed, it is another program.
"""

import builtins
import ctypes
import random
import sys
import threading
import weakref
from array import array as Numbers
from collections import ChainMap, Counter, UserDict, UserList, deque
from collections.abc import Iterator
from contextvars import ContextVar
from dis import get_instructions
from functools import lru_cache, partial
from opcode import opmap
from queue import SimpleQueue
from types import (
    BuiltinMethodType,
    CodeType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

import numpy as np

from wengert.box import Box
from wengert.compiler.places import (
    ABSENT,
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
from wengert.protocol import Wrapper, spec_of

__all__ = ["Found", "find", "flags", "layout"]

DEEPEST, MOST = 16, 10_000
LIBRARIES = {"numpy", "scipy", "optree", "llvmlite", "torch", "jax", "matplotlib", "pandas", "pytest", "_pytest"}
LIBRARIES |= set(sys.stdlib_module_names) - {"__main__"}
CONSTANT = (bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype)
ABOUT_CLASSES = {"isinstance", "issubclass", "hasattr", "getattr", "type", "isscalar", "__class__", "AttributeError"}
ASKING = frozenset(map(id, (isinstance, issubclass, hasattr, getattr, type)))
"""The functions that ask for classes, which may go by other names."""
ABOUT_ATTRIBUTES = {"setattr", "getattr", "hasattr", "vars", "__dict__", "AttributeError"}
STORE_ATTR = opmap["STORE_ATTR"]
MADE_IN_PYTHON = 1 << 9
"""The flag of classes that are no part of the interpreter."""
MATCH_CLASS = opmap.get("MATCH_CLASS", -1)
"""The instruction of ``case float():``, which asks for a class without a name for that."""
OPEN = (
    *(SimpleNamespace, UserDict, UserList, ChainMap),
    *(weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet),
)
"""Containers of Python's own that are looked into, and written, as objects of the user's classes are."""
UNSEEN: tuple[type, ...] = (bytearray, memoryview, Numbers, ContextVar, threading.local, threading.Event, SimpleQueue)
UNSEEN += (ctypes._SimpleCData, ctypes.Array, ctypes.Structure, np.void)
UNSEEN_NAMES = {"torch.Tensor", "torch.nn.parameter.Parameter", "pandas.core.frame.DataFrame"}
UNSEEN_NAMES |= {f"multiprocessing.sharedctypes.Synchronized{kind}" for kind in ("", "Array", "String")}
UNSEEN_NAMES |= {"multiprocessing.shared_memory.ShareableList", "decimal.Context"}
UNSEEN_NAMES |= {f"unittest.mock.{kind}" for kind in ("Mock", "MagicMock", "NonCallableMock", "NonCallableMagicMock")}
UNSEEN_NAMES |= {"pandas.DataFrame", "pandas.core.series.Series", "pandas.Series"}
"""What may change without a trace that is cheap to find."""
CLOSED = LIBRARIES - {"numpy", "scipy", "argparse", "functools", "collections", "queue", "string", "os", "configparser"}
"""Where objects are for their effects (logs, locks, files), or cannot be looked into."""
VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
PROXIES = (weakref.ProxyType, weakref.CallableProxyType)
CACHING = type(lru_cache(len))
PLAIN_FUNCTIONS = (np.ufunc, type(np.sum))
SMALL = 1 << 16
"""Bytes up to which whole numbers are compared with what they were rather than read by the program."""


class Found:
    """All that was found, in the order in which it was."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.arrays: list[tuple[np.ndarray, list[Place]]] = []
        self.forms: list[tuple] = []
        """The arrays that are read, and compared, with what can be changed of them in place: shape, dtype and order."""
        self.numbers: list[tuple[Place, Any]] = []
        """Python numbers that have been seen to change: inputs, too."""
        self.varies: set[tuple] = set()
        """The identities of their places."""
        self.entries: list[tuple[Place, Any]] = []
        self.contents: list[Contents] = []
        """What was in lists, dictionaries, sets and queues."""
        self.fixed: list[tuple[np.ndarray, bytes]] = []
        self.small: list[Place] = []
        """Where small arrays of whole numbers lie, which are compared as long as nothing asks for more."""
        self.generators: list[Any] = []
        self.caches: list[Any] = []
        """Functions whose results are kept (`functools.lru_cache`), nobody sees where."""
        self.asks_for_classes = False
        """Whether a function may go another way for traces than for arrays and numbers."""
        self.refused: str | None = None
        """Why a program cannot be made for what is here."""
        self._key: list[Any] = []
        self._often: Counter | None = None
        """In how many places each tensor and array lies."""

    def key(self) -> tuple:
        """What must be the same for a program to serve."""
        return (*self._key, *[_state(t) for t in self.tensors])

    def holds(self) -> bool:
        """Whether all is as it was found, but for the values of arrays and tensors."""
        for place, held in self.entries:
            if place.get() is not held and not (
                place.identity in self.varies and place.get().__class__ is held.__class__
            ):
                return False
        if any(_form(array) != form for array, *form in self.forms):
            return False
        return self.has_same_contents() and all(array.tobytes() == contents for array, contents in self.fixed)

    def renew(self, k: int, now: Any) -> None:
        """Note what a program has put into a place in which something else of its kind was, in one place only."""
        place, held = self.entries[k]
        if self._often is None:
            self._often = Counter(id(x) for _, x in self.entries if isinstance(x, (Box, np.ndarray)))
        if self._often.get(id(held)) != 1:
            return
        if isinstance(held, Box) and type(now) is type(held) and now._spec is held._spec:
            found = next((i for i, t in enumerate(self.tensors) if t is held), None)
            if found is None:
                return
            self.tensors[found] = now
        elif held.__class__ is now.__class__ is np.ndarray and _lie_alike(held, now):
            found = next((i for i, (a, _) in enumerate(self.arrays) if a is held), None)
            if found is None:
                return
            self.arrays[found] = now, self.arrays[found][1]
            at = next(i for i, (a, *_) in enumerate(self.forms) if a is held)
            self.forms[at] = now, *_form(now)
        else:
            return
        self.entries[k] = place, now
        del self._often[id(held)]
        self._often[id(now)] = 1

    def has_same_contents(self) -> bool:
        """Whether lengths, keys, and what is in sets, queues and arrays of objects, are as they were."""
        objects = ((array, before) for array, before in self.fixed if array.dtype.hasobject)
        return all(contents.is_same() for contents in self.contents) and all(x.tobytes() == b for x, b in objects)


def _own(value: Any, name: str) -> Any:
    """An attribute, of what has it by its class: others may make up any."""
    return getattr(value, name) if hasattr(type(value), name) else None


def _attributes(value: Any) -> dict | None:
    """The attributes of an object that is looked into."""
    module = _module(type(value))
    if isinstance(value, (type, ModuleType, PLAIN_FUNCTIONS)):
        return None
    if not isinstance(value, OPEN) and (module or "builtins").partition(".")[0] in CLOSED:
        return None
    attributes = getattr(value, "__dict__", None)
    return attributes if isinstance(attributes, dict) else None


def _structure(value: Any) -> Any:
    """What a program depends on in something that is looked into: not which one it is, but how it is built."""
    if isinstance(value, dict):
        return dict, tuple(key if isinstance(key, CONSTANT) else type(key) for key in value)
    if isinstance(value, (list, tuple)):
        return type(value), len(value)
    if isinstance(value, Box):
        return type(value)
    if isinstance(value, FunctionType):
        return value.__code__
    if isinstance(value, (np.ndarray, MethodType, partial)):
        return type(value)
    attributes = _attributes(value)
    if attributes is not None and (isinstance(value, OPEN) or not _is_library(_module(type(value)))):
        return type(value), tuple(attributes)
    return id(value), tuple(attributes or ())


def layout(x: np.ndarray) -> tuple | None:
    """The order of the axes in memory, by which a function may decide; `None` for the usual one."""
    return (
        None if x.ndim < 2 or x.flags.c_contiguous else tuple(np.argsort([-abs(n) for n in x.strides], kind="stable"))
    )


def _form(x: np.ndarray) -> list:
    """What a program depends on in an array that it reads."""
    return [x.shape, x.dtype, layout(x)]


def _lie_alike(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the same program reads both."""
    return _form(x) == _form(y)


def _state(t: Any) -> tuple:
    """What a program depends on in a tensor: shape and dtype, whether it requires a gradient, and has one."""
    return t._spec, t._node is None, getattr(t, "_grad", None) is None, t._level, flags(t)


def flags(t: Any) -> tuple:
    """The truth values that belong to a tensor of a dialect."""
    return tuple([getattr(t, name, None) for name in t._flags])


def find(roots: list, variables: dict, skip: list) -> Found:
    """Everything reachable from some objects; `skip` is what is known otherwise."""
    search = _Search(variables, skip)
    for root in roots:
        search.look(root, DEEPEST, getattr(root, "__name__", type(root).__name__))
    if search.makes_attributes:
        search.found.contents += [Contents(attributes, in_order=False) for attributes in search.of_functions]
    return search.found


class _Search:
    def __init__(self, variables: dict, skip: list):
        self.found = Found()
        self.variables = variables
        self.seen: dict[int, int] = {id(value): i for i, value in enumerate(skip)}
        self.arrays: dict[int, list[Place]] = {}
        self.classes: set[int] = set()
        self.modules: set[tuple[int, frozenset[str]]] = set()
        self.names: frozenset[str] = frozenset()
        """What the code around looks up by name."""
        self.of_functions: list[dict] = []
        """The attributes of functions, which hardly any function gets later than others look at it."""
        self.makes_attributes = False
        """Whether some code sets attributes, or asks which there are."""
        self.closed = False
        """Whether this is inside an object of a library, where nothing else may be put."""

    def enter(self, place: Place, depth: int) -> None:
        """Look at what a place holds."""
        value = place.get()
        found = self.found
        if value is ABSENT:
            self.absent(place)
            return
        found.entries.append((place, value))
        found.asks_for_classes |= id(value) in ASKING
        if value.__class__ is ModuleType:
            self.module(value, depth - 1)
        elif value.__class__ in (int, float) and place.identity in self.variables and not self.closed:
            found.numbers.append((place, value))
            found.varies.add(place.identity)
            found._key.append(value.__class__)
        elif value.__class__ is np.ndarray and value.dtype.kind in "fciub" and self.lifts(value, place):
            self.array(value, place)
        elif _is_tuple_of_arrays(value) or self.has_variables(place, value):
            found._key.append(_structure(value))
            for k in range(len(value)):
                self.enter(TupleItem(place, k, f"{place.name}[{k}]"), depth - 1)
        else:
            if value.__class__ is np.ndarray and value.dtype.kind in "iub" and not self.closed:
                found.small.append(place)
            self.look(value, depth, place.name)

    def absent(self, place: Place) -> None:
        """Note that a variable is not there yet."""
        if isinstance(place, Cell) or place.holder.__class__ is dict:
            self.found.entries.append((place, ABSENT))
            self.found._key.append(ABSENT)

    def has_variables(self, place: Place, value: Any) -> bool:
        """Whether a tuple holds numbers that are inputs."""
        return value.__class__ is tuple and any((place.identity, k) in self.variables for k in range(len(value)))

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
            form = _form(value)
            self.found.arrays.append((value, places))
            self.found.forms.append((value, *form))
            self.found._key.append(("array", *form))
        else:
            self.found._key.append(("again", [a is value for a, _ in self.found.arrays].index(True)))
        places.append(place)

    def look(self, value: Any, depth: int, name: str) -> None:
        """Note a value, and look into it."""
        found = self.found
        if isinstance(value, CONSTANT) and not isinstance(value, np.void):
            exact = repr(value) if isinstance(value, (float, complex, np.generic)) else value
            found._key.append((type(value), exact))
            if not _is_of_users(value):
                return
        known = self.seen.get(id(value))
        if known is not None:
            found._key.append(("again", known))
            return
        self.seen[id(value)] = len(self.seen)
        found._key.append(_structure(value))
        if depth < 0 or len(self.seen) > MOST:
            found.refused = found.refused or f"what it uses is nested too deeply, or has too many parts, at {name}"
            return
        self.into(value, depth - 1, name)

    def into(self, value: Any, depth: int, name: str) -> None:
        """Look into something that is seen for the first time."""
        found = self.found
        if hasattr(type(value), "_waits_for_shape") and value._waits_for_shape:
            found.refused = found.refused or f"{name} gets its shape in its first call"
        if isinstance(value, Box):
            if value._is_view:
                self.look(value._base, depth, name)  # type: ignore[attr-defined]
            elif isinstance(value._value, Wrapper):
                found.refused = found.refused or f"it uses {name}, a value of a transformation around it"
            else:
                found.tensors.append(value)
        elif isinstance(value, np.ndarray):
            self.fixed(value, name)
        elif _draws(value):
            found.generators.append(value)
        elif isinstance(value, GeneratorType) or hasattr(type(value), "__next__"):
            found.refused = found.refused or f"it uses an iterator, {name}, which a call moves on"
        elif isinstance(value, Wrapper):
            found.refused = found.refused or f"it uses {name}, a value of a transformation around it"
        elif isinstance(value, type):
            self.family(value, depth)
        elif isinstance(value, ModuleType):
            self.module(value, depth)
        else:
            self.inside(value, depth, name)
        if isinstance(value, (Box, np.ndarray, dict, list, tuple, set, frozenset, deque)) and _is_of_users(value):
            self.attributes(value, depth, name)

    def fixed(self, value: np.ndarray, name: str) -> None:
        """Note an array that is compared with what it was; of objects it says only which they are."""
        found = self.found
        if value.dtype.hasobject and not all(isinstance(part, CONSTANT) for part in value.flat):
            found.refused = found.refused or f"it uses {name}, an array of objects"
        found.forms.append((value, *_form(value)))
        found.fixed.append((value, value.tobytes()))
        found._key.append((spec_of(value) if value.dtype.kind in "fciub" else None, hash(found.fixed[-1][1])))

    def inside(self, value: Any, depth: int, name: str) -> None:
        """Look at the parts of a function, a container or an object."""
        found = self.found
        if hasattr(type(value), "_searched"):
            self.named(vars(value), depth, name)
            value = value._searched
        if isinstance(value, FunctionType):
            self.function(value, depth)
        elif isinstance(value, MethodType):
            self.look(value.__self__, depth, name)
            self.look(value.__func__, depth, name)
        elif isinstance(value, BuiltinMethodType):
            if not isinstance(value.__self__, ModuleType):
                self.look(value.__self__, depth, name)
        elif isinstance(value, partial):
            for part in (value.func, value.args, value.keywords, value.__dict__):
                self.look(part, depth, name)
        elif isinstance(value, weakref.ref):
            referent = Referent(value, None, f"{name}()")
            found.entries.append((referent, referent.get()))
            self.look(referent.get(), depth, referent.name)
        elif isinstance(value, VIEWS):
            self.look(value.mapping, depth, name)  # type: ignore[attr-defined]
        elif isinstance(value, (dict, list, tuple, set, frozenset, deque, MappingProxyType)):
            self.container(value, depth, name)
        else:
            self.object(value, depth, name)

    def container(self, value: Any, depth: int, name: str) -> None:
        """Look at the parts of a container of Python's own."""
        if isinstance(value, (dict, MappingProxyType)):
            self.found.contents.append(Contents(value, in_order=True))
            closed, kind = self.closed, Shown if isinstance(value, MappingProxyType) else Item
            self.closed |= kind is Shown
            for key in list(value):
                shown = repr(key) if isinstance(key, (str, int)) else "..."
                if not isinstance(key, CONSTANT):
                    self.look(key, depth, f"a key of {name}")
                self.enter(kind(value, key, f"{name}[{shown}]"), depth)
            self.closed = closed
        elif isinstance(value, list):
            self.found.contents.append(Contents(value, in_order=False))
            for i in range(len(value)):
                self.enter(Item(value, i, f"{name}[{i}]"), depth)
        else:
            if isinstance(value, (set, deque)):
                self.found.contents.append(Contents(value, in_order=True))
            for part in tuple(value):
                self.look(part, depth, name)

    def function(self, value: FunctionType, depth: int) -> None:
        """Look at what a function's code may look up."""
        before = self.names, self.closed
        self.names, self.closed = _names(value.__code__), False
        self.code(value, depth)
        self.names, self.closed = before

    def code(self, value: FunctionType, depth: int) -> None:
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            self.enter(Cell(cell, name), depth)
        for default in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
            self.look(default, depth, value.__name__)
        # Where it was written: `functools.wraps` changes `__module__`.
        module = value.__globals__.get("__name__") or "__main__"
        self.found.asks_for_classes |= "registry" in value.__dict__  # `functools.singledispatch` does
        self.items(value.__dict__, depth, value.__name__)
        if _is_library(module) or _is_ours(module):
            return
        self.of_functions.append(value.__dict__)
        names = self.names
        self.makes_attributes |= not names.isdisjoint(ABOUT_ATTRIBUTES)
        self.found.asks_for_classes |= not names.isdisjoint(ABOUT_CLASSES)
        if "FloatingPointError" in names:
            self.found.refused = self.found.refused or f"{value.__name__} waits for NumPy to raise FloatingPointError"
        variables = _variables(value.__code__)
        for name in sorted(names):
            if name in value.__globals__ or (name in variables and not hasattr(builtins, name)):
                self.enter(Item(value.__globals__, name, name), depth)
            elif isinstance(sys.modules.get(name), ModuleType):  # imported inside of the function
                self.module(sys.modules[name], depth)

    def module(self, value: ModuleType, depth: int) -> None:
        """The variables of a module of the user's that the code around may look up, in modules inside it, too."""
        known = id(value), self.names
        if depth < 0 or known in self.modules or _is_library(value.__name__) or _is_ours(value.__name__):
            return
        self.modules.add(known)
        for name in sorted(self.names & value.__dict__.keys()):
            self.enter(Item(value.__dict__, name, f"{value.__name__}.{name}"), depth)

    def object(self, value: Any, depth: int, name: str) -> None:
        """Look at the attributes of an object; those of libraries' are compared, and never replaced."""
        cls = type(value)
        is_unseen = any(f"{base.__module__}.{base.__qualname__}" in UNSEEN_NAMES for base in cls.__mro__)
        if is_unseen or isinstance(value, UNSEEN) or cls in PROXIES:
            self.found.refused = self.found.refused or f"it uses {name}, a {cls.__name__}, which may change unseen"
            return
        if isinstance(value, CACHING):
            self.found.caches.append(value)
        self.attributes(value, depth, name)

    def attributes(self, value: Any, depth: int, name: str) -> None:
        """Look at what an object, which may be a container too, has by name."""
        cls, attributes, closed = type(value), _attributes(value), self.closed
        is_library = _is_library(_module(cls))
        self.closed = is_library and not isinstance(value, OPEN)
        if not is_library and not _is_ours(_module(cls)):
            self.found.entries.append((ClassOf(value, f"the class of {name}"), cls))
        if attributes is not None:
            self.found._key.append(tuple(attributes))
            self.named(attributes, depth, name)
        if not is_library:
            self.slots(value, depth, name)
        self.closed = closed

    def named(self, attributes: dict, depth: int, name: str) -> None:
        """Look at attributes, and note which there are."""
        self.found.contents.append(Contents(attributes, in_order=False))
        self.items(attributes, depth, name)

    def items(self, attributes: dict, depth: int, name: str) -> None:
        """Look at attributes."""
        for key in sorted(attributes):
            self.enter(Item(attributes, key, f"{name}.{key}"), depth)

    def slots(self, value: Any, depth: int, name: str) -> None:
        """Look at the attributes of an object of the user's that have places of their own, and at its class."""
        for slot in _slots(type(value)):
            if hasattr(value, slot):
                self.enter(Slot(value, slot, f"{name}.{slot}"), depth)
        if not _is_ours(_module(type(value))):
            self.family(type(value), depth)

    def family(self, value: type, depth: int) -> None:
        """A class, and those that it is made of."""
        for cls in value.__mro__:
            self.methods(cls, depth)

    def methods(self, cls: type, depth: int) -> None:
        """What the methods of a user's class use, and what the class itself holds."""
        if id(cls) in self.classes or _is_library(_module(cls)) or _is_ours(_module(cls)):
            return
        self.classes.add(id(cls))
        self.found.contents.append(ClassContents(cls))
        for key, part in sorted(vars(cls).items()):
            if key[:2] != "__" or isinstance(part, FunctionType) or hasattr(type(part), "_searched"):
                self.enter(ClassItem(cls, key, f"{cls.__name__}.{key}"), depth)
            inner = _own(part, "__func__") or _own(part, "fget")
            if isinstance(inner, FunctionType):
                self.look(inner, depth, f"{cls.__name__}.{key}")


def _is_of_users(value: Any) -> bool:
    """Whether something of a class made from one of Python's or NumPy's may have attributes of its own."""
    cls = type(value)
    return bool(getattr(value, "__dict__", None)) or not (_is_library(_module(cls)) or _is_ours(_module(cls)))


def _is_tuple_of_arrays(value: Any) -> bool:
    """Whether a tuple, or one inside, holds arrays that a program may read."""
    is_known = value.__class__ is tuple or (isinstance(value, tuple) and hasattr(value, "_fields"))
    return is_known and any(part.__class__ is np.ndarray or _is_tuple_of_arrays(part) for part in value)


def _draws(value: Any) -> bool:
    """Whether something is a generator of random numbers: NumPy's, Python's, or a dialect's."""
    is_ours = _is_ours(_module(type(value))) and hasattr(type(value), "bit_generator")
    return is_ours or isinstance(value, (np.random.Generator, np.random.RandomState, random.Random))


def _is_library(module: str | None) -> bool:
    return (module or "builtins").partition(".")[0] in LIBRARIES


def _is_ours(module: str | None) -> bool:
    return (module or "").partition(".")[0] == "wengert"


def _module(cls: type) -> str | None:
    """The module of a class; one that is made where there is none says that it is Python's own."""
    module = cls.__module__
    return "__main__" if module == "builtins" and cls.__flags__ & MADE_IN_PYTHON else module


def _slots(cls: type) -> Iterator[str]:
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in ("__weakref__", "__dict__"):
                yield slot


def _names(code: CodeType) -> frozenset[str]:
    """The names that a function's code, and that of the functions inside it, looks up."""
    names = frozenset(code.co_names)
    if MATCH_CLASS in code.co_code[::2]:
        names |= {"isinstance"}
    if STORE_ATTR in code.co_code[::2]:
        names |= {"setattr"}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


@lru_cache(4096)
def _variables(code: CodeType) -> frozenset[str]:
    """The names that are variables of the module, and no attributes."""
    found = {line.argval for line in get_instructions(code) if line.opname in ("LOAD_GLOBAL", "STORE_GLOBAL")}
    inner = [_variables(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return frozenset(found.union(*inner))
