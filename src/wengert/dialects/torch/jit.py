"""`torch.jit` and `torch.compile`: the function itself, as nothing is compiled here yet."""

from collections.abc import Callable
from typing import Any

__all__ = ["compile", "export", "ignore", "script", "trace", "unused"]


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """The function or module itself."""
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The function or module itself: it is recorded anew in each call."""
    return func


def export(fn: Callable) -> Callable:
    """The function itself."""
    return fn


ignore = unused = export


def compile(model: Any = None, **options: Any) -> Any:
    """The function or module itself; without one, a decorator that gives what it decorates."""
    return model if model is not None else lambda function: function
