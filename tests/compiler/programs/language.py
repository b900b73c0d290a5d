"""Python itself: classes, closures, containers, exceptions, state that changes."""

import math
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate, product
from typing import ClassVar

import numpy as np
from tests.compiler.programs.table import program

import wengert as wg


@dataclass(frozen=True)
class Parameters:
    mean: np.ndarray
    log_scale: float = 0.0
    names: ClassVar = ("a", "b")


@program(lambda r: (Parameters(r.normal(size=2), r.normal()), r.normal(size=(6, 2))))
def frozen_dataclass(p, x):
    """Fields that are read, a constant of the class, and a copy with another value."""
    wider = replace(p, log_scale=p.log_scale + 0.1 * len(p.names))
    z = (x - p.mean) / np.exp(wider.log_scale)
    return np.sum(z**2) + x.size * wider.log_scale


@program(
    lambda r: ({"b": r.normal(size=3), "a": {"z": r.normal(size=2), "k": [r.normal(), (r.normal(size=2),)]}},),
    argnums=None,
)
def nested_results(tree):
    """Containers of containers come back in their order, with None, texts and whole numbers between."""
    flipped = OrderedDict((k, tree[k]) for k in sorted(tree, reverse=True))
    counts = defaultdict(int, n=len(tree))
    return {
        "second": tree["b"] * 2,
        "first": [tree["a"]["k"][0] + 1, None, "text", 3, True],
        "third": (tree["a"]["z"].sum(), tree["a"]["k"][1][0][::-1]),
        "ordered": list(flipped),
        "counts": dict(counts),
        "empty": ([], {}, ()),
    }


class Polynomial:
    """Operators of a class of the user's."""

    def __init__(self, coefficients):
        self.c = coefficients

    def __call__(self, x):
        return reduce(lambda p, c: p * x + c, self.c)

    def __mul__(self, other):
        return Polynomial(np.convolve(self.c, other.c))

    def __add__(self, other):
        n = max(len(self.c), len(other.c))
        return Polynomial(sum(np.concatenate([np.zeros(n - len(p.c)), p.c]) for p in (self, other)))

    @property
    def slope(self):
        return Polynomial(self.c[:-1] * np.arange(len(self.c) - 1, 0, -1))


@program(lambda r: (r.normal(size=3), r.normal(size=4), r.normal(size=5)), argnums=(0, 1, 2))
def operators_of_a_class(a, b, x):
    """Products and sums of objects that hold arrays."""
    p = Polynomial(a) * Polynomial(b) + Polynomial(a).slope
    return np.sum(np.sin(p(x)))


@program(lambda r: (r.normal(size=6),))
def generators_and_scans(x):
    """Generators inside, itertools, and a window of what came last."""

    def smoothed(values):
        window = deque(maxlen=3)
        for v in values:
            window.append(v)
            yield sum(window) / len(window)

    running = list(accumulate(smoothed(x), lambda a, b: 0.9 * a + b))
    pairs = sum(a * b for (i, a), (j, b) in product(enumerate(x), repeat=2) if i < j)
    return running[-1] * pairs


@program(lambda r: (r.normal(size=4), r.normal(size=4)), argnums=(0, 1))
def exceptions_decide(x, y):
    """What raises is caught, and another way taken."""
    total = 0.0
    for a, b in zip(x, y, strict=True):
        try:
            if a * b < 0:
                raise ValueError("signs")
            total = total + np.sqrt(a * b)
        except ValueError:
            total = total - a
        finally:
            total = total * 1.5
    try:
        np.linalg.solve(np.ones((2, 2)) * x[0], y[:2])
    except np.linalg.LinAlgError:
        total = total + 1
    return total


@program(lambda r: (r.normal(), r.normal(), int(r.integers(3))), argnums=(0, 1), second=True)
def python_numbers(a, b, n):
    """Floats, their comparisons, and the functions of `math` that only look."""
    if math.isfinite(b) and not math.isnan(a):
        a = a * 2
    best = max(a, b, 0.1)
    worst = min([a, b])
    return best**2 * worst + abs(a) / (1 + b**2) + n * round(3.7) + (a if a > b else b) ** n


@program(lambda r: (r.normal(size=5), 0.5), argnums=None)
def types_of_results(x, scale):
    """Booleans, whole numbers, floats of Python and of NumPy, arrays without axes."""
    return (
        x.sum() > 0,
        bool(x[0] > 0),
        int(np.argmax(x)),
        float(x[1]),
        x[2].item(),
        scale * 2,
        np.float32(scale),
        x.mean(),
        np.array(scale),
        x.astype(np.float32),
        (x > 0).astype(np.int8),
        x.shape,
        x.tolist(),
        np.count_nonzero(x > 0),
        x.argsort(),
        len(x),
    )


@program(lambda r: (r.normal(size=(4, 4)), r.normal(size=4)), argnums=None)
def arguments_written(m, v):
    """An argument that is changed in place: rows swapped, a slice scaled, a mask set, `out` given."""
    m[[0, 2]] = m[[2, 0]]
    m[:, 1] *= v
    m[m < -0.5] = 0
    np.add(m[3], v, out=m[3])
    view = m.T[1:3]
    view += 1
    np.maximum(v, 0, out=v)
    v.sort()
    return m.sum(), v * 2


@program(lambda r: (r.normal(size=(2, 3)), r.normal(size=(2, 3))), argnums=None)
def what_no_tensor_has(x, y):
    """Methods of arrays that tensors lack: the function runs as it is."""
    x.flat[4] = 7.0
    return x.view(np.int64).sum(), np.divide(x, y, out=np.zeros((2, 3)), where=y > 0), x.flags.c_contiguous


@program(lambda r: (r.normal(size=(3, 4)), [slice(None), 1, np.array([2, 0]), None][r.integers(4)]), argnums=0)
def settings_of_many_kinds(x, index):
    """A slice, a whole number, an array of whole numbers, or nothing at all."""
    y = x[index]
    return np.sum(y**2) + y.ndim


@program(lambda r: (r.normal(size=int(r.integers(1, 4))), r.normal(size=(2, int(r.integers(1, 3))))), argnums=(0, 1))
def shapes_that_vary(x, y):
    """Decided by shapes, as arguments come in several."""
    if x.size == 1:
        return np.sum(np.cos(y)) * x[0]
    if y.shape[1] == 2:
        return np.sum(x) * np.sum(y[:, 0] - y[:, 1])
    return x[0] - x[-1] + np.mean(y)


@program(lambda r: (r.normal(size=4), r.normal(size=4)), argnums=0)
def gradient_inside(x, y):
    """A gradient penalty: the gradient of a gradient."""

    def critic(z):
        return np.sum(np.tanh(z * y) ** 2)

    slope = wg.grad(critic)(x)
    return (np.linalg.norm(slope) - 1) ** 2 + critic(x)


@program(lambda r: (r.normal(size=(3, 2)), r.normal(size=(2,))), argnums=(0, 1))
def mapped_inside(xs, w):
    """vmap within, of a function that decides by `where`."""

    def one(x):
        return np.where(x @ w > 0, np.sum(x**2), np.sum(x * w))

    return np.sum(np.stack([one(x) for x in xs]) * wg.vmap(one)(xs))


@program(lambda r: (r.normal(size=3), r.normal(size=3)), argnums=(0, 1))
def memo_within(x, y):
    """Results that are kept in a dictionary while the function runs."""
    known = {}

    def fib(k):
        if k < 2:
            return (x, y)[k]
        if k not in known:
            known[k] = np.sin(fib(k - 1)) + fib(k - 2)
        return known[k]

    return np.sum(fib(12))


@program(lambda r: (r.normal(size=(5,)), np.float32(r.normal()), np.int64(r.integers(5)), np.bool_(r.random() < 0.5)))
def scalars_of_numpy(x, scale, k, flag):
    """NumPy's own scalars: a float, a whole number that is an index, a truth value that decides."""
    y = x * scale
    if flag:
        y = y[k:]
    return np.sum(y) + x[k]


@program(lambda r: (r.normal(size=(2, 3)),), argnums=None)
def what_is_asked_of_an_array(x):
    """Attributes and classes that a program may look at."""
    assert isinstance(x, (np.ndarray, wg.Tensor))
    assert x.dtype == np.float64 and x.ndim == 2 and x.size == 6 and len(x) == 2 and x.shape == (2, 3)
    assert np.isrealobj(x) and np.ndim(x) == 2 and np.shape(x) == (2, 3) and np.size(x) == 6
    y = np.asarray(x, dtype=np.float32) if x.nbytes < 10 else x
    return y.T.copy(), y.reshape(-1, order="F"), y.ravel()[::2], np.array(y), y.astype(int), y.conj(), y.real
