"""The random numbers of the process, which ``Engine.setRandomSeed`` starts anew."""

import numpy as np

generator = np.random.default_rng(0)  # the same numbers in every run, unless Engine.setRandomSeed says otherwise
seed: int | None = None


def start(number: int) -> None:
    """Start anew from a seed."""
    global generator, seed
    generator, seed = np.random.default_rng(number), number
