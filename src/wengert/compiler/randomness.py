"""Random numbers that a function draws while it is recorded: by a program anew at each call, or not at all."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from wengert.compiler.program import Program
from wengert.compiler.taking import foremost
from wengert.compiler.trace import Trace, recording
from wengert.errors import ArgumentError

__all__ = ["drawn", "leave_to_python", "watched"]


def drawn(generator: np.random.Generator, method: str, *args: Any, **kwargs: Any) -> Any:
    """Random numbers, drawn again at each run of a program that is being recorded."""
    program = getattr(recording, "program", None)
    if program is None:
        return getattr(generator, method)(*args, **kwargs)
    program.uses(generator)
    if foremost((args, kwargs)) is not None:
        program.refused = f"it draws random numbers ({method}) whose parameters it computes"
    recording.program = None  # what the method itself draws is not recorded once more
    try:
        result = getattr(generator, method)(*args, **kwargs)
    finally:
        recording.program = program
    if program.refused:
        return result
    return Trace._of(result, program.draw(generator, method, args, kwargs, result), program)


def check_lasts(generator: Any) -> None:
    """Leave a function to Python that makes the generator itself: it draws the same numbers at each call."""
    if not any(g is generator for g in recording.program.lasting):
        leave_to_python("it draws from a generator that it makes itself, or keeps out of sight", generator)


def leave_to_python(what: str, generator: Any = None) -> None:
    """Keep no program of the function that is being recorded, as it does something that no program can do again."""
    program = getattr(recording, "program", None)
    if program is None:
        return
    program.refused = program.refused or what
    if generator is not None:
        program.uses(generator)


@contextmanager
def watched(program: Program, generators: list) -> Iterator[None]:
    """Refuse numbers that are drawn inside otherwise than by `wengert.random`.

    Raises
    ------
    ArgumentError
        If a generator that is global or among `generators` has moved on, or one has been made that nobody has seeded.
    """
    before = _states(generators)
    with _seeds_counted() as seeds:
        yield
    for g, old, new in zip([None, None, *generators], before, _states(generators), strict=True):
        if old != new and not any(g is known for known, _ in program.states):
            _refuse(f"the function drew {_source(g)}, which would be the same at each call")
    if seeds and not program.refused:
        _refuse("the function made a generator without a seed, which would be the same at each call")


def _refuse(what: str) -> None:
    raise ArgumentError(
        f"[compile] random numbers from an explicit generator by wg.random (wg.random.normal(generator, ...)) were "
        f"required, which are drawn anew at each call; {what}; write wg.random.normal(generator, ...) in the place of "
        f"generator.normal(...), with generator = np.random.default_rng(seed) made outside, or draw outside"
    )


def _source(generator: Any) -> str:
    """What numbers were drawn from, in words; the global generators are in no place of their own."""
    if generator is None:
        return "from a global generator (np.random.normal(...), random.random())"
    return f"by a method of a {type(generator).__module__}.{type(generator).__name__}"


def _states(generators: list) -> list:
    """Where the generators of random numbers are: NumPy's global one, Python's, and others."""
    kind, key, *rest = np.random.get_state()  # noqa: NPY002
    return [(kind, np.asarray(key).tobytes(), *rest), random.getstate(), *map(_state_of, generators)]


def _state_of(generator: Any) -> str:
    """Where a generator is, and how many have been made of it."""
    if isinstance(generator, np.random.SeedSequence):
        return repr(generator.state)
    bits = getattr(generator, "bit_generator", generator)
    if isinstance(bits, np.random.BitGenerator):
        return repr((bits.state, getattr(getattr(bits, "seed_seq", None), "n_children_spawned", 0)))
    return repr(generator.__getstate__())


def _is_importing() -> bool:
    """Whether a module is being loaded: its generators last, and are none that the function makes at each call."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


@contextmanager
def _seeds_counted() -> Iterator[list]:
    """The seeds that NumPy asks the operating system for inside."""
    module: Any = np.random.bit_generator
    ask, asked = getattr(module, "randbits", None), []

    def counted(k: int) -> int:
        if not _is_importing():
            asked.append(k)
        return ask(k)  # type: ignore[misc]

    if ask is not None:
        module.randbits = counted
    try:
        yield asked
    finally:
        if ask is not None:
            module.randbits = ask
