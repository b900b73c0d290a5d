"""``mxnet.gluon.data``: data sets, samplers, batches."""

from wengert.dialects.mxnet.gluon.data import dataloader, dataset, sampler, vision
from wengert.dialects.mxnet.gluon.data.dataloader import DataLoader
from wengert.dialects.mxnet.gluon.data.dataset import ArrayDataset, Dataset, SimpleDataset
from wengert.dialects.mxnet.gluon.data.sampler import (
    BatchSampler,
    FilterSampler,
    IntervalSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
)

__all__ = [
    "ArrayDataset", "BatchSampler", "DataLoader", "Dataset", "FilterSampler", "IntervalSampler", "RandomSampler",
    "Sampler", "SequentialSampler", "SimpleDataset", "dataloader", "dataset", "sampler", "vision",
]  # fmt: skip
