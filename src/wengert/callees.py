"""The names of what the calls in a function's code call, found by following what lies on the interpreter's stack.

Nothing is run. Each instruction changes a list of what is known of the stack's entries: the name that an entry has been
loaded by, or nothing. Where ways meet (after ``a if c else b``, in a loop) an entry keeps its name if it has it on all
of them. An instruction that is not known to push or pop only is taken to have made the uppermost entry that it leaves,
and so that entry has no name. A call finds its callee below its arguments.
"""

import dis
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType
from typing import Any

__all__ = ["CALLS", "Calls", "calls_of"]

Stack = list[str | None]

CALLS = {"CALL", "CALL_FUNCTION_EX", "CALL_KW", "PRECALL"}
_KEPT = ("BINARY_OP", "CALL", "PRECALL", "STORE_S")
"""How the names begin of what is looked up afterwards."""
_NAMES = {
    "LOAD_GLOBAL",
    "LOAD_NAME",
    "LOAD_FAST",
    "LOAD_DEREF",
    "LOAD_CLASSDEREF",
    "LOAD_FAST_CHECK",
    "LOAD_FAST_BORROW",
}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD"}
_UNTOUCHING = {
    *("CACHE", "COPY_FREE_VARS", "EXTENDED_ARG", "KW_NAMES", "MAKE_CELL", "NOP", "NOT_TAKEN", "PRECALL", "RESUME"),
    *("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_FORWARD"),
}
_POPPING = ("END_FOR", "JUMP_IF_", "POP_ITER", "POP_JUMP_", "POP_TOP", "STORE_DEREF", "STORE_FAST", "STORE_GLOBAL")
"""How the names begin of what takes entries from the stack and leaves the others as they are."""
_PUSHING = ("BUILD_", "LOAD_", "PUSH_NULL")
"""How the names begin of what only adds entries, if it adds any, but for what looks something up in the uppermost."""
_LAST = {
    *("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_FORWARD"),
    *("RAISE_VARARGS", "RERAISE", "RETURN_CONST", "RETURN_VALUE"),
}
"""After which the next instruction is not the next one to run."""
_JUMPS = {*dis.hasjrel, *dis.hasjabs}
_SUPER = 3
"""Entries that an attribute of ``super()`` takes the place of, at the most."""
_NULL = ""
"""The entry beside a callee that is no method."""
_WITHIN = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


class Calls:
    """The calls in some code, with the names of what they call, and what stores and computes besides.

    Parameters
    ----------
    code : code
        The code of a function, a module or a class.
    """

    def __init__(self, code: CodeType):
        ways = _Ways(code)
        self.names = ways.names
        """For each call's offset the name of what it calls, or None; without calls that nothing is known of."""
        self._offsets = array("L", [i.offset for i in ways.instructions])
        self._kept = {i.offset: i for i in ways.instructions if i.opname.startswith(_KEPT)}

    def at(self, offset: int) -> dis.Instruction | None:
        """What is there, if it calls, stores or computes; there or behind it, as caches lie behind instructions."""
        k = bisect_right(self._offsets, offset)
        return self._kept.get(self._offsets[k - 1]) if k else None


class _Ways:
    """The stack along all ways through some code."""

    def __init__(self, code: CodeType):
        self.instructions = [i for i in dis.get_instructions(code) if i.opname != "CACHE"]
        self._number = {i.offset: k for k, i in enumerate(self.instructions)}
        self._targets = {self._number[i.argval] for i in self.instructions if i.opcode in _JUMPS}
        self._met: dict[int, Stack] = {}
        """What is known of the stack at the beginnings of blocks."""
        self._waiting: list[int] = []
        self.names: dict[int, str | None] = {}
        try:
            self._follow(code)
        except ValueError:  # ways meet with stacks of different heights: instructions are not what they are here
            self.names = {}

    def _follow(self, code: CodeType) -> None:
        for offset, stack in _entries(code):
            self._targets.add(self._number[offset])
            self._meet(self._number[offset], stack)
        while self._waiting:
            k = self._waiting.pop()
            self._run(k, list(self._met[k]))

    def _meet(self, k: int, stack: Stack) -> None:
        """One more way comes to an instruction, with such a stack."""
        known = self._met.get(k)
        common = stack if known is None else [a if a == b else None for a, b in zip(known, stack, strict=True)]
        if common != known:
            self._met[k] = list(common)
            self._waiting.append(k)

    def _run(self, k: int, stack: Stack) -> None:
        """Go from one instruction to the end of its block."""
        while True:
            instruction = self.instructions[k]
            if instruction.opname in CALLS:
                self.names[instruction.offset] = _callee(stack, instruction)
            if instruction.opcode in _JUMPS:
                self._meet(self._number[instruction.argval], _changed(list(stack), instruction, jump=True))
            k += 1
            if instruction.opname in _LAST or k == len(self.instructions):
                break
            stack = _changed(stack, instruction, jump=False)
            if k in self._targets:
                self._meet(k, stack)
                break


@lru_cache(1024)
def calls_of(code: CodeType) -> Calls:
    """The calls of some code, looked for once."""
    return Calls(code)


def _entries(code: CodeType) -> Iterator[tuple[int, Stack]]:
    """Where code begins, and where it goes on after exceptions, with the stack's height there."""
    # Before Python 3.13 the generator itself is not said to be pushed.
    is_pushed = code.co_flags & _WITHIN and not dis.stack_effect(dis.opmap["RETURN_GENERATOR"])
    yield 0, [None] * bool(is_pushed)
    for handler in dis.Bytecode(code).exception_entries:  # type: ignore[attr-defined]
        yield handler.target, [None] * (handler.depth + handler.lasti + 1)


def _callee(stack: Stack, call: dis.Instruction) -> str | None:
    """The name below the arguments: there lie the callee and either nothing or the object of a method."""
    lowest = len(stack) - (1 - _effect(_as_call(call), jump=False))
    both = stack[lowest : lowest + 2] if lowest >= 0 else []
    names = [name for name in both if name != _NULL]
    return names[0] if len(names) == 1 else None


def _as_call(call: dis.Instruction) -> dis.Instruction:
    """What begins a call in Python 3.11 as the call itself."""
    return call._replace(opname="CALL") if call.opname == "PRECALL" else call


def _effect(instruction: dis.Instruction, jump: bool) -> int:
    """How many entries more there are after an instruction."""
    if instruction.opname in _UNTOUCHING:  # the arguments are taken by the call, not before
        return 0
    if instruction.opname == "CALL":
        return -1 - (instruction.arg or 0)
    return dis.stack_effect(instruction.opcode, instruction.arg, jump=jump)


def _changed(stack: Stack, instruction: dis.Instruction, jump: bool) -> Stack:
    """The stack after an instruction."""
    name, value = instruction.opname, instruction.argval
    if name in _UNTOUCHING:
        return stack
    halves = re.findall("(?:LOAD|STORE)_FAST", name)
    if len(halves) == 2:  # two in one, from Python 3.13 on
        for half, variable in zip(halves, value, strict=True):
            stack = _one(stack, half, variable, 1 if half == "LOAD_FAST" else -1, 0)
        return stack
    return _one(stack, name, value, _effect(instruction, jump), instruction.arg or 0)


def _one(stack: Stack, name: str, value: Any, effect: int, arg: int) -> Stack:
    """The stack after what adds so many entries, or takes them away."""
    if name.startswith("STORE_"):
        stack = _forgotten(stack, value)
    if name in _NAMES:
        return [*stack, *[_NULL] * (effect - 1), value]
    if name in _ATTRIBUTES:
        owner = stack[-1]
        return [*stack[:-1], f"{owner}.{value}" if owner else None, *[_NULL] * effect]
    if name == "PUSH_NULL":
        return [*stack, _NULL]
    if name == "COPY":
        return [*stack, stack[-arg]]
    if name.startswith(_POPPING):
        return stack[: len(stack) + effect]
    after = len(stack) + effect
    return [*stack[: _untouched(name, effect, arg, len(stack))], *[None] * after][:after]


def _untouched(name: str, effect: int, arg: int, height: int) -> int:
    """How many of the lowest entries stay as they were."""
    if name.startswith(_PUSHING) and effect > 0:
        return height
    deepest = {"SWAP": arg, "LOAD_SUPER_ATTR": _SUPER}.get(name, 1)
    return max(height + min(effect, 0) - 1, 0) if deepest == 1 else height - deepest


def _forgotten(stack: Stack, variable: Any) -> Stack:
    """The stack where a variable gets another value: what its name has been loaded for has no name any more."""
    return [None if name and name.partition(".")[0] == variable else name for name in stack]
