"""What convolution and pooling ask of their arguments: numbers per axis, and how many windows there are."""

from collections.abc import Iterable
from typing import Any

from wengert.errors import ArgumentError, ShapeError
from wengert.nn._inputs import Array, describe

Numbers = int | Iterable[int]


def per_axis(operation: str, name: str, value: Any, ndim: int, least: int) -> tuple[int, ...]:
    """One whole number for all axes, or one for each."""
    try:
        numbers = tuple([n.__index__() for n in ([value] if hasattr(value, "__index__") else value)])
    except (AttributeError, TypeError):
        numbers = ()
    if len(numbers) == 1:
        numbers *= ndim
    if len(numbers) != ndim or min(numbers) < least:
        raise ArgumentError(
            f"[{operation}] {name} must be a whole number of at least {least}, or {ndim} of them, one per axis; got "
            f"{value!r}."
        )
    return numbers


def reach(window: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    """From the first element of a window to behind its last."""
    return tuple([d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True)])


def require_windows(operation: str, x: Array, count: tuple[int, ...], reach: tuple[int, ...], padding: Any) -> None:
    """Insist on an array that is large enough for at least one window along each axis."""
    if min(count) < 1:
        raise ShapeError(
            f"[{operation}] x must be at least as large as the window, which reaches over {reach}; got x with "
            f"{describe(x)} and padding {padding}; pad more, or take a smaller window."
        )
