"""Every exception that wengert raises of its own accord.

::

    WengertError
    ├── ArgumentError        ValueError           an argument has a value that makes no sense here
    ├── ShapeError           ValueError           shapes do not fit together
    ├── DTypeError           TypeError            a dtype that cannot carry what is asked of it
    ├── MissingRuleError     NotImplementedError  a function without a derivative rule
    ├── RuleError            TypeError            a rule is declared wrongly, or returns what it must not
    ├── BatchError           TypeError            a batched value where only one of its values could be used
    ├── CompileError         RuntimeError         compiled code does something else than its function
    └── GradientError        RuntimeError         the tape cannot do what was asked
        ├── NotRecordedError                      backward from a value that nothing recorded
        ├── FreedGraphError                       backward over a part of the tape that is gone
        ├── LeafWriteError                        an in-place write into a leaf that requires grad
        ├── LostGradientError                     a step that would drop a gradient in silence
        ├── LevelError                            a value of an inner transformation in one outside it
        ├── AnomalyError                          NaN or an infinity, where these are looked for
        └── RecordedCopyError                     pickle or deepcopy of a tensor with a history

Messages say: ``[operation] what was required; what was received, with shape and dtype; what to do
instead.`` Errors of NumPy's own (shapes that do not broadcast, an index out of bounds) pass through as
NumPy raises them: the program would have failed in the same way without wengert.
"""

__all__ = [
    "AnomalyError",
    "ArgumentError",
    "BatchError",
    "BatchWarning",
    "CompileError",
    "CompileWarning",
    "DTypeError",
    "FreedGraphError",
    "GradientError",
    "LeafWriteError",
    "LevelError",
    "LostGradientError",
    "LostGradientWarning",
    "MissingRuleError",
    "NotRecordedError",
    "RecordedCopyError",
    "RuleError",
    "ShapeError",
    "WengertError",
]


class WengertError(Exception):
    """Base class of all of wengert's exceptions."""


class ArgumentError(WengertError, ValueError):
    """An argument has a value that makes no sense here."""


class StaticArgumentError(WengertError, TypeError):
    """A static argument has no hash, so that its program could not be found again."""


class ShapeError(WengertError, ValueError):
    """Shapes do not fit together."""


class DTypeError(WengertError, TypeError):
    """A dtype that cannot carry what is asked of it (an integer that should require grad)."""


class MissingRuleError(WengertError, NotImplementedError):
    """A function was called on a recorded value and has no derivative rule."""


class RuleError(WengertError, TypeError):
    """A derivative rule is declared wrongly, or returns what it must not."""


class BatchError(WengertError, TypeError):
    """A batched value where a program needs one number, truth value, index or shape."""


class GradientError(WengertError, RuntimeError):
    """The tape cannot do what was asked."""


class NotRecordedError(GradientError):
    """Backward was asked from a value that nothing recorded."""


class FreedGraphError(GradientError):
    """Backward met a part of the tape that an earlier backward has freed."""


class LeafWriteError(GradientError):
    """A recorded in-place write into a leaf that requires grad."""


class LostGradientError(GradientError):
    """A step would have dropped a gradient in silence."""

    made = 0
    """How many there have been, with those that somebody has caught."""

    def __init__(self, *args: object):
        super().__init__(*args)
        LostGradientError.made += 1


def is_lost(error: BaseException) -> bool:
    """Whether an exception is about a gradient that would have been lost, or hides one that is."""
    return isinstance(error, LostGradientError) or isinstance(error.__cause__, LostGradientError)


class LevelError(GradientError):
    """A value of an inner transformation was to be stored in one that is outside it."""


class AnomalyError(GradientError):
    """NaN or an infinity was met while `detect_anomaly` looks for them."""

    operation = ""
    """The operation that gave it, or whose backward step did."""
    made_at = ""
    """The line of the program where the operation was called."""
    met_at = ""
    """The line of the program where the backward pass was started, if it was one."""


class RecordedCopyError(GradientError):
    """A tensor with a history was pickled or deep-copied."""


class CompileError(WengertError, RuntimeError):
    """A compiled function gave something else than the function itself (found by ``check=True``)."""


class LostGradientWarning(UserWarning):
    """A recorded value was read as a plain number by code that wengert cannot see."""


class BatchWarning(UserWarning):
    """A function without a batching rule runs once for each element of a batch."""


class CompileWarning(UserWarning):
    """Something about the arguments of a compiled function keeps changing, so that it is recorded anew."""
