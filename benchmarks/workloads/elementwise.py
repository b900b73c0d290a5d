"""The overhead of one elementwise operation: a chain of 200 of them, forward and backward."""

from functools import partial

import numpy as np

from ..peers import Peer
from ..workload import Budget, Timed, Workload

STEPS = 50  # of four operations each: mul, add, the middle one, sub

# What stands in the middle of a step, over any library's names; and for the reverse pass by hand
# the NumPy function of p, and its derivative from p and the result s.
MIDDLES = {
    "sin": (lambda xp, p: xp.sin(p), np.sin, lambda p, s: np.cos(p)),
    "square": (lambda xp, p: p * p, np.square, lambda p, s: 2 * p),
    "exp": (lambda xp, p: xp.exp(p), np.exp, lambda p, s: s),
    "tanh": (lambda xp, p: xp.tanh(p), np.tanh, lambda p, s: 1 - s * s),
}
EAGER = ("wengert", "torch", "autograd", "mygrad", "numpy")


def chain(xp, x, y, middle):
    function = MIDDLES[middle][0]
    a = x
    for _ in range(STEPS):
        a = a * y
        a = a + x
        a = function(xp, a)
        a = a - y
    return xp.sum(a)


def chain_by_hand(x, y, middle):
    """Compute the same with its gradients, buffers reused wherever nobody needs them any more."""
    _, function, derivative = MIDDLES[middle]
    a, tape = x, []
    for _ in range(STEPS):
        p = a * y
        p += x
        s = function(p)
        tape.append((a, derivative(p, s)))
        a = np.subtract(s, y, out=s if middle in ("sin", "square") else None)
    value = a.sum()
    g, dx, dy = np.ones_like(x), np.zeros_like(x), np.zeros_like(y)
    for a, slope in reversed(tape):
        dy -= g
        g = np.multiply(g, slope, out=slope)
        dx += g
        dy += g * a
        g *= y
    return value, [g + dx, dy]


def program(peer: Peer, n: int, middle: str):
    random = np.random.default_rng(1)
    x, y = random.uniform(-0.7, -0.3, n), random.uniform(0.5, 0.9, n)  # with these no chain grows
    if peer.name == "numpy":
        return partial(chain_by_hand, x, y, middle)
    return peer.gradient(lambda x, y: chain(peer.np, x, y, middle), x, y)


def case(n: int, middle: str, peers, budgets=(), chart="") -> Timed:
    return Timed(
        name=f"{middle}, n = {n:,}",
        program=partial(program, n=n, middle=middle),
        peers=peers,
        per=4 * STEPS,
        budgets=budgets,
        slow=n >= 100_000,
        chart=chart,
    )


SMALL = (Budget(0.33, "torch"), Budget(0.14, "autograd"), Budget(0.2, "mygrad"))
MIDDLING = (Budget(0.9, "torch"),)
LARGE = ("wengert", "torch", "numpy")
BOTH_SPELLINGS = ("wengert", "wengert.numpy", *EAGER[1:])

WORKLOAD = Workload(
    name="elementwise",
    title="One elementwise operation, forward + backward (chains of 200: mul, add, <name>, sub)",
    cases=[
        case(1, "sin", BOTH_SPELLINGS, SMALL, "one operation on 1 element"),
        case(100, "sin", (*BOTH_SPELLINGS, "jax"), SMALL, "on 100 elements"),
        case(10_000, "sin", (*BOTH_SPELLINGS, "jax"), chart="on 10⁴ elements, with sin"),
        case(100_000, "sin", BOTH_SPELLINGS),
        case(1_000_000, "sin", (*BOTH_SPELLINGS, "jax"), chart="on 10⁶ elements, with sin"),
        case(10_000, "square", EAGER, MIDDLING, chart="on 10⁴ elements, without sin"),
        case(10_000, "exp", EAGER, MIDDLING),
        case(10_000, "tanh", EAGER, MIDDLING),
        *(case(n, m, LARGE) for n in (100_000, 1_000_000) for m in ("square", "exp", "tanh")),
    ],
)
