"""What the PyTorch dialect raises: wengert's errors, which are also what PyTorch raises in these places."""

from wengert.errors import FreedGraphError, GradientError, LeafWriteError, LostGradientError, RecordedCopyError
from wengert.errors import WengertError as WengertError

__all__ = [
    "AxisError",
    "CopyError",
    "DataError",
    "FreedError",
    "LeafError",
    "LostError",
    "MissingError",
    "OperandError",
    "OptionError",
    "TorchError",
    "TypeMismatchError",
    "ZeroDivisorError",
]


class TorchError(GradientError):
    """What PyTorch refuses with a plain RuntimeError."""


class OperandError(TorchError):
    """Operands whose shapes or dtypes do not fit together."""


class ZeroDivisorError(TorchError, ZeroDivisionError):
    """A whole number divided by zero."""


class FreedError(FreedGraphError):
    """Backward over a part of the graph that is gone."""


class LeafError(LeafWriteError):
    """An in-place write into a leaf that requires grad, or into a view of one."""


class LostError(LostGradientError):
    """A step that would drop a gradient in silence."""


class CopyError(RecordedCopyError):
    """Deepcopy or pickle of a tensor with a history."""


class AxisError(WengertError, IndexError):
    """A dimension that the tensor does not have, or an index out of its range."""


class OptionError(WengertError, ValueError):
    """An argument with a value that makes no sense here."""


class TypeMismatchError(WengertError, TypeError):
    """An argument of a type that makes no sense here."""


class DataError(WengertError, ValueError):
    """Data that no tensor can be made of."""


class MissingError(WengertError, NotImplementedError):
    """Something that PyTorch has and this dialect has not."""
