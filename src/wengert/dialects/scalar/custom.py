"""Operations of your own: a class whose instances are nodes."""

from typing import Any

from wengert.dialects.scalar.graph import Scalar, number, plain


class Ops(Scalar):
    """Base for an operation of your own: a class whose `__init__` sets `value` and `grad`.

    The local derivatives may be numbers, or expressions of the operands: these can be differentiated once more.

    Examples
    --------
    >>> from wengert.dialects.scalar import Ops, Var, get_gradients
    >>> class Cube(Ops):
    ...     def __init__(self, x):
    ...         self.value = x.value**3
    ...         self.grad = [(x, 3 * x * x)]
    >>> x = Var(2)
    >>> get_gradients(Cube(x))[x]
    12
    """

    _pairs: list[tuple[Any, Any]]

    def __new__(cls, *_args, **_keywords):  # noqa: D102
        self = super().__new__(cls)
        self.left = self.right = self.dleft = self.dright = self.operation = None
        self.uses = 0
        self._pairs = []
        return self

    value = Scalar.value.setter(lambda self, value: setattr(self, "_value", number(value, type(self).__name__)))

    @property
    def grad(self) -> list[tuple[Any, Any]]:
        """The operands, each with the local derivative: ``[(child, derivative), ...]``."""
        return [(child, plain(slope)) for child, slope in self._pairs]

    @grad.setter
    def grad(self, pairs: Any) -> None:
        self._pairs = [(child, slope) for child, slope in pairs if isinstance(child, Scalar)]
        link(self, self._pairs)


def link(node: Scalar, pairs: list[tuple[Any, Any]]) -> None:
    """Give a node its edges. It has room for two; behind the second there may be a node that holds the rest."""
    node.left = node.right = node.dleft = node.dright = None
    if pairs:
        node.left, node.dleft = pairs[0][0], number(plain(pairs[0][1]), "grad")
    if len(pairs) == 2:
        node.right, node.dright = pairs[1][0], number(plain(pairs[1][1]), "grad")
    elif len(pairs) > 2:
        node.right, node.dright = Ops(), 1
        node.right.value = 0
        node.right.grad = pairs[1:]
