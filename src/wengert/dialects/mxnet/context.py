"""Devices. Everything is on the CPU; a GPU can be named, and using it is an error that says that there is none."""

from contextvars import ContextVar
from typing import Any, ClassVar

from wengert.dialects.mxnet.errors import MXNetError

__all__ = [
    "Context", "Device", "cpu", "cpu_pinned", "current_context", "current_device", "gpu", "gpu_memory_info",
    "num_gpus",
]  # fmt: skip


class Context:
    """A device; as a context manager, the one on which arrays are made inside.

    Parameters
    ----------
    device_type : str or Context
        ``"cpu"``, ``"gpu"``, ``"cpu_pinned"`` or ``"cpu_shared"``.
    device_id : int
    """

    devtype2str: ClassVar[dict[int, str]] = {1: "cpu", 2: "gpu", 3: "cpu_pinned", 5: "cpu_shared"}
    devstr2type: ClassVar[dict[str, int]] = {name: number for number, name in devtype2str.items()}

    def __init__(self, device_type: Any, device_id: int = 0):
        if isinstance(device_type, Context):
            device_type, device_id = device_type.device_type, device_type.device_id
        if device_type not in self.devstr2type:
            raise MXNetError(
                f"[Context] one of {sorted(self.devstr2type)} was required; received {device_type!r}; use mx.cpu()"
            )
        self.device_typeid, self.device_id = self.devstr2type[device_type], device_id

    @property
    def device_type(self) -> str:
        """Kind of device."""
        return self.devtype2str[self.device_typeid]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and (self.device_typeid, self.device_id) == (
            other.device_typeid,
            other.device_id,
        )

    def __hash__(self) -> int:
        return hash((self.device_typeid, self.device_id))

    def __repr__(self) -> str:
        return f"{self.device_type}({self.device_id})"

    def __enter__(self) -> "Context":
        _entered.set((*_entered.get(), self))
        return self

    def __exit__(self, *exception) -> None:
        _entered.set(_entered.get()[:-1])

    def empty_cache(self) -> None:
        """Nothing is cached."""


Device = Context
_entered: ContextVar[tuple] = ContextVar("wengert_mxnet_devices", default=())
_CPU = Context("cpu", 0)


def cpu(device_id: int = 0) -> Context:
    """The CPU."""
    return Context("cpu", device_id) if device_id else _CPU


def cpu_pinned(device_id: int = 0) -> Context:
    """The CPU, in memory that a GPU could read; the same memory as any other here."""
    return Context("cpu_pinned", device_id)


def gpu(device_id: int = 0) -> Context:
    """A name for a GPU. No array can be made there."""
    return Context("gpu", device_id)


def num_gpus() -> int:
    """How many GPUs there are: none."""
    return 0


def gpu_memory_info(device_id: int = 0) -> tuple[int, int]:
    """Free and total memory of a GPU: an error, as there is none."""
    raise _missing("gpu_memory_info", gpu(device_id))


def current_context() -> Context:
    """The device on which arrays are made here."""
    entered = _entered.get()
    return entered[-1] if entered else _CPU


current_device = current_context


def on_cpu(operation: str, context: Any = None) -> None:
    """Insist that a device, by default the present one, is the CPU."""
    if context is None:
        if not _entered.get():
            return
        context = current_context()
    if isinstance(context, str):
        context = Context(context.rstrip(")").split("(")[0])
    if not isinstance(context, Context):
        raise MXNetError(f"[{operation}] a device was required; received {context!r}; use mx.cpu()")
    if context.device_type == "gpu":
        raise _missing(operation, context)


def _missing(operation: str, context: Context) -> MXNetError:
    return MXNetError(
        f"[{operation}] a device that is there was required; received {context}, and there is no GPU; use mx.cpu(), or "
        f"choose by mx.context.num_gpus()"
    )
