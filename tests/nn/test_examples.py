import doctest
import importlib
import pkgutil

import pytest

from wengert import nn

MODULES = ["wengert.nn", *(f"wengert.nn.{module.name}" for module in pkgutil.iter_modules(nn.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_public_names():
    assert all(hasattr(nn, name) for name in nn.__all__)
    listed = " ".join(nn.__doc__.split())
    assert all(name in listed for name in nn.__all__)
