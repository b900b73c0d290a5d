"""Views, and writing in place.

A view belongs to a base, at the end of a chain of steps (a slice, a transpose …). It holds an array while that is a
window on the base's present buffer, and makes itself a new one where the base has moved; its node is made from the
base's when asked. So whoever writes the base writes all its views.

The array of a view is never handed out, only windows on it; so each view adds exactly one to the reference count of the
base's buffer and one to that of a `Storage`, which the views of a buffer share. Where the two counts differ by more,
somebody else has the buffer: a value that backward saved, an array that the user holds. A write goes into the buffer
itself if nobody does and to a fresh copy otherwise. No registry, no version counters, nothing on the hot path.
"""

import math
import operator
import weakref
from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box, alias, bare, freeze, unbox
from wengert.errors import DTypeError, LeafWriteError, LostGradientError, ShapeError
from wengert.primitive import REGISTRY
from wengert.protocol import Spec, Wrapper, everything, highest, indexable, is_open, spec_of

# ---------------------------------------------------------------------------------------------------------------
# Views
# ---------------------------------------------------------------------------------------------------------------


class Storage:
    """What the views of one buffer share, so that their number can be read off its reference count.

    ``exports`` are weak references to arrays on the same memory that were given away to be written to, each of which
    holds the buffer once; `None` where none ever was.
    """

    __slots__ = ("buffer", "exports")

    def __init__(self, buffer: Any):
        self.buffer = buffer
        self.exports: list | None = None

    def exported(self) -> int:
        """How many of the arrays given away are alive."""
        return 0 if self.exports is None else sum(export() is not None for export in self.exports)


CUT, DETACHED = 1, 2
"""A view without a node: one made under `no_grad`; one whose writes are no part of any history either."""


class ViewOf(Box):
    """The value, node and level of a view: those of its base, after the steps from there.

    ``_step`` is the last step: the function, its parameters, and the function that makes its node. ``_parent`` is the
    view that it was taken from, `None` for the base (of which a view has one reference only, so that they can be
    counted). ``_cut`` is 0, `CUT` or `DETACHED`.
    """

    __slots__ = ()
    _is_view = True

    @property
    def _value(self) -> Any:
        y = window(self)
        if not self._spec.ndim:
            return y[()] if y.__class__ is np.ndarray else alias(y)
        # A small part of a buffer that is being filled is copied: held by the tape, it would make the next write
        # copy the whole.
        node = self._base._node
        if node is not None and node.rule is assign_rule and 4 * self._spec.size <= self._base._spec.size:
            return y.copy()
        if y.__class__ is np.ndarray:
            return y.view()
        # A window on a tensor holds its base, which a write then leaves alone; of other wrappers nobody counts windows.
        return y[...] if isinstance(y, Box) else y.copy()

    @property
    def _node(self) -> tape.Node | None:
        node = self._base._node
        if node is None or self._cut:
            return None
        if self._at is not node:
            self._relink(node)
        return self._linked

    def _relink(self, node: tape.Node) -> None:
        """Make the nodes of the steps that lead here, as far as they are not those of the base's present node."""
        stale, view = [], self
        while view is not None and view._at is not node:
            stale.append(view)
            view = view._parent
        linked = node if view is None else view._linked
        for view in reversed(stale):
            _, params, link = view._step
            view._linked = linked = link(linked, view._spec, params)
            view._at = node  # last: another thread may be reading

    @property
    def _level(self) -> int:
        return self._base._level


def window(view: Box) -> Any:
    """The view's own array (or wrapper), made anew where the base has another buffer now. Not to be handed out."""
    base, newest = view._base, view
    if view._storage.buffer is not base._value:
        storage = storage_of(base)
        stale = []
        while view is not None and view._storage is not storage:
            stale.append(view)
            view = view._parent
        y = base._value if view is None else view._array
        for view in reversed(stale):
            # Of a wrapper the step is a view again, to be cut as this one is, whatever the mode is here and now.
            with tape.no_grad() if view._cut else tape.enable_grad():
                y = view._step[0](y, *view._step[1])
            view._array, view._storage = y, storage
    return newest._array


def storage_of(base: Box) -> Storage:
    """The storage that the views of the base's present buffer share."""
    storage = getattr(base, "_storage", None)
    if storage is None or storage.buffer is not base._value:
        storage = base._storage = Storage(base._value)
    return storage


def has_views(base: Box) -> bool:
    """Whether there are views of a tensor, or arrays on its memory that were given away."""
    storage = getattr(base, "_storage", None)
    return storage is not None and (getrefcount(storage) > _SHARED or storage.exported() > 0)


def make_view(
    source: Box, x: Any, y: Any, spec: Spec, node: Any, link: Callable, call: Callable, params: tuple
) -> Box | None:
    """The result of a view operation as a `View`, or `None` if NumPy made a copy."""
    if source._is_view:
        x = window(source)  # what was handed out may be a copy, or a window in between
        y = call(x, *params)
    if y.__class__ is np.ndarray:
        if x.__class__ is np.ndarray and y is not x and (y.base is None or (y.base is not x and y.base is not x.base)):
            return None
        if x.__class__ is not np.ndarray and call is REGISTRY[operator.getitem].call and _has_truth(params[0]):
            return None  # of a tensor without axes ``x[True]`` is a copy, too
    elif not y._is_view:
        return None
    v = source._family.new_view()
    v._base = base = source._base if source._is_view else source
    v._parent, v._step, v._spec = source if source._is_view else None, (call, params, link), spec
    v._at = None
    v._cut = (source._is_view and source._cut) or (CUT if node is not None and tape.floor() > source._level else 0)
    v._storage, v._array = storage_of(base), y if y is not base._value else y.view()
    return v


def detached_view(source: Box) -> Box:
    """The same memory without a history: reading sees every write to `source`, and writing changes its value only."""
    everything = REGISTRY[operator.getitem].call
    x = source._value
    if not isinstance(x, Wrapper):
        x = np.asarray(x)
    v = make_view(source, x, everything(x, ...), source._spec, None, None, everything, (...,))
    v._cut = DETACHED
    return v


def shared_array(t: Box) -> np.ndarray:
    """An array on the tensor's own memory: writing one writes the other, as long as both are there.

    What the tape has saved is safe from writes to the tensor, which then moves away and leaves the array behind; but
    nothing sees a write to the array.
    """
    base = t._base if t._is_view else t
    if not base._spec.ndim or base._value.__class__ is not np.ndarray:
        return np.array(bare(t))
    _own_buffer(base, None)
    storage = storage_of(base)
    array = np.asarray(memoryview(base._value))
    storage.exports = [e for e in storage.exports or () if e() is not None] + [weakref.ref(array)]
    return follow(path_of(t), array)


def on_array(kind: type[Box], array: np.ndarray) -> Box:
    """A tensor on the memory of an array that somebody else goes on using: writing one writes the other."""
    t = kind._box(np.asarray(memoryview(array)) if array.ndim and array.flags.writeable else array)
    if t._spec.ndim:
        storage_of(t).exports = []
    return t


def path_of(view: Box) -> tuple:
    """The steps from the base to a view, as pairs of function and parameters; none for the base itself."""
    path: list[tuple] = []
    following: Box | None = view if view._is_view else None
    while following is not None:
        path.append(following._step[:2])
        following = following._parent
    return tuple(reversed(path))


def follow(path: tuple, value: Any) -> Any:
    """Take the steps of a view from a value of its base's shape."""
    for step in path:
        value = step[0](value, *step[1])
    return value


# ---------------------------------------------------------------------------------------------------------------
# Writing in place
# ---------------------------------------------------------------------------------------------------------------


def write(target: Box, index: Any, value: Any, add: bool = False) -> None:
    """``target[index] = value`` (or ``+= value``, each of repeated indices counted), recorded where needed."""
    if target._is_view and target._cut == DETACHED and tape.floor() != tape.NEVER:
        with tape.no_grad():
            write(target, index, value, add)
        return
    base = target._base if target._is_view else target
    if isinstance(value, Box) and (value._base if value._is_view else value) is base and not add:
        if _selects_all(index) if value is target else value._is_view and _same_place(value, target, index):
            return  # the second half of `x[i] += u`: the view has already been written
        value = value.copy()
    value = unbox(value)
    if not is_open(base._level):
        _come_down(base)
    if base._node is not None and target is base and not add and _selects_all(index) and tape.floor() <= base._level:
        _write_afresh(base, index, value)
        return
    if isinstance(value, Wrapper):
        _rise(base, value)
    simple = index.__class__ is int or index.__class__ is slice
    batch = None if simple else highest(index if index.__class__ is tuple else (index,))
    if batch is not None and batch._level > base._level:
        _rise(base, batch)
    node, parent = base._node, None
    if isinstance(value, Box) and value._level == base._level:
        value, parent = value._value, value._node
    recorded = (node is not None or parent is not None) and tape.floor() <= base._level
    if recorded:
        _check_recorded_write(base, parent)
    shape: tuple[int, ...] = ()
    if getattr(value, "ndim", 0):
        shape, value, parent = _strip_leading_ones(target._spec, index, value, parent)
    _own_buffer(base, value if batch is None else highest((value, batch)))
    _store(target, base, index, value, add)
    if recorded:
        base._node = _assign_node(node, parent, base._spec, (path_of(target), index, shape), add)


def _selects_all(index: Any) -> bool:
    """Whether a write to `index` leaves nothing of what was there before."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is Ellipsis or (i.__class__ is slice and i == slice(None)) for i in parts)


def _write_afresh(base: Box, index: Any, value: Any) -> None:
    """A recorded write of everything: the buffer has no past to keep, or to go back to."""
    _check_recorded_write(base, None)
    before = base._value, base._node, base._level
    fresh = np.empty_like(bare(base))
    base._value, base._node, base._level = fresh if fresh.ndim else fresh[()], None, base._ground
    del fresh
    try:
        write(base, index, value)
    except BaseException:
        base._value, base._node, base._level = before
        raise


def _same_place(value: Box, target: Box, index: Any) -> bool:
    """Whether the value is the view that writing `index` of `target` would write."""
    function, params, _ = value._step
    return (
        value._parent is (target if target._is_view else None)
        and function is REGISTRY[operator.getitem].call
        and not has_arrays(index)
        and params == (index,)
    )


def has_arrays(index: Any) -> bool:
    """Whether an index holds arrays (integer or boolean, or batches), so that it selects a copy and not a view."""
    return any(isinstance(i, (np.ndarray, Wrapper)) for i in (index if isinstance(index, tuple) else (index,)))


def _has_truth(index: Any) -> bool:
    return any(isinstance(i, (bool, np.bool_, np.ndarray)) for i in (index if isinstance(index, tuple) else (index,)))


def _rise(base: Box, value: Wrapper) -> None:
    """Bring a buffer to the level of what is written into it: what it holds becomes a constant of that level."""
    if value._level <= base._level:
        return
    if base._node is not None:
        _check_recorded_write(base, None)
        base._value, base._node = base._box(base._value, base._level, base._node), None
    base._level = value._level


def _come_down(base: Box) -> None:
    """Bring a buffer down from a level that is closed to the highest open one that it has a history of."""
    inside = unbox(base)
    if isinstance(inside, Box):
        base._value, base._node, base._level = inside._value, inside._node, inside._level
    else:
        base._value, base._node, base._level = inside, None, base._ground


def _check_recorded_write(base: Box, parent: tape.Node | None) -> None:
    if isinstance(base._node, tape.Leaf) and base._node.owner is not None and base._node.owner() is base:
        raise LeafWriteError(
            f"[in-place] a tensor that is no leaf was required; received a leaf that requires grad, {base._spec!r}: "
            f"after the write its gradient would have no meaning; write under wg.no_grad(), or into x.copy()"
        )
    if parent is not None and not base._spec.inexact:
        raise LostGradientError(
            f"[in-place] a float or complex buffer was required for a recorded value; received "
            f"{base._spec!r}; make it with dtype=float"
        )


def _strip_leading_ones(spec: Spec, index: Any, value: Any, parent: Any) -> tuple[tuple[int, ...], Any, Any]:
    """NumPy lets a value of shape (1, 1, n) be written into (n,); gradients want the plain broadcasting rule."""
    shape = value.shape
    if len(shape) < spec.ndim or shape[0] != 1:
        return (), value, parent
    extra = len(shape) - indexable(np.zeros(spec.shape, bool), index)[index].ndim
    if extra <= 0 or any(n != 1 for n in shape[:extra]):
        return (), value, parent
    return shape, value.reshape(shape[extra:]), parent


def _own_buffer(base: Box, value: Any) -> None:
    """Make sure that a write into the base's buffer changes nothing that anybody else holds, and that `value` fits."""
    data = base._value.__class__
    if data is np.ndarray:
        if _is_held(base) or not _owns_memory(base):
            base._value = base._value.copy(order="K")
    elif issubclass(data, Wrapper) and _is_held(base):
        # Of a wrapper an alias will do: the array at the bottom is copied there, if it is held.
        base._value = alias(base._value) if issubclass(data, Box) else base._value.copy()
    if isinstance(value, Wrapper) and (not issubclass(data, Wrapper) or value._level > base._value._level):
        base._value = value._buffer(base._value)


def _owns_memory(base: Box) -> bool:
    """Whether a write to the base's buffer goes nowhere else, or where it is meant to."""
    if not base._value.flags.writeable:
        return False
    return base._value.base is None or storage_of(base).exports is not None


def _is_held(base: Box) -> bool:
    """Whether anybody but the base and its views has the base's buffer."""
    held = getrefcount(base._value) - _HELD
    storage = getattr(base, "_storage", None)
    if storage is None or storage.buffer is not base._value:
        return held > 0
    return held != getrefcount(storage) - _SHARED + storage.exported()


def _store(target: Box, base: Box, index: Any, value: Any, add: bool) -> None:
    if not base._spec.ndim and not isinstance(base._value, Wrapper):
        buffer = np.array(base._value)
        follow(path_of(target), buffer)[index] = value if not add else value + buffer
        base._value = buffer[()]
        return
    region = window(target) if target._is_view else base._value
    if add and region.__class__ is np.ndarray and not has_arrays(index):
        region[index] += value
    elif add:
        # NumPy 2.4 reads beyond the end of values that ufunc.at would have to broadcast.
        np.add.at(region, index, np.broadcast_to(value, np.shape(region[index])))
    else:
        region[index] = value


def _assign_node(p0: Any, p1: Any, spec: Spec, place: tuple, add: bool) -> tape.Node:
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
        tape.send(node.p0, tape.zeros(node.spec, g) if written else g, heap, nodes, grads)
        return
    if getrefcount(g) > tape.ALONE or tape.is_window(g):
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
    return tape.fit(c, like)


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
        tape.send(node.p1, tape.fit(c, node.p1.spec), heap, nodes, grads)
    if node.p0 is not None:
        tape.send(node.p0, g, heap, nodes, grads)


for _rule, _name in ((assign_rule, "setitem"), (add_at_rule, "add.at")):
    _rule.graph, _rule.name = _rule, _name


# ---------------------------------------------------------------------------------------------------------------
# In-place operators
# ---------------------------------------------------------------------------------------------------------------


def in_place(ufunc: np.ufunc, rebind: bool = True) -> Callable:
    """Make the method of an in-place operator; results without axes are scalars, which NumPy rebinds."""

    def method(self: Box, other: Any) -> Any:
        if rebind and not self._spec.ndim and not self._is_view and not getattr(self, "_mutable", False):
            return self._table[ufunc](self, other)
        if _update_buffer(self, ufunc, other):
            return self
        replace(self, self._table[ufunc](self, other), ufunc)
        return self

    method.__name__, method.__doc__ = f"__i{ufunc.__name__}__", f"See `numpy.{ufunc.__name__}`, in place."
    return method


def replace(t: Box, result: Any, function: Callable) -> None:
    """Write the result of `function` in the place of all of `t`, which it was computed from."""
    check_in_place(t, function, result)
    if t._is_view or not isinstance(result, Box) or not _movable(t, result):
        write(t, Ellipsis, result)
    else:
        t._value = result._value
        if result._node is not None:
            t._node, t._level = result._node, result._level


def _update_buffer(t: Box, ufunc: np.ufunc, other: Any) -> bool:
    """Where nothing is recorded, let NumPy work in place; returns whether it did."""
    if t._is_view or t._value.__class__ is not np.ndarray:
        return False
    if tape.floor() == tape.NEVER:
        other = bare(other)
    elif t._node is None or tape.floor() > t._level:
        other = unbox(other)
    else:
        return False
    if isinstance(other, Wrapper):
        return False
    _own_buffer(t, other)
    ufunc(t._value, other, out=t._value)
    return True


def check_in_place(t: Wrapper, function: Callable, result: Any) -> None:
    """Refuse an operation in place whose result would not fit into the tensor's memory."""
    spec = spec_of(result)
    if spec.shape != t._spec.shape:
        raise ShapeError(
            f"[{function.__name__}] in place, a result of shape {t._spec.shape} was required; the operands "
            f"broadcast to {spec.shape}; write x = x op y instead"
        )
    if not np.can_cast(spec.dtype, t._spec.dtype, "same_kind"):
        raise DTypeError(
            f"[{function.__name__}] in place, a result that fits {t._spec!r} was required; received "
            f"{spec.dtype}; write x = x op y instead, or give x a dtype of that kind"
        )


def _movable(t: Box, result: Box) -> bool:
    """Whether the result can simply take the tensor's place: its views look the value up, so they follow."""
    if result._node is not None:
        _check_recorded_write(t, result._node)
    if result._is_view or result._spec is not t._spec:
        return False
    # The memory order decides whether a later reshape is a view.
    return t._spec.ndim < 2 or everything(result).strides == everything(t).strides


def add_at(target: Any, index: Any, value: Any) -> None:
    """`numpy.add.at`, recorded."""
    if not isinstance(target, Box) and not (isinstance(value, Wrapper) and value._carries_gradient()):
        np.add.at(target, bare(index), bare(value))
        return
    if not isinstance(target, Box):
        raise LostGradientError(
            f"[add.at] a tensor was required to add recorded values into; received a plain array "
            f"of {spec_of(target)!r}; make it with wg.zeros or np.zeros_like(t)"
        )
    write(target, freeze(index), value, add=True)


def _measure() -> tuple[int, int]:
    """What `getrefcount` says of a buffer that only its tensor (and a storage) has, and of a storage without views."""
    base = Box()
    base._value = np.zeros(1)
    held = getrefcount(base._value)
    storage = storage_of(base)
    return held, getrefcount(storage) - (getrefcount(base._value) - held)


_HELD, _SHARED = _measure()
