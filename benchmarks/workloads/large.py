"""Single operations on large arrays, forward and backward: one call and its backward pass at a time."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..peers import Peer
from ..workload import Budget, Timed, Workload

SIZES = (10_000, 100_000, 1_000_000)
PEERS = ("wengert", "torch")
BUDGETS = (Budget(1.0, "torch"),)
COLUMNS = 100

# The shapes of operands of n elements: a vector, a matrix, and what is broadcast along either axis of that.
SHAPES: dict[str, Callable[[int], tuple[int, ...]]] = {
    "vector": lambda n: (n,),
    "matrix": lambda n: (n // COLUMNS, COLUMNS),
    "row": lambda n: (COLUMNS,),
    "column": lambda n: (n // COLUMNS, 1),
}

# A function of a library's names and of operands, and what these are.
OPERATIONS: dict[str, tuple[Callable, tuple[str, ...]]] = {
    "sin": (lambda xp, x: xp.sin(x), ("vector",)),
    "tanh": (lambda xp, x: xp.tanh(x), ("vector",)),
    "log": (lambda xp, x: xp.log(x), ("vector",)),
    "x ** 3": (lambda xp, x: x**3, ("vector",)),
    "x + y": (lambda xp, x, y: x + y, ("vector", "vector")),
    "x * y": (lambda xp, x, y: x * y, ("vector", "vector")),
    "x / y": (lambda xp, x, y: x / y, ("vector", "vector")),
    "x + row": (lambda xp, x, b: x + b, ("matrix", "row")),
    "x * row": (lambda xp, x, b: x * b, ("matrix", "row")),
    "x / column": (lambda xp, x, b: x / b, ("matrix", "column")),
    "where": (lambda xp, x, y: xp.where(x > 1, x, y), ("vector", "vector")),
    "sum": (lambda xp, x: xp.sum(x), ("vector",)),
    "mean over rows": (lambda xp, x: xp.mean(x, axis=0), ("matrix",)),
    "sum over columns": (lambda xp, x: xp.sum(x, axis=1), ("matrix",)),
    "variance": (lambda xp, x: xp.mean((x - xp.mean(x)) ** 2), ("vector",)),
    "max": (lambda xp, x: xp.max(x), ("vector",)),
    "cumsum": (lambda xp, x: xp.cumsum(x, axis=0), ("vector",)),
    "softmax": (lambda xp, x: scaled(xp, xp.exp(x)), ("matrix",)),
    "tanh(x * row + row)": (lambda xp, x, b: xp.tanh(x * b + b), ("matrix", "row")),
}


def scaled(xp, e):
    return e / xp.sum(e, axis=1, keepdims=True)


def program(peer: Peer, name: str, n: int):
    function, kinds = OPERATIONS[name]
    random = np.random.default_rng(3)
    operands = [random.uniform(0.5, 1.5, SHAPES[kind](n)) for kind in kinds]
    shape = np.shape(function(np, *operands))
    seed = random.uniform(0.5, 1.5, shape) if shape else None
    return peer.gradient(partial(function, peer.np), *operands, seed=seed)


WORKLOAD = Workload(
    name="large",
    title="Single operations on large arrays, forward + backward",
    cases=[
        Timed(
            name=f"{name}, n = {n:,}",
            program=partial(program, name=name, n=n),
            peers=PEERS,
            budgets=BUDGETS,
            slow=n > 10_000 or name not in ("x + y", "x * row", "sum", "cumsum"),
        )
        for n in SIZES
        for name in OPERATIONS
    ],
)
