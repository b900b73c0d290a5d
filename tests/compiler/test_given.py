"""Containers that a function is given, and writes into."""

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import wengert as wg

from .recordings import went_straight

Pair = namedtuple("Pair", "w b")


@dataclass
class State:
    x: np.ndarray
    v: np.ndarray
    energy: float = 0.0


@dataclass
class Guarded:
    x: np.ndarray

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value * 2 if name == "x" and hasattr(self, "x") else value)


def descend(params, gradients, rate):
    for name in params:
        params[name] = params[name] - rate * gradients[name]


def in_place_and_anew(params, x):
    params["w"] -= 0.1 * x
    params["b"] -= np.sum(x)
    return params["w"] * params["b"]


def momentum(velocities, params, x):
    for i, p in enumerate(params):
        velocities[i] = 0.9 * velocities[i] + p * x
        params[i] = p - 0.1 * velocities[i]
    return sum(np.sum(p) for p in params)


def state(s, x):
    s.v = s.v - 0.1 * s.x + x
    s.x = s.x + 0.1 * s.v
    s.energy = 0.5 * np.sum(s.x**2 + s.v**2)
    return s.energy


def inner(model, x):
    model["layers"][0]["w"] = model["layers"][0]["w"] + x
    model["count"] = 1.0
    return model["layers"][0]["w"] * model["layers"][1]["w"]


def by_name(*, params, x):
    params["w"] = params["w"] * x
    return params["w"]


def in_a_tuple(params, x):
    params[0]["w"] = params[0]["w"] * 0.5 + x
    return params[1]["w"] + params[0]["w"]


def swapped(params, x):
    params["w"], params["b"] = params["b"], params["w"]
    return params["w"] - params["b"] + x


def one_array_twice(params, x):
    params["w"] = params["b"] = params["w"] + x
    params["w"][0] = 7.0
    return params["b"]


def named(params, x):
    params[0] = Pair(params[0].w + x, params[0].b)
    return params[0].w


def new_key(params, x):
    params["cache"] = params["w"] * x
    return params["cache"]


def taken(params, x):
    return params.pop("w") * x


def appended(values, x):
    values.append(np.sum(x))
    return np.sum(values)


def counted(params, x):
    params["t"] = params["t"] + 1
    params["w"] = params["w"] * x / params["t"]
    return params["w"]


def decided(params, x):
    if np.sum(params["w"]) > 5:
        params["w"] = params["w"] * 0.1
    else:
        params["b"] = params["b"] + x
        params["w"] = params["w"] + np.abs(x)
    return params["w"]


def returned(params, x):
    params["w"] = params["w"] + x
    return params


def rate_too(params, x):
    params["rate"] = params["rate"] * 0.9
    params["w"] = params["w"] - params["rate"] * x
    return params["rate"]


def into_nothing(params, x):
    params["last"] = np.sum(x)
    return params["w"] + params["last"]


def guarded(s, x):
    s.x = s.x + x
    return s.x


def raises(params, x):
    params["w"] = params["w"] + x
    if np.sum(params["w"]) > 4:
        raise ValueError("too much")
    return params["w"]


def two():
    return {"w": np.ones(3), "b": np.full(3, 0.5)}


STEPS = {
    in_place_and_anew: lambda: ({"w": np.ones(3), "b": np.float64(1)},),
    momentum: lambda: ([np.zeros(3), np.zeros(3)], [np.ones(3), np.arange(3.0)]),
    state: lambda: (State(np.ones(3), np.zeros(3)),),
    inner: lambda: ({"layers": [two(), two()], "count": 0.0},),
    in_a_tuple: lambda: ((two(), two()),),
    swapped: lambda: (two(),),
    one_array_twice: lambda: (two(),),
    named: lambda: ([Pair(np.ones(3), 0.5)],),
    new_key: lambda: (two(),),
    taken: lambda: (two(),),
    appended: lambda: ([1.0],),
    counted: lambda: ({"w": np.ones(3), "t": 0},),
    decided: lambda: (two(),),
    returned: lambda: (two(),),
    rate_too: lambda: ({"w": np.ones(3), "rate": 0.1},),
    into_nothing: lambda: ({"w": np.ones(3), "last": None},),
    guarded: lambda: (Guarded(np.ones(3)),),
    raises: lambda: (two(),),
}
NATIVE = (in_place_and_anew, momentum, state, inner, in_a_tuple, rate_too, returned)


def told(x):
    if isinstance(x, dict):
        return type(x), [(key, told(part)) for key, part in x.items()]
    if isinstance(x, (list, tuple)):
        return type(x), [told(part) for part in x]
    if isinstance(x, (State, Guarded)):
        return type(x), told(vars(x))
    if isinstance(x, (np.ndarray, np.generic, float)):
        return type(x), np.shape(x), np.round(np.asarray(x), 9).tolist()
    return type(x), x


def after(step, compiled, calls=12):
    given = STEPS[step]()
    run = wg.compile(step) if compiled else step
    random = np.random.default_rng(7)
    found = []
    for k in range(calls):
        x = random.normal(size=3)
        containers = given
        try:
            result = run(*given, x)
        except (KeyError, ValueError) as error:
            result = f"{type(error).__name__} {error}"
        assert given is containers
        found.append((told(result), told(given)))
        if k == 5:
            given = STEPS[step]()  # others, built alike
    return found, run


@pytest.mark.filterwarnings("ignore:.compile. .* has been recorded for 8 kinds")
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_that_containers_are_written_as_without_compiling(step):
    expected, _ = after(step, False)
    found, _ = after(step, True)
    assert found == expected


@pytest.mark.parametrize("step", NATIVE, ids=lambda step: step.__name__)
def test_that_such_calls_take_a_shortcut(step):
    _, run = after(step, True)
    went_straight(run)


def test_an_update_of_a_dictionary():
    params, gradients = two(), two()
    fast = wg.compile(descend)
    for _ in range(5):
        assert fast(params, gradients, 0.1) is None
    assert np.allclose(params["w"], 0.5)
    assert np.array_equal(gradients["w"], np.ones(3))
    assert fast._shortcuts.runs >= 3


def test_by_name():
    params = two()
    fast = wg.compile(by_name)
    for _ in range(5):
        fast(x=np.full(3, 2.0), params=params)
    assert np.array_equal(params["w"], np.full(3, 32.0))


@pytest.mark.parametrize("kind", [OrderedDict, defaultdict], ids=lambda kind: kind.__name__)
def test_dictionaries_of_other_classes(kind):
    for compiled in (False, True):
        params = kind(None, **two()) if kind is defaultdict else kind(two())
        run = wg.compile(returned) if compiled else returned
        for _ in range(4):
            run(params, np.ones(3))
        assert np.array_equal(params["w"], np.full(3, 5.0))


def test_a_container_that_is_given_and_used_from_around():
    def run(compiled):
        weights = [np.ones(2), np.zeros(2)]

        def step(given, x):
            weights[0] = weights[0] + x
            return given[0] * 1.0

        step = wg.compile(step) if compiled else step
        found = [float(step(weights, np.ones(2))[0]) for _ in range(4)]
        found += [float(step([np.ones(2), np.ones(2)], np.ones(2))[0]) for _ in range(4)]
        return found + [float(step(weights, np.ones(2))[0]) for _ in range(4)]

    assert run(True) == run(False)


def test_a_container_that_is_given_twice():
    def step(a, b, x):
        a[0] = a[0] + np.sum(x)
        return b[0] * 2

    def run(step):
        one, other = [1.0], [1.0]
        found = [float(step(one, other, np.ones(2))) for _ in range(4)]
        found += [float(step(one, one, np.ones(2))) for _ in range(4)]
        return found + [float(step(other, one, np.ones(2))) for _ in range(3)]

    assert run(wg.compile(step)) == run(step)


def test_a_model_whose_state_is_given():
    def run(compiled):
        model = SimpleNamespace(memory={"m": np.zeros(2)})

        def step(memory, x):
            memory["m"] = 0.5 * memory["m"] + x
            return np.sum(model.memory["m"])

        step = wg.compile(step) if compiled else step
        found = [float(step({"m": np.ones(2)}, np.ones(2))) for _ in range(4)]
        return found + [float(step(model.memory, np.ones(2))) for _ in range(4)]

    assert run(True) == run(False)


def test_that_it_is_compared_beside_the_function():
    params = {"w": np.ones(3), "rate": 0.5}
    fast = wg.compile(rate_too, check=True)
    for _ in range(4):
        fast(params, np.ones(3))
    assert np.isclose(params["rate"], 0.5 * 0.9**4)


def test_that_the_leaves_are_new_arrays():
    params, x = two(), np.ones(3)
    fast = wg.compile(returned)
    for _ in range(4):
        before = params["w"]
        found = fast(params, x)
        assert params["w"] is not before
        assert not np.shares_memory(found["w"], params["w"])


def same(a, b):
    return 1.0 if a is b else 2.0


@pytest.mark.parametrize("first", ["same", "other"])
def test_that_one_container_given_twice_is_one(first):
    fast = wg.compile(lambda a, b, x: x * same(a, b))
    kept, other = [1.0], [1.0]
    for _ in range(3):
        for b in (kept, other) if first == "same" else (other, kept):
            assert fast(kept, b, np.ones(1))[0] == same(kept, b)
    nested = wg.compile(lambda pairs, x: x * len({id(pair) for pair in pairs}))
    for _ in range(4):
        assert nested([{"a": 1.0}, {"a": 1.0}], np.ones(1))[0] == 2
        twice = {"a": 1.0}
        assert nested([twice, twice], np.ones(1))[0] == 1
    assert fast.stats()["paths"] == nested.stats()["paths"] == 1


def test_the_order_of_an_argument_that_is_moved():
    def run(settings, x):
        settings.move_to_end("a")
        return x * list(settings).index("a")

    fast = wg.compile(run)
    for _ in range(4):
        settings = OrderedDict(a=1.0, b=2.0)
        assert fast(settings, np.ones(1))[0] == 1
        assert list(settings) == ["b", "a"]


def test_what_is_done_before_an_interruption_stays():
    kept = SimpleNamespace(count=0, w=np.zeros(1), p={"w": np.zeros(1)})

    @wg.compile
    def run(params, x):
        kept.count += 1
        kept.w = kept.w + 1
        params["w"] = params["w"] + 1
        x[0] = 5.0
        if kept.count < 3:
            raise KeyboardInterrupt
        return x * kept.count

    for count in range(1, 6):
        x = np.zeros(1)
        if count < 3:
            with pytest.raises(KeyboardInterrupt):
                run(kept.p, x)
        else:
            assert run(kept.p, x)[0] == 5 * count
        assert (kept.count, kept.w[0], kept.p["w"][0], x[0]) == (count, count, count, 5)


def test_that_buffers_change_places():
    kept = SimpleNamespace(now=np.zeros(3), next=np.ones(3))
    first, second = kept.now, kept.next

    @wg.compile
    def run(x):
        kept.next[:] = kept.now + x
        kept.now, kept.next = kept.next, kept.now
        return np.sum(kept.now)

    for k in range(1, 9):
        assert run(np.ones(3)) == 3 * k
        assert kept.now is (second if k % 2 else first)
        assert kept.next is (first if k % 2 else second)
    assert run._shortcuts.runs >= 5


def test_that_an_argument_is_kept_itself():
    kept = SimpleNamespace(last=np.zeros(2), past={"x": np.zeros(2)})

    @wg.compile
    def run(x):
        step = x - kept.last
        kept.last = x
        kept.past = {"x": x, "step": step} if "step" in kept.past else {"x": x, "step": step * 1}
        return np.sum(step)

    for k in range(6):
        x = np.full(2, float(k))
        run(x)
        assert kept.last is x
        assert kept.past["x"] is x
    assert run.stats()["paths"] >= 1


def test_that_views_that_are_kept_are_views():
    kept = SimpleNamespace(w=np.arange(4.0), part=np.zeros(2), both={"a": np.zeros(3), "b": np.zeros(2)})

    @wg.compile
    def run(x):
        kept.part = kept.w[:2]
        y = np.ones(3) * x
        kept.both = {"a": y, "b": y[:2]}
        return kept.part.sum()

    for _ in range(4):
        run(1.0)
        kept.part[0] += 1
        kept.both["b"][0] = 7
        assert kept.both["a"][0] == 7
    assert kept.w[0] == 4
