"""Large operations outside of compiled functions that are not elementwise, by compiled programs."""

import sys
import warnings

import numpy as np
import pytest
from tests.compiler.beside import gradients

import wengert as wg
from wengert import large, planned

pytest.importorskip("llvmlite.binding")


@pytest.fixture(autouse=True)
def programs_at_once(monkeypatch):
    """Programs are made at the first call."""
    monkeypatch.setattr(planned, "LEAST", 2000)
    monkeypatch.setattr(planned, "WARM", -1)
    monkeypatch.setattr(large, "WARM_IMPORT", -1)
    planned.forget()
    yield
    planned.forget()


def made():
    return sum(work.program is not None for works in planned._made for work in works.values())


FUNCTIONS = [
    lambda x: np.sum(x), lambda x: np.sum(x, axis=0), lambda x: np.mean(x, axis=1, keepdims=True),
    lambda x: np.max(x, axis=1), lambda x: np.min(x), lambda x: np.var(x, axis=0), lambda x: np.std(x, axis=1, ddof=1),
    lambda x: np.prod(x, axis=1), lambda x: np.cumsum(x, axis=1), lambda x: np.cumsum(x, axis=0),
    lambda x: np.cumprod(x, axis=1), lambda x: np.linalg.norm(x, axis=1), lambda x: wg.logsumexp(x, axis=1),
    lambda x: wg.softmax(x, axis=1), lambda x: wg.log_softmax(x, axis=0), lambda x: np.diff(x, axis=1),
]  # fmt: skip


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("k", range(len(FUNCTIONS)))
def test_functions(monkeypatch, k, char):
    x = np.random.default_rng(0).uniform(0.8, 1.2, (71, 53)).astype(char)
    x[:, 1] = x[:, 0]  # ties
    for _ in "ab":
        got = gradients(FUNCTIONS[k], x)
    assert made()
    monkeypatch.setattr(large, "kernels", lambda: None)
    planned.forget()
    for found, expected in zip(got, gradients(FUNCTIONS[k], x), strict=True):
        assert found.dtype == expected.dtype == char and found.shape == expected.shape
        np.testing.assert_allclose(
            found, expected, rtol=1e-11 if char == "d" else 1e-3, atol=1e-11 if char == "d" else 1e-4
        )


rng = np.random.default_rng(0)
ROW, COLUMN, MASK = rng.uniform(0.5, 2, 53), rng.uniform(0.5, 2, (71, 1)), rng.uniform(0, 1, (71, 53)) > 0.4
PAIRS = [
    (lambda x, b: x + b, ROW), (lambda x, b: b - x, ROW), (lambda x, b: x * b, ROW), (lambda x, b: x / b, ROW),
    (lambda x, b: b / x, COLUMN), (lambda x, b: np.maximum(x, b), COLUMN), (lambda x, b: np.hypot(b, x), COLUMN),
    (lambda x, b: x**b, ROW), (lambda x, b: x * b[0], ROW), (lambda x, b: x.T * b[:, 0], COLUMN),
    (lambda x, b: np.where(MASK, x, b), ROW), (lambda x, b: np.where(x > 1, x * b, 0.25), COLUMN),
    (lambda x, b: np.clip(x, 0.9, b), ROW), (lambda x, b: np.sum(x * b, axis=0), COLUMN),
    (lambda x, b: np.broadcast_to(np.sum(x, axis=1, keepdims=True), x.shape) * b, ROW),
]  # fmt: skip


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("k", range(len(PAIRS)))
def test_operands_that_are_broadcast(monkeypatch, k, char):
    function, other = PAIRS[k]
    x, found = np.random.default_rng(1).uniform(0.8, 1.2, (71, 53)).astype(char), []
    for _ in "abc":
        a, b = (wg.tensor(v.astype(char), requires_grad=True) for v in (x, other))
        y = function(a, b)
        np.sum(np.sin(y)).backward()  # cotangents of sums are stretched
        found = [y.detach().numpy(), a.grad.numpy(), b.grad.numpy()]
    assert made()
    monkeypatch.setattr(large, "kernels", lambda: None)
    planned.forget()
    a, b = (wg.tensor(v.astype(char), requires_grad=True) for v in (x, other))
    y = function(a, b)
    np.sum(np.sin(y)).backward()
    for got, expected in zip(found, (y.detach().numpy(), a.grad.numpy(), b.grad.numpy()), strict=True):
        assert got.dtype == expected.dtype == char and got.shape == expected.shape
        tolerance = 1e-11 if char == "d" else 1e-4
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * np.max(np.abs(expected)))


def test_results_have_numpys_memory_order():
    x = np.random.default_rng(0).uniform(0.5, 2, (71, 53))
    for function, other in (
        (lambda x, b: x.T * b, ROW[:, None]), (lambda x, b: wg.softmax(x.T, axis=1), ROW),
        (lambda x, b: np.where(x.T > 1, x.T, 2.0), ROW), (lambda x, b: x * b, ROW),
    ):  # fmt: skip
        plain = function(x, other)
        for _ in "ab":
            y = function(wg.tensor(x), other)
            assert y.data.flags.c_contiguous == plain.flags.c_contiguous
            np.testing.assert_allclose(y.numpy(), plain, rtol=1e-13)
    assert made()


def test_numbers_are_given_to_programs():
    x = wg.tensor(np.linspace(0, 1, 9000))
    for k in range(30):
        np.testing.assert_array_equal(np.where(x.numpy() > 0.5, x, k / 7), np.where(x.numpy() > 0.5, x.numpy(), k / 7))
    assert made() == 1


def test_decisions_by_values():
    """The derivative of a logarithmic sum looks at its size."""
    x = np.random.default_rng(0).normal(size=(60, 50))
    for scale in (1.0, 1.0, 100.0, 1.0, 300.0):
        t = wg.tensor(scale * x, requires_grad=True)
        np.sum(wg.logsumexp(t, axis=1)).backward()
        np.testing.assert_allclose(np.sum(np.asarray(t.grad), axis=1), 1, rtol=1e-12)


def test_results_that_are_not_finite_are_those_of_numpy_with_its_warnings():
    x = np.full((50, 60), 10.0)
    np.prod(wg.tensor(x), axis=1), np.prod(wg.tensor(x), axis=1)
    assert made()
    with pytest.warns(RuntimeWarning, match="overflow"):
        y = np.prod(wg.tensor(1e30 * x), axis=1)
    assert np.isinf(np.asarray(y)).all()
    x[0, 0] = np.nan
    assert np.isnan(np.asarray(np.prod(wg.tensor(x), axis=1))[0])


def test_what_does_not_fit_is_left_to_numpy():
    x = np.random.default_rng(0).normal(size=(80, 50))
    for view in (x.T, x[::2], x[:, ::-1], x.astype(int), x + 1j, x):
        for _ in "ab":
            np.testing.assert_allclose(np.asarray(np.cumsum(wg.tensor(view), axis=0)), np.cumsum(view, axis=0))


def test_few_shapes_have_programs(monkeypatch):
    monkeypatch.setattr(planned, "MOST", 12)
    for n in range(30):
        np.cumsum(wg.tensor(np.ones((50, 50 + n))), axis=0)
    assert all(len(works) <= planned.MOST for works in planned._made)


def test_shapes_that_come_to_nothing_make_room(monkeypatch):
    monkeypatch.setattr(planned, "WARM", 30_000)
    monkeypatch.setattr(planned, "MOST", 12)
    for n in range(50):
        np.prod(wg.tensor(np.ones((60, 50 + n))), axis=0)
    for _ in range(12):
        np.prod(wg.tensor(np.ones((60, 50))), axis=0)
    assert made() == 1 and all(len(works) <= planned.MOST for works in planned._made)


def test_results_are_arrays_of_their_own():
    x = wg.tensor(np.ones((50, 60)))
    one, other = (np.cumsum(x, axis=1) for _ in "ab")
    third = np.cumsum(x, axis=1)
    assert not np.shares_memory(other.data, third.data) and not np.shares_memory(one.data, third.data)


def test_higher_orders_and_nesting():
    x = np.random.default_rng(0).uniform(0.5, 1.5, (50, 60))

    def f(x):
        return np.sum(np.prod(wg.softmax(np.cumsum(x, axis=1), axis=1) + 1, axis=1))

    direction = np.cos(np.arange(x.size)).reshape(x.shape)
    first, *others = (wg.hvp(f, (x,), (direction,))[1][0] for _ in "abc")
    for product in others:
        np.testing.assert_allclose(product, first, rtol=1e-9, atol=1e-12)
    batched = wg.vmap(lambda row: np.cumsum(row) / np.sum(row))(x)
    np.testing.assert_allclose(batched, np.cumsum(x, axis=1) / np.sum(x, axis=1, keepdims=True))


def test_what_has_no_program_is_tried_once(monkeypatch):
    eager, asked = pytest.importorskip("wengert.compiler.eager"), []
    monkeypatch.setattr(eager, "program_of", lambda *args: asked.append(1))
    x = wg.tensor(np.ones((50, 60)))
    for _ in range(8):
        np.prod(x, axis=1)
    assert len(asked) == 1 and not made()


def test_small_arrays_and_short_work_have_none(monkeypatch):
    monkeypatch.setattr(planned, "WARM", 10**9)
    np.cumsum(wg.tensor(np.ones((50, 60))), axis=1)
    assert not made()
    with warnings.catch_warnings(action="error"):
        np.cumsum(wg.tensor(np.ones(60)))
    assert not made()


def test_the_compiler_is_imported_for_programs_alone(monkeypatch):
    monkeypatch.setattr(large, "WARM_IMPORT", 20_000)
    monkeypatch.setattr(large, "_total", 0)
    monkeypatch.delitem(sys.modules, "wengert.compiler.eager")
    x = wg.tensor(np.ones(9000))
    for _ in range(3):
        np.cumsum(x)
    assert made() == 1
