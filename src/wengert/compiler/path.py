"""One way through a function, ready to run; and all ways that are known for one kind of arguments."""

import os
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from wengert.compiler.capture import Captured
from wengert.compiler.changes import Changes
from wengert.compiler.locks import BOOKS
from wengert.compiler.program import Program
from wengert.compiler.replay import Mismatch, Replay, same, told_apart
from wengert.compiler.results import Results
from wengert.compiler.trace import _contents, _list
from wengert.compiler.turned import transposed, turn
from wengert.compiler.ways import Ways
from wengert.compiler.worth import Trial
from wengert.compiler.writing import IN_TENSORS, OF_GRADIENTS, write_back

__all__ = ["Kind", "Path", "compiler"]

MOST_PATHS = 64
"""Paths through one function, for one kind of arguments, that are kept."""
MOST_IN_VAIN = 3
"""Ways that are taken to come again and be worth a program, each less another call that found one, before giving up:
where numbers are read, of which the next ones are others."""
MOST_BRANCHES = 8
"""The same where only truth values are read."""
MOST_TRIED = 8
"""Paths that are run in vain before the function is recorded once more."""
MOST_NAMES = 12
"""Of what a function reads from around it, so many are named."""
UNKNOWN = object()
"""In the place of what a guard has read, where only is known that it was something else."""
PATIENCE = 64
"""Calls of one kind among which at least a quarter must have taken a path that was known: each is met twice before."""


MOST_READ = 512
"""Elements of an array that is read out, each of which native code compares with what it was."""
WHOLE = {_contents, _list}
"""Readers of whole arrays."""


class Path:
    """One way through the function: its program, ready to run, and what the guards must read."""

    def __init__(self, program: Program, results: Results, changes: Changes, name: str):
        started = time.perf_counter()
        self.results = results
        self.places, self.cleared = changes.places(), changes.cleared
        self.exchanged, self.twins, self.remade = changes.exchanged, changes.twins, changes.remade
        self.filled, self.puts = changes.filled, changes.puts()
        containers = [*self.remade, *([self.filled.parts] if self.filled is not None else [])]
        self.keeps = bool(self.twins) or any(container.kept for container in containers)
        """Whether it puts arrays into places that it has found in others."""
        self.count, self.operations = len(results.nodes), len(program.nodes)
        self.outcomes = tuple(guard.outcome for guard in program.guards)
        self.key = tuple(map(told_apart, self.outcomes))
        self.readers = tuple(guard.reader for guard in program.guards)
        self.draws = program.take_draws()
        self.turned_inputs, self.turned_results = turn(program, changes.arrays_read(), results)
        """Those that the program has with their axes reversed."""
        self.native: Any
        self.native, self.trouble = _native(program, not changes.tensors)
        self.replay: Any = None if self.native is not None else Replay(program)
        self.generators = program.generators
        calls_numpy = self.native is None or self.native.calls_numpy
        self.trial = None if self.places or self.cleared or self.generators or not calls_numpy else Trial()
        """Whether it is faster than the function, if that can be asked."""
        self.by_layout, self.by_strides = program.by_layout, program.by_strides
        self.seconds = time.perf_counter() - started
        self.calls = 0
        self.has_shortcut = False
        """Whether a shortcut has been made since it last ran."""
        self.no_shortcut = self.strayed = ""
        """Why there is no shortcut; and the function whose result has lately had another shape."""
        self.written: list = []
        if os.environ.get("WENGERT_DUMP"):
            from wengert.compiler.dumping import dump

            dump(self, name)

    @property
    def plan(self) -> Any:
        """What a shortcut is made of; `None` where there can be none."""
        if self.native is not None and not self.draws:
            return self.native
        if self.outcomes or compiler()[0] is None or any(kind == "array" for kind, _ in self.places):
            return None
        from wengert.compiler.called import Called

        if self.native is None:
            program = self.replay.program
            return Called(self.replay, program.inputs, program.results, self.draws, self.generators)
        layout = self.native.layout
        return Called(self.native, layout.inputs, layout.wanted, self.draws, self.generators)

    @property
    def program(self) -> Program:
        """The program as it was recorded, but without chains of writes; made anew where there is native code."""
        return self.replay.program if self.native is None else self.native.columns.program()

    def run(self, inputs: list, captured: Captured | None) -> tuple[bool, Any]:
        """Whether it is the right path, and the results; or what its guards read, up to the one that differs.

        What it writes is not written where `captured` is `None`.
        """
        states = [g.bit_generator.state for g in self.generators]
        inputs = transposed([*inputs, *[draw() for draw in self.draws]], self.turned_inputs)
        values, read = self._computed(inputs)
        if values is None:
            for g, state in zip(self.generators, states, strict=True):
                g.bit_generator.state = state
            return False, read
        self.calls += 1
        if self.has_shortcut:  # it was made for this call; the next ones like it do not come here
            self.has_shortcut = False
            if self.native is not None and not self.draws:
                self.native.rest()
        self.written = values[self.count :]
        if captured is not None:
            write_back(captured, self.places, self.written, self)
        return True, self.results.rebuilt(values[: self.count])

    def _computed(self, inputs: list) -> tuple[list | None, Any]:
        began = time.perf_counter()
        try:
            values = self.replay(*inputs) if self.native is None else self.native(*inputs)
            if self.trial is not None and not self.trial.is_over:
                self.trial.program.append(time.perf_counter() - began)
            return values, self.outcomes
        except Mismatch as mismatch:
            if mismatch.number < 0:
                self.strayed = mismatch.outcome
                return None, None
            # Whole arrays native code looks at last, and at no more of them than tells that they differ.
            arrays = [k for k, known in enumerate(self.outcomes[: mismatch.number + 1]) if isinstance(known, tuple)]
            if arrays and self.native is not None:
                return None, (*self.outcomes[: arrays[0]], UNKNOWN)
            return None, (*self.outcomes[: mismatch.number], mismatch.outcome)
        except Exception:  # the function itself will say what is wrong, or go another way
            return None, None

    def explained(self) -> str:
        """The program, and how it runs."""
        lines = [
            str(self.program),
            f"  made ready in {1e3 * self.seconds:.1f} ms; run through Python {self.calls} times",
        ]
        if self.no_shortcut:
            lines.append(f"  always through Python: {self.no_shortcut}")
        if self.native is None:
            return "\n".join([*lines, f"  runs as calls of NumPy: {self.trouble}"])
        from wengert.compiler.telling import loops

        return "\n".join([*lines, loops(self.native)])


def compiler() -> tuple[Callable | None, str]:
    """What makes a program native, or why there is nothing.

    Asked for before anything is recorded: what lasts as long as the process must not lie in between what is soon gone.
    Nor may the handler of a signal find modules half imported, which are used first when a program is called.
    """
    try:
        from wengert.compiler import approximations, called, shortcut, sines  # noqa: F401
        from wengert.compiler.ahead import Ahead
        from wengert.compiler.lower import known_functions
        from wengert.compiler.run import Plan
    except ImportError as missing:
        return None, str(missing)
    known_functions()
    Ahead.is_possible()
    return Plan, ""


def _native(program: Program, forgets: bool) -> tuple[Callable | None, str]:
    """The program as native code, or why there is none; whether its nodes may go as soon as they are not needed."""
    if any(guard.node.spec is None for guard in program.guards):
        return None, "it decides by something that is no number"
    if any(call.spec and not call.spec.dtype.isnative for call in program.calls()):
        return None, "it uses numbers in another byte order"
    if any(guard.reader in WHOLE and guard.node.spec.size > MOST_READ for guard in program.guards):
        return None, "it reads large arrays out, by all numbers of which it then decides"
    make, missing = compiler()
    if make is None:
        return None, f"there is no native compiler ({missing}); install llvmlite"
    try:
        plan = make(program, forgets=forgets)
    except Exception as trouble:
        return None, _named(trouble)
    if plan.leaves_most_to_numpy:
        program.become(plan.columns.program())
        return None, "nearly all of it are calls of NumPy's functions"
    return plan, ""


def _named(trouble: Exception) -> str:
    """Why there is no native code where the compiler itself has failed; the tests let it fail."""
    return f"{type(trouble).__name__}: {trouble}"


class Kind:
    """All that is known of the function for one kind of arguments."""

    def __init__(self, found: Any) -> None:
        self.paths: OrderedDict[tuple, Path] = OrderedDict()
        self.last: Path | None = None
        self.keeps = found.named
        """What the kind's key names by identity."""
        self.reads = found.reads()
        """The names of what it reads around it."""
        self.calls = self.recordings = self.eager = 0
        """Calls; those that were recorded; those that were left to the function itself."""
        self.failures = 0
        """Recordings in a row that ended by what the function raised, where nothing else is known of it."""
        self.ways = Ways()
        self.writes: set[tuple[str, int]] = set()
        """The arrays and tensors that its paths write, which must lie apart from all others."""
        self.puts = False
        """Whether one of them puts anything into places, which may be in containers among the arguments, too."""
        self.apart: Callable[[], Any] = lambda: None
        """What was found when they last did, if it is still there."""
        self.recent: list[bool] = []
        self.straight = 0
        """Calls that had gone by shortcuts when it was last looked at how many of them are known."""
        self.strides: tuple | None = None
        """How what was given lay in memory, where that matters; what lies otherwise is of another kind."""
        self.given_up: str | None = None
        self.strayed = False
        """Whether the last recording has gone another way than the function alone, though the results agreed."""
        self.decides = ""
        """What a path that was not the right one decided by."""
        self.in_vain = self.right = 0
        """Ways that were taken to come again, less calls that found a path; and how many of these there had been."""
        self.differentiable = False

    def run(self, inputs: list, captured: Captured | None) -> tuple[bool, Any]:
        """Whether a path is known for the values, and the results; or what guards read where all known paths are left.

        What it writes is not written where `captured` is `None`.
        """
        path, tried, read = self.last, set(), None
        while path is not None and id(path) not in tried:
            tried.add(id(path))
            right, results = path.run(inputs, captured)
            if right:
                self._found(path)
                return True, results
            read = results
            self.decides = _decision(path, read) or self.decides
            if read is None or len(tried) > MOST_TRIED:
                break
            with BOOKS:
                known = list(self.paths.values())
            key = tuple(map(told_apart, read))
            path = next((p for p in known if id(p) not in tried and _begins(p, read, key)), None)
        return False, read

    def _found(self, path: Path) -> None:
        """The path is looked at first from now on, if another thread has not let go of it meanwhile."""
        with BOOKS:
            if self.paths.get(path.key) is path:
                self.last = path
                self.paths.move_to_end(path.key)

    def add(self, path: Path, is_first: bool = True) -> None:
        """Keep another path; one that was known, and not found, decides by the last bit, which NumPy gives alike.

        Then, where numbers are read out, other inputs go another way each time, and the function itself takes less time
        than NumPy's calls one by one. Where it is not `is_first`, another thread has recorded it meanwhile.
        """
        with BOOKS:
            is_known = path.key in self.paths
            if is_known and not is_first:
                return
            if is_known and any(reader.__name__ in ("float", "_item") for reader in path.readers):
                self._give_up(TO_THE_LAST_BIT)
                return
            if is_known:
                path.native, path.replay = None, Replay(path.program)
                path.trouble = TO_THE_LAST_BIT
            self.paths[path.key] = self.last = path
            self.puts |= path.puts
            self.writes.update(place for place in path.places if place[0] in ("array", *IN_TENSORS))
            if len(self.paths) > MOST_PATHS:
                self.paths.popitem(last=False)

    @property
    def trial(self) -> Trial | None:
        """The trial of the path that was taken last, as long as it lasts."""
        path = self.last
        return None if path is None or path.trial is None or path.trial.is_over else path.trial

    def judge(self) -> None:
        """Give up where all that there is takes longer than the function."""
        if all(path.trial is not None and path.trial.is_lost for path in list(self.paths.values())):
            self._give_up("its program takes longer than the function, as NumPy's calls in it have no native form")

    @property
    def adds(self) -> bool:
        """Whether one of its paths writes gradients, to which others may add meanwhile."""
        return any(kind in OF_GRADIENTS for kind, _ in self.writes)

    def may_write(self, captured: Captured) -> bool:
        """Whether what its paths write can be written, and is nobody else's memory."""
        if not self.writes:
            return True
        if not captured.can_be_written(self.writes) or captured.shares(self.writes):
            return False
        if not captured.is_apart(self.writes, self.apart()):
            return False
        self.apart = weakref.ref(captured.found)
        return True

    def comes_again(self, read: tuple | None, inputs: list, straight: int) -> bool:
        """Whether a way that left all known paths is worth a recording; gives up where such were of no use.

        `straight` says how many calls found their paths without the kind being asked.
        """
        how = self.ways.is_met_again(read, inputs)
        if how == "comes again":
            right = straight + sum(path.calls for path in list(self.paths.values()))
            self.in_vain = max(0, self.in_vain - max(0, right - self.right)) + 1
            self.right = right
            if self.in_vain >= (MOST_BRANCHES if READINGS["bool"] in self.decides else MOST_IN_VAIN):
                self._give_up()
        return bool(how) and not self.given_up

    def is_known(self) -> bool:
        """Whether there is something to tell: not where a recording only showed what changes from call to call."""
        return bool(self.paths or self.given_up or self.differentiable)

    def explained(self) -> str:
        """What it uses from around it, and its paths."""
        lines = [f"  left to the function: {self.given_up}"] if self.given_up else []
        if self.differentiable:
            lines.append("  differentiated from outside: its value and its derivatives are compiled")
        if names := self.reads:
            lines.append(f"  reads {', '.join(names[:MOST_NAMES])}{', ...' if len(names) > MOST_NAMES else ''}")
        return "\n".join([*lines, *[path.explained() for path in self.paths.values()]])

    def generators(self) -> list:
        """The generators that its paths draw random numbers from."""
        return list({id(g): g for path in self.paths.values() for g in path.generators}.values())

    def note(self, known: bool, shortcuts: Callable) -> None:
        """Give up where the function keeps taking new paths; calls that went by shortcuts took known ones."""
        with BOOKS:
            self.recent.append(known)
            if len(self.recent) < PATIENCE:
                return
            straight = shortcuts(self.paths.values())
            more, self.straight = max(straight - self.straight, 0), straight
            if (sum(self.recent) + more) * 4 < len(self.recent) + more:
                self._give_up()
            self.recent.clear()

    def _give_up(self, why: str = "") -> None:
        with BOOKS:
            self.given_up = why or f"it keeps taking new paths{self.decides}"
            self.paths.clear()
            self.last = None


def _decision(path: Path, read: tuple | None) -> str:
    """What the guard has read at which a path was left, in words."""
    if not read:
        return f", as it makes arrays whose shapes depend on values ('{path.strayed}')" if path.strayed else ""
    reader = path.readers[len(read) - 1].__name__
    return f", as it reads {READINGS.get(reader, READINGS['bool'])}"


TO_THE_LAST_BIT = "it decides by numbers to the last bit"
READINGS = {
    "bool": "a truth value that steers it (`if`, `while`)",
    "float": "a number out (float(x), math.sin(x)); return x or x.item() instead, if nothing is decided by it",
    "int": "a whole number out (int(x))",
    "index": "a whole number out, to count or to index with",
    "_count": "how many elements of a mask are true, and with it a shape",
    "_extent": "how long a slice is, and with it a shape",
    "_item": "a number out (x.item())",
    "_contents": "a whole array out (np.array(x), x.tolist(), print(x), another library's function: of SciPy's, those "
    "in wengert.scipy stay in the program)",
}
"""What readers read."""


def _begins(path: Path, read: tuple, key: tuple) -> bool:
    """Whether the guards of a path expect what has been read, which `key` is in the form that keys have."""
    outcomes = path.outcomes
    if path.key[: len(key)] == key:
        return True
    return len(outcomes) >= len(read) and all(b is UNKNOWN or same(a, b) for a, b in zip(outcomes, read, strict=False))
