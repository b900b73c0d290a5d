"""All workloads, in the order of the report."""

from . import elementwise, geometry, models, networks, sequences

WORKLOADS = [
    workload for module in (elementwise, models, geometry, sequences, networks) for workload in module.WORKLOADS
]
NAMES = tuple(dict.fromkeys(workload.name for workload in WORKLOADS))
