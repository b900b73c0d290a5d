"""Modules that a thread of the system compiles while others are written."""

import ctypes
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import threads
from wengert.compiler.ahead import Ahead
from wengert.compiler.assembly import index
from wengert.compiler.code import Code
from wengert.compiler.template import ENOUGH, NAME, Kernels

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.skipif(threads.pthreads() is None, reason="the system has no threads of this kind")


def module(k):
    """A function that gives a number."""
    return f"define i64 @number{k}() {{\n  ret i64 {k}\n}}\n"


def numbers(objects, count):
    code = Code.linked(objects)
    return [ctypes.CFUNCTYPE(ctypes.c_int64)(code.address(f"number{k}"))() for k in range(count)]


def many_loops(x):
    """A program of many kernels, all of them different."""
    total = 0.0
    for k in range(1, 30):
        total = total + np.sum(np.sin(x * k) * np.cumsum(x + k)) / (1 + np.max(x[k:]))
    return total


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_all_modules_are_compiled_whoever_does_it(count):
    ahead = Ahead(0)
    for k in range(count):
        ahead.begin(module(k))
    assert numbers(ahead.finished(module(count)), count + 1) == list(range(count + 1))


def test_the_thread_compiles_what_it_has_the_time_for(monkeypatch):
    ahead = Ahead(0)
    for k in range(3):
        ahead.begin(module(k))
    while not all(job.record[0, index("job.claimed")] for job in ahead._jobs):
        time.sleep(0.001)
    monkeypatch.setattr("wengert.compiler.ahead.object_code", lambda *_: pytest.fail("compiled twice"))
    assert numbers(ahead.finished(), 3) == [0, 1, 2]


def test_without_a_thread_modules_are_compiled_at_the_end(monkeypatch):
    class Library:
        def __getattr__(self, name):
            return getattr(found, name)

        @staticmethod
        def pthread_create(*_):
            return 11

    found = threads.pthreads()
    Ahead.is_possible()
    monkeypatch.setattr(threads, "pthreads", Library)
    ahead = Ahead(0)
    for k in range(3):
        ahead.begin(module(k))
    assert numbers(ahead.finished(), 3) == [0, 1, 2]


def test_a_text_that_llvm_does_not_take_is_an_error_as_ever():
    for wrong in ("define i64 @f( {", "define i64 @number1() {\n  ret i32 1\n}"):
        ahead = Ahead(0)
        ahead.begin(module(0))
        ahead.begin(wrong)
        with pytest.raises(RuntimeError, match="error"):
            ahead.finished()


def test_what_is_begun_and_never_asked_for_is_let_go():
    for _ in range(5):
        ahead = Ahead(0)
        for k in range(6):
            ahead.begin(module(k))
        jobs = ahead._jobs
        del ahead
        gc.collect()
        assert not any(job.record[0, index("job.object")] for job in jobs)


def test_kernels_go_to_a_module_as_soon_as_there_is_enough():
    begun = []
    kernels = Kernels(begin=begun.append)
    line = "  ; a comment\n" * (ENOUGH // 40)
    names = [kernels.name_of(f"define void @{NAME}() {{\n{line}  ret void ; {k}\n}}") for k in range(7)]
    assert names == [f"kernel{k}" for k in range(7)]
    assert kernels.name_of(f"define void @{NAME}() {{\n{line}  ret void ; 3\n}}") == "kernel3"
    last = kernels.module()
    assert len(begun) == 2
    for name in names:
        assert sum(f"@{name}()" in text for text in [*begun, last]) == 1
        assert f"@{name}()" in kernels.text()
    assert kernels.module() == ""


@pytest.mark.parametrize("cores", [1, 2])
def test_a_program_of_many_kernels_gives_the_same_with_and_without(cores):
    script = textwrap.dedent("""
        import numpy as np, wengert as wg
        from tests.compiler.test_ahead import many_loops
        from wengert.compiler.ahead import Ahead
        begun, begin = [], Ahead.begin
        Ahead.begin = lambda self, text: (begun.append(text), begin(self, text))
        fast, x = wg.compile(wg.grad(many_loops)), np.linspace(0, 1, 40)
        first, later = fast(x), fast(x)
        np.testing.assert_allclose(later, wg.grad(many_loops)(x), rtol=1e-12)
        np.testing.assert_allclose(later, first, rtol=1e-12)
        print(len(begun))
    """)
    settings = {"WENGERT_CACHE": "off", "WENGERT_THREADS": str(cores)}
    out = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | settings, capture_output=True, text=True, check=True
    )
    assert (int(out.stdout) > 1) == (cores > 1)


def test_threads_that_compile_at_the_same_time():
    functions = [wg.compile(wg.grad(lambda x, k=k: many_loops(x) * k)) for k in range(4)]
    x = np.linspace(0, 1, 40)
    expected = wg.grad(many_loops)(x)
    found = [None] * 4

    def run(k):
        functions[k](x)
        found[k] = functions[k](x)

    workers = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for k in range(4):
        np.testing.assert_allclose(found[k], expected * k, rtol=1e-12)
