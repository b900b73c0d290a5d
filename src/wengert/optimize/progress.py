"""A line on the terminal that tells how far a solver is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """What a solver has computed so far; shown where a display is given."""

    def __init__(self) -> None:
        self.evaluations = 0
        self._display: Any = None
        self._task: Any = None

    def report(self, value: float, slope: float | None = None) -> None:
        """Tell of one more evaluation: the function's value there, and the largest entry of its gradient."""
        self.evaluations += 1
        if self._display is not None:
            steepness = "" if slope is None else f"  |gradient| {slope:.1e}"
            text = f"evaluation {self.evaluations}  value {value:.8g}{steepness}"
            self._display.update(self._task, description=text)


@contextmanager
def progress_line(shown: bool, title: str) -> Iterator[Progress]:
    """A `Progress` whose line is on the terminal while the solver runs, if it is to be shown."""
    progress = Progress()
    if not shown:
        yield progress
        return
    from rich.progress import Progress as Display
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    with Display(SpinnerColumn(), TextColumn(f"{title}  {{task.description}}"), TimeElapsedColumn()) as display:
        progress._display, progress._task = display, display.add_task("")
        try:
            yield progress
        finally:
            progress._display = None
