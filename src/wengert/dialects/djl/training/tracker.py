"""Values that change from update to update, such as the learning rate."""

from collections.abc import Callable

__all__ = ["Tracker"]


class Tracker:
    """A value that depends on the number of the update. One of your own has ``getNewValue(numUpdate)``."""

    def __init__(self, function: Callable[[int], float] | None = None) -> None:
        self._function = function

    @staticmethod
    def fixed(value: float) -> "Tracker":
        """The same value always."""
        return Tracker(lambda update: value)

    def getNewValue(self, *numUpdate: int) -> float:
        """The value for an update; a parameter's name may come first."""
        if self._function is None:
            raise NotImplementedError(f"[{type(self).__name__}] a Tracker needs a method getNewValue; define one")
        return self._function(numUpdate[-1])


def as_tracker(value: object) -> Tracker:
    """A tracker from one, from a function of the number of the update, or from a number."""
    if hasattr(value, "getNewValue"):
        return value
    return Tracker(value if callable(value) else lambda update: float(value))
