"""Primitives: NumPy functions, each with what the transformations need to know about it.

A primitive is declared once, by what is known of its mathematics::

    elementwise(np.sin, lambda x: np.cos(x))                     # one local partial derivative per operand
    elementwise(np.multiply, lambda b: b, lambda a: a)
    linear(transpose, adjoint=lambda g, axes: ...)               # linear: the tangent rule is the function itself
    bilinear(np.matmul, lambda g, b: ..., lambda g, a: ...)      # linear in each operand
    primitive(prod, lambda g, x, y: ...)                         # anything else: the products g -> g * Jacobian

**The names of a rule's parameters say what it needs**, and only what is named is kept on the tape:

==================  ===========================================================================================
name                meaning
==================  ===========================================================================================
``x`` | ``a, b`` …  the operand of that name in the function's own signature (unary and binary ufuncs: ``x``; ``a, b``)
``y``               the output
``g``               the cotangent of the output (in a tangent rule: the tangent of the operand)
``like``            the `Spec` (shape, dtype) of the operand whose cotangent is computed
a keyword           the value of the function's keyword parameter of that name
``i, likes, xs``    in primitives of any number of operands: the operand's position, all `Spec`s, all operands; a rule
                    that does not name ``i`` gives the cotangents of all operands at once
==================  ===========================================================================================

An elementwise rule that does not name ``g`` is the partial derivative itself; one that names ``g`` is the product with
``g``, written so where that is cheaper or more accurate. Rules are plain transposes, without complex conjugation:
the tape conjugates around them where values are complex.
"""

import inspect
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert.errors import RuleError
from wengert.protocol import Wrapper, highest

Rule = Callable[..., Any] | None
MISSING: Any = object()
"""In the place of a rule: a derivative by this operand exists, but no rule does. Recorded values are refused there."""
REGISTRY: dict[Any, "Primitive | Composite | Plain"] = {}
"""What is known of each NumPy function (or function of our own, or pair of ufunc and method name)."""
UFUNC_METHODS: dict[str, Callable[[np.ufunc], Callable]] = {}
"""What makes a method (``"reduce"`` …) of any ufunc in the registry, where the pair of both is not there itself."""


@dataclass(eq=False, slots=True)
class Primitive:
    """A function with derivative rules."""

    name: str
    call: Callable
    operands: tuple[str, ...]
    params: dict[str, Any]
    rules: tuple[Rule, ...]
    kind: str
    """``"elementwise"``, ``"linear"``, ``"bilinear"`` or ``"general"``."""
    singular: bool = False
    """Partials may be infinite where the cotangent is zero; the zero wins."""
    scatter: Rule = None
    """Instead of the rule: adds the cotangent into a buffer, ``scatter(buffer, g, ...)`` -> buffer."""
    view: bool = False
    """The result may share its operand's memory."""
    moves: bool = False
    """Each element of the result is an element of an operand, or zero (views always move)."""
    variadic: bool = False
    """Any number of operands; the one rule is told which by ``i``."""
    broadcasts: bool = False
    """Operands may be broadcast: their cotangents are summed back to their shapes (elementwise ones always are)."""
    missing: tuple[int, ...] = ()
    """Positions of the operands that must not be recorded (`MISSING`)."""
    casts: bool = False
    """Dtypes follow no rule: that of the result is looked at, and cotangents are brought to that of the operand."""
    holomorphic: bool = True
    """The derivative is complex-linear; otherwise the rules see cotangents unconjugated."""
    operator: str | None = None
    """The Python operator that does the same, which costs less than the call."""
    tangents: tuple[Rule, ...] = ()
    """For each operand the tangent of the result from that of the operand, ``g`` here; `None`, or no entry: by
    transposing the rule. (Of elementwise, linear and bilinear primitives it follows from their declaration.)"""
    batch: Rule | str = None
    """What the primitive is on operands with one axis more in front: ``"leading"`` (itself, as it works on the last
    axes), ``"axis"`` (itself, with its axes counted from one further on), ``"elementwise"`` (itself, operands
    broadcast), ``"rows"`` (once for each example, without a warning), or a function that names what it needs."""
    apply: Callable = field(init=False)
    """The function to call: dispatches on its operands, as a NumPy function does."""

    def __repr__(self) -> str:
        return f"<{self.kind} primitive {self.name}>"


@dataclass(eq=False, slots=True)
class Composite:
    """A NumPy function expressed by others: the replacement runs in its place, on wrappers."""

    name: str
    call: Callable
    direct: Callable | None = None
    """The primitive that a call with up to `positional` arguments, and with `keywords` only, goes to at once."""
    positional: int = 0
    keywords: tuple[str, ...] = ()
    numpys: bool = False
    """Whether NumPy's own function serves where no derivative is wanted."""


@dataclass(eq=False, slots=True)
class Plain:
    """A function whose result carries no gradient (comparisons, argmax, shapes): a plain NumPy value."""

    name: str
    call: Callable
    operator: str | None = None


OPERATORS = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
    np.power: "**",
    np.matmul: "@",
    np.remainder: "%",
    np.floor_divide: "//",
    np.negative: "-",
    operator.getitem: "[]",
    np.less: "<",
    np.less_equal: "<=",
    np.equal: "==",
    np.not_equal: "!=",
    np.greater: ">",
    np.greater_equal: ">=",
}
"""Functions that Python has a syntax for: on scalars an operator costs a fifth of the ufunc's call."""


_TAKEN = re.compile(
    r"[apsxf]\d+|[agintxy]|sy|like|likes|xs|level|parents|operands|values|source|buffer|call|primitive|slow|rule|link"
)
"""Names of the generated functions' own variables (`source`), which a keyword of that name would overwrite."""

# ---------------------------------------------------------------------------------------------------------------
# Declarations
# ---------------------------------------------------------------------------------------------------------------


# Each gives the function to call in the place of the declared one, which dispatches on wrappers.


def elementwise(function: Callable, *rules: Rule, **flags: Any) -> Callable:
    """Declare an elementwise function by its local partial derivatives, one per operand (`None`: no derivative)."""
    return _declare(function, rules, "elementwise", flags)


def linear(function: Callable, adjoint: Rule = None, **flags: Any) -> Callable:
    """Declare a linear function by its adjoint, or by ``scatter=``, which adds the adjoint into a buffer."""
    return _declare(function, (adjoint,), "linear", flags)


def bilinear(function: Callable, adjoint_a: Rule, adjoint_b: Rule, **flags: Any) -> Callable:
    """Declare a function that is linear in each of two operands by the adjoint of each."""
    return _declare(function, (adjoint_a, adjoint_b), "bilinear", flags)


def primitive(function: Callable, *rules: Rule, **flags: Any) -> Callable:
    """Declare any other function by its vector-Jacobian products, one per operand (`None`: no derivative)."""
    return _declare(function, rules, "general", flags)


def composite(
    *functions: Any,
    direct: Callable | None = None,
    positional: int = 1,
    keywords: tuple[str, ...] = (),
    numpys: bool = False,
) -> Callable[[Callable], Callable]:
    """Decorator: the decorated function replaces NumPy's `functions` on wrappers.

    Calls with up to `positional` arguments and no keywords but `keywords` go straight to the primitive `direct`. With
    `numpys` NumPy's own function serves where no derivative is wanted of the first argument, and others are plain.
    """

    def register(call: Callable) -> Callable:
        for function in functions:
            REGISTRY[function] = Composite(name_of(function), call, direct, positional, keywords, numpys)
        return call

    return register


def ufunc_method(name: str) -> Callable[[Callable], Callable]:
    """Decorator: the decorated function makes the composite for a method of any ufunc that has rules."""

    def register(make: Callable) -> Callable:
        UFUNC_METHODS[name] = make
        return make

    return register


def without_gradient(*functions: Callable) -> None:
    """Declare functions whose results carry no gradient: they return plain NumPy values."""
    for function in functions:
        REGISTRY[function] = Plain(name_of(function), function, OPERATORS.get(function))


def name_of(function: Any) -> str:
    """The name of a NumPy function, of a ufunc's method (``(np.add, "reduce")``) or of a primitive."""
    if isinstance(function, tuple):
        return f"{function[0].__name__}.{function[1]}"
    name = getattr(function, "__name__", None) or function.name
    module = getattr(function, "__module__", None) or ""
    return f"{module.removeprefix('numpy.')}.{name}" if module in ("numpy.linalg", "numpy.fft") else name


# ---------------------------------------------------------------------------------------------------------------
# Reading a declaration
# ---------------------------------------------------------------------------------------------------------------


def _declare(function: Callable, rules: tuple[Rule, ...], kind: str, flags: dict[str, Any]) -> Callable:
    operands, params, variadic = signature_of(function)
    name = flags.pop("name", None) or name_of(function).strip("_")
    public = flags.pop("public", function)
    missing = tuple(i for i, rule in enumerate(rules) if rule is MISSING)
    rules = tuple(None if rule is MISSING else rule for rule in rules)
    declared = Primitive(
        name,
        function,
        operands,
        params,
        rules,
        kind,
        missing=missing,
        variadic=variadic,
        operator=OPERATORS.get(public),
        **flags,
    )
    _check(declared)
    declared.apply = function if isinstance(function, np.ufunc) else _dispatching(declared)
    REGISTRY[public] = REGISTRY[declared] = REGISTRY[declared.apply] = declared
    return declared.apply


def _dispatching(p: Primitive) -> Callable:
    """A function that gives wrappers to their table, and calls the declared function on anything else."""
    call, n = p.call, None if p.variadic else len(p.operands)

    def apply_to_one(x, *params, **keywords):
        return x._table[p](x, *params, **keywords) if isinstance(x, Wrapper) else call(x, *params, **keywords)

    def apply(*args, **keywords):
        top = highest(args[:n])
        return call(*args, **keywords) if top is None else top._table[p](*args, **keywords)

    chosen = apply_to_one if n == 1 else apply
    chosen.__name__ = chosen.__qualname__ = p.name
    chosen.__doc__ = call.__doc__
    return chosen


def signature_of(function: Callable) -> tuple[tuple[str, ...], dict[str, Any], bool]:
    """Operands (parameters without a default), keyword parameters, and whether there is any number of operands."""
    if isinstance(function, np.ufunc):
        return ("x",) if function.nin == 1 else tuple("abcd"[: function.nin]), {}, False
    function = getattr(function, "_implementation", function)  # of NumPy's dispatching functions
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    operands = names[: len(names) - len(defaults)]
    params = dict(zip(names[len(operands) :], defaults, strict=True)) | (function.__kwdefaults__ or {})
    return operands, params, bool(code.co_flags & inspect.CO_VARARGS)


def needs(rule: Callable) -> tuple[str, ...]:
    """The names of a rule's parameters: what it asks for."""
    if isinstance(rule, np.ufunc):
        return ("x",)
    code = rule.__code__  # inspect.signature takes 15 µs, too much for 200 rules at import
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _check(p: Primitive) -> None:
    """Refuse a declaration that could not be turned into code."""
    if not p.variadic and p.scatter is None and len(p.rules) != len(p.operands):
        raise RuleError(
            f"[{p.name}] one rule per operand {p.operands} was required; received {len(p.rules)} rules; "
            f"write None for an operand without a derivative"
        )
    taken = [name for name in p.params if _TAKEN.fullmatch(name)]
    if taken:
        raise RuleError(
            f"[{p.name}] keywords with names of their own were required; received {taken}, which the generated code "
            f"uses itself; rename these keywords, for example to '{taken[0]}_'"
        )
    known = {"g", "y", "like", "buffer", *p.operands, *p.params} | ({"i", "likes", "xs"} if p.variadic else set())
    for rule in (*p.rules, *p.tangents, p.scatter):
        unknown = set(needs(rule)) - known if rule is not None else set()
        if unknown:
            raise RuleError(
                f"[{p.name}] a rule may name {sorted(known)}; received {sorted(unknown)}; rename these "
                f"parameters after the operands and keywords of the function"
            )


def is_wrapper(value: Any) -> bool:
    """Whether a value belongs to a transformation (rules that build buffers by hand ask this)."""
    return isinstance(value, Wrapper)
