"""What the code of a function looks up by name, and what its names tell."""

from dis import get_instructions
from functools import lru_cache
from opcode import opmap
from types import CodeType

__all__ = ["asks_for_classes", "makes_attributes", "names_of", "variables_of"]

ABOUT_CLASSES = {"isinstance", "issubclass", "hasattr", "getattr", "type", "isscalar", "__class__", "AttributeError"}
ABOUT_ATTRIBUTES = {"setattr", "getattr", "hasattr", "vars", "__dict__", "AttributeError"}
STORE_ATTR = opmap["STORE_ATTR"]
MATCH_CLASS = opmap.get("MATCH_CLASS", -1)
"""The instruction of ``case float():``, which asks for a class without a name for that."""


def asks_for_classes(names: frozenset[str]) -> bool:
    """Whether code with these names may go another way for traces than for arrays and numbers."""
    return not names.isdisjoint(ABOUT_CLASSES)


def makes_attributes(names: frozenset[str]) -> bool:
    """Whether code with these names sets attributes, or asks which there are."""
    return not names.isdisjoint(ABOUT_ATTRIBUTES)


def names_of(code: CodeType) -> frozenset[str]:
    """The names that a function's code, and that of the functions inside it, looks up."""
    names = frozenset(code.co_names)
    if MATCH_CLASS in code.co_code[::2]:
        names |= {"isinstance"}
    if STORE_ATTR in code.co_code[::2]:
        names |= {"setattr"}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= names_of(constant)
    return names


@lru_cache(4096)
def variables_of(code: CodeType) -> frozenset[str]:
    """The names that are variables of the module, and no attributes."""
    found = {line.argval for line in get_instructions(code) if line.opname in ("LOAD_GLOBAL", "STORE_GLOBAL")}
    inner = [variables_of(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return frozenset(found.union(*inner))
