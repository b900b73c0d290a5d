"""What is told of the progress of training."""

from typing import Any

__all__ = ["EvaluatorTrainingListener", "TrainingListener"]

TRAIN_EPOCH, VALIDATE_EPOCH = "train/epoch", "validate/epoch"


class TrainingListener:
    """Base of listeners: methods that a trainer calls."""

    Defaults: Any

    def onEpoch(self, trainer: Any) -> None:
        """An epoch is over."""

    def onTrainingBatch(self, trainer: Any, batchData: Any) -> None:
        """A batch was trained on: its labels and predictions."""

    def onValidationBatch(self, trainer: Any, batchData: Any) -> None:
        """A batch was evaluated."""

    def onTrainingBegin(self, trainer: Any) -> None:
        """Training begins."""

    def onTrainingEnd(self, trainer: Any) -> None:
        """Training is over."""


class EvaluatorTrainingListener(TrainingListener):
    """Keeps the loss and the evaluators of a trainer over each epoch; starts them anew with the next."""

    TRAIN_EPOCH, VALIDATE_EPOCH = TRAIN_EPOCH, VALIDATE_EPOCH

    def __init__(self) -> None:
        self._over: set[str] = set()

    def onEpoch(self, trainer: Any) -> None:
        """The figures of the epoch are added to the trainer's metrics, and stay until the next batch."""
        for key in (TRAIN_EPOCH, VALIDATE_EPOCH):
            for evaluator in trainer.getAllEvaluators() if trainer.getMetrics() else ():
                figure = evaluator.getAccumulator(key)
                if figure == figure:
                    trainer.getMetrics().addMetric(f"{key.replace('/', '_')}_{evaluator.getName()}", figure)
        self._over = {TRAIN_EPOCH, VALIDATE_EPOCH}

    def onTrainingBatch(self, trainer: Any, batchData: Any) -> None:
        """Add a batch to the figures of training."""
        self._update(trainer, TRAIN_EPOCH, batchData)

    def onValidationBatch(self, trainer: Any, batchData: Any) -> None:
        """Add a batch to the figures of validation."""
        self._update(trainer, VALIDATE_EPOCH, batchData)

    def _update(self, trainer: Any, key: str, batch: Any) -> None:
        for evaluator in trainer.getAllEvaluators():
            if key in self._over:
                evaluator.resetAccumulator(key)
            evaluator.updateAccumulator(key, *batch)
        self._over.discard(key)


class LoggingTrainingListener(TrainingListener):
    """Prints the figures of each epoch."""

    def onEpoch(self, trainer: Any) -> None:
        """Print the running means of training, and of validation if there was one."""
        for title, key in (("Train", TRAIN_EPOCH), ("Validate", VALIDATE_EPOCH)):
            figures = {e.getName(): e.getAccumulator(key) for e in trainer.getAllEvaluators()}
            if any(value == value for value in figures.values()):
                print(f"{title}: {', '.join(f'{name}: {value:.2f}' for name, value in figures.items())}")


class _Defaults:
    """The usual listeners."""

    @staticmethod
    def basic() -> list[TrainingListener]:
        """What keeps figures."""
        return [EvaluatorTrainingListener()]

    @staticmethod
    def logging(*arguments: Any) -> list[TrainingListener]:
        """What keeps figures and prints them."""
        return [EvaluatorTrainingListener(), LoggingTrainingListener()]


TrainingListener.Defaults = _Defaults
