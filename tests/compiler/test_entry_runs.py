import ctypes
import gc
import os
import subprocess
import sys
import textwrap
import threading
import weakref
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.compiler.entries import FLOAT, ROW, SUM, UNKNOWN, Holder, X, Y, add_kernel, adder, one_result, operands, slow
from threadpoolctl import threadpool_info, threadpool_limits

from wengert.compiler import native, threads
from wengert.compiler.answer import Answer
from wengert.compiler.native import FRESH, OBJECTS, VIEWS, Launch, Result
from wengert.compiler.operands import Array, Number, Operands

# Guards and chains ------------------------------------------------------------------------------------------------


def guarded(kind, expected, **settings):
    """A program that adds two numbers into the block, and has one answer for one sum."""
    launches = [Launch.kernel(add_kernel(), ROW), Launch.guard(2, 0, np.float64(expected))]
    answer = Answer()
    answer.constant(expected)
    settings = {"nargs": 2, "pointers": 3, "slow": slow, "block": (2, 8)} | settings
    return kind(operands(Number(float), Number(float)), [], launches, answer, **settings)


INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(("expected", "good", "bad"), [
    (3.0, [(1.0, 2.0)], [(1.0, 3.0), (1.0, NAN)]),
    (NAN, [(1.0, NAN), (INF, -INF)], [(1.0, 2.0), (1.0, INF), (1.0, -INF)]),
    (INF, [(1.0, INF)], [(1.0, NAN), (1.0, -INF)]),
    (0.0, [(1.0, -1.0), (0.0, -0.0)], [(-0.0, -0.0)]),
])  # fmt: skip
def test_guards(kind, expected, good, bad):
    f = guarded(kind, expected).function
    for args in good:
        assert f(*args) is expected
    for args in bad:
        assert f(*args) == ("slow", np.add(*args).tobytes(), 2, [])


@pytest.mark.parametrize("dtype", ["?", "b", "h", "i", "q", "B", "H", "I", "Q", "f", "d"])
def test_guards_of_all_dtypes(kind, dtype):
    seen = []

    def put(block, x):
        block[8 : 8 + x.nbytes] = np.frombuffer(x.tobytes(), np.uint8)

    def after():
        seen.append(1)

    launches = [Launch.python(put, [(VIEWS, 0), (OBJECTS, 0)]), Launch.guard(1, 8, np.ones((), dtype)[()])]
    launches.append(Launch.python(after, []))
    answer = Answer()
    answer.constant("fits")
    settings = {"nargs": 1, "pointers": 2, "slow": slow, "block": (1, 16), "views": lambda memory, _: [memory[1]]}
    f = kind(operands(Array((), np.dtype(dtype))), [], launches, answer, **settings).function
    assert f(np.array(1, dtype)) == "fits"
    assert len(seen) == 1
    zero = np.array(0, dtype)
    assert f(zero) == ("slow", bytes(8) + zero.tobytes(), 1, [])
    assert len(seen) == 1


def test_a_chain_of_programs(kind):
    chain = [adder((n,), kind) for n in range(1, 6)]
    for one, other in pairwise(chain):
        one.link(other)
    f = chain[0].function
    for n in range(1, 6):
        assert np.array_equal(f(np.ones(n), np.ones(n)), np.full(n, 2.0))
    assert f(np.ones(6), np.ones(6)) == (*UNKNOWN, 2, [])
    chain[-1].link(chain[0])
    assert f(np.ones(6), np.ones(6)) == (*UNKNOWN, 2, [])
    chain[1].link(None)
    del chain
    gc.collect()
    assert np.array_equal(f(np.ones(2), np.ones(2)), np.full(2, 2.0))
    assert f(np.ones(3), np.ones(3)) == (*UNKNOWN, 2, [])


def test_another_program_where_a_guard_reads_otherwise(kind):
    programs = [guarded(kind, float(k)) for k in range(4)]
    for one, other in pairwise(programs):
        one.otherwise(other)
    f = programs[0].function
    for k in range(4):
        assert f(float(k), 0.0) == k
    assert f(4.0, 0.0) == ("slow", np.float64(4).tobytes(), 2, [])
    assert f(4, 0.0) == (*UNKNOWN, 2, [])
    programs[3].otherwise(programs[0])
    assert f(4.0, 0.0) == (*UNKNOWN, 2, [])


def test_programs_are_left_out_of_which_the_guards_cannot_read_what_has_been_read(kind):
    begun = []

    def program(name, *expected):
        """Two truth values, of which the second one is known first; then what is expected of the other."""

        def put(block, given):
            begun.append(name)
            block[:2] = given

        put_both = Launch.python(put, [(VIEWS, 0), (OBJECTS, 0)])
        guards = [Launch.equal(1, k, bytes([expected[k]])) for k in (1, 0)]
        answer = Answer()
        answer.constant(name)
        return kind(
            operands(Array((2,), np.dtype(np.uint8))), [], [put_both, guards[0], put_both, guards[1]], answer, nargs=1,
            pointers=2, slow=slow, block=(1, 16), views=lambda memory, _: [memory[1]],
            expected=np.array(expected, np.uint8),
        )  # fmt: skip

    programs = [program("ab", 1, 1), program("a", 1, 0), program("b", 0, 1), program("none", 0, 0)]
    for one, other in pairwise(programs):
        one.otherwise(other)
    cases = (([1, 1], ["ab"]), ([1, 0], ["ab", "a"]), ([0, 1], ["ab", "b"]), ([0, 0], ["ab", "a", "b", "none"]))
    for given, tried in cases:  # "a" and "b" part at their first value, and what comes behind it may mean another thing
        begun.clear()
        assert programs[0].function(np.array(given, np.uint8)) == tried[-1]
        assert list(dict.fromkeys(begun)) == tried
    programs[3].otherwise(programs[1])  # nobody goes round for ever
    assert programs[0].function(np.array([1, 2], np.uint8))[0] == "slow"


# Calls of Python code ---------------------------------------------------------------------------------------------


def test_calls_between_kernels(kind):
    seen = []

    def double(views, x, z):
        seen.append(x)
        z *= 2
        views["calls"] = views.get("calls", 0) + 1

    launches = [
        Launch.kernel(add_kernel(), ROW, 3),
        Launch.python(double, [(VIEWS, 0), (OBJECTS, 0), (FRESH, 0)]),
    ]
    for release in (False, True):
        f = adder(kind=kind, launches=launches, views=lambda memory, scalars: [{}], release=release).function
        assert np.array_equal(f(X, Y), 2 * SUM)
        assert seen.pop() is X


def test_exceptions_of_calls(kind):
    def fail(z):
        raise KeyError("from inside")

    for release in (False, True):
        f = adder(kind=kind, launches=[Launch.python(fail, [(FRESH, 0)])], release=release).function
        for _ in range(40):
            with pytest.raises(KeyError, match="from inside"):
                f(X, Y)


def test_a_program_that_calls_itself(kind):
    depth = []

    def again(x, z):
        depth.append(1)
        z[...] = f(x, Y) if len(depth) < 10 else x

    f = adder(kind=kind, launches=[Launch.python(again, [(OBJECTS, 0), (FRESH, 0)])]).function
    assert np.array_equal(f(X, Y), X)
    assert len(depth) == 10


def test_too_many_calls_in_flight_take_the_slow_path():
    depth, outcomes = [], []

    def again(x, z):
        depth.append(1)
        if len(depth) < native.MOST_STATES + 3:
            outcomes.append(f(x, Y))
        z[...] = x

    f = adder(launches=[Launch.python(again, [(OBJECTS, 0), (FRESH, 0)])]).function
    f(X, Y)
    assert len(depth) == native.MOST_STATES
    assert outcomes[0] == (*UNKNOWN, 2, [])
    del depth[:]
    assert np.array_equal(f(X, Y), X)


def test_arena_and_constants(kind):
    seen = []

    def look(memory, scalars):
        seen.append((memory[0].ctypes.data % 64, memory[0].size))
        return [memory[0]]

    def fill(arena):
        arena[:24].view(FLOAT)[:] = [1.0, 2.0, 3.0]

    launches = [Launch.python(fill, [(VIEWS, 0)]), Launch.kernel(add_kernel(), ROW, 3)]
    settings = {"nargs": 0, "pointers": 3, "slow": slow, "arena": (0, 100), "constants": {1: Y}, "views": look}
    f = kind(Operands(), [Result((3,), FLOAT, 2)], launches, one_result(), **settings).function
    assert np.array_equal(f(), Y + np.array([1, 2, 3]))
    assert seen == [(0, 100)]


# Answers ----------------------------------------------------------------------------------------------------------


def test_answers_in_containers(kind):
    answer = Answer()
    answer.result(0)
    answer.constant(None)
    answer.result(0)
    answer.list(2)
    answer.constant("text")
    answer.dictionary(["a", "b"])
    answer.tuple(2)
    f = adder(kind=kind, answer=answer).function
    first, second = f(X, Y)
    assert np.array_equal(first, SUM)
    assert list(second) == ["a", "b"]
    assert second["a"][0] is None
    assert second["a"][1] is first
    assert second["b"] == "text"


def test_answers_in_boxes_and_calls(kind):
    answer = one_result()
    answer.boxed(Holder, "value", {"other": "constant"})
    answer.call(lambda box: (box, 1))
    box, one = adder(kind=kind, answer=answer).function(X, Y)
    assert type(box) is Holder
    assert np.array_equal(box.value, SUM)
    assert (box.other, one) == ("constant", 1)
    watch = weakref.ref(box)
    del box
    assert watch() is None


def test_exceptions_while_an_answer_is_built(kind):
    def fail(part):
        raise OSError("no")

    answer = one_result()
    answer.result(0)
    answer.call(fail)
    answer.tuple(2)
    f = adder(kind=kind, answer=answer).function
    for _ in range(40):
        with pytest.raises(OSError, match="no"):
            f(X, Y)
    answer = one_result()
    answer.constant(1)
    answer.dictionary([[], "b"])
    answer.steps.insert(0, answer.steps[0])
    answer.steps.append((2, None, 2, None))
    with pytest.raises(TypeError):
        adder(kind=kind, answer=answer).function(X, Y)


def test_answers_must_be_whole():
    answer = Answer()
    with pytest.raises(ValueError, match="there are 0"):
        adder(answer=answer)
    with pytest.raises(ValueError, match="needed"):
        answer.tuple(1)
    answer.result(0)
    answer.result(0)
    answer.store(0, Holder, "value")
    with pytest.raises(ValueError, match="store"):
        answer.result(0)


def test_nothing_leaks():
    objects = [X, Y, object()]
    answer = one_result()
    answer.constant(objects[2])
    answer.tuple(2)
    f = adder(answer=answer).function
    before = [sys.getrefcount(x) for x in objects]
    for _ in range(1000):
        f(X, Y)
        f(X[::-1], Y)
        f(X, 1)
        f(X)
    assert [sys.getrefcount(x) for x in objects] == before
    watch = weakref.ref(adder().record)
    gc.collect()
    assert watch() is None


# Threads and processes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grain", [0, 64])
def test_calls_at_the_same_time(kind, grain):
    n = 5000
    f = adder((n,), kind, grain=grain, release=True).function
    wrong = []

    def work(k):
        x, y = np.full(n, float(k)), np.arange(float(n))
        wrong.extend(k for _ in range(60) if not np.array_equal(f(x, y), x + y))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_a_lock_is_held_while_a_program_runs_and_never_while_something_else_is_called(kind):
    lock = threading.RLock()
    held = []

    def is_held():
        other = threading.Thread(target=lambda: held.append(not lock.acquire(blocking=False) or lock.release()))
        other.start()
        other.join()
        return held.pop()

    def slowly(read, *args):
        assert not is_held()
        return "slow"

    def seen(x):
        assert is_held()
        if x[0] < 0:
            raise ValueError("it is negative")

    add = Launch.kernel(add_kernel(), ROW, 3)
    launches = [Launch.python(seen, [(native.OBJECTS, 0)]), add]
    f = adder(kind=kind, launches=launches, lock=lock, slow=slowly).function
    for _ in range(3):
        assert np.array_equal(f(X, Y), SUM)
        assert not is_held()
        assert f(X[:2], Y) == f(X, None) == "slow"
        with pytest.raises(ValueError, match="it is negative"):
            f(X - 1, Y)
        assert not is_held()
    assert adder(kind=kind, launches=launches, lock=lock, slow=slowly, forgive=True).function(X - 1, Y) == "slow"


@pytest.mark.parametrize(("n", "grain"), [(1, 1), (100, 1), (1000, 7), (1000, 999), (1000, 1000), (100_000, 4096)])
def test_shared_loops_cover_everything_once(n, grain):
    f = adder((n,), grain=grain).function
    x, y = np.random.default_rng(n).standard_normal((2, n))
    for _ in range(20):
        assert np.array_equal(f(x, y), x + y)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_of_a_process_with_helpers():
    f = adder((1000,), grain=10).function
    x = np.arange(1000.0)
    assert np.array_equal(f(x, x), 2 * x)
    child = os.fork()
    if not child:
        good = np.array_equal(f(x, x), 2 * x) and np.array_equal(adder((1000,), grain=10).function(x, x), 2 * x)
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert np.array_equal(f(x, x), 2 * x)


def test_helpers_are_allowed_while_blas_has_one_thread():
    native.start_helpers()
    allowed = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(native.runtime().address("helpers_allowed"))
    pool = threads.pool().ctypes.data
    seen = []
    launches = [Launch.python(lambda _: seen.append(allowed(pool)), [(FRESH, 0)], one_blas_thread=True)]
    adder(launches=launches).function(X, Y)
    assert seen == [allowed(pool)]
    with threadpool_limits(1):
        assert allowed(pool) == 0
        adder(launches=launches).function(X, Y)
    assert seen[1] == 0


def test_one_blas_thread_where_asked_for():
    seen = []

    def look(z):
        seen.append([lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"])
        z[...] = 0

    before = [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
    launches = [
        Launch.python(look, [(FRESH, 0)], one_blas_thread=True),
        Launch.python(look, [(FRESH, 0)]),
        Launch.kernel(add_kernel(), ROW, 3, blas_threads=1),
        Launch.kernel(add_kernel(), ROW, 3, blas_threads=2),
        Launch.kernel(add_kernel(), ROW, 3, blas_threads=1),
    ]
    f = adder(launches=launches).function
    assert np.array_equal(f(X, Y), SUM)
    assert seen == [[1] * len(before), before]
    assert [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"] == before


# Anything at all --------------------------------------------------------------------------------------------------

FUZZ = """
import faulthandler, random, sys
faulthandler.enable()
import numpy as np
from tests.compiler.entries import FLOAT, add_kernel, adder, operands, slow
from tests.compiler.test_entry import BAD, X, Y, Liar, Sub, misaligned, nested, read_only
from wengert.compiler.operands import Array, Number

random.seed(5)
entries = [adder(), adder((2, 3)), adder(given=nested(), nargs=1)]
entries += [adder((), given=operands(Number(float), Number(float)))]
entries += [adder(given=operands(Array((3,), FLOAT, written=True), Array((3,), FLOAT))), adder(names=["y"])]
for one, other in zip(entries, entries[1:]):
    one.link(other)
functions = [e.function for e in entries]
good = [X, Y, 1.5, X[::-1], misaligned(X), read_only(X), np.zeros((2, 3)), np.zeros((3, 2)).T, np.zeros((0, 3))]
values = [*BAD, *good * 3, {"pair": (X, None), "parts": [Y]}, {"pair": (X, 3), "parts": []}, [[]], ((),)]
answers = 0
for _ in range(30000):
    f = random.choice(functions)
    args = random.choices(values, k=random.choice([0, 1, 2, 2, 2, 2, 3, 9]))
    kwargs = {"y": random.choice(values)} if random.random() < 0.1 else {}
    result = f(*args, **kwargs)
    answers += result.__class__ is not tuple
assert answers > 150, answers
print("survived")
"""


@pytest.mark.parametrize("allocator", ["debug", "malloc"])
def test_random_arguments_in_a_process_of_their_own(allocator):
    settings = dict(os.environ, PYTHONMALLOC=allocator, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    run = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FUZZ)]
    root = Path(__file__).parents[2]
    done = subprocess.run(run, env=settings, cwd=root, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "survived" in done.stdout
