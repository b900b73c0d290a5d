"""What the numbers were measured on; nothing that names a person, a host or a path."""

import os
import platform
from datetime import date
from importlib import metadata
from pathlib import Path

from .peers import PEERS


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """Name the processor's model, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory() -> float | None:
    """GiB of memory, where the system tells it."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def facts(peers, threads: int) -> dict:
    distributions = sorted({PEERS[name].distribution for name in peers} | {"numpy"})
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "cores": cores(),
        "memory GiB": memory(),
        "threads per peer": threads,
        "load at the start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {name: version(name) for name in distributions},
    }


def version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "source tree"
