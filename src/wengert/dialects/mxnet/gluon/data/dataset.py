"""Data sets: sequences of samples."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from wengert.dialects.mxnet.gluon.data.sampler import Sampler
from wengert.errors import ArgumentError

__all__ = ["ArrayDataset", "Dataset", "SimpleDataset"]


class Dataset:
    """Base of the data sets: a subclass defines ``__getitem__`` and ``__len__``."""

    def __getitem__(self, idx: int) -> Any:
        raise NotImplementedError(f"[{type(self).__name__}] a data set needs a method __getitem__; define it")

    def __len__(self) -> int:
        raise NotImplementedError(f"[{type(self).__name__}] a data set needs a method __len__; define it")

    def transform(self, fn: Callable, lazy: bool = True) -> "Dataset":
        """The samples after ``fn(*sample)``: at each access, or with ``lazy=False`` once now."""
        changed = _Transformed(self, fn)
        return changed if lazy else SimpleDataset([changed[i] for i in range(len(changed))])

    def transform_first(self, fn: Callable, lazy: bool = True) -> "Dataset":
        """The samples with ``fn`` applied to their first part, which is the data; labels stay."""
        return self.transform(partial(_first, fn), lazy)

    def filter(self, fn: Callable) -> "Dataset":
        """The samples for which ``fn(sample)`` is true."""
        return _Chosen(self, [i for i in range(len(self)) if fn(self[i])])

    def shard(self, num_shards: int, index: int) -> "Dataset":
        """The `index`-th of `num_shards` parts, of which the first ones are longer by one where it does not divide."""
        if not 0 <= index < num_shards:
            raise ArgumentError(f"[shard] 0 <= index < num_shards was required; received {index} and {num_shards}")
        length, longer = divmod(len(self), num_shards)
        start = length * index + min(index, longer)
        return _Chosen(self, range(start, start + length + (index < longer)))

    def take(self, count: int | None) -> "Dataset":
        """The first `count` samples."""
        return _Chosen(self, range(len(self) if count is None else min(count, len(self))))

    def sample(self, sampler: Sampler) -> "Dataset":
        """The samples in the order of a sampler."""
        if not isinstance(sampler, Sampler):
            raise ArgumentError(f"[sample] a Sampler was required; received {sampler!r}")
        return _Chosen(self, list(sampler))


def _first(fn: Callable, x: Any, *rest: Any) -> Any:
    return (fn(x), *rest) if rest else fn(x)


class _Transformed(Dataset):
    def __init__(self, data: Dataset, fn: Callable) -> None:
        self._data, self._fn = data, fn

    def __getitem__(self, idx: int) -> Any:
        sample = self._data[idx]
        return self._fn(*sample) if isinstance(sample, tuple) else self._fn(sample)

    def __len__(self) -> int:
        return len(self._data)


class _Chosen(Dataset):
    def __init__(self, data: Dataset, positions: Any) -> None:
        self._data, self._positions = data, positions

    def __getitem__(self, idx: int) -> Any:
        return self._data[self._positions[idx]]

    def __len__(self) -> int:
        return len(self._positions)


class SimpleDataset(Dataset):
    """A list, or anything else with ``[]`` and ``len``, as a data set."""

    def __init__(self, data: Iterable[Any]) -> None:
        self._data: Any = data

    def __getitem__(self, idx: int) -> Any:
        return self._data[idx]

    def __len__(self) -> int:
        return len(self._data)


class ArrayDataset(Dataset):
    """Several arrays (or lists, or data sets) of one length: a sample is the tuple of their entries."""

    def __init__(self, *args: Any) -> None:
        if not args or len({len(data) for data in args}) > 1:
            raise ArgumentError(
                f"[ArrayDataset] arrays of one length were required; received lengths {[len(data) for data in args]}"
            )
        # A vector of labels is read often and by single entries, which are plain numbers then.
        self._data = [
            data.asnumpy() if getattr(data, "ndim", 0) == 1 and hasattr(data, "asnumpy") else data for data in args
        ]

    def __getitem__(self, idx: int) -> Any:
        if len(self._data) == 1:
            return self._data[0][idx]
        return tuple(data[idx] for data in self._data)

    def __len__(self) -> int:
        return len(self._data[0])
