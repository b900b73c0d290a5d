"""`Optimizer`: parameter groups, state and their dictionaries, around the update formulas of `wengert.optim`."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np

from wengert.box import bare
from wengert.dialects.torch.errors import MissingError, OptionError, TypeMismatchError
from wengert.dialects.torch.nn.module import clear_grad
from wengert.dialects.torch.tensor import Tensor
from wengert.optim import optimizer as formulas
from wengert.protocol import is_recorded, plain_float, whole_number
from wengert.tape import enable_grad, no_grad

__all__ = ["Optimizer"]

NOT_NUMBERS = {
    "foreach",
    "capturable",
    "differentiable",
    "fused",
    "decoupled_weight_decay",
    "initial_accumulator_value",
}
"""Settings that choose between implementations of one formula, or that this dialect sees to itself."""


class Optimizer:
    """Base class of the optimisers.

    Parameters
    ----------
    params : iterable of tensors, of pairs of name and tensor, or of dictionaries with ``"params"`` and settings
    defaults : dict
        Settings of the groups that do not say otherwise.
    """

    param_groups: list[dict[str, Any]]

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeMismatchError(
                "[Optimizer] params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                "a tensor; write [tensor]"
            )
        self.defaults = defaults
        self.state: Any = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise OptionError("[Optimizer] optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(dict(group))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with settings of their own."""
        given = param_group["params"]
        given = [given] if isinstance(given, Tensor) else list(given)
        if given and isinstance(given[0], tuple):
            param_group["param_names"], given = [name for name, _ in given], [t for _, t in given]
        for t in given:
            if not isinstance(t, Tensor):
                raise TypeMismatchError(
                    f"[Optimizer] optimizer can only optimize Tensors, but one is {type(t).__name__}"
                )
            if not (t.is_leaf or t.retains_grad):
                raise OptionError("[Optimizer] can't optimize a non-leaf Tensor")
        if {id(t) for t in given} & {id(t) for group in self.param_groups for t in group["params"]}:
            raise OptionError("[Optimizer] some parameters appear in more than one parameter group")
        group = {"params": given, **{k: v for k, v in param_group.items() if k != "params"}}
        for name, value in self.defaults.items():
            if value is _REQUIRED and name not in group:
                raise OptionError(f"[Optimizer] parameter group didn't specify a value of required setting {name}")
            group.setdefault(name, value)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for t in group["params"]:
                clear_grad(t, set_to_none)

    def step(self, closure: Callable | None = None) -> Any:
        """Update the parameters; written by the subclass."""
        raise NotImplementedError(f"[Optimizer] {type(self).__name__} needs a method step; define one")

    # State ------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """State and settings, with the parameters numbered in the order of the groups."""
        numbers = {id(t): i for i, t in enumerate(self._all())}
        groups = [
            {k: v for k, v in group.items() if k != "params"} | {"params": [numbers[id(t)] for t in group["params"]]}
            for group in self.param_groups
        ]
        return {
            "state": {numbers[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()},
            "param_groups": groups,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` of a like optimiser gave."""
        saved = deepcopy(dict(state_dict))
        if len(saved["param_groups"]) != len(self.param_groups):
            raise OptionError("[load_state_dict] loaded state dict has a different number of parameter groups")
        if any(
            len(a["params"]) != len(b["params"]) for a, b in zip(saved["param_groups"], self.param_groups, strict=True)
        ):
            raise OptionError(
                "[load_state_dict] loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        everything = self._all()
        self.state = defaultdict(
            dict, {everything[k] if isinstance(k, int) else k: v for k, v in saved["state"].items()}
        )
        for group, loaded in zip(self.param_groups, saved["param_groups"], strict=True):
            group.update({k: v for k, v in loaded.items() if k != "params"})

    def _all(self) -> list[Tensor]:
        return [t for group in self.param_groups for t in group["params"]]

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
        return text + ")"


_REQUIRED = object()


class FormulaOptimizer(Optimizer):
    """An optimiser whose step is one of `wengert.optim`'s; subclasses say which, and what it calls things there."""

    formula: ClassVar[type[formulas.Optimizer]]
    settings: ClassVar[dict[str, str]] = {}
    """Settings that have another name there."""
    slots: ClassVar[dict[str, str]]
    """The arrays of the formula, and what the state calls them."""
    counted: ClassVar[bool] = True
    """Whether the state shows the number of steps."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with settings of their own."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        if group.get("differentiable"):
            raise MissingError(
                "[Optimizer] differentiable=True is not supported here; write the step out as operations"
            )
        self._formula(group)  # which looks at the settings

    def _formula(self, group: dict[str, Any]) -> formulas.Optimizer:
        """The formula in a group's present settings. Its arrays are in `state`; so a tensor of none will do for it."""
        own = {k: v for k, v in group.items() if k in self.defaults and k not in NOT_NUMBERS}
        own["lr"] = plain_float(own["lr"])
        return self.formula([Tensor._box(0.0).requires_grad_()], **{self.settings.get(k, k): v for k, v in own.items()})

    def step(self, closure: Callable | None = None) -> Any:
        """Update, in place and unrecorded, every parameter that has a gradient; returns what the closure gives."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                formula = self._formula(group)
                lr = formula.current_lr()
                for t in group["params"]:
                    if t.grad is not None:
                        self._update(formula, t, lr)
        return loss

    def _update(self, formula: formulas.Optimizer, t: Tensor, lr: float) -> None:
        """Update one parameter; its arrays are the memory of the tensors in its state."""
        names = [self.slots[name] for name in formula.slots]
        state = self.state[t] if names or self.counted else {}
        count = whole_number(state["step"]) + 1 if "step" in state else 1 + bool(state)
        arrays = [self._array(t, state.get(name)) for name in names]
        formula.update(t, lr, count, arrays)
        if self.counted:
            state["step"] = Tensor._box(np.float32(1) * count)
        for name, array in zip(names, arrays, strict=True):
            if name not in state or not t.ndim:  # numbers cannot be written into
                state[name] = Tensor._box(array)

    def _array(self, t: Tensor, held: Tensor | None) -> np.ndarray:
        """The memory of a tensor in a parameter's state, or new memory."""
        if held is None:
            return np.zeros_like(bare(t)) if is_recorded(bare(t)) else np.zeros(t._spec.shape, t._spec.dtype)
        if t._spec.ndim:
            return bare(held)
        array = np.zeros_like(bare(held))
        array[...] = bare(held)
        return array
