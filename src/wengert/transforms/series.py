"""Taylor series: derivatives of any order along a line, at a cost polynomial in the order.

A `Series` is an array of coefficients, of which the program sees the first, its value. Functions that move elements do
the same to all coefficients, linear ones are applied to each. All other primitives follow from their tangent rule: with
``y = f(x)`` the rule gives ``y' = f'(x) x'``, and as ``y`` may stand in it, each coefficient of ``y`` follows from
earlier ones (Griewank and Walther, Evaluating Derivatives, 2008, chapter 13). So the rule is run once on series whose
coefficients are computed when they are asked for (`Lazy`). Equal calls are one series: ``sin`` needs ``cos``, and that
needs the same ``sin`` again, instead of ever new ones.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import alias, checked_cotangent, plain, unbox
from wengert.errors import ArgumentError, DTypeError
from wengert.primitive import REGISTRY, Plain, Primitive
from wengert.protocol import Wrapper, intern_spec, new_level, spec_of
from wengert.transforms.batching import runner, stretched
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.forward import tangent_rule
from wengert.transforms.indices import gathered, placed
from wengert.transforms.lifted import Lifted, found, fresh, opened, own_memory, store

__all__ = ["derivatives", "taylor"]

# Series as the program sees them ---------------------------------------------------------------------------------


class Series(Lifted):
    """The Taylor coefficients of a value, along the first axis."""

    __slots__ = ()
    _word = "Taylor series"
    _is_series = True
    _stacked = True

    @classmethod
    def _of(cls, coefficients: Any, level: int) -> "Series":
        t = object.__new__(cls)
        spec = spec_of(coefficients)
        t._value, t._level, t._spec = coefficients, level, intern_spec(spec.shape[1:], spec.dtype)
        return t

    def _buffer(self, array: Any) -> "Series":
        rest = np.zeros((self._value.shape[0] - 1, *np.shape(array)), spec_of(array).dtype)
        return self._of(np.concatenate([np.expand_dims(array, 0), rest]), self._level)

    def _store(self, index: Any, value: Any, add: bool = False) -> None:
        if not (isinstance(value, Series) and value._level == self._level):
            value = self._buffer(value if isinstance(value, Wrapper) else np.asarray(value, self.dtype))
        count = self._value.shape[0]
        place, x = placed(count, self._spec, index, unbox(value._value), True, self._level)
        store(self, "_value", place, x, add)

    def _primal(self) -> Any:
        return unbox(self._value)[0]

    def _read(self, reader: str) -> Any:
        super()._read(reader)
        return self._primal()

    def __bool__(self) -> bool:
        return bool(self._primal())

    def __index__(self) -> int:
        return operator.index(self._primal())


def _develop(p: Primitive) -> Callable:
    """What a primitive does to series."""

    def here(top: Series, operands: tuple, params: dict) -> Any:
        level, count = top._level, top._value.shape[0]
        if p.view:
            value = fresh(runner(p)(p, count, (True,), (own_memory(top, "_value"),), params))
            return Series._of(np.copy(unbox(value)) if value.ndim == 1 else value, level)
        mine = [isinstance(a, Series) and a._level == level for a in operands]
        with new_level() as inner:
            known: dict = {}
            lazy = [
                _known_series(unbox(a._value), inner, known) if ours else a
                for a, ours in zip(operands, mine, strict=True)
            ]
            y = p.apply(*lazy, **params)
            if not isinstance(y, Lazy):
                return y
            first = y.coefficient(0)
            rows = [first] + [_filled(y.coefficient(k), first) for k in range(1, count)]
        return Series._of(np.stack(rows), level)

    return here


def _filled(c: Any, like: Any) -> Any:
    return np.zeros_like(like) if c is None else c


def _read(known: Plain) -> Callable:
    """A function without a derivative sees the values."""

    def read(*args: Any, **kwargs: Any) -> Any:
        return known.call(*map(_first, args), **{k: _first(v) for k, v in kwargs.items()})

    return read


def _first(value: Any) -> Any:
    if type(value) in (list, tuple):
        return type(value)(map(_first, value))
    value = opened(value) if isinstance(value, Wrapper) else value
    while isinstance(value, (Series, Lazy)):
        value = value._primal()
    return value


found(Series, _develop, _read)


def _getitem(top: Series, operands: tuple, params: dict) -> Any:
    y = fresh(gathered(own_memory(top, "_value"), True, params["index"], top._level))
    return Series._of(np.copy(unbox(y)) if y.ndim == 1 else y, top._level)


Series._here[REGISTRY[operator.getitem]] = _getitem


# Series whose coefficients are computed when asked for -----------------------------------------------------------


class Lazy(Lifted):
    """A series inside a rule. ``_known`` has all of its run, so that equal calls are one."""

    __slots__ = ("_coefficients", "_known", "_next")
    _coefficients: list
    _known: dict
    _next: Callable[[int], Any]
    _word = "Taylor series"

    @classmethod
    def _make(cls, first: Any, following: Callable[[int], Any], level: int, known: dict) -> "Lazy":
        t = object.__new__(cls)
        t._value, t._spec, t._level, t._known = first, spec_of(first), level, known
        t._coefficients, t._next = [first], following
        return t

    def coefficient(self, k: int) -> Any:
        """The coefficient of order `k`; `None` if it is zero throughout."""
        while len(self._coefficients) <= k:
            self._coefficients.append(self._next(len(self._coefficients)))
        return self._coefficients[k]

    def _buffer(self, array: Any) -> "Lazy":
        return Lazy._make(array, lambda k: None, self._level, self._known)

    def _store(self, index: Any, value: Any, add: bool = False) -> None:
        """Write all coefficients, those that were asked for and those that will be."""
        before = Lazy._make(self._value, self._next, self._level, self._known)
        before._coefficients = self._coefficients
        mine = isinstance(value, Lazy) and value._level == self._level

        def following(k: int) -> Any:
            old = before.coefficient(k)
            new = value.coefficient(k) if mine else None if k else value
            if old is None and new is None:
                return None
            whole = np.zeros(self._spec.shape, self._spec.dtype) if old is None else np.copy(old)
            if add and new is not None:
                np.add.at(whole, index, new)
            elif not add:
                whole[index] = 0 if new is None else new
            return whole

        self._value = following(0)
        self._coefficients, self._next = [self._value], following


def _known_series(coefficients: Any, level: int, known: dict) -> Lazy:
    """A series all of whose coefficients are there."""
    count = coefficients.shape[0]
    return Lazy._make(coefficients[0], lambda k: coefficients[k] if k < count else None, level, known)


def _expand(p: Primitive) -> Callable:
    """What a primitive does to lazy series."""
    of = _recurrence(p)

    def here(top: Lazy, operands: tuple, params: dict) -> Any:
        level, known = top._level, top._known
        key = (p, *map(_identity, operands), *((name, _identity(v)) for name, v in params.items()))
        if key in known:
            return known[key][0]
        y = p.apply(*(_first_at(a, level) for a in operands), **params)
        if not spec_of(y).inexact:
            return y
        series = Lazy._make(y, lambda k: None, level, known)
        series._next = of(series, operands, params)
        known[key] = series, operands  # which keeps the operands, and so their identities
        return series

    return here


def _identity(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool, type(None))) else id(value)


def _first_at(a: Any, level: int) -> Any:
    return a._value if isinstance(a, Lazy) and a._level == level else a


def _recurrence(p: Primitive) -> Callable:
    """How the coefficients of the result follow from those of the operands, and from earlier ones."""
    if p.call in (np.add, np.subtract, np.negative, np.positive) or p.kind == "linear":
        return lambda y, operands, params: _linear(p, y, operands, params)
    if p.kind == "bilinear" or p.call is np.multiply:
        return lambda y, operands, params: _product(p, y, operands, params)
    if p.call is np.divide:
        return lambda y, operands, params: _quotient(y, *operands)
    return lambda y, operands, params: _by_derivative(p, y, operands, params)


def _at(a: Any, k: int, level: int) -> Any:
    """The coefficient of order `k` of an operand, which may be a constant; `None` if it is zero."""
    if isinstance(a, Lazy) and a._level == level:
        return a.coefficient(k)
    return a if k == 0 else None


def _linear(p: Primitive, y: Lazy, operands: tuple, params: dict) -> Callable:
    def following(k: int) -> Any:
        parts = [_at(a, k, y._level) for a in operands]
        if all(part is None for part in parts):
            return None
        zeros = (np.zeros_like(_first_at(a, y._level)) for a in operands)
        return p.apply(*(z if part is None else part for part, z in zip(parts, zeros, strict=True)), **params)

    return following


def _product(p: Primitive, y: Lazy, operands: tuple, params: dict) -> Callable:
    a, b = operands

    def following(k: int) -> Any:
        total = None
        for j in range(k + 1):
            left, right = _at(a, j, y._level), _at(b, k - j, y._level)
            if left is not None and right is not None:
                part = p.apply(left, right, **params)
                total = part if total is None else total + part
        return total

    return following


def _quotient(y: Lazy, a: Any, b: Any) -> Callable:
    """From ``y b = a``: ``y[k] = (a[k] - sum of b[j] y[k - j]) / b[0]``."""

    def following(k: int) -> Any:
        rest = _at(a, k, y._level)
        for j in range(1, k + 1):
            right, earlier = _at(b, j, y._level), y.coefficient(k - j)
            if right is not None and earlier is not None:
                rest = -(right * earlier) if rest is None else rest - right * earlier
        return None if rest is None else rest / _at(b, 0, y._level)

    return following


def _by_derivative(p: Primitive, y: Lazy, operands: tuple, params: dict) -> Callable:
    """From the tangent rule, run on series: ``y[k]`` is the coefficient ``k - 1`` of ``y'``, divided by ``k``."""
    slope: list = []

    def following(k: int) -> Any:
        if not slope:
            mine = [isinstance(a, Lazy) and a._level == y._level for a in operands]
            tangents = [_derivative(a) if ours else None for a, ours in zip(operands, mine, strict=True)]
            if all(t is None for t in tangents):
                slope.append(None)
            else:
                slope.append(tangent_rule(p)(tangents, operands, y, params))
        part = None if slope[0] is None else _at(slope[0], k - 1, y._level)
        return None if part is None else np.broadcast_to(part, y._spec.shape) / k

    return following


def _derivative(a: Lazy) -> Lazy | None:
    """The series of the derivative."""

    def following(k: int) -> Any:
        c = a.coefficient(k + 1)
        return None if c is None else (k + 1) * c

    first = following(0)
    first = np.zeros_like(a._value) if first is None else first
    return Lazy._make(first, following, a._level, a._known)


found(Lazy, _expand, _read)


# The transformations ---------------------------------------------------------------------------------------------


def taylor(f: Callable, x: Any, direction: Any, order: int) -> Any:
    """The Taylor coefficients of ``f(x + t * direction)`` in ``t``.

    Parameters
    ----------
    f : callable
        A function of an array (or of a container of arrays), with such a value.
    x, direction
        Of the same containers, shapes and kinds.
    order : int
        The highest power of ``t``.

    Returns
    -------
    array (or container of arrays) of shape ``(order + 1, *value.shape)``
        The coefficients of 1, t, t² …; times k! they are the derivatives.

    Notes
    -----
    One run of ``f``, in which each operation costs at most O(order²) of its own cost for products and functions with
    a closed recurrence, and O(order³) for the others.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.taylor(lambda x: np.sum(x**2), np.array([1.0, 2.0]), np.array([1.0, 1.0]), 3))
    [5. 6. 2. 0.]
    """
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 0:
        raise ArgumentError(f"[taylor] an order of 0 or more was required; received {order!r}")
    leaves, structure = flatten(x)
    directions, given = flatten(direction)
    if given != structure:
        raise ArgumentError(
            f"[taylor] a direction in the containers of x, {structure or 'a single array'}, was required; received "
            f"{given or 'a single array'}"
        )
    with new_level() as level:
        series = [_start(z, t, int(order), level) for z, t in zip(leaves, directions, strict=True)]
        outputs, containers = flatten(f(rebuild(structure, series)))
        return rebuild(containers, [_coefficients(y, int(order), level) for y in outputs])


def _start(x: Any, t: Any, order: int, level: int) -> Series:
    """The series ``x + t * direction``."""
    x = alias(unbox(x))
    x = x if isinstance(x, Wrapper) else plain(x)
    spec = spec_of(x)
    if not spec.inexact:
        raise DTypeError(f"[taylor] a float or complex x was required; received {spec!r}; pass x.astype(float)")
    rows = [x, checked_cotangent("taylor", t, spec)][: order + 1]
    rest = np.zeros((order + 1 - len(rows), *spec.shape), spec.dtype)
    return Series._of(np.concatenate([np.stack(rows), rest]), level)


def _coefficients(y: Any, order: int, level: int) -> Any:
    y = opened(y)
    if isinstance(y, Series) and y._level == level:
        return unbox(y._value)
    y = y if isinstance(y, Wrapper) else np.asarray(y, float if np.asarray(y).dtype.kind in "iub" else None)
    return np.concatenate([np.expand_dims(y, 0), np.copy(stretched(np.zeros_like(y), order))])


def derivatives(f: Callable, x: Any, order: int) -> Any:
    """The value of a function of one number, and its derivatives up to an order.

    Parameters
    ----------
    f : callable
        A function of a scalar, with a value of any shape.
    x : scalar
    order : int

    Returns
    -------
    array of shape ``(order + 1, *value.shape)``
        ``f(x), f'(x), f''(x)`` …

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.derivatives(lambda x: x**3, 2.0, 4))
    [ 8. 12. 12.  6.  0.]
    """
    if np.ndim(x):
        raise ArgumentError(
            f"[derivatives] a function of one number was required; received x of {spec_of(x)!r}; use wg.taylor with a "
            f"direction"
        )
    x = x if isinstance(x, Wrapper) else np.asarray(x, None if np.asarray(x).dtype.kind in "fc" else float)[()]
    coefficients, structure = flatten(
        taylor(f, x, np.ones_like(x) if isinstance(x, Wrapper) else x.dtype.type(1), order)
    )
    factorials = np.array([math.factorial(k) for k in range(order + 1)], dtype=float)
    return rebuild(structure, [c * factorials.reshape(-1, *(1,) * (c.ndim - 1)).astype(c.dtype) for c in coefficients])
