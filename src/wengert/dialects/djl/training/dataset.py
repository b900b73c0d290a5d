"""Data in batches."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.dialects.djl import random
from wengert.dialects.djl.closing import AutoCloseable
from wengert.dialects.djl.errors import IllegalArgumentException, IllegalStateException
from wengert.dialects.djl.ndarray import NDArray, NDList, NDManager

__all__ = ["ArrayDataset", "Batch", "Record"]


class Record:
    """One example: its data and its labels."""

    def __init__(self, data: NDList, labels: NDList) -> None:
        self._data, self._labels = data, labels

    def getData(self) -> NDList:
        """The data."""
        return self._data

    def getLabels(self) -> NDList:
        """The labels."""
        return self._labels


class Batch(AutoCloseable, Record):
    """Several examples in arrays of a manager of its own, which ``close()`` closes."""

    def __init__(self, manager: NDManager, data: NDList, labels: NDList, size: int) -> None:
        super().__init__(data, labels)
        self._manager, self._size = manager, size

    def getManager(self) -> NDManager:
        """The manager of the arrays."""
        return self._manager

    def getSize(self) -> int:
        """How many examples there are."""
        return self._size

    def split(self, devices: list, evenSplit: bool = False) -> list["Batch"]:
        """Parts for devices: with one, the batch itself."""
        return [self]

    def close(self) -> None:
        """Close the arrays, and what was computed from them."""
        self._manager.close()


class ArrayDataset:
    """Examples along the first axis of arrays: ``ArrayDataset.Builder().setData(x).optLabels(y)...build()``."""

    Builder: Any

    def __init__(self, data: list, labels: list, batch_size: int, shuffle: bool, drop_last: bool) -> None:
        self._data, self._labels = data, labels
        self._batch_size, self._shuffle, self._drop_last = batch_size, shuffle, drop_last

    def prepare(self, *progress: Any) -> None:
        """Make ready: arrays are."""

    def size(self) -> int:
        """How many examples there are."""
        return self._data[0].shape[0]

    def get(self, manager: NDManager, index: int) -> Record:
        """One example."""
        return Record(*(NDList([manager.create(np.asarray(a[index])) for a in arrays]) for arrays in self._arrays()))

    def _arrays(self) -> tuple[list, list]:
        return self._data, self._labels

    def getData(self, manager: NDManager, *executor: Any) -> Iterator[Batch]:
        """The batches of one pass over the data."""
        n, step = self.size(), self._batch_size
        order = random.generator().permutation(n) if self._shuffle else None
        for start in range(0, n - step + 1 if self._drop_last else n, step):
            rows = slice(start, start + step) if order is None else order[start : start + step]
            scope = manager.newSubManager()
            data, labels = (NDList([scope.create(np.array(a[rows])) for a in arrays]) for arrays in self._arrays())
            yield Batch(scope, data, labels, min(step, n - start))

    def randomSplit(self, *ratio: int) -> list["ArrayDataset"]:
        """Parts whose sizes are as the numbers given, drawn at random."""
        order = random.generator().permutation(self.size())
        ends = (np.cumsum(ratio) * self.size() // sum(ratio)).tolist()
        parts = [order[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        settings = self._batch_size, self._shuffle, self._drop_last
        data, labels = self._arrays()
        return [ArrayDataset([a[rows] for a in data], [a[rows] for a in labels], *settings) for rows in parts]


class _Builder:
    """Builds an `ArrayDataset`."""

    def __init__(self) -> None:
        self._data: list[np.ndarray] = []
        self._labels: list[np.ndarray] = []
        self._sampling: tuple[int, bool, bool] | None = None

    def setData(self, *data: NDArray) -> "_Builder":
        """The arrays of the data."""
        self._data = [a._read("setData") for a in data]
        return self

    def optLabels(self, *labels: NDArray) -> "_Builder":
        """The arrays of the labels."""
        self._labels = [a._read("optLabels") for a in labels]
        return self

    def setSampling(self, batchSize: int, random: bool, dropLast: bool = False) -> "_Builder":
        """How many examples make a batch, whether they are drawn at random, and whether a last short batch is left."""
        self._sampling = batchSize, random, dropLast
        return self

    def build(self) -> ArrayDataset:
        """The dataset."""
        if not self._data or self._sampling is None:
            raise IllegalStateException("[ArrayDataset] data and sampling were required; call setData and setSampling")
        lengths = {a.shape[:1] for a in (*self._data, *self._labels)}
        if len(lengths) > 1 or () in lengths:
            raise IllegalArgumentException(
                f"[ArrayDataset] arrays with as many examples along their first axis were required; received shapes "
                f"{[a.shape for a in (*self._data, *self._labels)]}"
            )
        return ArrayDataset(self._data, self._labels, *self._sampling)


ArrayDataset.Builder = _Builder
