"""Datasets, samplers and loaders."""

import numpy as np
import pytest

import wengert.dialects.torch as torch
from wengert.dialects.torch.utils import data


def pairs(n=10):
    return data.TensorDataset(torch.arange(float(n)).reshape(n, 1), torch.arange(n))


def test_batches_in_order():
    loader = data.DataLoader(pairs(), batch_size=4, num_workers=2, pin_memory=True)
    assert len(loader) == 3
    batches = list(loader)
    assert [tuple(x.shape) for x, _ in batches] == [(4, 1), (4, 1), (2, 1)]
    assert batches[1][1].tolist() == [4, 5, 6, 7]
    assert len(list(data.DataLoader(pairs(), batch_size=4, drop_last=True))) == 2


def test_shuffling_follows_the_generator_and_loses_nothing():
    def order(seed):
        generator = torch.Generator().manual_seed(seed)
        loader = data.DataLoader(pairs(), batch_size=3, shuffle=True, generator=generator)
        return [i for _, y in loader for i in y.tolist()]

    assert order(3) == order(3) != order(4)
    assert sorted(order(3)) == list(range(10))


def test_runs_differ_unless_seeded():
    loader = data.DataLoader(range(50), batch_size=50, shuffle=True)
    torch.manual_seed(1)
    first, second = (next(iter(loader)).tolist() for _ in range(2))
    torch.manual_seed(1)
    assert first != second
    assert next(iter(loader)).tolist() == first


def test_collating():
    batch = data.default_collate([{"a": 1, "b": 2.0, "c": "x"}, {"a": 3, "b": 4.0, "c": "y"}])
    assert batch["a"].dtype == torch.int64
    assert batch["b"].dtype == torch.float64
    assert batch["c"] == ["x", "y"]
    arrays = data.default_collate([(np.zeros(2), 1), (np.ones(2), 2)])
    assert arrays[0].tolist() == [[0, 0], [1, 1]]
    loader = data.DataLoader(pairs(4), batch_size=2, collate_fn=lambda examples: sum(int(y) for _, y in examples))
    assert list(loader) == [1, 5]
    with pytest.raises(TypeError, match="default_collate"):
        data.default_collate([object()])


def test_examples_one_by_one_and_from_an_iterable():
    assert [y.item() for _, y in data.DataLoader(pairs(3), batch_size=None)] == [0, 1, 2]

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(range(5))

    assert [b.tolist() for b in data.DataLoader(Stream(), batch_size=2)] == [[0, 1], [2, 3], [4]]
    with pytest.raises(ValueError):
        data.DataLoader(Stream(), shuffle=True)


def test_parts():
    a, b = data.random_split(range(10), [7, 3], generator=torch.Generator().manual_seed(0))
    assert sorted([*a, *b]) == list(range(10))
    assert [len(part) for part in data.random_split(range(10), [0.5, 0.25, 0.25])] == [6, 2, 2]
    with pytest.raises(ValueError, match="sum"):
        data.random_split(range(10), [7, 4])
    both = pairs(3) + pairs(2)
    assert len(both) == 5
    assert both[4][1].item() == 1
    assert data.Subset(pairs(), [2, 5])[1][1].item() == 5


def test_samplers():
    assert list(data.SequentialSampler(range(3))) == [0, 1, 2]
    assert sorted(data.RandomSampler(range(5))) == [0, 1, 2, 3, 4]
    assert len(list(data.RandomSampler(range(5), replacement=True, num_samples=40))) == 40
    assert sorted(data.SubsetRandomSampler([4, 7])) == [4, 7]
    assert list(data.BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert set(data.WeightedRandomSampler([0.0, 1.0, 0.0], 5)) == {1}
    loader = data.DataLoader(pairs(), batch_sampler=[[0, 1], [5]])
    assert [y.tolist() for _, y in loader] == [[0, 1], [5]]


def test_options_that_exclude_each_other():
    with pytest.raises(ValueError, match="mutually exclusive"):
        data.DataLoader(pairs(), shuffle=True, sampler=data.SequentialSampler(pairs()))
    with pytest.raises(ValueError, match="positive integer"):
        data.DataLoader(pairs(), batch_size=0)
