"""Optimizer: what all update formulas have in common."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.errors import ArgumentError, DTypeError, ShapeError
from wengert.protocol import is_recorded, plain_float
from wengert.tape import no_grad
from wengert.tensor import Tensor

__all__ = ["Optimizer"]

LearningRate = float | Callable[[int], float]


class Optimizer:
    """Base class of the optimisers: an optimiser is an update formula and the arrays it carries along.

    A subclass names its arrays in `slots` (one of each per parameter, of its shape and dtype, zero at
    first) and writes the formula in `change`.

    Parameters
    ----------
    parameters : iterable of tensors
        Leaves that require grad, such as ``model.parameters()``.
    lr : float, or function from the number of steps taken (0 at first) to float
        The learning rate; see `wengert.optim.schedules`.
    weight_decay : float
        Adds ``weight_decay * parameter`` to the gradient (an L2 penalty).
    maximize : bool
        Climb instead: follow the gradient's negative.

    Raises
    ------
    ArgumentError
        No parameters, one given twice, a tensor that is not a leaf or requires no grad, or a number out of
        its range.
    DTypeError
        A complex parameter.

    Examples
    --------
    A new optimiser is its formula. This one follows the sign of the gradient alone:

    >>> import wengert as wg
    >>> class SignDescent(Optimizer):
    ...     def change(self, value, grad, lr, count):
    ...         return lr * np.sign(grad)
    >>> x = wg.tensor([1.0, -3.0], requires_grad=True)
    >>> np.sum(x * x).backward()
    >>> SignDescent([x], lr=0.5).step()
    >>> x.data
    array([ 0.5, -2.5])
    """

    slots: tuple[str, ...] = ()

    def __init__(
        self, parameters: Iterable[Tensor], lr: LearningRate, weight_decay: float = 0.0, maximize: bool = False
    ) -> None:
        self.parameters = _checked_parameters(type(self).__name__, parameters)
        if not callable(lr):
            self._require(
                "lr", lr, (isinstance(lr, Real) or is_recorded(lr)) and lr >= 0, "a number of at least 0, or a function"
            )
        self._require("weight_decay", weight_decay, weight_decay >= 0, "at least 0")
        self.lr = lr
        self.weight_decay = weight_decay
        self.maximize = maximize
        self.steps = 0
        self._counts = [0] * len(self.parameters)
        self._slots = [[np.zeros(p._spec.shape, p._spec.dtype) for _ in self.slots] for p in self.parameters]

    def change(self, value: np.ndarray, grad: np.ndarray, lr: float, count: int, *slots: np.ndarray) -> Any:
        """Compute what to subtract from a parameter; the slots are updated in place.

        Parameters
        ----------
        value, grad : arrays of one shape and dtype; not to be written
        lr : float
        count : int
            How often this parameter has been updated, this time included.
        *slots : arrays, in the order of `slots`

        Returns
        -------
        array that the parameter will be lessened by
        """
        raise NotImplementedError(f"[{type(self).__name__}] an Optimizer needs a method change; define one.")

    def step(self) -> None:
        """Update, in place and unrecorded, every parameter that has a gradient."""
        lr = self.current_lr()
        with no_grad():
            for i, parameter in enumerate(self.parameters):
                if parameter.grad is not None:
                    self._counts[i] += 1
                    self.update(parameter, lr, self._counts[i], self._slots[i])
        self.steps += 1

    def update(self, parameter: Tensor, lr: float, count: int, slots: Sequence[np.ndarray]) -> None:
        """Update one parameter that has a gradient, under `no_grad`; see `change` for `count` and `slots`."""
        value, grad = bare(parameter), bare(parameter.grad)
        if self.maximize:
            grad = -grad
        if self.weight_decay:
            grad = grad + self.weight_decay * value
        change = self.change(value, grad, lr, count, *slots)
        if parameter._spec.ndim:
            del value  # as long as somebody holds it, a write goes to a copy of the buffer
            parameter -= change
        else:
            parameter[...] = value - change  # `-=` would make another tensor

    def current_lr(self) -> float:
        """Return the learning rate of the next step."""
        return plain_float(self.lr(self.steps) if callable(self.lr) else self.lr)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.zero_grad()

    def state_dict(self) -> dict[str, np.ndarray]:
        """Independent copies of everything that changes during a run, by name; parameters excluded.

        Plain arrays: ``"steps"``, ``"counts"`` (updates of each parameter), ``"lr"`` unless it is a
        function, and each slot as ``"<number of the parameter>.<slot>"``.

        Examples
        --------
        >>> import wengert as wg
        >>> from wengert import optim
        >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
        >>> sorted(optim.Adam([x]).state_dict())
        ['0.mean', '0.square', 'counts', 'lr', 'steps']
        """
        state = {"steps": np.array(self.steps), "counts": np.array(self._counts)}
        if not callable(self.lr):
            state["lr"] = np.array(self.lr, float)
        return state | {name: array.copy() for name, array in self._named_slots().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where `state_dict` was taken, to the last bit; all of it, or nothing if it does not fit.

        Parameters
        ----------
        state : mapping from names to arrays
            From an optimiser of the same kind and settings over the same parameters in the same order.
            A schedule stays the one given to this optimiser; a plain learning rate is loaded.

        Raises
        ------
        ArgumentError
            Names are missing or left over.
        ShapeError
            An array of another shape.
        """
        own = self._named_slots()
        required = {"steps", "counts", *own}
        missing, unexpected = sorted(required - set(state)), sorted(set(state) - required - {"lr"})
        if missing or unexpected:
            raise ArgumentError(
                f"[load_state_dict] the names must be those of this {type(self).__name__}; missing: "
                f"{', '.join(missing) or 'none'}; unexpected: {', '.join(unexpected) or 'none'}; "
                f"build the optimiser with the settings it was saved with."
            )
        for name, array in (own | {"counts": np.array(self._counts), "steps": np.array(0)}).items():
            if np.shape(state[name]) != array.shape:
                raise ShapeError(
                    f"[load_state_dict] {name} must have shape {array.shape}; got shape "
                    f"{np.shape(state[name])}; give the optimiser the parameters it was saved with."
                )
        for name, array in own.items():
            array[...] = state[name]
        self.steps = int(state["steps"])
        self._counts = [int(count) for count in state["counts"]]
        if "lr" in state and not callable(self.lr):
            self.lr = float(state["lr"])

    def __repr__(self) -> str:
        hidden = ("parameters", "slots")
        settings = {name: value for name, value in vars(self).items() if name[0] != "_" and name not in hidden}
        listed = ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in settings.items())
        return f"{type(self).__name__}({len(self.parameters)} parameters: {listed})"

    def _named_slots(self) -> dict[str, np.ndarray]:
        return {
            f"{i}.{name}": array
            for i, arrays in enumerate(self._slots)
            for name, array in zip(self.slots, arrays, strict=True)
        }

    def _require(self, name: str, value: Any, holds: bool, what: str) -> None:
        if not holds:
            raise ArgumentError(f"[{type(self).__name__}] {name} must be {what}; got {value!r}.")


def _checked_parameters(operation: str, parameters: Iterable[Tensor]) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        raise ArgumentError(f"[{operation}] parameters must be a list of tensors; got a tensor; write [tensor].")
    if not isinstance(parameters, Iterable):
        raise ArgumentError(
            f"[{operation}] parameters must be an iterable of tensors; got {type(parameters).__name__}; "
            f"for a module write module.parameters()."
        )
    tensors = list(parameters)
    if not tensors:
        raise ArgumentError(f"[{operation}] at least one parameter is needed; got none; check requires_grad.")
    for i, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise ArgumentError(
                f"[{operation}] parameters must be tensors; got {type(t).__name__} at position {i}; "
                f"write wg.tensor(..., requires_grad=True), or module.parameters()."
            )
        if not (t.requires_grad and t.is_leaf):
            raise ArgumentError(
                f"[{operation}] parameters must be leaves that require grad; got, at position {i}, a tensor with "
                f"requires_grad={t.requires_grad}, is_leaf={t.is_leaf}, shape {t.shape} and dtype {t.dtype}; "
                f"pass the tensor made by wg.tensor(..., requires_grad=True) itself."
            )
        if t._spec.is_complex:
            raise DTypeError(
                f"[{operation}] parameters must be real; got shape {t.shape} and dtype {t.dtype} at position {i}; "
                f"hold real and imaginary part in two tensors."
            )
    if len({id(t) for t in tensors}) < len(tensors):
        raise ArgumentError(f"[{operation}] each parameter may be given once; got one twice; leave it out.")
    return tensors
