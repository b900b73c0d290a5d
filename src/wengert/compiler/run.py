"""Programs as kernels and calls."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from time import perf_counter
from typing import Any
from weakref import ref

import numpy as np

from wengert.compiler import verify
from wengert.compiler.answer import Answer
from wengert.compiler.binding import bound, can_bind, operands_like
from wengert.compiler.buffers import forward
from wengert.compiler.collecting import collection_frozen, give_back
from wengert.compiler.columns import FEW, Columns
from wengert.compiler.guards import comparable
from wengert.compiler.layout import Instance, Layout
from wengert.compiler.leading import lead
from wengert.compiler.made import Made
from wengert.compiler.native import Entry
from wengert.compiler.operands import Operands
from wengert.compiler.plan import NATIVE
from wengert.compiler.program import Node, Program
from wengert.compiler.replay import Mismatch, Replay
from wengert.compiler.roll import Rolled, rolled

__all__ = ["Plan"]

MOSTLY = 0.75
"""The share of a program's calls that are NumPy's from which on all of it runs as such."""
KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


class Plan:
    """A program ready to run.

    Parameters
    ----------
    program : Program
        What was recorded.
    level, passes
        As `Code` takes them.
    forgets : bool
        Whether the nodes of the program are let go as soon as they are not needed.
    """

    def __init__(self, program: Program, level: int = 0, passes: bool = False, forgets: bool = False):
        self.level, self.passes = level, passes
        self.stages: dict[str, float] = {}
        """Seconds that each stage of the making took."""
        with collection_frozen():
            if verify.is_asked_for():
                verify.verify_program(program)
            self._columns = Columns(program)
            if forgets:
                program.forget()
            recorded = copy(self._columns)
            try:
                self._simplify(forgets)
                recorded = self._columns
                self._make()
            except Exception:
                program.become(recorded.program())
                raise
        self.native = can_bind(self)
        self.fast: Any = None
        """The native function, once it has been called for the first time."""
        self.own: Any = None
        """Its entry."""
        self.spare: list[np.ndarray] = []
        """Arenas that nobody uses any more."""
        self._replay: Replay | None = None
        self._one_by_one: list | None = None
        """The launches, once they have been made from Python."""

    def _simplify(self, alone: bool) -> None:
        """Leave out chains of writes, and what nobody needs; `alone`: nobody else has what has been recorded."""
        with self._timed("simplified"):
            if len(self._columns) > FEW:
                lead(self._columns)
            forward(self._columns)
            comparable(self._columns)
            self._columns.settle()
            if alone:
                self._columns.move()
                if self._columns.long:
                    give_back()
        if verify.is_asked_for():
            verify.verify_program(self._columns.program())

    def _make(self) -> None:
        with self._timed("cut into chunks"):
            chunks = rolled(self._columns)
        with self._timed("fused and written"):
            made = Made(chunks, self.level, self.passes)
        with self._timed("laid out"):
            self.layout = Layout(chunks, made.templates, made.kernels)
        with self._timed("machine code"):
            self.module = made.finished()
        self._kernels = made.kernels if not made.kernels.first else None
        self._columns.pack()

    @property
    def leaves_most_to_numpy(self) -> bool:
        """Whether nearly all of the program is calls of NumPy's functions."""
        left = self.layout.count_calls()
        return left > 0 and left >= MOSTLY * len(self._columns.rows_of(lambda call: call.function is not None))

    @property
    def columns(self) -> Columns:
        """The program in columns."""
        return self._columns.unpacked()

    @property
    def rolled(self) -> Rolled:
        """The program in chunks, made once more."""
        return rolled(self.columns)

    @property
    def calls_numpy(self) -> bool:
        """Whether something in it has no native form."""
        return self.layout.count_calls() > 0

    @property
    def launches(self) -> list[tuple[Any, np.ndarray | None, Instance]]:
        """What is to be done: each launch of a template, what it is bound to, and the instance."""
        return [
            (launch, row, instance)
            for instance in self.layout.instances
            for launch, row in zip(instance.template.launches, instance.rows(), strict=True)
        ]

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.stages[stage] = perf_counter() - start

    @property
    def text(self) -> str:
        """The kernels in LLVM's language; made once more where their machine code was at hand."""
        if self._kernels is None:
            chunks = self.rolled
            made = Made(chunks, self.level, self.passes, anew=True)
            Layout(chunks, made.templates, made.kernels)
            self._kernels = made.kernels
        return self._kernels.text()

    def entry(self, args: tuple, slow: Any = None, single: bool = False) -> Any:
        """A native function of arguments like these that gives the results, in a tuple or alone."""
        operands, answer = operands_like(args), Answer()
        assert operands is not None
        for j in range(1 if single else len(self.layout.wanted)):
            answer.result(j)
        if not single:
            answer.tuple(len(self.layout.wanted))
        return bound(self, operands, answer, nargs=len(args), slow=slow).function

    def __call__(self, *inputs: Any) -> list:
        """The results; raises `Mismatch` if a guard reads something else than it did."""
        fast = self.fast
        if fast is None:
            if not self._is_made_for(inputs):
                return self.slowly(*inputs)
            fast = self.fast = self._made_fast(inputs)
        return fast(*inputs)

    def _is_made_for(self, inputs: tuple) -> bool:
        """Whether arrays have the shapes and dtypes that kernels read them with; those of captured ones can change."""
        specs = [node.spec for node in self.layout.inputs]
        return all(
            x.shape == spec.shape and x.dtype == spec.dtype
            for x, spec in zip(inputs, specs, strict=True)
            if x.__class__ is np.ndarray
        )

    def bound(self, operands: Operands, answer: Answer, **settings: Any) -> Any:
        """A native entry for what a call is given and gives, with settings as `bound` takes them."""
        return bound(self, operands, answer, **settings)

    def rest(self) -> None:
        """Let the native function go; it is made anew where it is called again. Others get its working memory."""
        own, self.own, self.fast = self.own, None, None
        if isinstance(own, Entry):
            arenas, record = own.states.arenas(), ref(own.record)
            del own
            if record() is None:  # no other thread is calling it
                self.spare += arenas

    def _made_fast(self, inputs: tuple) -> Any:
        """The native function for inputs of the classes of these, which leaves others to `slowly`."""
        operands, answer = operands_like(inputs), Answer()
        if not self.native or operands is None:
            return self.slowly
        for j in range(len(self.layout.wanted)):
            answer.result(j)
        answer.list(len(self.layout.wanted))
        self.own = bound(self, operands, answer, nargs=len(inputs), slow=self._otherwise)
        return self.own.function

    def _otherwise(self, read: bytes | None, *inputs: Any) -> list:
        if read is None:
            return self.slowly(*inputs)
        block = self.layout.block
        if len(read) > len(block.expected):
            return self._replayed(*inputs)
        found = np.zeros(block.size, np.uint8)
        found[: len(read)] = np.frombuffer(read, np.uint8)
        number = block.missed(found, len(read))
        raise Mismatch(number, block.value(number, found))

    def _replayed(self, *inputs: Any) -> list:
        """The results by NumPy's functions alone."""
        if self._replay is None:
            self._replay = Replay(self.columns.program())
        return self._replay(*inputs)

    def slowly(self, *inputs: Any) -> list:
        """The same, launch by launch from Python: for whatever inputs can be made arrays of the right dtypes."""
        layout = self.layout
        if any(np.shape(x) != node.spec.shape for x, node in zip(inputs, layout.inputs, strict=True)):
            raise Mismatch(-1, None)  # they have changed since they were looked at
        given = [
            np.asarray(x, node.spec.dtype.newbyteorder("="), order="C")
            for x, node in zip(inputs, layout.inputs, strict=True)
        ]
        results = [_empty(node) for node in layout.wanted]
        block = np.zeros(layout.block.size, np.uint8)
        buffers = [*given, *results, block, np.empty(layout.arena + 64, np.uint8), *layout.constants]
        pointers = np.array([b.ctypes.data for b in buffers], np.uint64)
        objects: dict[int, Any] = {}
        if self._one_by_one is None:
            self._one_by_one = self.launches
        at: Instance | None = None
        for launch, row, instance in self._one_by_one:
            if launch.name is not None and row is not None:
                KERNEL(self.module.address(launch.name))(pointers.ctypes.data, row.ctypes.data, 0, launch.extent)
            elif launch.value is not None:
                if instance is not at:
                    at, memory = instance, _bound(instance, buffers)
                instance.template.called(launch.value, memory, objects)
        number = layout.block.first_difference(block)
        if number is not None:
            raise Mismatch(number, layout.block.value(number, block))
        if not layout.block.holds(block):
            return self._replayed(*inputs)
        for j, (row, number) in layout.direct.items():
            results[j] = objects[number] if number is not None else self.direct(self._columns.row(row), given)
        return results

    @staticmethod
    def direct(node: Node, inputs: list) -> Any:
        """A result that kernels cannot copy, and that is an input or a constant."""
        return np.array(inputs[node.source]) if node.name == "input" else node.source


def _empty(node: Node) -> np.ndarray:
    spec = node.spec
    return np.empty(spec.shape, spec.dtype) if spec is not None else np.empty(0)


def _bound(instance: Instance, buffers: list) -> list:
    """For each slot of a template its memory as bytes, or the array that kernels cannot compute with."""
    return [
        buffers[pointer].reshape(-1).view(np.uint8)[offset:]
        if buffers[pointer].dtype.char in NATIVE
        else buffers[pointer]
        for pointer, offset in instance.slots.tolist()
    ]
