"""A compiled program as a native function: arguments checked, launches run, the answer built, without Python.

The code is the same for all programs and is compiled once (`assembly`). A program is data to it: a *record* of what the
operands must be (`Operands`), which arrays to make, what to launch, and how the answer is built (`Answer`). Whatever
is not as the record says goes to the next record, and from the last to a Python function, the slow path; so no
argument is ever believed to be what it is not.

The layout of CPython's and NumPy's objects is looked at when it is first needed (`probe`). Where it is not as
expected, `wengert.compiler.plain` does the same in Python.
"""

import ctypes
import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler import blas, threads
from wengert.compiler.answer import Answer
from wengert.compiler.assembly import FIELDS, filled, index, spelled
from wengert.compiler.code import Code, bind
from wengert.compiler.errstate import CAPSULE_CONTENT, LOUD
from wengert.compiler.locks import made_once
from wengert.compiler.operands import DICTIONARY_VERSION, Operands
from wengert.compiler.probing import probe

__all__ = ["Entry", "Launch", "Result", "aligned", "hasten", "probe", "runtime", "start_helpers"]

MOST_STATES = 16
"""Calls of one program that may be in flight at once; more take the slow path."""
MOST_TRIES = 128
"""Records that are tried for one call."""
ALIGNMENT = 64
CAREFUL = 1
"""The level of LLVM's code generator at which what all programs share takes five times as long to make."""
KERNEL, GUARD, PYTHON, SPLIT, ONE_BLAS_THREAD, ALL_BLAS_THREADS, SPLIT_ONE_BLAS_THREAD, PYTHON_FOR_ALL = range(8)
OBJECTS, FRESH, VIEWS = range(3)
"""What a call of Python code is given: an operand, a result's array, or one of the state's own objects."""
FASTCALL_KEYWORDS = 0x0080 | 0x0002
SYMBOLS = (
    "PyObject_Vectorcall", "PyEval_SaveThread", "PyEval_RestoreThread", "Py_DecRef", "Py_IncRef", "PyTuple_New",
    "PyTuple_SetItem", "PyList_New", "PyList_SetItem", "PyDict_New", "PyDict_SetItem", "PyDict_GetItemWithError",
    "PyDict_Next", "PyType_GenericAlloc", "PyBytes_FromStringAndSize", "PyObject_RichCompareBool", "PyErr_Clear",
    "PyContextVar_Get", "PyLong_AsLongLongAndOverflow", "PyObject_GenericGetAttr", "PyObject_GenericSetAttr",
    "PyErr_ExceptionMatches", "PyErr_Fetch", "PyErr_Restore", "PyErr_NoMemory",
    "PyMem_Malloc", "PyMem_Free",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """A result of a program: an array that it makes, or a scalar, and the number of the pointer to its data.

    One that is `given` is an object that a call of Python code gives, whatever it is; one that is `turned` lies in
    Fortran's order.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    pointer: int
    scalar: bool = False
    given: bool = False
    turned: bool = False


@dataclass(slots=True)
class Launch:
    """One step of a run; made by `kernel`, `guard`, `equal` and `python`."""

    code: int
    function: Any
    row: np.ndarray
    extent: int = 0
    grain: int = 0

    @classmethod
    def kernel(cls, address: int, row: np.ndarray, extent: int = 1, grain: int = 0, blas_threads: int = 0) -> "Launch":
        """Call ``kernel(pointers, row, 0, extent)``.

        Parameters
        ----------
        address : int
            Where the kernel is.
        row : ndarray
            What it is called with: words of eight bytes.
        extent : int
            The length of its outermost loop.
        grain : int
            If not 0, threads share the loop, so many iterations at a time.
        blas_threads : int
            1: BLAS must use one thread meanwhile; 2: as many as it likes; 0: no BLAS is called.
        """
        if grain and extent > grain:
            return cls(SPLIT_ONE_BLAS_THREAD if blas_threads == 1 else SPLIT, address, row, extent, grain)
        return cls((KERNEL, ONE_BLAS_THREAD, ALL_BLAS_THREADS)[blas_threads], address, row, extent)

    @classmethod
    def guard(cls, pointer: int, offset: int, value: Any) -> "Launch":
        """Stop unless what lies at a place of the block has the bits of the given value.

        The value is a NumPy scalar of at most eight bytes; NaN is equal to NaN.
        """
        value = np.asarray(value)[()]
        size = value.dtype.itemsize
        row = {"pointer": pointer, "offset": offset, "size": size, "mask": 2 ** (8 * size) - 1}
        row["expected"] = int.from_bytes(value.tobytes(), "little")
        if value != value:
            row |= {"mask": 2 ** (8 * size - 1) - 1, "expected": _bits_of_infinity(value.dtype), "above": True}
        return cls(GUARD, 0, filled("guard", [row]), offset + size)

    @classmethod
    def equal(cls, pointer: int, offset: int, expected: Sequence[int]) -> "Launch":
        """Stop unless at most eight bytes that lie side by side in the block are these.

        Eight bytes are read; the block goes on at least that far.
        """
        count = len(expected)
        row = [0] * len(FIELDS["guard"])
        row[index("guard.pointer")], row[index("guard.offset")], row[index("guard.size")] = pointer, offset, 8
        row[index("guard.mask")] = 2 ** (8 * count) - 1
        row[index("guard.expected")] = int.from_bytes(expected, "little")
        return cls(GUARD, 0, np.array([row], np.uint64), offset + count)

    @classmethod
    def python(
        cls,
        function: Callable,
        sources: Sequence[tuple[int, int]],
        one_blas_thread: bool = False,
        gives_all: bool = False,
    ) -> "Launch":
        """Call a Python function; what it raises ends the run.

        Parameters
        ----------
        function : callable
            Takes as many positional arguments as there are sources.
        sources : sequence of (int, int)
            For each argument ``(OBJECTS, number of an operand)``, ``(FRESH, number of a result that is an array)`` or
            ``(VIEWS, number of an object of the state)``.
        one_blas_thread : bool
            Whether BLAS must use one thread meanwhile.
        gives_all : bool
            Whether it gives a list of all results; else what it gives is dropped.
        """
        code = PYTHON_FOR_ALL if gives_all else PYTHON
        return cls(code, function, np.array(sources, np.uint64).reshape(-1, 2), len(sources), one_blas_thread)

    @property
    def calls_python(self) -> bool:
        """Whether it is a call of a Python function."""
        return self.code in (PYTHON, PYTHON_FOR_ALL)


def _bits_of_infinity(dtype: np.dtype) -> int:
    return int.from_bytes(np.array(np.inf, dtype).tobytes(), "little")


class _Record(np.ndarray):
    """The memory of a record, and everything that it points to. It is the native function's ``__self__``."""

    keeps: list


class Entry:
    """A program as a native function.

    Parameters
    ----------
    operands : Operands
        What the arguments, and what is captured, must be.
    results : sequence of Result
        What the program makes.
    launches : sequence of Launch
        What it does.
    answer : Answer
        What a call gives.
    nargs : int
        How many arguments are given, with those by name.
    pointers : int
        How many pointers the launches use.
    slow : callable
        Called as ``slow(read, *args, **kwargs)`` where no record fits. ``read`` is `None` where the arguments are
        others. Where a guard read something else it is the bytes of the block up to the end of what that guard read.
    names : sequence of str
        The names of the last arguments, in the order in which callers give them.
    arena : (int, int), optional
        The number of the pointer to the arena, and its size in bytes.
    block : (int, int), optional
        The number of the pointer to the block that guards read from, and its size in bytes; zero before the first run.
    expected : ndarray, optional
        The bytes of the block as the guards expect them: where one has read something else, programs are tried next of
        which the guards may read what has been read.
    constants : dict, optional
        Arrays by the number of their pointer.
    views : callable, optional
        Called with the memory of a new state (arena and block by the number of their pointer, and a table with the
        bytes of each result that is a scalar), gives the list of objects for `VIEWS`.
    release : bool
        Whether the run is long enough to let other Python threads go on meanwhile.
    forgive : bool
        Whether the slow path is taken, too, where a call of Python code inside raises an exception.
    lock : lock, optional
        Held from the first look at what a call is given until all is written, if the program runs.
    spare : list of ndarray, optional
        Arenas that nobody uses, to be taken before others are made.

    Attributes
    ----------
    function : builtin_function_or_method
        What to call; it holds everything else.
    record, launches : ndarray
        What the native code reads: the program's record, and the table of its launches.
    """

    def __init__(
        self,
        operands: Operands,
        results: Sequence[Result],
        launches: Sequence[Launch],
        answer: Answer,
        *,
        nargs: int,
        pointers: int,
        slow: Callable,
        names: Sequence[str] = (),
        arena: tuple[int, int] | None = None,
        block: tuple[int, int] | None = None,
        expected: np.ndarray | None = None,
        constants: dict[int, np.ndarray] | None = None,
        views: Callable | None = None,
        release: bool = False,
        forgive: bool = False,
        lock: Any = None,
        spare: list[np.ndarray] | None = None,
    ):
        words = np.zeros(len(FIELDS["record"]), np.uint64)
        self._words, self.record = words, words.view(_Record)
        self.record.flags.writeable = False
        self.record.keeps = self._kept = [slow]
        keep = self._keep
        self.launches = keep(_launch_table(launches, keep))
        operand_rows, result_rows = keep(operands.table(keep)), keep(_result_table(results, keep))
        steps = keep(answer.table(keep))
        known = keep([sys.intern(name) for name in names])
        splits = any(launch.code in (SPLIT, SPLIT_ONE_BLAS_THREAD) for launch in launches)
        if splits:
            start_helpers()
        one = ONE_BLAS_THREAD, SPLIT_ONE_BLAS_THREAD
        if any(launch.code in one or (launch.calls_python and launch.grain) for launch in launches):
            blas.find()
        memory = arena or (0, 0), block or (0, 0)
        self.states = states = _States(
            self._words, operands, results, launches, answer, pointers, memory, constants, views, spare
        )  # fmt: skip
        grow = keep(states).grow
        self._put(
            environment=environment().ctypes.data, nargs=nargs, nnames=len(known),
            names=keep(np.array([id(name) for name in known], np.uint64)).ctypes.data,
            noperands=len(operand_rows), operands=operand_rows.ctypes.data, nresults=len(result_rows),
            results=result_rows.ctypes.data, nlaunches=len(launches), launches=self.launches.ctypes.data,
            nsteps=len(steps), steps=steps.ctypes.data, release=release or splits, forgives=forgive,
            writes=operands.writes,
            slow=id(slow), grow=id(keep(grow)), owner=id(self.record), block=block[0] if block else 0,
        )  # fmt: skip
        if expected is not None:
            padded = keep(np.concatenate([expected, np.zeros(8, np.uint8)]))  # words are read from any place in it
            self._put(expected=padded.ctypes.data, nexpected=expected.nbytes)
        if lock is not None:
            acquire, release_lock = keep((lock.acquire, lock.release))
            self._put(lock=id(acquire), unlock=id(release_lock))
        self.function = _function(self.record)

    def link(self, other: "Entry | None") -> None:
        """Try another program, with the same arguments, where those of a call are not this one's."""
        self._put(next=self._address_of(other))

    def otherwise(self, other: "Entry | None") -> None:
        """Try another program where a guard reads something else."""
        self._put(instead=self._address_of(other))

    @property
    def runs(self) -> int:
        """How often the program has run to its end."""
        return int(self._words[index("record.runs")])

    def _address_of(self, other: "Entry | None") -> int:
        return self._keep(other.record).ctypes.data if other is not None else 0

    def _put(self, **fields: int) -> None:
        for name, value in fields.items():
            self._words[index(f"record.{name}")] = value

    def _keep(self, thing: Any) -> Any:
        self._kept.append(thing)
        return thing


class _States:
    """Makes the memory that a call in flight needs for itself, when there is none free."""

    def __init__(
        self, words: np.ndarray, operands: Operands, results: Sequence[Result], launches: Sequence[Launch],
        answer: Answer, pointers: int, memory: tuple[tuple[int, int], tuple[int, int]],
        constants: dict[int, np.ndarray] | None, views: Callable | None, spare: list[np.ndarray] | None,
    ):  # fmt: skip
        self.words = words
        self.noperands, self.results, self.npointers = len(operands.rows), results, pointers
        self.slots, self.nspans = operands.slots, len(operands.rows) if operands.writes else 0
        most_given = max([0, *[launch.extent for launch in launches if launch.calls_python]])
        self.stack = max(answer.deepest, most_given)
        self.arena, self.block = memory
        self.constants, self.views = constants or {}, views
        self.spare = [] if spare is None else spare
        self.made: list[tuple] = []

    def grow(self) -> None:
        """Add one state to the free ones."""
        if len(self.made) >= MOST_STATES:
            return
        pointers = np.zeros(self.npointers + 1, np.uint64)
        for number, array in self.constants.items():
            pointers[number] = array.ctypes.data
        # Nobody reads from the arena what has not been written there: it need not be 0.
        (arena, size), (block, length) = self.arena, self.block
        memory = ({arena: self.space(size)} if size else {}) | ({block: aligned(length)} if length else {})
        for pointer, array in memory.items():
            pointers[pointer] = array.ctypes.data
        scalars = np.zeros((len(self.results), 4), np.uint64)
        for line, result in zip(scalars, self.results, strict=True):
            if result.scalar:
                pointers[result.pointer] = line.ctypes.data
        objects = list(self.views(memory, scalars.view(np.uint8))) if self.views is not None else []
        views = np.array([id(x) for x in objects], np.uint64)
        sizes = [self.noperands] * 3 + [len(self.results), self.stack + 1, self.slots, 3 * self.nspans]
        tables = np.zeros(sum(sizes), np.uint64)
        places = tables.ctypes.data + 8 * np.cumsum([0, *sizes])
        start, held, whole, fresh, stack, seen, spans, _ = map(int, places)
        state = filled("state", [{
            "next": self.words[index("record.free")], "pointers": pointers.ctypes.data, "objects": start, "held": held,
            "fresh": fresh, "views": views.ctypes.data, "stack": stack, "whole": whole,
            "seen": seen if self.slots else 0, "slots": self.slots, "spans": spans,
        }])  # fmt: skip
        self.made.append((pointers, memory, scalars, objects, views, tables, state))
        self.words[index("record.free")] = state.ctypes.data

    def space(self, size: int) -> np.ndarray:
        """Memory for an arena."""
        try:
            return self.spare.pop()
        except IndexError:
            return aligned(size, np.empty)

    def arenas(self) -> list[np.ndarray]:
        """The arenas of all states."""
        return [memory[self.arena[0]] for _, memory, *_ in self.made if self.arena[0] in memory]


def aligned(size: int, make: Callable = np.zeros) -> np.ndarray:
    """So many bytes, all 0 if `make` is NumPy's `zeros`, from an address that vectors like."""
    memory = make(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


def _result_table(results: Sequence[Result], keep: Any) -> np.ndarray:
    return filled("result", [
        {
            "kind": 2 if result.given else result.scalar, "size": len(result.shape), "number": result.dtype.num,
            "pointer": result.pointer, "turned": result.turned,
            "lengths": keep(np.array(result.shape, np.int64)).ctypes.data, "descr": id(keep(result.dtype)),
        }
        for result in results
    ])  # fmt: skip


def _launch_table(launches: Sequence[Launch], keep: Any) -> np.ndarray:
    """The launches, one row each; long programs have very many, so this is done by columns."""
    table = np.zeros((len(launches), len(FIELDS["launch"])), np.uint64)
    rows = [launch.row.ravel().view(np.uint64) for launch in launches]
    numbers = keep(np.concatenate([np.zeros(0, np.uint64), *rows]))
    starts = np.cumsum([0, *map(len, rows)])[:-1] * 8 + numbers.ctypes.data
    columns = {
        "code": [launch.code for launch in launches],
        "function": [id(keep(x.function)) if x.calls_python else x.function for x in launches],
        "row": starts.astype(np.uint64),
        "extent": [launch.extent for launch in launches],
        "grain": [int(launch.grain) for launch in launches],
    }
    for name, values in columns.items():
        table[:, index(f"launch.{name}")] = values
    return table


# The process ------------------------------------------------------------------------------------------------------


class _MethodDef(ctypes.Structure):
    """CPython's description of a function."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


@made_once
def runtime() -> Code:
    """The code that all programs share: as fast as it gets if that is at hand, else as soon as it gets."""
    symbols = {name: ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value for name in SYMBOLS}
    for name, address in (symbols | threads.symbols()).items():
        bind(name, address or 0)
    return Code.stored(_text(), CAREFUL) or Code(_text())


@functools.cache
def _text() -> str:
    settings = {"most_tries": MOST_TRIES, "tuple_items": tuple.__basicsize__}
    settings |= {"loud": LOUD, "capsule_content": CAPSULE_CONTENT, "dictionary_version": DICTIONARY_VERSION}
    parts = ("entry", "operands", "launches", "answer", "pool", "product")
    return "\n".join(spelled(part, settings) for part in parts)


@made_once
def hasten() -> Code:
    """Have the code that all programs share made with more care, for all that there are: calls take a sixth less."""
    better = Code(_text(), CAREFUL)
    _definition().function = better.address("entry")
    return better


def start_helpers() -> None:
    """Have threads ready that help with long loops."""
    limits = blas.limits()
    address = limits.ctypes.data if limits is not None else 0
    threads.start(runtime().address("serve"), blas.numpy_threads(), address)


@made_once
def environment() -> np.ndarray:
    """The table of this process's types and functions."""
    api = _array_api()
    pool, limits = threads.pool(), blas.limits()
    return filled("environment", [{
        "ndarray": id(np.ndarray), "maker": api[93], "scalars": api[60], "copier": api[85], "equivalent": api[182],
        "nothing": id(None), "exception": id(Exception),
        "pool": pool.ctypes.data if pool is not None else 0, "blas": limits.ctypes.data if limits is not None else 0,
    }])  # fmt: skip


@made_once
def _definition() -> _MethodDef:
    return _MethodDef(b"compiled", runtime().address("entry"), FASTCALL_KEYWORDS, None)


def _function(record: np.ndarray) -> Any:
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return make(ctypes.addressof(_definition()), record, None)


def _array_api() -> list[int]:
    """NumPy's table of C functions."""
    capsule = np._core._multiarray_umath._ARRAY_API  # type: ignore[attr-defined]
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return list((ctypes.c_uint64 * 200).from_address(get(capsule, None)))
