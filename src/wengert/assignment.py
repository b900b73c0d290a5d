"""What a recorded write into an array means backward: whose cotangent the region's is, and whose the rest."""

import math
from sys import getrefcount
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box
from wengert.cotangents import ALONE, fit, is_window, zeros
from wengert.protocol import Spec, Wrapper, indexable


def assign_node(p0: Any, p1: Any, spec: Spec, place: tuple, add: bool) -> tape.Node:
    """The node of what a base holds after a write: `place` is the path to the view, the index, the value's shape."""
    n = tape.Node()
    n.order, n.spec, n.p0, n.p1, n.s0, n.s1 = next(tape.ORDER), spec, p0, p1, place, None
    n.rule = add_at_rule if add else assign_rule
    return n


def assign_rule(node: tape.Node, g: Any, heap: list, nodes: dict, grads: dict) -> None:
    """Backward of a write: the written region's cotangent goes to the value, the rest to what was there before."""
    path, index, shape = node.s0
    if has_arrays(index):
        g = indexable(g, index)
    if node.p1 is not None:
        tape.send(node.p1, _of_value(follow(path, g)[index], node, index, shape, g), heap, nodes, grads)
    if node.p0 is None:
        return
    if not node.spec.ndim:
        written = np.size(follow(path, np.zeros(()))[index])  # an index may select nothing: ``x[False] = 1``
        tape.send(node.p0, zeros(node.spec, g) if written else g, heap, nodes, grads)
        return
    if getrefcount(g) > ALONE or is_window(g):
        g = g.copy()
    tape.send(node.p0, _without_region(g, path, index), heap, nodes, grads)


def _of_value(c: Any, node: tape.Node, index: Any, shape: tuple, g: Any) -> Any:
    """The cotangent of the written value, from that of the region."""
    if (c.__class__ is np.ndarray and (c.base is not None or c is g)) or (isinstance(c, Wrapper) and c._is_view):
        c = c.copy()
    if has_arrays(index):
        c = _survivors(c, node.spec, node.s0[0], index)
    like = node.p1.spec
    if shape:
        c = np.reshape(c, (1,) * (len(shape) - c.ndim) + c.shape)
    return fit(c, like)


def _survivors(c: Any, spec: Spec, path: tuple, index: Any) -> Any:
    """Where an index names an element twice only the last write stays: the others' cotangents are zero."""
    parts = index if isinstance(index, tuple) else (index,)
    integers = [i for i in parts if isinstance(i, (np.ndarray, Wrapper)) and i.dtype != bool]
    if not integers or (len(integers) == 1 and integers[0].size < 2):
        return c
    positions = _positions(spec.shape, path, index)
    order = np.arange(positions.size)
    stamp = indexable(np.zeros(spec.size, np.intp), positions)
    stamp[positions.ravel()] = order
    return np.where((stamp[positions.ravel()] == order).reshape(positions.shape), c, np.zeros((), spec.dtype)[()])


def _positions(shape: tuple[int, ...], path: tuple, index: Any) -> Any:
    """The places of the elements, in an array of the shape, that an index selects after the steps of a view."""
    places = np.arange(math.prod(shape)).reshape(shape)
    return follow(path, indexable(places, index))[index]


def _without_region(g: Any, path: tuple, index: Any) -> Any:
    """`g` with zeros in the region, written in place: `g` is ours."""
    region = follow(path, g)
    if region.__class__ is np.ndarray:
        shared = np.may_share_memory(region, g)
    else:
        shared = region._is_view and (not isinstance(region, Box) or region._base is (g._base if g._is_view else g))
    if region is g or shared:
        region[index] = 0
        return g
    # The base's memory was laid out differently, and what is a view of it is a copy of g.
    positions = _positions(g.shape, path, index)
    flat = np.copy(np.ravel(g))
    flat[np.ravel(positions)] = 0
    return np.reshape(flat, g.shape)


def add_at_rule(node: tape.Node, g: Any, heap: list, nodes: dict, grads: dict) -> None:
    """Backward of ``np.add.at``: everything goes to what was there before, the region's part to the value as well."""
    path, index, shape = node.s0
    if node.p1 is not None:
        c = follow(path, indexable(g, index))[index]
        if shape:
            c = np.reshape(c, (1,) * (len(shape) - c.ndim) + c.shape)
        tape.send(node.p1, fit(c, node.p1.spec), heap, nodes, grads)
    if node.p0 is not None:
        tape.send(node.p0, g, heap, nodes, grads)


for _rule, _name in ((assign_rule, "setitem"), (add_at_rule, "add.at")):
    _rule.graph, _rule.name = _rule, _name


def has_arrays(index: Any) -> bool:
    """Whether an index holds arrays (integer or boolean, or batches), so that it selects a copy and not a view."""
    return any(isinstance(i, (np.ndarray, Wrapper)) for i in (index if isinstance(index, tuple) else (index,)))


def follow(path: tuple, value: Any) -> Any:
    """Take the steps of a view from a value of its base's shape."""
    for step in path:
        value = step[0](value, *step[1])
    return value
