import math

import pytest

from wengert.errors import ArgumentError
from wengert.optim import schedules


def test_values():
    assert [schedules.constant(0.3)(t) for t in (0, 999)] == [0.3, 0.3]
    assert [schedules.step(1.0, 3, 0.5)(t) for t in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert [schedules.exponential(2.0, 0.5)(t) for t in range(3)] == [2, 1, 0.5]
    assert [schedules.piecewise([2, 4], [3, 2, 1])(t) for t in range(6)] == [3, 3, 2, 2, 1, 1]
    assert schedules.piecewise([], [0.1])(7) == 0.1


def test_cosine():
    rate = schedules.cosine(1.0, 10, final=0.2)
    for t in range(11):
        assert rate(t) == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi * t / 10)) / 2)
    assert rate(10) == rate(25) == pytest.approx(0.2)


def test_warmup():
    rate = schedules.warmup(3, schedules.exponential(1.0, 0.5))
    assert [rate(t) for t in range(6)] == [0.25, 0.5, 0.75, 1, 0.5, 0.25]
    assert [schedules.warmup(1, 4.0)(t) for t in range(3)] == [2, 4, 4]


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.step(1.0, 0),
        lambda: schedules.cosine(1.0, 0),
        lambda: schedules.warmup(0, 1.0),
        lambda: schedules.piecewise([1], [1.0]),
        lambda: schedules.piecewise([2, 1], [1.0, 2.0, 3.0]),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(ArgumentError):
        make()
