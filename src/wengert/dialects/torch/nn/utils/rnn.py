"""Sequences of different lengths in one tensor."""

from collections.abc import Sequence

from wengert.dialects.torch import functions_joining
from wengert.dialects.torch.errors import OptionError
from wengert.dialects.torch.nn.functional import pad
from wengert.dialects.torch.tensor import Tensor

__all__ = ["pad_sequence", "unpad_sequence"]


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences, along their first dimension, filled up to the length of the longest, and stacked."""
    if padding_side not in ("left", "right"):
        raise OptionError(f"[pad_sequence] padding_side should be either 'right' or 'left', got {padding_side!r}")
    length = max(len(t) for t in sequences)
    filled = []
    for t in sequences:
        missing = (0, length - len(t)) if padding_side == "right" else (length - len(t), 0)
        filled.append(pad(t, (*(0, 0) * (t.ndim - 1), *missing), value=padding_value))
    return functions_joining.stack(filled, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """What `pad_sequence` has put together, without what it has filled in."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(n)] for row, n in zip(rows, lengths, strict=True)]
