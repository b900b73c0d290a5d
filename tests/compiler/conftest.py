"""What all tests of the compiler share."""

import pytest

from wengert.compiler import path


def _raised(trouble):
    raise trouble


@pytest.fixture(autouse=True)
def compiler_faults_are_seen(monkeypatch):
    """A fault of the compiler itself leaves a program to NumPy, where nobody would notice it."""
    monkeypatch.setattr(path, "_named", _raised)
