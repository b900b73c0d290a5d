"""Trainers, and how they are configured."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.dialects.djl.closing import AutoCloseable
from wengert.dialects.djl.device import Device
from wengert.dialects.djl.errors import IllegalStateException
from wengert.dialects.djl.ndarray import NDList, NDManager
from wengert.dialects.djl.ndarray.types import DataType, Shape
from wengert.dialects.djl.training.collector import GradientCollector
from wengert.dialects.djl.training.dataset import ArrayDataset, Batch
from wengert.dialects.djl.training.evaluator import Evaluator
from wengert.dialects.djl.training.initializer import Initializer
from wengert.dialects.djl.training.listener import TRAIN_EPOCH, VALIDATE_EPOCH, TrainingListener
from wengert.dialects.djl.training.loss import Loss
from wengert.dialects.djl.training.optimizer import Optimizer
from wengert.dialects.djl.training.store import ParameterStore

__all__ = ["DefaultTrainingConfig", "EasyTrain", "Trainer", "TrainingConfig", "TrainingResult"]


class DefaultTrainingConfig:
    """The loss, the optimiser (Adam unless said otherwise), evaluators, listeners and initialisers of a training."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._optimizer = Optimizer.adam().build()
        self._evaluators: list[Evaluator] = []
        self._listeners: list[TrainingListener] = []
        self._initializers: list[tuple[Initializer, Any]] = []

    def optOptimizer(self, optimizer: Optimizer) -> "DefaultTrainingConfig":
        """Say the optimiser; returns itself."""
        self._optimizer = optimizer
        return self

    def optInitializer(self, initializer: Initializer, which: Any) -> "DefaultTrainingConfig":
        """Say how parameters of a type, with a name, or that a function names, start; returns itself."""
        self._initializers.append((initializer, which))
        return self

    def optDevices(self, devices: list[Device]) -> "DefaultTrainingConfig":
        """Say the devices, of which there is one; returns itself."""
        return self

    def addEvaluator(self, evaluator: Evaluator) -> "DefaultTrainingConfig":
        """Add an evaluator; returns itself."""
        self._evaluators.append(evaluator)
        return self

    def addTrainingListeners(self, *listeners: Any) -> "DefaultTrainingConfig":
        """Add listeners, or lists of them; returns itself."""
        for listener in listeners:
            self._listeners += listener if isinstance(listener, list) else [listener]
        return self

    def getDevices(self) -> list[Device]:
        """The devices."""
        return [Device.cpu()]

    def getLossFunction(self) -> Loss:
        """The loss."""
        return self._loss

    def getOptimizer(self) -> Optimizer:
        """The optimiser."""
        return self._optimizer

    def getEvaluators(self) -> list[Evaluator]:
        """The evaluators."""
        return self._evaluators


TrainingConfig = DefaultTrainingConfig


class TrainingResult:
    """Figures of an epoch: ``train_Accuracy``, ``validate_Accuracy``, and so on."""

    def __init__(self, evaluations: dict[str, float], loss: str) -> None:
        self._evaluations, self._loss = evaluations, loss

    def getEvaluations(self) -> dict[str, float]:
        """All figures by name."""
        return self._evaluations

    def getTrainEvaluation(self, name: str) -> float | None:
        """A figure of training, by the evaluator's name."""
        return self._evaluations.get(f"train_{name}")

    def getValidateEvaluation(self, name: str) -> float | None:
        """A figure of validation, by the evaluator's name."""
        return self._evaluations.get(f"validate_{name}")

    def getTrainLoss(self) -> float | None:
        """The loss in training."""
        return self.getTrainEvaluation(self._loss)

    def getValidateLoss(self) -> float | None:
        """The loss in validation."""
        return self.getValidateEvaluation(self._loss)


class Trainer(AutoCloseable):
    """Trains the block of a model; made by ``model.newTrainer(config)``."""

    def __init__(self, model: Any, config: DefaultTrainingConfig) -> None:
        self._model, self._config = model, config
        self._manager: NDManager = model.getNDManager().newSubManager()
        self._checked = False
        self._metrics: Any = None
        for initializer, which in config._initializers:
            model.getBlock().setInitializer(initializer, which)
        self.notifyListeners(lambda listener: listener.onTrainingBegin(self))

    def initialize(self, *shapes: Shape) -> None:
        """Make the parameters, for inputs of these shapes."""
        self._model.getBlock().initialize(self._model.getNDManager(), DataType.FLOAT32, *shapes)

    def iterateDataset(self, dataset: ArrayDataset) -> Iterator[Batch]:
        """The batches of one pass over a dataset."""
        return dataset.getData(self._manager)

    def newGradientCollector(self) -> GradientCollector:
        """Open a gradient collector."""
        return GradientCollector()

    def forward(self, input: NDList, *labels: NDList) -> NDList:
        """The result of the block in training."""
        return self._model.getBlock().forward(ParameterStore(self._manager), input, True)

    def evaluate(self, input: NDList) -> NDList:
        """The result of the block outside of training."""
        return self._model.getBlock().forward(ParameterStore(self._manager), input, False)

    def step(self) -> None:
        """Change the parameters by their gradients."""
        learning = [p for _, p in self._model.getBlock().getParameters() if p.requiresGradient()]
        if not self._checked:
            if not any(np.any(p.getArray().getGradient()._read("step")) for p in learning):
                raise IllegalStateException(
                    "[step] gradients were required; all of them are zero; call backward on the loss, inside the "
                    "collector, before"
                )
            self._checked = True
        for parameter in learning:
            array = parameter.getArray()
            self._config.getOptimizer().update(f"{id(parameter)}", array, array.getGradient())

    def notifyListeners(self, function: Callable[[TrainingListener], Any]) -> None:
        """Call a function with each listener."""
        for listener in self._config._listeners:
            function(listener)

    def getLoss(self) -> Loss:
        """The loss."""
        return self._config.getLossFunction()

    def getEvaluators(self) -> list[Evaluator]:
        """The evaluators."""
        return self._config.getEvaluators()

    def getAllEvaluators(self) -> list[Evaluator]:
        """The loss and the evaluators."""
        return [self.getLoss(), *self.getEvaluators()]

    def getModel(self) -> Any:
        """The model."""
        return self._model

    def getManager(self) -> NDManager:
        """The manager of the batches."""
        return self._manager

    def getDevices(self) -> list[Device]:
        """The devices."""
        return self._config.getDevices()

    def getTrainingResult(self) -> TrainingResult:
        """The figures of the latest epoch."""
        kinds = (("train", TRAIN_EPOCH), ("validate", VALIDATE_EPOCH))
        figures = {
            f"{kind}_{e.getName()}": e.getAccumulator(key) for kind, key in kinds for e in self.getAllEvaluators()
        }
        loss = self.getLoss().getName()
        return TrainingResult({name: value for name, value in figures.items() if value == value}, loss)

    def getMetrics(self) -> Any:
        """The metrics that were set."""
        return self._metrics

    def setMetrics(self, metrics: Any) -> None:
        """Say where figures are to be kept."""
        self._metrics = metrics

    def close(self) -> None:
        """Close the batches that are still open."""
        self.notifyListeners(lambda listener: listener.onTrainingEnd(self))
        self._manager.close()


class EasyTrain:
    """Whole steps of training."""

    @staticmethod
    def trainBatch(trainer: Trainer, batch: Batch) -> None:
        """Predict, and collect the gradients of the loss."""
        with trainer.newGradientCollector() as collector:
            predictions = trainer.forward(batch.getData(), batch.getLabels())
            collector.backward(trainer.getLoss().evaluate(batch.getLabels(), predictions))
        trainer.notifyListeners(lambda listener: listener.onTrainingBatch(trainer, (batch.getLabels(), predictions)))

    @staticmethod
    def validateBatch(trainer: Trainer, batch: Batch) -> None:
        """Predict, and tell the listeners."""
        predictions = trainer.evaluate(batch.getData())
        trainer.notifyListeners(lambda listener: listener.onValidationBatch(trainer, (batch.getLabels(), predictions)))

    @staticmethod
    def fit(trainer: Trainer, numEpoch: int, trainingDataset: ArrayDataset, validateDataset: Any = None) -> None:
        """Train for some epochs."""
        for _ in range(numEpoch):
            for batch in trainer.iterateDataset(trainingDataset):
                EasyTrain.trainBatch(trainer, batch)
                trainer.step()
                batch.close()
            if validateDataset is not None:
                for batch in trainer.iterateDataset(validateDataset):
                    EasyTrain.validateBatch(trainer, batch)
                    batch.close()
            trainer.notifyListeners(lambda listener: listener.onEpoch(trainer))
