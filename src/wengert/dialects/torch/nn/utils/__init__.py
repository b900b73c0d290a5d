"""`torch.nn.utils`: limits on gradients, parameters as one vector, sequences of different lengths."""

from wengert.dialects.torch.nn.utils import rnn
from wengert.dialects.torch.nn.utils.gradients import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    get_total_norm,
    parameters_to_vector,
    vector_to_parameters,
)

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "parameters_to_vector",
    "rnn",
    "vector_to_parameters",
]
