"""What all tests of the compiler share."""

import pytest

from wengert.compiler import path


def _raised(trouble):
    raise trouble


@pytest.fixture(autouse=True)
def compiler_faults_are_seen(monkeypatch):
    """A fault of the compiler itself leaves a program to NumPy, where nobody would notice it."""
    monkeypatch.setattr(path, "_named", _raised)


@pytest.fixture(autouse=True)
def stages_are_verified(monkeypatch):
    """Each stage's work is looked at before the next one takes it."""
    monkeypatch.setenv("WENGERT_VERIFY", "on")


@pytest.fixture(params=["Entry", "PlainEntry"])
def kind(request):
    """Either kind of entry: native, and in Python."""
    from wengert.compiler import native, plain

    return getattr(native if request.param == "Entry" else plain, request.param)


@pytest.fixture
def recorded(monkeypatch):
    """A list with an item for each recording of a compiled function."""
    from wengert.compiler.api import Compiled

    found, record = [], Compiled._record
    monkeypatch.setattr(Compiled, "_record", lambda *given: found.append(1) or record(*given))
    return found
