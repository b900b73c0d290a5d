"""Arrays in files: ``npx.save``, ``npx.load``, and what the parameters of networks are saved with."""

from typing import Any

from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.ndarray import creation
from wengert.dialects.mxnet.numpy.array import as_np_ndarray
from wengert.dialects.mxnet.util import is_np_array

__all__ = ["load", "save", "savez"]


def save(file: Any, arr: Any) -> None:
    """Write an array, a list of arrays, or a dictionary from names to arrays."""
    named = arr if isinstance(arr, dict) else dict(enumerate([arr] if isinstance(arr, Array) else arr))
    strange = [type(a).__name__ for a in named.values() if not isinstance(a, Array)]
    if strange:
        raise TypeError(f"[save] arrays were required; received {', '.join(strange)}")
    creation.save(file, arr)


def savez(file: Any, *args: Any, **kwds: Any) -> None:
    """Write arrays, by position and by name."""
    save(file, {f"arr_{i}": a for i, a in enumerate(args)} | kwds)


def load(file: Any) -> Any:
    """Read what `save` wrote: a list, or a dictionary from names to arrays."""
    loaded = creation.load(file)
    if not is_np_array():
        return loaded
    if isinstance(loaded, dict):
        return {name: as_np_ndarray(a) for name, a in loaded.items()}
    return [as_np_ndarray(a) for a in loaded]
