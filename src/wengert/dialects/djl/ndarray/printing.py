"""The printed form of arrays.

Numbers of one array share a width and a number of decimals: up to four, trailing zeros left blank, or, where they
range over more than three powers of ten or lie beyond 1e8 or below 1e-4, an exponent with eight.
"""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np

PRECISION = 8


def layout(values: np.ndarray, max_size: int, max_depth: int, max_rows: int, max_columns: int) -> str:
    """The lines below the header."""
    if not values.size:
        return "[]"
    if values.ndim and values.size > max_size:
        return "[ Exceed max print size ]"
    if values.ndim > max_depth:
        return "[ Exceed max print dimension ]"
    form = _formatter(values)
    if not values.ndim:
        return form(values.item())
    return "".join(_nested(values, form, 0, max_rows, max_columns))[:-1]


def _nested(values: np.ndarray, form: Callable, depth: int, max_rows: int, max_columns: int) -> list[str]:
    close = "]\n" if not depth else "],\n"
    if values.ndim == 1:
        return ["[", *_row(values, form, max_columns), close]
    parts = ["["]
    for i, part in enumerate(values[:max_rows]):
        parts += [" " * (depth + 1) if i else "", *_nested(part, form, depth + 1, max_rows, max_columns)]
    if len(values) > max_rows:
        parts.append(f"{' ' * (depth + 1)}... {len(values) - max_rows} more")
    return [*parts, " " * depth, close]


def _row(values: np.ndarray, form: Callable, max_columns: int) -> list[str]:
    hidden = len(values) - max_columns
    return [", ".join(map(form, values[:max_columns].tolist())), f", ... {hidden} more" if hidden > 0 else ""]


def _formatter(values: np.ndarray) -> Callable[[Any], str]:
    kind = values.dtype.kind
    if kind == "b":
        return lambda v: " true" if v else "false"
    if values.dtype == np.uint8:
        return lambda v: f"0x{v:02X}"
    if kind in "iu":
        return _integers(values)
    if kind == "c":
        return str
    return _floats(values)


def _digits(largest: float) -> int:
    return int(math.log10(largest)) + 1 if largest else 1


def _integers(values: np.ndarray) -> Callable[[int], str]:
    if values.size == 1:
        return str
    numbers = list(map(int, values.ravel().tolist()))
    largest = max(map(abs, numbers))
    if largest >= 1e8:
        precision = min(PRECISION, _digits(largest))
        return lambda v: f"{float(np.float32(v)): .{precision}e}"
    negative = max((-n for n in numbers if n < 0), default=0)
    width = max(_digits(largest), _digits(negative) + 1)
    return lambda v: f"{v:{width}d}"


def _floats(values: np.ndarray) -> Callable[[float], str]:
    """Java rounds the shortest decimal of a number half up; Python rounds the number itself."""
    numbers = values.astype(float).ravel()
    finite = numbers[np.isfinite(numbers)]
    whole, fraction, exponent_fraction = _widths(finite.tolist())
    odd = max((4 if v < 0 else 3 for v in numbers[~np.isfinite(numbers)]), default=0)
    sizes = np.abs(finite)
    largest, smallest = sizes.max(initial=0.0), sizes[sizes > 0].min(initial=np.finfo(float).max)
    if largest > 1e8 or smallest < 1e-4 or largest / smallest > 1000:
        width = max(odd, min(PRECISION, exponent_fraction) + 4 + bool(np.any(numbers < 0)))
        return lambda v: _special(v, width) or f"{v: .{PRECISION}e}"
    decimals = min(4, fraction)
    width = max(odd, whole + decimals + 1)

    def fixed(v: float) -> str:
        if not math.isfinite(v):
            return _special(v, width)
        rounded = f"{_half_up(v, decimals):.{decimals}f}"
        if not decimals:
            return f"{rounded:>{width - 1}}."
        text = f"{rounded:>{width}}"
        bare = text.rstrip("0")
        return bare + " " * (len(text) - len(bare))

    return fixed


def _half_up(v: float, decimals: int) -> Decimal:
    return Decimal(repr(v)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _special(v: float, width: int) -> str:
    return "" if math.isfinite(v) else f"{'nan' if math.isnan(v) else 'inf' if v > 0 else '-inf':>{width}}"


def _widths(numbers: list[float]) -> tuple[int, int, int]:
    """The largest number of places before the point and after it, and after it in exponent form of six decimals."""
    whole = fraction = exponent_fraction = 0
    for v in numbers:
        size = abs(v)
        mantissa, exponent = f"{Decimal(repr(size)):.6e}".split("e") if size else ("0.000000", "0")
        places = len(mantissa.rstrip("0")) - 2
        exponent_fraction = max(exponent_fraction, places)
        if size >= 1:
            digits = int(math.log10(size)) + 1 + (v < 0)
            whole, fraction = max(whole, digits), max(fraction, places + 1 - digits)
        else:
            whole, fraction = max(whole, 1 + (v < 0)), max(fraction, places + abs(int(exponent)))
    return whole, fraction, exponent_fraction
