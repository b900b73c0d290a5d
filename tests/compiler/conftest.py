"""What all tests of the compiler share."""

import numpy as np
import pytest

from wengert.compiler import path, worth
from wengert.compiler.nested import found_in
from wengert.compiler.program import Program
from wengert.compiler.trace import _contents


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


@pytest.fixture(autouse=True)
def time_decides_nothing(request, monkeypatch):
    """A function is left alone for what its calls take, which is no matter of a test on a busy machine."""
    if not request.module.__name__.endswith("test_for_long"):
        monkeypatch.setattr(worth.Account, "exceeds", lambda *_: False)
        monkeypatch.setattr(worth.Trial, "is_over", True)
        monkeypatch.setattr(worth.Trial, "is_lost", False)


@pytest.fixture(autouse=True)
def constants_are_no_values(monkeypatch):
    """What a program computes is never written down as a number of the first call's, which later calls would get."""
    made, frozen, new, constant = {}, [], Program.new, Program.constant

    def check(program, value):
        found, index = made.get(id(value), (None, None))
        is_read = any(guard.node.index == index and guard.reader is _contents for guard in program.guards)
        if found is value and not is_read:
            frozen.append(index)

    def watched_new(program, operation, operands, result):
        for setting in found_in((operation.args, operation.kwargs), type(result)):
            check(program, setting)
        node = new(program, operation, operands, result)
        if isinstance(result, (np.ndarray, np.inexact)):
            made[id(result)] = result, node.index
        return node

    monkeypatch.setattr(Program, "new", watched_new)
    monkeypatch.setattr(Program, "constant", lambda program, value: check(program, value) or constant(program, value))
    yield
    assert not frozen


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
