"""What a program has made for what a function uses, written back: into tensors, arrays and places."""

import weakref
from typing import Any

import numpy as np

from wengert import tape

__all__ = ["IN_PLACES", "IN_TENSORS", "OF_GRADIENTS", "as_held", "write_back"]

OF_GRADIENTS = ("gradient", "grad")
IN_TENSORS = ("tensor", *OF_GRADIENTS)
"""What is written in a tensor: its value, that of its gradient, another gradient."""
IN_PLACES = ("number", "box", "rebound")
"""What is put into a place in which something else was."""


def write_back(captured: Any, places: list, values: list, same: Any) -> None:
    """Give tensors, arrays and places what a program has made for them, and what they get at each call.

    The latter is ``cleared``, ``exchanged``, ``remade``, ``filled`` and ``twins`` of `same`.
    """
    for (kind, k), value in zip(places, values, strict=True):
        if kind in IN_TENSORS:
            _into_tensor(captured.tensors[k], kind, value)
        elif kind == "array":
            captured.arrays[k][0][...] = value
        elif kind != "part":
            place, held = captured.found.entries[k]
            now = as_held(kind, held, value)
            place.set(now)
            captured.found.renew(k, now)
    written = list(zip(places, values, strict=True))
    for container in same.remade:
        captured.found.entries[container.number][0].set(_rebuilt(captured, container, written))
    if same.filled is not None:
        same.filled.fill(captured.given, _rebuilt(captured, same.filled.parts, written))
    for k, kind, j in same.twins:
        captured.found.entries[k][0].set(_held(captured, kind, j))
    for k, value in same.exchanged:
        captured.found.entries[k][0].set(value)
    for k, name, value in same.cleared:
        t = captured.tensors[k]
        setattr(t, name, tape.new_leaf(t._spec, weakref.ref(t)) if name == "_node" else value)
    for own, view in captured.windows:
        if own._node is not None:
            _hand_over(own, view)


def _rebuilt(captured: Any, container: Any, written: list) -> Any:
    """A container of what has been computed for it, and of what is kept elsewhere."""
    mine = [value for place, value in written if place == container.place]
    return container.rebuilt(mine, [_held(captured, kind, j) for _, kind, j in container.kept])


def _held(captured: Any, kind: str, j: int) -> Any:
    """The tensor, the array, or what the place of this number holds."""
    if kind == "fixed":
        return captured.found.fixed[j][0]
    if kind == "tensor":
        return captured.tensors[j]
    return captured.arrays[j][0] if kind == "array" else captured.found.entries[j][0].get()


def _hand_over(own: Any, view: Any) -> None:
    """A view has become a leaf, which it can in dialects."""
    view._stand_alone()
    view._node, view._grad = tape.new_leaf(view._spec, weakref.ref(view)), getattr(own, "_grad", None)


def as_held(kind: str, held: Any, value: Any) -> Any:
    """What a program has made for a place, in the class of what was there."""
    if kind == "number":
        return held.__class__(value)
    if kind == "box":
        return held._box(value)
    return np.asarray(value)


def _into_tensor(t: Any, kind: str, value: Any) -> None:
    value = value if np.ndim(value) else np.asarray(value)[()]
    if kind == "tensor":
        t._value = value
    elif kind == "gradient":
        t._grad._value = value
    else:
        t._grad = t._box(value)
