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

    def add(self, *given: Any) -> None:
        """Make none."""

    def runs_of(self, paths: Any) -> int:
        """None have gone."""
        return 0


def shortcuts(slow: Callable) -> Any:
    """Ways for calls to go straight to native code, where that can be made."""
    try:
        from wengert.compiler.shortcut import Shortcuts
    except ImportError:
        return _NoShortcuts()
    return Shortcuts(slow)


class Method:
    """A method of an object that may die before the compiled method does."""

    __slots__ = ("__dict__", "called", "function", "held", "owner")

    def __init__(self, owner: Any, alive: weakref.ref, function: Callable, called: Callable):
        functools.update_wrapper(self, function)
        # The object itself, until the first call: it may be in nobody else's hands, as in ``Model().loss(x)``.
        self.held: Any = owner
        self.owner, self.function, self.called = alive, function, called

    def let_go(self) -> None:
        """Leave it to others how long the object lives."""
        self.called()
        self.held = None

    @property
    def _searched(self) -> Any:
        return MethodType(self.function, self.owner())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method, on the object."""
        return self.function(self.owner(), *args, **kwargs)
