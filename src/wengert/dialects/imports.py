"""Having a dialect answer to the original's name: ``import mxnet`` gives `wengert.dialects.mxnet`."""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from wengert.errors import ArgumentError

ORIGINALS: dict[str, tuple[str, ...]] = {
    "mxnet": ("mxnet",),
    "torch": ("torch",),
    "djl": ("ai.djl", "djl"),
    "scalar": ("scalar",),
}
"""The dialects, each with the module names that it can answer to."""


class _Alias(Loader):
    """Loads a module of a dialect under another name: the same module object, initialised once."""

    def __init__(self, target: str):
        self.target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.target)
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.own_spec  # the import system has put the alias's there


class _Parent(Loader):
    """Makes the empty package that an alias such as ``ai.djl`` needs above it."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__path__ = []


class _Finder(MetaPathFinder):
    """Finds a dialect's modules under the original's names."""

    def __init__(self, dialect: str):
        self.dialect = dialect
        self.replaced: dict[str, ModuleType] = {}
        """Modules of a real installation that were imported already and gave way."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        for original in ORIGINALS[self.dialect]:
            if name == original or name.startswith(original + "."):
                alias = f"{__package__}.{self.dialect}{name[len(original) :]}"
                return ModuleSpec(name, _Alias(alias), is_package=True) if find_spec(alias) else None
            if original.startswith(name + "."):
                return ModuleSpec(name, _Parent(), is_package=True)
        return None


_installed: dict[str, _Finder] = {}


def install(dialect: str, shadow: bool = False) -> ModuleType:
    """Have a dialect answer to the original's name in this process.

    Parameters
    ----------
    dialect : {"mxnet", "torch", "djl", "scalar"}
        After ``install("mxnet")``, ``import mxnet as mx`` and ``from mxnet import autograd, nd`` give the dialect;
        after ``install("djl")``, ``from ai.djl.ndarray import NDManager`` does.
    shadow : bool
        Take the place of a real installation of the original. What has imported the real one before keeps it.

    Returns
    -------
    module
        The dialect's module.

    Raises
    ------
    ArgumentError
        If there is no such dialect, or if the original itself is installed and `shadow` is not set.

    Examples
    --------
    >>> import wengert as wg
    >>> mxnet = wg.dialects.install("mxnet", shadow=True)
    >>> from mxnet import nd
    >>> print(nd.arange(3).asnumpy())
    [0. 1. 2.]
    >>> wg.dialects.uninstall("mxnet")
    """
    where = real_installation(dialect)
    module = importlib.import_module(f"{__package__}.{dialect}")
    if dialect in _installed:
        return module
    if where and not shadow:
        raise ArgumentError(
            f"[install] a place where {ORIGINALS[dialect][0]} is not installed was required; received one where it is "
            f"({where}); pass shadow=True to have the dialect in its place, or import {module.__name__} itself"
        )
    finder = _Finder(dialect)
    finder.replaced = {name: sys.modules.pop(name) for name in _answered(dialect)}
    sys.meta_path.insert(0, finder)
    _installed[dialect] = finder
    return module


def uninstall(dialect: str) -> None:
    """Take `install` back: the original's name means again what it meant before."""
    finder = _installed.pop(dialect, None)
    if finder is None:
        raise ArgumentError(f"[uninstall] an installed dialect was required; received {dialect!r}; see installed()")
    sys.meta_path.remove(finder)
    for name in _answered(dialect):
        del sys.modules[name]
    sys.modules.update(finder.replaced)


def installed() -> tuple[str, ...]:
    """The dialects that answer to their originals' names."""
    return tuple(_installed)


def real_installation(dialect: str) -> str | None:
    """Where the original that a dialect stands for is really installed, if it is."""
    if dialect not in ORIGINALS:
        raise ArgumentError(f"[install] one of {', '.join(ORIGINALS)} was required; received {dialect!r}")
    for original in ORIGINALS[dialect]:
        top = original.partition(".")[0]
        spec = PathFinder.find_spec(top)
        if spec is not None:
            return spec.origin or str(next(iter(spec.submodule_search_locations or [top])))
        if top in sys.modules and dialect not in _installed:
            return getattr(sys.modules[top], "__file__", None) or f"module {top}"
    return None


def _answered(dialect: str) -> list[str]:
    """The names in ``sys.modules`` that belong to the original."""
    tops = {original.partition(".")[0] for original in ORIGINALS[dialect]}
    return [name for name in sys.modules if name.partition(".")[0] in tops]
