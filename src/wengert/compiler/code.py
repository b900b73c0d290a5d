"""LLVM's text as code that can be called: through the store of object code where it has been compiled before."""

import functools
from typing import Any

import llvmlite
import llvmlite.binding as llvm
from llvmlite.binding import ffi

from wengert.compiler.cache import Store, current_store
from wengert.compiler.locks import OF_LIBRARIES
from wengert.compiler.machine import features

__all__ = ["Code", "bind", "host_facts", "machine_text", "new_machine", "object_code"]

EMPTY = ""
OF_LIBRARIES.append(ffi.lib._lock)


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
