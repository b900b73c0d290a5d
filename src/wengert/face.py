"""The face of an ndarray: methods and operators that every wrapper type shares, each a call of NumPy."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from wengert.errors import ArgumentError, DTypeError
from wengert.protocol import Table, Wrapper, in_memory, innermost, lies
from wengert.sequences import Flat

OPERATORS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
    "matmul": np.matmul, "mod": np.remainder, "floordiv": np.floor_divide, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
    "divmod": np.divmod,
}  # fmt: skip
COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal, "gt": np.greater, "ge": np.greater_equal,
}  # fmt: skip
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}
METHODS = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "var": np.var, "std": np.std, "max": np.max, "min": np.min,
    "cumsum": np.cumsum, "cumprod": np.cumprod, "argmax": np.argmax, "argmin": np.argmin, "any": np.any,
    "all": np.all, "dot": np.dot, "round": np.round, "clip": np.clip, "take": np.take, "repeat": np.repeat,
    "argsort": np.argsort, "nonzero": np.nonzero, "searchsorted": np.searchsorted,
    "swapaxes": np.swapaxes, "squeeze": np.squeeze, "diagonal": np.diagonal, "trace": np.trace,
    "argpartition": np.argpartition, "choose": np.choose,
}  # fmt: skip


def install(cls: type, table: Table) -> None:
    """Give a wrapper class its operators and methods, each the table's own function for what NumPy calls it.

    Those that the class defines itself stay. The function is looked up when first used, since making it costs a
    millisecond.
    """
    own = vars(cls)
    methods = {f"__{name}__": ufunc for name, ufunc in {**OPERATORS, **COMPARISONS, **UNARY}.items()} | METHODS
    for name, function in methods.items():
        if name not in own:
            _install_one(cls, table, name, function)
    for name, ufunc in OPERATORS.items():
        if f"__r{name}__" not in own:
            _install_reflected(cls, table, f"__r{name}__", ufunc)


def _install_one(cls: type, table: Table, name: str, function: Any) -> None:
    def first_use(self, *args, **kwargs):
        setattr(cls, name, table[function])
        return getattr(self, name)(*args, **kwargs)

    first_use.__name__, first_use.__doc__ = name, f"See `numpy.{function.__name__}`."
    setattr(cls, name, first_use)


def _install_reflected(cls: type, table: Table, name: str, ufunc: np.ufunc) -> None:
    def first_use(self, other):
        forward = table[ufunc]
        setattr(cls, name, lambda b, a: forward(a, b))
        return forward(other, self)

    first_use.__name__, first_use.__doc__ = name, f"See `numpy.{ufunc.__name__}`."
    setattr(cls, name, first_use)


class ArrayFace(Wrapper):
    """Attributes and methods of an ndarray, in terms of NumPy calls on ``self``."""

    __slots__ = ()
    __hash__ = object.__hash__

    if TYPE_CHECKING:
        # Installed by `install`, which type checkers cannot see.

        def __add__(self, other: Any) -> Self: ...
        def __radd__(self, other: Any) -> Self: ...
        def __sub__(self, other: Any) -> Self: ...
        def __rsub__(self, other: Any) -> Self: ...
        def __mul__(self, other: Any) -> Self: ...
        def __rmul__(self, other: Any) -> Self: ...
        def __truediv__(self, other: Any) -> Self: ...
        def __rtruediv__(self, other: Any) -> Self: ...
        def __pow__(self, other: Any) -> Self: ...
        def __rpow__(self, other: Any) -> Self: ...
        def __matmul__(self, other: Any) -> Self: ...
        def __rmatmul__(self, other: Any) -> Self: ...
        def __mod__(self, other: Any) -> Self: ...
        def __rmod__(self, other: Any) -> Self: ...
        def __floordiv__(self, other: Any) -> Self: ...
        def __rfloordiv__(self, other: Any) -> Self: ...
        def __and__(self, other: Any) -> Self: ...
        def __rand__(self, other: Any) -> Self: ...
        def __or__(self, other: Any) -> Self: ...
        def __ror__(self, other: Any) -> Self: ...
        def __xor__(self, other: Any) -> Self: ...
        def __rxor__(self, other: Any) -> Self: ...
        def __lshift__(self, other: Any) -> Self: ...
        def __rlshift__(self, other: Any) -> Self: ...
        def __rshift__(self, other: Any) -> Self: ...
        def __rrshift__(self, other: Any) -> Self: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...
        def __eq__(self, other: object) -> Any: ...
        def __ne__(self, other: object) -> Any: ...
        def __neg__(self) -> Self: ...
        def __pos__(self) -> Self: ...
        def __abs__(self) -> Self: ...
        def __invert__(self) -> Self: ...
        def sum(self, *args: Any, **kwargs: Any) -> Self: ...
        def prod(self, *args: Any, **kwargs: Any) -> Self: ...
        def mean(self, *args: Any, **kwargs: Any) -> Self: ...
        def var(self, *args: Any, **kwargs: Any) -> Self: ...
        def std(self, *args: Any, **kwargs: Any) -> Self: ...
        def max(self, *args: Any, **kwargs: Any) -> Self: ...
        def min(self, *args: Any, **kwargs: Any) -> Self: ...
        def cumsum(self, *args: Any, **kwargs: Any) -> Self: ...
        def cumprod(self, *args: Any, **kwargs: Any) -> Self: ...
        def dot(self, *args: Any, **kwargs: Any) -> Self: ...
        def round(self, *args: Any, **kwargs: Any) -> Self: ...
        def clip(self, *args: Any, **kwargs: Any) -> Self: ...
        def take(self, *args: Any, **kwargs: Any) -> Self: ...
        def repeat(self, *args: Any, **kwargs: Any) -> Self: ...
        def swapaxes(self, *args: Any, **kwargs: Any) -> Self: ...
        def squeeze(self, *args: Any, **kwargs: Any) -> Self: ...
        def diagonal(self, *args: Any, **kwargs: Any) -> Self: ...
        def trace(self, *args: Any, **kwargs: Any) -> Self: ...
        def choose(self, *args: Any, **kwargs: Any) -> Self: ...
        def argmax(self, *args: Any, **kwargs: Any) -> Any: ...
        def argmin(self, *args: Any, **kwargs: Any) -> Any: ...
        def any(self, *args: Any, **kwargs: Any) -> Any: ...
        def all(self, *args: Any, **kwargs: Any) -> Any: ...
        def argsort(self, *args: Any, **kwargs: Any) -> Any: ...
        def nonzero(self, *args: Any, **kwargs: Any) -> Any: ...
        def searchsorted(self, *args: Any, **kwargs: Any) -> Any: ...
        def argpartition(self, *args: Any, **kwargs: Any) -> Any: ...

    # Attributes -------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self._spec.shape

    @property
    def dtype(self) -> np.dtype:
        """NumPy dtype of the elements."""
        return self._spec.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._spec.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._spec.size

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._spec.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._spec.size * self._spec.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return np.asarray(in_memory(self, exactly=True)).strides

    @property
    def flat(self) -> Any:
        """The elements as one axis, in C order: to be gone over, and to be read and written at an index."""
        return Flat(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        Flat(self)[:] = value

    def tobytes(self, order="C") -> bytes:
        """The elements' bytes, in C order."""
        return innermost(self).tobytes(order)

    @property
    def T(self) -> Self:
        """The axes in reverse order: a view."""
        return self._table[np.transpose](self)

    @property
    def mT(self) -> Self:
        """The last two axes swapped: a view."""
        return self._table[np.matrix_transpose](self)

    @property
    def real(self) -> Self:
        """Real part."""
        return np.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        (np.real(self) if self._spec.is_complex else self)[...] = value

    @property
    def imag(self) -> Self:
        """Imaginary part."""
        return np.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        if not self._spec.is_complex:
            raise DTypeError(
                f"[imag] an array of complex numbers was required; received {self._spec!r}; pass x.astype(complex)"
            )
        np.imag(self)[...] = value

    @property
    def device(self) -> Any:
        """Where the elements are, as the array API standard asks: always ``"cpu"``."""
        return "cpu"

    def to_device(self, device: Any, /, *, stream: Any = None) -> Self:
        """Itself: there is one device."""
        if device != "cpu" or stream is not None:
            raise ArgumentError(f"[to_device] device 'cpu' was required; received {device!r}; there is no other")
        return self

    def __len__(self) -> int:
        if not self._spec.ndim:
            raise TypeError("len() of unsized object")
        return self._spec.shape[0]

    def __iter__(self):
        if not self._spec.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self._spec.shape[0]))

    def copy(self, order: str = "C") -> Self:
        """An independent copy, whose gradient comes back here."""
        return self._table[np.copy](self, order)

    def _apart(self) -> Self:
        """The same value for somebody who writes it, or keeps it; it lies in memory as this one does."""
        return self.copy("K")

    def conj(self) -> Self:
        """The complex conjugate; real numbers are it themselves, and not in a copy, as NumPy has it."""
        return self._table[np.conjugate](self) if self._spec.is_complex else self

    def conjugate(self) -> Self:
        """See `conj`."""
        return self.conj()

    # Shapes -----------------------------------------------------------------------------------------------------

    def reshape(self, *shape: Any, order: str = "C") -> Self:
        """See `numpy.reshape`; the shape as one tuple or as several integers."""
        entry, shape = self._table[np.reshape], shape[0] if len(shape) == 1 else shape
        return entry(self, shape) if order == "C" else entry(self, shape, order)

    def transpose(self, *axes: Any) -> Self:
        """See `numpy.transpose`; the axes as one tuple or as several integers."""
        return self._table[np.transpose](self, None if not axes else axes[0] if len(axes) == 1 else axes)

    def ravel(self, order: str = "C") -> Self:
        """See `numpy.ravel`: a view where possible."""
        return self._table[np.ravel](self, order)

    def flatten(self, order: str = "C") -> Self:
        """One axis, always a copy."""
        return np.copy(np.ravel(self, order=order), order="C")

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Self:
        """Convert to another dtype; the gradient comes back in this one."""
        made = np.astype(self, np.dtype(dtype), copy=copy)
        return made if lies(made, order) else made.copy(order)

    def compress(self, condition, axis=None, out=None):
        """See `numpy.compress`."""
        return np.compress(condition, self, axis=axis, out=out)

    # In place ---------------------------------------------------------------------------------------------------

    def fill(self, value) -> None:
        """Set every element to `value`."""
        self[...] = value

    def partition(self, kth, axis=-1, kind="introselect", order=None) -> None:
        """Partition in place along an axis."""
        self[...] = np.partition(self, kth, axis=axis)

    def put(self, indices, values, mode="raise") -> None:
        """See `numpy.put`."""
        np.put(self, indices, values, mode=mode)

    def sort(self, axis=-1, kind=None, order=None) -> None:
        """Sort in place along an axis."""
        self[...] = np.sort(self, axis=axis)
