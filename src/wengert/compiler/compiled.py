"""A compiled function: how a call finds the program that serves it, and what happens where there is none."""

import functools
import sys
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from time import perf_counter
from types import MethodType
from typing import Any

import numpy as np

from wengert import tape
from wengert.compiler.again import Replaced
from wengert.compiler.arguments import (
    Arguments,
    Static,
    classes,
    incomparable,
    is_usual,
    orders,
    static,
    static_arguments,
)
from wengert.compiler.attached import Method, shortcuts
from wengert.compiler.capture import Captured, Surroundings, is_liftable, is_window
from wengert.compiler.checking import compare
from wengert.compiler.containers import containers
from wengert.compiler.derivative import FromOutside
from wengert.compiler.errstate import is_loud
from wengert.compiler.figures import explained, figures
from wengert.compiler.found import Found
from wengert.compiler.gapped import MISSED, Gapped, have_gaps
from wengert.compiler.generated import generated_code
from wengert.compiler.given import are_shared
from wengert.compiler.kinds import Kinds
from wengert.compiler.left import Left
from wengert.compiler.locks import BOOKS, RECORDING
from wengert.compiler.moment import Moment
from wengert.compiler.once import Impure, Once, comparing
from wengert.compiler.path import Kind, Path
from wengert.compiler.program import Program
from wengert.compiler.recorder import Recorder
from wengert.compiler.results import Results
from wengert.compiler.trace import Trace, recording
from wengert.compiler.whose import CONSTANT
from wengert.compiler.worth import Worth
from wengert.errors import is_lost
from wengert.passes import DEPOSITING
from wengert.protocol import Wrapper
from wengert.transforms.containers import WHOLE, flatten

__all__ = ["Compiled"]

PATIENCE_UNSETTLED = 4
"""Recordings in a row that may end with the function's surroundings in another state."""
MOST_NEW = 64
"""Recordings in a row, none of which was of use, after which the function is left alone."""
MOST_LEFT = 1000
"""Calls left to a function that nothing is compiled of, after which they are no longer looked at."""
MOST_FAILURES = 3
"""Recordings in a row that the function may end by raising, after which it is first to be seen to return again."""


class Compiled:
    """A function that runs as native code where it has run before; made by `compile`."""

    # `__dict__` is left to users' attributes; `__call__` is no method, so that no Python code runs in between.
    __slots__ = (
        *("__call__", "__dict__", "__weakref__", "_around", "_bound", "_derivatives", "_entry", "_gapped"),
        *("_is_stateless", "_kinds", "_lately", "_left", "_new", "_others", "_reason", "_shortcuts"),
        *("_static_names", "_static_nums", "_straight", "_surroundings", "_unsettled", "_worth"),
        *("agrees", "check", "draws", "fills", "function", "once", "replaced", "runs_alone"),
    )
    __call__: Callable
    """What a call calls: the usual way, until there is a shortcut."""

    def __init__(self, function: Callable, static_nums: tuple = (), static_names: tuple = (), check: bool = False):
        functools.update_wrapper(self, function)
        self.function, self.check = function, check
        self._others: Any = None
        """Of a method of an object what compiles it for all objects."""
        self._around: Any = nullcontext()
        """What calls that are left to the function run in."""
        self._static_nums, self._static_names = static_nums, static_names
        self._kinds = Kinds(function, getattr(self, "__name__", function))
        self._surroundings = Surroundings(function)
        self._bound: dict[int, tuple[weakref.ref, Compiled]] = {}
        self._worth = Worth()
        self._derivatives = FromOutside(function, functools.partial(Compiled, check=check))
        self._unsettled = self._new = self._left = self._straight = 0
        self._reason: str | None = None
        self._is_stateless: bool | None = None
        """Whether all that has been recorded of it changes nothing around it."""
        self.once: Once | None = None
        """Of what may only compute results: as soon as it turns out to do more, `Impure` is raised."""
        self.replaced = Replaced()
        self.agrees = False
        """Whether it has last gone the same way alone as recorded, with the same results, where it asks for classes."""
        self.fills = False
        """Whether it fills arrays of NumPy's with values of a tape, so that it only runs while it is recorded."""
        self.runs_alone: bool | None = None
        """Whether it has been seen to run alone all the same, as what it calls tells the two apart; or not to."""
        self.draws: list = []
        """The generators that it has been seen to draw from, with what they were before."""
        self._lately: Left | None = None
        self._gapped: Gapped | None = None
        self._entry = self._of_object if isinstance(function, Method) else self._usual
        self._forget_shortcuts()

    @property
    def _searched(self) -> Callable:
        """What is looked into for what the function uses."""
        return self.function._searched if isinstance(self.function, Method) else self.function

    def _forget_shortcuts(self) -> None:
        """Begin without shortcuts: those of a method whose object is no more could take another for it."""
        owner = self.function.owner() if isinstance(self.function, Method) else None
        self._shortcuts: Any = shortcuts(self._entry, owner)
        self.__call__ = functools.partial(self._entry, None)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        """The compiled method of an object."""
        if owner is None:
            return self
        found = self._bound.get(id(owner))
        if found is None or found[0]() is not owner:
            found = self._met(owner)
        return MethodType(found[1], owner)

    def _met(self, owner: Any) -> tuple:
        """What runs the method of an object that has not been seen yet, until the object is no more."""
        number = id(owner)
        try:
            alive = weakref.ref(owner, lambda _: self._bound.pop(number)[1]._forget_shortcuts())
        except TypeError:  # it has slots only: it is an argument like any other
            return None, self
        nums = tuple(i - 1 for i in self._static_nums if i)
        method = Compiled(Method(alive, self.function), nums, self._static_names, self.check)
        method._others = self
        self._bound[number] = alive, method
        return self._bound[number]

    def __reduce__(self) -> Any:
        """Found by its name if it is there, as functions are; made anew from its function if not."""
        name = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(getattr(self, "__module__", None) or "")
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (Compiled, (self.function, *self._options))

    @property
    def _options(self) -> tuple:
        return self._static_nums, self._static_names, self.check

    def _of_object(self, read: Any, owner: Any, /, *args: Any, **kwargs: Any) -> Any:
        """A call of a method; that of a copied bound method has another object."""
        if owner is not self.function.owner():  # type: ignore[attr-defined]
            return self._others.__get__(owner)(*args, **kwargs)
        return self._usual(read, *args, **kwargs)

    def _usual(self, _: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The usual way, for calls that have no shortcut."""
        left, is_recorded = self._reason is not None or is_loud(), getattr(recording, "program", None) is not None
        if left or is_recorded:
            self._left += left
            if self.fills and not is_recorded:
                return self._recorded_alone(args, kwargs)
            try:
                with self._around:
                    return self.function(*args, **kwargs)
            except Exception as error:
                if is_recorded or not self._needs_recording(error):
                    raise
            return self._recorded_alone(args, kwargs)
        lately = self._lately
        if lately is not None and lately.takes(args, kwargs):
            return lately.call(self.function, args, kwargs)
        if self._gapped is not None and not (kwargs or self.fills):
            found = self._gapped.run(args)
            if found is not MISSED:
                return found
        given = args, kwargs
        self._worth.start()
        if self._static_nums or self._static_names:
            args, kwargs = self._with_static(args, kwargs)
        try:
            leaves, structure = flatten((args, kwargs), WHOLE)
        except RecursionError:  # a container holds itself
            return self._without_end(given)
        if any(x.__class__ is not type(x) for x in leaves):
            return self._without_end(given)
        if any(isinstance(x, Wrapper) and not is_liftable(x) and not is_window(x) for x in leaves):
            self._derivatives.calls += 1
            return self._differentiated(leaves, structure, given)
        self._worth.begin()
        try:
            if any(isinstance(x, np.ndarray) and not is_usual(x) for x in leaves):
                return self._unusual(given)
            return self._run(leaves, structure, given)
        finally:  # calls that raise take their time, too
            self._weigh()

    def _weigh(self) -> None:
        """Look whether calls are better left to the function, after another one."""
        trouble = self._worth.trouble(self._shortcuts.runs)
        if trouble and not self.fills:
            self._leave(trouble)

    def _unusual(self, given: tuple) -> Any:
        """The function itself, of arrays that no program is made for."""
        self._left += 1
        if self._left >= MOST_LEFT and not self.fills and not self._is_of_use():
            self._leave("it is given arrays of texts, dates, records or objects, or in another byte order")
        return self._timed(given)

    def _leave(self, why: str | None) -> None:
        """Look at no call any more; shortcuts stay where most calls take them."""
        found = self._surroundings.last
        self._around = RECORDING if found is None or found.has_state() else nullcontext()
        self._reason = why
        if self._shortcuts.runs < self._worth.calls:
            self._let_shortcuts_go()

    def _without_end(self, given: tuple) -> Any:
        """The function itself, of arguments that cannot be taken apart."""
        self._left += 1
        with self._around:
            return self.function(*given[0], **given[1])

    def _with_static(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Static arguments as leaves that are compared, not read."""
        function, nums, names = self._searched, self._static_nums, self._static_names
        fixed = tuple(static(x, i, function) if i in nums else x for i, x in enumerate(args))
        return fixed, {name: static(x, name, function) if name in names else x for name, x in kwargs.items()}

    # Running ----------------------------------------------------------------------------------------------------

    def _run(self, leaves: list, structure: Any, given: tuple) -> Any:
        call, inside = Arguments(leaves), list(containers(given))
        call.classes = classes(inside)
        kind, captured = self._kind_of(call, structure, inside, given)
        if kind.differentiable and tape.is_recording():
            return self._differentiated(leaves, structure, given)
        has_failed = kind.failures >= MOST_FAILURES
        if kind.given_up or self._reason or has_failed:
            self._drop_shortcuts()
            if kind.eager >= MOST_LEFT and not self.fills and not self._is_of_use():
                self._leave(kind.given_up or "it has raised whenever it was recorded")
            return self._as_lately(kind, captured, given)
        self._lately = None
        if not _can_be_followed(kind, call, captured, inside):
            return self._left_alone(kind, captured, given)
        self._worth.found(len(captured.found.entries), kind.last.operations if kind.last else 0)
        if kind.paths:
            if self._is_sample():
                return self._left_alone(kind, captured, given)
            is_done, results = self._along_paths(kind, call, captured, given)
            if is_done:
                return results
        self._worth.record()
        if self._is_sample():
            return self._left_alone(kind, captured, given)
        return self._record(kind, leaves, structure, call, given)

    def _kind_of(self, call: Arguments, structure: Any, inside: list, given: tuple) -> tuple[Kind, Captured]:
        """The kind of a call, with what the function uses besides; one that is not compiled where that says so."""
        found = self._found(call)
        captured = Captured(found, call.tensors, call.arrays, call.windows, given)  # before its gradients make a key
        modes = tape.floor(), tape.is_training()
        key: tuple = structure, *call.key, (modes, found.key(), *orders(inside))
        problem = found.refused or incomparable(key, call.leaves)
        if are_shared(inside):
            problem = problem or "it is given one container twice"
        if found.asks_for_identity and found.holds_any(call.arrays):
            problem = problem or "it is given an array that it uses, and asks whether they are the same"
        if problem:  # whatever else there is
            key = None, (modes, problem)
        with BOOKS:
            kind = self._kinds.of(key, found, problem)
            if kind.strides is not None and kind.strides != captured.strides():
                kind = self._kinds.of((*key[:-1], (*key[-1], captured.strides())), found, problem)
            kind.calls += 1
        return kind, captured

    def _along_paths(self, kind: Kind, call: Arguments, captured: Captured, given: tuple) -> tuple[bool, Any]:
        """Whether the call has been done along a path that is known, or by the function itself; and its results."""
        values = self._values(captured, call)
        if not captured.has_same_gradients():  # another thread has put some there, or taken some away
            return True, self._left_alone(kind, captured, given)
        trial = kind.trial if self._can_be_left() else None
        if self.check:
            with comparing():
                right, results = compare(lambda: self._expected(given), kind, values, captured)
        elif trial is not None:
            right, results = kind.run(values, captured)
            if right and kind.trial is not None:
                with comparing():
                    kind.trial.run(self.function, given)
                kind.judge()
        elif self._shorten(kind, given, call, captured.found, captured):
            owner = (self.function.owner(),) if isinstance(self.function, Method) else ()
            return True, self.__call__(*owner, *given[0], **given[1])
        elif kind.adds:
            found = self._in_turn(kind, call, captured)
            if found is None:
                return True, self._left_alone(kind, captured, given)
            right, results = found
        else:
            right, results = kind.run(values, captured)
        kind.note(right, self._shortcuts.runs_of)
        if right:
            self._new = 0
            self._look_for_gaps(kind, call, captured, given)
            return True, results
        if kind.given_up or not kind.comes_again(results, values, self._shortcuts.runs):
            followed = functools.partial(kind.ways.followed, results)
            try:
                with followed():
                    return True, self._left_alone(kind, captured, given)
            except Impure as impure:
                impure.followed = followed
                raise
        return False, None

    def _in_turn(self, kind: Kind, call: Arguments, captured: Captured) -> tuple[bool, Any] | None:
        """The same where gradients are added to, with nobody in between; `None` where somebody has been before."""
        with RECORDING, DEPOSITING:
            if not captured.has_same_gradients():
                return None
            return kind.run(self._values(captured, call), captured)

    def _look_for_gaps(self, kind: Kind, call: Arguments, captured: Captured, given: tuple) -> None:
        """Let calls that write arguments with gaps go by shortcuts, where all that is written is arguments."""
        if not kind.writes or given[1] or not have_gaps(given[0]):
            return
        found = captured.found
        is_alone = not (found.has_state() or found.fixed or isinstance(self.function, Method))
        if is_alone and self._can_be_left():
            self._gapped = self._gapped or Gapped(self.function)
            self._gapped.add(kind.last, given[0], call, captured)

    def _expected(self, given: tuple) -> Any:
        """The function's own results; as it is recorded, where only then its own arrays take what it writes."""
        return self._recorded_alone(*given) if self.fills else self.function(*given[0], **given[1])

    def _is_sample(self) -> bool:
        """Whether the function is to show how long it takes alone, in calls that it can serve alone."""
        return self._worth.is_left and self._can_be_left()

    def _can_be_left(self) -> bool:
        """Whether calls can be left to the function just to see how long it takes."""
        return not (self.check or self.fills or self.once is not None)

    def _eager(self, kind: Kind, captured: Captured, given: tuple) -> Any:
        """The function itself; never while another thread has put traces into what it uses."""
        kind.eager += 1
        with RECORDING if captured.has_state() else nullcontext():
            found = self._timed(given)
        kind.failures = 0
        return found

    def _timed(self, given: tuple) -> Any:
        """The function itself; how long it takes alone is noted, also where it raises."""
        began = perf_counter()
        try:
            return self.function(*given[0], **given[1])
        finally:
            self._worth.was_left(perf_counter() - began)

    def _left_alone(self, kind: Kind, captured: Captured, given: tuple) -> Any:
        """The function itself; recorded for this call alone, where only then its own arrays take what it writes."""
        may_run = not self.fills or (self.runs_alone is None and self.once is None and self._is_stateless)
        if may_run:
            try:
                found = self._eager(kind, captured, given)
            except Exception as error:
                if not self._needs_recording(error):
                    raise
            else:
                self.runs_alone, self.fills = self.runs_alone or self.fills, False
                return found
        else:
            kind.eager += 1
        return self._recorded_alone(*given)

    def _recorded_alone(self, args: tuple, kwargs: dict) -> Any:
        """The results of a call that is recorded for its own sake: nothing of it is kept."""
        leaves, structure = flatten(self._with_static(args, kwargs), WHOLE)
        found = Recorder(self, Kind(Found()), leaves, structure, Arguments(leaves), (args, kwargs), keeps=False).run()
        self.fills, self.runs_alone = True, False
        return found

    def _needs_recording(self, error: Exception) -> bool:
        """Whether it has failed to write what is differentiated into plain arrays, and can be run again."""
        return is_lost(error) and bool(self._is_stateless)

    def _as_lately(self, kind: Kind, captured: Captured, given: tuple) -> Any:
        """The function itself, as for other calls like this one, which are counted."""
        lately = self._lately
        if lately is None or lately.kind is not kind:
            lately = self._lately = Left(kind, given[0], given[1], RECORDING if captured.has_state() else nullcontext())
        if not self.fills:
            lately.looked()
        return self._left_alone(kind, captured, given)

    def _shorten(self, kind: Kind, given: tuple, call: Arguments, found: Any, captured: Captured) -> bool:
        """Let calls like this one go straight to native code, before it changes what it uses; whether it goes, too.

        The first one after the recording does where there is but one path, as nothing native has been made for the
        usual way yet.
        """
        path: Any = kind.last
        is_first = not path.calls
        if is_first and (len(kind.paths) > 1 or self._shortcuts.are_many()):
            return False
        with DEPOSITING if captured.tensors else nullcontext():
            if not captured.has_same_gradients():
                return False
            self._shortcuts.add(path, given[0], given[1], call, found, captured)
        if path.has_shortcut:
            self._surroundings.release()
        self.__call__ = self._shortcuts.function or functools.partial(self._entry, None)
        if not is_first or not path.has_shortcut:
            return False
        path.has_shortcut = False
        with BOOKS:
            kind.calls -= 1  # it is counted where it runs
        return True

    def _drop_shortcuts(self) -> None:
        """Let shortcuts go whose paths have been given up: they would be tried, and fail, at every call."""
        if self._shortcuts.entries:
            paths = [path for kind in self._kinds for path in kind.paths.values()]
            if self._shortcuts.outlive(paths):
                self._let_shortcuts_go()

    def _let_shortcuts_go(self) -> None:
        """Let all shortcuts go."""
        if self._gapped is not None:
            self._gapped.shortcuts.forget()
        self._shortcuts.forget()
        self.__call__ = functools.partial(self._entry, None)

    def _is_of_use(self) -> bool:
        """Whether anything of the function is compiled."""
        return bool(self._derivatives.known) or any(kind.paths or kind.differentiable for kind in self._kinds)

    def _found(self, call: Arguments) -> Any:
        with RECORDING:
            return self._surroundings.now(call.looked_into, call.tensors)

    def _values(self, captured: Captured, call: Arguments) -> list:
        """What the program reads; what another thread is recording with is waited for."""
        values = [*captured.values(), *call.numbers]
        if any(isinstance(x, Trace) for x in values):
            with RECORDING:
                values = [*captured.values(), *call.numbers]
        return values

    # Recording --------------------------------------------------------------------------------------------------

    def _record(self, kind: Kind, leaves: list, structure: Any, call: Arguments, given: tuple) -> Any:
        """Run the function, and note what it does."""
        return Recorder(self, kind, leaves, structure, call, given).run()

    def _keep(self, kind: Kind, program: Program, results: Results, changes: Any, is_first: bool) -> Path | None:
        """Keep the program, if it does all that the function did.

        `is_first` says that none has been made of the kind by another thread since there was none for the call.
        """
        kind.recordings += 1
        self._new += 1
        if self._shortcuts.runs != self._straight:  # known calls have gone straight to native code meanwhile
            self._straight, self._new = self._shortcuts.runs, 0
        changes_state = changes.places() or changes.cleared or changes.unsettled or program.generators
        self._is_stateless = self._is_stateless is not False and not changes_state
        if self._new > MOST_NEW:
            if self.fills:
                return None
            self._leave("what it is given, or uses, is new at each call")
        for place in changes.variables:
            self._surroundings.variables[place.identity] = place
            self._surroundings.last = None
        if kind.given_up:
            return None
        if changes.unsettled:
            self._unsettled += 1
            self._kinds.made -= kind.recordings == 1
            if self._unsettled >= PATIENCE_UNSETTLED:
                self._leave(changes.unsettled)
            return None
        self._unsettled = 0
        path = Path(program, results, changes, getattr(self, "__name__", "function"))
        kind.add(path, is_first)
        if (generated := generated_code()) is not None:
            generated.keep()
        return path

    # Derivatives ------------------------------------------------------------------------------------------------

    def _differentiated(self, leaves: list, structure: Any, given: tuple) -> Any:
        """The function as one operation of whatever asks for derivatives."""
        roots = [x for x in leaves if not isinstance(x, (Wrapper, np.ndarray, Static, *CONSTANT))]
        with RECORDING:
            found = self._surroundings.now(roots, [])
        weighed = self._derivatives.of(leaves, structure, found)
        if weighed is None:
            return self._left_outside(leaves, structure, given, found)
        self._lately = None
        own = [x.value if isinstance(x, Static) else x for x in leaves]
        with RECORDING if found.tensors else nullcontext():  # others may have put values of their own into these
            return weighed(own, given, Moment(found), self._worth.began)

    def _left_outside(self, leaves: list, structure: Any, given: tuple, found: Any) -> Any:
        """The function itself, whose own operations are recorded, as for other calls like this one."""
        outside = self._derivatives
        around = RECORDING if found.has_state() else nullcontext()
        lately = self._lately
        if lately is None or lately.kind is not outside:
            lately = self._lately = Left(outside, given[0], given[1], around)
        lately.looked()
        outside.eager += 1
        try:
            with around:
                return self.function(*given[0], **given[1])
        except Exception as error:
            if outside.fills or not is_lost(error) or self._is_stateless is False:
                raise
        outside.fills = True
        return self._differentiated(leaves, structure, given)

    # Telling ----------------------------------------------------------------------------------------------------

    def stats(self) -> dict:
        """How often the function ran, was recorded, and for how many kinds of arguments and paths.

        Returns
        -------
        dict
            ``calls``; those of them that were recorded (``recordings``) and that the function itself has served
            (``eager``: ways that are new, or what is given up); ``kinds`` of arguments; ``paths`` that are compiled;
            ``given up``: why kinds, or all calls, are left to the function; ``seconds`` for compiling. What has been
            recorded and compiled of its derivatives counts as well, where they are asked for from outside. The figures
            of a method, asked for at the class, are those of all objects that there are.
        """
        return figures(self)

    def explain(self) -> str:
        """What has been recorded, how it runs, and what is left to NumPy, as text."""
        return explained(self)

    def _with(self, nums: Any, names: Any, check: bool) -> "Compiled":
        """The same function with more options; this one, if there are none."""
        if nums == () and names == () and not check:
            return self
        function = self._searched
        nums, names = static_arguments(function, nums, names)
        return Compiled(function, nums or self._static_nums, names or self._static_names, check or self.check)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self, '__name__', self.function)}>"


def _can_be_followed(kind: Kind, call: Arguments, captured: Captured, inside: list) -> bool:
    """Whether nothing about a call's arrays and containers keeps programs from following it."""
    if not call.are_still() or captured.has_bases():
        return False
    if kind.puts and are_shared(inside, captured.found.contents):
        return False
    return not captured.has_large() and (kind.last is None or kind.may_write(captured))
