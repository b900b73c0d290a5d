"""Utilities of PyTorch programs."""

from wengert.dialects.torch.utils import data

__all__ = ["data"]
