"""`nn.functional`: losses and distances."""

import warnings
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.torch.errors import MissingError, OptionError
from wengert.dialects.torch.graph import named
from wengert.dialects.torch.nn.spoken import reduction_of, spoken
from wengert.dialects.torch.tensor import Tensor
from wengert.nn import distances, losses

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "margin_ranking_loss",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "pairwise_distance",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
]


def _same_shape(operation: str, input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Two operands of one shape; others broadcast, with a warning, as it is hardly ever meant."""
    if input._spec.shape == target._spec.shape:
        return input, target
    warnings.warn(
        f"[{operation}] Using a target size ({target.shape}) that is different to the input size ({input.shape}): both "
        f"are broadcast, which is hardly ever meant; reshape one of them",
        stacklevel=4,
    )
    shape = np.broadcast_shapes(input._spec.shape, target._spec.shape)
    return np.broadcast_to(input, shape), np.broadcast_to(target, shape)


def _reduced(losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """Losses with factors of their own, put together."""
    losses = losses if weight is None else losses * weight
    if reduction == "none":
        return losses
    if reduction not in ("mean", "sum"):
        raise OptionError(
            f"[loss] {reduction} is not a valid value for reduction; 'mean', 'sum' or 'none' was required"
        )
    return np.mean(losses) if reduction == "mean" else np.sum(losses)


@spoken("MseLossBackward0")
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """See `wengert.nn.mse`."""
    reduction = reduction_of(reduction, size_average, reduce)
    input, target = _same_shape("mse_loss", input, target)
    if weight is None:
        return losses.mse(input, target, reduction)
    return _reduced(losses.mse(input, target, "none"), weight, reduction)


@spoken()
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.mae`."""
    return losses.mae(*_same_shape("l1_loss", input, target), reduction_of(reduction, size_average, reduce))


@spoken("HuberLossBackward0")
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """See `wengert.nn.huber`."""
    return losses.huber(*_same_shape("huber_loss", input, target), delta, reduction)


@spoken("SmoothL1LossBackward0")
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """`huber_loss` with slope 1 beyond `beta`."""
    reduction = reduction_of(reduction, size_average, reduce)
    operands = _same_shape("smooth_l1_loss", input, target)
    return losses.huber(*operands, beta, reduction) / beta if beta else losses.mae(*operands, reduction)


def _classes_last(t: Tensor) -> Tensor:
    return np.moveaxis(t, 1, -1) if t.ndim > 1 else t


@spoken()
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of logits, whose classes are on axis 1; see `wengert.nn.cross_entropy`."""
    reduction = reduction_of(reduction, size_average, reduce)
    options: dict[str, Any] = {"class_weight": weight, "smoothing": label_smoothing}
    if target._spec.real:
        return losses.cross_entropy(_classes_last(input), _classes_last(target), reduction, **options)
    loss = losses.cross_entropy(_classes_last(input), target, reduction, ignore=ignore_index, **options)
    return loss if label_smoothing else _named_nll(loss, target)


def _named_nll(loss: Tensor, target: Tensor) -> Tensor:
    return named(loss, "NllLossBackward0" if target.ndim < 2 else "NllLoss2DBackward0") if loss.requires_grad else loss


@spoken()
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood, with the classes on axis 1; see `wengert.nn.nll`."""
    reduction = reduction_of(reduction, size_average, reduce)
    loss = losses.nll(_classes_last(input), target, reduction, class_weight=weight, ignore=ignore_index)
    return _named_nll(loss, target)


@spoken("BinaryCrossEntropyBackward0")
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.binary_cross_entropy`."""
    return _reduced(
        losses.binary_cross_entropy(input, target, "none"), weight, reduction_of(reduction, size_average, reduce)
    )


@spoken("BinaryCrossEntropyWithLogitsBackward0")
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """See `wengert.nn.binary_cross_entropy_with_logits`."""
    factor = 1.0 if pos_weight is None else pos_weight
    each = losses.binary_cross_entropy_with_logits(input, target, "none", factor)
    return _reduced(each, weight, reduction_of(reduction, size_average, reduce))


@spoken()
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """See `wengert.nn.kl_divergence`; ``reduction="batchmean"`` divides the sum by the size of axis 0."""
    reduction = reduction_of(reduction, size_average, reduce)
    probabilities = np.exp(target) if log_target else target
    if reduction == "batchmean":
        return losses.kl_divergence(input, probabilities, "sum") / input.shape[0]
    return losses.kl_divergence(input, probabilities, reduction)


# Distances and margins -------------------------------------------------------------------------------------------


@spoken()
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """See `wengert.nn.pairwise_distance`."""
    return distances.pairwise_distance(x1, x2, p, eps, keepdim)


@spoken()
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """See `wengert.nn.cosine_similarity`."""
    return distances.cosine_similarity(x1, x2, dim, eps)


@spoken()
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.margin_ranking_loss`."""
    each = distances.margin_ranking_loss(input1, input2, target, margin)
    return _reduced(each, None, reduction_of(reduction, size_average, reduce))


@spoken()
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.hinge_embedding_loss`."""
    each = distances.hinge_embedding_loss(input, bare(target), margin)
    return _reduced(each, None, reduction_of(reduction, size_average, reduce))


@spoken()
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.cosine_embedding_loss`."""
    each = distances.cosine_embedding_loss(input1, input2, bare(target), margin)
    return _reduced(each, None, reduction_of(reduction, size_average, reduce))


@spoken()
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.triplet_margin_loss`."""
    if swap:
        raise MissingError("[triplet_margin_loss] swap=False was required; received True; leave it out")
    each = distances.triplet_margin_loss(anchor, positive, negative, margin, p, eps)
    return _reduced(each, None, reduction_of(reduction, size_average, reduce))


@spoken("SoftMarginLossBackward0")
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.soft_margin_loss`."""
    each = distances.soft_margin_loss(input, target)
    return _reduced(each, None, reduction_of(reduction, size_average, reduce))


@spoken("MultiMarginLossBackward0")
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.multi_margin_loss`."""
    each = distances.multi_margin_loss(input, bare(target), p, margin, weight)
    return _reduced(each, None, reduction_of(reduction, size_average, reduce))


@spoken()
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the last axis of `binary_cross_entropy_with_logits`."""
    each = losses.binary_cross_entropy_with_logits(input, target, "none")
    each = np.mean(each if weight is None else each * weight, axis=-1)
    return _reduced(each, None, reduction_of(reduction, size_average, reduce))


# Likelihoods -----------------------------------------------------------------------------------------------------


@spoken()
def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """See `wengert.nn.gaussian_nll`."""
    var = var if isinstance(var, Tensor) else Tensor._box(np.full(input._spec.shape, var, input._spec.dtype))
    if var.ndim == input.ndim - 1:
        var = np.expand_dims(var, -1)
    if np.any(bare(var) < 0):
        raise OptionError("[gaussian_nll_loss] var has negative entry/entries; variances are not negative")
    return _reduced(distances.gaussian_nll(input, target, var, full, eps), None, reduction)


@spoken()
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See `wengert.nn.poisson_nll`."""
    each = distances.poisson_nll(input if log_input else np.log(input + eps), target, full)
    return _reduced(each, None, reduction_of(reduction, size_average, reduce))
