"""More formulas whose steps adapt to the gradients seen. Notation as in `methods`.

Adadelta, Adamax and NAdam agree with PyTorch's optimisers of these names and settings.
"""

from collections.abc import Iterable
from math import log
from typing import Any

import numpy as np

from wengert.optim.optimizer import LearningRate, Optimizer
from wengert.tensor import Tensor

POWERS = np.arange(1.0, 54.0)  # 2**-53 is nothing beside 1
WEIGHTS = 1 / (POWERS * 2.0**POWERS)

__all__ = ["Adadelta", "Adamax", "Ftrl", "NAdam"]


class Adadelta(Optimizer):
    """Steps in the units of the parameter: scaled by the root mean square of past steps (Zeiler 2012, algorithm 1).

    ::

        s = rho * s + (1 - rho) * g**2
        d = sqrt(u + eps) / sqrt(s + eps) * g
        u = rho * u + (1 - rho) * d**2
        p -= lr * d

    Parameters
    ----------
    parameters, lr, weight_decay, maximize
        See `Optimizer`.
    rho : float in [0, 1)
    eps : float, at least 0
        Also what the first steps are made of.

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adadelta([x], rho=0.75, eps=1e-2)
    >>> np.sum(x * x).backward()
    >>> optimizer.step()
    >>> x.data.round(3)
    array([3.8])
    """

    slots = ("square", "steps_square")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 1.0,
        *,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, maximize)
        self._require("rho", rho, 0 <= rho < 1, "in [0, 1)")
        self._require("eps", eps, eps >= 0, "at least 0")
        self.rho, self.eps = rho, eps

    def change(self, value, grad, lr, count, square, steps_square):
        """Apply the formula above."""
        square *= self.rho
        square += (1 - self.rho) * (grad * grad)
        step = np.sqrt((steps_square + self.eps) / (square + self.eps)) * grad
        steps_square *= self.rho
        steps_square += (1 - self.rho) * (step * step)
        return lr * step


class Adamax(Optimizer):
    """`Adam` with a running maximum in the place of the running square (Kingma and Ba 2015, algorithm 2).

    ::

        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        p -= lr * m / (1 - beta1**t) / u          t = 1, 2, ...

    Parameters
    ----------
    parameters, lr, weight_decay, maximize
        See `Optimizer`.
    betas : (float, float), each in [0, 1)
    eps : float, above 0

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adamax([x], lr=0.5)
    >>> np.sum(x * x).backward()
    >>> optimizer.step()  # the first step has length lr
    >>> x.data
    array([3.5])
    """

    slots = ("mean", "largest")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 2e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, maximize)
        self._require("betas", betas, all(0 <= beta < 1 for beta in betas), "in [0, 1)")
        self._require("eps", eps, eps > 0, "positive")
        self.betas, self.eps = betas, eps

    def change(self, value, grad, lr, count, mean, largest):
        """Apply the formula above."""
        beta1, beta2 = self.betas
        mean *= beta1
        mean += (1 - beta1) * grad
        largest *= beta2
        np.maximum(largest, np.abs(grad) + self.eps, out=largest)
        return (lr / (1 - beta1**count)) * mean / largest


class NAdam(Optimizer):
    """`Adam` with Nesterov's look ahead, and a momentum that is warmed up (Dozat 2016).

    ::

        b_t = beta1 * (1 - 0.96**(t * momentum_decay) / 2)          B_t = b_1 * ... * b_t
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        d = (1 - b_t) / (1 - B_t) * g + b_(t+1) / (1 - B_(t+1)) * m
        p -= lr * d / (sqrt(s / (1 - beta2**t)) + eps)              t = 1, 2, ...

    Parameters
    ----------
    parameters, lr, weight_decay, maximize
        See `Optimizer`.
    betas : (float, float), each in [0, 1)
    eps : float, at least 0
    momentum_decay : float, at least 0

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0], requires_grad=True)
    >>> optimizer = NAdam([x], lr=0.5, betas=(0.5, 0.5), momentum_decay=0.0)
    >>> np.sum(x * x).backward()
    >>> optimizer.step()
    >>> x.data.round(6)
    array([3.433333])
    """

    slots = ("mean", "square")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 2e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, maximize)
        self._require("betas", betas, all(0 <= beta < 1 for beta in betas), "in [0, 1)")
        self._require("eps", eps, eps >= 0, "at least 0")
        self._require("momentum_decay", momentum_decay, momentum_decay >= 0, "at least 0")
        self.betas, self.eps, self.momentum_decay = betas, eps, momentum_decay

    def change(self, value, grad, lr, count, mean, square):
        """Apply the formula above."""
        beta1, beta2 = self.betas
        mean *= beta1
        mean += (1 - beta1) * grad
        square *= beta2
        square += (1 - beta2) * (grad * grad)
        product, following = self._product(count), self._momentum(count + 1)
        now = lr * (1 - self._momentum(count)) / (1 - product)
        ahead = lr * following / (1 - product * following)
        step = now.astype(grad.dtype) * grad + ahead.astype(grad.dtype) * mean
        return step / (np.sqrt(square / (1 - beta2**count)) + self.eps)

    def _momentum(self, count: int) -> float:
        return self.betas[0] * (1 - 0.96 ** (count * self.momentum_decay) / 2)

    def _product(self, count: int) -> Any:
        """B_count, without a loop over all steps so far.

        The logarithm of each factor, as a power series in q = 0.96**(t * momentum_decay), has terms that are geometric
        series in t.
        """
        rates = log(0.96) * self.momentum_decay * POWERS
        sums = np.expm1(rates * count) / np.expm1(-rates) if self.momentum_decay else -count * np.ones(len(POWERS))
        return self.betas[0] ** count * np.exp(sums @ WEIGHTS)


class Ftrl(Optimizer):
    """Follow the regularised leader: exact zeros where the gradients' sum is small (McMahan et al. 2013, algorithm 1).

    ::

        z += g - (sqrt(n + g**2) - sqrt(n)) / lr * p
        n += g**2
        p = 0                                                        where |z| <= l1
        p = -(z - sign(z) * l1) / ((beta + sqrt(n)) / lr + l2)       elsewhere

    Parameters
    ----------
    parameters, lr, weight_decay, maximize
        See `Optimizer`.
    l1, l2 : float, at least 0
        Penalties that belong to the formula; a `weight_decay` is part of the gradient.
    beta : float, at least 0

    Raises
    ------
    ArgumentError, DTypeError
        See `Optimizer`.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([4.0, 0.0], requires_grad=True)
    >>> optimizer = Ftrl([x], lr=1.0, l1=0.5)
    >>> np.sum(x * np.array([1.0, 0.25])).backward()
    >>> optimizer.step()
    >>> x.data
    array([1.25, 0.  ])
    """

    slots = ("sum", "square")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: LearningRate = 1e-1,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        beta: float = 1.0,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, maximize)
        for name, number in (("l1", l1), ("l2", l2), ("beta", beta)):
            self._require(name, number, number >= 0, "at least 0")
        self.l1, self.l2, self.beta = l1, l2, beta

    def change(self, value, grad, lr, count, sum, square):
        """Apply the formula above."""
        self._require("lr", lr, lr > 0, "positive")
        before = np.sqrt(square)
        square += grad * grad
        root = np.sqrt(square)
        sum += grad - (root - before) * value / lr
        beyond = np.sign(sum) * np.maximum(np.abs(sum) - self.l1, 0)
        return value + beyond / ((self.beta + root) / lr + self.l2)
