"""What a tape holds: `saved_bytes`."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box
from wengert.protocol import Wrapper
from wengert.transforms.containers import flatten
from wengert.transforms.reverse import vjp

__all__ = ["SavedBytes", "saved_bytes"]


@dataclass(frozen=True)
class SavedBytes:
    """The memory that a tape holds for its backward pass; printed as a table, largest first."""

    total: int
    """Bytes of all arrays, each counted once."""
    operations: dict[str, tuple[int, int]]
    """For each operation how often it was recorded, and the bytes of the arrays that it was the first to keep."""
    inputs: int
    """Bytes of the leaves' own arrays among them, which are there without the tape as well."""

    def __int__(self) -> int:
        return self.total

    def __str__(self) -> str:
        width = max([9, *map(len, self.operations)])
        rows = [f"{'operation':<{width}}  {'calls':>7}  {'bytes':>13}"]
        for name, (calls, size) in sorted(self.operations.items(), key=lambda item: -item[1][1]):
            rows.append(f"{name:<{width}}  {calls:>7}  {size:>13,}")
        calls = sum(calls for calls, _ in self.operations.values())
        rows.append(f"{'total':<{width}}  {calls:>7}  {self.total:>13,}")
        rows.append(f"of which {self.inputs:,} are the inputs' own")
        return "\n".join(rows)


def saved_bytes(x: Any, *args: Any, **kwargs: Any) -> SavedBytes:
    """What the tape behind a value holds, by operation.

    Parameters
    ----------
    x : tensor, nested containers of tensors, or callable
        Recorded values; or a function, whose tape for all of `args` is measured by running it.
    *args, **kwargs
        Arguments of the function.

    Returns
    -------
    SavedBytes
        With ``total``, ``operations`` and ``inputs``; ``print`` shows a table.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> x = wg.tensor(np.ones(1000), requires_grad=True)
    >>> print(wg.saved_bytes(np.sum(np.exp(x) * 2.0)))
    operation    calls          bytes
    exp              1          8,000
    multiply         1              0
    sum              1              0
    total            3          8,000
    of which 0 are the inputs' own
    >>> wg.saved_bytes(lambda a, b: np.sum(a * b), np.ones(10), np.ones(10)).total
    160
    """
    if callable(x) and not isinstance(x, Wrapper):
        return _of_function(x, args, kwargs)
    return _measured([leaf for leaf in flatten(x)[0] if isinstance(leaf, Box)], set())


def _of_function(f: Callable, args: tuple, kwargs: dict) -> SavedBytes:
    inputs = {id(_buffer(a)) for a in flatten((args, kwargs))[0] if isinstance(a, np.ndarray)}
    found: list[SavedBytes] = []

    def measured(*given: Any) -> Any:
        # The arguments are copied by `vjp`: their buffers are known here only.
        inputs.update(id(_buffer(t._value)) for t in flatten(given)[0] if isinstance(t, Box))
        out = f(*given, **kwargs)
        found.append(_measured([leaf for leaf in flatten(out)[0] if isinstance(leaf, Box)], inputs))
        return 0.0

    vjp(measured, *args)
    return found[0]


def _measured(boxes: list, inputs: set[int]) -> SavedBytes:
    """Walk the tape from tensors, the newest operations first."""
    operations: dict[str, tuple[int, int]] = {}
    seen: set[int] = set()
    total = own = 0
    nodes = _tape([t._node for t in boxes if t._node is not None])
    for leaf in nodes:
        if isinstance(leaf, tape.Leaf) and leaf.owner is not None and leaf.owner() is not None:
            inputs.update(id(_buffer(a)) for a in _arrays(leaf.owner()))
    for node in nodes:
        if isinstance(node, tape.Leaf):
            continue
        size = 0
        for array in _arrays((getattr(node, "s0", None), getattr(node, "s1", None))):
            buffer = _buffer(array)
            if id(buffer) not in seen:
                seen.add(id(buffer))
                size += buffer.nbytes
                own += buffer.nbytes if id(buffer) in inputs else 0
        calls, before = operations.get(node.name, (0, 0))
        operations[node.name] = calls + 1, before + size
        total += size
    return SavedBytes(total, operations, own)


def _tape(starts: list) -> list:
    """All nodes that lead to the given ones, from the oldest on."""
    found: dict[int, Any] = {}
    waiting = list(starts)
    while waiting:
        node = waiting.pop()
        if id(node) not in found and node.rule is not tape.freed:
            found[id(node)] = node
            waiting += _parents(node)
    return sorted(found.values(), key=lambda node: -node.order)


def _parents(node: Any) -> list:
    p0, p1 = getattr(node, "p0", None), getattr(node, "p1", None)
    return [p for p in (*(p0 if isinstance(p0, tuple) else (p0,)), p1) if p is not None]


def _buffer(array: Any) -> Any:
    """The array that owns the memory."""
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    return array


_OWN = ("wengert.transforms.", "wengert.dialects.")


def _arrays(value: Any) -> Iterator[Any]:
    """The arrays and NumPy scalars in whatever an operation keeps."""
    waiting, seen = [value], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, (np.ndarray, np.generic)):
            yield value
        elif id(value) not in seen:
            seen.add(id(value))
            waiting += _parts(value)


def _parts(value: Any) -> list:
    if isinstance(value, (tuple, list)):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, functools.partial):
        return [*value.args, getattr(value.func, "__self__", None)]
    if isinstance(value, tape.Node) or value is None:
        return []
    if isinstance(value, Wrapper):
        return [getattr(value, slot, None) for slot in ("_value", "_tangent")]
    if type(value).__module__.startswith(_OWN):
        return [part for name, part in getattr(value, "__dict__", {}).items() if name != "steps"]
    return []
