"""Writing in place: into a part of an array, and by the in-place operators; recorded where needed."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tape
from wengert.arrays import empty_as
from wengert.assignment import assign_node, follow, has_arrays
from wengert.box import Box, bare, freeze, unbox
from wengert.errors import DTypeError, LeafWriteError, LostGradientError, ShapeError
from wengert.primitive import REGISTRY
from wengert.protocol import Spec, Wrapper, everything, highest, indexable, is_open, look, spec_of
from wengert.views import DETACHED, own_buffer, path_of, window


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
        if node is None:
            _note_filled(base)
    shape: tuple[int, ...] = ()
    if getattr(value, "ndim", 0):
        shape, value, parent = _strip_leading_ones(target._spec, index, value, parent)
    own_buffer(base, value if batch is None else highest((value, batch)))
    _store(target, base, index, value, add)
    if recorded:
        base._node = assign_node(node, parent, base._spec, (path_of(target), index, shape), add)


def _selects_all(index: Any) -> bool:
    """Whether a write to `index` leaves nothing of what was there before."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is Ellipsis or (i.__class__ is slice and i.start is i.stop is i.step is None) for i in parts)


def _write_afresh(base: Box, index: Any, value: Any) -> None:
    """A recorded write of everything: the buffer has no past to keep, or to go back to."""
    _check_recorded_write(base, None)
    before = base._value, base._node, base._level
    fresh = empty_as(bare(base))
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


def _rise(base: Box, value: Wrapper) -> None:
    """Bring a buffer to the level of what is written into it: what it holds becomes a constant of that level."""
    if value._level <= base._level:
        return
    _note_filled(base)
    if base._node is not None:
        _check_recorded_write(base, None)
        base._value, base._node = base._box(base._value, base._level, base._node), None
    base._level = value._level


def _note_filled(base: Box) -> None:
    """Let a program that is being recorded know of a buffer of its own: where nothing is recorded it is an array."""
    inside = everything(base)
    if isinstance(inside, Wrapper) and not base._family.boxes:
        inside._note_filled()


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
        if result._node is not None and t._node is None:
            _note_filled(t)
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
    own_buffer(t, other)
    if ufunc is np.power:  # which ``**`` is not for all exponents
        operator.ipow(t._value, other)
    else:
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
    return _step_sizes(result._value) == _step_sizes(t._value)


def _step_sizes(value: Any) -> tuple[int, ...]:
    """Bytes from one element to the next along each axis."""
    return (value if value.__class__ is np.ndarray else look(value)).strides


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


def negated(target: Any, value: Any) -> Any:
    """What is added where a value is to be subtracted: in the dtype of both, as its own may not hold it."""
    own = value if isinstance(value, (int, float, complex)) else spec_of(value).dtype
    dtype = np.result_type(spec_of(target).dtype, own)
    return np.negative(value.astype(dtype) if isinstance(value, Wrapper) else np.asarray(value, dtype))
