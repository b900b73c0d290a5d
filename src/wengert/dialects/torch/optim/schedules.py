"""Schedules that set the learning rates of an optimiser's groups, one step after another."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import cos, inf, pi
from typing import Any

import numpy as np

from wengert.dialects.torch.errors import OptionError, TypeMismatchError
from wengert.dialects.torch.optim.optimizer import Optimizer
from wengert.protocol import of_number, plain_float

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LRScheduler:
    """Base class of the schedules: write ``get_lr``, which gives a rate for each group.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int
        The step to go on from; -1 at the start.
    """

    _last_lr: list

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeMismatchError(f"[LRScheduler] an Optimizer was required; received {type(optimizer).__name__}")
        self.optimizer, self.last_epoch, self._step_count = optimizer, last_epoch, 0
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise _ResumeError("[LRScheduler] groups with 'initial_lr' were required to go on from last_epoch")
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.step()

    def _rates(self) -> list:
        return [group["lr"] for group in self.optimizer.param_groups]

    def get_lr(self) -> list:
        """The rate of each group at the step ``last_epoch``; written by the subclass."""
        raise NotImplementedError(f"[LRScheduler] {type(self).__name__} needs a method get_lr; define one")

    def get_last_lr(self) -> list:
        """The rates that the last step set."""
        return list(self._last_lr)

    def step(self, epoch: int | None = None) -> None:
        """Go on by one step, or to a given one."""
        self._step_count += 1
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate
        self._keep(self._rates())

    def _keep(self, rates: list) -> None:
        """Note the rates that have been set: in one list, as programs that are compiled may fill no other."""
        if hasattr(self, "_last_lr"):
            self._last_lr[:] = rates
        else:
            self._last_lr = rates

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` of a like schedule gave."""
        vars(self).update(state_dict)


class _ResumeError(OptionError, KeyError):
    """A schedule cannot go on from where it is told to."""


class LambdaLR(LRScheduler):
    """The first rate times a function of the step."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        n = len(optimizer.param_groups)
        self.lr_lambdas: list[Callable] = [lr_lambda] * n if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != n:
            raise OptionError(
                f"[LambdaLR] {n} functions, one for each group, were required; got {len(self.lr_lambdas)}"
            )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list:
        """The rate of each group."""
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and the functions."""
        return {k: v for k, v in super().state_dict().items() if k != "lr_lambdas"}


class MultiplicativeLR(LambdaLR):
    """The last rate times a function of the step."""

    def get_lr(self) -> list:
        """The rate of each group."""
        if self.last_epoch == 0:
            return self._rates()
        return [rate * f(self.last_epoch) for rate, f in zip(self._rates(), self.lr_lambdas, strict=True)]


class _Factor(LRScheduler):
    """A schedule that multiplies the last rate."""

    def factor(self) -> float:
        """What the last rate is multiplied by at the step ``last_epoch``, which is not 0."""
        raise NotImplementedError

    def get_lr(self) -> list:
        """The rate of each group."""
        if self.last_epoch == 0:
            return self._rates()
        factor = self.factor()
        return self._rates() if factor == 1 else [rate * factor for rate in self._rates()]


class StepLR(_Factor):
    """Multiply the rate by `gamma` after each `step_size` steps."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """What the last rate is multiplied by."""
        return 1 if self.last_epoch % self.step_size else self.gamma


class MultiStepLR(_Factor):
    """Multiply the rate by `gamma` at each of the `milestones`."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """What the last rate is multiplied by."""
        times = sum(times for epoch, times in self.milestones.items() if epoch == self.last_epoch)
        return self.gamma**times if times else 1


class ExponentialLR(_Factor):
    """Multiply the rate by `gamma` after each step."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """What the last rate is multiplied by."""
        return self.gamma


class ConstantLR(LRScheduler):
    """The first rate times `factor` for `total_iters` steps, then the first rate."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list:
        """The rate of each group."""
        if self.last_epoch == 0:
            return [rate * self.factor for rate in self._rates()]
        return [rate / self.factor if self.last_epoch == self.total_iters else rate for rate in self._rates()]


class LinearLR(LRScheduler):
    """The first rate times a factor that goes from `start_factor` to `end_factor` in `total_iters` equal steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list:
        """The rate of each group."""
        done = min(self.last_epoch / self.total_iters, 1)
        return [base * (self.start_factor + (self.end_factor - self.start_factor) * done) for base in self.base_lrs]


class PolynomialLR(LRScheduler):
    """The first rate times ``(1 - step / total_iters) ** power``."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list:
        """The rate of each group."""
        left = 1 - min(self.last_epoch, self.total_iters) / self.total_iters
        return [base * left**self.power for base in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """A cosine wave from the first rate to `eta_min` in `T_max` steps, and back (Loshchilov and Hutter 2017)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list:
        """The rate of each group."""
        return [wave(base, self.eta_min, self.last_epoch / self.T_max) for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """A cosine wave from the first rate to `eta_min`, started anew after `T_0` steps, then `T_0 * T_mult` and so on."""

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 <= 0 or T_mult < 1:
            raise OptionError(
                f"[CosineAnnealingWarmRestarts] positive T_0 and T_mult were required; got {T_0}, {T_mult}"
            )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list:
        """The rate of each group."""
        at, period = self.last_epoch, self.T_0
        while at >= period:
            at, period = at - period, period * self.T_mult
        return [wave(base, self.eta_min, at / period) for base in self.base_lrs]


def wave(top: float, bottom: float, phase: float) -> float:
    """A cosine between two rates, at the top at phase 0 and at the bottom at phase 1."""
    return bottom + (top - bottom) * (1 + of_number(cos, np.cos, pi * phase)) / 2


class SequentialLR(LRScheduler):
    """Schedules one after another, each from its milestone on."""

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Any], milestones: list[int], last_epoch: int = -1
    ) -> None:
        if len(milestones) != len(schedulers) - 1:
            raise OptionError(f"[SequentialLR] {len(schedulers) - 1} milestones were required; received {milestones}")
        self._schedulers, self._milestones = list(schedulers), milestones
        self.optimizer, self.last_epoch = optimizer, last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in schedulers:
            scheduler.last_epoch -= 1
        self._schedulers[0].step()
        self._last_lr = self._schedulers[0].get_last_lr()

    def step(self, epoch: int | None = None) -> None:
        """Go on by one step."""
        self.last_epoch += 1
        which = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[which]
        starts = which > 0 and self._milestones[which - 1] == self.last_epoch
        scheduler.step(0) if starts else scheduler.step()
        self._keep(scheduler.get_last_lr())


class ChainedScheduler(LRScheduler):
    """Schedules that all step together."""

    def __init__(self, schedulers: Sequence[Any], optimizer: Optimizer | None = None) -> None:
        self._schedulers = list(schedulers)
        self.optimizer = optimizer or self._schedulers[0].optimizer
        self._last_lr = self._rates()

    def step(self, epoch: int | None = None) -> None:
        """Go on by one step."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._keep(self._rates())


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by `factor` when a measure has not improved for more than `patience` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Any = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0 or mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise OptionError("[ReduceLROnPlateau] factor < 1.0, mode 'min' or 'max', threshold_mode 'rel' or 'abs'")
        n = len(optimizer.param_groups)
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * n
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self._rates()

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at the measure, and lower the rates if it has come to a halt."""
        current = plain_float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                rate = max(group["lr"] * self.factor, least)
                group["lr"] = rate if group["lr"] - rate > self.eps else group["lr"]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._keep(self._rates())

    def _is_better(self, a: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        margin = abs(self.best) * self.threshold if self.threshold_mode == "rel" else self.threshold
        return sign * a < sign * self.best - (margin if self.best not in (inf, -inf) else 0)
