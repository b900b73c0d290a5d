"""The random numbers of the process, which ``Engine.setRandomSeed`` starts anew."""

import numpy as np

from wengert.random import lasting, leave_to_python

_state = lasting(np.random.default_rng(0))  # the same numbers in every run, unless Engine.setRandomSeed says otherwise
seed: int | None = None


def generator() -> np.random.Generator:
    """The generator; a function that is being compiled and asks for it is left to Python."""
    leave_to_python("it draws random numbers in a way that a program does not know", _state)
    return _state


def recorded() -> np.random.Generator:
    """The generator, for what draws from it by `wengert.random` only."""
    return _state


def start(number: int) -> None:
    """Start anew from a seed."""
    global seed
    leave_to_python("it seeds the generator of random numbers", _state)
    _state.bit_generator.state = np.random.default_rng(number).bit_generator.state
    seed = number
