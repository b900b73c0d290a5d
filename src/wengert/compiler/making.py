"""Arrays that a function makes while it is recorded, and fills with what it computes.

A program writes into ``np.zeros(n)`` what it computes from its arguments. NumPy's own arrays ask what is written into
them for its number, and that would be a decision by the value. So a function that is being recorded gets buffers that
take recorded values; and nested lists of such values, which ``np.array`` would read in the same way, are joined.
"""

import functools
import sys
import threading
from abc import ABCMeta
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, starmap
from types import FrameType, UnionType
from typing import Any

import numpy as np

from wengert.box import Box, bare
from wengert.compiler.again import INEXACT
from wengert.compiler.codenames import names_of, only_called
from wengert.compiler.found import Found
from wengert.compiler.later import looks
from wengert.compiler.places import Item
from wengert.compiler.program import Program, uniform
from wengert.compiler.trace import Trace, recorded
from wengert.protocol import lies, lying_as, note_filled
from wengert.reading import calls, goes_over
from wengert.sequences import holds_wrapper, joined
from wengert.tensor import Tensor

__all__ = ["recordable_buffers"]

UNIFORM = ("zeros", "ones", "empty", "full")
BUFFERS = (*UNIFORM, "eye", "identity", "tri")
OTHERS = (
    "arange", "linspace", "logspace", "geomspace", "repeat", "tile", "diag", "diagflat", "vander", "copy",
    "zeros_like", "ones_like", "empty_like", "full_like", "concatenate", "stack", "hstack", "vstack", "column_stack",
    "outer", "kron", "triu", "tril", "roll", "flip", "cumsum", "sort", "fromiter", "fromfunction", "indices",
)  # fmt: skip
"""What makes buffers besides, in functions that have been seen to write into an array which none of those makes."""
COPIES: dict[str, tuple[tuple, dict]] = {
    "array": (("dtype",), {"copy": True}),
    "asarray": (("dtype", "order"), {}),
    "asanyarray": (("dtype", "order"), {}),
    "ascontiguousarray": (("dtype",), {"order": "C", "ndmin": 1}),
    "asfortranarray": (("dtype",), {"order": "F"}),
}
"""What makes arrays of anything, with the names of settings that may be given by position, and what it stands for."""
LIBRARIES = {"numpy", "scipy", "wengert"}
"""Packages whose own arrays stay as they are."""


def recordable_buffers(program: Program, found: Found) -> tuple[Callable, Callable]:
    """What lets this thread's functions make, by these names or others of modules', buffers that hold recorded values.

    `found` is what the function looks up. The first that is returned puts this into the namespaces, the second puts
    back what was there. Each is one call of what is written in C, with no instruction of Python's in between at which
    an interruption could come: call the second in a ``finally``, before anything else that is called there.
    """
    patches: dict[int, tuple[dict, dict]] = {}
    for namespace, name, function in _patches(program, found):
        patches.setdefault(id(namespace), (namespace, {}))[1][name] = function
    namespaces, ours = zip(*patches.values(), strict=True)
    before = [{name: namespace[name] for name in names if name in namespace} for namespace, names in patches.values()]
    new = [(namespace, name, None) for namespace, names in patches.values() for name in names if name not in namespace]
    put = map(dict.update, namespaces, ours)
    put_back = chain(map(dict.update, namespaces, before), starmap(dict.pop, new))
    return functools.partial(deque, put, maxlen=0), functools.partial(deque, put_back, maxlen=0)


def _patches(program: Program, found: Found) -> Iterator[tuple[dict, str, Any]]:
    """What is put into namespaces: for each the namespace, the name and the value."""
    buffers = (*BUFFERS, *(OTHERS if program.replaced.dtypes else ()))
    ours = {name: _buffer(getattr(np, name), program) for name in buffers}
    ours |= {name: _copy(getattr(np, name), program) for name in COPIES}
    for name, function in ours.items():
        yield vars(np), name, function
    for namespace, code in found.codes:
        if "isinstance" in names_of(code) and "isinstance" not in namespace:
            yield namespace, "isinstance", _is_instance
    by_function = {id(getattr(np, name)): function for name, function in ours.items()}
    for place, value in found.entries:  # ``from numpy import zeros``
        if id(value) in by_function and isinstance(place, Item) and _is_only_called(place, found):
            yield place.holder, place.key, by_function[id(value)]
    yield from program.replaced.patches()


def _is_instance(x: Any, classes: Any, /) -> bool:
    """Python's ``isinstance``: what is in the place of an array or a number is one.

    Classes that look at values themselves get the recorded one, by which the program then decides.
    """
    value = bare(x) if isinstance(x, Box) else x
    if isinstance(value, Trace) and _go_by_class(classes) and value._is_instead_of(x):
        x = looks(value._held)
    return isinstance(x, classes)


def _go_by_class(classes: Any) -> bool:
    """Whether what is asked about is the class of an object only."""
    if isinstance(classes, (tuple, UnionType)):
        return all(map(_go_by_class, classes if isinstance(classes, tuple) else classes.__args__))
    return getattr(type(classes), "__instancecheck__", None) in BY_CLASS


BY_CLASS = {type.__instancecheck__, ABCMeta.__instancecheck__}
"""How it is found out; not by protocols, which look for attributes."""


def _is_only_called(place: Item, found: Found) -> bool:
    """Whether code does nothing with a variable but call it, so that nobody sees that it is another one meanwhile."""
    codes = [code for variables, code in found.codes if variables is place.holder]
    return bool(codes) and all(only_called(code, place.key) for code in codes)


def _for_us(function: Callable, program: Program, for_items: bool = False) -> Callable:
    """What takes a function's place where this thread calls it from outside of the libraries, until all is recorded.

    `for_items` says that `map` may call it, too.
    """
    thread = threading.get_ident()

    def decorate(ours: Callable) -> Callable:
        @functools.wraps(function)
        def choose(*args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            caller = frame.f_globals.get("__name__", "").partition(".")[0]
            # What is written in C has no frame: it would be taken for the function that calls it, and needs an array.
            # So what `map` calls has to be named in the frame, and is given a recorded value.
            mine = threading.get_ident() == thread and caller not in LIBRARIES and not program.closed
            mine = mine and (calls(frame, choose) or (for_items and is_for_item(frame, args)))
            return (ours if mine else function)(*args, **kwargs)

        def is_for_item(frame: FrameType, args: tuple) -> bool:
            return function.__name__ in frame.f_code.co_names and holds_wrapper(args[:1]) and goes_over(frame)

        choose.stands_for = function  # type: ignore[attr-defined]
        return choose

    return decorate


def _buffer(function: Callable, program: Program) -> Callable:
    name = function.__name__
    dtypes = INEXACT if name in OTHERS else program.replaced.dtypes or INEXACT

    @_for_us(function, program)
    def make(*args: Any, **kwargs: Any) -> Any:
        if name == "full" and len(args) > 1 and holds_wrapper(args[1]):
            return _full_of(program, *args, **kwargs)
        array = function(*args, **kwargs)
        if type(array) is not np.ndarray or array.dtype.char not in dtypes:
            return array
        if name in ("empty", "empty_like"):
            array[...] = 0
        is_uniform = name in UNIFORM and (name != "full" or uniform(array) is not None)
        return _boxed(_traced(array, program, is_uniform))

    return make


def _full_of(program: Program, shape: Any, value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    value = joined(value)
    note_filled(value)
    buffer = _boxed(_traced(_ZEROS(shape, dtype or value.dtype, kwargs.get("order", "C")), program))
    buffer[...] = value
    return buffer


_ZEROS = np.zeros


def _traced(array: np.ndarray, program: Program, is_uniform: bool = False) -> Trace:
    """The array as a value of the program; in a large one that is uniform, one number stands for many."""
    number = array.flat[0] if is_uniform and array.size > SMALL else None
    if number is None or (not number and any(number.tobytes())):  # a sum with -0.0 would lose its sign
        return Trace._of(array, program.constant(array), program)
    zeros = recorded(program, _ZEROS, "zeros", (array.shape, array.dtype), {})
    return lying_as(zeros + number if number else zeros, array)


def _boxed(value: Trace) -> Tensor:
    buffer = Tensor._box(value)
    buffer._mutable = True  # also where it has no axes
    return buffer


SMALL = 512
"""Elements up to which a uniform array is written down as it is."""


def _copy(function: Callable, program: Program) -> Callable:
    names, standard = COPIES[function.__name__]
    is_new = function.__name__ == "array"

    @_for_us(function, program, for_items=True)
    def make(data: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(names, args, strict=False)) | kwargs
        if len(args) > len(names) or not holds_wrapper(data) or not given.keys() <= LAYOUT:
            array = function(data, *args, **kwargs)
            is_filled_later = isinstance(data, list) and array.dtype.char in INEXACT and array.size <= SMALL
            is_filled_later |= is_new and array.dtype.char in program.replaced.dtypes
            return _boxed(_traced(array, program)) if is_filled_later else array
        return _array_of(program, data, **(standard | given))

    return make


LAYOUT = {"dtype", "copy", "order", "ndmin", "subok", "device"}
"""Settings of arrays that recorded values have, too."""


def _array_of(
    program: Program,
    data: Any,
    dtype: Any = None,
    copy: bool | None = None,
    order: str | None = None,
    ndmin: int = 0,
    **_: Any,
) -> Any:
    """NumPy's array of recorded values: what is given itself, or a view of it, where NumPy makes no copy."""
    array = joined(data)
    note_filled(array)
    is_new = array is not data or not (array.ndim or _is_memory(array))
    if array is not data:  # of a list of arrays: whatever order they are in
        order = "F" if order == "F" else "C"
    if dtype is not None and array.dtype != np.dtype(dtype):
        array, is_new = array.astype(dtype), True
        array = array if lies(array, order) else _copied(array, order or "K")
    elif is_new or copy or not lies(array, order):
        array, is_new = _copied(array, order or "K"), True
    if is_new and copy is False:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    if is_new and array.ndim and isinstance(array, Trace):
        array = _boxed(array)
    elif is_new and not array.ndim:
        array = _full_of(program, (), array)  # an array, which is written in place, and of which there are views
    missing = ndmin - array.ndim
    return array.reshape((1,) * missing + array.shape) if missing > 0 else array


def _is_memory(x: Any) -> bool:
    """Whether a value without axes is an array, and no number."""
    return x._is_memory() if isinstance(x, Trace) else x._is_view or getattr(x, "_mutable", False)


def _copied(x: Any, order: str) -> Any:
    """A copy; of Python's numbers it is NumPy's."""
    return Trace._table[np.copy](x, order) if isinstance(x, Trace) else x.copy(order)
