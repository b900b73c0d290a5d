"""Values that many others are computed from are stored before their copies grow: code is linear in the program."""

import numpy as np
import pytest

import wengert as wg


def leapfrog(turns):
    def density(q):
        return -0.5 * np.sum(q**2) - np.sum((q[1:] - q[:-1]) ** 2)

    def f(q, p):
        for _ in range(turns):
            q = q + 0.01 * p
            p = p + 0.01 * wg.grad(density)(q)
        return q, p

    return f


def lines_of(fast):
    (kind,) = fast._kinds
    return kind.last.native.text.count("\n")


def test_the_code_of_a_leapfrog_integrator_grows_no_faster_than_its_steps():
    q, p, lines = np.arange(5.0) / 3, np.ones(5), []
    for turns in (5, 10, 20):
        f = leapfrog(turns)
        fast = wg.compile(f)
        for _ in range(2):
            for found, expected in zip(fast(q, p), f(q, p), strict=True):
                np.testing.assert_allclose(found, expected, 1e-12)
        lines.append(lines_of(fast))
    assert lines[1] < 2.5 * lines[0]
    assert lines[2] < 2.5 * lines[1]
    assert lines[2] < 20 * 500


@pytest.mark.parametrize("n", [5, 40, 3000])
def test_pieces_that_are_put_into_pieces(n):
    """What is asked for under conditions that exclude each other is asked for nowhere."""

    def f(x):
        a = wg.zeros(n)
        a[2:] = x[:-2] * 2
        b = np.concatenate([a[3:], x[:3]])
        c = wg.zeros(n)
        c[:-4] = b[4:] + a[:-4]
        c[1:] += np.concatenate([c[2:], b[:1]])
        return np.concatenate([c[:2] + a[-2:], np.roll(c, 1)[2:]]) + np.concatenate([x[-1:], a[:-1]])

    x = np.random.default_rng(3).normal(size=n)
    for g in (f, wg.grad(lambda x: np.sum(f(x) ** 2))):
        fast = wg.compile(g)
        for _ in range(2):
            np.testing.assert_allclose(fast(x), g(x), 1e-12)
