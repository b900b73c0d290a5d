"""Learning rates over time: each function here returns a function from the step (0, 1, ...) to the rate.

A schedule has no state, so an optimiser that is loaded at step 700 goes on at step 700, and any function
of your own will do as well: ``lr=lambda step: 0.1 / (1 + step)``.

>>> rate = warmup(10, cosine(0.1, steps=1000))
>>> [round(rate(step), 4) for step in (0, 10, 510, 1010)]
[0.0091, 0.1, 0.05, 0.0]
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import cos, pi

import numpy as np

from wengert.errors import ArgumentError
from wengert.protocol import of_number

__all__ = ["constant", "cosine", "exponential", "piecewise", "step", "warmup"]

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """Stay at `lr`.

    >>> constant(0.1)(1000)
    0.1
    """
    return lambda step: lr


def step(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """Multiply `lr` by `factor` after each `every` steps.

    Raises
    ------
    ArgumentError
        `every` is less than 1.

    >>> rate = step(1.0, every=10, factor=0.5)
    >>> rate(9), rate(10), rate(20)
    (1.0, 0.5, 0.25)
    """
    _require_positive("step", "every", every)
    return lambda step: lr * factor ** (step // every)


def exponential(lr: float, factor: float) -> Schedule:
    """Multiply `lr` by `factor` after each step.

    >>> exponential(1.0, 0.5)(3)
    0.125
    """
    return lambda step: lr * factor**step


def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """Fall from `lr` to `final` in half a wave of `steps` steps, and stay there.

    The annealing of Loshchilov and Hutter (2017), without restarts.

    Raises
    ------
    ArgumentError
        `steps` is less than 1.

    >>> rate = cosine(1.0, steps=100)
    >>> rate(0), round(rate(50), 12), rate(100), rate(1000)
    (1.0, 0.5, 0.0, 0.0)
    """
    _require_positive("cosine", "steps", steps)
    return lambda step: final + (lr - final) * (1 + of_number(cos, np.cos, pi * min(step / steps, 1))) / 2


def warmup(steps: int, then: float | Schedule) -> Schedule:
    """Rise in equal steps to the first rate of `then`, reached at step `steps`; `then` runs from there on.

    Raises
    ------
    ArgumentError
        `steps` is less than 1.

    >>> rate = warmup(4, then=1.0)
    >>> [rate(step) for step in range(6)]
    [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    """
    _require_positive("warmup", "steps", steps)
    after = then if callable(then) else constant(then)
    return lambda step: after(0) * (step + 1) / (steps + 1) if step < steps else after(step - steps)


def piecewise(boundaries: Sequence[int], rates: Sequence[float]) -> Schedule:
    """Use ``rates[0]`` before step ``boundaries[0]``, ``rates[1]`` from there to ``boundaries[1]``, and so on.

    Raises
    ------
    ArgumentError
        Boundaries do not rise, or there is not one rate more than boundaries.

    >>> rate = piecewise([100, 200], [1.0, 0.1, 0.01])
    >>> rate(99), rate(100), rate(200)
    (1.0, 0.1, 0.01)
    """
    if len(rates) != len(boundaries) + 1:
        raise ArgumentError(
            f"[piecewise] rates must be one more than boundaries; got {len(rates)} rates and "
            f"{len(boundaries)} boundaries."
        )
    if any(a >= b for a, b in pairwise(boundaries)):
        raise ArgumentError(f"[piecewise] boundaries must rise; got {list(boundaries)}; sort them.")
    return lambda step: rates[sum(step >= boundary for boundary in boundaries)]


def _require_positive(operation: str, name: str, value: int) -> None:
    if value < 1:
        raise ArgumentError(f"[{operation}] {name} must be at least 1; got {value!r}.")
