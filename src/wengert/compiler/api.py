"""`compile`: a function that is recorded once for each kind of arguments, and runs as native code from then on."""

import functools
import inspect
import sys
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import MethodType
from typing import Any

import numpy as np

from wengert import tape
from wengert.compiler.arguments import (
    Arguments,
    Static,
    described,
    incomparable,
    is_usual,
    orders,
    static_arguments,
    what_changes,
)
from wengert.compiler.attached import Method, shortcuts
from wengert.compiler.capture import Captured, Surroundings, is_liftable
from wengert.compiler.checking import agree, compare
from wengert.compiler.collecting import collection_frozen
from wengert.compiler.derivative import Derivatives
from wengert.compiler.locks import BOOKS, RECORDING
from wengert.compiler.making import buffers_made_recordable
from wengert.compiler.path import Kind, Path, Results, compiler, has_history, returned_trouble
from wengert.compiler.program import LeftToPython, Program
from wengert.compiler.randomness import watched
from wengert.compiler.trace import Trace, recording
from wengert.errors import ArgumentError, CompileError, CompileWarning
from wengert.protocol import Wrapper
from wengert.transforms.containers import flatten, rebuild

__all__ = ["Compiled", "compile"]

MOST_KINDS = 256
"""Kinds of arguments that are kept."""
PATIENCE_UNSETTLED = 4
"""Recordings in a row that may end with the function's surroundings in another state."""
MOST_NEW = 64
"""Recordings in a row, none of which was of use, after which the function is left alone."""
MOST_LEFT = 1000
"""Calls left to a function that nothing is compiled of, after which they are no longer looked at."""
MANY_KINDS = 8
"""Kinds of arguments from which on a warning names what keeps changing."""


class Compiled:
    """A function that runs as native code where it has run before; made by `compile`."""

    __slots__ = ("__call__", "__dict__", "__weakref__")
    __call__: Callable
    """What a call calls: the usual way, until there is a shortcut. A slot, so that no Python code runs in between."""
    _around: Any = nullcontext()
    """What calls that are left to the function run in."""

    def __init__(self, function: Callable, static_nums: tuple = (), static_names: tuple = (), check: bool = False):
        functools.update_wrapper(self, function)
        self.function, self.check = function, check
        self._static_nums, self._static_names = static_nums, static_names
        self._kinds: OrderedDict[Any, Kind] = OrderedDict()
        self._surroundings = Surroundings(function)
        self._bound: dict[int, tuple[weakref.ref, Compiled]] = {}
        self._waiting: weakref.WeakValueDictionary[int, Compiled] = weakref.WeakValueDictionary()
        self._derivatives: OrderedDict[Any, Derivatives] = OrderedDict()
        self._made = self._unsettled = self._new = self._left = self._outside = self._straight = 0
        self._reason: str | None = None
        self.draws: list = []
        """The generators that it has been seen to draw from, with what they were before."""
        self._last_key: Any = None
        self._shortcuts: Any = shortcuts(self._usual)
        usual = self._first_call if isinstance(function, Method) else self._usual
        self.__call__ = functools.partial(usual, None)

    @property
    def _searched(self) -> Callable:
        """What is looked into for what the function uses."""
        return self.function

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        """The compiled method of an object."""
        if owner is None:
            return self
        found = self._bound.get(id(owner))
        return found[1] if found is not None and found[0]() is owner else self._met(owner)

    def _met(self, owner: Any) -> Any:
        """The method of an object that has not been called yet; until then it keeps the object alive."""
        number = id(owner)
        known = self._waiting.get(number)
        if known is not None and known.function.held is owner:  # type: ignore[attr-defined]
            return known
        try:
            alive = weakref.ref(owner, lambda _: self._bound.pop(number, None))
        except TypeError:  # it has slots only: it is an argument like any other
            return MethodType(self, owner)

        def called() -> None:
            waiting = self._waiting.pop(number, None)
            if waiting is not None:
                self._bound[number] = alive, waiting

        found = self._waiting[number] = Compiled(Method(owner, alive, self.function, called), *self._options)
        return found

    def __reduce__(self) -> Any:
        """Found by its name if it is there, as functions are; made anew from its function if not."""
        if isinstance(self.function, Method):
            return getattr, (self.function.owner(), self.function.function.__name__)
        name = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(getattr(self, "__module__", None) or "")
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (Compiled, (self.function, *self._options))

    @property
    def _options(self) -> tuple:
        return self._static_nums, self._static_names, self.check

    def _first_call(self, _: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The first call of a method, after which it no longer keeps its object alive."""
        self.__call__ = functools.partial(self._usual, None)
        try:
            return self._usual(None, *args, **kwargs)
        finally:
            self.function.let_go()  # type: ignore[attr-defined]

    def _usual(self, _: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The usual way, for calls that have no shortcut."""
        if self._reason is not None or getattr(recording, "program", None) is not None:
            self._left += self._reason is not None
            with self._around:
                return self.function(*args, **kwargs)
        given = args, kwargs
        if self._static_nums or self._static_names:
            args, kwargs = self._with_static(args, kwargs)
        leaves, structure = flatten((args, kwargs))
        if any(isinstance(x, Wrapper) and not is_liftable(x) for x in leaves):
            self._outside += 1
            return self._differentiated(leaves, structure)
        if any(isinstance(x, np.ndarray) and not is_usual(x) for x in leaves):
            return self.function(*given[0], **given[1])
        return self._run(leaves, structure, given)

    def _with_static(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Static arguments as leaves that are compared, not read."""
        fixed = tuple(Static(x) if i in self._static_nums else x for i, x in enumerate(args))
        return fixed, {name: Static(x) if name in self._static_names else x for name, x in kwargs.items()}

    # Running ----------------------------------------------------------------------------------------------------

    def _run(self, leaves: list, structure: Any, given: tuple) -> Any:
        call = Arguments(leaves)
        found = self._found(call)
        modes = tape.floor(), tape.is_training()
        key: tuple = structure, *call.key, (modes, found.key(), *orders(given))
        problem = found.refused or incomparable(key, leaves)
        if problem:  # whatever else there is
            key = None, (modes, problem)
        captured = Captured(found, call.tensors, call.arrays)
        with BOOKS:
            kind = self._kinds.get(key)
            if kind is None:
                kind = self._new_kind(key, (leaves if call.roots else None, found), problem)
            kind.calls += 1
        if kind.differentiable and tape.is_recording():
            return self._differentiated(leaves, structure)
        if kind.given_up:
            if kind.eager >= MOST_LEFT and not self._is_of_use():
                self._around = RECORDING if found.tensors or found.arrays or found.numbers else nullcontext()
                self._reason = kind.given_up
            return self._eager(kind, captured, given)
        if not call.are_still():
            return self._eager(kind, captured, given)
        if captured.has_large() or (kind.last is not None and not kind.may_write(captured)):
            return self._eager(kind, captured, given)
        if kind.paths:
            values = self._values(captured, call)
            if self.check:
                right, results = compare(lambda: self.function(*given[0], **given[1]), kind, values, captured)
            else:
                self._shorten(kind.last, given, call, found, captured)
                right, results = kind.run(values, captured)
            kind.note(right, self._shortcuts.runs_of)
            if right:
                self._new = 0
                return results
            if kind.given_up or not kind.comes_again(results, values, self._shortcuts.runs):
                with kind.ways.followed(results):
                    return self._eager(kind, captured, given)
        return self._record(kind, leaves, structure, call, given)

    def _eager(self, kind: Kind, captured: Captured, given: tuple) -> Any:
        """The function itself; never while another thread has put traces into what it uses."""
        kind.eager += 1
        with RECORDING if captured.has_state() else nullcontext():
            return self.function(*given[0], **given[1])

    def _shorten(self, path: Any, given: tuple, call: Arguments, found: Any, captured: Captured) -> None:
        """Let calls like this one go straight to native code, if they come often; before it changes what it uses."""
        if path.calls:
            self._shortcuts.add(path, given[0], given[1], call, found, captured)
            self.__call__ = self._shortcuts.function or functools.partial(self._usual, None)

    def _is_of_use(self) -> bool:
        """Whether anything of the function is compiled."""
        return bool(self._derivatives) or any(kind.paths or kind.differentiable for kind in self._kinds.values())

    def _found(self, call: Arguments) -> Any:
        with RECORDING:
            return self._surroundings.now(call.roots, call.tensors)

    def _values(self, captured: Captured, call: Arguments) -> list:
        """What the program reads; what another thread is recording with is waited for."""
        values = [*captured.values(), *call.numbers]
        if any(isinstance(x, Trace) for x in values):
            with RECORDING:
                values = [*captured.values(), *call.numbers]
        return values

    def _new_kind(self, key: Any, keeps: Any, problem: str | None) -> Kind:
        kind = self._kinds[key] = Kind(keeps)
        kind.given_up = problem
        self._made += 1
        if self._made == MANY_KINDS:
            self._warn(key)
        self._last_key = key
        if len(self._kinds) > MOST_KINDS:
            self._kinds.popitem(last=False)
        return kind

    def _warn(self, key: tuple) -> None:
        """Name what keeps changing."""
        what = what_changes(self._last_key, key, self.function)
        warnings.warn(
            f"[compile] '{getattr(self, '__name__', self.function)}' has been recorded for {self._made} kinds of "
            f"arguments, as something keeps changing: {what}; pass whole numbers that change as arrays or floats, and "
            f"pad arrays to few shapes",
            CompileWarning,
            stacklevel=5,
        )

    # Recording --------------------------------------------------------------------------------------------------

    def _record(self, kind: Kind, leaves: list, structure: Any, call: Arguments, given: tuple) -> Any:
        """Run the function, and note what it does."""
        with RECORDING, collection_frozen():
            found = self._surroundings.now(call.roots, call.tensors, fresh=True)
            captured = Captured(found, call.tensors, call.arrays)
            problem = captured.problem()
            if problem:
                kind.given_up = problem
                return self._eager(kind, captured, given)
            compiler()
            program = Program()
            program.lasting = found.generators
            with program, captured.lifted(program) as changes:
                outputs, out_structure = self._traced(program, call, changes, found.generators, structure)
                changes.note()
            changes.look_for_escaped(outputs)
            if changes.failed is not None:
                return self._unrecorded(kind, changes, given)
            kind.given_up = kind.given_up or program.refused
            self.draws = self.draws or program.states
            trouble = returned_trouble(outputs, captured.tensors)
            if trouble is None and any(map(has_history, outputs)):
                if program.refused and changes.can_be_repeated():
                    return self._eager(kind, captured, given)
                return self._recorded_results(kind, changes, leaves, structure, given)
            trouble = trouble or changes.rewritten or captured.overlap(changes.places())
            if trouble:
                kind.given_up = trouble
                return self._again(kind, changes, given)
            kind.given_up = kind.given_up or changes.escaped
            results = Results(outputs, out_structure, {node for node, _ in changes.tensors})
            if found.asks_for_classes and not changes.unsettled:
                return self._compared(kind, program, results, changes, given)
            return self._first(kind, program, results, changes, call, given)

    def _first(
        self, kind: Kind, program: Program, results: Results, changes: Any, call: Arguments, given: tuple
    ) -> Any:
        """Keep what has been recorded, and give the results of the call that it was recorded in."""
        captured = changes.captured
        shares = captured.shares(changes.places())
        path = self._keep(kind, program, results, changes)
        try:
            if shares:
                return self._again(kind, changes, given)
            if path is not None and program.puts_off and not program.generators:
                right, found_out = path.run([*captured.values(), *call.numbers], captured)
                if right:
                    return found_out
            found_out = results.first()  # before anything is written that it is still to be computed from
            changes.now()
            return found_out
        finally:
            results.forget()

    def _traced(self, program: Program, call: Arguments, changes: Any, generators: list, structure: Any) -> tuple:
        stand_ins = [stand_in for stand_in, _ in changes.stand_ins[: len(call.arrays)]]
        leaves = call.lifted(program, stand_ins, changes)
        recording.program = program
        try:
            with watched(program, generators), buffers_made_recordable(program):
                return self._called(leaves, structure, changes)
        finally:
            recording.program = None

    def _called(self, leaves: list, structure: Any, changes: Any) -> tuple:
        """Call the function with traces, and see whether it leaves the containers that it is given as they are."""
        args, kwargs = rebuild(structure, [x.value if isinstance(x, Static) else x for x in leaves])
        before, containers = flatten((args, kwargs))
        try:
            out = flatten(self.function(*args, **kwargs))
        except (Exception, LeftToPython) as error:
            changes.failed, out = error, ([], None)
        after, found = flatten((args, kwargs))
        if found != containers or any(a is not b for a, b in zip(before, after, strict=True)):
            changes.rewritten = "it writes into a container that it is given"
        return out

    def _again(self, kind: Kind, changes: Any, given: tuple) -> Any:
        """The function itself, from the state in which it was recorded."""
        changes.rewind()
        return self._eager(kind, changes.captured, given)

    def _unrecorded(self, kind: Kind, changes: Any, given: tuple) -> Any:
        """What has raised while it was recorded, as it is: it says itself what is wrong, or does what traces cannot."""
        if not changes.can_be_repeated():
            raise changes.failed
        out = self._eager(kind, changes.captured, given)
        why = f"it cannot be recorded: {type(changes.failed).__name__}: {changes.failed}"
        if changes.captured.found.asks_for_classes:
            why += "; it asks for classes, and recorded values have others than arrays and numbers"
        kind.given_up = changes.program.refused or why
        return out

    def _compared(self, kind: Kind, program: Program, results: Results, changes: Any, given: tuple) -> Any:
        """The function's own results, where it may have gone another way as traces are of another class than arrays."""
        found = results.first()
        changes.rewind()
        expected = self.function(*given[0], **given[1])
        try:
            agree("result", found, expected)
        except CompileError:
            kind.given_up = "it asks for classes, and traces have others than arrays and numbers"
            return expected
        self._keep(kind, program, results, changes)
        results.forget()
        return found

    def _recorded_results(self, kind: Kind, changes: Any, leaves: list, structure: Any, given: tuple) -> Any:
        """The function's results are recorded by a tape around it: derivatives are asked for from outside."""
        if changes.written or changes.unsettled:
            kind.given_up = "it writes what it uses, and returns tensors with a history"
            return self._again(kind, changes, given)
        kind.differentiable = True
        changes.rewind()
        return self._differentiated(leaves, structure)

    def _keep(self, kind: Kind, program: Program, results: Results, changes: Any) -> Path | None:
        """Keep the program, if it does all that the function did."""
        kind.recordings += 1
        self._new += 1
        if self._shortcuts.runs != self._straight:  # known calls have gone straight to native code meanwhile
            self._straight, self._new = self._shortcuts.runs, 0
        if self._new > MOST_NEW:
            self._reason = "what it is given, or uses, is new at each call"
        for place in changes.variables:
            self._surroundings.variables[place.identity] = place
            self._surroundings.last = None
        if kind.given_up:
            return None
        if changes.unsettled:
            self._unsettled += 1
            self._made -= kind.recordings == 1
            if self._unsettled >= PATIENCE_UNSETTLED:
                self._reason = changes.unsettled
            return None
        self._unsettled = 0
        path = Path(program, results, changes, getattr(self, "__name__", "function"))
        kind.add(path)
        return path

    # Derivatives ------------------------------------------------------------------------------------------------

    def _differentiated(self, leaves: list, structure: Any) -> Any:
        """The function as one operation of whatever asks for derivatives."""
        with RECORDING:
            found = self._surroundings.now([], [])
        used = [t for t in found.tensors if t._node is not None]
        captured = [t for t in used if not any(t is x for x in leaves)]
        both = {i: x for i, x in enumerate(leaves) if any(t is x for t in used)}
        objects = tuple(map(id, captured)), tuple(both), tuple(map(id, both.values()))
        key = (structure, *objects, *orders([rebuild(structure, leaves)]))
        with BOOKS:
            derivatives = self._derivatives.get(key)
            if derivatives is None:
                make = functools.partial(Compiled, check=self.check)
                derivatives = self._derivatives[key] = Derivatives(self.function, structure, captured, both, make)
                if len(self._derivatives) > 64:
                    self._derivatives.popitem(last=False)
        found = derivatives([x.value if isinstance(x, Static) else x for x in leaves])
        if derivatives.value.draws:
            self._reason = "it draws random numbers, and is differentiated from outside; compile what differentiates it"
        return found

    # Telling ----------------------------------------------------------------------------------------------------

    def stats(self) -> dict:
        """How often the function ran, was recorded, and for how many kinds of arguments and paths.

        Returns
        -------
        dict
            ``calls``; those of them that were recorded (``recordings``) and that the function itself has served
            (``eager``: ways that are new, or what is given up); ``kinds`` of arguments; ``paths`` that are compiled;
            ``given up``: why kinds, or all calls, are left to the function; ``seconds`` for compiling. Those of a
            method, asked for at the class, are those of all objects that there are.
        """
        parts = [self, *[part for _, part in list(self._bound.values())]]
        kinds = [kind for part in parts for kind in list(part._kinds.values())]
        left = sum(part._left for part in parts)
        reasons = {part._reason for part in parts} | {k.given_up for k in kinds}
        return {
            "calls": sum(k.calls for k in kinds) + sum(p._shortcuts.runs + p._outside for p in parts) + left,
            "eager": sum(k.eager for k in kinds) + left,
            "recordings": sum(k.recordings for k in kinds),
            "kinds": len(kinds),
            "paths": sum(len(k.paths) for k in kinds),
            "given up": sorted(reason for reason in reasons if reason),
            "seconds": sum(p.seconds for k in kinds for p in k.paths.values()),
        }

    def explain(self) -> str:
        """What has been recorded, how it runs, and what is left to NumPy, as text."""
        stats = self.stats()
        lines = [
            f"{getattr(self, '__name__', self.function)}: {stats['calls']:,} calls, of which {stats['recordings']} "
            f"were recorded and {stats['eager']:,} left to the function; {stats['paths']} paths"
        ]
        if self._reason:
            lines.append(f"  left to the function from now on: {self._reason}")
        for key, kind in self._kinds.items():
            if kind.is_known():
                lines.append(f"for {', '.join(map(described, key[1:-1])) or 'no arguments'}")
                lines.append(kind.explained())
        for derivatives in self._derivatives.values():
            parts = {"value": derivatives.value, "pullback": derivatives.pulled, "pushforward": derivatives.pushed}
            lines += [f"its {name}, {part.explain()}" for name, part in parts.items() if part._kinds]
        return "\n".join(lines)

    def _with(self, nums: Any, names: Any, check: bool) -> "Compiled":
        """The same function with more options; this one, if there are none."""
        if nums == () and names == () and not check:
            return self
        nums, names = static_arguments(self.function, nums, names)
        return Compiled(self.function, nums or self._static_nums, names or self._static_names, check or self.check)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self, '__name__', self.function)}>"


# The interface ----------------------------------------------------------------------------------------------------


def compile(
    function: Callable | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    check: bool = False,
) -> Any:
    """A function that does what `function` does, as native code.

    It is recorded when it is called, once for each kind of arguments (shapes, dtypes, and the values of what is no
    array or float), and for each way that it takes by their values. From then on it runs as compiled.

    Parameters
    ----------
    function : callable
        A function of arrays, tensors, numbers and nested containers of them. It may use tensors and arrays from
        around it, write them, and call ``backward()``. Left out, `compile` is a decorator.
    static_argnums : int or tuple of int
        Positions of arguments that are part of the program: a program is made for each value.
    static_argnames : str or tuple of str
        Their names, where they are passed by name.
    check : bool
        Run the function itself beside the compiled one at each call, and compare.

    Returns
    -------
    Compiled
        A function with the same arguments, which has ``stats()`` and ``explain()``.

    Raises
    ------
    ArgumentError
        If it is no function, or a generator function; when called, for arguments that cannot be compared, and for
        random numbers that are not drawn by `wengert.random`.

    Examples
    --------
    >>> import numpy as np
    >>> import wengert as wg
    >>> fast = wg.compile(wg.grad(lambda x: np.sum(x**2)))
    >>> print(fast(np.array([1.0, 2.0])))
    [2. 4.]
    """
    if function is None:
        return functools.partial(compile, static_argnums=static_argnums, static_argnames=static_argnames, check=check)
    if not callable(function) or isinstance(function, type):
        raise ArgumentError(f"[compile] a function was required; received {function!r}; pass one, or a method")
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        raise ArgumentError(
            f"[compile] a function that returns its results was required; received {function!r}, which yields or "
            f"awaits; compile the function that it calls for each item"
        )
    if isinstance(function, Compiled):
        return function._with(static_argnums, static_argnames, check)
    return Compiled(function, *static_arguments(function, static_argnums, static_argnames), check)
