"""LLVM's text as code that can be called: through the store of object code where it has been compiled before."""

import functools
import signal
import threading
from collections.abc import Callable
from typing import Any

import llvmlite
import llvmlite.binding as llvm
from llvmlite.binding import ffi

from wengert.compiler.cache import Store, current_store
from wengert.compiler.locks import OF_LIBRARIES
from wengert.compiler.machine import features

__all__ = ["Code", "Later", "bind", "host_facts", "machine_text", "new_machine", "object_code"]

EMPTY = ""
NAMES = ("SIGINT", "SIGALRM", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGPROF")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
"""Those for which programs have handlers of their own, which may raise."""
OF_LIBRARIES.append(ffi.lib._lock)


class Later:
    """Signals that come inside are handled when it is left; Python handles them in the main thread only.

    An exception between a call of LLVM's and the line after it would leave llvmlite's objects half made, or half gone,
    and what they own would be freed twice. A handler that an interruption of this leaves in its place hands them on.
    """

    def __init__(self) -> None:
        self.before: dict[int, Callable] = {}
        self.held: list[tuple[int, Any]] = []
        self.waits = False

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                self.before[number] = handler
                signal.signal(number, self._note)
        self.waits = True

    def _note(self, number: int, frame: Any) -> None:
        if self.waits:
            self.held.append((number, frame))
        else:
            self.before[number](number, frame)

    def __exit__(self, *_: Any) -> None:
        self.waits = False
        for number, handler in self.before.items():
            signal.signal(number, handler)
        for number, frame in self.held:
            self.before[number](number, frame)


class Code:
    """The functions of a text, as machine code in memory; freed with this object.

    Parameters
    ----------
    text : str
        A module in LLVM's assembly language, without addresses of this process: functions from outside are declared,
        and known by name (`bind`).
    level : int
        The level of LLVM's code generator.
    passes : bool
        Whether values are first taken from the stack into registers, and instructions combined.
    """

    def __init__(self, text: str, level: int = 0, passes: bool = False):
        store = current_store()
        key, data = "", None
        if store is not None:
            key = Store.key(text, repr((level, passes)), *host_facts())
            data = store.load(key)
        self.from_store = data is not None
        if data is None:
            data = object_code(text, level, passes)
            if store is not None:
                store.keep(key, data)
        self._link([data])

    @classmethod
    def stored(cls, text: str, level: int) -> "Code | None":
        """A text's code, if it is found on the disk."""
        store = current_store()
        data = store.load(Store.key(text, repr((level, False)), *host_facts())) if store is not None else None
        return cls.linked([data]) if data is not None else None

    @classmethod
    def linked(cls, objects: list[bytes]) -> "Code":
        """What has been compiled already."""
        code = object.__new__(cls)
        code.from_store = True
        code._link(objects)
        return code

    def _link(self, objects: list[bytes]) -> None:
        with Later():
            self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(EMPTY), new_machine(0))
            for data in objects:
                self._engine.add_object_file(llvm.ObjectFileRef.from_data(data))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function is."""
        found = self._engine.get_function_address(name)
        if not found:
            raise KeyError(name)
        return found


def object_code(text: str, level: int = 0, passes: bool = False) -> bytes:
    """The text compiled for this machine."""
    with Later():
        return _emitter(level).emit_object(_module(text, level, passes))


def machine_text(text: str, level: int = 0, passes: bool = False) -> str:
    """The text compiled for this machine, in the words of its assembly language."""
    return _emitter(level).emit_assembly(_module(text, level, passes))


def _module(text: str, level: int, passes: bool) -> Any:
    """The text as LLVM holds it."""
    module = llvm.parse_assembly(text)
    module.verify()  # what is wrong would end the process later
    if passes:
        builder = llvm.create_pass_builder(_emitter(level), llvm.create_pipeline_tuning_options(speed_level=1))
        manager = llvm.create_new_function_pass_manager()
        manager.add_sroa_pass()
        manager.add_instruction_combine_pass()
        for function in module.functions:
            if not function.is_declaration:
                manager.run(function, builder)
    return module


def bind(name: str, address: int) -> str:
    """Let texts call the function at an address by a name; gives the name."""
    llvm.add_symbol(name, address)
    return name


@functools.cache
def host_facts() -> tuple[str, ...]:
    """All that the code depends on besides its text."""
    version = ".".join(map(str, llvm.llvm_version_info))
    flags = ",".join(f"{'+' if has else '-'}{name}" for name, has in sorted(features().items()))
    return llvmlite.__version__, version, llvm.get_default_triple(), llvm.get_host_cpu_name(), flags


def new_machine(level: int) -> Any:
    """A code generator for this machine; an engine takes one for its own, so each gets a new one."""
    _initialise()
    *_, triple, name, flags = host_facts()
    return llvm.Target.from_triple(triple).create_target_machine(cpu=name, features=flags, opt=level, jit=True)


@functools.cache
def _emitter(level: int) -> Any:
    """A code generator that emits one module after another."""
    return new_machine(level)


@functools.cache
def _initialise() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
