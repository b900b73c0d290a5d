"""Large elementwise operations outside of compiled functions, by kernels."""

import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
import scipy.special
from tests.compiler.beside import gradients

import wengert as wg
from wengert import large

pytest.importorskip("llvmlite.binding")
N = 5003


@pytest.fixture(autouse=True)
def kernels_at_once(monkeypatch):
    """Kernels are made at the first call, and used whether they gain anything or not."""
    kernels_again(monkeypatch)
    yield
    large.forget()


def by_numpy(monkeypatch):
    monkeypatch.setattr(large, "kernels", lambda: None)
    large.forget()


UNARY = {
    np.sin: (-20, 20), np.cos: (-20, 20), np.tan: (-1.2, 1.2), np.exp: (-5, 5), np.exp2: (-5, 5), np.expm1: (-3, 3),
    np.log: (0.1, 9), np.log2: (0.1, 9), np.log10: (0.1, 9), np.log1p: (-0.5, 9), np.sqrt: (0.1, 9),
    np.cbrt: (0.1, 9), np.square: (-3, 3), np.negative: (-3, 3), np.reciprocal: (0.2, 3), np.arcsin: (-0.9, 0.9),
    np.arccos: (-0.9, 0.9), np.arctan: (-5, 5), np.sinh: (-3, 3), np.cosh: (-3, 3), np.tanh: (-6, 6),
    np.arcsinh: (-3, 3), np.arccosh: (1.1, 5), np.arctanh: (-0.9, 0.9), np.absolute: (-3, 3), np.sinc: (-3, 3),
    wg.sigmoid: (-30, 30), scipy.special.erf: (-3, 3), scipy.special.expit: (-30, 30), scipy.special.gammaln: (0.5, 9),
}  # fmt: skip
BINARY = [np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, np.arctan2, np.hypot,
          np.logaddexp]  # fmt: skip


def both_ways(monkeypatch, function, *arrays):
    with np.errstate(all="ignore"):
        kernels = gradients(function, *arrays)
        by_numpy(monkeypatch)
        return kernels, gradients(function, *arrays)


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("function", UNARY, ids=lambda f: f.__name__)
def test_functions_of_one_operand(monkeypatch, function, char):
    x = np.random.default_rng(0).uniform(*UNARY[function], N).astype(char)
    for got, expected in zip(*both_ways(monkeypatch, function, x), strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(
            got, expected, rtol=1e-13 if char == "d" else 1e-4, atol=1e-14 if char == "d" else 1e-5
        )


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("function", BINARY, ids=lambda f: f.__name__)
def test_functions_of_two_operands(monkeypatch, function, char):
    random = np.random.default_rng(0)
    a, b = (random.uniform(0.5, 3, (17, 300)).astype(char) for _ in "ab")
    a[0] = b[0]  # ties
    for got, expected in zip(*both_ways(monkeypatch, function, a, b), strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(
            got, expected, rtol=1e-13 if char == "d" else 1e-4, atol=1e-14 if char == "d" else 1e-5
        )


def test_special_values_are_those_of_numpy(monkeypatch):
    x = np.resize(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 5e-324, 1e308, -800.0]), N)
    for function in (np.exp, np.sin, np.tanh, np.log, np.sqrt, np.absolute, np.reciprocal):
        for got, expected in zip(*both_ways(monkeypatch, function, x), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-14)
            assert np.array_equal(np.signbit(got), np.signbit(expected)) or np.isnan(expected).any()
        monkeypatch.undo()
        kernels_again(monkeypatch)


def kernels_again(monkeypatch):
    monkeypatch.setattr(large, "WARM", -1)
    monkeypatch.setattr(large, "WARM_IMPORT", -1)
    monkeypatch.setattr("wengert.compiler.eager._least", lambda expression, char: large.LEAST)
    large.forget()


def test_a_zero_cotangent_wins_over_an_infinite_partial():
    x = wg.tensor(np.zeros(N), requires_grad=True)
    np.sum(np.where(x > 0, np.sqrt(x), 0.0)).backward()
    assert not np.any(x.grad.numpy())


@pytest.mark.parametrize(
    ("function", "x", "message"),
    [(np.exp, 1000.0, "overflow"), (np.log, 0.0, "divide by zero"), (np.log, -1.0, "invalid value")],
)
def test_warnings_are_those_of_numpy(function, x, message):
    t = wg.tensor(np.full(N, x))
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match=message):
            function(t)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match=message):
        function(t)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(wg.tensor(np.full(N, 0.5)))


def test_operands_that_are_not_contiguous_are_left_to_numpy(monkeypatch):
    x = np.random.default_rng(0).uniform(0.5, 2, (80, 90))[::2, ::-1]
    for got, expected in zip(*both_ways(monkeypatch, lambda t: np.sin(t.T) * t.T, x), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-15)


def test_broadcast_operands(monkeypatch):
    a, b = np.random.default_rng(0).uniform(0.5, 2, (60, 90)), np.random.default_rng(1).uniform(0.5, 2, 90)
    for got, expected in zip(*both_ways(monkeypatch, lambda a, b: np.exp(a) * b / a - 3.0 * b, a, b), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-14)


def test_what_was_saved_and_what_was_given_stay_as_they_were():
    x = wg.tensor(np.linspace(0.1, 1, N), requires_grad=True)
    y = np.sin(x)
    z = np.exp(y) * y
    seed = np.ones(N)
    z.backward(seed, retain_graph=True)
    first = x.grad.numpy().copy()
    z.backward(seed)
    np.testing.assert_allclose(x.grad.numpy(), 2 * first, rtol=1e-15)
    assert np.all(seed == 1)
    np.testing.assert_allclose(y.detach().numpy(), np.sin(np.linspace(0.1, 1, N)), rtol=1e-15)


def test_higher_orders(monkeypatch):
    def second(x):
        return wg.grad(lambda x: np.sum(wg.grad(lambda x: np.sum(np.sin(x) * np.exp(x)))(x) * x))(x)

    x = np.linspace(0.1, 1, N)
    got = second(x)
    by_numpy(monkeypatch)
    np.testing.assert_allclose(got, second(x), rtol=1e-13)


def test_loops_that_threads_share():
    x = np.random.default_rng(0).uniform(-3, 3, 300_001)
    t = wg.tensor(x, requires_grad=True)
    results = []

    def work():
        results.extend(np.sin(t).detach().numpy() for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = np.sin(x)
    assert all(np.allclose(y, expected, rtol=1e-15, atol=1e-15) for y in results)
    np.sum(np.sin(t)).backward()
    np.testing.assert_allclose(t.grad.numpy(), np.cos(x), rtol=1e-14, atol=1e-16)


SCRIPT = """
import os, sys
import numpy as np
import wengert as wg
from wengert import large
large.WARM = large.WARM_IMPORT = -1
{block}
x = np.linspace(0, 1, 200_000)
t = wg.tensor(x)
assert np.allclose(np.sin(t).numpy(), np.sin(x))
if {fork}:
    child = os.fork()
    if not child:
        good = np.allclose(np.sin(t).numpy(), np.sin(x)) and np.allclose(np.exp(t).numpy(), np.exp(x))
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
print("done", "wengert.compiler.eager" in sys.modules)
"""


def run_script(**settings):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | settings.pop("environment", {})
    values = {"block": "", "fork": False} | settings
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT.format(**values)],
        env=environment, capture_output=True, text=True, timeout=60,
    ).stdout.strip()  # fmt: skip


def test_a_forked_process_does_without_helpers():
    assert run_script(fork=True) == "done True"


def test_without_the_compiler_numpy_does_everything():
    assert run_script(block="sys.modules['llvmlite'] = None") == "done False"
    assert run_script(environment={"WENGERT_EAGER": "numpy"}) == "done False"


def test_one_thread():
    assert run_script(environment={"WENGERT_THREADS": "1"}) == "done True"


def test_sizes_from_which_kernels_are_used(monkeypatch):
    monkeypatch.undo()
    eager = pytest.importorskip("wengert.compiler.eager")
    one, other = (eager.Symbol(name, (), np.dtype("d")) for name in "ab")
    monkeypatch.setattr(eager.threads, "cores", lambda: 2)
    assert eager._least(np.sin(one), "d") == large.LEAST
    assert eager._least(one + other, "d") == eager._least(np.tanh(one), "d") == eager.SHARED
    assert eager._least(one + np.tanh(other), "d") == large.LEAST
    assert eager._least(one * np.power(one, other), "d") == large.NEVER
    monkeypatch.setattr(eager.threads, "cores", lambda: 1)
    assert eager._least(one + other, "d") == large.NEVER
    assert eager._least(one + other + 1, "d") == large.LEAST


def test_kernels_are_made_once(monkeypatch):
    eager = pytest.importorskip("wengert.compiler.eager")
    made = []
    monkeypatch.setattr(eager, "Kernel", lambda *args, real=eager.Kernel, **kw: made.append(args) or real(*args, **kw))
    strided, infinite = wg.tensor(np.ones((N, 2))[:, 0]), wg.tensor(np.full(N, np.inf))
    for _ in range(3):
        np.cosh(strided), np.cosh(infinite), np.cosh(wg.tensor(np.ones(N)))
    assert len(made) == 1


def test_a_function_inside_another_transformation_keeps_its_own_rule(monkeypatch):
    monkeypatch.setattr(large, "WARM", large.NEVER)
    x = np.zeros(N)  # where the formula behind the function has a kink
    second = wg.grad(lambda x: np.sum(wg.grad(lambda x: np.sum(wg.grad(lambda x: np.sum(wg.sigmoid(x)))(x)))(x)))(x)
    np.testing.assert_allclose(second, -0.125, rtol=1e-14)


NUMBERS = [
    lambda x: x * 2.0, lambda x: 3 - x, lambda x: x / 4, lambda x: 1.5 / x, lambda x: x**3, lambda x: x**0.5,
    lambda x: x**-1, lambda x: x**4, lambda x: x**2.5, lambda x: 2.0**x, lambda x: np.maximum(x, 1), np.exp,
    lambda x: np.minimum(0.7, x), lambda x: np.arctan2(x, 2), lambda x: x**0, lambda x: np.hypot(-0.0, x),
]  # fmt: skip


@pytest.mark.parametrize("char", "df")
def test_python_numbers_are_built_into_kernels(monkeypatch, char):
    x = np.random.default_rng(0).uniform(0.2, 3, N).astype(char)
    with np.errstate(all="ignore"):
        kernels = [gradients(function, x) for function in NUMBERS]
        by_numpy(monkeypatch)
        plain = [gradients(function, x) for function in NUMBERS]
    for found, wanted in zip(kernels, plain, strict=True):
        for got, expected in zip(found, wanted, strict=True):
            assert got.dtype == expected.dtype == char
            np.testing.assert_allclose(got, expected, rtol=1e-13 if char == "d" else 1e-4, atol=1e-7)


def test_zeros_of_both_signs_are_two_numbers():
    x = wg.tensor(np.full(N, -1.0))
    assert not np.signbit(np.asarray(np.copysign(x, 0.0))).any()
    assert np.signbit(np.asarray(np.copysign(x, -0.0))).all()


def test_few_numbers_have_kernels():
    choices = large._Numbered(lambda arguments: object())
    x = np.zeros(3)
    found = [choices.of((x, k)) for k in range(100)]
    assert sum(f is not None for f in found) == large.MOST_NUMBERS
    assert choices.of((x, 3)) is found[3] and choices.of((x, 3.0)) is None


TWICE = """
import hashlib
import numpy as np
import wengert as wg
from wengert import large, planned
large.WARM = large.WARM_IMPORT = 300_000
planned.WARM = 600_000
X = wg.tensor(np.random.default_rng(0).normal(size=(300, 250)), requires_grad=True)
b = wg.tensor(np.random.default_rng(1).normal(size=250), requires_grad=True)
bits = hashlib.sha256()
for _ in range(20):
    X.grad = b.grad = None
    y = np.sum(wg.softmax(np.where(X > 0, np.tanh(X * b + b), np.sin(X)), axis=1) * X) + np.sum(np.exp(b - X) / 9)
    y.backward()
    for part in (y.detach(), X.grad, b.grad):
        bits.update(part.numpy().tobytes())
kernels = sum(choice.run is not None for table in large._Table.made for choice in table.values())
programs = sum(work.program is not None for works in planned._made for work in works.values())
print(bits.hexdigest(), kernels > 5, programs > 5)
"""


def test_two_runs_give_the_same_bits():
    runs = [
        subprocess.run([sys.executable, "-c", TWICE], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | more,
                       capture_output=True, text=True, timeout=60)
        for more in ({}, {"PYTHONHASHSEED": "7", "WENGERT_CACHE": "off"})
    ]  # fmt: skip
    assert runs[0].stdout == runs[1].stdout, runs[1].stderr
    assert runs[0].stdout.split()[1:] == ["True", "True"], runs[0].stderr
