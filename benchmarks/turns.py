"""Taking turns: programs that are measured side by side in one process, so that a busy moment falls on everybody."""

import gc
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple


class Settings(NamedTuple):
    """How much to measure."""

    rounds: int = 15
    block: float = 0.05  # seconds of one turn


def turns(programs: dict[str, Callable], settings: Settings) -> dict[str, list[float]]:
    """Return for each program the seconds of a call, one figure per round."""
    for run in programs.values():
        run()
    found: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(settings.rounds):
        for name, run in programs.items():
            gc.collect()
            found[name].append(turn(run, settings.block))
    return found


def turn(run: Callable, block: float) -> float:
    """Return the median seconds of a call over a block of calls."""
    times = []
    end = perf_counter() + block
    while not times or perf_counter() < end:
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return median(times)


def share(samples: dict[str, list[float]], name: str, other: str) -> float:
    """Return how many times as long one takes as the other, round by round."""
    return median(a / b for a, b in zip(samples[name], samples[other], strict=True))


def verdict(met: bool) -> str:
    return "[green]✓[/]" if met else "[bold red]✗[/]"
