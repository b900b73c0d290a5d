"""The optimisers: PyTorch's names for the formulas of `wengert.optim`, and for their settings."""

from typing import Any, ClassVar

import numpy as np

from wengert.dialects.torch.errors import MissingError
from wengert.dialects.torch.optim.optimizer import FormulaOptimizer
from wengert.dialects.torch.tensor import Tensor
from wengert.optim import adaptive
from wengert.optim import methods as formulas

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RMSprop"]


class SGD(FormulaOptimizer):
    """Stochastic gradient descent; see `wengert.optim.SGD`."""

    formula = formulas.SGD
    slots: ClassVar = {"velocity": "momentum_buffer"}
    counted = False

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        defaults |= {"nesterov": nesterov, "maximize": maximize, "foreach": foreach}
        super().__init__(params, defaults | {"differentiable": differentiable, "fused": fused})


class Adam(FormulaOptimizer):
    """Steps scaled by running means of the gradient and of its square; see `wengert.optim.Adam`."""

    formula = formulas.Adam
    slots: ClassVar = {"mean": "exp_avg", "square": "exp_avg_sq", "largest": "max_exp_avg_sq"}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if decoupled_weight_decay:
            self.formula = formulas.AdamW  # type: ignore[misc]
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        defaults |= {"maximize": maximize, "foreach": foreach, "capturable": capturable}
        defaults |= {"differentiable": differentiable, "fused": fused}
        super().__init__(params, defaults | {"decoupled_weight_decay": decoupled_weight_decay})


class AdamW(Adam):
    """`Adam` with decoupled weight decay; see `wengert.optim.AdamW`."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **options, decoupled_weight_decay=True)


class RMSprop(FormulaOptimizer):
    """Steps divided by the root of a running mean of squared gradients; see `wengert.optim.RMSProp`."""

    formula = formulas.RMSProp
    settings: ClassVar = {"alpha": "decay"}
    slots: ClassVar = {"square": "square_avg", "velocity": "momentum_buffer", "mean": "grad_avg"}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered}
        defaults |= {"weight_decay": weight_decay, "capturable": capturable, "foreach": foreach}
        super().__init__(params, defaults | {"maximize": maximize, "differentiable": differentiable})


class Adagrad(FormulaOptimizer):
    """Steps divided by the root of the sum of all squared gradients; see `wengert.optim.Adagrad`."""

    formula = formulas.Adagrad
    slots: ClassVar = {"square": "sum"}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
        defaults |= {"initial_accumulator_value": initial_accumulator_value, "foreach": foreach}
        super().__init__(params, defaults | {"maximize": maximize, "differentiable": differentiable, "fused": fused})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with settings of their own."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for t in group["params"]:
            total = np.full(t._spec.shape, group["initial_accumulator_value"], t._spec.dtype)
            self.state[t] = {"step": Tensor._box(np.float32(0)), "sum": Tensor._box(total)}


class Adadelta(FormulaOptimizer):
    """Steps whose length past steps give; see `wengert.optim.Adadelta`."""

    formula = adaptive.Adadelta
    slots: ClassVar = {"square": "square_avg", "steps_square": "acc_delta"}

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        defaults |= {"capturable": capturable, "foreach": foreach, "differentiable": differentiable}
        super().__init__(params, defaults)


class Adamax(FormulaOptimizer):
    """`Adam` with a running maximum; see `wengert.optim.Adamax`."""

    formula = adaptive.Adamax
    slots: ClassVar = {"mean": "exp_avg", "largest": "exp_inf"}

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach}
        super().__init__(
            params, defaults | {"maximize": maximize, "differentiable": differentiable, "capturable": capturable}
        )


class NAdam(FormulaOptimizer):
    """`Adam` with Nesterov's look ahead; see `wengert.optim.NAdam`."""

    formula = adaptive.NAdam
    slots: ClassVar = {"mean": "exp_avg", "square": "exp_avg_sq"}

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        if decoupled_weight_decay and weight_decay:
            raise MissingError("[NAdam] decoupled_weight_decay=False was required; received True; use AdamW")
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach}
        defaults |= {"momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(
            params, defaults | {"maximize": maximize, "capturable": capturable, "differentiable": differentiable}
        )
