"""NumPy's protocols: what every wrapper type of the library shares.

NumPy hands ``np.sin(x)`` to ``x.__array_ufunc__`` and ``np.sum(x)`` to ``x.__array_function__`` when ``x`` is not a
plain array. So NumPy is the dispatcher, and a transformation is a class derived from `Wrapper` with a `Table` that
says what each NumPy function becomes. Everything else here serves that: the shape and dtype record, and the levels.
"""

import functools
import itertools
import operator
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from wengert.errors import ArgumentError, DTypeError, LostGradientError, ShapeError
from wengert.large import LEAST

# ---------------------------------------------------------------------------------------------------------------
# Shape and dtype
# ---------------------------------------------------------------------------------------------------------------

LARGE = 512
"""Above so many elements a fresh buffer costs more than the test whether an old one may be reused."""


class Spec:
    """Shape and dtype of a value. Equal ones are the same object, so that comparing them is an identity test."""

    __slots__ = ("bulk", "dtype", "inexact", "is_complex", "large", "ndim", "plain", "real", "shape", "size")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype):
        if dtype.kind == "O":
            raise DTypeError(
                f"[tensor] numbers were required; received Python objects, shape {shape}, dtype {dtype}; "
                "tensors and numbers of other systems (the scalar dialect's Var) do not mix: pass x.value, or use one"
            )
        self.shape, self.dtype, self.ndim = shape, dtype, len(shape)
        self.size = int(np.prod(shape, dtype=object)) if shape else 1
        self.large = self.size > LARGE
        self.real, self.is_complex = dtype.kind == "f", dtype.kind == "c"
        self.inexact = self.real or self.is_complex
        self.bulk = self.size > LEAST
        self.plain = self.real and not self.bulk

    def __repr__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


_MAX_SPECS = 20_000
_specs: dict[tuple, Spec] = {}


def intern_spec(shape: tuple[int, ...], dtype: np.dtype) -> Spec:
    """The one record of this shape and dtype."""
    key = (shape, dtype)
    spec = _specs.get(key)
    if spec is None:
        if len(_specs) > _MAX_SPECS:
            # Losing identity only costs time: whoever compares by identity falls back to comparing by value.
            _specs.clear()
        spec = _specs.setdefault(key, Spec(shape, dtype))
    return spec


NUMPY_SCALARS = {np.dtype(code).type: intern_spec((), np.dtype(code)) for code in "?bhilqBHILQefdgFDG"}
PLAIN = frozenset({np.ndarray, float, int, bool, *NUMPY_SCALARS})
"""Classes of values that are constants to every transformation, and that operators treat as ufuncs do.

Python's complex is not one: ``1j * np.float64(2)`` is a Python number."""


def spec_of(value: Any) -> Spec:
    """Shape and dtype of an array, a NumPy or Python scalar, or a wrapper."""
    cls = value.__class__
    if cls is np.ndarray:
        return intern_spec(value.shape, value.dtype)
    spec = NUMPY_SCALARS.get(cls)
    if spec is not None:
        return spec
    if isinstance(value, Wrapper):
        return value._spec
    value = np.asarray(value)
    return intern_spec(value.shape, value.dtype)


# ---------------------------------------------------------------------------------------------------------------
# Levels
# ---------------------------------------------------------------------------------------------------------------

GROUND = 0
"""The level of tensors outside every transformation: they record unless `no_grad` says otherwise."""
DORMANT = -1
"""The level of tensors, outside every transformation, that record only where they are asked to (MXNet, DJL)."""

_levels: Iterator[int] = itertools.count(GROUND + 1)
_open: set[int] = {GROUND, DORMANT}


@contextmanager
def new_level() -> Iterator[int]:
    """A level above all that exist, open while a transformation runs its function.

    What leaks out of the function counts as a constant wherever it meets other values afterwards.
    """
    level = next(_levels)
    _open.add(level)
    try:
        yield level
    finally:
        _open.discard(level)


_reopening = threading.Lock()
_reopened: Counter[int] = Counter()


@contextmanager
def reopened(levels: frozenset[int]) -> Iterator[None]:
    """Levels as they were when a part of a program ran, so that it can run once more."""
    with _reopening:
        closed = [level for level in levels if level in _reopened or level not in _open]
        _reopened.update(closed)
        _open.update(closed)
    try:
        yield
    finally:
        with _reopening:
            _reopened.subtract(closed)
            for level in closed:
                if not _reopened[level]:
                    del _reopened[level]
                    _open.discard(level)


def open_levels() -> frozenset[int]:
    """The levels of the functions that are running."""
    return frozenset(_open)


def is_open(level: int) -> bool:
    """Whether the function that a level belongs to is still running; those outside every function always are."""
    return level in _open


def highest(values: tuple | list) -> "Wrapper | None":
    """The wrapper of the highest level among `values`, which is the one to handle an operation on them."""
    top = None
    for value in values:
        if isinstance(value, Wrapper) and (top is None or value._level > top._level):
            top = value
    return top


def indexable(x: Any, index: Any) -> Any:
    """An array or wrapper that can be read and written at an index, parts of which may be batches."""
    owner = highest(index if index.__class__ is tuple else (index,))
    if owner is None or (isinstance(x, Wrapper) and (x._rises or x._level >= owner._level)):
        return x
    return owner._buffer(x)


def without_history(value: Any) -> Any:
    """What is inside of tensors whose gradient nobody wants; anything else as it is."""
    while hasattr(value, "_box") and not value._carries_gradient():
        value = value._value
    return value


def innermost(value: Any) -> Any:
    """The array or NumPy scalar inside wrappers, which must stand for one value.

    In a program that is being recorded this is a decision: the program is right for these very numbers only.
    """
    while isinstance(value, Wrapper):
        value = value._read_whole() if value._recorded else value._primal() if value._stacked else value._value
    return value


def is_recorded(value: Any) -> bool:
    """Whether something is a value of a program that is being recorded."""
    return isinstance(value, Wrapper) and value._recorded


def whole_number(value: Any) -> Any:
    """``int(value)``, which a program that is being recorded computes rather than decides by."""
    inside = value
    while isinstance(inside, Wrapper) and not inside._recorded:
        inside = inside._value
    return inside._as_int() if is_recorded(inside) else int(value)


def plain_float(x: Any) -> Any:
    """A Python float also of a NumPy scalar, which would turn single precision into double; recorded ones stay."""
    return x if is_recorded(x) else float(x)


def of_number(function: Callable, ufunc: np.ufunc, x: Any) -> Any:
    """``function(x)`` of a Python number, which a program that is being recorded computes by `ufunc`."""
    return x._of_number(ufunc) if is_recorded(x) else function(x)


def ask_to_record_again(value: Any, is_array: bool = True, is_written: bool = False) -> None:
    """Before a value is read as a plain number or array: have its program recorded so that it is not, if it can be."""
    inside = value
    while isinstance(inside, Wrapper) and not inside._recorded:
        inside = inside._value
    if isinstance(inside, Wrapper):
        note_filled(value)
        inside._ask(is_array, is_written)


def note_filled(value: Any) -> None:
    """Let a program that is being recorded know that a value of a tape is where otherwise only numbers could be."""
    inside = everything(value)
    if isinstance(inside, Wrapper) and value._carries_gradient():
        inside._note_filled()


def in_memory(value: Any, exactly: bool = False) -> Any:
    """The array or NumPy scalar inside wrappers, of which only the layout may be asked.

    A program that is being recorded goes by it, and `exactly` where it asks for more than whether the order is usual.
    """
    while isinstance(value, Wrapper):
        value = value._lying(exactly) if value._recorded else value._primal() if value._stacked else value._value
    return value


def lies(value: Any, order: str | None) -> bool:
    """Whether an array lies in memory as NumPy's settings ``order=`` ask for without a copy."""
    if order not in ("C", "F"):
        return True
    flags = np.asarray(in_memory(value)).flags
    return flags.c_contiguous if order == "C" else flags.f_contiguous


def look(value: Any) -> Any:
    """Something that lies in memory as the array inside does; its numbers are not to be read."""
    inside = everything(value)
    return inside._look() if is_recorded(inside) else inside


def usual_order(value: Any) -> str:
    """The order in which many of NumPy's functions give their results: Fortran's, if an operand is in that alone."""
    return "F" if np.asarray(look(value)).flags.fnc else "C"


def lying(value: Any, order: str) -> Any:
    """A result of ours in the order in which NumPy's own lies, as that decides whether a reshape of it is a view."""
    seen = np.asarray(look(value))
    is_right = seen.flags.c_contiguous if order == "C" else seen.flags.f_contiguous
    return value if is_right or seen.ndim != value.ndim else np.copy(value, order)


def lying_as(value: Any, like: Any) -> Any:
    """The same where NumPy's result would have the axes of `like` in their order, and no gaps."""
    seen, wanted = np.asarray(look(value)), np.empty_like(look(like))
    if seen.ndim != value.ndim or seen.shape != wanted.shape or seen.strides == wanted.strides:
        return value
    if wanted.flags.forc:
        return lying(value, "C" if wanted.flags.c_contiguous else "F")
    order = sorted(range(wanted.ndim), key=lambda i: -wanted.strides[i])
    return np.transpose(np.copy(np.transpose(value, order), "C"), sorted(range(len(order)), key=order.__getitem__))


def constant(value: Any) -> Any:
    """The value without any derivative: an array or NumPy scalar, or a batch of them where it is one."""
    return value._constant() if isinstance(value, Wrapper) else value


def everything(value: Any) -> Any:
    """The array or NumPy scalar inside wrappers, with the batch axes of those that are batches.

    A value of a program that is being recorded stays one, so that what is found out about it is recorded, too.
    """
    while isinstance(value, Wrapper) and not value._recorded:
        value = value._value
    return value


def anywhere(condition: Any) -> bool:
    """Whether a condition holds at some element: how a rule asks whether a special case occurs at all."""
    return bool(np.any(everything(condition)))


def perhaps(condition: Any) -> bool:
    """Whether a special case has to be reckoned with: it occurs, or it may once a recorded program runs again."""
    inside = condition
    while isinstance(inside, Wrapper):
        if inside._recorded:
            return True
        inside = inside._value
    return anywhere(condition)


def everywhere(condition: Any) -> bool:
    """Whether a condition holds at all elements."""
    return bool(np.all(everything(condition)))


# ---------------------------------------------------------------------------------------------------------------
# Dispatch
# ---------------------------------------------------------------------------------------------------------------


class Table(dict):
    """What each NumPy function becomes for one wrapper class; entries are made when first asked for."""

    def __init__(self, make: Callable[[Any], Callable]):
        super().__init__()
        self._make = make

    def __missing__(self, function: Any) -> Callable:
        stands_for = getattr(function, "stands_for", None)
        if stands_for is not None:  # it goes by NumPy's name while a function is recorded
            return self[stands_for]
        entry = self[function] = self._make(function)
        return entry


class Wrapper:
    """Base of all wrapper types: routes NumPy's two protocols to the class's table.

    A subclass has ``_level`` (an integer), ``_spec`` (a `Spec`), ``_value`` (an array, a NumPy scalar or a wrapper of
    a lower level) and the class attribute ``_table`` (a `Table`).
    """

    __slots__ = ()
    _table: ClassVar[Table]
    _spec: Spec
    _level: int
    _value: Any
    _is_view = False
    _has_views = False
    _rises = False
    """Whether what is inside is replaced where something of a higher level is written."""
    _is_batch = False
    _stacked = False
    """Whether the value inside has an axis more than the wrapper shows."""
    _recorded = False
    """Whether this is a value of a program that is being recorded, which reads it by guards only."""
    _is_buffer = False
    """Whether values of a higher level may be written into it, so that it needs a tensor around it, which rises."""

    def _read_whole(self) -> Any:
        """The value as it is, by which a program that is being recorded decides."""
        raise NotImplementedError

    def _is_instead_of(self, owner: Any) -> bool:
        """Whether a function that is being recorded has an array or a number where it holds a tensor around this."""
        return False

    def _hash_of(self, owner: Any) -> int:
        """The hash of a tensor around a value of a program that is being recorded."""
        raise NotImplementedError

    def _ask(self, is_array: bool, is_written: bool = False) -> None:
        """Where a program is being recorded and NumPy asks for a number: see whether another recording needs none."""

    def _is_of_another_thread(self) -> bool:
        """Whether another thread records the program that this is a value of."""
        return False

    def _numpy(self) -> Any:
        """The value as an array of its own, where that is recorded."""
        return self.copy()

    def _note_filled(self) -> None:
        """Of a value of a program that is being recorded: a value of a tape is written where it is held."""

    def _as_numpys(self) -> "Wrapper":
        """The same value, in which Python's numbers are NumPy's."""
        return self

    def _carries_gradient(self) -> bool:
        """Whether dropping the value would drop a derivative."""
        return True

    def _primal(self) -> Any:
        """The one value that the wrapper stands for."""
        return self._value

    def _constant(self) -> Any:
        """The value without any derivative."""
        return constant(self._primal())

    def _zeros(self, spec: Spec) -> Any:
        """A buffer of zeros that values like this one can be written into."""
        return self._buffer(np.zeros(spec.shape, spec.dtype))

    def _add_at(self, index: Any, value: Any) -> None:
        """``np.add.at(self, index, value)``."""
        np.add.at(self, index, value)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method == "__call__" and not kwargs:
            return self._table[ufunc](*inputs if ufunc is not POWER else _no_operator(*inputs))
        return _call_ufunc(self._table, ufunc, method, inputs, kwargs)

    def __array_function__(self, func, types, args, kwargs):
        return self._table[func](*args, **kwargs)


POWER = np.power
USUAL = {(int, 2), (int, -1), (float, 0.5)}
"""Exponents for which an array's ``**`` is not `numpy.power`, but ``square``, ``reciprocal`` and ``sqrt``."""


def _no_operator(x: Any, exponent: Any) -> tuple:
    """The operands of `numpy.power`, the exponent as an array where ``**`` would be another function."""
    # Of NumPy's scalars the operator has no roots, which the function has.
    if (exponent.__class__, exponent.__hash__ and exponent) in USUAL and (x.dtype.char in "?eFD" or not x.ndim):
        exponent = np.array(exponent, None if x.dtype.char == "?" else x.dtype)
    return x, exponent


COPIED = {"take", "compress", "argmax", "argmin", "nanargmax", "nanargmin"}
"""Functions that work in a copy of ``out=`` in the dtype of the result."""


def _takes(name: str, source: np.dtype, target: np.dtype) -> bool:
    """Whether a function that is stricter than others takes ``out=`` of a dtype."""
    if name in COPIED:
        return np.can_cast(target, source)
    if name in SAME or (name.endswith((".reduce", ".accumulate")) and not name.startswith(("add.", "multiply."))):
        return source == target
    return name not in ("max", "min") or np.can_cast(source, target)


def write_out(name: str, out: Any, result: Any, stretch: bool = False, casting: Any = "same_kind") -> Any:
    """Put `result` into `out` as NumPy's ``out=`` does (ufuncs stretch to its shape), and give `out` back."""
    if isinstance(out, tuple):
        if len(out) == 1:
            return write_out(name, out[0], result, stretch, casting)
        given = zip(out, result, strict=True)
        return tuple(r if o is None else write_out(name, o, r, stretch, casting) for o, r in given)
    source, target = spec_of(result), spec_of(out)
    if source.shape != target.shape and not (stretch and _stretches(source.shape, target.shape)):
        raise ShapeError(f"[{name}] out= must have the result's shape {source.shape}; got {target.shape}")
    if not np.can_cast(source.dtype, target.dtype, casting) or not _takes(name, source.dtype, target.dtype):
        raise DTypeError(
            f"[{name}] cannot cast the result from {source.dtype} to out='s {target.dtype}; "
            f"give an out= of dtype {source.dtype}"
        )
    if isinstance(result, Wrapper) and not isinstance(out, Wrapper):
        ask_to_record_again(result, is_written=True)
        if result._carries_gradient():
            raise LostGradientError(
                f"[{name}] the result is recorded, and a plain array (out= or the left side of an in-place operator, "
                f"{target!r}) would drop its gradient; write `a = np.{name}(a, t)` instead of `a op= t`, or make the "
                f"buffer with wg.zeros or np.zeros_like(t)"
            )
        result = result._read_whole() if result._recorded else result._value
    out[...] = result
    return out


def _stretches(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another."""
    return len(shape) <= len(target) and all(n in (1, m) for n, m in zip(shape[::-1], target[::-1], strict=False))


SUMMING = {np.add, np.multiply}
"""Ufuncs of which NumPy adds up in the dtype that takes both ``out`` and what is added, to cast what comes out."""
SAME = frozenset({
    "dot", "ptp", "mean", "std", "var", "trace", "einsum", "median", "percentile", "quantile", "cumulative_sum",
    "cumulative_prod", "nansum", "nanprod", "nancumsum", "nancumprod", "nanmean", "nanstd", "nanvar", "nanmedian",
    "nanpercentile", "nanquantile", "round",
})  # fmt: skip
"""Functions that take ``out`` of the result's dtype only, or compute in another one where they are given another."""


def dtype_with_out(x: Any, out: Any) -> np.dtype:
    """The dtype in which numbers are summed into ``out``, or multiplied."""
    return np.result_type(spec_of(x).dtype, spec_of(out).dtype)


def _call_ufunc(table: Table, ufunc: np.ufunc, method: str, inputs: tuple, kwargs: dict) -> Any:
    """A ufunc call with keywords, or one of a ufunc's methods."""
    out, casting = kwargs.pop("out", None), kwargs.get("casting", "same_kind")
    name = ufunc.__name__
    if method == "__call__":
        result = _call_with_keywords(table, ufunc, inputs, kwargs, out)
    else:
        if out is not None and ufunc in SUMMING and method in ("reduce", "accumulate") and kwargs.get("dtype") is None:
            kwargs["dtype"] = dtype_with_out(inputs[0], out[0])
        result = table[ufunc, method](*inputs, **kwargs)
        name = f"{name}.{method}"
    return result if out is None else write_out(name, out, result, method == "__call__", casting)


def _cast_operand(name: str, x: Any, dtype: np.dtype) -> Any:
    """An operand of a ufunc in the dtype that ``dtype=`` asks for, by NumPy's casting rule."""
    if x.__class__ in (int, float, complex, bool):
        return np.asarray(x).astype(dtype)[()]
    if not np.can_cast(spec_of(x).dtype, dtype, "same_kind"):
        raise DTypeError(
            f"[{name}] operands that NumPy casts to dtype={dtype} were required; received {spec_of(x)!r}; convert with "
            f"astype before"
        )
    return x.astype(dtype) if isinstance(x, Wrapper) else np.asarray(x, dtype)


def _call_along_axes(
    table: Table, ufunc: np.ufunc, inputs: tuple, axes: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """A generalized ufunc along other axes than the last ones: they are moved there, and the result's back."""
    names = [core.split(",") if core else [] for core in ufunc.signature.replace("->", ",")[1:-1].split("),(")]
    cores = list(map(len, names))
    if axis is not None and axes is not None:
        raise TypeError("cannot specify both 'axis' and 'axes'")
    if axis is not None and len(set().union(*names)) > 1:
        raise TypeError(f"{ufunc.__name__}: axis can only be used with a single shared core dimension")
    if keepdims and any(cores[ufunc.nin :]):
        raise TypeError(f"{ufunc.__name__} does not support keepdims: its result has core dimensions")
    if axes is None:
        axes = [tuple(range(-n, 0)) if axis is None else (operator.index(axis),) * n for n in cores]
    axes = [tuple(entry) if isinstance(entry, (tuple, list)) else (operator.index(entry),) for entry in axes]
    if len(axes) != len(cores) and (len(axes) != ufunc.nin or any(cores[ufunc.nin :])):
        raise ValueError(f"axes should be a list with an entry for all {len(cores)} inputs and outputs")
    axes += [()] * (len(cores) - len(axes))
    moved = [
        x if not entry else np.moveaxis(x, entry, range(-len(entry), 0)) for x, entry in zip(inputs, axes, strict=False)
    ]
    result = table[ufunc](*moved)
    if keepdims:
        return np.expand_dims(result, axes[-1] or axes[0])
    return np.moveaxis(result, range(-len(axes[-1]), 0), axes[-1]) if axes[-1] else result


def _call_with_keywords(table: Table, ufunc: np.ufunc, inputs: tuple, kwargs: dict, out: tuple | None) -> Any:
    where, call = kwargs.pop("where", True), table[ufunc]
    if not kwargs.keys() <= ({"axes", "axis", "keepdims", "dtype"} if ufunc.signature else {"dtype"}):
        call = functools.partial(_call_plain, ufunc, kwargs)
    else:
        dtype = kwargs.pop("dtype", None)
        if dtype is not None:
            inputs = tuple(_cast_operand(ufunc.__name__, x, np.dtype(dtype)) for x in inputs)
        if kwargs:
            return _call_along_axes(table, ufunc, inputs, **kwargs)
    if where is True:
        return call(*inputs)
    with np.errstate(all="ignore"):
        result = call(*inputs)
    results = result if isinstance(result, tuple) else (result,)
    masked = tuple(_masked(where, y, kept) for y, kept in zip(results, out or (None,) * len(results), strict=True))
    return masked if isinstance(result, tuple) else masked[0]


def _masked(where: Any, y: Any, kept: Any) -> Any:
    """The result where it was asked for, and what ``out=`` holds elsewhere."""
    return np.where(where, y, np.zeros(spec_of(y).shape, spec_of(y).dtype) if kept is None else kept)


def _call_plain(ufunc: np.ufunc, kwargs: dict, *inputs: Any) -> Any:
    """A ufunc with keywords that steer NumPy's own loops (casting, order, signature …): not for recorded values."""
    if any(isinstance(x, Wrapper) and x._carries_gradient() for x in (*inputs, *kwargs.values())):
        raise ArgumentError(
            f"[{ufunc.__name__}] the keywords out=, where= and dtype= were required at most; received "
            f"{sorted(kwargs)}; convert with astype before, or call the ufunc on t.detach()"
        )
    results = ufunc(*map(innermost, inputs), **{k: innermost(v) for k, v in kwargs.items()})
    found = tuple(_as_operand(inputs, y) for y in (results if ufunc.nout > 1 else (results,)))
    return found if ufunc.nout > 1 else found[0]


def _as_operand(inputs: tuple, result: Any) -> Any:
    """A result as what the operands are: a tensor, and in a program that is being recorded a value of that."""
    top = highest(inputs)
    if top is None or not spec_of(result).inexact:
        return result
    inner = top._value
    return top._buffer(inner._buffer(result) if is_recorded(inner) else result)
