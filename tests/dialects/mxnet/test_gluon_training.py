"""Trainers, optimisers, schedules, data, metrics."""

import numpy as onp
import pytest

from wengert.dialects import mxnet as mx
from wengert.dialects.mxnet import autograd, gluon, nd, np, npx


def parameter(value=0.0):
    p = gluon.Parameter("x", shape=(2,))
    p.initialize(mx.init.Constant(value))
    return p


def push(p, slope=1.0):
    """A pass that leaves `slope` in the parameter's gradient."""
    with autograd.record():
        y = (p.data() * slope).sum()
    y.backward()


def first(p):
    return float(p.data().asnumpy()[0])


def test_momentum_is_of_steps():
    p = parameter()
    trainer = gluon.Trainer([p], "sgd", {"learning_rate": 1.0, "momentum": 0.5})
    push(p)
    trainer.step(1)
    assert first(p) == -1
    trainer.set_learning_rate(0.0)
    push(p)
    trainer.step(1)
    assert first(p) == -1.5  # the former step goes on at the rate that it was made with


def test_batch_size_clipping_and_weight_decay():
    p = parameter(1.0)
    trainer = gluon.Trainer({"x": p}, "sgd", {"learning_rate": 1.0, "clip_gradient": 0.25, "wd": 0.5})
    push(p, 8.0)
    trainer.step(4)  # 8 / 4 is clipped to 0.25, then 0.5 * 1 comes on top
    assert first(p) == 0.25


def test_factors_of_parameters():
    p = parameter(1.0)
    p.lr_mult, p.wd_mult = 0.5, 0.0
    trainer = gluon.Trainer([p], "sgd", {"learning_rate": 1.0, "wd": 100})
    push(p)
    trainer.step(1)
    assert first(p) == 0.5


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("nag", {"learning_rate": 1.0, "momentum": 0.5}, [-1.5, -3.25]),
        ("adagrad", {"learning_rate": 1.0, "epsilon": 0.0}, [-1, -1 - 0.5**0.5]),
        ("rmsprop", {"learning_rate": 1.0, "rho": 0.75, "epsilon": 0.0}, [-2, -2 - (16 / 7) ** 0.5]),
        ("adam", {"learning_rate": 1.0, "epsilon": 0.0}, [-1, -2]),
        # epsilon comes before the correction of the square root: 0.1 * sqrt(1 - 0.999) / 0.1 ...
        ("adam", {"learning_rate": 1.0, "epsilon": 1.0}, [-(0.001**0.5) / (0.001**0.5 + 1)]),
        ("adamw", {"learning_rate": 1.0, "epsilon": 0.0}, [-1, -2]),
    ],
)
def test_methods(name, settings, expected):
    p = parameter()
    trainer = gluon.Trainer([p], name, settings)
    for value in expected:
        push(p)
        trainer.step(1)
        assert first(p) == pytest.approx(value, rel=1e-5)


def test_stale_gradients():
    p, q = parameter(), parameter()
    trainer = gluon.Trainer([p, q], "sgd", {"learning_rate": 1.0})
    push(p)
    with pytest.raises(UserWarning, match="has not been updated by backward since last `step`"):
        trainer.step(1)
    assert first(p) == 0
    trainer.step(1, ignore_stale_grad=True)
    assert (first(p), first(q)) == (-1, 0)


def test_states(tmp_path):
    def trained():
        p = parameter()
        return p, gluon.Trainer([p], "sgd", {"learning_rate": 1.0, "momentum": 0.5})

    p, trainer = trained()
    push(p)
    trainer.step(1)
    trainer.save_states(str(tmp_path / "states"))
    q, other = trained()
    other.load_states(str(tmp_path / "states"))
    push(q)
    other.step(1)
    assert first(q) == -1.5


def test_optimizers_of_users():
    @mx.optimizer.register
    class Halving(mx.optimizer.Optimizer):
        def create_state(self, index, weight):
            return nd.zeros(weight.shape)

        def update(self, index, weight, grad, state):
            self._update_count(index)
            state[:] += 1
            weight[:] = weight - self._get_lr(index) * self.rescale_grad * grad * state

    p = parameter()
    trainer = gluon.Trainer([p], "halving", {"learning_rate": 0.5})
    for expected in (-0.25, -0.75):
        push(p)
        trainer.step(2)
        assert first(p) == expected


def test_arguments_of_trainers():
    p = parameter()
    with pytest.raises(ValueError, match="list or dict of Parameters"):
        gluon.Trainer(p, "sgd")
    with pytest.raises(ValueError, match="sgd"):
        gluon.Trainer([p], "no such method")
    optimizer = mx.optimizer.SGD(learning_rate=2.0)
    assert gluon.Trainer([p], optimizer).learning_rate == 2
    with pytest.raises(AssertionError, match="must be None"):
        gluon.Trainer([p], optimizer, {"momentum": 0.5})


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (mx.lr_scheduler.FactorScheduler(2, 0.5, base_lr=1.0), [1, 1, 1, 0.5, 0.5, 0.25]),
        (mx.lr_scheduler.FactorScheduler(1, 0.1, stop_factor_lr=0.05, base_lr=1.0), [1, 1, 0.1, 0.05, 0.05, 0.05]),
        (mx.lr_scheduler.MultiFactorScheduler([1, 3], 0.5, base_lr=1.0), [1, 1, 0.5, 0.5, 0.25, 0.25]),
        (mx.lr_scheduler.PolyScheduler(4, base_lr=1.0, pwr=1), [1, 0.75, 0.5, 0.25, 0, 0]),
        (mx.lr_scheduler.CosineScheduler(4, base_lr=1.0), [1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5, 0, 0]),
        (mx.lr_scheduler.CosineScheduler(4, 1.0, warmup_steps=2, warmup_begin_lr=0.5), [0.5, 0.75, 1, 0.5, 0, 0]),
    ],
)
def test_schedules(schedule, expected):
    assert [schedule(n) for n in range(6)] == pytest.approx(expected)


def test_schedule_in_a_trainer():
    p = parameter()
    schedule = mx.lr_scheduler.MultiFactorScheduler([1], 0.5)
    trainer = gluon.Trainer([p], "sgd", {"learning_rate": 1.0, "lr_scheduler": schedule})
    for _ in range(2):
        push(p)
        trainer.step(1)
    assert trainer.learning_rate == 0.5
    assert first(p) == -1.5
    with pytest.raises(UserWarning):
        trainer.set_learning_rate(3)


@pytest.mark.parametrize("mode", [npx.reset_np, npx.set_np])
def test_loaders(mode):
    mode()
    try:
        data, labels = onp.arange(10.0, dtype="float32").reshape(5, 2), onp.arange(5, dtype="int32")
        loader = gluon.data.DataLoader(gluon.data.ArrayDataset(data, labels), batch_size=2, num_workers=2)
        batches = list(loader)
        assert len(loader) == len(batches) == 3
        x, y = batches[1]
        assert isinstance(x, np.ndarray if npx.is_np_array() else nd.NDArray)
        assert x.asnumpy().tolist() == [[4, 5], [6, 7]]
        assert y.asnumpy().tolist() == [2, 3]
        assert y.dtype == onp.int32
        shuffled = gluon.data.DataLoader(labels, 5, shuffle=True)
        assert sorted(next(iter(shuffled)).asnumpy().tolist()) == [0, 1, 2, 3, 4]
    finally:
        npx.reset_np()


@pytest.mark.parametrize(
    ("last_batch", "first_time", "second_time"),
    [
        ("keep", [[0, 1], [2, 3], [4]], [[0, 1], [2, 3], [4]]),
        ("discard", [[0, 1], [2, 3]], [[0, 1], [2, 3]]),
        ("rollover", [[0, 1], [2, 3]], [[4, 0], [1, 2], [3, 4]]),
    ],
)
def test_last_batches(last_batch, first_time, second_time):
    sampler = gluon.data.BatchSampler(gluon.data.SequentialSampler(5), 2, last_batch)
    assert list(sampler) == first_time
    assert len(sampler) == len(second_time)
    assert list(sampler) == second_time


def test_datasets():
    pairs = gluon.data.ArrayDataset([1, 2, 3], [10, 20, 30])
    assert pairs[1] == (2, 20)
    assert pairs.transform(lambda x, y: x + y)[2] == 33
    assert pairs.transform_first(lambda x: -x)[0] == (-1, 10)
    numbers = gluon.data.SimpleDataset(list(range(5)))
    assert [numbers.filter(lambda n: n % 2 == 0)[i] for i in range(3)] == [0, 2, 4]
    assert [len(numbers.shard(2, k)) for k in range(2)] == [3, 2]
    assert len(numbers.take(2)) == 2
    with pytest.raises(ValueError, match="length"):
        gluon.data.ArrayDataset([1], [1, 2])
    with pytest.raises(ValueError, match="batch_size"):
        gluon.data.DataLoader(numbers)


def test_transforms():
    transforms = gluon.data.vision.transforms
    pixels = onp.full((2, 4, 3), 51, dtype="uint8")
    image = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.2, 0.1, 0], [1, 1, 0.5])])(pixels)
    assert image.shape == (3, 2, 4)
    assert onp.allclose(image.asnumpy()[:, 0, 0], [0, 0.1, 0.4])


def test_splitting():
    x = nd.arange(10).reshape((5, 2))
    assert [p.shape for p in gluon.utils.split_data(x, 2, even_split=False)] == [(2, 2), (3, 2)]
    with pytest.raises(ValueError, match="split"):
        gluon.utils.split_data(x, 2)
    (part,) = gluon.utils.split_and_load(x, [mx.cpu()])
    assert part.shape == (5, 2)


def test_clipping():
    arrays = [nd.ones((3, 3)), nd.ones((4, 4))]
    assert gluon.utils.clip_global_norm(arrays, 1.0) == 5
    assert onp.allclose(arrays[0].asnumpy(), 0.2)


def test_metrics():
    accuracy = mx.metric.Accuracy()
    accuracy.update([nd.array([0, 1, 1])], [nd.array([[0.3, 0.7], [0.0, 1.0], [0.4, 0.6]])])
    assert accuracy.get() == ("accuracy", 2 / 3)
    accuracy.reset()
    assert onp.isnan(accuracy.get()[1])
    both = mx.metric.create(["mse", "mae"])
    both.update(nd.array([1.0, 2.0]), nd.array([2.0, 4.0]))
    assert both.get() == (["mse", "mae"], [2.5, 1.5])
    top = mx.metric.TopKAccuracy(top_k=2)
    top.update(nd.array([0, 1]), nd.array([[0.3, 0.2, 0.5], [0.3, 0.2, 0.5]]))
    assert top.get() == ("top_k_accuracy_2", 0.5)
    entropy = mx.metric.create("ce", eps=0)
    entropy.update(nd.array([1]), nd.array([[0.5, 0.5]]))
    assert entropy.get()[1] == pytest.approx(onp.log(2))
    loss = mx.metric.Loss()
    loss.update(None, nd.array([1.0, 3.0]))
    assert loss.get() == ("loss", 2)
    custom = mx.metric.create(lambda label, pred: onp.abs(label - pred).sum())
    custom.update(nd.array([1.0]), nd.array([3.0]))
    assert custom.get()[1] == 2
