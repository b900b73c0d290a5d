"""A program that is ready to run as a native function: its launches, guards and calls of NumPy bound to one entry."""

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.compiler.answer import Answer
from wengert.compiler.fourier import transform_of
from wengert.compiler.hot import Kernel, kernels_of, watch
from wengert.compiler.layout import AT_ONCE
from wengert.compiler.native import FRESH, OBJECTS, VIEWS, Entry, Launch, Result, probe
from wengert.compiler.operands import Array, Number, Operands
from wengert.compiler.plain import PlainEntry
from wengert.compiler.plan import NATIVE
from wengert.compiler.replay import caller
from wengert.compiler.template import is_native

__all__ = ["bound", "can_bind", "operands_like"]

LONG_ENOUGH_TO_RELEASE = 50_000.0
LONG_ENOUGH_TO_SHARE = 60_000.0
WORTH_A_CHUNK = 25_000.0
"""Estimated nanoseconds: of a run in which other Python threads may go on; of a loop that threads share; of a part."""
FEW_FLOPS = 500_000_000
"""Below it a factorisation is done by one thread of BLAS, whose threads are slow where another process is busy."""
SMALL = 40_000
"""Numbers in the largest operand below which a call of NumPy gets one thread of BLAS."""


def can_bind(plan: Any) -> bool:
    """Whether all results of a plan are numbers that native code computes with."""
    return not plan.layout.direct


def operands_like(inputs: Sequence) -> Operands | None:
    """One operand for each input of a program, of the class, shape and dtype of these; `None` if there are others."""
    operands = Operands()
    for k, x in enumerate(inputs):
        check = input_check(x)
        if check is None:
            return None
        operands.argument(k, check, pointer=k)
    return operands


def input_check(x: Any) -> Array | Number | None:
    """What an input must be to be like this one; `None` for what native code does not read."""
    if type(x) is np.ndarray and x.dtype.isnative and x.dtype.kind in "biufc":
        return Array(x.shape, x.dtype)
    is_whole = type(x) is int and -(2**63) <= x < 2**63
    if type(x) in (float, complex) or is_whole or (isinstance(x, np.generic) and x.dtype.kind in "biufc"):
        return Number(type(x))
    return None


def bound(
    plan: Any,
    operands: Operands,
    answer: Answer,
    *,
    nargs: int,
    slow: Callable,
    names: Sequence[str] = (),
    forgive: bool = False,
    lock: Any = None,
    turned: Sequence[int] = (),
) -> Entry | PlainEntry:
    """The entry of a plan.

    Parameters
    ----------
    plan : wengert.compiler.run.Plan
        The program, ready to run.
    operands : Operands
        What a call is given; pointer ``i`` is the program's input ``i``.
    answer : Answer
        What a call gives, in terms of the results.
    nargs, slow, names, forgive, lock
        As `Entry` takes them.
    turned : sequence of int
        The numbers of results of which the program gives the transposes.
    """
    return _Binding(plan, operands, turned).entry(answer, nargs, slow, names, forgive, lock)


def _slots_of_call(launch: Any, instance: Any) -> np.ndarray:
    """Where a call of NumPy's finds what it is given, and puts what it gives: pointers' numbers and offsets."""
    places = instance.template.planned.places
    stored = [places[v.number].pointer for v in (launch.value, *launch.value.operands) if v.number in places]
    return instance.slots[stored]


class _Binding:
    def __init__(self, plan: Any, operands: Operands, turned: Sequence[int]):
        self.plan, self.layout, self.operands = plan, plan.layout, operands
        self.arguments = self.layout.arguments
        specs = [node.spec for node in self.layout.wanted]
        self.results = [
            Result(spec.shape[::-1], spec.dtype, self.arguments + j, turned=True)
            if j in turned
            else Result(spec.shape, spec.dtype, self.arguments + j, not spec.shape)
            for j, spec in enumerate(specs)
        ]
        self.turned = {self.arguments + j for j in turned}
        """The pointers of arrays that are the transposes of what the program has."""
        for *_, check, pointer in operands.rows:
            if isinstance(check, Array) and check.turned:
                self.turned.add(pointer)
        self.block = self.layout.block
        self.pointers = self.layout.arena_pointer + 1 + len(self.layout.constants)
        self.addresses: dict[str, int] = {}
        self.times: dict[str, float] = {}
        """About how many nanoseconds each kernel takes in one run."""
        self.work = 0.0

    def entry(
        self, answer: Answer, nargs: int, slow: Callable, names: Sequence[str], forgive: bool, lock: Any
    ) -> Entry | PlainEntry:
        layout = self.layout
        constants = {layout.arena_pointer + 1 + i: array for i, array in enumerate(layout.constants)}
        launches = self.launches()
        kind = Entry if probe() else PlainEntry
        entry = kind(
            self.operands, self.results, launches, answer, nargs=nargs, pointers=self.pointers, slow=slow, names=names,
            arena=(layout.arena_pointer, layout.arena + 64), block=(layout.block_pointer, self.block.size + 8),
            expected=self.block.expected, constants=constants, views=self.views,
            release=self.work > LONG_ENOUGH_TO_RELEASE, forgive=forgive, lock=lock, spare=self.plan.spare,
        )  # fmt: skip
        if isinstance(entry, Entry):
            watch(entry.record, entry.launches, sum(self.times.values()), self.kernels())
        return entry

    def kernels(self) -> Callable[[], Iterable[Kernel]]:
        """What gives the kernels with their texts, as long as the plan is there."""
        plan, times, addresses = weakref.ref(self.plan), self.times, self.addresses

        def found() -> Iterable[Kernel]:
            alive = plan()
            return kernels_of(alive.text, times, addresses) if alive is not None else ()

        return found

    # Launches ---------------------------------------------------------------------------------------------------

    def launches(self) -> list[Launch]:
        """The plan's launches, each guard as soon as what it reads is there."""
        found: list[Launch] = []
        launches = self.plan.launches
        due = self.guards_after(launches)
        for k, (launch, row, instance) in enumerate(launches):
            found.append(self.kernel(launch, row) if launch.name is not None else self.call(launch, instance))
            if k in due:
                found += due[k]
        # Where a guard tells that another path is to be taken, it does not matter whether this one would be right.
        return due.get(-1, []) + found + self.checks()

    def kernel(self, launch: Any, row: np.ndarray) -> Launch:
        address = self.addresses.get(launch.name)
        if address is None:
            address = self.addresses[launch.name] = self.plan.module.address(launch.name)
        work, flops = launch.work, launch.flops
        self.work += work or flops / 10
        if not flops:
            self.times[launch.name] = self.times.get(launch.name, 0.0) + work
        if launch.parallel and work > LONG_ENOUGH_TO_SHARE:
            return Launch.kernel(address, row, launch.extent, self.chunk(launch, work), blas_threads=int(flops > 0))
        # What can be cut into parts is cut by us.
        blas_threads = (1 if launch.parallel or flops < FEW_FLOPS else 2) if flops else 0
        return Launch.kernel(address, row, launch.extent, blas_threads=blas_threads)

    @staticmethod
    def chunk(launch: Any, work: float) -> int:
        """How many iterations are one part: enough to be worth it, and a multiple of what the kernel asks for."""
        wanted = max(1, int(launch.extent * WORTH_A_CHUNK / work))
        return -(-wanted // launch.grain) * launch.grain

    def guards_after(self, launches: list) -> dict[int, list[Launch]]:
        """For each launch the guards whose values are there after it; -1 for those that are there at once."""
        due: dict[int, list[Launch]] = {}
        if not len(self.block.rows):
            return due
        places = [_slots_of_call(launch, at) if row is None else row for launch, row, at in launches]
        numbers = np.repeat(np.arange(len(places)), list(map(len, places)))
        pointers, offsets = np.concatenate([np.zeros((0, 2), np.int64), *places]).T
        mine = pointers == self.layout.block_pointer
        last = dict(zip(offsets[mine].tolist(), numbers[mine].tolist(), strict=True))
        for at, guards in self.together(last):
            due.setdefault(at, []).extend(self.guard(guards))
        return due

    def together(self, last: dict[int, int]) -> Iterator[tuple[int, list[int]]]:
        """Guards that are looked at by one launch, and the one after which they are: bytes that lie side by side."""
        lengths, offsets = self.block.lengths.tolist(), self.block.offsets.tolist()
        begin = 0
        ats = [last.get(offset, -1) for offset in offsets]
        for k in range(1, len(offsets) + 1):
            goes_on = k < len(offsets) and lengths[k - 1] == lengths[k] == 1 and ats[k] == ats[begin]
            if not goes_on or k - begin == AT_ONCE:
                yield ats[begin], list(range(begin, k))
                begin = k

    def checks(self) -> list[Launch]:
        """Truth values that all have to hold; those that lie side by side are looked at together."""
        runs: list[list[int]] = []
        for offset in self.block.checks:
            if not runs or offset != runs[-1][0] + len(runs[-1]) or len(runs[-1]) == 8:
                runs.append([])
            runs[-1].append(offset)
        return [Launch.equal(self.layout.block_pointer, run[0], bytes([1] * len(run))) for run in runs]

    def guard(self, guards: list[int]) -> list[Launch]:
        """Look at what lies in the block: several bytes, or as many numbers as one guard has read."""
        block, pointer = self.block, self.layout.block_pointer
        first, end = int(block.offsets[guards[0]]), int(block.offsets[guards[-1]] + block.lengths[guards[-1]])
        expected = block.expected[first:end].tobytes()
        if end - first == len(guards):
            return [Launch.equal(pointer, first, expected)]
        values = np.frombuffer(expected, block.columns.call(block.rows[guards[0]]).spec.dtype)
        size = values.itemsize
        return [Launch.guard(pointer, first + k * size, value) for k, value in enumerate(values)]

    # Calls of NumPy ---------------------------------------------------------------------------------------------

    def call(self, launch: Any, instance: Any) -> Launch:
        """A call of the function that gives a value."""
        pointers = dict.fromkeys(_slots_of_call(launch, instance)[:, 0].tolist())
        owner = {pointer: number for number, (*_, pointer) in enumerate(self.operands.rows) if pointer is not None}
        changing: list[tuple[int, tuple[int, int]]] = []
        for pointer in pointers:
            if pointer < self.arguments:
                changing.append((pointer, (OBJECTS, owner[pointer])))
            elif pointer < self.layout.block_pointer and self.results[pointer - self.arguments].shape:
                changing.append((pointer, (FRESH, pointer - self.arguments)))
        inputs = [node.spec for node in self.layout.inputs]
        call = _Call(instance, launch.value, [pointer for pointer, _ in changing], inputs, self.turned)
        self.work += LONG_ENOUGH_TO_RELEASE / 25
        sources = [(VIEWS, 0), *[source for _, source in changing]]
        return Launch.python(call, sources, one_blas_thread=_is_small(launch.value))

    def views(self, memory: dict[int, np.ndarray], scalars: np.ndarray) -> list:
        """What a state keeps for calls of Python code: bytes by the number of a pointer, and other objects."""
        buffers: list[Any] = [None] * self.pointers
        for result, place in zip(self.results, scalars, strict=True):
            buffers[result.pointer] = place
        for pointer, place in memory.items():
            buffers[pointer] = place
        for i, array in enumerate(self.layout.constants):
            buffers[self.layout.arena_pointer + 1 + i] = array
        return [_Views(buffers)]


class _Views:
    """The memory of a state, as Python code sees it."""

    __slots__ = ("buffers", "objects", "prepared")

    def __init__(self, buffers: list):
        self.buffers = buffers
        self.objects: dict[int, Any] = {}
        self.prepared: dict[_Call, Any] = {}


class _Call:
    """A call of the function that gives a value of an instance; what lies in arguments and results is given each time.

    All other memory belongs to the state, and is made into arrays when a state is seen for the first time.
    """

    def __init__(self, instance: Any, value: Any, changing: list[int], inputs: list, turned: set[int]):
        self.template, self.value, self.changing, self.inputs = instance.template, value, changing, inputs
        self.turned = [k for k, pointer in enumerate(changing) if pointer in turned]
        self.places = instance.slots.tolist()
        self.call = caller(value.setting)
        parts = list(enumerate((value, *value.operands)))
        self.fixed = [(k, v) for k, v in parts if self._is_fixed(v)]
        self.numbers = [k for k, v in self.fixed if k and not v.shape]
        self.given = [(k, v, self._given(v)) for k, v in parts if not self._is_fixed(v)]
        self.transform = None if self.given else transform_of(value.setting)

    def _is_fixed(self, v: Any) -> bool:
        """Whether an array lies in memory that belongs to the state."""
        if v.kind == "literal" or not v.size:
            return True
        place = self._place(v)
        return place is not None and v.dtype.char in NATIVE and self.places[place.pointer][0] not in self.changing

    def _given(self, v: Any) -> int | None:
        """Which of what is given is an array as a whole; `None` if it is to be looked for."""
        place = self._place(v)
        if place is None or place.offset or not is_native(v):
            return None
        pointer, offset = self.places[place.pointer]
        return None if offset else self.changing.index(pointer)

    def _place(self, v: Any) -> Any:
        return self.template.planned.places.get(v.number)

    def __call__(self, views: _Views, *given: Any) -> None:
        objects = list(given)
        for k in self.turned:
            objects[k] = objects[k].T
        prepared = views.prepared.get(self)
        if prepared is None:
            prepared = views.prepared[self] = self._prepared(views, objects)
        if self.transform is not None:
            prepared()
            return
        parts = prepared.copy()
        for k in self.numbers:
            parts[k] = parts[k][()]
        for k, v, number in self.given:
            array = objects[number] if number is not None else None
            if array.__class__ is not np.ndarray or array.size != v.size or array.dtype != v.dtype:
                parts[k] = self._looked_for(k, v, views, objects)
            else:
                parts[k] = array if array.shape == v.shape else array.reshape(v.shape)
        into, *operands = parts
        result = self.call(operands)
        if into is None:
            views.objects[self.value.number] = result
        else:
            into[...] = result

    def _prepared(self, views: _Views, objects: list) -> Any:
        """The result and the operands, as far as they are the same arrays at each call; or what does the transform."""
        memory = self._memory(views, objects)
        parts: list = [None] * (1 + len(self.value.operands))
        for k, v in self.fixed:
            parts[k] = self.template.view(v, memory, {})
        return parts if self.transform is None else self.transform.between(parts[1], parts[0])

    def _looked_for(self, k: int, v: Any, views: _Views, objects: list) -> Any:
        """The result, as `None` where it is an object that kernels do not know; or an operand."""
        if not k and not is_native(v):
            return None
        array = self.template.view(v, self._memory(views, objects), views.objects)
        return array[()] if k and isinstance(array, np.ndarray) and not array.ndim else array

    def _memory(self, views: _Views, objects: list) -> "_Memory":
        """The memory of the template's slots."""
        buffers = list(views.buffers)
        for pointer, given in zip(self.changing, objects, strict=True):
            buffers[pointer] = np.asarray(given, self.inputs[pointer].dtype) if pointer < len(self.inputs) else given
        return _Memory(buffers, self.places)


class _Memory:
    """For each slot of a template its memory as bytes; an array that native code cannot compute with as it is."""

    def __init__(self, buffers: list, places: list):
        self.buffers, self.places = buffers, places

    def __getitem__(self, slot: int) -> np.ndarray:
        pointer, offset = self.places[slot]
        buffer = self.buffers[pointer]
        return buffer.reshape(-1).view(np.uint8)[offset:] if buffer.dtype.char in NATIVE else buffer


def _is_small(value: Any) -> bool:
    """Whether a call of NumPy is over before a second thread of BLAS would have helped."""
    return max([1, *[operand.size for operand in value.operands]]) < SMALL
