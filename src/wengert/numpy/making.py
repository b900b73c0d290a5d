"""NumPy's functions that make arrays out of numbers, for numbers that are recorded; NumPy cannot hand these over."""

from typing import Any

import numpy

from wengert import creation
from wengert.creation import holds_recorded
from wengert.errors import ArgumentError
from wengert.protocol import spec_of


def array(object: Any, dtype: Any = None, *, ndmin: int = 0, copy: bool | None = True, **keywords: Any) -> Any:
    """`numpy.array`; a tensor if `object` is one, or a nested list with recorded tensors among its numbers."""
    if not holds_recorded(object):
        return numpy.array(object, dtype, ndmin=ndmin, copy=copy, **keywords)
    made = creation.asarray(object, dtype)
    made = made.copy() if made is object and copy else made
    missing = ndmin - spec_of(made).ndim
    return numpy.reshape(made, (1,) * missing + made.shape) if missing > 0 else made


def asarray(a: Any, dtype: Any = None, *args: Any, **keywords: Any) -> Any:
    """`numpy.asarray`; recorded tensors stay tensors."""
    return creation.asarray(a, dtype) if holds_recorded(a) else numpy.asarray(a, dtype, *args, **keywords)


def asanyarray(a: Any, dtype: Any = None, *args: Any, **keywords: Any) -> Any:
    """`numpy.asanyarray`; recorded tensors stay tensors."""
    return creation.asarray(a, dtype) if holds_recorded(a) else numpy.asanyarray(a, dtype, *args, **keywords)


def full(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **keywords: Any) -> Any:
    """`numpy.full`; a tensor if `fill_value` is recorded."""
    if not holds_recorded(fill_value):
        return numpy.full(shape, fill_value, dtype, *args, **keywords)
    value = asarray(fill_value, dtype)
    return numpy.broadcast_to(value, shape).copy()


class Joining:
    """``r_[...]`` and ``c_[...]``: what stands between the brackets, joined along an axis."""

    def __init__(self, plain: Any, axis: int, ndmin: int, first: int):
        self._plain, self._directive = plain, (axis, ndmin, first)

    def __len__(self) -> int:
        return 0

    def __getitem__(self, key: Any) -> Any:
        parts = list(key) if isinstance(key, tuple) else [key]
        if not any(map(_recorded, parts)):
            return self._plain[key]
        axis, ndmin, first = self._directive
        if isinstance(parts[0], str):
            axis, ndmin, first = self._read(parts.pop(0))
        return numpy.concatenate([_with_axes(_filled(part), ndmin, first) for part in parts], axis=axis)

    def _read(self, text: str) -> tuple[int, int, int]:
        """What ``r_["axis, ndmin, first", ...]`` says; the last are as they were where it says nothing."""
        try:
            said = tuple(map(int, text.split(",")))
        except ValueError:
            said = ()
        if not 1 <= len(said) <= 3:
            raise ArgumentError(
                f"[numpy.r_] up to three integers in a string were required of recorded values: axis, least number of "
                f"axes, place of the first; received {text!r}; np.matrix has no gradients"
            )
        return (*said, *self._directive[len(said) :])  # type: ignore[return-value]


def _recorded(part: Any) -> bool:
    return any(map(holds_recorded, (part.start, part.stop, part.step) if isinstance(part, slice) else (part,)))


def _filled(part: Any) -> Any:
    """An array of what stands between two commas."""
    if not isinstance(part, slice):
        return asarray(part)
    if isinstance(part.step, complex):
        return numpy.linspace(0 if part.start is None else part.start, part.stop, int(abs(part.step)))
    return numpy.r_[part]


def _with_axes(x: Any, ndmin: int, first: int) -> Any:
    """At least so many axes; those that there are begin at the place `first`, counted among the new ones."""
    new = ndmin - spec_of(x).ndim
    if new <= 0:
        return x
    before = first if first >= 0 else first + new + 1
    return numpy.reshape(x, (1,) * before + numpy.shape(x) + (1,) * (new - before))


r_ = Joining(numpy.r_, axis=0, ndmin=1, first=-1)
c_ = Joining(numpy.c_, axis=-1, ndmin=2, first=0)
