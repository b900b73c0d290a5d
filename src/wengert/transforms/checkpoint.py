"""Checkpoints: memory for time. `checkpoint` for a part of a program, `checkpoint_sequence` for a loop."""

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert import tape
from wengert.box import Box
from wengert.errors import ArgumentError
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.segments import Segment, aliases, boxes_in, fingerprint, is_generator, replaced, sealed

__all__ = ["checkpoint", "checkpoint_sequence"]


# Of a part of a program ------------------------------------------------------------------------------------------


def checkpoint(f: Callable) -> Callable:
    """A function that keeps nothing but its arguments for the backward pass, which runs it once more.

    Parameters
    ----------
    f : callable
        Any function, of any values, which may read recorded values from outside (parameters of a model). It has to
        give the same results when it runs again.

    Returns
    -------
    callable
        With ``f``'s arguments, results and derivatives. Works as a decorator.

    Raises
    ------
    GradientError
        In the backward pass, if the second run gave other results (compared by sums).

    Notes
    -----
    While ``f`` runs, its tape is there; so the memory needed at once is that of the largest part. Checkpoints may be
    nested. NumPy's global random state is as in the first run when ``f`` runs again, and so are generators
    (`numpy.random.Generator`) among the arguments; other generators are not seen, and a function that draws from them
    is refused. Functions that count, or update running averages, do so twice.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
    >>> y = np.sum(wg.checkpoint(lambda t: np.exp(np.sin(t) * t))(x))
    >>> y.backward()
    >>> bool(np.allclose(x.grad, np.exp(np.sin(x.data) * x.data) * (np.sin(x.data) + x.data * np.cos(x.data))))
    True
    """
    if not callable(f):
        raise ArgumentError(f"[checkpoint] a function was required; received {type(f).__name__} {f!r}")

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        return _Part(f, args, kwargs).result()

    return checkpointed


class _Part:
    """One run of a function that can run again."""

    def __init__(self, f: Callable, args: tuple, kwargs: dict):
        self.f, self.args, self.kwargs = f, args, kwargs
        self.first: dict[int, list] = {}

    def result(self) -> Any:
        """The results, whose tensors have nodes that run the function again."""
        leaves, self.structure = flatten((self.args, self.kwargs))
        self.kept = aliases(leaves)
        self.segment = segment = Segment("checkpoint")
        outputs, structure = flatten(self.f(*self.args, **self.kwargs))
        del self.args, self.kwargs
        segment.ran()
        for t in (t for y in outputs for t in boxes_in(y, segment.since)):
            self.first.setdefault(t._level, []).append(fingerprint(t))
        return rebuild(structure, sealed("checkpoint", outputs, segment.since, self._pull_of, self.kept))

    def _pull_of(self, level: int) -> Callable:
        return functools.partial(self._pull, level)

    def _pull(self, level: int, arrived: list, recorded_at: int | None) -> list:
        since = next(tape.ORDER)
        with self.segment.again(level):
            args, kwargs = rebuild(self.structure, aliases(self.kept))
            outputs = flatten(self.f(*args, **kwargs))[0]
            fresh = [t for y in outputs for t in boxes_in(y, since) if t._level == level]
        self.segment.check(self.first[level], [fingerprint(t) for t in fresh])
        return [(t._node, g) for t, g in zip(fresh, arrived, strict=True) if g is not None]


# Of a loop -------------------------------------------------------------------------------------------------------


def checkpoint_sequence(
    steps: Callable | Sequence[Callable], budget: int | None = None, *, length: int | None = None
) -> Callable:
    """A loop that keeps only few of its states for the backward pass, and computes the others again.

    Parameters
    ----------
    steps : sequence of callables, or one callable with `length`
        ``state = step(state)`` for each; a state is an array, a scalar or nested containers of them. Steps may read
        recorded values from outside. They have a copy of the state to write into; random generators in it are the
        caller's.
    budget : int, optional
        How many states are kept at once, the first included; by default log2 of the number of steps, rounded up.
    length : int, optional
        How often the one step is repeated.

    Returns
    -------
    callable
        ``final = loop(state)``, with the derivatives of the plain loop.

    Raises
    ------
    ArgumentError
        If there is no step, or no budget.
    GradientError
        In the backward pass, if the steps gave other states when they ran again (compared by sums, at the end and
        where a state was kept).

    Notes
    -----
    Which states are kept follows the binomial schedule, which needs the fewest steps for a budget s: for n steps
    ``r * n - C(s + r, r - 1)`` beside those that are recorded, with the smallest r for which ``C(s + r, s) >= n``
    (Griewank and Walther, "Algorithm 799: revolve", ACM TOMS 26, 2000, 19-45). With the default budget, memory and
    the repetitions of each step grow as the logarithm of n. Random numbers are as in the first run, where they come
    from NumPy's global state or a generator that is part of the state.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> loop = wg.checkpoint_sequence(lambda x: np.sin(x) + x / 2, length=1000)
    >>> def plain(x):
    ...     for _ in range(1000):
    ...         x = np.sin(x) + x / 2
    ...     return x
    >>> bool(np.isclose(wg.grad(loop)(0.1), wg.grad(plain)(0.1)))
    True
    """
    if callable(steps):
        if not _is_count(length):
            raise ArgumentError(
                f"[checkpoint_sequence] a sequence of steps, or one step with length= of at least 1, was required; "
                f"received one step and length={length!r}"
            )
        functions: Sequence[Callable] = _Repeated(steps, int(length or 0))
    else:
        functions = list(steps) if isinstance(steps, Iterable) else []
        if not functions or length is not None or not all(map(callable, functions)):
            raise ArgumentError(
                f"[checkpoint_sequence] a sequence of at least one function, without length=, was required; received "
                f"{type(steps).__name__} of {len(functions)} items, {sum(map(callable, functions))} of them functions, "
                f"and length={length!r}"
            )
    budget = max(1, len(functions).bit_length()) if budget is None else budget
    if not _is_count(budget):
        raise ArgumentError(f"[checkpoint_sequence] a budget of at least one state was required; received {budget!r}")
    return lambda state: _Loop(functions, int(budget), state).result()


def _is_count(n: Any) -> bool:
    return isinstance(n, (int, np.integer)) and not isinstance(n, bool) and bool(n >= 1)


class _Repeated(Sequence):
    """One step, many times."""

    def __init__(self, step: Callable, length: int):
        self._step, self._length = step, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, i: Any) -> Any:
        return self._step


class Snapshot(NamedTuple):
    """The number of a state, its leaves, and NumPy's global random state where it was reached."""

    number: int
    leaves: list
    random: Any


def _owned(leaves: Sequence) -> list:
    """Leaves that a step may write into, while somebody keeps the given ones."""
    return [x.copy(order="K") if x.__class__ is np.ndarray else x for x in aliases(leaves)]


class _Loop:
    """One run of a sequence of steps."""

    def __init__(self, steps: Sequence[Callable], budget: int, state: Any):
        self.steps, self.budget = steps, budget
        leaves, self.structure = flatten(state)
        self.segment = Segment("checkpoint_sequence")
        self.start = Snapshot(0, _owned(leaves), self.segment.random())
        self.given = leaves

    def result(self) -> Any:
        """The last state, whose tensors have nodes that go back through the steps."""
        n = len(self.steps)
        state, kept = self._advanced([self.start], n - 1, above=None)
        leaves = self._stepped(n - 1, state, above=None)
        self.segment.ran()
        del self.start, self.given
        return rebuild(self.structure, self._sealed(n, leaves, kept))

    # Forward ----------------------------------------------------------------------------------------------------

    def _run(self, i: int, leaves: list) -> list:
        outputs, structure = flatten(self.steps[i](rebuild(self.structure, leaves)))
        if structure != self.structure:
            raise ArgumentError(
                f"[checkpoint_sequence] a step that gives a state in the containers of the one before, "
                f"{self.structure or 'a single array'}, was required; step {i} gave {structure or 'a single array'}"
            )
        return outputs

    def _stepped(self, i: int, leaves: list, above: int | None) -> list:
        """The next state, without its history at level `above` and higher ones (`None`: at all levels)."""
        since = next(tape.ORDER)
        outputs = self._run(i, leaves)

        def cut(t: Box) -> tape.Node:
            return tape.new_leaf(t._spec) if above is None or t._level >= above else t._node

        return [replaced(y, since, cut) for y in outputs]

    def _advanced(self, kept: list[Snapshot], target: int, above: int | None) -> tuple[list, list[Snapshot]]:
        """The state of number `target`, and the snapshots to keep on the way there from the last one."""
        kept = list(kept)
        number, leaves = kept[-1].number, _owned(kept[-1].leaves)
        if above is None:
            # What draws go on from is the caller's own generator; what is kept is a copy of its state.
            leaves = [g if is_generator(g) else x for g, x in zip(self.given, leaves, strict=True)]
        else:
            self.segment.rewind(kept[-1].random)
        while number < target:
            free = self.budget - len(kept) + 1
            end = target if free == 1 else number + split(target + 1 - number, free)
            for i in range(number, end):
                leaves = self._stepped(i, leaves, above)
            number = end
            if free > 1:
                # At the levels below a snapshot has a history too: that of the steps up to it.
                leaves = self._sealed(number, leaves, kept) if above is None else leaves
                kept.append(Snapshot(number, _owned(leaves), self.segment.random()))
        return leaves, kept

    def _sealed(self, number: int, leaves: list, kept: list[Snapshot]) -> list:
        def pull_of(level: int) -> Callable:
            return functools.partial(self._pull, level, number, tuple(kept), self._fingerprints(leaves, level))

        return sealed("checkpoint_sequence", leaves, self.segment.since, pull_of, kept[-1].leaves)

    # Backward ---------------------------------------------------------------------------------------------------

    def _pull(
        self,
        level: int,
        number: int,
        kept: Sequence[Snapshot],
        first: list | None,
        arrived: list,
        recorded_at: int | None,
    ) -> list:
        """Go back through one step; the state before it goes on from there when the pass comes to it.

        `first` are the fingerprints of the state when it was reached before, if it is known.
        """
        with self.segment.again(level):
            before, kept = self._advanced(list(kept), number - 1, above=level)
            known = None
            if kept[-1].number == number - 1:
                known, kept = self._fingerprints(before, level), kept[:-1]
            outputs = self._run(number - 1, self._staged(level, number - 1, before, kept, known))
            fresh = self._of_level(outputs, level)
        if first is not None:
            self.segment.check(first, list(map(fingerprint, fresh)))
        return [(t._node, g) for t, g in zip(fresh, arrived, strict=True) if g is not None]

    def _fingerprints(self, leaves: list, level: int) -> list:
        return list(map(fingerprint, self._of_level(leaves, level)))

    def _staged(self, level: int, number: int, leaves: list, kept: list[Snapshot], known: list | None) -> list:
        """A state whose tensors of a level lead to the step before it."""
        pull = functools.partial(self._pull, level, number, tuple(kept), known)
        others = self._of_level(leaves, level)
        nodes = iter(sealed("checkpoint_sequence", others, self.segment.since, lambda _: pull)) if others else iter(())
        return [
            replaced(x, self.segment.since, lambda t: next(nodes)._node if t._level == level else t._node)
            for x in leaves
        ]

    def _of_level(self, leaves: list, level: int) -> list[Box]:
        return [t for x in leaves for t in boxes_in(x, self.segment.since) if t._level == level]


def split(n: int, s: int) -> int:
    """After how many of `n` steps the next state is kept, with `s` snapshots of which the first is the state before.

    Any number for which neither part repeats a step more often than it must; Griewank and Walther (2000), section 2.
    """
    r = repetitions(n, s)
    return max(_reach(s, r - 2), n - _reach(s - 1, r), 1)


def repetitions(n: int, s: int) -> int:
    """How often a step has to be repeated at most: the smallest r with C(s + r, s) >= n."""
    r = 0
    while _reach(s, r) < n:
        r += 1
    return r


def _reach(s: int, r: int) -> int:
    """How many steps can be reversed with `s` snapshots and `r` repetitions."""
    return math.comb(s + r, s) if s >= 0 and r >= 0 else 0


def extra_steps(n: int, s: int) -> int:
    """How many steps the binomial schedule runs for `n` steps and `s` snapshots, beside those that are recorded."""
    r = repetitions(n, s)
    return r * n - _reach(s + 1, r - 1)
