"""Calls that are recorded in the fewest steps: they are those that the function makes, and no others."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from tests.compiler.beside import beside
from tests.compiler.recordings import recorded

import wengert as wg
from wengert.compiler import later
from wengert.compiler.preparing import COMMON, prepare
from wengert.compiler.program import Node, Program
from wengert.tensor import Tensor

X = np.linspace(-1.0, 2.0, 12).reshape(3, 4)
PAIRS = [
    (0.0, -0.0), (1, 1.0), (1, True), (np.float64(0.0), np.float64(-0.0)), (np.float32(1), np.float64(1)),
    (np.complex128(complex(-4, 0.0)), np.complex128(complex(-4, -0.0))),
]  # fmt: skip
"""Numbers that are equal, and not the same."""


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_equal_numbers_of_other_classes_or_signs_are_told_apart(one, other):
    def together(x):
        z = x + 0j if isinstance(one, np.complexfloating) else x
        pairs = [
            *[
                (np.copysign(1.0, np.real(f(n))), f(n))
                for n in (one, other)
                for f in (lambda n: z * n, lambda n: n * z)
            ],
            *[(np.where(x > 0, n, z), np.add(z, n)) for n in (one, other)],
        ]
        buffers = [np.zeros(4, complex if isinstance(one, np.complexfloating) else float) + z[0] for _ in range(2)]
        buffers[0][1], buffers[1][1] = one, other
        return pairs, [np.sqrt(b) if b.dtype.kind == "c" else np.copysign(1.0, b) for b in buffers]

    beside(together, (X,))


INDICES = [
    1, -1, (1, 2), (slice(None), 0), (slice(1, None), slice(None, None, -1)), (None, 1), (Ellipsis, 1), (), Ellipsis,
    (1, Ellipsis, None), (slice(0, 0), 1), None, True, (True, 1), ([0, 2], 1), X > 0,
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indices(index):
    beside(lambda x: (x[index] * 2.0, x.T.T[index]), (X,))
    beside(wg.grad(lambda x: np.sum(x[index] ** 2)), (X,))


@pytest.mark.parametrize("index", INDICES, ids=str)
@pytest.mark.parametrize("value", [2, -0.0, np.float32(1.5), np.inf, True])
def test_writes_of_numbers(index, value):
    def f(x):
        y = np.zeros_like(x) + x
        y[index] = value
        return np.copysign(y, x), np.copysign(1.0, y)

    beside(f, (X,))


def test_writes_of_values_and_additions_to_them():
    def f(x):
        y = np.zeros_like(x)
        y[None, 2] = x[0] ** 2
        y[:, 1] += x[:, 2]
        y[1, 2] = x[0, 0]
        y[0][1:3] = x[2, 1:3] * 3
        return np.sum(y**2), y

    beside(f, (X,))
    beside(wg.grad(lambda x: f(x)[0]), (X,))


def test_writes_through_views():
    def f(x):
        y = x * 1.0
        for view in (y.T, y.reshape(2, 6), y.ravel(), np.squeeze(y[None]), y[1], np.transpose(y, (1, 0))):
            view[0] = view[-1] + 1.0
        copies = [y.copy(), y.astype(float), y.flatten(), y * 1.0]
        for copy in copies:
            copy[0] = 7.0
        return y, copies

    beside(f, (X,))


def test_reductions_products_and_choices():
    def f(x):
        totals = [np.sum(x, axis=a) for a in (None, 0, (0,), (0, 1), -1)]
        rows = [x.mean(axis=1, keepdims=True), np.max(x, axis=0), x.min(), np.prod(x, (1,))]
        products = [x @ x.T, x[0] @ x[1], x @ x[0], np.matmul(x.T, x)]
        chosen = np.where(x > 0.5, x, 0.0), np.where(x[0] < 1, 2, x), np.where(np.isnan(x), -x, 1 / (1 + x * x))
        return totals, rows, products, chosen, (x >= 0) & (x != 1), np.sum(np.isfinite(x))

    beside(f, (X,), (X + 0.25,))
    beside(wg.grad(lambda x: sum(np.sum(part) for parts in f(x)[:4] for part in parts)), (X,))


def test_arguments_that_are_wrong_raise_as_they_do_otherwise():
    for f in (lambda x: x[5], lambda x: x[1, 2, 3], lambda x: np.sum(x, axis=7), lambda x: x @ x):
        with pytest.raises((IndexError, ValueError)) as expected:
            f(X)
        with pytest.raises(type(expected.value)):
            wg.compile(f)(X)


def test_equal_calls_are_one_node():
    def f(x):
        return (
            x[:, 1] * 2.0 + np.sum(x, axis=(0, 1)),
            x[:, 1] * 2.0 - np.sum(x, axis=(0, 1)),
            np.where(x > 0, x, 1.0),
            np.where(x > 0, x, 1.0),
        )

    names = [node.name for node in recorded(f, X).nodes]
    assert names.count("getitem") == names.count("sum") == names.count("where") == names.count("greater") == 1


def test_slices_of_large_arrays_are_there_at_once():
    x = np.linspace(0.0, 1.0, later.LARGE).reshape(-1, 4)

    def f(x):
        return np.sum(np.tanh(x[3]) * x[-1]) + np.sum(x * x)

    fast = beside(wg.value_and_grad(f), (x,), (x[::-1].copy(),))
    assert fast.stats()["paths"] == 1


def test_common_functions_are_there_before_the_first_program():
    prepare()
    assert all(function in Tensor._table for function in COMMON)


def test_nodes_that_two_threads_have_noted_at_once_have_numbers_of_their_own():
    program = Program()
    with program:
        first = program.input(np.ones(2))
        program.nodes.append(Node(first.index, first.call))  # as another thread does between two steps of this one's
        program.input(np.ones(2))
    assert [node.index for node in program.nodes] == [0, 1, 2]
