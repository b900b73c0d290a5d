"""Numbers that remember where they come from: leaves, nodes, and the operators between them.

Every operation on a `Var` makes a `Node`. It holds its value, the operands that it was computed from, and beside each
operand the *local derivative*: how fast the node's value grows with that operand alone, all others held fixed. ::

    a, b = Var(4), Var(3)
    c = a + b             # c.value == 7,  c.grad == [(a, 1), (b, 1)]
    d = a * c             # d.value == 28, d.grad == [(a, 7), (c, 4)]

Local derivatives are computed together with the value and kept, so a leaf may be assigned later without changing the
derivatives of what was computed before.

All nodes are of one class, and what was computed is its `operation`: the passes over the graph read attributes of
thousands of nodes, and that is twice as fast where all of them have the same class.
"""

import math
import numbers
from collections.abc import Callable
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from wengert.dialects.scalar.errors import AssignmentError, DivisionError, DomainError, FloatError, RangeError
from wengert.errors import DTypeError, RecordedCopyError

NUMBERS = SimpleNamespace()
"""What a rule calls on plain numbers: ``NUMBERS.cos`` is `math.cos`."""
NODES = SimpleNamespace()
"""What a rule calls on nodes, to differentiate once more: ``NODES.cos`` is the operation `Cos`."""


def number(x: Any, operation: str = "Var") -> int | float:
    """`x` as a plain Python number."""
    if type(x) is float or type(x) is int:
        return x
    if isinstance(x, numbers.Integral):
        return int(x)
    if isinstance(x, numbers.Real):
        return float(x)
    if isinstance(x, Scalar):
        raise DTypeError(f"[{operation}] needs a plain number; received {x!r}; read its number with .value")
    if type(x).__module__ == "numpy" and getattr(x, "shape", None) == ():
        return number(x.item(), operation)
    what = f"an array of shape {x.shape}" if hasattr(x, "shape") else f"{x!r:.40} ({type(x).__name__})"
    instead = "make a Var of each element, np.vectorize(Var)(array)" if hasattr(x, "shape") else "pass an int or float"
    raise DTypeError(f"[{operation}] needs a real number or a Var; received {what}; {instead}")


class Scalar:
    """A number in the graph. `Var` and `Node` are the two kinds; the operators below are common to both."""

    __slots__ = ("_value", "adjoint", "dleft", "dright", "left", "operation", "right", "uses")

    # What follows is read and assigned directly wherever speed counts. A local derivative of None says that there is
    # no edge on that side: the operand is a plain number, or there is none. `adjoint` and `uses` are scratch space of
    # the pass that is under way (see gradients.py); between passes `uses` is 0.
    _value: int | float
    left: Any
    right: Any
    dleft: int | float | None
    dright: int | float | None
    operation: "Operation | None"
    adjoint: Any
    uses: int

    def _assign(self, value: Any) -> None:
        raise AssignmentError(
            f"[value] only a leaf's value may be assigned; {self!r} was computed; "
            "assign to the Var that it was computed from and compute it again"
        )

    value = property(attrgetter("_value"), _assign, doc="The number; that of a leaf may be assigned.")

    @property
    def grad(self) -> list[tuple[Any, Any]]:
        """The operands, each with the local derivative: ``[(child, derivative), ...]``."""
        edges = ((self.left, self.dleft), (self.right, self.dright))
        return [(child, slope) for child, slope in edges if slope is not None]

    # Arithmetic. Every program lives in these, so the nodes are built right here, without a further call.

    def __add__(self, other):
        node = Node()
        node.operation = Add
        node.left = self
        node.right = other
        node.uses = 0
        kind = type(other)
        if kind is Node or kind is Var:
            node._value = self._value + other._value
            node.dleft = node.dright = 1
        elif kind is float or kind is int:
            node._value = self._value + other
            node.dleft = 1
            node.dright = None
        else:
            return unusual(Add, self, other)
        return node

    __radd__ = __add__

    def __sub__(self, other):
        node = Node()
        node.operation = Sub
        node.left = self
        node.dleft = 1
        node.right = other
        node.uses = 0
        kind = type(other)
        if kind is Node or kind is Var:
            node._value = self._value - other._value
            node.dright = -1
        elif kind is float or kind is int:
            node._value = self._value - other
            node.dright = None
        else:
            return unusual(Sub, self, other)
        return node

    def __mul__(self, other):
        node = Node()
        node.operation = Mul
        node.left = self
        node.right = other
        node.uses = 0
        kind = type(other)
        if kind is Node or kind is Var:
            node.dright = a = self._value
            node.dleft = b = other._value
            node._value = a * b
        elif kind is float or kind is int:
            node._value = self._value * other
            node.dleft = other
            node.dright = None
        else:
            return unusual(Mul, self, other)
        return node

    __rmul__ = __mul__

    def __neg__(self):
        node = Node()
        node.operation = Neg
        node._value = -self._value
        node.left = self
        node.dleft = -1
        node.right = node.dright = None
        node.uses = 0
        return node

    def __truediv__(self, other):
        return build(Div, self, other)

    def __pow__(self, other):
        return build(Pow, self, other)

    def __rsub__(self, other):
        return build(Sub, other, self)

    def __rtruediv__(self, other):
        return build(Div, other, self)

    def __rpow__(self, other):
        return build(Pow, other, self)

    def __pos__(self):
        return self

    def __abs__(self):
        return build(NODES.abs, self)

    def conjugate(self) -> "Scalar":
        """Itself: all numbers here are real."""
        return self

    # Steps are constant between their jumps: their derivative is 0, and they give plain numbers.

    def __round__(self, digits=None):
        return round(self._value, digits)

    def __floor__(self):
        return math.floor(self._value)

    def __ceil__(self):
        return math.ceil(self._value)

    def __trunc__(self):
        return math.trunc(self._value)

    __int__ = __trunc__

    rint = __round__

    def __floordiv__(self, other):
        return self._value // plain(other)

    def __rfloordiv__(self, other):
        return other // self._value

    def __mod__(self, other):
        return self - other * (self // other)

    def __rmod__(self, other):
        return other - self * (other // self)

    def __divmod__(self, other):
        return self // other, self % other

    # Comparison is by value, so that a program may branch on it; as a key in a dictionary a node is itself.

    def __lt__(self, other):
        return self._value < (other if type(other) is float else plain(other))

    def __le__(self, other):
        return self._value <= (other if type(other) is float else plain(other))

    def __gt__(self, other):
        return self._value > (other if type(other) is float else plain(other))

    def __ge__(self, other):
        return self._value >= (other if type(other) is float else plain(other))

    def __eq__(self, other):
        return self._value == (other._value if isinstance(other, Scalar) else other)

    def __ne__(self, other):
        return self._value != (other._value if isinstance(other, Scalar) else other)

    __hash__ = object.__hash__

    def __bool__(self):
        return self._value != 0

    def __float__(self):
        raise FloatError(
            f"[float] would lose the derivatives of {self!r}, as math.sin(x) would, too; "
            "write x.value for the number, and Sin(x) or x.sin() for the function"
        )

    def __format__(self, spec):
        return format(self._value, spec) if spec else repr(self)

    def __repr__(self):
        return f"{self._kind}({self._value!r})"

    @property
    def _kind(self) -> str:
        return type(self).__name__


class Var(Scalar):
    """A leaf: a number that the program starts from.

    Parameters
    ----------
    value : int or float
        May be assigned later. What was computed before keeps its value and its derivatives.
    name : str, optional
        How `tree`, `to_dot` and `routes` call it.

    Examples
    --------
    >>> from wengert.dialects.scalar import Var, get_gradients
    >>> a, b = Var(4), Var(3)
    >>> gradients = get_gradients(a * (a + b))
    >>> gradients[a], gradients[b]
    (11, 4)
    """

    __slots__ = ("name",)

    def __init__(self, value: Any, name: str = ""):
        self._value = number(value)
        self.name = name
        self.left = self.right = self.dleft = self.dright = self.operation = None
        self.uses = 0

    @Scalar.value.setter
    def value(self, value: Any) -> None:
        """Give the leaf another value, for what is computed from now on."""
        self._value = value if type(value) is float else number(value)

    def __reduce__(self):
        return Var, (self._value, self.name)


class Node(Scalar):
    """What an operation gave: its value, its operands and the local derivatives; made by operations alone."""

    __slots__ = ()

    def __repr__(self):
        return f"<{self._kind}: {self._value!r}>"

    @property
    def _kind(self) -> str:
        return self.operation.name  # type: ignore[union-attr]

    def __reduce__(self):
        raise RecordedCopyError(
            f"[copy] a copy of {self!r} would be cut off from its operands; copy the number, Var(x.value), or the Vars"
        )


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


def plain(x: Any) -> Any:
    """The number of a node; anything else as it is."""
    return x._value if isinstance(x, Scalar) else x


class Operation:
    """What a node can be the result of: how the value and the local derivatives follow from the operands.

    Parameters
    ----------
    name : str
        ``"Sin"``. In lower case it is the name of a method, ``x.sin()``, which NumPy calls for ``np.sin(x)``.
    compute : callable
        The value: plain numbers in, a plain number out.
    *rules : callable
        One for each operand: the local derivative, ``rule(m, x, y)`` or ``rule(m, a, b, y)``, with ``y`` the value.
        A rule is given numbers, and ``m`` to call functions with is `NUMBERS`; or nodes, and ``m`` is `NODES`.
    domain : str
        Where the function is defined, for the message where it is not.
    edge : float
        The local derivative where the rule divides by zero: infinite at the end of the domain of a root.
    """

    def __init__(self, name: str, compute: Callable, *rules: Callable, domain: str = "", edge: float = math.nan):
        self.name, self.compute, self.rules, self.domain, self.edge = name, compute, rules, domain, edge
        self.__doc__ = f"`{name}` of {'one operand' if len(rules) == 1 else 'two operands'}, as a node of the graph."
        setattr(NUMBERS, name.lower(), compute)
        setattr(NODES, name.lower(), self)

    def __call__(self, x: Any, *others: Any) -> Any:
        """Make the node."""
        if not others and isinstance(x, Scalar) and len(self.rules) == 1:
            return apply(self, x)
        operands = (x, *others)
        if len(operands) != len(self.rules):
            raise DTypeError(f"[{self.name}] takes {len(self.rules)} operand(s); received {len(operands)}")
        return build(self, *(x if isinstance(x, Scalar) else number(x, self.name) for x in operands))

    def __instancecheck__(self, node: Any) -> bool:
        return isinstance(node, Scalar) and node.operation is self

    def __repr__(self) -> str:
        return self.name


def build(operation: Operation, left: Any, right: Any = None) -> Any:
    """Make the node of an operation; NotImplemented if an operand is not a number, but may know what to do itself."""
    unary = len(operation.rules) == 1
    a, b = plain(left), plain(right)
    if not (type(a) is float or type(a) is int) or not (unary or type(b) is float or type(b) is int):
        return unusual(operation, left, right)
    values = (a,) if unary else (a, b)
    node = Node()
    node.operation = operation
    node.left = left
    node.right = right
    node.uses = 0
    node._value = y = evaluate(operation, values)
    node.dleft = slope(operation, 0, values, y) if isinstance(left, Scalar) else None
    node.dright = slope(operation, 1, values, y) if isinstance(right, Scalar) else None
    return node


def apply(operation: Operation, x: Scalar) -> Node:
    """Make the node of a function: `build`, shortened for the most frequent case."""
    node = Node()
    node.operation = operation
    node.left = x
    node.right = node.dright = None
    node.uses = 0
    a = x._value
    try:
        node._value = y = operation.compute(a)
        node.dleft = operation.rules[0](NUMBERS, a, y)
    except (ArithmeticError, ValueError):
        return build(operation, x)
    return node


def unusual(operation: Operation, left: Any, right: Any) -> Any:
    """As `build`, with an operand that is neither a Var nor exactly an int or float: converted, left alone or refused.

    An array of NumPy's answers NotImplemented: NumPy then goes through its elements.
    """
    if any(type(x).__module__ == "numpy" and x.shape != () for x in (left, right)):
        return NotImplemented
    operands = (left,) if len(operation.rules) == 1 else (left, right)
    return operation(*(x.item() if type(x).__module__ == "numpy" else x for x in operands))


def evaluate(operation: Operation, values: tuple) -> int | float:
    """The value of an operation, or an error that says where it has one."""
    try:
        y = operation.compute(*values)
        if type(y) is not complex:
            return y
        error: type[DomainError] = DomainError
    except ZeroDivisionError:
        error = DivisionError
    except OverflowError:
        error = RangeError
    except ValueError:
        error = DomainError
    what = ", ".join(map(repr, values))
    if error is RangeError:
        raise error(f"[{operation.name}] the value must fit into a float; received {what}; scale the operand down")
    domain = f" ({operation.domain})" if operation.domain else ""
    raise error(
        f"[{operation.name}] is not defined everywhere{domain}; received {what}; "
        "keep the operand inside (Max and Min can), or branch on its value"
    )


def slope(operation: Operation, side: int, values: tuple, y: Any) -> int | float:
    """The local derivative with respect to one operand, as a number."""
    try:
        return operation.rules[side](NUMBERS, *values, y)
    except ZeroDivisionError:
        return operation.edge
    except OverflowError:
        return math.inf


def _power_base(m, a, b, y):
    return b * a ** (b - 1) if b != 0 else 0


def _power_exponent(m, a, b, y):
    return y * m.log(a) if a > 0 else 0 if a == 0 else math.nan


Add = Operation("Add", lambda a, b: a + b, lambda m, a, b, y: 1, lambda m, a, b, y: 1)
Sub = Operation("Sub", lambda a, b: a - b, lambda m, a, b, y: 1, lambda m, a, b, y: -1)
Mul = Operation("Mul", lambda a, b: a * b, lambda m, a, b, y: b, lambda m, a, b, y: a)
Div = Operation("Div", lambda a, b: a / b, lambda m, a, b, y: 1 / b, lambda m, a, b, y: -y / b, domain="b != 0")
Neg = Operation("Neg", lambda x: -x, lambda m, x, y: -1)
Inv = Operation("Inv", lambda x: 1 / x, lambda m, x, y: -(x**-2), domain="x != 0")
Pow = Operation(
    "Pow",
    lambda a, b: a**b,
    _power_base,
    _power_exponent,
    domain="a > 0, or b whole and not both a == 0 and b < 0",
    edge=math.inf,
)
