"""Types and constants in LLVM's text: ``double``, ``<8 x double>`` and what is made of them."""

import re
from collections.abc import Iterable

import numpy as np

__all__ = [
    "kind_of",
    "lanes_of",
    "number",
    "pointer_from_row",
    "scalar_of",
    "short",
    "shuffle",
    "truth_kind",
    "with_scalar",
]


def lanes_of(kind: str) -> int:
    """The lanes of a vector's type; 0 of a scalar's."""
    found = re.match(r"<(\d+) x", kind)
    return int(found[1]) if found else 0


def scalar_of(kind: str) -> str:
    """The type of a lane."""
    return kind.rsplit(" ", 1)[-1].rstrip(">") if kind[0] == "<" else kind


def kind_of(scalar: str, lanes: int) -> str:
    """A vector's type, or with no lanes the scalar's."""
    return f"<{lanes} x {scalar}>" if lanes else scalar


def with_scalar(kind: str, scalar: str) -> str:
    """The type of as many lanes of another scalar."""
    return kind_of(scalar, lanes_of(kind))


def truth_kind(kind: str) -> str:
    """The type of the truth values of a comparison."""
    return with_scalar(kind, "i1")


def bits_kind(kind: str) -> str:
    """The integers of the same size as the floats."""
    return with_scalar(kind, "i64" if scalar_of(kind) == "double" else "i32")


def number(kind: str, value: float) -> str:
    """A constant, the same in all lanes: floats by their bits, those of float32 widened."""
    scalar = scalar_of(kind)
    if scalar in ("float", "double"):
        value = float(np.float32(value)) if scalar == "float" else value
        text = f"0x{int(np.float64(value).view(np.uint64)):016X}"
    elif scalar == "i1":
        text = "true" if value else "false"
    else:
        text = str(int(value))
    return f"splat ({scalar} {text})" if kind[0] == "<" else text


def short(kind: str) -> str:
    """The type as the names of intrinsics have it: ``v8f64``."""
    scalar = scalar_of(kind)
    name = {"double": "f64", "float": "f32"}.get(scalar, scalar)
    return f"v{lanes_of(kind)}{name}" if kind[0] == "<" else name


def shuffle(kind: str, first: str, second: str, lanes: Iterable[int]) -> str:
    """The text of an instruction that takes lanes of two vectors of a type, counted through both."""
    places = [f"i32 {k}" for k in lanes]
    return f"shufflevector {kind} {first}, {kind} {second}, <{len(places)} x i32> <{', '.join(places)}>"


def pointer_from_row(k: int) -> list[str]:
    """The lines by which a step finds ``%p0``, ``%p1`` …: the first element of what entry `k` of its row names."""
    return [
        f"%r{k} = getelementptr {{ i64, i64 }}, ptr %row, i64 {k}",
        f"%n{k} = load i64, ptr %r{k}",
        f"%a{k} = getelementptr ptr, ptr %pointers, i64 %n{k}",
        f"%b{k} = load ptr, ptr %a{k}",
        f"%s{k} = getelementptr {{ i64, i64 }}, ptr %row, i64 {k}, i32 1",
        f"%o{k} = load i64, ptr %s{k}",
        f"%p{k} = getelementptr i8, ptr %b{k}, i64 %o{k}",
    ]
