"""Own primitives: `elementwise` and `primitive` for users, whose rules are checked whenever they are used.

They declare a function as the library's own rules do (`wengert.primitive`), with a check around each rule: what it
gives must have its operand's shape. So nothing is summed in silence, and the error names the function and operand.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box, unbox
from wengert.cotangents import cast, guard
from wengert.errors import DTypeError, LostGradientError, RuleError, ShapeError
from wengert.primitive import REGISTRY, Rule, name_of, needs, signature_of
from wengert.primitive import elementwise as declare_elementwise
from wengert.primitive import primitive as declare_primitive
from wengert.protocol import Wrapper, highest, new_level, spec_of
from wengert.tensor import Tensor
from wengert.transforms.containers import flatten
from wengert.transforms.forward import Dual
from wengert.transforms.lifted import opened

__all__ = ["elementwise", "primitive"]

Rules = Rule | Sequence[Rule]


def elementwise(
    function: Callable | None = None,
    *rules: Rule,
    partials: Rules = None,
    singular: bool = False,
    name: str | None = None,
) -> Any:
    """Make an elementwise function differentiable by its partial derivatives.

    Parameters
    ----------
    function : callable
        Of arrays (parameters without a default) and of options (parameters with one). Its result has the operands'
        broadcast shape.
    *rules : callable or None
        For each operand the partial derivative by it; `None` where there is none. The names of its parameters say
        what it needs: operands and options by their own names, ``y`` the result. A rule that names ``g`` gives the
        product with the cotangent (or tangent) ``g``.
    partials : rule or sequence of rules
        The same in the use as a decorator: ``@wg.elementwise(partials=...)``.
    singular : bool
        The partial derivatives may be infinite: where the cotangent is zero, zero wins.
    name : str, optional
        For messages and ``grad_fn``; by default the function's.

    Returns
    -------
    callable
        Works like a NumPy function in every transformation, `vmap` included.

    Raises
    ------
    RuleError
        If the number of rules is not that of the operands, or a rule names what there is not.
    ShapeError
        When a rule gives what has not the shape of the result.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> smooth_abs = wg.elementwise(lambda x: np.sqrt(x * x + 1e-3), lambda x, y: x / y, name="smooth_abs")
    >>> print(round(wg.grad(smooth_abs)(2.0), 3))
    1.0
    >>> @wg.elementwise(partials=[lambda a, b: 2 * a * b, lambda a: a**2])
    ... def weighted(a, b):
    ...     return a**2 * b
    >>> print(wg.grad(weighted, argnums=1)(3.0, 1.0))
    9.0
    """
    if function is None:
        return lambda f: elementwise(f, *_several(partials), singular=singular, name=name)
    _check_function("elementwise", function)
    label = name or name_of(function)
    rules = _given("elementwise", label, rules, partials)
    renamed, names = _renamed("elementwise", label, function)
    pulls = [_checked_partial(label, i, rule, names) for i, rule in enumerate(rules)]
    pushes = tuple(_checked_slope(label, i, rule, names, singular) for i, rule in enumerate(rules))
    return _guarded(declare_elementwise(renamed, *pulls, tangents=pushes, singular=singular, name=label))


def primitive(
    function: Callable | None = None,
    *,
    vjp: Rules = None,
    jvp: Rules = None,
    batch: Any = None,
    name: str | None = None,
) -> Any:
    """Make a function of arrays one operation, with derivative rules of your own.

    The function may do whatever it likes: it sees plain arrays (outside of other transformations), whose derivatives
    are the rules' business. One kind of rules is enough for both modes.

    Parameters
    ----------
    function : callable
        Of arrays (parameters without a default) and of options (parameters with one); its result is one array.
    vjp : rule or sequence of rules
        For each operand the vector-Jacobian product, the plain transpose without complex conjugation. The names of a
        rule's parameters say what it needs: ``g`` the cotangent, ``y`` the result, operands and options by their own
        names, ``like`` the operand's shape and dtype (``like.shape``, ``like.dtype``). `None`: no derivative.
    jvp : rule or sequence of rules
        For each operand the tangent of the result, from the operand's tangent ``g``; else as `vjp`.
    batch : "leading", "axis" or callable, optional
        What the function is on operands with one axis more in front: itself as it works on the last axes, itself with
        its parameter ``axis`` moved, or another function. Without it `vmap` runs the function for each example.
    name : str, optional
        For messages and ``grad_fn``; by default the function's.

    Returns
    -------
    callable

    Raises
    ------
    RuleError
        If there are no rules, or not as many as operands.
    ShapeError
        When a rule gives what has not the shape of its operand (of `jvp`, of the result).

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.primitive(vjp=lambda g, x: g * np.ones_like(x))
    ... def total(x):
    ...     return np.asarray(x).sum()
    >>> print(wg.grad(total)(np.array([1.0, 2.0])))
    [1. 1.]
    """
    if function is None:
        return lambda f: primitive(f, vjp=vjp, jvp=jvp, batch=batch, name=name)
    _check_function("primitive", function)
    label = name or name_of(function)
    pulls, pushes = _several(vjp), _several(jvp)
    if not pulls and not pushes:
        raise RuleError(
            f"[primitive] vjp= or jvp= rules were required for {label}; received none; write wg.stop_gradient of the "
            f"function's result if there is no derivative"
        )
    renamed, names = _renamed("primitive", label, function)
    operands, _, _ = signature_of(function)
    pulls, pushes = (_counted(label, operands, rules) if rules else () for rules in (pulls, pushes))
    if pulls:
        products = [_checked_product(label, i, rule, names) for i, rule in enumerate(pulls)]
    else:
        products = [_transposed(label, i, rule, names) for i, rule in enumerate(pushes)]
    tangents = tuple(_checked_tangent(label, i, rule, names) for i, rule in enumerate(pushes))
    return _guarded(declare_primitive(renamed, *products, tangents=tangents, batch=batch, name=label))


# Reading what is given -------------------------------------------------------------------------------------------


def _several(rules: Any) -> tuple:
    if rules is None:
        return ()
    return tuple(rules) if isinstance(rules, (tuple, list)) else (rules,)


def _given(operation: str, label: str, rules: tuple, partials: Any) -> tuple:
    if rules and partials is not None:
        raise RuleError(f"[{operation}] the rules of {label} were required once; received them both ways")
    rules = rules or _several(partials)
    for rule in rules:
        if rule is not None and not callable(rule):
            raise RuleError(
                f"[{operation}] functions were required as rules of {label}; received {type(rule).__name__} {rule!r}; "
                f"write lambda: {rule!r} for a constant"
            )
    return rules


def _counted(label: str, operands: tuple, rules: tuple) -> tuple:
    rules = _given("primitive", label, rules, None)
    if len(rules) != len(operands):
        raise RuleError(
            f"[primitive] one rule per operand {operands} was required of {label}; received {len(rules)} rules; "
            f"write None for an operand without a derivative"
        )
    return rules


def _check_function(operation: str, function: Any) -> None:
    if not callable(function) or not hasattr(getattr(function, "_implementation", function), "__code__"):
        raise RuleError(
            f"[{operation}] a function written in Python was required; received {type(function).__name__} "
            f"{function!r}; wrap it: lambda x: f(x), with the rules after it"
        )


_RESERVED = {"y", "like", "likes", "buffer", "i", "xs"}
"""What the library's rules call other things than operands. An operand of such a name has another one inside."""


def _renamed(operation: str, label: str, function: Callable) -> tuple[Callable, dict[str, str]]:
    """The function with operands whose names mean nothing else in rules, and their new names."""
    operands, params, variadic = signature_of(function)
    if variadic:
        raise RuleError(
            f"[{operation}] a fixed number of operands was required; {label} takes any number (*args); use "
            f"wg.custom_vjp, whose arguments may be lists"
        )
    if "g" in (*operands, *params):
        raise RuleError(
            f"[{operation}] a parameter 'g' of {label} would be the cotangent's name in its rules; rename it"
        )
    names = {name: f"{name}_" for name in (*operands, *params) if name in _RESERVED}
    if not names:
        return function, names
    inside = [names.get(name, name) for name in operands]
    options = [f"{name}=params[{name!r}]" for name in params]
    arguments = [*inside, *(f"{name}={name}" for name in params)]
    scope: dict[str, Any] = {"function": function, "params": params}
    exec(f"def renamed({', '.join([*inside, *options])}):\n    return function({', '.join(arguments)})", scope)
    return scope["renamed"], names


# Checks around calls ---------------------------------------------------------------------------------------------


def _guarded(declared: Callable) -> Callable:
    """The function, refusing recorded values that its rules would know nothing of."""
    p: Any = REGISTRY[declared]

    def apply(*args: Any, **keywords: Any) -> Any:
        if keywords:
            args += tuple(keywords.pop(name) for name in p.operands[len(args) :] if name in keywords)
        if any(isinstance(x, (list, tuple)) for x in args):
            _refuse_lists(p.name, args)
        y = declared(*args, **keywords)
        if isinstance(y, Wrapper) and highest(args) is not None:
            _refuse_closures(p.name, y)
        return y

    apply.__name__, apply.__qualname__, apply.__doc__ = p.name, p.name, declared.__doc__
    p.apply = apply
    REGISTRY[apply] = p
    return apply


def _refuse_lists(label: str, args: tuple) -> None:
    for x in args:
        if isinstance(x, (list, tuple)) and any(
            isinstance(v, Wrapper) and v._carries_gradient() for v in flatten(x)[0]
        ):
            raise LostGradientError(
                f"[{label}] arrays as operands were required; received a {type(x).__name__} of recorded values; join "
                f"them by wg.asarray or np.stack, or use wg.custom_vjp, whose arguments may be lists"
            )


def _refuse_closures(label: str, y: Any) -> None:
    """Refuse a result that depends on its own transformation, or on one inside, by more than the operands."""
    if isinstance(y, Dual):
        while isinstance(y._tangent, (Box, Dual)) and y._tangent._level >= y._level:
            y._tangent = unbox(y._tangent._value)  # what a rule has closed over is a constant to the tangent's level
    for inside in (y._value, getattr(y, "_tangent", None)):
        inside = opened(inside) if isinstance(inside, Wrapper) else inside
        if isinstance(inside, Wrapper) and inside._level >= y._level:
            raise LostGradientError(
                f"[{label}] a function and rules that read recorded values from their operands only were required; a "
                f"result, {y._spec!r}, depends on a recorded value from elsewhere; make that an operand, or give "
                f"wg.stop_gradient of it"
            )


# Checks around rules ---------------------------------------------------------------------------------------------


def _with_names(names: Sequence[str], body: Callable) -> Callable:
    """``body(values)`` with the values of parameters of these names, as a function that has them."""
    scope: dict[str, Any] = {"body": body}
    exec(f"def rule({', '.join(names)}):\n    return body(({''.join(f'{n}, ' for n in names)}))", scope)
    return scope["rule"]


def _extended(rule: Callable, renamed: dict[str, str], *more: str) -> tuple[tuple[str, ...], int]:
    """The names that a rule asks for, others that its check needs behind them, and how many are its own."""
    own = tuple(renamed.get(name, name) for name in needs(rule))
    return (*own, *(name for name in more if name not in own)), len(own)


def _checked_partial(label: str, i: int, rule: Rule, renamed: dict[str, str]) -> Rule:
    if rule is None:
        return None
    names, n = _extended(rule, renamed, "g", "like")
    is_product, at, like_at = "g" in names[:n], names.index("g"), names.index("like")

    def product(values: tuple) -> Any:
        g, part = values[at], _partial_or_product(label, i, rule(*values[:n]))
        _refuse_complex(label, f"partial derivative by operand {i}", part, g, values[like_at])
        if not _stretches(part.shape, g.shape) or (is_product and part.shape != g.shape):
            raise _wrong_partial(label, i, is_product, part, g.shape)
        return part if is_product else g * part

    return _with_names(names, product)


def _checked_slope(label: str, i: int, rule: Rule, renamed: dict[str, str], singular: bool) -> Rule:
    """The partial derivative in forward mode, where ``g`` is the operand's tangent, before it is broadcast."""
    if rule is None:
        return None
    names, n = _extended(rule, renamed, "g", "y")
    is_product, g_at, y_at = "g" in names[:n], names.index("g"), names.index("y")

    def product(values: tuple) -> Any:
        g, shape = values[g_at], spec_of(values[y_at]).shape
        part = _partial_or_product(label, i, rule(*values[:n]))
        _refuse_complex(label, f"partial derivative by operand {i}", part, g, values[y_at])
        if not _stretches(part.shape, shape):
            raise _wrong_partial(label, i, is_product, part, shape)
        part = part if is_product else g * part
        return guard(part, g) if singular else part

    return _with_names(names, product)


def _partial_or_product(label: str, i: int, part: Any) -> Any:
    return part if isinstance(part, Wrapper) else _array(label, f"partial derivative by operand {i}", part)


def _wrong_partial(label: str, i: int, is_product: bool, part: Any, shape: tuple) -> ShapeError:
    return ShapeError(
        f"[{label}] a {'product with g' if is_product else 'partial derivative'} by operand {i} of the result's shape "
        f"{shape} was required; the rule gave {spec_of(part)!r}; write it with elementwise functions of the operands"
    )


def _stretches(shape: tuple, target: tuple) -> bool:
    return len(shape) <= len(target) and all(n in (1, m) for n, m in zip(shape[::-1], target[::-1], strict=False))


def _checked_product(label: str, i: int, rule: Rule, renamed: dict[str, str]) -> Rule:
    if rule is None:
        return None
    names, n = _extended(rule, renamed, "g", "like")
    g_at, at = names.index("g"), names.index("like")
    what = f"cotangent of operand {i}"

    def product(values: tuple) -> Any:
        c = rule(*values[:n])
        _refuse_complex(label, what, c, values[g_at], values[at])
        return _of_shape(label, what, c, values[at])

    return _with_names(names, product)


def _checked_tangent(label: str, i: int, rule: Rule, renamed: dict[str, str]) -> Rule:
    if rule is None:
        return None
    names, n = _extended(rule, renamed, "y")
    at = names.index("y")
    what = f"tangent by operand {i}"
    return _with_names(names, lambda values: _of_shape(label, what, rule(*values[:n]), spec_of(values[at])))


def _refuse_complex(label: str, what: str, c: Any, g: Any, like: Any) -> None:
    """Refuse complex numbers where what goes in and what comes out is real, instead of dropping a part of them."""
    given = isinstance(c, complex) or (hasattr(c, "dtype") and c.dtype.kind == "c")
    if given and g.dtype.kind != "c" and like.dtype.kind != "c":
        raise DTypeError(
            f"[{label}] a real {what} was required, as the numbers there are real; the rule gave complex ones; take "
            f"the real part in the rule"
        )


def _of_shape(label: str, what: str, c: Any, like: Any) -> Any:
    """What a rule gave, if it has the shape that it must have."""
    c = c if isinstance(c, Wrapper) else _array(label, what, c)
    if c.shape != like.shape:
        raise ShapeError(
            f"[{label}] a {what} of shape {like.shape} was required; the rule gave {spec_of(c)!r}; sum or broadcast it "
            f"to that shape"
        )
    return c if c.dtype is like.dtype else cast(c, like.dtype)


def _array(label: str, what: str, c: Any) -> Any:
    array = c if isinstance(c, np.ndarray) else np.asarray(c)
    if array.dtype.kind not in "fciub":
        raise DTypeError(f"[{label}] an array of numbers was required as the {what}; the rule gave {type(c).__name__}")
    return array if array.ndim else array[()]


def _transposed(label: str, i: int, rule: Rule, renamed: dict[str, str]) -> Rule:
    """The vector-Jacobian product from the rule for tangents, which is linear in the tangent."""
    if rule is None:
        return None
    own, _ = _extended(rule, renamed)
    names = ("g", "like", *(name for name in own if name not in ("g", "like")))

    def pull(values: tuple) -> Any:
        known = dict(zip(names, values, strict=True))
        g, like = known["g"], known["like"]
        conjugate = spec_of(g).is_complex
        with new_level() as level, tape.recording_from(level):
            start = tape.new_leaf(like)
            known["g"] = Tensor._box(np.ones(like.shape, like.dtype)[()], level, start)
            end = rule(*(known[name] for name in own))
            if not isinstance(end, Tensor) or end._level != level:
                return np.zeros(like.shape, like.dtype)
            end = _of_shape(label, f"tangent by operand {i}", end, spec_of(g))
            c = tape.backpropagate([(end._node, np.conj(g) if conjugate else g)]).get(start)
        c = np.zeros(like.shape, like.dtype) if c is None else c
        return np.conj(c) if conjugate else c

    return _with_names(names, pull)
