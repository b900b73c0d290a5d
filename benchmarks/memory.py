"""How much memory this process holds, and the most it has held (Linux only)."""

import ctypes
from pathlib import Path

STATUS = Path("/proc/self/status")


def is_known() -> bool:
    return STATUS.exists()


def resident() -> int:
    """Return the bytes in use now."""
    return _field("VmRSS")


def peak() -> int:
    """Return the most bytes that were in use since `baseline`."""
    return _field("VmHWM")


def baseline() -> int:
    """Return the bytes in use now, all that was freed before given back to the system first."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)  # the GNU C library has it
    if give_back:
        give_back(0)
    Path("/proc/self/clear_refs").write_text("5")  # forget the old peak
    return resident()


def _field(name: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name + ":"))
    return int(line.split()[1]) * 1024
