"""One file per workload, in the order of the report."""

from importlib import import_module

from ..workload import Workload

NAMES = (
    "elementwise",
    "families",
    "large",
    "scalars",
    "indexing",
    "digits",
    "deep_chain",
    "tape_memory",
    "import_time",
    "peak_memory",
)


def load(name: str) -> Workload:
    """Import the workload of this name."""
    return import_module(f"{__name__}.{name}").WORKLOAD
