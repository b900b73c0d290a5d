"""Products: matmul, dot, tensordot, einsum and their relatives."""

import math
import string
from typing import Any

import numpy as np

from wengert.primitive import bilinear, composite, primitive, without_gradient
from wengert.protocol import Wrapper
from wengert.rules.elementwise import is_complex
from wengert.rules.reductions import broadcast, normal_axes, normal_axis

# Matrix products -------------------------------------------------------------------------------------------------


def _matmul_a(g, b, like):
    if like.ndim == 1 and b.ndim == 1:
        return g * b
    if like.ndim == 1:
        return np.matmul(b, g[..., None])[..., 0]
    if b.ndim == 1:
        return g[..., None] * b
    return np.matmul(g, b.swapaxes(-1, -2))


def _matmul_b(g, a, like):
    if like.ndim == 1 and a.ndim == 1:
        return g * a
    if like.ndim == 1:
        return _row_times(g, a) if a.ndim == 2 else np.matmul(g[..., None, :], a)[..., 0, :]
    if a.ndim == 1:
        return a[:, None] * g[..., None, :]
    return np.matmul(a.swapaxes(-1, -2), g)


TALL = 16_384
"""Rows of a matrix from which on BLAS is slower with all of them than with so many of them as fit into the caches."""
BLOCK = 2_048


def _row_times(g, a):
    """A row times a matrix: the gradient of a linear model. Of a tall matrix OpenBLAS makes three times the work."""
    rows, columns = a.shape
    plain = g.__class__ is a.__class__ is np.ndarray and a.flags.c_contiguous
    if not plain or rows < TALL or not 8 <= columns <= 512:
        return np.matmul(g, a)
    g = np.ascontiguousarray(g)
    whole = rows // BLOCK * BLOCK
    blocks = np.matmul(g[:whole].reshape(-1, 1, BLOCK), a[:whole].reshape(-1, BLOCK, columns))
    return np.add.reduce(blocks, axis=(0, 1)) + np.matmul(g[whole:], a[whole:])


def _matmul_each(a, b, batched):
    """The product for each example; a matrix that all share makes one product of the whole batch."""
    a_ndim, b_ndim = a.ndim - batched[0], b.ndim - batched[1]
    if not batched[1] and b_ndim <= 2:
        joined = np.matmul(np.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1])) if a_ndim > 1 else a, b)
        return np.reshape(joined, a.shape[:-1] + b.shape[1:])
    if not batched[0] and a_ndim == 2 and b_ndim == 1:
        return np.matmul(b, np.swapaxes(a, 0, 1))
    a = np.expand_dims(a, -2) if a_ndim == 1 else a
    b = b[..., None] if b_ndim == 1 else b
    y = np.matmul(_ranked(a, b.ndim - batched[1], batched[0]), _ranked(b, a.ndim - batched[0], batched[1]))
    y = y[..., 0] if b_ndim == 1 else y
    return y if a_ndim > 1 else y[..., 0] if b_ndim == 1 else y[..., 0, :]


def _ranked(x, ndim, batched):
    """A batch of arrays with at least so many axes behind the batch axis."""
    missing = ndim + 1 - x.ndim
    return np.reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:])) if batched and missing > 0 else x


bilinear(
    np.matmul,
    lambda g, b, like: _matmul_a(g, b, like),
    lambda g, a, like: _matmul_b(g, a, like),
    broadcasts=True,
    batch=lambda a, b, batched: _matmul_each(a, b, batched),
)


# Vectors along the last axis, in stacks: what NumPy has beside matmul.


def _vecdot(a, b):
    return np.vecdot(np.conjugate(a) if is_complex(a) else a, b)


def _vecdot_each(a, b):
    ndim = max(a.ndim, b.ndim) - 1
    return _vecdot(_ranked(a, ndim, True), _ranked(b, ndim, True))


_vecdot = bilinear(
    _vecdot,
    lambda g, b: g[..., None] * b,
    lambda g, a: g[..., None] * a,
    broadcasts=True,
    batch=lambda a, b: _vecdot_each(a, b),
)


@composite(np.vecdot)
def vecdot(a, b):
    a, b = _array(a), _array(b)
    if not a.ndim or not b.ndim:
        raise ValueError("vecdot: operands do not have enough dimensions (each needs 1)")
    return _vecdot(np.conjugate(a) if is_complex(a) else a, b)


def _rows_times(b, a):
    return np.matmul(b, a.swapaxes(-1, -2))


def _rows_times_matrix(g, b):
    """The gradient of the matrix in its own order, which that of a transposed matrix would have to be brought into."""
    rows, columns = g.shape[-1], b.shape[-1]
    return np.matmul(np.reshape(g, (-1, rows)).swapaxes(0, 1), np.reshape(b, (-1, columns)))


def _rows_times_each(b, a, batched):
    a = a.swapaxes(-1, -2)
    if batched[1]:
        a = np.reshape(a, (a.shape[0], *(1,) * (b.ndim - batched[0] - 2), *a.shape[1:]))
    return np.matmul(b, a)


_rows_times = bilinear(
    _rows_times,
    lambda g, a: np.matmul(g, a),
    lambda g, b: _rows_times_matrix(g, b),
    batch=lambda b, a, batched: _rows_times_each(b, a, batched),
)


@composite(np.matvec)
def matvec(a, b):
    a, b = _array(a), _array(b)
    if not b.ndim:
        raise ValueError("matvec: Input operand 1 does not have enough dimensions (1 needed)")
    if b.ndim == 1:
        return np.matmul(a, b)
    return _rows_times(b, a) if a.ndim == 2 else np.matmul(a, b[..., None])[..., 0]


@composite(np.vecmat)
def vecmat(a, b):
    a, b = _array(a), _array(b)
    if not a.ndim:
        raise ValueError("vecmat: Input operand 0 does not have enough dimensions (1 needed)")
    if b.ndim < 2:
        raise ValueError("vecmat: Input operand 1 does not have enough dimensions (2 needed)")
    a = np.conjugate(a) if is_complex(a) else a
    return np.matmul(a, b) if b.ndim == 2 or a.ndim == 1 else np.matmul(a[..., None, :], b)[..., 0, :]


def _array(x: Any) -> Any:
    """Python's numbers and sequences as arrays: in products their precision counts."""
    return x._as_numpys() if isinstance(x, Wrapper) else x if hasattr(x, "ndim") else np.asarray(x)


@composite(np.dot)
def dot(a, b, out=None):
    a, b = _array(a), _array(b)
    if not a.ndim or not b.ndim:
        return np.multiply(a, b)
    if b.ndim <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=(-1, -2))


@composite(np.vdot)
def vdot(a, b):
    a = np.ravel(a)
    return np.matmul(np.conjugate(a) if is_complex(a) else a, np.ravel(b))


@composite(np.inner)
def inner(a, b):
    a, b = _array(a), _array(b)
    if not a.ndim or not b.ndim:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=(-1, -1))


@composite(np.outer)
def outer(a, b, out=None):
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@composite(np.tensordot)
def tensordot(a, b, axes=2):
    """One matrix product: the summed axes are brought together and joined."""
    a, b = _array(a), _array(b)
    if isinstance(axes, (int, np.integer)):
        a_axes, b_axes = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    else:
        a_axes, b_axes = axes
        a_axes, b_axes = normal_axes(a_axes, a.ndim), normal_axes(b_axes, b.ndim)
    a_shape, b_shape = a.shape, b.shape
    if [a_shape[i] for i in a_axes] != [b_shape[i] for i in b_axes]:
        raise ValueError("shape-mismatch for sum")
    a_free = tuple(i for i in range(len(a_shape)) if i not in a_axes)
    b_free = tuple(i for i in range(len(b_shape)) if i not in b_axes)
    rows, columns = tuple(a_shape[i] for i in a_free), tuple(b_shape[i] for i in b_free)
    summed = math.prod(a_shape[i] for i in a_axes)
    left = np.reshape(np.transpose(a, a_free + a_axes), (math.prod(rows), summed) if rows else (summed,))
    right = np.reshape(np.transpose(b, b_axes + b_free), (summed, math.prod(columns)) if columns else (summed,))
    return np.reshape(np.matmul(left, right), rows + columns)


def _cross(a, b):
    y = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        y[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return y


def _cross_each(a, b, batched):
    a_ndim, b_ndim = a.ndim - batched[0], b.ndim - batched[1]
    return _cross(_ranked(a, b_ndim, batched[0]), _ranked(b, a_ndim, batched[1]))


_cross = bilinear(
    _cross,
    lambda g, b: _cross(b, g),
    lambda g, a: _cross(g, a),
    broadcasts=True,
    batch=lambda a, b, batched: _cross_each(a, b, batched),
)


@composite(np.cross)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa, axisb, axisc = axis, axis, axis
    a, b = _axis_last(a, axisa), _axis_last(b, axisb)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError("incompatible dimensions for cross product\n(dimension must be 2 or 3)")
    if a.shape[-1] == b.shape[-1] == 3:
        y = _cross(a, b)
        axisc = normal_axis(axisc, y.ndim)
        return y if axisc == y.ndim - 1 else np.moveaxis(y, -1, axisc)
    a, b = ([x[..., i] for i in range(x.shape[-1])] for x in (a, b))
    last = a[0] * b[1] - a[1] * b[0]
    if len(a) == len(b):
        return last
    parts = [a[1] * b[2], -(a[0] * b[2]), last] if len(a) == 2 else [-(a[2] * b[1]), a[2] * b[0], last]
    return np.stack(parts, axis=normal_axis(axisc, last.ndim + 1))


def _axis_last(x: Any, axis: int) -> Any:
    x = _array(x)
    axis = normal_axis(axis, x.ndim)
    return x if axis == x.ndim - 1 else np.moveaxis(x, axis, -1)


@composite(np.kron)
def kron(a, b):
    a, b = _array(a), _array(b)
    ndim = max(a.ndim, b.ndim)
    a_shape, b_shape = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    left = np.reshape(a, tuple(m for n in a_shape for m in (n, 1)))
    right = np.reshape(b, tuple(m for n in b_shape for m in (1, n)))
    return np.reshape(left * right, tuple(m * n for m, n in zip(a_shape, b_shape, strict=True)))


# einsum ----------------------------------------------------------------------------------------------------------


def _einsum(*operands, subscripts="", optimize=False):
    return np.einsum(subscripts, *operands, optimize=optimize)


def _einsum_rule(g, i, xs, likes, subscripts, optimize):
    """The cotangent of one operand is again an einsum: of the result's cotangent and the other operands."""
    inputs, output = subscripts.split("->")
    inputs = inputs.split(",")
    mine = "".join(dict.fromkeys(inputs[i]))
    others = [(letters, x) for k, (letters, x) in enumerate(zip(inputs, xs, strict=True)) if k != i]
    known = {*output, *(c for letters, _ in others for c in letters)}
    found = "".join(c for c in mine if c in known)
    subscripts = f"{','.join([output, *(letters for letters, _ in others)])}->{found}"
    c = np.einsum(subscripts, g, *(x for _, x in others), optimize=optimize)
    sizes = dict(zip(inputs[i], likes[i].shape, strict=True))
    c = _match(c, found, mine, sizes)
    return c if len(mine) == len(inputs[i]) else _on_diagonal(c, mine, inputs[i], likes[i])


def _match(c, found, mine, sizes):
    """Sum axes that were stretched from length 1, and stretch along letters whose length only this operand has."""
    stretched = tuple(k for k, letter in enumerate(found) if sizes[letter] == 1 != c.shape[k])
    c = np.sum(c, axis=stretched, keepdims=True) if stretched else c
    shape = tuple(sizes[letter] for letter in mine)
    if c.shape == shape:
        return c
    if found != mine:
        lengths = dict(zip(found, c.shape, strict=True))
        c = c.reshape(tuple(lengths.get(letter, 1) for letter in mine))
    return broadcast(c, shape)


def _on_diagonal(c, mine, letters, like):
    """Put the cotangent of a diagonal (repeated letters) on that diagonal of zeros."""
    full = np.zeros_like(c, shape=like.shape)
    grid = np.indices(c.shape, sparse=True)
    full[tuple(grid[mine.index(letter)] for letter in letters)] = c
    return full


def _einsum_each(xs, batched, subscripts, optimize):
    """The batch axis is a letter of its own, of the operands that have it and of the result."""
    letter = next(c for c in string.ascii_letters if c not in subscripts)
    inputs, output = subscripts.split("->")
    terms = (letter + term if mine else term for term, mine in zip(inputs.split(","), batched, strict=True))
    return np.einsum(f"{','.join(terms)}->{letter}{output}", *xs, optimize=optimize)


_einsum = primitive(
    _einsum,
    _einsum_rule,
    tangents=(
        lambda g, i, xs, subscripts, optimize: _einsum(
            *xs[:i], g, *xs[i + 1 :], subscripts=subscripts, optimize=optimize
        ),
    ),
    batch=lambda xs, batched, subscripts, optimize: _einsum_each(xs, batched, subscripts, optimize),
)


@composite(np.einsum)
def einsum(subscripts, *operands, out=None, optimize=False, dtype=None, casting="safe", order="K"):
    if not isinstance(subscripts, str):
        subscripts, operands = _from_lists((subscripts, *operands))
    operands = [_array(x) for x in operands]
    if dtype is not None:
        operands = [_cast(x, np.dtype(dtype), casting) for x in operands]
    subscripts = _explicit(subscripts, operands)
    if len(operands) == 1 and dtype is None and order == "K" and _is_view(subscripts):
        return _viewed(operands[0], *subscripts.split("->"))
    if len(operands) > 2 and (optimize is not False or _takes_long(subscripts, operands)):
        result = _contract(subscripts, operands, optimize or "greedy")
    else:
        result = _einsum(*operands, subscripts=subscripts, optimize=bool(optimize))
    return np.copy(result, order) if order in ("C", "F") else result


def _is_view(subscripts):
    """Whether nothing is summed, so that NumPy gives a view."""
    taken, given = subscripts.split("->")
    return set(taken) == set(given)


def _viewed(x, taken, given):
    """The axes in another order; of those that a letter names twice the diagonal, which is for reading only."""
    while len(set(taken)) < len(taken):
        letter = next(c for c in taken if taken.count(c) > 1)
        first, second = (k for k in range(len(taken)) if taken[k] == letter and taken[:k].count(letter) < 2)
        if x.shape[first] != x.shape[second]:
            np.einsum(f"{taken}->{given}", np.broadcast_to(0.0, x.shape))  # raises what NumPy raises
        x = np.diagonal(x, 0, first, second)
        taken = "".join(c for k, c in enumerate(taken) if k not in (first, second)) + letter
    return np.transpose(x, [taken.index(c) for c in given])


def _cast(x, dtype, casting):
    if not np.can_cast(x.dtype, dtype, casting):
        raise TypeError(f"einsum: cannot cast an operand from {x.dtype} to {dtype} with casting={casting!r}")
    return np.astype(x, dtype, copy=False)


LONG = 100_000
"""From so many products of numbers on several operands are contracted two at a time, in any case."""


def _takes_long(subscripts, operands):
    """Whether one loop over all letters, which is what NumPy does with more than two operands, is a long one."""
    letters = subscripts.split("->")[0].replace(",", "")
    lengths: dict = {}
    for letter, n in zip(letters, (n for x in operands for n in x.shape), strict=True):
        lengths[letter] = max(n, lengths.get(letter, 1))
    return math.prod(lengths.values()) >= LONG


def _contract(subscripts, operands, optimize):
    """Two operands at a time, in an order that is searched once: the way back follows it, with what it has at hand."""
    path, _ = np.einsum_path(subscripts, *(np.broadcast_to(0.0, x.shape) for x in operands), optimize=optimize)
    inputs, output = subscripts.split("->")
    terms, operands = inputs.split(","), list(operands)
    for step, taken in enumerate(path[1:], 2):
        mine = [terms.pop(k) for k in sorted(taken, reverse=True)]
        xs = [operands.pop(k) for k in sorted(taken, reverse=True)]
        wanted = {*output, *"".join(terms)}
        kept = output if step == len(path) else "".join(c for c in dict.fromkeys("".join(mine)) if c in wanted)
        operands.append(_einsum(*xs, subscripts=f"{','.join(mine)}->{kept}", optimize=len(xs) < 3))
        terms.append(kept)
    return operands[0]


def _from_lists(arguments: tuple) -> tuple[str, list]:
    """The form ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` as letters."""
    output = arguments[-1] if len(arguments) % 2 else None
    pairs = arguments[: len(arguments) - (output is not None)]

    def letters(labels: Any) -> str:
        return "".join("..." if k is Ellipsis else string.ascii_letters[k] for k in labels)

    text = ",".join(letters(labels) for labels in pairs[1::2])
    return text if output is None else f"{text}->{letters(output)}", list(pairs[0::2])


def _explicit(subscripts: str, operands: list) -> str:
    """Subscripts with an output and with letters in the place of every ellipsis."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {len(terms)} subscript terms were given for {len(operands)} operands")
    unused = [c for c in string.ascii_letters if c not in subscripts]
    hidden = [
        max(x.ndim - len(t.replace("...", "")), 0) if "..." in t else 0 for t, x in zip(terms, operands, strict=True)
    ]
    stretch = "".join(unused[: max(hidden)])
    if arrow and stretch and "..." not in output:
        raise ValueError("einsum: the axes that '...' stands for in the operands were required in the output, too")
    if not arrow:
        letters = "".join(terms).replace("...", "")
        output = "..." * ("..." in subscripts) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    terms = [t.replace("...", stretch[len(stretch) - n :]) for t, n in zip(terms, hidden, strict=True)]
    return f"{','.join(terms)}->{output.replace('...', stretch)}"


without_gradient(np.einsum_path)
