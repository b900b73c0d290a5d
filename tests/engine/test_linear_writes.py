"""Loops that fill an array part by part cost time in proportion to its length, not to its square."""

import sys

import numpy as np
import pytest

import wengert as wg

WIDTH = 128


def fill_elements(x):
    out = np.zeros_like(x)
    for i in range(len(x)):
        out[i] = np.sin(x[i])
    return np.sum(out * out)


def fill_rows(x):
    out = wg.zeros((len(x), WIDTH))
    for i in range(len(x)):
        out[i] = np.sin(x[i]) * np.ones(WIDTH)
    return np.sum(out * out)


def add_to_rows(x):
    out = wg.zeros((len(x), WIDTH))
    for i in range(len(x)):
        row = out[i]
        row += np.sin(x[i])
        row *= 2.0
    return np.sum(out * out)


def march(x):
    u = wg.zeros((len(x), WIDTH))
    for i in range(1, len(x)):
        u[i] = np.sin(u[i - 1]) * 0.5 + x[i]
    return np.sum(u * u)


def march_through_a_view(x):
    u = wg.zeros(len(x) * WIDTH)
    rows = u.reshape(len(x), WIDTH)
    for i in range(1, len(x)):
        rows[i] = rows[i - 1] * 0.5 + x[i]
    return np.sum(u * u)


def read_elements(x):
    total = 0.0
    for i in range(len(x)):
        total += np.sin(x[i]) * x[i]
    return total


def read_rows(x):
    rows = np.outer(x, np.ones(WIDTH))
    return sum(np.sum(np.sin(row) * row) for row in rows)


ELEMENT_LOOPS = [fill_elements, read_elements]
ROW_LOOPS = [fill_rows, add_to_rows, march, march_through_a_view, read_rows]


def run_backward(loop, x):
    loop(wg.tensor(x, requires_grad=True)).backward()


def run_create_graph(loop, x):
    leaf = wg.tensor(x, requires_grad=True)
    loop(leaf).backward(create_graph=True)
    gradient = leaf.grad
    leaf.zero_grad()
    np.sum(gradient * gradient).backward()


def run_grad(loop, x):
    wg.grad(loop)(x)


def run_nested(loop, x):
    wg.grad(lambda x: np.sum(wg.grad(loop)(x) ** 2))(x)


RUNS = [run_backward, run_grad, run_create_graph, run_nested]


def copies_of(size, function):
    """How often arrays of at least `size` elements are copied while `function` runs."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        if event == "c_call" and argument.__name__ in ("copy", "__deepcopy__"):
            owner = argument.__self__
            count += isinstance(owner, np.ndarray) and owner.size >= size

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("loop", ELEMENT_LOOPS + ROW_LOOPS)
def test_whole_buffers_are_copied_a_fixed_number_of_times(loop, run):
    n = 60
    x = np.linspace(0.1, 1, n)
    run(loop, x)
    whole = n if loop in ELEMENT_LOOPS else n * WIDTH
    assert copies_of(whole, lambda: run(loop, x)) <= 12


def calls_in(run, loop, n):
    """How many functions are called, Python's and C's: what a run does, apart from the length of arrays."""
    x, count = np.linspace(0.1, 1, n), 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        run(loop, x)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("loop", ROW_LOOPS)
def test_work_grows_with_the_length_and_not_with_its_square(loop, run):
    # The second time: what is made for an operation once it has been used for a while, is made.
    short, long = (min(calls_in(run, loop, n) for _ in range(2)) for n in (100, 400))
    assert long < 5 * short
