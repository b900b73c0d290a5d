"""Whose an object is: the user's, a library's, or wengert's own; and so, whether it is looked into."""

import ctypes
import random
import sys
import threading
import weakref
from array import array as Numbers
from collections import ChainMap, UserDict, UserList
from collections.abc import Iterator
from contextvars import ContextVar
from queue import SimpleQueue
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

__all__ = [
    *("CONSTANT", "OPEN", "attributes_of", "draws", "is_library", "is_of_users", "is_ours", "is_unseen", "module_of"),
    *("own", "slots"),
]

LIBRARIES = {"numpy", "scipy", "optree", "llvmlite", "torch", "jax", "matplotlib", "pandas", "pytest", "_pytest"}
LIBRARIES |= set(sys.stdlib_module_names) - {"__main__"}
CONSTANT = (bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype)
MADE_IN_PYTHON = 1 << 9
"""The flag of classes that are no part of the interpreter."""
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
PROXIES = (weakref.ProxyType, weakref.CallableProxyType)
PLAIN_FUNCTIONS = (np.ufunc, type(np.sum))


def is_library(module: str | None) -> bool:
    """Whether a module is part of Python, or of a library whose objects are not the user's."""
    return (module or "builtins").partition(".")[0] in LIBRARIES


def is_ours(module: str | None) -> bool:
    """Whether a module is one of wengert's."""
    return (module or "").partition(".")[0] == "wengert"


def module_of(cls: type) -> str | None:
    """The module of a class; one that is made where there is none says that it is Python's own."""
    module = cls.__module__
    return "__main__" if module == "builtins" and cls.__flags__ & MADE_IN_PYTHON else module


def slots(cls: type) -> Iterator[str]:
    """The attributes of a class's objects that have places of their own."""
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in ("__weakref__", "__dict__"):
                yield slot


def is_of_users(value: Any) -> bool:
    """Whether something of a class made from one of Python's or NumPy's may have attributes of its own."""
    cls = type(value)
    return bool(getattr(value, "__dict__", None)) or not (is_library(module_of(cls)) or is_ours(module_of(cls)))


def draws(value: Any) -> bool:
    """Whether something is a generator of random numbers: NumPy's, Python's, or a dialect's."""
    of_dialect = is_ours(module_of(type(value))) and hasattr(type(value), "bit_generator")
    return of_dialect or isinstance(value, (np.random.Generator, np.random.RandomState, random.Random))


def own(value: Any, name: str) -> Any:
    """An attribute, of what has it by its class: others may make up any."""
    return getattr(value, name) if hasattr(type(value), name) else None


def attributes_of(value: Any) -> dict | None:
    """The attributes of an object that is looked into."""
    module = module_of(type(value))
    if isinstance(value, (type, ModuleType, PLAIN_FUNCTIONS)):
        return None
    if not isinstance(value, OPEN) and (module or "builtins").partition(".")[0] in CLOSED:
        return None
    attributes = getattr(value, "__dict__", None)
    return attributes if isinstance(attributes, dict) else None


def is_unseen(value: Any) -> bool:
    """Whether an object may change without a trace that is cheap to find."""
    cls = type(value)
    is_named = any(f"{base.__module__}.{base.__qualname__}" in UNSEEN_NAMES for base in cls.__mro__)
    return is_named or isinstance(value, UNSEEN) or cls in PROXIES
