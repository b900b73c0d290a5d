"""What is decided by numbers that a program computes or is given: shapes, keys, the kinds of Python's numbers."""

import functools
import sys
import types
from collections import Counter
from numbers import Number

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import wengert as wg
from wengert.compiler.program import Node, Program, depends
from wengert.dialects import torch
from wengert.errors import ArgumentError

SHAPES = {
    "reshape": lambda x, n: x.reshape(n, -1),
    "np.reshape": lambda x, n: np.reshape(x, (n, 12 // n)),
    "reshape by an array": lambda x, n: x.reshape(np.array([n, -1])),
    "tile": lambda x, n: np.tile(x, (n, 1)),
    "broadcast_to": lambda x, n: np.broadcast_to(x, (n, 12)),
    "windows": lambda x, n: sliding_window_view(x, n),
    "axis": lambda x, n: x.reshape(2, 2, 3).sum(n - 2),
    "repeated list": lambda x, n: [x[0], x[1]] * n,
    "repeated from the left": lambda x, n: n * (x[0],),
}


@pytest.mark.parametrize("name", SHAPES)
def test_whole_numbers_of_numpys_decide_shapes(name):
    f = SHAPES[name]
    fast = wg.compile(f)
    for n in (2, 3, 2, 4, 3, 3, 4):
        x = np.arange(12.0) * n
        expected, found = f(x, np.int64(n)), fast(x, np.int64(n))
        assert type(found) is type(expected)
        np.testing.assert_array_equal(found, expected)


KEYS = {
    "set": lambda x: len(set(np.round(x))),
    "counter": lambda x: Counter(np.sign(x)).most_common(1)[0][1],
    "dictionary": lambda x: {k: i for i, k in enumerate(np.round(x))}.get(2, -1),
    "membership": lambda x: x[0] in {1.0, 2.0},
    "result": lambda x: list({x.sum(): 1}),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_that_are_computed_are_numbers(name):
    f = KEYS[name]
    fast = wg.compile(f)
    for x in ([1.0, 2.1, 1.9], [3.0, 1.0, 1.0], [1.0, 2.1, 1.9], [2.0, 5.0, -1.0]):
        expected, found = f(np.array(x)), fast(np.array(x))
        assert found == expected
        assert repr(found) == repr(expected)
    assert "it hashes" in fast.stats()["given up"][0]


def test_tensors_stay_keys_by_identity():
    w = wg.tensor(np.ones(3), requires_grad=True)
    rates = {w: 0.5}
    fast = wg.compile(lambda x: np.sum(w * x) * rates[w])
    with wg.no_grad():
        assert [float(fast(np.full(3, k))) for k in (1.0, 2.0, 3.0)] == [1.5, 3.0, 4.5]
    assert not fast.stats()["given up"]


def test_powers_of_pythons_numbers_are_pythons():
    for f, calls in (
        (lambda a: a**0.5, [(2.0,), (-2.0,), (4.0,), (-3.0,), (-2.0,), (0.0,)]),
        (lambda a, b: a**b, [(2.0, 3.0), (-2.0, 2.0), (-2.0, 0.5), (-2.0, 3.0), (2.0, 0.5), (-2.0, 0.5)]),
    ):
        fast = wg.compile(f)
        for given in (*calls, *calls):
            expected, found = f(*given), fast(*given)
            assert type(found) is type(expected)
            assert found == expected


def test_powers_raise_where_pythons_do():
    fast = wg.compile(lambda a, b: a**b)
    assert fast(1e10, 3.0) == fast(1e10, 3.0) == 1e30
    for _ in range(3):
        with pytest.raises(OverflowError):
            fast(1e10, 1000.0)
        with pytest.raises(ZeroDivisionError):
            fast(0.0, -1.0)
    assert fast(0.0, 1.0) == 0
    assert fast(1e10, 2.0) == 1e20


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_a_rate_that_a_schedule_changes_is_an_input(name):
    def run(compiled):
        w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        optimizer = getattr(torch.optim, name)([w], lr=0.1)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

        def step(x):
            optimizer.zero_grad()
            loss = ((w * x) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        one, losses = wg.compile(step) if compiled else step, []
        for _ in range(12):
            losses.append(float(one(torch.ones(3)).detach().numpy()))
            schedule.step()
        return losses, one

    found, step = run(True)
    np.testing.assert_allclose(found, run(False)[0], 1e-5)
    assert step.stats()["given up"] == []
    assert step.stats()["recordings"] < 5


def test_a_function_that_asks_for_classes_is_told_why_it_is_left_alone():
    def f(rate):
        if type(rate) is not float:
            raise TypeError(f"rate must be a float, got {rate}")
        return 2 * rate

    fast = wg.compile(f)
    assert fast(0.5) == fast(0.5) == 1.0
    assert "asks for classes" in fast.stats()["given up"][0]


INSTANCES = {
    "array": (lambda x: 2 * x if isinstance(x, np.ndarray) else x, [np.zeros(3), np.ones(3)]),
    "array or list": (
        lambda x: np.sum((x if isinstance(x, np.ndarray) else np.array(x)) ** 2),
        [np.zeros(3), np.ones(3), [1.0, 2.0], [1.0, 3.0], 2.0, 3.0],
    ),
    "factor": (lambda n: 3 * (n if isinstance(n, float) else 1.0), [1.0, 2.0, 3]),
    "computed": (lambda x: 2 * x if isinstance(np.sin(x), np.ndarray) else x, [np.zeros(3), np.ones(3)]),
    "sum": (lambda x: 2 * np.sum(x) if isinstance(np.sum(x), float) else x, [np.zeros(3), np.ones(3)]),
    "large": (lambda x: 2 * x if isinstance(x + 1, np.ndarray) else x, [np.zeros(300_000), np.ones(300_000)]),
    "tensor": (lambda x: 2 * x if isinstance(x, wg.Tensor) else x, [np.zeros(3), np.ones(3), wg.tensor([1.0, 2.0])]),
    "number": (lambda x: 2 * x if isinstance(x, Number) else x, [np.zeros(3), np.ones(3), 1.0, 2.0, np.float64(3)]),
    "element": (
        lambda x: np.stack([2 * e if isinstance(e, np.floating) else 3 * e for e in x]),
        [np.zeros(3), np.ones(3)],
    ),
    "inside": (lambda x: (lambda y: 2 * y if isinstance(y, np.ndarray) else y)(x), [np.zeros(3), np.ones(3)]),
    "union": (lambda x: 2 * x if isinstance(x, float | int) else x, [np.zeros(3), np.ones(3), 1.0, 2.0]),
}


@pytest.mark.parametrize(("f", "given"), INSTANCES.values(), ids=INSTANCES)
def test_recorded_values_are_instances_of_what_they_stand_for(f, given):
    fast = wg.compile(f)
    for x in (*given, *given):
        assert type(fast(x)) is type(f(x))
        np.testing.assert_array_equal(fast(x), f(x))
    assert fast.stats()["eager"] == 0
    assert "isinstance" not in f.__globals__


class Refined(type):
    def __instancecheck__(cls, x):
        return bool(np.all(x > 0))


class Positive(metaclass=Refined):
    pass


def test_classes_that_look_at_values_decide_by_them():
    def f(x):
        return np.log(x) if isinstance(x, Positive | int) else 0 * x

    fast = wg.compile(lambda x: f(x))
    for x in (np.ones(2), 2 * np.ones(2), -np.ones(2), 3 * np.ones(2), -np.ones(2)):
        np.testing.assert_allclose(fast(x), f(x), 1e-15)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_that_ask_often_are_recorded_in_time_in_proportion():
    asked = Counter()

    def f(x, n):
        for _ in range(n):
            x = np.sin(x) * t if isinstance(x, np.ndarray) else np.cos(x) * t
        return x

    class Counting(dict):
        def __setitem__(self, key, value):
            asked[key] += 1
            super().__setitem__(key, value)

    t = wg.tensor(0.9)
    program = Program()
    program.of_tensors = Counting()
    with program:
        x = program.input(np.ones(3))
        program.tensors.add(program.input(0.9))
        for _ in range(50):
            x = Node(len(program.nodes), x.call, (x, x))
            program.nodes.append(x)
            assert not depends(x, program.tensors, program.of_tensors)
    assert max(asked.values()) <= 3
    np.testing.assert_allclose(wg.compile(f)(np.ones(3), 300), f(np.ones(3), 300))


def test_compiled_functions_inside_others_are_told_apart_as_well():
    def g(x):
        return np.maximum(x, 0.0) if type(x) is np.ndarray else -np.maximum(-x, 0.0)

    inner = wg.compile(g)
    outer = wg.compile(lambda x: inner(x) if hasattr(x, "shape") else x)
    outer(np.zeros(2))
    for x in (np.ones(2), -np.ones(2)):
        np.testing.assert_array_equal(inner(x), g(x))
        np.testing.assert_array_equal(outer(x), g(x))


@functools.lru_cache
def coefficient(n):
    return sum(k * k for k in range(n))


@pytest.mark.parametrize("f", [
    lambda x: coefficient(3) * x if hasattr(x, "shape") else x,
    lambda x: np.vectorize(lambda v: v * v + 1)(x) if hasattr(x, "shape") else x,
    lambda x: sum(v * i[0] for i, v in np.ndenumerate(x)) * x if hasattr(x, "shape") else 0 * x,
], ids=["what is kept", "vectorize", "iterator"])  # fmt: skip
def test_other_steps_that_say_nothing_of_classes(f):
    fast = wg.compile(f)
    for k in range(4):
        np.testing.assert_array_equal(fast(np.arange(3.0) + k), f(np.arange(3.0) + k))
    assert fast.stats()["given up"] == []


def test_long_ways_are_compared_as_far_as_is_cheap():
    def f(x):
        total = 0
        for k in range(60_000):
            total += k % 7
        return total * x if hasattr(x, "shape") else x

    fast = wg.compile(f)
    for _ in range(2):
        np.testing.assert_array_equal(fast(np.ones(2)), f(np.ones(2)))
    assert fast.stats()["eager"] == 0
    assert sys.gettrace() is None


def _match(x):
    match x:
        case np.ndarray():
            return np.sum(x)
    return 0.0


def _tried(x):
    try:
        return np.sum(x) * len(x.flags) / len(x.flags)
    except Exception:
        return 0.0


@pytest.mark.parametrize("f", [
    lambda x: np.sum(x) if type(x) is np.ndarray else 0.0,
    lambda x: np.sum(x) * (1.0 if x.__class__ is np.ndarray else 2.0),
    lambda x: np.maximum(x, 0.0) if type(x) is np.ndarray else -np.maximum(-x, 0.0), _match, _tried,
])  # fmt: skip
def test_results_that_happen_to_agree_say_nothing_of_other_classes(f):
    fast = wg.compile(f)
    for scale in (0.0, 0.0, 1.0, -2.0, 3.0):
        x = np.full(3, scale)
        np.testing.assert_array_equal(fast(x), f(x))


def test_functions_that_somebody_else_follows_are_left_alone():
    seen = []

    def follow(frame, event, argument):
        seen.append(event)

    def f(x):
        return 2 * x if hasattr(x, "shape") else x

    fast, before = wg.compile(f), sys.gettrace()
    sys.settrace(follow)
    try:
        for _ in range(3):
            fast(np.ones(2))
        assert sys.gettrace() is follow
        assert "asks for classes" in fast.stats()["given up"][0]
    finally:
        sys.settrace(before)
    assert seen
    np.testing.assert_array_equal(fast(np.ones(2)), [2, 2])


TEXTS = {
    "str": lambda a, x: str(x),
    "repr": lambda a, x: repr(x[0]),
    "format": lambda a, x: f"{x} {x[0]:.3f} {a} {x.sum()}",
    "percent": lambda a, x: "%s %r" % (x[0], x),  # noqa: UP031
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_those_of_arrays(name):
    fast = wg.compile(TEXTS[name])
    for a in (2.0, 2.5, 2.0, 2.0):
        assert fast(a, np.arange(3.0) * a) == TEXTS[name](a, np.arange(3.0) * a)


NUMBERS = {
    "comparisons": lambda a, b: (a > 1, a <= 1, a == b, a != 2.0, b >= a, (a > 1) & (b > 1), (a > 1) + 1),
    "nothing": lambda a, b: (a == None, a != None, a == "a"),  # noqa: E711
    "divmod": lambda a, b: (divmod(a, 0.3), divmod(3, a), divmod(a, b)),
    "counted": lambda a, b: sum([a > 1, b > 1, a > b]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_pythons_numbers_stay_pythons(name):
    fast = wg.compile(NUMBERS[name])
    for a, b in ((2.0, 3.0), (0.5, 0.5), (2.0, 3.0), (0.5, 0.25), (4.0, 5.0), (0.5, 0.5)):
        assert repr(fast(a, b)) == repr(NUMBERS[name](a, b))


def test_a_generator_that_is_passed_in_is_named_where_it_draws_itself():
    with pytest.raises(ArgumentError, match=r"a method of a numpy.*Generator.*write wg.random.normal"):
        wg.compile(lambda g, x: x * g.normal())(np.random.default_rng(0), 1.0)
    with pytest.raises(ArgumentError, match=r"from a global generator"):
        wg.compile(lambda x: x * np.random.normal())(1.0)  # noqa: NPY002


SCALE = {np.ndarray: 2.0}
isa = isinstance
WITHOUT_A_BRANCH = {
    "factor": lambda x: x * (type(x) is np.ndarray),
    "table": lambda x: SCALE.get(type(x), 3.0) * x,
    "place": lambda x: [5.0, 1.0][type(x) in (np.ndarray,)] * x,
    "another name": lambda x: x * isa(x, np.ndarray),
    "subclass": lambda x: x * issubclass(type(x), np.ndarray),
    "scalar": lambda x: x * np.isscalar(x.sum()),
    "attribute": lambda x: x * (1 + hasattr(x, "detach")),
    "maximum": lambda x: np.maximum(x, 1.0 - (type(x) is np.ndarray)),
}


@pytest.mark.parametrize("f", WITHOUT_A_BRANCH.values(), ids=WITHOUT_A_BRANCH)
def test_classes_asked_without_a_branch_where_the_first_numbers_hide_it(f):
    fast = wg.compile(f)
    first = np.full(2, 5.0) if f is WITHOUT_A_BRANCH["maximum"] else np.zeros(2)
    for x in (first, np.full(2, 0.25), np.full(2, 0.5), np.ones(2)):
        np.testing.assert_array_equal(fast(x), f(x))


def test_modules_whose_names_begin_with_numpys_are_followed():
    module = types.ModuleType("numpy_model")
    source = (
        "def f(x):\n    return g(x)\ndef g(x):\n    if type(x) is np.ndarray:\n        return x * 3\n    return x * 0\n"
    )
    exec("import numpy as np\n" + source, module.__dict__)
    fast = wg.compile(module.f)
    for x in (np.zeros(3), np.zeros(3), np.arange(3.0), np.ones(3)):
        np.testing.assert_array_equal(fast(x), 3 * x)
