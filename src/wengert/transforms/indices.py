"""Indexing of batches: what ``x[index]`` becomes where an array, parts of the index, or both have a batch axis.

NumPy puts the axes that index arrays make where the first of them stands if they stand together, and in front of all
others if a slice lies between them. With a batch axis in front an index must keep the example's order.
"""

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.box import unbox
from wengert.errors import BatchError
from wengert.primitive import REGISTRY
from wengert.protocol import Spec, Wrapper

__all__ = ["gathered", "has_batch", "placed"]


_SIMPLE = (int, slice)
"""Classes of indices that select no element twice, and need no plan."""


def has_batch(index: Any, level: int) -> bool:
    """Whether a part of an index is a batch of the level."""
    return any(_is_batch(i, level) for i in (index if isinstance(index, tuple) else (index,)))


def _is_batch(i: Any, level: int) -> bool:
    return isinstance(i, Wrapper) and i._is_batch and i._level == level


@dataclass
class _Plan:
    """An index taken apart."""

    parts: list
    """One entry for each axis that is indexed; index arrays as integers, of a batched one the batch axis in front."""
    batched: bool
    """Whether any part is batched."""
    count: int
    """How many axes the index arrays make of an example."""
    place: int
    """Where these axes are in the result of an example."""
    together: bool
    """Whether the index arrays stand side by side."""


def _plan(index: Any, ndim: int, level: int) -> _Plan:
    parts = _explicit(index if isinstance(index, tuple) else (index,), ndim)
    mine = [_is_batch(i, level) for i in parts]
    arrays = [isinstance(i, (np.ndarray, Wrapper)) for i in parts]  # a batch of another level is an array as well
    if not any(arrays):
        return _Plan(parts, False, 0, 0, True)
    advanced = [k for k, i in enumerate(parts) if arrays[k] or (not isinstance(i, slice) and i is not None)]
    count = max(parts[k].ndim if arrays[k] else 0 for k in advanced)
    together = advanced[-1] - advanced[0] == len(advanced) - 1
    place = advanced[0] if together else 0
    if any(mine):
        parts = [_padded(unbox(i._value), count + 1) if ours else i for i, ours in zip(parts, mine, strict=True)]
    return _Plan(parts, any(mine), count, place, together)


def _explicit(index: tuple, ndim: int) -> list:
    """The index with slices in the place of an ellipsis, and integers in that of masks."""
    parts: list = []
    for i in index:
        if isinstance(i, Wrapper) and i._is_batch and i._spec.dtype.kind == "b":
            raise BatchError(
                f"[vmap] an index that selects equally many elements in each example was required; received a batch "
                f'of masks, each {i._spec!r}; use np.where(mask, x, 0), or wg.vmap(f, fallback="loop")'
            )
        if isinstance(i, np.ndarray) and i.dtype.kind == "b" and i.ndim:
            parts += np.nonzero(i)
        else:
            parts.append(i)
    used = sum(i is not None and i is not Ellipsis for i in parts)
    for k, i in enumerate(parts):
        if i is Ellipsis:
            return parts[:k] + [slice(None)] * (ndim - used) + parts[k + 1 :]
    return parts


def _padded(x: Any, ndim: int) -> Any:
    return np.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:]))


def _rows(n: int, count: int) -> np.ndarray:
    return np.arange(n).reshape(n, *(1,) * count)


def gathered(x: Any, mine: bool, index: Any, level: int) -> Any:
    """``x[index]`` with the batch axis in front; `mine` tells whether `x` has one."""
    if mine and index.__class__ in _SIMPLE:
        return x[:, index]
    plan = _plan(index, x.ndim - mine, level)
    k, q = plan.count, plan.place
    if not plan.batched:
        y = _read(x, (slice(None), *plan.parts))
        return y if plan.together else _moved(y, k, 0)
    if not mine:
        y = _read(x, tuple(plan.parts))
        return _moved(y, q, 0) if plan.together else y
    y = _read(x, (_rows(x.shape[0], k), *plan.parts))
    return _moved(y, tuple(range(1, 1 + k)), tuple(range(1 + q, 1 + q + k)))


def _read(x: Any, index: tuple) -> Any:
    """``x[index]``, where parts of the index may be batches of a lower level."""
    return REGISTRY[operator.getitem].call(x, index)


def _moved(y: Any, source: Any, target: Any) -> Any:
    """What an index with arrays has made, with axes elsewhere: no view, as it is none of the array it comes from."""
    if source == target:
        return y
    moved: Any = np.moveaxis(y, source, target)
    return moved if moved.__class__ is np.ndarray else moved.copy()


def _of_index(i: Wrapper) -> type:
    """The dtype of what stands for a part of an index: masks take as many axes as they have."""
    return np.bool_ if i._spec.dtype == np.bool_ else np.intp


def placed(n: int, spec: Spec, index: Any, value: Any, mine: bool, level: int) -> tuple[tuple, Any]:
    """Index and value with which ``x[index] = value`` is done for a batch of `n`; `mine`: the value is a batch, too."""
    if mine and index is Ellipsis and value.ndim == spec.ndim + 1:
        return (Ellipsis,), value
    if mine and index.__class__ in _SIMPLE and value.ndim == spec.ndim + (index.__class__ is slice):
        return (slice(None), index), value
    plan = _plan(index, spec.ndim, level)
    k, q = plan.count, plan.place
    plain = [np.zeros(i._spec.shape, _of_index(i)) if isinstance(i, Wrapper) else i for i in plan.parts]
    plain = [i[0] if isinstance(i, np.ndarray) and plan.batched and i.ndim == k + 1 else i for i in plain]
    ndim = np.broadcast_to(False, spec.shape)[tuple(plain)].ndim
    if mine:
        value = _padded(value, ndim + 1) if value.ndim <= ndim else value
    elif not plan.together or plan.batched:
        value = np.reshape(value, (1,) * (ndim + 1 - np.ndim(value)) + np.shape(value))
    if plan.batched:
        value = np.moveaxis(value, range(1 + q, 1 + q + k), range(1, 1 + k)) if np.ndim(value) > ndim else value
        return (_rows(n, k), *plan.parts), value
    return (slice(None), *plan.parts), value if plan.together else np.moveaxis(value, 0, k)
