"""Functions that are called for long: what is not worth compiling is left alone, and what is known stays bounded."""

import itertools

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import compiled, kinds, native, shortcut, worth
from wengert.compiler.compiled import Compiled
from wengert.compiler.worth import Account, Worth
from wengert.errors import ArgumentError

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.CompileWarning")
X = np.array([0.5, 1.0, 2.0])


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(worth, "perf_counter", lambda: self.now)

    def calls(self, weighed, count, took, alone, straight=0, records=False, places=0):
        """So many calls, each of which takes so long; how many were samples, and whether the last one was enough."""
        samples = 0
        for k in range(count):
            weighed.start()
            weighed.begin()
            weighed.found(places, 1)
            if records:
                weighed.record()
            samples += weighed.is_sample
            self.now += alone if weighed.is_sample else took
            if weighed.is_sample:
                weighed.was_left(alone)
            if weighed.trouble(straight * (k + 1)):
                return samples, k + 1
        return samples, None


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_functions_that_are_quicker_alone_are_left_alone(clock):
    assert clock.calls(Worth(), 5000, took=101, alone=10)[1] == worth.LOOKS
    assert clock.calls(Worth(), 5000, took=101, alone=60)[1] is None
    # What goes straight to native code would take the function's time, too.
    assert clock.calls(Worth(), 5000, took=101, alone=10, straight=9)[1] is None
    assert clock.calls(Worth(), 5000, took=101, alone=10, straight=2)[1] == worth.LOOKS


def test_functions_that_take_very_long_are_hardly_tried(clock):
    assert clock.calls(Worth(), 5000, took=101, alone=1e6) == (5, None)  # once in each window


def test_recordings_that_go_on(clock):
    assert clock.calls(Worth(), 5000, took=10_000, alone=10, records=True)[1] == worth.RECORDINGS
    assert clock.calls(Worth(), 5000, took=10_000, alone=2000, records=True)[1] == 3 * worth.RECORDINGS
    assert clock.calls(Worth(), 5000, took=10_000, alone=6000, records=True)[1] is None
    assert clock.calls(Worth(), 5000, took=10_000, alone=10, straight=5000, records=True)[1] is None


def test_recordings_that_end(clock):
    weighed = Worth()
    assert clock.calls(weighed, 40, took=10_000, alone=10, records=True)[1] is None
    assert clock.calls(weighed, 5000, took=15, alone=10)[1] is None


def test_samples_take_turns_with_all_that_comes_in_turn():
    account = Account(worth.LOOKS, worth.TOO_LONG)
    due = [k for k in range(worth.LOOKS) if account.is_sample()]
    assert len(due) >= worth.FEWEST
    assert {k % 2 for k in due} == {0, 1}


def test_very_many_places(clock):
    many = 10 * worth.MANY_PLACES
    native_time = many * worth.PLACE
    assert clock.calls(Worth(), 5000, took=native_time, alone=native_time / 5, places=many)[1] == worth.FEWEST
    assert clock.calls(Worth(), 200, took=native_time, alone=native_time, places=many) == (
        worth.FEWEST + 200 // (worth.LOOKS // worth.SAMPLES | 1),
        None,
    )


# Functions ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def costly(clock, monkeypatch):
    """Recordings take 1000 times as long as the function does."""
    monkeypatch.setattr(compiled, "perf_counter", itertools.count().__next__)
    record = Compiled._record

    def slowly(*given):
        clock.now += 1000
        return record(*given)

    monkeypatch.setattr(Compiled, "_record", slowly)


def test_what_keeps_being_recorded_is_left_to_the_function(costly):
    fast = wg.compile(lambda x, n: x * n)
    for n in range(500):
        for m in (n, 0):  # what comes again and again does not help
            np.testing.assert_array_equal(fast(X, m), X * m)
    stats = fast.stats()
    assert stats["calls"] == 1000
    assert 32 < stats["recordings"] <= worth.RECORDINGS
    assert "to record what is new" in stats["given up"][0]
    assert not fast._shortcuts.entries


def test_few_kinds_stay_compiled_however_long_compiling_takes(costly):
    fast = wg.compile(lambda x, n: x * n)
    for k in range(2000):
        n = k % 40
        np.testing.assert_array_equal(fast(X, n), X * n)
    stats = fast.stats()
    assert (stats["given up"], stats["paths"]) == ([], 40)
    assert fast._shortcuts.runs > 1800


def test_kinds_that_are_no_longer_kept_have_been_counted(clock, monkeypatch):
    monkeypatch.setattr(kinds, "MOST", 4)
    fast = wg.compile(lambda x: x + 1)
    for k in range(60):
        fast(np.ones(1 + k % 12))
    stats = fast.stats()
    assert (stats["calls"], stats["kinds"]) == (60, 4)
    assert stats["recordings"] >= 12
    assert stats["eager"] == 60 - stats["recordings"] - fast._shortcuts.runs - sum(
        path.calls for kind in fast._kinds for path in kind.paths.values()
    )


def test_room_for_shortcuts_is_sought_ever_more_rarely(clock, monkeypatch):
    monkeypatch.setattr(shortcut, "MOST", 4)
    fast, forget = wg.compile(lambda x: x + 1), shortcut.Shortcuts.forget
    forgotten = []
    monkeypatch.setattr(shortcut.Shortcuts, "forget", lambda self: forgotten.append(1) or forget(self))
    for k in range(6000):
        fast(np.ones(1 + k % 6))
    assert 1 < len(forgotten) < 8
    assert shortcut.MOST < native.MOST_TRIES


def test_short_functions_are_timed_after_a_call_that_is_left_to_them(clock):
    weighed, left = Worth(), []
    for k in range(worth.LOOKS - 1):
        weighed.start()
        weighed.begin()
        left += [k] if weighed.is_left else []
        assert weighed.is_left or not weighed.is_sample
        clock.now += 1e-5
        weighed.was_left(1e-6)
        assert weighed.trouble(0) is None
    assert left[1::2] == [k + 1 for k in left[::2]]
    assert weighed.looks.samples == len(left) // 2
    assert weighed.looks.seconds == pytest.approx((worth.LOOKS - 1 - len(left)) * 1e-5)


def raising(x):
    if x[0] > 0:
        raise ValueError("no such number")
    return x * 2


def raises(fast, x):
    with pytest.raises(ValueError, match="no such number"):
        fast(x)


def test_functions_that_raise_now_and_then_are_left_alone_if_looking_at_them_takes_long(clock, monkeypatch):
    monkeypatch.setattr(compiled, "perf_counter", itertools.count().__next__)  # a call alone takes one second
    run = Compiled._run

    def slowly(*given):
        clock.now += 10
        return run(*given)

    monkeypatch.setattr(Compiled, "_run", slowly)
    fast = wg.compile(raising)
    for _ in range(2 * worth.LOOKS):
        raises(fast, X)
        np.testing.assert_array_equal(fast(-X), -2 * X)
    assert "to look at what it uses" in fast.stats()["given up"][0]


def test_functions_that_are_recorded_in_vain_now_and_then_are_left_alone(costly):
    fast = wg.compile(raising)
    for k in range(1000):
        if k % 9 == 8:
            np.testing.assert_array_equal(fast(-X), -2 * X)
        else:
            raises(fast, X)
    stats = fast.stats()
    assert stats["calls"] == 1000
    assert "to record what is new" in stats["given up"][0]


def test_functions_that_only_raise_are_left_alone(clock):
    fast = wg.compile(raising)
    for _ in range(compiled.MOST_LEFT + 100):
        raises(fast, X)
    assert fast.stats()["given up"] == ["it has raised whenever it was recorded"]
    assert fast.stats()["calls"] == fast.stats()["eager"] == compiled.MOST_LEFT + 100


@pytest.mark.parametrize(
    "x", [np.array(["a", "b"]), np.ones(2, ">f8"), np.zeros(2, [("m", float)])], ids=lambda x: x.dtype
)
def test_arrays_that_no_program_is_made_for(clock, x):
    fast = wg.compile(lambda x: (x[::-1], x == x))
    for _ in range(compiled.MOST_LEFT + 100):
        np.testing.assert_array_equal(fast(x)[0], x[::-1])
    stats = fast.stats()
    assert stats["calls"] == stats["eager"] == compiled.MOST_LEFT + 100
    assert "it is given arrays of texts" in stats["given up"][0]


@pytest.mark.parametrize("place", [0.0, 1.0])
def test_a_number_among_many_settings(clock, monkeypatch, place):
    monkeypatch.setattr(worth, "PLACE", place)
    settings = {f"number {k}": float(k) for k in range(2 * worth.MANY_PLACES)}

    @wg.compile
    def counted(x):
        settings["number 5"] += 1.0
        return x * settings["number 5"]

    for k in range(20):
        np.testing.assert_array_equal(counted(X), X * (6 + k))
    assert bool(counted.stats()["given up"]) == bool(place)
    assert bool(counted._shortcuts.runs) == (not place)


def test_functions_that_return_before_they_have_begun_are_refused():
    async def items(x):
        yield x

    async def item(x):
        return x

    for function in (items, item, lambda x: (yield x)):
        with pytest.raises(ArgumentError, match="yields or"):
            wg.compile(function)


def tried(clock, program, alone):
    """A trial in which each call takes so long."""

    def function():
        clock.now += alone

    trial = worth.Trial()
    while not trial.is_over:
        trial.program.append(program)
        trial.run(function, ((), {}))
    return trial


def test_trials_end_early_where_it_is_clear(clock):
    assert [len(tried(clock, 1e-3, alone).alone) for alone in (3e-3, 1.5e-3, 0.5e-3, 0.06)] == [2, 8, 8, 2]
    assert [tried(clock, 1.0, alone).is_lost for alone in (3.0, 1.5, 0.9, 0.5)] == [False, False, False, True]


@pytest.mark.parametrize("is_lost", [False, True])
def test_programs_that_call_numpy_and_the_function_do_the_same_calls_at_first(monkeypatch, is_lost):
    monkeypatch.setattr(worth.Trial, "is_over", property(lambda trial: len(trial.alone) >= 3))
    monkeypatch.setattr(worth.Trial, "is_lost", property(lambda trial: trial.is_over and is_lost))

    def f(x):
        return x[np.lexsort((x, -x))] * 2

    fast = wg.compile(f)
    for k in range(20):
        x = np.roll(X, k) * (1 + k)
        np.testing.assert_array_equal(fast(x), f(x))
    stats = fast.stats()
    assert stats["calls"] == 20
    assert stats["recordings"] == 1
    assert bool(stats["given up"]) is is_lost
    assert (stats["eager"] > 10) is is_lost


def test_what_changes_something_is_not_run_twice(monkeypatch):
    monkeypatch.setattr(worth.Trial, "is_over", property(lambda trial: len(trial.alone) >= 3))
    monkeypatch.setattr(worth.Trial, "is_lost", property(lambda trial: trial.is_over))
    order = np.zeros(3)

    def f(x):
        order[...] += np.lexsort((x, -x))
        return x[np.lexsort((x, -x))] * order

    def run(f):
        order[...] = 0
        return [f(np.roll(X, k) * (1 + k)) for k in range(20)] + [order.copy()]

    fast = wg.compile(f)
    np.testing.assert_array_equal(run(fast), run(f))
    assert fast.stats()["eager"] == 0


def test_a_way_that_loses_does_not_end_the_others(monkeypatch):
    """One way is short, the other one calls NumPy and is done faster by its program."""
    seconds = {}
    monkeypatch.setattr(worth.Trial, "is_over", property(lambda trial: len(trial.alone) >= 2))
    monkeypatch.setattr(worth.Trial, "is_lost", property(lambda trial: trial.is_over and seconds.get(id(trial), True)))

    def f(x):
        if x[0] > 0:
            return np.sin(x[np.lexsort((x, -x))])
        return x[np.lexsort((-x, x))]

    fast = wg.compile(f)
    for _ in range(2):
        fast(X), fast(-X)
    for kind in fast._kinds:
        for k, path in enumerate(kind.paths.values()):
            seconds[id(path.trial)] = bool(k)
    for _ in range(20):
        for x in (X, -X):
            np.testing.assert_allclose(fast(x), f(x))
    assert fast.stats()["paths"] == 2
    assert fast.stats()["given up"] == []


def test_programs_without_numpys_calls_have_no_trial():
    native_only = wg.compile(lambda x: np.sin(x) * 2)
    for _ in range(9):
        native_only(X)
    assert [path.trial for kind in native_only._kinds for path in kind.paths.values()] == [None]
