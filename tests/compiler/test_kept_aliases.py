"""What is one object in several places stays one, and what are two stays two, also where containers are made anew."""

from collections import OrderedDict
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import SimpleNamespace

import numpy as np
import optree
import pytest

import wengert as wg


@dataclass
class Body:
    x: object
    n: float = 0.0


@dataclass(slots=True)
class Slotted:
    x: object


@dataclass
class Child(Slotted):
    y: float = 0.0


@dataclass
class Lazy:
    x: object
    y: object = field(init=False)


class Pair:
    def __init__(self, d, e):
        self.d, self.e = d, e


optree.register_pytree_node(
    Pair, lambda p: ([p.d, p.e], None, ("d", "e")), lambda _, parts: Pair(*parts), namespace="wengert"
)
optree.register_pytree_node(
    Pair, lambda p: ([p.d, p.e], None, ("d", "e")), lambda _, parts: Pair(*parts), namespace="wengert.whole"
)


def part_in_two_containers(k, x):
    y = k.p["a"] + x
    k.p, k.q = {"a": y}, {"a": y}
    return y * 1


def part_in_an_argument(k, params, x):
    y = params["w"] + x
    k.p = {"a": y}
    params["w"] = y
    return y * 1


def chosen_in_two_places(k, x):
    k.p = {"a": np.where(x > 1, x, k.p["a"] + x)}
    k.q = {"a": k.p["a"], "b": x * 2}
    k.r = k.s = np.where(x > 1, x, k.r)
    return k.r * 1


def container_in_a_container(k, x):
    d = {"w": k.a["w"] + x}
    k.a, k.p = d, {"i": d}
    return d["w"] * 1


def kept_and_given(k, params, x):
    y = params["w"] + x
    k.last = y
    params["w"] = y
    return y * 1


def inner_made_anew(k, params, x):
    params["i"] = {"w": params["i"]["w"] + x}
    return params["i"]["w"] * 1


def inner_copied(k, params, x):
    params["i"] = dict(params["i"])
    return params["i"]["w"] * x


def states_replaced(k, states, x):
    states[0] = replace(states[0], x=states[0].x + x)
    return states[0].x * 1


def inner_swapped(k, p, x):
    p["a"], p["b"] = p["b"], p["a"]
    return p["a"]["w"] * x


def written_then_made_anew(k, x):
    k.p["x"] = k.p["x"] + x
    k.p = {"x": k.p["x"] * 2}
    return k.p["x"] * 1


def made_anew_then_written(k, x):
    old = k.p
    k.p = {"x": k.p["x"] + x}
    old["x"] = x * 9
    return k.p["x"] * 1


def one_in_two_lists(k, x):
    d = {"n": k.p[0]["n"] + x}
    k.p, k.q = [d], [d]
    return d["n"] * 1


def the_one_before(k, x):
    k.prev = k.cur
    k.cur = replace(k.cur, x=k.cur.x + x)
    return k.cur.x * 1


def one_of_two(k, x):
    k.p = [k.p[0], replace(k.p[1], x=k.p[1].x + x)]
    return k.p[0].n * k.p[1].x


def field_in_a_slot(k, s, x):
    s.x = s.x + x
    return s.x * 1


def slotted_made_anew(k, x):
    k.p = replace(k.p, x=k.p.x + x)
    return k.p.x * 1


def with_a_mask(k, x):
    k.p = {**k.p, "x": k.p["x"] + x * k.p["m"]}
    return k.p["x"] * 1


def registered(k, p, x):
    p.d["w"] = p.d["w"] + x
    return p.d["w"] * 1


def unset_field(k, x):
    k.p = Lazy(k.p.x + x)
    return k.p.x * 1


def given_and_used(k, od, x):
    k.od["w"] = k.od["w"] + x
    return od["w"] * 1


def ones(**more):
    return SimpleNamespace(**more)


def w():
    return np.ones(2)


CASES = {
    part_in_two_containers: lambda: (ones(p={"a": w()}, q={"a": w()}),),
    part_in_an_argument: lambda: (ones(p={"a": w()}), {"w": w()}),
    chosen_in_two_places: lambda: (ones(p={"a": w()}, q={"a": w(), "b": w()}, r=w(), s=w()),),
    container_in_a_container: lambda: (ones(a={"w": w()}, p={"i": {"w": w()}}),),
    kept_and_given: lambda: (ones(last=None), {"w": w()}),
    inner_made_anew: lambda: (ones(), {"i": {"w": w()}}),
    inner_copied: lambda: (ones(), {"i": {"w": w()}}),
    states_replaced: lambda: (ones(), [Body(w()), Body(w())]),
    inner_swapped: lambda: (ones(), {"a": {"w": w()}, "b": {"w": 2 * w()}}),
    written_then_made_anew: lambda: (ones(p={"x": w()}),),
    made_anew_then_written: lambda: (ones(p={"x": w()}),),
    one_in_two_lists: lambda: (ones(p=[{"n": w()}], q=[{"n": w()}]),),
    the_one_before: lambda: (ones(prev=Body(w()), cur=Body(w())),),
    one_of_two: lambda: (ones(p=[Body(w(), 1.0), Body(w(), 2.0)]),),
    field_in_a_slot: lambda: (ones(), Child(w())),
    slotted_made_anew: lambda: (ones(p=Child(w())),),
    with_a_mask: lambda: (ones(p={"x": np.zeros(2), "m": np.array([3, 4])}),),
    registered: lambda: (ones(), Pair({"w": w()}, w())),
    unset_field: lambda: (ones(p=Lazy(w())),),
    given_and_used: lambda: (od := OrderedDict(w=w())) and (ones(od=od), od),
}


def told(things, known):
    """What is in some objects: classes, values, and which are one and the same."""
    found = []
    for x in things:
        if isinstance(x, (np.ndarray, dict, list)) or is_dataclass(x):
            if id(x) in known:
                found.append(known[id(x)])
                continue
            known[id(x)] = len(known)
        if isinstance(x, np.ndarray):
            found.append(x.tolist())
        elif isinstance(x, dict):
            found.append((list(x), told(x.values(), known)))
        elif isinstance(x, (list, tuple)):
            found.append(told(x, known))
        elif is_dataclass(x):
            found.append((type(x).__name__, told([getattr(x, f.name, None) for f in fields(x)], known)))
        else:
            found.append(told(vars(x).values(), known) if hasattr(x, "__dict__") else repr(x))
    return found


def run_of(case, compiled):
    k, *given = CASES[case]()
    run = wg.compile(lambda *args: case(k, *args)) if compiled else lambda *args: case(k, *args)
    history, found = [], []
    for turn in range(8):
        history.append([*vars(k).values(), *given])  # what others may hold, before the call
        result = run(*given, np.full(2, 0.5))
        found.append((result.tolist(), told([history, vars(k), given], {})))
        for inner in [k.__dict__.get("p"), k.__dict__.get("cur")]:
            if turn == 4 and isinstance(inner, dict) and isinstance(inner.get("m"), np.ndarray):
                inner["m"][:] += 1
            if isinstance(inner, list) and isinstance(inner[0], Body):
                inner[0].n += 1.0
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_that_objects_are_the_same_as_without_compiling(case):
    assert run_of(case, True) == run_of(case, False)


def test_containers_that_hold_themselves():
    def ring(x):
        made = {"x": x}
        made["self"] = made
        return made

    k = SimpleNamespace(p=ring(w()))

    @wg.compile
    def step(x):
        k.p = ring(k.p["x"] + x)
        return k.p["self"]["x"] * 1

    for turn in range(2, 7):
        assert step(np.ones(2))[0] == turn
        assert k.p["self"] is k.p


def view_beside_what_it_shows(k, x):
    y = x * 2
    k.p = [y.ravel(), [y]]


def view_elsewhere(k, x):
    k.q = {"a": np.zeros(2) + x[0]}
    k.p = [k.q["a"].ravel(), x * 1]


def view_and_a_number(k, x):
    y = x * 2
    k.n += 1
    k.p, k.q = y[::-1], y


def memory_of_a_tensor(k, x):
    k.t *= x
    k.p = k.t.data[::-1]


def part_of_one_that_is_made(k, x):
    k.n += 1
    k.p = [x * 1, x * 3, [np.tanh(x)]]
    k.p[1] = k.p[2][0][:]


VIEWS = [view_beside_what_it_shows, view_elsewhere, view_and_a_number, memory_of_a_tensor, part_of_one_that_is_made]


def arrays_in(things):
    """The arrays among some objects, in lists, dictionaries and tensors, too."""
    for x in things:
        if isinstance(x, np.ndarray):
            yield x
        elif isinstance(x, wg.Tensor):
            yield x.data
        elif isinstance(x, (list, dict)):
            yield from arrays_in(x.values() if isinstance(x, dict) else x)


@pytest.mark.parametrize("step", VIEWS)
def test_that_views_show_the_same_memory_as_without_compiling(step):
    found = []
    for wrap in (lambda f: f, wg.compile):
        k = ones(n=0, p=[w(), w()], q={"a": w()}, t=wg.tensor(w()))
        run = wrap(lambda x, k=k: step(k, x))
        found.append([])
        for turn in range(6):
            run(np.full(2, 1.0 + turn))
            arrays = list(arrays_in(vars(k).values()))
            shared = [[np.shares_memory(a, b) for b in arrays] for a in arrays]
            found[-1].append((told([vars(k)], {}), shared) if step is not memory_of_a_tensor else shared)
    assert found[0] == found[1]


def leaf_that_is_written(k, x):
    k.p = wg.tensor(k.p.detach().data * 0.5, requires_grad=True)
    with wg.no_grad():
        k.p[:] = k.p * x


def leaf_with_a_gradient(k, x):
    k.p = wg.tensor(k.p.detach().data * x, requires_grad=True)
    np.sum(k.p**2).backward()


def array_of_a_gradient(k, x):
    np.sum((k.p * x) ** 2).backward()
    k.m = 0.9 * k.m + np.array(k.p.grad.detach().data)
    k.p.grad = None
    k.n += 1


def tensor_of_a_gradient(k, x):
    np.sum((k.p * x) ** 2).backward()
    k.m = 0.9 * k.m + k.p.grad
    k.p.grad = None
    k.n += 1


OF_TENSORS = [leaf_that_is_written, leaf_with_a_gradient, array_of_a_gradient, tensor_of_a_gradient]


@pytest.mark.parametrize("step", OF_TENSORS)
def test_that_tensors_stay_tensors_and_arrays_arrays(step):
    found = []
    for wrap in (lambda f: f, wg.compile):
        k = ones(p=wg.tensor(w(), requires_grad=True), m=np.zeros(2), n=0)
        run = wrap(lambda x, k=k: step(k, x))
        found.append([])
        for turn in range(6):
            run(np.full(2, 1.0 + turn))
            found[-1].append((type(k.m), np.asarray(k.m).tolist(), type(k.p), k.p.requires_grad, k.p.data.tolist()))
            found[-1].append(None if k.p.grad is None else k.p.grad.data.tolist())
    assert found[0] == found[1]


def test_what_a_list_holds_when_a_call_is_recorded_is_what_a_second_run_begins_with():
    def world():
        box, held = type("Box", (), {})(), [np.array([0.1, 0.2, 0.3]), 0.25]
        box.w = np.zeros(3)

        def f(x, n=2, *, t=0.5):
            held[0] = np.tanh(held[0] * held[1])
            if isinstance(x, np.ndarray):  # so that the function itself is run beside each recording
                box.w[2] = x[0] * n * t
            return 1.0

        return f, box, held

    (f, box, held), (g, other, its) = world(), world()
    fast = wg.compile(g)
    calls = [{}, {}, {"t": 0.7}, {"t": 0.7}, {}, {"n": 3}, {"t": 0.7}, {"n": 4}, {"n": 4, "t": 0.7}, {}, {"n": 3}]
    for k, given in enumerate(calls):
        if k == 6:
            box.w, other.w = np.zeros(3), np.zeros(3)
        f(np.ones(3) * (k + 1), **given)
        fast(np.ones(3) * (k + 1), **given)
        np.testing.assert_allclose(its[0], held[0], rtol=1e-14)
        np.testing.assert_array_equal(other.w, box.w)
