"""Forward mode: dual numbers, and `jvp`, which pushes a tangent through a function.

A `Dual` is a value and its tangent, of the same shape and dtype. What a primitive does to tangents follows from its
declaration: elementwise ones multiply by their partial derivatives, linear ones are applied to the tangent itself,
bilinear ones to one operand's tangent at a time. The others give a tangent rule of their own, or have it derived from
their vjp: that is a linear function of its cotangent, and pulling the tangent back through *it* pushes the tangent
forward through the primitive. So no function is reverse-only.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import Box, alias, checked_cotangent, plain, unbox
from wengert.cotangents import cast, fit, guard
from wengert.errors import ArgumentError, DTypeError
from wengert.generate import refuse_operand
from wengert.primitive import Plain, Primitive, needs
from wengert.protocol import Spec, Wrapper, highest, new_level, spec_of
from wengert.tensor import Tensor
from wengert.transforms.containers import NAMESPACE, flatten, rebuild
from wengert.transforms.lifted import Lifted, found, fresh, opened, own_memory, store

__all__ = ["Dual", "jvp", "tangent_rule"]


class Dual(Lifted):
    """A value and its tangent."""

    __slots__ = ("_tangent",)
    _tangent: Any
    _word = "value with a tangent"

    @classmethod
    def _of(cls, value: Any, tangent: Any, level: int) -> "Dual":
        t = object.__new__(cls)
        t._value, t._tangent, t._level, t._spec = value, tangent, level, spec_of(value)
        return t

    def _buffer(self, array: Any) -> "Dual":
        return self._of(array, np.zeros_like(array), self._level)

    def _store(self, index: Any, value: Any, add: bool = False) -> None:
        mine = isinstance(value, Dual) and value._level == self._level
        for slot, part in (("_value", value._value if mine else value), ("_tangent", value._tangent if mine else 0)):
            store(self, slot, index, part, add)


# Tangents of primitives ------------------------------------------------------------------------------------------


def _push(p: Primitive) -> Callable:
    """What a primitive does to dual numbers."""
    tangent = tangent_rule(p)

    def push(top: Dual, operands: tuple, params: dict) -> Any:
        level = top._level
        mine = [isinstance(a, Dual) and a._level == level for a in operands]
        if p.view:
            x = operands[0]
            y, t = (fresh(_looked(p, own_memory(x, slot), params)) for slot in ("_value", "_tangent"))
            return Dual._of(y, t, level)
        xs = tuple(unbox(a._value) if ours else a for a, ours in zip(operands, mine, strict=True))
        y = p.apply(*xs, **params)
        spec = spec_of(y)
        if not spec.inexact:
            return y
        ts = [unbox(a._tangent) if ours else None for a, ours in zip(operands, mine, strict=True)]
        return Dual._of(y, _shaped(tangent(ts, xs, y, params), spec), level)

    return push


def _looked(p: Primitive, memory: Any, params: dict) -> Any:
    """The result of a view operation; places that are a batch are for the memory itself to see to."""
    index = params.get("index")
    if index is None or highest(index if index.__class__ is tuple else (index,)) is None:
        return p.apply(memory, **params)
    return memory[index]


def _shaped(t: Any, like: Spec) -> Any:
    """A tangent in the shape and dtype of its value; `None` is zero."""
    if t is None:
        return np.zeros(like.shape, like.dtype)[()]
    if t.shape != like.shape:
        t = np.broadcast_to(t, like.shape)
    return t if t.dtype is like.dtype else cast(t, like.dtype)


def tangent_rule(p: Primitive) -> Callable:
    """``(tangents, operands, value, params)`` -> the tangent of the value, or `None`."""
    if p.kind == "linear":
        return partial(_linear, p)
    if p.kind == "bilinear":
        rules: list[Callable] = [partial(_replaced, p)] * 2
    else:
        rules = [_operand_rule(p, i) for i in range(max(len(p.operands), 1))]
    if len(rules) == 1 and not p.variadic:
        return lambda ts, xs, y, params: rules[0](0, ts[0], xs, y, params)

    def tangent(ts: list, xs: tuple, y: Any, params: dict) -> Any:
        total = None
        for i, t in enumerate(ts):
            part = None if t is None else rules[0 if p.variadic else i](i, t, xs, y, params)
            total = part if total is None else total if part is None else total + part
        return total

    return tangent


def _linear(p: Primitive, ts: list, xs: tuple, y: Any, params: dict) -> Any:
    """A linear function of its operands is applied to the tangents; those of constants are zero."""
    given = (np.zeros_like(x) if t is None else t for t, x in zip(ts, xs, strict=True)) if p.variadic else ts
    return p.apply(*given, **params)


def _replaced(p: Primitive, i: int, t: Any, xs: tuple, y: Any, params: dict) -> Any:
    """A function that is linear in an operand, with the tangent in its place."""
    return p.apply(*xs[:i], t, *xs[i + 1 :], **params)


def _operand_rule(p: Primitive, i: int) -> Callable:
    """How the tangent of operand `i` passes through an elementwise or general primitive."""
    if i < len(p.tangents) and p.tangents[i] is not None:
        return _called(p, p.tangents[i])
    rule = p.rules[0] if p.variadic else p.rules[i]
    if rule is None:
        return partial(_refused, p, i) if i in p.missing else lambda *_: None
    if p.kind != "elementwise":
        return partial(_transposed, p, _called(p, rule), "i" not in needs(rule))
    return _elementwise_rule(p, rule)


def _called(p: Primitive, rule: Any) -> Callable:
    """The rule as a function of ``(operand's number, g, operands, value, params)``, from which it takes what it names.

    Written out once, so that nothing is looked up when it is called.
    """
    places = {"g": "g", "y": "y", "i": "i", "xs": "list(xs)", "like": "spec_of(xs[i])", "likes": "[*map(spec_of, xs)]"}
    if not p.variadic:
        places |= {name: f"xs[{k}]" for k, name in enumerate(p.operands)}
    arguments = ", ".join(places.get(name) or f"params[{name!r}]" for name in needs(rule))
    product = p.kind == "elementwise" and rule in p.rules and "g" not in needs(rule)
    text = f"lambda i, g, xs, y, params: {'g * ' if product else ''}rule({arguments})"
    return eval(compile(text, f"<wengert rule of {p.name}>", "eval"), {"rule": rule, "spec_of": spec_of})


def _elementwise_rule(p: Primitive, rule: Callable) -> Callable:
    """The partial derivative times the tangent; of functions that are not holomorphic the transposed rule."""
    called = _called(p, rule)
    whole = partial(_transposed, p, called, False)

    def push(i: int, t: Any, xs: tuple, y: Any, params: dict) -> Any:
        if not p.holomorphic and spec_of(xs[i]).is_complex:
            return whole(i, t, xs, y, params)
        part = called(i, t, xs, y, params)
        return guard(part, t) if p.singular else part

    return called if p.holomorphic and not p.singular else push


def _refused(p: Primitive, k: int, *_: Any) -> None:
    refuse_operand(p, k)


def _transposed(
    p: Primitive, rule: Callable, all_at_once: bool, i: int, t: Any, xs: tuple, y: Any, params: dict
) -> Any:
    """The tangent by pulling it back through the vjp, which is linear in its cotangent."""
    like, spec = spec_of(xs[i]), spec_of(y)
    conjugate = p.holomorphic and spec.is_complex
    with new_level() as level, tape.recording_from(level):
        leaf = tape.new_leaf(spec)
        one = np.ones(spec.shape, spec.dtype)
        g = Tensor._box(one if spec.ndim else one[()], level, leaf)
        c = rule(i, np.conj(g) if conjugate else g, xs, y, params)
        c = c[i] if p.variadic and all_at_once else c
        if not isinstance(c, Tensor) or c._level != level or c._node is None:
            return None
        c = fit(np.conj(c) if conjugate else c, like)
        return tape.backpropagate([(c._node, t)]).get(leaf)


def _read(known: Plain) -> Callable:
    """A function without a derivative sees the values."""

    def read(*args: Any, **kwargs: Any) -> Any:
        return known.call(*map(_primal, args), **{k: _primal(v) for k, v in kwargs.items()})

    return read


def _primal(value: Any) -> Any:
    if type(value) in (list, tuple):
        return type(value)(map(_primal, value))
    while isinstance(value, Dual):
        value = unbox(value._value)
    return unbox(value) if isinstance(value, Box) else value


found(Dual, _push, _read)


# The transformation ----------------------------------------------------------------------------------------------


def jvp(f: Callable, primals: tuple, tangents: tuple, has_aux: bool = False) -> tuple:
    """The value of `f` at `primals`, and its derivative in the direction `tangents`, in one forward run.

    Parameters
    ----------
    f : callable
        A function of arrays, scalars or nested containers of them, with such a value.
    primals : tuple
        Its arguments.
    tangents : tuple
        For each argument its tangent, with its containers and shapes; `None` for an argument (or a part of one) that
        is held constant.
    has_aux : bool
        ``f`` returns ``(value, aux)``.

    Returns
    -------
    value, tangent
        Both with the containers, shapes and dtypes of the value of ``f``.
    aux : only with `has_aux`

    Raises
    ------
    ArgumentError
        If tangents and primals have not the same containers.
    DTypeError, ShapeError
        If a tangent has not the shape and kind of its primal.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> value, tangent = wg.jvp(np.sin, (0.0,), (2.0,))
    >>> float(value), float(tangent)
    (0.0, 2.0)
    """
    check_tuples("jvp", primals, tangents)
    with new_level() as level:
        leaves, structure = flatten(tuple(primals))
        duals = [_open(x, t, level) for x, t in zip(leaves, _tangents_of(tangents, primals), strict=True)]
        result = f(*rebuild(structure, duals))
        y, aux = _with_aux("jvp", result) if has_aux else (result, None)
        outputs, structure = flatten(y)
        value = rebuild(structure, [_part(z, level, "_value") for z in outputs])
        tangent = rebuild(structure, [_part(z, level, "_tangent") for z in outputs])
        if not has_aux:
            return value, tangent
        leaves, structure = flatten(aux)
        return value, tangent, rebuild(structure, [_part(z, level, "_value") for z in leaves])


def check_tuples(operation: str, primals: Any, directions: Any) -> None:
    """Arguments and their directions come in tuples, so that an array is never taken for several arguments."""
    if not isinstance(primals, (tuple, list)) or not isinstance(directions, (tuple, list)):
        raise ArgumentError(
            f"[{operation}] a tuple of arguments and a tuple with a direction for each were required; received "
            f"{type(primals).__name__} and {type(directions).__name__}; write wg.{operation}(f, (x,), (v,))"
        )


def _with_aux(operation: str, result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(
            f"[{operation}] with has_aux=True a function that returns (value, aux) was required; it returned "
            f"{type(result).__name__}"
        )
    return result


def _tangents_of(tangents: tuple, primals: tuple) -> list:
    """A tangent, or `None`, for each leaf of the arguments."""
    import optree

    given: Any = tuple(tangents)
    whole: Any = tuple(primals)
    try:
        return optree.broadcast_prefix(given, whole, none_is_leaf=True, namespace=NAMESPACE)
    except ValueError as error:
        raise ArgumentError(
            f"[jvp] tangents in the containers of the primals, or None, were required; received "
            f"{type(tangents).__name__}: {error}"
        ) from None


def _open(x: Any, t: Any, level: int) -> Any:
    """An argument as a dual number of the level, or as it is if it is held constant."""
    if t is None:
        return x
    x = alias(unbox(x))
    if isinstance(x, Wrapper):
        x = x._as_numpys()
    else:
        x = plain(x)
        x = x if x.ndim else x[()]
    spec = spec_of(x)
    if not spec.inexact:
        raise DTypeError(
            f"[jvp] float or complex primals were required; received {spec!r}; pass x.astype(float), or None as the "
            f"tangent of what is held constant"
        )
    return Dual._of(x, alias(checked_cotangent("jvp", t, spec)), level)


def _part(z: Any, level: int, slot: str) -> Any:
    """The value or the tangent of a result, as seen from outside the level."""
    z = opened(z)
    if isinstance(z, Dual) and z._level == level:
        return unbox(getattr(z, slot))
    if slot == "_value" or z is None:
        return z
    spec = spec_of(z)
    return np.zeros(spec.shape, spec.dtype if spec.inexact else float)[()]
