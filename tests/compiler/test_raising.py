"""Calls that raise for some values, whether or not anybody uses what they give."""

import numpy as np
import pytest

import wengert as wg

x = np.arange(6.0)
whole = np.arange(6)
regular, singular, unknown = 2 * np.eye(3), np.ones((3, 3)), np.full((3, 3), np.nan)
places, beyond = np.array([0, 2]), np.array([0, 9])


def written(x, i):
    y = x * 1
    y[i] = 3.0
    return y


def added(x, i):
    y = x * 1
    np.add.at(y, i, 1.0)
    return y


def in_a_view(x, i):
    y = np.zeros(6)
    y[1:][i] = 3.0
    return y


CASES = {
    "an element": (lambda x, i: x[i], (x, np.int64(2)), (x, np.int64(9))),
    "elements": (lambda x, i: x[i], (x, places), (x, beyond)),
    "elements from the end": (lambda x, i: x[i], (x, -places), (x, -beyond)),
    "places of one byte": (lambda x, i: x[i], (x, places.astype(np.uint8)), (x, beyond.astype(np.uint8))),
    "two places": (lambda x, i: x.reshape(2, 3)[i, 0], (x, places // 2), (x, places)),
    "take": (np.take, (whole, places), (whole, beyond)),
    "take along": (lambda x, i: np.take_along_axis(x, i, 0), (x, places), (x, beyond)),
    "a block": (lambda a, i: a[np.ix_(i, i)], (regular, places), (regular, beyond)),
    "written": (written, (x, places), (x, beyond)),
    "added": (added, (x, places), (x, beyond)),
    "in a view": (in_a_view, (x, places), (x, beyond)),
    "powers": (lambda a, b: a**b, (whole, whole), (whole, -whole)),
    "inverse": (np.linalg.inv, (regular,), (singular,)),
    "equations": (lambda a: np.linalg.solve(a, np.ones(3)), (regular,), (singular,)),
    "cholesky": (np.linalg.cholesky, (regular,), (-regular,)),
    "eigenvalues": (np.linalg.eigvals, (regular,), (unknown,)),
    "singular values": (lambda a: np.linalg.svd(a)[1], (regular,), (unknown,)),
    "spectral norm": (lambda a: np.linalg.norm(a, 2), (regular,), (unknown,)),
    "matrix power": (lambda a: np.linalg.matrix_power(a, -2), (regular,), (singular,)),
    "choose": (lambda i, x: np.choose(i, [x, x + 1, x + 2]), (whole[:3], x[:3]), (whole[1:4], x[:3])),
    "unravel": (lambda i: np.unravel_index(i, (2, 3))[0], (places,), (beyond,)),
    "ravel": (lambda i: np.ravel_multi_index((i, i), (3, 3)), (places,), (beyond,)),
    "bins": (np.digitize, (x, np.array([0.0, 1, 2])), (x, np.array([0.0, 3, 2]))),
    "sorter": (lambda x, s: np.searchsorted(x, 2.0, sorter=s), (x[:3], whole[:3]), (x[:3], whole[:3] + 7)),
    "largest": (np.nanargmax, (x,), (x * np.nan,)),
    "counts": (lambda i: np.bincount(i, minlength=4), (places,), (-places,)),
}


def used(call):
    return lambda *args: call(*args) * 2


def unused(call):
    def function(*args):
        call(*args)
        return np.sum(args[0]) + 1.0

    return function


def unused_by_a_gradient(call):
    def function(*args):
        def inside(z):
            call(*args)
            return np.sum(z * z)

        return wg.grad(inside)(args[0] * 1.0)

    return function


def unused_in_a_long_program(call):
    def function(*args):
        s = np.sum(args[0]) * 1e-3
        for k in range(1300):
            if k == 600:
                call(*args)
            s = np.sin(s) + 0.5
        return s

    return function


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("use", [used, unused, unused_by_a_gradient])
def test_raises_as_the_function_does(name, use):
    raises_as_it_does(use, *CASES[name])


@pytest.mark.parametrize("name", ["elements", "inverse", "singular values"])
def test_raises_in_a_long_program(name):
    raises_as_it_does(unused_in_a_long_program, *CASES[name])


def raises_as_it_does(use, call, good, bad):
    function = use(call)
    fast = wg.compile(function)
    with pytest.raises((IndexError, ValueError)) as expected:  # LinAlgError is one, too
        function(*bad)
    for _ in range(3):
        np.testing.assert_allclose(fast(*good), function(*good))
    with pytest.raises(type(expected.value)):
        fast(*bad)
    np.testing.assert_allclose(fast(*good), function(*good))


def test_of_what_kernels_check_only_the_check_is_left():
    fast = wg.compile(unused(lambda x, i: np.exp(x[i])))
    for _ in range(2):
        fast(x, places)
    assert "exp" not in fast.explain().split("loop", 1)[1]
    assert fast.stats()["eager"] == 0


NONE, SOME = np.zeros(6, bool), np.array([True, False, True, False, False, True])
TABLE = np.arange(12.0).reshape(6, 2)


def put(y, i, value):
    y[i] = value
    return y


COUNTS = {
    "nonzero": lambda b: x[np.nonzero(b)],
    "a method": lambda b: x[b.nonzero()],
    "where": lambda b: TABLE[np.where(b)[0], 1],
    "two axes": lambda b: TABLE[np.nonzero(np.outer(b, [True, True]))],
    "flatnonzero": lambda b: np.concatenate([x, np.flatnonzero(b)]),
    "argwhere": lambda b: TABLE[np.argwhere(b)[:, 0]],
    "compress": lambda b: np.compress(b, TABLE, axis=0),
    "extract": lambda b: np.extract(b, x),
    "take": lambda b: np.take(x, np.where(b)[0]),
    "a total": lambda b: np.flatnonzero(b).sum(),
    "a maximum": lambda b: np.max(x[np.flatnonzero(b)], initial=-1.0),
    "written": lambda b: put(x * 1, np.flatnonzero(b), 5.0),
    "the third on": lambda b: x[np.flatnonzero(b)[2:]],
}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("masks", [(NONE, SOME, SOME, NONE), (NONE, NONE, NONE, SOME, SOME), (SOME[::-1], NONE, SOME)])
def test_what_was_of_no_numbers_may_be_of_some(name, masks):
    fast = wg.compile(COUNTS[name])
    for b in masks:
        np.testing.assert_array_equal(fast(b), COUNTS[name](b))


def test_the_gradient_of_what_was_of_no_numbers():
    gradient = wg.grad(lambda x, b: np.sum(x[np.where(b)[0]] ** 2))
    fast = wg.compile(gradient)
    for b in (NONE, SOME, NONE, SOME):
        np.testing.assert_array_equal(fast(x, b), gradient(x, b))


@pytest.mark.parametrize("value", [[1.0, 2.0, 3.0], np.arange(3.0)])
def test_a_mask_of_another_count_than_what_is_written(value):
    def f(x, b):
        put(x * 1, b, value)
        return x * 2

    fast = wg.compile(f)
    for _ in range(3):
        np.testing.assert_array_equal(fast(x, SOME), x * 2)
    with pytest.raises(ValueError, match="3 input values"):
        fast(x, ~NONE)
