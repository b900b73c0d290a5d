"""The native form of a chunk: its kernels, in terms of slots that an instance binds to memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler import verify
from wengert.compiler.alone import completed, module
from wengert.compiler.components import in_components
from wengert.compiler.emit import emit_kernel
from wengert.compiler.fuse import Step, fuse
from wengert.compiler.graph import Graph, Value
from wengert.compiler.lower import lower
from wengert.compiler.plan import NATIVE, Planned, copies_of_results, plan
from wengert.compiler.program import Program
from wengert.compiler.putting import put_together
from wengert.compiler.replay import caller
from wengert.compiler.routines import ROUTINES
from wengert.compiler.vectormath import declarations, host
from wengert.compiler.writer import Parts

__all__ = ["Kernels", "Launch", "Template"]


@dataclass(slots=True)
class Launch(Parts):
    """A kernel by its name, or a value that a function of NumPy's gives; ``row`` has the slots that a kernel takes."""

    name: str | None
    value: Value | None
    row: np.ndarray | None


NAME = "KERNEL"
"""In the place of a kernel's name."""
ENOUGH = 12_000
"""Letters of kernels that are worth a thread's while: two milliseconds of LLVM's time."""


class Kernels:
    """The kernels of a program; equal ones are one.

    Parameters
    ----------
    first : int
        The number of the first one: those before are known from elsewhere.
    begin : callable, optional
        Called with the text of a module when there is enough for one, and more to come.
    """

    def __init__(self, first: int = 0, begin: Callable[[str], None] | None = None) -> None:
        self.names: dict[str, str] = {}
        self.first = first
        self.declared = ""
        """What the kernels of the modules taken so far call."""
        self._begin = begin
        self._waiting: list[str] = []
        self._letters = 0

    @property
    def count(self) -> int:
        """How many there are, with those from elsewhere."""
        return self.first + len(self.names)

    def name_of(self, text: str) -> str:
        """The name that a kernel gets."""
        name = self.names.get(text)
        if name is None:
            if self._begin is not None and self._letters >= ENOUGH:
                self._begin(self.module())  # while this one, and what follows, is written
            name = self.names[text] = f"kernel{self.count}"
            self._waiting.append(text)
            self._letters += len(text)
        return name

    def module(self) -> str:
        """The definitions that no module has yet, and declarations of what they call; empty if there are none."""
        if not self._waiting:
            return ""
        waiting, self._waiting, self._letters = self._waiting, [], 0
        defined = completed(self._defined(waiting))
        declared = declarations(defined)
        self.declared += f"{declared}\n"
        return f"{defined}\n\n{declared}"

    def text(self) -> str:
        """All definitions, and declarations of what they call."""
        return module(self._defined(self.names))

    def _defined(self, texts: Iterable[str]) -> str:
        return "\n\n".join(text.replace(f"@{NAME}", f"@{self.names[text]}") for text in texts)


def steps_of(program: Program) -> tuple[Graph, list[Step]]:
    """What a chunk's canonical program is made of, and the loops and calls that it becomes."""
    graph = in_components(lower(program))
    put_together(graph)
    copies_of_results(graph)
    if verify.is_asked_for():
        verify.verify_graph(graph)
    steps = fuse(graph)
    graph.settle()
    if verify.is_asked_for():
        verify.verify_steps(graph, steps)
    return graph, steps


class Template:
    """A chunk's canonical program in native form: nothing of the program itself but the calls that stay NumPy's.

    Slots are what comes from outside, then the results, then the scratch memory, then constants.
    """

    __slots__ = ("callers", "checks", "launches", "outputs", "outside", "planned", "pointers", "results")

    def __init__(self, program: Program, kernels: "Kernels"):
        graph, steps = steps_of(program)
        self.outside, self.outputs, self.checks = len(program.inputs), len(graph.results), graph.checks
        self.results = [v.number for v in graph.results]
        self.planned: Planned = plan(graph, steps, self.outside)
        if verify.is_asked_for():
            verify.verify_places(graph, steps, self.planned, self.scratch)
        places = self.planned.places
        self.launches: list[Launch] = []
        self.callers: dict[int, Callable] = {}
        """What calls NumPy's functions, by the numbers of the values that they give, once they have been called."""
        self.pointers: list[tuple[int, int]] | None = None
        """Where the constants are, once a layout has given them a place."""
        for step in steps:
            if step.kernel is not None:
                written = emit_kernel(step.kernel, NAME, places, host())
            elif step.value is not None and step.value.kind in ROUTINES:
                written = ROUTINES[step.value.kind](step.value, NAME)
            else:
                self.launches.append(Launch(None, _alone(step.value), None))
                continue
            at = [(places[v.number], begin) for v, begin in written.pointed_at]
            row = np.array([(place.pointer, place.offset + begin) for place, begin in at], np.int64)
            self.launches.append(Launch(
                kernels.name_of(written.text), None, row.reshape(-1, 2), extent=written.extent, grain=written.grain,
                parallel=written.parallel, work=written.work, flops=written.flops,
            ))  # fmt: skip
        self.planned.places = {n: places[n] for n in self._in_calls() if n in places}
        graph.release()

    def _in_calls(self) -> set[int]:
        """The numbers of what calls of NumPy's functions read and give."""
        calls = [launch.value for launch in self.launches if launch.value is not None]
        return {v.number for call in calls for v in (call, *call.operands)}

    @property
    def scratch(self) -> int:
        """The slot of the scratch memory."""
        return self.outside + self.outputs

    # Functions of NumPy's ---------------------------------------------------------------------------------------

    def called(self, v: Value, buffers: Any, objects: dict) -> None:
        """Call the function that gives a value; ``buffers`` has an array of bytes, or an object, for each slot."""
        operands = [self.view(o, buffers, objects) for o in v.operands]
        call = self.callers.get(v.number)
        if call is None:
            call = self.callers[v.number] = caller(v.setting)
        result = call([o if not isinstance(o, np.ndarray) or o.ndim else o[()] for o in operands])
        if is_native(v):
            self.view(v, buffers, objects)[...] = result
        else:
            objects[v.number] = result

    def view(self, v: Value, buffers: Any, objects: dict) -> Any:
        """A stored value as an array over its memory."""
        if v.number in objects:
            return objects[v.number]
        if v.kind == "literal":
            return np.asarray(v.setting)
        if not v.size:
            return np.empty(v.shape, v.dtype)
        place = self.planned.places[v.number]
        memory = buffers[place.pointer]
        if not is_native(v):
            return memory
        return np.ndarray(v.shape, v.dtype, memory.data, place.offset)


def _alone(v: Any) -> Value:
    """A value without what it is computed from, but for its operands as such."""

    def leaf(o: Value) -> Value:
        return Value(o.number, o.kind, (), o.setting if o.kind == "literal" else None, o.shape, o.dtype)

    return Value(v.number, v.kind, tuple(map(leaf, v.operands)), v.setting, v.shape, v.dtype)


def is_native(v: Value) -> bool:
    """Whether kernels compute with such numbers."""
    return v.dtype.char in NATIVE
