"""What all distributions share: parameters, location and scale, support, and what follows from what.

A distribution is given in standard form (location 0, scale 1), by functions of a point inside the support and of
possible shapes. The classes here bring arguments into that form, and points outside the support never reach the
functions: so no infinity or NaN of theirs gets into a gradient.
"""

import functools
import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert.errors import DTypeError
from wengert.protocol import Wrapper, anywhere, everywhere, spec_of
from wengert.rules.elementwise import choose
from wengert.rules.scipy_tools import array, constant

INF = math.inf


# Arguments -------------------------------------------------------------------------------------------------------


def real(operation: str, *values: Any) -> tuple[Any, ...]:
    """The values in the one dtype that NumPy finds for those with a fraction: integers promote nothing."""
    weak = (int, float, bool)
    values = tuple(v if type(v) in weak else array(v) for v in values)
    specs = [spec_of(v) for v in values if type(v) not in weak]
    inexact = [s.dtype for s in specs if s.dtype.kind in "fc"]
    dtype = np.result_type(*inexact) if inexact else np.dtype(float)
    if dtype.kind == "c":
        spec = next(s for s in specs if s.is_complex)
        raise DTypeError(f"[{operation}] real numbers were required; received {spec!r}; pass real and imaginary parts")
    return tuple(_cast(v, dtype) for v in values)


def _cast(value: Any, dtype: np.dtype) -> Any:
    if isinstance(value, Wrapper):
        return value if value.dtype == dtype else value.astype(dtype)
    return np.asarray(value, dtype)[()]


def where(mask: Any, yes: Any, no: Any) -> Any:
    """`numpy.where` that gives numbers, not arrays without a dimension."""
    y = np.where(mask, yes, no)
    return y[()] if y.__class__ is np.ndarray and not y.ndim else y


def all_positive(*shapes: Any) -> Any:
    """Where shapes are possible, if any positive numbers are."""
    return functools.reduce(np.logical_and, (s > 0 for s in shapes), np.True_)


def beyond(limit: float, p: Any, moment: Callable, otherwise: float = INF) -> Any:
    """A moment, a function of the parameter p, that there is where p is above the limit."""
    return where(p > limit, moment(choose(p > limit, p, limit + 1.0)), otherwise)


# The classes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Distribution:
    """A family of distributions by SciPy's name and with SciPy's parameters, recording in all of them.

    Methods take what SciPy's take: a point or a probability, the shapes, ``loc=`` and, if continuous, ``scale=``. A
    call of the distribution itself fixes the parameters. What is not here (``rvs``, ``fit`` …) is SciPy's own, which
    refuses recorded values.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> from wengert.scipy import stats
    >>> float(wg.grad(lambda scale: stats.norm.logpdf(np.array([1.0, 3.0]), 0.0, scale).sum())(1.0))
    8.0
    >>> float(wg.grad(stats.norm(0.0, 2.0).logpdf)(1.0))
    -0.25
    """

    name: str
    standard: Mapping[str, Callable]
    """In standard form: `logpdf` or `logpmf`, and whichever else there are; those that are simple are added."""
    shapes: Mapping[str, float] = field(default_factory=dict)
    """Their names, and ordinary values, to be looked at in the place of impossible ones."""
    ends: Any = (-INF, INF)
    """Those of the support, or a function of the shapes that gives them."""
    ordinary: Any = 0.5
    """A point of the support (or a function of the shapes), to be looked at in the place of points outside."""
    valid: Callable = all_positive
    """Where shapes are possible."""
    symmetric: bool = False
    """Around 0: the upper tail is the mirrored lower one."""
    closed: bool = True
    """Densities at the lower end are those of the formula, not 0."""
    counts: tuple[str, ...] = ()
    """Shapes that are integers, by which there is no derivative."""

    _FLAGS = ("shapes", "ends", "ordinary", "valid", "symmetric", "closed", "counts")

    @classmethod
    def of(cls, name: str, **given: Any) -> Any:
        """A distribution from the functions of its standard form, and what of the above is not the usual."""
        flags = {k: given.pop(k) for k in cls._FLAGS if k in given}
        return cls(name, _completed(given, flags.get("symmetric", False)), **flags)

    def __call__(self, *args: Any, **kwds: Any) -> "Frozen":
        """The distribution with these parameters."""
        self._parameters("__call__", args, kwds)
        return Frozen(self, args, kwds)

    def __getattr__(self, name: str) -> Any:
        """What is not here, of SciPy."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._scipys, name)

    def __repr__(self) -> str:
        return f"<wengert.scipy.stats.{self.name}>"

    def __reduce__(self) -> tuple:
        return _named, (self.name,)

    @property
    def _scipys(self) -> Any:
        import scipy.stats

        return getattr(scipy.stats, self.name)

    # Pieces that both kinds of distributions are made of

    _names = ("loc", "scale")

    def _parameters(self, method: str, args: tuple, kwds: Mapping[str, Any]) -> list:
        """Shapes, location and scale, as a Python function with these parameters would have them."""
        names = (*self.shapes, *self._names)
        given = dict(zip(names, args, strict=False))
        wrong = [k for k in kwds if k in given or k not in names]
        missing = [k for k in self.shapes if k not in given and k not in kwds]
        if len(args) > len(names) or wrong or missing:
            expected = ", ".join((*self.shapes, "loc=0", "scale=1")[: len(names)])
            raise TypeError(
                f"{self.name}.{method}: the parameters are ({expected}); received {len(args)} by position"
                + (f" and {sorted(kwds)} by name" if kwds else "")
            )
        given |= kwds
        return [given.get(k, 1 if k == "scale" else 0) for k in names]

    def _possible(self, shapes: tuple, scale: Any) -> tuple[Any, tuple, Any]:
        """Where the parameters are possible, and parameters that are so everywhere."""
        possible = np.logical_and(self.valid(*shapes), scale > 0)
        if not everywhere(possible):
            shapes = tuple(where(possible, s, v) for s, v in zip(shapes, self.shapes.values(), strict=True))
            scale = where(possible, scale, 1.0)
        return possible, shapes, scale

    def _ends(self, shapes: tuple) -> tuple:
        return self.ends(*shapes) if callable(self.ends) else self.ends

    def _inside(self, inside: Any, z: Any, shapes: tuple) -> Any:
        """The points, without those that are not inside."""
        if everywhere(inside):
            return z
        return where(inside, z, self.ordinary(*shapes) if callable(self.ordinary) else self.ordinary)

    def _value(self, method: str, *operands: Any) -> Any:
        """A function of the standard form. That exponentials overflow on the way to 0 and -inf is no news."""
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            return self.standard[method](*operands)

    def _outside(self, y: Any, inside: Any, otherwise: Any, possible: Any) -> Any:
        """The values, with what there is where points are not inside, or parameters impossible."""
        if not everywhere(inside):
            otherwise = otherwise if isinstance(otherwise, Wrapper) else np.asarray(otherwise)
            y = where(inside, y, otherwise.astype(y.dtype)[()])
        return y if everywhere(possible) else where(possible, y, np.nan)

    def _tail(self, method: str, z: Any, shapes: tuple, possible: Any, after: Callable = np.greater) -> Any:
        """One of the four distribution functions at a standardised point; `after` the low end they begin."""
        low, high = self._ends(shapes)
        inside, above = np.logical_and(after(z, low), z < high), z >= high
        y = self._value(method, self._inside(inside, z, shapes), *shapes)
        at_low, at_high = _AT_ENDS[method]
        known = np.logical_and(possible, np.logical_not(np.isnan(z)))
        return self._outside(y, inside, np.where(above, at_high, at_low), known)

    def _moment(self, method: str, finish: Callable, args: tuple, kwds: Mapping[str, Any]) -> Any:
        operation = f"{self.name}.{method}"
        *shapes, loc, scale = real(operation, *self._arguments(method, args, kwds))
        possible, shapes, scale = self._possible(tuple(shapes), scale)
        y = finish(self.standard[method](*shapes), loc, scale)
        size = np.broadcast_shapes(np.shape(y), *(np.shape(v) for v in (loc, scale, possible)))
        y = y if np.shape(y) == size else np.broadcast_to(y, size)
        return self._outside(y, True, y, possible)

    def _arguments(self, method: str, args: tuple, kwds: Mapping[str, Any]) -> list:
        return self._parameters(method, args, kwds)

    # Moments

    def mean(self, *args: Any, **kwds: Any) -> Any:
        """The mean."""
        if "mean" not in self.standard:
            return self._scipys.mean(*args, **kwds)
        return self._moment("mean", lambda y, loc, scale: loc + scale * y, args, kwds)

    def var(self, *args: Any, **kwds: Any) -> Any:
        """The variance."""
        if "var" not in self.standard:
            return self._scipys.var(*args, **kwds)
        return self._moment("var", lambda y, loc, scale: scale * scale * y, args, kwds)

    def std(self, *args: Any, **kwds: Any) -> Any:
        """The standard deviation."""
        return np.sqrt(self.var(*args, **kwds)) if "var" in self.standard else self._scipys.std(*args, **kwds)

    def entropy(self, *args: Any, **kwds: Any) -> Any:
        """The (differential) entropy, in nats."""
        if "entropy" not in self.standard:
            return self._scipys.entropy(*args, **kwds)
        return self._moment("entropy", lambda y, loc, scale: y + np.log(scale), args, kwds)


_AT_ENDS = {"cdf": (0.0, 1.0), "sf": (1.0, 0.0), "logcdf": (-INF, 0.0), "logsf": (0.0, -INF)}
"""The values of the distribution functions below the support, and above it."""


def _completed(standard: dict[str, Callable], symmetric: bool) -> dict[str, Callable]:
    """The functions given, and those that follow from them."""
    if symmetric:
        for tail, mirrored in (("sf", "cdf"), ("logsf", "logcdf")):
            if mirrored in standard:
                standard.setdefault(tail, lambda x, *shapes, f=standard[mirrored]: f(-x, *shapes))
        if "ppf" in standard:
            standard.setdefault("isf", lambda q, *shapes, f=standard["ppf"]: -f(q, *shapes))
    if "cdf" in standard:
        cdf, sf = standard["cdf"], standard["sf"]
        standard.setdefault("logcdf", lambda x, *shapes: _log_of_part(cdf(x, *shapes), sf(x, *shapes)))
        standard.setdefault("logsf", lambda x, *shapes: _log_of_part(sf(x, *shapes), cdf(x, *shapes)))
    return standard


def _log_of_part(part: Any, rest: Any) -> Any:
    """The logarithm of a probability, of which the rest is known as well; of 0 it has no gradient."""
    small, nothing = part < 0.5, part == 0
    y = where(small, np.log(where(np.logical_and(small, part > 0), part, 1.0)), np.log1p(-where(small, 0.0, rest)))
    return where(nothing, -INF, y) if anywhere(nothing) else y


def _named(name: str) -> Any:
    """The distribution of that name: how a pickled one comes back."""
    return getattr(importlib.import_module("wengert.scipy.stats"), name)


class Continuous(Distribution):
    """A family of continuous distributions."""

    def _standardised(self, method: str, x: Any, args: tuple, kwds: Mapping[str, Any]) -> tuple:
        """The point, shapes and scale of the standard form, and where parameters are possible."""
        operation = f"{self.name}.{method}"
        x, *shapes, loc, scale = real(operation, x, *self._parameters(method, args, kwds))
        possible, shapes, scale = self._possible(tuple(shapes), scale)
        return (x - loc) / scale, shapes, scale, possible

    def _density(self, method: str, outside: float, finish: Callable, x: Any, args: tuple, kwds: Mapping) -> Any:
        z, shapes, scale, possible = self._standardised(method, x, args, kwds)
        low, high = self._ends(shapes)
        largest = np.finfo(z.dtype).max
        # At infinity there is no density.
        above = z >= np.maximum(low, -largest) if self.closed else z > low
        inside = np.logical_and(above, z <= np.minimum(high, largest))
        y = self._value("logpdf", self._inside(inside, z, shapes), *shapes)
        inside = np.logical_and(inside, y != -INF)
        return self._outside(finish(y, scale), inside, outside, np.logical_and(possible, np.logical_not(np.isnan(z))))

    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the density; outside the support -inf, with a gradient of zero."""
        return self._density("logpdf", -INF, lambda y, scale: y - np.log(scale), x, args, kwds)

    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The density."""
        return self._density("pdf", 0.0, lambda y, scale: np.exp(y) / scale, x, args, kwds)

    def _cumulative(self, method: str, x: Any, args: tuple, kwds: Mapping[str, Any]) -> Any:
        if method not in self.standard:
            return getattr(self._scipys, method)(x, *args, **kwds)
        z, shapes, _, possible = self._standardised(method, x, args, kwds)
        return self._tail(method, z, shapes, possible)

    def cdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The distribution function: the probability of values up to x."""
        return self._cumulative("cdf", x, args, kwds)

    def sf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The survival function ``1 - cdf``, without the cancellation."""
        return self._cumulative("sf", x, args, kwds)

    def logcdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of `cdf`."""
        return self._cumulative("logcdf", x, args, kwds)

    def logsf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of `sf`."""
        return self._cumulative("logsf", x, args, kwds)

    def _quantile(self, method: str, q: Any, args: tuple, kwds: Mapping[str, Any]) -> Any:
        if method not in self.standard:
            return getattr(self._scipys, method)(q, *args, **kwds)
        operation = f"{self.name}.{method}"
        q, *shapes, loc, scale = real(operation, q, *self._parameters(method, args, kwds))
        possible, shapes, scale = self._possible(tuple(shapes), scale)
        inside = np.logical_and(q > 0, q < 1)
        if everywhere(inside):
            return self._outside(loc + scale * self._value(method, q, *shapes), True, None, possible)
        y = self._value(method, where(inside, q, 0.5), *shapes)
        first, last = self._ends(shapes) if method == "ppf" else self._ends(shapes)[::-1]
        end = where(q == 0, *real(self.name, first, last, q)[:2])
        infinite = np.isinf(end)
        y = loc + scale * where(inside, y, where(infinite, 0.0, end))
        # Infinite ends stay where they are, whatever location and scale.
        y = where(np.logical_and(infinite, np.logical_not(inside)), end, y)
        return self._outside(y, True, None, np.logical_and(possible, np.logical_and(q >= 0, q <= 1)))

    def ppf(self, q: Any, *args: Any, **kwds: Any) -> Any:
        """The quantile function, the inverse of `cdf`."""
        return self._quantile("ppf", q, args, kwds)

    def isf(self, q: Any, *args: Any, **kwds: Any) -> Any:
        """The inverse of `sf`."""
        return self._quantile("isf", q, args, kwds)

    def median(self, *args: Any, **kwds: Any) -> Any:
        """The median."""
        return self.ppf(0.5, *args, **kwds)


class Discrete(Distribution):
    """A family of distributions of integers; by these there is no derivative, so that they must not be recorded."""

    _names = ("loc",)

    def _arguments(self, method: str, args: tuple, kwds: Mapping[str, Any]) -> list:
        """The parameters; those that are integers as plain values. The scale is always 1."""
        *shapes, loc = self._parameters(method, args, kwds)
        operation = f"{self.name}.{method}"
        shapes = [
            constant(operation, k, v) if k in self.counts else v for k, v in zip(self.shapes, shapes, strict=True)
        ]
        return [*shapes, loc, 1]

    def _standardised(self, method: str, k: Any, args: tuple, kwds: Mapping[str, Any]) -> tuple:
        operation = f"{self.name}.{method}"
        *shapes, loc, _ = self._arguments(method, args, kwds)
        k, loc = constant(operation, "k", k), constant(operation, "loc", loc)
        k, *shapes, loc = real(operation, k, *shapes, loc)
        possible, shapes, _ = self._possible(tuple(shapes), 1.0)
        return k - loc, shapes, possible

    def _mass(self, method: str, outside: float, finish: Callable, k: Any, args: tuple, kwds: Mapping) -> Any:
        z, shapes, possible = self._standardised(method, k, args, kwds)
        low, high = self._ends(shapes)
        inside = np.logical_and(np.logical_and(z >= low, z <= high), np.logical_and(np.floor(z) == z, np.isfinite(z)))
        y = self._value("logpmf", self._inside(inside, z, shapes), *shapes)
        inside = np.logical_and(inside, y != -INF)
        return self._outside(finish(y), inside, outside, np.logical_and(possible, np.logical_not(np.isnan(z))))

    def logpmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of k; of what is no value of the distribution -inf, with gradient zero."""
        return self._mass("logpmf", -INF, lambda y: y, k, args, kwds)

    def pmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of k."""
        return self._mass("pmf", 0.0, np.exp, k, args, kwds)

    def _cumulative(self, method: str, k: Any, args: tuple, kwds: Mapping[str, Any]) -> Any:
        if method not in self.standard:
            return getattr(self._scipys, method)(k, *args, **kwds)
        z, shapes, possible = self._standardised(method, k, args, kwds)
        return self._tail(method, np.floor(z), shapes, possible, np.greater_equal)

    def cdf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The distribution function: the probability of values up to k."""
        return self._cumulative("cdf", k, args, kwds)

    def sf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The survival function ``1 - cdf``, without the cancellation."""
        return self._cumulative("sf", k, args, kwds)

    def logcdf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of `cdf`."""
        return self._cumulative("logcdf", k, args, kwds)

    def logsf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of `sf`."""
        return self._cumulative("logsf", k, args, kwds)


class Frozen:
    """A distribution with its parameters: what SciPy calls frozen.

    Examples
    --------
    >>> from wengert.scipy import stats
    >>> float(stats.expon(scale=2.0).sf(2.0)) == float(stats.expon.sf(2.0, scale=2.0))
    True
    """

    def __init__(self, dist: Any, args: tuple, kwds: dict[str, Any]):
        self.dist, self.args, self.kwds = dist, args, kwds

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if not hasattr(type(self.dist), name):
            return getattr(self.dist._scipys(*self.args, **self.kwds), name)
        method = getattr(self.dist, name)
        return lambda *points: method(*points, *self.args, **self.kwds)

    def __repr__(self) -> str:
        return f"<{self.dist.name} with {self.args} {self.kwds}>"
