"""Schedules that set the learning rates of an optimiser's groups, one step after another."""

from wengert.dialects.torch.optim.cycles import *  # noqa: F403
from wengert.dialects.torch.optim.schedules import *  # noqa: F403
