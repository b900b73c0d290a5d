"""What a workload declares: cases to measure, and the budget beside each of them.

Values are in seconds, bytes or plain ratios; only the report turns them into µs and MB.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from .peers import SUBJECTS, Peer


@dataclass(frozen=True)
class Budget:
    """At most `limit` times the peer's value, or with no peer at most `limit` itself."""

    limit: float
    against: str | None = None


@dataclass(frozen=True)
class Timed:
    """A program timed call after call, in processes that stay warm.

    `program(peer)` gives a function of no arguments that returns the value and the gradients. One
    call counts as `per` operations. A `slow` case is left out of a quick run.
    """

    name: str
    program: Callable[[Peer], Callable[[], Any]]
    peers: Sequence[str]
    per: int = 1
    budgets: Sequence[Budget] = ()
    tolerance: float = 1e-6
    slow: bool = False
    chart: str = ""  # the label of its bars in the README's picture, if it stands there


@dataclass(frozen=True)
class Quantity:
    """One number that a measurement in a fresh process gives."""

    name: str
    unit: str
    budgets: Sequence[Budget] = ()
    chart: str = ""


@dataclass(frozen=True)
class Measured:
    """Numbers that only a fresh process can tell: memory, import time, one very long tape.

    `measure(name)` runs there, before the peer's library was imported, and gives a number for each
    quantity, by name, and optionally `"gradient"`, to be compared.
    """

    name: str  # may be empty, if the quantities say it all
    measure: Callable[[str], dict[str, Any]]
    peers: Sequence[str]
    quantities: Sequence[Quantity]
    rounds: int = 3
    tolerance: float = 1e-6
    slow: bool = False


@dataclass
class Row:
    """What came out: for each peer one number per round."""

    name: str
    unit: str
    budgets: Sequence[Budget] = ()
    chart: str = ""
    samples: dict[str, list[float]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)  # why a peer has no number
    wrong: str = ""  # the peers disagree about the gradient: no number is worth showing

    def value(self, peer: str) -> float | None:
        return median(self.samples[peer]) if self.samples.get(peer) else None

    def is_noisy(self, peer: str) -> bool:
        """Whether the middle half of the rounds spreads over more than a quarter of the median."""
        samples = self.samples.get(peer, ())
        if len(samples) < 3:
            return False
        low, _, high = quantiles(samples, n=4, method="inclusive")
        return high - low > 0.25 * self.value(peer)

    def ratio(self, subject: str, peer: str) -> float | None:
        ours, theirs = self.value(subject), self.value(peer)
        return ours / theirs if ours is not None and theirs else None

    def fastest(self, subject: str, peer: str) -> float:
        """Return the ratio of the best rounds: what the ratio might be on a quiet machine."""
        return min(self.samples[subject]) / min(self.samples[peer])

    def measured(self, subject: str, budget: Budget) -> float | None:
        """Return what the budget limits: a ratio, or the value itself."""
        return self.ratio(subject, budget.against) if budget.against else self.value(subject)

    def verdicts(self):
        """(subject, budget, measured, met) for every budget that could be judged."""
        for subject in SUBJECTS:
            for budget in self.budgets:
                measured = self.measured(subject, budget)
                if measured is not None:
                    yield subject, budget, measured, measured <= budget.limit


@dataclass(frozen=True)
class Workload:
    """One page of the report. `derive` may add rows that follow from the measured ones."""

    name: str
    title: str
    cases: Sequence[Timed | Measured]
    derive: Callable[[list[Row]], list[Row]] = lambda rows: []
    needs_proc: bool = False  # reads /proc, which only Linux has

    def case(self, name: str) -> Timed | Measured:
        return next(case for case in self.cases if case.name == name)


def growth(small: Row, large: Row, limit: float, name: str) -> Row:
    """How much the cost per operation grew from one row to another; 1 is linear behaviour.

    Two rows are measured at different times, so the fastest rounds are compared: they see least of other programs.
    """
    row = Row(name, unit="×", budgets=[Budget(limit)])
    for peer in small.samples.keys() & large.samples.keys():
        row.samples[peer] = [min(large.samples[peer]) / min(small.samples[peer])]
    return row
