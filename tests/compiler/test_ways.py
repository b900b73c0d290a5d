"""Ways that no program is known for: left to the function the first time, recorded when they come again."""

from contextlib import nullcontext

import numpy as np
import pytest
import scipy.stats

import wengert as wg
from wengert.compiler import compiled, ways
from wengert.compiler.ways import Ways


def halvings(x):
    """The number of turns, and with it the operations, depends on the value."""
    total = x * 0.5
    while x > 1.0:
        x = x * 0.5
        total = total + np.sin(x)
    return total


def numbers(fast):
    stats = fast.stats()
    return stats["recordings"], stats["eager"], stats["paths"]


def test_a_new_way_is_eager_and_recorded_when_the_same_inputs_come_again():
    fast, plain = wg.compile(wg.grad(halvings)), wg.grad(halvings)
    for x, expected in [(0.5, (1, 0, 1)), (3.0, (1, 1, 1)), (3.0, (2, 1, 2)), (3.0, (2, 1, 2)), (0.5, (2, 1, 2))]:
        np.testing.assert_allclose(fast(np.float64(x)), plain(np.float64(x)), 1e-12)
        assert numbers(fast) == expected


def test_a_way_is_known_again_by_its_operations_though_its_inputs_differ():
    fast, plain = wg.compile(wg.grad(halvings)), wg.grad(halvings)
    fast(np.float64(0.5))
    for k in range(5):
        x = np.float64(3.0 + 0.1 * k)
        np.testing.assert_allclose(fast(x), plain(x), 1e-12)
        assert numbers(fast) == ((1, k + 1, 1) if k < ways.ENOUGH else (2, ways.ENOUGH, 2))


def test_ways_that_leave_at_one_place_and_part_later_are_not_recorded():
    fast, plain = wg.compile(wg.grad(halvings)), wg.grad(halvings)
    for k, x in enumerate([0.5, *(1.5 * 2.0**k for k in range(12))]):
        np.testing.assert_allclose(fast(np.float64(x)), plain(np.float64(x)), 1e-12)
        assert numbers(fast) == (1, k, 1)


@pytest.mark.parametrize("check", [False, True])
def test_state_is_as_if_only_the_function_had_run(check):
    def make():
        seen, count, rng = np.zeros(3), wg.tensor(np.zeros(3)), np.random.default_rng(5)

        def f(x):
            seen[0] += 1
            if wg.random.random(rng) > 0.5:
                x *= 2
                seen[1] += x[0]
            with wg.no_grad():
                count[1] += x[1]
            if x[0] > 1:
                seen[2] = wg.random.random(rng)
            return np.sum(x) * seen[1]

        return f, lambda: [seen, count.numpy(), rng.bit_generator.state["state"]["state"]]

    plain, expected = make()
    f, found = make()
    fast = wg.compile(f, check=check)
    points = np.random.default_rng(1).uniform(0, 2, (40, 2))
    for point in points:
        x, y = point.copy(), point.copy()
        np.testing.assert_allclose(fast(x), plain(y), 1e-12)
        np.testing.assert_array_equal(x, y)
        for a, b in zip(found(), expected(), strict=True):
            assert np.all(a == b)
    assert fast.stats()["eager"] > 0
    assert fast.stats()["paths"] > 1


def test_an_exception_on_a_new_way_is_the_functions_own():
    def f(x):
        if x[0] < 0:
            raise ValueError("negative")
        return np.sqrt(x)

    fast = wg.compile(f)
    for x in (1.0, 4.0, -1.0, -1.0, -2.0, 9.0):
        if x < 0:
            with pytest.raises(ValueError, match="negative"):
                fast(np.array([x]))
        else:
            assert fast(np.array([x])) == np.sqrt(x)
    assert fast.stats()["paths"] == 1


def test_inputs_that_raise_are_not_recorded_when_they_come_again(recorded):
    def f(x):
        if x[0] < 0:
            raise ValueError("negative")
        return np.sqrt(x)

    fast = wg.compile(f)
    for x in (1.0, *[-1.0, 4.0] * 10):
        with pytest.raises(ValueError, match="negative") if x < 0 else nullcontext():
            fast(np.array([x]))
    assert len(recorded) == 1


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(ways, "MOST", 10)
    known = Ways()
    for k in range(100):
        assert not known.is_met_again((k,), [float(k)])
        with known.followed((k,)):
            pass
    assert len(known._facts) <= 10
    assert known.is_met_again((99,), [99.0])
    assert not known.is_met_again((np.nan,), [np.ones(ways.FEW)])
    for _ in range(ways.ENOUGH):
        with known.followed((np.nan,)):
            pass
    assert known.is_met_again((np.nan,), [np.ones(ways.FEW)])


def test_many_ways_that_come_again_and_again_are_all_recorded():
    fast, plain = wg.compile(halvings), halvings
    points = [np.float64(0.9 * 2.0**k) for k in range(20)]
    for _ in range(6):
        for x in points:
            np.testing.assert_allclose(fast(x), plain(x), 1e-12)
    stats = fast.stats()
    assert stats["given up"] == []
    assert stats["paths"] == stats["recordings"] == 20
    assert stats["eager"] < 25


READING = {
    "a whole array out": lambda x: np.array(x.tolist()) * x,
    "wengert.scipy": lambda x: scipy.stats.norm.logpdf(x).sum(),
    "shapes depend on values ('nonzero')": lambda x: np.nonzero(x > 0)[0],
    "how many elements of a mask are true": lambda x: np.sum(x[x > 0]),
}


@pytest.mark.parametrize("told", READING)
def test_few_recordings_are_enough_to_leave_what_reads_new_values(told):
    f, random = READING[told], np.random.default_rng(1)
    fast = wg.compile(f)
    for _ in range(60):
        x = random.normal(size=200)
        np.testing.assert_allclose(fast(x), f(x), 1e-12)
    stats = fast.stats()
    (reason,) = stats["given up"]
    assert told in reason
    assert stats["recordings"] <= 4
    assert not fast._shortcuts.entries


def test_what_is_read_whole_and_found_again_stays_native():
    """Now and then something new is no reason to give up."""
    fast = wg.compile(lambda x, y: np.array(x.tolist()) * y)
    for k in range(60):
        x = np.full(3, float(k % 2 if k % 10 else k))
        np.testing.assert_array_equal(fast(x, np.full(3, float(k))), x * k)
    assert fast.stats()["given up"] == []
    assert fast.stats()["eager"] < 20


def test_a_function_of_which_nothing_is_compiled_is_not_looked_at_any_more(monkeypatch):
    monkeypatch.setattr(compiled, "MOST_LEFT", 30)
    two = np.full(3, 2.0)
    fast = wg.compile(lambda x: np.array(x.tolist()) * x * two)
    for k in range(150):
        assert fast(np.full(3, k))[0] == 2 * k * k
    assert fast._reason in fast.stats()["given up"]
    assert len(fast.stats()["given up"]) == 1
    assert fast.stats()["calls"] == 150
