"""``mxnet.gluon.loss``: losses of each example, which is their mean over all axes but the batch's."""

from typing import Any

import numpy as np

from wengert import nn
from wengert.dialects.mxnet import neural
from wengert.dialects.mxnet.gluon.block import HybridBlock
from wengert.dialects.mxnet.numpy_extension import functions

__all__ = [
    "CosineEmbeddingLoss", "HingeLoss", "HuberLoss", "KLDivLoss", "L1Loss", "L2Loss", "LogisticLoss", "Loss",
    "PoissonNLLLoss", "SigmoidBCELoss", "SigmoidBinaryCrossEntropyLoss", "SoftmaxCELoss", "SoftmaxCrossEntropyLoss",
    "SquaredHingeLoss", "TripletLoss",
]  # fmt: skip

_EPS = 1e-12
"""Added to probabilities before their logarithm is taken."""


class Loss(HybridBlock):
    """Base of the losses.

    Parameters
    ----------
    weight : float, optional
        Factor on the loss.
    batch_axis : int
    """

    def __init__(self, weight: float | None, batch_axis: int, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._weight, self._batch_axis = weight, batch_axis

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_axis={self._batch_axis}, w={self._weight})"

    def _of_examples(self, loss: Any, sample_weight: Any) -> Any:
        """Weighted losses, averaged over all axes but the batch's."""
        loss = self._weighted(loss, sample_weight)
        others = tuple(i for i in range(loss.ndim) if i != self._batch_axis % loss.ndim)
        return np.mean(loss, axis=others) if others else loss

    def _weighted(self, loss: Any, sample_weight: Any) -> Any:
        if sample_weight is not None:
            loss = loss * sample_weight
        return loss if self._weight is None else loss * self._weight


def _like(label: Any, pred: Any) -> Any:
    """The labels in the predictions' shape."""
    return label if label.shape == pred.shape else np.reshape(label, pred.shape)


class _Elementwise(Loss):
    """A loss of each element of predictions and labels."""

    def __init__(
        self, weight: float | None = None, batch_axis: int = 0, prefix: str | None = None, params: Any = None
    ) -> None:
        super().__init__(weight, batch_axis, prefix, params)

    def hybrid_forward(self, F: Any, pred: Any, label: Any, sample_weight: Any = None) -> Any:
        """Losses of the examples."""
        return self._of_examples(self._loss(pred, _like(label, pred)), sample_weight)

    def _loss(self, pred: Any, label: Any) -> Any:
        raise NotImplementedError


class L2Loss(_Elementwise):
    """Half the squared error."""

    def __init__(self, weight: float = 1.0, batch_axis: int = 0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(weight, batch_axis, prefix, params)

    def _loss(self, pred: Any, label: Any) -> Any:
        return nn.mse(pred, label, "none")

    def _weighted(self, loss: Any, sample_weight: Any) -> Any:
        loss = loss if sample_weight is None else loss * sample_weight
        return loss * ((1.0 if self._weight is None else self._weight) / 2)


class L1Loss(_Elementwise):
    """The absolute error."""

    def _loss(self, pred: Any, label: Any) -> Any:
        return nn.mae(pred, label, "none")


class HuberLoss(_Elementwise):
    """Half the squared error over `rho` where that is small, the absolute error less ``rho / 2`` beyond."""

    def __init__(self, rho: float = 1, weight: float | None = None, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._rho = rho

    def _loss(self, pred: Any, label: Any) -> Any:
        return nn.huber(pred, label, self._rho, "none") / self._rho


class HingeLoss(_Elementwise):
    """What is missing to `margin`, for labels -1 and 1."""

    def __init__(self, margin: float = 1, weight: float | None = None, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def _loss(self, pred: Any, label: Any) -> Any:
        return nn.margin_ranking_loss(pred, 0.0, label, self._margin)


class SquaredHingeLoss(HingeLoss):
    """The square of what is missing to `margin`, for labels -1 and 1."""

    def _loss(self, pred: Any, label: Any) -> Any:
        return np.square(super()._loss(pred, label))


class LogisticLoss(_Elementwise):
    """Cross entropy of two classes, labelled -1 and 1 (``"signed"``) or 0 and 1 (``"binary"``)."""

    def __init__(
        self, weight: float | None = None, batch_axis: int = 0, label_format: str = "signed", **kwargs: Any
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        if label_format not in ("signed", "binary"):
            raise ValueError(f"[LogisticLoss] label_format can only be signed or binary, received {label_format!r}")
        self._label_format = label_format

    def _loss(self, pred: Any, label: Any) -> Any:
        label = (label + 1) / 2 if self._label_format == "signed" else label
        return nn.binary_cross_entropy_with_logits(pred, label, "none")


class SigmoidBinaryCrossEntropyLoss(Loss):
    """Cross entropy of yes/no labels and logits; or, with `from_sigmoid`, probabilities."""

    def __init__(
        self, from_sigmoid: bool = False, weight: float | None = None, batch_axis: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._from_sigmoid = from_sigmoid

    def hybrid_forward(
        self,
        F: Any,
        pred: Any,
        label: Any,
        sample_weight: Any = None,
        pos_weight: Any = None,
    ) -> Any:
        """Losses of the examples; `pos_weight` is a factor on those of yes."""
        label, positive = _like(label, pred), 1.0 if pos_weight is None else pos_weight
        if self._from_sigmoid:
            loss = nn.binary_cross_entropy(pred, label, "none", positive, eps=_EPS)
        else:
            loss = nn.binary_cross_entropy_with_logits(pred, label, "none", positive)
        return self._of_examples(loss, sample_weight)


SigmoidBCELoss = SigmoidBinaryCrossEntropyLoss


class SoftmaxCrossEntropyLoss(Loss):
    """Cross entropy of classes, given by number (`sparse_label`) or as probabilities, and logits.

    With `from_logits`, predictions are logarithms of probabilities already.
    """

    def __init__(
        self,
        axis: int = -1,
        sparse_label: bool = True,
        from_logits: bool = False,
        weight: float | None = None,
        batch_axis: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._axis, self._sparse_label, self._from_logits = axis, sparse_label, from_logits

    def hybrid_forward(self, F: Any, pred: Any, label: Any, sample_weight: Any = None) -> Any:
        """Losses of the examples."""
        logs = pred if self._from_logits else neural.log_softmax(pred, axis=self._axis)
        if self._sparse_label:
            loss = -functions.pick(logs, label, axis=self._axis, keepdims=True)
        else:
            loss = -np.sum(logs * _like(label, logs), axis=self._axis, keepdims=True)
        return self._of_examples(loss, sample_weight)


SoftmaxCELoss = SoftmaxCrossEntropyLoss


class KLDivLoss(Loss):
    """Divergence of predictions, logits or (with `from_logits`) logarithms of probabilities, from probabilities."""

    def __init__(
        self, from_logits: bool = True, axis: int = -1, weight: float | None = None, batch_axis: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._from_logits, self._axis = from_logits, axis

    def hybrid_forward(self, F: Any, pred: Any, label: Any, sample_weight: Any = None) -> Any:
        """Losses of the examples."""
        logs = pred if self._from_logits else neural.log_softmax(pred, axis=self._axis)
        return self._of_examples(nn.kl_divergence(logs, label, "none"), sample_weight)


class TripletLoss(Loss):
    """How much nearer than `margin` the negative example is, compared with the positive one."""

    def __init__(self, margin: float = 1, weight: float | None = None, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def hybrid_forward(
        self,
        F: Any,
        pred: Any,
        positive: Any,
        negative: Any,
        sample_weight: Any = None,
    ) -> Any:
        """Losses of the examples."""
        others = tuple(i for i in range(pred.ndim) if i != self._batch_axis % pred.ndim)
        near, far = (np.sum(nn.mse(pred, _like(x, pred), "none"), axis=others) for x in (positive, negative))
        return self._weighted(nn.margin_ranking_loss(far, near, 1.0, self._margin), sample_weight)


class PoissonNLLLoss(Loss):
    """Negative log likelihood of counts under rates, given (with `from_logits`) by their logarithms: one number.

    With `compute_full`, what does not depend on the rates is part of it, by Stirling's formula.
    """

    def __init__(
        self,
        weight: float | None = None,
        from_logits: bool = True,
        batch_axis: int = 0,
        compute_full: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._from_logits, self._compute_full = from_logits, compute_full

    def hybrid_forward(
        self,
        F: Any,
        pred: Any,
        target: Any,
        sample_weight: Any = None,
        epsilon: float = 1e-08,
    ) -> Any:
        """The mean of all losses."""
        log_rates = pred if self._from_logits else np.log(pred + epsilon)
        loss = nn.poisson_nll(log_rates, _like(target, pred), self._compute_full)
        return np.mean(self._weighted(loss, sample_weight))


class CosineEmbeddingLoss(Loss):
    """One minus the cosine for pairs labelled 1; what it has above `margin` for those labelled -1."""

    def __init__(self, weight: float | None = None, batch_axis: int = 0, margin: float = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def hybrid_forward(
        self,
        F: Any,
        input1: Any,
        input2: Any,
        label: Any,
        sample_weight: Any = None,
    ) -> Any:
        """Losses of the examples."""
        same = np.reshape(label, input2.shape[:-1])
        loss = nn.cosine_embedding_loss(_like(input1, input2), input2, same, self._margin)
        return self._of_examples(loss, sample_weight)
