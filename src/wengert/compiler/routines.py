"""The steps of a program that are neither kernels nor calls of NumPy's functions."""

from collections.abc import Callable

from wengert.compiler.graph import Value
from wengert.compiler.lapack import emit_routine
from wengert.compiler.product import emit_product
from wengert.compiler.scatter import emit_scan, emit_scatter
from wengert.compiler.writer import Written

__all__ = ["ROUTINES"]

ROUTINES: dict[str, Callable[[Value, str], Written]] = {
    "product": emit_product,
    "scatter": emit_scatter,
    "scan": emit_scan,
    "routine": emit_routine,
}
"""For each kind what writes its text."""
