"""The systems take turns, and make the lines of the report."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ..runner import FEW, LONG, difference
from ..runner import Settings as CommonSettings
from ..worker import PeerFailed, Worker
from ..workload import Row
from .catalogue import WORKLOADS
from .child import Child
from .systems import SUBJECT
from .workload import FIRST_CALL, MEMORY, WARM_FIRST_CALL, Workload

WARM = "warm cache"  # ours again, in a process that finds the object code on disk
CACHE = "WENGERT_CACHE"
FRESH = (SUBJECT, WARM, "jax", "torch")


@dataclass(frozen=True)
class Settings(CommonSettings):
    """How much to measure."""

    small: bool = False
    """Take the sizes for tests."""
    processes: int = 3
    """Fresh processes for each system, for first calls and memory."""


@dataclass(frozen=True)
class Demand:
    """At most `limit` times the best of the rivals, or `limit` more than it; without rivals at most `limit` itself."""

    subject: str
    limit: float
    rivals: Sequence[str]
    is_difference: bool = False

    @property
    def against(self) -> str:
        return ", ".join(self.rivals)

    def best(self, row: Row) -> str | None:
        """Whose value is least; what is not above zero, as a peak below the one before it, says nothing."""
        present = [name for name in self.rivals if (row.value(name) or 0) > 0]
        return min(present, key=row.value, default=None)

    def measured(self, row: Row) -> float | None:
        ours, best = row.value(self.subject), self.best(row)
        if ours is None or not self.rivals:
            return ours
        if best is None:
            return None
        return ours - row.value(best) if self.is_difference else ours / row.value(best)


@dataclass
class Line(Row):
    """A line of a table: what came out for each system, and what was demanded of ours."""

    demands: Sequence[Demand] = ()
    notes: list[str] = field(default_factory=list)

    def verdicts(self):
        """(subject, budget, measured, met) for every demand that could be judged."""
        for demand in self.demands:
            measured = demand.measured(self)
            if measured is not None:
                yield demand.subject, demand, measured, measured <= demand.limit


def running(chosen: Sequence[Workload], names: Sequence[str], settings: Settings, tell: Callable) -> list[Line]:
    """Time warm calls: one process for each system, from workload to workload."""
    workers: dict[str, Worker] = {}
    try:
        with cache_at(""):
            return [_timed(workload, names, workers, settings, tell) for workload in chosen]
    finally:
        for worker in workers.values():
            worker.close()


def _timed(workload: Workload, names: Sequence[str], workers: dict, settings: Settings, tell: Callable) -> Line:
    line = Line(workload.title, "s", chart=workload.title, demands=_demands(workload))
    line.notes = [workload.note] if workload.note else []
    line.remarks = {name: f"left out: {why}" for name, why in workload.left_out.items() if name in names}
    place = WORKLOADS.index(workload), settings.small
    answers, seconds = {}, {}
    for name in (name for name in workload.systems if name in names):
        tell(f"{workload.title}: {name} prepares")
        if answer := _ask(line, name, workers, settings, "prepare", *place):
            answers[name], seconds[name], notes = answer
            line.notes += notes
    line.remarks |= disagreeing(answers, workload)
    for turn in range(settings.rounds):
        for name in answers:
            if name not in line.remarks and (seconds[name] < LONG or turn < FEW):
                tell(f"{workload.title}: round {turn + 1} of {settings.rounds}, {name}")
                if found := _ask(line, name, workers, settings, "time", settings.block, seconds[name]):
                    line.samples.setdefault(name, []).append(found / workload.per.get(name, 1))
    for name in line.samples:
        _ask(line, name, workers, settings, "drop")
    return line


def _ask(line: Line, name: str, workers: dict, settings: Settings, *request):
    """Return the answer, or None: a system that failed is out of the line, and says why."""
    try:
        if name not in workers or not workers[name].is_alive():
            workers[name] = Worker(name, settings.timeout, Child)
        return workers[name].ask(*request)
    except PeerFailed as failure:
        line.samples.pop(name, None)
        line.remarks[name] = f"failed: {failure}"
        return None


def _demands(workload: Workload) -> list[Demand]:
    demands = [Demand(SUBJECT, workload.limit, workload.rivals)]
    if workload.above_floor:
        demands.append(Demand(SUBJECT, workload.above_floor, ("floor",), is_difference=True))
    return demands


def disagreeing(answers: dict, workload: Workload) -> dict[str, str]:
    """Say who differs from the reference, the first of the others that is here, and by how much."""
    others = [name for name in (*workload.rivals, *workload.beside) if name in answers]
    if not others:
        return {}
    remarks = {}
    for name, found in answers.items():
        expected = answers[others[0]]
        if len(expected) != len(found):
            remarks[name] = f"WRONG: {len(found)} arrays instead of {len(expected)}"
            continue
        error = max(difference(e, f) for e, f in zip(expected, found, strict=True))
        if error > workload.tolerance:
            remarks[name] = f"WRONG: differs from {others[0]} by {error:.1e} of the largest number"
    return remarks


def fresh(
    chosen: Sequence[Workload], names: Sequence[str], settings: Settings, tell: Callable
) -> dict[str, list[Line]]:
    """First calls and peaks of memory, each in a fresh process; a list of lines for each quantity."""
    found: dict[str, list[Line]] = {"first call": [], "memory, first calls": [], "memory, later calls": []}
    for workload in (w for w in chosen if w.is_compiled_once):
        lines = {
            "first call": Line(workload.title, "s", demands=_first_call_demands()),
            "memory, first calls": Line(workload.title, "B", demands=[Demand(SUBJECT, MEMORY, ("jax", "torch"))]),
            "memory, later calls": Line(workload.title, "B", demands=[Demand(SUBJECT, MEMORY, ("jax", "torch"))]),
        }
        with TemporaryDirectory() as folder:
            for turn in range(settings.processes):
                for name in FRESH:
                    if name in names or (name == WARM and SUBJECT in names):
                        tell(f"{workload.title}: process {turn + 1} of {settings.processes}, {name}")
                        _measure_fresh(lines, workload, name, settings, folder)
        for quantity, line in lines.items():
            found[quantity].append(line)
    return found


def _first_call_demands() -> list[Demand]:
    return [Demand(SUBJECT, FIRST_CALL, ("jax",)), Demand(WARM, WARM_FIRST_CALL, ("jax",))]


def _measure_fresh(lines: dict[str, Line], workload: Workload, name: str, settings: Settings, folder: str) -> None:
    """Ask a fresh process; where the cache shall be warm, after one that fills it."""
    if any(name in line.remarks for line in lines.values()):
        return
    is_warm = name == WARM
    numbers = _of_process(lines, workload, name, settings, folder if is_warm else "")
    if is_warm and not any(path.is_file() for path in Path(folder).rglob("*")):
        lines["first call"].remarks[WARM] = "nothing was stored on disk"
    for quantity, number in (numbers or {}).items():
        if name not in lines[quantity].remarks and (not is_warm or quantity == "first call"):
            lines[quantity].samples.setdefault(name, []).append(number)


def _of_process(lines: dict, workload: Workload, name: str, settings: Settings, folder: str) -> dict | None:
    place = WORKLOADS.index(workload), settings.small
    system = SUBJECT if name == WARM else name
    try:
        with cache_at(folder):
            if folder and not any(Path(folder).iterdir()):
                with Worker(system, settings.timeout, Child) as worker:
                    worker.ask("fresh", *place)
            with Worker(system, settings.timeout, Child) as worker:
                return worker.ask("fresh", *place)
    except PeerFailed as failure:
        for line in lines.values():
            line.samples.pop(name, None)
            line.remarks[name] = f"failed: {failure}"
        return None


@contextmanager
def cache_at(folder: str) -> Iterator[None]:
    """Let processes that start now keep object code in this folder, or nowhere."""
    before = os.environ.get(CACHE)
    os.environ[CACHE] = folder or "off"
    try:
        yield
    finally:
        del os.environ[CACHE]
        if before is not None:
            os.environ[CACHE] = before
