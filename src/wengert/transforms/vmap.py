"""`vmap`: a function of single examples as a function of batches."""

import ctypes
import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import alias, plain, unbox
from wengert.errors import ArgumentError, BatchError, ShapeError
from wengert.protocol import Wrapper, new_level, spec_of
from wengert.transforms.batching import Batch, stretched
from wengert.transforms.containers import NAMESPACE, flatten, rebuild
from wengert.transforms.lifted import opened

__all__ = ["loop_map", "vmap"]


def vmap(
    f: Callable,
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_size: int | None = None,
    chunk_size: int | None = None,
    fallback: str = "error",
) -> Callable:
    """A function that does for a whole batch what `f` does for one example.

    `f` runs once, on arrays that have one axis more than it sees; nothing is looped over but functions without a
    batching rule, of which a `wengert.errors.BatchWarning` tells.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    in_axes : int, None, or a sequence with an entry for each positional argument
        The axis along which an argument holds the examples; `None`: every example gets the whole argument. An entry
        may be a container like its argument. Keyword arguments hold them along axis 0.
    out_axes : int, None, or a container like the value of ``f``
        Where the batch axis goes in the results; `None` where a result is the same for all examples.
    axis_size : int, optional
        Length of the batch; needed only where no argument has a batch axis.
    chunk_size : int, optional
        Run at most so many examples at once, to bound the memory.
    fallback : {"error", "loop"}
        What to do where a program needs one number of a batch (``if x > 0``, ``float(x)``), or draws random numbers:
        raise, or run the whole function once for each example.

    Returns
    -------
    callable
        With ``f``'s arguments.

    Raises
    ------
    ShapeError
        If an argument has no such axis, or the lengths differ.
    BatchError
        Where a program needs one number of a batch.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> print(wg.vmap(wg.grad(lambda x: np.sum(x**2)))(np.array([[1.0, 2.0], [3.0, 4.0]])))
    [[2. 4.]
     [6. 8.]]
    >>> print(wg.vmap(lambda x, y: x * y, in_axes=(0, None))(np.arange(3.0), 2.0))
    [0. 2. 4.]
    """
    check_chunk_size("vmap", chunk_size)
    if fallback not in ("error", "loop"):
        raise ArgumentError(f"[vmap] fallback 'error' or 'loop' was required; received {fallback!r}")
    run_chunk = functools.partial(_batch_or_loop, fallback=fallback)
    return _mapped(f, in_axes, out_axes, axis_size, chunk_size, run_chunk)


def check_chunk_size(operation: str, size: Any) -> None:
    """Refuse what is no number of examples."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1):
        raise ArgumentError(f"[{operation}] a chunk_size of 1 or more, or None, was required; received {size!r}")


def loop_map(f: Callable, in_axes: Any = 0, out_axes: Any = 0, chunk_size: int | None = None) -> Callable:
    """What `vmap` gives, by one run of `f` for each example (for arrays that are of more than one class)."""
    return _mapped(f, in_axes, out_axes, None, chunk_size, _as_loop)


def _mapped(
    f: Callable, in_axes: Any, out_axes: Any, axis_size: int | None, chunk_size: int | None, run_chunk: Callable
) -> Callable:
    if not callable(f):
        raise ArgumentError(f"[vmap] a function was required; received {type(f).__name__} {f!r}")

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def vmap_f(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))
        axes = [in_axes] * len(leaves) if type(in_axes) is int else _axes_of(in_axes, args, kwargs)
        axes = [None if x is None else axis for x, axis in zip(leaves, axes, strict=True)]  # empty places in containers
        n = _length(f, leaves, axes, axis_size)
        moved = [x if axis is None else _in_front(x, axis) for x, axis in zip(leaves, axes, strict=True)]
        mapped = [axis is not None for axis in axes]
        run = functools.partial(_run, f, structure, mapped)
        size = chunk_size or max(n, 1)
        parts = []
        for start in range(0, max(n, 1), size):
            some = [x[start : start + size] if ours else x for x, ours in zip(moved, mapped, strict=True)]
            parts.append(run_chunk(run, some, min(size, n - start), out_axes))
        return _joined(parts)

    return vmap_f


# Arguments -------------------------------------------------------------------------------------------------------


def _axes_of(in_axes: Any, args: tuple, kwargs: dict) -> list:
    """The batch axis of each leaf of the arguments."""
    if isinstance(in_axes, (tuple, list)):
        if len(in_axes) != len(args):
            raise ArgumentError(
                f"[vmap] in_axes with an entry for each positional argument were required; received {len(in_axes)} "
                f"entries for {len(args)} arguments"
            )
        given = tuple(in_axes)
    else:
        given = (in_axes,) * len(args)
    return spread((given, dict.fromkeys(kwargs, 0)), (args, kwargs))


def spread(axes: Any, values: Any) -> list:
    """The axis of each leaf of `values`, for axes given for whole containers or for their parts."""
    import optree

    flatten(values)  # makes dataclasses known
    try:
        found = optree.broadcast_prefix(axes, values, none_is_leaf=True, namespace=NAMESPACE)
        return [axis if axis is None else _whole_number(axis) for axis in found]
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"[vmap] an axis, or axes in a container like that of the values, was required; received {axes!r} for "
            f"{type(values).__name__}: {error}"
        ) from None


def _whole_number(axis: Any) -> int:
    if isinstance(axis, (bool, np.bool_)):
        raise TypeError("an axis is a whole number")
    return operator.index(axis)


def _length(f: Callable, leaves: list, axes: list, axis_size: int | None) -> int:
    """The length of the batch."""
    for x, axis in zip(leaves, axes, strict=True):
        if axis is not None and not -np.ndim(x) <= axis < np.ndim(x):
            raise ShapeError(
                f"[vmap] an argument with an axis {axis} was required; received {spec_of(x)!r}; see in_axes"
            )
    sizes = {np.shape(x)[axis] for x, axis in zip(leaves, axes, strict=True) if axis is not None}
    sizes |= set() if axis_size is None else {axis_size}
    if len(sizes) != 1:
        name = getattr(f, "__name__", type(f).__name__)
        raise ShapeError(
            f"[vmap] one size along the mapped axes was required; {name} received sizes "
            f"{sorted(sizes) or 'of none: every in_axes is None'}; see in_axes and axis_size"
        )
    return sizes.pop()


def _in_front(x: Any, axis: int) -> Any:
    x = x if isinstance(x, Wrapper) else plain(x)
    return x if not axis else np.moveaxis(x, axis, 0)


# Running ---------------------------------------------------------------------------------------------------------


def _run(f: Callable, structure: Any, mapped: list, leaves: list) -> Any:
    args, kwargs = rebuild(structure, leaves)
    return f(*args, **kwargs)


def _batch_or_loop(run: functools.partial, leaves: list, n: int, out_axes: Any, fallback: str) -> tuple:
    try:
        return _as_batch(run, leaves, n, out_axes)
    except BatchError:
        if fallback == "error" or not n:
            raise
    return _as_loop(run, leaves, n, out_axes)


def _as_batch(run: functools.partial, leaves: list, n: int, out_axes: Any) -> tuple:
    """The results of one run on batches, their structure, and where their batch axes are."""
    mapped = run.args[2]
    before = _global_generator.state()
    with new_level() as level:
        inputs = [Batch._of(alias(unbox(x)), level) if ours else x for x, ours in zip(leaves, mapped, strict=True)]
        result = run(inputs)
        outputs, structure = flatten(result)
        axes = _out_axes(out_axes, result, outputs, structure)
        if before != _global_generator.state():
            raise BatchError(
                "[vmap] a function without random numbers was required, as every example would get the same; received "
                'one that draws from numpy.random; draw them before and pass them in, or use fallback="loop"'
            )
        values = [from_outside(z, level, n, axis) for z, axis in zip(outputs, axes, strict=True)]
    return values, structure, axes


def _out_axes(out_axes: Any, result: Any, leaves: list, structure: Any) -> list:
    """Where the batch axis of each leaf of a result is wanted."""
    if type(out_axes) is int:
        axes: list = [out_axes] * len(leaves)
    else:
        axes = spread(out_axes, result if structure is not None else [result])
    return [None if leaf is None else axis for leaf, axis in zip(leaves, axes, strict=True)]


def from_outside(z: Any, level: int, n: int, axis: Any) -> Any:
    """A result as seen from outside the level, its batch axis where it is wanted."""
    z = opened(z)
    if isinstance(z, Batch) and z._level == level:
        if axis is None:
            raise ArgumentError(
                f"[vmap] a result that is the same for all examples was required where out_axes is None; received a "
                f"batch of {z._spec!r}; give the axis for its batch"
            )
        x = unbox(z._value)
    elif axis is None:
        return z
    else:
        z = z if isinstance(z, Wrapper) else plain(z)
        x = np.copy(stretched(z, n))
    return x if not axis else np.moveaxis(x, 0, axis)


def _as_loop(run: functools.partial, leaves: list, n: int, out_axes: Any) -> tuple:
    """The same by one run for each example."""
    if not n:
        raise ShapeError("[vmap] an example at least was required for a loop; received none; give one")
    mapped = run.args[2]
    results = [run([x[i] if ours else x for x, ours in zip(leaves, mapped, strict=True)]) for i in range(n)]
    columns = [flatten(result)[0] for result in results]
    structure = flatten(results[0])[1]
    axes = _out_axes(out_axes, results[0], columns[0], structure)
    values = [
        row[0] if axis is None else np.stack(row, axis=axis)
        for row, axis in zip(zip(*columns, strict=True), axes, strict=True)
    ]
    return values, structure, axes


def _joined(parts: list) -> Any:
    """The results of all chunks."""
    values, structure, axes = parts[0]
    if len(parts) > 1:
        columns = zip(*(part[0] for part in parts), strict=True)
        values = [
            column[0] if axis is None else np.concatenate(column, axis=axis)
            for column, axis in zip(columns, axes, strict=True)
        ]
    return rebuild(structure, values)


class _GlobalGenerator:
    """NumPy's global generator, seen through its memory: its own ``state`` is a copy that costs 40 µs."""

    generator: Any = None
    words: Any = None

    def state(self) -> tuple[int, int]:
        """Two words that change when numbers are drawn: where it is in its block, and the block's first word."""
        generator = np.random.mtrand._rand._bit_generator
        if generator is not self.generator:
            words = 625 if isinstance(generator, np.random.MT19937) else 2
            memory = (ctypes.c_uint32 * words).from_address(generator.ctypes.state_address)
            self.generator, self.words = generator, memory
        return self.words[0], self.words[len(self.words) - 1]


_global_generator = _GlobalGenerator()
