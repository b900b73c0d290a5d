"""Whether compiling is worth a function's while: what calls take that pass through Python, beside the function alone.

Two accounts are kept: of calls that are looked at, for which there may be programs, and of those that are recorded.
Each has some of its calls left to the function, which says how long it takes alone. When an account has seen enough
calls, their time is compared with what *all* calls since would have taken alone, those that went straight to native
code included. If it is more than `TOO_LONG` times as much, the function is better left alone; if not, it is asked again
after twice as many calls. Recordings are an investment: the first ones may take more, as `PATIENCE` says, and few of
them say nothing. So functions of few kinds of arguments, which are native thereafter, are not given up for what
compiling took, and functions that keep being recorded are, unless they take long themselves.

Calls that raise count like others. A call that is left to the function may take a thousand times as long as native
code does, but hardly longer than the recording of its program did; where samples have taken longer than all other
calls, there are no more of them.
"""

from collections.abc import Callable
from time import perf_counter

__all__ = ["TOO_LONG", "Account", "Trial", "Worth"]

LOOKS, RECORDINGS = 256, 64
"""Calls that are looked at, and those that are recorded, after which it is asked for the first time."""
SAMPLES = 8
"""One in so many of these is left to the function before anything is said, and then so many less."""
FEWEST = 4
"""Samples without which nothing is said."""
TOO_LONG = 2.0
"""How many times as long as the function alone calls may take."""
PATIENCE = 8.0
"""The same for the first recordings that are asked about; for the next ones half of it, until it is `TOO_LONG`."""
SHORT = 1e-3
"""Seconds up to which it matters whether the call before was left to the function, too: among calls that go through all
that a compiled function does, one that does not takes ten times as long as where such calls follow one another."""
MANY_PLACES, FOR_EACH = 256, 20
"""Places around a function from which on looking at them takes long in native code, too; the more it does, the more."""
PLACE = 25e-9
"""Seconds for each of them."""
CALLS, FEW_CALLS = 8, 2
"""Calls that a program and the function both do, and those after which it may be clear which is faster."""
LONG = 0.1
"""Seconds after which the function does no more of them, if it takes long."""
CLEARLY, SLOWER = 2.0, 1.2
"""How many times as long as the program the function takes where that is clear, and the other way round in the end."""


class Account:
    """What calls of one sort have taken since it was last asked about them.

    Parameters
    ----------
    window : int
        After how many of them it is asked.
    patience : float
        How many times as long as the function alone they may take.
    """

    def __init__(self, window: int, patience: float):
        self.window, self.patience = window, patience
        self._before = 0
        """Calls of all sorts when it was last asked."""
        self._anew()

    def _anew(self) -> None:
        self.calls = self.samples = 0
        self.seconds = self.alone = 0.0

    def is_sample(self) -> bool:
        """Whether another call is one to leave to the function; odd distances, as calls may take turns."""
        self.calls += 1
        return self._is_due(self.calls)

    def _is_due(self, call: int) -> bool:
        return call % (self.window // SAMPLES | 1) == 0 and self.alone <= self.seconds

    def is_before_sample(self) -> bool:
        """Whether the next call is one to leave to a function that may be short."""
        return self._is_due(self.calls + 1) and self.alone <= SHORT * self.samples

    def exceeds(self, calls: int, seconds: float) -> bool:
        """Whether so long a time is too long for so many calls."""
        return self.samples >= FEWEST and seconds > self.patience * calls * self.alone / self.samples

    def is_over(self, calls: int) -> bool:
        """Whether they are better left to the function, after so many calls of all sorts."""
        if self.calls < self.window:
            return False
        over = self.exceeds(calls - self._before, self.seconds)
        self._before = calls
        self.window *= 2
        self.patience = max(TOO_LONG, self.patience / 2)
        self._anew()
        return over


class Worth:
    """What calls of a function take that pass through Python, and what the function takes alone."""

    def __init__(self) -> None:
        self.looks, self.recordings = Account(LOOKS, TOO_LONG), Account(RECORDINGS, PATIENCE)
        self._account, self._places = self.looks, 0
        self.is_sample = self.is_left = False
        """Whether a call is left to the function to show how long it takes, or so that the next one is."""
        self.calls = 0
        """Calls that did not go straight to native code."""
        self.began = 0.0
        """When the last call came."""

    def start(self) -> None:
        """A call comes: its time begins."""
        self.began = perf_counter()

    def begin(self) -> None:
        """It is looked at."""
        self.calls += 1
        self._account, self.is_sample = self.looks, self.looks.is_sample()
        self.is_left = self.is_sample or self.looks.is_before_sample()

    def found(self, places: int, operations: int) -> None:
        """So many places were looked at. Where they are very many for what it does, the function is tried first."""
        self._places = places if places > MANY_PLACES + FOR_EACH * operations else 0
        self.is_sample |= self._places > 0 and self.looks.samples < FEWEST
        self.is_left |= self.is_sample

    def record(self) -> None:
        """The call is to be recorded, if it is no sample of those."""
        self._account = self.recordings
        self.is_sample = self.is_left = self.recordings.is_sample()

    def was_left(self, seconds: float) -> None:
        """The function alone has taken so long."""
        if self.is_sample:
            self._account.alone += seconds
            self._account.samples += 1

    def trouble(self, straight: int) -> str | None:
        """Why calls like the last ones are better left to the function; `straight` went to native code at once."""
        if not self.is_left:
            self._account.seconds += perf_counter() - self.began
        calls = self.calls + straight
        if self.recordings.is_over(calls):
            return "to record what is new in its calls takes longer than the function itself"
        if self.looks.is_over(calls) or self._uses_too_much():
            return "to look at what it uses takes longer than the function itself"
        return None

    def _uses_too_much(self) -> bool:
        """Whether so much is around it that even native code would take too long to look at it."""
        return self._places > 0 and self.looks.exceeds(1, self._places * PLACE)


class Trial:
    """Whether a program that calls NumPy is faster than the function itself, which does its first calls as well.

    Nothing tells later, as calls that go straight to native code are not looked at. Both do the same calls, since the
    function may take less time on another way; so it is only asked of what does nothing but compute results.
    """

    def __init__(self) -> None:
        self.program: list[float] = []
        self.alone: list[float] = []
        """Seconds of each call."""

    @property
    def is_over(self) -> bool:
        """Whether it is known which one is faster."""
        calls = len(self.alone)
        if calls < FEW_CALLS:
            return False
        return calls >= CALLS or sum(self.alone) > LONG or min(self.alone) > CLEARLY * min(self.program)

    @property
    def is_lost(self) -> bool:
        """Whether the function is, by more than chance."""
        return self.is_over and min(self.program) > SLOWER * min(self.alone)

    def run(self, function: Callable, given: tuple) -> None:
        """Have the function do a call that the program has done."""
        began = perf_counter()
        function(*given[0], **given[1])
        self.alone.append(perf_counter() - began)
