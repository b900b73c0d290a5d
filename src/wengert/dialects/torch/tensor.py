"""`Tensor` of the PyTorch dialect: its value, its attributes and its gradients.

The functions that are methods as well (``x.sum(dim=0)``) are in the modules ``functions_*``, which install them.
"""

import operator
import warnings
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert import face, tape
from wengert.box import Box, array_of, bare
from wengert.dialects.family import DialectTensor, found_family
from wengert.dialects.torch import backward as passes
from wengert.dialects.torch import dtypes, graph, printing
from wengert.dialects.torch.errors import (
    AxisError,
    CopyError,
    LostError,
    OperandError,
    TorchError,
    TypeMismatchError,
)
from wengert.dialects.torch.indices import checked_index
from wengert.dialects.torch.promotion import mismatched, refused, settle
from wengert.protocol import GROUND, spec_of
from wengert.tensor import HookHandle
from wengert.views import detached_view, shared_array
from wengert.writes import write


class TensorClass(type):
    """The class of `Tensor`: calling it is the users' way to make one, and not the engine's."""

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        """A tensor of the default dtype from data or from sizes."""
        dtypes.check_device("Tensor", keywords.pop("device", None))
        return constructed(args or (0,), keywords, dtypes.default_dtype())


class Tensor(DialectTensor, metaclass=TensorClass):
    """A tensor as PyTorch has them: an array, and the history of how it was computed.

    ``Tensor(2, 3)`` makes one of that shape, ``Tensor(data)`` one of the default dtype; see `tensor`.
    """

    __slots__ = ("__dict__",)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    # Attributes ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> dtypes.Size:
        """Lengths of the axes."""
        return dtypes.Size(self._spec.shape)

    def size(self, dim: int | None = None) -> Any:  # type: ignore[override]
        """The shape, or its entry at `dim`."""
        return dtypes.Size(self._spec.shape) if dim is None else self._spec.shape[self._axis("size", dim)]

    @property
    def dtype(self) -> Any:
        """The dtype, such as ``torch.float32``."""
        return dtypes.of_numpy(self._spec.dtype)

    @property
    def device(self) -> dtypes.device:
        """Where the tensor is: on the CPU."""
        return dtypes.CPU

    @property
    def layout(self) -> dtypes.layout:
        """``torch.strided``."""
        return dtypes.strided

    is_cpu = True
    is_cuda = is_sparse = is_quantized = is_meta = is_mps = is_nested = False
    names: Any = None
    _accumulate_hooks: Any = None

    def dim(self) -> int:
        """The number of axes."""
        return self._spec.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._spec.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._spec.dtype.itemsize

    def is_floating_point(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self._spec.real

    def is_complex(self) -> bool:
        """Whether the elements are complex numbers."""
        return self._spec.is_complex

    def is_signed(self) -> bool:
        """Whether the elements may be negative."""
        return self._spec.dtype.kind in "fci"

    def stride(self, dim: int | None = None) -> Any:
        """Elements from one to the next along each axis."""
        steps = tuple(n // self._spec.dtype.itemsize for n in array_of(self).strides)
        return steps if dim is None else steps[dim]

    def storage_offset(self) -> int:
        """Elements before the first in the memory that this tensor is a view of."""
        if not self._is_view:
            return 0
        start = np.asarray(bare(self._base)).__array_interface__["data"][0]
        return (np.asarray(self._array).__array_interface__["data"][0] - start) // self._spec.dtype.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        value = np.asarray(self._array if self._is_view else bare(self))
        return value.__array_interface__["data"][0]

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in C order without gaps."""
        value, step = array_of(self), self._spec.dtype.itemsize
        if value.__class__ is np.ndarray:
            return value.flags.c_contiguous
        for n, stride in zip(reversed(value.shape), reversed(value.strides), strict=True):
            if n > 1 and stride != step:
                return False
            step *= n
        return True

    def contiguous(self, memory_format: Any = None) -> "Tensor":
        """The tensor itself if its elements lie in C order, or a copy that does."""
        return self if self.is_contiguous() else self._table[np.copy](self, "C")

    def _axis(self, operation: str, dim: Any) -> int:
        """A dimension counted from the front."""
        n = max(self._spec.ndim, 1)
        axis = operator.index(dim)
        if not -n <= axis < n:
            raise AxisError(
                f"[{operation}] Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
            )
        return axis % n

    @property
    def mT(self) -> Any:
        """The last two dimensions swapped: a view."""
        return self.transpose(-2, -1)

    @property
    def mH(self) -> Any:
        """The last two dimensions swapped, conjugated."""
        return self.adjoint()

    H = mH

    # The value ------------------------------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The same memory without a history: writes into it are no part of the history either."""
        return detached_view(self)

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Box):
            raise TypeMismatchError(f"[data] a tensor was required; received {type(value).__name__}")
        array = array_of(value)
        if array.dtype.kind != self._spec.dtype.kind and self._spec.dtype.kind in "fc" and array.dtype.kind not in "fc":
            raise TorchError(f"[data] a tensor of dtype {self.dtype} was required; received {value!r}")
        self._stand_alone()
        self._value = array if array.ndim else array[()]
        self._spec = spec_of(self._value)
        if isinstance(self._node, tape.Leaf):
            self._node = tape.new_leaf(self._spec, weakref.ref(self))

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """An array on the tensor's own memory: writing either writes both."""
        if force:
            return array_of(self, copy=True)
        if self._node is not None and tape.is_recording():
            raise LostError(
                f"[numpy] a tensor that does not require grad was required; received {self._spec!r}: Can't call "
                f"numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return shared_array(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = np.asarray(self.numpy(), dtype)
        return value.copy() if copy else value

    def item(self) -> Any:  # type: ignore[override]
        """The only element as a Python number."""
        return self._only("item").item()

    def _only(self, operation: str) -> Any:
        value = bare(self)
        if self._spec.size != 1:
            raise OperandError(
                f"[{operation}] a tensor with one element was required; a Tensor with {self._spec.size} elements "
                f"cannot be converted to Scalar; received {self._spec!r}"
            )
        return value

    def __float__(self) -> float:
        return float(self._only("float").item())

    def __int__(self) -> int:
        return int(self._only("int").item())

    def __complex__(self) -> complex:
        return complex(self._only("complex").item())

    def __bool__(self) -> bool:
        if self._spec.size != 1:
            kind = "no values" if not self._spec.size else "more than one value"
            raise OperandError(f"[bool] one element was required: Boolean value of Tensor with {kind} is ambiguous")
        return bool(bare(self).item())

    def __index__(self) -> int:
        if self._spec.size != 1 or self._spec.inexact:
            raise TypeMismatchError(
                f"[index] only integer tensors of a single element can be converted to an index; "
                f"received {self._spec!r}"
            )
        return int(bare(self).item())

    def __len__(self) -> int:
        if not self._spec.ndim:
            raise TypeMismatchError("[len] a tensor with axes was required: len() of a 0-d tensor")
        return self._spec.shape[0]

    def __iter__(self) -> Any:
        if not self._spec.ndim:
            raise TypeMismatchError("[iter] a tensor with axes was required: iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self._spec.ndim else object.__format__(self, spec)

    def __round__(self, digits: int | None = None) -> Any:
        return self.round() if digits is None else self.round(decimals=digits)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        marks = self.__dict__  # of `nn.Parameter`
        if "_is_unset" in marks:
            return "<UninitializedParameter>" if "_is_param" in marks else "<UninitializedBuffer>"
        return ("Parameter containing:\n" if "_is_param" in marks else "") + printing.text_of(self)

    __str__ = __repr__

    # Gradients ------------------------------------------------------------------------------------------------------

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Make this tensor a leaf that collects gradients, or stop it from being one; returns itself."""
        if requires_grad and not self._spec.inexact:
            raise TorchError(
                f"[requires_grad_] only Tensors of floating point and complex dtype can require gradients; received "
                f"{self._spec!r}; convert it: x.float()"
            )
        if not requires_grad and not self.is_leaf:
            raise TorchError(
                f"[requires_grad_] you can only change requires_grad flags of leaf variables; received the result of "
                f"{self.grad_fn!r}; use x.detach()"
            )
        if requires_grad and self._node is None:
            self._stand_alone()
        DialectTensor.requires_grad_(self, bool(requires_grad))
        return self

    @property
    def grad_fn(self) -> Any:
        """The operation that made this tensor, named as PyTorch names it; of a leaf `None`."""
        node = self._node
        return None if node is None or isinstance(node, tape.Leaf) else graph.function_of(node)

    @property
    def grad(self) -> Any:
        """What backward passes have left here; `None` before the first."""
        grad = getattr(self, "_grad", None)
        if grad is None and not self.is_leaf and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed: nothing is kept there "
                "during backward(); call .retain_grad() on it before, if that is wanted",
                stacklevel=2,
            )
        return grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise TypeMismatchError(f"[grad] a tensor or None was required; received {type(value).__name__}")
        if value is not None and (value._spec.shape != self._spec.shape or value._spec.dtype != self._spec.dtype):
            raise TorchError(
                f"[grad] a gradient of {self._spec!r} was required; received {value._spec!r}: assigned grad has data "
                f"of a different size or type"
            )
        if value is self:
            raise TorchError("[grad] another tensor was required: can't assign Variable as its own grad")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Run the graph backwards from here and add the gradients to the leaves' ``grad``.

        Parameters
        ----------
        gradient : tensor of this tensor's shape, optional
            May be left out where there is only one element (it is then 1).
        retain_graph : bool, optional
            Keep the graph for another backward; by default as `create_graph`.
        create_graph : bool
            Record the pass itself.
        inputs : tensor or sequence of tensors, optional
            The only ones that get a gradient.
        """
        if gradient is None and inputs is None and self._node is not None:
            passes.run([(self._node, passes.implicit(self._spec))], self._level, retain_graph, create_graph)
        else:
            passes.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def _accumulate(self, g: Any) -> None:
        DialectTensor._accumulate(self, g)
        if self._accumulate_hooks:
            for hook in list(self._accumulate_hooks.values()):
                hook(self)

    def retain_grad(self) -> None:
        """Keep the gradient that passes through this intermediate result in ``grad``, as for a leaf."""
        if self._node is None:
            raise TorchError(f"[retain_grad] can't retain_grad on Tensor that has requires_grad=False: {self._spec!r}")
        if not self.is_leaf:
            self.__dict__["_retained"] = True
        super().retain_grad()

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this intermediate result."""
        return "_retained" in self.__dict__ and not self.is_leaf

    def register_hook(self, hook: Any) -> Any:
        """Have ``hook(gradient)`` called when the gradient is known; what it returns replaces the gradient."""
        if self._node is None:
            raise TorchError(
                f"[register_hook] cannot register a hook on a tensor that doesn't require gradient: {self._spec!r}"
            )
        return HookHandle(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Any) -> Any:
        """Have ``hook(tensor)`` called after a gradient was added to this leaf's ``grad``."""
        if self._node is None or not self.is_leaf:
            raise TorchError(
                "[register_post_accumulate_grad_hook] post accumulate grad hooks cannot be registered on non-leaf "
                "tensors, or on tensors that do not require grad"
            )
        return graph.RemovableHandle(self.__dict__.setdefault("_accumulate_hooks", OrderedDict()), hook)

    def detach_(self) -> "Tensor":
        """Drop the history of this tensor; returns itself."""
        if self._is_view:
            raise TorchError(
                "[detach_] a tensor that is no view was required: can't detach views in-place; use detach()"
            )
        self._node = None
        return self

    # Copies -----------------------------------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise CopyError(
                f"[deepcopy] a leaf was required; received {self._spec!r} with {self.grad_fn!r}: only Tensors created "
                f"explicitly by the user (graph leaves) support the deepcopy protocol; use x.detach().clone()"
            )
        memo[id(self)] = copied = super().__deepcopy__(memo)
        copied.__dict__.update(self.__dict__)
        if "_is_param" in copied.__dict__:
            copied._grad = None  # as PyTorch leaves it behind
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple:
        _, (_, array, requires_grad, grad, _) = super().__reduce_ex__(protocol)
        return _restored, (array, requires_grad, grad)

    # Indexing ---------------------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        if index.__class__ is int:
            if self._spec.ndim == 1:
                index = (index, Ellipsis)
        elif index.__class__ is tuple and len(index) == self._spec.ndim:
            for part in index:
                if part.__class__ is not int:
                    index = checked_index(index, self._spec.ndim)
                    break
            else:
                index = (*index, Ellipsis)
        elif index.__class__ is not slice or index.step is not None:
            index = checked_index(index, self._spec.ndim)
        return self._table[operator.getitem](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if index.__class__ is not int:
            index = checked_index(index, self._spec.ndim)
        elif self._spec.ndim == 1:
            index = (index, Ellipsis)
        try:
            write(self, index, value)
        except (ValueError, TypeError, RuntimeError) as error:
            raise refused(self, error, view=True) from error


def constructed(args: tuple, keywords: dict, dtype: Any) -> Any:
    """What ``Tensor(...)`` makes of its arguments: sizes, or data."""
    data = args[0] if args else keywords.get("data")
    if isinstance(data, (int, np.integer, dtypes.Size)):
        sizes = data if isinstance(data, dtypes.Size) else args
        return Tensor._box(np.zeros(sizes, dtype))
    if isinstance(data, Box) and data._spec.dtype != dtype:
        raise TypeMismatchError(
            f"[Tensor] data of dtype {dtype} was required; received {data._spec!r}; use torch.tensor or x.float()"
        )
    if isinstance(data, Box):
        return detached_view(data)
    return Tensor._box(np.array(data, dtype))


def _restored(array: np.ndarray, requires_grad: bool, grad: np.ndarray | None) -> Tensor:
    """A leaf as it was when it was pickled."""
    t = Tensor._box(array).requires_grad_(requires_grad)
    if grad is not None:
        t.grad = Tensor._box(grad)
    return t


def reflected(name: str, forward: Any) -> Any:
    """The operator for operands the other way around."""

    def method(self: Any, other: Any) -> Any:
        return forward(other, self)

    method.__name__, method.__doc__ = name, "The operator with its operands the other way around."
    return method


def _guarded(name: str) -> None:
    """Make the engine's in-place operator refuse as PyTorch does."""
    update = getattr(Tensor, name)

    def operator_in_place(self: Any, other: Any) -> Any:
        try:
            return update(self, other)
        except (ValueError, TypeError, RuntimeError) as error:
            raise refused(self, error) from error

    operator_in_place.__name__, operator_in_place.__doc__ = name, update.__doc__
    setattr(Tensor, name, operator_in_place)


def plain_result(value: Any) -> Any:
    """The result of a function without a gradient, such as a comparison, as a tensor."""
    if value.__class__ is not np.ndarray or not value.ndim:
        return Tensor._box(value)
    t = _new()
    t._value, t._spec, t._level, t._node = value, spec_of(value), GROUND, None
    return t


_new = type.__call__.__get__(Tensor)  # past `TensorClass.__call__`
Tensor.__module__ = "torch"  # as printed: <class 'torch.Tensor'>
# Division by zero, overflow and undefined results give infinities and NaN without a word in PyTorch.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"torch\.generated|wengert\.dialects\.torch")
found_family(Tensor, settle=settle, wrap=plain_result, refuse=mismatched)
setattr(Tensor, "__radd__", Tensor._table[np.add])  # noqa: B010
setattr(Tensor, "__rmul__", Tensor._table[np.multiply])  # noqa: B010
for _name, _ufunc, _node in (
    ("__rsub__", np.subtract, "RsubBackward1"),
    ("__rtruediv__", np.divide, "MulBackward0"),
    ("__rpow__", np.power, "PowBackward2"),
):
    setattr(Tensor, _name, reflected(_name, graph.variant_of(_ufunc, Tensor._family, _node)))
for _name in face.OPERATORS:
    if _name != "divmod":
        _guarded(f"__i{_name}__")
