"""The generator that everything random in the dialect draws from, and its seed."""

from typing import Any

import numpy as np

from wengert.random import drawn, lasting, leave_to_python

__all__ = ["draw", "generator", "recorded", "seed"]

_state = lasting(np.random.default_rng(0))  # MXNet draws the same numbers in every run, unless it is given a seed


def generator() -> np.random.Generator:
    """The generator, for what no compiled function can do again: one that asks for it is left to Python."""
    leave_to_python("it draws random numbers in a way that a program does not know", _state)
    return _state


def recorded() -> np.random.Generator:
    """The generator, for what draws from it by `wengert.random` only."""
    return _state


def draw(method: str, *args: Any, **kwargs: Any) -> Any:
    """What one of the generator's methods gives; a compiled function draws it anew at each call."""
    return drawn(_state, method, *args, **kwargs)


def seed(seed_state: int, ctx: Any = "all") -> None:
    """Start the generator anew from a number, on all devices (there is one)."""
    leave_to_python("it seeds the generator of random numbers", _state)
    _state.bit_generator.state = np.random.default_rng(int(seed_state)).bit_generator.state
