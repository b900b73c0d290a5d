"""Views, and who else has the buffer that one is about to write into.

A view belongs to a base, at the end of a chain of steps (a slice, a transpose …). It holds an array while that is a
window on the base's present buffer, and makes itself a new one where the base has moved; its node is made from the
base's when asked. So whoever writes the base writes all its views.

The array of a view is never handed out, only windows on it; so each view adds exactly one to the reference count of the
base's buffer and one to that of a `Storage`, which the views of a buffer share. Where the two counts differ by more,
somebody else has the buffer: a value that backward saved, an array that the user holds. A write goes into the buffer
itself if nobody does and to a fresh copy otherwise. No registry, no version counters, nothing on the hot path.
"""

import operator
import weakref
from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np

from wengert import tape
from wengert.arrays import Memory, copied
from wengert.assignment import assign_rule, follow
from wengert.box import Box, alias, bare
from wengert.primitive import REGISTRY
from wengert.protocol import Spec, Wrapper, is_recorded


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
            if y.__class__ is np.ndarray:
                return y[()]
            return alias(y) if isinstance(y, Box) else y._apart()
        # A small part of a buffer that is being filled is copied: held by the tape, it would make the next write
        # copy the whole.
        node = self._base._node
        if node is not None and node.rule is assign_rule and 4 * self._spec.size <= self._base._spec.size:
            return y.copy("K") if y.__class__ is np.ndarray else y._apart()
        if y.__class__ is np.ndarray:
            return y.view()
        # A window on a tensor holds its base, which a write then leaves alone; of other wrappers nobody counts windows.
        return y[...] if isinstance(y, Box) else y._apart()

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
                if is_recorded(y):
                    y._note_followed(view._step[0])
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
    if v is None:  # a wrapper's value without axes
        v = source._box(alias(x), min(source._level, source._ground))
        if is_recorded(x):
            x._lent(source, v)
        return v
    v._cut = DETACHED
    return v


def shared_array(t: Box) -> np.ndarray:
    """An array on the tensor's own memory: writing one writes the other, as long as both are there.

    What the tape has saved is safe from writes to the tensor, which then moves away and leaves the array behind; but
    nothing sees a write to the array.
    """
    base = t._base if t._is_view else t
    recorded = bare(t)
    if is_recorded(recorded):
        array = recorded._apart()
        recorded._lent(t, array)
        return array
    if not base._spec.ndim or base._value.__class__ is not np.ndarray:
        return np.array(recorded)
    own_buffer(base, None)
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


def _has_truth(index: Any) -> bool:
    return any(isinstance(i, (bool, np.bool_, np.ndarray)) for i in (index if isinstance(index, tuple) else (index,)))


def own_buffer(base: Box, value: Any) -> None:
    """Make sure that a write into the base's buffer changes nothing that anybody else holds, and that `value` fits."""
    data = base._value.__class__
    if data is np.ndarray:
        if _is_held(base) or not _owns_memory(base):
            base._value = copied(base._value)
    elif issubclass(data, Wrapper) and _is_held(base):
        # Of a wrapper an alias will do: the array at the bottom is copied there, if it is held.
        base._value = alias(base._value) if issubclass(data, Box) else base._value._apart()
    if isinstance(value, Wrapper) and (not issubclass(data, Wrapper) or value._level > base._value._level):
        base._value = value._buffer(base._value)


def _owns_memory(base: Box) -> bool:
    """Whether a write to the base's buffer goes nowhere else, or where it is meant to."""
    if not base._value.flags.writeable:
        return False
    memory = base._value.base
    return memory is None or memory.__class__ is Memory or storage_of(base).exports is not None


def _is_held(base: Box) -> bool:
    """Whether anybody but the base and its views has the base's buffer."""
    held = getrefcount(base._value) - _HELD
    storage = getattr(base, "_storage", None)
    if storage is None or storage.buffer is not base._value:
        return held > 0
    return held != getrefcount(storage) - _SHARED + storage.exported()


def _measure() -> tuple[int, int]:
    """What `getrefcount` says of a buffer that only its tensor (and a storage) has, and of a storage without views."""
    base = Box()
    base._value = np.zeros(1)
    held = getrefcount(base._value)
    storage = storage_of(base)
    return held, getrefcount(storage) - (getrefcount(base._value) - held)


_HELD, _SHARED = _measure()
