"""Schedules in cycles, which move the momentum against the learning rate."""

from collections.abc import Callable
from typing import Any

from wengert.dialects.torch.errors import OptionError
from wengert.dialects.torch.optim.optimizer import Optimizer
from wengert.dialects.torch.optim.schedules import LRScheduler, wave

__all__ = ["CyclicLR", "OneCycleLR"]


def _each(value: Any, n: int) -> list:
    """A value for each of `n` groups."""
    return list(value) if isinstance(value, (list, tuple)) else [value] * n


class _Cycle(LRScheduler):
    """A schedule of the rate and, against it, of the momentum."""

    cycle_momentum: bool

    def _takes_momentum(self) -> None:
        """Insist on groups with a momentum."""
        groups = self.optimizer.param_groups
        if self.cycle_momentum and not all("momentum" in group or "betas" in group for group in groups):
            raise OptionError(
                f"[{type(self).__name__}] optimizer must support momentum or beta1 with `cycle_momentum` option "
                f"enabled; received {type(self.optimizer).__name__}; pass cycle_momentum=False"
            )

    def _set_momentum(self, group: dict, momentum: float) -> None:
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class OneCycleLR(_Cycle):
    """One rise to a largest rate and a fall far below the first one (Smith and Topin 2018)."""

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise OptionError("[OneCycleLR] total_steps, or epochs and steps_per_epoch, were required")
        if anneal_strategy not in ("cos", "linear"):
            raise OptionError(f"[OneCycleLR] anneal_strategy 'cos' or 'linear' was required; got {anneal_strategy!r}")
        self.total_steps: Any = total_steps if total_steps is not None else (epochs or 0) * (steps_per_epoch or 0)
        self.optimizer, self.cycle_momentum = optimizer, cycle_momentum
        self._takes_momentum()
        n = len(optimizer.param_groups)
        self.anneal = wave if anneal_strategy == "cos" else lambda top, bottom, phase: top + (bottom - top) * phase
        end = self.total_steps - 1
        if three_phase:
            ends = (pct_start * self.total_steps - 1, 2 * pct_start * self.total_steps - 2, end)
            names: tuple = (("low", "high"), ("high", "low"), ("low", "least"))
        else:
            ends, names = (pct_start * self.total_steps - 1, end), (("low", "high"), ("high", "least"))
        self._phases = list(zip(ends, names, strict=True))
        tops = _each(max_lr, n)
        self._rates_at = [
            {"low": top / div_factor, "high": top, "least": top / div_factor / final_div_factor} for top in tops
        ]
        limits = zip(_each(base_momentum, n), _each(max_momentum, n), strict=True)
        self._momenta_at = [{"low": most, "high": least, "least": most} for least, most in limits]
        if last_epoch == -1:
            for group, at, momenta in zip(optimizer.param_groups, self._rates_at, self._momenta_at, strict=True):
                group["lr"] = at["low"]
                if cycle_momentum:
                    self._set_momentum(group, momenta["low"])
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list:
        """The rate of each group."""
        if self.last_epoch > self.total_steps:
            raise OptionError(
                f"[OneCycleLR] at most {self.total_steps} steps were required: Tried to step {self.last_epoch} times"
            )
        starts = [0.0, *(end for end, _ in self._phases)]
        which = next((i for i, (end, _) in enumerate(self._phases) if self.last_epoch <= end), len(self._phases) - 1)
        end, (first, last) = self._phases[which]
        phase = (self.last_epoch - starts[which]) / (end - starts[which])
        if self.cycle_momentum:
            for group, at in zip(self.optimizer.param_groups, self._momenta_at, strict=True):
                self._set_momentum(group, self.anneal(at[first], at[last], phase))
        return [self.anneal(at[first], at[last], phase) for at in self._rates_at]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and the function."""
        return {k: v for k, v in super().state_dict().items() if k != "anneal"}


class CyclicLR(_Cycle):
    """Rises and falls between two rates, again and again (Smith 2017)."""

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Any,
        max_lr: Any,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.8,
        max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ) -> None:
        scales: dict[str, tuple[Callable, str]] = {
            "triangular": (lambda cycle: 1.0, "cycle"),
            "triangular2": (lambda cycle: 1 / 2.0 ** (cycle - 1), "cycle"),
            "exp_range": (lambda step: gamma**step, "iterations"),
        }
        if scale_fn is None and mode not in scales:
            raise OptionError(f"[CyclicLR] a mode in {sorted(scales)} was required: mode is invalid; got {mode!r}")
        self.scale_fn, self.scale_mode = scales[mode] if scale_fn is None else (scale_fn, scale_mode)
        n = len(optimizer.param_groups)
        self.optimizer, self.cycle_momentum = optimizer, cycle_momentum
        self._takes_momentum()
        self.max_lrs, self.up = _each(max_lr, n), step_size_up
        self.total_size = step_size_up + (step_size_up if step_size_down is None else step_size_down)
        self._momenta = list(zip(_each(base_momentum, n), _each(max_momentum, n), strict=True))
        if last_epoch == -1:
            for group, rate, (_, most) in zip(optimizer.param_groups, _each(base_lr, n), self._momenta, strict=True):
                group["lr"] = rate
                if cycle_momentum:
                    self._set_momentum(group, most)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list:
        """The rate of each group."""
        cycle, place = divmod(self.last_epoch, self.total_size)
        height = place / self.up if place <= self.up else (self.total_size - place) / (self.total_size - self.up)
        height *= self.scale_fn(cycle + 1 if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, (least, most) in zip(self.optimizer.param_groups, self._momenta, strict=True):
                self._set_momentum(group, most - (most - least) * height)
        return [base + (top - base) * height for base, top in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and the function."""
        return {k: v for k, v in super().state_dict().items() if k != "scale_fn"}
