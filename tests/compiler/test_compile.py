"""`wg.compile`: what it takes, what it gives back, and what it tells."""

import gc
import itertools
import subprocess
import sys
import threading
import warnings
import weakref
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from tests.compiler.beside import beside, same

import wengert as wg
from wengert.errors import ArgumentError, CompileWarning

X, Y = np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.5, -0.7])


# Arguments and results ---------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", "a b")


@dataclass
class Point:
    x: object
    y: object


def test_containers():
    def f(p):
        return {"sum": p["a"][0] + p["b"], "all": [p["a"][1] * 2, None, "text", 3], "pair": Pair(p["b"], (p["b"],))}

    fast = beside(f, ({"a": (X, Y), "b": 2.0},), ({"a": (Y, X), "b": 3.5},))
    assert fast.stats()["recordings"] == 1


def test_dataclasses():
    fast = wg.compile(lambda p: Point(p.x + p.y, p.x * 2))
    for _ in range(2):
        found = fast(Point(X, Y))
        np.testing.assert_allclose(found.x, X + Y)


@pytest.mark.parametrize(
    "value", [1.5, np.float64(2.0), np.float32(3.0), np.array(4.0), 3, True, "a", None, 2j, np.int64(3), np.bool_(True)]
)
def test_results_have_the_classes_of_the_function(value):
    def f(x, v):
        return v, x, (v * 2 if not isinstance(v, (str, type(None))) else v)

    fast = wg.compile(f)
    for _ in range(3):
        found, expected = fast(X, value), f(X, value)
        same(found[1], expected[1])
        assert np.asarray(found[0] == expected[0]).all()
        if not isinstance(value, np.ndarray):
            same(found[2], expected[2])


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4", "i8", "u1", "?"])
def test_dtypes_are_those_of_the_function(dtype):
    x = (np.arange(6).reshape(2, 3) % 2).astype(dtype)
    beside(lambda x, lr: (x * 2, x + lr, lr * 3, np.sum(x), x * (lr / 3) ** 2), (x, 0.1), (x, 0.7))


def test_floats_are_inputs_and_whole_numbers_are_not():
    f = wg.compile(lambda x, lr, n: x * lr * n)
    for lr in (0.1, 0.2, 0.3):
        for n in (1, 2):
            np.testing.assert_allclose(f(X, lr, n), X * lr * n)
    assert f.stats()["recordings"] == 2


def test_static_arguments():
    class Mode:
        def __init__(self, n):
            self.n = n

    modes = Mode(1), Mode(2)
    f = wg.compile(lambda x, mode, scale=1.0: x * mode.n * scale, static_argnums=1, static_argnames="scale")
    for mode in modes:
        np.testing.assert_allclose(f(X, mode), X * mode.n)
        np.testing.assert_allclose(f(X, mode=mode, scale=3.0), X * mode.n * 3)
        np.testing.assert_allclose(f(X, mode, scale=4.0), X * mode.n * 4)


def test_keywords():
    f = wg.compile(lambda x, *, y=None: x if y is None else x * y)
    same(f(X), X)
    same(f(X, y=Y), X * Y)
    same(f(x=X, y=2.0), X * 2)


def test_results_do_not_share_memory():
    f = wg.compile(lambda x: (x, x, x[1:], x + 0, CONSTANT))
    for _ in range(3):
        x = X.copy()
        results = f(x)
        for i, a in enumerate(results):
            assert not np.shares_memory(a, x)
            assert not any(np.shares_memory(a, b) for b in results[:i])
            a[:] = 7
        np.testing.assert_array_equal(CONSTANT, [1.0, 2.0])


CONSTANT = np.array([1.0, 2.0])


def test_arrays_of_all_layouts():
    x = np.arange(24.0).reshape(4, 6)
    odd = np.zeros(33, np.uint8)[1:].view(np.float64)
    odd[:] = 1, 2, 3, 4
    frozen = X.copy()
    frozen.flags.writeable = False
    beside(lambda x: np.sin(x) * 2, (x[::2, ::-3],), (x.T,), (x[:0],), (odd,), (frozen,), (X.astype(">f8"),))


def test_tensors_give_tensors():
    fast = beside(lambda t, x: (t * x, np.sum(x)), (wg.tensor(X), Y), (wg.tensor(Y), X))
    assert fast.stats()["recordings"] == 1


# What it can be put on ---------------------------------------------------------------------------------------------


def test_methods_and_decorators():
    class Model:
        def __init__(self, w):
            self.w = w

        @wg.compile
        def run(self, x):
            return self.w * x

        @staticmethod
        @wg.compile
        def double(x):
            return 2 * x

    a, b = Model(X), Model(Y)
    for _ in range(2):
        same(a.run(Y), X * Y)
        same(b.run(Y), Y * Y)
        same(Model.double(X), 2 * X)
    gone = weakref.ref(a)
    del a
    gc.collect()
    assert gone() is None


def test_recursion_and_compiled_in_compiled():
    inner = wg.compile(lambda x: np.sin(x) * 2)

    @wg.compile
    def power(x, n):
        return x if n == 1 else inner(x) * power(x, n - 1)

    for _ in range(2):
        same(power(X, 3), (np.sin(X) * 2) ** 2 * X)


def test_an_exception_leaves_nothing_behind():
    w = wg.tensor(X, requires_grad=True)
    state = [Y.copy()]

    @wg.compile
    def f(x, fail):
        state[0][:] = x
        loss = np.sum(w * x)
        loss.backward()
        if fail:
            raise KeyError("stop")
        return loss.item()

    for fail in (True, False, True, False):
        if fail:
            with pytest.raises(KeyError, match="stop"):
                f(X, fail)
            assert isinstance(state[0], np.ndarray)
            assert isinstance(w.data, np.ndarray)
        else:
            w.grad = None
            assert f(Y, fail) == pytest.approx(np.sum(X * Y))
    np.testing.assert_allclose(w.grad.numpy(), Y)


@pytest.mark.parametrize("bad", [3, None.__class__, np.ones(2), "f"])
def test_only_functions(bad):
    with pytest.raises(ArgumentError, match=r"\[compile\] a function was required"):
        wg.compile(bad)


def test_generator_functions_are_refused():
    def f(x):
        yield x

    with pytest.raises(ArgumentError, match="yields"):
        wg.compile(f)


def test_calls_with_constants_that_cannot_be_compared_are_left_to_the_function():
    f = wg.compile(lambda x, s: x * sum(s))
    for s in ({1, 2}, {1, 5}):
        np.testing.assert_array_equal(f(X, s), X * sum(s))
    assert f.stats()["given up"][0].startswith("it is given a set, which cannot be compared")
    assert f(X, (1, 2)) is not None
    assert f.stats()["paths"] == 1
    f = wg.compile(lambda x, s: x * sum(s))
    for n in range(1, 8):
        f(np.ones(n), (1, 2))
    with pytest.warns(CompileWarning):
        f(X, {1, 2})


def test_threads():
    w = wg.tensor(X, requires_grad=True)
    f = wg.compile(lambda x: (x * w.detach()).sum() + np.sum(np.sin(x)))
    wrong = []

    def work(k):
        for i in range(20):
            x = np.full(3 + i % 3 * 0, float(k * i))
            if abs(float(f(x)) - float(np.sum(x * X) + np.sum(np.sin(x)))) > 1e-9:
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


# Derivatives -------------------------------------------------------------------------------------------------------


def f(x):
    return np.sum(np.sin(x) * x**2) / (1 + np.sum(x * x))


@pytest.mark.parametrize(
    "transform",
    [
        wg.grad,
        wg.value_and_grad,
        lambda f: lambda x: wg.jvp(f, (x,), (x * 2,)),
        lambda f: lambda x: wg.vjp(f, x)[1](1.0),
        lambda f: wg.hessian(f),
        lambda f: wg.jacobian(wg.grad(f)),
        lambda f: lambda x: wg.hvp(f, (x,), (x + 1,)),
        lambda f: wg.grad(lambda x: np.sum(wg.grad(f)(x) ** 2)),
        lambda f: wg.vmap(lambda a: f(a * X)),
        lambda f: lambda x: wg.vmap(wg.grad(f))(np.stack([x, 2 * x])),
        lambda f: lambda x: wg.jacobian(lambda x: np.stack([f(x), f(x * 2)]))(x),
        lambda f: lambda x: wg.jvp(wg.grad(f), (x,), (x,))[1],
    ],
)
def test_transformations_inside_and_outside(transform):
    plain = transform(f)
    inside, outside = wg.compile(plain), transform(wg.compile(f))
    for x in (X, Y, X * 3):
        same(inside(x), plain(x))
        same(outside(x), plain(x))
    assert inside.stats()["recordings"] == 1


def test_backward_through_a_compiled_function():
    fast = wg.compile(lambda x, y: np.sum(np.sin(x) * y))
    for k in range(3):
        x, y = wg.tensor(X + k, requires_grad=True), wg.tensor(Y, requires_grad=True)
        (fast(x * 2, y) ** 2).backward()
        a, b = wg.tensor(X + k, requires_grad=True), wg.tensor(Y, requires_grad=True)
        (np.sum(np.sin(a * 2) * b) ** 2).backward()
        np.testing.assert_allclose(x.grad.numpy(), a.grad.numpy())
        np.testing.assert_allclose(y.grad.numpy(), b.grad.numpy())


def test_backward_to_what_a_function_uses():
    w = wg.tensor(Y, requires_grad=True)
    fast = wg.compile(lambda x: np.sum(np.sin(x) * w))
    for k in range(3):
        w.grad = None
        loss = fast(X + k)
        loss.backward()
        np.testing.assert_allclose(w.grad.numpy(), np.sin(X + k))
    with wg.no_grad():
        w[0] = 5.0
    assert float(fast(X)) == pytest.approx(np.sum(np.sin(X) * [5.0, *Y[1:]]))


# What it tells -----------------------------------------------------------------------------------------------------


def test_explain_and_stats(tmp_path, monkeypatch):
    monkeypatch.setenv("WENGERT_DUMP", str(tmp_path))
    fast = wg.compile(wg.grad(f))
    fast(X)
    assert fast.stats() == fast.stats() | {"calls": 1, "recordings": 1, "kinds": 1, "paths": 1, "given up": []}
    text = fast.explain()
    for word in ("float64[3]", "multiply", "return", "ms"):
        assert word in text
    assert list(tmp_path.glob("*.program.txt"))


def test_check_compares_with_the_function():
    total = np.zeros(3)

    def f(x):
        total[...] = total + x
        return np.sum(total)

    fast = wg.compile(f, check=True)
    for _ in range(4):
        fast(X)
    np.testing.assert_allclose(total, 4 * X)


def test_checking_texts_and_dates_among_results():
    names, days = np.array(["p", "q"]), np.array(["NaT", "2020-01-01"], "M8[D]")

    def texts(x):
        k = int(x[0] > 0)
        return x * 2, f"{k}", names[k], days, np.array([None, "a"], object)

    fast = wg.compile(texts, check=True)
    for sign in (1, 1, -1, 1, -1, -1):
        assert fast(sign * np.ones(2))[2] == names[int(sign > 0)]


def test_checking_buffers_that_only_recorded_functions_fill():
    def filled(x):
        u = np.zeros(3)
        for i in range(3):
            u[i] = x[i] ** 2
        return np.sum(u)

    fast = wg.compile(wg.grad(filled), check=True)
    for k in range(4):
        np.testing.assert_array_equal(fast(np.full(3, k + 1.0)), np.full(3, 2 * k + 2.0))
    assert fast.stats()["paths"] == 1


def test_a_warning_names_what_keeps_changing():
    fast = wg.compile(lambda x, n: x * n)
    with pytest.warns(CompileWarning, match=r"keeps changing: n \(int 7\)") as told:
        for n in range(20):
            fast(X, n)
    assert told[0].filename == __file__
    fast = wg.compile(lambda x, *, by: x.sum() * by["w"][0].sum())
    with pytest.warns(CompileWarning, match=r"keeps changing: by\['w'\]\[0\] \(float64\[8\]\)"):
        for n in range(1, 20):
            fast(X, by={"w": [np.ones(n)]})
    fast = wg.compile(lambda a, b, c: a + b + c)
    with pytest.warns(CompileWarning, match=r": c \(float64\[70, 60\] with its axes in the order \(1, 0\)") as told:
        for orders in itertools.product("CF", repeat=3):
            fast(*[np.ones((70, 60), order=order) for order in orders])
    assert "give large ones in one order" in str(told[0].message)
    fast = wg.compile(lambda xs: sum(xs))
    with pytest.warns(CompileWarning, match="the containers that it is given"):
        for n in range(1, 20):
            fast([X] * n)


def test_many_signatures_hold_bounded_memory():
    fast = wg.compile(lambda x, n: x * n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in range(10_000):
            same(fast(X[: n % 3], n), X[: n % 3] * n)
    stats = fast.stats()
    assert stats["kinds"] <= 256
    assert stats["calls"] == 10_000
    assert stats["given up"]


WITHOUT = """
import sys
sys.modules["llvmlite"] = sys.modules["llvmlite.binding"] = None
import numpy as np
import wengert as wg
from wengert.compiler.worth import Trial

Trial.is_over, Trial.is_lost = True, False  # time decides nothing

def f(x):
    return np.sum(np.sin(x) ** 2) + np.sum(x @ x) if np.sum(x) > 0 else -np.prod(x)

for g in (f, wg.grad(f)):
    fast = wg.compile(g)
    for k in (1, 2, -3, 1, 5, -3):
        x = k * np.array([0.3, 1.2, 2.0])
        for a, b in zip(np.atleast_1d(fast(x)), np.atleast_1d(g(x))):
            np.testing.assert_allclose(a, b, 1e-12)
    assert fast.stats()["recordings"] == 2 and "install llvmlite" in fast.explain()
"""


def test_without_a_native_compiler():
    subprocess.run([sys.executable, "-c", WITHOUT], check=True, timeout=60)


@pytest.mark.parametrize(
    "x", [np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), np.array([[1.0, 2], [3, 4]]).view(np.matrix)]
)
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_other_array_classes_are_left_to_the_function(x):
    f = wg.compile(lambda x: (x * x).sum())
    for _ in range(2):
        assert f(x) == (x * x).sum()


def test_vmap_of_a_compiled_function():
    def f(x, y):
        return np.sum(np.sin(x) * y) * x

    fast, rows = wg.compile(f), np.stack([X, Y, X + Y])
    for transform in (
        lambda f: wg.vmap(f, in_axes=(0, None))(rows, X),
        lambda f: wg.vmap(f)(rows, rows),
        lambda f: wg.vmap(wg.grad(lambda x: np.sum(f(x, Y))))(rows),
        lambda f: wg.vmap(wg.vmap(f, in_axes=(0, None)), in_axes=(0, None))(np.stack([rows, 2 * rows]), Y),
    ):
        for _ in range(2):
            np.testing.assert_allclose(transform(fast), transform(f))


def test_explain_tells_loops_and_what_is_left_to_numpy_and_why():
    scale = np.ones(3)

    def f(x):
        return np.fft.fft(np.sin(x) * scale).real

    fast = wg.compile(f)
    for _ in range(2):
        fast(X)
    text = fast.explain()
    if "install llvmlite" not in text:
        for words in ("loop over 3: ", "sin", "NumPy's fft", "complex128", "bytes of working memory", "machine code"):
            assert words in text
    assert "reads scale" in text
    assert "2 calls, of which 1 were recorded" in text


def test_explain_tells_why_a_function_is_left_alone():
    kept = []

    def f(x):
        kept.append(float(np.sum(x)))
        return x

    fast = wg.compile(f)
    for k in range(8):
        fast(X + k)
    assert "adds to or takes from a list" in fast.explain()
    assert fast.stats()["calls"] == 8
    assert fast.stats()["eager"] == 8 - fast.stats()["recordings"]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: wg.grad(lambda a: np.sum(wg.compile(lambda z: z * a)(x)))(x),
        lambda x: wg.jvp(lambda a: wg.compile(lambda z: z * a)(x), (x,), (x,)),
        lambda x: wg.vmap(lambda a: wg.compile(lambda z: z * a)(x))(np.eye(3)),
        lambda x: wg.hessian(lambda a: np.sum(wg.compile(lambda z: z * a**2)(x)))(x),
    ],
)
def test_values_of_transformations_around_it_are_not_recorded(make, monkeypatch):
    found = make(X)
    monkeypatch.setattr(wg, "compile", lambda f: f)
    same(found, make(X))


@pytest.mark.parametrize("value", [[2], {"k": 2}, np.ones(2), (1, [2])])
def test_static_arguments_without_a_hash_are_refused_by_name(value):
    by_position = wg.compile(lambda x, mode: x, static_argnums=1)
    by_name = wg.compile(lambda x, mode: x, static_argnames="mode")
    message = rf"\[compile\] a static argument with a hash.*a {type(value).__name__} for 'mode'"
    for _ in range(2):
        with pytest.raises(TypeError, match=message):
            by_position(1.0, value)
        with pytest.raises(TypeError, match=message):
            by_name(1.0, mode=value)
    assert by_position(1.0, (2,)) == by_name(1.0, mode=(2,)) == 1.0


@pytest.mark.parametrize("options", [{"static_argnums": 5}, {"static_argnums": "a"}, {"static_argnames": "q"}])
def test_static_arguments_that_there_are_not_are_refused(options):
    with pytest.raises(ArgumentError, match=r"\[compile\] static_arg.*has x, n; received"):
        wg.compile(lambda x, n: x * n, **options)


def test_dropout_runs_natively_with_numbers_drawn_before():
    rng, other = np.random.default_rng(3), np.random.default_rng(3)

    def f(g, x):
        mask = wg.random.random(g, x.shape) > 0.5
        return np.sum(np.where(mask, x, 0.0) * wg.random.normal(g, 0.0, 1.0, x.shape))

    fast = wg.compile(f)
    for k in range(5):
        np.testing.assert_allclose(fast(rng, X + k), f(other, X + k))
    assert "runs as calls of NumPy" not in fast.explain() or "install llvmlite" in fast.explain()
