"""Utilities of PyTorch programs."""

from wengert.dialects.torch.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
