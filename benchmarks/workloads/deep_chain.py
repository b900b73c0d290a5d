"""One very long tape: y = y * c, y = y + d, again and again. Time, memory, and no recursion."""

from functools import partial
from time import perf_counter

import numpy as np

from .. import memory
from ..peers import Peer, load
from ..workload import Budget, Measured, Quantity, Workload


def grow(y, operations: int):
    for _ in range(operations // 2):
        y = y * 1.0000001
        y = y + 1e-9
    return y


def record(peer: Peer, operations: int):
    """Run the chain; gives the function that runs it backward, which alone keeps the tape alive."""
    if peer.name == "autograd":
        vjp, _ = peer.autograd.make_vjp(partial(grow, operations=operations))(1.0)
        return lambda: vjp(1.0)
    leaf = peer.leaf(np.float64(1.0))
    y = grow(leaf, operations)

    def backward():
        y.backward()
        return leaf.grad

    return backward


def measure(name: str, operations: int) -> dict:
    peer = load(name)
    record(peer, 1000)()  # whatever is made on first use
    before = memory.baseline()

    start = perf_counter()
    backward = record(peer, operations)
    recorded = perf_counter()
    gradient = peer.read(backward())
    done = perf_counter()
    peak = memory.peak()
    del backward
    freed = perf_counter()

    unused = record(peer, operations)
    kept = perf_counter()
    del unused
    dropped = perf_counter()
    return {
        "forward": (recorded - start) / operations,
        "backward": (done - recorded) / operations,
        "forward + backward": (done - start) / operations,
        "freed after backward": (freed - done) / operations,
        "dropped without backward": (dropped - kept) / operations,
        "memory": (peak - before) / operations,
        "gradient": gradient,
    }


def case(operations: int, peers, slow=False, charted=False) -> Measured:
    budget = (Budget(0.25, "torch"),)
    return Measured(
        name=f"{operations:,} operations",
        measure=partial(measure, operations=operations),
        peers=peers,
        quantities=(
            Quantity("forward", "s"),
            Quantity("backward", "s"),
            Quantity("forward + backward", "s", budget, "chain of 10⁶ operations, time" if charted else ""),
            Quantity("freed after backward", "s"),
            Quantity("dropped without backward", "s"),
            Quantity("memory", "B", budget, "chain of 10⁶ operations, memory" if charted else ""),
        ),
        slow=slow,
    )


WORKLOAD = Workload(
    name="deep_chain",
    title="One long chain of y * c, y + d on a single number, per operation",
    cases=[
        case(100_000, ("wengert", "torch", "autograd", "mygrad")),
        case(1_000_000, ("wengert", "torch"), slow=True, charted=True),
    ],
    needs_proc=True,
)
