"""`nn.functional`: losses and distances."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.torch.errors import OptionError
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


def _reducing(each: Callable, name: str, node: str | None = None) -> Any:
    """A loss of one number for each example, with PyTorch's ways to put these together."""

    @spoken(node)
    def loss(
        *operands: Any,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        **settings: Any,
    ) -> Tensor:
        return _reduced(each(*operands, **settings), None, reduction_of(reduction, size_average, reduce))

    loss.__name__ = loss.__qualname__ = name
    loss.__doc__ = f"See `wengert.nn.{each.__name__}`, with ``reduction`` and its older names as keywords."
    return loss


def _multi_margin(input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Any = None) -> Tensor:
    return distances.multi_margin_loss(input, target, p, margin, weight)


def _multilabel(input: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    each = losses.binary_cross_entropy_with_logits(input, target, "none")
    return np.mean(each if weight is None else each * weight, axis=-1)


def _poisson(input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, eps: float = 1e-8) -> Tensor:
    return distances.poisson_nll(input if log_input else np.log(input + eps), target, full)


_multi_margin.__name__, _poisson.__name__ = "multi_margin_loss", "poisson_nll"
_multilabel.__name__ = "binary_cross_entropy_with_logits"
margin_ranking_loss = _reducing(distances.margin_ranking_loss, "margin_ranking_loss")
hinge_embedding_loss = _reducing(distances.hinge_embedding_loss, "hinge_embedding_loss")
cosine_embedding_loss = _reducing(distances.cosine_embedding_loss, "cosine_embedding_loss")
triplet_margin_loss = _reducing(distances.triplet_margin_loss, "triplet_margin_loss")
soft_margin_loss = _reducing(distances.soft_margin_loss, "soft_margin_loss", "SoftMarginLossBackward0")
multi_margin_loss = _reducing(_multi_margin, "multi_margin_loss", "MultiMarginLossBackward0")
multilabel_soft_margin_loss = _reducing(_multilabel, "multilabel_soft_margin_loss")
poisson_nll_loss = _reducing(_poisson, "poisson_nll_loss")


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
