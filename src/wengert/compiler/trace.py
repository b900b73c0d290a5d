"""Recording: arrays that know which value of a program they are.

A `Trace` is a value and its node. Functions run on the value as always, and the call is noted in the program; only
what takes long, operations on large arrays, is put off until somebody asks for the value (`later`). It lies below
every other wrapper, so that a program records what the transformations above it do, down to the last rule, as calls
of NumPy's functions.

What a program decides by a value it may only decide so again: reading one (``if t > 0``, ``float(t)``) puts a guard
into the program.
"""

import operator
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from wengert.box import speaks_dialect
from wengert.compiler.again import look_for_better
from wengert.compiler.later import LARGE, Later, known, later, looks
from wengert.compiler.program import LeftToPython, Node, Program, depends
from wengert.compiler.shown import shown
from wengert.compiler.taking import REFERENCES, take, take_settings
from wengert.compiler.written import _added, _assigned, _written
from wengert.cotangents import selected
from wengert.errors import ArgumentError
from wengert.primitive import Primitive
from wengert.protocol import DORMANT, GROUND, PLAIN, Spec, Wrapper, _open, spec_of
from wengert.tensor import Tensor
from wengert.transforms.lifted import Lifted

__all__ = ["TRACED", "Trace", "recorded", "recording"]

TRACED = DORMANT - 1
"""The level of traces, below that of all tensors."""
_open.add(TRACED)
ZEROS = np.zeros  # NumPy's own: while a function is recorded, something else goes by the name
recording = threading.local()
"""The program that this thread is recording, as ``recording.program``."""
NUMBERS = frozenset(PLAIN - {np.ndarray, bool})
"""Classes of numbers that stand in a program as they are."""
WEAK = frozenset({float, int, complex})
PYTHONS_OWN = WEAK | {bool}
"""Classes of Python's numbers, with truth values, which count as 0 and 1 among them."""
ONE, TWO = (REFERENCES[0],), (REFERENCES[0], REFERENCES[1])


class Trace(Lifted):
    """A value of a program that is being recorded."""

    __slots__ = ("_held", "_node", "_program")
    _held: Any
    """The value, or a `Later` that can give it."""
    _node: Any
    _program: Program
    _level = TRACED
    _word = "traced value"
    _recorded = True
    _is_view = False
    _has_views = True
    """Copies are free, so nobody needs to find out whether one can be spared."""

    @classmethod
    def _of(cls, value: Any, node: Node, program: Program) -> "Trace":
        t = object.__new__(Trace)
        t._held, t._spec, t._node, t._program = value, spec_of(looks(value)), node, program
        return t

    @property
    def _value(self) -> Any:
        held = self._held
        if held.__class__ is Later:
            self._held = held = known(held)
        return held

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        # NumPy's functions make NumPy's numbers of Python's; operators between those do not come here.
        if self._node.call.weak and all(x._node.weak if isinstance(x, Trace) else x.__class__ in WEAK for x in inputs):
            inputs = tuple(x._as_numpys() if isinstance(x, Trace) else x for x in inputs)
        if speaks_dialect(map(type, inputs)):
            return NotImplemented
        if method == "__call__" and not kwargs:
            return Trace._table[ufunc](*inputs)
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        return NotImplemented if speaks_dialect(types) else self._table[func](*args, **kwargs)

    def _carries_gradient(self) -> bool:
        return False

    def _is_of_another_thread(self) -> bool:
        return self._program.thread != threading.get_ident()

    def _is_memory(self) -> bool:
        return self._value.__class__ is np.ndarray

    def _constant(self) -> Any:
        return self

    def _buffer(self, array: Any) -> "Trace":
        array = np.array(array)
        return self._of(array, self._program.constant(array), self._program)

    def _zeros(self, spec: Spec) -> "Trace":
        return recorded(self._program, ZEROS, "zeros", (spec.shape, spec.dtype), {})

    def copy(self, order: str = "C") -> "Trace":
        """A copy in an order: a program may ask how it lies."""
        return self._table[np.copy](self, order)

    def _numpy(self) -> "Trace":
        """What a tensor with this value gives as an array."""
        return recorded(self._program, _numpy, "numpy", (self,), {})

    def _apart(self) -> "Trace":
        """A value of its own: nodes never change, so it has the same one."""
        t = object.__new__(Trace)
        t._held, t._node, t._program, t._spec = self._held, self._node, self._program, self._spec
        return t

    def _guarded(self, g: Any) -> Any:
        """A cotangent's contribution, 0 where `g` is; one call, as there are many."""
        is_plain = self._node.weak is None and self._spec.dtype.kind == "f"
        if is_plain and g.__class__ in TRACES and g._spec.dtype.kind == "f":
            return self._table[selected](self, g)
        return selected(self, g)

    def _store(self, index: Any, value: Any, add: bool = False) -> None:
        changed = self._table[_added if add else _assigned](self, value, index=index)
        stays = not self._spec.ndim and self._is_memory()
        self._held, self._node = np.asarray(changed._value) if stays else changed._held, changed._node

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return self._lying(exactly=True).strides

    def _look(self) -> np.ndarray:
        """Something that lies in memory as the value does, where the program does not go by it."""
        return np.asarray(looks(self._held))

    def _lying(self, exactly: bool = False) -> np.ndarray:
        """The same, where the program decides by it."""
        self._program.look_at_layout(exactly)
        return self._look()

    def _note_followed(self, call: Callable) -> None:
        """A view that `call` gives is taken anew, as this has been written; of what lies otherwise it is a copy."""
        if call.__name__.strip("_") in JOINING and not self._program.closed:
            self._program.look_at_layout()

    def _lent(self, owner: Any, other: Any) -> None:
        self._program.lent.append((owner, other))

    # Reading ----------------------------------------------------------------------------------------------------

    def _known(self, reader: Callable) -> Any:
        outcome = self._program.run(reader, self._value)
        if not self._program.closed:
            self._program.guard(self._node, reader, outcome)
        return outcome

    def _read_whole(self) -> Any:
        self._known(_contents)
        return self._value

    def __bool__(self) -> bool:
        return self._known(bool)

    def _ask(self, is_array: bool, is_written: bool = False) -> None:
        look_for_better(self._program, self._spec.dtype, is_array, is_written)

    def _note_filled(self) -> None:
        self._program.fills = True

    def __float__(self) -> float:
        self._ask(is_array=False)
        return self._known(float)

    def __int__(self) -> int:
        self._ask(is_array=False)
        return self._known(int)

    def __index__(self) -> int:
        if self._spec.ndim:  # NumPy asks what it is about to take as an array; no value decides about that
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return self._known(operator.index)

    def _of_number(self, ufunc: np.ufunc, kind: type = float) -> Any:
        result, node, program = kind(ufunc(self._value)), self._node, self._program
        if program.closed:
            return result
        key = ("number", ufunc)
        return _traced(program, program.call(key, ufunc, ufunc.__name__, (node,), ONE, {}, result), result)

    @property
    def _is_buffer(self) -> bool:  # type: ignore[override]
        replaced = self._program.replaced
        return replaced is not None and bool(replaced.dtypes) and self._spec.inexact and not self._program.closed

    def _as_numpys(self) -> "Trace":
        return recorded(self._program, np.positive, "positive", (self,), {}) if self._node.weak else self

    def conjugate(self) -> Any:
        """The complex conjugate; that of one of Python's numbers is one, too."""
        return self._of_number(np.conjugate, self._node.weak) if self._node.weak else super().conjugate()

    def _as_int(self) -> "Trace":
        return recorded(self._program, int, "int", (self,), {})

    def __complex__(self) -> complex:
        self._ask(is_array=False)
        return self._known(complex)

    def __round__(self, digits: int | None = None) -> Any:
        held = self._value
        if isinstance(held, (np.bool_, complex, np.complexfloating)):
            raise TypeError(f"type {type(held).__name__} doesn't define __round__ method")
        if digits is None or held.__class__ in (float, int):
            return round(self._known(_item), digits)
        return np.round(self, digits)

    def item(self, *index: Any) -> Any:
        """The one element (or the one at `index`).

        A float is a value of the program as long as nothing is decided by it; so a step may return its loss as one.
        """
        at = self[index] if index else self
        if at._spec.dtype.kind == "f" and at._value.__class__ is not float:
            return recorded(self._program, _item, "item", (at,), {})
        return at._known(_item)

    def is_integer(self) -> bool:
        """Whether a number is a whole one, by which the program decides."""
        if self._spec.ndim or self._is_memory():
            raise AttributeError("'numpy.ndarray' object has no attribute 'is_integer'")
        return bool(self % 1 == 0)

    def tolist(self) -> Any:
        """Nested lists of Python numbers, by which the program may decide."""
        self._known(_contents)
        return _list(self._value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._shown(self, dtype, copy)

    def _shown(self, owner: Any, dtype: Any, copy: bool | None) -> np.ndarray:
        """The array that `owner`, which holds this value, gives to who asks for one."""
        self._ask(is_array=True)
        return shown(self, owner, dtype, copy)

    def _ask_for_memory(self, owner: Any) -> None:
        """Leave the function to Python where `owner` is in the place of an array, whose ``data`` is its memory."""
        is_array = self._node.name == "input" and self._is_instead_of(owner)
        if is_array and not _is_ours(sys._getframe(2)) and not self._program.closed:
            self._program.leave("it asks for an array's memory")

    def __format__(self, spec: str) -> str:
        return format(self._read_whole(), spec)

    def __str__(self) -> str:
        return str(self._read_whole())

    def __repr__(self) -> str:
        return repr(self._read_whole())

    def __hash__(self) -> int:
        return self._hash_of(self)

    def _is_instead_of(self, owner: Any) -> bool:
        """Whether the function itself has an array or a number in the place of what holds this value."""
        if owner is self:
            return True
        if owner._family.tensor is not Tensor or owner._level > GROUND:
            return False
        return not depends(self._node, self._program.tensors, self._program.of_tensors)

    def _hash_of(self, owner: Any) -> int:
        """The identity, or where the program would have a number, that number's: then it is left to Python."""
        program = self._program
        if not self._is_instead_of(owner) or _is_ours(sys._getframe(2)):
            return object.__hash__(owner)
        if not program.closed:
            program.refused = "it hashes what it computes (a key of a dictionary, an element of a set)"
            if program.can_be_undone():
                raise LeftToPython(program.refused)
        return hash(self._value)


class TraceView(Trace):
    """A part of another trace, as NumPy's views are of arrays: writing either writes both.

    ``_base`` is the trace that it is a part of, and ``_steps`` the functions, with their parameters, that lead there.
    """

    __slots__ = ("_array", "_base", "_made", "_seen", "_steps")
    _base: Trace
    _steps: tuple
    _seen: Any
    _is_view = True

    @classmethod
    def _on(cls, base: Trace, steps: tuple, result: Trace) -> "TraceView":
        t = object.__new__(cls)
        t._spec, t._program, t._base, t._steps = result._spec, base._program, base, steps
        t._array, t._made, t._seen = result._held, result._node, base._node
        return t

    def _follow(self) -> None:
        """Take the part anew where the base has been written."""
        base = self._base
        if self._seen is base._node:
            return
        t, program = base._apart(), self._program
        if self._may_be_a_copy() and not program.closed:
            program.look_at_layout()
        closed, program.closed = program.closed, False  # a result is looked at when all is over
        try:
            for p, params in self._steps:
                t = _plainly(p, (t,), params, program)
        finally:
            program.closed = closed
        self._array, self._made, self._seen = t._held, t._node, base._node

    def _may_be_a_copy(self) -> bool:
        """Whether it would be one of an array that lies otherwise in memory."""
        return any(p.name in JOINING for p, _ in self._steps)

    @property
    def _held(self) -> Any:
        self._follow()
        return self._array

    @property
    def _value(self) -> Any:
        self._follow()
        self._array = known(self._array)
        return self._array

    @property
    def _node(self) -> Node:
        self._follow()
        return self._made

    def _store(self, index: Any, value: Any, add: bool = False) -> None:
        base = self._base
        by = next((p.name for p, _ in self._steps if p.name in READ_ONLY), None)
        if by is not None:
            raise ArgumentError(
                f"[setitem] an array that may be written was required; received {self._spec!r}, which np.{by} has made "
                f"for reading only; write into the array that it shows, or into a copy"
            )
        if self._may_be_a_copy():
            self._program.look_at_layout()
        (p, params), *others = self._steps
        if index is Ellipsis and p.name == "getitem" and not others:  # all of what an index selects
            base._store(params["index"], value, add)
            return
        path = tuple((p.call, params) for p, params in self._steps)
        given = {"path": path, "index": index, "add": add}
        changed = recorded(self._program, _written, "written", (base, value), given)
        base._held, base._node = changed._held, changed._node


READ_ONLY = {"broadcast_to", "diagonal"}
"""Functions whose results NumPy lets nobody write to."""
JOINING = {"reshape", "ravel"}
"""Functions whose results are views or copies by how what they are given lies in memory."""
TRACES = frozenset({Trace, TraceView})


def _is_ours(frame: FrameType) -> bool:
    """Whether code of this library runs in a frame."""
    return (frame.f_globals.get("__name__") or "").startswith("wengert.")


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, (np.ndarray, np.generic)) else value


def _numpy(value: Any) -> Any:
    return np.array(value)


def _count(mask: Any) -> int:
    return int(np.count_nonzero(mask))


def _extent(length: Any) -> int:
    return int(length)


def _list(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _contents(value: Any) -> tuple:
    """All that there is to know of a value, to be compared."""
    array = np.asarray(value)
    return array.shape, array.dtype.str, array.tobytes()


# Recording --------------------------------------------------------------------------------------------------------


def recorded(program: Program, function: Callable, name: str, args: tuple, kwargs: dict, is_view: bool = False) -> Any:
    """Run a call on the values, and note it."""
    operands: list[Node] = []
    given: list[Any] = []
    values: list[Any] = []
    keys: list[Any] = [function]
    is_large = program.puts_off
    for value in args:
        if value.__class__ in TRACES and value._program is program and len(operands) < len(REFERENCES):
            ref, held = REFERENCES[len(operands)], value._held
            given.append(ref)
            keys.append(ref)
            operands.append(value._node)
            is_large |= value._spec.size >= LARGE
        else:
            template, held, key = take(value, program, operands)
            given.append(template)
            keys.append(key)
            is_large |= held.__class__ is np.ndarray and held.size >= LARGE
        values.append(held)
    named, keywords = kwargs, kwargs
    if kwargs:
        named, keywords, key = take_settings(kwargs, program, operands)
        keys.append(key)
    if is_large:
        result = program.run(later, function, name, is_view, tuple(values), keywords)
    else:
        result = program.run(function, *values, **keywords)
    if program.closed:
        return known(result)
    node = program.call(tuple(keys), function, name, tuple(operands), tuple(given), named, result)
    return _traced(program, node, result)


def _traced(program: Program, node: Node, result: Any) -> Any:
    """The result of a call as traces; tuples part by part; by what is no number the program may decide."""
    spec = node.call.spec
    if spec is not None and (result.__class__ is np.ndarray or result.__class__ in NUMBERS):
        t = object.__new__(Trace)
        t._held, t._spec, t._node, t._program = result, spec, node, program
        return t
    if isinstance(result, (np.ndarray, np.generic, float, complex, Later)) or node.function is int:
        return result if isinstance(result, (np.str_, np.bytes_)) else Trace._of(result, node, program)
    if isinstance(result, (tuple, list)) and any(isinstance(part, (np.ndarray, np.generic)) for part in result):
        parts = []
        for k, part in enumerate(result):
            key = (operator.getitem, "part", k)
            item = program.call(key, operator.getitem, "part", (node,), (ONE[0], k), {}, part)
            parts.append(_traced(program, item, part))
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    if result is not None and not isinstance(result, Wrapper) and node.function not in ABOUT_SHAPES:
        reader = result.__class__ if result.__class__ in (bool, int) else repr
        program.guard(node, reader, reader(result))
    return result


ABOUT_SHAPES = frozenset(
    {np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.common_type, np.shape, np.ndim, np.size}
)
"""Functions whose answers no value changes."""


def _plainly(p: Primitive, operands: tuple, params: dict, program: Program) -> Any:
    given = {name: value for name, value in params.items() if name not in p.params or value is not p.params[name]}
    return recorded(program, p.call, p.name, operands, given, p.view)


from wengert.compiler import entries  # noqa: E402, F401 - which gives the class its tables
