"""How many threads BLAS uses, set for the time that a program needs it so.

NumPy and SciPy may each bring a BLAS with threads of its own; on small matrices they cost more than they give, and
beside a busy process a hundred times more. The native code sets them all to one thread where a launch asks for it
(`assembly/pool.ll`); here the functions that do so are found.
"""

import contextlib
import ctypes
import functools
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from wengert.compiler.assembly import FIELDS, filled, index
from wengert.compiler.locks import made_once
from wengert.compiler.threads import new_mutex, pthreads, renew_mutex

__all__ = ["find", "limits", "numpy_threads"]

MOST_LIBRARIES = 8
_OPENBLAS = [
    (f"{prefix}openblas_get_num_threads{suffix}", f"{prefix}openblas_set_num_threads{suffix}")
    for prefix in ("scipy_", "")
    for suffix in ("", "64_", "_64", "64")
]
_NAMES = [*_OPENBLAS, ("MKL_Get_Max_Threads", "MKL_Set_Num_Threads")]
"""Functions that get and set the number of threads, in the libraries that there are."""
alone: dict[str, str] = {}
"""The folders of packages that have not been imported, but of which a module has been loaded."""


@made_once
def limits() -> np.ndarray | None:
    """The table that the native code works with; without libraries until `find` has been called."""
    if pthreads() is None:
        return None
    size = len(FIELDS["blas"]) + MOST_LIBRARIES * len(FIELDS["library"])
    table = np.zeros(size, np.uint64)
    table[index("blas.mutex")] = new_mutex().ctypes.data
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
    return table


def find() -> None:
    """Look for the libraries that are there by now."""
    table = limits()
    if table is not None:
        _enter("scipy.linalg" in sys.modules or bool(alone))


@functools.cache
def _enter(_: bool) -> None:
    """Put the libraries into the table; once before and once after SciPy has brought its own."""
    table = limits()
    assert table is not None
    found = [pair for _, pair in _libraries()][:MOST_LIBRARIES]
    count = ctypes.CFUNCTYPE(ctypes.c_int)
    start, size = len(FIELDS["blas"]), len(FIELDS["library"])
    known = {int(table[start + k * size]): int(table[start + (k + 1) * size - 1]) for k in range(MOST_LIBRARIES)}
    numbers = [known.get(get) or count(get)() for get, _ in found]
    given = zip(found, numbers, strict=True)
    rows = filled("library", [{"get": get, "set": put, "threads": n} for (get, put), n in given])
    table[start : start + rows.size] = rows.ravel()
    table[index("blas.libraries")] = len(found)


@functools.cache
def numpy_threads() -> int:
    """The address of the function that tells how many threads NumPy's BLAS may use; 0 if there is none.

    It is what `threadpoolctl` limits and environment variables have set, so loops of our own follow it.
    """
    libraries = _libraries()
    own = [pair for path, pair in libraries if "numpy" in os.path.basename(os.path.dirname(path))]
    return (own or [pair for _, pair in libraries] or [(0, 0)])[0][0]


def _libraries() -> list[tuple[str, tuple[int, int]]]:
    """The paths of the BLAS libraries in this process, and the addresses of their two functions."""
    loaded = _in_wheels() or _anywhere()
    pairs = [(path, _functions(library)) for path, library in loaded]
    return [(path, pair) for path, pair in pairs if pair is not None]


def _in_wheels() -> list[tuple[str, Any]]:
    """The libraries in the wheels of NumPy and SciPy, which are known to be loaded: found at once."""
    found = []
    for name in ("numpy", "scipy"):
        file = getattr(sys.modules.get(name), "__file__", None)
        package = Path(file).parent if file else Path(alone.get(name, "/"))
        folder = package.parent / f"{name}.libs"
        entries: list[str] = []
        with contextlib.suppress(OSError):
            entries = sorted(entry for entry in os.listdir(folder) if "openblas" in entry)
        for path in [str(folder / entry) for entry in entries]:
            with contextlib.suppress(OSError):  # it is not loaded
                found.append((path, ctypes.CDLL(path, mode=getattr(os, "RTLD_NOLOAD", 0))))
    return found


def _anywhere() -> list[tuple[str, Any]]:
    """What threadpoolctl finds, which looks through all libraries of the process."""
    from threadpoolctl import ThreadpoolController

    controllers = ThreadpoolController().lib_controllers
    return [(library.filepath, library.dynlib) for library in controllers if library.user_api == "blas"]


def _functions(library: Any) -> tuple[int, int] | None:
    for names in _NAMES:
        if all(hasattr(library, name) for name in names):
            get, put = (ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in names)
            if get and put:
                return get, put
    return None


def _after_fork() -> None:
    """In a child no call is in flight: what one of the parent had limited is given back."""
    table = limits()
    if table is None:
        return
    renew_mutex(int(table[index("blas.mutex")]))
    if not table[index("blas.depth")]:
        return
    table[index("blas.depth")] = 0
    start, size = len(FIELDS["blas"]), len(FIELDS["library"])
    for k in range(int(table[index("blas.libraries")])):
        _, put, number = table[start + k * size : start + (k + 1) * size].tolist()
        ctypes.CFUNCTYPE(None, ctypes.c_int)(put)(number)
