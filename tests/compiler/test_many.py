"""Arguments of very many arrays: what is found out about them in pairs takes no time in proportion to their pairs."""

import numpy as np
import pytest

import wengert as wg

MANY = 60


def fresh(seed):
    return [row.copy() for row in np.random.default_rng(seed).normal(size=(MANY, 3))]


def total(parts):
    return sum((k + 1) * np.sum(part * parts[0]) for k, part in enumerate(parts))


def halve(parts):
    for part in parts:
        part *= 0.5
    return parts[0] + 1.0


@pytest.fixture(params=["native", "Python"])
def fast(request, monkeypatch):
    if request.param == "Python":
        monkeypatch.setattr("wengert.compiler.binding.probe", lambda: False)
    return wg.compile


def test_each_is_an_input_of_its_own(fast):
    compiled = fast(wg.grad(total))
    for seed in range(6):
        parts = fresh(seed)
        for found, expected in zip(compiled(parts), wg.grad(total)(parts), strict=True):
            np.testing.assert_allclose(found, expected)
    assert compiled.stats()["recordings"] == 1


def test_one_that_is_given_twice_is_another_program(fast):
    compiled = fast(halve)
    for seed in range(4):
        ours, theirs = fresh(seed), fresh(seed)
        np.testing.assert_array_equal(compiled(ours), halve(theirs))
        np.testing.assert_array_equal(ours, theirs)
    for seed in range(4):
        ours, theirs = fresh(seed), fresh(seed)
        ours[50], theirs[50] = ours[3], theirs[3]
        np.testing.assert_array_equal(compiled(ours), halve(theirs))
        np.testing.assert_array_equal(ours, theirs)
    assert compiled.stats()["kinds"] == 2


@pytest.mark.parametrize("first", [0, 1])
def test_memory_that_is_written_is_nobody_elses(fast, first):
    compiled = fast(halve)
    for seed in range(4):
        compiled(fresh(seed))
    for seed in range(4):
        memory, other = np.arange(5.0), np.arange(5.0)
        ours, theirs = fresh(seed), fresh(seed)
        for parts, x in ((ours, memory), (theirs, other)):
            parts[7 + 40 * first], parts[47 - 40 * first] = x[:3], x[2:]
        np.testing.assert_array_equal(compiled(ours), halve(theirs))
        np.testing.assert_array_equal(ours, theirs)


def test_neighbours_in_memory_are_apart(fast):
    compiled = fast(halve)
    for seed in range(6):
        ours, theirs = (np.random.default_rng(seed).normal(size=(MANY, 3)) for _ in "ab")
        np.testing.assert_array_equal(compiled(list(ours[::-1])), halve(list(theirs[::-1])))
        np.testing.assert_array_equal(ours, theirs)
    assert compiled.stats()["eager"] == 0


def test_memory_may_be_shared_by_what_is_read(fast):
    compiled = fast(total)
    for seed in range(6):
        x = np.random.default_rng(seed).normal(size=MANY + 2)
        parts = [x[k : k + 3] for k in range(MANY)]
        np.testing.assert_allclose(compiled(parts), total(parts), rtol=1e-12)
    assert compiled.stats()["recordings"] == 1
