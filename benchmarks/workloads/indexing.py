"""Indexing in a Python loop: the cost of one turn must not grow with the length of the array."""

from functools import partial
from math import cos, sin

import numpy as np

from ..peers import Peer
from ..workload import Timed, Workload, growth

SIZES = (1_000, 10_000, 100_000)
# The gradient of x[i] is a whole array of zeros in these peers: their loops are quadratic.
READERS = {1_000: ("wengert", "torch", "autograd", "mygrad", "numpy"), 10_000: ("wengert", "torch", "numpy")}
WRITERS = {1_000: ("wengert", "torch", "mygrad", "numpy"), 10_000: ("wengert", "torch", "numpy")}
LONGEST = ("wengert", "numpy")
FLAT = 1.5


def read(xp, x):
    total = 0.0
    for i in range(len(x)):
        total = total + xp.sin(x[i]) * x[i]
    return total


def write(peer, x):
    out = peer.zeros(len(x))
    for i in range(len(x)):
        out[i] = peer.np.sin(x[i])
    return peer.np.sum(out)


def read_by_hand(x):
    total, gradient = 0.0, np.empty_like(x)
    for i in range(len(x)):
        a = x[i]
        total += sin(a) * a
        gradient[i] = cos(a) * a + sin(a)
    return total, [gradient]


def write_by_hand(x):
    out, gradient = np.zeros(len(x)), np.empty_like(x)
    for i in range(len(x)):
        out[i] = sin(x[i])
        gradient[i] = cos(x[i])
    return out.sum(), [gradient]


def program(peer: Peer, n: int, loop):
    x = np.random.default_rng(4).uniform(0.2, 1.2, n)
    if peer.name == "numpy":
        return partial(read_by_hand if loop is read else write_by_hand, x)
    return peer.gradient(partial(loop, peer.np if loop is read else peer), x)


def case(n: int, loop) -> Timed:
    peers = READERS if loop is read else WRITERS
    return Timed(
        name=f"{'total += sin(x[i]) * x[i]' if loop is read else 'out[i] = sin(x[i])'}, n = {n:,}",
        program=partial(program, n=n, loop=loop),
        peers=peers.get(n, LONGEST),
        per=n,
        slow=n >= 100_000,
        chart="x[i] in a loop over 10⁴" if loop is read and n == 10_000 else "",
    )


def derive(rows):
    """How the cost of one turn grows from the shortest loop to the longest."""
    by_name = {row.name: row for row in rows}
    for loop in (read, write):
        measured = [by_name[name] for name in (case(n, loop).name for n in SIZES) if name in by_name]
        if len(measured) > 1:
            yield growth(measured[0], measured[-1], FLAT, f"growth of a turn: {measured[-1].name}")


WORKLOAD = Workload(
    name="indexing",
    title="Indexing in a loop, per turn, forward + backward",
    cases=[case(n, loop) for loop in (read, write) for n in SIZES],
    derive=lambda rows: list(derive(rows)),
)
