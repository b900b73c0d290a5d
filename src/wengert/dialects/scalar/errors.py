"""Errors of the scalar dialect: each is also the error that plain Python numbers would raise."""

from wengert.errors import ArgumentError, GradientError, LostGradientError


class DomainError(ArgumentError):
    """A function has no value at the number that it was given."""


class DivisionError(DomainError, ZeroDivisionError):
    """A division by zero."""


class RangeError(DomainError, OverflowError):
    """A value too large for a float."""


class AssignmentError(GradientError, AttributeError):
    """A computed value was assigned, or a leaf's value changed where the earlier one is needed."""


class FloatError(LostGradientError, TypeError):
    """A value with a history was about to become a plain number, and lose it."""
