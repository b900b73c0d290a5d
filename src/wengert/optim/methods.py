"""The update formulas. Notation: parameter p, gradient g (weight decay included), learning rate lr.

They agree with PyTorch's optimisers of the same names and settings.
"""

from collections.abc import Iterable
from math import sqrt

import numpy as np

from wengert.optim.optimizer import LearningRate, Optimizer
from wengert.protocol import of_number
from wengert.tensor import Tensor

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "RMSProp"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    ::

        p -= lr * g                              momentum = 0
        v = momentum * v + (1 - dampening) * g;  p -= lr * v   momentum > 0; v = g at first
        v = momentum * v + g;  p -= lr * (g + momentum * v)    nesterov

    Parameters
    ----------
    parameters, lr, weight_decay, maximize
        See `Optimizer`.
    momentum : float, at least 0
    nesterov : bool
        Look one step ahead (Sutskever, Martens, Dahl and Hinton 2013); needs momentum, and no dampening.
    dampening : float
        What a new gradient loses on its way into the velocity.

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`; also for nesterov without momentum or with dampening.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0], requires_grad=True)
    >>> optimizer = SGD([x], lr=0.25)
    >>> np.sum(x * x).backward()
    >>> optimizer.step()
    >>> x.data
    array([2.])
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 1e-3,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        dampening: float = 0.0,
        maximize: bool = False,
    ) -> None:
        self.slots = ("velocity",) if momentum else ()
        super().__init__(parameters, lr, weight_decay, maximize)
        self._require("momentum", momentum, momentum >= 0, "at least 0")
        self._require("momentum", momentum, momentum > 0 or not nesterov, "positive with nesterov=True")
        self._require("dampening", dampening, not (dampening and nesterov), "0 with nesterov=True")
        self.momentum, self.nesterov, self.dampening = momentum, nesterov, dampening

    def change(self, value, grad, lr, count, velocity=None):
        """Apply the formula above."""
        if velocity is None:
            return lr * grad
        velocity *= self.momentum
        velocity += grad if count == 1 else (1 - self.dampening) * grad
        return lr * (grad + self.momentum * velocity) if self.nesterov else lr * velocity


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square (Kingma and Ba 2015, algorithm 1).

    ::

        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        p -= lr * m / (1 - beta1**t) / (sqrt(s / (1 - beta2**t)) + eps)          t = 1, 2, ...

    Parameters
    ----------
    parameters, lr, weight_decay, maximize
        See `Optimizer`.
    betas : (float, float), each in [0, 1)
    eps : float, at least 0
    amsgrad : bool
        Divide by the root of the largest s so far (Reddi, Kale and Kumar 2018).

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adam([x], lr=0.5)
    >>> np.sum(x * x).backward()
    >>> optimizer.step()  # the first step has length lr
    >>> x.data
    array([3.5])
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        self.slots = ("mean", "square", "largest") if amsgrad else ("mean", "square")
        super().__init__(parameters, lr, weight_decay, maximize)
        self._require("betas", betas, all(0 <= beta < 1 for beta in betas), "in [0, 1)")
        self._require("eps", eps, eps >= 0, "at least 0")
        self.betas, self.eps = betas, eps

    def change(self, value, grad, lr, count, mean, square, largest=None):
        """Apply the formula above."""
        beta1, beta2 = self.betas
        mean *= beta1
        mean += (1 - beta1) * grad
        square *= beta2
        square += (1 - beta2) * (grad * grad)
        divisor = np.sqrt(square if largest is None else np.maximum(largest, square, out=largest))
        divisor /= of_number(sqrt, np.sqrt, 1 - beta2**count)
        divisor += self.eps
        return (lr / (1 - beta1**count)) * mean / divisor


class AdamW(Adam):
    """`Adam` with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

    ``p -= lr * weight_decay * p`` besides Adam's step, whose means see the bare gradient.

    Parameters
    ----------
    parameters, lr, betas, eps, amsgrad, maximize
        See `Adam`.
    weight_decay : float, at least 0

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0], requires_grad=True)
    >>> optimizer = AdamW([x], lr=0.5, weight_decay=0.25)
    >>> np.sum(x * x).backward()
    >>> optimizer.step()
    >>> x.data
    array([3.])
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, amsgrad=amsgrad, maximize=maximize)
        self._require("weight_decay", weight_decay, weight_decay >= 0, "at least 0")
        self.decay = weight_decay

    def change(self, value, grad, lr, count, mean, square, largest=None):
        """Apply the formula above."""
        return super().change(value, grad, lr, count, mean, square, largest) + (lr * self.decay) * value


class RMSProp(Optimizer):
    """Steps divided by the root of a running mean of squared gradients (Tieleman and Hinton 2012).

    ::

        s = decay * s + (1 - decay) * g**2
        v = momentum * v + g / (sqrt(s + floor) + eps)
        p -= lr * v

    Parameters
    ----------
    parameters, lr, weight_decay, maximize
        See `Optimizer`.
    decay : float in [0, 1)
        PyTorch calls it alpha.
    eps : float, at least 0
    momentum : float, at least 0
    centered : bool
        Divide by the root of a running variance: s less the square of a running mean of g (Graves 2013).
    floor : float, at least 0
        Added under the root, as in Graves's formula; there, `eps` is 0.

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0], requires_grad=True)
    >>> optimizer = RMSProp([x], lr=0.5, decay=0.75)
    >>> np.sum(x * x).backward()
    >>> optimizer.step()
    >>> x.data.round(6)
    array([3.])
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 1e-2,
        *,
        decay: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        centered: bool = False,
        floor: float = 0.0,
        maximize: bool = False,
    ) -> None:
        self.slots = ("square", *(["velocity"] if momentum else []), *(["mean"] if centered else []))
        super().__init__(parameters, lr, weight_decay, maximize)
        self._require("decay", decay, 0 <= decay < 1, "in [0, 1)")
        self._require("eps", eps, eps >= 0, "at least 0")
        self._require("momentum", momentum, momentum >= 0, "at least 0")
        self._require("floor", floor, floor >= 0, "at least 0")
        self.decay, self.eps, self.momentum, self.centered, self.floor = decay, eps, momentum, centered, floor

    def change(self, value, grad, lr, count, square, *more):
        """Apply the formula above."""
        square *= self.decay
        square += (1 - self.decay) * (grad * grad)
        spread = square
        if self.centered:
            mean = more[-1]
            mean *= self.decay
            mean += (1 - self.decay) * grad
            spread = square - mean * mean
        if self.floor:
            spread = spread + self.floor
        scaled = grad / (np.sqrt(spread) + self.eps)
        if not self.momentum:
            return lr * scaled
        velocity = more[0]
        velocity *= self.momentum
        velocity += scaled
        return lr * velocity


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients (Duchi, Hazan and Singer 2011).

    ::

        s = s + g**2
        p -= lr * g / (sqrt(s) + eps)

    Parameters
    ----------
    parameters, lr, weight_decay, maximize
        See `Optimizer`.
    eps : float, at least 0
    lr_decay : float, at least 0
        The learning rate of step t is ``lr / (1 + (t - 1) * lr_decay)``.

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adagrad([x], lr=0.5)
    >>> np.sum(x * x).backward()
    >>> optimizer.step()
    >>> x.data
    array([3.5])
    """

    slots = ("square",)

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 1e-2,
        *,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
        lr_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, maximize)
        self._require("eps", eps, eps >= 0, "at least 0")
        self._require("lr_decay", lr_decay, lr_decay >= 0, "at least 0")
        self.eps, self.lr_decay = eps, lr_decay

    def change(self, value, grad, lr, count, square):
        """Apply the formula above."""
        square += grad * grad
        return lr / (1 + (count - 1) * self.lr_decay) * grad / (np.sqrt(square) + self.eps)
