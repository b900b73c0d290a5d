"""The elementary functions: each with its value and, in one line, its local derivative.

A rule is written once, for numbers and for nodes: ``m.cos(x)`` is `math.cos` of a number when the node is made, and
the operation `Cos` of a node when a derivative is differentiated once more (see `Operation`).
"""

import math

from wengert.dialects.scalar.graph import NODES, Function, Operation, Scalar


def sigmoid(x):
    """``1 / (1 + exp(-x))``, without overflow on either side."""
    e = math.exp(-abs(x))
    return 1 / (1 + e) if x >= 0 else e / (1 + e)


def softplus(x):
    """``log(1 + exp(x))``, without overflow."""
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


def one_if(condition):
    """Give 1 where the condition holds, and 0 elsewhere."""
    return 1 if condition else 0


def share(wins, ties):
    """The derivative of a maximum: all to the larger operand; equal ones have half each."""
    return 0.5 if ties else one_if(wins)


Sin = Function("Sin", math.sin, lambda m, x, y: m.cos(x), domain="x finite")
Cos = Function("Cos", math.cos, lambda m, x, y: -m.sin(x), domain="x finite")
Tan = Function("Tan", math.tan, lambda m, x, y: 1 + y * y, domain="x finite")
Asin = Function("Asin", math.asin, lambda m, x, y: 1 / m.sqrt((1 - x) * (1 + x)), domain="-1 <= x <= 1", edge=math.inf)
Acos = Function(
    "Acos", math.acos, lambda m, x, y: -1 / m.sqrt((1 - x) * (1 + x)), domain="-1 <= x <= 1", edge=-math.inf
)
Atan = Function("Atan", math.atan, lambda m, x, y: 1 / (1 + x * x))

Sinh = Function("Sinh", math.sinh, lambda m, x, y: m.cosh(x))
Cosh = Function("Cosh", math.cosh, lambda m, x, y: m.sinh(x))
Tanh = Function("Tanh", math.tanh, lambda m, x, y: 1 - y * y)
Asinh = Function("Asinh", math.asinh, lambda m, x, y: 1 / m.hypot(x, 1))
Acosh = Function("Acosh", math.acosh, lambda m, x, y: 1 / m.sqrt((x - 1) * (x + 1)), domain="x >= 1", edge=math.inf)
Atanh = Function("Atanh", math.atanh, lambda m, x, y: 1 / ((1 - x) * (1 + x)), domain="-1 < x < 1")

Exp = Function("Exp", math.exp, lambda m, x, y: y)
Expm1 = Function("Expm1", math.expm1, lambda m, x, y: m.exp(x))
Exp2 = Function("Exp2", math.exp2, lambda m, x, y: math.log(2) * y)
Log = Function("Log", math.log, lambda m, x, y: 1 / x, domain="x > 0")
Log1p = Function("Log1p", math.log1p, lambda m, x, y: 1 / (1 + x), domain="x > -1")
Log2 = Function("Log2", math.log2, lambda m, x, y: 1 / (math.log(2) * x), domain="x > 0")
Log10 = Function("Log10", math.log10, lambda m, x, y: 1 / (math.log(10) * x), domain="x > 0")
Sqrt = Function("Sqrt", math.sqrt, lambda m, x, y: 0.5 / y, domain="x >= 0", edge=math.inf)
Cbrt = Function("Cbrt", math.cbrt, lambda m, x, y: 1 / (3 * y * y), edge=math.inf)
Erf = Function("Erf", math.erf, lambda m, x, y: 2 / math.sqrt(math.pi) * m.exp(-x * x))

Abs = Function("Abs", abs, lambda m, x, y: one_if(x > 0) - one_if(x < 0))
Relu = Function("Relu", lambda x: x if not x <= 0 else 0, lambda m, x, y: one_if(x > 0))
Sigmoid = Function("Sigmoid", sigmoid, lambda m, x, y: y * m.sigmoid(-x))
Softplus = Function("Softplus", softplus, lambda m, x, y: m.sigmoid(x))

Degrees = Function("Degrees", math.degrees, lambda m, x, y: 180 / math.pi)
Radians = Function("Radians", math.radians, lambda m, x, y: math.pi / 180)

Max = Operation(
    "Max",
    lambda a, b: a if a > b or a != a else b,
    lambda m, a, b, y: share(a > b, a == b),
    lambda m, a, b, y: share(b > a, a == b),
)
Min = Operation(
    "Min",
    lambda a, b: a if a < b or a != a else b,
    lambda m, a, b, y: share(a < b, a == b),
    lambda m, a, b, y: share(b < a, a == b),
)
Hypot = Operation(
    "Hypot", math.hypot, lambda m, a, b, y: a / y if y != 0 else 0, lambda m, a, b, y: b / y if y != 0 else 0
)
Atan2 = Operation("Atan2", math.atan2, lambda m, a, b, y: b / (a * a + b * b), lambda m, a, b, y: -a / (a * a + b * b))


def method(operation: Operation):
    """The operation as a method of every number in the graph."""

    def call(self, *other):
        return operation(self, *other)

    call.__name__ = operation.name.lower()
    call.__doc__ = operation.__doc__
    return call


# NumPy calls the method of an element where it has no function for objects: np.sin(array) calls x.sin() of each x.
for _name, _operation in vars(NODES).items():
    setattr(Scalar, _name, method(_operation))
for _name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh"):
    setattr(Scalar, f"arc{_name}", getattr(Scalar, f"a{_name}"))
for _name, _other in (("rad2deg", "degrees"), ("deg2rad", "radians"), ("fabs", "abs")):
    setattr(Scalar, _name, getattr(Scalar, _other))
