"""The code of the functions that primitives are turned into, kept on the disk like machine code.

Python takes a quarter of a millisecond for the text of one (`wengert.generate`), and a first gradient needs twenty or
more. All that has been needed lies in one file, by the hash of each text; it is written after a recording that needed
another.
"""

import functools
import hashlib
import importlib.util
import marshal
import sys
from types import CodeType
from typing import Any

from wengert import generate
from wengert.compiler.cache import Store, current_store

__all__ = ["GeneratedCode", "generated_code"]

MOST = 2000
"""Texts that are kept; beyond it only those of the present process."""


class GeneratedCode:
    """Code by its text, from a store where it is there.

    Parameters
    ----------
    store : Store
        Where it is kept.
    """

    def __init__(self, store: Store):
        self.store = store
        version = sys.version, repr((sys.flags.optimize, marshal.version))
        self.key = Store.key("generated functions", importlib.util.MAGIC_NUMBER, *version)
        self.known: dict[bytes, bytes] | None = None
        """What the file holds, once it has been read: marshalled code by the hash of the text."""
        self.used: dict[bytes, bytes] = {}
        self.grown = False

    def __call__(self, text: str) -> CodeType:
        """The code of a text."""
        if self.known is None:
            self.known = self._kept()
        name = hashlib.sha256(text.encode()).digest()
        data = self.known.get(name, b"")
        code = _loaded(data)
        if not isinstance(code, CodeType):
            code, self.grown = generate.compiled(text), True
            data = marshal.dumps(code)
        if len(self.used) < MOST:
            self.used[name] = data
        return code

    def keep(self) -> None:
        """Write what has been added, beside what other processes have added meanwhile."""
        if not self.grown:
            return
        self.grown = False
        known = self._kept() | self.used
        self.known = known if len(known) <= MOST else dict(self.used)
        self.store.keep(self.key, marshal.dumps(self.known))

    def _kept(self) -> dict[bytes, bytes]:
        found = _loaded(self.store.load(self.key) or b"")
        return found if isinstance(found, dict) else {}


def _loaded(data: bytes) -> Any:
    """What marshalled bytes stand for; `None` where they cannot be read."""
    try:
        return marshal.loads(data)
    except (EOFError, ValueError, TypeError):
        return None


@functools.cache
def generated_code() -> GeneratedCode | None:
    """That of this process, which generated functions take their code from; `None` where nothing is kept."""
    store = current_store()
    if store is None:
        return None
    found = GeneratedCode(store)
    generate.take_code_from(found)
    return found
