"""`mxnet.initializer`, also `mxnet.init`: how a parameter gets its first values, chosen by its name.

A parameter without an initializer of its own is drawn by the one given to ``initialize()``; of that, names that end
in ``weight`` get its `_init_weight`, and biases, means and the like get the value that each has by convention.
"""

import json
import re
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np

from wengert import tape
from wengert.dialects.mxnet import rng
from wengert.errors import ArgumentError
from wengert.nn import init

__all__ = [
    "Bilinear",
    "Constant",
    "InitDesc",
    "Initializer",
    "LSTMBias",
    "MSRAPrelu",
    "Mixed",
    "Normal",
    "One",
    "Orthogonal",
    "Uniform",
    "Xavier",
    "Zero",
    "create",
    "register",
]

_INITIALIZERS: dict[str, type["Initializer"]] = {}


def register(initializer: type["Initializer"]) -> type["Initializer"]:
    """Make an initializer known by the name of its class."""
    _INITIALIZERS[initializer.__name__.lower()] = initializer
    return initializer


def create(initializer: Any, **kwargs: Any) -> Any:
    """An initializer from its name (``"xavier"``, ``"zeros"``), or as it is."""
    if not isinstance(initializer, str):
        return initializer
    if initializer.startswith("["):
        name, kwargs = json.loads(initializer)
    else:
        name = initializer
    if name.lower() not in _INITIALIZERS:
        known = ", ".join(sorted(_INITIALIZERS))
        raise ArgumentError(f"[initializer.create] one of {known} was required; received {initializer!r}")
    return _INITIALIZERS[name.lower()](**kwargs)


class InitDesc(str):
    """The name of a parameter, with attributes (``__init__``: its own initializer) and the common initializer."""

    attrs: dict
    global_init: Any

    def __new__(cls, name: str, attrs: dict | None = None, global_init: Any = None) -> "InitDesc":
        """A name that carries what an initializer asks for."""
        described = super().__new__(cls, name)
        described.attrs, described.global_init = attrs or {}, global_init
        return described


class Initializer:
    """Base of the initializers: sets arrays in place, by the kind of parameter that the name ends in."""

    _BY_SUFFIX: ClassVar[dict[str, str]] = {
        "weight": "_init_weight", "bias": "_init_bias", "gamma": "_init_gamma", "beta": "_init_beta",
        "min": "_init_zero", "max": "_init_one", "running_mean": "_init_zero", "moving_mean": "_init_zero",
        "running_var": "_init_one", "moving_var": "_init_one", "moving_inv_var": "_init_zero",
        "moving_avg": "_init_zero",
    }  # fmt: skip

    def __init__(self, **kwargs: Any) -> None:
        self._kwargs, self._verbose = kwargs, False

    def set_verbosity(self, verbose: bool = False, print_func: Callable | None = None) -> "Initializer":
        """Accepted: nothing is printed."""
        return self

    def dumps(self) -> str:
        """Name and settings as JSON, which `create` reads."""
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __call__(self, desc: Any, arr: Any) -> None:
        """Set `arr`, a parameter of the name `desc`."""
        own = getattr(desc, "attrs", {}).get("__init__", "")
        with tape.no_grad():
            if own:
                create(own)._init_weight(desc, arr)
                return
            for suffix, method in self._BY_SUFFIX.items():
                if desc.lower().endswith(suffix):
                    getattr(self, method)(desc, arr)
                    return
            self._init_default(desc, arr)

    def init_weight(self, name: Any, arr: Any) -> None:
        """Set a weight, whatever its name is."""
        with tape.no_grad():
            self._init_weight(name, arr)

    def _init_weight(self, name: Any, arr: Any) -> None:
        raise NotImplementedError(f"[{type(self).__name__}] an initializer needs a method _init_weight; define it")

    def _init_bias(self, name: Any, arr: Any) -> None:
        arr[:] = 0.0

    def _init_zero(self, name: Any, arr: Any) -> None:
        arr[:] = 0.0

    def _init_one(self, name: Any, arr: Any) -> None:
        arr[:] = 1.0

    _init_beta, _init_gamma = _init_zero, _init_one

    def _init_default(self, name: Any, arr: Any) -> None:
        raise ArgumentError(
            f"[{type(self).__name__}] a name that ends in one of {', '.join(self._BY_SUFFIX)} was required; received "
            f"{str(name)!r}, of shape {arr.shape}; give the parameter an initializer of its own: init=..."
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._kwargs == self._kwargs

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._kwargs.items())})"


@register
class Zero(Initializer):
    """Zeros."""

    def _init_weight(self, name: Any, arr: Any) -> None:
        arr[:] = 0


@register
class One(Initializer):
    """Ones."""

    def _init_weight(self, name: Any, arr: Any) -> None:
        arr[:] = 1


@register
class Constant(Initializer):
    """A number, or an array of the parameter's shape."""

    def __init__(self, value: Any = 0) -> None:
        super().__init__(value=value)
        self.value = value

    def _init_weight(self, name: Any, arr: Any) -> None:
        arr[:] = self.value

    _init_default = _init_weight


class _Drawn(Initializer):
    """Values drawn at random, by MXNet's generator."""

    def _init_weight(self, name: Any, arr: Any) -> None:
        arr[:] = self.draw(arr.shape, rng.generator())

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        raise NotImplementedError


@register
class Uniform(_Drawn):
    """Uniform over (-scale, scale)."""

    def __init__(self, scale: float = 0.07) -> None:
        super().__init__(scale=scale)
        self.scale = scale

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Values of the given shape."""
        return init.uniform(shape, generator, low=-self.scale, high=self.scale)


@register
class Normal(_Drawn):
    """Normal around 0, with standard deviation `sigma`."""

    def __init__(self, sigma: float = 0.01) -> None:
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Values of the given shape."""
        return init.normal(shape, generator, std=self.sigma)


@register
class Orthogonal(_Drawn):
    """Orthonormal rows or columns, whichever are fewer, times `scale`."""

    def __init__(self, scale: float = 1.414, rand_type: str = "uniform") -> None:
        super().__init__(scale=scale, rand_type=rand_type)
        self.scale, self.rand_type = scale, rand_type

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Values of the given shape, of which all axes but the first count as one."""
        return init.orthogonal((shape[0], prod(shape[1:])), generator, gain=self.scale).reshape(shape)


@register
class Xavier(_Drawn):
    """Drawn with the variance that keeps activations and gradients at one scale; weights have their outputs first."""

    def __init__(self, rnd_type: str = "uniform", factor_type: str = "avg", magnitude: float = 3) -> None:
        super().__init__(rnd_type=rnd_type, factor_type=factor_type, magnitude=magnitude)
        if rnd_type not in ("uniform", "gaussian") or factor_type not in ("avg", "in", "out"):
            raise ArgumentError(
                f"[{type(self).__name__}] rnd_type 'uniform' or 'gaussian' and factor_type 'avg', 'in' or 'out' were "
                f"required; received {rnd_type!r} and {factor_type!r}"
            )
        self.rnd_type, self.factor_type, self.magnitude = rnd_type, factor_type, float(magnitude)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Values of the given shape."""
        if len(shape) < 2:
            raise ArgumentError(f"[{type(self).__name__}] a weight of two axes or more was required; received {shape}")
        window = prod(shape[2:])
        fan_in, fan_out = shape[1] * window, shape[0] * window
        factor = {"avg": (fan_in + fan_out) / 2, "in": fan_in, "out": fan_out}[self.factor_type]
        scale = (self.magnitude / factor) ** 0.5
        if self.rnd_type == "uniform":
            return init.uniform(shape, generator, low=-scale, high=scale)
        return init.normal(shape, generator, std=scale)


@register
class MSRAPrelu(Xavier):
    """`Xavier` for layers followed by a rectifier whose negative side has the given slope."""

    def __init__(self, factor_type: str = "avg", slope: float = 0.25) -> None:
        super().__init__("gaussian", factor_type, 2.0 / (1 + slope**2))
        self._kwargs = {"factor_type": factor_type, "slope": slope}


@register
class Bilinear(Initializer):
    """The kernel of a transposed convolution that interpolates linearly along the last two axes."""

    def _init_weight(self, name: Any, arr: Any) -> None:
        height, width = arr.shape[-2:]
        half = np.ceil(width / 2)
        centre = (2 * half - 1 - half % 2) / (2 * half)
        rows, columns = (1 - np.abs(np.arange(n) / half - centre) for n in (height, width))
        arr[:] = np.broadcast_to(np.outer(rows, columns), arr.shape)


@register
class LSTMBias(Initializer):
    """Zeros, but `forget_bias` for the second quarter, where a long short-term memory has its forget gates."""

    def __init__(self, forget_bias: float = 1.0) -> None:
        super().__init__(forget_bias=forget_bias)
        self.forget_bias = forget_bias

    def _init_weight(self, name: Any, arr: Any) -> None:
        quarter = arr.shape[0] // 4
        arr[:] = 0.0
        arr[quarter : 2 * quarter] = self.forget_bias

    _init_bias = _init_weight


class Mixed:
    """Initializers by patterns of names, the first that matches."""

    def __init__(self, patterns: Sequence[str], initializers: Sequence[Any]) -> None:
        if len(patterns) != len(initializers):
            raise ArgumentError(
                f"[Mixed] as many initializers as patterns were required; received {len(initializers)} and "
                f"{len(patterns)}"
            )
        self.map = [(re.compile(p), create(i)) for p, i in zip(patterns, initializers, strict=True)]

    def __call__(self, name: Any, arr: Any) -> None:
        """Set the parameter of that name."""
        for pattern, initializer in self.map:
            if pattern.match(name):
                initializer(name, arr)
                return
        raise ArgumentError(
            f'[Mixed] a pattern for each parameter was required; none fits {str(name)!r}; add ".*" at the end'
        )


_INITIALIZERS.update(zeros=Zero, ones=One, gaussian=Normal)
