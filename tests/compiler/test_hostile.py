"""Calls that nobody makes on purpose: each gives what the function itself gives, or raises what it raises."""

import gc
import opcode
import random
import signal
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from tests.compiler.arrays import misaligned, read_only

import wengert as wg
from wengert.compiler.found import Found
from wengert.compiler.kinds import Kinds
from wengert.compiler.locks import RECORDING
from wengert.compiler.trace import recording
from wengert.errors import CompileWarning
from wengert.passes import DEPOSITING

X, Y = np.arange(6.0).reshape(2, 3) + 0.5, np.ones(3)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::wengert.errors.CompileWarning")


def tried(function, *args):
    try:
        return function(*args)
    except Exception as error:
        return error


def assert_like(found, expected):
    """The same class, dtype, shape and values, or exceptions of the same class."""
    assert type(found) is type(expected), (found, expected)
    if isinstance(expected, Exception):
        return
    x, y = (np.asarray(v.numpy() if isinstance(v, wg.Tensor) else v) for v in (found, expected))
    assert (x.shape, x.dtype) == (y.shape, y.dtype)
    if y.dtype.kind in "fc":
        np.testing.assert_allclose(x, y, 1e-12 if y.dtype.char in "dD" else 1e-3)
    else:
        assert np.array_equal(x, y)


# Arguments --------------------------------------------------------------------------------------------------------


class Sub(np.ndarray):
    pass


class Real(float):
    pass


class Liar:
    """Says that it is an array."""

    __class__ = np.ndarray
    shape, dtype, ndim, size = (2, 3), np.dtype(float), 2, 6
    __array_interface__ = X.__array_interface__


class Convertible:
    def __array__(self, dtype=None, copy=None):
        return X.copy()


class Broken:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("not now")


def inside_a_record(array):
    records = np.zeros(array.shape, [("flag", "i1"), ("value", array.dtype)])
    records["value"] = array
    return records["value"]


AWKWARD = [
    X, np.asfortranarray(X), X[::-1, ::-1], np.broadcast_to(2.0, (2, 3)), misaligned(X), read_only(X), X.astype(">f8"),
    inside_a_record(X), np.lib.stride_tricks.as_strided(np.arange(4.0), (2, 3), (8, 8)),
    X.astype("f4"), X.astype("f2"), X.astype("g"), X.astype(int), X.astype("u1"), X > 1, X.astype(complex),
    X.astype(object), X.view(Sub), np.ma.masked_array(X, X > 1), X.view(np.matrix), Liar(), Convertible(), Broken(),
    np.zeros((0, 3)), np.zeros((2, 0)), np.zeros(()), np.full((2, 3), 5e-324), np.full((2, 3), np.nan),
    np.float64(2), np.float32(2), np.float16(2), np.longdouble(2), np.int8(2), np.complex64(1j), np.datetime64("2020"),
    2, 2.0, True, None, "a", b"a", Real(2), 1j, 10**30, -(2**63), float("nan"), [1.0, 2.0, 3.0], (1.0, 2.0, 3.0),
    {"a": 1.0}, range(3), object(), np.sin, len, np.zeros((2, 3), "M8[s]"), np.zeros((2, 3), "m8[s]"),
    np.zeros((2, 3), "S3"), np.array([["a"] * 3] * 2), np.zeros((2, 3), "f8,f8"), np.recarray((2, 3), float),
]  # fmt: skip


def scaled(x, y):
    return np.sin(x) * y + np.sum(x)


def multiplied(x, y):
    return x @ y if np.ndim(x) == 2 and np.ndim(y) == 1 else x * y


def assigned(x, y):
    x = x + 0
    x[0] = y
    return x


@pytest.mark.parametrize("function", [scaled, multiplied, assigned])
def test_arguments_of_all_kinds(function):
    fast = wg.compile(function)
    for _ in range(3):
        fast(X, Y)
    for awkward in (*AWKWARD, *AWKWARD):
        for args in ((awkward, Y), (X, awkward), (awkward, awkward)):
            assert_like(tried(fast, *args), tried(function, *args))
    assert_like(fast(X, Y), function(X, Y))


@pytest.mark.parametrize("argument", [x for x in AWKWARD if type(x) is np.ndarray and x.dtype.kind in "biufc"])
def test_arguments_that_are_written(argument):
    def function(x):
        x[:1] += 1
        return x * 2

    fast = wg.compile(function)
    for _ in range(4):
        mine, theirs = (argument.copy() if argument.flags.writeable else argument for _ in range(2))
        assert_like(tried(fast, theirs), tried(function, mine))
        assert_like(theirs, mine)


def test_a_list_that_is_emptied_while_its_items_are_looked_at():
    class Key:
        def __hash__(self):
            return hash("other")

        def __eq__(self, other):
            outer.clear()
            return True

    def function(p):
        return p[0]["a"] * p[0]["other"] + p[1] * p[2]

    def drawn():
        return [{"a": Y.copy(), "other": Y.copy()}, Y.copy(), Y.copy()]

    fast = wg.compile(function)
    for _ in range(5):
        fast(drawn())
    for _ in range(20):
        first, *others = drawn()
        outer = [{"a": first["a"], Key(): first["other"]}, *others]
        found = tried(fast, outer)  # what was given may have been taken out before it is emptied
        assert isinstance(found, IndexError) or np.array_equal(found, 2 * Y)
    assert_like(fast(drawn()), 2 * Y)


def test_results_whose_keys_have_no_order():
    fast = wg.compile(lambda x: {"a": x, 3: 2 * x, None: 1})
    for _ in range(4):
        assert list(fast(Y)) == ["a", 3, None]


@pytest.mark.parametrize("x", [np.complex128(1 + 2j), np.complex64(1j), np.float32(2), np.int8(3), np.True_, 2.5, X])
def test_arguments_that_are_results(x):
    fast = wg.compile(lambda x: (x, [x], np.positive(x) if type(x) is not np.bool_ else x))
    for _ in range(4):
        first, (second,), third = fast(x)
        assert_like(first, x)
        assert_like(second, x)
        assert np.array_equal(third, x)


def test_comparisons_of_what_is_recorded_with_what_is_not():
    def function(x):
        y = x / np.signbit(x)
        return np.sum(y * np.logical_or(np.signbit(x), np.outer(y, x)))

    gradient = wg.value_and_grad(function)
    fast = wg.compile(gradient)
    for x in (-1.5, -1.5, 2.0, -2.5):
        for found, expected in zip(fast(x), gradient(x), strict=True):
            assert_like(found, np.asarray(expected)[()])


# What a program decides by ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: x if np.array_equal(x > 0, y > 0) else y,
        lambda x, y: x if np.allclose(x, y, atol=2) else y,
        lambda x, y: x if np.array_equiv(x > 0, y > 0) else y,
        lambda x, y: {np.array2string(np.sign(x)): x},
        lambda x, y: np.roots(x),
        lambda x, y: np.add(x, y, where=x > 0, out=np.zeros(3)),
        lambda x, y: np.divide(x, y, out=np.zeros(3)),
    ],
)
def test_values_that_functions_look_at(function):
    fast = wg.compile(function)
    for seed in (0, 0, 0, 1, 2, 3, 1, 4, 5, 6, 0):
        x, y = np.random.default_rng(seed).normal(size=(2, 3))
        found, expected = fast(x, y), function(x, y)
        if isinstance(expected, dict):
            assert list(found) == list(expected)
        else:
            assert_like(found, expected)


def test_texts_are_those_of_the_values():
    fast = wg.compile(lambda x: str(x * 2))
    for x in (0.5, 0.5, 0.5, 1.5, 0.5):
        assert f"{2 * x:.0f}." in fast(np.full(2, x))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, s: x * 2 if isinstance(x, np.ndarray) else x * 3,
        lambda x, s: x * 2 if isinstance(s, float) else x * 3,
        lambda x, s: x * (1 + np.isscalar(s)),
        lambda x, s: type(s)(3) * x,
        lambda x, s: {0.5: x, 1.5: 2 * x}[s],
    ],
)
def test_classes_that_functions_ask_for(function):
    fast = wg.compile(function)
    for s in (0.5, 0.5, 1.5, 0.5):
        assert_like(fast(X, s), function(X, s))


def test_floating_point_errors_that_are_waited_for():
    def function(x):
        try:
            with np.errstate(divide="raise"):
                return 1 / x
        except FloatingPointError:
            return x - 1

    fast = wg.compile(function)
    for x in (np.ones(2), np.ones(2), np.zeros(2), np.ones(2)):
        assert_like(fast(x), function(x))


@pytest.mark.parametrize(
    ("function", "at"),
    [
        (lambda x: 1 / x, 0.0),
        (lambda x: x**0.5, -1.0),
        (lambda x: np.sum(x * np.ones(3, "f4")), 2.0),
        (lambda x: np.float32(2) * x, 2.0),
    ],
)
def test_derivatives_by_floats(function, at):
    for derivative in (wg.value_and_grad(function), lambda x: wg.jvp(function, (x,), (1.0,))):
        fast = wg.compile(derivative)
        for _ in range(3):
            for found, expected in zip(fast(at), derivative(at), strict=True):
                assert_like(found, np.asarray(expected)[()])


@pytest.mark.parametrize("shape", [(7,), (1, 7), (20, 1), (5, 9), (100,)])
@pytest.mark.parametrize("function", [np.tanh, np.exp2, np.cbrt, np.sin, np.arctan, np.expm1])
def test_the_largest_is_found_again_among_what_libraries_compute(function, shape):
    def loss(x, w):
        y = function(x)
        largest = (y == np.max(y))[..., None]
        rows = np.sum(np.where(largest, w * y[..., None], 0))
        return rows + np.sum(np.exp(y - np.max(y, axis=-1, keepdims=True))) + np.max(y) - np.sum(np.min(y, axis=0))

    gradient = wg.grad(loss)
    fast = wg.compile(gradient)
    for dtype in ("f4", "f8"):
        for seed in range(3):
            rng = np.random.default_rng(seed)
            x, w = rng.normal(size=shape).astype(dtype), rng.normal(size=(*shape, 3))
            for _ in range(2):
                unit = 1e-3 if dtype == "f4" else 1e-9
                np.testing.assert_allclose(fast(x, w), gradient(x, w), unit, 0.01 * unit)


def test_views_without_axes_are_written():
    def function(x):
        y = np.where(x > 0, x, -x)
        first, last = y[1, 1, ...], np.squeeze(y[-1:, -1:])
        first *= 2
        np.add(last, 1, out=last)
        scalar = y[0, 0]
        scalar *= 3
        return y, scalar

    fast = wg.compile(function)
    for _ in range(3):
        for found, expected in zip(fast(X - 2), function(X - 2), strict=True):
            assert_like(found, expected)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8"])
def test_whole_numbers_without_signs(dtype):
    def function(x, y):
        return np.max(x), np.ptp(x), np.max(x[:, None] * np.ones((1, 3), dtype), axis=1), y.astype(dtype), x // 2

    fast, most = wg.compile(function), np.iinfo(dtype).max
    x = np.array([0, most, 1, most // 2 + 1, 7], dtype)
    y = np.array([0.0, 1.5, most // 2 + 1, float(most // 2) * 1.5, 200.7])
    for _ in range(3):
        for found, expected in zip(fast(x, y), function(x, y), strict=True):
            assert_like(found, expected)


def test_comparisons_with_numbers_out_of_range():
    def function(x):
        return x > -1, x < 300, x == 256, x[:2] > -1

    fast, x = wg.compile(function), np.array([0, 7, 255], "u1")
    for _ in range(3):
        for found, expected in zip(fast(x), function(x), strict=True):
            assert_like(found, expected)


def test_negative_powers_of_whole_numbers_raise_as_in_numpy():
    fast, x = wg.compile(lambda x, n: x**n), np.array([1, 2, 3])
    for n in (2, 2, 2, -1, 3):
        n = np.array([1, n, 0])
        assert_like(tried(fast, x, n), tried(np.power, x, n))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: np.negative(x),
        lambda x, y: np.add(x, y) * np.ones(2, "f4"),
        lambda x, y: (x + y) * np.ones(2, "f4"),
        lambda x, y: np.power(x, 0.5),
        lambda x, y: np.divide(1, y),
        lambda x, y: np.divide(x, y) + abs(x) * np.abs(y),
        lambda x, y: np.float32(2) * x,
        lambda x, y: np.multiply(x, np.float32(2)),
    ],
)
def test_functions_of_numpy_make_its_numbers_of_pythons(function):
    fast = wg.compile(function)
    for x, y in ((2.5, 1.5), (2.5, 1.5), (1.0, -3.0), (-1.0, 0.0), (2.0, 1.0)):
        assert_like(fast(x, y), function(x, y))


def test_floats_are_added_to_whole_numbers_before_they_are_cut_off():
    def function(x, v):
        y = np.copy(x)
        np.add.at(y, (slice(2), 1), v)
        np.add.at(y.T, (np.array([0, 0]), 1), v)
        return y

    fast, x = wg.compile(function), np.arange(9).reshape(3, 3)
    for v in (-0.63, -0.63, 1.5, -1.5, 0.2):
        assert_like(fast(x, np.float64(v)), function(x, np.float64(v)))


# What cannot be recorded ------------------------------------------------------------------------------------------


def test_what_cannot_be_recorded_runs_as_it_is():
    def function(x):
        x.flat[0] += 1
        return x.view(np.int64)

    fast = wg.compile(function)
    mine, theirs = np.ones(3), np.ones(3)
    for _ in range(3):
        assert_like(fast(theirs), function(mine))
        assert_like(theirs, mine)
    assert "AttributeError" in fast.stats()["given up"][0]


def test_errors_are_the_functions_own_and_so_is_what_it_has_written_before():
    class Full(Exception):
        pass

    total = np.zeros(1)

    def function(x):
        total[0] += x.sum()
        if total[0] > 4:
            raise Full(float(total[0]))
        return total * 2

    fast = wg.compile(function)
    for _ in range(4):
        fast(np.ones(1))
    for value in (5.0, 6.0):
        with pytest.raises(Full) as raised:
            fast(np.ones(1))
        assert raised.value.args == (value,)
    assert total[0] == 6
    total[0] = 0
    assert fast(np.ones(1)) == 2


def test_random_numbers_are_drawn_once_where_a_function_runs_twice():
    def function(x):
        return wg.random.normal(generator, 3) * x.flat[0]

    fast = wg.compile(function)
    results = []
    for f in (function, fast):
        generator = np.random.default_rng(3)
        results.append([f(np.ones(1)) for _ in range(3)])
    assert np.array_equal(*results)


def test_what_has_leaked_is_read_without_consequences():
    leaked = []

    def function(x):
        leaked.append(x * 2)
        return x + 1

    fast = wg.compile(function)
    for _ in range(3):
        fast(np.ones(1))
    assert all(bool(y > 1) for y in leaked)
    assert len(leaked) == 3


# Threads, signals, collections ------------------------------------------------------------------------------------


def test_threads_whose_arguments_change_shape():
    def function(x, p):
        y = x
        for _ in range(3):
            y = np.tanh(y @ p["w"]) + p["b"] if np.ndim(y) > 1 else np.tanh(y)
        return (y.sum(), y) if np.sum(y) > 0 else (-y.sum(), y * 2)

    fast, rng = wg.compile(function), np.random.default_rng(0)
    given = [
        (rng.normal(size=(n, 3) if n % 2 else n), {"w": rng.normal(size=(3, 3)), "b": rng.normal(size=3)})
        for n in (1, 2, 3, 4, 1, 3)
    ]
    expected = [function(*args) for args in given]
    wrong = []

    def work(seed):
        order = random.Random(seed)
        for _ in range(300):
            k = order.randrange(len(given))
            if not all(np.allclose(a, b) for a, b in zip(fast(*given[k]), expected[k], strict=True)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_function_that_is_dropped_while_threads_run_it():
    x = np.random.default_rng(0).random(500_000)

    def run(function, results):
        results.append(function(x))

    for scale in (1.0, 2.0, 3.0):
        fast = wg.compile(lambda x, scale=scale: np.sum(np.sin(x * scale)))
        for _ in range(3):
            fast(x)
        results = []
        threads = [threading.Thread(target=run, args=(fast.__call__, results)) for _ in range(2)]
        for thread in threads:
            thread.start()
        del fast
        gc.collect()
        for thread in threads:
            thread.join()
        np.testing.assert_allclose(results, np.sum(np.sin(x * scale)))


def test_collections_that_call_what_is_running():
    fast, ones = wg.compile(lambda x, y: np.sin(x) + y), np.ones(3)

    class Node:
        def __init__(self):
            self.itself = self

        def __del__(self):
            fast(ones, ones)

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for k in range(200):
            Node()
            x = np.full(1 + k % 5, 1.0)
            np.testing.assert_allclose(fast(x, 2 * x), np.sin(1) + 2)
    finally:
        gc.set_threshold(*before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
# llvmlite's own objects complain when they go, where they were interrupted in the middle of being made.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interruptions_leave_nothing_behind():
    state = np.zeros(2)

    def function(x):
        state[0] += 1
        state[1] = np.sum(x)
        for _ in range(20):
            x = np.sin(x) + np.cos(x)
        return x * state[1]

    def interrupt(*_):
        raise KeyboardInterrupt

    wg.compile(function)(X)  # loads what is loaded once: other libraries' modules do not stand an interruption
    names = dict(vars(np))
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        fast = wg.compile(function)
        for k in range(60):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0005 * (1 + k % 13))
                for n in range(1, 6):
                    fast(np.ones(n))
                fast = wg.compile(function)
            except KeyboardInterrupt:
                pass
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert type(state) is np.ndarray
    except KeyboardInterrupt:
        pass  # in the last line of the loop
    finally:
        signal.signal(signal.SIGALRM, before)
    assert {name: vars(np)[name] for name in names} == names
    expected = function(X)
    assert_like(fast(X), expected)


CALLS = {opcode.opmap.get(name) for name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX")}
RECORDERS = (
    "capture", "changes", "collecting", "compiled", "locks", "making", "program", "randomness", "recorder", "steps",
)  # fmt: skip


class Interrupter:
    """Raises KeyboardInterrupt at the n-th place of some files where Python looks for signals: after calls."""

    def __init__(self, n, files):
        self.left, self.files, self.last = n, files, {}

    def __enter__(self):
        sys.settrace(self.called)

    def __exit__(self, *exception):
        sys.settrace(None)
        self.last.clear()

    def called(self, frame, event, arg):
        if not frame.f_code.co_filename.endswith(self.files):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self.stepped

    def stepped(self, frame, event, arg):
        if event != "opcode":
            self.last.pop(frame, None)
            return self.stepped
        before, self.last[frame] = self.last.get(frame), frame.f_code.co_code[frame.f_lasti]
        # What a ``with`` returns from inside is followed by the first step out of it, where no signal is looked for.
        if before in CALLS and opcode.opname[self.last[frame]] != "SWAP":
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
        return self.stepped


@pytest.mark.skipif(sys.gettrace() is not None, reason="somebody traces")
def test_interruptions_anywhere_in_a_recording_leave_nothing_behind():
    state, parameter = np.zeros(2), wg.asarray([2.0])

    def function(x):
        state[0] += 1
        y = np.zeros(3)
        y[:] = x
        return y * state[0] * parameter

    wg.compile(function)(Y)
    names, files = dict(vars(np)), (*(f"compiler/{name}.py" for name in RECORDERS), "contextlib.py")
    for n in range(1, 10_000):
        interrupter = Interrupter(n, files)
        try:
            with interrupter:
                wg.compile(function)(Y)
        except KeyboardInterrupt:
            pass
        assert vars(np) == names
        assert type(state) is np.ndarray
        assert type(parameter.numpy()) is np.ndarray
        assert gc.isenabled()
        assert not RECORDING._is_owned()
        assert not DEPOSITING._is_owned()
        assert getattr(recording, "program", None) is None
        if interrupter.left > 0:
            break
    assert 300 < n < 9_999


class Unsure:
    """Has a hash, but compares like an array, or not at all."""

    def __init__(self, outcome):
        self.factor, self.outcome = 2.0, outcome

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return self.outcome if isinstance(self.outcome, np.ndarray) else 1 / 0


@pytest.mark.parametrize("outcome", [np.array([True, False]), 1])
def test_arguments_that_cannot_be_compared(outcome):
    fast = wg.compile(lambda x, by: x * by.factor)
    for _ in range(3):
        by = Unsure(outcome)
        for _ in range(2):
            assert_like(fast(np.ones(2), by), 2 * np.ones(2))


class ByValue:
    """Has a hash that changes with what it is."""

    def __init__(self, k):
        self.k = k

    def __eq__(self, other):
        return isinstance(other, ByValue) and self.k == other.k

    def __hash__(self):
        return hash(self.k)


@pytest.mark.filterwarnings("ignore::wengert.errors.CompileWarning")
def test_arguments_whose_hash_changes():
    def function(x, by):
        return len(x) * by.k if isinstance(x, set) else x * by.k

    fast, by = wg.compile(function), ByValue(2)
    for k in (2, 2, 3, 3, 2, 4):
        by.k = k
        for x in (np.ones(3), {1.0, 2.0}, 2.0):
            assert_like(fast(x, by), function(x, by))
    assert fast.stats()["calls"] == 18
    assert "18 calls" in fast.explain()


def test_that_many_kinds_whose_hash_changes_are_let_go():
    kinds, bys = Kinds(len, "len"), [ByValue(k) for k in range(300)]
    with pytest.warns(CompileWarning):
        for by in bys:
            kinds.of((None, by, ()), Found(), "it cannot be compiled").calls += 1
            by.k = -1 - by.k
    assert len(kinds) <= 256
    assert kinds.total("calls") == 300


class Interrupting:
    """Interrupts at a certain line of the compiler's that keeps and gives back what a function uses, once it has run.

    Parameters
    ----------
    line : int
        How many such lines are left to run.
    """

    files = ("capture.py", "changes.py", "places.py", "recorder.py")

    def __init__(self, line):
        self.left, self.has_run = line, False

    def __call__(self, frame, event, _):
        path = frame.f_code.co_filename
        if "compiler" not in path or not path.endswith(self.files):
            return None
        if event == "line" and self.has_run:
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
        return self


def interrupted_at(line):
    """What a call leaves behind that is interrupted there, and whether it was; then, after two more calls."""
    kept = SimpleNamespace(w=np.ones(3), v=np.ones(3), pair=(np.ones(3), 0.5), k=0.5, n=0, log=[1.0])
    t, tracer = wg.tensor(np.ones(3), requires_grad=True), Interrupting(line)

    def function(x):
        kept.w[:] = x * kept.v
        kept.pair = (kept.pair[0] + x, 0.5)
        kept.k, kept.n = kept.k * 0.5 + x[0], kept.n + 1
        kept.log.append(x * 2)
        np.sum(t * x).backward()
        tracer.has_run = True
        return np.sum(kept.w)

    fast, was_interrupted = wg.compile(function), False
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        fast(np.ones(3))
    except KeyboardInterrupt:
        was_interrupted = True
    finally:
        sys.settrace(before)
    left = [kept.w, kept.v, *kept.pair, kept.k, kept.n, *kept.log, t._value, getattr(t.grad, "_value", np.ones(3))]
    there = [type(x) for x in left]
    fast(np.ones(3))
    return was_interrupted, there[:6] + there[-2:], set(there[6:-2]), type(kept.w), kept.n


def test_what_is_interrupted_while_it_is_put_back_is_put_back():
    expected = [*[np.ndarray] * 3, float, None, int, np.ndarray, np.ndarray]
    line, was_interrupted = 1, True
    while was_interrupted:
        was_interrupted, there, logged, _, calls = interrupted_at(line)
        expected[4] = np.float64 if there[4] is np.float64 else float
        assert there == expected, line
        assert logged <= {float, np.ndarray}, line
        assert calls in (1, 2), line
        line += 11


class Interrupted(list):
    def __float__(self):
        raise KeyboardInterrupt


def test_an_interruption_that_numpy_takes_for_a_failure_is_one():
    @wg.compile
    def function(x):
        np.arange(2.0)[0] = Interrupted([1.0])
        return x * 2

    with pytest.raises(KeyboardInterrupt):
        function(np.ones(2))
