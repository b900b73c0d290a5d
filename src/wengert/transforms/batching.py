"""Batching: arrays with one axis more than the program knows of.

A `Batch` is an array whose first axis is the batch; the program sees the shape behind it. What a primitive does to
batches is told where it is declared: elementwise ones follow from NumPy's broadcasting, others are told by their
``batch=`` (see `primitive.Primitive`). A function without a batching rule runs once for each element, with a warning.
"""

import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert import dispatch
from wengert.box import unbox
from wengert.errors import BatchError, BatchWarning
from wengert.primitive import REGISTRY, Plain, Primitive, linear, name_of, needs
from wengert.protocol import PLAIN, Spec, Wrapper, constant, intern_spec, is_open, spec_of
from wengert.transforms.indices import gathered, has_batch, placed
from wengert.transforms.lifted import Lifted, found, fresh, opened, own_memory, parts, store

__all__ = ["Batch", "behind", "runner", "stretched"]


class Batch(Lifted):
    """An array whose first axis is the batch, of which the program knows nothing."""

    __slots__ = ("_memory",)
    _memory: bool
    """Of values whose examples have no axes, where it is there: whether these are views."""
    _word = "batch"
    _is_batch = _stacked = True

    @classmethod
    def _of(cls, value: Any, level: int) -> "Batch":
        t = object.__new__(cls)
        spec = spec_of(value)
        t._value, t._level, t._spec = value, level, intern_spec(spec.shape[1:], spec.dtype)
        return t

    @property
    def _length(self) -> int:
        return self._value.shape[0]

    def _is_memory(self) -> bool:
        return getattr(self, "_memory", False)

    def _buffer(self, array: Any) -> "Batch":
        return self._of(np.copy(stretched(array, self._length)), self._level)

    def _zeros(self, spec: Spec) -> "Batch":
        return self._of(np.zeros((self._length, *spec.shape), spec.dtype), self._level)

    def _store(self, index: Any, value: Any, add: bool = False) -> None:
        mine = isinstance(value, Batch) and value._level == self._level
        place, x = placed(self._length, self._spec, index, unbox(value._value) if mine else value, mine, self._level)
        store(self, "_value", place, x, add)

    def _primal(self) -> Any:
        return self._one_value("value")

    def _constant(self) -> Any:
        return self._of(constant(self._value), self._level)

    def _one_value(self, what: str) -> Any:
        raise BatchError(
            f"[vmap] one {what} was required to decide what to do next; received a batch of {self._length} values, "
            f"each {self._spec!r}; write it with functions that work on each element (np.where, np.minimum …), or use "
            f'wg.vmap(f, fallback="loop")'
        )

    def __bool__(self) -> bool:
        return self._one_value("truth value")

    def __index__(self) -> int:
        return self._one_value("integer")

    def _read(self, reader: str) -> Any:
        return self._one_value("number")

    def item(self, *index: Any) -> Any:
        """Refused: there are as many items as elements in the batch."""
        return self._one_value("number")

    tolist = item


def stretched(x: Any, n: int) -> Any:
    """A value with a batch axis of length `n`, along which it does not change."""
    return np.broadcast_to(x, (n, *np.shape(x)))


# Primitives ------------------------------------------------------------------------------------------------------


def _batched(p: Primitive) -> Callable:
    """What a primitive does to batches."""
    run = runner(p)

    def here(top: Batch, operands: tuple, params: dict) -> Any:
        level, n = top._level, top._length
        mine = [isinstance(a, Batch) and a._level == level for a in operands]
        if p.view:
            value = fresh(run(p, n, (True,), (own_memory(top, "_value"),), params))
            if value.ndim == 1:  # of each example a scalar, which is no view
                value = np.copy(unbox(value))
            return Batch._of(value, level)
        xs = tuple(unbox(a._value) if ours else a for a, ours in zip(operands, mine, strict=True))
        return Batch._of(run(p, n, mine, xs, params), level)

    return here


def _quick(p: Primitive, general: Callable) -> Callable:
    """An elementwise primitive's entry for what is usual: arrays, and batches of arrays, of one level."""
    if p.kind != "elementwise" or len(p.operands) > 2 or p.params:
        return general
    call = p.call

    def one(a: Any) -> Any:
        if a.__class__ is Batch and a._value.__class__ is np.ndarray and is_open(a._level):
            return Batch._of(call(a._value), a._level)
        return general(a)

    def two(a: Any, b: Any) -> Any:
        if a.__class__ is not Batch and b.__class__ is not Batch:  # only ``out=`` is a batch
            return general(a, b)
        level = a._level if a.__class__ is Batch else b._level
        x, m = _plain_and_ndim(a, level)
        y, n = _plain_and_ndim(b, level)
        if m < 0 or n < 0 or not is_open(level):
            return general(a, b)
        if m < n and a.__class__ is Batch:
            x = x.reshape((x.shape[0], *(1,) * (n - m), *x.shape[1:]))
        elif n < m and b.__class__ is Batch:
            y = y.reshape((y.shape[0], *(1,) * (m - n), *y.shape[1:]))
        return Batch._of(call(x, y), level)

    return one if len(p.operands) == 1 else two


def _plain_and_ndim(a: Any, level: int) -> tuple[Any, int]:
    """An operand's array and how many axes an example has; -1 if it is not as simple as that."""
    if a.__class__ is Batch:
        return a._value, a._spec.ndim if a._level == level and a._value.__class__ is np.ndarray else -1
    if a.__class__ is np.ndarray:
        return a, a.ndim
    return a, 0 if a.__class__ in PLAIN else -1


def runner(p: Primitive) -> Callable:
    """What does the work of a primitive on values with the batch axis in front."""
    if p.kind == "elementwise" or p.batch == "elementwise":
        return _elementwise
    if p.batch is None:
        return _one_by_one
    if callable(p.batch):
        return _declared
    return {"leading": _leading, "axis": _along_axes, "rows": _by_rows}[p.batch]


def _elementwise(p: Primitive, n: int, mine: list, xs: tuple, params: dict) -> Any:
    return p.apply(*aligned(xs, mine), **params)


def aligned(xs: tuple, mine: list) -> list:
    """Operands that broadcast against each other behind the batch axis."""
    ndim = max(np.ndim(x) - ours for x, ours in zip(xs, mine, strict=True))
    return [_padded(x, ndim + 1) if ours and x.ndim <= ndim else x for x, ours in zip(xs, mine, strict=True)]


def _padded(x: Any, ndim: int) -> Any:
    """A batch with axes of length 1 behind the batch axis."""
    return np.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:]))


def _leading(p: Primitive, n: int, mine: list, xs: tuple, params: dict) -> Any:
    return p.apply(*_all_batched(xs, mine, n), **params)


def _all_batched(xs: tuple, mine: list, n: int) -> list:
    return [x if ours else stretched(x, n) for x, ours in zip(xs, mine, strict=True)]


def _along_axes(p: Primitive, n: int, mine: list, xs: tuple, params: dict) -> Any:
    values = _all_batched(xs, mine, n)
    return p.apply(*values, **params | {"axis": behind(params["axis"], values[0].ndim - 1)})


def behind(axis: Any, ndim: int) -> Any:
    """Axes of an example (`None` for all `ndim`) as axes behind the batch axis."""
    if axis is None or (not ndim and axis in (0, -1)):  # NumPy gives a number these axes
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple):
        return tuple(_behind(i, ndim) for i in axis)
    return _behind(axis, ndim)


def _behind(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis + 1 if axis >= 0 else axis


def _declared(p: Primitive, n: int, mine: list, xs: tuple, params: dict) -> Any:
    """The primitive's own rule: told which operands are batched if it asks, else given all with the batch axis."""
    rule: Any = p.batch
    names = needs(rule)
    values = xs if "batched" in names else _all_batched(xs, mine, n)
    known = {"batched": mine, "size": n, "xs": values} | params
    if not p.variadic:
        known |= dict(zip(p.operands, values, strict=True))
    return rule(*(known[name] for name in names))


def _one_by_one(p: Primitive, n: int, mine: list, xs: tuple, params: dict) -> Any:
    _warn(p.name)
    return _by_rows(p, n, mine, xs, params)


def _by_rows(p: Primitive, n: int, mine: list, xs: tuple, params: dict) -> Any:
    """Once for each example, where there is nothing to be gained by doing all at once."""
    if not n:
        _refuse_none(p.name)
    rows = [[x[i] if ours else x for x, ours in zip(xs, mine, strict=True)] for i in range(n)]
    return np.stack([p.apply(*row, **params) for row in rows])


def _refuse_none(name: str) -> None:
    raise BatchError(
        f"[{name}] a batch with elements was required, as the function runs once for each; received none; "
        f"give the primitive a batching rule (batch=)"
    )


def _warn(name: str) -> None:
    warnings.warn(
        f"[vmap] '{name}' has no batching rule and runs once for each element of the batch",
        BatchWarning,
        stacklevel=2,
    )


# Functions without a derivative ----------------------------------------------------------------------------------


def _of_plain(known: Plain) -> Callable:
    """Comparisons and other ufuncs broadcast; of the others a table tells; the rest runs once for each element."""
    if known.call in _PLAIN:
        return _PLAIN[known.call]
    if isinstance(known.call, np.ufunc):
        return _plain_elementwise(known.call)
    return _looped(known.call, known.name)


def _level_of(arguments: Any) -> int:
    """The highest level of the batches among arguments."""
    return max((a._level for a in _leaves(arguments) if isinstance(a, Batch)), default=-1)


def _leaves(value: Any) -> list:
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in _leaves(part)]
    if isinstance(value, dict):
        return _leaves(list(value.values()))
    return [opened(value) if isinstance(value, Wrapper) else value]


def _without_derivative(value: Any) -> Any:
    """The batch inside a value of a transformation around it, whose derivative the result does not have."""
    value = opened(value)
    while isinstance(value, Wrapper) and not isinstance(value, Batch) and not value._recorded:
        value = opened(value._value)
    return value


def _taken_apart(args: tuple) -> tuple[int, list, list]:
    """Level, values and which of them are batched, of the operands of a plain function."""
    args = tuple(map(_without_derivative, args))
    level = _level_of(args)
    mine = [isinstance(a, Batch) and a._level == level for a in args]
    return level, [unbox(a._value) if ours else a for a, ours in zip(args, mine, strict=True)], mine


def _plain_elementwise(function: Callable) -> Callable:
    def compare(*args: Any, **keywords: Any) -> Any:
        level, xs, mine = _taken_apart(args)
        if level < 0:
            return function(*args, **keywords)
        return _boxed(function(*aligned(tuple(xs), mine), **keywords), level)

    return compare


def _boxed(result: Any, level: int) -> Any:
    if isinstance(result, tuple):
        return tuple(Batch._of(part, level) for part in result)
    return Batch._of(result, level)


def _plain_reduction(function: Callable) -> Callable:
    """``any``, ``argmax`` …: along all axes of an example, or along one."""

    def reduce(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, **keywords: Any) -> Any:
        a = opened(a)
        x = unbox(a._value)
        if function in _ONE_AXIS and (axis is None or (x.ndim == 1 and axis in (0, -1))):
            flat = function(np.reshape(x, (x.shape[0], -1)), axis=1)
            return _boxed(np.reshape(flat, (-1, *(1,) * (x.ndim - 1))) if keepdims else flat, a._level)
        keywords |= {"keepdims": True} if keepdims else {}
        return _boxed(function(x, axis=behind(axis, x.ndim - 1), **keywords), a._level)

    return reduce


def _plain_order(function: Callable) -> Callable:
    """``argsort``, ``argpartition``: along one axis, the last of an example unless told otherwise."""

    def order(a: Any, *args: Any, axis: Any = -1, **keywords: Any) -> Any:
        a = opened(a)
        x = unbox(a._value)
        place = 0 if function is np.argsort else 1  # of the axis, if it is given by position
        if len(args) > place:
            axis, args = args[place], (*args[:place], *args[place + 1 :])
        if axis is None or x.ndim == 1:
            x, axis = np.reshape(x, (x.shape[0], -1)), 0
        return _boxed(function(x, *args, axis=behind(axis, x.ndim - 1), **keywords), a._level)

    return order


def _of_example(function: Callable) -> Callable:
    """``shape``, ``ndim`` …: of the example, whose shape and dtype are known."""

    def tell(*args: Any, **keywords: Any) -> Any:
        return function(*map(_stand_in, args), **keywords)

    return tell


def _stand_in(value: Any) -> Any:
    """An array of an example's shape and dtype, without memory of its own."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_stand_in, value))
    if isinstance(value, Wrapper):
        return np.broadcast_to(np.zeros((), value._spec.dtype), value._spec.shape)
    return value


_ONE_AXIS: set[Any] = {np.argmax, np.argmin, np.nanargmax, np.nanargmin}
_PLAIN: dict[Any, Callable] = {
    **{f: _plain_reduction(f) for f in (np.any, np.all, np.count_nonzero, *_ONE_AXIS)},
    **{f: _plain_order(f) for f in (np.argsort, np.argpartition)},
    **{f: _plain_elementwise(f) for f in (np.isclose, np.isreal, np.iscomplex, np.isneginf, np.isposinf)},
    **{f: _of_example(f) for f in (
        np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.isrealobj,
        np.iscomplexobj)},
}  # fmt: skip
"""What functions without a derivative do to batches."""


# The last resort -------------------------------------------------------------------------------------------------
# A batch may lie inside tensors and dual numbers: what takes it apart is linear, and passes through them.


def _unbatched(x, outside=0, size=0):
    """An array with the batch axis of a level as its first one; what is no batch is the same for all examples."""
    return np.array(stretched(x, size))


def _rebatched(x, outside=0):
    """The way back: a batch along the first axis."""
    return Batch._of(x, outside)


_unbatched = linear(_unbatched, lambda g, outside: _batch_of(g, outside))
_rebatched = linear(_rebatched, lambda g, like, outside: _unbatched(g, outside=outside, size=like.shape[0]))


def _batch_of(x: Any, level: int) -> Any:
    """A batch along the first axis: inside the wrappers of higher levels, around those of lower ones."""
    x = opened(x)
    return _rebatched(x, outside=level) if isinstance(x, Wrapper) and x._level > level else Batch._of(x, level)


def _out_of_batch(top: Batch, operands: tuple, params: dict) -> Any:
    if top._level == params["outside"]:
        return np.copy(unbox(top._value))
    return Batch._of(np.moveaxis(_unbatched(unbox(top._value), **params), 1, 0), top._level)


def _into_batch(top: Batch, operands: tuple, params: dict) -> Any:
    if top._level < params["outside"]:
        return Batch._of(top, params["outside"])
    return Batch._of(_batch_of(np.moveaxis(unbox(top._value), 1, 0), params["outside"]), top._level)


def _looped(function: Callable, name: str) -> Callable:
    """A function that runs once for each element of the batch; one warning tells."""

    def loop(*args: Any, **kwargs: Any) -> Any:
        batches = [b for a in _leaves((args, kwargs)) if (b := _batch_inside(a)) is not None]
        if not batches:
            raise BatchError(f"[{name}] a batch among the arguments was required; received none")
        level, n = max((b._level, b._length) for b in batches)
        if not n:
            _refuse_none(name)
        _warn(name)
        args, kwargs = _taken_out(args, level, n), _taken_out(kwargs, level, n)
        results = [function(*_element(args, i), **_element(kwargs, i)) for i in range(n)]
        return _gathered(results, level)

    return loop


def _batch_inside(value: Any) -> Batch | None:
    """The outermost batch inside other wrappers."""
    while isinstance(value, Wrapper):
        if isinstance(value, Batch) and is_open(value._level):
            return value
        value = value._value
    return None


@dataclass
class _Examples:
    """An argument with the batch axis in front."""

    values: Any


def _taken_out(value: Any, level: int, n: int) -> Any:
    """Arguments, the batches of a level among them taken apart."""
    if isinstance(value, (tuple, list)):
        parts = [_taken_out(part, level, n) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {k: _taken_out(part, level, n) for k, part in value.items()}
    value = opened(value) if isinstance(value, Wrapper) else value
    inside = _batch_inside(value)
    while inside is not None and inside._level != level:
        inside = _batch_inside(inside._value)
    if inside is None and not (isinstance(value, Wrapper) and value._level > level):
        return value
    # Of what is the same for all examples, too, a transformation inside the batch has a derivative for each.
    return _Examples(_unbatched(value, outside=level, size=n))


def _element(value: Any, i: int) -> Any:
    """Arguments as the `i`-th element of the batch has them."""
    if isinstance(value, (tuple, list)):
        parts = [_element(part, i) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {k: _element(part, i) for k, part in value.items()}
    return value.values[i] if isinstance(value, _Examples) else value


def _gathered(results: list, level: int) -> Any:
    """The results for all elements as one batch; containers part by part."""
    first = results[0]
    if isinstance(first, (tuple, list)):
        parts = [_gathered(list(column), level) for column in zip(*results, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    shapes = {np.shape(r) for r in results}
    if len(shapes) > 1:
        raise BatchError(
            f"[vmap] results of one shape for all elements of the batch were required; received the shapes "
            f'{sorted(shapes)[:3]} …; use wg.vmap(f, fallback="loop") and lists'
        )
    arrays: list[Any] = [r if isinstance(r, Wrapper) else np.asarray(r) for r in results]
    return _batch_of(np.stack(arrays), level)


def _one_call(function: Any, name: str, args: tuple, kwargs: dict) -> Any:
    return _looped(_callable(function), name)(*args, **kwargs)


def _callable(function: Any) -> Callable:
    return getattr(*function) if isinstance(function, tuple) else function


dispatch.one_by_one = _one_call
found(Batch, _batched, _of_plain, None, lambda f: _looped(_callable(f), name_of(f)), _quick)
Batch._here[REGISTRY[_unbatched]] = _out_of_batch
Batch._here[REGISTRY[_rebatched]] = _into_batch


# Indexing --------------------------------------------------------------------------------------------------------


def _getitem(top: Batch, operands: tuple, params: dict) -> Any:
    """``x[index]``, where the array, the index or both may be batched."""
    (x,), index, level = operands, params["index"], top._level
    mine = isinstance(x, Batch) and x._level == level
    if mine and not has_batch(index, level):
        y = fresh(gathered(own_memory(x, "_value"), True, index, level))
    else:
        y = gathered(unbox(x._value) if mine else x, mine, index, level)
    if y.ndim > 1:
        return Batch._of(y, level)
    is_memory = isinstance(y, Wrapper) and y._is_view and any(x is Ellipsis for x in parts(index))
    found = Batch._of(y if is_memory else np.copy(unbox(y)), level)
    found._memory = is_memory
    return found


Batch._here[REGISTRY[operator.getitem]] = _getitem
