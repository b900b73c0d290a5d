"""Automatic differentiation as `torch.autograd` has it."""

from wengert.dialects.torch.anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from wengert.dialects.torch.autograd import function as function
from wengert.dialects.torch.autograd import functional as functional
from wengert.dialects.torch.autograd import graph as graph
from wengert.dialects.torch.autograd.function import Function
from wengert.dialects.torch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from wengert.dialects.torch.autograd.modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from wengert.dialects.torch.autograd.variable import Variable
from wengert.dialects.torch.backward import backward, grad

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
