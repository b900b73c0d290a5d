"""Slices between bounds that only the program knows: read and written natively, and the same as NumPy's."""

import numpy as np
import pytest

import wengert as wg


def put(x, index, value):
    y = x.copy()
    y[index] = value
    return y


def added(x, index, value):
    y = x.copy()
    y[index] += value
    return y


PROGRAMS = {
    "both bounds": lambda x, k: x[0, k[0] : k[1]] * 2,
    "from": lambda x, k: np.cumsum(x[0, k[0] :]),
    "up to": lambda x, k: x[..., : k[1]] + 1,
    "rows": lambda x, k: x[k[0] : k[1]] + 1,
    "rows and columns": lambda x, k: x[k[0] : k[1], k[0] :] + 1,
    "beside a part": lambda x, k: x[1:, k[0] : k[1], None] + 1,
    "behind a new axis": lambda x, k: x[None, ..., k[0] : k[1]] + 1,
    "before an array": lambda x, k: x[k[0] : k[1], [0, 2]] + 1,
    "behind an array": lambda x, k: x[[0, 2], k[0] : k[1]] + 1,
    "beside a number": lambda x, k: x[k[2], k[0] : k[1]] + 1,
    "in two parts": lambda x, k: np.concatenate([x[:, k[0] :], x[:, : k[0]]], axis=1),
    "one number written": lambda x, k: put(x, slice(k[0], k[1]), 3.0),
    "one number added": lambda x, k: added(x, (slice(None), slice(k[0], k[1])), 3.0),
    "a row written": lambda x, k: put(x, slice(k[0], k[1]), np.arange(7.0)),
    "a column's part": lambda x, k: put(x, (slice(k[0], k[1]), 1), 3.0),
    "as much written": lambda x, k: put(x, slice(k[0], k[1]), x[k[0] : k[1]] ** 2),
    "as much added": lambda x, k: added(x, (1, slice(k[0], k[1])), x[0, k[0] : k[1]]),
}
RANDOM = np.random.default_rng(0)
BOUNDS = [
    (1, 3, 1),
    (2, 4, 0),
    (3, 5, 2),
    (1, 4, 2),
    (0, 9, 1),
    (3, 2, 1),
    (4, 4, 0),
    (-4, -2, 1),
    (-9, 2, -1),
    (90, 95, 0),
]


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint32])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_as_numpy_does(program, kind):
    fast = wg.compile(program)
    for _ in range(3):
        for bounds in BOUNDS:
            if min(bounds) < 0 and kind is np.uint32:
                continue
            x, k = RANDOM.normal(size=(6, 7)), np.array(bounds, kind)
            np.testing.assert_allclose(fast(x, k), program(x, k), rtol=1e-14)
    assert "NumPy's" not in fast.explain()
    assert "calls of NumPy" not in fast.explain()


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_derivatives(program):
    def f(x, k):
        return np.sum(np.sin(program(x, k)))

    inside, outside = wg.compile(wg.grad(f)), wg.grad(wg.compile(f))
    for bounds in BOUNDS:
        x, k = RANDOM.normal(size=(6, 7)), np.array(bounds)
        expected = wg.grad(f)(x, k)
        np.testing.assert_allclose(inside(x, k), expected, rtol=1e-13)
        np.testing.assert_allclose(outside(x, k), expected, rtol=1e-13)


def test_one_program_for_windows_of_one_length():
    def window(x, starts, n):
        return sum(x[s : s + n].sum() for s in starts)

    fast = wg.compile(window)
    for _ in range(20):
        x, starts = RANDOM.normal(size=50), RANDOM.integers(0, 40, 3)
        np.testing.assert_allclose(fast(x, starts, 10), window(x, starts, 10))
    assert fast.stats()["recordings"] == 1


def test_what_does_not_fit_is_numpys_error():
    fast = wg.compile(lambda x, v, k: put(x, slice(k[0], k[1]), v))
    x, v = np.zeros(5), np.ones(2)
    np.testing.assert_array_equal(fast(x, v, np.array([1, 3])), [0, 1, 1, 0, 0])
    for bounds in ([1, 4], [4, 9], [3, 3]):
        with pytest.raises(ValueError, match="broadcast"):
            fast(x, v, np.array(bounds))
    np.testing.assert_array_equal(fast(x, v, np.array([-2, 5])), [0, 0, 0, 1, 1])


@pytest.mark.parametrize(
    "program",
    [
        lambda x, k: x[k[0] : k[1] : k[2]],
        lambda x, k: x[k[1] : k[0] : -1],
        lambda x, k: x[k.astype(np.uint64)[0] :],
        lambda x, k: put(put(np.outer(x, x), (slice(k[0], None), slice(k[1], None)), 1.0), slice(k[2], k[1]), 2.0),
    ],
)
def test_what_has_no_native_form_is_right_too(program):
    fast = wg.compile(program)
    for bounds in [(1, 3, 1), (2, 4, 1), (0, 4, 2), (1, 3, 1), (5, 2, 3)]:
        x, k = RANDOM.normal(size=6), np.array(bounds)
        np.testing.assert_array_equal(fast(x, k), program(x, k))


def test_rows_of_a_sparse_matrix():
    """Compressed rows: where each one begins is in an array."""

    def times(starts, columns, numbers, x):
        y = np.zeros(len(starts) - 1)
        for i in range(len(y)):
            part = slice(starts[i], starts[i + 1])
            y[i] = numbers[part] @ x[columns[part]]
        return y

    fast = wg.compile(times)
    starts = np.array([0, 3, 5, 5, 9], np.uint32)
    for _ in range(5):
        columns, numbers, x = RANDOM.integers(0, 8, 9).astype(np.uint32), RANDOM.normal(size=9), RANDOM.normal(size=8)
        np.testing.assert_allclose(fast(starts, columns, numbers, x), times(starts, columns, numbers, x))
    assert "NumPy's" not in fast.explain()


def test_a_part_of_a_slice():
    def f(x, k):
        y = x.copy()
        part = y[k[0] : k[1]]
        part[part < 0] *= -1
        part[1:] += 1
        return y

    fast = wg.compile(f)
    gradient, expected = (
        wg.compile(wg.grad(lambda x, k: np.sum(f(x, k) ** 2))),
        wg.grad(lambda x, k: np.sum(f(x, k) ** 2)),
    )
    for bounds in [(1, 5), (2, 6), (0, 4), (1, 5)]:
        x, k = np.resize([1.0, -2.0], 8) * RANDOM.random(8), np.array(bounds)
        np.testing.assert_array_equal(fast(x, k), f(x, k))
        np.testing.assert_allclose(gradient(x, k), expected(x, k))
    assert "native compiler" not in gradient.explain()
    assert "TypeError" not in gradient.explain()
