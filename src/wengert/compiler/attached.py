"""What a compiled function is attached to: the object of a method, and the shortcuts of its calls."""

import functools
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any

__all__ = ["Method", "shortcuts"]


class _NoShortcuts:
    """In the place of shortcuts where there is no native compiler."""

    function = None
    runs = 0
    entries = ()

    def add(self, *given: Any) -> None:
        """Make none."""

    def forget(self) -> None:
        """There are none to let go."""

    def are_many(self) -> bool:
        """There are none."""
        return False

    def runs_of(self, paths: Any) -> int:
        """None have gone."""
        return 0


def shortcuts(slow: Callable, owner: Any = None) -> Any:
    """Ways for calls to go straight to native code, where that can be made; those of a method are given its object."""
    try:
        from wengert.compiler.shortcut import Shortcuts
    except ImportError:
        return _NoShortcuts()
    return Shortcuts(slow, owner)


class Method:
    """A method of an object, which is kept alive by those who call it: by the bound method that they have."""

    __slots__ = ("__dict__", "function", "owner")

    def __init__(self, owner: weakref.ref, function: Callable):
        functools.update_wrapper(self, function)
        self.owner, self.function = owner, function

    @property
    def _searched(self) -> Any:
        return MethodType(self.function, self.owner())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method, on the object."""
        return self.function(self.owner(), *args, **kwargs)
