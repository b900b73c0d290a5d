"""Nested containers: arguments and results as flat lists of leaves, and back."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from wengert.protocol import Wrapper
from wengert.tensor import Tensor

NAMESPACE = "wengert"
_LEAVES = (np.ndarray, np.generic, Wrapper, float, int, complex, str, type(None))


def flatten(value: Any) -> tuple[list, Any]:
    """The leaves of nested containers, and their structure (`None` for a leaf alone).

    Containers are tuples, lists, dictionaries, named tuples, dataclasses, and what is registered with optree.
    """
    if isinstance(value, _LEAVES):
        return [value], None
    import optree

    leaves, structure = optree.tree_flatten(value, none_is_leaf=True, namespace=NAMESPACE)
    unknown = {type(leaf) for leaf in leaves if is_dataclass(leaf) and not isinstance(leaf, (type, *_LEAVES))}
    if unknown:
        for kind in unknown:
            _register(kind)
        return flatten(value)
    return leaves, None if structure.is_leaf() else structure


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

    optree.register_pytree_node(kind, take_apart, put_together, namespace=NAMESPACE)
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
