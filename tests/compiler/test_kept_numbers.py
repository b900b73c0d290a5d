"""Numbers that NumPy computes and a function keeps from call to call: read as inputs, and put back in their class."""

from collections import deque, namedtuple
from types import SimpleNamespace

import numpy as np
import pytest

import wengert as wg

Pair = namedtuple("Pair", "first second")


class Slotted:
    __slots__ = ("value",)


class Named:
    value = None


def in_attribute(first):
    kept = SimpleNamespace(value=first)
    return lambda: kept.value, lambda now: setattr(kept, "value", now)


def in_slot(first):
    kept = Slotted()
    kept.value = first
    return lambda: kept.value, lambda now: setattr(kept, "value", now)


def in_class(first):
    class Mine(Named):
        value = first

    return lambda: Mine.value, lambda now: setattr(Mine, "value", now)


def in_list(first):
    kept = [1.0, first]
    return lambda: kept[1], lambda now: kept.__setitem__(1, now)


def in_dictionary(first):
    kept = {"value": first, "other": 2}
    return lambda: kept["value"], lambda now: kept.update(value=now)


def in_cell(first):
    kept = first

    def get():
        return kept

    def put(now):
        nonlocal kept
        kept = now

    return get, put


def in_tuple(first):
    kept = SimpleNamespace(pair=(first, 3))
    return lambda: kept.pair[0], lambda now: setattr(kept, "pair", (now, 3))


def in_named_tuple(first):
    kept = SimpleNamespace(pair=Pair(3, first))
    return lambda: kept.pair.second, lambda now: setattr(kept, "pair", Pair(3, now))


PLACES = [in_attribute, in_slot, in_class, in_list, in_dictionary, in_cell, in_tuple, in_named_tuple]

STEPS = {
    "average that begins as a float": (0.0, lambda kept, x: 0.9 * kept + 0.1 * np.sum(x)),
    "average": (np.float64(0.5), lambda kept, x: 0.9 * kept + 0.1 * np.mean(x**2)),
    "whole number that becomes a float": (0, lambda kept, x: kept + np.sum(x)),
    "count": (np.int64(0), lambda kept, x: kept + np.sum(x > 1)),
    "count that begins as Python's": (0, lambda kept, x: kept + np.count_nonzero(x > 1)),
    "single precision": (np.float32(1), lambda kept, x: np.float32(0.5) * kept + x.astype(np.float32)[0]),
    "precision that grows": (np.float32(1), lambda kept, x: kept * x[0]),
    "complex": (np.complex128(1), lambda kept, x: kept * np.exp(1j * x[0])),
    "truth": (np.bool_(False), lambda kept, x: np.logical_xor(kept, x[0] > 1)),
    "decided by": (np.float64(0), lambda kept, x: kept + x[0] if kept < 3 else kept * 0.1),
    "written only": (None, lambda kept, x: np.max(x)),
    "now and then an array": (np.float64(1), lambda kept, x: np.sum(kept) if np.ndim(kept) else kept * x),
    "sign of zero": (np.float64(0.0), lambda kept, x: -kept * np.sign(x[0])),
    "not a number": (np.float64("nan"), lambda kept, x: np.fmax(kept, x[0])),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", STEPS)
def test_that_a_number_is_kept_as_without_compiling(place, name):
    first, step = STEPS[name]
    results = []
    for compiled in (False, True):
        get, put = place(first)

        def run(x, get=get, put=put):
            put(step(get(), x))
            return np.sum(x * get())

        run = wg.compile(run) if compiled else run
        random = np.random.default_rng(3)
        told = []
        for _ in range(12):
            result = run(random.normal(size=3) + 1)
            told.append((type(get()), repr(get()), type(result), repr(result)))
        results.append(told)
    for expected, found in zip(*results, strict=True):
        assert expected[::2] == found[::2]
        assert np.allclose(
            eval(expected[1], vars(np) | {"np": np}), eval(found[1], vars(np) | {"np": np}), equal_nan=True
        )
        assert np.allclose(eval(expected[3], {"np": np}), eval(found[3], {"np": np}), equal_nan=True)


@pytest.mark.parametrize("place", PLACES)
def test_that_such_a_program_is_native_after_two_recordings(place):
    get, put = place(0.0)

    @wg.compile
    def run(x):
        put(0.9 * get() + 0.1 * np.sum(x))
        return np.sum(x) - get()

    for k in range(20):
        run(np.arange(3.0) + k)
    assert run.stats()["recordings"] <= 3
    assert run.stats()["eager"] == 0
    assert run.stats()["given up"] == []


def test_that_a_number_changed_from_outside_is_an_input():
    rate = np.float64(0.5)

    @wg.compile
    def run(x):
        return x * rate

    for k in range(10):
        rate = np.float64(0.5) / (1 + k)
        assert run(np.ones(2))[0] == rate
    assert run.stats()["recordings"] <= 3


def test_that_a_tensor_is_not_kept_as_a_number():
    kept = SimpleNamespace(value=np.float64(1))
    w = wg.tensor(np.ones(3))

    @wg.compile
    def run(x):
        kept.value = np.sum(w * x)
        return kept.value * 2

    for k in range(6):
        run(np.full(3, float(k)))
        assert isinstance(kept.value, wg.Tensor)
        assert float(kept.value) == 3 * k


def test_that_a_number_of_a_class_of_the_users_stays_one():
    class Metres(np.float64):
        pass

    kept = SimpleNamespace(value=Metres(2))

    @wg.compile
    def run(x):
        return x * kept.value, type(kept.value).__name__

    for k in range(4):
        kept.value = Metres(k)
        found, name = run(np.ones(1))
        assert (found[0], name) == (k, "Metres")


def test_numbers_in_a_queue():
    kept = deque([np.float64(0)], maxlen=3)

    @wg.compile
    def run(x):
        kept.append(kept[-1] + np.sum(x))
        return sum(kept)

    found = [float(run(np.full(2, float(k)))) for k in range(8)]
    past = [0.0]
    for k in range(8):
        past.append(past[-1] + 2 * k)
        assert found[k] == sum(past[-3:])


RESETS = {
    "the same float": lambda kept, n: 0.5,
    "the same whole number": lambda kept, n: 0,
    "an argument's": lambda kept, n: n,
    "a float and a whole number in turn": lambda kept, n: 2 if n > 1 else 2.0,
    "NumPy's": lambda kept, n: np.float64(0.5),
    "its own": lambda kept, n: kept,
    "its own, after another": lambda kept, n: (0.25, kept)[n > 0],
}


@pytest.mark.filterwarnings("ignore::wengert.errors.CompileWarning")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", RESETS)
def test_that_a_number_is_set_whatever_was_there_when_that_was_recorded(place, name):
    told = []
    for compiled in (False, True):
        get, put = place(0.25)

        def run(x, n, get=get, put=put):
            put(RESETS[name](get(), n))
            return x

        run = wg.compile(run) if compiled else run
        told.append([])
        for k in range(16):
            run(np.ones(3), k // 3 % 3)
            told[-1].append((type(get()), repr(get())))
            if k % 2:
                put(k / 4 if k > 8 else k)
    assert told[0] == told[1]


def test_that_a_reset_is_native():
    kept = SimpleNamespace(rate=0.25, count=7)

    @wg.compile
    def run(x):
        kept.rate, kept.count = 0.5, 0
        return x * 2

    for k in range(12):
        run(np.ones(3))
        assert (kept.rate, kept.count) == (0.5, 0)
        kept.rate, kept.count = k / 4, k
    assert run.stats()["recordings"] <= 3
    assert run.stats()["eager"] == 0
