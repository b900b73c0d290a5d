"""`mxnet.optimizer`: MXNet's spelling of the update formulas of `wengert.optim`.

MXNet's optimisers update one array at a time, ``update(index, weight, grad, state)``, and prepare the gradient in a
way of their own: it is multiplied by `rescale_grad` (a trainer's 1 / batch size), clipped, and only then joined by
``wd`` times the weight. A momentum is kept of steps, not of gradients: a new learning rate leaves past steps as they
were.
"""

import pickle
from collections.abc import Callable
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from wengert import optim, tape
from wengert.box import bare
from wengert.creation import zeros
from wengert.errors import ArgumentError
from wengert.protocol import of_number, plain_float

__all__ = [
    "NAG",
    "SGD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Nadam",
    "Optimizer",
    "RMSProp",
    "Test",
    "Updater",
    "create",
    "get_updater",
    "register",
]


class Optimizer:
    """Base of the optimisers. A subclass defines `create_state` and `update`.

    Parameters
    ----------
    rescale_grad : float
        Factor on every gradient.
    param_idx2name : dict, optional
        Names of the parameters by index.
    wd : float
        Weight decay.
    clip_gradient : float, optional
        Each element of a gradient is clipped to [-clip_gradient, clip_gradient].
    learning_rate : float, optional
        By default that of the schedule, or 0.01.
    lr_scheduler : function from the number of updates to the learning rate, optional
    begin_num_update : int
    param_dict : dict, optional
        `gluon.Parameter` by index, whose ``lr_mult`` and ``wd_mult`` count.
    """

    opt_registry: ClassVar[dict[str, type["Optimizer"]]] = {}

    def __init__(
        self,
        rescale_grad: float = 1.0,
        param_idx2name: dict | None = None,
        wd: float = 0.0,
        clip_gradient: float | None = None,
        learning_rate: float | None = None,
        lr_scheduler: Callable[[int], float] | None = None,
        begin_num_update: int = 0,
        multi_precision: bool = False,
        param_dict: dict | None = None,
        aggregate_num: int | None = None,
        use_fused_step: bool | None = None,
        lazy_update: bool = False,
        sym: None = None,
    ) -> None:
        if sym is not None:
            raise ArgumentError(f"[{type(self).__name__}] sym=None was required; symbols are not supported")
        self.rescale_grad, self.wd, self.clip_gradient = rescale_grad, wd, clip_gradient
        self.lr_scheduler, self.multi_precision = lr_scheduler, multi_precision
        self.lr = self._first_lr(learning_rate)
        self.begin_num_update = self.num_update = begin_num_update
        self.idx2name, self.param_dict = dict(param_idx2name or {}), dict(param_dict or {})
        self.set_lr_mult({})
        self.set_wd_mult({})
        self._index_update_count: dict = {}

    def _first_lr(self, learning_rate: float | None) -> float:
        if self.lr_scheduler is None:
            return 0.01 if learning_rate is None else learning_rate
        if learning_rate is not None and hasattr(self.lr_scheduler, "base_lr"):
            self.lr_scheduler.base_lr = learning_rate
        return getattr(self.lr_scheduler, "base_lr", 0.01 if learning_rate is None else learning_rate)

    @staticmethod
    def register(klass: type["Optimizer"]) -> type["Optimizer"]:
        """Make an optimiser known to `create`, by the name of its class."""
        Optimizer.opt_registry[klass.__name__.lower()] = klass
        return klass

    @staticmethod
    def create_optimizer(name: str, **kwargs: Any) -> "Optimizer":
        """An optimiser by name."""
        known = Optimizer.opt_registry
        if name.lower() not in known:
            raise ArgumentError(
                f"[optimizer.create] one of {', '.join(sorted(known))} was required; received {name!r}; register your "
                f"own with mx.optimizer.Optimizer.register"
            )
        return known[name.lower()](**kwargs)

    @property
    def learning_rate(self) -> float:
        """The rate of the next update, without the parameters' own factors."""
        return self.lr if self.lr_scheduler is None else self.lr_scheduler(self.num_update)

    def set_learning_rate(self, lr: float) -> None:
        """Set the rate; not where a schedule does."""
        if self.lr_scheduler is not None:
            raise UserWarning("the learning rate is set by the lr_scheduler; change that, or leave it out")
        self.lr = lr

    def set_lr_mult(self, args_lr_mult: dict) -> None:
        """Factors on the learning rate, by name or index."""
        self.lr_mult = dict(args_lr_mult)

    def set_wd_mult(self, args_wd_mult: dict) -> None:
        """Factors on the weight decay, by name or index; what has a name that no ``_weight`` ends has 0 by default."""
        others = (name for name in self.idx2name.values() if not name.endswith("_weight"))
        self.wd_mult = dict.fromkeys(others, 0.0) | args_wd_mult

    def create_state(self, index: Any, weight: Any) -> Any:
        """What the formula keeps between updates of a weight; `None` if nothing."""
        return None

    def create_state_multi_precision(self, index: Any, weight: Any) -> Any:
        """The same: half precision is not kept in single."""
        if self.multi_precision and weight.dtype == np.float16:
            raise ArgumentError(
                f"[{type(self).__name__}] weights of single precision were required with multi_precision=True; "
                f"received {weight._spec!r}; convert them: net.cast('float32')"
            )
        return self.create_state(index, weight)

    def update(self, index: Any, weight: Any, grad: Any, state: Any) -> None:
        """Update a weight in place."""
        raise NotImplementedError(f"[{type(self).__name__}] an optimizer needs a method update; define it")

    def update_multi_precision(self, index: Any, weight: Any, grad: Any, state: Any) -> None:
        """The same: there is one precision."""
        self.update(index, weight, grad, state)

    def _update_count(self, index: Any) -> None:
        for i in index if isinstance(index, (list, tuple)) else [index]:
            count = self._index_update_count.get(i, self.begin_num_update) + 1
            self._index_update_count[i] = count
            self.num_update = max(count, self.num_update)

    def _get_lr(self, index: Any) -> float:
        return self.learning_rate * self._factor(index, "lr_mult")

    def _get_wd(self, index: Any) -> float:
        return self.wd * self._factor(index, "wd_mult")

    def _get_lrs(self, indices: list) -> list[float]:
        return [self._get_lr(i) for i in indices]

    def _get_wds(self, indices: list) -> list[float]:
        return [self._get_wd(i) for i in indices]

    def _factor(self, index: Any, kind: str) -> float:
        if index in self.param_dict:
            return getattr(self.param_dict[index], kind)
        own = getattr(self, kind)
        return own.get(index, own.get(self.idx2name.get(index), 1.0))


register = Optimizer.register
create = Optimizer.create_optimizer
_NOBODY = zeros(1, requires_grad=True)


class _Formula(Optimizer):
    """An optimiser whose formula is one of `wengert.optim`'s: its `change` sees arrays and MXNet's gradient."""

    def __init__(self, formula: type[optim.Optimizer], settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._formula: Any = formula([_NOBODY], 0.0, **settings)

    def create_state(self, index: Any, weight: Any) -> Any:
        """A zero array for each thing that the formula keeps."""
        return tuple(np.zeros(weight.shape, weight.dtype) for _ in self._formula.slots)

    def update(self, index: Any, weight: Any, grad: Any, state: Any) -> None:
        """Update a weight, or lists of weights, in place."""
        if isinstance(index, (list, tuple)):
            for one in zip(index, weight, grad, state, strict=True):
                self.update(*one)
            return
        self._update_count(index)
        lr, wd = plain_float(self._get_lr(index)), plain_float(self._get_wd(index))
        value = bare(weight)
        g = bare(grad) * plain_float(self.rescale_grad)
        if self.clip_gradient is not None and self.clip_gradient > 0:
            g = np.clip(g, -self.clip_gradient, self.clip_gradient)
        g = self._decayed(g, value, wd)
        change = self._change(value, g, lr, self._index_update_count[index], state)
        del value  # as long as somebody holds it, a write goes to a copy of the buffer
        with tape.no_grad():
            weight -= change

    def _decayed(self, g: np.ndarray, value: np.ndarray, wd: float) -> np.ndarray:
        return g + wd * value if wd else g

    def _change(self, value: np.ndarray, g: np.ndarray, lr: float, count: int, state: tuple) -> Any:
        return self._formula.change(value, g, lr, count, *state)


@register
class SGD(_Formula):
    """Gradient descent; with momentum, ``state = momentum * state - lr * grad; weight += state``."""

    def __init__(self, learning_rate: float | None = None, momentum: float = 0.0, **kwargs: Any) -> None:
        super().__init__(optim.SGD, self._settings(momentum), learning_rate=learning_rate, **kwargs)
        self.momentum = momentum

    def _settings(self, momentum: float) -> dict[str, Any]:
        return {"momentum": momentum}

    def _change(self, value: np.ndarray, g: np.ndarray, lr: float, count: int, state: tuple) -> Any:
        return self._formula.change(value, lr * g, 1.0, count, *state)  # what is kept are steps: lr belongs to them


@register
class NAG(SGD):
    """`SGD` that looks one step ahead."""

    def __init__(self, learning_rate: float | None = None, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(learning_rate, momentum, **kwargs)

    def _settings(self, momentum: float) -> dict[str, Any]:
        return {"momentum": momentum, "nesterov": momentum > 0}


@register
class Adam(_Formula):
    """Steps scaled by running means; `epsilon` is added before the bias of the squares is corrected."""

    _METHOD: ClassVar[type[optim.Optimizer]] = optim.Adam

    def __init__(
        self,
        learning_rate: float | None = None,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        learning_rate = _default(learning_rate, 0.001, kwargs)
        super().__init__(self._METHOD, {"betas": (beta1, beta2), "eps": epsilon}, learning_rate=learning_rate, **kwargs)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def _change(self, value: np.ndarray, g: np.ndarray, lr: float, count: int, state: tuple) -> Any:
        self._formula.eps = self.epsilon / of_number(sqrt, np.sqrt, 1 - self.beta2**count)
        return super()._change(value, g, lr, count, state)


@register
class AdamW(Adam):
    """`Adam` whose weight decay is a step of its own, not a part of the gradient."""

    _METHOD = optim.AdamW

    def _decayed(self, g: np.ndarray, value: np.ndarray, wd: float) -> np.ndarray:
        self._formula.decay = wd
        return g


@register
class AdaGrad(_Formula):
    """Steps divided by the root of the sum of all squared gradients."""

    def __init__(
        self, learning_rate: float | None = None, epsilon: float = 1e-7, eps: float | None = None, **kwargs: Any
    ) -> None:
        epsilon = epsilon if eps is None else eps
        super().__init__(optim.Adagrad, {"eps": epsilon}, learning_rate=learning_rate, **kwargs)


@register
class AdaDelta(_Formula):
    """Steps in the units of the weight, scaled by the root mean square of past steps."""

    def __init__(
        self, learning_rate: float | None = None, rho: float = 0.9, epsilon: float = 1e-5, **kwargs: Any
    ) -> None:
        super().__init__(
            optim.Adadelta, {"rho": rho, "eps": epsilon}, learning_rate=_default(learning_rate, 1.0, kwargs), **kwargs
        )


@register
class Adamax(_Formula):
    """`Adam` with a running maximum in the place of the running square."""

    def __init__(
        self, learning_rate: float | None = None, beta1: float = 0.9, beta2: float = 0.999, **kwargs: Any
    ) -> None:
        learning_rate = _default(learning_rate, 0.002, kwargs)
        super().__init__(optim.Adamax, {"betas": (beta1, beta2)}, learning_rate=learning_rate, **kwargs)


@register
class Nadam(_Formula):
    """`Adam` that looks one step ahead, with a momentum that is warmed up: for each weight by its own updates."""

    def __init__(
        self,
        learning_rate: float | None = None,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        schedule_decay: float = 0.004,
        **kwargs: Any,
    ) -> None:
        settings = {"betas": (beta1, beta2), "eps": epsilon, "momentum_decay": schedule_decay}
        super().__init__(optim.NAdam, settings, learning_rate=_default(learning_rate, 0.001, kwargs), **kwargs)


@register
class Ftrl(_Formula):
    """Follow the regularised leader: `lamda1` makes zeros, and the weight decay belongs to the formula."""

    def __init__(
        self, learning_rate: float | None = None, lamda1: float = 0.01, beta: float = 1.0, **kwargs: Any
    ) -> None:
        learning_rate = _default(learning_rate, 0.1, kwargs)
        super().__init__(optim.Ftrl, {"l1": lamda1, "beta": beta}, learning_rate=learning_rate, **kwargs)

    def _decayed(self, g: np.ndarray, value: np.ndarray, wd: float) -> np.ndarray:
        self._formula.l2 = wd
        return g


@register
class RMSProp(_Formula):
    """Steps divided by the root of a running mean of squared gradients; `rho` was once called `gamma1`.

    With `centered`, divided by the root of a running variance, and with a `momentum` (once `gamma2`) of the steps.
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        rho: float = 0.9,
        momentum: float = 0.9,
        epsilon: float = 1e-8,
        centered: bool = False,
        clip_weights: float | None = None,
        gamma1: float | None = None,
        gamma2: float | None = None,
        **kwargs: Any,
    ) -> None:
        rho, momentum = rho if gamma1 is None else gamma1, momentum if gamma2 is None else gamma2
        under_root = {"eps": 0.0, "floor": epsilon, "centered": True}
        settings = {"decay": rho, **(under_root if centered else {"eps": epsilon})}
        super().__init__(optim.RMSProp, settings, learning_rate=_default(learning_rate, 0.001, kwargs), **kwargs)
        self._momentum = optim.SGD([_NOBODY], 0.0, momentum=momentum) if centered and momentum else None
        self._limit = clip_weights

    def create_state(self, index: Any, weight: Any) -> Any:
        """A zero array for each thing that the formula keeps, and one for the momentum."""
        own = super().create_state(index, weight)
        return own if self._momentum is None else (*own, np.zeros(weight.shape, weight.dtype))

    def _change(self, value: np.ndarray, g: np.ndarray, lr: float, count: int, state: tuple) -> Any:
        own = len(self._formula.slots)
        step = super()._change(value, g, lr, count, state[:own])
        if self._momentum is not None:
            step = self._momentum.change(value, step, 1.0, count, *state[own:])
        if self._limit:
            step = value - np.clip(value - step, -self._limit, self._limit)
        return step


def _default(learning_rate: float | None, own: float, settings: dict[str, Any]) -> float | None:
    """The rate of a method, where neither a number nor a schedule is given."""
    return own if learning_rate is None and settings.get("lr_scheduler") is None else learning_rate


@register
class Test(Optimizer):
    """Adds the rescaled gradient to the weight and remembers the sum: for tests of trainers."""

    def create_state(self, index: Any, weight: Any) -> Any:
        """A zero array."""
        return np.zeros(weight.shape, weight.dtype)

    def update(self, index: Any, weight: Any, grad: Any, state: Any) -> None:
        """Update a weight in place."""
        with tape.no_grad():
            weight += grad * self.rescale_grad
        state[...] = bare(weight)


class Updater:
    """An optimiser with the states of all weights that it has seen: ``updater(index, grad, weight)``."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.states: dict = {}

    def __call__(self, index: Any, grad: Any, weight: Any) -> None:
        """Update the weight in place."""
        lists = isinstance(index, (list, tuple))
        for i, g, w in zip(index, grad, weight, strict=True) if lists else [(index, grad, weight)]:
            if i not in self.states:
                self.states[i] = self.optimizer.create_state_multi_precision(i, w)
            self.optimizer.update_multi_precision(i, w, g, self.states[i])

    def get_states(self, dump_optimizer: bool = False) -> bytes:
        """States as bytes, with the counts of updates."""
        counts = (self.optimizer._index_update_count, self.optimizer.num_update)
        return pickle.dumps((self.states, counts, self.optimizer if dump_optimizer else None))

    def set_states(self, states: bytes) -> None:
        """Continue from what `get_states` gave; read only what you trust."""
        self.states, counts, optimizer = pickle.loads(states)
        self.optimizer = self.optimizer if optimizer is None else optimizer
        self.optimizer._index_update_count, self.optimizer.num_update = counts


def get_updater(optimizer: Optimizer) -> Updater:
    """An `Updater` for an optimiser."""
    return Updater(optimizer)
