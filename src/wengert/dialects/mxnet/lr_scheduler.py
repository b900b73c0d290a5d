"""`mxnet.lr_scheduler`: learning rates by the number of updates made, each an object that is called with that number.

Every schedule may begin with a warm-up of `warmup_steps` updates, from `warmup_begin_lr` up to `base_lr`.
"""

from collections.abc import Sequence
from typing import Any

from wengert.errors import ArgumentError
from wengert.optim import schedules

__all__ = ["CosineScheduler", "FactorScheduler", "LRScheduler", "MultiFactorScheduler", "PolyScheduler"]


class LRScheduler:
    """Base of the schedules: the warm-up, and the rate to start from."""

    def __init__(
        self, base_lr: float = 0.01, warmup_steps: int = 0, warmup_begin_lr: float = 0, warmup_mode: str = "linear"
    ) -> None:
        _require("LRScheduler", "warmup_mode", warmup_mode, warmup_mode in ("linear", "constant"))
        _require("LRScheduler", "warmup_steps", warmup_steps, isinstance(warmup_steps, int) and warmup_steps >= 0)
        _require("LRScheduler", "warmup_begin_lr", warmup_begin_lr, warmup_begin_lr <= base_lr)
        self.base_lr = self.warmup_final_lr = base_lr
        self.warmup_steps, self.warmup_begin_lr, self.warmup_mode = warmup_steps, warmup_begin_lr, warmup_mode

    def get_warmup_lr(self, num_update: int) -> float:
        """Rate of an update that belongs to the warm-up."""
        if self.warmup_mode == "constant":
            return self.warmup_begin_lr
        return self.warmup_begin_lr + (self.warmup_final_lr - self.warmup_begin_lr) * num_update / self.warmup_steps

    def __call__(self, num_update: int) -> float:
        """Rate of the given update."""
        return self.get_warmup_lr(num_update) if num_update < self.warmup_steps else self.rate(num_update)

    def rate(self, num_update: int) -> float:
        """Rate after the warm-up; what a subclass defines, unless it defines ``__call__``."""
        raise NotImplementedError(
            f"[{type(self).__name__}] a learning-rate schedule needs a method __call__; define it"
        )


class FactorScheduler(LRScheduler):
    """The rate times `factor` after every `step` updates, down to `stop_factor_lr`."""

    def __init__(
        self, step: int, factor: float = 1, stop_factor_lr: float = 1e-8, base_lr: float = 0.01, **warmup: Any
    ) -> None:
        super().__init__(base_lr, **warmup)
        _require("FactorScheduler", "step", step, step >= 1)
        _require("FactorScheduler", "factor", factor, factor <= 1)
        self.step, self.factor, self.stop_factor_lr, self.count = step, factor, stop_factor_lr, 0

    def rate(self, num_update: int) -> float:
        """Rate after the warm-up: an interval ends with the update after its last."""
        while num_update > self.count + self.step:
            self.count += self.step
            self.base_lr = max(self.base_lr * self.factor, self.stop_factor_lr)
        return self.base_lr


class MultiFactorScheduler(LRScheduler):
    """The rate times `factor` after each of the given numbers of updates."""

    def __init__(self, step: Sequence[int], factor: float = 1, base_lr: float = 0.01, **warmup: Any) -> None:
        super().__init__(base_lr, **warmup)
        rising = all(a < b for a, b in zip([0, *step], step, strict=False))
        _require("MultiFactorScheduler", "step", step, len(step) > 0 and rising)
        _require("MultiFactorScheduler", "factor", factor, factor <= 1)
        self.step, self.factor, self.cur_step_ind = step, factor, 0

    def rate(self, num_update: int) -> float:
        """Rate after the warm-up: an interval ends with the update after its last."""
        while self.cur_step_ind < len(self.step) and num_update > self.step[self.cur_step_ind]:
            self.base_lr *= self.factor
            self.cur_step_ind += 1
        return self.base_lr


class PolyScheduler(LRScheduler):
    """From `base_lr` to `final_lr` in `max_update` updates, as the power `pwr` of what is left of the way."""

    def __init__(
        self, max_update: int, base_lr: float = 0.01, pwr: float = 2, final_lr: float = 0, **warmup: Any
    ) -> None:
        super().__init__(base_lr, **warmup)
        _require("PolyScheduler", "max_update", max_update, isinstance(max_update, int) and max_update >= 1)
        self.base_lr_orig, self.power, self.final_lr, self.max_update = base_lr, pwr, final_lr, max_update
        self.max_steps = max_update - self.warmup_steps

    def rate(self, num_update: int) -> float:
        """Rate after the warm-up; the final one when the way is done."""
        left = 1 - min(num_update - self.warmup_steps, self.max_steps) / self.max_steps
        self.base_lr = self.final_lr + (self.base_lr_orig - self.final_lr) * left**self.power
        return self.base_lr


class CosineScheduler(LRScheduler):
    """From `base_lr` to `final_lr` in `max_update` updates, along half a wave."""

    def __init__(self, max_update: int, base_lr: float = 0.01, final_lr: float = 0, **warmup: Any) -> None:
        super().__init__(base_lr, **warmup)
        _require("CosineScheduler", "max_update", max_update, isinstance(max_update, int) and max_update >= 1)
        self.base_lr_orig, self.final_lr, self.max_update = base_lr, final_lr, max_update
        self.max_steps = max_update - self.warmup_steps
        self._wave = schedules.cosine(base_lr, self.max_steps, final_lr)

    def rate(self, num_update: int) -> float:
        """Rate after the warm-up; the final one when the way is done."""
        self.base_lr = self._wave(num_update - self.warmup_steps)
        return self.base_lr


def _require(name: str, argument: str, value: Any, holds: bool) -> None:
    if not holds:
        raise ArgumentError(f"[{name}] {argument} has a value that makes no schedule; received {value!r}")
