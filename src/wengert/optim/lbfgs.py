"""Limited-memory BFGS: steps along a direction that past gradients have bent towards the minimum."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["LBFGSMemory", "minimize_lbfgs"]

CURVATURE = 1e-10
"""Pairs of less curvature than this say nothing about the function."""


class LBFGSMemory:
    """The last steps and the changes of the gradient along them (Nocedal 1980).

    Examples
    --------
    >>> memory = LBFGSMemory(5)
    >>> memory.add(np.array([1.0, 0.0]), np.array([4.0, 0.0]))  # the second derivative is 4 there
    >>> memory.direction(np.array([8.0, 0.0]))
    array([-2.,  0.])
    """

    def __init__(self, size: int):
        self.size = size
        self.pairs: list[tuple[np.ndarray, np.ndarray]] = []
        self.step: np.ndarray | None = None
        self.grad: np.ndarray | None = None

    def add(self, step: np.ndarray, change: np.ndarray) -> None:
        """Keep a step and the gradient's change along it, if it has curvature; forget the oldest."""
        if change @ step > CURVATURE:
            self.pairs = [*self.pairs, (step, change)][-self.size :]

    def direction(self, grad: np.ndarray) -> np.ndarray:
        """Minus the inverse Hessian, as far as the pairs tell it, times the gradient: the two-loop recursion."""
        q, shares = -grad, []
        for step, change in reversed(self.pairs):
            shares.append((step @ q) / (change @ step))
            q = q - shares[-1] * change
        if self.pairs:
            step, change = self.pairs[-1]
            q = q * ((change @ step) / (change @ change))
        for (step, change), share in zip(self.pairs, reversed(shares), strict=True):
            q = q + step * (share - (change @ q) / (change @ step))
        return q


def minimize_lbfgs(
    evaluate: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x: np.ndarray,
    memory: LBFGSMemory,
    *,
    lr: float = 1.0,
    max_iter: int = 20,
    max_eval: int = 25,
    tolerance_grad: float = 1e-7,
    tolerance_change: float = 1e-9,
    wolfe: bool = False,
) -> tuple[np.ndarray, float]:
    """Take up to `max_iter` steps from `x`.

    Parameters
    ----------
    evaluate : function of a vector, that gives value and gradient there
    x : vector
    memory : LBFGSMemory
        What earlier calls have learnt; this call adds to it.
    lr : float
        Length of a step as a multiple of the direction.
    max_iter, max_eval : int
        Limits on the steps, and on the calls of `evaluate`.
    tolerance_grad, tolerance_change : float
        Stop at gradients, or at changes of `x` or of the value, that are not larger.
    wolfe : bool
        Search along each direction for a step with the strong Wolfe conditions (`scipy.optimize.line_search`).

    Returns
    -------
    x, the value at the start

    Examples
    --------
    >>> bowl = lambda x: (float(x @ x), 2 * x)
    >>> x, first = minimize_lbfgs(bowl, np.array([3.0, 4.0]), LBFGSMemory(10), lr=0.5)
    >>> bool(np.abs(x).max() < 0.1), first
    (True, 25.0)
    """
    seen: list = []

    def at(point: np.ndarray) -> tuple[float, np.ndarray]:
        if not seen or not np.array_equal(seen[-1][0], point):
            seen.append((point.copy(), *evaluate(point)))
        return seen[-1][1:]

    value, grad = first, _ = at(x)
    for i in range(max_iter):
        if np.abs(grad).max(initial=0) <= tolerance_grad or len(seen) >= max_eval:
            break
        if memory.step is not None:
            memory.add(memory.step, grad - memory.grad)
        d = memory.direction(grad)
        slope = grad @ d
        if slope > -tolerance_change:
            break
        t = lr if memory.step is not None else lr * min(1.0, 1 / np.abs(grad).sum())
        t = _searched(at, x, d, grad, value, t) if wolfe else t
        memory.step, memory.grad = t * d, grad
        x = x + memory.step
        if not wolfe and i == max_iter - 1:
            break
        before = value
        value, grad = at(x)
        if np.abs(memory.step).max() <= tolerance_change or abs(value - before) < tolerance_change:
            break
    return x, first


def _searched(at: Callable, x: np.ndarray, d: np.ndarray, grad: np.ndarray, value: float, t: float) -> Any:
    """A step with the strong Wolfe conditions, or the one that was to be tried first."""
    from scipy.optimize import line_search

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing was found is seen from the result
        found = line_search(lambda p: at(p)[0], lambda p: at(p)[1], x, d * t, grad, value)[0]
    return t if found is None else t * found
