"""What a process does once, before its first program is recorded, so that first calls need not."""

import importlib
import operator
import sys

import numpy as np

from wengert.compiler.generated import generated_code
from wengert.compiler.locks import made_once
from wengert.tensor import Tensor

__all__ = ["prepare"]

COMMON = (
    *(np.add, np.subtract, np.multiply, np.divide, np.negative, np.power, np.square, np.matmul, np.absolute),
    *(np.exp, np.log, np.sqrt, np.tanh, np.sin, np.cos, np.maximum, np.where),
    *(np.sum, np.mean, np.max, np.reshape, np.transpose, np.less, np.greater, operator.getitem),
)
"""Functions that most programs are made of: each takes up to a millisecond and a half to be generated."""


@made_once
def prepare() -> None:
    """Load the transformations, and what is generated for common functions."""
    code = generated_code()
    for name in ("forward", "jacobian", "reverse", "vmap"):
        importlib.import_module(f"wengert.transforms.{name}")
    if "scipy.special" in sys.modules:
        importlib.import_module("wengert.rules.special")
    for function in COMMON:
        Tensor._table[function]
    if code is not None:
        code.keep()
