"""Java's exceptions, as Python exceptions that are also the built-in ones nearest in meaning."""

from wengert.errors import WengertError

__all__ = [
    "EngineException",
    "IllegalArgumentException",
    "IllegalStateException",
    "IndexOutOfBoundsException",
    "UnsupportedOperationException",
]


class IllegalStateException(WengertError, RuntimeError):
    """What was asked is not possible now: something is closed, or open already, or missing."""


class IllegalArgumentException(WengertError, ValueError):
    """An argument has a value that makes no sense here."""


class UnsupportedOperationException(WengertError, NotImplementedError):
    """Something that this dialect does not do."""


class IndexOutOfBoundsException(WengertError, IndexError):
    """A position beyond the end."""


class EngineException(WengertError, RuntimeError):
    """The engine could not do what was asked."""
