"""`check=True`: the function itself beside the compiled one, from the same state, and compared."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import Box, bare
from wengert.compiler.capture import Captured
from wengert.compiler.writing import IN_PLACES, as_held
from wengert.errors import CompileError
from wengert.transforms.containers import flatten

__all__ = ["Before", "agree", "compare"]


def compare(function: Callable, kind: Any, values: list, captured: Captured) -> tuple[bool, Any]:
    """Whether a path is known, and the function's own results, once the compiled one has given the same.

    Where none is known the function does not run, and in the place of results is what guards read, as in `Kind.run`.

    Raises
    ------
    CompileError
        If results, or what is written, differ by more than rounding.
    """
    generators = kind.generators()
    states = [g.bit_generator.state for g in generators]
    right, found = kind.run([np.array(value) for value in values], None)
    if not right:
        return False, found
    for g, state in zip(generators, states, strict=True):
        g.bit_generator.state = state
    path = kind.last
    expected = function()
    agree("result", found, expected)
    _agree_written(captured, path, list(zip(path.places, path.written, strict=True)))
    return True, expected


class Before:
    """What a function uses before it runs itself, to compare what it writes with what a recording of it has noted."""

    def __init__(self, captured: Captured):
        self.captured = captured
        places = [place for place, _ in captured.found.entries]
        self.entries = {k: (place, x) for k, place in enumerate(places) if (x := place.get()) is place.get()}
        """What places hold, by their numbers: those that give one object each time they are asked."""
        self.arrays = [np.array(a) for a, _ in captured.arrays]
        self.tensors = [np.array(bare(t)) for t in captured.tensors]
        self.gradients = [_gradient(t) for t in captured.tensors]

    def written(self) -> set[tuple[str, int]]:
        """The places, arrays, tensors and gradients that are other ones now."""
        captured = self.captured
        found = {("entry", k) for k, (place, x) in self.entries.items() if place.get() is not x}
        lists = {
            "array": [_differ(a, x) for (a, _), x in zip(captured.arrays, self.arrays, strict=True)],
            "tensor": [_differ(bare(t), x) for t, x in zip(captured.tensors, self.tensors, strict=True)],
            "gradient": [_differ(_gradient(t), x) for t, x in zip(captured.tensors, self.gradients, strict=True)],
        }
        return found | {(kind, k) for kind, differ in lists.items() for k, is_other in enumerate(differ) if is_other}

    def agree(self, changes: Any) -> None:
        """Compare what has been written since with what a recording has noted.

        Raises
        ------
        CompileError
            If something else has been written, or something different.
        """
        kinds = {"array": "array", "tensor": "tensor", "grad": "gradient", "gradient": "gradient"}
        noted = {(kinds.get(kind, "entry"), k) for kind, k in changes.places()}
        noted |= {("entry", k) for k, *_ in (*changes.exchanged, *changes.twins)}
        noted |= {(kind, k) for k, *_ in changes.cleared for kind in ("tensor", "gradient")}
        others = {(kind, k) for kind, k in self.written() - noted if kind != "entry" or not changes.remade}
        if others:
            _refuse("what is written", "and not elsewhere", f"{sorted(noted)}", f"{sorted(others)}")
        values = [getattr(x, "_value", x) for x in changes.made]
        _agree_written(self.captured, changes, list(zip(changes.places(), values, strict=True)))


def _agree_written(captured: Captured, same: Any, made: list[tuple]) -> None:
    """Compare what a program has made for places, and what they get at each call, with what is there now.

    The latter is ``remade``, ``filled``, ``exchanged`` and ``cleared`` of `same`.
    """
    alone = [(place, x) for place, x in made if place[0] != "part"]
    held = [_held(captured, place, x) for place, x in alone]
    agree("written value", held, [_there(captured, place) for place, _ in alone])
    containers = [(container, captured.found.entries[container.number][0].get()) for container in same.remade]
    if same.filled is not None:
        containers.append((same.filled.parts, same.filled.there(captured.given)))
    for container, there in containers:
        mine = [x for place, x in made if place == container.place]
        agree("written container", *container.beside(mine, there))
    for k, value in same.exchanged:
        _agree_exactly("written value", value, captured.found.entries[k][0].get())
    for k, name, value in same.cleared:
        if name != "_node":
            _agree_exactly("written attribute", value, getattr(captured.tensors[k], name))


def _gradient(t: Any) -> Any:
    return None if getattr(t, "_grad", None) is None else np.array(bare(t._grad))


def _differ(a: Any, b: Any) -> bool:
    """Whether two arrays, or none, have other bits."""
    return (a is None) != (b is None) or (a is not None and np.asarray(a).tobytes() != b.tobytes())


def _held(captured: Captured, place: tuple, value: Any) -> Any:
    """What is written, in the class of what it replaces."""
    what, k = place
    return as_held(what, captured.found.entries[k][1], value) if what in IN_PLACES else value


def _there(captured: Captured, place: tuple) -> Any:
    what, k = place
    if what == "tensor":
        return captured.tensors[k]
    if what in ("grad", "gradient"):
        return captured.tensors[k].grad
    return captured.arrays[k][0] if what == "array" else captured.found.entries[k][0].get()


def _agree_exactly(what: str, a: Any, b: Any) -> None:
    """Compare what is the same at each call, and is no array: a number, a text, a flag."""
    if type(a) is not type(b) or not (a is b or repr(a) == repr(b)):
        _refuse(what, "which differs", f"{a!r}", f"{b!r}")


def agree(what: str, found: Any, expected: Any) -> None:
    """Compare results of a compiled function with those of the function itself.

    Raises
    ------
    CompileError
        If they differ by more than rounding.
    """
    (found, structure), (expected, other) = flatten(found), flatten(expected)
    if structure != other:
        _refuse(what, "other containers", f"{structure}", f"{other}")
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        a, b = (bare(y) if isinstance(y, Box) else y for y in (a, b))
        if isinstance(b, (np.ndarray, np.generic, float, complex)):
            _agree(f"{what} {i}", np.asarray(a), np.asarray(b))
        elif isinstance(b, (int, str, bytes, type(None))) and (type(a) is not type(b) or a != b):
            _refuse(f"{what} {i}", "which differs", f"{a!r}", f"{b!r}")


def _agree(what: str, a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape or a.dtype != b.dtype or not _are_close(a, b):
        _refuse(what, f"which differs{_by(a, b)}", f"{a.dtype}{list(a.shape)}", f"{b.dtype}{list(b.shape)}")


def _are_close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether arrays of one shape and dtype differ by rounding only; texts, dates and objects are to be equal."""
    if b.dtype.kind not in "fciub":
        return a.tolist() == b.tolist() if b.dtype.hasobject else a.tobytes() == b.tobytes()
    unit = np.finfo(b.dtype).eps ** 0.5 if b.dtype.kind in "fc" else 0
    return np.allclose(a, b, unit, unit, equal_nan=True)


def _refuse(what: str, how: str, found: str, expected: str) -> None:
    raise CompileError(
        f"[compile] {what} as the function itself gives it, {expected}, was required of the compiled one; received "
        f"{found}, {how}; this is a fault of the compiler: please report it, and use the function itself"
    )


def _by(a: np.ndarray, b: np.ndarray) -> str:
    return f" by {np.max(np.abs(a - b)):.3g}" if a.shape == b.shape and a.dtype.kind in "fc" else ""
