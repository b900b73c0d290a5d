"""Optimisers with PyTorch's names and conventions, on the formulas of `wengert.optim`."""

from wengert.dialects.torch.optim import lr_scheduler
from wengert.dialects.torch.optim.lbfgs import LBFGS
from wengert.dialects.torch.optim.methods import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RMSprop
from wengert.dialects.torch.optim.optimizer import Optimizer

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RMSprop",
    "lr_scheduler",
]
