"""What is done along one axis, or by polynomials: windows, convolutions, running extrema, sorting by known places."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.graph import Gather, Move, Value
from wengert.compiler.lowering.builder import Builder, kept
from wengert.compiler.lowering.elementwise import chosen, operation
from wengert.compiler.lowering.indexing import elements_at, scattered
from wengert.protocol import Spec

__all__ = ["HANDLERS", "place_of_extremum", "searched"]

MOST_TERMS = 32
"""Sums of at most so many terms are written out."""
MOST_PRODUCTS = 1 << 17
"""Longer convolutions are left to NumPy."""
MOST_PLACES = 2048
"""Among more elements NumPy finds the place of an extremum sooner."""
MOST_WEIGHTS = 64
"""Beyond the ends of longer weights NumPy's convolution looks."""


# Windows ------------------------------------------------------------------------------------------------------------


def _places_of_windows(ndim: int, axis: tuple) -> tuple:
    """Where the elements of windows are found: their first element, and as far on as they are behind it."""
    behind = [tuple((ndim + k, 1) for k, i in enumerate(axis) if i % ndim == own) for own in range(ndim)]
    return tuple((0, ((own, 1), *terms)) for own, terms in enumerate(behind))


def _slide(b: Builder, spec: Spec, x: Value, window: tuple = (), axis: tuple = ()) -> Value:
    return b.graph.move(x, Move(spec.shape, _places_of_windows(len(x.shape), axis)))


def _slide_back(b: Builder, spec: Spec, c: Value, size: tuple = (), window: tuple = (), axis: tuple = ()) -> Any:
    """Each element to the places that it was read from."""
    places = tuple((start, terms, ()) for start, terms in _places_of_windows(len(size), axis))
    return scattered(b, b.filled(0, spec.shape, spec.dtype), c, Gather(c.shape, places))


# Convolution --------------------------------------------------------------------------------------------------------


def _convolve_valid(b: Builder, spec: Spec, x: Any, weights: Any) -> Value | None:
    """The sums of products where the weights, which are not longer, lie in `x` altogether."""
    if spec.dtype.kind != "f":
        return None
    x, weights = b.value(x, spec.dtype), b.value(weights, spec.dtype)
    if not 0 < weights.size <= x.size or len(x.shape) != 1 or len(weights.shape) != 1:
        return None
    if weights.size * (x.size - weights.size + 1) > MOST_PRODUCTS:
        return None
    n, m = x.size, weights.size
    if m > MOST_TERMS:
        windows = b.graph.move(x, Move((n - m + 1, m), ((0, ((0, 1), (1, 1))),)))
        return b.total(b.map("multiply", windows, b.graph.slices(weights, [slice(None, None, -1)])), -1)
    total = None
    for k in range(m):
        part = b.part(x, 0, slice(m - 1 - k, n - k))
        term = b.map("multiply", part, b.part(weights, 0, slice(k, k + 1)))
        total = term if total is None else b.map("add", total, term)
    return total


def _convolve_all(b: Builder, spec: Spec, x: Any, weights: Any) -> Value | None:
    """As many sums as there are places where `x` and the weights overlap; at both ends they have fewer terms."""
    x, weights = b.value(x, spec.dtype), b.value(weights, spec.dtype)
    if weights.size > x.size:
        x, weights = weights, x
    middle = _convolve_valid(b, spec, x, weights) if weights.size <= MOST_WEIGHTS else None
    if middle is None or weights.size == 1:
        return middle
    places, terms = np.arange(weights.size - 1)[:, None], np.arange(weights.size)
    first = _edge(b, x, weights, places - terms)
    last = _edge(b, x, weights, x.size + places - terms)
    return b.joined([first, middle, last], 0)


def _edge(b: Builder, x: Value, weights: Value, places: np.ndarray) -> Value:
    """For each row of places the sum of the products with what is there; what is outside counts nothing."""
    inside = (places >= 0) & (places < x.size)
    index = b.graph.make("constant", (), kept(np.clip(places, 0, x.size - 1)), places.shape, np.int64)
    there = b.graph.gather(x, Gather(places.shape, ((0, (), ((0, 1),)),)), (index,))
    mask = b.graph.make("constant", (), kept(inside), places.shape, np.bool_)
    return b.total(chosen(b, mask, b.map("multiply", there, weights), b.graph.literal(0, x.dtype)), 1)


# Polynomials --------------------------------------------------------------------------------------------------------


def _polyval(b: Builder, spec: Spec, p: Any, x: Any) -> Value | None:
    """Horner's rule, as NumPy begins it: with zero times the argument."""
    if spec.dtype.kind != "f":
        return None
    p, x = b.value(p, spec.dtype), b.value(x, spec.dtype)
    if len(p.shape) != 1 or not 0 < p.size <= MOST_TERMS:
        return None
    y = b.map("multiply", x, 0)
    for k in range(p.size):
        y = b.map("add", b.map("multiply", y, x), b.part(p, 0, k)) if k else b.map("add", y, b.part(p, 0, k))
    return y


def _vander(b: Builder, spec: Spec, x: Value, columns: int = 1) -> Value | None:
    if not 0 < columns <= MOST_TERMS or spec.dtype.kind != "f" or not x.size:
        return None
    x = b.graph.reshape(b.cast(x, spec.dtype), (x.size, 1))
    powers = [b.filled(1, x.shape, x.dtype), x][:columns]
    while len(powers) < columns:
        powers.append(b.map("multiply", powers[-1], x))
    return b.joined(powers, 1)


def _moments(b: Builder, spec: Spec, c: Any, x: Any, count: int = 1) -> Value | None:
    """Sums of `c` times the powers of `x`, the highest first."""
    if not 0 < count <= MOST_TERMS or spec.dtype.kind != "f":
        return None
    c, x = (b.value(v, spec.dtype) for v in (c, x))
    if not c.size or c.shape != x.shape:
        return None
    c, x = (b.graph.reshape(v, (v.size,)) for v in (c, x))
    sums: list[Value] = []
    for k in range(count):
        c = b.map("multiply", c, x) if k else c
        sums.insert(0, b.total(c, 0, True))
    return b.joined(sums, 0)


# Along an axis ------------------------------------------------------------------------------------------------------


def _accumulated(b: Builder, spec: Spec, x: Value, ufunc: Any = None, axis: int = 0) -> Value | None:
    """What each element comes to with those before it."""
    if ufunc not in (np.add, np.multiply, np.maximum, np.minimum) or not x.size:
        return None
    x, axis = b.cast(x, spec.dtype), axis % len(x.shape)
    if x.shape[axis] == 1:
        return x
    return b.graph.make("scan", (x,), (ufunc.__name__, axis), x.shape, x.dtype)


def _permute(b: Builder, spec: Spec, x: Value, order: Any = (), axis: int = 0) -> Value | None:
    return elements_at(b, spec, x, (*(slice(None),) * (axis % len(x.shape)), order))


def place_of_extremum(name: str) -> Callable:
    """``argmax`` or ``argmin``: the first place of what is the extremum, or of what is not a number."""

    def handler(b: Builder, spec: Spec, x: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        if not isinstance(x, Value) or not 0 < x.size <= MOST_PLACES or x.dtype.kind != "f" or not x.shape or out:
            return None
        shape = spec.shape
        if axis is None:
            x, axis = b.graph.reshape(x, (x.size,)), 0
        extremum = b.reduced(name, x, axis, True)
        if extremum is None:
            return None
        found = b.map("equal", x, extremum, dtype=np.bool_)
        found = b.map("logical_or", found, b.map("isnan", x, dtype=np.bool_), dtype=np.bool_)
        places = b.cast(b.counted(x.shape, axis % len(x.shape)), np.float64)
        place = b.reduced("minimum", chosen(b, found, places, np.inf), axis)
        return place and b.graph.reshape(b.cast(place, np.int64), shape)

    return handler


# Search -------------------------------------------------------------------------------------------------------------

MOST_STEPS = 20
"""Steps of a search in the longest array that is searched in a loop."""


def _taken(b: Builder, x: Value, places: Value) -> Value:
    """Elements of a vector at places in bounds."""
    return b.graph.gather(x, Gather(places.shape, ((0, (), ((0, 1),)),)), (places,))


def _kept(b: Builder, x: Value) -> Value:
    """The same value, stored: whoever reads it does not compute it again."""
    return b.graph.make("reshape", (x,), None, x.shape, x.dtype)


def _count_before(b: Builder, a: Value, v: Value, right: bool) -> Value:
    """How many elements of a sorted vector are below each number (or equal), by halving; all of them for NaN.

    That the vector is sorted, and has no NaN, is a check of the program.
    """
    n = a.size
    b.check(b.all_of(b.map("equal", a, a, dtype=np.bool_)))
    b.check(b.all_of(b.map("less_equal", b.part(a, 0, slice(0, -1)), b.part(a, 0, slice(1, None)), dtype=np.bool_)))
    count, step = b.filled(0, v.shape, np.int64), 1 << (n.bit_length() - 1)
    while step:
        probe = b.map("add", count, step)
        there = _taken(b, a, b.map("minimum", b.map("subtract", probe, 1), n - 1))
        beyond = b.map("less" if right else "less_equal", v, there, dtype=np.bool_)
        outside = b.map("greater", probe, n, dtype=np.bool_)
        count = chosen(b, b.map("logical_or", beyond, outside, dtype=np.bool_), count, probe)
        step //= 2
    return _kept(b, count)


def searched(b: Builder, spec: Spec, a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Value | None:
    """NumPy's ``searchsorted``."""
    if not isinstance(a, Value) or not isinstance(v, Value) or sorter is not None or side not in ("left", "right"):
        return None
    dtype = np.result_type(a.dtype, v.dtype)
    if dtype.kind not in "fi" or len(a.shape) != 1 or not 0 < a.size < 1 << MOST_STEPS or not v.size:
        return None
    return _count_before(b, b.cast(a, dtype), b.cast(v, dtype), side == "right")


def _interpolated(b: Builder, spec: Spec, x: Any, xp: Any, fp: Any) -> Value | None:
    """NumPy's ``interp``, in its steps: at a point there is no line, and a line from its other end may not be NaN."""
    if spec.dtype != np.float64:
        return None
    x, xp, fp = (b.value(v, spec.dtype) for v in (x, xp, fp))
    n = xp.size
    if not 2 <= n < 1 << MOST_STEPS or not x.size or len(fp.shape) != 1:
        return None
    place = b.map("subtract", _count_before(b, xp, x, True), 1)
    piece = b.map("minimum", b.map("maximum", place, 0), n - 2)
    after = b.map("add", piece, 1)
    left, right, low, high = (_taken(b, v, k) for v in (xp, fp) for k in (piece, after))
    slope = b.map("divide", b.map("subtract", high, low), b.map("subtract", right, left))
    ends = [
        b.map("add", b.map("multiply", slope, b.map("subtract", x, at)), y) for at, y in ((left, low), (right, high))
    ]
    lost = [b.map("isnan", y, dtype=np.bool_) for y in ends]
    other = chosen(b, b.map("logical_and", lost[1], b.map("equal", low, high, dtype=np.bool_)), low, ends[1])
    y = chosen(b, lost[0], other, ends[0])
    y = chosen(b, b.map("equal", x, left, dtype=np.bool_), low, y)
    y = chosen(b, b.map("greater_equal", place, n - 1, dtype=np.bool_), b.part(fp, 0, n - 1), y)
    y = chosen(b, b.map("less", place, 0, dtype=np.bool_), b.part(fp, 0, 0), y)
    return _kept(b, chosen(b, b.map("isnan", x, dtype=np.bool_), x, y))


def _power(b: Builder, x: Value, exponent: float) -> Value | None:
    return operation(b, "power", [x, b.value(exponent, x.dtype)], x.dtype)


def _p_norm(b: Builder, spec: Spec, x: Value, ord: Any = 3, axis: Any = None, keepdims: bool = False) -> Any:
    """The root of a sum of powers, of vectors."""
    vectors = isinstance(axis, int) or (axis is None and len(x.shape) == 1)
    if not vectors or not isinstance(ord, (int, float)) or ord in (0, 2) or x.dtype != spec.dtype or not x.size:
        return None
    size = b.map("absolute", x)
    if np.isinf(ord):
        return b.reduced("maximum" if ord > 0 else "minimum", size, axis, keepdims)
    if ord == 1:
        return b.total(size, axis, keepdims)
    powers = _power(b, size, float(ord))
    total = powers and b.total(powers, axis, keepdims)
    return total and _power(b, total, float(np.reciprocal(x.dtype.type(ord))))


HANDLERS: dict[str, Callable] = {
    "slide": _slide,
    "slide_back": _slide_back,
    "convolve_valid": _convolve_valid,
    "convolve_all": _convolve_all,
    "polyval": _polyval,
    "vander": _vander,
    "moments": _moments,
    "accumulate": _accumulated,
    "running": _accumulated,
    "permute": _permute,
    "p_norm": _p_norm,
    "interp": _interpolated,
}
