"""The most memory that a gradient takes beyond the inputs and the weights, in a warm process."""

from functools import partial

from .. import memory
from ..peers import Peer, load
from ..workload import Budget, Measured, Quantity, Workload
from . import digits, elementwise

STEPS = 3
WIDTHS = (784, 256, 128, 10)
ROWS = 4096


def measure(name: str, program) -> dict:
    run = program(load(name))
    run()  # whatever a library sets up on first use
    before = memory.baseline()
    for _ in range(STEPS):
        run()
    return {"peak": memory.peak() - before}


def training(peer: Peer):
    return digits.training(peer, ROWS, WIDTHS, "float32")


def case(name: str, program, chart="", slow=False) -> Measured:
    return Measured(
        name=name,
        measure=partial(measure, program=program),
        peers=("wengert", "torch", "autograd", "mygrad", "numpy"),
        quantities=[Quantity("peak", "B", [Budget(1.0, "torch")], chart)],
        slow=slow,
    )


WORKLOAD = Workload(
    name="peak_memory",
    title="Peak memory beyond the inputs",
    cases=[
        case(f"training step, batch {ROWS}, {'-'.join(map(str, WIDTHS))}", training, "peak memory of a training step"),
        case("chain of 200 operations, n = 100,000", partial(elementwise.program, n=100_000, middle="sin"), slow=True),
    ],
    needs_proc=True,
)
