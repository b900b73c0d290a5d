"""Calls that go straight to native code: no Python runs between the caller and the kernels.

Once a path through a function has been found again, what led to it is written down as operands of a native entry: the
arguments and their containers, every place that the function reads, the tensors that it uses. A later call for which
all of that still holds runs; any other goes the usual way. What cannot be written down, or checked so, has no shortcut.
"""

from collections.abc import Callable, Iterable
from typing import Any

from wengert.compiler.native import probe
from wengert.compiler.operands import At
from wengert.compiler.required import Impossible, Required
from wengert.compiler.returned import answer_of
from wengert.passes import DEPOSITING

__all__ = ["Shortcuts"]

MOST = 64
"""Shortcuts of one function; each that does not fit costs a call some 30 ns."""
RARELY = 64
"""So many calls of a path that finds no room for a shortcut, and all are made anew; then after twice as many."""


class Shortcuts:
    """The shortcuts of a compiled function, tried one after the other.

    Parameters
    ----------
    slow : callable
        The usual way, called as ``slow(read, *args, **kwargs)``.
    owner : object, optional
        Of a method its object, which calls give before all other arguments.

    Attributes
    ----------
    function : builtin_function_or_method or None
        The first shortcut, to be called with the function's own arguments.
    """

    def __init__(self, slow: Callable, owner: Any = None):
        self.slow = slow
        self.before = () if owner is None else (At(id(owner)),)
        """The checks of what calls are given before the function's own arguments."""
        self.entries: list[Any] = []
        self.function: Any = None
        self.rarely = RARELY
        self._runs_before = 0
        self._tried: set[int] = set()
        self._kept: list[Any] = []
        self._paths: list[Any] = []
        """The path of each entry."""

    def add(self, path: Any, args: tuple, kwargs: dict, call: Any, found: Any, captured: Any) -> None:
        """Make a shortcut of a call that took a path, if one can be made; each path is tried once.

        Parameters
        ----------
        path : wengert.compiler.path.Path
            What ran.
        args, kwargs : tuple, dict
            The arguments, as given.
        call, found, captured
            What was made of them, and of what the function uses.
        """
        if len(self.entries) >= MOST and path.calls % self.rarely == 0:
            self.rarely *= 2
            self.forget()
        if id(path) in self._tried or len(self.entries) >= MOST or path.plan is None or not probe():
            return
        self._tried.add(id(path))
        self._kept.append(path)
        try:
            required = Required(path, self.before, args, kwargs, call, found, captured)
            entry = required.plan.bound(
                required.operands, answer_of(required), nargs=len(self.before) + len(args) + len(kwargs),
                slow=self.slow, names=tuple(kwargs), forgive=True, lock=DEPOSITING if required.adds() else None,
                turned=path.turned_results,
            )  # fmt: skip
        except Impossible as why:
            path.no_shortcut = str(why)
            return
        if self.entries:
            self.entries[-1].link(entry)
            self.entries[-1].otherwise(entry)
        path.has_shortcut = True
        self.entries.append(entry)
        self._paths.append(path)
        self.function = self.entries[0].function

    def are_many(self) -> bool:
        """Whether the room that is left is for paths that come often."""
        return len(self.entries) >= MOST // 2

    def outlive(self, paths: Iterable) -> bool:
        """Whether there are shortcuts of paths that are not among these."""
        return not set(map(id, self._paths)) <= set(map(id, paths))

    def forget(self) -> None:
        """Begin again: what is called now is not among the shortcuts."""
        self._runs_before = self.runs
        self.entries, self._tried, self._kept, self._paths, self.function = [], set(), [], [], None

    @property
    def runs(self) -> int:
        """How many calls have gone this way."""
        return self._runs_before + sum(entry.runs for entry in self.entries)

    def runs_of(self, paths: Iterable) -> int:
        """How many calls have gone this way by some paths."""
        chosen = set(map(id, paths))
        return sum(entry.runs for entry, path in zip(self.entries, self._paths, strict=True) if id(path) in chosen)
