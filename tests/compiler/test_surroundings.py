"""What a function uses in classes, modules, sets and objects of libraries: a change of it is seen at the next call."""

import sys
import threading
from array import array
from collections import Counter, OrderedDict, UserDict, UserList, deque
from contextvars import ContextVar
from types import MappingProxyType, ModuleType, SimpleNamespace

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from scipy.sparse import csr_matrix

import wengert as wg

X = np.ones(2)
ENOUGH = 5
"""Calls after which there is a shortcut."""


class Settings:
    scale = 2.0

    @classmethod
    def get(cls):
        return cls.scale


class Weights:
    w = wg.tensor(np.ones(2), requires_grad=True)


def changed(function, change, usable=True):
    """What a function gives when something has been changed after calls that made a shortcut."""
    fast = wg.compile(function)
    for _ in range(ENOUGH):
        np.testing.assert_array_equal(fast(X), function(X))
    change()
    for _ in range(3):
        np.testing.assert_array_equal(fast(X), function(X))
    assert not (usable and fast.stats()["given up"])
    return fast


@pytest.mark.parametrize("function", [lambda x: x * Settings.scale, lambda x: x * Settings.get()])
def test_attributes_of_classes(function):
    Settings.scale = 2.0
    changed(function, lambda: setattr(Settings, "scale", 5.0))


def test_a_training_step_of_a_classes_weights():
    @wg.compile
    def step(x):
        loss = np.sum(Weights.w * x)
        loss.backward()
        with wg.no_grad():
            Weights.w -= 0.25 * Weights.w.grad
        Weights.w.grad = None
        return loss

    assert [float(step(X)) for _ in range(6)] == [2.0, 1.5, 1.0, 0.5, 0.0, -0.5]
    assert np.array_equal(Weights.w.data, [-0.5, -0.5])


@pytest.fixture
def package():
    outer, inner = ModuleType("package_of_a_user"), ModuleType("package_of_a_user.inner")
    outer.inner, inner.scale = inner, 2.0
    sys.modules["package_of_a_user"] = outer
    yield outer
    del sys.modules["package_of_a_user"]


def test_modules_in_modules_in_closures_and_imported_inside(package):
    def inside(x):
        import package_of_a_user

        return x * package_of_a_user.inner.scale

    for function in (lambda x: x * package.inner.scale, inside):
        package.inner.scale = 2.0
        changed(function, lambda: setattr(package.inner, "scale", 5.0))


def test_sets():
    numbers, words = {1.0, 2.0}, {"a", "b"}

    def change(given, old, new):
        given.remove(old)
        given.add(new)

    changed(lambda x: x * sum(numbers), lambda: change(numbers, 1.0, 5.0))
    changed(lambda x: x * ("a" in words), lambda: change(words, "a", "c"))


def test_the_order_of_a_dictionary_and_of_a_queue():
    table, queue = {"a": 1.0, "b": 2.0}, deque([1.0, 2.0, 3.0])
    changed(lambda x: x * next(iter(table.values())), lambda: table.update(a=table.pop("a")))
    changed(lambda x: x * queue[0], queue.rotate)


def test_objects_of_libraries():
    space, user, listed = SimpleNamespace(a=2.0, b=np.ones(2)), UserDict(a=2.0), UserList([2.0])
    under = {"a": 2.0}
    seen, matrix, line = MappingProxyType(under), csr_matrix(np.eye(2)), Polynomial([1.0, 2.0])
    changed(lambda x: x * space.a, lambda: setattr(space, "a", 5.0))
    changed(lambda x: x * space.b, lambda: space.b.fill(5.0))
    changed(lambda x: x * user["a"], lambda: user.update(a=5.0))
    changed(lambda x: x * listed[0], lambda: listed.append(listed.pop() + 1))
    changed(lambda x: x * seen["a"], lambda: under.update(a=5.0))
    changed(lambda x: matrix.data * x, lambda: matrix.data.fill(5.0))
    changed(lambda x: line(x), lambda: line.coef.fill(5.0))


def queue(state, x):
    state.held.append(float(np.sum(x)))
    return sum(state.held)


def listed(state, x):
    state.held.append(np.sum(x))
    return sum(state.held)


def counted(state, x):
    state.held["n"] = state.held.get("n", 0) + 1
    return x * state.held["n"]


def gathered(state, x):
    state.held.add(len(state.held))
    return x * len(state.held)


def moved(state, x):
    state.held[0] += 1
    return x * state.held[0]


def named(state, x):
    state.held.n = getattr(state.held, "n", 0) + 1
    return x * state.held.n


def switched(state, x):
    state.held.set(state.held.get() + 1)
    return x * state.held.get()


STATES = [
    (queue, lambda: deque(maxlen=3)),
    (listed, UserList),
    (counted, UserDict),
    (counted, dict),
    (gathered, set),
    (moved, lambda: bytearray(2)),
    (moved, lambda: array("d", [0.0])),
    (moved, lambda: np.zeros(2, int)),
    (named, threading.local),
    (named, SimpleNamespace),
    (switched, lambda: ContextVar("switched", default=0)),
]


@pytest.mark.parametrize(("function", "make"), STATES)
def test_state_of_other_kinds_moves_on(function, make):
    eager, compiled = SimpleNamespace(held=make()), SimpleNamespace(held=make())
    fast = wg.compile(lambda x: function(compiled, x))
    for k in range(9):
        np.testing.assert_array_equal(fast(X * k), function(eager, X * k))


def test_what_may_change_unseen_is_named():
    raw = bytearray(b"ab")
    fast = changed(lambda x: x * raw[0], lambda: raw.reverse(), usable=False)
    assert fast.stats()["given up"] == ["it uses raw, a bytearray, which may change unseen"]
    assert fast.stats()["kinds"] == 1


def test_a_whole_number_array_that_is_switched_to_and_fro():
    table = np.array([0, 5])

    @wg.compile
    def f(x):
        table[0] ^= 1
        return x * table[0]

    assert [f(1.0) for _ in range(8)] == [1, 0] * 4


def test_a_tensor_that_is_given_and_used_gets_both_gradients():
    w = wg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    v = wg.tensor(np.array([3.0, 4.0]), requires_grad=True)

    def f(a, b):
        return np.sum(a * w * (b if a is w else 2 * b))

    fast = wg.compile(f)
    for args in ((w, v), (v, w), (w, w), (v, v), (w, v)):
        found = []
        for function in (fast, f):
            w.grad = v.grad = None
            function(*args).backward()
            found.append([None if t.grad is None else t.grad.data for t in (w, v)])
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make", [deque, set])
def test_what_cannot_be_recorded_happens_once(make):
    held = make()

    def f(x):
        (held.append if make is deque else held.add)("called")
        return x.view("i8")

    fast = wg.compile(f)
    np.testing.assert_array_equal(fast(X), X.view("i8"))
    assert len(held) == 1


def test_a_class_that_lets_nobody_set_its_attributes():
    class Frozen(type):
        def __setattr__(cls, name, value):
            raise AttributeError(name)

    class Table(metaclass=Frozen):
        weights = np.array([1.0, 2.0])

    fast = wg.compile(lambda x: x * Table.weights)
    for k in range(4):
        Table.weights[:] = k
        np.testing.assert_array_equal(fast(X), [k, k])
    assert type(Table.weights) is np.ndarray


def test_a_gradient_that_is_given_beside_its_tensor():
    def add(t, s):
        with wg.no_grad():
            t.grad += 1.0
        return s * 1.0

    def leaf():
        w = wg.tensor(X, requires_grad=True)
        np.sum(w * 2).backward()
        return w

    fast = wg.compile(add)
    for _ in range(ENOUGH):
        fast(leaf(), wg.tensor(3 * X))
    w, v = leaf(), leaf()
    np.testing.assert_array_equal(fast(w, w.grad).data, add(v, v.grad).data)
    np.testing.assert_array_equal(w.grad.data, v.grad.data)


def renamed(container):
    container["b"] = container.pop("a", 0.0) + 1
    container["a"] = container.pop("b") * 2


def swapped(container):
    container["c"] = container.pop("a", 0.0) + container.pop("c", 0.0)


def turned(container):
    container.append(container.pop(0) + 1)


def grown(container):
    container.discard("a")
    container.add(len(container))


@pytest.mark.parametrize(
    ("change", "make"),
    [
        (renamed, lambda: {"a": 1.0, "d": 2.0}),
        (swapped, lambda: {"a": 1.0, "d": 2.0}),
        (swapped, lambda: Counter({"a": 1, "d": 2})),
        (swapped, lambda: OrderedDict(a=1.0, d=2.0)),
        (turned, lambda: [1.0, 2.0, 3.0]),
        (grown, lambda: {"a", "d"}),
    ],
)
def test_containers_are_left_as_the_function_leaves_them(change, make):
    """Also where it is called a second time, as it returns what no program can give."""

    def using(container):
        return lambda x: (change(container), x * 2, object())[1]

    def of_no_use(container):
        return lambda x: (change(container), x * 2, object())[1:]

    for around in (using, of_no_use):
        container, expected = make(), make()
        fast, plain = wg.compile(around(container)), around(expected)
        for _ in range(6):
            fast(np.ones(2))
            plain(np.ones(2))
            assert container == expected
            assert isinstance(container, set) or list(container) == list(expected)


RATES = {"a": 2.0, "b": 3.0}


class Scales:
    """Attributes of a class, and of an object."""

    rate = 5.0

    def __init__(self):
        self.scale = 7.0


SCALES = Scales()


def scaled(x):
    return x * RATES["a"] * SCALES.rate * SCALES.scale * RATES.get("b", 1.0)


def _again():
    RATES["a"] += 1


def _without():
    del RATES["b"]
    RATES["b"] = 4.0


def _cleared():
    RATES.clear()
    RATES.update(a=1.5, b=2.5)


def _of_the_class():
    Scales.rate += 1


def _of_the_object():
    SCALES.scale += 1


def _of_the_dictionary_itself():
    vars(SCALES)["scale"] += 1


def test_places_are_looked_at_again_where_something_was_written():
    fast, x = wg.compile(scaled), np.arange(3.0)
    for _ in range(3):
        for change in (_again, _without, _cleared, _of_the_class, _of_the_object, _of_the_dictionary_itself):
            for _ in range(4):
                assert np.allclose(fast(x), scaled(x), rtol=1e-14)
            change()
            assert np.allclose(fast(x), scaled(x), rtol=1e-14)


def test_other_functions_in_a_module_are_seen():
    space = {"np": np}
    exec("def inner(x): return x + 1\ndef outer(x): return inner(x) * 2", space)
    fast, x = wg.compile(space["outer"]), np.arange(3.0)
    for k in range(4):
        for _ in range(4):
            assert fast(x).tolist() == space["outer"](x).tolist()
        exec(f"def inner(x): return x + {k}", space)


R = np.random.default_rng
T = 0


def test_functions_that_cython_has_made():
    from numpy.random import default_rng

    functions = {"a function": default_rng}
    for f in (lambda x: x + R(0).random(2), lambda x: x + default_rng(0).random(2),
              lambda x: x + functions["a function"](0).random(2)):  # fmt: skip
        fast = wg.compile(f)
        for _ in range(4):
            np.testing.assert_array_equal(fast(X), f(X))


def test_attributes_are_no_variables_of_the_same_name(recorded):
    global T
    fast = wg.compile(lambda x: np.sin(x) @ x.T)
    for k in range(6):
        T = k
        fast(X)
    assert len(recorded) == 1


def test_variables_that_the_body_of_a_class_looks_up(recorded):
    def f(x):
        class Inside:
            turn = T

        return x * Inside.turn

    fast = wg.compile(f)
    global T
    for k in (1, 2, 3):
        T = k
        np.testing.assert_array_equal(fast(X), f(X))
        np.testing.assert_array_equal(fast(X), f(X))
