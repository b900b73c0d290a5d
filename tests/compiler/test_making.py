"""Arrays that a recorded function makes and fills, as plain NumPy programs do."""

import threading

import numpy as np
import pytest
from numpy import zeros as nothing
from scipy import sparse

import wengert as wg

made = np.array


def table(x):
    t = np.zeros(6)
    t[:2] = x[:2]
    for i in range(2, 6):
        t[i] = t[i - 1] + t[i - 2] * x[2]
    return t


def with_out(x):
    b = np.empty(3)
    np.add(x, 1, out=b)
    b *= 2
    b[0] = x[1]
    return b.sum(), b


def listed(x):
    return np.array([[xi * 2, 1.0] for xi in x]) @ np.array([1.0, 2.0])


def copies(x):
    a, b = np.array(x), np.asarray(x)
    a[0] = 0
    return a, b, np.asarray(x, dtype=np.float32), np.ascontiguousarray(x[::-1])


def filled_with_a_value(x):
    return np.full(4, x[0]), np.full((2, 2), 3.0) * x[1], np.ones((40, 40)) * x[2]


def constants(x):
    return np.zeros(3), np.ones(2) + 1, np.full(1000, 2.5), np.full(2, -0.0), np.zeros((2, 3))[0], np.zeros(2, int)


def matrices(x):
    turn, shear, lower = np.eye(3), np.array([[1.0, 0.0], [0.0, 1.0]]), np.tri(2)
    turn[0, 0] = turn[1, 1] = np.cos(x[0])
    turn[1, 0] = np.sin(x[0])
    turn[0, 1] = -turn[1, 0]
    shear[0, 1] = x[1]
    lower[1] *= x[2]
    return turn @ turn, shear @ lower, np.identity(2), np.eye(30, k=1) * x[0]


def of_one_number(x):
    return np.full(1000, -0.0) * x[0], np.full(1000, np.nan), np.full(1000, np.inf) * x[1], np.ones(1000) / x[2]


@pytest.mark.parametrize(
    "f", [table, with_out, listed, copies, filled_with_a_value, constants, matrices, of_one_number]
)
def test_one_recording_serves_for_all_values(f):
    fast = wg.compile(f)
    for seed in range(3):
        x = np.random.default_rng(seed).uniform(0.5, 1, 3)
        for a, b in zip(_parts(fast(x)), _parts(f(x)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-15, atol=4e-16 if f is matrices else 0)
            assert np.array_equal(np.signbit(a), np.signbit(b))
            assert type(a) is type(b)
            assert a.dtype == b.dtype
    assert fast.stats()["recordings"] == 1


def _parts(result):
    return result if isinstance(result, tuple) else (result,)


def test_results_can_be_written_and_are_new_each_time():
    fast = wg.compile(lambda x: (np.zeros(3), x + 1))
    first, _ = fast(np.ones(3))
    first[:] = 7
    assert fast(np.ones(3))[0].tolist() == [0, 0, 0]


def test_numpy_is_as_before_when_the_function_fails():
    before = np.zeros, np.array

    @wg.compile
    def f(x):
        raise KeyError

    with pytest.raises(KeyError):
        f(np.ones(2))
    assert (np.zeros, np.array) == before


def test_derivatives_of_a_compiled_function_with_buffers():
    f = wg.compile(lambda x: np.sum(table(x) ** 2))
    x = np.array([0.5, 1.5, 2.0])
    steps = 1e-6 * np.eye(3)
    slopes = [(np.sum(table(x + h) ** 2) - np.sum(table(x - h) ** 2)) / 2e-6 for h in steps]
    np.testing.assert_allclose(wg.grad(f)(x), slopes, rtol=1e-6)


def test_what_is_put_together_of_recorded_values_takes_values_with_gradients():
    def f(x, s):
        state = np.array([s[0], s[1]])
        state[0] = np.sin(x)
        later = np.array(state)
        later[1] = state[0] * x
        return later.sum()

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(wg.compile(wg.grad(f))(x, np.ones((2, 2))), np.cos(x) * (1 + x) + np.sin(x))


def rows_by_numbers(p, which):
    """Parts that are chosen by numbers from an array are written in place."""
    table = np.zeros((3, 3))
    table[which[0]] += p
    row = table[which[1]]
    row += p * table[which[0]]
    row *= 2
    table[which[2], 0] += p[1]
    table[which] += p
    return np.sum(table**2) + table[which[1], which[0]]


def test_rows_that_numbers_choose_are_written_in_place():
    fast, gradient = wg.compile(rows_by_numbers), wg.compile(wg.grad(rows_by_numbers))
    p = np.array([0.5, 1.5, 2.0])
    for which in (np.array([1, 2, 0]), np.array([0, 1, 2]), np.array([1, 1, 1]), np.array([2, 0, -1])):
        np.testing.assert_allclose(fast(p, which), rows_by_numbers(p, which), rtol=1e-12)
        steps = 1e-6 * np.eye(3)
        slopes = [(rows_by_numbers(p + h, which) - rows_by_numbers(p - h, which)) / 2e-6 for h in steps]
        np.testing.assert_allclose(gradient(p, which), slopes, rtol=1e-6)
    assert fast.stats()["recordings"] == gradient.stats()["recordings"] == 1


@pytest.mark.parametrize("fill", [np.arange(600.0), np.full(600, 2.5), [1.0] * 599 + [2.0], 3.0])
def test_full_takes_arrays(fill):
    def f(x):
        return np.sum(np.full(600, fill) * x[0] * np.arange(600.0))

    x = np.array([1.5, 2.0])
    fast = wg.compile(wg.value_and_grad(f))
    for k in range(3):
        (value, gradient), expected = fast(x + k), np.sum(np.full(600, fill) * np.arange(600.0))
        np.testing.assert_allclose(value, expected * (1.5 + k))
        np.testing.assert_allclose(gradient, [expected, 0.0])


def test_other_threads_multiply_by_sparse_matrices_while_one_records():
    matrix = sparse.random(4, 6, density=0.4, format="csr", random_state=0)
    vector = np.linspace(0.1, 0.6, 6)

    def product(v):
        return np.sum(matrix @ v)

    results = []

    def beside():
        t = wg.tensor(vector, requires_grad=True)
        product(t).backward()
        results.append(t.grad)
        results.append(wg.grad(product)(vector))
        results.append(wg.jvp(product, (vector,), (vector,))[1])

    def function(x):
        other = threading.Thread(target=beside)
        other.start()
        other.join()
        return np.zeros(3) + x

    wg.compile(function)(np.ones(3))
    expected = matrix.T @ np.ones(4)
    for result, right in zip(results, (expected, expected, expected @ vector), strict=True):
        np.testing.assert_allclose(result, right)


def test_arrays_made_of_numbers_of_other_transformations():
    def written(x):
        a = np.array(x)
        b = a
        a += 1.0
        a[...] = a * x
        return b * x

    value, tangent = wg.compile(lambda y: wg.jvp(written, (y,), (1.0,)))(1.5)
    assert (value, tangent) == (5.625, 9.75)
    np.testing.assert_array_equal(wg.compile(wg.vmap(written))(np.array([1.5, 2.0])), [5.625, 12.0])
    assert wg.compile(wg.hessian(written))(1.5) == 11
    rows = wg.compile(wg.vmap(lambda x: np.array(x, ndmin=2)))(np.array([1.5, 2.0]))
    np.testing.assert_array_equal(rows, [[[1.5]], [[2.0]]])


def solved(sub, main, above, right):
    """L. H. Thomas's algorithm, as it is often written."""
    a, b, c, d = map(np.array, (sub, main, above, right))
    for i in range(1, len(d)):
        factor = a[i - 1] / b[i - 1]
        b[i] = b[i] - factor * c[i - 1]
        d[i] = d[i] - factor * d[i - 1]
    x = b
    x[-1] = d[-1] / b[-1]
    for i in range(len(d) - 2, -1, -1):
        x[i] = (d[i] - c[i] * x[i + 1]) / b[i]
    return x


def by_other_names(x):
    buffer, copy = nothing(3), made(x)
    buffer[:] = x
    copy[0] = copy[0] * x[1]
    return np.sum(buffer**2) + np.sum(copy**3)


def gathered(x):
    (first,) = map(np.asarray, ([x[0], x[1]],))
    rows = list(map(np.array, (x, x * 2)))
    rows[0][1] = first[0] * x[2]
    return sum(row @ row for row in rows)


@pytest.mark.parametrize("f", [lambda x: np.sum(solved(x[:2], x + 5, x[1:], x**2) ** 2), by_other_names, gathered])
def test_buffers_by_other_names_and_for_each_item(f):
    x, step = np.array([1.0, 2.0, 3.0]), 1e-6 * np.eye(3)
    fast = wg.compile(wg.grad(f))
    for k in range(4):
        expected = [(f(x + k + h) - f(x + k - h)) / 2e-6 for h in step]
        np.testing.assert_allclose(fast(x + k), expected, 1e-5)
    assert fast.stats()["eager"] == 0
    assert nothing is np.zeros
    assert made is np.array


def kept_elsewhere(x):
    KEPT["function"] = others
    return x * others(3)


def rebound(x):
    global rebindable
    y = rebindable(x)
    rebindable = len
    return y * 1


def looked_up(x):
    return x * TABLE.get(others, 7.0)


KEPT: dict = {}
others = np.ones
rebindable = np.array
TABLE = {np.ones: 2.0}


def test_what_code_does_more_with_than_call_it_stays_numpys():
    x = np.arange(3.0)
    for f in (kept_elsewhere, looked_up):
        fast = wg.compile(f)
        for _ in range(3):
            np.testing.assert_array_equal(fast(x), f(x))
    assert KEPT["function"] is np.ones
    wg.compile(rebound)(x)
    assert rebindable is len


@pytest.mark.parametrize("how", ["a sum", "a loop", "names", "a list"])
def test_cython_makes_arrays_of_its_own_for_map(how):
    def f(x):
        numbers = map(np.random.default_rng(0).standard_normal, (3, 3))
        if how == "a sum":
            return x * sum(numbers)
        if how == "a loop":
            for y in numbers:
                x = x * y
            return x
        if how == "names":
            a, b = numbers
            return x * a * b
        return x * list(numbers)[1] * np.zeros(3)

    fast = wg.compile(f)
    for _ in range(3):
        np.testing.assert_array_equal(fast(np.ones(3)), f(np.ones(3)))
