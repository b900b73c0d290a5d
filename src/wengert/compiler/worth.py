"""Whether it is worth a function's while to look for a program of what a call does."""

from time import perf_counter

__all__ = ["Worth"]

FIRST = 256
"""Calls after which it is asked for the first time; then after twice as many."""
SAMPLES = 8
"""How many of them are left to the function, to see how long it takes alone."""
FEWEST = 4
"""Samples without which nothing is said."""
TOO_LONG = 2.0
"""How many times as long as the function alone calls may take."""


class Worth:
    """What calls take that pass through Python, beside what the function alone takes on some of them.

    Calls are only left to the function for that where looking around takes longer than the programs, or where these
    are NumPy's calls: the function may take very much longer than native code.
    """

    def __init__(self) -> None:
        self.window = FIRST
        self._straight = 0
        self._began = 0.0
        self._anew()

    def _anew(self) -> None:
        self.calls = self.looked = self.samples = 0
        self.seconds = self.alone = self.looking = self.running = 0.0
        self.is_sample = self.counts = False

    def begin(self) -> None:
        """A call is looked at; says to itself whether it is a sample."""
        self.calls += 1
        is_due = self.calls % (self.window // SAMPLES) == 0
        self.is_sample, self.counts = is_due and self.looking > self.running, True
        self._began = perf_counter()

    def found(self) -> None:
        """What it is has been found out."""
        self.looking += perf_counter() - self._began

    def ran(self, seconds: float) -> None:
        """Native code has run for so long."""
        self.running += seconds

    def was_left(self, seconds: float) -> None:
        """The function alone has taken so long."""
        if self.is_sample:
            self.alone += seconds
            self.samples += 1

    def skip(self) -> None:
        """Leave out a call that is recorded."""
        self.counts = False

    def is_over(self, straight: int) -> bool:
        """Whether calls like the last ones are better left to the function; `straight` went to native code at once."""
        if self.counts and not self.is_sample:
            self.seconds += perf_counter() - self._began
            self.looked += 1
        if self.calls < self.window:
            return False
        few = straight - self._straight < self.calls and self.samples >= FEWEST and self.looked
        over = few and self.seconds / self.looked > TOO_LONG * self.alone / self.samples
        self._straight = straight
        self.window *= 2
        self._anew()
        return bool(over)
