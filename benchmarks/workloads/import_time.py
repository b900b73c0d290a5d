"""How long `import` takes in a fresh process: in all, and beyond NumPy's own import."""

import subprocess
import sys

from ..peers import PEERS
from ..workload import Budget, Measured, Quantity, Workload

BEYOND_NUMPY = 60e-3  # seconds

# What a user of the library has to import before the first gradient.
MODULES = {"jax": "jax, jax.numpy", "autograd": "autograd, autograd.numpy"}

SCRIPT = """
import sys, time
{first}
start = time.perf_counter()
import {modules}
print(time.perf_counter() - start)
"""


def import_seconds(modules: str, first: str = "") -> float:
    script = SCRIPT.format(modules=modules, first=first)
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(child.stdout)


def measure(name: str) -> dict:
    modules = MODULES.get(name, PEERS[name].module)
    numbers = {"import": import_seconds(modules)}
    if name != "numpy":
        numbers["import, after NumPy"] = import_seconds(modules, first="import numpy")
    return numbers


WORKLOAD = Workload(
    name="import_time",
    title="Import time in a fresh process",
    cases=[
        Measured(
            name="",
            measure=measure,
            peers=("wengert", "torch", "autograd", "mygrad", "jax", "numpy"),
            quantities=(
                Quantity("import", "s", chart="import"),
                Quantity("import, after NumPy", "s", [Budget(BEYOND_NUMPY)]),
            ),
            rounds=7,
        )
    ],
)
