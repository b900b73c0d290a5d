"""The way that users' code has taken: two runs with the same steps have not been told apart by it.

A function that asks what its arguments are may go another way while it is recorded, as recorded values are of a class
of their own. That its results agree says little: they may do so for these numbers only.
"""

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

__all__ = ["Steps"]


class Steps:
    """The instructions that are executed inside, of code with these variables around it, as one number.

    Where somebody else follows the steps (a debugger, a measurement of coverage) there is none.
    """

    def __init__(self, namespaces: Iterable[dict] = ()):
        self.namespaces = set(map(id, namespaces))
        self.number: int | None = None

    def __enter__(self) -> "Steps":
        if sys.gettrace() is None:
            self.number = 0
            sys.settrace(self._begun)
        return self

    def __exit__(self, *_: object) -> None:
        if self.number is not None:
            sys.settrace(None)

    def agree(self, other: "Steps") -> bool:
        """Whether another run has taken the same steps, as far as that is known."""
        return None in (self.number, other.number) or self.number == other.number

    def _begun(self, frame: FrameType, event: str, argument: Any) -> Any:
        if id(frame.f_globals) not in self.namespaces:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        self.number = hash((self.number, frame.f_code))
        return self._step

    def _step(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.number = hash((self.number, frame.f_lasti))
        return self._step
