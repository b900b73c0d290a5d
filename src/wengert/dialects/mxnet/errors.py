"""The exceptions of the MXNet dialect."""

from wengert.errors import WengertError

__all__ = ["MXNetError", "NotSupportedForSparseNDArray"]


class MXNetError(WengertError, RuntimeError):
    """What MXNet raises: a graph that is not there, a device that is not there, arguments that do not fit."""


class NotSupportedForSparseNDArray(MXNetError):
    """Storage other than dense was asked for."""
