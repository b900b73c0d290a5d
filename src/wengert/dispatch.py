"""What NumPy's functions become for tensors: generated code, composites, plain readings, or a refusal."""

import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import Box, bare, read_only
from wengert.errors import BatchError, MissingRuleError
from wengert.generate import Family, generate
from wengert.primitive import REGISTRY, UFUNC_METHODS, Composite, Plain, Primitive, name_of
from wengert.protocol import Table, Wrapper, dtype_with_out, is_recorded, without_history, write_out
from wengert.sequences import arguments_joined, has_sequence, list_joined
from wengert.writes import add_at, negated

one_by_one: Callable | None = None
"""``(function, name, args, kwargs)`` -> what a composite gives that asks for one value where its operands hold a batch:
`transforms.batching` says it, which imports this module."""


def make_table(family: Family) -> Table:
    """The table of a family of tensor classes."""
    table = Table(lambda function: _entry(function, family))
    table[np.add, "at"] = add_at
    table[np.subtract, "at"] = lambda target, index, value: add_at(target, index, negated(target, value))
    return table


def _entry(function: Any, family: Family) -> Callable:
    known = look_up(function)
    if isinstance(known, Primitive):
        return generate(known, family)
    if isinstance(known, Composite):
        return composite_entry(function, known, family.tensor._table)
    if isinstance(known, Plain):
        return _plain(known, family)
    return _missing(function)


def look_up(function: Any) -> Primitive | Composite | Plain | None:
    """What is known of a NumPy function, a ufunc's method or a primitive."""
    owner = function[0] if isinstance(function, tuple) else function
    if owner not in REGISTRY and isinstance(owner, np.ufunc) and "scipy.special" in sys.modules:
        importlib.import_module("wengert.rules.special")  # only now: import wengert does not load SciPy
    known = REGISTRY.get(function)
    return _ufunc_method(*function) if known is None and isinstance(function, tuple) else known


def _ufunc_method(ufunc: np.ufunc, method: str) -> Composite | Plain | None:
    """A method of a ufunc that has rules: what the rules say of all methods of that name."""
    known, name = REGISTRY.get(ufunc), name_of((ufunc, method))
    if known is None or method not in UFUNC_METHODS:
        return None
    if isinstance(known, Plain) and method != "at":
        return Plain(name, getattr(ufunc, method))
    return Composite(name, UFUNC_METHODS[method](ufunc))


def composite_entry(function: Any, known: Composite, table: Table) -> Callable:
    """A composite; its primitive at once where there are no keywords; and ``out=``, which is the same for all."""
    parameters = known.call.__code__.co_varnames[: known.call.__code__.co_argcount]
    call = _on_batches(function, known)
    general = with_out(known.name, _numpys(function, call) if known.numpys else call, parameters)
    if known.direct is None:
        return general
    primitive = REGISTRY[known.direct]
    direct, least, most = table[primitive], len(primitive.operands), known.positional
    keywords = frozenset(known.keywords)

    def entry(*args, **kwargs):
        if least <= len(args) <= most and (not kwargs or kwargs.keys() <= keywords):
            return direct(*args, **kwargs)
        return general(*args, **kwargs)

    entry.__name__ = entry.__qualname__ = known.name
    entry.__doc__ = function.__doc__
    return entry


def _numpys(function: Any, call: Callable) -> Callable:
    """A composite in whose place NumPy's function itself is called where no derivative is wanted."""

    def run(*args: Any, **kwargs: Any) -> Any:
        first = args[0] if args else None
        plain = without_history(first)
        if plain is first or any(isinstance(v, Wrapper) for v in (*args[1:], *kwargs.values())):
            return call(*args, **kwargs)
        found = function(plain, *args[1:], **kwargs)
        return type(found)(*map(first._buffer, found)) if isinstance(found, tuple) else first._buffer(found)

    return run


def _on_batches(function: Any, known: Composite) -> Callable:
    """A composite; where it asks for one value of a batch, it runs once for each element."""

    def run(*args: Any, **kwargs: Any) -> Any:
        if has_sequence(args) or (kwargs and has_sequence(kwargs.values())):
            args, kwargs = arguments_joined(known.name, args, kwargs)
        try:
            return known.call(*args, **kwargs)
        except BatchError:
            if one_by_one is None or known.name.endswith(".at"):
                raise
        return one_by_one(function, known.name, args, kwargs)

    return run


def with_out(name: str, call: Callable, parameters: tuple[str, ...]) -> Callable:
    """A function with ``out=``, by keyword or by position, around one that has none."""
    place = parameters.index("out") if "out" in parameters else sys.maxsize
    by = parameters.index("dtype") if name in SUMS else sys.maxsize

    def entry(*args, **kwargs):
        out = kwargs.pop("out", None)
        if len(args) > place:
            out, args = args[place], (*args[:place], None, *args[place + 1 :])
        if out is not None and name in SUMS:
            dtype = dtype_with_out(args[0] if args else kwargs[parameters[0]], out)
            if len(args) > by:
                args = (*args[:by], dtype if args[by] is None else args[by], *args[by + 1 :])
            elif kwargs.get("dtype") is None:
                kwargs["dtype"] = dtype
        result = call(*args, **kwargs)
        return result if out is None else write_out(name, out, result)

    entry.__name__ = entry.__qualname__ = name
    return entry


SUMS = {"sum", "prod", "cumsum", "cumprod"}
"""What adds up or multiplies in a dtype that takes ``out``, too, where no other is asked for."""


def _plain(entry: Plain, family: Family) -> Callable:
    """A function without gradient: tensors are read, the result is NumPy's own or what the family makes of it."""
    wrap = family.wrap
    if entry.operator:
        scope: dict[str, Any] = {"Tensor": family.tensor, "bare": _bare_operand, "wrap": wrap}
        result = (
            f"(a._value if a.__class__ is Tensor else bare(a)) {entry.operator} "
            f"(b._value if b.__class__ is Tensor else bare(b))"
        )
        exec(f"def compare(a, b):\n    return {f'wrap({result})' if wrap else result}", scope)
        return scope["compare"]
    call = entry.call if wrap is None else _wrapped(entry.call, wrap)

    def read(*args, **kwargs):
        return call(*map(_bare_deep, args), **{k: _bare_deep(v) for k, v in kwargs.items()})

    if isinstance(entry.call, np.ufunc) or isinstance(getattr(entry.call, "__self__", None), np.ufunc):
        return read
    return with_out(entry.name, read, parameters_of(entry.call))


def parameters_of(function: Callable) -> tuple[str, ...]:
    """The names of what a function takes."""
    return tuple(inspect.signature(function).parameters)


def _wrapped(call: Callable, wrap: Callable) -> Callable:
    """A plain function whose arrays are wrapped."""

    def wrapped(*args, **kwargs):
        result = call(*args, **kwargs)
        if isinstance(result, tuple) and any(isinstance(part, np.ndarray) or is_recorded(part) for part in result):
            return tuple(map(wrap, result))
        return wrap(result) if isinstance(result, (np.ndarray, np.generic)) or is_recorded(result) else result

    return wrapped


def _bare_operand(value: Any) -> Any:
    return bare(list_joined(value))


def _bare_deep(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(map(_bare_deep, value)) if type(value) in (list, tuple) else value
    if isinstance(value, Box) and value._spec.ndim:
        return read_only(bare(value))
    return bare(value)


def _missing(function: Any) -> Callable:
    """A function without a rule: refused for values with a history, plain NumPy for others."""
    name = name_of(function)

    def refuse(*args, **kwargs):
        if _any_recorded((args, kwargs)):
            raise MissingRuleError(
                f"[{name}] a NumPy function with a derivative rule was required; '{name}' has none; declare one "
                f"(wengert.primitive.elementwise, linear or primitive; CONTRIBUTING.md shows how), write it with "
                f"functions that have one, or pass t.detach() if no gradient should flow"
            )
        if isinstance(function, tuple) and function[1] == "at":
            return _plain_at(function[0], *args)
        call = getattr(function[0], function[1]) if isinstance(function, tuple) else function
        return call(*map(_bare_deep, args), **{k: _bare_deep(v) for k, v in kwargs.items()})

    return refuse


def _plain_at(ufunc: np.ufunc, target: Any, index: Any, *values: Any) -> None:
    """``ufunc.at`` on a tensor without a history, past which its buffer may be shared."""
    changed = np.array(bare(target))
    ufunc.at(changed, _bare_deep(index), *map(_bare_deep, values))
    target[...] = changed


def _any_recorded(value: Any) -> bool:
    if isinstance(value, Wrapper):
        return value._carries_gradient()
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return False
    return any(map(_any_recorded, value))
