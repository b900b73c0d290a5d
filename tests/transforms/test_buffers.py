"""Writing in place where transformations meet: buffers that rise, indices that are batches, what is left behind."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import LevelError

X = np.array([0.3, -0.7, 0.5, 0.9, -0.2, 0.4])
BATCH = np.stack([X, 2 * X, X[::-1] ** 2])


def sorted_in_place(x):
    y = x**2
    y.sort()
    return y * x


def placed(x):
    y = np.zeros_like(x)
    y[np.argsort(x)] = x**2
    return y * x


def named_twice(x):
    y = np.zeros_like(x)
    y[np.argsort(x) // 2] = x**2
    return y


def added_twice(x):
    y = np.zeros_like(x)
    np.add.at(y, np.argsort(x) // 2, x**2)
    return y * x


def through_views(x):
    y = wg.zeros((2, 6))
    row = y[1]
    row[np.argmin(x)] = x[1] ** 2
    y[0, np.argmax(x)] += x[2] ** 3
    return y[0] + y[1] * x


def rows_and_columns(x):
    y = np.outer(x, x)
    y[np.argsort(x), np.arange(6)] = x
    y[:, np.argmax(x)] = x**2
    return y @ x


def squares(f):
    return lambda x: np.sum(np.sin(f(x)))


WAYS = {
    "grad": lambda f: wg.grad(squares(f)),
    "jacobian": wg.jacobian,
    "forward jacobian": lambda f: wg.jacobian(f, mode="forward"),
    "hessian": lambda f: wg.hessian(squares(f)),
    "laplacian": wg.laplacian,
    "checkpoint": lambda f: wg.grad(wg.checkpoint(squares(f))),
    "grad of grad": lambda f: wg.grad(lambda x: np.sum(wg.grad(squares(f))(x) ** 2)),
    "vmap": lambda f: lambda x: wg.vmap(f)(np.stack([x, -x])),
    "grad of vmap": lambda f: wg.grad(lambda x: np.sum(np.sin(wg.vmap(f)(np.stack([x, -x]))))),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "f", [sorted_in_place, placed, named_twice, added_twice, through_views, rows_and_columns], ids=lambda f: f.__name__
)
def test_indices_that_differ_between_examples(f, way):
    g = WAYS[way](f)
    np.testing.assert_allclose(wg.vmap(g)(BATCH), np.stack([g(x) for x in BATCH]), atol=1e-13)


@pytest.mark.filterwarnings("ignore::wengert.errors.BatchWarning")
@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum])
def test_methods_at_take_an_index_for_each_axis(ufunc):
    def combined(x):
        table = np.ones_like(x, shape=(6, 8))
        ufunc.at(table, (np.argsort(x), np.array([7])), 3 * x)
        ufunc.at(table, (0, np.argsort(x)), x)
        return table

    np.testing.assert_array_equal(wg.vmap(combined)(BATCH), np.stack([combined(x) for x in BATCH]))


def test_of_an_element_named_twice_the_last_write_counts():
    gradient = wg.vmap(wg.grad(lambda x: np.sum(named_twice(x))))(X[None])[0]
    last = np.argsort(X)[::-1]
    written = {place // 2: k for k, place in enumerate(np.argsort(X))}
    expected = np.zeros(6)
    expected[list(written.values())] = 2 * X[list(written.values())]
    assert len(written) < len(last)
    np.testing.assert_allclose(gradient, expected)


def test_forward_over_forward_through_views():
    def f(x):
        y = x * 1.0
        part = y[1:]
        part *= x[:-1]
        part[::2] += x[0] ** 3
        return np.sum(y * x)

    pushed = wg.jvp(lambda z: wg.jvp(f, (z,), (np.ones(6),))[1], (X,), (np.ones(6),))[1]
    hessian = wg.hessian(f)(X)
    np.testing.assert_allclose(pushed, np.sum(hessian))
    np.testing.assert_allclose(wg.laplacian(f)(X), np.trace(hessian))


def partly_constant(x, c):
    y = x * 1.0 + c * 0.0
    y[0] = c[0]
    y[1:] *= x[1]
    part = y[2:]
    part += c[2:]
    return np.sum(y * x * c)


def test_values_of_an_outer_transformation_are_constants_of_the_inner_one():
    c = 3 * X
    by_x = wg.grad(partly_constant)
    each = wg.vmap(lambda x: wg.grad(lambda z: partly_constant(z, 3 * x))(x))(BATCH)
    np.testing.assert_allclose(each, np.stack([by_x(x, 3 * x) for x in BATCH]))
    mixed = wg.jacobian(lambda c: by_x(X, c))(c)
    np.testing.assert_allclose(wg.jvp(lambda c: wg.grad(lambda x: partly_constant(x, c))(X), (c,), (X,))[1], mixed @ X)
    np.testing.assert_allclose(
        wg.grad(lambda c: wg.jvp(lambda x: partly_constant(x, c), (X,), (X,))[1])(c), X @ mixed, atol=1e-14
    )


@pytest.mark.parametrize("inner", [lambda g, x: wg.grad(g)(x), lambda g, x: wg.jvp(g, (x,), (x,))])
def test_what_an_inner_transformation_leaves_in_a_buffer_keeps_the_outer_history(inner):
    def f(x):
        buffer = x * 1.0

        def g(z):
            buffer[0] = z[0] * x[0]
            return np.sum(z**2 * buffer)

        inner(g, x)
        buffer[1] = x[2] ** 2
        part = buffer[3:]
        part *= x[0]
        return np.sum(buffer * x)

    def plain(x):
        return x[0] ** 3 + x[2] ** 2 * x[1] + x[2] ** 2 + x[0] * np.sum(x[3:] ** 2)

    np.testing.assert_allclose(wg.grad(f)(X), wg.grad(plain)(X))


def test_a_batch_left_in_a_buffer_from_outside_is_refused():
    buffer = wg.zeros(6)

    def write(x):
        buffer[:] = x
        return np.sum(buffer)

    wg.vmap(write)(BATCH)
    with pytest.raises(LevelError, match="made inside"):
        wg.grad(lambda x: np.sum(buffer * x))(X)

    def f(x):
        y = x * 1.0
        wg.vmap(lambda i: (y.__setitem__(i, 0.0), 1.0)[1])(np.array([0, 1]))
        return np.sum(y * x)

    with pytest.raises(LevelError, match="made inside"):
        wg.grad(f)(X)


def test_whatever_is_inside_can_be_printed():
    def f(x):
        assert repr(x) and str(x) and f"{x}"
        return np.sum(x**2)

    wg.vmap(wg.grad(f))(BATCH)
    wg.jvp(wg.grad(f), (X,), (X,))
    wg.hessian(f)(X)
