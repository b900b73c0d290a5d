"""What has been made of a program once is found again, in this process or another."""

import gc
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from tests.compiler.recordings import recorded

import wengert as wg
from wengert.compiler import code, made
from wengert.compiler.cache import Store
from wengert.compiler.graph import Graph, Value
from wengert.compiler.lines import Loop, Writer
from wengert.compiler.run import Plan
from wengert.transforms.containers import flatten

X = np.random.default_rng(1).normal(size=(6, 6))


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The store that compiling uses meanwhile."""
    found = Store(tmp_path / "kept")
    for module in (code, made):
        monkeypatch.setattr(module, "current_store", lambda: found)
    return found


def files(store):
    return sorted(path for path in store.folder.rglob("*") if path.is_file())


def compared(f, *args):
    """Whether what there is was found, after a look at the results."""
    plan = Plan(recorded(f, *args))
    for found, expected in zip(plan(*args), flatten(f(*args))[0], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12 if args[0].dtype == float else 1e-5, atol=1e-14)
    return plan._kernels is None


def key_of(plan):
    return made._key([step.form for step in plan.rolled.steps], plan.rolled.meanings, 0, False)


def elementwise(x):
    return np.sum(np.sin(x) * np.exp(x[1:3, None] - 0.5) + x**2)


def products(x):
    y = np.tanh(x @ x.T) @ x
    return np.linalg.solve(y + 9 * np.eye(6), x), np.sum(y, axis=0)


def calls(x):
    values, vectors = np.linalg.eigh(x + x.T)
    return np.sort(values)[::-1] * np.sum(np.abs(vectors), axis=0), np.cumsum(x)


def steps(x):
    y = x
    for k in range(60):
        y = np.sin(y @ x) * 0.5 + np.cos(k + 0.1) * x
    return np.sum(y)


def as_they_come(x):
    y = 2 * x
    return x, y, y, np.ones((2, 3)), np.sum(y)


@pytest.mark.parametrize("f", [elementwise, products, calls, wg.grad(elementwise), wg.grad(steps), as_they_come])
def test_what_was_made_is_found(store, f, monkeypatch):
    assert not compared(f, X)
    before = files(store)
    monkeypatch.setattr(made.Template, "__init__", None)
    assert compared(f, X)
    assert files(store) == before


def test_its_text_is_made_once_more(store):
    program = recorded(elementwise, X)
    text = Plan(program).text
    again = Plan(program)
    assert again._kernels is None
    assert again.text == text


def test_other_shapes_and_numbers_are_other_programs(store):
    for f in (lambda x: np.sin(x) * 2.5, lambda x: np.sin(x) * 3.5, lambda x: np.cos(x) * 2.5):
        assert not compared(f, X)
    assert not compared(lambda x: np.sin(x) * 2.5, X[:3])
    assert not compared(lambda x: np.sin(x) * 2.5, X.astype(np.float32))
    assert compared(lambda x: np.sin(x) * 2.5, -X)


def test_arrays_of_data_are_no_part_of_the_program(store):
    data = [np.random.default_rng(k).normal(size=(6, 6)) for k in range(2)]
    assert not compared(lambda x: np.sum(x * data[0]), X)
    assert compared(lambda x: np.sum(x * data[1]), X)


def test_calls_go_to_the_functions_of_their_own_program(store):
    first, second = lambda x: np.linalg.eigvalsh(x + x.T), lambda x: np.linalg.svd(x + x.T)[1][::-1]
    assert not compared(first, X)
    compared(second, X)
    assert compared(first, X)
    assert compared(second, X)


def test_what_has_no_name_is_not_kept(store):
    class Setting:
        pass

    def key(*signature):
        return made._key([b""], [(signature, None, None)], 0, False)

    assert key(np.add, ())
    assert key(np.add, (Setting(),)) is None
    assert key(np.frompyfunc(abs, 1, 1), ()) is None


def test_forms_are_spelled_alike_in_every_process():
    first, second = (Plan(recorded(wg.grad(steps), X)).rolled for _ in range(2))
    texts = list(map(made.spelled, first.meanings))
    assert texts == list(map(made.spelled, second.meanings))
    assert [step.form for step in first.steps] == [step.form for step in second.steps]
    assert not any("0x" in text for text in texts)
    assert len(set(texts)) == len(texts)


def test_damage_means_making_it_again(store):
    compared(elementwise, X)
    key = key_of(Plan(recorded(elementwise, X)))
    path = store._path(key)
    whole = path.read_bytes()
    for damage in (whole[:-5], whole[:40], b"", bytes(len(whole))):
        path.write_bytes(damage)
        assert not compared(elementwise, X)
        assert compared(elementwise, X)


def test_what_needs_a_function_that_is_not_here_is_made_again(store):
    plan = Plan(recorded(elementwise, X))
    key = key_of(plan)
    count, declared, *rest = pickle.loads(store.load(key))
    store.keep(key, pickle.dumps((count, declared + "\ndeclare double @no_such_function(double)", *rest)))
    assert not compared(elementwise, X)
    assert compared(elementwise, X)
    store.keep(key, b"something else")
    assert not compared(elementwise, X)


PROCESS = """
import os, sys
import numpy as np
import wengert as wg
from wengert.compiler import made
how = sys.argv[1]
if how == "killed":
    os.replace = lambda *_: os._exit(9)
if how == "known":
    made.Template.__init__ = None
f = wg.compile(wg.grad(lambda x: np.sum(np.sin(x) * x @ x)))
x = np.arange(9.0).reshape(3, 3)
for _ in range(2):
    y = f(x)
np.testing.assert_allclose(y, wg.grad(lambda x: np.sum(np.sin(x) * x @ x))(x))
assert "runs as calls" not in f.explain(), f.explain()
"""


def test_processes_share_it_and_may_be_killed(tmp_path):
    settings = dict(os.environ, WENGERT_CACHE=str(tmp_path), PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    root = Path(__file__).parents[2]

    def run(how):
        return subprocess.run([sys.executable, "-c", PROCESS, how], env=settings, cwd=root, timeout=100).returncode

    assert run("killed") == 9
    assert run("usual") == 0
    assert run("known") == 0


def test_kernels_that_read_equal_parts_of_arrays_at_other_places_are_one():
    def likelihood(scores, steps, tags):
        a = scores[0]
        for k in range(1, 12):
            s = a[:, None] + steps + scores[k][None, :]
            m = np.max(s, axis=0)
            a = m + np.log(np.sum(np.exp(s - m), axis=0)) + steps[:, tags[k]]
        return a

    random = np.random.default_rng(0)
    given = random.normal(size=(12, 5)), random.normal(size=(5, 5)), random.integers(0, 5, 12)
    plan = Plan(recorded(likelihood, *given))
    np.testing.assert_allclose(plan(*given)[0], likelihood(*given), rtol=1e-14)
    assert plan.text.count("define void") <= 8


def test_parts_that_begin_elsewhere_are_read_where_they_lie():
    def parts(x, y):
        shifted = [x[k : k + 20, 3 - k :: -1] + y[k::4][:20, None] for k in range(4)]
        padded = np.pad(x[5:9, 1:], 2)
        return [*[np.sum(s, axis=1) for s in shifted], np.concatenate([padded[:, 3], x[30:, 2]]) * 2, x[::-1][2:9] - 1]

    random = np.random.default_rng(1)
    given = random.normal(size=(40, 4)), random.normal(size=100)
    for found, expected in zip(Plan(recorded(parts, *given))(*given), parts(*given), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_nothing_that_kernels_are_written_by_stays_until_a_collection():
    kinds = (Writer, Loop, Graph, Value)
    fast = wg.compile(wg.value_and_grad(lambda x: np.sum(np.sin(x) * np.exp(x) - x**3)))
    gc.collect()
    gc.disable()
    try:
        fast(np.linspace(0.0, 1.0, 50))
        left = [x for x in gc.get_objects() if isinstance(x, kinds)]
    finally:
        gc.enable()
    assert left == []


def added_through(z, x):
    np.add(z, x[0], out=z.reshape(1)[0:1].reshape(()))
    return z * 1


def written_beside(x):
    z = np.array(np.sum(x))
    v = z.reshape(1)
    v[0] = x[0] * 3
    return z * 1.0


def scaled_in_place(x):
    z = np.array(x[0] * 2)
    w = z[None]
    w *= x[1]
    return np.sum(z)


def added_in_place(x):
    z = np.asarray(x[0])
    v = z.ravel()
    v += x[1]
    return z * x[2]


def largest(x):
    z = np.array(x.max())
    w = np.atleast_1d(z)
    w[0] *= x[1]
    return z + 0


def seen_later(x):
    z = np.array(x @ x)
    v = z.ravel()
    z[...] = 7 * x[0]
    return np.sum(v * 1)


WITHOUT_AXES = {
    lambda x: added_through(np.array(x @ x), x): lambda x: 2 * x + np.eye(5)[0],
    written_beside: lambda x: 3 * np.eye(5)[0],
    scaled_in_place: lambda x: np.array([2 * x[1], 2 * x[0], 0, 0, 0]),
    added_in_place: lambda x: np.array([x[2], x[2], x[0] + x[1], 0, 0]),
    largest: lambda x: np.array([0, x[4], 0, 0, x[1]]),
    seen_later: lambda x: 7 * np.eye(5)[0],
}


@pytest.mark.parametrize("f", WITHOUT_AXES, ids=lambda f: f.__name__)
def test_an_array_without_axes_has_views(f):
    fast, gradient = wg.compile(f), wg.compile(wg.grad(f))
    for k in range(3):
        x = np.arange(1.0, 6) + k
        assert fast(x) == f(x)
        np.testing.assert_allclose(gradient(x), WITHOUT_AXES[f](x))
