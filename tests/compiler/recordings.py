"""Programs, recorded without all that a compiled function looks at around it; and functions beside compiled ones."""

import numpy as np

import wengert as wg
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


def in_turn(make, calls):
    """What a function gives, and its state is after each call, by itself and compiled.

    ``make(wrap)`` gives the function, wrapped, and what tells its state.
    """
    found = []
    for wrap in (lambda f: f, wg.compile):
        function, state = make(wrap)
        found.append([(function(x), state()) for x in calls])
    return found


def went_straight(compiled):
    """Look whether nearly all calls went to native code at once, after few recordings."""
    stats = compiled.stats()
    assert stats["eager"] == 0
    assert stats["given up"] == []
    assert stats["recordings"] <= 3
    assert compiled._shortcuts.runs >= stats["calls"] - 4
