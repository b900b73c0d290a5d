"""The way that users' code has taken: two runs with the same steps have not been told apart by it.

A function that asks what its arguments are may go another way while it is recorded, as recorded values are of a class
of their own. That its results agree says little: they may do so for these numbers only.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Steps", "as_before"]

MOST = 100_000
"""Steps after which no more are looked at, as each takes some ten times as long as it does alone."""
CALLING = "numpy", "wengert.compiler.instead"
"""Packages that call what they are given, NumPy's once more than what stands for it: to see what comes out."""


class Steps:
    """The instructions that are executed inside, of code with these variables around it, as one number.

    It is not known where somebody else follows the steps: a debugger, a measurement of coverage.
    """

    def __init__(self, namespaces: Iterable[dict]):
        self.namespaces = set(map(id, namespaces))
        self.number, self.left = 0, MOST
        self.is_known = False
        self.before: Any = None

    def __enter__(self) -> "Steps":
        self.before = sys.gettrace()
        self.is_known = self.before is None or _is_ours(self.before)
        if self.is_known:
            sys.settrace(self._begun)
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_known:
            sys.settrace(self.before)

    def agree(self, other: "Steps") -> bool:
        """Whether it is known that another run has taken the same steps."""
        return self.is_known and other.is_known and self.number == other.number

    def _begun(self, frame: FrameType, event: str, argument: Any) -> Any:
        if id(frame.f_globals) not in self.namespaces or _is_of(CALLING, frame.f_back):
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        self.number = hash((self.number, frame.f_code))
        return self._step

    def _step(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event != "opcode":  # iterators end by an exception, or without one
            return self._step
        self.number = hash((self.number, frame.f_lasti))
        self.left -= 1
        if not self.left:
            sys.settrace(None)
        return self._step


def _is_ours(tracer: Any) -> bool:
    return isinstance(getattr(tracer, "__self__", None), Steps)


def _is_of(packages: tuple[str, ...], frame: FrameType | None) -> bool:
    """Whether code of one of these packages runs in a frame."""
    name = (frame.f_globals.get("__name__") or "") if frame is not None else ""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@contextmanager
def as_before() -> Iterator[None]:
    """Have steps followed in the end by who did at first, whatever interrupts."""
    before = sys.gettrace()
    try:
        yield
    finally:
        if _is_ours(sys.gettrace()):
            sys.settrace(before)
