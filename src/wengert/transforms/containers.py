"""Nested containers: arguments and results as flat lists of leaves, and back."""

from collections import OrderedDict
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from wengert.protocol import Wrapper
from wengert.tensor import Tensor

NAMESPACE = "wengert"
WHOLE = "wengert.whole"
"""The same, but that dataclasses with attributes besides their fields, or without some of them, are no containers."""
_LEAVES = (np.ndarray, np.generic, Wrapper, float, int, complex, str, type(None))


def flatten(value: Any, namespace: str = NAMESPACE) -> tuple[list, Any]:
    """The leaves of nested containers, and their structure (`None` for a leaf alone).

    Containers are tuples, lists, dictionaries, named tuples, dataclasses, and what is registered with optree.
    """
    if isinstance(value, _LEAVES):
        return [value], None
    import optree

    leaves, structure = optree.tree_flatten(value, _IS_ORDERED, none_is_leaf=True, namespace=namespace)
    kinds = set(map(type, leaves))
    if OrderedDict in kinds:
        leaves, structure = optree.tree_flatten(_reordered(value, namespace), none_is_leaf=True, namespace=namespace)
        kinds = set(map(type, leaves))
    unknown = {kind for kind in kinds if is_dataclass(kind) and not issubclass(kind, _LEAVES)}
    if unknown:
        for kind in unknown:
            _register(kind)
        return flatten(value, namespace)
    if namespace == WHOLE:
        leaves = [leaf.value if leaf.__class__ is _Leaf else leaf for leaf in leaves]
    return leaves, None if structure.is_leaf() else structure


_IS_ORDERED = OrderedDict.__instancecheck__


def _reordered(value: Any, namespace: str) -> Any:
    """Containers with new ordered dictionaries: optree goes by when keys came, and not by where they were moved."""
    import optree

    def copy(part: Any) -> Any:
        if type(part) is not OrderedDict:
            return part
        return OrderedDict((key, _reordered(inner, namespace)) for key, inner in part.items())

    return optree.tree_map(copy, value, is_leaf=_IS_ORDERED, none_is_leaf=True, namespace=namespace)


class _Leaf:
    """In the place of a dataclass that is no container."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value


FIELDS: dict[type, tuple[str, ...]] = {}
"""The dataclasses that are containers of their fields here, with the names of these."""


def _register(kind: type) -> None:
    """Make a dataclass a container of its fields."""
    import optree

    names = tuple(field.name for field in fields(kind))

    def take_apart(value: Any) -> tuple:
        return [getattr(value, name) for name in names], None, names

    def put_together(_: Any, parts: Any) -> Any:
        value: Any = object.__new__(kind)
        for name, part in zip(names, parts, strict=True):
            object.__setattr__(value, name, part)
        return value

    def take_apart_plain(value: Any) -> tuple:
        if getattr(value, "__dict__", {}).keys() - names or not all(hasattr(value, name) for name in names):
            return [_Leaf(value)], _Leaf, None
        return take_apart(value)

    def put_together_plain(how: Any, parts: Any) -> Any:
        return parts[0] if how is _Leaf else put_together(how, parts)

    optree.register_pytree_node(kind, take_apart, put_together, namespace=NAMESPACE)
    optree.register_pytree_node(kind, take_apart_plain, put_together_plain, namespace=WHOLE)
    FIELDS[kind] = names


def rebuild(structure: Any, leaves: list) -> Any:
    """Containers of a structure with other leaves."""
    return leaves[0] if structure is None else structure.unflatten(leaves)


def peel(value: Any, level: int) -> Any:
    """A result as seen from outside the level: tensors of it replaced by their values."""
    leaves, structure = flatten(value)
    return rebuild(structure, [peeled(leaf, level) for leaf in leaves])


def peeled(leaf: Any, level: int) -> Any:
    """One leaf of a result, as seen from outside the level."""
    return leaf._value if isinstance(leaf, Tensor) and leaf._level == level else leaf
