"""The operations of `NDArray`, in Java's spelling.

Where only the name differs the engine's own function is the method. A table says which; the rest is written out below,
for its arguments.
"""
# Of arrays NumPy's functions give arrays, and methods are installed: neither is visible to a type checker.
# mypy: disable-error-code="attr-defined, override, return-value, assignment, arg-type"

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import array_of, bare
from wengert.dialects.djl.errors import IllegalArgumentException
from wengert.dialects.djl.ndarray.array import NDArray
from wengert.dialects.djl.ndarray.home import ClosedHome
from wengert.dialects.djl.ndarray.ndlist import NDList
from wengert.dialects.djl.ndarray.types import DataType, dtype_of, shape_of
from wengert.face import COMPARISONS
from wengert.nn import log_softmax, one_hot, softmax
from wengert.writes import in_place

UNARY = {
    "neg": np.negative, "abs": np.abs, "square": np.square, "sqrt": np.sqrt, "cbrt": np.cbrt, "floor": np.floor,
    "ceil": np.ceil, "round": np.rint, "trunc": np.trunc, "exp": np.exp, "log": np.log, "log10": np.log10,
    "log2": np.log2, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "toDegrees": np.degrees, "toRadians": np.radians, "sign": np.sign,
}  # fmt: skip
BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "mod": np.remainder, "pow": np.power,
    "maximum": np.maximum, "minimum": np.minimum, "atan2": np.arctan2, "dot": np.dot, "matMul": np.matmul,
    "swapAxes": np.swapaxes, "expandDims": np.expand_dims, "diff": np.diff,
}  # fmt: skip
IN_PLACE = ("add", "sub", "mul", "div", "mod", "pow")
WITHOUT_GRADIENT = {
    "eq": np.equal, "neq": np.not_equal, "gt": np.greater, "gte": np.greater_equal, "lt": np.less,
    "lte": np.less_equal, "logicalAnd": np.logical_and, "logicalOr": np.logical_or, "logicalXor": np.logical_xor,
    "logicalNot": np.logical_not, "isNaN": np.isnan, "isInfinite": np.isinf,
}  # fmt: skip
REDUCTIONS = {"sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min}
TABLE = NDArray._table


def axes_of(axes: Any) -> Any:
    """Axes as NumPy takes them."""
    return axes if axes is None or isinstance(axes, int) else tuple(axes)


def _named(name: str, function: Callable, text: str) -> None:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    setattr(NDArray, name, function)


def _alias(name: str, function: Any) -> None:
    """A method that is the engine's own function, looked up when first used: to make it costs a millisecond."""

    def first_use(self: NDArray, *args: Any) -> Any:
        setattr(NDArray, name, TABLE[function])
        return getattr(self, name)(*args)

    _named(name, first_use, f"See `numpy.{function.__name__}`.")


def _updating(name: str, function: Any) -> None:
    """A method that writes its result into the array, and gives it back."""
    update = in_place(function, rebind=False)

    def method(self: NDArray, other: Any) -> NDArray:
        self._live()
        if isinstance(other, NDArray):
            other._live()
        return update(self, other)

    _named(f"{name}i", method, f"See `numpy.{function.__name__}`, in place.")


def _plain(name: str, function: Any) -> None:
    """A method whose result carries no gradient."""
    call = TABLE[function]

    def one(self: NDArray) -> NDArray:
        self._live()
        result = call(self)
        result._level = self._level
        return result

    def two(self: NDArray, other: Any) -> NDArray:
        level = self._level
        if level.__class__ is ClosedHome or (isinstance(other, NDArray) and other._level.__class__ is ClosedHome):
            ClosedHome.refuse()
        result = call(self, other)
        result._level = level
        return result

    _named(name, one if function.nin == 1 else two, f"See `numpy.{function.__name__}`.")


def _reduction(name: str, function: Any) -> None:
    """A method that reduces everything, or axes, which may be kept with length 1."""
    reduce = TABLE[function]

    def method(self: NDArray, axes: Any = None, keepDims: bool = False) -> NDArray:
        if axes is None:
            return reduce(self)
        axes = axes if axes.__class__ is int else axes[0] if len(axes) == 1 else tuple(axes)
        return reduce(self, axis=axes, keepdims=True) if keepDims else reduce(self, axis=axes)

    _named(name, method, f"See `numpy.{function.__name__}`: of everything, or along axes; they may be kept.")


for _name, _function in (UNARY | BINARY).items():
    _alias(_name, _function)
for _name in IN_PLACE:
    _updating(_name, BINARY[_name])
for _name, _function in WITHOUT_GRADIENT.items():
    _plain(_name, _function)
for _name, _function in REDUCTIONS.items():
    _reduction(_name, _function)
for _name, _function in COMPARISONS.items():
    _plain(f"__{_name}__", _function)
NDArray.__hash__ = object.__hash__


def _special(name: str, array: NDArray) -> NDArray:
    """A special function of SciPy's, which is loaded only now."""
    import scipy.special

    return TABLE[getattr(scipy.special, name)](array)


def _beside(array: NDArray, positions: np.ndarray, axis: int) -> NDArray:
    """The part of an array that positions along an axis can name: of other axes as far as those go."""
    along = axis % max(1, positions.ndim)
    return array[tuple(slice(None if i == along else n) for i, n in enumerate(positions.shape))]


class _Methods(NDArray):
    """What is written out. Its methods are moved to `NDArray` below."""

    __slots__ = ()

    # In place ---------------------------------------------------------------------------------------------------

    def negi(self) -> NDArray:
        """Change every sign, in place."""
        return self.muli(-1)

    def absi(self) -> NDArray:
        """Take absolute values, in place."""
        self.set("...", self.abs())
        return self

    def signi(self) -> NDArray:
        """Take signs, in place."""
        self.set("...", self.sign())
        return self

    # Reductions -------------------------------------------------------------------------------------------------

    def all(self) -> NDArray:
        """Whether all elements are nonzero, as an array of one truth value."""
        return self._boxed(np.all(self._read("all")))

    def any(self) -> NDArray:
        """Whether any element is nonzero, as an array of one truth value."""
        return self._boxed(np.any(self._read("any")))

    def none(self) -> NDArray:
        """Whether no element is nonzero, as an array of one truth value."""
        return self._boxed(not np.any(self._read("none")))

    def _boxed(self, value: Any) -> NDArray:
        """A result that may be plain, as an array of the same manager."""
        return value if isinstance(value, NDArray) else self._kept(NDArray._box(value))

    def countNonzero(self, axis: int | None = None) -> NDArray:
        """How many elements are nonzero, of all or along an axis."""
        return self._boxed(np.asarray(np.count_nonzero(self._read("countNonzero"), axis=axis), np.int64))

    def nonzero(self) -> NDArray:
        """The positions of elements that are nonzero, one in each row."""
        return self._boxed(np.argwhere(np.atleast_1d(self._read("nonzero"))))

    def argMax(self, axis: int | None = None) -> NDArray:
        """The position of the largest element, of all or along an axis."""
        return self._position(np.argmax, axis)

    def argMin(self, axis: int | None = None) -> NDArray:
        """The position of the smallest element, of all or along an axis."""
        return self._position(np.argmin, axis)

    def _position(self, function: Callable, axis: int | None) -> NDArray:
        value = self._read(function.__name__)
        if not self._spec.size:
            raise IllegalArgumentException(
                f"[{function.__name__}] an array with elements was required; received {self._spec!r}"
            )
        return self._boxed(np.int64(0) if not self._spec.ndim else function(value, axis))

    def cumSum(self, axis: int | None = None) -> NDArray:
        """Sums of all elements so far, along an axis or of the flattened array."""
        return TABLE[np.cumsum](self, axis)

    def cumProd(self, axis: int, dataType: DataType | None = None) -> NDArray:
        """Products of all elements so far along an axis."""
        if dataType is None:
            return np.cumprod(self, axis)
        return np.cumprod(self.toType(dataType, False), axis).toType(dataType, False)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> NDArray:
        """Sums along diagonals."""
        return np.trace(self, offset, axis1, axis2)

    def median(self, axes: Any = None) -> NDArray:
        """The middle of the sorted elements, of all or along axes."""
        return np.median(self, axes_of(axes))

    def percentile(self, percentile: float, axes: Any = None) -> NDArray:
        """A percentile, of all elements or along axes; without a gradient."""
        return self._boxed(np.percentile(self, percentile, axes_of(axes)).astype(self._spec.dtype))

    def norm(self, *arguments: Any) -> NDArray:
        """The norm: ``norm()``, ``norm(keepDims)``, ``norm(axes[, keepDims])``, ``norm(order, axes[, keepDims])``.

        Of several axes it is that of the vector of all their elements.
        """
        rest = list(arguments)
        order = rest.pop(0) if rest and isinstance(rest[0], int) and not isinstance(rest[0], bool) else 2
        keep = rest.pop() if rest and isinstance(rest[-1], bool) else False
        axes = axes_of(rest[0]) if rest and len(rest[0]) else None
        if order == 2:
            return TABLE[np.linalg.norm](self, None, axes, keep)
        if axes is not None and len(axes) == 1:
            return TABLE[np.linalg.norm](self, order, axes, keep)
        if axes is None and not keep:
            return TABLE[np.linalg.norm](np.ravel(self), order)
        raise IllegalArgumentException(
            f"[norm] order 2, or one axis, was required; received order {order} and axes {axes}"
        )

    def softmax(self, axis: Any) -> NDArray:
        """Exponentials divided by their sum along axes."""
        return softmax(self, axes_of(axis)) if self._spec.ndim else softmax(self.reshape(1), 0).reshape()

    def logSoftmax(self, axis: Any) -> NDArray:
        """The logarithm of `softmax`."""
        return log_softmax(self, axes_of(axis)) if self._spec.ndim else log_softmax(self.reshape(1), 0).reshape()

    def erf(self) -> NDArray:
        """The error function."""
        return _special("erf", self)

    def erfinv(self) -> NDArray:
        """The inverse of the error function."""
        return _special("erfinv", self)

    def gammaln(self) -> NDArray:
        """The logarithm of the gamma function."""
        return _special("gammaln", self)

    # Order ------------------------------------------------------------------------------------------------------

    def argSort(self, axis: int = -1, ascending: bool = True) -> NDArray:
        """The positions that would sort an axis."""
        value = self._read("argSort")
        return self._boxed(np.argsort(value if ascending else -value, axis=axis, kind="stable"))

    def sort(self, axis: int = -1) -> NDArray:
        """The elements sorted along an axis."""
        return np.sort(self, axis=axis)

    def topK(self, k: int, axis: int, largest: bool = True, sorted: bool = True) -> NDList:
        """The `k` largest (or smallest) elements along an axis in order, and their positions."""
        order = self.argSort(axis, not largest)
        positions = np.take(bare(order), np.arange(k), axis=axis)
        return NDList(np.take_along_axis(self, positions, axis), self._boxed(positions))

    # Products ---------------------------------------------------------------------------------------------------

    def batchDot(self, other: NDArray) -> NDArray:
        """Products of matrices, one for each position of the first axis."""
        if self._spec.ndim != 3 or other._spec.ndim != 3:
            raise IllegalArgumentException(
                f"[batchDot] two arrays of three axes were required; received {self._spec!r} and {other._spec!r}"
            )
        return self.matMul(other)

    batchMatMul = batchDot

    def inverse(self) -> NDArray:
        """The inverse of a matrix."""
        return self._boxed(np.linalg.inv(self))

    # Shapes -----------------------------------------------------------------------------------------------------

    def reshape(self, *shape: Any) -> NDArray:
        """The elements in another shape, of which one length may be -1; the memory is shared."""
        return TABLE[np.reshape](self, shape if len(shape) != 1 or shape[0].__class__ is int else tuple(shape[0]))

    def flatten(self, startDim: int | None = None, endDim: int = -1) -> NDArray:
        """One axis; or all axes from one to another made one."""
        if startDim is None:
            return self.reshape(-1)
        shape, last = self.getShape(), endDim % self._spec.ndim
        return self.reshape(*shape[:startDim], shape.slice(startDim, last + 1).size(), *shape[last + 1 :])

    def squeeze(self, axes: Any = None) -> NDArray:
        """Without axes of length 1: all of them, or the given ones."""
        return TABLE[np.squeeze](self, axes_of(axes))

    def transpose(self, *axes: Any) -> NDArray:
        """The axes in another order, by default reversed."""
        axes = axes_of(axes[0]) if len(axes) == 1 and not isinstance(axes[0], int) else axes
        if axes and sorted(axes) != list(range(self._spec.ndim)):
            raise IllegalArgumentException(f"[transpose] all axes of {self._spec!r} were required; received {axes}")
        return TABLE[np.transpose](self, axes or None)

    def flip(self, *axes: Any) -> NDArray:
        """The elements in reverse order along axes."""
        return np.flip(self, axes_of(axes[0]) if len(axes) == 1 and not isinstance(axes[0], int) else axes)

    def rotate90(self, times: int, axes: Any) -> NDArray:
        """The plane of two axes turned by quarters."""
        if len(axes) != 2:
            raise IllegalArgumentException(f"[rotate90] two axes were required; received {list(axes)}")
        return np.rot90(self, times, tuple(axes))

    def broadcast(self, *shape: Any) -> NDArray:
        """The elements repeated to another shape, by the rules of broadcasting."""
        return np.broadcast_to(self, tuple(shape_of(shape)))

    def tile(self, *repeats: Any) -> NDArray:
        """The whole repeated: ``tile(n)`` or ``tile([n, m])`` times, ``tile(axis, n)``, ``tile(shape)`` to a shape."""
        return np.tile(self, self._repeats("tile", repeats))

    def repeat(self, *repeats: Any) -> NDArray:
        """Each element repeated, with the arguments of `tile`."""
        result: Any = self
        for axis, n in enumerate(self._repeats("repeat", repeats)):
            result = np.repeat(result, n, axis=axis) if n != 1 else result
        return result if result is not self else self.duplicate()

    def _repeats(self, operation: str, repeats: tuple) -> tuple[int, ...]:
        ndim = max(1, self._spec.ndim)
        if len(repeats) == 2:
            axis, n = repeats
            return tuple(n if i == axis else 1 for i in range(max(ndim, axis + 1)))
        if isinstance(repeats[0], int):
            return (repeats[0],) * ndim
        if type(repeats[0]) in (list, tuple):
            return tuple(repeats[0])
        shape, own = repeats[0], self._spec.shape
        wanted = (*own[: len(own) - len(shape)], *shape)
        if len(wanted) > len(own) or any(n == 0 or m % n for n, m in zip(own, wanted, strict=True)):
            raise IllegalArgumentException(
                f"[{operation}] a shape of multiples of {self.getShape()} was required; received {shape}"
            )
        return tuple(m // n for n, m in zip(own, wanted, strict=True))

    def concat(self, other: Any, axis: int = 0) -> NDArray:
        """The array and another, or several in a list, one after the other along an axis."""
        return np.concatenate([self, *([other] if isinstance(other, NDArray) else other)], axis)

    def stack(self, other: Any, axis: int = 0) -> NDArray:
        """The array and another, or several in a list, along a new axis."""
        return np.stack([self, *([other] if isinstance(other, NDArray) else other)], axis)

    def split(self, sections: Any, axis: int = 0) -> NDList:
        """Equal parts of an axis by their number, or the parts between positions."""
        return NDList(np.split(self, sections if isinstance(sections, int) else list(sections), axis))

    # Choice -----------------------------------------------------------------------------------------------------

    def booleanMask(self, index: NDArray, axis: int = 0) -> NDArray:
        """The parts for which a mask is true, whose axes are those from `axis` on."""
        mask = index._read("booleanMask").astype(bool)
        shape = self._spec.shape[axis : axis + mask.ndim]
        if not mask.ndim or mask.shape != shape:
            raise IllegalArgumentException(
                f"[booleanMask] a mask of shape {shape} was required; received {index._spec!r}; "
                f"the array has the shape {self.getShape()}"
            )
        return TABLE[operator.getitem](self, (*[slice(None)] * axis, mask))

    def sequenceMask(self, sequenceLength: NDArray, value: float = 0) -> NDArray:
        """`value` beyond the length of each sequence; sequences lie along the second axis."""
        if self._spec.ndim < 2 or sequenceLength._spec.shape != self._spec.shape[:1]:
            raise IllegalArgumentException(
                f"[sequenceMask] an array of shape (n, length, ...) and lengths of shape (n) were required; received "
                f"{self._spec!r} and {sequenceLength._spec!r}"
            )
        inside = np.arange(self._spec.shape[1]) < sequenceLength._read("sequenceMask")[:, None]
        inside = inside.reshape(inside.shape + (1,) * (self._spec.ndim - 2))
        return np.where(inside, self, np.asarray(value, self._spec.dtype)[()])

    def take(self, *index: Any) -> NDArray:
        """The elements of the flattened array at positions; a manager for the result may come first."""
        result = np.take(self, array_of(index[-1]).astype(np.int64))
        if len(index) == 2:
            result.attach(index[0])
        return result

    def gather(self, index: NDArray, axis: int) -> NDArray:
        """For each position of `index` the element that it names along an axis."""
        positions = index._read("gather").astype(np.int64)
        return np.take_along_axis(_beside(self, positions, axis), positions, axis)

    def gatherNd(self, index: NDArray) -> NDArray:
        """The parts at positions, of which the rows of `index` name the coordinates, axis by axis."""
        return self[tuple(index._read("gatherNd").astype(np.int64))]

    def scatter(self, index: NDArray, value: Any, axis: int) -> NDArray:
        """A copy, with `value` written where `index` names elements along an axis."""
        result, positions = self.duplicate(), index._read("scatter").astype(np.int64)
        values = value[tuple(map(slice, positions.shape))] if isinstance(value, NDArray) else value
        np.put_along_axis(_beside(result, positions, axis), positions, values, axis)
        return result

    def put(self, index: NDArray, value: NDArray) -> NDArray:
        """A copy, with `value` written at positions of the flattened array."""
        result = self.duplicate()
        result.reshape(-1)[index._read("put").astype(np.int64)] = value
        return result

    def oneHot(self, depth: int, *arguments: Any) -> NDArray:
        """Rows that are 1 at the number of each element: ``oneHot(depth[, onValue, offValue][, dataType])``."""
        rest = list(arguments)
        dtype = dtype_of(rest.pop() if rest and isinstance(rest[-1], DataType) else DataType.FLOAT32)
        hot = one_hot(self._read("oneHot").astype(np.int64), depth, bool)
        on, off = rest or (1, 0)
        return self._boxed(np.where(hot, on, off).astype(dtype))

    def clip(self, min: float, max: float) -> NDArray:
        """Elements below `min` become `min`, those above `max` become `max`."""
        return TABLE[np.clip](self, min, max)

    # Arrays like this one ---------------------------------------------------------------------------------------

    def zerosLike(self) -> NDArray:
        """Zeros of the same shape and type."""
        return self._boxed(np.zeros(self._spec.shape, self._spec.dtype))

    def onesLike(self) -> NDArray:
        """Ones of the same shape and type."""
        return self._boxed(np.ones(self._spec.shape, self._spec.dtype))

    def like(self) -> NDArray:
        """An array of the same shape and type."""
        return self.zerosLike()


for _name, _function in vars(_Methods).items():
    if callable(_function) and not _name.startswith("__"):
        setattr(NDArray, _name, _function)
