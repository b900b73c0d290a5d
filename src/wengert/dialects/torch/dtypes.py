"""The dialect's names for dtypes, devices and shapes, and the default dtype."""

from typing import Any

import numpy as np

from wengert.dialects.torch.errors import OptionError, TorchError, TypeMismatchError


class dtype:
    """A dtype: PyTorch's name for one of NumPy's, which takes it wherever it takes a dtype."""

    __slots__ = ("dtype", "is_complex", "is_floating_point", "is_signed", "itemsize", "kind", "name")

    def __init__(self, name: str, numpy_dtype: Any):
        self.name, self.dtype = name, np.dtype(numpy_dtype)
        self.kind, self.itemsize = self.dtype.kind, self.dtype.itemsize
        self.is_floating_point, self.is_complex = self.kind == "f", self.kind == "c"
        self.is_signed = self.kind in "fci"

    @property
    def type(self) -> Any:
        """NumPy's scalar class."""
        return self.dtype.type

    def to_real(self) -> "dtype":
        """The dtype of the real part."""
        return of_numpy(np.empty(0, self.dtype).real.dtype)

    def to_complex(self) -> "dtype":
        """The complex dtype of this precision."""
        return complex128 if self.itemsize == 8 and self.is_floating_point else complex64

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __eq__(self, other: Any) -> Any:
        if other.__class__ is dtype:
            return self is other
        try:
            return other is not None and np.dtype(other) == self.dtype
        except TypeError:
            return False

    def __hash__(self) -> Any:
        return hash(self.dtype)

    def __reduce__(self) -> tuple:
        return of_numpy, (self.dtype,)


float32 = float = dtype("float32", np.float32)
float64 = double = dtype("float64", np.float64)
float16 = half = dtype("float16", np.float16)
int8 = dtype("int8", np.int8)
int16 = short = dtype("int16", np.int16)
int32 = int = dtype("int32", np.int32)
int64 = long = dtype("int64", np.int64)
uint8 = dtype("uint8", np.uint8)
uint16 = dtype("uint16", np.uint16)
uint32 = dtype("uint32", np.uint32)
uint64 = dtype("uint64", np.uint64)
bool = dtype("bool", np.bool_)
complex64 = cfloat = dtype("complex64", np.complex64)
complex128 = cdouble = dtype("complex128", np.complex128)

_OF_NUMPY = {value.dtype: value for value in list(globals().values()) if isinstance(value, dtype)}
_OF_PYTHON = {"float": float32, "int": int64, "bool": bool, "complex": complex64}


def of_numpy(numpy_dtype: Any) -> dtype:
    """The dialect's name of a NumPy dtype."""
    return _OF_NUMPY[numpy_dtype]


def as_numpy(given: Any) -> Any:
    """The NumPy dtype that a ``dtype=`` argument means; `None` stays."""
    if given is None or given.__class__ is np.dtype:
        return given
    if given.__class__ is dtype:
        return given.dtype
    if given.__class__ is type and given.__name__ in _OF_PYTHON:
        return default_dtype() if given.__name__ == "float" else _OF_PYTHON[given.__name__].dtype
    try:
        return np.dtype(given)
    except TypeError as error:
        raise TypeMismatchError(f"[dtype] a dtype such as torch.float32 was required; received {given!r}") from error


# The default dtype -----------------------------------------------------------------------------------------------

_default = [np.dtype(np.float32)]
_DEFAULT_COMPLEX = {np.dtype(np.float32): np.dtype(np.complex64), np.dtype(np.float64): np.dtype(np.complex128)}


def default_dtype() -> np.dtype:
    """What Python floats become, as NumPy's dtype."""
    return _default[0]


def default_complex() -> Any:
    """What Python complex numbers become, as NumPy's dtype."""
    return _DEFAULT_COMPLEX.get(_default[0], np.dtype(np.complex64))


def get_default_dtype() -> dtype:
    """What Python floats become."""
    return of_numpy(_default[0])


def set_default_dtype(d: dtype) -> None:
    """Make Python floats become `d`, a floating-point dtype."""
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeMismatchError(f"[set_default_dtype] only floating-point types are supported; received {d!r}")
    _default[0] = d.dtype


# Devices -----------------------------------------------------------------------------------------------------------


class device:
    """A place for tensors; there is one, the CPU, that they can be put on."""

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: Any = None):
        if isinstance(type, device):
            type, index = type.type, type.index  # type: ignore[has-type]
        if isinstance(type, str) and ":" in type:
            type, _, index = type.partition(":")
        if type not in ("cpu", "cuda", "mps", "meta", "xpu"):
            raise TorchError(f"[device] 'cpu' was required; received {type!r}")
        self.type, self.index = type, None if index is None else np.int_(index).item()

    def __repr__(self) -> str:
        return (
            f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: Any) -> Any:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> Any:
        return hash((self.type, self.index))

    def __enter__(self) -> "device":
        check_device("device", self)
        return self

    def __exit__(self, *exception: Any) -> None:
        pass


CPU = device("cpu")


def check_device(operation: str, given: Any) -> None:
    """Refuse every device but the CPU."""
    if given is not None and device(given).type != "cpu":
        raise TorchError(
            f"[{operation}] device 'cpu' was required; received {str(given)!r}, which is not available here: no "
            f"accelerator found (Torch not compiled with CUDA enabled); use torch.device('cpu')"
        )


# Shapes ------------------------------------------------------------------------------------------------------------


class Size(tuple):
    """The shape of a tensor."""

    __slots__ = ()

    def numel(self) -> Any:
        """The number of elements."""
        return np.prod(self, dtype=np.int64).item()

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            return NotImplemented  # a list is made longer by ``+=``
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__


# Limits ------------------------------------------------------------------------------------------------------------


class finfo:
    """Limits of a floating-point dtype."""

    def __init__(self, type: dtype | None = None):
        numpy_dtype = default_dtype() if type is None else as_numpy(type)
        if numpy_dtype.kind not in "fc":
            raise TypeMismatchError(f"[finfo] a floating-point dtype was required; received {type!r}; use torch.iinfo")
        limits = np.finfo(numpy_dtype)
        self.bits, self.dtype = limits.bits, limits.dtype.name
        self.eps, self.max, self.min = limits.eps.item(), limits.max.item(), limits.min.item()
        self.tiny = self.smallest_normal = limits.smallest_normal.item()
        self.resolution = limits.resolution.item()

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype."""

    def __init__(self, type: dtype):
        numpy_dtype = as_numpy(type)
        if numpy_dtype.kind not in "iu":
            raise TypeMismatchError(f"[iinfo] an integer dtype was required; received {type!r}; use torch.finfo")
        limits = np.iinfo(numpy_dtype)
        self.bits, self.min, self.max, self.dtype = limits.bits, limits.min, limits.max, numpy_dtype.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The dtype of a result of operands, both with axes, of two dtypes."""
    first, second = as_numpy(type1), as_numpy(type2)
    kinds = {first.kind, second.kind}
    if kinds & set("fc") and kinds & set("iub"):
        return of_numpy(first if first.kind in "fc" else second)
    return of_numpy(np.promote_types(first, second))


def can_cast(from_: dtype, to: dtype) -> Any:
    """Whether results of one dtype may be written into a tensor of another: one of the same category or a higher."""
    ranks = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
    return ranks[as_numpy(from_).kind] <= ranks[as_numpy(to).kind]


class layout:
    """How elements lie in memory; there is one."""

    def __repr__(self) -> str:
        return "torch.strided"


strided = layout()


class memory_format:
    """An order of axes in memory; accepted, and without effect."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")


def check_options(operation: str, device: Any = None, layout: Any = None) -> None:
    """Refuse what a factory function cannot do."""
    if device is not None and device is not CPU:
        check_device(operation, device)
    if layout is not None and layout is not strided:
        raise OptionError(f"[{operation}] layout torch.strided was required; received {layout!r}")


__all__ = [
    "Size", "bool", "can_cast", "cdouble", "cfloat", "channels_last", "complex64", "complex128", "contiguous_format",
    "device", "double", "dtype", "finfo", "float", "float16", "float32", "float64", "get_default_dtype", "half",
    "iinfo", "int", "int8", "int16", "int32", "int64", "layout", "long", "memory_format", "preserve_format",
    "promote_types", "set_default_dtype", "short", "strided", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip
