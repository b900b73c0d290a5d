"""Programs, recorded without all that a compiled function looks at around it."""

import numpy as np

from wengert.compiler.program import Program
from wengert.compiler.trace import Trace
from wengert.tensor import Tensor
from wengert.transforms.containers import flatten


def recorded(f, *args):
    """The program of a function of arrays and numbers."""
    program = Program()
    lifted = [Trace._of(a, program.input(a), program) for a in args]
    out = f(*[Tensor._box(t) if isinstance(a, np.ndarray) else t for t, a in zip(lifted, args, strict=True)])
    leaves = [y._value if isinstance(y, Tensor) else y for y in flatten(out)[0]]
    program.results = [y._node if isinstance(y, Trace) else program.constant(np.asarray(y)) for y in leaves]
    return program
