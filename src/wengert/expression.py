"""Formulas as text: ``sin(x)*exp(-y)`` becomes NumPy calls, and nothing else.

Python's parser turns the text into a syntax tree, and `Expression` turns the tree into nested functions, one per node.
What stands in the tables below exists; whatever else Python could say is refused, so no text can run code of its own.
"""

import ast
import difflib
import keyword
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wengert.errors import ArgumentError

__all__ = ["CONSTANTS", "FUNCTIONS", "Expression", "read_values"]

Values = dict[str, Any]
Evaluate = Callable[[Values], Any]

MAX_DEPTH = 200
"""Deepest nesting: two Python frames per level stay far from the interpreter's own limit."""

CONSTANTS = {"pi": np.float64(np.pi), "e": np.float64(np.e)}

FUNCTIONS: dict[str, tuple[Callable, int]] = {
    name: (getattr(np, name), arguments)
    for arguments, names in {
        1: """
           abs sign square sqrt cbrt reciprocal exp expm1 exp2 log log1p log2 log10 floor ceil
           sin cos tan arcsin arccos arctan asin acos atan deg2rad rad2deg
           sinh cosh tanh arcsinh arccosh arctanh asinh acosh atanh
           sum prod mean min max var std
           """,
        2: "maximum minimum power arctan2 atan2 hypot logaddexp dot inner matmul",
        3: "where clip",
    }.items()
    for name in names.split()
}
"""Name: the NumPy function and how many arguments it takes."""

UNARY = {ast.UAdd: np.positive, ast.USub: np.negative}

BINARY = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.remainder,
    ast.Pow: np.power,
    ast.MatMult: np.matmul,
}

COMPARISONS = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}

INSTEAD = {
    ast.IfExp: "write where(condition, a, b)",
    ast.BoolOp: "multiply the conditions, as in (0 < x)*(x < 1)",
    ast.Compare: "write one comparison at a time, as in (0 < x)*(x < 1)",
    ast.BitXor: "a power is written x**2",
    ast.List: "a list holds at least one number",
}
"""What to write in place of some things that a formula cannot have."""


class Expression:
    """A formula, checked when it is read and evaluated with NumPy when it is called.

    All numbers are floats, so ``9**9**9`` is infinite rather than 400 million digits long. Comparisons give 1.0 and
    0.0. NumPy's spelling of names works too: ``np.sin(x)``, ``np.pi``.

    Parameters
    ----------
    text : str
        Numbers, variables, lists, ``+ - * / // % ** @``, comparisons, indices such as ``x[0]`` and ``x[1:]``, and
        the functions and constants of `FUNCTIONS` and `CONSTANTS`.

    Attributes
    ----------
    text : str
    variables : tuple of str
        In the order in which they first occur.

    Raises
    ------
    ArgumentError
        The text is no such formula.

    Examples
    --------
    >>> area = Expression("pi * r**2")
    >>> area.variables
    ('r',)
    >>> print(area(2.0))
    12.566370614359172
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._names: dict[str, None] = {}
        self._evaluate = self._read(_parse(self.text), 0)
        self.variables = tuple(self._names)

    def __call__(self, *values: Any) -> Any:
        """Evaluate with one value per variable, in the order of `variables`."""
        return self._evaluate(dict(zip(self.variables, values, strict=True)))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def _read(self, node: ast.expr, depth: int) -> Evaluate:
        """Turn a node of the syntax tree into a function of the variables' values."""
        if depth > MAX_DEPTH:
            raise ArgumentError(
                f"[formula] at most {MAX_DEPTH} levels of nesting are read; received more; "
                f"split the formula, or add up lists with sum([...])"
            )

        def read(part: ast.expr) -> Evaluate:
            return self._read(part, depth + 1)

        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return _constant(self._number(node, number))
            case ast.Name() | ast.Attribute():
                return self._name(node)
            case ast.UnaryOp(op, a) if type(op) in UNARY:
                return _apply(UNARY[type(op)], [read(a)])
            case ast.BinOp(a, op, b) if type(op) in BINARY:
                return _apply(BINARY[type(op)], [read(a), read(b)])
            case ast.Compare(a, [op], [b]) if type(op) in COMPARISONS:
                return _apply(np.multiply, [_apply(COMPARISONS[type(op)], [read(a), read(b)]), _constant(1.0)])
            case ast.Call(function, arguments, []):
                return _apply(self._function(function, len(arguments)), [read(a) for a in arguments])
            case ast.List(items) | ast.Tuple(items) if items:
                return _stack([read(item) for item in items])
            case ast.Subscript(array, index):
                return _item(read(array), self._index(index))
        raise self._refused(node)

    def _number(self, node: ast.expr, number: float) -> np.float64:
        try:
            value = np.float64(number)
        except OverflowError:
            value = np.float64(np.inf)
        if np.isfinite(value):
            return value
        raise ArgumentError(f"[formula] numbers up to 1.8e308 were required; received {self._source(node)}")

    def _name(self, node: ast.expr) -> Evaluate:
        name = _dotted(node)
        if name in CONSTANTS:
            return _constant(CONSTANTS[name])
        if name in FUNCTIONS:
            raise ArgumentError(f"[formula] {name} is a function; received it without arguments; write {name}(...)")
        if not isinstance(node, ast.Name):
            raise self._refused(node)
        variable = node.id
        self._names[variable] = None
        return lambda values: values[variable]

    def _function(self, node: ast.expr, received: int) -> Callable:
        name = _dotted(node)
        if name is None:
            raise ArgumentError(f"[formula] {self._source(node)} cannot be called; a product is written a*(b)")
        if name not in FUNCTIONS:
            close = difflib.get_close_matches(name, FUNCTIONS, n=1, cutoff=0.7)
            known = f"a product is written {_short(name)}*(...), and known functions are {' '.join(sorted(FUNCTIONS))}"
            advice = f"did you mean {close[0]}?" if close else known
            raise ArgumentError(f"[formula] a known function was required; received {_short(name)}(...); {advice}")
        function, required = FUNCTIONS[name]
        if received != required:
            plural = "argument" if required == 1 else "arguments"
            raise ArgumentError(f"[formula] {name} takes {required} {plural}; received {received}")
        return function

    def _index(self, node: ast.expr) -> Any:
        """Read a constant index: whole numbers, slices, and tuples of them."""
        match node:
            case ast.Tuple(items):
                return tuple(self._index(item) for item in items)
            case ast.Slice(start, stop, step):
                return slice(*(None if part is None else self._index(part) for part in (start, stop, step)))
            case ast.UnaryOp(ast.USub(), ast.Constant() as part):
                return -self._index(part)
            case ast.Constant(value=number) if type(number) is int:
                return number
        raise ArgumentError(
            f"[formula] whole numbers and slices were required between brackets; received {self._source(node)}"
        )

    def _refused(self, node: ast.expr) -> ArgumentError:
        kind: type[ast.AST] = type(node.op) if isinstance(node, ast.BinOp) else type(node)
        advice = INSTEAD.get(kind, "only numbers, variables, lists, operators and NumPy functions can be used")
        return ArgumentError(f"[formula] {self._source(node)} is not part of a formula; {advice}")

    def _source(self, node: ast.expr) -> str:
        return f'"{_short(ast.get_source_segment(self.text, node) or self.text)}"'


def read_values(assignments: Iterable[str]) -> Values:
    """Read the values of variables, each written ``name=value``.

    A value is a number or a list of numbers, and may be a formula without variables: ``x=pi/2``.

    Raises
    ------
    ArgumentError
        An assignment is not written so, names a variable twice or under a taken name, or is not finite.

    Examples
    --------
    >>> read_values(["x=1", "w=[1, 2, 3]"])
    {'x': np.float64(1.0), 'w': array([1., 2., 3.])}
    """
    values: Values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        # As Python's parser does, so that both spellings of μ are one variable.
        name = unicodedata.normalize("NFKC", name.strip())
        if not equals or not name.isidentifier() or keyword.iskeyword(name):
            raise ArgumentError(f'[values] name=value was required, as in x=1.5; received "{_short(assignment)}"')
        if name in CONSTANTS or name in FUNCTIONS:
            raise ArgumentError(f"[values] {name} already has a meaning; choose another name for the variable")
        if name in values:
            raise ArgumentError(f"[values] one value per variable was required; received two for {name}")
        values[name] = _value(name, text.strip())
    return values


def _value(name: str, text: str) -> Any:
    required = f"[values] {name} must be a finite number or a list of them, as in {name}=1.5 or {name}=[1, 2, 3]"
    if not text:
        raise ArgumentError(f'{required}; received nothing after "="')
    try:
        expression = Expression(text)
        if expression.variables:
            raise ArgumentError(f"{expression.variables[0]} is not a number")
        with np.errstate(all="ignore"):
            value = expression()
    except (ValueError, TypeError, IndexError) as error:
        reason = str(error).removeprefix("[formula] ")
        raise ArgumentError(f'{required}; received "{_short(text)}": {reason}') from None
    if not np.all(np.isfinite(value)):
        raise ArgumentError(f'{required}; received "{_short(text)}", which is {_short(str(value))}')
    return value


def _parse(text: str) -> ast.expr:
    if not text:
        raise ArgumentError('[formula] a formula was required, as in "sin(x)*exp(-y)"; received an empty text')
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        where = f" at column {error.offset}" if error.offset else ""
        raise ArgumentError(f'[formula] "{_short(text)}" cannot be read{where}: {error.msg}') from None
    except (ValueError, MemoryError, RecursionError):
        raise ArgumentError(
            f'[formula] "{_short(text)}" is nested too deeply or holds characters that cannot be read'
        ) from None


def _dotted(node: ast.expr) -> str | None:
    """``sin`` of ``sin``, ``np.sin`` and ``numpy.sin``."""
    match node:
        case ast.Name(name) | ast.Attribute(ast.Name("np" | "numpy"), name):
            return name
    return None


def _constant(value: Any) -> Evaluate:
    return lambda values: value


def _apply(function: Callable, arguments: list[Evaluate]) -> Evaluate:
    return lambda values: function(*[argument(values) for argument in arguments])


def _stack(items: list[Evaluate]) -> Evaluate:
    return lambda values: np.stack([item(values) for item in items])


def _item(array: Evaluate, index: Any) -> Evaluate:
    return lambda values: array(values)[index]


def _short(text: str, length: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 3] + "..."
