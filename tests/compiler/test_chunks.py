"""Long programs: loops in chunks, buffers in pieces."""

import gc

import numpy as np
import pytest
from tests.compiler.recordings import recorded

import wengert as wg
from wengert.compiler.buffers import assembled
from wengert.compiler.cutting import cut
from wengert.compiler.program import Node
from wengert.compiler.replay import Replay
from wengert.compiler.roll import Chunk
from wengert.compiler.run import Plan
from wengert.transforms.containers import flatten

rng = np.random.default_rng(0)


def rows(xs, w, u):
    h = np.zeros_like(w[0])
    out = wg.zeros((len(xs), len(h)))
    for t in range(len(xs)):
        h = np.tanh(xs[t] @ w + h @ u)
        out[t] = h
    return np.sum(out * out) + np.sum(h)


def columns(xs, w, u):
    h = 0.0
    for t in range(xs.shape[0]):
        h = np.sin(h * w[0, 0] + xs[t, 0] * 0.1 * (t + 1)) + u[1, 1]
    return h + 0 * np.sum(w)


def backwards(xs, w, u):
    out = wg.zeros(len(xs))
    out[-1] = np.sum(xs[-1])
    for t in range(len(xs) - 2, -1, -1):
        out[t] = 0.5 * out[t + 1] + np.sum(xs[t] @ w)
    out[0] += out[3] * u[0, 0]
    return np.sum(out**2) + out[5]


ARGS = rng.normal(size=(120, 3)), rng.normal(size=(3, 4)), 0.3 * rng.normal(size=(4, 4))


@pytest.mark.parametrize("f", [rows, columns, backwards])
@pytest.mark.parametrize("order", ["value", "gradient"])
def test_loops_give_what_they_gave(f, order):
    g = f if order == "value" else wg.value_and_grad(f, (0, 1, 2))
    program = recorded(g, *ARGS)
    plan = Plan(program)
    others = [rng.normal(size=a.shape) for a in ARGS]
    for args in (ARGS, others):
        expected = flatten(g(*args))[0]
        for found in (Replay(program)(*args), Replay(plan.columns.program())(*args), plan(*args)):
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def test_turns_share_their_kernels():
    def recurrence(x):
        y = x
        for k in range(2000):
            y = np.sin(y) * x + 1.0 / (k + 3)
        return y

    program = recorded(wg.value_and_grad(recurrence), np.float64(0.3))
    plan = Plan(program)
    found = plan.rolled
    assert len(found.steps) > 50
    assert len({step.form for step in found.steps if isinstance(step, Chunk)}) <= 8
    assert plan.text.count("define ") <= 16
    np.testing.assert_allclose(np.ravel(plan(np.float64(0.7))), wg.value_and_grad(recurrence)(0.7), rtol=1e-12)


@pytest.mark.parametrize("number", [float, np.float64, np.float32, complex, np.complex128])
def test_numbers_in_calls_are_data(number):
    def f(x):
        for k in range(500):
            x = x * number(0.3 + 0.001 * k) + np.sin(x)
        return np.sum(x)

    program = recorded(f, rng.normal(size=3).astype(complex))
    assert len({step.form for step in Plan(program).rolled.steps if isinstance(step, Chunk)}) < 5


def test_pieces_are_written_once():
    columns = Plan(recorded(wg.grad(rows), *ARGS)).columns
    assert not {"assigned", "added"} & {call.name for call in columns.calls}
    assert {len(columns.operands_of(k)) for k in columns.rows_of(lambda c: c.function is assembled)} == {
        len(ARGS[0]) + 1
    }


@pytest.mark.parametrize("lengths", [(7, 40), (3, 200), (50, 9)])
def test_cuts_cover_a_sequence_and_find_its_turns(lengths):
    period, turns = lengths
    loop = np.tile(np.arange(period), turns)
    symbols = np.concatenate([100 + np.arange(37), loop, 200 + np.arange(11)])
    pieces = cut(symbols, [(k, k + 1) for k in range(len(symbols) - 1)], 25)
    edges = [start for start, _ in pieces] + [pieces[-1][1]]
    assert edges[0] == 0 and edges[-1] == len(symbols) and all(np.diff(edges) > 0)
    inside = {tuple(np.sort(symbols[a:b])) for a, b in pieces if a >= 37 + period and b <= 37 + len(loop) - period}
    assert len(inside) <= 3


def weighted(x):
    y = x
    for k in range(200):
        y = np.maximum(y * (1.5 + 0.25 * (k % 7)), 0.3 * y) - 0.1 * np.tanh(y)
        if y > 100.0:
            y = y * 0.01
    return y


def test_columns_hold_a_whole_program():
    program = recorded(wg.value_and_grad(weighted), np.float64(0.7))
    columns = Plan(program).columns
    assert columns.long and len(columns.calls) < 60
    again = columns.program()
    assert len(again.guards) == len(program.guards) == 200
    assert [guard.after for guard in again.guards] == sorted(guard.after for guard in again.guards)
    for given in (np.float64(0.7), np.float64(0.70001)):
        assert Replay(again)(given) == Replay(program)(given)


def test_nodes_are_let_go_once_a_program_is_native():
    before = sum(isinstance(x, Node) for x in gc.get_objects())
    fast = wg.compile(wg.value_and_grad(weighted))
    expected = wg.value_and_grad(weighted)(0.7)
    for _ in range(4):
        np.testing.assert_allclose(fast(np.float64(0.7)), expected, rtol=1e-12)
    gc.collect()
    # Guards, inputs and results.
    assert sum(isinstance(x, Node) for x in gc.get_objects()) - before < 3000
    assert "multiply" in fast.explain() and fast.stats()["paths"] == 1


def test_a_program_whose_nodes_are_gone_runs_call_by_call_where_it_has_to():
    def f(x, k):
        for _ in range(450):
            x = np.sin(x) + 0.1 * np.cos(x)
        return x + np.take(x, k)

    fast = wg.compile(f)
    x = rng.normal(size=5)
    for k in (1, 2, 4, 3):
        np.testing.assert_allclose(fast(x, np.array([k])), f(x, np.array([k])), rtol=1e-12)
    with pytest.raises(IndexError):
        fast(x, np.array([7]))


def test_pieces_of_arrays_follow_what_is_written():
    def f(x):
        x = x * 1.0
        first, few, last = x[0], x[1:3], x[-1]
        few *= 2.0
        x[0] = 5.0
        first[1] += 1.0
        last += first
        return x, few, first, x[2] * x[3], x[::2][1]

    x = rng.normal(size=(5, 3))
    for fast in (wg.compile(f), wg.compile(wg.jacobian(lambda x: f(x)[0]))):
        expected = f(x) if fast.function is f else wg.jacobian(lambda x: f(x)[0])(x)
        for _ in range(3):
            for a, b in zip(flatten(fast(x))[0], flatten(expected)[0], strict=True):
                np.testing.assert_allclose(a, b)


def test_a_program_that_cannot_be_made_native_after_all_is_there_again(monkeypatch):
    from wengert.compiler import path, run

    def fails(*_):
        raise RuntimeError("no kernels today")

    monkeypatch.setattr(run, "Made", fails)
    monkeypatch.setattr(path, "_named", str)

    def f(x):
        out = np.zeros_like(x)
        for k in range(len(x)):
            out[k] = np.sin(x[k]) + (1.0 if np.sum(x) > 0 else 2.0)
        return out

    x = rng.normal(size=4)
    fast = wg.compile(f)
    for given in (x, x, -x, x):
        np.testing.assert_array_equal(fast(given), f(given))
    assert "no kernels today" in fast.explain()


def test_turns_in_which_every_call_comes_more_than_once():
    turn = [0, 1, 2, 3, 1, 3, 2, 0, 0, 4, 0, 1, 2, 3, 4, 1, 3, 2, 0, 0, 4, 4]
    symbols = np.array([5, *turn * 60, 6], np.int32)
    bounds = cut(symbols, np.zeros((0, 2), np.int32), 40)
    lengths = [stop - start for start, stop in bounds]
    assert bounds[0][0] == 0 and bounds[-1][1] == len(symbols)
    assert lengths.count(22) > 50
