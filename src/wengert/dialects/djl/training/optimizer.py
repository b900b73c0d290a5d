"""Optimisers: builders in DJL's names around `wengert.optim`."""

from collections.abc import Callable
from typing import Any

from wengert import optim, tape
from wengert.dialects.djl.errors import IllegalStateException
from wengert.dialects.djl.ndarray import NDArray
from wengert.dialects.djl.training.tracker import Tracker, as_tracker
from wengert.protocol import plain_float

__all__ = ["Optimizer"]


class Optimizer:
    """How gradients change parameters: ``Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.1)).build()``."""

    def __init__(
        self, make: Callable[..., optim.Optimizer], tracker: Tracker, rescale: float, clip: float | None, settings: dict
    ) -> None:
        self._make, self._tracker, self._settings = make, tracker, settings
        self._rescale, self._clip = rescale, clip
        self._memories: dict[str, optim.Optimizer] = {}

    @staticmethod
    def sgd() -> "_Builder":
        """Gradient descent, with momentum if wanted."""
        return _Builder(optim.SGD, None)

    @staticmethod
    def adam() -> "_Builder":
        """Adam (Kingma and Ba 2015)."""
        return _Builder(optim.Adam, 0.001)

    @staticmethod
    def adagrad() -> "_Builder":
        """Adagrad."""
        return _Builder(optim.Adagrad, 0.001)

    @staticmethod
    def rmsprop() -> "_Builder":
        """RMSProp."""
        return _Builder(optim.RMSProp, 0.001)

    def update(self, parameterId: str, weight: NDArray, grad: NDArray) -> None:
        """Change a parameter by a gradient, in place; what the optimiser remembers belongs to the parameter's name."""
        if parameterId not in self._memories:
            self._memories[parameterId] = self._make([weight], 0.0, **self._settings)
        memory = self._memories[parameterId]
        memory.steps += 1
        value, slope = weight._read("update"), grad._read("update") * self._rescale
        if self._clip is not None:
            slope = slope.clip(-self._clip, self._clip)
        slope = slope + memory.weight_decay * value
        rate = plain_float(self._tracker.getNewValue(memory.steps))
        change = memory.change(value, slope, rate, memory.steps, *memory._slots[0])
        del value  # as long as somebody holds it, a write goes to a copy of the buffer
        with tape.no_grad():
            weight.subi(change)


class _Builder:
    """Builds an `Optimizer`."""

    def __init__(self, make: Callable[..., optim.Optimizer], rate: float | None) -> None:
        self._make, self._settings = make, dict[str, Any]()
        self._tracker = None if rate is None else Tracker.fixed(rate)
        self._rescale = 1.0
        self._clip: float | None = None

    def setLearningRateTracker(self, tracker: Any) -> "_Builder":
        """The learning rate: a tracker, or a function of the number of the update."""
        self._tracker = as_tracker(tracker)
        return self

    optLearningRateTracker = setLearningRateTracker

    def setRescaleGrad(self, rescaleGrad: float) -> "_Builder":
        """What to multiply gradients by."""
        self._rescale = rescaleGrad
        return self

    def optClipGrad(self, clipGrad: float) -> "_Builder":
        """The largest size of an element of a gradient."""
        self._clip = clipGrad
        return self

    def optWeightDecays(self, weightDecays: float) -> "_Builder":
        """Add so much of the parameter to its gradient."""
        self._settings["weight_decay"] = weightDecays
        return self

    def optMomentum(self, momentum: float) -> "_Builder":
        """How much of the last step is taken again."""
        self._settings["momentum"] = momentum
        return self

    def optBeta1(self, beta1: float) -> "_Builder":
        """How long Adam remembers gradients."""
        self._settings["betas"] = (beta1, self._settings.get("betas", (0.9, 0.999))[1])
        return self

    def optBeta2(self, beta2: float) -> "_Builder":
        """How long Adam remembers their squares."""
        self._settings["betas"] = (self._settings.get("betas", (0.9, 0.999))[0], beta2)
        return self

    def optEpsilon(self, epsilon: float) -> "_Builder":
        """What keeps divisions from being by zero."""
        self._settings["eps"] = epsilon
        return self

    def build(self) -> Optimizer:
        """The optimiser."""
        if self._tracker is None:
            raise IllegalStateException("[Optimizer] a learning rate was required; call setLearningRateTracker")
        return Optimizer(self._make, self._tracker, self._rescale, self._clip, self._settings)
