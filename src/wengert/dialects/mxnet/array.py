"""What ``mxnet.nd.NDArray`` and ``mxnet.np.ndarray`` share: gradients, devices, and reading."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import face, tape
from wengert.box import array_of, bare
from wengert.dialects.family import DialectTensor, found_family
from wengert.dialects.mxnet import graph
from wengert.dialects.mxnet.context import Context, cpu, on_cpu
from wengert.dialects.mxnet.errors import NotSupportedForSparseNDArray
from wengert.errors import LostGradientError
from wengert.generate import Family
from wengert.protocol import DORMANT
from wengert.writes import in_place


class Array(DialectTensor):
    """Base of the dialect's two array classes. Operations on it are recorded only inside ``autograd.record()``."""

    __slots__ = ("_fresh",)
    _flags = ("_fresh",)
    _ground = DORMANT

    # Gradients --------------------------------------------------------------------------------------------------

    def attach_grad(self, grad_req: str = "write", stype: str | None = None) -> None:
        """Make this array a variable, with a gradient buffer of zeros; a recorded result keeps its history as well.

        Parameters
        ----------
        grad_req : str
            What a backward pass does to the buffer: ``"write"``, ``"add"``, or ``"null"`` (nothing).
        stype : str, optional
            Storage of the buffer: ``"default"``, which is dense.
        """
        dense("attach_grad", stype)
        graph.mark(self, self._new_grad(np.zeros(self.shape, self._spec.dtype)), grad_req)

    def drop_grad(self) -> None:
        """Take the gradient buffer away again."""
        graph.unmark(self)

    def backward(self, out_grad: Any = None, retain_graph: bool = False, train_mode: bool = True) -> None:
        """Run the graph backwards from here and leave gradients in the variables' buffers.

        Parameters
        ----------
        out_grad : array of this array's shape, optional
            By default ones: the gradient of the sum.
        retain_graph : bool
            Keep the graph for another pass.
        train_mode : bool
            What ``autograd.is_training()`` is in the pass.
        """
        graph.backward([graph.seed("backward", self, out_grad)], self._level, retain_graph, train_mode)

    def zero_grad(self) -> None:
        """Fill the gradient buffer with zeros."""
        if self.grad is not None:
            self.grad[...] = 0

    def _accumulate(self, g: Any) -> None:
        how, buffer = self._accumulation, self._grad
        if how == "null" or buffer is None:
            return
        if how == "write" and g.__class__ is np.ndarray and not buffer._is_view and buffer._node is None:
            buffer._value = g  # the buffer is the same array to its users and views, around other memory
        else:
            with tape.no_grad():
                buffer[...] = buffer + g if how == "add" else g
        self._fresh = True

    @property
    def _fresh_grad(self) -> bool:
        """Whether a backward pass has written the gradient since this was last set to `False`."""
        return getattr(self, "_fresh", False)

    @_fresh_grad.setter
    def _fresh_grad(self, fresh: bool) -> None:
        self._fresh = bool(fresh)

    # Devices and storage ----------------------------------------------------------------------------------------

    @property
    def context(self) -> Context:
        """The device that the array is on."""
        return cpu()

    ctx = device = context

    @property
    def stype(self) -> str:
        """Storage: always ``"default"``, which is dense."""
        return "default"

    def as_in_context(self, context: Context) -> Any:
        """The array itself, as all are on the CPU; a GPU is an error."""
        on_cpu("as_in_context", context)
        return self

    as_in_ctx = to_device = as_in_context

    def tostype(self, stype: str) -> Any:
        """The array itself; storage other than ``"default"`` is an error."""
        dense("tostype", stype)
        return self

    def copyto(self, other: Any) -> Any:
        """Write the values into another array and return that; or, given a device, return a copy."""
        if isinstance(other, Context):
            on_cpu("copyto", other)
            return self.copy()
        if not isinstance(other, Array):
            raise TypeError(f"[copyto] an array or a device was required; received {type(other).__name__}")
        other[...] = self
        return other

    # Reading ----------------------------------------------------------------------------------------------------

    def asnumpy(self) -> np.ndarray:
        """The value as an independent NumPy array."""
        value = array_of(self, copy=True)
        return value.view(_Number) if value.size == 1 and value.ndim else value

    def asscalar(self) -> Any:
        """The only element, as a NumPy scalar."""
        if self.size != 1:
            raise ValueError(
                f"[asscalar] an array with one element was required (The current array is not a scalar); received "
                f"{self._spec!r}; reduce it first, or use asnumpy()"
            )
        value = bare(self)
        return value[(0,) * value.ndim] if value.ndim else value

    def wait_to_read(self) -> None:
        """Return at once: every operation has been carried out."""

    wait_to_write = wait_to_read

    def _read(self, reader: str) -> Any:
        if self.size != 1:
            raise TypeError(
                f"[{reader}] only size-1 arrays can be converted to Python scalars; received {self._spec!r}; reduce it "
                f"first, or use asnumpy()"
            )
        return bare(self).item()

    def __bool__(self) -> bool:
        if self.size > 1:
            raise ValueError(
                f"[bool] an array with one element was required (The truth value of an array with multiple elements "
                f"is ambiguous); received {self._spec!r}; reduce it first"
            )
        return bool(self.size) and bool(bare(self).item())

    def __index__(self) -> int:
        if self.size != 1 or self._spec.dtype.kind not in "iu":
            raise TypeError(f"[index] an integer array with one element was required; received {self._spec!r}")
        return bare(self).item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._node is not None and graph.recording(self):
            raise LostGradientError(
                f"[np.asarray] a value without a history was required, as recording is on and a plain array would drop "
                f"it; received {self._spec!r}; use x.asnumpy(), or x.detach()"
            )
        return np.array(bare(self), dtype)

    # Copies and writes ------------------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict) -> Any:
        memo[id(self)] = copied = self.__copy__()
        return copied

    def __copy__(self) -> Any:
        return self._box(array_of(self, copy=True))

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return self._family.tensor._box, (np.array(bare(self)),)

    def __setitem__(self, index: Any, value: Any) -> None:
        graph.check_write("setitem", self)
        super().__setitem__(index, value)


class array(np.ndarray):
    """A NumPy array with one element and with axes, which is a number where one is wanted.

    NumPy itself has stopped to take such arrays for numbers; programs say ``"%f" % loss.mean().asnumpy()``.
    """

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())


_Number = array


def integral(index: Any) -> Any:
    """An index with arrays of whole numbers, where MXNet has them in floats."""
    if isinstance(index, tuple):
        return tuple(map(integral, index))
    if isinstance(index, Array):
        index = bare(index)
        return index if index.dtype.kind in "biu" else index.astype(np.int64)
    return index


def dense(operation: str, stype: str | None) -> None:
    """Insist on dense storage."""
    if stype not in (None, "default"):
        raise NotSupportedForSparseNDArray(
            f"[{operation}] dense storage was required; received stype {stype!r}, which is not supported; leave it out"
        )


def found_arrays(cls: type[Array], settle: Callable, wrap: Callable) -> Family:
    """`found_family`, with in-place operators that refuse arrays in a graph while recording."""
    family = found_family(cls, settle, wrap)
    for name, ufunc in face.OPERATORS.items():
        if name != "divmod":
            setattr(cls, f"__i{name}__", _guarded(ufunc))
    return family


def _guarded(ufunc: np.ufunc) -> Callable:
    update = in_place(ufunc, rebind=False)

    def method(self: Array, other: Any) -> Any:
        if self._node is not None:
            graph.check_write(ufunc.__name__, self)
        return update(self, other)

    method.__name__, method.__doc__ = update.__name__, update.__doc__
    return method


__all__ = ["Array", "dense", "found_arrays", "integral"]
