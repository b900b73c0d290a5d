"""Losses, the means over a batch, which also keep totals as evaluators."""

from typing import Any

import numpy as np

from wengert import nn
from wengert.dialects.djl.ndarray import NDArray, NDList
from wengert.dialects.djl.training.evaluator import Evaluator

_moveaxis: Any = np.moveaxis  # of arrays it gives arrays, which NumPy's annotations cannot say
__all__ = ["L1Loss", "L2Loss", "Loss", "SigmoidBinaryCrossEntropyLoss", "SoftmaxCrossEntropyLoss"]


class Loss(Evaluator):
    """A loss: ``evaluate(labels, predictions)`` of two lists is an array without axes."""

    def evaluate(self, labels: NDList, predictions: NDList) -> NDArray:
        """The loss, which backward starts from."""
        raise NotImplementedError(f"[{type(self).__name__}] a Loss needs a method evaluate; define one")

    def _measure(self, labels: NDList, predictions: NDList) -> tuple[float, float]:
        return float(self.evaluate(labels, predictions)), 1.0

    @staticmethod
    def l2Loss(name: str = "L2Loss", weight: float = 0.5) -> "L2Loss":
        """Half the mean squared difference."""
        return L2Loss(name, weight)

    @staticmethod
    def l1Loss(name: str = "L1Loss", weight: float = 1.0) -> "L1Loss":
        """The mean absolute difference."""
        return L1Loss(name, weight)

    @staticmethod
    def softmaxCrossEntropyLoss(
        name: str = "SoftmaxCrossEntropyLoss",
        weight: float = 1.0,
        classAxis: int = -1,
        sparseLabel: bool = True,
        fromLogit: bool = True,
    ) -> "SoftmaxCrossEntropyLoss":
        """Cross entropy between labels and the softmax of predictions."""
        return SoftmaxCrossEntropyLoss(name, weight, classAxis, sparseLabel, fromLogit)

    @staticmethod
    def sigmoidBinaryCrossEntropyLoss(
        name: str = "SigmoidBinaryCrossEntropyLoss", weight: float = 1.0
    ) -> "SigmoidBinaryCrossEntropyLoss":
        """Cross entropy between yes/no labels and the sigmoid of predictions."""
        return SigmoidBinaryCrossEntropyLoss(name, weight)


class _Weighted(Loss):
    def __init__(self, name: str, weight: float) -> None:
        super().__init__(name)
        self._weight = weight


class L2Loss(_Weighted):
    """`weight` times the mean squared difference."""

    def evaluate(self, labels: NDList, predictions: NDList) -> NDArray:
        """The loss of two lists of one array."""
        label, prediction = _aligned(labels, predictions)
        return nn.mse(prediction, label).mul(self._weight)


class L1Loss(_Weighted):
    """`weight` times the mean absolute difference."""

    def evaluate(self, labels: NDList, predictions: NDList) -> NDArray:
        """The loss of two lists of one array."""
        label, prediction = _aligned(labels, predictions)
        return nn.mae(prediction, label).mul(self._weight)


class SigmoidBinaryCrossEntropyLoss(_Weighted):
    """`weight` times the mean cross entropy of yes/no labels."""

    def evaluate(self, labels: NDList, predictions: NDList) -> NDArray:
        """The loss of two lists of one array."""
        label, prediction = _aligned(labels, predictions)
        return nn.binary_cross_entropy_with_logits(prediction, label).mul(self._weight)


class SoftmaxCrossEntropyLoss(_Weighted):
    """`weight` times the mean cross entropy; labels are class numbers, or (``sparseLabel=False``) probabilities.

    Predictions are logits, or (``fromLogit=False``) the logarithms of probabilities.
    """

    def __init__(self, name: str, weight: float, classAxis: int, sparseLabel: bool, fromLogit: bool) -> None:
        super().__init__(name, weight)
        self._axis, self._sparse, self._logits = classAxis, sparseLabel, fromLogit

    def evaluate(self, labels: NDList, predictions: NDList) -> NDArray:
        """The loss of two lists of one array."""
        scores: Any = _moveaxis(predictions.singletonOrThrow(), self._axis, -1)
        label = labels.singletonOrThrow()
        if self._sparse:
            label = label._read("evaluate").astype(np.int64).reshape(scores.shape[:-1])
        else:
            label = _moveaxis(label.reshape(predictions.head().getShape()), self._axis, -1)
        return (nn.cross_entropy if self._logits else nn.nll)(scores, label).mul(self._weight)


def _aligned(labels: NDList, predictions: NDList) -> tuple[NDArray, NDArray]:
    prediction = predictions.singletonOrThrow()
    return labels.singletonOrThrow().reshape(prediction.getShape()), prediction
