"""Declarations turned into code.

For each primitive this makes a forward function, which computes and records, and of two backward
functions: one for a plain pass, one for a pass that is itself recorded. What the declaration settles once (identity
and constant partials, what is kept, which operands there are) is settled here and not looked up at each call: a
generic interpreter of the same declarations took 1.7 µs more per operation, twice what is left. The text comes from
`source`.
"""

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from heapq import heappush
from types import CodeType
from typing import Any

import numpy as np

from wengert import cotangents, large, planned, tape
from wengert.box import Box, alias, is_tensor, lift, unbox
from wengert.errors import MissingRuleError
from wengert.primitive import Primitive, needs
from wengert.protocol import NUMPY_SCALARS, PLAIN, Wrapper, highest, spec_of
from wengert.source import Source
from wengert.variadic import VariadicSource

__all__ = ["Family", "compiled", "generate", "take_code_from"]


class Unrecorded:
    """Stands for the shape and dtype of a plain operand, which nobody asks for."""

    __slots__ = ("bulk",)

    def __init__(self, bulk: bool):
        self.bulk = bulk


FEW, MANY = Unrecorded(False), Unrecorded(True)
WEAK = Unrecorded(False)
"""Of a Python number, which adapts to the other operand."""


@dataclass(frozen=True)
class Family:
    """The classes that a set of generated functions works on."""

    tensor: type
    view: type
    """The class of the tensor class's views."""
    make_view: Callable
    """Makes the result of a view operation a view, or says that it is none (`views.make_view`)."""
    settle: Callable | None = None
    """``settle(y, operands)``: a result in the dtype that it has by promotion rules which are not NumPy's."""
    wrap: Callable | None = None
    """What becomes of the plain results of functions without gradient (comparisons, argmax); `None`: they stay."""
    shut: Any = None
    """The class of levels whose tensors may not be used any more: operations on them call ``shut.refuse()``."""
    around: Callable | None = None
    """``around(slow)``: the slow path of a family that looks at the operands before, or at the result after."""
    refuse: Callable | None = None
    """``refuse(operation, error, operands)``: what is raised in the place of NumPy's ValueError or TypeError."""
    boxes: bool = True
    """Functions called with plain operands only give tensors; otherwise what NumPy gives."""
    new_view: Callable = field(init=False)
    """Makes an empty object of the views' class, past a metaclass that gives calls of the class another meaning."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "new_view", type.__call__.__get__(self.view))


_SCOPE: dict[str, Any] = {
    "PLAIN": PLAIN,
    "SCALARS": NUMPY_SCALARS,
    "FEW": FEW,
    "LEAST": large.LEAST,
    "MANY": MANY,
    "WEAK": WEAK,
    "Wrapper": Wrapper,
    "conj": np.conj,
    "heappush": heappush,
    "lift": lift,
    "ndarray": np.ndarray,
    "spec_of": spec_of,
    **{name: getattr(tape, name) for name in ("Node", "ORDER", "floor", "take_buffer")},
    **{name: getattr(cotangents, name) for name in ("add_large", "cast", "fit", "guard", "multiply_large", "zeros")},
}
"""The names that every generated function may use."""


AT_ONCE = frozenset({"forward", "rule", "link"})
"""The functions that most primitives come to use."""
RULES = frozenset({"rule", "rule_complex", "rule_large"})


def compiled(text: str) -> CodeType:
    """The code of a text, from Python's own compiler."""
    return compile(text, "<wengert primitive>", "exec")


@functools.cache
def _code(text: str) -> CodeType:
    """The code of a function; many primitives have the same."""
    return _find_code(text)


_find_code: Callable[[str], CodeType] = compiled


def take_code_from(find: Callable[[str], CodeType]) -> None:
    """Have the code of texts from now on from somewhere else, such as a store of what has been compiled before."""
    global _find_code
    _find_code = find


def _later(name: str, text: Callable[[], str], scope: dict[str, Any]) -> Callable:
    """A function that is compiled when it is first called, and takes its own place then."""

    def first(*args: Any) -> Any:
        if scope[name] is first:
            exec(_code(text()), scope)
            scope[name].__dict__.update(first.__dict__)
            for rule in RULES & scope.keys():
                if scope[rule].graph is first:
                    scope[rule].graph = scope[name]
        return scope[name](*args)

    return first


def generate(p: Primitive, family: Family) -> Callable:
    """The forward function of a primitive for a family of tensor classes."""
    scope = _SCOPE | {"Tensor": family.tensor, "View": family.view, "make_view": family.make_view}
    scope |= {"settle": family.settle, "call": p.call, "primitive": p.apply, "scatter": p.scatter}
    scope |= {f"f{i}": rule for i, rule in enumerate(p.rules)}
    if p.missing:
        scope["refuse_operand"] = partial(refuse_operand, p)
    scope["make"] = type.__call__.__get__(family.tensor)  # past a metaclass, as `Family.new_view`
    scope |= {"Shut": family.shut, "refuse": family.refuse, "__name__": f"{family.tensor.__module__}.generated"}
    source = (VariadicSource if p.variadic else Source)(p, family)
    texts = source.texts()
    scope |= _for_large(p, source)
    for name, text in texts.items():
        if name in AT_ONCE:
            exec(_code(text()), scope)
        else:
            scope[name] = _later(name, text, scope)
    for name in RULES & texts.keys():
        scope[name].graph, scope[name].name = scope["graph_complex" if name == "rule_complex" else "graph"], p.name
    forward = scope["forward"]
    slow = _slow_path(p, family, scope)
    scope["slow"] = forward.slow = slow if family.around is None else family.around(slow)
    forward.texts = texts
    forward.__name__ = forward.__qualname__ = p.name
    return forward


def _for_large(p: Primitive, source: Source) -> dict[str, Any]:
    """The functions that a primitive calls with large arrays."""
    if source.whole:
        rules = {f"large{i}": planned.whole(p.rules[i], backward=True) for i in source.differentiable}
        return {"large": planned.whole(p.call), **rules}
    if not source.large_forward:
        return {}
    broadcasting = planned.whole(p.apply) if source.n == 2 else None
    function = operator.pow if p.operator == "**" else p.apply  # whose warnings are those of another function
    scope: dict[str, Any] = {"large": large.forward(function, source.n, broadcasting)}
    for i, names in source.large_steps.items():
        step, slope = _step(p.rules[i], source._partial(i), names)
        plain = large.guarded(step, cotangents.guard if p.singular else None)
        last = i == source.differentiable[0]
        scope[f"large{i}"] = large.stepping(
            step, p.singular, plain, planned.whole(plain, backward=True), last, None if p.singular else slope
        )
        scope[f"fitted{i}"] = planned.whole(partial(_fitted, plain), backward=True)
    return scope


def _fitted(step: Callable, like: Any, g: Any, *values: Any) -> Any:
    """A step's cotangent, brought back to the shape of an operand that was broadcast."""
    return cotangents.fit(step(g, *values), like)


def _step(rule: Callable, constant: Any, names: tuple[str, ...]) -> tuple[Callable, Callable | None]:
    """A rule as a function of the cotangent and what was saved; and the partial derivative, where it is given."""
    if isinstance(constant, str):
        return operator.mul, lambda value: value
    if constant is not None:
        return operator.neg if constant == -1 else lambda g: g * constant, None
    order = needs(rule)
    if "g" not in order:
        return lambda g, *values: g * rule(*values), rule
    place = order.index("g")
    return lambda g, *values: rule(*values[:place], g, *values[place:]), None


def refuse_operand(p: Primitive, i: int) -> None:
    """Stop a call that would drop the derivative by an operand which has no rule."""
    raise MissingRuleError(
        f"[{p.name}] operands with derivative rules were required among the recorded ones; received a recorded operand "
        f"{i} ('{p.operands[i]}'), for which there is none; pass t.detach() there if no gradient should flow"
    )


def _slow_path(p: Primitive, family: Family, scope: dict[str, Any]) -> Callable:
    """What `forward` falls back to for operands that are not all of one level, or that are no tensors at all."""

    def slow(given: tuple, params: tuple) -> Any:
        operands = tuple(map(unbox, given))
        top = highest(operands)
        if top is None:
            y = _plain_result(p, family, operands, dict(zip(p.params, params, strict=True)))
            return family.tensor._box(y) if family.boxes or highest(given) is not None else y
        if not isinstance(top, Box):
            y = top._table[p](*operands, **dict(zip(p.params, params, strict=True)))
            return _of_recorded(p, family, y, operands, given) if top._recorded else y
        level = top._level
        ours = [isinstance(a, Box) and a._level == level for a in operands]
        values = [a._value if mine else alias(a) for a, mine in zip(operands, ours, strict=True)]
        parents = [a._node if mine else None for a, mine in zip(operands, ours, strict=True)]
        return scope["core"](level, values, parents, top if p.view else None, *params)

    return slow


def _of_recorded(p: Primitive, family: Family, y: Any, operands: tuple, given: tuple) -> Any:
    """What a function that is being compiled computes of tensors: one of these, as it is otherwise."""
    is_one = isinstance(y, Wrapper) and not isinstance(y, Box)
    if is_one and y._is_buffer:
        return family.tensor._box(y)
    if not is_one or not (family.boxes or any(map(is_tensor, given))):
        return y
    stays = family.settle is None or p.view or "dtype" in p.params
    return family.tensor._box(y if stays else family.settle(y, operands))


def _plain_result(p: Primitive, family: Family, operands: tuple, params: dict) -> Any:
    """The value for operands none of which is recorded, by the family's rules."""
    try:
        y = p.call(*operands, **params)
    except (ValueError, TypeError) as error:
        if family.refuse is None:
            raise
        raise family.refuse(p.name, error, operands) from error
    settles = family.settle is not None and not p.view and "dtype" not in p.params
    return family.settle(y, operands) if settles and hasattr(y, "dtype") else y
