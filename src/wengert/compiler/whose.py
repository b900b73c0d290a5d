"""Whose an object is: the user's, a library's, or wengert's own; and so, whether it is looked into."""

import ctypes
import os
import random
import sys
import threading
import weakref
from array import array as Numbers
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Iterator
from contextlib import nullcontext
from contextvars import ContextVar
from gc import get_referents
from queue import SimpleQueue
from types import (
    FrameType,
    FunctionType,
    GenericAlias,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

import numpy as np

__all__ = [
    *("CONSTANT", "OPEN", "attributes_of", "draws", "exact", "has_own_ways", "is_library", "is_of_users", "is_ours"),
    *("is_plain", "is_unseen", "module_of", "own", "parts_of", "public_of", "slots"),
]

LIBRARIES = {"numpy", "scipy", "optree", "llvmlite", "torch", "jax", "matplotlib", "pandas", "pytest", "_pytest"}
LIBRARIES |= set(sys.stdlib_module_names) - {"__main__"}
OF_CYTHON = "_cython_"
"""How the modules of the classes begin that all code compiled by Cython shares."""
CERTAIN = LIBRARIES - set(sys.stdlib_module_names) | set(sys.builtin_module_names)
"""Those that are known by their names; the others' names may be those of modules of the user's as well."""
FOLDER = os.path.dirname(os.__file__) + os.sep
"""Where Python's modules are."""
CONSTANT = (bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype)
MADE_IN_PYTHON = 1 << 9
"""The flag of classes that are no part of the interpreter."""
MAKING_CLASSES = {"builtins", "abc", "types"}
"""Modules that are given as those of classes which they make."""
OPEN = (
    *(SimpleNamespace, UserDict, UserList, ChainMap, nullcontext),
    *(weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet),
)
"""Containers of Python's own that are looked into, and written, as objects of the user's classes are."""
UNSEEN: tuple[type, ...] = (bytearray, memoryview, Numbers, ContextVar, threading.local, threading.Event, SimpleQueue)
UNSEEN += (ctypes._SimpleCData, ctypes.Array, ctypes.Structure, ctypes.Union, ctypes._Pointer, np.void, BaseException)
UNSEEN += (FrameType,)
UNSEEN_NAMES = {"torch.Tensor", "torch.nn.parameter.Parameter", "pandas.core.frame.DataFrame"}
UNSEEN_NAMES |= {f"multiprocessing.sharedctypes.Synchronized{kind}" for kind in ("", "Array", "String")}
UNSEEN_NAMES |= {"multiprocessing.shared_memory.ShareableList", "decimal.Context", "mmap.mmap"}
UNSEEN_NAMES |= {f"unittest.mock.{kind}" for kind in ("Mock", "MagicMock", "NonCallableMock", "NonCallableMagicMock")}
UNSEEN_NAMES |= {"concurrent.futures._base.Future", "asyncio.futures.Future", "_asyncio.Future", "asyncio.locks.Event"}
UNSEEN_NAMES |= {"pandas.DataFrame", "pandas.core.series.Series", "pandas.Series"}
"""What may change without a trace that is cheap to find."""
CLOSED = LIBRARIES - {"numpy", "scipy", "argparse", "functools", "collections", "queue", "string", "os", "configparser"}
"""Where objects are for their effects (logs, locks, files), or cannot be looked into."""
EFFECTS = {"logging", "io", "_io", "csv", "_csv", "pathlib", "socket", "subprocess", "tempfile", "sqlite3", "unittest"}
EFFECTS |= {"multiprocessing", "typing", "http", "urllib", "zipfile", "gzip", "_thread"}
"""Modules of Python's whose objects hold nothing that a program goes by."""
WRAPPING = (property, staticmethod, classmethod)
WRAPPED = ("__func__", "fget", "fset", "fdel")
"""What has functions inside, and by which names."""
DRAWING = (np.random.Generator, np.random.RandomState, random.Random, np.random.BitGenerator, np.random.SeedSequence)
"""What random numbers are drawn from, directly or by generators that are made of it."""
PROXIES = (weakref.ProxyType, weakref.CallableProxyType)
PLAIN_FUNCTIONS = (np.ufunc, type(np.sum))
WITH_PARTS = (list, dict, tuple, set, frozenset, deque)
ORDINARY = {*WITH_PARTS, FunctionType, ModuleType, bool, int, float, complex, str, bytes, type(None), np.ndarray}
GIVING_PARTS = {"__iter__", "__len__", "keys", "values", "items"}
"""Methods by which a container's parts are looked at."""
TELLING = {"__getattribute__", "__class__"}
"""What tells of any object's attributes, and its class."""


def is_library(module: str | None) -> bool:
    """Whether a module is part of Python, or of a library whose objects are not the user's."""
    name = (module or "builtins").partition(".")[0]
    if name.startswith(OF_CYTHON):
        return True
    return name in LIBRARIES and (name in CERTAIN or not _lies_elsewhere(sys.modules.get(name)))


def _lies_elsewhere(module: ModuleType | None) -> bool:
    """Whether a module that has the name of one of Python's is another one: a file of the user's."""
    file = getattr(module, "__file__", None) or ""
    return file.endswith((".py", ".pyc")) and not file.startswith(FOLDER)


def is_ours(module: str | None) -> bool:
    """Whether a module is one of wengert's."""
    return (module or "").partition(".")[0] == "wengert"


def module_of(cls: type) -> str | None:
    """The module of a class; one that is made by a call may say that it is Python's own."""
    module = cls.__module__
    if not isinstance(module, str):  # it tells what its objects' is; what C code has made is no user's
        return None if isinstance(module, GetSetDescriptorType) else "__main__"
    is_made = module in MAKING_CLASSES and cls.__flags__ & MADE_IN_PYTHON
    return "__main__" if is_made and vars(sys.modules[module]).get(cls.__name__) is not cls else module


def slots(cls: type) -> Iterator[MemberDescriptorType]:
    """The attributes of a class's objects that have places of their own."""
    for base in cls.__mro__:
        if "__slots__" in vars(base):
            yield from (part for part in vars(base).values() if isinstance(part, MemberDescriptorType))


def has_own_ways(cls: type) -> bool:
    """Whether objects of a class may say that they are, or hold, something else than they do."""
    if cls in ORDINARY or is_library(module_of(cls)) or is_ours(module_of(cls)):
        return cls in PROXIES
    names = TELLING
    if issubclass(cls, CONSTANT):
        names = TELLING | {"__eq__", "__hash__"}
    elif issubclass(cls, WITH_PARTS):
        names = TELLING | GIVING_PARTS | ({"__new__"} if hasattr(cls, "_fields") else set())
    return any(_is_written_by_users(vars(base)[name]) for base in cls.__mro__ for name in names & vars(base).keys())


def _is_written_by_users(method: Any) -> bool:
    """Whether a method is no library's, and none that `collections.namedtuple` has made."""
    method = own(method, "__func__") or own(method, "fget") or method
    if not isinstance(method, FunctionType):
        return False
    module = method.__globals__.get("__name__") or ""
    return not (is_library(module) or is_ours(module) or module.startswith("namedtuple_"))


def is_plain(value: Any) -> bool:
    """Whether an object has attributes, and nothing else, so that these can be held without it."""
    return attributes_of(value) is not None and not isinstance(value, WITH_PARTS) and not any(slots(type(value)))


def is_of_users(value: Any) -> bool:
    """Whether something of a class made from one of Python's or NumPy's may have attributes of its own."""
    cls = type(value)
    return bool(getattr(value, "__dict__", None)) or not (is_library(module_of(cls)) or is_ours(module_of(cls)))


def draws(value: Any) -> bool:
    """Whether something is a generator of random numbers, or makes some: NumPy's, Python's, or a dialect's."""
    of_dialect = is_ours(module_of(type(value))) and hasattr(type(value), "bit_generator")
    return of_dialect or isinstance(value, DRAWING)


def own(value: Any, name: str) -> Any:
    """An attribute, of what has it by its class: others may make up any."""
    return getattr(value, name) if hasattr(type(value), name) else None


def attributes_of(value: Any) -> dict | None:
    """The attributes of an object that is looked into."""
    module = module_of(type(value))
    if isinstance(value, (type, ModuleType, PLAIN_FUNCTIONS)):
        return None
    if not isinstance(value, OPEN) and (module or "builtins").partition(".")[0] in CLOSED and is_library(module):
        return None
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return attributes if isinstance(attributes, dict) else None


def parts_of(value: Any) -> list:
    """What an object of Python's own holds that has no attributes, or wraps functions."""
    if isinstance(value, WRAPPING):
        return [part for name in WRAPPED if (part := getattr(value, name, None)) is not None]
    is_looked_into = _is_pythons(type(value)) and not type(value).__dictoffset__
    is_looked_into = is_looked_into and not isinstance(value, (GenericAlias, MappingProxyType))
    if not is_looked_into:
        return []
    # What lies behind a proxy cannot be changed there, and nothing can be looked up in one at each call.
    return [part for part in get_referents(value) if part is not type(value) and type(part) is not MappingProxyType]


def public_of(value: Any) -> dict:
    """The attributes of an object of Python's own that is not looked into as a whole: users may set some."""
    if not _is_pythons(type(value)) or isinstance(value, (ModuleType, type, *WRAPPING)):
        return {}
    own = object.__getattribute__(value, "__dict__") if type(value).__dictoffset__ else None
    return own if isinstance(own, dict) else {}


def _is_pythons(cls: type) -> bool:
    """Whether a class is one of Python's own, whose objects may hold what a program goes by."""
    name = (module_of(cls) or "").partition(".")[0]
    return name in sys.stdlib_module_names and name not in EFFECTS and is_library(name)


def exact(value: Any) -> Any:
    """What tells constants of one class apart that Python, or a class of the user's, calls equal: 0.0 and -0.0."""
    if isinstance(value, np.generic):
        return repr(np.array(value)[()])
    base: Any = next((cls for cls in (float, complex, str, bytes, int) if isinstance(value, cls)), None)
    return value if base is None or type(value) in (int, bool, str, bytes) else base.__repr__(value)


def is_unseen(value: Any) -> bool:
    """Whether an object may change without a trace that is cheap to find."""
    cls = type(value)
    is_named = any(f"{base.__module__}.{base.__qualname__}" in UNSEEN_NAMES for base in cls.__mro__)
    return is_named or isinstance(value, UNSEEN) or cls in PROXIES
