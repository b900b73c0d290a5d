"""Where functions keep what they use: everywhere that Python lets them, and all of it may change."""

import dataclasses
import enum
import functools
import os
import subprocess
import sys
import types
import weakref
from collections import namedtuple

import numpy as np
import pytest
from tests.compiler.recordings import in_turn

import wengert as wg

ONE = np.ones(2)
SCALE = 2.0


def both(make):
    """What the calls of a function give, by itself and compiled; ``make(wrap)`` gives it and what is to be compared."""

    def made(wrap):
        function, state = make(wrap)
        return lambda x: np.array(function(x)).tolist(), lambda: repr(state())

    return in_turn(made, [ONE * (k + 1) for k in range(6)])


def agree(make):
    alone, compiled = both(make)
    assert compiled == alone


def changed(function, change, calls=5):
    """Whether a compiled function sees what is changed around it before each call."""
    fast = wg.compile(function)
    for k in range(calls):
        change(float(k + 1))
        np.testing.assert_array_equal(fast(ONE), function(ONE))


# Objects of classes made from Python's own ----------------------------------------------------------------------------


class Model(dict):
    rate = 1.0


class Population(list):
    pass


class Quantity(float):
    pass


class Image(np.ndarray):
    pass


Pair = namedtuple("Pair", "a b")


class Named(Pair):
    def total(self):
        return (self.a + self.b) * SCALE


@pytest.mark.parametrize("kind", [Model, Population, Quantity, Image, set, functools.partial])
def test_attributes_of_objects_that_are_something_else_too(kind):
    if kind is Image:
        held = np.ones(2).view(Image)
    elif kind is functools.partial:
        held = functools.partial(max, 1)
    else:
        held = type("Own", (kind,), {})()
    changed(lambda x: x * held.unit, lambda k: setattr(held, "unit", k))


def test_attributes_of_classes_made_from_pythons_own():
    model = Model()
    try:
        changed(lambda x: x * model.rate, lambda k: setattr(Model, "rate", k))
    finally:
        Model.rate = 1.0


def test_a_model_that_is_a_dictionary_is_trained():
    def make(wrap):
        model = Model(w=np.ones(2))
        model.rate = 1.0

        def step(x):
            model["w"] = model["w"] - model.rate * x
            model.rate *= 0.5
            return model["w"]

        return wrap(step), lambda: (dict(model), model.rate)

    agree(make)


def test_a_list_with_a_count():
    def make(wrap):
        population = Population()
        population.generation = 0

        def step(x):
            population.generation += 1
            population.best = x * 2
            return x + population.generation

        return wrap(step), lambda: (population.generation, population.best)

    agree(make)


@pytest.mark.parametrize("cls", [Quantity, type("Number", (int,), {}), type("Text", (str,), {})])
def test_arguments_that_are_equal_but_for_their_attributes(cls):
    fast = wg.compile(lambda x, q: x * q.unit)
    for k in range(5):
        q = cls("2")
        q.unit = float(k)
        np.testing.assert_array_equal(fast(ONE, q), ONE * k)


# References -----------------------------------------------------------------------------------------------------------


class Joint:
    def __init__(self, turn, parent=None):
        self.turn, self.parent = turn, weakref.ref(parent) if parent is not None else None

    def world(self):
        return self.turn if self.parent is None else self.parent().world() @ self.turn


def test_what_weak_references_refer_to():
    root = Joint(np.eye(2))
    hand = Joint(np.eye(2), root)
    changed(lambda x: hand.world() @ x, lambda k: setattr(root, "turn", np.eye(2) * k))


@pytest.mark.parametrize("kind", [dict, weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet])
def test_objects_in_containers_that_hold_them_otherwise(kind):
    node = Joint(1.0)
    if kind is weakref.WeakSet:
        held = kind([node])
        nodes = lambda: held  # noqa: E731
    elif kind is weakref.WeakValueDictionary:
        held = kind({1: node})
        nodes = lambda: held.values()  # noqa: E731
    else:
        held = kind({node: 1})
        nodes = lambda: held  # noqa: E731
    changed(lambda x: x * sum(n.turn for n in nodes()), lambda k: setattr(node, "turn", k))


def test_tensors_that_are_keys_are_trained():
    def make(wrap):
        w = wg.tensor(np.ones(2), requires_grad=True)
        rates = {w: 0.1}

        def train(x):
            loss = sum(np.sum((p - x) ** 2) for p in rates)
            loss.backward()
            with wg.no_grad():
                for p, rate in rates.items():
                    p -= rate * p.grad
                    p.grad = None
            return loss.item()

        return wrap(train), lambda: w.numpy().round(12).tolist()

    alone, compiled = both(make)
    for (a, before), (b, after) in zip(alone, compiled, strict=True):
        np.testing.assert_allclose(a, b)
        assert before == after


@pytest.mark.parametrize("view", [dict.values, dict.items, types.MappingProxyType])
def test_what_shows_a_dictionary(view):
    held = {"a": 1.0}
    shown = view(held)
    if view is dict.values:
        use = lambda x: x * sum(shown)  # noqa: E731
    elif view is dict.items:
        use = lambda x: x * sum(v for _, v in shown)  # noqa: E731
    else:
        use = lambda x: x * shown["a"]  # noqa: E731
    changed(use, lambda k: held.update(a=k))


def test_what_is_shown_and_used_by_itself():
    layer = Joint(np.ones(2))
    view = types.MappingProxyType(vars(layer))
    changed(lambda x: x * view["turn"] * layer.turn, lambda k: setattr(layer, "turn", ONE * k))


def test_records_that_are_parts_of_an_array():
    table = np.zeros(1, [("a", float)])
    row = table[0]
    changed(lambda x: x + row["a"], lambda k: table.__setitem__(0, (k,)))


# Arrays of objects, and arrays whose form changes -----------------------------------------------------------------


def test_objects_in_arrays():
    body = Joint(1.0)
    bodies = np.array([body], object)
    changed(lambda x: x * bodies[0].turn, lambda k: setattr(body, "turn", k))

    def make(wrap):
        state = np.empty(1, object)
        state[0] = np.zeros(2)

        def step(x):
            state[0] = state[0] + x
            return state[0].sum()

        return wrap(step), lambda: state.tolist()

    agree(make)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.resize(3, refcheck=False),
        lambda w: setattr(w, "shape", (2, 3)),
        lambda w: setattr(w, "dtype", np.int64),
        lambda w: setattr(w, "strides", (0,)),
    ],
    ids=["size", "shape", "dtype", "strides"],
)
@pytest.mark.parametrize("where", ["cell", "default", "attribute", "list", "index"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_arrays_that_get_another_form_in_place(change, where):
    w = np.arange(6.0) if where != "index" else np.arange(6)
    held, listed, x = Joint(w), [w], np.arange(7.0)
    function = {
        "cell": lambda x: w.sum(0) * x[1],
        "default": lambda x, w=w: w.sum(0) * x[1],
        "attribute": lambda x: held.turn.sum(0) * x[1],
        "list": lambda x: listed[0].sum(0) * x[1],
        "index": lambda x: x[w] * 2,
    }[where]
    fast = wg.compile(function)
    for _ in range(4):
        fast(x)
    change(w)
    if where == "index" and w.dtype == np.float64:
        return
    for _ in range(4):
        np.testing.assert_array_equal(fast(x), function(x))


def test_a_large_array_that_shrinks_is_not_read_beyond_its_end():
    script = "import numpy as np, wengert as wg\nw = np.ones(30_000_000)\nf = wg.compile(lambda x: (w * x[0]).sum())\n"
    script += "[f(np.ones(3)) for _ in range(3)]\nw.resize(3, refcheck=False)\nassert f(np.ones(3)) == 3\n"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


# Classes --------------------------------------------------------------------------------------------------------------


class Open:
    def handle(self, x):
        self.__class__ = Closed
        return x * 2


class Closed:
    def handle(self, x):
        self.__class__ = Open
        return x * 3


def test_objects_that_change_their_class():
    def make(wrap):
        door = Open()
        return wrap(lambda x: door.handle(x)), lambda: type(door).__name__

    agree(make)
    door = Open()
    changed(lambda x: x * (type(door) is Open), lambda k: setattr(door, "__class__", (Open, Closed)[int(k) % 2]))


class Turned:
    @wg.compile
    def go(self, x):
        return x * self.factor()

    def factor(self):
        return 2.0


class TurnedFurther(Turned):
    def factor(self):
        return 3.0


def test_the_object_of_a_compiled_method_gets_another_class():
    turned = Turned()
    for cls, factor in ((Turned, 2), (TurnedFurther, 3), (Turned, 2)):
        turned.__class__ = cls
        for _ in range(4):
            np.testing.assert_array_equal(turned.go(ONE), ONE * factor)


def test_attributes_that_are_put_before_inherited_ones():
    class Base:
        scale = 2.0

    class Derived(Base):
        pass

    held = Derived()
    fast = wg.compile(lambda x: x * held.scale)
    for change in (lambda: None, lambda: setattr(Derived, "scale", 3.0), lambda: delattr(Derived, "scale")):
        change()
        for _ in range(3):
            np.testing.assert_array_equal(fast(ONE), ONE * held.scale)


def test_classes_of_no_module():
    namespace = {}
    exec("class Made:\n    h = 1.0", namespace)
    held = namespace["Made"]()
    changed(lambda x: x * held.h, lambda k: setattr(held, "h", k))


# What a function makes ------------------------------------------------------------------------------------------------

MAKING = {
    "global": """
def f(x):
    global count
    try: count += 1
    except NameError: count = 1
    return x * count
""",
    "array": """
def f(x):
    global count
    if 'count' not in globals(): count = np.zeros(2)
    count += x
    return count * 1
""",
    "cell": """
def around():
    def f(x):
        nonlocal count
        try: count = count + 1
        except NameError: count = 1
        return x * count
    if False: count = 0
    return f
f = around()
""",
    "attribute": """
def f(x):
    f.count = getattr(f, 'count', 0) + 1
    return x * f.count
""",
    "attribute of another": """
def g(x):
    if not hasattr(g, 'count'): g.count = 0
    g.count += 1
    return x * g.count
f = g
""",
    "array of another": """
def g(x):
    g.count = getattr(g, 'count', np.zeros(2)) + x
    return g.count
f = g
""",
    "class": """
class K: pass
def f(x):
    K.count = getattr(K, 'count', 0) + 1
    return x * K.count
""",
}


@pytest.mark.parametrize("what", MAKING)
def test_what_a_function_makes_when_it_is_first_called(what):
    def make(wrap):
        namespace = {"np": np, "__name__": "somewhere"}
        exec(MAKING[what], namespace)
        namespace["f"] = wrap(namespace["f"])
        return namespace["f"], lambda: namespace.get("count")

    agree(make)


@functools.lru_cache
def window(n):
    return np.ones(n) / n


def test_caches_keep_arrays():
    fast = wg.compile(lambda x: x * window(2))
    for _ in range(3):
        assert type(fast(ONE)) is type(window(2)) is np.ndarray


# Dataclasses ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Settings:
    w: np.ndarray
    rate = 0.1  # no field

    def scaled(self):
        return self.w * SCALE


@dataclasses.dataclass
class Fit:
    x: np.ndarray

    def __post_init__(self):
        self.n = len(self.x)


def test_dataclasses_with_other_attributes():
    fast = wg.compile(lambda s: s.w * s.rate)
    for k in range(4):
        given = Settings(ONE)
        given.rate = k
        np.testing.assert_array_equal(fast(given), ONE * k)
        np.testing.assert_array_equal(fast(Settings(ONE)), ONE * 0.1)


def test_dataclasses_with_other_attributes_are_told_by_native_code():
    fast = wg.compile(lambda s: s.w * s.rate)
    for _ in range(4):
        fast(Settings(ONE))
    given = Settings(ONE)
    given.rate = 5
    np.testing.assert_array_equal(fast(given), ONE * 5)
    assert fast.stats()["recordings"] == 1


def test_classes_of_containers_are_looked_at(monkeypatch):
    for make in (Settings, lambda w: Named(w, w)):
        fast = wg.compile(lambda s: s.scaled() if isinstance(s, Settings) else s.total())
        for scale in (1.0, 2.0, 3.0, 4.0):
            monkeypatch.setitem(globals(), "SCALE", scale)
            given = make(ONE)
            expected = given.scaled() if isinstance(given, Settings) else given.total()
            np.testing.assert_array_equal(fast(given), expected)
    fast = wg.compile(lambda s: s.w * s.rate)
    for rate in (1.0, 2.0, 3.0, 4.0):
        monkeypatch.setattr(Settings, "rate", rate)
        np.testing.assert_array_equal(fast(Settings(ONE)), ONE * rate)


def test_dataclasses_that_are_results_keep_their_attributes():
    fast = wg.compile(lambda x: Fit(x * 2))
    assert [fast(ONE).n for _ in range(3)] == [2, 2, 2]


# What is not worth it -------------------------------------------------------------------------------------------------


class Action(enum.IntEnum):
    L = 0
    R = 1


class Agent:
    """Decides by each number, and by what it is given; no program is worth its while."""

    def __init__(self):
        self.q, self.at = np.zeros((9, 2)), 4

    def step(self, u, choice):
        action = Action(choice) if u < 0.5 else Action(int(self.q[self.at].argmax()))
        to = max(0, min(8, self.at + {Action.L: -1, Action.R: 1}[action]))
        error = (1.0 if to == 8 else -0.1) + 0.9 * self.q[to].max() - self.q[self.at, action]
        self.q[self.at, action] += 0.5 * error
        self.at = 4 if to == 8 else to
        return error


@pytest.mark.filterwarnings("ignore::wengert.errors.CompileWarning")
def test_an_agent_that_decides_by_what_it_is_given():
    found = []
    for wrap in (lambda f: f, wg.compile):
        agent, random = Agent(), np.random.default_rng(0)
        step = wrap(agent.step)
        found.append([float(step(random.uniform(), int(random.integers(2)))) for _ in range(1200)])
    np.testing.assert_allclose(*found)


# Processes ------------------------------------------------------------------------------------------------------------

FORKING = """
import faulthandler, os, threading
import numpy as np, wengert as wg

stop, one = [], np.ones(3)
wg.compile(np.sin)(one)

def work(i):
    k = 0
    while not stop:
        k += 1
        fast = wg.compile(eval(f"lambda x: np.sin(x) * {i}.{k % 50} + x[0]"))
        fast(np.ones(2 + k % 7)), fast(np.ones(2 + k % 7))

threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
for thread in threads:
    thread.start()
bad = 0
for k in range(20):
    child = os.fork()
    if not child:
        faulthandler.dump_traceback_later(20, exit=True)
        fast = wg.compile(lambda x: np.cos(x) + k)
        fast(one), fast(one)
        os._exit(0)
    bad += os.waitpid(child, 0)[1] != 0
stop.append(1)
for thread in threads:
    thread.join()
assert not bad, bad
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_children_of_a_process_that_compiles():
    subprocess.run([sys.executable, "-c", FORKING], env=os.environ | {"WENGERT_CACHE": "off"}, check=True, timeout=120)
