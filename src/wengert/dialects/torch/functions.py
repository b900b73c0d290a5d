"""All functions of the dialect's namespace, and those of them that are methods of tensors."""

from typing import Any

from wengert.dialects.torch import creation, dtypes, random
from wengert.dialects.torch import functions_elementwise as elementwise
from wengert.dialects.torch import functions_indexing as indexing
from wengert.dialects.torch import functions_joining as joining
from wengert.dialects.torch import functions_products as products
from wengert.dialects.torch import functions_reductions as reductions
from wengert.dialects.torch import functions_shapes as shapes
from wengert.dialects.torch import functions_statistics as statistics
from wengert.dialects.torch.functions_elementwise import *  # noqa: F403
from wengert.dialects.torch.functions_indexing import *  # noqa: F403
from wengert.dialects.torch.functions_joining import *  # noqa: F403
from wengert.dialects.torch.functions_products import *  # noqa: F403
from wengert.dialects.torch.functions_reductions import *  # noqa: F403
from wengert.dialects.torch.functions_shapes import *  # noqa: F403
from wengert.dialects.torch.functions_statistics import *  # noqa: F403
from wengert.dialects.torch.making import titled
from wengert.dialects.torch.tensor import Tensor, constructed

MODULES = (elementwise, reductions, shapes, joining, products, statistics, indexing)


def _new(name: str, factory: Any) -> Any:
    def method(self: Tensor, *args: Any, dtype: Any = None, **options: Any) -> Tensor:
        return factory(*args, dtype=dtype or self.dtype, **options)

    return titled(method, name, "A new tensor of this one's dtype.")


def _type(self: Tensor, dtype: Any = None, **options: Any) -> Any:
    """The name of the tensor's type; or the tensor in another dtype."""
    if dtype is None:
        return f"torch.{TYPES[self.dtype]}"
    if isinstance(dtype, str):
        dtype = next(d for d, name in TYPES.items() if name == dtype.removeprefix("torch."))
    return self.to(getattr(dtype, "dtype", dtype))


TYPES = {
    dtypes.float32: "FloatTensor", dtypes.float64: "DoubleTensor", dtypes.float16: "HalfTensor",
    dtypes.int64: "LongTensor", dtypes.int32: "IntTensor", dtypes.int16: "ShortTensor", dtypes.int8: "CharTensor",
    dtypes.uint8: "ByteTensor", dtypes.bool: "BoolTensor", dtypes.complex64: "ComplexFloatTensor",
    dtypes.complex128: "ComplexDoubleTensor",
}  # fmt: skip
"""The classes of old that stand for a dtype."""


class _TypedClass(type(Tensor)):  # type: ignore[misc]
    """The class of ``FloatTensor`` and its kin: calling one makes a tensor, and tensors of its dtype are instances."""

    def __call__(cls, *args: Any) -> Tensor:
        return constructed(args or (0,), {}, cls.dtype.dtype)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype


for _dtype, _name in TYPES.items():
    globals()[_name] = _TypedClass(_name, (), {"dtype": _dtype, "__doc__": f"Tensors of dtype {_dtype}."})


def _cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    return self


def _cuda(self: Tensor, *args: Any, **options: Any) -> Tensor:
    return self.to(device="cuda")


def install() -> None:
    """Give `Tensor` its methods."""
    for module in (*MODULES, random):
        for name, method in module.METHODS.items():
            setattr(Tensor, name, method)
    setattr(Tensor, "cpu", titled(_cpu, "cpu", "This tensor: it is on the CPU."))  # noqa: B010
    setattr(Tensor, "cuda", titled(_cuda, "cuda", "Refused: there is no GPU here."))  # noqa: B010
    setattr(Tensor, "type", _type)  # noqa: B010
    for name in ("zeros", "ones", "empty", "full", "tensor"):
        setattr(Tensor, f"new_{name}", _new(f"new_{name}", getattr(creation, name)))


install()
__all__ = [name for module in MODULES for name in module.__all__] + list(TYPES.values())
