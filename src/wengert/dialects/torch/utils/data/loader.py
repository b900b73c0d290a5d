"""`DataLoader`: batches of a dataset, in the order of a sampler."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from wengert.dialects.torch import creation, dtypes, functions_joining
from wengert.dialects.torch.errors import OptionError, TypeMismatchError
from wengert.dialects.torch.tensor import Tensor
from wengert.dialects.torch.utils.data.datasets import IterableDataset
from wengert.dialects.torch.utils.data.samplers import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    drawn_seed,
)

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]


class DataLoader:
    """Batches of a dataset; iterating it again starts a new run.

    Parameters
    ----------
    dataset : a dataset, or anything with ``__getitem__`` and ``__len__``
    batch_size : int or None
        `None`: examples one by one, without a batch axis.
    shuffle, sampler, batch_sampler
        The order; at most one of them.
    num_workers, pin_memory, timeout, worker_init_fn, multiprocessing_context, prefetch_factor, persistent_workers
        Accepted: everything is loaded where it is asked for.
    collate_fn : callable
        Makes a batch of a list of examples; see `default_collate`.
    drop_last : bool
        Leave out a last batch that is too small.
    generator : Generator
        Where the order is drawn from.
    """

    def __class_getitem__(cls, item: Any) -> type:
        return cls

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable | None = None,
        batch_sampler: Iterable | None = None,
        num_workers: int = 0,
        collate_fn: Callable | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        self.dataset, self.num_workers, self.pin_memory, self.timeout = dataset, num_workers, pin_memory, timeout
        self.generator, self.worker_init_fn = generator, worker_init_fn
        if isinstance(dataset, IterableDataset) and (shuffle or sampler is not None or batch_sampler is not None):
            raise OptionError(
                "[DataLoader] an iterable dataset has its own order: no shuffle, sampler or batch_sampler"
            )
        if sampler is not None and shuffle:
            raise OptionError("[DataLoader] sampler option is mutually exclusive with shuffle; give one of them")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise OptionError(
                "[DataLoader] batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                "drop_last; give one of them"
            )
        if batch_size is None and drop_last:
            raise OptionError("[DataLoader] batch_size=None makes no batches, of which drop_last could drop one")
        if sampler is None and not isinstance(dataset, IterableDataset):
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None and not isinstance(dataset, IterableDataset):
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self.batch_size = batch_size if batch_sampler is None or isinstance(batch_sampler, BatchSampler) else None
        self.drop_last = drop_last
        single = batch_size is None and batch_sampler is None
        self.collate_fn = collate_fn or (default_convert if single else default_collate)

    def __iter__(self) -> Iterator[Any]:
        drawn_seed(self.generator)  # PyTorch draws one for its workers, with or without any
        if isinstance(self.dataset, IterableDataset):
            return self._from_iterable()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[i]) for i in self.sampler)
        return (self.collate_fn(self._examples(indices)) for indices in self.batch_sampler)

    def _examples(self, indices: list) -> Any:
        many = getattr(self.dataset, "__getitems__", None)
        return many(indices) if many else [self.dataset[i] for i in indices]

    def _from_iterable(self) -> Iterator[Any]:
        examples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, examples)
            return
        while batch := list(islice(examples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            n = len(self.dataset)
            return (
                n if self.batch_size is None else (n if self.drop_last else n - 1 + self.batch_size) // self.batch_size
            )
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)


def get_worker_info() -> None:
    """`None`: there are no workers."""


def default_convert(data: Any) -> Any:
    """Arrays as tensors, also those in containers."""
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind in "fciub":
        return creation.as_tensor(data)
    if isinstance(data, Mapping):
        return type(data)({name: default_convert(value) for name, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    return list(map(default_convert, data)) if isinstance(data, (list, tuple)) else data


def default_collate(batch: Sequence[Any]) -> Any:
    """Examples as a batch: tensors and numbers stacked, containers element by element, strings as they are."""
    first = batch[0]
    if isinstance(first, Tensor):
        return functions_joining.stack(list(batch), 0)
    if isinstance(first, (np.ndarray, np.generic)) and first.dtype.kind in "fciub":
        return functions_joining.stack([creation.as_tensor(x) for x in batch], 0)
    if isinstance(first, float):
        return creation.tensor(batch, dtype=dtypes.float64)
    if isinstance(first, int):
        return creation.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return type(first)({name: default_collate([x[name] for x in batch]) for name in first})
    if isinstance(first, (tuple, list)):
        if any(len(x) != len(first) for x in batch):
            raise TypeMismatchError("[DataLoader] each element in list of batch should be of equal size")
        columns = [default_collate(column) for column in zip(*batch, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise TypeMismatchError(
        f"[DataLoader] default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {type(first).__name__}; pass collate_fn"
    )
