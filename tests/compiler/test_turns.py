"""Turns of long programs: found all at once, and kept in few bytes; decisions that are looked at together."""

import numpy as np
import pytest
from tests.compiler.recordings import recorded

import wengert as wg
from wengert.compiler import making, roll
from wengert.compiler.again import Replaced
from wengert.compiler.found import Found
from wengert.compiler.program import Program
from wengert.compiler.roll import Chunk
from wengert.compiler.run import Plan


def decided(x):
    total = x * 0.0
    for k in range(300):
        y = np.sin(x * (1 + 0.01 * k)) + 0.3 * total
        if y > 0.2:
            y = np.cos(y) + 0.5
        if y > 0.6:
            total = total + y * 0.1
    return total


def unrolled(x, w):
    out = wg.zeros((len(x), 3))
    h = np.zeros_like(w[0, :3])
    for t in range(len(x)):
        gates = np.concatenate([x[t], h]) * w
        h = np.tanh(gates[0, :3] + gates[1, 3:])
        out[t] = h
    return np.sum(out**2) + np.sum(h)


def as_found(found, forms):
    """The chunks, with forms numbered as they come."""
    numbers = {}
    steps = [s for s in found.steps if isinstance(s, Chunk)]
    forms.append(len({s.form for s in steps}))
    return [(numbers.setdefault(s.form, len(numbers)), s.outside, s.outputs) for s in steps]


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (wg.value_and_grad(decided), (np.float64(0.7),)),
        (wg.value_and_grad(lambda x: unrolled(x, W)), (np.random.default_rng(1).normal(size=(150, 3)),)),
    ],
)
def test_turns_found_at_once_are_those_found_one_by_one(f, args, monkeypatch):
    plan, forms = Plan(recorded(f, *args)), []
    at_once = as_found(plan.rolled, forms)
    monkeypatch.setattr(roll, "MOST_FORMS", 0)
    assert as_found(plan.rolled, forms) == at_once
    assert forms[0] == forms[1] < len(at_once)


W = np.random.default_rng(0).normal(size=(2, 6))


def test_packed_columns_are_those_that_were_packed():
    plan = Plan(recorded(wg.value_and_grad(decided), np.float64(0.7)))
    packed, columns = plan._columns, plan.columns
    assert packed.packed is not None
    assert len(packed.operands) == 0
    assert len(columns.operands) == columns.starts[-1]
    again = columns.program()
    assert [len(n.operands) for n in again.nodes] == np.diff(columns.starts).tolist()
    columns.pack()
    assert str(columns.unpacked().program()) == str(again)


def test_each_of_many_decisions_is_the_one_that_differs():
    def f(x):
        return np.array([1.0 if x[k] > 0 else -1.0 for k in range(21)]) * np.sum(x)

    fast, x = wg.compile(f), np.linspace(1.0, 2.0, 21)
    for _ in range(3):
        np.testing.assert_allclose(fast(x), f(x))
    for k in range(21):
        changed = x.copy()
        changed[k] *= -1
        changed[20] *= 1 - 2 * (k % 2)
        for _ in range(4):
            np.testing.assert_allclose(fast(changed), f(changed))
        np.testing.assert_allclose(fast(x), f(x))


def test_the_slope_of_tanh_is_one_call():
    program = recorded(wg.grad(lambda x: np.sum(np.tanh(x))), np.linspace(-2, 2, 5))
    assert [node.name for node in program.nodes].count("sech_squared") == 1
    f = wg.grad(lambda x: np.sum(np.tanh(x) ** 2 / x))
    x = np.array([0.0, -0.0, 1e-300, 0.3, -20.0, 400.0, np.inf, np.nan])
    with np.errstate(all="ignore"):
        for g in (f, wg.grad(lambda x: np.sum(f(x) * x))):
            fast, wanted = wg.compile(g), g(x)
            for _ in range(3):
                np.testing.assert_allclose(fast(x), wanted, rtol=1e-13, atol=1e-300)


def test_zero_cotangents_win_in_one_call():
    f = wg.grad(lambda x, w: np.sum(np.sqrt(x) * w))
    x, w = np.array([0.0, 4.0, 0.0]), np.array([0.0, 1.0, 2.0])
    fast = wg.compile(f)
    for _ in range(3):
        with np.errstate(all="ignore"):
            assert fast(x, w).tolist() == f(x, w).tolist() == [0.0, 0.25, np.inf]
    names = [node.name for node in recorded(f, x, w).nodes]
    assert names.count("guarded") == 1
    assert "isfinite" not in names


def test_memory_goes_from_one_native_function_to_the_next():
    fast, x = wg.compile(lambda x: np.cumsum(np.sort(np.sin(x)) @ np.ones((300, 300)))), np.ones(300)
    for _ in range(4):
        wanted = fast(x)
    (path,) = [path for kind in fast._kinds for path in kind.paths.values()]
    np.testing.assert_allclose(fast(x), wanted)
    assert path.native.own is None
    assert path.native.spare == []
    assert len(fast._shortcuts.entries[0].states.made) == 1


def test_what_an_interruption_leaves_makes_arrays():
    program, before = Program(), np.zeros
    program.replaced = Replaced()
    put, put_back = making.recordable_buffers(program, Found())
    put()
    left = np.zeros
    put_back()
    assert isinstance(left(3), wg.Tensor)
    assert np.zeros is before
    program.closed = True
    assert type(left(3)) is np.ndarray
