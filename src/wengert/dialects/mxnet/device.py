"""``mxnet.device``, MXNet 2's name for ``mxnet.context``."""

from wengert.dialects.mxnet.context import (
    Context,
    Device,
    cpu,
    cpu_pinned,
    current_context,
    current_device,
    gpu,
    gpu_memory_info,
    num_gpus,
)

__all__ = [
    "Context", "Device", "cpu", "cpu_pinned", "current_context", "current_device", "gpu", "gpu_memory_info", "num_gpus",
]  # fmt: skip
