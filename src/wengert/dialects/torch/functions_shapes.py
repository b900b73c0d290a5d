"""Functions that rearrange elements: shapes, axes, joining and splitting."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import alias, array_of
from wengert.dialects.torch import dtypes
from wengert.dialects.torch.dtypes import Size, as_numpy, check_device
from wengert.dialects.torch.errors import LeafError, MissingError, OperandError, TorchError
from wengert.dialects.torch.making import axes_of, axis_of, bare, entry, in_place, named, spell, titled
from wengert.dialects.torch.tensor import Tensor
from wengert.views import has_views

_reshape, _transpose, _expand, _swap = (
    entry(np.reshape), entry(np.transpose), entry(np.expand_dims), entry(np.swapaxes)
)  # fmt: skip


def sizes_of(sizes: tuple) -> tuple:
    """Sizes that are given as several integers or as one sequence."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    for n in sizes:
        if n.__class__ is not int:
            return tuple([n.__index__() for n in sizes])
    return sizes


def _resolved(operation: str, t: Tensor, shape: tuple) -> tuple:
    """A shape without -1, which fits."""
    size = t._spec.size
    if shape.count(-1) > 1:
        raise TorchError(f"[{operation}] only one dimension can be inferred; received {list(shape)}")
    if -1 in shape:
        rest = -math.prod(shape)
        if rest > 0 and size % rest == 0:
            return tuple([size // rest if n == -1 else n for n in shape])
    elif math.prod(shape) == size:
        return shape
    raise OperandError(f"[{operation}] shape '{list(shape)}' is invalid for input of size {size}; received {t._spec!r}")


# Shapes ------------------------------------------------------------------------------------------------------------


def reshape(input: Tensor, *shape: Any, **keywords: Any) -> Tensor:
    """The same elements in another shape: a view where possible."""
    shape = sizes_of(shape or (keywords["shape"],))
    if "order" in keywords:  # as NumPy's own functions may ask
        return _reshape(input, shape, keywords["order"])
    try:
        result = _reshape(input, shape)
    except OperandError:
        result = _reshape(input, _resolved("reshape", input, shape))
    return result if result._is_view else named(result, "UnsafeViewBackward0")


def view(input: Tensor, *shape: Any, dtype: Any = None) -> Tensor:
    """The same memory in another shape."""
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], dtypes.dtype)):
        wanted = as_numpy(dtype or shape[0])
        return input if wanted == input._spec.dtype else Tensor._box(np.asarray(bare(input)).view(wanted))
    shape = sizes_of(shape)
    try:
        result = _reshape(input, shape)
    except OperandError:
        result = _reshape(input, _resolved("view", input, shape))
    if not result._is_view and input._spec.size > 1:
        raise TorchError(
            "[view] view size is not compatible with input tensor's size and stride (at least one dimension spans "
            "across two contiguous subspaces). Use .reshape(...) instead."
        )
    return result


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The same memory in the shape of another tensor."""
    return view(input, other._spec.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """The same elements in the shape of another tensor."""
    return reshape(input, other._spec.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from `start_dim` to `end_dim` made one."""
    if not input._spec.ndim:
        return _reshape(input, (1,))
    first, last = axis_of("flatten", input, start_dim), axis_of("flatten", input, end_dim)
    if first > last:
        raise TorchError("[flatten] flatten() has invalid args: start_dim cannot come after end_dim")
    if first == last:
        return input
    shape = input._spec.shape
    return _reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """One dimension made several."""
    axis, shape = axis_of("unflatten", input, dim), input._spec.shape
    return reshape(input, (*shape[:axis], *_inferred(sizes, shape[axis]), *shape[axis + 1 :]))


def _inferred(sizes: Any, total: int) -> tuple:
    rest = -math.prod(sizes)
    return tuple(total // rest if n == -1 else n for n in sizes)


def ravel(input: Tensor) -> Tensor:
    """One dimension."""
    return _reshape(input, (-1,))


def squeeze(input: Tensor, dim: Any = None, *, axis: Any = None) -> Tensor:
    """Without the dimensions of length 1, or without those of them that are named."""
    dim = axis if dim is None else dim
    shape = input._spec.shape
    if dim is None:
        gone = {i for i, n in enumerate(shape) if n == 1}
    else:
        axes = axes_of("squeeze", input, dim)
        gone = set() if axes is None else {i for i in (axes if isinstance(axes, tuple) else (axes,)) if shape[i] == 1}
    result = _reshape(input, tuple(n for i, n in enumerate(shape) if i not in gone))
    return named(result, f"SqueezeBackward{0 if dim is None else 1}")


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a dimension of length 1 at `dim`."""
    axis, shape = axis_of("unsqueeze", input, dim, 1), input._spec.shape
    return named(_reshape(input, (*shape[:axis], 1, *shape[axis:])), "UnsqueezeBackward0")


def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Dimensions of length 1 stretched, without copying; -1 stands for the length that is there."""
    shape, own = sizes_of(sizes), input._spec.shape
    extra = len(shape) - len(own)
    shape = tuple(own[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(shape))
    if extra < 0 or any(n not in (m, 1) and m != n for n, m in zip(own, shape[extra:], strict=True) if n != 1):
        raise OperandError(
            f"[expand] The expanded size of the tensor {list(shape)} must match the existing size {list(own)}"
        )
    return named(entry(np.broadcast_to)(input, shape), "ExpandBackward0")


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Stretched to the shape of another tensor."""
    return expand(input, *other._spec.shape)


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """Stretched to a shape."""
    return expand(input, *size)


def broadcast_tensors(*tensors: Tensor) -> tuple:
    """Tensors stretched to their common shape."""
    shape = broadcast_shapes(*(t._spec.shape for t in tensors))
    return tuple(expand(t, *shape) for t in tensors)


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that shapes broadcast to."""
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError as error:
        raise OperandError(
            f"[broadcast_shapes] Shape mismatch: objects cannot be broadcast to a single shape: {shapes}"
        ) from error


# Axes --------------------------------------------------------------------------------------------------------------


def transpose(input: Tensor, *dims: Any, dim0: Any = None, dim1: Any = None) -> Tensor:
    """Two dimensions swapped."""
    if dim0 is not None:
        dims = (dim0, dim1)
    if len(dims) != 2:  # as NumPy's own functions may ask
        return _transpose(input, dims[0] if dims else None)
    first, second = axis_of("transpose", input, dims[0]), axis_of("transpose", input, dims[1])
    order = list(range(input._spec.ndim))
    if order:
        order[first], order[second] = second, first
    return named(_transpose(input, tuple(order)), "TransposeBackward0")


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; vectors stay as they are."""
    if input._spec.ndim > 2:
        raise TorchError(f"[t] t() expects a tensor with <= 2 dimensions, but self is {input._spec.ndim}D")
    return named(_transpose(input), "TBackward0")


def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions swapped, conjugated."""
    return entry(np.conjugate)(transpose(input, -2, -1)) if input._spec.is_complex else transpose(input, -2, -1)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dimensions in another order."""
    order = sizes_of(dims)
    if len(order) != input._spec.ndim:
        raise TorchError(
            f"[permute] the number of dimensions in the tensor input does not match the length of the desired ordering "
            f"of dimensions: input.dim() = {input._spec.ndim}, len(dims) = {len(order)}"
        )
    return _transpose(input, tuple(axis_of("permute", input, d) for d in order))


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other places."""
    return entry(np.moveaxis)(input, source, destination)


# Repeating and reordering ------------------------------------------------------------------------------------------


def tile(input: Tensor, *dims: Any) -> Tensor:
    """Repeated along the dimensions."""
    return named(entry(np.tile)(input, sizes_of(dims)), "RepeatBackward0")


def repeat(input: Tensor, *repeats: Any, **numpys: Any) -> Tensor:
    """Repeated along the dimensions."""
    repeats = sizes_of(repeats)
    if len(repeats) < input._spec.ndim:
        raise TorchError(
            "[repeat] Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    return tile(input, *repeats)


def repeat_interleave(input: Tensor, repeats: Any, dim: Any = None, *, output_size: Any = None) -> Tensor:
    """Each element repeated."""
    result = entry(np.repeat)(input, bare(repeats), None if dim is None else axis_of("repeat_interleave", input, dim))
    return named(result, "IndexSelectBackward0")


def flip(input: Tensor, *dims: Any) -> Tensor:
    """Backwards along dimensions."""
    return entry(np.flip)(input, sizes_of(dims))


def fliplr(input: Tensor) -> Tensor:
    """Backwards along the second dimension."""
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Backwards along the first dimension."""
    return flip(input, 0)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Shifted along dimensions; what leaves at one end comes in at the other."""
    return entry(np.roll)(input, shifts, tuple(dims) if isinstance(dims, list) else dims)


def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Turned by `k` right angles."""
    return entry(np.rot90)(input, k, tuple(dims))


# Triangles and diagonals -------------------------------------------------------------------------------------------


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle; zeros above."""
    return entry(np.tril)(input, diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle; zeros below."""
    return entry(np.triu)(input, diagonal)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A diagonal: a view."""
    return entry(np.diagonal)(input, offset, dim1, dim2)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or a matrix with a diagonal."""
    return named(
        entry(np.diag)(input, diagonal), "DiagonalBackward0" if input._spec.ndim == 2 else "DiagEmbedBackward0"
    )


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with all elements on a diagonal."""
    return diag(ravel(input), offset)


def diag_embed(input: Tensor, offset: int = 0) -> Tensor:
    """Matrices whose diagonals are the rows of `input`."""
    n = input._spec.shape[-1] + abs(offset)
    rows, columns = np.arange(n - abs(offset)) + max(-offset, 0), np.arange(n - abs(offset)) + max(offset, 0)
    result = Tensor._box(np.zeros((*input._spec.shape[:-1], n, n), input._spec.dtype))
    result[..., rows, columns] = input
    return named(result, "DiagEmbedBackward0")


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal."""
    return named(entry(np.trace)(input), "TraceBackward0")


# In place ----------------------------------------------------------------------------------------------------------


def _reshaping(name: str, function: Callable) -> Callable:
    def applied(self: Tensor, *args: Any) -> Tensor:
        if self._is_view or has_views(self):
            raise MissingError(
                f"[{name}] a tensor that is no view and has none was required; received {self._spec!r}; write "
                f"x = x.{name.rstrip('_')}(...)"
            )
        if isinstance(self._node, tape.Leaf):
            raise LeafError(
                f"[{name}] a leaf Variable that requires grad is being used in an in-place operation; received "
                f"{self._spec!r}; write x = x.{name.rstrip('_')}(...)"
            )
        result = function(alias(self), *args)
        self._node, self._value, self._spec = result._node, result._value, result._spec
        return self

    return titled(applied, name, f"`{name.rstrip('_')}` in place; returns the tensor itself.")


# Copies ------------------------------------------------------------------------------------------------------------


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, whose gradient comes back here."""
    return entry(np.copy)(input, "K")


def detach(input: Tensor) -> Tensor:
    """The same memory without a history."""
    return input.detach()


def to(input: Tensor, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, **options: Any) -> Tensor:
    """In another dtype; itself if it has that already."""
    for argument in args:
        if isinstance(argument, Tensor):
            dtype = argument.dtype
        elif isinstance(argument, (str, dtypes.device)):
            device = argument
        elif isinstance(argument, (dtypes.dtype, np.dtype, type)):
            dtype = argument
    if device is not None:
        check_device("to", device)
    wanted = as_numpy(dtype)
    if wanted is None or wanted == input._spec.dtype:
        return clone(input) if copy else input
    return astype(input, wanted)


def astype(input: Tensor, dtype: Any, *args: Any, **numpys: Any) -> Tensor:
    """In another dtype; itself if it has that already."""
    wanted = as_numpy(dtype)
    if wanted == input._spec.dtype:
        return input
    if wanted.kind not in "fc":
        with np.errstate(invalid="ignore"):
            return Tensor._box(array_of(input).astype(wanted))
    return entry(np.astype)(input, wanted, copy=True)


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """In the dtype of another tensor."""
    return to(input, other)


def _conversion(name: str, dtype: dtypes.dtype) -> Callable:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        return to(self, dtype)

    return titled(convert, name, f"In dtype {dtype}.")


_NAMES = (
        "adjoint", "astype", "broadcast_to", "clone", "diag", "diag_embed", "diagflat", "diagonal", "expand",
        "expand_as",
        "flatten", "flip", "fliplr", "flipud", "movedim", "permute", "ravel", "repeat", "repeat_interleave",
        "reshape", "reshape_as", "roll", "rot90", "squeeze", "t", "tile", "to",
        "trace", "transpose", "tril", "triu", "type_as", "unflatten", "unsqueeze", "view", "view_as",
    )  # fmt: skip
spell(globals(), _NAMES)
METHODS: dict[str, Callable] = {name: globals()[name] for name in _NAMES}
METHODS |= {
    name: _conversion(name, getattr(dtypes, name))
    for name in ("float", "double", "half", "int", "long", "short", "bool", "cfloat", "cdouble")
}
METHODS["byte"], METHODS["char"] = _conversion("byte", dtypes.uint8), _conversion("char", dtypes.int8)
for _name in ("squeeze", "unsqueeze", "t", "transpose"):
    METHODS[f"{_name}_"] = _reshaping(f"{_name}_", METHODS[_name])
METHODS["tril_"], METHODS["triu_"] = in_place(tril), in_place(triu)
moveaxis = METHODS["moveaxis"] = movedim
swapaxes = swapdims = METHODS["swapaxes"] = METHODS["swapdims"] = transpose
_ONLY_METHODS = {
    "astype", "expand",
        "expand_as", "repeat", "reshape_as", "to", "type_as", "view", "view_as", "float", "double",
    "half", "int", "long", "short", "bool", "cfloat", "cdouble", "byte", "char",
}  # fmt: skip
__all__ = [name for name in METHODS if name not in _ONLY_METHODS and not name.endswith("_")]
__all__ += ["broadcast_shapes", "broadcast_tensors", "detach"]
