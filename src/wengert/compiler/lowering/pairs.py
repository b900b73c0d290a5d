"""Complex numbers as pairs of real values: nothing behind the lowering knows of others.

In memory a complex array is an array of floats with one more axis, of length 2. So its real and imaginary parts are
moves out of a stored value, and a complex result is an assembly of two columns. What is done to each part alone is done
by the handlers of real values; products are sums of products of parts.
"""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from wengert.compiler.graph import Value
from wengert.compiler.lowering.builder import Builder
from wengert.compiler.lowering.elementwise import chosen
from wengert.compiler.lowering.rewrites import operation
from wengert.compiler.nested import found_in
from wengert.protocol import Spec, intern_spec

__all__ = [
    "Pair", "Parts", "as_pair", "handled", "is_zero", "multilinear", "number_of", "pair_in", "part_dtype", "stored",
    "times", "truth",
]  # fmt: skip


class Pair:
    """The real and the imaginary part of a complex value; the floats in memory that they are, if they are stored."""

    __slots__ = ("imag", "real", "whole")

    def __init__(self, real: Value, imag: Value, whole: Value | None = None):
        self.real, self.imag, self.whole = real, imag, whole

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        """It is no number of the program's: handlers of real values must not take it for one."""
        raise TypeError("a real value was required; received a pair")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of either part."""
        return self.real.shape

    @property
    def size(self) -> int:
        """How many complex numbers it has."""
        return self.real.size

    @property
    def dtype(self) -> np.dtype:
        """The complex dtype."""
        return np.result_type(self.real.dtype, np.complex64)


def part_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of the parts of complex numbers."""
    return np.dtype(f"f{dtype.itemsize // 2}")


# Values and pairs ---------------------------------------------------------------------------------------------------


def pair_in(b: Builder, whole: Value) -> Pair:
    """The complex numbers that floats with a last axis of length 2 are."""
    rows: list = [slice(None)] * (len(whole.shape) - 1)
    return Pair(b.graph.slices(whole, [*rows, 0]), b.graph.slices(whole, [*rows, 1]), whole)


def stored(b: Builder, z: Pair) -> Value:
    """Floats side by side in memory."""
    if z.whole is None:
        name = f"copy for {z.real.number} and {z.imag.number}"
        columns = [
            b.graph.make("map", (v,), f"{name}.{k}", v.shape, v.dtype) for k, v in enumerate((z.real, z.imag))
        ]  # fmt: skip
        z.whole = b.graph.make("assembly", tuple(columns), None, (*z.shape, 2), z.real.dtype)
    return z.whole


def as_pair(b: Builder, x: Any, dtype: Any) -> Pair:
    """A pair, a real value or a number as a pair of a complex dtype."""
    part = part_dtype(np.dtype(dtype))
    if isinstance(x, Pair):
        return x if x.real.dtype == part else Pair(b.cast(x.real, part), b.cast(x.imag, part))
    if isinstance(x, Value):
        return Pair(b.cast(x, part), b.filled(0, x.shape, part))
    x = np.asarray(x, dtype)
    return Pair(b.value(x.real, part), b.value(x.imag, part))


def number_of(z: Pair) -> complex | None:
    """The number that a pair is everywhere, if the program tells."""
    found = [v.operands[0] if v.kind == "move" else v for v in (z.real, z.imag)]
    return complex(found[0].setting, found[1].setting) if all(v.kind == "literal" for v in found) else None


def is_zero(v: Value) -> bool:
    """Whether a part is zero everywhere, as that of what was real is."""
    v = v.operands[0] if v.kind == "move" else v
    return v.kind == "literal" and not v.setting


def truth(b: Builder, z: Pair) -> Value:
    """Whether numbers are not zero."""
    real, imag = (b.map("not_equal", v, 0, dtype=np.bool_) for v in (z.real, z.imag))
    return b.map("logical_or", real, imag, dtype=np.bool_)


class Parts:
    """Elementwise operations on the parts of complex numbers, all of one dtype; operands may be numbers."""

    def __init__(self, b: Builder, dtype: np.dtype):
        self.b, self.dtype = b, dtype

    def __getattr__(self, name: str) -> Callable:
        """An operation by NumPy's name."""
        return partial(self.map, name)

    def map(self, name: str, *operands: Any) -> Value:
        """An operation that gives floats."""
        return operation(self.b, name, [self.b.value(x, self.dtype) for x in operands], self.dtype)

    def test(self, name: str, *operands: Any) -> Value:
        """An operation that gives truth values."""
        given = [x if isinstance(x, Value) else self.b.value(x, self.dtype) for x in operands]
        return operation(self.b, name, given, np.dtype(np.bool_))

    def where(self, condition: Value, yes: Any, no: Any) -> Value:
        """A choice."""
        return chosen(self.b, condition, yes, no, self.dtype)


def times(p: Parts, x: Pair, y: Pair) -> Pair:
    """The product, each step rounded."""
    real = p.subtract(p.multiply(x.real, y.real), p.multiply(x.imag, y.imag))
    return Pair(real, p.add(p.multiply(x.real, y.imag), p.multiply(x.imag, y.real)))


# Functions of arrays ------------------------------------------------------------------------------------------------


def handled(b: Builder, name: str, handler: Callable | None, spec: Spec, args: Any, kwargs: dict) -> Any:
    """What a call is made of that does the same to both parts, or multiplies; `None` of others."""
    if handler is None or any(found_in(kwargs, Pair)):
        return None
    if name in OF_TRUTH:
        return handler(b, spec, *[truth(b, a) if isinstance(a, Pair) else a for a in args], **kwargs)
    if spec.dtype.kind != "c":
        return None
    real_spec = intern_spec(spec.shape, part_dtype(spec.dtype))
    if name in PRODUCTS:
        return multilinear(b, handler, real_spec, args, kwargs)
    if name not in BY_PARTS:
        return None
    if name == "where" and isinstance(args[0], Pair):
        args = [truth(b, args[0]), *args[1:]]
    data = BY_PARTS[name] if BY_PARTS[name] is not None else range(len(args))
    if any(found_in([a for i, a in enumerate(args) if i not in data], Pair)):
        return None
    parts = [
        handler(b, real_spec, *[_part(b, a, k) if i in data else a for i, a in enumerate(args)], **kwargs)
        for k in range(2)
    ]
    return Pair(*parts) if all(isinstance(v, Value) and v.dtype == real_spec.dtype for v in parts) else None


def _part(b: Builder, x: Any, k: int) -> Any:
    """The real (0) or the imaginary part of an argument."""
    if isinstance(x, Pair):
        return (x.real, x.imag)[k]
    if isinstance(x, Value):
        return b.filled(0, x.shape, x.dtype) if k else x
    if isinstance(x, (tuple, list)):
        return type(x)(_part(b, y, k) for y in x)
    if x is None:  # of which NumPy makes not-a-number, in both parts
        return x
    return (np.real, np.imag)[k](x)


BY_PARTS: dict[str, Any] = {
    "reshape": (0,), "ravel": (0,), "transpose": (0,), "broadcast_to": (0,), "flip": (0,), "diagonal": (0,),
    "on_diagonal": (0,), "tril": (0,), "triu": (0,), "concatenate": None, "stack": None, "pad_zeros": (0,),
    "pad": (0,), "roll": (0,), "repeat": (0,), "differences": (0,), "copy": (0,), "where": (1, 2), "getitem": (0,),
    "bincount": (0,), "permute": (0,), "slide": (0,), "slide_back": (0,), "sum": (0,),
    "cumsum": (0,), "rounded_complex": (0,), "wengert._item": (0,), "wengert._assigned": (0, 1),
    "wengert._added": (0, 1), "wengert.assembled": None, "wengert.zeros": (),
}  # fmt: skip
"""Functions that do the same to both parts, and the positions of the arguments that have parts (`None`: all)."""
PRODUCTS = {"matmul", "vecdot", "rows_times", "einsum", "convolve_valid", "convolve_all", "cross"}
"""Functions that are linear in each of their operands."""
OF_TRUTH = {"wengert.any", "wengert.all", "wengert.count_nonzero", "wengert._count"}
"""Functions that ask only whether numbers are zero."""


def multilinear(b: Builder, handler: Callable, spec: Spec, args: Any, kwargs: dict) -> Pair | None:
    """Products of parts: those of an even number of imaginary ones are real, and each two of them turn the sign."""
    pairs = [i for i, a in enumerate(args) if isinstance(a, Pair)]
    if not 0 < len(pairs) <= 2:
        return None
    found: list[Value | None] = [None, None]
    for choice in product((0, 1), repeat=len(pairs)):
        given = list(args)
        for i, k in zip(pairs, choice, strict=True):
            given[i] = _part(b, args[i], k)
        term = handler(b, spec, *given, **kwargs)
        if term is None:
            return None
        k, before = sum(choice) % 2, found[sum(choice) % 2]
        found[k] = term if before is None else b.map("subtract" if sum(choice) == 2 else "add", before, term)
    real, imag = found
    assert real is not None and imag is not None
    return Pair(real, imag)
