"""``mxnet.gluon.utils``: splitting batches, and limiting gradients."""

import hashlib
import math
import warnings
from collections.abc import Sequence
from typing import Any

from wengert import tape
from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.ndarray.creation import array as nd_array
from wengert.dialects.mxnet.numpy.array import array as np_array
from wengert.dialects.mxnet.util import is_np_array
from wengert.optim.clipping import joint_norm

__all__ = ["check_sha1", "clip_global_norm", "split_and_load", "split_data"]


def split_data(data: Any, num_slice: int, batch_axis: int = 0, even_split: bool = True) -> list:
    """Cut an array into `num_slice` parts along the batch; the last is longer where it does not divide evenly."""
    size = data.shape[batch_axis]
    if size < num_slice or (even_split and size % num_slice):
        raise ValueError(
            f"[split_data] a batch that {num_slice} divides was required; data with shape {data.shape} cannot be "
            f"evenly split into {num_slice} slices along axis {batch_axis}; use even_split=False, or another batch size"
        )
    step = size // num_slice
    ends = [*range(step, step * num_slice, step), size]
    cuts = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    return [data[(slice(None),) * batch_axis + (cut,)] for cut in cuts]


def split_and_load(data: Any, ctx_list: Sequence, batch_axis: int = 0, even_split: bool = True) -> list:
    """Cut an array into a part for each device."""
    if not isinstance(data, Array):
        data = np_array(data) if is_np_array() else nd_array(data)
    if len(ctx_list) == 1:
        return [data.as_in_context(ctx_list[0])]
    parts = split_data(data, len(ctx_list), batch_axis, even_split)
    return [part.as_in_context(ctx) for part, ctx in zip(parts, ctx_list, strict=True)]


def clip_global_norm(arrays: list, max_norm: float, check_isfinite: bool = True) -> Any:
    """Scale arrays in place by one factor, so that their common norm is at most `max_norm`; returns what it was."""
    assert arrays, "[clip_global_norm] at least one array was required; received none"
    norm = joint_norm(arrays)
    if check_isfinite and not norm < math.inf:
        warnings.warn("nan or inf is detected. Clipping results will be undefined.", stacklevel=2)
    scale = max_norm / (norm + 1e-8)
    if scale < 1:
        with tape.no_grad():
            for a in arrays:
                a *= scale
    return norm


def check_sha1(filename: str, sha1_hash: str) -> bool:
    """Whether a file has this hash."""
    with open(filename, "rb") as stream:
        return hashlib.file_digest(stream, "sha1").hexdigest() == sha1_hash
