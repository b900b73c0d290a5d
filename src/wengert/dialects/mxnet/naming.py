"""Giving functions that are made in a loop a name and a docstring."""

from collections.abc import Callable

__all__ = ["named"]


def named(function: Callable, name: str, doc: str) -> Callable:
    """The function itself, called `name`."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function
