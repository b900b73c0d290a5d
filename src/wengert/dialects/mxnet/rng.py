"""The generator that everything random in the dialect draws from, and its seed."""

from typing import Any

import numpy as np

__all__ = ["generator", "seed"]

_state = np.random.default_rng(0)  # MXNet draws the same numbers in every run, unless it is given a seed


def generator() -> np.random.Generator:
    """The generator that random functions of the dialect draw from."""
    return _state


def seed(seed_state: int, ctx: Any = "all") -> None:
    """Start the generator anew from a number, on all devices (there is one)."""
    global _state
    _state = np.random.default_rng(int(seed_state))
