"""What the wrapper types share that are no tensors: dual numbers, batches, dependency patterns, power series.

Each holds one or more values of a lower level and says by a table what NumPy's functions become for it. Composites and
the methods of an array come for free. The memory behind views and writes is a tensor's: where an array inside is
viewed or written, a tensor without a history takes its place, and so writing in place means here what it means there.
"""

import operator
from collections.abc import Callable
from sys import getrefcount
from typing import Any, ClassVar

import numpy as np

from wengert import face
from wengert.assignment import has_arrays
from wengert.box import Box, freeze, is_tensor, unbox
from wengert.cotangents import ALONE
from wengert.dispatch import composite_entry, look_up
from wengert.errors import LevelError, LostGradientError, MissingRuleError
from wengert.primitive import REGISTRY, Composite, Plain, Primitive, name_of
from wengert.protocol import (
    Spec,
    Table,
    Wrapper,
    ask_to_record_again,
    highest,
    innermost,
    intern_spec,
    is_open,
    look,
    spec_of,
)
from wengert.reading import check_reading, is_sparse_product
from wengert.tensor import Tensor
from wengert.writes import check_in_place, negated

__all__ = ["Lifted", "found", "fresh", "opened", "own_memory", "parts", "store"]


class Lifted(face.ArrayFace):
    """Base of the wrapper types that are no tensors."""

    __slots__ = ("__weakref__", "_level", "_spec", "_value")
    _word: ClassVar[str]
    """What its users call such a value, in messages."""
    _here: ClassVar[Table]
    """What primitives do to values of the class, operands taken apart already."""

    @property
    def _is_view(self) -> bool:  # type: ignore[override]
        return isinstance(self._value, Wrapper) and self._value._is_view

    @property
    def _has_views(self) -> bool:  # type: ignore[override]
        inside = self._value
        # A view holds its base: somebody has the tensor inside besides this slot and the local variable.
        return isinstance(inside, Wrapper) and (getrefcount(inside) > ALONE + 1 or inside._has_views)

    def _is_memory(self) -> bool:
        """Whether a value without axes is an array, which is written in place, rather than a scalar."""
        return self._is_view

    def _buffer(self, array: Any) -> Any:
        """A value of this kind around an array (or a wrapper of a lower level), to be written into."""
        raise NotImplementedError

    def __getitem__(self, index: Any) -> Any:
        return self._table[operator.getitem](self, freeze(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        value = opened(value)
        if isinstance(value, Wrapper) and value._level > self._level:
            ask_to_record_again(value, is_written=True)
            raise LevelError(
                f"[setitem] a value of this transformation or of one around it was required; received one of a "
                f"transformation inside, {value._spec!r}; write it into a buffer made there by np.zeros_like"
            )
        self._store(freeze(index), value)

    def _add_at(self, index: Any, value: Any) -> None:
        _add_at(self, index, value)

    def _store(self, index: Any, value: Any, add: bool = False) -> None:
        raise NotImplementedError

    # Reading ----------------------------------------------------------------------------------------------------

    def _read(self, reader: str) -> Any:
        if self._spec.size == 1:
            check_reading(reader, depth=4)
        return self._value

    def _asked(self, reader: str) -> Any:
        ask_to_record_again(self, is_array=False)
        return unbox(self._read(reader))

    def __float__(self) -> float:
        return float(self._asked("float"))

    def __int__(self) -> int:
        return int(self._asked("int"))

    def __complex__(self) -> complex:
        return complex(self._asked("complex"))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __index__(self) -> int:
        return operator.index(unbox(self._value))

    def item(self, *index: Any) -> Any:
        """The one element (or the one at `index`) as a Python number, without its derivative."""
        return (self[index] if index else self)._value.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers, without derivatives."""
        return self._value.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if is_sparse_product():
            return np.array(None)  # scipy.sparse leaves its product with what is no array to `__rmatmul__`
        ask_to_record_again(self)
        raise LostGradientError(
            f"[np.asarray] a value outside every transformation was required, as a plain array would lose what is "
            f"known of it; received a {self._word}, {self._spec!r}; collect such values with wg.asarray or np.stack, "
            f"fill a buffer made by wg.zeros or np.zeros_like(t), and pass arrays through the function's arguments"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._value!r}, level={self._level})"

    def __copy__(self) -> Any:
        return self.copy("K")

    def __deepcopy__(self, memo: dict) -> Any:
        return self.copy("K")


def _in_place(ufunc: np.ufunc) -> Callable:
    """The method of an in-place operator; results without axes are scalars, which Python rebinds."""

    def method(self: Lifted, other: Any) -> Any:
        result = self**other if ufunc is np.power else self._table[ufunc](self, other)
        if not self._spec.ndim and not self._is_memory():
            return result
        check_in_place(self, ufunc, result)
        self[...] = result
        return self

    return method


for _name, _ufunc in face.OPERATORS.items():
    if _name != "divmod":
        setattr(Lifted, f"__i{_name}__", _in_place(_ufunc))


# Values inside -----------------------------------------------------------------------------------------------------


def opened(value: Any) -> Any:
    """An operand as an operation sees it: tensors without a history and what has leaked out are their values."""
    value = unbox(value)
    while isinstance(value, Lifted) and not is_open(value._level):
        value = unbox(value._value)
    return value


def own_memory(t: Lifted, slot: str) -> Any:
    """What is in a slot as something that can be viewed and written: a tensor, which rises to the level of a write."""
    x = getattr(t, slot)
    if not isinstance(x, Box):
        x = Tensor._box(x)
        setattr(t, slot, x)
    return x


def store(t: Lifted, slot: str, index: Any, value: Any, add: bool = False) -> None:
    """Write into what is in a slot, or add there: into the array itself, if nobody else has it."""
    memory = getattr(t, slot)
    ours = memory.__class__ is np.ndarray and memory.base is None and getrefcount(memory) <= ALONE + 1
    if not ours or not memory.flags.writeable or highest((value, *parts(index))) is not None:
        memory = own_memory(t, slot)
    if not add:
        memory[index] = value
    elif memory.__class__ is np.ndarray and not has_arrays(index):
        memory[index] += value
    else:
        np.add.at(memory, index, value)


def fresh(x: Any) -> Any:
    """The result of a view operation, which is a scalar where NumPy's would be one."""
    return x._value if isinstance(x, Box) and not x._is_view and x._node is None else x


def example_spec(shape: tuple[int, ...], dtype: np.dtype) -> Spec:
    """The record of a shape and dtype."""
    return intern_spec(tuple(shape), dtype)


# Tables ------------------------------------------------------------------------------------------------------------


def found(
    cls: type[Lifted],
    of_primitive: Callable[[Primitive], Callable],
    of_plain: Callable[[Plain], Callable],
    of_composite: Callable[[Any, Composite], Callable] | None = None,
    of_unknown: Callable[[Any], Callable] | None = None,
    quick: Callable[[Primitive, Callable], Callable] | None = None,
) -> None:
    """Give a wrapper class its tables, and an array's methods.

    ``of_primitive(p)`` makes ``here(top, operands, params)``, what the class does where its value `top` is the highest
    among the operands; `of_plain` what it does for functions without a derivative. `of_composite` and `of_unknown` are
    for classes that do not leave composites as they are, or do not refuse functions without a rule; ``quick(p, entry)``
    may put something faster in front of an entry.
    """

    def entry(function: Any) -> Callable:
        known = look_up(function)
        if isinstance(known, Primitive):
            general = _above(known)
            return general if quick is None else quick(known, general)
        if isinstance(known, Composite):
            return composite_entry(function, known, table) if of_composite is None else of_composite(function, known)
        if isinstance(known, Plain):
            return of_plain(known)
        return (of_unknown or _refusal)(function)

    table = Table(entry)
    for maker in (np.zeros_like, np.ones_like, np.empty_like):
        table[maker] = _like(maker)
    for function in (np.zeros, np.ones, np.empty, np.full, np.eye, np.arange, np.asarray, np.array):
        table[function] = Tensor._table[function]  # with ``like=``: buffers that rise to the level of what is written
    table[np.add, "at"] = _add_at
    table[np.subtract, "at"] = lambda target, index, value: _add_at(target, index, negated(target, value))
    cls._table, cls._here = table, Table(of_primitive)
    face.install(cls, table)


def _like(function: Callable) -> Callable:
    """An array of one value, in memory of its own that values of the kind can be written into."""

    def like(
        a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
    ) -> Any:
        seen, dtype = look(a), a.dtype if dtype is None else dtype
        seen = seen if seen.ndim == a.ndim > 1 else np.empty(0)
        return a._buffer(function(seen, dtype, order, shape=a.shape if shape is None else shape))

    return like


def _above(p: Primitive) -> Callable:
    """A primitive's entry: operands taken out of transparent tensors, and the highest of them asked first."""
    n = None if p.variadic else len(p.operands)
    names = tuple(p.params)
    indexes = p is REGISTRY[operator.getitem]

    def apply(*args: Any, **params: Any) -> Any:
        operands = tuple(map(opened, args if n is None else args[:n]))
        if n is not None:
            params = dict(zip(names, args[n:], strict=False)) | params
            operands += tuple(opened(params.pop(name)) for name in p.operands[len(operands) :])
        params = p.params | params
        top = highest((*operands, *parts(params["index"])) if indexes else operands)
        if isinstance(top, Lifted):
            y = type(top)._here[p](top, operands, params)
            # What a number that is recorded makes of a tensor is a tensor, as it is otherwise.
            of_tensors = top._recorded and isinstance(y, Lifted) and any(map(is_tensor, args[:n]))
            return Tensor._box(y) if of_tensors else y
        return p.call(*operands, **params) if top is None else top._table[p](*operands, **params)

    apply.__name__ = apply.__qualname__ = p.name
    return apply


def parts(index: Any) -> tuple:
    """The parts of an index, of which a tuple has several."""
    return index if isinstance(index, tuple) else (index,)


def _add_at(target: Any, index: Any, value: Any) -> None:
    value = opened(value)
    if isinstance(target, Box):
        Tensor._table[np.add, "at"](target, index, value)
    elif isinstance(target, Lifted) and not (isinstance(value, Wrapper) and value._level > target._level):
        target._store(freeze(index), value, add=True)
    else:
        for x in (value, *parts(index)):
            ask_to_record_again(x, is_written=True)
        if not isinstance(target, Wrapper) and not (isinstance(value, Wrapper) and value._carries_gradient()):
            np.add.at(target, tuple(map(innermost, parts(index))), innermost(value))
            return
        raise LostGradientError(
            f"[add.at] a buffer of the value's own transformation was required; received {spec_of(target)!r}; make it "
            f"with wg.zeros or np.zeros_like(t)"
        )


def _refusal(function: Any) -> Callable:
    name = name_of(function)

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise MissingRuleError(
            f"[{name}] a NumPy function with a derivative rule was required; '{name}' has none; declare one "
            f"(wg.primitive), write it with functions that have one, or pass wg.stop_gradient(t)"
        )

    return refuse
