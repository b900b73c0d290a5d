"""The table of programs: ordinary NumPy functions, each with arguments drawn at random."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["PROGRAMS", "Program", "program"]


@dataclass(frozen=True)
class Program:
    """A function, what draws its arguments, and which derivatives it has."""

    function: Callable
    draw: Callable[[np.random.Generator], tuple]
    argnums: Any
    """What its gradient is taken by; `None` where it has none."""
    second: bool
    """Whether its Hessian (by the first argument) is small enough to be compared."""

    def __repr__(self) -> str:
        return self.function.__name__


PROGRAMS: dict[str, Program] = {}


def program(draw: Callable, argnums: Any = 0, second: bool = False) -> Callable:
    """Put a function into the table."""

    def put(function: Callable) -> Callable:
        name = function.__name__
        assert name not in PROGRAMS, name
        PROGRAMS[name] = Program(function, draw, argnums, second)
        return function

    return put
