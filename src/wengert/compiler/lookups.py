"""What the code of functions looks up by name: variables around it, and those of modules, also of imported ones."""

import builtins
import sys
from importlib.util import resolve_name
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from wengert.compiler.codenames import (
    Uses,
    asks_for_classes,
    asks_for_history,
    asks_for_identity,
    goes_in_order,
    is_elsewhere,
    looks_elsewhere,
    makes_attributes,
    names_of,
    only_called,
    uses_of,
    waits_for_attributes,
)
from wengert.compiler.places import Cell, Contents, Item, Place, Shown
from wengert.compiler.whose import is_library, is_ours

__all__ = ["Lookups"]

MAKING = {"__init__", "__new__", "__post_init__", "__init_subclass__"}
"""Methods that are called where objects are made of a class that code names."""
ELSEWHERE = "which tells what nobody looks at"
SHOWING = {"__repr__", "__str__", "__del__"}
"""Those that are called where objects are shown, or gone, which no program does."""


class Lookups:
    """The part of a search that goes by the names in code.

    Parameters
    ----------
    search
        What looks into what is found.
    """

    def __init__(self, search: Any):
        self.search, self.found = search, search.found
        self.modules: set[tuple[int, frozenset[str], bool]] = set()
        self.names: frozenset[str] = frozenset()
        """What the code around looks up by name."""
        self.uses = Uses()
        """What it does with these names."""
        self.inside: FunctionType | None = None
        """The user's function whose code it is."""
        self.shadowing: set[tuple] = set()
        """The variables of modules that would go before Python's own, were they there."""
        self.of_functions: list[dict] = []
        """The attributes of functions, which hardly any function gets later than others look at it."""
        self.makes_attributes = False
        """Whether some code sets attributes, or asks which there are."""
        self.goes_in_order = False
        """Whether some code may go by the order of attributes."""
        self.roots: list[Any] = []
        """What is called by itself: functions that were asked for, and those of methods that something holds."""
        self.seen: list[tuple[FunctionType, frozenset[str]]] = []
        """The user's functions, with the names that they look up."""
        self.comparing: list[FunctionType] = []
        """Those that ask for the addresses of objects."""
        self.beyond: list[tuple[FunctionType, str]] = []
        """Those for which no program can be made, and why."""

    def end(self) -> None:
        """Note what may be set as an attribute of a function, and refuse functions that may be called."""
        if self.comparing and self.found.holds_addresses():
            self.beyond += [(function, "compares what `id` gives with what is kept") for function in self.comparing]
        called = self.called() if self.beyond else set()
        for function, why in self.beyond:
            if function in called:
                self.search.refuse(f"{function.__name__} {why}")
        if self.makes_attributes:
            self.found.contents += [Contents(attributes, in_order=False) for attributes in self.of_functions]
        if self.goes_in_order:
            self.found.keep_order(self.search.named_in)

    def called(self) -> set[FunctionType]:
        """The functions that may be called: methods are by code that is called itself, and names them."""
        found: set[FunctionType] = set()
        asked: set[str] = set()
        while new := [
            (f, names)
            for f, names in self.seen
            if f not in found and (any(f is root for root in self.roots) or _is_called(f, asked))
        ]:
            found.update(function for function, _ in new)
            asked = asked.union(*[names for _, names in new])
        return found

    def function(self, value: FunctionType, depth: int) -> None:
        """Look at what a function's code may look up."""
        before = self.names, self.uses, self.inside, self.search.closed
        # Where it was written: `functools.wraps` changes `__module__`.
        module = value.__globals__.get("__name__") or "__main__"
        is_of_user = not (is_library(module) or is_ours(module))
        self.search.closed = False
        self.inside = value if is_of_user else None
        self.names, self.uses = names_of(value.__code__), uses_of(value.__code__) if is_of_user else Uses()
        self.held(value, depth)
        if is_of_user:
            self.code(value, depth)
        self.names, self.uses, self.inside, self.search.closed = before

    def held(self, value: FunctionType, depth: int) -> None:
        """Look at what a function holds: variables of those around, values that arguments have by themselves."""
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            self.variable(Cell(cell, name), name, depth)
        for default in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
            self.search.look(default, depth, value.__name__)
        if "registry" in value.__dict__:  # `functools.singledispatch` asks for classes
            self.found.asks_for_classes = self.found.asks_otherwise = True
        self.search.items(value.__dict__, depth, value.__name__)

    def code(self, value: FunctionType, depth: int) -> None:
        """Look at what the code of a user's function looks up."""
        names = self.names
        self.of_functions.append(value.__dict__)
        self.makes_attributes |= makes_attributes(names)
        self.goes_in_order |= goes_in_order(names)
        self.found.asks_for_classes |= asks_for_classes(names)
        self.found.asks_otherwise |= asks_for_classes(names - {"isinstance"}) or "isinstance" in self.uses.asked
        self.found.asks_otherwise |= "isinstance" in names and not only_called(value.__code__, "isinstance")
        self.found.asks_for_identity |= asks_for_identity(names, self.uses)
        self.found.asks_for_history |= asks_for_history(names, self.uses, value.__globals__)
        self.seen.append((value, names))
        self.found.codes.append((value.__globals__, value.__code__))
        if "FloatingPointError" in names:
            self.beyond.append((value, "waits for NumPy to raise FloatingPointError"))
        if beyond := looks_elsewhere(names, self.uses.variables, value.__globals__):
            self.beyond.append((value, f"uses {beyond}, {ELSEWHERE}"))
        if "id" in self.uses.variables - value.__globals__.keys():
            self.comparing.append(value)
        function: Any = value
        of_python = function.__builtins__
        if of_python and of_python is not vars(builtins):  # the functions of named tuples have none
            self.beyond.append((value, "has functions of its own in the place of Python's"))
        for name in sorted(self.uses.variables):
            place = Item(value.__globals__, name, name)
            if name in value.__globals__:
                self.variable(place, name, depth)
            else:
                self.of_python(place, depth)
        self.imported(value.__globals__, depth)

    def of_python(self, place: Item, depth: int) -> None:
        """A variable that a module does not have: one of Python's own, or none yet."""
        known = place.identity
        if known not in self.shadowing:
            self.shadowing.add(known)
            self.search.absent(place)
        found = vars(builtins).get(place.key)
        if found is not None and not isinstance(found, (BuiltinFunctionType, type)):
            self.search.enter(Item(vars(builtins), place.key, place.name), depth)

    def imported(self, variables: dict, depth: int) -> None:
        """The modules that the code around imports, which may be new then."""
        package = variables.get("__package__") or ""
        for dots, given, stored in self.uses.imports:
            name = resolve_name("." * dots + given, package) if dots and package else given
            if isinstance(sys.modules.get(name), ModuleType):
                used = self.uses.values & {stored, given.rpartition(".")[2]}
                self.module(sys.modules[name], depth, is_whole=bool(used))
            elif not (is_library(name) or is_ours(name)):
                self.search.absent(Shown(sys.modules, name, name))

    def module(self, value: ModuleType, depth: int, is_whole: bool) -> None:
        """The variables of a module of the user's that the code around may look up, in modules inside it, too.

        Of one that is passed on, or held by an object, these are all.
        """
        known = id(value), self.names, is_whole
        if depth < 0 or known in self.modules or is_library(value.__name__) or is_ours(value.__name__):
            return
        self.modules.add(known)
        variables, names = vars(value), {*self.names, "__getattr__"}
        if is_whole or not names.isdisjoint(("__dict__", "AttributeError")):
            self.search.attributes_in(Contents(variables, in_order=False))
            names |= {name for name in variables if name[:2] != "__"}
        for name in sorted(names & variables.keys()):
            self.variable(Item(variables, name, f"{value.__name__}.{name}"), name, depth)
        missing = self.uses.stored | (self.uses.asked if waits_for_attributes(self.names) else set())
        for name in sorted(missing - variables.keys()):
            self.search.absent(Item(variables, name, f"{value.__name__}.{name}"))
        if type(value) is not ModuleType:
            self.search.family(type(value), depth)

    def variable(self, place: Place, name: str, depth: int) -> None:
        """Look at what code has by a name; of a module it may use no more than some attributes."""
        value = place.get()
        if type(value) is ModuleType:
            self.found.entries.append((place, value))
            self.module(value, depth - 1, is_whole=name in self.uses.values)
        elif value is id and self.inside is not None:
            self.found.entries.append((place, value))
            self.comparing.append(self.inside)
        elif is_elsewhere(value) and self.inside is not None:
            self.found.entries.append((place, value))
            self.beyond.append((self.inside, f"uses {place}, {ELSEWHERE}"))
        else:
            self.search.enter(place, depth)


def _is_called(function: FunctionType, asked: set[str]) -> bool:
    """Whether code that looks up some names may call a function: a method only by its name, or as an operator."""
    name, around = function.__name__, function.__qualname__.rpartition(".")[0]
    if not around or around.endswith("<locals>") or "<" in name or "getattr" in asked:
        return True
    if name in MAKING:
        return around.rpartition(".")[2] in asked or "replace" in asked
    return name not in SHOWING and (name[:2] == "__" or name in asked)
