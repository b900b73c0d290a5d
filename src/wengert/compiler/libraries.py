"""Functions of SciPy's BLAS and LAPACK as symbols that native code calls."""

import contextlib
import ctypes
import functools
import importlib.util
import re
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from wengert.compiler import blas, native
from wengert.compiler.assembly import spelled
from wengert.compiler.code import Code, bind
from wengert.compiler.locks import made_once
from wengert.compiler.writer import Writer

__all__ = ["PRODUCT", "call_library", "provide_libraries", "provide_products", "symbol"]

PRODUCT = "wengert.product"
"""What kernels call the function that does products of matrices."""


@functools.cache
def symbol(library: str, name: str) -> str:
    """The symbol of a function; it is bound when it is first asked for."""
    capsule = _module(f"cython_{library}").__pyx_capi__[name]
    get_name, get = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    llvm.add_symbol(f"scipy_{library}_{name}", get(capsule, get_name(capsule)))
    return f"scipy_{library}_{name}"


@functools.cache
def _module(name: str) -> Any:
    """A module of `scipy.linalg`, by itself where it can be loaded so: the whole package takes ten times as long."""
    full = f"scipy.linalg.{name}"
    scipy = importlib.util.find_spec("scipy")
    if full not in sys.modules and sys.platform != "win32" and scipy is not None:
        loader = ExtensionFileLoader, EXTENSION_SUFFIXES
        for folder in scipy.submodule_search_locations or ():
            found = FileFinder(str(Path(folder) / "linalg"), loader).find_spec(full)
            if found is not None and found.loader is not None:
                with contextlib.suppress(ImportError):
                    module = importlib.util.module_from_spec(found)
                    found.loader.exec_module(module)
                    sys.modules.pop(full, None)  # it has come without its package, which others rely on
                    blas.alone["scipy"] = str(folder)
                    return module
    return importlib.import_module(full)


def provide_libraries(text: str) -> None:
    """Have the functions found that a module's text names by `symbol`, and the one that does products."""
    for library, name in set(re.findall(r"@scipy_(blas|lapack)_(\w+)\b", text)):
        symbol(library, name)
    if f"@{PRODUCT}(" in text:
        provide_products()


@made_once
def provide_products() -> Code:
    """Have the function found that does products of matrices; gives the code that has it."""
    if sys.byteorder != "little":
        raise NotImplementedError("the first bytes of a word are not its last ones here")
    code = native.runtime() if native.probe() else Code(spelled("product"))
    bind(PRODUCT, code.address("product"))
    return code


def call_library(w: Writer, library: str, dtype: np.dtype, name: str, arguments: list) -> None:
    """Call a function of Fortran's, which takes addresses: of numbers ``(type, number)``, or pointers as they are."""
    name = {"f": "s", "d": "d"}[dtype.char] + name
    given = [f"ptr {a if isinstance(a, str) else w.number(*a)}" for a in arguments]
    w.put(f"call void @{symbol(library, name)}({', '.join(given)})")
