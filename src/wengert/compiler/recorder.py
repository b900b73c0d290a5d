"""One call of a function that is recorded: run with traces in the place of what it is given, and what comes of it."""

from contextlib import nullcontext
from typing import Any

import numpy as np

from wengert.box import Box, bare
from wengert.compiler.again import RecordAgain
from wengert.compiler.arguments import Arguments, Static
from wengert.compiler.capture import Captured
from wengert.compiler.changes import Changes
from wengert.compiler.checking import Before, agree
from wengert.compiler.collecting import collection_frozen
from wengert.compiler.containers import containers
from wengert.compiler.escaped import has_history, look_for_escaped
from wengert.compiler.given import are_shared, built, rewritten
from wengert.compiler.locks import RECORDING
from wengert.compiler.making import recordable_buffers
from wengert.compiler.once import DIFFERENTIATES, WRITES, Impure, comparing
from wengert.compiler.path import Kind, compiler
from wengert.compiler.program import LeftToPython, Program
from wengert.compiler.raising import keep_raising
from wengert.compiler.randomness import watched
from wengert.compiler.results import Results, returned_trouble
from wengert.compiler.steps import Steps, as_before
from wengert.compiler.trace import recording
from wengert.errors import CompileError, LostGradientError, WengertError, is_lost
from wengert.passes import DEPOSITING
from wengert.protocol import Wrapper
from wengert.transforms.containers import WHOLE, flatten, rebuild

__all__ = ["Recorder"]


class Turn:
    """`DEPOSITING`, from before traces are gone until all is written, or something else is called, if it is taken."""

    def __init__(self) -> None:
        self.taken = False

    def take(self) -> None:
        """Let nobody else put gradients into leaves."""
        self.taken = True  # before it is: whatever interrupts, it is given back
        DEPOSITING.acquire()

    def end(self) -> None:
        """Let others go on."""
        if self.taken and DEPOSITING._is_owned():  # type: ignore[attr-defined]
            DEPOSITING.release()
        self.taken = False

    def __enter__(self) -> "Turn":
        return self

    def __exit__(self, *_: Any) -> None:
        self.end()


class Recorder:
    """A call that is recorded.

    Parameters
    ----------
    owner : wengert.compiler.api.Compiled
        The function, compiled so far.
    kind : Kind
        What is known for arguments of the call's kind.
    leaves, structure
        The arguments, taken apart.
    call : Arguments
        The same, by what becomes of them.
    given : (tuple, dict)
        The arguments as they are given.
    keeps : bool
        Whether a program is made of what is recorded, for later calls.
    """

    def __init__(
        self, owner: Any, kind: Kind, leaves: list, structure: Any, call: Arguments, given: tuple, keeps: bool = True
    ):
        self.owner, self.kind, self.leaves, self.structure = owner, kind, leaves, structure
        self.call, self.given, self.keeps = call, given, keeps
        self.turn = Turn()
        self.steps: Steps | None = None
        self.before = kind.recordings
        """How many recordings there were of the kind when it was decided that there is to be one."""

    def run(self) -> Any:
        """The results of the call; what it does is noted, and kept if it can be."""
        with RECORDING, collection_frozen(), self.turn, as_before():
            found = self.owner._surroundings.now(self.call.looked_into, self.call.tensors, fresh=True)
            captured = Captured(found, self.call.tensors, self.call.arrays, self.call.windows, self.given)
            problem = captured.problem()
            if problem:
                self.kind.given_up = problem
                return self.left(captured)
            compiler()
            for contents in found.contents:
                contents.note()
            program = Program()
            program.lasting, program.replaced = found.generators, self.owner.replaced
            try:
                changes, outputs, structure = self.lifted(program, captured)
            finally:  # all has been put back, unless something has interrupted just that
                recording.program = None
                captured.put_back()
            if changes.interrupted is not None:
                try:
                    changes.now()
                finally:
                    raise changes.interrupted
            self.owner.fills |= program.fills and not self.owner.runs_alone
            if program.by_layout:
                self.kind.strides = captured.strides()
            if program.wanted is not None and changes.can_be_repeated():
                self.owner.replaced.add(program.wanted)
                self.turn.end()
                return self.run()
            look_for_escaped(changes, outputs)
            return self.unrecorded(changes) if changes.failed is not None else self.noted(changes, outputs, structure)

    # Running ----------------------------------------------------------------------------------------------------

    def lifted(self, program: Program, captured: Captured) -> tuple[Changes, list, Any]:
        """What the function has written, and its results, with traces in the place of all that it uses."""
        with program, captured.lifted(program) as changes:
            try:
                outputs, structure = self.traced(program, changes)
                outputs = [_apart(y, captured.tensors) for y in outputs]
                changes.note()
                if changes.writes_gradients():
                    self.turn.take()
                if self.owner.once is not None and changes.interrupted is None and changes.are_any():
                    raise Impure(WRITES, lasts=True)
            except BaseException:  # it is refused, or interrupted while it is looked at: it has done nothing
                changes.rewind()
                raise
            if changes.puts() and are_shared(containers(self.given), captured.found.contents):
                changes.rewritten = "it writes a container that is there twice"
        return changes, outputs, structure

    def traced(self, program: Program, changes: Changes) -> tuple[list, Any]:
        """The function's results with traces in the place of its arguments, as leaves."""
        stand_ins = [stand_in for stand_in, _ in changes.stand_ins[: len(self.call.arrays)]]
        leaves = self.call.lifted(program, stand_ins, changes)
        put, put_back = recordable_buffers(program, changes.captured.found)
        recording.program = program
        try:
            put()
            with watched(program, program.lasting):
                return self.called(leaves, changes)
        finally:
            recording.program = None
            put_back()

    def called(self, leaves: list, changes: Changes) -> tuple[list, Any]:
        """Call the function, and see whether it leaves the containers that it is given as they are."""
        args, kwargs = rebuild(self.structure, [x.value if isinstance(x, Static) else x for x in leaves])
        before = built((args, kwargs))
        changes.rebuilt = set(map(id, before[1]))
        out: tuple[list, Any] = [], None
        self.steps = _steps(changes.captured) if changes.captured.found.asks_for_classes else None
        try:
            with self.steps or nullcontext():
                outputs = self.owner.function(*args, **kwargs)
            out = flatten(outputs, WHOLE)
        except Impure:  # it has done nothing, as all is put back
            raise
        except (Exception, LeftToPython, RecordAgain) as error:
            changes.failed, changes.interrupted = error, _interruption(error)
        except BaseException as error:
            changes.interrupted = error
        changes.given = rewritten(before, (args, kwargs))
        return out

    # What comes of it -------------------------------------------------------------------------------------------

    def noted(self, changes: Changes, outputs: list, structure: Any) -> Any:
        """The results of a call that has not raised."""
        kind, program, captured = self.kind, changes.program, changes.captured
        if program.raised and kind.paths:
            return self.again(changes)  # other ways through the function stay as they are
        caught = program.raised and f"it goes on after an exception, {program.raised}"
        kind.given_up = kind.given_up or program.refused or caught
        self.owner.draws = self.owner.draws or program.states
        trouble = returned_trouble(outputs, captured.tensors)
        if trouble is None and any(map(has_history, outputs)):
            if program.refused and changes.can_be_repeated():
                return self.left(captured)
            return self.differentiated(changes)
        trouble = trouble or changes.rewritten or captured.overlap(changes.places())
        if trouble:
            kind.given_up = trouble
            return self.again(changes)
        if not captured.can_be_written(changes.places()):  # it raises, by itself, with what it does before and after
            kind.failures += not kind.paths
            return self.again(changes)
        kind.given_up = kind.given_up or changes.escaped
        results = Results(outputs, structure, {node for node, _ in changes.tensors})
        program.results = [*results.nodes, *changes.nodes()]
        keep_raising(program)
        if changes.leaks:
            return self.anew(results, changes)
        if captured.found.asks_for_classes:
            return self.compared(results, changes)
        return self.first(results, changes)

    def first(self, results: Results, changes: Changes) -> Any:
        """Keep what has been recorded, and give the results of the call that it was recorded in."""
        shares, puts_off = changes.captured.shares(changes.places()), changes.program.puts_off
        found_out = None if shares or puts_off else self.written(results, changes)
        self.turn.end()
        path = self.kept(results, changes)
        try:
            if shares:
                return self.again(changes)
            if not puts_off:
                return found_out
            return self.caught_up(path, results, changes)
        finally:
            results.forget()

    def written(self, results: Results, changes: Changes) -> Any:
        """The results, once all is written that the function has written; these come first, as they may need it."""
        found_out = results.first()
        changes.now()
        return found_out

    def caught_up(self, path: Any, results: Results, changes: Changes) -> Any:
        """The results of a call whose numbers have not been computed yet: those of the program, if it can give them."""
        captured, adds = changes.captured, changes.writes_gradients()
        if path is None or changes.program.generators:
            return self.written(results, changes)
        with DEPOSITING if adds else nullcontext():
            if captured.has_same_gradients():
                right, found_out = path.run([*captured.values(), *self.call.numbers], captured)
                if right:
                    return found_out
        return self.again(changes) if adds else self.written(results, changes)

    def kept(self, results: Results, changes: Changes) -> Any:
        """What later calls take, if anything is made of what has been recorded."""
        if not self.keeps:
            if self.owner.once is not None:
                self.owner.once.unknown()
            return None
        if self.owner.once is not None:
            nodes = [node for _, node in changes.stand_ins]
            numbers = {i: self.call.numbers_of.get(id(x)) for i, x in enumerate(self.given[0])}
            arrays = {i: k for i, k in numbers.items() if k is not None and isinstance(self.given[0][i], np.ndarray)}
            of = {i: nodes[k] for i, k in arrays.items()}
            self.owner.once.note(changes.program, of, results.leaves, self.owner.function, list(self.given[0]))
        is_first = self.kind.recordings == self.before
        return self.owner._keep(self.kind, changes.program, results, changes, is_first)

    def anew(self, results: Results, changes: Changes) -> Any:
        """The function's own results, where it has put what is recorded into objects that it has made."""
        self.kept(results, changes)
        results.forget()
        return self.again(changes)

    def compared(self, results: Results, changes: Changes) -> Any:
        """The function's own results, where it may have gone another way as traces are of another class than arrays."""
        found = results.first()
        changes.rewind()
        args, kwargs = self.given
        before = Before(changes.captured)
        self.turn.end()
        steps, lost = _steps(changes.captured), LostGradientError.made
        try:
            with comparing(), steps:
                expected = self.owner.function(*args, **kwargs)
        except Exception as error:
            if not changes.program.fills or not is_lost(error) or changes.captured.found.asks_otherwise:
                raise
        else:
            if changes.program.fills and LostGradientError.made > lost:
                raise LostGradientError(CAUGHT)
            is_alike = _are_alike(found, expected, before, changes)
            is_same_way = self.steps is not None and steps.agree(self.steps)
            if not is_alike or (not is_same_way and self.kind.strayed):
                self.kind.given_up = "it asks for classes, and traces have others than arrays and numbers"
            self.kind.strayed = not is_same_way  # once it may: what is done at the first call only is not done again
            is_first, self.owner.agrees = not self.owner.agrees, is_alike and is_same_way
            if not self.owner.agrees or (is_first and changes.captured.found.asks_otherwise):
                return expected  # what agrees once may do so by chance: of zeros, say
        self.kept(results, changes)
        results.forget()
        return found

    def differentiated(self, changes: Changes) -> Any:
        """The function's results are recorded by a tape around it: derivatives are asked for from outside."""
        if changes.written or changes.unsettled:
            self.kind.given_up = "it writes what it uses, and returns tensors with a history"
            return self.again(changes)
        changes.rewind()
        if self.owner.once is not None and not any(isinstance(x, Wrapper) for x in self.leaves):
            raise Impure(DIFFERENTIATES, lasts=True)
        self.kind.differentiable = True
        self.turn.end()
        return self.owner._differentiated(self.leaves, self.structure, self.given)

    def unrecorded(self, changes: Changes) -> Any:
        """What has raised while it was recorded, as it is: it says itself what is wrong, or does what traces cannot."""
        assert changes.failed is not None
        self.kind.failures += not self.kind.paths
        if not changes.can_be_repeated():
            raise changes.failed
        out = self.left_in_vain(changes)
        why = f"it cannot be recorded: {type(changes.failed).__name__}: {changes.failed}"
        if changes.captured.found.asks_for_classes:
            why += "; it asks for classes, and recorded values have others than arrays and numbers"
        self.kind.given_up = changes.program.refused or why
        return out

    def left_in_vain(self, changes: Changes) -> Any:
        """The function itself; what it has raised while it was recorded, where alone it fails to fill arrays."""
        failed = changes.failed
        if self.owner.once is not None and self.owner.fills and failed is not None and _is_users(failed):
            raise failed
        try:
            return self.left(changes.captured)
        except Exception as error:
            if failed is None or not (is_lost(error) and changes.program.fills and _is_users(failed)):
                raise
        raise failed

    def again(self, changes: Changes) -> Any:
        """The function itself, from the state in which it was recorded."""
        changes.rewind()
        return self.left(changes.captured)

    def left(self, captured: Captured) -> Any:
        """The function itself."""
        self.turn.end()
        return self.owner._eager(self.kind, captured, self.given)


def _interruption(error: BaseException | None) -> BaseException | None:
    """What has interrupted a conversion, of which NumPy says that it has failed: its error has that as its cause."""
    while isinstance(error, (Exception, LeftToPython, RecordAgain)):
        error = error.__cause__
    return error


CAUGHT = (
    "[compile] a function was required that does not wait for exceptions where it fills arrays of its own with what is "
    "differentiated; received one that catches what says that np.zeros takes no value whose gradient is recorded; "
    "make the array with wg.zeros or np.zeros_like(t)"
)


def _is_users(error: BaseException) -> bool:
    """Whether an exception comes from a user's code, or says itself what is wrong."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    module = "" if at is None else at.tb_frame.f_globals.get("__name__") or ""
    return isinstance(error, WengertError) or not module.startswith("wengert.")


def _apart(y: Any, tensors: list) -> Any:
    """A result in the place of a tensor that the function is given or uses, or of a view, whose memory it may show."""
    is_shared = isinstance(y, Box) and y._node is None and (y._is_view or any(y is t for t in tensors))
    return y._box(bare(y)) if is_shared else y


def _steps(captured: Captured) -> Steps:
    """The steps of the functions that may be called, and of others in their modules."""
    return Steps(namespace for namespace, _ in captured.found.codes)


def _are_alike(found: Any, expected: Any, before: Before, changes: Changes) -> bool:
    """Whether what has been recorded is what the function itself has given, and written since."""
    try:
        agree("result", found, expected)
        if changes.unsettled is None:
            before.agree(changes)
    except CompileError:
        return False
    return True
