"""Comparing numbers and results, and saying which are farthest off."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertError
from wengert.tensor import Tensor
from wengert.testing.calls import Call, double, plain
from wengert.transforms.containers import flatten

__all__ = ["CheckError", "approximate", "exact", "rounds", "same_result", "text", "worst"]


class CheckError(WengertError, AssertionError):
    """A gradient is not what differences say, or a rule breaks a contract."""


def worst(
    what: str,
    names: Sequence[str],
    got: Sequence,
    expected: Sequence,
    rtol: float,
    atol: float | Sequence[float],
    steps: Sequence | None = None,
) -> str | None:
    """A report of the entry that is farthest off, `None` if all are near enough.

    `steps` are those of the differences that gave what is expected, if it was these; `atol` may be one for each array.
    """
    floors = [atol] * len(names) if isinstance(atol, float) else list(atol)
    found, off, count, total = None, 1.0, 0, 0
    for k, (name, a, b) in enumerate(zip(names, got, expected, strict=True)):
        a, b = np.asarray(plain(a)), np.asarray(plain(b))
        if a.shape != b.shape:
            return f"{what}: of {name}, got shape {a.shape}, expected shape {b.shape}"
        distance = np.asarray(np.abs(a - b) / (floors[k] + rtol * np.abs(b)))
        distance = np.where(np.isnan(distance), np.inf, distance)
        count, total = count + int(np.sum(distance > 1)), total + distance.size
        if distance.size and distance.max() > off:
            index = tuple(map(int, np.unravel_index(distance.argmax(), distance.shape)))
            off, found = distance.max(), _entry(name, index, a[index], b[index], steps and steps[k])
    return (
        f"{what}: {found}; {count} entries are off, of {total} (rtol={rtol:.3g}, atol={max(floors):.3g})"
        if found
        else None
    )


def _entry(name: str, index: tuple, got: Any, expected: Any, step: Any) -> str:
    relative = float(np.abs(got - expected) / np.abs(expected)) if expected else np.inf
    by = f" by differences with step {step[index]:.2g}" if step is not None else ""
    return f"worst is {name}, index {index}: got {got}, expected {expected}{by}, relative error {relative:.2g}"


def exact(call: Call) -> dict[str, Any]:
    """Tolerances for numbers that only rounding keeps apart."""
    unit = max((np.finfo(x.dtype).eps for x in (*call.inputs, *call.cotangents)), default=0.0)
    return {"rtol": 1e3 * float(unit), "atol": 1e3 * float(unit)} if unit < 1e-4 else {"rtol": 1e-2, "atol": 1e-2}


def approximate(call: Call) -> dict[str, Any]:
    """Tolerances and step for differences, which are longer if the function itself rounds to single precision."""
    if not call.single:
        return {"rtol": 1e-7, "atol": 1e-7, "eps": 1e-3}
    return {"rtol": 1e-3, "atol": 1e-3, "eps": 1e-2 if rounds(call) else 1e-3}


def rounds(call: Call) -> bool:
    """Whether the function itself has results of single precision or less, whatever it is given."""
    return call.single and any(np.finfo(y.dtype).bits < 64 for y in call(*map(double, call.inputs)))


def same_result(got: Any, expected: Any, tolerance: dict[str, Any], where: str = "the result") -> str | None:
    """Compare value, shape, dtype and type with NumPy's own."""
    if isinstance(expected, (list, tuple)):
        if type(got) is not type(expected) or len(got) != len(expected):
            return f"{where} is {text(got)}; on plain arrays {text(expected)}"
        reports = (
            same_result(a, b, tolerance, f"item {i} of {where}")
            for i, (a, b) in enumerate(zip(got, expected, strict=True))
        )
        return next(filter(None, reports), None)
    value = plain(got)
    (leaves, structure), (others, other_structure) = flatten(expected), flatten(value)
    if structure is not None:
        if structure != other_structure:
            return f"{where} is {text(got)}; on plain arrays {text(expected)}"
        reports = (
            same_result(a, b, tolerance, f"part {i} of {where}")
            for i, (a, b) in enumerate(zip(others, leaves, strict=True))
        )
        return next(filter(None, reports), None)
    if not isinstance(expected, (np.ndarray, np.generic)):
        same = type(value) is type(expected) and (value == expected or (value != value and expected != expected))
        return None if same else f"{where} is {text(value)}; on plain arrays {text(expected)}"
    # A tensor without axes holds a scalar, also where NumPy makes an array without axes.
    kinds = {np.ndarray, expected.dtype.type} if isinstance(got, Tensor) and not expected.ndim else {type(expected)}
    if type(value) not in kinds or value.dtype != expected.dtype or value.shape != expected.shape:
        return f"{where} is {text(value)}; on plain arrays {text(expected)}"
    if not np.allclose(value, expected, **tolerance, equal_nan=True):
        return f"{where} is {value}; on plain arrays {expected}"
    return None


def text(value: Any) -> str:
    """Type, shape and dtype of a value."""
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{type(value).__name__} of {value.dtype}{list(value.shape)}"
    return f"{type(value).__name__} {value!r}"
