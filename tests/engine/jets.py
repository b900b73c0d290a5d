"""Second-order forward mode on plain NumPy arrays: the reference that programs of views and writes are held to.

A `Jet` is four arrays of one shape and layout: a value, its derivatives along two directions, and the mixed second
derivative. Views of a jet are four views and a write into a jet is four writes, so NumPy itself decides what aliases
what.
"""

import contextlib

import numpy as np

_constant = False


@contextlib.contextmanager
def no_grad():
    """Inside, results are constants and writes leave the derivatives of what they change as they were."""
    global _constant
    before, _constant = _constant, True
    try:
        yield
    finally:
        _constant = before


class Jet(np.lib.mixins.NDArrayOperatorsMixin):
    """A value and its derivatives, with the face of an ndarray as far as the programs use it."""

    __array_priority__ = 1000

    def __init__(self, value, d1=None, d2=None, d12=None):
        self.parts = tuple(_zeros_like(value) if p is None else p for p in (value, d1, d2, d12))

    @property
    def value(self):
        return self.parts[0]

    @property
    def data(self):
        """A constant that no later write changes, laid out as the value is (results take after their operands)."""
        stretched = [
            self.size > 1 and n > 1 and stride == 0 for n, stride in zip(self.shape, self.value.strides, strict=True)
        ]
        one_of_each = np.copy(self.value[tuple(slice(1) if s else slice(None) for s in stretched)])
        return np.broadcast_to(one_of_each, self.shape) if any(stretched) else one_of_each[()]

    def detach(self):
        return Jet(np.copy(self.value)[()])

    def copy(self):
        return np.copy(self)

    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: self.value.dtype)
    T = property(lambda self: np.transpose(self))

    def reshape(self, *shape):
        return Jet(*(p.reshape(*shape) for p in self.parts))

    def __getitem__(self, index):
        return Jet(*(p[index] for p in self.parts))

    def __setitem__(self, index, value):
        # NumPy 2.4 writes x[mask] = x[::-1] wrongly; a copy is what it does (right) for other indices.
        for part, new in zip(self._written(), as_jet(value).parts, strict=False):
            part[index] = np.copy(new)

    def _written(self):
        return self.parts[:1] if _constant else self.parts

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, where=True):
        if method == "at":
            return self._at(ufunc, *inputs)
        if ufunc not in RULES:
            return ufunc(*(x.value if isinstance(x, Jet) else x for x in inputs))
        result = RULES[ufunc](*map(as_jet, inputs))
        if _constant:
            result = Jet(result.value)
        if out is None or not isinstance(out[0].value, np.ndarray):
            return result
        for part, new in zip(out[0]._written(), result.parts, strict=False):
            np.copyto(part, new, where=where, casting="same_kind")
        return out[0]

    def _at(self, ufunc, target, index, value):
        for part, new in zip(target._written(), as_jet(value).parts, strict=False):
            ufunc.at(part, index, new)

    def __array_function__(self, func, types, args, kwargs):
        """Every function that gets here is linear in its jets, or makes a constant."""
        if func is np.ones_like:
            return Jet(np.ones_like(args[0].value)[()])
        parts = [func(*_pick(args, k), **_pick(kwargs, k)) for k in range(4)]
        if not parts[0].ndim:
            parts = [p[()] for p in parts]  # copies of numbers stay numbers
        return Jet(parts[0]) if _constant else Jet(*parts)


def _zeros_like(value):
    zeros = np.zeros_like(value)
    return zeros if isinstance(value, np.ndarray) else zeros[()]


def _pick(value, k):
    if isinstance(value, Jet):
        return value.parts[k]
    if isinstance(value, (list, tuple)):
        return type(value)(_pick(v, k) for v in value)
    if isinstance(value, dict):
        return {key: _pick(v, k) for key, v in value.items()}
    return value


def as_jet(value):
    if isinstance(value, Jet):
        return value
    return Jet(value, 0.0, 0.0, 0.0) if isinstance(value, float) else Jet(np.asarray(value))


def _result(value, *derivatives):
    """A jet of new arrays, all of one memory order, so that a reshape is a view of each or of none."""
    parts = [value]
    for d in derivatives:
        if d.strides != value.strides:
            d, unordered = np.empty_like(value), d
            d[...] = unordered
        parts.append(d)
    return Jet(*parts)


def _sum_rule(ufunc):
    return lambda a, b: _result(*(ufunc(p, q) for p, q in zip(a.parts, b.parts, strict=True)))


def _multiply(a, b):
    (a0, a1, a2, a12), (b0, b1, b2, b12) = a.parts, b.parts
    return _result(a0 * b0, a0 * b1 + a1 * b0, a0 * b2 + a2 * b0, a0 * b12 + a1 * b2 + a2 * b1 + a12 * b0)


def _unary(f, first, second):
    def rule(a):
        v, d1, d2, d12 = a.parts
        slope, bend = first(v), second(v)
        return _result(f(v), slope * d1, slope * d2, slope * d12 + bend * d1 * d2)

    return rule


RULES = {
    np.add: _sum_rule(np.add),
    np.subtract: _sum_rule(np.subtract),
    np.multiply: _multiply,
    np.negative: _unary(np.negative, lambda v: -np.ones_like(v), np.zeros_like),
    np.sin: _unary(np.sin, np.cos, lambda v: -np.sin(v)),
    np.tanh: _unary(np.tanh, lambda v: 1 - np.tanh(v) ** 2, lambda v: -2 * np.tanh(v) * (1 - np.tanh(v) ** 2)),
}
