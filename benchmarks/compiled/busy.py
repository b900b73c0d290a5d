"""How much slower everything gets while another program keeps one core."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .rounds import Demand, Line, Settings, running
from .systems import SUBJECT
from .workload import Workload

SLOWDOWN = 2.5
"""What a call of ours may take of its time without the other program."""


def slowed(chosen: Sequence[Workload], names: Sequence[str], settings: Settings, tell: Callable) -> list[Line]:
    """Time the workloads that use several threads, alone and beside a busy program."""
    threaded = [workload for workload in chosen if workload.is_threaded]
    alone = running(threaded, names, settings, lambda now: tell(f"alone: {now}"))
    with busy_core():
        beside = running(threaded, names, settings, lambda now: tell(f"beside a busy program: {now}"))
    lines = []
    for before, after in zip(alone, beside, strict=True):
        line = Line(before.name, "×", demands=[Demand(SUBJECT, SLOWDOWN, ())])
        line.remarks = before.remarks | after.remarks
        line.samples = {
            name: [after.value(name) / before.value(name)]
            for name in names
            if name in before.samples and name in after.samples
        }
        lines.append(line)
    return lines


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy."""
    process = multiprocessing.get_context("spawn").Process(target=_count, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _count() -> None:
    number = 0
    while True:
        number += 1
