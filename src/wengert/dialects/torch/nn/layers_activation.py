"""Activation functions as modules: each calls the function of `nn.functional`, with its settings."""

from typing import Any

from wengert.dialects.torch import creation
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.nn.module import Module
from wengert.dialects.torch.nn.parameter import Parameter
from wengert.dialects.torch.tensor import Tensor

# name: (function, settings with their defaults in the order of the arguments, how they are shown)
_TABLE: dict[str, tuple[Any, dict[str, Any], str]] = {
    "ReLU": (F.relu, {"inplace": False}, "{?inplace}"),
    "ReLU6": (F.relu6, {"inplace": False}, "{?inplace}"),
    "LeakyReLU": (
        F.leaky_relu,
        {"negative_slope": 0.01, "inplace": False},
        "negative_slope={negative_slope}{?inplace}",
    ),
    "ELU": (F.elu, {"alpha": 1.0, "inplace": False}, "alpha={alpha}{?inplace}"),
    "SELU": (F.selu, {"inplace": False}, "{?inplace}"),
    "CELU": (F.celu, {"alpha": 1.0, "inplace": False}, "alpha={alpha}{?inplace}"),
    "GELU": (F.gelu, {"approximate": "none"}, "approximate={approximate!r}"),
    "SiLU": (F.silu, {"inplace": False}, "{?inplace}"),
    "Mish": (F.mish, {"inplace": False}, "{?inplace}"),
    "Sigmoid": (F.sigmoid, {}, ""),
    "Tanh": (F.tanh, {}, ""),
    "LogSigmoid": (F.logsigmoid, {}, ""),
    "Softplus": (F.softplus, {"beta": 1.0, "threshold": 20.0}, "beta={beta}, threshold={threshold}"),
    "Softsign": (F.softsign, {}, ""),
    "Tanhshrink": (F.tanhshrink, {}, ""),
    "Hardtanh": (
        F.hardtanh,
        {"min_val": -1.0, "max_val": 1.0, "inplace": False},
        "min_val={min_val}, max_val={max_val}{?inplace}",
    ),
    "Hardsigmoid": (F.hardsigmoid, {"inplace": False}, ""),
    "Hardswish": (F.hardswish, {"inplace": False}, ""),
    "Hardshrink": (F.hardshrink, {"lambd": 0.5}, "{lambd}"),
    "Softshrink": (F.softshrink, {"lambd": 0.5}, "{lambd}"),
    "Threshold": (
        F.threshold,
        {"threshold": None, "value": None, "inplace": False},
        "threshold={threshold}, value={value}{?inplace}",
    ),
    "GLU": (F.glu, {"dim": -1}, "dim={dim}"),
    "Softmax": (F.softmax, {"dim": None}, "dim={dim}"),
    "Softmin": (F.softmin, {"dim": None}, "dim={dim}"),
    "LogSoftmax": (F.log_softmax, {"dim": None}, "dim={dim}"),
}


class _Activation(Module):
    """A function as a module; subclasses come from the table."""

    function: Any
    settings: dict[str, Any]
    shown: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        names = list(self.settings)
        given = dict(zip(names, args, strict=False)) | kwargs
        if len(args) > len(names) or not given.keys() <= self.settings.keys():
            raise TypeError(f"{type(self).__name__}() takes {', '.join(names) or 'no arguments'}; got {args} {kwargs}")
        for name, default in self.settings.items():
            setattr(self, name, given.get(name, default))

    def forward(self, input: Tensor) -> Tensor:
        """Apply the function."""
        return type(self).function(input, **{name: getattr(self, name) for name in self.settings})

    def extra_repr(self) -> str:
        """The settings."""
        values = {name: getattr(self, name) for name in self.settings}
        text = self.shown.replace("{?inplace}", ", inplace=True" if values.get("inplace") else "")
        return text.format(**values).removeprefix(", ")


def _module(name: str, function: Any, settings: dict[str, Any], shown: str) -> type[_Activation]:
    body = {
        "__doc__": f"`nn.functional.{function.__name__}` as a module.",
        "__module__": __name__,
        "function": staticmethod(function),
        "settings": settings,
        "shown": shown,
    }
    return type(name, (_Activation,), body)


globals().update({_name: _module(_name, *_row) for _name, _row in _TABLE.items()})


class Softmax2d(Module):
    """`nn.functional.softmax` over the channels of images."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply the function."""
        return F.softmax(input, -3)


class PReLU(Module):
    """`nn.functional.prelu` with its slope as a parameter."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(creation.full((num_parameters,), init, dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        """Apply the function."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The settings."""
        return f"num_parameters={self.num_parameters}"


__all__ = ["PReLU", "Softmax2d", *_TABLE]
