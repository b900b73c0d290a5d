"""Whom an array belongs to, in the place where tensors have their level.

Every operation gives its result the level of its operands. So here a level is an object, equal to the engine's number,
that knows a manager: results belong to the manager of their operands at no cost, and to close a manager is to change
the class of its one `Home`, which operations look at.
"""

from collections.abc import Callable
from typing import Any

from wengert.box import Box
from wengert.dialects.djl.errors import IllegalStateException
from wengert.protocol import DORMANT


class Home(int):
    """The level of the arrays of one manager."""

    manager: Any

    def __new__(cls, manager: Any = None) -> "Home":
        """A home that is open."""
        home = super().__new__(cls, DORMANT)
        home.manager = manager
        return home


class ClosedHome(Home):
    """The level of arrays that have been closed, alone or with their manager."""

    @staticmethod
    def refuse() -> None:
        """Say that a closed array was used."""
        raise IllegalStateException(
            "[NDArray] an open array was required; received one that was closed, or whose manager was; attach what "
            "shall live longer to another manager first, array.attach(manager), or copy its numbers"
        )


def owned(slow: Callable) -> Callable:
    """The engine's slow path, where operands of several managers meet: the first operand's keeps the result."""

    def call(operands: tuple, params: tuple) -> Any:
        homes = [a._level for a in operands if isinstance(a, Box) and isinstance(a._level, Home)]
        for home in homes:
            if home.__class__ is ClosedHome:
                ClosedHome.refuse()
        result = slow(operands, params)
        if homes and isinstance(result, Box) and not result._is_view and isinstance(result._level, Home):
            result._level = homes[0]
        return result

    return call


SYSTEM = Home()
"""Of arrays that belong to no manager that can be closed."""
CLOSED = ClosedHome()
"""Of arrays that were closed one by one."""
