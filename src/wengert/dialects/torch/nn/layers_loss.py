"""Losses as modules: each calls the function of `nn.functional`, with its settings."""

from typing import Any

from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.nn.module import Module
from wengert.dialects.torch.nn.spoken import reduction_of
from wengert.dialects.torch.tensor import Tensor

# name: (function, settings with their defaults, in the order of the arguments)
_TABLE: dict[str, tuple[Any, dict[str, Any]]] = {
    "MSELoss": (F.mse_loss, {}),
    "L1Loss": (F.l1_loss, {}),
    "SmoothL1Loss": (F.smooth_l1_loss, {"beta": 1.0}),
    "HuberLoss": (F.huber_loss, {"delta": 1.0}),
    "CrossEntropyLoss": (F.cross_entropy, {"weight": None, "ignore_index": -100, "label_smoothing": 0.0}),
    "NLLLoss": (F.nll_loss, {"weight": None, "ignore_index": -100}),
    "BCELoss": (F.binary_cross_entropy, {"weight": None}),
    "BCEWithLogitsLoss": (F.binary_cross_entropy_with_logits, {"weight": None, "pos_weight": None}),
    "KLDivLoss": (F.kl_div, {"log_target": False}),
    "MarginRankingLoss": (F.margin_ranking_loss, {"margin": 0.0}),
    "HingeEmbeddingLoss": (F.hinge_embedding_loss, {"margin": 1.0}),
    "CosineEmbeddingLoss": (F.cosine_embedding_loss, {"margin": 0.0}),
    "TripletMarginLoss": (F.triplet_margin_loss, {"margin": 1.0, "p": 2.0, "eps": 1e-6, "swap": False}),
    "SoftMarginLoss": (F.soft_margin_loss, {}),
    "MultiMarginLoss": (F.multi_margin_loss, {"p": 1, "margin": 1.0, "weight": None}),
    "MultiLabelSoftMarginLoss": (F.multilabel_soft_margin_loss, {"weight": None}),
    "GaussianNLLLoss": (F.gaussian_nll_loss, {"full": False, "eps": 1e-6}),
    "PoissonNLLLoss": (F.poisson_nll_loss, {"log_input": True, "full": False, "eps": 1e-8}),
}
_ORDERS = {
    "SmoothL1Loss": ("size_average", "reduce", "reduction", "beta"),
    "HuberLoss": ("reduction", "delta"),
    "CrossEntropyLoss": ("weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing"),
    "NLLLoss": ("weight", "size_average", "ignore_index", "reduce", "reduction"),
    "BCELoss": ("weight", "size_average", "reduce", "reduction"),
    "BCEWithLogitsLoss": ("weight", "size_average", "reduce", "reduction", "pos_weight"),
    "KLDivLoss": ("size_average", "reduce", "reduction", "log_target"),
    "MarginRankingLoss": ("margin", "size_average", "reduce", "reduction"),
    "HingeEmbeddingLoss": ("margin", "size_average", "reduce", "reduction"),
    "CosineEmbeddingLoss": ("margin", "size_average", "reduce", "reduction"),
    "TripletMarginLoss": ("margin", "p", "eps", "swap", "size_average", "reduce", "reduction"),
    "MultiMarginLoss": ("p", "margin", "weight", "size_average", "reduce", "reduction"),
    "MultiLabelSoftMarginLoss": ("weight", "size_average", "reduce", "reduction"),
    "GaussianNLLLoss": ("full", "eps", "reduction"),
    "PoissonNLLLoss": ("log_input", "full", "size_average", "eps", "reduce", "reduction"),
}
"""The order of the arguments, where it is not ``size_average, reduce, reduction``."""


class _Loss(Module):
    """A function as a module; subclasses come from the table."""

    function: Any
    settings: dict[str, Any]
    order: tuple[str, ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        given = dict(zip(self.order, args, strict=False)) | kwargs
        if len(args) > len(self.order) or not given.keys() <= {*self.order}:
            raise TypeError(f"{type(self).__name__}() takes {', '.join(self.order)}; got {args} {kwargs}")
        older = given.get("size_average"), given.get("reduce")
        self.reduction = reduction_of(given.get("reduction", "mean"), *older)
        for name, default in self.settings.items():
            value = given.get(name, default)
            if isinstance(value, Tensor) or name in ("weight", "pos_weight"):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *operands: Tensor) -> Tensor:
        """Compute the loss."""
        settings = {name: getattr(self, name) for name in self.settings}
        return type(self).function(*operands, **settings, reduction=self.reduction)


def _module(name: str, function: Any, settings: dict[str, Any]) -> type[_Loss]:
    body = {
        "__doc__": f"`nn.functional.{function.__name__}` as a module.",
        "__module__": __name__,
        "function": staticmethod(function),
        "settings": settings,
        "order": _ORDERS.get(name, ("size_average", "reduce", "reduction")),
    }
    return type(name, (_Loss,), body)


globals().update({_name: _module(_name, *_row) for _name, _row in _TABLE.items()})


class CosineSimilarity(Module):
    """`nn.functional.cosine_similarity` as a module."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Compute the cosine."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """`nn.functional.pairwise_distance` as a module."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Compute the distance."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


__all__ = ["CosineSimilarity", "PairwiseDistance", *_TABLE]
