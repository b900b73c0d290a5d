"""Lists of recorded values, and arrays that anything has made: plain NumPy programs, compiled as they stand."""

import numpy as np
import numpy.linalg as linalg
import pytest
from numpy import mean

import wengert as wg
from wengert.errors import LostGradientError

A = np.arange(6.0).reshape(2, 3) + 1
W = np.array([2.0, 3.0])
LEVELS = np.linspace(0, 1, 4)
POINTS = [np.array([0.5, 1.4, 2.53]), np.array([0.7, 1.3, 2.1]), np.array([0.2, 1.9, 2.8])]

LISTS = {
    "operand": lambda x: np.sum(([x[0], x[1]] @ A) ** 2) + np.sum(W * [x[0], x[1]]) - (x[0], x[1]) @ W,
    "of tensors and numbers": lambda x: np.sum(x * [x[0], x[1], 2.0]) + np.sum([x[0], 1.0, x[1]] - x),
    "concatenate": lambda x: np.sum(np.concatenate([[x[0]], x, [1.0, x[1]]]) ** 2),
    "dot": lambda x: np.dot([x[0], x[1]], W) + np.inner([x[0], x[1]], W) + np.vdot([x[0], x[1]], W),
    "sum": lambda x: np.sum([x[0], x[1]]) * np.sum(([x[0], 1.0], [2.0, x[2]])) + mean([x[0], x[1]]),
    "max": lambda x: np.max([x[0], x[1], x[2]]) + np.min((x[0], x[1])) + np.prod([x[0], x[1], 3.0]),
    "stack": lambda x: np.sum(np.stack([[x[0], 1.0], [x[1], x[2]]]) ** 2) + np.sum(np.vstack([[x[0], 1], W])),
    "norm": lambda x: np.linalg.norm([x[0], x[1]]) + linalg.det([[x[0], x[1]], [x[2], 1.0]]),
    "hstack": lambda x: np.sum(np.hstack([x[0], [x[1]], x]) ** 2) + np.sum(np.column_stack([[x[0], x[1]], W])),
    "ufuncs": lambda x: np.sum(np.exp([x[0], x[1]]) * np.add([x[0], 1.0], [x[1], 2.0])) + np.minimum([x[0]], 1.0)[0],
    "methods of ufuncs": lambda x: np.logaddexp.reduce([x[0], x[1], x[2]]) + np.sum(np.add.outer([x[0], x[1]], W)),
    "solve": lambda x: np.sum(np.linalg.solve([[x[0], x[1]], [x[2], 1.0]], [x[0], 1.0])),
    "statistics": lambda x: np.std([x[0], x[1], x[2]]) + np.average([x[0], x[1]], weights=[1.0, x[2]]),
    "shapes": lambda x: np.sum(np.reshape([x[0], x[1], x[2], 1.0], (2, 2)) @ W) + np.sum(np.diag([x[0], x[1]]) @ W),
    "interp": lambda x: np.interp(x[0], [0.0, x[1], x[2]], [x[1], 1.0, x[0]]) + np.trapezoid([x[0] ** 2, x[1]]),
    "einsum": lambda x: np.einsum("i,i->", [x[0], x[1]], W) + np.polyval([x[0], x[1]], 2.0),
    "block": lambda x: np.sum(np.block([[x[0], x[1:]], [1.0, W]]) ** 2),
    "where": lambda x: np.sum(np.where([True, False], [x[0], x[1]], [x[1], x[2]])) + np.argmax([x[0], x[2]]) * x[0],
    "indexed joins": lambda x: np.sum(np.r_[x, 1.0, x[0]] ** 2) + np.sum(np.c_[x, [x[0], x[1], 1.0]] ** 2),
    "full": lambda x: np.sum(np.full(3, [x[0], x[1], 1.0]) ** 2) + np.sum(np.array([x[0], x[1]], ndmin=2) ** 2),
    "generator": lambda x: np.sum(np.fromiter((v**2 for v in x), float)),
    "vectorize": lambda x: np.sum(np.vectorize(lambda v, k: v**k if v > 1 else v)(x, [1, 2, 3])),
}


def written(x):
    t = np.zeros((2, 5))
    t[0, :3] = [x[0], x[1], x[2]]
    t[1, 2:] = (x[0] * x[1], x[2], 1.0)
    t[0, 3:] += [x[0], 2.0]
    return np.sum(t**2)


def arange(x):
    t = np.arange(5.0)
    for i in range(3):
        t[i] = x[i] * t[i + 1]
    u = t[1:]
    u[0] *= x[0]
    return np.sum(t**2)


def several_makers(x):
    a, b, c, d = np.linspace(0, 1, 3), np.repeat(1.5, 3), np.diag([1.0, 2.0, 3.0]), np.tile([1.0, 2.0], 3)
    a[0], b[2], c[0, 1] = x[0], x[1], x[2]
    d[::2] = x
    b += x
    return np.sum(c @ (a + b) + d[:3])


def copies(x):
    a, b, c = np.zeros_like(LEVELS), LEVELS.copy(), np.copy(LEVELS)
    a[:3], b[1], c[2:] = x, x[0] * x[1], [x[0], x[2]]
    return np.sum(a * b * c + b)


def long_list(x):
    t = np.array([0.0] * 700)
    for i in range(3):
        t[i] = x[i] ** 2
    return np.sum(t)


def whole_arrays(x):
    a, b, c, d = np.arange(3.0), np.arange(3.0), np.arange(3.0), np.arange(3.0)
    a.fill(x[0])
    b -= [x[0], x[1], 1.0]
    np.copyto(c, x)
    np.multiply(x, 2, out=d)
    return np.sum((a + b) * c * d)


def times_of_a_list(x):
    return np.sum(np.arange(2.0) * [x[0], x[1]]) + np.sum([x[0], x[1]] - np.arange(2.0))


def most_likely(x):
    n = 4
    score, back = np.zeros((n, 3)), np.zeros((n, 3), dtype=int)
    score[0] = x
    steps = np.log(np.outer(x, x[::-1]) + 1)
    for t in range(1, n):
        for j in range(3):
            reached = score[t - 1] + steps[:, j]
            back[t, j] = np.argmax(reached)
            score[t, j] = reached[back[t, j]] + np.sin(x[j] * t)
    path = np.zeros(n, dtype=int)
    path[-1] = np.argmax(score[-1])
    for t in range(n - 2, -1, -1):
        path[t] = back[t + 1, path[t + 1]]
    return score[-1, path[-1]] + np.sum(score[np.arange(n), path])


def flat(x):
    t = np.outer(x, x)
    t.T.flat[1] = 3.0 * x[0]
    t[:, ::2].flat = [x[0], x[1]]
    for v in x.flat:
        t = t + v**2
    return np.sum(t**2) * x.flat[1] + np.sum(x.flat[:2]) + np.sum(x.flat)


def enumerated(x):
    total = 0.0
    for (i, j), v in np.ndenumerate(np.outer(x, x)):
        total = total + (i - 2 * j) * v**2
    for i in np.ndindex(x.shape):
        total = total + i[0] * x[i] ** 2
    for v in np.nditer(x):
        total = total + v**3
    return total


PROGRAMS = LISTS | {
    f.__name__: f
    for f in (
        written, arange, several_makers, copies, long_list, whole_arrays, times_of_a_list, most_likely, flat,
        enumerated,
    )
}  # fmt: skip


def differences(f, x):
    """The gradient by differences."""
    steps = 1e-6 * np.eye(x.size)
    return np.array([(f(x + step) - f(x - step)) / 2e-6 for step in steps])


@pytest.mark.parametrize("f", PROGRAMS.values(), ids=PROGRAMS)
def test_one_recording_serves_for_all_values(f):
    fast, gradient = wg.compile(f), wg.compile(wg.grad(f))
    for x in (*POINTS, *POINTS):
        np.testing.assert_allclose(fast(x), f(x), 1e-12)
        np.testing.assert_allclose(gradient(x), differences(f, x), 1e-5, 1e-7)
    for compiled in (fast, gradient):
        assert compiled.stats()["recordings"] == 1
        assert compiled.stats()["eager"] == 0


METHODS = {
    "add": lambda *given: np.add.at(*given),
    "subtract": lambda *given: np.subtract.at(*given),
    "maximum": lambda *given: np.maximum.at(*given),
    "bitwise or": lambda *given: np.bitwise_or.at(*given),
}


@pytest.mark.parametrize("at", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("make", [lambda: np.zeros((4, 3), int), lambda: np.full((4, 3), 2, dtype=np.uint8),
                                  lambda: np.arange(12).reshape(4, 3)])  # fmt: skip
def test_methods_at_take_an_index_for_each_axis(make, at):
    def counted(x):
        table, rows = make(), x.astype(int)
        at(table, (rows, np.arange(3)), np.uint8(1))
        return table, np.sum(table[rows, [0, 1, 2]] * x**2)

    fast = wg.compile(counted)
    for x in (*POINTS, *POINTS):
        np.testing.assert_array_equal(fast(x)[0], counted(x)[0])
        gradient = wg.compile(wg.grad(lambda x: counted(x)[1]))(x)
        np.testing.assert_allclose(gradient, 2 * x * counted(x)[0][x.astype(int), np.arange(3)])


def test_elements_of_matrices_are_added_up_in_tables_of_several_kinds():
    def assembled(stiffness, corners):
        places = corners[:, :, None], corners[:, None, :]
        count, matrix = np.zeros((5, 5), int), np.zeros((5, 5))
        np.add.at(count, places, 1)
        np.add.at(matrix, places, stiffness[:, None, None] * np.eye(3))
        flat = np.bincount(np.ravel_multi_index((corners[:, 0], 2), (5, 5)), minlength=25)
        return np.sum(matrix / np.maximum(count, 1)) + np.sum(flat * np.arange(25))

    fast = wg.compile(wg.value_and_grad(assembled))
    for corners in (np.array([[0, 2, 4], [2, 3, 4]]), np.array([[1, 2, 4], [0, 3, 4]])):
        for stiffness in (np.ones(2), np.array([0.5, 3.0])):
            value, gradient = fast(stiffness, corners)
            np.testing.assert_allclose(value, assembled(stiffness, corners), 1e-12)
            slopes = [assembled(e, corners) - assembled(0 * e, corners) for e in np.eye(2)]
            np.testing.assert_allclose(gradient, slopes, 1e-12)


def test_forward_mode_and_examples_take_lists_and_buffers_as_well():
    x, v = POINTS[0], np.array([1.0, -2.0, 0.5])
    f = LISTS["sum"]
    value, slope = wg.compile(lambda x: wg.jvp(f, (x,), (v,)))(x)
    np.testing.assert_allclose([value, slope], [f(x), differences(f, x) @ v], 1e-6)
    several = wg.compile(wg.vmap(copies))(np.stack(POINTS))
    np.testing.assert_allclose(several, list(map(copies, POINTS)), 1e-12)


def test_numpy_is_as_before():
    names = "sum", "exp", "arange", "linalg", "r_", "vectorize", "zeros", "nditer"
    before = [getattr(np, name) for name in names]
    module = np
    for f in (*LISTS.values(), enumerated):
        wg.compile(wg.grad(f))(POINTS[0])
    assert np is module
    assert all(getattr(np, name) is value for name, value in zip(names, before, strict=True))
    assert linalg.det is np.linalg.det


def test_what_was_appended_is_there_once():
    seen = []

    def f(x):
        seen.append(len(seen))
        return np.sum([x[0], x[1]])

    assert wg.compile(f)(POINTS[0]) == f(POINTS[0])
    assert seen == [0, 1]


def test_an_iterator_with_options_is_left_to_the_function():
    def f(x):
        t = np.zeros((2, 3))
        with np.nditer(t, flags=["multi_index"], op_flags=[["readwrite"]]) as places:
            for place in places:
                place[...] = x[places.multi_index[1]]
        return np.sum(t**2)

    fast = wg.compile(f)
    for x in POINTS:
        assert fast(x) == f(x)
    assert "nditer" in fast.stats()["given up"][0]
    with pytest.raises(LostGradientError):
        wg.compile(wg.grad(f))(POINTS[0])


def test_functions_of_numpys_are_told_by_identity():
    def f(x, how=np.sum):
        parts = np.mean([x[0], x[1]])
        return parts if how is np.sum else -parts

    fast = wg.compile(f)
    for x in POINTS:
        assert fast(x) == f(x)


def test_a_gradient_that_is_lost_is_told_where_no_list_can_be_joined():
    class Other:
        def __float__(self):
            return 0.0

    def f(x):
        table = {"values": bytearray(3)}
        table["values"][0] = int(x[0] * 0)
        return float(Other()) + np.sum(np.array([0, 1, 2]).astype(float) * x)

    np.testing.assert_allclose(wg.compile(wg.grad(f))(POINTS[0]), [0.0, 1.0, 2.0])


def branching(x):
    table = np.zeros(3)
    table[:2] = [x[0], 2 * x[0]] if x[1] > 0 else [x[2], x[0]]
    for i in range(3):
        if x[i] > 1:
            table[i] += x[i] ** 2
    return np.sum(table * x)


def test_ways_that_are_not_kept_are_followed_all_the_same():
    gradient = wg.compile(wg.grad(branching))
    rng = np.random.default_rng(0)
    for _ in range(40):
        x = rng.normal(size=3) * 2
        np.testing.assert_allclose(gradient(x), differences(branching, x), 1e-5, 1e-6)


def test_functions_that_are_given_up_still_give_gradients():
    def f(x):
        table = np.zeros(3)
        table[0] = x[0]
        table[int(x[1] * 1e9) % 2 + 1] = x[1]
        return np.sum(table * x)

    gradient = wg.compile(wg.grad(f))
    for k in range(12):
        x = POINTS[0] + 0.01 * k
        place = int(x[1] * 1e9) % 2 + 1
        slopes = np.array([2 * x[0], x[place] * (1 + (place == 1)), x[1] * (place == 2)])
        np.testing.assert_allclose(gradient(x), slopes)


def test_iterators_that_are_too_short_raise_as_they_do():
    fast = wg.compile(lambda x: np.sum(np.fromiter((a * 2 for a in x), float, 5)))
    for _ in range(3):
        with pytest.raises(ValueError, match="too short"):
            fast(np.ones(3))
    assert fast(np.ones(6)) == 10.0
