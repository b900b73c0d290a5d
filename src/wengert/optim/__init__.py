"""Optimisers: update formulas, learning-rate schedules, limits on gradients.

::

    optimizer   Optimizer: what all have in common
    methods     SGD, Adam, AdamW, RMSProp, Adagrad
    adaptive    Adadelta, Adamax, NAdam, Ftrl
    lbfgs       minimize_lbfgs, on a function of one vector
    schedules   constant, step, exponential, cosine, warmup, piecewise
    clipping    clip_grad_norm, clip_grad_value

>>> import numpy as np
>>> import wengert as wg
>>> from wengert import optim
>>> x = wg.tensor([3.0, -2.0], requires_grad=True)
>>> optimizer = optim.SGD([x], lr=optim.schedules.cosine(0.4, steps=50), momentum=0.5)
>>> for _ in range(50):
...     optimizer.zero_grad()
...     np.sum(x * x).backward()
...     optimizer.step()
>>> bool(np.all(np.abs(x.data) < 1e-6))
True
"""

from wengert.optim import schedules
from wengert.optim.adaptive import Adadelta, Adamax, Ftrl, NAdam
from wengert.optim.clipping import clip_grad_norm, clip_grad_value
from wengert.optim.lbfgs import LBFGSMemory, minimize_lbfgs
from wengert.optim.methods import SGD, Adagrad, Adam, AdamW, RMSProp
from wengert.optim.optimizer import Optimizer

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "LBFGSMemory",
    "NAdam",
    "Optimizer",
    "RMSProp",
    "clip_grad_norm",
    "clip_grad_value",
    "minimize_lbfgs",
    "schedules",
]
