"""Optimisers with PyTorch's names and conventions, on the formulas of `wengert.optim`."""

from wengert.dialects.torch.optim import lr_scheduler
from wengert.dialects.torch.optim.methods import SGD, Adagrad, Adam, AdamW, RMSprop
from wengert.dialects.torch.optim.optimizer import Optimizer

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
