"""Evaluators: figures that are kept over the batches of an epoch."""

import numpy as np

from wengert import tape
from wengert.dialects.djl.ndarray import NDArray, NDList

__all__ = ["Accuracy", "Evaluator"]


class Evaluator:
    """A figure with running means, each under a key such as ``train/epoch``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._sums: dict[str, tuple[float, float]] = {}

    def getName(self) -> str:
        """The name."""
        return self._name

    def _measure(self, labels: NDList, predictions: NDList) -> tuple[float, float]:
        """A sum, and what to divide it by."""
        raise NotImplementedError

    def addAccumulator(self, key: str) -> None:
        """Start a running mean."""
        self._sums[key] = (0.0, 0.0)

    resetAccumulator = addAccumulator

    def updateAccumulator(self, key: str, labels: NDList, predictions: NDList) -> None:
        """Add a batch to a running mean."""
        with tape.no_grad():
            total, count = self._measure(labels, predictions)
        before = self._sums.get(key, (0.0, 0.0))
        self._sums[key] = (before[0] + total, before[1] + count)

    updateAccumulators = updateAccumulator

    def getAccumulator(self, key: str) -> float:
        """A running mean; NaN if it has no batch."""
        total, count = self._sums.get(key, (0.0, 0.0))
        return total / count if count else float("nan")


class Accuracy(Evaluator):
    """The share of labels that are predicted: by the largest entry, or by the sign where there is one entry."""

    def __init__(self, name: str = "Accuracy", axis: int = 1) -> None:
        super().__init__(name)
        self._axis = axis

    def evaluate(self, labels: NDList, predictions: NDList) -> NDArray:
        """The share, in a batch."""
        right, count = self._measure(labels, predictions)
        return predictions.head().getManager().create(right / count)

    def _measure(self, labels: NDList, predictions: NDList) -> tuple[float, float]:
        prediction, label = predictions.head()._read("Accuracy"), labels.head()._read("Accuracy")
        if prediction.shape != label.shape:
            prediction = np.argmax(prediction, self._axis)
        else:
            prediction = np.rint(prediction)
        right = prediction.astype(np.int64).ravel() == label.astype(np.int64).ravel()
        return float(np.sum(right)), float(right.size)
