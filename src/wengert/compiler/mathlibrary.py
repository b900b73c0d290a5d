"""Elementary and special functions by the libraries that are there: whole vectors where they can, else lane by lane.

glibc has vector versions of most elementary functions in libmvec, at most 4 units in the last place off. Their names
say the width: ``_ZGVeN8v_sin`` takes eight numbers in an AVX-512 register, ``_ZGVdN4v_`` four in AVX2, ``_ZGVbN2v_``
two in SSE, ``_ZGVnN2v_`` two in NEON. Older versions of glibc have few of them, other systems none; what is missing
is done lane by lane by the C library (at most 2 units off), and special functions by SciPy's own C code.
"""

import ctypes
import functools
import importlib
import platform
import re
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from wengert.compiler.textkinds import lanes_of, scalar_of, with_scalar

__all__ = ["LIBM", "OF_TWO", "is_library_function", "library_call", "load_libmvec", "provide_scipy", "vector_function"]

LIBM = {
    "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": "sinh",
    "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "exp": "exp",
    "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p", "cbrt": "cbrt",
    "power": "pow", "arctan2": "atan2", "hypot": "hypot", "erf": "erf", "erfc": "erfc",
}  # fmt: skip
"""NumPy's names, and C's."""
OF_TWO = ("power", "arctan2", "hypot")

PREFIX = "scipy.special."
"""Of the symbols that stand for SciPy's functions in the text."""


def is_library_function(name: str, operands: int) -> bool:
    """Whether `library_call` knows an elementwise function of so many floats."""
    return operands == _operands_of(name)


def _operands_of(name: str) -> int:
    """How many operands a function has that is known; 0 of others."""
    if name in LIBM:
        return 2 if name in OF_TWO else 1
    return _scipy_functions()[name][1] if name in _scipy_functions() else 0


def library_call(target: Any, name: str, operands: list[tuple[str, str]], kind: str, op: Any) -> str:
    """The text of a call that does an elementwise function of floats; more instructions are put down by `op`."""
    if name in LIBM:
        symbol = _symbol(name, kind)
        if lanes_of(kind) == 0:
            return _call(symbol, operands, kind)
        vector = vector_function(target, name, len(operands), kind)
        return _call(vector, operands, kind) if vector else _by_lanes(symbol, operands, kind, op)
    if scalar_of(kind) == "float":  # which SciPy would do in double precision as well
        wide = with_scalar(kind, "double")
        operands = [(wide, op(f"fpext {k} {x} to {wide}")) for k, x in operands]
        return f"fptrunc {wide} {op(library_call(target, name, operands, wide, op))} to {kind}"
    symbol = PREFIX + name
    return _by_lanes(symbol, operands, kind, op) if lanes_of(kind) else _call(symbol, operands, kind)


def provide_scipy(text: str) -> None:
    """Have the functions of SciPy that a module's text calls found when it is linked."""
    for name in set(re.findall(rf"@{re.escape(PREFIX)}(\w+)", text)):
        llvm.add_symbol(PREFIX + name, _scipy_functions()[name][0])


def load_libmvec() -> bool:
    """Whether glibc's vector library is there; its functions are found from now on."""
    return _libmvec() is not None


def _call(symbol: str, operands: list[tuple[str, str]], kind: str) -> str:
    extra = ", i32 0" if symbol.startswith(PREFIX) else ""  # Cython's flag for virtual calls
    return f"call {kind} @{symbol}({', '.join(f'{k} {x}' for k, x in operands)}{extra})"


def _by_lanes(symbol: str, operands: list[tuple[str, str]], kind: str, op: Any) -> str:
    """The same function for each lane; the text of the last instruction."""
    scalar, result = scalar_of(kind), "poison"
    for i in range(lanes_of(kind)):
        numbers = [(scalar, op(f"extractelement {k} {x}, i64 {i}")) for k, x in operands]
        last = f"insertelement {kind} {result}, {scalar} {op(_call(symbol, numbers, scalar))}, i64 {i}"
        if i == lanes_of(kind) - 1:
            break
        result = op(last)
    return last


def _symbol(name: str, kind: str) -> str:
    """C's name of a function of this type."""
    return LIBM[name] + ("f" if scalar_of(kind) == "float" else "")


def vector_function(target: Any, name: str, operands: int, kind: str) -> str | None:
    """The name of the version of a C function for vectors of a type, if the system has it."""
    n = lanes_of(kind)
    letter = target.letters.get(n * (32 if scalar_of(kind) == "float" else 64))
    if not target.vector_library or letter is None:
        return None
    full = f"_ZGV{letter}N{n}{'v' * operands}_{_symbol(name, kind)}"
    return full if _has(full) else None


@functools.cache
def _libmvec() -> Any:
    if platform.system() != "Linux":
        return None
    try:
        library = ctypes.CDLL("libmvec.so.1", mode=ctypes.RTLD_GLOBAL)
        llvm.load_library_permanently("libmvec.so.1")
    except (OSError, RuntimeError):
        return None
    return library


@functools.cache
def _has(name: str) -> bool:
    return _libmvec() is not None and hasattr(_libmvec(), name)


@functools.cache
def _scipy_functions() -> dict[str, tuple[int, int]]:
    """Addresses of SciPy's functions of doubles, by the names of the ufuncs, and how many operands they take."""
    special = importlib.import_module("scipy.special")
    found = {}
    for symbol, capsule in importlib.import_module("scipy.special.cython_special").__pyx_capi__.items():
        signature = _name_of(capsule)
        # Of functions for several types there is one for each: ``__pyx_fuse_0psi`` and so on.
        name = re.sub(r"^__pyx_fuse_[0-9_]*", "", symbol)
        known = isinstance(getattr(special, name, None), np.ufunc) and name not in COMPLAINING
        if known and SIGNATURE.fullmatch(signature):
            found[name] = _pointer_of(capsule, signature), signature.count(b"double,")
    if "psi" in found:
        found["digamma"] = found["psi"]
    return found


COMPLAINING = ("bdtr", "bdtrc", "bdtri", "expn", "kn", "nbdtr", "nbdtrc", "nbdtri", "obl_cv", "pdtri", "pro_cv",
               "smirnov", "smirnovi", "yn")  # fmt: skip
"""Functions that warn of some arguments, or raise exceptions, which native code cannot."""
SIGNATURE = re.compile(rb"double \((double, )+int __pyx_skip_dispatch\)")


def _name_of(capsule: Any) -> bytes:
    get = ctypes.pythonapi.PyCapsule_GetName
    get.restype, get.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return get(capsule)


def _pointer_of(capsule: Any, name: bytes) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return get(capsule, name)
