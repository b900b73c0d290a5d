"""`DataLoader`: batches of a data set."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.gluon.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from wengert.dialects.mxnet.ndarray.ndarray import NDArray
from wengert.dialects.mxnet.numpy.array import boxed
from wengert.dialects.mxnet.util import is_np_array

__all__ = ["DataLoader", "default_batchify_fn", "default_mp_batchify_fn"]


def default_batchify_fn(data: list) -> Any:
    """Samples put together: arrays stacked, tuples part by part."""
    if isinstance(data[0], (tuple, list)):
        return [default_batchify_fn(list(part)) for part in zip(*data, strict=True)]
    stacked = np.stack([np.asarray(bare(sample)) for sample in data])
    if not isinstance(data[0], Array):
        return boxed(stacked) if is_np_array() else NDArray._box(stacked)
    return data[0]._box(stacked)


default_mp_batchify_fn = default_batchify_fn


class DataLoader:
    """Iterates over the batches of a data set, anew each time.

    Parameters
    ----------
    dataset : Dataset, or anything with ``[]`` and ``len``
    batch_size : int
    shuffle : bool
        Visit the samples in random order.
    sampler : Sampler, optional
        The order of the samples; not with `shuffle`.
    last_batch : {"keep", "discard", "rollover"}
        What becomes of an incomplete last batch.
    batch_sampler : Sampler, optional
        The batches; not with any of the above.
    batchify_fn : function of a list of samples, optional
    num_workers, pin_memory, pin_device_id, prefetch, thread_pool, timeout, try_nopython
        Accepted: batches are made when they are asked for.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = None,
        shuffle: bool = False,
        sampler: Sampler | None = None,
        last_batch: str | None = None,
        batch_sampler: Any = None,
        batchify_fn: Callable | None = None,
        num_workers: int = 0,
        pin_memory: bool = False,
        pin_device_id: int = 0,
        prefetch: int | None = None,
        thread_pool: bool = False,
        timeout: int = 120,
        try_nopython: bool | None = None,
    ) -> None:
        if batch_sampler is None:
            if batch_size is None:
                raise ValueError("[DataLoader] batch_size must be specified unless batch_sampler is specified")
            if sampler is not None and shuffle:
                raise ValueError("[DataLoader] shuffle must not be specified if sampler is specified")
            if sampler is None:
                sampler = (RandomSampler if shuffle else SequentialSampler)(len(dataset))
            batch_sampler = BatchSampler(sampler, batch_size, last_batch or "keep")
        elif batch_size is not None or shuffle or sampler is not None or last_batch is not None:
            raise ValueError(
                "[DataLoader] batch_size, shuffle, sampler and last_batch must not be specified if batch_sampler is "
                "specified"
            )
        self._dataset, self._batch_sampler = dataset, batch_sampler
        self._batchify_fn = default_batchify_fn if batchify_fn is None else batchify_fn

    def __iter__(self) -> Iterator[Any]:
        for batch in self._batch_sampler:
            yield self._batchify_fn([self._dataset[i] for i in batch])

    def __len__(self) -> int:
        return len(self._batch_sampler)
