"""Samplers: the order in which a `DataLoader` visits a data set."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.dialects.mxnet import rng
from wengert.errors import ArgumentError

__all__ = ["BatchSampler", "FilterSampler", "IntervalSampler", "RandomSampler", "Sampler", "SequentialSampler"]


class Sampler:
    """Base of the samplers: iterates over positions, and knows how many there are."""

    def __iter__(self) -> Iterator[Any]:
        """The positions in order."""
        raise NotImplementedError(f"[{type(self).__name__}] a sampler needs a method __iter__; define it")

    def __len__(self) -> int:
        """How many there are."""
        raise NotImplementedError(f"[{type(self).__name__}] a sampler needs a method __len__; define it")


class SequentialSampler(Sampler):
    """`length` positions from `start` on, in order."""

    def __init__(self, length: int, start: int = 0) -> None:
        self._positions = range(start, start + length)

    def __iter__(self) -> Iterator[int]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


class RandomSampler(Sampler):
    """`length` positions in a new random order each time."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __iter__(self) -> Iterator[int]:
        return iter(rng.generator().permutation(self._length).tolist())

    def __len__(self) -> int:
        return self._length


class IntervalSampler(Sampler):
    """Every `interval`-th position; then, with `rollover`, from 1 on, from 2 on … until all were visited."""

    def __init__(self, length: int, interval: int, rollover: bool = True) -> None:
        if interval > length:
            raise ArgumentError(f"[IntervalSampler] an interval of at most {length} was required; received {interval}")
        starts = range(interval) if rollover else (0,)
        self._positions = [i for start in starts for i in range(start, length, interval)]

    def __iter__(self) -> Iterator[int]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


class FilterSampler(Sampler):
    """The positions of the samples for which ``fn(sample)`` is true."""

    def __init__(self, fn: Any, dataset: Sequence) -> None:
        self._positions = [i for i in range(len(dataset)) if fn(dataset[i])]

    def __iter__(self) -> Iterator[int]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


class BatchSampler(Sampler):
    """Lists of `batch_size` positions of another sampler.

    An incomplete last list is kept (``last_batch="keep"``), left out (``"discard"``), or saved for the beginning of
    the next time (``"rollover"``).
    """

    def __init__(self, sampler: Sampler, batch_size: int, last_batch: str = "keep") -> None:
        if last_batch not in ("keep", "discard", "rollover"):
            raise ArgumentError(
                f"[BatchSampler] last_batch 'keep', 'discard' or 'rollover' was required; received {last_batch!r}"
            )
        self._sampler, self._batch_size, self._last_batch = sampler, batch_size, last_batch
        self._left: list[Any] = []

    def __iter__(self) -> Iterator[list]:
        batch, self._left = self._left, []
        for i in self._sampler:
            batch.append(i)
            if len(batch) == self._batch_size:
                yield batch
                batch = []
        if batch and self._last_batch == "keep":
            yield batch
        elif self._last_batch == "rollover":
            self._left = batch

    def __len__(self) -> int:
        if self._last_batch == "keep":
            return int(np.ceil(len(self._sampler) / self._batch_size))
        left = len(self._left) if self._last_batch == "rollover" else 0
        return (len(self._sampler) + left) // self._batch_size
