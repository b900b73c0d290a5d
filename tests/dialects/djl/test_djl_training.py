import numpy as np
import pytest

from wengert.dialects.djl import Engine, IllegalStateException, Model, NDList, NDManager, Shape
from wengert.dialects.djl.metric import Metrics
from wengert.dialects.djl.nn import Activation, Block, Blocks, Parameter, SequentialBlock
from wengert.dialects.djl.nn.core import Linear
from wengert.dialects.djl.nn.norm import Dropout
from wengert.dialects.djl.training import DefaultTrainingConfig, EasyTrain, ParameterStore
from wengert.dialects.djl.training.dataset import ArrayDataset
from wengert.dialects.djl.training.evaluator import Accuracy
from wengert.dialects.djl.training.initializer import Initializer, NormalInitializer
from wengert.dialects.djl.training.listener import EvaluatorTrainingListener, TrainingListener
from wengert.dialects.djl.training.loss import Loss
from wengert.dialects.djl.training.optimizer import Optimizer
from wengert.dialects.djl.training.tracker import Tracker


@pytest.fixture
def manager():
    Engine.getInstance().setRandomSeed(0)
    with NDManager.newBaseManager() as manager:
        yield manager


def line(manager, n=500):
    x = manager.randomNormal(Shape(n, 2))
    return x, x.dot(manager.create([2.0, -3.4])).add(4.2)


def batches(x, y, size=10, shuffle=True):
    return ArrayDataset.Builder().setData(x).optLabels(y).setSampling(size, shuffle).build()


def test_linear_regression_by_hand(manager):
    x, y = line(manager)
    w, b = manager.randomNormal(0, 0.01, Shape(2, 1)), manager.zeros(Shape(1))
    for parameter in (w, b):
        parameter.setRequiresGradient(True)
    for _ in range(3):
        for batch in batches(x, y).getData(manager):
            features, labels = batch.getData().head(), batch.getLabels().head()
            with Engine.getInstance().newGradientCollector() as gc:
                predictions = features.dot(w).add(b)
                gc.backward(predictions.sub(labels.reshape(predictions.getShape())).square().div(2))
            for parameter in NDList(w, b):
                parameter.subi(parameter.getGradient().mul(0.05).div(batch.getSize()))
            batch.close()
            assert predictions.isReleased()
    assert w.toFloatArray() == pytest.approx([2, -3.4], abs=0.01) and b.getFloat() == pytest.approx(4.2, abs=0.01)


def test_linear_regression_concisely(manager, capsys, tmp_path):
    dataset = batches(*line(manager))
    model = Model.newInstance("lin-reg")
    model.setBlock(SequentialBlock().add(Linear.builder().optBias(True).setUnits(1).build()))
    config = (
        DefaultTrainingConfig(Loss.l2Loss())
        .optOptimizer(Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.05)).build())
        .optInitializer(NormalInitializer(), Parameter.Type.WEIGHT)
        .addTrainingListeners(TrainingListener.Defaults.logging())
    )
    with model.newTrainer(config) as trainer:
        trainer.initialize(Shape(10, 2))
        EasyTrain.fit(trainer, 4, dataset)
        assert trainer.getLoss().getAccumulator(EvaluatorTrainingListener.TRAIN_EPOCH) < 1e-3
    parameters = model.getBlock().getParameters()
    assert parameters.keys() == ["01Linear_weight", "01Linear_bias"]
    weight = parameters.valueAt(0).getArray()
    assert weight.toFloatArray() == pytest.approx([2, -3.4], abs=0.01) and weight.getShape() == Shape(1, 2)
    assert capsys.readouterr().out.splitlines()[-1] == "Train: L2Loss: 0.00"
    model.save(tmp_path, "saved")
    weight.muli(0)
    model.load(tmp_path, "saved")
    assert model.getBlock().getParameters().valueAt(0).getArray().getFloat(0, 0) == pytest.approx(2, abs=0.01)


def test_a_small_network_learns_classes(manager):
    labels = np.arange(300) % 3
    points = np.random.default_rng(0).normal(size=(300, 2, 2)) + 2 * np.eye(3, 4)[labels].reshape(300, 2, 2)
    x, y = manager.create(points.astype(np.float32)), manager.create(labels.astype(np.float32))
    net = (
        SequentialBlock()
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(16).build())
        .add(Activation.reluBlock())
        .add(Dropout.builder().optRate(0.1).build())
        .add(Linear.builder().setUnits(3).build())
    )
    model = Model.newInstance("mlp")
    model.setBlock(net)
    accuracy = Accuracy()
    config = (
        DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
        .optOptimizer(Optimizer.adam().optLearningRateTracker(Tracker.fixed(0.01)).build())
        .addEvaluator(accuracy)
        .addTrainingListeners(TrainingListener.Defaults.basic())
    )
    with model.newTrainer(config) as trainer:
        trainer.initialize(Shape(1, 2, 2))
        EasyTrain.fit(trainer, 20, batches(x, y, 20), batches(x, y, 50, False))
    assert accuracy.getAccumulator("validate/epoch") > 0.75
    assert net.forward(NDList(x)).head().getShape() == Shape(300, 3)


def test_losses(manager):
    prediction, ones = manager.create([1.0, 2, 3, 4, 5]), manager.ones(Shape(5, 1))
    assert Loss.l2Loss().evaluate(NDList(ones), NDList(prediction)).getFloat() == 3
    assert Loss.l1Loss().evaluate(NDList(ones), NDList(prediction)).getFloat() == 2
    scores = manager.create([[2.0, 0.0], [0.0, 0.0]])
    for labels, sparse in ((manager.create([[0.0], [1.0]]), True), (manager.create([[1.0, 0.0], [0.0, 1.0]]), False)):
        loss = Loss.softmaxCrossEntropyLoss("loss", 1, -1, sparse, True).evaluate(NDList(labels), NDList(scores))
        assert loss.getFloat() == pytest.approx((np.log1p(np.exp(-2)) + np.log(2)) / 2)


def test_frozen_parameters_stay(manager):
    net = Linear.builder().setUnits(1).build()
    net.setInitializer(Initializer.ONES, Parameter.Type.WEIGHT)
    model = Model.newInstance("frozen")
    model.setBlock(net)
    trainer = model.newTrainer(DefaultTrainingConfig(Loss.l2Loss()))
    trainer.initialize(Shape(1, 2))
    net.freezeParameters(True, lambda parameter: parameter.getType() is Parameter.Type.WEIGHT)
    batch = next(batches(*line(manager)).getData(manager))
    EasyTrain.trainBatch(trainer, batch)
    trainer.step()
    weight, bias = (parameter.getArray() for parameter in net.getParameters().values())
    assert weight.toFloatArray() == [1, 1] and bias.getFloat() != 0


def test_a_step_without_gradients_is_refused():
    model = Model.newInstance("idle")
    model.setBlock(Linear.builder().setUnits(1).build())
    trainer = model.newTrainer(DefaultTrainingConfig(Loss.l2Loss()))
    with pytest.raises(IllegalStateException, match="initialize"):
        trainer.step()
    trainer.initialize(Shape(1, 2))
    with pytest.raises(IllegalStateException, match="zero"):
        trainer.step()


def test_a_block_of_ones_own(manager):
    class Scale(Block):
        def __init__(self):
            super().__init__()
            self.factor = self.addParameter(
                Parameter.builder().setName("factor").optInitializer(Initializer.ONES).build()
            )

        def prepare(self, inputShapes):
            self.factor.setShape(Shape(inputShapes[0].tail()))

        def forwardInternal(self, parameterStore, inputs, training, params=None):
            return NDList(inputs.head().mul(parameterStore.getValue(self.factor, inputs.head().getDevice(), training)))

        def getOutputShapes(self, inputShapes):
            return inputShapes

    net = SequentialBlock().add(Scale()).add(Activation.tanh)
    net.initialize(manager, manager.ones(Shape(1)).getDataType(), Shape(2, 3))
    x = manager.ones(Shape(2, 3))
    with Engine.getInstance().newGradientCollector() as gc:
        gc.backward(net.forward(ParameterStore(manager, False), NDList(x), True).singletonOrThrow())
    factor = net.getParameters().valueAt(0).getArray()
    assert factor.getGradient().toFloatArray() == pytest.approx([2 * (1 - np.tanh(1) ** 2)] * 3)


def test_optimizers_follow_their_settings(manager):
    for builder, expected in (
        (Optimizer.sgd().setLearningRateTracker(lambda update: 0.1 * update), 1 - 0.1 * 2 - 0.2 * 2),
        (Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.1)).optClipGrad(1), 0.8),
        (Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.1)).setRescaleGrad(0.5), 0.8),
        (Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.1)).optMomentum(0.5), 1 - 0.2 - 0.3),
    ):
        w = manager.create([1.0])
        w.setRequiresGradient(True)
        optimizer = builder.build()
        for _ in range(2):
            with Engine.getInstance().newGradientCollector() as gc:
                gc.backward(w.mul(2))
            optimizer.update("w", w, w.getGradient())
        assert w.getFloat() == pytest.approx(expected)


def test_datasets(manager):
    x, y = manager.arange(10.0).reshape(5, 2), manager.arange(5.0)
    dataset = batches(x, y, 2, False)
    sizes = []
    for batch in dataset.getData(manager):
        sizes.append(batch.getSize())
        assert batch.getLabels().head().getShape() == Shape(batch.getSize())
        batch.close()
    assert sizes == [2, 2, 1] and dataset.size() == 5
    assert dataset.get(manager, 3).getData().head().toFloatArray() == [6, 7]
    assert [part.size() for part in dataset.randomSplit(4, 1)] == [4, 1]


def test_an_optimizer_remembers_by_name_and_leaves_gradients_alone(manager):
    v, w = manager.create(1.0), manager.create([1.0, 1.0])
    for parameter in (v, w):
        parameter.setRequiresGradient(True)
    with Engine.getInstance().newGradientCollector() as gc:
        gc.backward(v.mul(4).add(w.mul(2).sum()))
    optimizer = Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.1)).optMomentum(0.5).optClipGrad(3).build()
    for _ in range(2):
        optimizer.update("v", v, v.getGradient())
        optimizer.update("w", w, w.getGradient())
    assert v.getFloat() == pytest.approx(1 - 0.3 - 0.45) and w.toArray() == pytest.approx([1 - 0.2 - 0.3] * 2)
    assert v.getGradient().getFloat() == 4


def test_metrics_and_the_result_of_a_training(manager):
    x, y = line(manager, 40)
    with Model.newInstance("line") as model:
        model.setBlock(SequentialBlock().add(Linear.builder().setUnits(1).build()))
        sgd = Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.1)).build()
        config = DefaultTrainingConfig(Loss.l2Loss()).optOptimizer(sgd)
        with model.newTrainer(config.addTrainingListeners(*TrainingListener.Defaults.basic())) as trainer:
            trainer.initialize(Shape(10, 2))
            metrics = Metrics()
            trainer.setMetrics(metrics)
            EasyTrain.fit(trainer, 3, batches(x, y))
            figures = [metric.getValue() for metric in metrics.getMetric("train_epoch_L2Loss")]
            result = trainer.getTrainingResult()
    assert len(figures) == 3 and figures[0] > figures[1] > figures[2]
    assert result.getTrainLoss() == figures[-1] == metrics.latestMetric("train_epoch_L2Loss").getValue()
    assert result.getValidateLoss() is None and result.getEvaluations() == {"train_L2Loss": figures[-1]}
    assert metrics.getMetricNames() == {"train_epoch_L2Loss"} and not metrics.hasMetric("loss")


def test_activations_with_a_slope(manager):
    x = manager.create([-1.0, 2.0])
    assert Activation.leakyRelu(x, 0.1).toArray() == pytest.approx([-0.1, 2])
    assert Activation.elu(x, 1.0).toArray() == pytest.approx([np.expm1(-1), 2])
    assert Activation.softSign(x).toArray() == pytest.approx([-0.5, 2 / 3])
    assert Activation.leakyReluBlock(0.1).forward(NDList(x)).head().toArray() == pytest.approx([-0.1, 2])
