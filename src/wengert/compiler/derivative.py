"""Derivatives of compiled functions: a call whose rules are compiled functions themselves.

What the function reads from around it and what requires a gradient there is an operand, too. The rules are called at
whatever level asks for them; where they meet values of a level below, they are differentiated in their turn.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from time import perf_counter
from typing import Any

import numpy as np

from wengert.box import Box, unbox
from wengert.compiler.arguments import orders
from wengert.compiler.containers import containers
from wengert.compiler.found import Found
from wengert.compiler.given import built, rewritten
from wengert.compiler.kinds import parted
from wengert.compiler.locks import BOOKS, RECORDING
from wengert.compiler.moment import Moment
from wengert.compiler.once import ASKS, DIFFERENTIATES, DRAWS, LEFT, SLOW, WRITES, Impure, Once, comparing, is_compared
from wengert.compiler.trace import recording
from wengert.compiler.worth import TOO_LONG, Account
from wengert.errors import GradientError, is_lost
from wengert.protocol import Wrapper
from wengert.tensor import Tensor
from wengert.transforms.batching import Batch
from wengert.transforms.calls import Batched, Call, Results, apply, inexact_spec
from wengert.transforms.containers import flatten, rebuild
from wengert.transforms.forward import jvp
from wengert.transforms.reverse import pulled_back

__all__ = ["Derivatives", "FromOutside"]

MOST = 64
"""Kinds of arguments, and of what is asked of them, for which derivatives are kept."""


class FromOutside:
    """A function as one operation of whatever asks for its derivatives from outside.

    Parameters
    ----------
    function : callable
        The function itself.
    make : callable
        Compiles a function.
    """

    def __init__(self, function: Callable, make: Callable):
        self.function, self.make = function, make
        self.known: dict[Any, Derivatives] = {}
        self.weighed: dict[Any, Weighed] = {}
        """The same for arguments of one size."""
        self.fills = False
        """Whether it fills arrays with what is differentiated, so that its own operations cannot be recorded."""
        self.is_closed = False
        """Whether all that the function may be differentiated by is among its arguments."""
        self.left: str | None = None
        """Why it has been left to the outside for what it looks at."""
        self.calls = self.eager = self.failures = 0
        """As of a kind of arguments: calls that are counted nowhere else, and those that were left to the function."""

    def of(self, leaves: list, structure: Any, found: Found) -> "Weighed | None":
        """What serves a call, of arguments that are taken apart; `found` is what the function uses besides.

        `None` where the function's own operations are to be recorded.
        """
        if (found.asks_for_classes or found.asks_for_identity or found.asks_for_history) and not self.fills:
            self.left = ASKS
            return None
        used = [t for t in found.tensors if t._node is not None and not self.is_closed]
        captured = [t for t in used if not any(t is x for x in leaves)]
        both = {i: x for i, x in enumerate(leaves) if any(t is x for t in used)}
        objects = tuple(map(id, captured)), tuple(both), tuple(map(id, both.values()))
        classes = tuple([x._family.tensor if isinstance(x, Box) else None for x in leaves])
        key = (structure, *objects, classes, *orders(containers([rebuild(structure, leaves)])))
        with BOOKS:
            derivatives = self.known.get(key)
            if derivatives is None:
                derivatives = Derivatives(self.function, structure, captured, both, self.make, classes)
                self.known[key] = derivatives
                if len(self.known) > MOST:
                    self.known = parted(self.known)[1]
            of_size = derivatives, tuple([int(np.size(x)).bit_length() for x in leaves if inexact_spec(x)])
            weighed = self.weighed.get(of_size)
            if weighed is None:
                weighed = self.weighed[of_size] = Weighed(derivatives, may_be_left=not self.is_closed)
                if len(self.weighed) > MOST:
                    self.weighed = parted(self.weighed)[1]
        return weighed if derivatives.trouble is None and not weighed.is_slow else None

    def troubles(self) -> set[str | None]:
        """Why the function is left to the outside, where it is."""
        slow = {SLOW for weighed in list(self.weighed.values()) if weighed.is_slow}
        return {self.left, *slow, *[derivatives.trouble for derivatives in list(self.known.values())]}

    def parts(self) -> Iterator[tuple[str, Any]]:
        """All compiled functions that there are, with what they are."""
        for derivatives in list(self.known.values()):
            yield from derivatives.parts().items()


FIRST_CALLS, WINDOW = 16, 64
"""Calls that are not weighed, as they may be recorded; and how many are weighed before anything is said."""
PATIENCE = 8
"""How often a function is tried as one operation, if it never is."""


class Weighed:
    """Calls of one size as one operation; some are left to the function itself, which says how long it takes alone.

    It is their values that are compared: the ways back of both take about as long where the function is short.
    """

    def __init__(self, derivatives: "Derivatives", may_be_left: bool):
        self.derivatives, self.may_be_left = derivatives, may_be_left
        self.account, self.calls = Account(WINDOW, TOO_LONG), 0
        self.is_slow = False
        """Whether the function's own operations take less time."""

    def __call__(self, leaves: list, given: tuple, moment: Moment, began: float) -> Any:
        """The value; `began` is when the call came."""
        self.calls += 1
        is_one, found = self.derivatives(leaves, given, moment)
        if self.calls <= FIRST_CALLS or not (self.may_be_left and is_one):
            return found
        if self.account.is_sample():
            self._sample(given)
        else:
            self.account.seconds += perf_counter() - began
            self.is_slow = self.is_slow or self.account.is_over(self.calls - FIRST_CALLS)
        return found

    def _sample(self, given: tuple) -> None:
        """Take the time of the function itself, which has been seen to compute results only; the second time counts."""
        try:
            for _ in range(2):
                began = perf_counter()
                self.derivatives.function(*given[0], **given[1])
        except Exception:  # it fills arrays, say, which only a recording lets it do
            self.may_be_left = False
        else:
            self.account.alone += perf_counter() - began
            self.account.samples += 1


class Drawn(Exception):
    """Raised where a function that is differentiated turns out to draw random numbers: its pullback would draw others.

    ``states`` are the generators, with what they were before.
    """

    def __init__(self, states: list):
        super().__init__("random numbers")
        self.states = states


class Foreign(Exception):
    """Raised where values are of a transformation that has no rule for calls: it sees the function's own operations."""


class Derivatives:
    """The compiled function, its pullback and its pushforward, as functions of leaves, for one kind of arguments.

    Tensors that it uses are operands after the leaves; those that are leaves, too, stand in ``given`` by position.
    ``classes`` are those of leaves that are tensors.
    """

    def __init__(
        self, function: Callable, structure: Any, captured: list, given: dict[int, Any], make: Callable, classes: tuple
    ):
        self.function, self.structure, self.captured, self.given = function, structure, captured, given
        self.name = getattr(function, "__name__", "compiled")
        self.make = make
        self.spoken = {i: kind for i, kind in enumerate(classes) if kind not in (None, Tensor)}
        """The classes of leaves that are tensors of a dialect, which its functions ask for."""
        self.batches: dict[tuple[bool, ...], Any] = {}
        self.value = self._made(self._recorded_value)
        self.value.once = Once()
        self.pulled = self._made(self._pulled)
        self.pushed = self._made(self._pushed)
        self.trouble: str | None = None
        """Why the function cannot be one operation, if so: then its own are recorded."""

    def _made(self, function: Callable) -> Any:
        """A function of all the operands, compiled."""
        compiled = self.make(function)
        compiled._derivatives.is_closed = True
        return compiled

    def __call__(self, leaves: list, given: tuple, moment: Moment) -> tuple[bool, Any]:
        """Whether the call could be one operation, and the function's value, recorded wherever its operands are.

        `moment` is what it uses now.
        """
        operands = [*leaves, *self.captured]
        followed: Callable = nullcontext
        try:
            call = _Compiled(self, operands, moment)
            found = apply(call, operands)
            self.value.once.left = 0
            return True, self._spoken(found, call.tensors)  # which are known by now
        except Impure as impure:
            self.value.once.left += 1
            followed = impure.followed
            if impure.lasts or self.value.once.left >= PATIENCE:
                self.trouble = impure.why
        except Drawn as drawn:
            for generator, state in drawn.states:
                generator.bit_generator.state = state
            self.trouble = DRAWS
        except Foreign:
            pass
        except GradientError:  # it asks for the history of what it is given, which an operation does not have
            found = self.function(*given[0], **given[1])
            self.trouble = DIFFERENTIATES
            return False, found
        try:
            with followed():
                return False, self.function(*given[0], **given[1])
        except Exception as error:
            if not is_lost(error) or self.value.fills or self.trouble or self.value._is_stateless is False:
                raise
        self.value.fills = True  # it fills arrays with what is differentiated: only recordings let it, however many
        return self(leaves, given, moment)

    def _spoken(self, found: Any, tensors: set[int]) -> Any:
        """Results with arrays that have no derivative, such as truth values, as tensors of the leaves' dialect.

        In native code only those are tensors that come from one, of which the numbers are given.
        """
        kind = next(iter(self.spoken.values()), None)
        if kind is None and not tensors:
            return found
        values, structure = flatten(found)
        kept = range(len(values)) if kind is not None else tensors
        box = (kind or Tensor)._family.tensor._box
        are_arrays = [i for i in kept if isinstance(values[i], (np.ndarray, np.generic))]
        for i in are_arrays:
            values[i] = box(values[i])
        return rebuild(structure, values)

    def parts(self) -> dict[str, Any]:
        """What is compiled, by what it is called."""
        batches = {f"value of batches {k}": batched for k, batched in enumerate(list(self.batches.values()))}
        return {"value": self.value, "pullback": self.pulled, "pushforward": self.pushed} | batches

    def batched(self, mapped: tuple[bool, ...]) -> Any:
        """The function for all examples of batches in the place of some leaves; its results all have the axis."""
        if mapped not in self.batches:

            def batched(*leaves: Any) -> Any:
                _check_is_recorded()
                inner = [unbox(x) if isinstance(x, Wrapper) else x for x in leaves]
                size = next(len(x) for x, mine in zip(inner, mapped, strict=True) if mine)
                return Batched(_Plainly(self), list(mapped), size).run(inner)

            self.batches[mapped] = self._made(batched)
            self.batches[mapped].once = Once()
        return self.batches[mapped]

    def _value(self, *leaves: Any) -> Any:
        with ExitStack() as around:
            return self._value_in(around, leaves)

    def _value_in(self, around: ExitStack, leaves: tuple) -> Any:
        """The function's value; tensors that it uses stand for operands until `around` is left."""
        n = len(leaves) - len(self.captured)
        held = [*self.captured, *self.given.values()]
        if held:
            around.enter_context(RECORDING)  # meanwhile other threads would take these for something else
        around.enter_context(_holding(held, (*leaves[n:], *[leaves[i] for i in self.given])))
        spoken = [self._as_given(i, x) for i, x in enumerate(leaves[:n])]
        args, kwargs = rebuild(self.structure, [self.given.get(i, x) for i, x in enumerate(spoken)])
        before = built((args, kwargs))
        found = self.function(*args, **kwargs)
        if rewritten(before, (args, kwargs)) != []:  # these are no containers of the caller's
            raise Impure(WRITES, lasts=True)
        return found

    def _recorded_value(self, *leaves: Any) -> Any:
        """The value, as long as the function is only recorded: what it does itself cannot be done once more."""
        _check_is_recorded()
        return self._value(*leaves)

    def _as_given(self, i: int, x: Any) -> Any:
        """A leaf in the class that the function is given."""
        kind = self.spoken.get(i)
        if kind is None or i in self.given:
            return x
        return kind._adopt(x) if isinstance(x, Box) else kind._box(x)

    def valued(self, leaves: list) -> Any:
        """The compiled function's value, as long as it has not drawn random numbers."""
        return _undrawn(self.value, leaves)

    def _of(self, leaves: tuple, chosen: list, around: ExitStack) -> Callable:
        """The inexact results as a function of some leaves; called once, as what `around` holds stays until it is left.

        What a backward step runs again, as a checkpoint does, must find the same.
        """

        def of(*xs: Any) -> list:
            given = list(leaves)
            for i, x in zip(chosen, xs, strict=True):
                given[i] = x
            return [y for y in flatten(self._value_in(around, tuple(given)))[0] if inexact_spec(y) is not None]

        return of

    def _pulled(self, chosen: list, leaves: tuple, given: list) -> list:
        with ExitStack() as around, comparing():  # its value has been seen to be no more than that
            return pulled_back(self._of(leaves, chosen, around), [_plain(leaves[i]) for i in chosen], given)

    def _pushed(self, chosen: list, leaves: tuple, tangents: list) -> tuple[list, list]:
        with ExitStack() as around, comparing():
            of = self._of(leaves, chosen, around)
            return jvp(of, tuple(_plain(leaves[i]) for i in chosen), tuple(tangents))


def _check_is_recorded() -> None:
    """Let a function only be recorded that may be run once more: what it does itself cannot be done again."""
    if getattr(recording, "program", None) is None and not is_compared():
        raise Impure(LEFT, lasts=False)


def _undrawn(compiled: Any, leaves: Sequence) -> Any:
    """The results of a compiled function, as long as it has not drawn random numbers."""
    found = compiled(*leaves)
    if compiled.draws:
        raise Drawn(compiled.draws)
    return found


def _plain(x: Any) -> Any:
    """A leaf whose class is an array's, so that derivatives come back as arrays."""
    return np.asarray(x)[()] if x.__class__ in (float, complex) else x


def differentiable(leaves: tuple | list) -> list[int]:
    """The positions of leaves that are float or complex arrays or numbers."""
    return [i for i, x in enumerate(leaves) if inexact_spec(x) is not None]


@contextmanager
def _holding(tensors: list, values: tuple) -> Iterator[None]:
    """Tensors stand for other values inside, with their histories."""
    before = [(t, t._value, t._node, t._level) for t in tensors]
    try:
        for t, value in zip(tensors, values, strict=True):
            if value is t:
                continue
            if isinstance(value, Box):
                t._value, t._node, t._level = value._value, value._node, value._level
            else:
                t._value, t._node = value, None
        yield
    finally:
        for t, value, node, level in before:
            t._value, t._node, t._level = value, node, level


class _Compiled(Call):
    """One call of a compiled function."""

    pushes = True

    def __init__(self, derivatives: Derivatives, operands: list, moment: Moment):
        self.derivatives, self.name, self.moment = derivatives, derivatives.name, moment
        self.wrapped = {i for i, x in enumerate(operands) if isinstance(x, Wrapper)}
        self.asked = {i for i in self.wrapped if _is_differentiated(operands[i])}
        """The operands by which anything is differentiated."""
        self.tensors: set[int] = set()
        """The results that come from a tensor, also where they are constants; known after `forward`."""

    def run(self, leaves: list) -> Any:
        level = _batch_level(leaves)
        if level is None and any(isinstance(x, Wrapper) and not isinstance(x, Tensor) for x in leaves):
            raise Foreign
        return self._valued(leaves, level)[0]

    def _valued(self, leaves: list, level: int | None) -> tuple[Any, Once]:
        """The results, and what is known of them; `level` is that of batches, if there are some."""
        if level is not None:
            return self._of_batches(leaves, level)
        return self.derivatives.valued(leaves), self.derivatives.value.once

    def _of_batches(self, leaves: list, level: int) -> tuple[Any, Once]:
        """All examples at once, as a compiled function of arrays with an axis more."""
        batched = self.derivatives.batched(tuple(isinstance(x, Batch) for x in leaves))
        values, structure = flatten(_undrawn(batched, [_inside(x) for x in leaves]))
        found = rebuild(structure, [Batch._of(y, level) if isinstance(y, np.ndarray) else y for y in values])
        return found, batched.once

    def forward(self, leaves: list) -> tuple[Any, Any]:
        level = _batch_level(leaves)
        found, once = self._valued(leaves, level)
        values = flatten(found)[0]
        # What is noted here is of this call, as each has a `_Compiled` of its own. Nobody has noted what its way goes
        # back to where its value is recorded at another level.
        is_seen = level is not None or not any(isinstance(x, Wrapper) for x in leaves)
        self.fixed = once.fixed(self.asked, len(values)) if is_seen else frozenset()
        self.tensors = once.tensors(self.wrapped, len(values))
        self.specs = [inexact_spec(y) for y in values]
        return found, list(leaves)

    def pull(self, state: Any, results: Results, given: list) -> list:
        chosen = [i for i in differentiable(state) if i in self.asked]
        found: list = [None] * len(state)
        of_inexact = [g for g, spec in zip(given, self.specs, strict=True) if spec is not None]
        with self.moment.again():
            cotangents = self.derivatives.pulled(chosen, tuple(state), of_inexact)
        for i, c in zip(chosen, cotangents, strict=True):
            found[i] = c
        return found

    def push(self, leaves: list, tangents: list) -> tuple[Any, Any]:
        chosen = [i for i in differentiable(leaves) if tangents[i] is not None]
        out, structure = flatten(self.derivatives.valued(leaves))
        _, moved = self.derivatives.pushed(chosen, tuple(leaves), [tangents[i] for i in chosen])
        tangent = iter(moved)
        return rebuild(structure, out), rebuild(
            structure, [None if inexact_spec(y) is None else next(tangent) for y in out]
        )


class _Plainly(Call):
    """The function itself, for values of any kind."""

    def __init__(self, derivatives: Derivatives):
        self.derivatives, self.name = derivatives, derivatives.name

    def run(self, leaves: list) -> Any:
        return self.derivatives._value(*leaves)


def _is_differentiated(x: Any) -> bool:
    """Whether anything is differentiated by an operand, in which batches do not count."""
    while isinstance(x, Batch):
        x = _inside(x)
    return isinstance(x, Wrapper) and x._carries_gradient()


def _batch_level(leaves: list) -> int | None:
    """The level of batches of plain arrays, if there is one such level and nothing else but plain values."""
    levels = {x._level for x in leaves if isinstance(x, Batch)}
    is_one = len(levels) == 1 and not any(isinstance(_inside(x), Wrapper) for x in leaves)
    return levels.pop() if is_one else None


def _inside(x: Any) -> Any:
    """What is in a batch, or the value itself."""
    return unbox(x._value) if isinstance(x, Batch) else x
