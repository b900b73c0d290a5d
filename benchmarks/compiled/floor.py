"""The C code in `floor_c`: compiled once when the benchmark starts, and called through `ctypes`."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

SOURCES = sorted(Path(__file__).with_name("floor_c").glob("*.c"))
LIBRARY = "BENCHMARK_FLOOR"  # the environment variable that tells the workers where the library is
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp", "-fPIC")
WIDE = ("-mprefer-vector-width=512", "-lmvec")  # where the machine and its C library know them


def build(folder: Path) -> str:
    """Compile into a folder and tell the workers; return why it could not be done, or nothing."""
    compiler = shutil.which("cc")
    if not compiler:
        return "there is no C compiler"
    target = folder / "floor.so"
    objects = [folder / f"{source.stem}.o" for source in SOURCES]
    for flags, libraries in ((WIDE[:1], WIDE[1:]), ((), ())):
        commands = [
            [compiler, *FLAGS, *flags, "-c", str(source), "-o", str(made)]
            for source, made in zip(SOURCES, objects, strict=True)
        ]
        # Linked without -ffast-math, which would make the whole process take subnormal numbers for zero.
        commands.append([compiler, "-shared", "-fopenmp", *map(str, objects), "-o", str(target), *libraries, "-lm"])
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                break
        else:
            os.environ[LIBRARY] = str(target)
            return ""
    return (done.stderr.strip().splitlines() or ["the C compiler failed"])[-1]


@cache
def load() -> ctypes.CDLL:
    return ctypes.CDLL(os.environ[LIBRARY])


def bound(function: Any, inputs: Sequence, like: Sequence[np.ndarray]) -> Callable:
    """Return a function of no arguments that gives the value and the gradients.

    A C function takes its inputs (sizes, numbers, arrays), then an array for each gradient, and returns the value.
    """
    function.restype = ctypes.c_double
    gradients = [np.empty_like(x) for x in like]
    given = [_argument(x) for x in (*inputs, *gradients)]
    return lambda: (function(*given), gradients)


def _argument(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return x.ctypes.data_as(ctypes.c_void_p)  # which keeps the array alive
    return ctypes.c_double(x) if isinstance(x, float) else ctypes.c_long(x)
