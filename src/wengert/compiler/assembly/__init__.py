"""The texts of the runtime, and what their two own words mean.

``field`` and ``put`` read and write one field of a record by its name. All fields are words of eight bytes; `FIELDS`
says which there are, for the texts as well as for the Python code that fills the records.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np

__all__ = ["CUTS", "FIELDS", "filled", "index", "spelled"]

CUTS = {"cuts_m": 1, "cuts_n": 2}
"""Which of its two lengths a part of a product is a part of."""

FIELDS: dict[str, tuple[str, ...]] = {
    # Functions and types of this process.
    "environment": ("ndarray", "maker", "scalars", "copier", "equivalent", "nothing", "exception", "pool", "blas"),
    # A program: what it asks of its arguments, and what it does.
    "record": (
        "environment", "free", "nargs", "nnames", "names", "noperands", "operands", "nresults", "results", "nlaunches",
        "launches", "nsteps", "steps", "release", "writes", "next", "instead", "slow", "grow", "owner", "block", "runs",
        "forgives", "lock", "unlock", "expected", "nexpected",
    ),
    # What one call in flight needs for itself. Calls of Python code number `objects`, `fresh` and `views`.
    "state": (
        "next", "pointers", "objects", "fresh", "views", "held", "stack", "read", "whole", "seen", "slots", "spans",
        "failed",
    ),
    "operand": (
        "source", "parent", "where", "kind", "what", "size", "lengths", "flags", "pointer", "written", "bytes",
        "contents", "others", "version", "refused",
    ),
    "result": ("kind", "size", "lengths", "number", "descr", "pointer", "turned"),
    "launch": ("code", "function", "row", "extent", "grain"),
    "guard": ("pointer", "offset", "size", "mask", "expected", "above"),
    "step": ("kind", "what", "count", "offset", "bytes"),
    "template": ("type", "slots", "offset"),
    # Helping threads.
    "pool": (
        "mutex", "work", "done", "busy", "kernel", "pointers", "row", "extent", "grain", "next", "tickets", "active",
        "helpers", "limit", "blas", "stop", "clock", "rest", "patience",
    ),
    "blas": ("mutex", "depth", "libraries"),
    # A module that LLVM compiles, by its functions.
    "job": (
        "before", "claimed", "context", "machine", "text", "parse", "verify", "emit", "dispose", "object", "message",
    ),
    "library": ("get", "set", "threads"),
    # A product of matrices, in BLAS's own terms, and behind it the axes of the stacks, with the steps along them.
    "product": (
        "vector", "turned_a", "turned_b", "m", "n", "k", "one", "lda", "ldb", "zero", "ldc", "cut", "a_along",
        "b_along", "c_along", "axes", "inner",
    ),
    "axis": ("extent", "a", "b", "c"),
}  # fmt: skip


@functools.cache
def index(field: str) -> int:
    """The place of a field, given as ``record.slow``."""
    kind, _, name = field.partition(".")
    return FIELDS[kind].index(name)


def filled(kind: str, rows: Iterable[dict[str, Any]]) -> np.ndarray:
    """A table of records of a kind, each given by those of its fields that are not 0."""
    table = []
    for row in rows:
        line = [0] * len(FIELDS[kind])
        for name, value in row.items():
            line[index(f"{kind}.{name}")] = int(value) & 0xFFFFFFFFFFFFFFFF
        table.append(line)
    return np.array(table, np.uint64).reshape(len(table), len(FIELDS[kind]))


def spelled(name: str, settings: Mapping[str, int] = MappingProxyType({})) -> str:
    """The text of a file of this folder as LLVM reads it."""
    text = files(__package__).joinpath(f"{name}.ll").read_text()
    places = {kind: len(fields) for kind, fields in FIELDS.items()} | CUTS | dict(settings)
    number = iter(range(10**6))

    def place(found: re.Match) -> str:
        return str(index(found[1]) if "." in found[1] else places[found[1]])

    def load(found: re.Match) -> str:
        into, kind, field, record = found.groups()
        at = f"{into}.field"
        return f"{at} = getelementptr i64, ptr {record}, i64 {index(field)}\n  {into} = load {kind}, ptr {at}"

    def store(found: re.Match) -> str:
        kind, value, field, record = found.groups()
        at = f"%put.{next(number)}"
        return f"{at} = getelementptr i64, ptr {record}, i64 {index(field)}\n  store {kind} {value}, ptr {at}"

    text = re.sub(r"\$\{([\w.]+)\}", place, text)
    text = re.sub(r"(?m)(%[\w.]+) = field (\w+) ([\w.]+) (%[\w.]+)$", load, text)
    return re.sub(r"(?m)put (\w+) (\S+), ([\w.]+) (%[\w.]+)$", store, text)
