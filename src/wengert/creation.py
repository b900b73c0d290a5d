"""Making tensors."""

from typing import Any

import numpy as np

from wengert.box import Box, bare, plain
from wengert.errors import DTypeError, GradientError, LostGradientError
from wengert.face import ArrayFace
from wengert.protocol import Wrapper, everything, is_open, is_recorded
from wengert.sequences import joined
from wengert.tensor import Tensor

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]


def _made(array: Any, requires_grad: bool = False) -> Tensor:
    """A tensor around a fresh array. Without axes it is still an array to its user: ``t += 1`` changes it."""
    t = Tensor._box(array)
    if not t._spec.ndim:
        t._mutable = True
    return t.requires_grad_() if requires_grad else t


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """A tensor with a copy of `data`.

    Parameters
    ----------
    data : array_like
        Numbers, nested sequences of numbers, arrays, or a tensor without a history.
    requires_grad : bool
        Record what is computed from it, and collect its gradient.
    dtype : NumPy dtype, optional
        By default NumPy's choice for `data`; Python integers become ``int64``, which cannot require grad.

    Raises
    ------
    DTypeError
        If `requires_grad` is asked of integers, booleans or objects.
    LostGradientError
        If `data` holds tensors whose history would be dropped.

    Examples
    --------
    >>> import wengert as wg
    >>> wg.tensor([1.0, 2.0], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """
    return _made(np.array(_numbers(_sole(data)), dtype), requires_grad)


def _numbers(data: Any) -> np.ndarray:
    array = plain(data)
    if array.dtype.kind not in "fciub":
        raise DTypeError(
            f"[tensor] numbers were required; received {type(data).__name__}, which NumPy makes an array "
            f"of dtype {array.dtype} and shape {array.shape}"
        )
    return array


def asarray(data: Any, dtype: Any = None) -> Any:
    """A tensor that shares the memory of `data` where possible, until either is written to; tensors as they are.

    Nested lists of numbers and tensors become one tensor, through which gradients flow: it is what ``np.array([...])``
    is for plain numbers. NumPy's own ``np.array([...], like=t)`` does the same.

    Writing into the tensor never changes the array, which somebody else holds: the tensor moves to a copy first.
    """
    if isinstance(data, (list, tuple)) and holds_recorded(data):
        return asarray(joined(data), dtype)
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == np.dtype(dtype) else data.astype(dtype)
    if isinstance(data, ArrayFace) and not isinstance(data, Box) and is_open(data._level):  # a transformation's own
        return data if dtype is None or data.dtype == np.dtype(dtype) else data.astype(dtype)
    return _made(np.asarray(_numbers(data), dtype))


def holds_recorded(data: Any) -> bool:
    """Whether a value that a tape or a program records is in nested sequences, or is what is asked about."""
    if isinstance(data, (list, tuple)):
        return any(map(holds_recorded, data))
    return isinstance(data, Wrapper) and (data._carries_gradient() or is_recorded(everything(data)))


def _sole(data: Any) -> Any:
    if isinstance(data, Wrapper) and data._carries_gradient():
        raise LostGradientError(
            f"[tensor] numbers were required; received a tensor of {data._spec!r} whose history "
            f"would be lost; use t.copy() to keep it, or t.detach() to drop it"
        )
    return bare(data)


def _leaf_if(t: Tensor, requires_grad: bool, operation: str) -> Tensor:
    """Make a result a leaf, if that is asked for and it has no history that would be lost."""
    if requires_grad and not t.is_leaf:
        raise GradientError(
            f"[{operation}] with requires_grad=True values without a history were required; received some "
            f"that are recorded, so that the result requires grad already; leave requires_grad out"
        )
    if not requires_grad:
        return t
    return (t.copy() if t._is_view else t).requires_grad_()


def zeros(shape: Any, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """Zeros, ready to be written into: ``out = wg.zeros(n); out[i] = f(x[i])`` is recorded."""
    return _made(np.zeros(shape, dtype), requires_grad)


def ones(shape: Any, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """Ones."""
    return _made(np.ones(shape, dtype), requires_grad)


def full(shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """An array with `fill_value` everywhere; a recorded `fill_value` stays recorded."""
    if isinstance(fill_value, Wrapper):
        filled = _made(np.zeros(shape, dtype or fill_value._spec.dtype))
        filled[...] = fill_value
        return _leaf_if(filled, requires_grad, "full")
    return _made(np.full(shape, fill_value, dtype), requires_grad)


def empty(shape: Any, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """An array whose values are not set yet."""
    return _made(np.empty(shape, dtype), requires_grad)


def arange(*args: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Evenly spaced values; see `numpy.arange`."""
    return _made(np.arange(*map(_sole, args), dtype=dtype), requires_grad)


_linspace: Any = np.linspace  # of tensors it gives a tensor, which NumPy's own annotations cannot say


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """`num` evenly spaced values from `start` to `stop`, whose gradients flow; see `numpy.linspace`."""
    if isinstance(start, Wrapper) or isinstance(stop, Wrapper):
        return _leaf_if(_linspace(start, stop, num, endpoint, dtype=dtype), requires_grad, "linspace")
    return _made(np.linspace(start, stop, num, endpoint, dtype=dtype), requires_grad)


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """Ones on a diagonal, zeros elsewhere."""
    return _made(np.eye(n, m, k, dtype), requires_grad)


def zeros_like(a: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of `a`. `numpy.zeros_like` of a tensor gives the same."""
    return _made(np.zeros_like(bare(a), dtype), requires_grad)


def ones_like(a: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of `a`."""
    return _made(np.ones_like(bare(a), dtype), requires_grad)


def full_like(a: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """An array of the shape and dtype of `a` with `fill_value` everywhere."""
    a = bare(a)
    return full(np.shape(a), fill_value, dtype or np.asarray(a).dtype, requires_grad)


def empty_like(a: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """An array of the shape and dtype of `a` whose values are not set yet."""
    return _made(np.empty_like(bare(a), dtype), requires_grad)


def _of_a_kind(make: Any) -> Any:
    """What NumPy's ``like=`` calls: memory order and copies are not asked for."""

    def entry(*args: Any, order: Any = None, copy: Any = None, subok: Any = None, device: Any = None, **keywords: Any):
        return make(*args, **keywords)

    return entry


# ``np.zeros(3, like=t)`` and its kin: NumPy's own way to ask for a buffer of the same kind as an array.
for _function, _make in (
    (np.zeros, zeros), (np.ones, ones), (np.empty, empty), (np.full, full), (np.eye, eye), (np.arange, arange),
    (np.asarray, asarray), (np.array, lambda data, dtype=None: asarray(data, dtype).copy()),
):  # fmt: skip
    Tensor._table[_function] = _of_a_kind(_make)
