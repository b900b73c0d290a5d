"""Numbers that remember where they come from: leaves, nodes, and the operators between them.

Every operation on a `Var` makes a `Node`. It holds its value, the operands that it was computed from, and beside each
operand the *local derivative*: how fast the node's value grows with that operand alone, all others held fixed. ::

    a, b = Var(4), Var(3)
    c = a + b             # c.value == 7,  c.grad == [(a, 1), (b, 1)]
    d = a * c             # d.value == 28, d.grad == [(a, 7), (c, 4)]

Local derivatives are computed together with the value and kept, so a leaf may be assigned later without changing the
derivatives of what was computed before.

All of them are of one class, leaves included, and what was computed is its `operation`: the passes over the graph read
attributes of thousands of nodes, and that is twice as fast where all of them have the same class.
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
    """A number in the graph, with the operators."""

    __slots__ = ("_value", "adjoint", "dleft", "dright", "left", "name", "operation", "right", "uses")

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
    name: str

    def _assign(self, value: Any) -> None:
        if self.operation is not None:
            raise AssignmentError(
                f"[value] only a leaf's value may be assigned; {self!r} was computed; "
                "assign to the Var that it was computed from and compute it again"
            )
        self._value = value if type(value) is float else number(value)

    value = property(attrgetter("_value"), _assign, doc="The number. That of a leaf may be assigned, for what follows.")

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
        if kind is Node:
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
        if kind is Node:
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
        if kind is Node:
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

    def __rsub__(self, other):
        return binary(Sub, other, self)

    def __truediv__(self, other):
        return binary(Div, self, other)

    def __rtruediv__(self, other):
        return binary(Div, other, self)

    def __pow__(self, other):
        return binary(Pow, self, other)

    def __rpow__(self, other):
        return binary(Pow, other, self)

    def __pos__(self):
        return self

    def __abs__(self):
        return NODES.abs(self)

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
        return f"{self._kind}({self._value!r})" if self.operation is None else f"<{self._kind}: {self._value!r}>"

    @property
    def _kind(self) -> str:
        return type(self).__name__ if self.operation is None else self.operation.name


class Node(Scalar):
    """What the program works with: made by operations, with operands and local derivatives, or by `Var`, without."""

    __slots__ = ()

    @property
    def _kind(self) -> str:
        return "Var" if self.operation is None else self.operation.name

    def __reduce__(self):
        if self.operation is None:
            return Var, (self._value, self.name)
        raise RecordedCopyError(
            f"[copy] a copy of {self!r} would be cut off from its operands; copy the number, Var(x.value), or the Vars"
        )


class Leaf(type):
    """The class of `Var`: calling that makes a node, and ``isinstance(node, Var)`` asks whether one is a leaf."""

    def __call__(cls, *arguments, **keywords):
        """Make a leaf, or an instance of a class derived from `Var`."""
        if cls is not Var:
            return super().__call__(*arguments, **keywords)
        node = Node()
        Var.__init__(node, *arguments, **keywords)
        return node

    def __instancecheck__(cls, x: Any) -> bool:
        return super().__instancecheck__(x) or (cls is Var and type(x) is Node and x.operation is None)


class Var(Scalar, metaclass=Leaf):
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

    __slots__ = ()

    def __init__(self, value: Any, name: str = ""):
        self._value = number(value)
        self.name = name
        self.left = self.right = self.dleft = self.dright = self.operation = None
        self.uses = 0


USUAL = frozenset((Node, float, int))
"""The classes that most operands have; others are looked at more closely."""


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

    def __call__(self, *operands: Any) -> Any:
        """Make the node."""
        if len(operands) != len(self.rules):
            raise DTypeError(f"[{self.name}] takes {len(self.rules)} operand(s); received {len(operands)}")
        if len(operands) == 2 and USUAL.issuperset(map(type, operands)):
            return binary(self, *operands)
        return build(self, *(x if isinstance(x, Scalar) else number(x, self.name) for x in operands))

    def __instancecheck__(self, node: Any) -> bool:
        return isinstance(node, Scalar) and node.operation is self

    def __repr__(self) -> str:
        return self.name


class Function(Operation):
    """An operation of one operand."""

    def __call__(self, x: Any, *others: Any) -> Any:
        """Make the node."""
        if others or type(x) is not Node:
            return super().__call__(x, *others)
        node = Node()
        node.operation = self
        node.left = x
        node.right = node.dright = None
        node.uses = 0
        a = x._value
        try:
            node._value = y = self.compute(a)
            node.dleft = self.rules[0](NUMBERS, a, y)
        except (ArithmeticError, ValueError):
            return build(self, x)
        return node


def binary(operation: Operation, left: Any, right: Any) -> Any:
    """Make the node of an operator between two nodes, or a node and a number."""
    a = left._value if type(left) is Node else left
    b = right._value if type(right) is Node else right
    if not (type(a) is float or type(a) is int) or not (type(b) is float or type(b) is int):
        return unusual(operation, left, right)
    node = Node()
    node.operation = operation
    node.left = left
    node.right = right
    node.uses = 0
    try:
        node._value = y = operation.compute(a, b)
        node.dleft = operation.rules[0](NUMBERS, a, b, y) if a is not left else None
        node.dright = operation.rules[1](NUMBERS, a, b, y) if b is not right else None
    except (ArithmeticError, ValueError):
        return build(operation, left, right)
    return node


def build(operation: Operation, *operands: Any) -> Node:
    """Make any node, step by step: numbers of NumPy and other kinds are converted, errors told."""
    values = [x._value if isinstance(x, Scalar) else x for x in operands]
    node = Node()
    node.operation = operation
    node.uses = 0
    node._value = y = evaluate(operation, values)
    slopes = [slope(operation, i, values, y) if isinstance(x, Scalar) else None for i, x in enumerate(operands)]
    node.left, node.right = (*operands, None)[:2]
    node.dleft, node.dright = (*slopes, None)[:2]
    return node


def unusual(operation: Operation, left: Any, right: Any) -> Any:
    """What an operator gives if an operand is no node and no int or float: such a number is converted.

    An array of NumPy's answers NotImplemented: NumPy then goes through its elements.
    """
    if any(type(x).__module__ == "numpy" and x.shape != () for x in (left, right)):
        return NotImplemented
    return operation(*(x.item() if type(x).__module__ == "numpy" else x for x in (left, right)))


def evaluate(operation: Operation, values: list) -> int | float:
    """The value of an operation, or an error that says where it has one."""
    try:
        return operation.compute(*values)
    except ZeroDivisionError:
        error: type[DomainError] = DivisionError
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


def slope(operation: Operation, side: int, values: list, y: Any) -> int | float:
    """The local derivative with respect to one operand, as a number."""
    try:
        return operation.rules[side](NUMBERS, *values, y)
    except ZeroDivisionError:
        return operation.edge
    except OverflowError:
        return math.inf


def _power(a, b):
    y = a**b
    if type(y) is complex:
        raise ValueError
    return y


def _power_base(m, a, b, y):
    return b * a ** (b - 1) if b != 0 else 0


def _power_exponent(m, a, b, y):
    return y * m.log(a) if a > 0 else 0 if a == 0 else math.nan


Add = Operation("Add", lambda a, b: a + b, lambda m, a, b, y: 1, lambda m, a, b, y: 1)
Sub = Operation("Sub", lambda a, b: a - b, lambda m, a, b, y: 1, lambda m, a, b, y: -1)
Mul = Operation("Mul", lambda a, b: a * b, lambda m, a, b, y: b, lambda m, a, b, y: a)
Div = Operation("Div", lambda a, b: a / b, lambda m, a, b, y: 1 / b, lambda m, a, b, y: -y / b, domain="b != 0")
Neg = Function("Neg", lambda x: -x, lambda m, x, y: -1)
Inv = Function("Inv", lambda x: 1 / x, lambda m, x, y: -(x**-2), domain="x != 0")
Pow = Operation(
    "Pow",
    _power,
    _power_base,
    _power_exponent,
    domain="a > 0, or b whole and not both a == 0 and b < 0",
    edge=math.inf,
)
