"""Making tensors."""

import operator
from typing import Any

import numpy as np

from wengert.box import Box, array_from, array_of, bare, is_numpys
from wengert.dialects.torch import dtypes
from wengert.dialects.torch.dtypes import as_numpy, check_options
from wengert.dialects.torch.errors import OptionError, TorchError, TypeMismatchError
from wengert.dialects.torch.tensor import Tensor
from wengert.protocol import is_recorded
from wengert.views import on_array


def made(array: Any, requires_grad: bool = False) -> Tensor:
    """A tensor around a fresh array."""
    t = Tensor._box(array)
    return t.requires_grad_() if requires_grad else t


def _numbers(operation: str, data: Any) -> np.ndarray:
    """An array of what a user gives: numbers, (nested sequences of) numbers and tensors, arrays."""
    if isinstance(data, Box):
        return array_of(data, copy=True)
    if isinstance(data, (list, tuple)):
        data = _opened(data)
    try:
        array = array_from(data)
    except ValueError as error:
        raise OptionError(
            f"[{operation}] expected sequences of equal length at each depth; received {type(data).__name__}: {error}"
        ) from error
    if array.dtype.kind not in "fciub":
        raise TypeMismatchError(
            f"[{operation}] numbers were required; received {type(data).__name__}: can't convert it, which has dtype "
            f"{array.dtype}"
        )
    return array


def _opened(data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return [_opened(item) for item in data]
    return bare(data)


def _inferred(data: Any, array: np.ndarray) -> np.dtype:
    """The dtype of a tensor made of Python numbers is the default one; arrays and tensors keep theirs."""
    kept = is_numpys(data)
    if kept or array.dtype.kind not in "fc" or _holds_arrays(data):
        return array.dtype if array.size or kept else dtypes.default_dtype()
    if not array.size:
        return dtypes.default_dtype()
    return dtypes.default_dtype() if array.dtype.kind == "f" else dtypes.default_complex()


def _holds_arrays(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return is_numpys(data)


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor with a copy of `data`: float32 for Python floats, int64 for integers."""
    if device is not None:
        check_options("tensor", device)
    array = _numbers("tensor", data)
    wanted = _inferred(data, array) if dtype is None else as_numpy(dtype)
    return made(array if array.dtype == wanted else array.astype(wanted), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor: itself if it is one, on the same memory if it is an array."""
    check_options("as_tensor", device)
    wanted = as_numpy(dtype)
    if isinstance(data, Tensor):
        return data if wanted is None or wanted == data._spec.dtype else data.to(dtype)
    if (isinstance(data, np.ndarray) or is_recorded(bare(data))) and (wanted is None or wanted == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None, requires_grad: bool = False
) -> Tensor:
    """`obj` as a tensor, on the same memory where possible and `copy` is not true."""
    t = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    return t.detach().requires_grad_() if requires_grad else t


def from_numpy(ndarray: np.ndarray) -> Any:
    """A tensor on the memory of an array: writing either writes both."""
    recorded = bare(ndarray)
    if is_recorded(recorded) and not isinstance(ndarray, Tensor):
        t = made(recorded.copy())
        recorded._lent(ndarray, t)
        return t
    if not isinstance(ndarray, np.ndarray):
        raise TypeMismatchError(f"[from_numpy] expected np.ndarray; received {type(ndarray).__name__}")
    if ndarray.dtype.kind not in "fciub":
        raise TypeMismatchError(f"[from_numpy] an array of numbers was required: can't convert dtype {ndarray.dtype}")
    return on_array(Tensor, ndarray)


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A number as a tensor of the default dtype."""
    return tensor(s, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


# Of a shape --------------------------------------------------------------------------------------------------------


def shape_of(operation: str, sizes: tuple, size: Any = None) -> tuple:
    """The shape that is given as several integers or as one sequence."""
    if size is not None:
        sizes = (size,)
    if len(sizes) == 1 and (
        isinstance(sizes[0], (tuple, list)) or (isinstance(sizes[0], Tensor) and sizes[0]._spec.ndim)
    ):
        sizes = tuple(sizes[0])
    try:
        shape = tuple(map(operator.index, sizes))
    except TypeError as error:
        raise TypeMismatchError(f"[{operation}] integers were required as sizes; received {sizes!r}") from error
    if any(n < 0 for n in shape):
        raise TorchError(f"[{operation}] Trying to create tensor with negative dimension: {list(shape)}")
    return shape


def _of_shape(name: str, make: Any, what: str) -> Any:
    def factory(
        *sizes: Any, size: Any = None, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
        requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None,
    ) -> Tensor:  # fmt: skip
        check_options(name, device, layout)
        wanted = dtypes.default_dtype() if dtype is None else as_numpy(dtype)
        result = made(make(shape_of(name, sizes, size), wanted), requires_grad)
        return result if out is None else out.copy_(result)

    factory.__name__ = factory.__qualname__ = name
    factory.__doc__ = f"A tensor of the given sizes{what}."
    return factory


zeros = _of_shape("zeros", np.zeros, " filled with 0")
ones = _of_shape("ones", np.ones, " filled with 1")
empty = _of_shape("empty", np.zeros, ", whose values are to be set")


def full(
    size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor with `fill_value` everywhere."""
    check_options("full", device, layout)
    value = array_of(fill_value)
    wanted = _inferred(fill_value, value) if dtype is None else as_numpy(dtype)
    return made(np.full(shape_of("full", (size,)), value, wanted), requires_grad)


def _like(name: str, make: Any, what: str) -> Any:
    def factory(
        input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
        memory_format: Any = None, pin_memory: bool = False,
    ) -> Tensor:  # fmt: skip
        check_options(name, device, layout)
        return made(make(input._spec.shape, input._spec.dtype if dtype is None else as_numpy(dtype)), requires_grad)

    factory.__name__ = factory.__qualname__ = name
    factory.__doc__ = f"A tensor of the shape and dtype of `input`{what}."
    return factory


zeros_like = _like("zeros_like", np.zeros, " filled with 0")
ones_like = _like("ones_like", np.ones, " filled with 1")
empty_like = _like("empty_like", np.zeros, ", whose values are to be set")


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, **options: Any) -> Tensor:
    """A tensor of the shape and dtype of `input` with `fill_value` everywhere."""
    return full(input._spec.shape, fill_value, dtype=input.dtype if dtype is None else dtype, **options)


# Ranges ------------------------------------------------------------------------------------------------------------


def arange(
    *bounds: Any, start: Any = None, end: Any = None, step: Any = None, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from `start` up to, and without, `end`: int64 if all bounds are integers."""
    check_options("arange", device, layout)
    given = [bare(b) for b in bounds]
    given = [b.item() if isinstance(b, (np.ndarray, np.generic)) else b for b in given]
    if start is not None:
        given.insert(0, start)
    if end is not None:
        given.append(end)
    if step is not None:
        given = [0, *given] if len(given) == 1 else given
        given.append(step)
    if len(given) == 3 and given[2] == 0:
        raise TorchError("[arange] step must be nonzero")
    if len(given) > 1 and (given[1] - given[0]) * (given[2] if len(given) > 2 else 1) < 0:
        raise TorchError(f"[arange] upper bound and lower bound inconsistent with step sign: {given}")
    whole = all(isinstance(b, (int, np.integer)) for b in given)
    wanted = as_numpy(dtype) if dtype is not None else np.dtype(np.int64) if whole else dtypes.default_dtype()
    return made(np.arange(*given).astype(wanted), requires_grad)


def linspace(
    start: Any, end: Any, steps: int, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` evenly spaced numbers from `start` to `end`, both included."""
    check_options("linspace", device, layout)
    wanted = dtypes.default_dtype() if dtype is None else as_numpy(dtype)
    return made(np.linspace(bare(start), bare(end), steps).astype(wanted), requires_grad)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, **options: Any) -> Tensor:
    """Powers of `base` whose exponents are evenly spaced from `start` to `end`."""
    wanted = dtypes.default_dtype() if dtype is None else as_numpy(dtype)
    check_options("logspace", options.get("device"), options.get("layout"))
    return made(
        np.logspace(bare(start), bare(end), steps, base=base).astype(wanted), options.get("requires_grad", False)
    )


def eye(
    n: int, m: int | None = None, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Ones on the diagonal, zeros elsewhere."""
    check_options("eye", device, layout)
    return made(np.eye(n, m, dtype=dtypes.default_dtype() if dtype is None else as_numpy(dtype)), requires_grad)


def complex(real: Tensor, imag: Tensor) -> Tensor:
    """A complex tensor of its real and imaginary parts."""
    return real + imag * 1j


def tril_indices(row: int, col: int, offset: int = 0, **options: Any) -> Tensor:
    """Row and column numbers of a matrix's lower triangle."""
    return made(np.array(np.tril_indices(row, offset, col)))


def triu_indices(row: int, col: int, offset: int = 0, **options: Any) -> Tensor:
    """Row and column numbers of a matrix's upper triangle."""
    return made(np.array(np.triu_indices(row, offset, col)))


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input._spec.size


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating-point numbers."""
    return input._spec.real


def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers."""
    return input._spec.is_complex


__all__ = [
    "arange", "as_tensor", "asarray", "complex", "empty", "empty_like", "eye", "from_numpy", "full", "full_like",
    "is_complex", "is_floating_point", "is_tensor", "linspace", "logspace", "numel", "ones", "ones_like",
    "scalar_tensor", "tensor", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip
