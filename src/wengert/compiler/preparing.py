"""What a process does once, before its first program is recorded, so that first calls need not."""

import contextlib
import importlib
import operator
import sys

import numpy as np

from wengert.compiler import threads
from wengert.compiler.generated import generated_code
from wengert.compiler.locks import made_once
from wengert.tensor import Tensor

__all__ = ["prepare"]

LARGE = (32 << 20) - (1 << 13)
"""Bytes: just below what glibc takes for too large to be kept."""

COMMON = (
    *(np.add, np.subtract, np.multiply, np.divide, np.negative, np.power, np.square, np.matmul, np.absolute),
    *(np.exp, np.log, np.sqrt, np.tanh, np.sin, np.cos, np.maximum, np.where),
    *(np.sum, np.mean, np.max, np.reshape, np.transpose, np.less, np.greater, operator.getitem),
)
"""Functions that most programs are made of: each takes up to a millisecond and a half to be generated."""


@made_once
def prepare() -> None:
    """Load the transformations, and what is generated for common functions; look at the machine."""
    code = generated_code()
    importlib.import_module("optree")
    for name in ("forward", "jacobian", "reverse", "vmap"):
        importlib.import_module(f"wengert.transforms.{name}")
    if "scipy.special" in sys.modules:
        importlib.import_module("wengert.rules.special")
    for function in COMMON:
        Tensor._table[function]
    threads.cores()
    _keep_memory()
    if code is not None:
        code.keep()


def _keep_memory() -> None:
    """Have the memory of arrays kept by the process when they are let go.

    At first glibc takes memory for each array of more than 128 KB from the system, and gives it back afterwards: what
    is recorded would wait for every page of every value, up to 3 µs each where the machine is a virtual one. Once
    something large has been freed, which need not have been touched, it keeps what is smaller.
    """
    with contextlib.suppress(MemoryError):
        np.empty(LARGE, np.uint8)
