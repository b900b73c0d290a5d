"""A program on single numbers whose path depends on their values: `while` and `if`, 10⁴ operations."""

from functools import partial
from math import cos, sin

import numpy as np

from ..peers import Peer
from ..workload import Budget, Timed, Workload

STEPS = 1800
X, Y = 0.31, 1.37


def orbit(sin, x, y, count=lambda operations: None, steps=STEPS):
    """Halve while above 1, then take one of two turns; `count` hears of each operation."""
    a = total = x
    for _ in range(steps):
        a = a * y + x
        count(2)
        while a > 1.0:
            a = a * 0.5
            count(1)
        if a > 0.6:
            a = sin(a) - x
            count(2)
        else:
            a = a + 0.25
            count(1)
        total = total + a
        count(1)
    return total


def orbit_by_hand(x, y):
    """Compute the same with plain Python floats: no library, no array."""
    a = total = x
    tape = []
    for _ in range(STEPS):
        before, scale = a, 1.0
        a = a * y + x
        while a > 1.0:
            a *= 0.5
            scale *= 0.5
        turned = a > 0.6
        slope = scale * cos(a) if turned else scale
        a = sin(a) - x if turned else a + 0.25
        total += a
        tape.append((before, slope, turned))
    g = dx = dy = 0.0
    for before, slope, turned in reversed(tape):
        g += 1.0
        if turned:
            dx -= g
        g *= slope
        dy += g * before
        dx += g
        g *= y
    return total, [dx + g + 1.0, dy]


def operations() -> int:
    counts = []
    orbit(sin, X, Y, counts.append)
    return sum(counts)


def program(peer: Peer):
    if peer.name == "numpy":
        return partial(orbit_by_hand, X, Y)
    return peer.gradient(lambda x, y: orbit(peer.np.sin, x, y), np.float64(X), np.float64(Y))


WORKLOAD = Workload(
    name="scalars",
    title="A scalar program with while and if, per operation, forward + backward",
    cases=[
        Timed(
            name=f"{operations():,} operations",
            program=program,
            peers=("wengert", "wengert.numpy", "torch", "autograd", "mygrad", "numpy"),
            per=operations(),
            budgets=(Budget(0.2, "torch"), Budget(0.05, "autograd")),
            chart="scalar program with while and if",
        )
    ],
)
