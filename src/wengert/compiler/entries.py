"""What functions of NumPy's and primitives become where a program is recorded: the tables of `Trace`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import unbox
from wengert.compiler.arithmetic import PYTHONS, between_numbers, install
from wengert.compiler.later import looks
from wengert.compiler.program import Program
from wengert.compiler.quick import EXPANDED, counting, is_called, quick, quick_of_plain, quick_of_several, view_on
from wengert.compiler.shown import note_alias
from wengert.compiler.taking import foremost, settled, values_in
from wengert.compiler.trace import PYTHONS_OWN, Trace, _count, _extent, _plainly, recorded
from wengert.compiler.written import _added, _assigned, length
from wengert.cotangents import selected
from wengert.dispatch import parameters_of, with_out
from wengert.primitive import REGISTRY, Plain, Primitive, name_of
from wengert.protocol import Wrapper
from wengert.transforms.lifted import found

__all__: list[str] = []


def _of_primitive(p: Primitive) -> Callable:
    if p.name in EXPANDED:
        return lambda top, operands, params: p.call(*operands, **params)

    def here(top: Trace, operands: tuple, params: dict) -> Any:
        return _plainly(p, operands, settled(params), top._program)

    def view(top: Trace, operands: tuple, params: dict) -> Any:
        params = settled(params)
        result = _plainly(p, operands, params, top._program)
        if "index" in params:
            _guard_index(operands[0], params["index"], top._program)
        return view_on(p, operands[0], params, result)

    def python(top: Trace, operands: tuple, params: dict) -> Any:
        values = _pythons(operands)
        return between_numbers(p, top._program, operands, values) if values else here(top, operands, params)

    if p.name == "sech_squared":
        return lambda top, operands, params: (
            here(top, operands, params) if is_called(p, operands[0]._spec.dtype) else p.call(*operands, **params)
        )

    def copy(top: Trace, operands: tuple, params: dict) -> Any:
        x = operands[0]._as_numpys() if isinstance(operands[0], Trace) else operands[0]
        if isinstance(x, Trace) and not _stays(looks(x._held), params.get("order", "K")):
            return here(top, operands, params)  # a program may ask how it lies
        return x._apart() if isinstance(x, Trace) else x

    if p.name == "copy":
        return copy
    if p.name in OF_ARRAYS:
        return _of_numpys(view if p.view else here)
    return python if p.name in PYTHONS else view if p.view else here


OF_ARRAYS = frozenset({"astype", "broadcast_to", "ravel", "reshape", "transpose"})
"""Methods of arrays that Python's numbers do not have."""


def _of_numpys(entry: Callable) -> Callable:
    def here(top: Trace, operands: tuple, params: dict) -> Any:
        return entry(top, tuple(x._as_numpys() if isinstance(x, Trace) else x for x in operands), params)

    return here


def _stays(x: Any, order: Any) -> bool:
    """Whether a copy in an order lies in memory as an array does."""
    x = np.asarray(x)
    return (x.flags.c_contiguous and order != "F") or np.empty_like(x, order=order).strides == x.strides


def _guard_index(x: Any, index: Any, program: Program) -> None:
    """How much masks select is decided by their values, how long slices are by their bounds; and so is the shape."""
    parts = [unbox(part) if isinstance(part, Wrapper) else part for part in _parts(index)]
    for k, part in enumerate(parts):
        if isinstance(part, Trace) and part._spec.dtype == np.bool_:
            part._known(_count)
        elif isinstance(part, slice):
            bounds = [unbox(s) if isinstance(s, Wrapper) else s for s in (part.start, part.stop, part.step)]
            if any(isinstance(s, Trace) for s in bounds):
                is_behind = any(other is Ellipsis for other in parts[:k])
                axis = -sum(map(_depth, parts[k:])) if is_behind else sum(map(_depth, parts[:k]))
                recorded(program, length, "length", (*bounds, x.shape[axis]), {})._known(_extent)


def _parts(index: Any) -> tuple:
    return index if isinstance(index, tuple) else (index,)


def _depth(part: Any) -> int:
    """How many axes a part of an index is about."""
    if part is None or part is Ellipsis:
        return 0
    is_mask = getattr(part, "dtype", None) == np.bool_ or isinstance(part, bool)
    return np.ndim(part) if is_mask else 1


def _of_function(function: Callable, name: str) -> Callable:
    """A call that is recorded as it is, where no value of another transformation is to handle it."""
    owner = getattr(function, "__self__", None)
    known_as = (owner, function.__name__) if isinstance(owner, np.ufunc) else function

    def here(*args: Any, **kwargs: Any) -> Any:
        top = foremost((args, kwargs))
        if top is None:
            return function(*values_in(args), **values_in(kwargs))
        if not isinstance(top, Trace):
            return top._table[known_as](*args, **kwargs)
        result = recorded(top._program, function, name, args, kwargs)
        note_alias(top._program, args, result)
        return result

    return here


def _of_file(function: Callable) -> Callable:
    """Functions that write arrays into files are the function's own business: each call is to write one."""

    def here(*args: Any, **kwargs: Any) -> Any:
        top = foremost((args, kwargs))
        if isinstance(top, Trace) and not top._program.closed:
            top._program.leave("it writes an array into a file")
        return function(*values_in(args), **values_in(kwargs))

    return here


def _pythons(operands: tuple) -> tuple | None:
    """What operands are that are all Python's numbers; `None` of others."""
    values = tuple(x._held if isinstance(x, Trace) else x for x in operands)
    return values if all(v.__class__ in PYTHONS_OWN for v in values) else None


def _of_plain(known: Plain) -> Callable:
    general = _of_function(known.call, known.name)
    if not isinstance(known.call, np.ufunc):
        parameters = parameters_of(known.call)
        general = with_out(known.name, general, parameters) if "out" in parameters else general

    def here(*operands: Any, **params: Any) -> Any:
        values = None if params else _pythons(operands)
        top = None if values is None else foremost(operands)
        if values is None or not isinstance(top, Trace):
            return general(*operands, **params)
        return between_numbers(known, top._program, operands, values)

    return quick_of_plain(known, here if known.name in PYTHONS else general)


def _of_unknown(function: Any) -> Callable:
    """Functions without a rule are called as they are."""
    call = getattr(*function) if isinstance(function, tuple) else function
    return _of_function(call, name_of(function))


found(Trace, _of_primitive, _of_plain, None, _of_unknown, quick)
install()
# Facts about shapes and dtypes, which are no values of the program.
Trace._table.update({np.ndim: lambda a: a._spec.ndim, np.shape: lambda a: a._spec.shape})
Trace._table[np.bincount] = counting(Trace._table[np.bincount])
Trace._table[selected] = quick_of_several(selected, "guarded", 2, _of_function(selected, "guarded"))
Trace._table.update({save: _of_file(save) for save in (np.save, np.savetxt, np.savez, np.savez_compressed)})
for _function, _name in ((_assigned, "assigned"), (_added, "added")):
    _general = _of_function(_function, _name)
    Trace._table[_function] = quick_of_several(_function, _name, 2, _general, frozenset({"index"}))
# Where no derivative is wanted, functions need not be made of others that have one.
for _function in [f for f, rule in REGISTRY.items() if getattr(rule, "numpys", False)]:
    Trace._table[_function] = _of_function(_function, name_of(_function))
