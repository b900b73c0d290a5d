"""Reverse mode from scratch, on plain Python numbers: a small system to read as a lesson.

Read the files in this order:

    graph.py      numbers that remember their operands and local derivatives; operators
    functions.py  the elementary functions, a line each
    custom.py     operations of your own
    gradients.py  the pass from the result down to the leaves; derivatives of any order; a numerical check
    routes.py     every route of the chain rule, trees and drawings

::

    a, b = Var(4), Var(3)
    d = a * (a + b)
    gradients = get_gradients(d)
    gradients[a], gradients[b]      # 11, 4

Values are Python's own: whole numbers stay whole, ``+ - *`` of floats overflow to infinity, and where Python has an
error (division by zero, a logarithm of 0) there is a `DomainError` that is Python's error, too. At the end of the
domain of a root the derivative is infinite. Leaves may stand in NumPy's object arrays: ``np.vectorize(Var)(array)``.
"""

from wengert.dialects.scalar.custom import Ops
from wengert.dialects.scalar.errors import AssignmentError, DivisionError, DomainError, FloatError, RangeError
from wengert.dialects.scalar.functions import (
    Abs,
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atan2,
    Atanh,
    Cbrt,
    Cos,
    Cosh,
    Degrees,
    Erf,
    Exp,
    Exp2,
    Expm1,
    Hypot,
    Log,
    Log1p,
    Log2,
    Log10,
    Max,
    Min,
    Radians,
    Relu,
    Sigmoid,
    Sin,
    Sinh,
    Softplus,
    Sqrt,
    Tan,
    Tanh,
)
from wengert.dialects.scalar.gradients import CheckError, Gradients, check, derivative, get_gradients
from wengert.dialects.scalar.graph import Add, Div, Function, Inv, Mul, Neg, Node, Operation, Pow, Scalar, Sub, Var
from wengert.dialects.scalar.routes import Route, Routes, routes, to_dot, tree

__all__ = [
    "Abs",
    "Acos",
    "Acosh",
    "Add",
    "Asin",
    "Asinh",
    "AssignmentError",
    "Atan",
    "Atan2",
    "Atanh",
    "Cbrt",
    "CheckError",
    "Cos",
    "Cosh",
    "Degrees",
    "Div",
    "DivisionError",
    "DomainError",
    "Erf",
    "Exp",
    "Exp2",
    "Expm1",
    "FloatError",
    "Function",
    "Gradients",
    "Hypot",
    "Inv",
    "Log",
    "Log1p",
    "Log2",
    "Log10",
    "Max",
    "Min",
    "Mul",
    "Neg",
    "Node",
    "Operation",
    "Ops",
    "Pow",
    "Radians",
    "RangeError",
    "Relu",
    "Route",
    "Routes",
    "Scalar",
    "Sigmoid",
    "Sin",
    "Sinh",
    "Softplus",
    "Sqrt",
    "Sub",
    "Tan",
    "Tanh",
    "Var",
    "check",
    "derivative",
    "get_gradients",
    "routes",
    "to_dot",
    "tree",
]
