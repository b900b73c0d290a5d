"""Settings of the whole process: those that could change a result are refused, the others accepted."""

from typing import Any

from wengert.dialects.torch import dtypes
from wengert.dialects.torch.errors import OptionError

__all__ = [
    "accelerator",
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_float32_matmul_precision",
    "get_num_threads",
    "set_default_device",
    "set_default_tensor_type",
    "set_float32_matmul_precision",
    "set_num_threads",
    "use_deterministic_algorithms",
]


class accelerator:
    """There is none."""

    @staticmethod
    def is_available() -> bool:
        """`False`."""
        return False

    @staticmethod
    def current_accelerator(check_available: bool = False) -> None:
        """`None`."""

    @staticmethod
    def device_count() -> int:
        """0."""
        return 0


def set_default_device(device: Any) -> None:
    """Accept the CPU, and refuse what is not there."""
    dtypes.check_device("set_default_device", device)


def get_default_device() -> dtypes.device:
    """The CPU."""
    return dtypes.CPU


def set_default_tensor_type(t: Any) -> None:
    """Make Python floats become the dtype of a class such as ``torch.DoubleTensor``."""
    dtypes.set_default_dtype(getattr(t, "dtype", t))


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Do nothing: all algorithms here are deterministic."""


def are_deterministic_algorithms_enabled() -> bool:
    """`True`."""
    return True


def set_num_threads(n: int) -> None:
    """Accept a number of threads, which NumPy's linear algebra chooses for itself."""
    if n <= 0:
        raise OptionError(f"[set_num_threads] expects a positive integer; received {n}")


def get_num_threads() -> int:
    """1."""
    return 1


def set_float32_matmul_precision(precision: str) -> None:
    """Accept a precision: products are always computed in that of their operands."""
    if precision not in ("highest", "high", "medium"):
        raise OptionError(f"[set_float32_matmul_precision] 'highest', 'high' or 'medium' required; got {precision!r}")


def get_float32_matmul_precision() -> str:
    """``"highest"``."""
    return "highest"
