"""Matrix products and what is made of them: large ones go to BLAS, small and narrow ones are loops.

A product as loops is a multiplication and a sum, which is computed together with what surrounds it. BLAS wins where
the operands are used often enough to pay for bringing them into its form.
"""

from collections.abc import Callable
from itertools import combinations
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.graph import Move, Value, is_transposed
from wengert.compiler.lowering.builder import Builder
from wengert.compiler.lowering.shapes import diagonal
from wengert.protocol import Spec

__all__ = ["HANDLERS", "summed_over_stack"]

FEW = 2
"""Sums of so few terms are loops."""
SHORT = 4
"""A product is a loop, too, where two of the three lengths are at most this."""
SMALL = 512
"""Multiplications up to which a product of matrices is a loop."""
TALL = 1 << 13
"""Rows of a matrix from which on its product with a vector is a loop: it is read once, with all that is made of it."""
WIDEST = 512
"""Columns up to which that holds."""
NARROW = 16
"""Rows of fewer elements are better stored as columns."""
SMALL_RESULT = 96 * 96
"""Elements of a product up to which its summed axis, if it is long, is cut rather than its rows or columns."""
SUMMANDS = 16
"""Into so many parts it is cut."""
LONG_PART = 128
"""The length of a part at least."""
MANY_TIMES = 4
"""So often a matrix is read in a stack for a copy in another order to pay."""


def matrix_product(b: Builder, x: Value, y: Value) -> Value:
    """NumPy's ``matmul`` of numbers of one dtype; of integers all are loops."""
    if len(x.shape) == 1:
        found = matrix_product(b, b.graph.reshape(x, (1, *x.shape)), y) if len(y.shape) > 1 else None
        if found is None:
            return b.total(b.map("multiply", x, y), 0)
        return b.part(found, len(found.shape) - (2 if len(y.shape) > 1 else 1), 0)
    if len(y.shape) == 1:
        found = matrix_product(b, x, b.graph.reshape(y, (*y.shape, 1)))
        return b.part(found, -1, 0)
    (m, k), n = x.shape[-2:], y.shape[-1]
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    if not prod(batch) * m * n or not k:
        return b.filled(0, (*batch, m, n), x.dtype)
    if x.dtype.kind != "f" or as_loops(x, y, m, k, n):
        return _looped(b, x, y, batch)
    if prod(batch) == 1:
        flat = _one_product(b, b.graph.reshape(x, (m, k)), b.graph.reshape(y, (k, n)))
        return b.graph.reshape(flat, (*batch, m, n))
    if prod(y.shape[:-2]) == 1 and _stored_in_rows(x):
        # One matrix for the whole batch: its rows are those of one tall matrix.
        tall = matrix_product(b, b.graph.reshape(x, (prod(batch) * m, k)), b.graph.reshape(y, (k, n)))
        return b.graph.reshape(tall, (*batch, m, n))
    return _stack_of_products(b, b.graph.broadcast(x, (*batch, m, k)), b.graph.broadcast(y, (*batch, k, n)))


def _one_product(b: Builder, x: Value, y: Value) -> Value:
    """The product of two matrices; of long ones with a small result in parts, which are added up."""
    (m, k), n = x.shape, y.shape[-1]
    length = k // SUMMANDS
    if m * n > SMALL_RESULT or length < LONG_PART or 1 in (m, n):
        return b.graph.make("product", (x, y), None, (m, n), x.dtype)
    some, rest = slice(0, length * SUMMANDS), slice(length * SUMMANDS, k)
    left = b.graph.reshape(b.part(x, 1, some), (m, SUMMANDS, length))
    right = b.graph.reshape(b.part(y, 0, some), (SUMMANDS, length, n))
    parts = b.graph.make("product", (b.moveaxis(left, 1, 0), right), None, (SUMMANDS, m, n), x.dtype)
    total = b.total(parts, 0)
    if rest.start == k:
        return total
    return b.map("add", total, matrix_product(b, b.part(x, 1, rest), b.part(y, 0, rest)))


def _stack_of_products(b: Builder, x: Value, y: Value) -> Value:
    """The products, stored with the longer axis last, along which what follows is computed several at once."""
    x, y = _long_axis_last(b, x), _long_axis_last(b, y)
    m, n = x.shape[-2], y.shape[-1]
    if n < NARROW <= m:
        x, y = b.swapped(y), b.swapped(x)
        return b.swapped(b.graph.make("product", (x, y), None, (*x.shape[:-1], m), x.dtype))
    return b.graph.make("product", (x, y), None, (*x.shape[:-1], n), x.dtype)


def _long_axis_last(b: Builder, x: Value) -> Value:
    """What is computed for a product, in the order in which it is computed best."""
    if is_transposed(x):
        return b.swapped(_long_axis_last(b, x.operands[0]))
    if x.kind != "map" or not x.shape[-1] < NARROW <= x.shape[-2]:
        return x
    moved = [_settled(b, b.swapped(b.graph.broadcast(o, x.shape))) for o in x.operands]
    return b.swapped(b.map(x.setting, *moved, dtype=x.dtype))


def _settled(b: Builder, v: Value) -> Value:
    """A stored matrix that a whole stack reads across its rows is brought into their order first."""
    if v.kind != "move" or v.operands[0].kind not in ("input", "constant"):
        return v
    x = v.operands[0]
    last = [axis for axis, (_, terms) in enumerate(v.setting.places) if any(k == len(v.shape) - 1 for k, _ in terms)]
    if not last or last == [len(x.shape) - 1] or v.size < MANY_TIMES * x.size or len(x.shape) != 2:
        return v
    other = b.graph.make("reshape", (b.swapped(x),), None, x.shape[::-1], x.dtype)
    return b.graph.move(other, Move(v.shape, v.setting.places[::-1]))


def as_loops(x: Value, y: Value, m: int, k: int, n: int) -> bool:
    """Whether a product is better a loop than a call of BLAS."""
    if k <= FEW or m * n * k <= SMALL or sorted((m, k, n))[1] <= SHORT:
        return True
    if n == 1:
        return _is_tall((m, k) if _by_rows(x) else (k, m))
    return m == 1 and _is_tall((k, n) if _by_rows(y) else (n, k))


def _is_tall(stored: tuple[int, int]) -> bool:
    rows, columns = stored
    return rows >= TALL and columns <= WIDEST


def _by_rows(x: Value) -> bool:
    """Whether the elements of a row of a matrix lie side by side in memory."""
    if x.kind != "move":
        return True
    terms = [axis for _, terms in x.setting.places for axis, _ in terms]
    return not terms or terms[-1] != len(x.shape) - 2


def _stored_in_rows(x: Value) -> bool:
    """Whether the axes lie in memory in their order, so that reshaping moves nothing."""
    if x.kind != "move":
        return True
    terms = [axis for _, terms in x.setting.places for axis, _ in terms]
    return terms == sorted(terms)


def _looped(b: Builder, x: Value, y: Value, batch: tuple) -> Value:
    """The terms in an order that reads the larger operand as it lies in memory, and their sum."""
    m, k, n = *x.shape[-2:], y.shape[-1]
    if k == 1:
        return _only_term(b, x, y)
    if m == 1:
        columns = b.graph.reshape(x, (*x.shape[:-2], k, 1))
        if _by_rows(y):
            return b.total(b.map("multiply", columns, y), -2, keepdims=True)
    if n == 1 and not _by_rows(x):
        swapped = b.swapped(x)
        found = b.total(b.map("multiply", swapped, y), -2)
        return b.graph.reshape(found, (*batch, m, 1))
    if not _by_rows(x) and _by_rows(y):
        rows = b.graph.reshape(b.swapped(x), (*x.shape[:-2], k, m, 1))
        columns = b.graph.reshape(y, (*y.shape[:-2], k, 1, n))
        return b.total(b.map("multiply", rows, columns), -3)
    rows = b.graph.reshape(x, (*x.shape[:-2], m, 1, k))
    columns = b.graph.reshape(b.swapped(y), (*y.shape[:-2], 1, n, k))
    return b.total(b.map("multiply", rows, columns), -1)


def _only_term(b: Builder, x: Value, y: Value) -> Value:
    """A sum of one product, which begins with 0 as others do: it is never -0."""
    product = b.map("multiply", x, y)
    return b.map("add", product, 0) if product.dtype.kind == "f" else product


def summed_over_stack(b: Builder, x: Value, axes: tuple[int, ...]) -> Value | None:
    """The sum of a stack of products is one product, along the rows of the whole stack.

    It is the gradient of a matrix that all examples of a batch share.
    """
    if x.kind != "product" or axes != tuple(range(len(x.shape) - 2)) or not is_transposed(x.operands[0]):
        return None
    left, right = b.swapped(x.operands[0]), x.operands[1]
    (rows, m), n = left.shape[-2:], right.shape[-1]
    total = prod(left.shape[:-2]) * rows
    if not (_stored_in_rows(left) and _stored_in_rows(right)):
        return None
    left, right = b.graph.reshape(left, (total, m)), b.graph.reshape(right, (total, n))
    return matrix_product(b, b.swapped(left), right)


def _matmul(b: Builder, spec: Spec, x: Any, y: Any) -> Value | None:
    dtype = spec.dtype
    if dtype.kind not in "fiu":
        return None
    return matrix_product(b, b.value(x, dtype), b.value(y, dtype))


def _vecdot(b: Builder, spec: Spec, x: Any, y: Any) -> Value | None:
    dtype = spec.dtype
    if dtype.kind == "b":
        return None
    return b.reduced("add", b.map("multiply", b.value(x, dtype), b.value(y, dtype)), -1)


def _rows_times(b: Builder, spec: Spec, x: Value, y: Value) -> Value | None:
    """``x @ y.T``."""
    return _matmul(b, spec, x, b.swapped(y))


def _gram(b: Builder, spec: Spec, x: Value) -> Value | None:
    return _matmul(b, spec, x, b.swapped(x))


# einsum -------------------------------------------------------------------------------------------------------------


def _einsum(b: Builder, spec: Spec, *operands: Any, subscripts: str = "", optimize: Any = False) -> Value | None:
    """Two operands at a time, the cheapest pair first; each is a matrix product with axes in front."""
    dtype = spec.dtype
    if dtype.kind != "f":
        return None
    inputs, output = subscripts.split("->")
    terms = [_Term(b, b.value(x, dtype), letters) for x, letters in zip(operands, inputs.split(","), strict=True)]
    lengths: dict[str, int] = {}
    for term in terms:
        for letter, n in zip(term.letters, term.value.shape, strict=True):
            lengths[letter] = lengths.get(letter, 1) if n == 1 else n
    terms = [term.without_ones(lengths) for term in terms]
    if not prod(lengths.values()):
        return b.filled(0, spec.shape, dtype)
    while len(terms) > 1:
        if len(terms) > 2:  # so it is already no sum of products of all; of two it is, like NumPy's
            terms = [term.summed({*output, *"".join(t.letters for t in terms if t is not term)}) for term in terms]
        first, second = min(combinations(terms, 2), key=lambda pair: _work(pair, lengths))
        terms = [term for term in terms if term is not first and term is not second]
        wanted = {*output, *"".join(term.letters for term in terms)}
        terms.insert(0, _contracted(b, first, second, wanted))
    found = terms[0].summed(set(output))
    shape = [lengths[letter] for letter in output]
    there = [letter for letter in output if letter in found.letters]
    value = b.graph.transpose(found.value, tuple(found.letters.index(letter) for letter in there))
    value = b.graph.reshape(value, tuple(n if c in there else 1 for c, n in zip(output, shape, strict=True)))
    adds = set(inputs) > set(output) if len(operands) == 1 else not optimize
    if adds:  # NumPy does so to zeros, of which none is negative then
        value = b.map("add", value, b.value(0.0, dtype))
    return b.graph.broadcast(value, spec.shape)


def _work(pair: "tuple[_Term, _Term]", lengths: dict[str, int]) -> int:
    """How many products of two numbers a contraction takes."""
    return prod(lengths[letter] for letter in {*pair[0].letters, *pair[1].letters})


class _Term:
    """An operand and the letters of its axes, each of them once."""

    def __init__(self, b: Builder, value: Value, letters: str):
        self.b, self.value, self.letters = b, value, letters
        for letter in dict.fromkeys(letters):
            while self.letters.count(letter) > 1:
                self._take_diagonal(letter)

    def _take_diagonal(self, letter: str) -> None:
        i, k = [at for at, c in enumerate(self.letters) if c == letter][:2]
        self.value = diagonal(self.b, self.value, i, k)
        self.letters = "".join(c for at, c in enumerate(self.letters) if at not in (i, k)) + letter

    def without_ones(self, lengths: dict[str, int]) -> "_Term":
        """Axes of length 1 are left out: they broadcast."""
        kept = [k for k, n in enumerate(self.value.shape) if n != 1]
        value = self.b.graph.reshape(self.value, tuple(self.value.shape[k] for k in kept))
        return _Term(self.b, value, "".join(self.letters[k] for k in kept))

    def summed(self, wanted: set[str]) -> "_Term":
        """Summed over the letters that nobody wants."""
        axes = tuple(k for k, c in enumerate(self.letters) if c not in wanted)
        if not axes:
            return self
        letters = "".join(c for c in self.letters if c in wanted)
        return _Term(self.b, self.b.total(self.value, axes), letters)

    def ordered(self, *groups: str) -> Value:
        """The value with its axes in this order, each group of letters being one axis."""
        shape = dict(zip(self.letters, self.value.shape, strict=True))
        moved = self.b.graph.transpose(self.value, tuple(self.letters.index(c) for c in "".join(groups)))
        return self.b.graph.reshape(moved, tuple(prod(shape[c] for c in group) for group in groups))


def _contracted(b: Builder, x: _Term, y: _Term, wanted: set[str]) -> _Term:
    both = [c for c in x.letters if c in y.letters]
    batch = "".join(c for c in both if c in wanted)
    summed = "".join(c for c in both if c not in wanted)
    rows = "".join(c for c in x.letters if c not in both)
    columns = "".join(c for c in y.letters if c not in both)
    letters = batch + rows + columns
    shape = {**dict(zip(x.letters, x.value.shape, strict=True)), **dict(zip(y.letters, y.value.shape, strict=True))}
    few = prod(shape[c] for c in summed) <= FEW
    if few or prod(shape[c] for c in rows + columns + summed) <= SMALL:
        spread = [_spread(b, term, letters + summed, shape) for term in (x, y)]
        last = tuple(range(len(letters), len(letters) + len(summed)))
        if not last:
            return _Term(b, _only_term(b, *spread), letters)
        return _Term(b, b.total(b.map("multiply", *spread), last), letters)
    left, right = x.ordered(batch, rows, summed), y.ordered(batch, summed, columns)
    product = matrix_product(b, left, right)
    return _Term(b, b.graph.reshape(product, tuple(shape[c] for c in letters)), letters)


def _spread(b: Builder, term: _Term, letters: str, shape: dict[str, int]) -> Value:
    """The value with an axis for each letter, of length 1 where it has none."""
    there = [c for c in letters if c in term.letters]
    moved = b.graph.transpose(term.value, tuple(term.letters.index(c) for c in there))
    return b.graph.reshape(moved, tuple(shape[c] if c in there else 1 for c in letters))


HANDLERS: dict[str, Callable] = {
    "matmul": _matmul,
    "vecdot": _vecdot,
    "rows_times": _rows_times,
    "gram": _gram,
    "einsum": _einsum,
}
