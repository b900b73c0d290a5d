"""What the code of a function looks up by name, and what its names tell."""

import builtins
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from dis import Instruction, get_instructions
from functools import lru_cache
from itertools import pairwise
from opcode import opmap
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from wengert.callees import calls_of
from wengert.compiler.whose import is_library

__all__ = [
    *("Uses", "asks_for_classes", "asks_for_history", "asks_for_identity", "goes_in_order", "is_elsewhere"),
    *("looks_elsewhere", "makes_attributes", "names_of", "only_called", "uses_of", "waits_for_attributes"),
]

WAITS = "except"
"""What stands among the names of code that may go on after an exception which arrays would not have raised."""
ABOUT_CLASSES = {"isinstance", "issubclass", "hasattr", "getattr", "type", "isscalar", "__class__"}
ABOUT_CLASSES |= {"AttributeError", "suppress", WAITS}
"""Names by which code asks what a value is, or can do; or waits for the exceptions that tell."""
HARMLESS = {"KeyError", "IndexError", "LookupError", "LinAlgError", "ZeroDivisionError", "OverflowError", "ValueError"}
HARMLESS |= {"ArithmeticError", "FloatingPointError", "StopIteration", "ImportError", "ModuleNotFoundError", "OSError"}
HARMLESS |= {"FileNotFoundError", "RuntimeError", "RecursionError", "NotImplementedError", "AssertionError"}
HARMLESS |= {"KeyboardInterrupt", "NameError", "UnboundLocalError", "MemoryError", "EOFError", "Warning"}
"""Exceptions that recorded values raise where arrays do: others than those of what they have not."""
ABOUT_HISTORY = {"requires_grad", "grad_fn", "is_leaf", "is_recording", "is_grad_enabled"}
ABOUT_HISTORY |= {"register_hook", "retain_grad", "no_grad", "enable_grad", "set_grad_enabled", "inference_mode"}
ABOUT_HISTORY |= {"pause", "stop_recording", "zero_grad", "requires_grad_", "retains_grad", "attach_grad"}
ABOUT_HISTORY |= {"detach", "detach_", "stop_gradient", "BlockGrad"}
"""Names by which code asks for what a tape notes, or says what it is to note."""
ABOUT_ATTRIBUTES = {"setattr", "getattr", "hasattr", "vars", "__dict__", "AttributeError", "Exception", "BaseException"}
CATCHING = {"AttributeError", "Exception", "BaseException"}
"""What code waits for that goes on without an attribute."""
IN_ORDER = {"vars", "__dict__"}
"""Names by which code goes over attributes in the order in which they were set."""
BY_ANY_NAME = {"globals", "eval", "exec", "__import__"}
"""Functions of Python's that find variables by names which the code itself does not tell."""
IDENTITY = {"is_", "is_not"}
"""Functions of `operator`'s that ask whether two things are the same."""
ELSEWHERE = {"import_module", "_getframe", "currentframe", "__subclasses__", "geterr"}
ELSEWHERE |= {"__globals__", "f_globals", "f_locals", "f_builtins", "__builtins__"}
ELSEWHERE |= {"getcontext", "localcontext"}
ELSEWHERE |= {"get_ident", "get_native_id", "current_thread", "current_process", "current_task", "getpid"}
"""Names by which code asks for what lies where nothing is looked at, or is another thing in another thread."""
OF_PYTHON = BY_ANY_NAME | ELSEWHERE
STORE_ATTR = opmap["STORE_ATTR"]
CAUGHT, DROPPED = opmap.get("PUSH_EXC_INFO", -1), opmap["POP_TOP"]
"""The instruction by which the handling of an exception begins, and that which comes next in ``except:``."""
HANDLING = {opmap.get(name, -1) for name in ("CHECK_EXC_MATCH", "CHECK_EG_MATCH", "RERAISE", "WITH_EXCEPT_START")}
CHECKED = opmap.get("CHECK_EXC_MATCH", -1)
FORGOTTEN = opmap["POP_EXCEPT"]
"""What may come then: a look at what it is, or that it goes on; or the end of it, as in ``finally: return``."""
MATCH_CLASS = opmap.get("MATCH_CLASS", -1)
"""The instruction of ``case float():``, which asks for a class without a name for that."""
LOADING = ("LOAD_", "IMPORT_FROM", "STORE_FAST_LOAD_")
OF_VARIABLES = {"LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
"""Instructions that are about variables of the module; the last two are those of classes' bodies."""
NAMING = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR"}
OF_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR"}


@dataclass
class Uses:
    """What the code of a function, and of those inside it, does with names."""

    variables: set[str] = field(default_factory=set)
    """Those that are variables of the module, and no attributes."""
    values: set[str] = field(default_factory=set)
    """Those of which more is used than attributes: what is passed on, and what has another name from then on."""
    stored: set[str] = field(default_factory=set)
    """Attributes that are set."""
    asked: set[str] = field(default_factory=set)
    """Attributes that are looked up."""
    of: set[tuple[str | None, str]] = field(default_factory=set)
    """Those that are not called as methods, each with the variable of the module of which it is one, if it is."""
    asks_for_identity: bool = False
    """Whether two things, none of which is a constant, are asked whether they are the same."""
    imports: list[tuple[int, str, str]] = field(default_factory=list)
    """What is imported: the number of leading dots, the name, and the variable that has the module then, if one has."""

    def note(self, line: Instruction, after: str) -> None:
        """Note what an instruction does, before the next one."""
        names = line.argval if isinstance(line.argval, tuple) else (line.argval,)
        if line.opname in OF_VARIABLES:
            self.variables.update(names)
        if line.opname == "STORE_ATTR":
            self.stored.update(names)
        if line.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            self.asked.update(names)
        is_known = line.opname == "LOAD_CONST" or names == ("__class__",)  # the `__eq__` of dataclasses compares these
        self.asks_for_identity |= after == "IS_OP" and not is_known
        if line.opname.startswith(LOADING) and line.opname != "LOAD_CONST":
            self.values.update(names[:-1] if after in OF_ATTRIBUTES else names)


def asks_for_classes(names: frozenset[str]) -> bool:
    """Whether code with these names may go another way for traces than for arrays and numbers."""
    return not names.isdisjoint(ABOUT_CLASSES)


def asks_for_history(names: frozenset[str], uses: Uses, known: dict) -> bool:
    """Whether code asks for what a tape notes, or has a say in it; of a module that has the variables `known`.

    Setting a gradient to what it is counts as well. `wg.grad` is another thing, an attribute of a module.
    """
    of_tensors = any(name == "grad" and type(known.get(base)) is not ModuleType for base, name in uses.of)
    return of_tensors or "grad" in uses.stored or not names.isdisjoint(ABOUT_HISTORY)


def asks_for_identity(names: frozenset[str], uses: Uses) -> bool:
    """Whether code asks whether two things are the same."""
    return uses.asks_for_identity or not names.isdisjoint(IDENTITY)


def makes_attributes(names: frozenset[str]) -> bool:
    """Whether code with these names sets attributes, or asks which there are."""
    return not names.isdisjoint(ABOUT_ATTRIBUTES)


def waits_for_attributes(names: frozenset[str]) -> bool:
    """Whether code with these names may go on where an attribute is not there."""
    return not names.isdisjoint(CATCHING)


def goes_in_order(names: frozenset[str]) -> bool:
    """Whether code with these names may go by the order of attributes."""
    return not names.isdisjoint(IN_ORDER)


def looks_elsewhere(names: frozenset[str], variables: set[str], known: dict) -> str | None:
    """The name by which code asks for what is not looked at, if it does; of a module that has the variables `known`."""
    modules = [known[name] for name in variables & known.keys() if type(known[name]) is ModuleType]
    if "modules" in names and sys in modules:
        return "sys.modules"
    hidden = names if builtins in modules else variables - known.keys()
    return min(names & ELSEWHERE | hidden & BY_ANY_NAME, default=None)


def is_elsewhere(value: Any) -> bool:
    """Whether something is what these names are of, whatever it goes by."""
    if value is sys.modules:
        return True
    is_function = isinstance(value, (BuiltinFunctionType, FunctionType))
    return is_function and value.__name__ in OF_PYTHON and is_library(value.__module__)


def names_of(code: CodeType) -> frozenset[str]:
    """The names that a function's code, and that of the functions inside it, looks up."""
    names, steps = frozenset(code.co_names), code.co_code[::2]
    if MATCH_CLASS in steps:
        names |= {"type"}
    if STORE_ATTR in steps:
        names |= {"setattr"}
    if CAUGHT in steps and _catches_all(steps):
        names |= {"BaseException", WAITS}
    if CHECKED in steps and not HARMLESS.issuperset(_caught(code)):
        names |= {WAITS}
    if code.co_name == "__exit__" and _may_catch(code):
        names |= {WAITS}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= names_of(constant)
        elif isinstance(constant, tuple) and "requires_grad" in constant:  # the name of an argument
            names |= {"requires_grad"}
    return names


def _catches_all(steps: bytes) -> bool:
    """Whether code goes on after any exception."""
    for k in [k for k, step in enumerate(steps) if step == CAUGHT]:
        first = next((step for step in steps[k:] if step in HANDLING or step == FORGOTTEN), None)
        if first == FORGOTTEN or steps[k + 1] == DROPPED:
            return True
    return False


@lru_cache(4096)
def _caught(code: CodeType) -> frozenset[str]:
    """The names of what the exceptions that code waits for are compared with; "" for what has none."""
    names = set()
    lines = [line for line in get_instructions(code) if line.opname not in ("EXTENDED_ARG", "CACHE")]
    for k, line in enumerate(lines):
        if line.opcode != CHECKED:
            continue
        several = lines[k - 1].argval if lines[k - 1].opname == "BUILD_TUPLE" else 1
        k -= lines[k - 1].opname == "BUILD_TUPLE"
        for _ in range(several):
            k -= 1
            names.add(lines[k].argval if lines[k].opname in NAMING else "")
            while k > 0 and lines[k].opname == "LOAD_ATTR":
                k -= 1
    return frozenset(names)


def _may_catch(leave: CodeType) -> bool:
    """Whether a method ``__exit__`` may let code go on that has raised: it returns something else than `None`."""
    lines = [line for line in get_instructions(leave) if line.opname != "EXTENDED_ARG"]
    returned = [line for line in lines if line.opname == "RETURN_CONST"]
    for before, line in pairwise(lines):
        if line.opname == "RETURN_VALUE":
            returned.append(line if line.is_jump_target else before)  # ways that meet may bring something else each
    return any(line.opname not in ("LOAD_CONST", "RETURN_CONST") or line.argval for line in returned)


@lru_cache(4096)
def uses_of(code: CodeType) -> Uses:
    """What a function's code, and that of the functions inside it, does with names."""
    uses = Uses()
    for inner in _codes(code):
        lines = [line for line in get_instructions(inner) if line.opname != "EXTENDED_ARG"]
        for line, after in pairwise(lines):
            uses.note(line, after.opname)
            if after.opname == "LOAD_ATTR" and "self" not in after.argrepr:
                uses.of.add((line.argval if line.opname == "LOAD_GLOBAL" else None, after.argval))
        uses.imports += [_imported(lines, k) for k, line in enumerate(lines) if line.opname == "IMPORT_NAME"]
    return uses


@lru_cache(4096)
def only_called(code: CodeType, name: str) -> bool:
    """Whether a function's code, and that of those inside it, does nothing with a module's variable but call it."""
    for inner in _codes(code):
        lines, callees = list(get_instructions(inner)), calls_of(inner).names
        uses = [line.opname for line in lines if line.opname in OF_VARIABLES and line.argval == name]
        calls = [line for line in lines if line.opname != "PRECALL" and callees.get(line.offset) == name]
        if uses != ["LOAD_GLOBAL"] * len(calls):
            return False
    return True


def _imported(lines: list[Instruction], k: int) -> tuple[int, str, str]:
    """What an instruction imports, as `Uses.imports` has it."""
    dots, parts, name = (line.argval for line in lines[k - 2 : k + 1])
    stored = next(line.argval for line in lines[k:] if line.opname.startswith("STORE_")) if not parts else ""
    return dots, name, stored[0] if isinstance(stored, tuple) else stored


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
