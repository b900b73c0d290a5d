import doctest
import importlib
import pkgutil

import pytest

from wengert import optim

MODULES = ["wengert.optim", *(f"wengert.optim.{module.name}" for module in pkgutil.iter_modules(optim.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_public_names():
    assert all(hasattr(optim, name) for name in optim.__all__)
    listed = " ".join(optim.__doc__.split())
    assert all(name in listed for name in optim.__all__)
