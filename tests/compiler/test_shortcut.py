import threading

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert as wg
from wengert.compiler import binding, compiled, native, shortcut, worth
from wengert.compiler.api import compile
from wengert.compiler.shortcut import MOST

if not native.probe():
    pytest.skip("this interpreter's objects are laid out in another way", allow_module_level=True)

X = np.linspace(0.1, 1, 7)
ENOUGH = 4
"""Calls after which there is a shortcut."""


def warm(f, *args, **kwargs):
    """Call until there is a shortcut; gives what the last call gave."""
    for _ in range(ENOUGH):
        result = f(*args, **kwargs)
    assert f._shortcuts.function is not None, f.explain()
    return result


def runs(f, *args, **kwargs):
    """What a call gives, and whether it went the short way."""
    before = f._shortcuts.runs
    result = f(*args, **kwargs)
    return result, f._shortcuts.runs > before


def test_arrays_that_are_always_the_same_are_new_each_time():
    f = compile(wg.grad(lambda x: np.dot(x, np.arange(7.0))))
    warm(f, X)
    for _ in range(3):
        result, short = runs(f, X + 1)
        assert short
        np.testing.assert_array_equal(result, np.arange(7.0))
        result[:] = 5.0


def test_calls_go_the_short_way_and_give_the_same():
    f = compile(wg.value_and_grad(lambda x: np.sum(np.sin(x) ** 2)))
    warm(f, X)
    (value, gradient), short = runs(f, 2 * X)
    assert short
    assert np.isclose(value, np.sum(np.sin(2 * X) ** 2))
    assert np.allclose(gradient, np.sin(4 * X))
    assert f.stats()["calls"] == ENOUGH + 1


@pytest.mark.filterwarnings("ignore::wengert.errors.CompileWarning")
def test_other_arguments_go_the_usual_way():
    f = compile(lambda x: np.exp(x) + 1)
    warm(f, X)
    for x in (np.ones(3), X.astype("f4"), np.float64(2.0), wg.tensor(X), X[None], 2.0):
        result, short = runs(f, x)
        assert not short
        plain = [a.data if isinstance(a, wg.Tensor) else a for a in (result, x)]
        assert np.allclose(plain[0], np.exp(plain[1]) + 1)
    assert runs(f, X[::-1])[1]
    with pytest.raises(TypeError):
        f()
    with pytest.raises(TypeError):
        f(X, X)
    with pytest.raises(TypeError):
        f(X, y=1)


def test_containers_names_and_constants():
    f = compile(lambda p, *, k, by: {"a": p["x"] * p["y"], "b": (k, [p["x"] + by, None])})
    given = {"x": X, "y": 2.0}
    warm(f, given, k="mean", by=3.0)
    result, short = runs(f, {"x": X, "y": 5.0}, k="mean", by=4.0)
    assert short
    assert np.allclose(result["a"], 5 * X)
    assert result["b"][0] == "mean"
    assert np.allclose(result["b"][1][0], X + 4)
    assert result["b"][1][1] is None
    result, short = runs(f, given, k="sum", by=3.0)
    assert not short
    assert result["b"][0] == "sum"
    assert np.allclose(f(given, by=3.0, k="mean")["a"], 2 * X)


def test_python_numbers_stay_python_numbers():
    f = compile(lambda x, s: (s * 2, np.sum(x) * s))
    warm(f, X, 2.0)
    (double, total), short = runs(f, X, 3.0)
    assert short
    assert double.__class__ is float
    assert double == 6.0
    assert np.isclose(total, 3 * X.sum())


SCALE = 2.0
TABLE = np.array([1, 0, 2, 1, 0, 2, 1])
OFFSET = X.copy()


def test_what_a_function_uses_is_looked_at():
    global SCALE, OFFSET
    weights = np.ones(7)

    def function(x):
        return (x * weights)[TABLE] * SCALE + OFFSET

    f = compile(function)
    for change in range(6):
        warm(f, X)
        result, short = runs(f, X)
        assert short, f.explain()
        assert np.allclose(result, function(X))
        if change == 0:
            weights[2] = 7
        elif change == 1:
            weights = np.arange(7.0)
        elif change == 2:
            TABLE[0] = 2
        elif change == 3:
            SCALE = 4.0
        elif change == 4:
            OFFSET = OFFSET + 1
        assert np.allclose(f(X), function(X))


def test_lists_that_become_longer():
    parts = [X, 2 * X]
    f = compile(lambda x: sum(part * x for part in parts))
    warm(f, X)
    assert runs(f, X)[1]
    parts.append(np.ones(7))
    assert np.allclose(f(X), 3 * X * X + X)
    del parts[0]
    assert np.allclose(f(X), 2 * X * X + X)
    parts[0] = 5 * X
    assert np.allclose(f(X), 5 * X * X + X)


def test_a_step_of_training():
    def run(wrap):
        w = wg.tensor(np.zeros(3), requires_grad=True)
        inputs = np.random.default_rng(0).standard_normal((20, 3))

        def step(rate):
            loss = np.mean((inputs @ w - 1.0) ** 2)
            loss.backward()
            with wg.no_grad():
                w.__isub__(rate * w.grad)
            w.zero_grad()
            return loss

        step = wrap(step)
        losses = [float(step(0.1 + 0.01 * k)) for k in range(20)]
        inputs += 0.1
        losses += [float(step(0.1)) for _ in range(5)]
        with wg.no_grad():
            w *= 0.5
        losses += [float(step(0.1)) for _ in range(5)]
        return losses, np.array(w.data), step

    expected, weights, _ = run(lambda f: f)
    losses, compiled_weights, step = run(compile)
    assert np.allclose(losses, expected)
    assert np.allclose(compiled_weights, weights)
    assert step._shortcuts.runs > 10


def test_gradients_that_are_kept():
    w = wg.tensor(np.ones(3), requires_grad=True)

    @compile
    def add(x):
        np.sum(w * x).backward()

    for k in range(1, 10):
        add(np.ones(3))
        assert np.allclose(w.grad, k)
        assert type(w.grad) is wg.Tensor
    assert add._shortcuts.runs > 3
    w.grad = None
    add(np.ones(3))
    assert np.allclose(w.grad, 1)


def test_ways_that_depend_on_values():
    def function(x):
        n = 0
        while np.sum(x) < 100 and n < 20:
            x, n = x * 2, n + 1
        return (x if x[0] > 0 else -x), n

    f = compile(function)
    starts = [np.full(3, s) for s in (1.0, 3.0, 50.0, -1.0)]
    for _ in range(8):
        for x in starts:
            result, expected = f(x), function(x)
            assert np.allclose(result[0], expected[0])
            assert result[1] == expected[1]
    assert f._shortcuts.runs > 0
    x = np.full(3, 9.0)
    assert np.allclose(f(x)[0], function(x)[0])


def test_exceptions_are_those_of_the_function():
    def function(x):
        try:
            return np.linalg.cholesky(x)
        except np.linalg.LinAlgError:
            return x * 0

    f = compile(function)
    good = np.eye(3) * 4.0
    warm(f, good)
    assert np.allclose(f(good), 2 * np.eye(3))
    assert np.allclose(f(-good), 0)
    assert np.allclose(f(good), 2 * np.eye(3))


def test_the_same_argument_twice():
    f = compile(lambda x, y, z: x * y + z)
    warm(f, X, X, X)
    assert runs(f, X, X, X)[1]
    assert np.allclose(f(X, X, X), X * X + X)
    assert np.allclose(f(X, 2 * X, X), 2 * X * X + X)
    assert np.allclose(f(X, X, 2 * X), X * X + 2 * X)
    warm(f, X, 2 * X, 3 * X)
    assert runs(f, 3 * X, 3 * X, X)[1]
    assert np.allclose(f(3 * X, 3 * X, X), 9 * X * X + X)


@pytest.mark.filterwarnings("ignore::wengert.errors.CompileWarning")
def test_many_kinds_of_arguments(monkeypatch):
    monkeypatch.setattr(worth, "RECORDINGS", 10 * MOST)
    monkeypatch.setattr(compiled, "MOST_NEW", 10 * MOST)
    f = compile(lambda x: x + 1)
    for n in range(1, 3 * MOST):
        for _ in range(ENOUGH):
            assert np.array_equal(f(np.ones(n)), np.full(n, 2.0))
    assert len(f._shortcuts.entries) == MOST
    for _ in range(100):
        f(np.ones(3 * MOST - 1))
    assert runs(f, np.ones(3 * MOST - 1))[1]


def test_without_the_native_entry(monkeypatch):
    monkeypatch.setattr(binding, "probe", lambda: False)
    monkeypatch.setattr(shortcut, "probe", lambda: False)

    def function(x, p):
        y = np.sort(x * p["s"])
        return {"y": y, "n": np.sum(y) if y[0] > 0 else -1.0}

    f = compile(wg.value_and_grad(lambda x, p: np.sum(function(x, p)["y"] ** 2)))
    g = compile(function)
    for x in (X, X[::-1], -X, np.ones(3)):
        for s in (2.0, 3.0):
            for _ in range(3):
                assert np.allclose(f(x, {"s": s})[0], np.sum((s * x) ** 2))
                assert np.allclose(f(x, {"s": s})[1], 2 * s * s * x)
                found, expected = g(x, {"s": s}), function(x, {"s": s})
                assert np.allclose(found["y"], expected["y"])
                assert np.isclose(found["n"], expected["n"])
    assert f._shortcuts.function is None


def test_modes_are_looked_at():
    w = wg.tensor(np.ones(3), requires_grad=True)

    def function(x):
        y = np.sum(w * x) * 1.0
        return float(y) if wg.is_recording() else -1.0

    f = compile(function)
    for _ in range(ENOUGH):
        assert f(np.ones(3)) == 3.0
        with wg.no_grad():
            assert f(np.ones(3)) == -1.0


def test_methods_and_attributes():
    class Model:
        def __init__(self):
            self.scale = np.array([1.0, 2.0, 3.0])
            self.power = 2

        @compile
        def __call__(self, x):
            return (self.scale * x) ** self.power

        run = compile(lambda self, x: (self.scale * x) ** self.power)

    model = Model()
    x = np.ones(3)
    for _ in range(ENOUGH + 1):
        assert np.allclose(model.run(x), model.scale**2)
    model.power = 3
    assert np.allclose(model.run(x), model.scale**3)
    model.scale = np.ones(3) * 2
    assert np.allclose(model.run(x), 8)


def test_threads_that_call_one_function():
    w = wg.tensor(np.ones(3))
    f = compile(lambda x: np.sum(w * x) * np.sum(np.cumsum(x)))
    warm(f, np.ones(3))
    wrong = []

    def work(k):
        x = np.full(3, float(k))
        wrong.extend(k for _ in range(300) if not np.isclose(float(f(x)), 3 * k * 6 * k))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def pair(t):
    return [wg.tensor(np.ones(2)), wg.tensor(np.ones(2))] if t is None else [t, t]


def test_one_tensor_given_twice_is_told_from_two():
    def add_to_first(a, b):
        with wg.no_grad():
            a += 1
        return b * 2

    def double_all(ts):
        with wg.no_grad():
            for t in ts:
                t *= 2

    f, g = compile(add_to_first), compile(double_all)
    for _ in range(ENOUGH):
        f(*pair(None))
        g(pair(None))
    assert runs(f, *pair(None))[1]
    t = wg.tensor(np.ones(2))
    result, short = runs(f, t, t)
    assert not short
    assert np.array_equal(result.data, [4, 4])
    t = wg.tensor(np.ones(2))
    g(pair(t))
    assert np.array_equal(t.data, [4, 4])


def test_one_leaf_given_twice_gets_both_gradients():
    f = compile(lambda a, b: np.sum(a * 2 + b * 3).backward())
    for _ in range(ENOUGH):
        f(*[wg.tensor(X, requires_grad=True) for _ in range(2)])
    w = wg.tensor(X, requires_grad=True)
    f(w, w)
    assert np.array_equal(w.grad.data, np.full(7, 5.0))


def test_a_captured_tensor_that_is_given_too_is_told_from_another():
    w = wg.tensor(np.zeros(2))

    def f(t):
        with wg.no_grad():
            w.__iadd__(1.0)
        return t * 1.0

    fast = compile(f)
    warm(fast, wg.tensor(np.full(2, 5.0)))
    assert np.array_equal(fast(w).data, w.data)


def test_one_array_given_twice_is_told_from_two():
    f = compile(lambda a, b: a + (1 if a is b else 2))
    warm(f, X, X.copy())
    assert np.array_equal(f(X, X), X + 1)


def test_the_order_of_keys_is_part_of_the_program():
    f = compile(lambda d: next(iter(d.values())) * 1.0)
    g = compile(lambda **d: next(iter(d.values())) * 1.0)
    a, b = X, 2 * X
    warm(f, {"a": a, "b": b})
    warm(g, a=a, b=b)
    assert np.array_equal(f({"b": b, "a": a}), b)
    assert np.array_equal(g(b=b, a=a), b)
    other = {"".join(["a", ""]): a, "b": b}
    assert runs(f, other)[1]
    assert np.array_equal(wg.grad(lambda x: np.sum(f({"b": 3 * x, "a": x})))(a), np.full(7, 3.0))


@pytest.mark.parametrize("dtype", [int, float])
def test_an_array_that_is_written_may_be_one_that_is_read(dtype):
    base = np.arange(6).astype(dtype)
    for table in (base, base[::2]):

        def f(a, table=table):
            a += 1
            return table.sum() * 1.0

        fast = compile(f)
        for _ in range(ENOUGH):
            fast(np.arange(6).astype(dtype))
        assert fast(base) == table.sum()
        assert fast(base) == table.sum()


def test_dictionaries_in_any_order_have_shortcuts():
    def f(x):
        return {"w": x * 2, "b": [x * 3, {"z": x * 4, "a": 5}], "c": x.sum()}

    fast = wg.compile(f)
    for k in range(6):
        x = np.arange(3.0) + k
        found, expected = fast(x), f(x)
        assert list(found) == list(expected) and list(found["b"][1]) == ["z", "a"] and found["b"][1]["a"] == 5
        for a, b in ((found["w"], x * 2), (found["b"][0], x * 3), (found["b"][1]["z"], x * 4), (found["c"], x.sum())):
            np.testing.assert_array_equal(a, b)
    assert "always through Python" not in fast.explain()


def test_that_a_name_that_is_not_there_costs_no_shortcut():
    namespace = {"np": np}
    exec("def f(x):\n    return np.sum(x) if x.ndim == 1 else elsewhere(x)", namespace)
    fast = compile(namespace["f"])
    for _ in range(4):
        assert fast(np.ones(3)) == 3
    assert fast._shortcuts.runs == 3
    namespace["elsewhere"] = lambda x: np.prod(x) * 2
    assert fast(np.ones((2, 2))) == 2
    assert fast(np.ones(3)) == 3
    del namespace["elsewhere"]
    with pytest.raises(NameError):
        fast(np.ones((2, 2)))
    assert fast(np.ones(3)) == 3
