"""What a recorded scalar operation holds until backward: bytes per operation."""

import tracemalloc
from functools import partial

import numpy as np

from .. import memory
from ..peers import Peer, load
from ..workload import Budget, Measured, Quantity, Workload

OPERATIONS = 100_000
LIMIT = 200  # bytes

STEPS = {
    "mul": lambda xp, y, x: y * x,
    "add": lambda xp, y, x: y + x,
    "sin": lambda xp, y, x: xp.sin(y),
}


def grown(operation: str) -> str:
    return f"{operation}, growth of the process"


def counted(operation: str) -> str:
    return f"{operation}, counted by tracemalloc"


def repeat(peer: Peer, step, operations: int, x):
    y = x
    for _ in range(operations):
        y = step(peer.np, y, x)
    return y


def record(peer: Peer, step, operations: int):
    """Something that keeps the whole tape alive."""
    run = partial(repeat, peer, step, operations)
    if peer.name == "autograd":
        return peer.autograd.make_vjp(run)(1.0)
    return run(peer.leaf(np.float64(1.0)))


def measure(name: str) -> dict:
    """Growth of the process, tape beside tape; then what Python's own allocator counted."""
    peer = load(name)
    for step in STEPS.values():
        record(peer, step, 100)
    numbers, tapes = {}, []
    for operation, step in STEPS.items():
        before = memory.baseline()
        tapes.append(record(peer, step, OPERATIONS))
        numbers[grown(operation)] = (memory.resident() - before) / OPERATIONS
    if name != "torch":  # whose tape lives in C++, out of tracemalloc's sight
        numbers |= {counted(operation): traced(peer, step) for operation, step in STEPS.items()}
    return numbers


def traced(peer: Peer, step, operations: int = 10_000) -> float:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tape = record(peer, step, operations)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del tape
    return (after - before) / operations


WORKLOAD = Workload(
    name="tape_memory",
    title="Tape memory per scalar operation",
    cases=[
        Measured(
            name="",
            measure=measure,
            peers=("wengert", "torch", "autograd", "mygrad"),
            quantities=[
                *(
                    Quantity(grown(op), "B", [Budget(LIMIT)], "tape memory of x * y" if op == "mul" else "")
                    for op in STEPS
                ),
                *(Quantity(counted(op), "B", [Budget(LIMIT)]) for op in STEPS),
            ],
        )
    ],
    needs_proc=True,
)
