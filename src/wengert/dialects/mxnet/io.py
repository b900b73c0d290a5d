"""``mxnet.io``: iterators over batches of arrays in memory. What reads files of images is not here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet import rng
from wengert.dialects.mxnet.ndarray import NDArray, array
from wengert.errors import ArgumentError

__all__ = ["DataBatch", "DataDesc", "DataIter", "NDArrayIter"]


class DataDesc(NamedTuple):
    """What the arrays of a name are like in each batch."""

    name: str
    shape: tuple[int, ...]
    dtype: Any = np.float32
    layout: str | None = "NCHW"

    def __repr__(self) -> str:
        return f"DataDesc[{self.name},{self.shape},{self.dtype},{self.layout}]"


class DataBatch:
    """Arrays and labels of a batch, and how many examples at its end only fill it up."""

    def __init__(
        self, data: list, label: list | None = None, pad: int | None = None, index: Any = None, bucket_key: Any = None,
        provide_data: list | None = None, provide_label: list | None = None,
    ) -> None:  # fmt: skip
        for name, arrays in (("data", data), ("label", label)):
            if arrays is not None and not isinstance(arrays, (list, tuple)):
                raise ArgumentError(
                    f"[DataBatch] a list of arrays was required for {name}; received {type(arrays).__name__}"
                )
        self.data, self.label, self.pad, self.index, self.bucket_key = data, label, pad, index, bucket_key
        self.provide_data, self.provide_label = provide_data, provide_label

    def __str__(self) -> str:
        shapes = [[a.shape for a in arrays or ()] for arrays in (self.data, self.label)]
        return f"{type(self).__name__}: data shapes: {shapes[0]} label shapes: {shapes[1]}"


class DataIter:
    """Base of the iterators: a subclass defines `next`, and `reset` to begin anew."""

    def __init__(self, batch_size: int = 0) -> None:
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[DataBatch]:
        return self

    def __next__(self) -> DataBatch:
        return self.next()

    def next(self) -> DataBatch:
        """The next batch; at the end a `StopIteration`."""
        raise NotImplementedError(f"[{type(self).__name__}] an iterator needs a method next; define it")

    def reset(self) -> None:
        """Begin anew."""


class NDArrayIter(DataIter):
    """Batches of arrays, in order or shuffled once for each pass.

    Parameters
    ----------
    data, label : array, list of arrays, or dict from names to arrays
    batch_size : int
    shuffle : bool
    last_batch_handle : {"pad", "discard", "roll_over"}
        An incomplete last batch is filled up from the beginning, left out, or kept for the next pass.
    data_name, label_name : str
        What arrays without names are called.
    """

    def __init__(
        self, data: Any, label: Any = None, batch_size: int = 1, shuffle: bool = False,
        last_batch_handle: str = "pad", data_name: str = "data", label_name: str = "softmax_label",
    ) -> None:  # fmt: skip
        super().__init__(batch_size)
        self.data, self.label = _named(data, data_name), _named(label, label_name)
        lengths = {len(a) for _, a in self.data + self.label}
        if not self.data or len(lengths) != 1 or batch_size > min(lengths):
            raise ArgumentError(
                f"[NDArrayIter] arrays of one length, at least batch_size={batch_size}, were required; received "
                f"lengths {sorted(lengths)}"
            )
        if last_batch_handle not in ("pad", "discard", "roll_over"):
            raise ArgumentError(
                f"[NDArrayIter] last_batch_handle 'pad', 'discard' or 'roll_over' was required; received "
                f"{last_batch_handle!r}"
            )
        (self.num_data,) = lengths
        self.shuffle, self.last_batch_handle = shuffle, last_batch_handle
        self._left = np.empty(0, np.int64)
        self.reset()

    @property
    def provide_data(self) -> list[DataDesc]:
        """Names and shapes of the arrays of a batch."""
        return self._described(self.data)

    @property
    def provide_label(self) -> list[DataDesc]:
        """Names and shapes of the labels of a batch."""
        return self._described(self.label)

    def _described(self, arrays: list) -> list[DataDesc]:
        return [DataDesc(name, (self.batch_size, *a.shape[1:]), a._spec.dtype.type) for name, a in arrays]

    def reset(self) -> None:
        """Begin anew, in another order where shuffled; after what was left over, if it is kept."""
        order = rng.generator().permutation(self.num_data) if self.shuffle else np.arange(self.num_data)
        self._order, self._at = np.concatenate([self._left, order]), 0
        self._left = self._left[:0]

    def hard_reset(self) -> None:
        """Begin anew, and forget what was left over."""
        self._left = self._left[:0]
        self.reset()

    def next(self) -> DataBatch:
        """The next batch."""
        chosen = self._order[self._at : self._at + self.batch_size]
        self._at += self.batch_size
        pad = self.batch_size - len(chosen)
        if pad and self.last_batch_handle == "roll_over":
            self._left = chosen
        if not len(chosen) or (pad and self.last_batch_handle != "pad"):
            raise StopIteration
        chosen = np.concatenate([chosen, self._order[:pad]])
        data, label = ([NDArray._box(bare(a)[chosen]) for _, a in arrays] for arrays in (self.data, self.label))
        return DataBatch(data, label, pad, chosen, None, self.provide_data, self.provide_label)


def _named(arrays: Any, name: str) -> list[tuple[str, NDArray]]:
    """Pairs of a name and an array of single precision."""
    if arrays is None:
        return []
    if not isinstance(arrays, (list, tuple, dict)):
        arrays = [arrays]
    if not isinstance(arrays, dict):
        arrays = {name if len(arrays) == 1 else f"_{i}_{name}": a for i, a in enumerate(arrays)}
    return [(key, a if isinstance(a, NDArray) else array(a)) for key, a in arrays.items()]
