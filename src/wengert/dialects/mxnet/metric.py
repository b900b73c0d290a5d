"""`mxnet.metric`: figures that summarise a run of batches. Each is updated with labels and predictions."""

from collections.abc import Callable, Iterable
from math import nan
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.errors import ArgumentError, ShapeError

__all__ = [
    "F1",
    "MAE",
    "MSE",
    "RMSE",
    "Accuracy",
    "CompositeEvalMetric",
    "CrossEntropy",
    "CustomMetric",
    "EvalMetric",
    "Loss",
    "NegativeLogLikelihood",
    "PearsonCorrelation",
    "Perplexity",
    "TopKAccuracy",
    "create",
    "register",
]

_METRICS: dict[str, type["EvalMetric"]] = {}
_ALIASES = {
    "acc": "accuracy",
    "ce": "crossentropy",
    "top_k_accuracy": "topkaccuracy",
    "composite": "compositeevalmetric",
    "nll_loss": "negativeloglikelihood",
    "pearsonr": "pearsoncorrelation",
}


def register(metric: type["EvalMetric"]) -> type["EvalMetric"]:
    """Make a metric known to `create`, by the name of its class."""
    _METRICS[metric.__name__.lower()] = metric
    return metric


def create(metric: Any, *args: Any, **kwargs: Any) -> "EvalMetric":
    """A metric from its name, from a list of them, from a function of labels and predictions, or from itself."""
    if isinstance(metric, EvalMetric):
        return metric
    if isinstance(metric, (list, tuple)):
        return CompositeEvalMetric([create(m, *args, **kwargs) for m in metric])
    if callable(metric):
        return CustomMetric(metric, *args, **kwargs)
    name = str(metric).lower()
    name = _ALIASES.get(name, name)
    if name not in _METRICS:
        raise ArgumentError(f"[metric.create] one of {', '.join(sorted(_METRICS))} was required; received {metric!r}")
    return _METRICS[name](*args, **kwargs)


class EvalMetric:
    """Base of the metrics: a sum, and the number of things summed.

    A subclass defines `measure`, which gives both for one pair of label and prediction, or `update`.
    """

    def __init__(self, name: str, output_names: Any = None, label_names: Any = None, **settings: Any) -> None:
        self.name, self.output_names, self.label_names = str(name), output_names, label_names
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.num_inst, self.sum_metric = 0, 0.0

    def update(self, labels: Any, preds: Any) -> None:
        """Take a batch: arrays, or lists of them in step."""
        labels, preds = _listed(labels), _listed(preds)
        if len(labels) != len(preds):
            raise ArgumentError(
                f"[{self.name}] as many labels as predictions were required; received {len(labels)} and {len(preds)}"
            )
        for label, pred in zip(labels, preds, strict=True):
            total, count = self.measure(np.asarray(bare(label)), np.asarray(bare(pred)))
            self.sum_metric += float(total)
            self.num_inst += int(count)

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        """Sum and count of one pair."""
        raise NotImplementedError(f"[{type(self).__name__}] a metric needs a method update; define it")

    def update_dict(self, label: dict, pred: dict) -> None:
        """Take a batch whose arrays have names."""
        self.update(_chosen(label, self.label_names), _chosen(pred, self.output_names))

    def get(self) -> tuple[Any, Any]:
        """Name and value; NaN before the first batch."""
        return self.name, self.sum_metric / self.num_inst if self.num_inst else nan

    def get_name_value(self) -> list[tuple[Any, Any]]:
        """Names and values as pairs."""
        name, value = self.get()
        if not isinstance(name, list):
            name, value = [name], [value]
        return list(zip(name, value, strict=True))

    get_global, get_global_name_value, reset_local = get, get_name_value, reset

    def get_config(self) -> dict[str, Any]:
        """Settings by name."""
        return {
            "metric": type(self).__name__,
            "name": self.name,
            "output_names": self.output_names,
            "label_names": self.label_names,
            **self._settings,
        }

    def __str__(self) -> str:
        return f"EvalMetric: {dict(self.get_name_value())}"


def _listed(arrays: Any) -> list:
    return list(arrays) if isinstance(arrays, (list, tuple)) else [arrays]


def _chosen(arrays: dict, names: Any) -> list:
    return list(arrays.values()) if names is None else [arrays[name] for name in names]


@register
class CompositeEvalMetric(EvalMetric):
    """Several metrics, updated together."""

    def __init__(self, metrics: Iterable[Any] | None = None, name: str = "composite", **names: Any) -> None:
        self.metrics = [create(metric) for metric in metrics or ()]
        super().__init__(name, **names)

    def add(self, metric: Any) -> None:
        """Add a metric."""
        self.metrics.append(create(metric))

    def get_metric(self, index: int) -> EvalMetric:
        """The metric at a position."""
        return self.metrics[index]

    def reset(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset()

    def update(self, labels: Any, preds: Any) -> None:
        """Take a batch."""
        for metric in self.metrics:
            metric.update(labels, preds)

    def get(self) -> tuple[list, list]:
        """Names and values."""
        pairs = [pair for metric in self.metrics for pair in metric.get_name_value()]
        return [name for name, _ in pairs], [value for _, value in pairs]


@register
class Accuracy(EvalMetric):
    """Share of right classes; predictions are classes, or scores of the classes along `axis`."""

    def __init__(self, axis: int = 1, name: str = "accuracy", **names: Any) -> None:
        super().__init__(name, axis=axis, **names)
        self.axis = axis

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        """Right answers among all."""
        if pred.shape != label.shape:
            pred = pred.argmax(axis=self.axis)
        _require_one_size(self.name, label, pred)
        return np.sum(label.astype(int).ravel() == pred.astype(int).ravel()), pred.size


@register
class TopKAccuracy(EvalMetric):
    """Share of examples whose class is among the `top_k` with the highest scores."""

    def __init__(self, top_k: int = 1, name: str = "top_k_accuracy", **names: Any) -> None:
        if top_k <= 1:
            raise ArgumentError(f"[TopKAccuracy] top_k above 1 was required; received {top_k!r}; use Accuracy for 1")
        super().__init__(f"{name}_{top_k}", top_k=top_k, **names)
        self.top_k = top_k

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        """Right answers among all."""
        best = np.argsort(pred, axis=-1)[..., -self.top_k :] if pred.ndim > 1 else pred[:, None]
        return np.sum(best == label.astype(int).reshape(-1, 1)), len(best)


@register
class F1(EvalMetric):
    """Harmonic mean of precision and recall of class 1, of two: averaged over batches (macro), or of all (micro)."""

    def __init__(self, name: str = "f1", average: str = "macro", **names: Any) -> None:
        if average not in ("macro", "micro"):
            raise ArgumentError(f"[F1] average 'macro' or 'micro' was required; received {average!r}")
        self.average = average
        super().__init__(name, average=average, **names)

    def reset(self) -> None:
        """Forget all batches."""
        super().reset()
        self._right, self._named = 0, 0

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        """The score of a batch; for micro, what changes the mean to the score of all so far."""
        pred = pred.argmax(axis=1) if pred.ndim > 1 else pred > 0.5
        label, pred = label.ravel().astype(int), pred.ravel().astype(int)
        _require_one_size(self.name, label, pred)
        if label.size and (label.min() < 0 or label.max() > 1):
            raise ValueError(
                f"[F1] F1 currently only supports binary classification; received labels up to {label.max()}"
            )
        right, named = int(np.sum(label & pred)), int(label.sum() + pred.sum())
        if self.average == "macro":
            return _share(2 * right, named), 1
        self._right, self._named = self._right + right, self._named + named
        count = self.num_inst + label.size
        return _share(2 * self._right, self._named) * count - self.sum_metric, label.size


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


@register
class PearsonCorrelation(EvalMetric):
    """Correlation of labels and predictions, averaged over batches."""

    def __init__(self, name: str = "pearsonr", **names: Any) -> None:
        super().__init__(name, **names)

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        """The correlation of a batch."""
        _require_one_size(self.name, label, pred)
        return np.corrcoef(pred.ravel(), label.ravel())[0, 1], 1


class _Error(EvalMetric):
    """Mean over batches of an error per element."""

    def __init__(self, name: str | None = None, **names: Any) -> None:
        super().__init__(name or type(self).__name__.lower(), **names)

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        label, pred = (a.reshape(-1, 1) if a.ndim == 1 else a for a in (label, pred))
        if label.shape != pred.shape:
            raise ShapeError(
                f"[{self.name}] labels and predictions of one shape were required; received {label.shape} and "
                f"{pred.shape}"
            )
        return self.error(label - pred), 1

    def error(self, residuals: np.ndarray) -> Any:
        raise NotImplementedError


@register
class MAE(_Error):
    """Mean absolute error, averaged over batches."""

    def error(self, residuals: np.ndarray) -> Any:
        """Error of a batch."""
        return np.abs(residuals).mean()


@register
class MSE(_Error):
    """Mean squared error, averaged over batches."""

    def error(self, residuals: np.ndarray) -> Any:
        """Error of a batch."""
        return np.square(residuals).mean()


@register
class RMSE(_Error):
    """Root of the mean squared error, averaged over batches."""

    def error(self, residuals: np.ndarray) -> Any:
        """Error of a batch."""
        return np.sqrt(np.square(residuals).mean())


@register
class CrossEntropy(EvalMetric):
    """Mean of minus the logarithm of the probability that was given to the right class."""

    def __init__(self, eps: float = 1e-12, name: str = "cross-entropy", **names: Any) -> None:
        super().__init__(name, eps=eps, **names)
        self.eps = eps

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        """Losses of all examples, and their number."""
        classes, pred = label.ravel().astype(int), pred.reshape(-1, pred.shape[-1])
        _require_one_size(self.name, classes, pred[:, 0])
        return -np.sum(np.log(pred[np.arange(len(classes)), classes] + self.eps)), len(classes)


@register
class NegativeLogLikelihood(CrossEntropy):
    """`CrossEntropy` under another name."""

    def __init__(self, eps: float = 1e-12, name: str = "nll-loss", **names: Any) -> None:
        super().__init__(eps, name, **names)


@register
class Perplexity(CrossEntropy):
    """Exponential of the cross entropy; examples of the class `ignore_label` do not count."""

    def __init__(self, ignore_label: int | None = None, axis: int = -1, name: str = "perplexity", **names: Any) -> None:
        super().__init__(name=name, **names)
        self.ignore_label, self.axis, self.eps = ignore_label, axis, 1e-10

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        """Losses of the examples that count, and their number."""
        pred = np.moveaxis(pred, self.axis, -1).reshape(-1, pred.shape[self.axis])
        kept = slice(None) if self.ignore_label is None else label.ravel() != self.ignore_label
        return super().measure(label.ravel()[kept], pred[kept])

    def get(self) -> tuple[str, float]:
        """Name and value."""
        name, value = super().get()
        return name, float(np.exp(value))


@register
class Loss(EvalMetric):
    """Mean of the predictions, which are losses; labels are ignored."""

    def __init__(self, name: str = "loss", **names: Any) -> None:
        super().__init__(name, **names)

    def update(self, labels: Any, preds: Any) -> None:
        """Take a batch of losses."""
        for pred in _listed(preds):
            self.sum_metric += float(np.sum(bare(pred)))
            self.num_inst += int(np.size(bare(pred)))


class CustomMetric(EvalMetric):
    """A function of label and prediction, as arrays, that gives a number, or a sum and a count."""

    def __init__(
        self, feval: Callable, name: str | None = None, allow_extra_outputs: bool = False, **names: Any
    ) -> None:
        own = getattr(feval, "__name__", "custom")
        super().__init__(name or (f"custom({own})" if "<" in own else own), **names)
        self._feval, self._allow_extra_outputs = feval, allow_extra_outputs

    def update(self, labels: Any, preds: Any) -> None:
        """Take a batch."""
        labels, preds = _listed(labels), _listed(preds)
        super().update(labels, preds[: len(labels)] if self._allow_extra_outputs else preds)

    def measure(self, label: np.ndarray, pred: np.ndarray) -> tuple[Any, int]:
        """What the function gives."""
        value = self._feval(label, pred)
        return value if isinstance(value, tuple) else (value, 1)


def _require_one_size(name: str, label: np.ndarray, pred: np.ndarray) -> None:
    if label.size != pred.size:
        raise ShapeError(
            f"[{name}] a prediction for each label was required; received labels of shape {label.shape} and "
            f"predictions of shape {pred.shape}"
        )
