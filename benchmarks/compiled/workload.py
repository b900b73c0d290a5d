"""What a workload declares: its program, who runs it, and the budget."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .systems import RIVALS, SUBJECT

FIRST_CALL = 0.08
"""What our first call, the recording included, may take of `jax.jit`'s."""
WARM_FIRST_CALL = 0.03
"""The same when the disk cache knows the program."""
MEMORY = 1.0
"""What our peak may be of the leaner rival's."""

UNROLLED = "it would unroll hundreds of steps, and compile for many minutes"


@dataclass(frozen=True)
class Workload:
    """One program, measured for every system.

    `make(system, **size)` gives a function of no arguments; what it returns is compared among the systems: nested
    sequences of the system's arrays.
    """

    name: str
    """As `--only` has it; several sizes of one program share it."""
    title: str
    make: Callable[..., Callable[[], Any]]
    size: Mapping[str, Any]
    small: Mapping[str, Any]
    """A size for tests."""
    limit: float
    """What a call of ours may take of the best rival's."""
    rivals: Sequence[str] = RIVALS
    """Those whom the budget is set against."""
    beside: Sequence[str] = ("floor",)
    """Those who are shown, and bind nobody."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Rivals that cannot take part, and why."""
    tolerance: float = 1e-6
    is_threaded: bool = False
    """Whether to see what becomes of it while another program keeps a core."""
    is_compiled_once: bool = True
    """Whether a first call and a peak of memory say something: not for further sizes of the same program."""
    per: Mapping[str, int] = field(default_factory=dict)
    """How often a call runs the program, where not once."""
    above_floor: float | None = None
    """Seconds that a call of ours may take more than the C code."""
    changes_for_first_call: Mapping[str, Any] = field(default_factory=dict)
    """Sizes that are others where the first call is measured."""
    note: str = ""

    @property
    def systems(self) -> list[str]:
        """Every system in the order of their turns."""
        return [SUBJECT, *(name for name in (*self.rivals, *self.beside) if name not in self.left_out)]


def differentiated(wrt: int, floor: str = "") -> Callable:
    """Make a program from its mathematics: `data(**size)` gives the arrays, `function(system, **size)` the function.

    Where `floor` names a C function, it takes what `floor_inputs(*arrays)` gives.
    """

    def combine(data: Callable, function: Callable, floor_inputs: Callable | None = None) -> Callable:
        def make(system: Any, **size: Any) -> Callable[[], Any]:
            arrays = data(**size)
            if system.name == "floor":
                assert floor_inputs is not None
                return system.gradient(floor, *floor_inputs(*arrays), like=arrays[:wrt])
            gradient = system.value_and_grad(function(system, **size), wrt)
            arguments = system.arguments(arrays, wrt)
            return lambda: gradient(*arguments)

        return make

    return combine
