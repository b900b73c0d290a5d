"""The first NaN or infinity is named with its operation and the lines of the program."""

import threading

import numpy as np
import pytest

import wengert as wg
from wengert import tape
from wengert.errors import AnomalyError, ArgumentError
from wengert.transforms import calls
from wengert.transforms.anomaly import detect_anomaly
from wengert.transforms.batching import Batch
from wengert.transforms.checkpoint import checkpoint
from wengert.transforms.custom import custom_vjp
from wengert.transforms.forward import Dual

X = np.array([1.0, 0.0, 2.0])
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture(autouse=True)
def _nothing_is_left():
    before = tape._run, vars(Dual)["_of"], vars(Batch)["_of"], calls._on_tensors
    yield
    assert (tape._run, vars(Dual)["_of"], vars(Batch)["_of"], calls._on_tensors) == before
    assert "__init__" not in vars(tape.Node)


def caught(f, *args, **options):
    with detect_anomaly(**options), pytest.raises(AnomalyError) as error:
        f(*args)
    return error.value


def test_forwards():
    def f(x):
        y = x - 5.0
        z = np.log(y)  # line of the log
        return np.sum(z * 2)

    error = caught(wg.grad(f), X)
    assert error.operation == "log" and "z = np.log(y)" in error.made_at and "in f" in error.made_at
    assert __file__ in error.made_at and not error.met_at
    assert "'log' gave nan at index (0,) of a result float64[3]" in str(error)


def test_backwards_by_grad_and_by_backward():
    def f(x):
        root = np.sqrt(x)  # infinite derivative at 0
        return np.sum(root)

    error = caught(wg.grad(f), X)
    assert error.operation == "sqrt" and "root = np.sqrt(x)" in error.made_at
    assert "inf at index (1,) of the cotangent of an input" in str(error)

    def program():
        t = wg.tensor(X, requires_grad=True)
        shifted = t * 1.0
        y = f(shifted)
        y.backward()

    error = caught(program)
    assert "y.backward()" in error.met_at and "np.sqrt(x)" in error.made_at
    assert "the result of 'multiply'" in str(error) and "shifted = t * 1.0" in str(error)


def test_what_came_in_already_is_said_so():
    error = caught(wg.grad(lambda x: np.sum(x * np.nan)), X)
    assert error.operation == "multiply" and "in operand 1 already" in str(error)

    def program():
        y = wg.tensor(X, requires_grad=True) * 2
        y.backward(np.array([1.0, np.nan, 1.0]))

    assert "cotangent to start from" in str(caught(program))


def test_infinities_are_left_out_on_request():
    with detect_anomaly(infinities=False):
        assert np.isinf(wg.grad(lambda x: np.sum(np.sqrt(x)))(X)[1])
    assert caught(wg.grad(lambda x: np.sum(np.sqrt(x - 1))), X, infinities=False).operation == "sqrt"
    with pytest.raises(ArgumentError):
        detect_anomaly(3)


def test_forward_mode():
    assert "tangent of 'sqrt' is inf" in str(caught(lambda: wg.jvp(np.sqrt, (X,), (X + 1,))))
    assert caught(lambda: wg.jvp(np.log, (X,), (X + 1,))).operation == "log"


@pytest.mark.parametrize("f", [np.log, lambda x: np.sin(np.log(x))])
def test_batches_are_looked_at(f):
    error = caught(wg.vmap(f), X)
    assert error.operation == "log" and "-inf at index (1,)" in str(error)
    np.testing.assert_array_equal(wg.vmap(f)(X[:1]), f(X[:1]))


def test_tangents_in_a_backward_pass():
    error = caught(wg.hvp, lambda x: np.sum(x**1.5), (X,), (np.ones(3),))
    assert error.operation == "power" and "gave a tangent of inf at index (1,)" in str(error)


def test_a_series_names_the_line_of_the_program():
    def program(x):
        return np.sqrt(x)  # the line

    assert "# the line" in caught(wg.derivatives, program, 0.0, 3).made_at


def test_own_tangent_rules_are_named():
    f = wg.custom_jvp(np.sqrt)
    f.defjvp(lambda p, t: (f(p[0]), t[0] * np.where(p[0] > 0, 1.0, np.nan)))
    f.name = "root"
    assert caught(wg.jvp, f, (X,), (X + 1,)).operation == "root"


def test_a_users_file_may_be_named_like_a_library(tmp_path):
    path = tmp_path / "myfunctools.py"
    path.write_text("import numpy as np\ndef f(x):\n    return np.log(x)\n")
    names: dict = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    assert caught(wg.grad(lambda x: np.sum(names["f"](x))), X).made_at.startswith(f"{path}:3 in f")


@pytest.mark.parametrize(
    "program",
    [
        lambda: wg.grad(wg.grad(lambda x: x**1.5))(0.0),
        lambda: wg.jvp(wg.grad(lambda x: np.sum(np.sqrt(x))), (X,), (X,)),
        lambda: wg.vmap(wg.grad(np.sqrt))(X),
        lambda: wg.grad(lambda x: np.sum(wg.vmap(np.sqrt)(x)))(X),
        lambda: wg.grad(checkpoint(lambda x: np.sum(np.sqrt(x))))(X),
        lambda: wg.vjp(np.sqrt, X)[1](np.ones(3)),
    ],
)
def test_nested_levels(program):
    assert caught(program).operation in ("power", "sqrt")


def test_own_rules_are_named():
    f = custom_vjp(lambda x: x / 0.0)
    f.defvjp(lambda x: (x / 0.0, None), lambda _, g: (g,))
    f.name = "ratio"
    assert caught(wg.grad(lambda x: np.sum(f(x))), X).operation == "ratio"
    g = custom_vjp(lambda x: x)
    g.defvjp(lambda x: (x, None), lambda _, g: (g / 0.0,))
    g.name = "slope"
    assert caught(wg.grad(lambda x: np.sum(g(x))), X).operation == "slope"


def test_fine_programs_run_as_ever():
    f = lambda x: np.sum(np.sin(x) * np.exp(x))  # noqa: E731
    expected = wg.grad(f)(X)
    with detect_anomaly():
        np.testing.assert_array_equal(wg.grad(f)(X), expected)
        t = wg.tensor(X, requires_grad=True)
        y = f(t)
        y.backward()
        with pytest.raises(wg.errors.FreedGraphError):
            y.backward()
        f(t).backward(create_graph=True)
    np.testing.assert_array_equal(t.grad.data, 2 * expected)


def test_places_are_forgotten_with_their_tapes():
    with detect_anomaly():
        from wengert.transforms.anomaly import _watch

        t = wg.tensor(1.0, requires_grad=True)
        for _ in range(6_000):
            np.sin(t) * t
        assert len(_watch.get().made) < 10_100


def test_only_where_it_was_entered():
    results = []

    def other():
        results.append(wg.grad(lambda x: np.sum(np.sqrt(x)))(X))

    with detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with detect_anomaly(infinities=False):
            other()
        with pytest.raises(AnomalyError):
            other()
    other()
    assert len(results) == 3 and all(np.isinf(g[1]) for g in results)


def test_exceptions_restore_everything():
    with pytest.raises(ZeroDivisionError), detect_anomaly():
        wg.grad(lambda x: 1 // 0)(1.0)
    assert np.isinf(wg.grad(np.sqrt)(0.0))
