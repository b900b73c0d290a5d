"""Values of many parts, which are computed each into its place."""

import numpy as np
import pytest

import wengert as wg

N = 20


def rows(x):
    return np.stack([x * i for i in range(N)])


def columns(x):
    return np.stack([np.sin(x + i) for i in range(N)], axis=-1)


def joined_in_the_middle(x):
    a = x.reshape(2, 3, 2)
    return np.concatenate([a[:, : 1 + i % 3] + i for i in range(N)], axis=1)


def weighed(x):
    table = np.stack([x + i for i in range(N)]).T
    return np.sum(table * x[:, None], axis=1), table.mean(axis=0)


def filled(x):
    table, rest = np.zeros((N, 3)), np.ones((N, 2))
    for i in range(N):
        table[i] = x[:3] * i
    for i in range(N):
        table[i, 1] = x[i % 12]
    for i in range(N - 3):
        rest[i + 1, 1] = x[i % 12]
    return table, rest, table[1:] + rest[1:, :1]


def read_row_by_row(x):
    table = np.stack([x * i for i in range(N)])
    return [table[i] - table[i - 1] for i in range(N)][3], table[-1], table[2:4, 1]


def twice(x):
    table = np.stack([x.sum() + i for i in range(N)])
    return table, np.cumsum(table), table[::3] * table[5], np.vstack([table] * N)


def with_empty_parts(x):
    return np.concatenate([x[:0] if i % 2 else x for i in range(N)])


def of_other_kinds(x):
    whole, truth = x.astype(int), x > 1
    return np.stack([whole + i for i in range(N)]), np.stack([truth, ~truth] * N), np.stack([x.astype("f4")] * N)


def nested(x):
    inner = [np.concatenate([x[j : j + 1] * i for j in range(12)] + [x]) for i in range(N)]
    return np.stack(inner, axis=1)


def into_products(x):
    return np.stack([x[:4] + i for i in range(N)]) @ np.stack([x[4:8] * i for i in range(N)]).T


@pytest.mark.parametrize(
    "f",
    [
        rows,
        columns,
        joined_in_the_middle,
        weighed,
        filled,
        read_row_by_row,
        twice,
        with_empty_parts,
        of_other_kinds,
        nested,
        into_products,
    ],
)
def test_many_parts_are_as_numpy_puts_them(f):
    fast = wg.compile(f)
    for shift in range(3):
        x = np.linspace(0, 2, 12) + shift
        for a, b in zip(_parts(fast(x)), _parts(f(x)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-14)
    assert fast.stats()["recordings"] == 1


def _parts(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("f", [columns, joined_in_the_middle, nested, into_products])
def test_their_gradients(f):
    def loss(x):
        return np.sum(f(x) ** 2)

    x = np.linspace(0.5, 2, 12)
    np.testing.assert_allclose(wg.compile(wg.grad(loss))(x), wg.grad(loss)(x), rtol=1e-12)


def test_results_do_not_share_memory():
    fast = wg.compile(lambda x: (t := rows(x), t + 0, t.T))
    first, second, third = fast(np.ones(3))
    first[:] = 7
    assert second.max() == third.max() == N - 1


def test_rows_of_a_long_program_are_made_in_their_places():
    def f(x):
        table = np.stack([np.sin(x * i) + i for i in range(700)])
        return table.sum(axis=0) * table[3], table

    fast = wg.compile(f)
    x = np.linspace(0, 1, 5)
    fast(x)
    for a, b in zip(fast(x + 1), f(x + 1), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    gradient = wg.grad(lambda x: f(x)[0].sum())
    np.testing.assert_allclose(wg.compile(gradient)(x), gradient(x), rtol=1e-10)
