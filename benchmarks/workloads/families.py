"""The other families of operations at 100 elements: reductions, shapes, indexing, products.

Each is measured alone (one operation and its backward, the call of `backward` included) and as a
chain of 50 of its kind, which shows the operation itself. Every chain keeps about 100 elements.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..peers import Peer
from ..workload import Budget, Timed, Workload

LENGTH = 50
PEERS = ("wengert", "torch", "autograd", "mygrad")
BUDGETS = (Budget(0.6, "torch"),)


@dataclass(frozen=True)
class Family:
    """`operation(xp, i, a, *others)` is link number i of a chain: `a` is what the link before it gave."""

    name: str
    operation: Callable
    inputs: tuple[np.ndarray, ...]
    constants: tuple[np.ndarray, ...] = ()


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).uniform(0.5, 1.5, shape)


def to_and_fro(xp, i, a):
    return xp.reshape(a, (100,) if i % 2 else (10, 10))


ROTATION = np.linalg.qr(numbers(10, 10))[0]  # a long chain of products neither grows nor vanishes

CHAINS = [
    Family("sum", lambda xp, i, a: xp.sum(a, axis=0, keepdims=True), (numbers(1, 100),)),
    Family("mean", lambda xp, i, a: xp.mean(a, axis=0, keepdims=True), (numbers(1, 100),)),
    Family("getitem", lambda xp, i, a: a[1:], (numbers(125),)),
    Family("matmul", lambda xp, i, a, b: xp.matmul(a, b), (numbers(10, 10), ROTATION)),
    Family("reshape", to_and_fro, (numbers(100),)),
    Family("transpose", lambda xp, i, a: a.T, (numbers(10, 10),)),
    Family(
        "where",
        lambda xp, i, a, b, mask: xp.where(mask, a, b),
        inputs=(numbers(100), numbers(100)),
        constants=(numbers(100) > 1,),
    ),
    Family("concatenate", lambda xp, i, a, b: xp.concatenate([a, b]), (numbers(75), numbers(1))),
]

# Alone, a reduction takes everything, and concatenate joins two halves.
ALONE = {
    "sum": Family("sum", lambda xp, i, a: xp.sum(a), (numbers(100),)),
    "mean": Family("mean", lambda xp, i, a: xp.mean(a), (numbers(100),)),
    "concatenate": replace(CHAINS[-1], inputs=(numbers(50), numbers(50))),
}


def program(peer: Peer, family: Family, length: int):
    def repeated(xp, constants, a, *others):
        for i in range(length):
            a = family.operation(xp, i, a, *others, *constants)
        return a

    shape = repeated(np, family.constants, *family.inputs).shape
    constants = [peer.constant(c) for c in family.constants]
    return peer.gradient(partial(repeated, peer.np, constants), *family.inputs, seed=numbers(*shape) if shape else None)


def case(family: Family, length: int) -> Timed:
    return Timed(
        name=f"{family.name}, alone" if length == 1 else f"{family.name}, one of {length}",
        program=partial(program, family=family, length=length),
        peers=PEERS,
        per=length,
        budgets=BUDGETS,
        chart=f"{family.name}, 100 elements" if family.name in ("sum", "matmul") and length > 1 else "",
    )


WORKLOAD = Workload(
    name="families",
    title="Other operations at 100 elements, forward + backward",
    cases=[
        case(family, length)
        for chain in CHAINS
        for family, length in ((ALONE.get(chain.name, chain), 1), (chain, LENGTH))
    ],
)
