"""Programs that run through Python, as native functions: what a call is given is checked natively, then they run.

These are programs that stay calls of NumPy's, and those that draw random numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wengert.compiler.answer import Answer
from wengert.compiler.native import OBJECTS, Entry, Launch, Result
from wengert.compiler.operands import Array, Check, Operands
from wengert.compiler.turned import transposed

__all__ = ["Called"]


@dataclass(frozen=True)
class _Layout:
    """The nodes of what a program is given, and of what it gives."""

    inputs: list
    wanted: list

    def reads(self, number: int) -> bool:
        """Whether the program may need the argument of this number: nobody has looked."""
        return True


class Called:
    """A program as shortcuts take it, which is called with what has been checked.

    Parameters
    ----------
    run : callable
        The program: gives all results for the inputs.
    inputs, wanted : list of Node
        What it is given, and what it gives.
    draws : list of callable
        What draws random numbers, which are its last inputs.
    generators : list
        What they are drawn from; they are put back where the program raises.
    """

    def __init__(self, run: Callable, inputs: list, wanted: list, draws: list, generators: list):
        self.run, self.draws, self.generators = run, draws, generators
        self.layout = _Layout(inputs[: len(inputs) - len(draws)], wanted)
        self.native = all(_is_number(node) for node in wanted)
        """Whether all results are numbers."""
        self.scalars = [k for k, node in enumerate(wanted) if node.spec is not None and not node.spec.shape]

    def bound(
        self,
        operands: Operands,
        answer: Answer,
        *,
        nargs: int,
        slow: Callable,
        names: Sequence[str],
        forgive: bool,
        lock: Any,
        turned: Sequence[int] = (),
    ) -> Entry:
        """The native entry; it takes what `wengert.compiler.binding.bound` takes."""
        owner = {row[-1]: number for number, row in enumerate(operands.rows) if row[-1] is not None}
        sources = [(OBJECTS, owner[k]) for k in range(len(self.layout.inputs))]
        # What Python code takes may lie in memory as it likes.
        operands.rows = [(*place, _anywhere(check), 0) for *place, check, _ in operands.rows]
        specs = [node.spec for node in self.layout.wanted]
        results = [Result(spec.shape, spec.dtype, 0, given=True) for spec in specs]
        run = self._drawing if self.draws else self._results
        given = [k for *_, check, k in operands.rows if k is not None and isinstance(check, Array) and check.turned]
        launch = Launch.python(_turning(run, given, turned) if given or turned else run, sources, gives_all=True)
        return Entry(
            operands, results, [launch], answer,
            nargs=nargs, pointers=0, slow=slow, names=names, forgive=forgive, lock=lock,
        )  # fmt: skip

    def _drawing(self, *inputs: Any) -> list:
        """All results for random numbers that are drawn now."""
        states = [g.bit_generator.state for g in self.generators]
        try:
            return self._results(*inputs, *[draw() for draw in self.draws])
        except BaseException:
            for g, state in zip(self.generators, states, strict=True):
                g.bit_generator.state = state
            raise

    def _results(self, *inputs: Any) -> list:
        """All results, numbers as NumPy's scalars."""
        results = self.run(*inputs)
        for k in self.scalars:
            results[k] = np.asarray(results[k])[()]
        return results


def _turning(run: Callable, given: Sequence[int], turned: Sequence[int]) -> Callable:
    """A program that takes and gives some arrays as their transposes, for the arrays themselves."""

    def around(*inputs: Any) -> list:
        return transposed(run(*transposed(inputs, given)), turned)

    return around


def _anywhere(check: Check) -> Check:
    return replace(check, anywhere=True) if isinstance(check, Array) and not check.as_is else check


def _is_number(node: Any) -> bool:
    return node.spec is not None and node.spec.dtype.isnative and node.spec.dtype.kind in "biufc"
