"""What chunks are made into: templates and their machine code, taken from the disk where that has been done before.

What a template is depends on its chunk's form alone, and on this compiler and this machine. So the forms of a program,
spelled out, are the name under which all that has been made of it is kept: where it is found, nothing is lowered,
fused, or written for LLVM. A form that holds what cannot be spelled, so that it means the same in another process, is
made anew each time.
"""

import functools
import io
import os
import pickle
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import EllipsisType
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from wengert.compiler.ahead import Ahead
from wengert.compiler.cache import Store, current_store
from wengert.compiler.code import Code, host_facts, object_code
from wengert.compiler.libraries import provide_libraries
from wengert.compiler.lower import stands_for
from wengert.compiler.program import Node, Program, Ref
from wengert.compiler.roll import Chunk, Rolled
from wengert.compiler.template import Kernels, Template
from wengert.compiler.threads import cores
from wengert.compiler.vectormath import host, provide
from wengert.protocol import Spec, intern_spec

__all__ = ["Made", "spelled"]

LARGEST = 8 << 20
"""Bytes of what is kept of one program at most."""


class Made:
    """The templates of a rolled program, by form, and their machine code.

    A layout may add further ones, before `finished` is called.

    Parameters
    ----------
    rolled : Rolled
        The program in chunks.
    level, passes
        As `Code` takes them.
    anew : bool
        Whether nothing is taken from the disk.
    """

    def __init__(self, rolled: Rolled, level: int, passes: bool, anew: bool = False):
        programs = {s.form: s.program for s in rolled.steps if isinstance(s, Chunk) and s.program is not None}
        self.level, self.passes = level, passes
        self.store = None if anew else current_store()
        self.key = _key(programs, rolled.meanings, level, passes) if self.store is not None else None
        self.objects: list[bytes] = []
        self.declared = ""
        self.kernels = Kernels()
        self.ahead: Ahead | None = None
        found = self._found(programs)
        if found is None and not passes and not anew and Ahead.is_possible():
            self.ahead = Ahead(level)
            self.kernels = Kernels(begin=self.ahead.begin)
        self.templates: dict[Any, Template] = found or {
            form: Template(program(), self.kernels) for form, program in programs.items()
        }
        self.programs = programs

    def _found(self, programs: dict[Any, Callable[[], Program]]) -> dict[Any, Template] | None:
        """The templates that are kept, if all that they need is here."""
        data = self.store.load(self.key) if self.store is not None and self.key is not None else None
        if data is None:
            return None
        try:
            count, declared, objects, templates, copies = pickle.loads(data)
            _provide(declared)
            found = {form: _opened(t, p) for (form, p), t in zip(programs.items(), templates, strict=True)}
            for shape, dtype, copy in copies:
                found["copy", intern_spec(shape, np.dtype(dtype))] = _opened(copy, Program)
        except Exception:  # it was made by another library of the same name: it is made once more
            return None
        self.declared, self.objects, self.kernels = declared, objects, Kernels(count)
        return found

    def finished(self) -> Code:
        """The machine code of all templates, those included that have been added."""
        if self.kernels.names or not self.objects:
            self.objects += self._compiled()
            self.declared += self.kernels.declared
            provide(self.declared)
            self._keep()
        return Code.linked(self.objects)

    def _compiled(self) -> list[bytes]:
        last = self.kernels.module()
        if self.ahead is None:
            return [object_code(last, self.level, self.passes)]
        return self.ahead.finished(last)

    def _keep(self) -> None:
        if self.store is None or self.key is None:
            return
        templates = [_closed(self.templates[form]) for form in self.programs]
        others = [(key[1], t) for key, t in self.templates.items() if key not in self.programs]
        copies = [(spec.shape, spec.dtype.str, _closed(t)) for spec, t in others]
        data = pickle.dumps((self.kernels.count, self.declared, self.objects, templates, copies), 5)
        if len(data) <= LARGEST:
            self.store.keep(self.key, data)


# Templates on the disk ----------------------------------------------------------------------------------------------


class _Closing(pickle.Pickler):
    """Calls are known by their places in the program."""

    def persistent_id(self, obj: Any) -> int | None:
        return obj.index if obj.__class__ is Node else None


class _Opening(pickle.Unpickler):
    def __init__(self, file: Any, program: Callable[[], Program]):
        super().__init__(file)
        self.program = functools.cache(program)

    def persistent_load(self, index: int) -> Node:
        return self.program().nodes[index]


def _closed(template: Template) -> bytes:
    file = io.BytesIO()
    _Closing(file, 5).dump({name: getattr(template, name) for name in Template.__slots__} | {"pointers": None})
    return file.getvalue()


def _opened(data: bytes, program: Callable[[], Program]) -> Template:
    template = object.__new__(Template)
    for name, value in _Opening(io.BytesIO(data), program).load().items():
        setattr(template, name, value)
    return template


def _provide(declared: str) -> None:
    """Have all functions found that machine code calls; raises if one is not there."""
    provide(declared)
    provide_libraries(declared)
    for name in re.findall(r"@([\w.]+)\(", declared):
        if not name.startswith("llvm.") and not llvm.address_of_symbol(name):
            raise LookupError(name)


# Forms, spelled out -------------------------------------------------------------------------------------------------


class _Unspeakable(Exception):
    """Something that has no name which means the same in another process."""


def _key(forms: Iterable[bytes], meanings: list[tuple], level: int, passes: bool) -> str | None:
    """The name under which what is made of forms is kept; `None` if there is none."""
    sources = _sources()
    try:
        texts = [spelled(meaning) for meaning in meanings]
    except _Unspeakable:
        return None
    if sources is None:
        return None
    return Store.key(
        sources, np.__version__, repr((level, passes, host(), cores())), *host_facts(), *forms, "\n".join(texts)
    )


@functools.cache
def _sources() -> str | None:
    """What tells this compiler from others: the names, sizes and times of its files, as Python's own caches have it.

    `None` where there are no files. Reading them would take longer than compiling a small program.
    """
    found = []
    for folder, _, names in os.walk(Path(__file__).parent):
        for name in names:
            if name.endswith((".py", ".ll")):
                status = os.stat(os.path.join(folder, name))
                found.append((name, status.st_size, status.st_mtime_ns))
    if len({time for _, _, time in found}) == 1:  # it says nothing: whoever put them there has set it
        files = sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".ll"))
        return Store.key(*[part for path in files for part in (path.name, path.read_bytes())])
    return Store.key(repr(sorted(found))) if found else None


def spelled(meaning: tuple) -> str:
    """What a number in a form stands for, as text.

    Raises
    ------
    _Unspeakable
        If something in it is known by its identity only.
    """
    head, *rest = meaning
    if head.__class__ is str:  # what comes from outside
        return f"{head}{_spelled(tuple(rest))}"
    function, *settings = head
    name = stands_for(function)
    if name is None:
        raise _Unspeakable
    return f"{name}{_spelled(tuple(settings))}{_spelled(tuple(rest))}"


EXACT = frozenset({int, bool, str, bytes, type(None), EllipsisType, Ref, Spec})
"""Classes whose `repr` tells all."""
OURS = ("numpy", "wengert", "builtins", "operator")


def _spelled(value: Any) -> str:
    cls = value.__class__
    if cls is Spec and value.dtype.kind != "V":
        return f"{value.dtype.str}{value.shape}"
    if cls in EXACT:
        return repr(value)
    if cls is tuple:
        return f"({','.join(map(_spelled, value))})"
    if isinstance(value, np.dtype) and value.kind != "V":
        return value.str
    if isinstance(value, np.ufunc):
        found = stands_for(value)
        if found is not None:
            return found
    if value is type(None) or value is EllipsisType:
        return cls.__name__ + repr(value)
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module and name and module.partition(".")[0] in OURS and getattr(sys.modules.get(module), name, None) is value:
        return f"{module}.{name}"
    raise _Unspeakable
