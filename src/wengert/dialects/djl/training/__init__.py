"""Gradient collectors and training: the small core of DJL's ``ai.djl.training``."""

from wengert.dialects.djl.training.collector import GradientCollector
from wengert.dialects.djl.training.store import ParameterStore
from wengert.dialects.djl.training.trainer import (
    DefaultTrainingConfig,
    EasyTrain,
    Trainer,
    TrainingConfig,
    TrainingResult,
)

__all__ = [
    "DefaultTrainingConfig",
    "EasyTrain",
    "GradientCollector",
    "ParameterStore",
    "Trainer",
    "TrainingConfig",
    "TrainingResult",
]
