"""Drive the peers in turn through the cases of a workload, gradients first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .worker import PeerFailed, Worker
from .workload import Measured, Row, Timed, Workload

LONG = 0.3  # seconds: a call that takes longer than this gets fewer rounds
FEW = 3


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    rounds: int = 7
    block: float = 0.15  # seconds of one peer's turn
    quick: bool = False
    timeout: float = 300.0


def run(workload: Workload, peers: Sequence[str], settings: Settings, tell: Callable[[str], None]) -> list[Row]:
    """Return the rows of a workload; `tell` hears what is being measured."""
    rows = []
    workers = {}
    try:
        for case in workload.cases:
            if case.slow and settings.quick:
                continue
            present = [p for p in case.peers if p in peers]
            step = timed if isinstance(case, Timed) else measured
            rows += step(workload, case, present, workers, settings, lambda now, case=case: tell(f"{case.name}: {now}"))
    finally:
        for worker in workers.values():
            worker.close()
    return rows + workload.derive(rows)


def timed(workload, case: Timed, peers, workers, settings, tell) -> list[Row]:
    """Make a row of warm timings; `workers` keeps the processes from case to case."""
    row = Row(case.name, "s", case.budgets, case.chart)
    answers, seconds = {}, {}

    def ask(peer, *request):
        """Return the answer, or None: a peer that failed is out of the row."""
        if peer in row.remarks:
            return None
        if peer not in workers or not workers[peer].is_alive():
            workers[peer] = Worker(peer, settings.timeout)
        try:
            return workers[peer].ask(*request)
        except PeerFailed as failure:
            row.remarks[peer] = str(failure)
            return None

    for peer in peers:
        tell(f"gradients, {peer}")
        if answer := ask(peer, "prepare", workload.name, case.name):
            answers[peer], seconds[peer] = answer
    row.wrong = disagreement(answers, case.tolerance)
    if not row.wrong:
        for turn in range(settings.rounds):
            for peer in answers:
                if seconds[peer] > LONG and turn >= FEW:
                    continue
                tell(f"round {turn + 1} of {settings.rounds}, {peer}")
                if figure := ask(peer, "time", settings.block, seconds[peer]):
                    row.samples.setdefault(peer, []).append(figure / case.per)
    for peer in answers:
        ask(peer, "drop")
    return [row]


def measured(workload, case: Measured, peers, _workers, settings, tell) -> list[Row]:
    """Make a row per quantity; every round starts a fresh process for each peer."""
    rows = [Row(", ".join(filter(None, (q.name, case.name))), q.unit, q.budgets, q.chart) for q in case.quantities]
    failed, gradients = {}, {}
    rounds = 1 if settings.quick else min(settings.rounds, case.rounds)
    for turn in range(rounds):
        for peer in peers:
            if peer in failed:
                continue
            tell(f"round {turn + 1} of {rounds}, {peer}")
            try:
                with Worker(peer, settings.timeout) as worker:
                    numbers = worker.ask("measure", workload.name, case.name)
            except PeerFailed as failure:
                failed[peer] = str(failure)
                continue
            if "gradient" in numbers:
                gradients[peer] = numbers["gradient"]
            for row, quantity in zip(rows, case.quantities, strict=True):
                if quantity.name in numbers:
                    row.samples.setdefault(peer, []).append(numbers[quantity.name])
    wrong = disagreement(gradients, case.tolerance)
    for row in rows:
        row.remarks = failed
        row.wrong = wrong
    return rows


def disagreement(answers: dict[str, list[np.ndarray]], tolerance: float) -> str:
    """Say who differs from whom, and by how much; nothing when all agree.

    The reference is the gradient written by hand, or else the first peer that is not wengert.
    """
    names = sorted(answers, key=lambda name: (name != "numpy", name.startswith("wengert")))
    complaints = []
    for name in names[1:]:
        pairs = zip(answers[names[0]], answers[name], strict=True)
        error = max(difference(expected, found) for expected, found in pairs)
        if error > tolerance:
            complaints.append(f"{name} and {names[0]} differ by {error:.1e}")
    return "; ".join(complaints)


def difference(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference, relative to the largest number expected."""
    if expected.shape != found.shape or not np.isfinite(found).all():
        return float("inf")
    scale = np.abs(expected).max(initial=0.0) or 1.0
    return float(np.abs(expected - found).max(initial=0.0) / scale)
