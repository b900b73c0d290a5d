"""Where blocks find the arrays of their parameters."""

from typing import Any

__all__ = ["ParameterStore"]


class ParameterStore:
    """Gives blocks the arrays of their parameters: with one device, the parameters' own."""

    def __init__(self, manager: Any = None, copy: bool = False) -> None:
        self._manager = manager

    def getValue(self, parameter: Any, device: Any = None, training: bool = False) -> Any:
        """The array of a parameter; `None` where there is no parameter."""
        return None if parameter is None else parameter.getArray()

    def getManager(self) -> Any:
        """The manager that it was made with."""
        return self._manager
