"""Containers that a function makes anew at each call and keeps, as in ``weights = [w - rate * g for w, g in ...]``."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

import wengert as wg

from .recordings import went_straight

State = namedtuple("State", "x v count")


@dataclass(frozen=True)
class Frozen:
    x: np.ndarray
    time: float
    count: int = 0


@dataclass
class Open:
    inner: Frozen
    names: tuple


def loss(p, x):
    return np.sum((x @ p["w"] + p["b"]) ** 2)


def dictionary(kept, x):
    g = wg.grad(loss)(kept.p, x)
    kept.p = {name: kept.p[name] - 0.1 * g[name] for name in kept.p}
    return loss(kept.p, x)


def some_of_it(kept, x):
    kept.p = {"w": kept.p["w"] * 0.5 + x[0], "b": kept.p["b"], "data": kept.p["data"]}
    return np.sum(kept.p["w"] * kept.p["data"])


def inner_one(kept, x):
    kept.p["layer"] = {"w": kept.p["layer"]["w"] + x, "b": kept.p["layer"]["b"] * 2}
    return kept.p["layer"]["b"]


def nested(kept, x):
    kept.p = [(w * 0.9 + x, b - 0.1) for w, b in kept.p]
    return sum(np.sum(w) * b for w, b in kept.p)


def list_of_numbers(kept, x):
    kept.p = [a + 0.5 * np.sum(x) for a in kept.p]
    return kept.p[0] * x


def named_tuple(kept, x):
    kept.p = State(kept.p.x + 0.1 * kept.p.v, kept.p.v - x, kept.p.count + 1)
    return kept.p.x


def frozen(kept, x):
    kept.p = replace(kept.p, x=kept.p.x * 0.9 + x, time=kept.p.time + 0.1, count=kept.p.count + 2)
    return kept.p.time * kept.p.count


def dataclass_in_dataclass(kept, x):
    kept.p = Open(replace(kept.p.inner, x=kept.p.inner.x - x), kept.p.names)
    return kept.p.inner.x


def swapped(kept, x):
    kept.p = (kept.p[1] + x, kept.p[0])
    return kept.p[0] - kept.p[1]


def reset_now_and_then(kept, x):
    kept.p = {"x": kept.p["x"] + x, "steps": kept.p["steps"] + 1}
    if kept.p["steps"] > 4:
        kept.p = {"x": np.zeros(3), "steps": 0}
    return kept.p["x"] * 2


def growing(kept, x):
    kept.p = [*kept.p, np.sum(x)]
    return np.sum(kept.p)


def other_keys(kept, x):
    kept.p = {"a" if "b" in kept.p else "b": x * 2}
    return next(iter(kept.p.values()))


def other_order(kept, x):
    kept.p = {key: kept.p[key] + x for key in reversed(kept.p)}
    return next(iter(kept.p.values()))


def first_nothing(kept, x):
    kept.p = {"x": x * 2} if kept.p is None else {"x": kept.p["x"] + x}
    return kept.p["x"]


def in_two_places(kept, x):
    kept.p = kept.q = {"x": kept.p["x"] + x}
    kept.q["x"] = kept.q["x"] * 2
    return kept.p["x"]


def one_array_twice(kept, x):
    y = kept.p["a"] + x
    kept.p = {"a": y, "b": y}
    kept.p["a"][0] += 1.0
    return kept.p["b"]


def array_elsewhere(kept, x):
    y = kept.p["a"] + x
    kept.p = {"a": y}
    kept.q = y
    return kept.q


def in_place_then_made_anew(kept, x):
    kept.p["x"][0] += 1.0
    before = kept.p
    kept.p = {"x": kept.p["x"] * x}
    return np.sum(before["x"])


def swapped_places(kept, x):
    kept.p, kept.q = kept.q, kept.p
    return kept.p["x"] * x


def with_constants(kept, x):
    kept.p = {"x": kept.p["x"] + x, "rate": 0.1, "name": "adam", "axis": None}
    return kept.p["x"] * kept.p["rate"]


def of_tensors(kept, x):
    kept.p = [t * 0.9 + x for t in kept.p]
    return kept.p[0].sum()


def by_a_decision(kept, x):
    kept.p = {"x": kept.p["x"] * 0.5} if np.sum(kept.p["x"]) > 10 else {"x": kept.p["x"] + np.abs(x)}
    return kept.p["x"]


def array_to_number(kept, x):
    kept.p = {"x": np.sum(kept.p["x"]) + x[0]}
    return kept.p["x"]


def zeros(kept, x):
    kept.p = {"m": 0.9 * kept.p["m"] + x, "v": np.zeros(3)}
    kept.p["v"][1] = x[0]
    return kept.p["m"] + kept.p["v"]


MADE = {
    dictionary: lambda: {"p": {"w": np.ones(3), "b": np.zeros(1)}},
    some_of_it: lambda: {"p": {"w": np.ones(3), "b": np.zeros(1), "data": np.arange(3.0)}},
    inner_one: lambda: {"p": {"layer": {"w": np.ones(3), "b": np.float64(0.5)}, "name": "mlp"}},
    nested: lambda: {"p": [(np.ones(3), 1.0), (np.zeros(3), np.float64(2.0))]},
    list_of_numbers: lambda: {"p": [1.0, np.float64(2), 3.0]},
    named_tuple: lambda: {"p": State(np.ones(3), np.zeros(3), 0)},
    frozen: lambda: {"p": Frozen(np.ones(3), 0.0)},
    dataclass_in_dataclass: lambda: {"p": Open(Frozen(np.ones(3), 0.0), ("a", "b"))},
    swapped: lambda: {"p": (np.ones(3), np.zeros(3))},
    reset_now_and_then: lambda: {"p": {"x": np.ones(3), "steps": 0}},
    growing: lambda: {"p": []},
    other_keys: lambda: {"p": {"a": np.ones(3)}},
    other_order: lambda: {"p": {"a": np.ones(3), "b": np.zeros(3)}},
    first_nothing: lambda: {"p": None},
    in_two_places: lambda: {"p": {"x": np.ones(3)}, "q": None},
    one_array_twice: lambda: {"p": {"a": np.ones(3), "b": np.zeros(3)}},
    array_elsewhere: lambda: {"p": {"a": np.ones(3)}, "q": np.ones(3)},
    in_place_then_made_anew: lambda: {"p": {"x": np.ones(3)}},
    swapped_places: lambda: {"p": {"x": np.ones(3)}, "q": {"x": np.arange(3.0)}},
    with_constants: lambda: {"p": {"x": np.ones(3), "rate": 0.1, "name": "adam", "axis": None}},
    of_tensors: lambda: {"p": [wg.tensor(np.ones(3)), wg.tensor(np.zeros(3))]},
    by_a_decision: lambda: {"p": {"x": np.ones(3)}},
    array_to_number: lambda: {"p": {"x": np.ones(3)}},
    zeros: lambda: {"p": {"m": np.ones(3), "v": np.ones(3)}},
}
NATIVE = (
    dictionary,
    inner_one,
    nested,
    list_of_numbers,
    named_tuple,
    frozen,
    swapped,
    with_constants,
    of_tensors,
    zeros,
)


def told(x):
    """Classes, and numbers, of all that is in something."""
    if isinstance(x, dict):
        return dict, [(key, told(part)) for key, part in x.items()]
    if isinstance(x, (list, tuple)):
        return type(x), [told(part) for part in x]
    if isinstance(x, (Frozen, Open)):
        return type(x), told(vars(x))
    if isinstance(x, (np.ndarray, np.generic, float, wg.Tensor)):
        return type(x), np.shape(x), x.dtype if hasattr(x, "dtype") else None, np.round(np.asarray(x), 9).tolist()
    return type(x), x


def after(step, compiled, calls=14):
    """What is told after each of some calls."""
    kept = SimpleNamespace(**MADE[step]())
    outer = kept.p["data"] if step is some_of_it else None

    def run(x):
        return step(kept, x)

    run = wg.compile(run) if compiled else run
    random = np.random.default_rng(5)
    found = []
    for k in range(calls):
        if outer is not None:
            outer[0] = k  # the container still holds this very array
        result = run(random.normal(size=3))
        if kept.p is not None and step is dictionary and k == 6:
            kept.p["w"][:] = 2.0  # from outside, in place
        found.append((told(result), told(vars(kept))))
    return found, run


@pytest.mark.parametrize("step", MADE, ids=lambda step: step.__name__)
def test_that_it_is_kept_as_without_compiling(step):
    expected, _ = after(step, False)
    found, _ = after(step, True)
    assert found == expected


@pytest.mark.parametrize("step", NATIVE, ids=lambda step: step.__name__)
def test_that_it_goes_by_a_shortcut(step):
    _, run = after(step, True)
    went_straight(run)


def test_that_the_container_before_is_left_alone():
    weights = [np.ones(2), np.zeros(2)]
    first = weights

    @wg.compile
    def step(x):
        nonlocal weights
        weights = [w + x for w in weights]
        return np.sum(weights[0])

    past = []
    for k in range(5):
        past.append(weights)
        step(np.full(2, float(k)))
    assert np.array_equal(first[0], np.ones(2))
    assert len({id(x) for x in past}) == 5
    assert [float(x[0][0]) for x in past] == [1, 1, 2, 4, 7]


def test_that_containers_are_compared_beside_the_function():
    weights = {"w": np.ones(2), "b": 0.5}

    def step(x):
        nonlocal weights
        weights = {"w": weights["w"] * x, "b": weights["b"] + 1}
        return np.sum(weights["w"])

    checked = wg.compile(step, check=True)
    for k in range(5):
        checked(np.full(2, 1.0 + k))
    assert weights["b"] == 5.5
    assert np.array_equal(weights["w"], [120, 120])


def test_that_another_container_put_there_from_outside_is_seen():
    kept = SimpleNamespace(p={"x": np.ones(2)})

    @wg.compile
    def step(x):
        kept.p = {"x": kept.p["x"] + x}
        return kept.p["x"]

    for _ in range(4):
        step(np.ones(2))
    kept.p = {"x": np.full(2, 100.0)}
    assert step(np.ones(2))[0] == 101
    kept.p["x"] = np.zeros(2)
    assert step(np.ones(2))[0] == 1
    kept.p = {"x": np.zeros(3)}
    assert step(np.ones(3)).shape == (3,)
    kept.p = {"x": np.zeros(2), "y": 1}
    assert step(np.ones(2))[0] == 1
    assert list(kept.p) == ["x"]


def test_that_two_places_with_one_container_part_ways():
    first = {"x": np.ones(2)}
    kept = SimpleNamespace(p=first, q=first)

    @wg.compile
    def step(x):
        kept.p = {"x": kept.p["x"] + x}
        return kept.p["x"] + kept.q["x"]

    assert [float(step(np.ones(2))[0]) for _ in range(5)] == [3, 4, 5, 6, 7]
    kept.q = kept.p
    assert [float(step(np.ones(2))[0]) for _ in range(3)] == [13, 14, 15]


WITH_CONSTANTS = {
    "number": (lambda k: (float(k), 2), lambda pair: (pair[0], 2)),
    "text": (lambda k: ("c" * k, 2), lambda pair: (pair[0], 2)),
    "function": (lambda k: ((np.sin, np.cos)[k % 2], 2), lambda pair: (pair[0], 2)),
    "number in a tuple": (lambda k: (2, ("a", k)), lambda pair: (2, ("a", pair[1][1]))),
    "number in a list": (lambda k: (2, [float(k), 4]), lambda pair: (2, [pair[1][0], 4])),
    "array in a list": (lambda k: (2, [np.full(2, float(k)), 4]), lambda pair: (2, [pair[1][0] * 1.0, 4])),
}


@pytest.mark.filterwarnings("ignore::wengert.errors.CompileWarning")
@pytest.mark.parametrize("name", WITH_CONSTANTS)
def test_that_what_a_tuple_holds_is_looked_at_where_another_one_is_put_there(name):
    make, step = WITH_CONSTANTS[name]
    results = []
    for wrap in (lambda f: f, wg.compile):
        kept = SimpleNamespace(pair=make(1))

        def run(x, kept=kept):
            kept.pair = step(kept.pair)
            return x * 2

        run, told_then = wrap(run), []
        for k in range(14):
            run(np.ones(2))
            told_then.append(repr(kept.pair))
            if k % 3 == 2:
                kept.pair = make(k % 4)
        results.append(told_then)
    assert results[0] == results[1]


def test_an_ordered_dictionary_that_is_elsewhere_stays_the_same_object():
    for wrap in (lambda f: f, wg.compile):
        k = {"d": OrderedDict(a=1.0, b=np.ones(2))}
        k["nest"] = {"x": 1.0, "d": k["d"]}

        @wrap
        def function(x, k=k):
            k["nest"] = {"x": k["nest"]["x"], "d": k["d"]}
            return np.sum(x * k["d"]["b"])

        for _ in range(6):
            function(np.ones(2))
            assert k["nest"]["d"] is k["d"]
