"""Dialects answer to the original's name when asked, and give it back."""

import importlib
import importlib.util
import sys
from types import ModuleType

import pytest

import wengert as wg
from wengert.dialects import imports
from wengert.errors import ArgumentError

DIALECTS = ("mxnet", "torch", "djl")


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = set(sys.modules)
    yield
    for dialect in wg.dialects.installed():
        wg.dialects.uninstall(dialect)
    tops = {"mxnet", "torch", "djl", "ai", "scalar"}
    assert not [name for name in set(sys.modules) - before if name.partition(".")[0] in tops]


@pytest.fixture
def no_originals(monkeypatch):
    """As on a machine where none of the originals is installed."""

    class Nothing:
        find_spec = staticmethod(lambda name: None)

    monkeypatch.setattr(imports, "PathFinder", Nothing)


def test_the_names_mean_the_dialect(no_originals):
    module = wg.dialects.install("mxnet")
    import mxnet as mx
    import mxnet.ndarray as nd
    from mxnet import autograd

    assert mx is module is sys.modules["wengert.dialects.mxnet"]
    assert nd is mx.nd is sys.modules["wengert.dialects.mxnet.ndarray"]
    assert autograd is sys.modules["wengert.dialects.mxnet.autograd"]


def test_the_modules_keep_their_own_names(no_originals):
    wg.dialects.install("torch")
    module = importlib.import_module("torch.autograd")
    assert module.__name__ == module.__spec__.name == "wengert.dialects.torch.autograd"


def test_java_packages(no_originals):
    wg.dialects.install("djl")
    import djl
    from ai.djl.engine import Engine
    from ai.djl.ndarray import NDManager
    from ai.djl.ndarray.types import Shape

    assert (djl.Engine, djl.NDManager, djl.Shape) == (Engine, NDManager, Shape)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_uninstall_takes_it_back(no_originals, dialect):
    top = imports.ORIGINALS[dialect][0]
    wg.dialects.install(dialect)
    assert wg.dialects.installed() == (dialect,)
    importlib.import_module(top)
    wg.dialects.uninstall(dialect)
    assert wg.dialects.installed() == ()
    assert top not in sys.modules
    found = importlib.util.find_spec(top.partition(".")[0])
    assert found is None or "wengert" not in str(found.origin)
    with pytest.raises(ArgumentError, match="installed dialect was required"):
        wg.dialects.uninstall(dialect)


def test_installing_twice_is_once(no_originals):
    assert wg.dialects.install("mxnet") is wg.dialects.install("mxnet")
    wg.dialects.uninstall("mxnet")
    assert wg.dialects.installed() == ()


def test_an_unknown_submodule_is_missing(no_originals):
    wg.dialects.install("mxnet")
    with pytest.raises(ModuleNotFoundError, match=r"mxnet\.nothing"):
        importlib.import_module("mxnet.nothing")


def test_a_real_installation_is_shadowed_only_when_asked(tmp_path, monkeypatch):
    (tmp_path / "mxnet.py").write_text("real = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    real = importlib.import_module("mxnet")
    with pytest.raises(ArgumentError, match=r"\[install\].*mxnet\.py.*shadow=True"):
        wg.dialects.install("mxnet")
    assert importlib.import_module("mxnet") is real
    wg.dialects.install("mxnet", shadow=True)
    assert importlib.import_module("mxnet") is importlib.import_module("wengert.dialects.mxnet")
    wg.dialects.uninstall("mxnet")
    assert importlib.import_module("mxnet") is real
    del sys.modules["mxnet"]


def test_a_module_that_is_only_in_memory_is_real_too(no_originals, monkeypatch):
    monkeypatch.setitem(sys.modules, "mxnet", ModuleType("mxnet"))
    with pytest.raises(ArgumentError, match="shadow=True"):
        wg.dialects.install("mxnet")


def test_no_such_dialect():
    with pytest.raises(ArgumentError, match=r"one of mxnet, torch, djl, scalar was required; received 'keras'"):
        wg.dialects.install("keras")
