"""Totals: numbers combined along axes, in a register's worth of memory or in an array.

Long sums are compensated: what each addition rounds away is found exactly (Knuth's two-sum) and added up beside, so a
sum of any length is as good as a sum of a few numbers.
"""

from typing import Any

import numpy as np

from wengert.compiler.lines import TYPES, Writer, literal
from wengert.compiler.textkinds import shuffle
from wengert.compiler.vectormath import Target, function_call

__all__ = ["BLOCK", "Accumulator", "across", "combined", "identity_of"]

PLAIN = 16
"""Up to so many additions one after the other are not compensated."""
BLOCK = 8
"""So many are not in blocks of long sums, where hardly anything else is done."""


def identity_of(operation: str, dtype: np.dtype) -> Any:
    """What totals begin with. A sum begins with 0.0, as NumPy's does: the sum of negative zeros is 0.0."""
    if operation in ("add", "multiply"):
        return dtype.type(operation == "multiply")
    if dtype.kind == "b":
        return operation == "minimum"
    if dtype.kind == "f":
        return dtype.type(-np.inf if operation == "maximum" else np.inf)
    limits = np.iinfo(dtype)
    return limits.min if operation == "maximum" else limits.max


def combined(w: Writer, target: Target, operation: str, dtype: np.dtype, kind: str, a: str, b: str) -> str:
    """Two numbers as one."""
    if dtype.kind == "b":
        return w.op(f"{'or' if operation in ('add', 'maximum') else 'and'} {kind} {a}, {b}")
    return w.op(function_call(target, operation, [(kind, a), (kind, b)], kind, w.op, dtype.kind == "i"))


def across(w: Writer, target: Target, operation: str, dtype: np.dtype, value: str) -> str:
    """One number from the lanes of a vector, by halves."""
    scalar, width = TYPES[dtype.char], w.width
    while width > 1:
        half, kind = width // 2, f"<{width} x {scalar}>"
        a = w.op(shuffle(kind, value, "poison", range(half)))
        b = w.op(shuffle(kind, value, "poison", range(half, width)))
        value = combined(w, target, operation, dtype, f"<{half} x {scalar}>", a, b)
        width = half
    return w.op(f"extractelement <1 x {scalar}> {value}, i64 0")


class Accumulator:
    """A running total on the stack: one number, or one for each lane.

    Parameters
    ----------
    additions : int
        How many numbers are combined one after the other.
    running : bool
        Whether it is wanted at each step; then a sum begins with the first number, which may be -0.0.
    pairs : bool
        Whether what is not a number may be noted for two lanes at once, beside extrema: they are combined in the end,
        and are those of several registers.
    """

    def __init__(
        self, w: Writer, target: Target, operation: str, dtype: np.dtype, varies: bool, additions: int,
        running: bool = False, pairs: bool = False,
    ):  # fmt: skip
        self.w, self.target, self.operation, self.dtype, self.varies = w, target, operation, dtype, varies
        self.kind = w.kind(TYPES[dtype.char], varies)
        self.where = w.local(self.kind)
        long = operation == "add" and dtype.kind == "f" and additions > PLAIN
        self.lost = w.local(self.kind) if long else None
        starts_below = running and operation == "add" and dtype.kind == "f"
        self.first = dtype.type(-0.0) if starts_below else identity_of(operation, dtype)
        self.block: str | None = None
        """Where the total of a block is, while it is taken."""
        self.nans = None
        if pairs and varies and operation in ("maximum", "minimum") and dtype.kind == "f":
            self.nans = w.local(f"<{w.width // 2} x i1>")

    def constant(self, number: Any) -> str:
        """A number, in all lanes if there are any."""
        text = literal(number, self.dtype)
        return self.w.repeated(text, TYPES[self.dtype.char]) if self.varies else text

    def begin(self) -> None:
        """Start afresh."""
        self.w.put(f"store {self.kind} {self.constant(self.first)}, ptr {self.where}")
        if self.lost:
            self.w.put(f"store {self.kind} {self.constant(0)}, ptr {self.lost}")
        if self.nans:
            self.w.put(f"store <{self.w.width // 2} x i1> zeroinitializer, ptr {self.nans}")

    def begin_block(self) -> None:
        """Take a few numbers without care."""
        self.block = self.w.local(self.kind)
        self.w.put(f"store {self.kind} {self.constant(0)}, ptr {self.block}")

    def end_block(self) -> None:
        """Take what they came to."""
        total, self.block = self.w.op(f"load {self.kind}, ptr {self.block}"), None
        self.take(total)

    def take(self, x: str, mask: str | None = None) -> None:
        """Add a number; lanes that the mask leaves out are not meant."""
        w, kind = self.w, self.kind
        if mask is not None:
            unchanged = self.constant(identity_of(self.operation, self.dtype))
            x = w.op(f"select <{w.width} x i1> {mask}, {kind} {x}, {kind} {unchanged}")
        if self.nans:
            self.take_extremum(x)
            return
        where = self.block or self.where
        old = w.op(f"load {kind}, ptr {where}")
        new = combined(w, self.target, self.operation, self.dtype, kind, old, x)
        w.put(f"store {kind} {new}, ptr {where}")
        if not self.lost or self.block:
            return
        part = w.op(f"fsub {kind} {new}, {old}")
        rest = w.op(f"fsub {kind} {new}, {part}")
        first = w.op(f"fsub {kind} {old}, {rest}")
        second = w.op(f"fsub {kind} {x}, {part}")
        lost = w.op(f"fadd {kind} {first}, {second}")
        before = w.op(f"load {kind}, ptr {self.lost}")
        w.put(f"store {kind} {w.op(f'fadd {kind} {before}, {lost}')}, ptr {self.lost}")

    def take_extremum(self, x: str) -> None:
        """Keep the larger (or smaller) number in each lane; what is not a number is noted, for two lanes together."""
        w, kind, half = self.w, self.kind, self.w.width // 2
        old = w.op(f"load {kind}, ptr {self.where}")
        beyond = w.op(f"fcmp {'ogt' if self.operation == 'maximum' else 'olt'} {kind} {x}, {old}")
        new = w.op(f"select <{w.width} x i1> {beyond}, {kind} {x}, {kind} {old}")
        w.put(f"store {kind} {new}, ptr {self.where}")
        low, high = (w.shuffled(kind, x, "poison", list(range(start, start + half))) for start in (0, half))
        found = w.op(f"fcmp uno <{half} x {TYPES[self.dtype.char]}> {low}, {high}")
        before = w.op(f"load <{half} x i1>, ptr {self.nans}")
        w.put(f"store <{half} x i1> {w.op(f'or <{half} x i1> {before}, {found}')}, ptr {self.nans}")

    def with_nans(self, total: str) -> str:
        """The total, with what has been noted."""
        w, kind, half = self.w, self.kind, self.w.width // 2
        found = w.op(f"load <{half} x i1>, ptr {self.nans}")
        both = w.shuffled(f"<{half} x i1>", found, "poison", [*range(half), *range(half)])
        return w.op(f"select <{w.width} x i1> {both}, {kind} {self.constant(np.nan)}, {kind} {total}")

    def total(self) -> str:
        """What it has come to; where it is infinite there is nothing to correct."""
        w, kind = self.w, self.kind
        total = w.op(f"load {kind}, ptr {self.where}")
        if self.nans:
            return self.with_nans(total)
        if not self.lost:
            return total
        lost = w.op(f"load {kind}, ptr {self.lost}")
        corrected = w.op(f"fadd {kind} {total}, {lost}")
        some = w.op(f"fcmp one {kind} {lost}, {self.constant(0)}")
        return w.op(f"select {w.kind('i1', self.varies)} {some}, {kind} {corrected}, {kind} {total}")
