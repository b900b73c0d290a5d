"""Printed forms: four decimals, one width for all elements, the middle of what is long left out."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.torch import dtypes
from wengert.dialects.torch.errors import OptionError


@dataclass
class Options:
    """How tensors are printed."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


OPTIONS = Options()
PROFILES = {"default": (4, 1000, 3, 80), "short": (2, 1000, 2, 80), "full": (4, math.inf, 3, 80)}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors are printed; what is left out stays as it is, but for `sci_mode`."""
    if profile is not None:
        if profile not in PROFILES:
            raise OptionError(f"[set_printoptions] a profile in {sorted(PROFILES)} was required; received {profile!r}")
        names = ("precision", "threshold", "edgeitems", "linewidth")
        for name, value in zip(names, PROFILES[profile], strict=True):
            setattr(OPTIONS, name, value)
    given: dict[str, Any] = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    for name, value in given.items():
        if value is not None:
            setattr(OPTIONS, name, value)
    OPTIONS.sci_mode = sci_mode


def text_of(t: Any, prefix: str = "tensor(") -> str:
    """The printed form of a tensor."""
    value = np.asarray(bare(t))
    suffixes = []
    default = dtypes.default_dtype()
    if not value.size:
        if value.ndim != 1:
            suffixes.append(f"size={tuple(value.shape)}")
        if value.dtype != default:
            suffixes.append(f"dtype={t.dtype}")
        text = "[]"
    else:
        if value.dtype not in (default, dtypes.default_complex(), np.int64, np.bool_):
            suffixes.append(f"dtype={t.dtype}")
        text = _array_text(value, len(prefix))
    if t.grad_fn is not None:
        suffixes.append(f"grad_fn=<{t.grad_fn.name().rpartition('::')[2]}>")
    elif t.requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + text, suffixes, len(prefix))


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """The suffixes, each on the last line if there is room."""
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > OPTIONS.linewidth:
            text += ",\n" + " " * indent + suffix
            length = indent + len(suffix)
        else:
            text += ", " + suffix
            length += len(suffix) + 2
    return text + ")"


def _array_text(value: np.ndarray, indent: int) -> str:
    summarised = value.size > OPTIONS.threshold
    shown = _edges(value) if summarised else value
    if value.dtype.kind == "c":
        real, imag = _formatter(shown.real), _formatter(shown.imag)
        width = len(real(shown.ravel()[0].real)) + len(imag(shown.ravel()[0].imag)) + 1

        def form(z: Any) -> str:
            sign = "" if np.signbit(z.imag) or imag(z.imag).lstrip()[:1] == "-" else "+"
            return real(z.real) + sign + imag(z.imag).lstrip() + "j"
    else:
        form = _formatter(shown)
        width = len(form(shown.ravel()[0]))
    return _nested(value, indent, summarised, form, width)


def _edges(value: np.ndarray) -> np.ndarray:
    """The elements that are shown of an array that is summarised."""
    for axis, n in enumerate(value.shape):
        if n > 2 * OPTIONS.edgeitems:
            ends = [*range(OPTIONS.edgeitems), *range(n - OPTIONS.edgeitems, n)]
            value = np.take(value, ends, axis)
    return value


def _formatter(shown: np.ndarray) -> Callable[[Any], str]:
    """A function that writes an element in the width that all need."""
    if shown.dtype.kind not in "f":
        width = max(len(str(v)) for v in shown.ravel().tolist())
        return lambda v: str(v.item()).rjust(width)
    values = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
    whole, scientific = True, False
    if values.size:
        sizes = np.abs(values)
        largest, smallest = sizes.max(), sizes.min()
        whole = bool(np.all(values == np.ceil(values)))
        scientific = largest / smallest > 1000 or largest > 1e8 or (not whole and smallest < 1e-4)
    if OPTIONS.sci_mode is not None:
        scientific = OPTIONS.sci_mode
    write = _writer(whole, scientific)
    width = max((len(write(v)) for v in values.tolist()), default=1)
    return lambda v: write(v.item()).rjust(width)


def _writer(whole: bool, scientific: bool) -> Callable[[float], str]:
    precision = OPTIONS.precision
    if scientific:
        return lambda v: f"{v:.{precision}e}"
    if whole:
        return lambda v: f"{v:.0f}." if math.isfinite(v) else f"{v:.0f}"
    return lambda v: f"{v:.{precision}f}"


def _nested(value: np.ndarray, indent: int, summarised: bool, form: Callable, width: int) -> str:
    if not value.ndim:
        return form(value[()])
    edge = OPTIONS.edgeitems
    cut = summarised and len(value) > 2 * edge
    shown = [*range(edge), *range(len(value) - edge, len(value))] if cut else range(len(value))
    if value.ndim > 1:
        parts = [_nested(value[i], indent + 1, summarised, form, width) for i in shown]
        if cut:
            parts.insert(edge, "...")
        return "[" + ("," + "\n" * (value.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
    parts = [form(value[i]) for i in shown]
    if cut:
        parts.insert(edge, " ...")
    per_line = max(1, math.floor((OPTIONS.linewidth - indent) / (width + 2)))
    lines = [", ".join(parts[i : i + per_line]) for i in range(0, len(parts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
