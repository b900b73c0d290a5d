"""Kernels that are compiled once more while the program goes on."""

import gc
import os
import time

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert as wg
from wengert.compiler import hot
from wengert.compiler.native import probe

pytestmark = pytest.mark.skipif(not probe(), reason="the native entry needs CPython's layout of objects")
rng = np.random.default_rng(0)


@pytest.fixture
def watched(monkeypatch):
    """The programs that are looked at, by a watcher without a thread, to which everything is worth it."""
    monkeypatch.setattr(hot, "WORTH", 0.0)
    watcher = hot._Watcher()
    watcher.thread = object()
    monkeypatch.setattr(hot, "_watcher", watcher)
    return watcher


def softmax_rows(x, w):
    p = np.exp(x - np.max(x, axis=1, keepdims=True))
    p = p / np.sum(p, axis=1, keepdims=True)
    return np.sum(np.log(p) * w) + np.sum(np.sin(x) / w) + np.sum((x[1:] - x[:-1]) ** 2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(40, 33), (300, 7)])
def test_the_same_bits(watched, shape, dtype):
    x, w = (rng.uniform(1, 2, shape).astype(dtype) for _ in range(2))
    f = wg.compile(wg.value_and_grad(softmax_rows, (0, 1)))
    f(x, w)
    before = f(x, w)
    assert watched.programs
    old = [program.launches.copy() for program in watched.programs]
    assert not any(watched.goes_on(program, 0.1) for program in watched.programs)
    assert any((program.launches != was).any() for program, was in zip(watched.programs, old, strict=True))
    after = f(x, w)
    assert before[0] == after[0]
    for a, b in zip(before[1], after[1], strict=True):
        assert np.array_equal(a, b)


def test_a_program_that_is_gone_is_left_alone(watched):
    f = wg.compile(lambda x: np.sum(np.exp(x)))
    for _ in range(3):
        f(np.ones(100))
    del f
    gc.collect()
    for program in watched.programs:
        assert program.record() is None
        assert not watched.goes_on(program, 0.1)


def test_what_is_cheap_or_was_never_run_is_not_made_anew(watched, monkeypatch):
    monkeypatch.setattr(hot, "WORTH", 2.0)
    f = wg.compile(lambda x: np.sum(np.exp(x)))
    f(np.ones(10)), f(np.ones(10))
    assert all(watched.goes_on(program, 0.1) for program in watched.programs)
    assert not any(watched.goes_on(program, hot.PATIENCE) for program in watched.programs)


def test_no_more_than_some_programs_are_looked_at(watched, monkeypatch):
    monkeypatch.setattr(hot, "MOST_PROGRAMS", 3)
    functions = [wg.compile(lambda x, k=k: np.exp(x) * k) for k in range(5)]
    for f in functions:
        f(np.ones(9)), f(np.ones(9))
    assert len(watched.programs) == 3


def test_the_thread_does_it_and_ends(monkeypatch):
    monkeypatch.setattr(hot, "WORTH", 0.0)
    monkeypatch.setattr(hot, "FIRST", 0.001)
    watcher = hot._Watcher()
    monkeypatch.setattr(hot, "_watcher", watcher)
    f, x = wg.compile(lambda x: np.cumsum(np.exp(x) * x)), np.linspace(0, 1, 1000)
    f(x)
    before = f(x)
    until = time.monotonic() + 120
    while watcher.thread is not None and time.monotonic() < until:
        assert np.array_equal(f(x), before)
    assert watcher.thread is None and not watcher.programs
    watcher.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_meanwhile(monkeypatch):
    monkeypatch.setattr(hot, "WORTH", 0.0)
    f, x = wg.compile(lambda x: np.sum(np.exp(x) * x)), np.linspace(0, 1, 1000)
    f(x)
    expected = f(x)
    for _ in range(3):
        child = os.fork()
        if not child:
            g = wg.compile(lambda x: np.sum(np.exp(x) * x) + 1)
            g(x)
            os._exit(0 if f(x) == expected and g(x) == expected + 1 else 1)
        assert os.waitpid(child, 0)[1] == 0


def test_it_can_be_turned_off(watched, monkeypatch):
    monkeypatch.setenv("WENGERT_REBUILD", "off")
    f = wg.compile(lambda x: np.sum(np.exp(x)))
    f(np.ones(10)), f(np.ones(10))
    assert not watched.programs


def test_what_all_programs_share_made_anew(watched, monkeypatch):
    from wengert.compiler import native

    monkeypatch.setattr(hot, "MANY_RUNS", 3)
    fast = wg.compile(softmax_rows)
    x, w = rng.normal(size=(40, 30)), rng.normal(size=30)
    before = [np.array(fast(x, w)) for _ in range(8)][-1]
    for program in watched.programs:
        program.due()
    assert native._definition().function == native.hasten().address("entry")
    assert np.array_equal(fast(x, w), before)
    with pytest.raises(ValueError, match="broadcast"):
        fast(x, w[:3])
