"""Compiled functions that are differentiated from outside: they run once, and as they were when they were called."""

import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product

import numpy as np
import pytest

import wengert as wg
from wengert.transforms.reverse import reached

X = np.array([0.5, 1.0])


class Model:
    """Something that a function uses, and that changes."""

    def __init__(self):
        self.power, self.weights, self.parts, self.name = 1.0, np.array([1.0, 2.0]), [1.0, 2.0], "sin"


def of_number(m, w):
    return np.sum(w**m.power)


def of_array(m, w):
    return np.sum(np.sin(w * m.weights))


def of_list(m, w):
    return np.sum(w**2) * m.parts[0] + np.sum(w) * m.parts[-1]


def of_name(m, w):
    return np.sum(getattr(np, m.name)(w * 2))


def of_mode(m, w):
    return np.sum(w**3) if wg.is_training() else np.sum(w)


def change(m, k):
    m.power, m.weights, m.name = 1.5 + k, m.weights * 1.1, ("cos", "exp", "sin")[k % 3]
    m.parts.append(3.0 + k)
    m.parts[0] = -1.0 * k


@pytest.mark.parametrize("function", [of_number, of_array, of_list, of_name, of_mode])
def test_backward_is_of_what_was_there_when_the_function_was_called(function):
    found = []
    for compiled in (False, True):
        m, w, total = Model(), wg.tensor(X, requires_grad=True), 0.0
        f = partial(function, m)
        f = wg.compile(f) if compiled else f
        for k in range(4):
            with wg.train_mode() if k % 2 else wg.predict_mode():
                total = total + f(w)
            change(m, k)
        total.backward()
        found.append((w.grad.tolist(), m.power, m.parts, m.name))
    assert found[1] == found[0]


@pytest.mark.parametrize("function", [of_number, of_array, of_list, of_name])
def test_a_pullback_is_of_what_was_there_when_it_was_made(function):
    found = []
    for compile_ in (lambda f: f, wg.compile):
        m = Model()
        f = compile_(lambda w, m=m: function(m, w))
        pulls = []
        for k in range(3):
            pulls.append(wg.vjp(f, X)[1])
            change(m, k)
        found.append([pull(1.0)[0].tolist() for pull in pulls])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-14)


def test_the_state_of_a_cell_before_each_step():
    class Cell:
        state = np.zeros(2)

        def __call__(self, w, x):
            return np.tanh(w * x + self.state)

    found = []
    for compile_ in (lambda f: f, wg.compile):
        cell = Cell()
        step, w, loss = compile_(cell), wg.tensor(X, requires_grad=True), 0.0
        for t in range(4):
            out = step(w, t + 1.0)
            cell.state, loss = out, loss + np.sum(out**2)
        loss.backward()
        found.append(w.grad.numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-13)


# What functions do besides -------------------------------------------------------------------------------------------


class State:
    """What a function writes."""

    def __init__(self):
        self.count, self.mean, self.seen, self.last = 0, np.zeros(2), [], 0.5


def counts(s, v):
    s.count += 1
    return np.sum(v * v) * s.count


def averages(s, v):
    s.mean[:] = 0.9 * s.mean + 0.1
    return np.sum(v * v * s.mean)


def collects(s, v):
    s.seen.append(len(s.seen))
    return np.sum(v * v) * len(s.seen)


def keeps(s, v):
    s.last = 0.5 * s.last
    return np.sum(v**3) * s.last


def sometimes(s, v):
    if v[0] > 0.7:
        s.count += 1
    return np.sum(v * v) * (1 + s.count)


AROUND = {
    "grad": lambda f: lambda v: wg.grad(f)(v),
    "value_and_grad": lambda f: lambda v: wg.value_and_grad(f)(v),
    "jvp": lambda f: lambda v: wg.jvp(f, (v,), (np.ones(2),)),
    "vjp": lambda f: lambda v: wg.vjp(f, v)[1](1.0),
    "jacobian": lambda f: lambda v: wg.jacobian(f)(v),
    "hessian": lambda f: lambda v: wg.hessian(f)(v),
    "hvp": lambda f: lambda v: wg.hvp(f, (v,), (np.ones(2),)),
    "twice": lambda f: lambda v: wg.grad(lambda u: np.sum(wg.grad(f)(u) ** 2))(v),
    "vmap": lambda f: lambda v: wg.vmap(wg.grad(f))(np.stack([v, 2 * v])),
    "vmap alone": lambda f: lambda v: wg.vmap(f)(np.stack([v, 2 * v])),
    "compiled": lambda f: wg.compile(wg.grad(f)),
    "taylor": lambda f: lambda v: wg.taylor(f, v, np.ones(2), 3),
    "derivatives": lambda f: lambda v: wg.derivatives(lambda t: f(v * t), 1.5, 2),
    "taylor of grad": lambda f: lambda v: wg.taylor(wg.grad(f), v, np.ones(2), 2),
    "pattern": lambda f: lambda v: wg.jacobian_pattern(lambda u: f(u) * u, v).toarray(),
}


def numbers(results):
    """The arrays and numbers in nested lists and tuples."""
    if isinstance(results, (list, tuple)):
        return [x for part in results for x in numbers(part)]
    return [results]


DECIDES = [around for around in AROUND if not around.startswith("vmap")]  # a batch has no one truth value


@pytest.mark.parametrize(
    ("around", "function"),
    [*product(AROUND, (counts, averages, collects, keeps)), *product(DECIDES, (sometimes,))],
)
def test_what_a_function_does_besides_is_done_once(around, function):
    found = []
    for compile_ in (lambda f: f, wg.compile):
        s = State()
        g = AROUND[around](compile_(lambda v, s=s: function(s, v)))
        results = [g(np.array([0.1 * k, 1.0])) for k in range(1, 12)]
        found.append((results, s.count, s.mean, s.seen, s.last))
    for one, other in zip(numbers(found[1]), numbers(found[0]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


@pytest.mark.parametrize("around", AROUND)
def test_arguments_that_are_written_into_can_be(around):
    def f(x):
        x[0] = 1.0
        return np.sum(x * x * x)

    results = [AROUND[around](g)(np.array([0.5, 2.0])) for g in (f, wg.compile(f))]
    for a, b in zip(numbers(results[1]), numbers(results[0]), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("around", AROUND)
def test_random_numbers_are_drawn_once(around):
    found = []
    for compile_ in (lambda f: f, wg.compile):
        generator = np.random.default_rng(0)
        f = compile_(lambda v, generator=generator: np.sum(v**3 * wg.random.normal(generator, size=2)))
        found.append([AROUND[around](f)(X) for _ in range(5)])
    for a, b in zip(numbers(found[1]), numbers(found[0]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_a_function_that_is_differentiated_once_stays_compiled():
    s = State()
    fast = wg.compile(lambda v: counts(s, v))
    for _ in range(3):
        fast(X)
    wg.grad(fast)(X)
    left = fast.stats()["eager"]
    for _ in range(5):
        fast(X)
    assert s.count == 9 and fast.stats()["eager"] == left
    assert "it writes what it uses" in fast.stats()["given up"][0] and "derivatives" in fast.explain()


# Which results have a history ----------------------------------------------------------------------------------------


def figures(w, x, y):
    z = x @ w
    return np.mean((z - y) ** 2), np.mean((z > 0) == y), x * 2, np.argmax(z), w if w[0] > 0.2 else x[0]


def test_results_that_do_not_depend_on_what_is_differentiated_are_arrays():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    fast = wg.compile(figures)
    for w in ([0.1, 0.2, 0.3], [0.4, 0.2, 0.1], [0.1, 0.5, 0.3], [0.6, 0.2, 0.3]):
        found = [f(wg.tensor(w, requires_grad=True), x, y) for f in (figures, fast)]
        assert [type(result) for result in found[1][:4]] == [type(result) for result in found[0][:4]]
        np.testing.assert_allclose(found[1][1], found[0][1])
    grads = []
    for f in (figures, fast):
        w = wg.tensor([0.6, 0.2, 0.3], requires_grad=True)
        loss, _, _, _, last = f(w, x, y)
        (loss + np.sum(last**2)).backward()
        grads.append(w.grad.numpy())
    np.testing.assert_allclose(grads[1], grads[0])


def test_a_result_that_depends_on_it_by_one_path_only_has_a_history_by_all():
    def f(w, x):
        return np.sum(w * x), np.sum(w**2) if x[0] > 0 else np.sum(x)

    fast = wg.compile(f)
    for x0 in (-1.0, 1.0, -1.0, 1.0, -1.0):
        x, grads = np.array([x0, 2.0]), []
        for g in (f, fast):
            w = wg.tensor(X, requires_grad=True)
            a, b = g(w, x)
            (a + 2 * b).backward()
            grads.append(w.grad.tolist())
        assert grads[1] == grads[0]


def of_dictionary(s, x):
    s["h"] = np.tanh(s["h"] + x)
    return np.sum(s["h"])


def of_count(s, x):
    s["n"] = s["n"] + 1.0
    return np.sum(x) * s["n"]


def of_items(s, x):
    s["l"].append(np.sum(x * 2))
    return np.sum(x**2) * len(s["l"])


@pytest.mark.parametrize("function", [of_dictionary, of_count, of_items])
@pytest.mark.parametrize("around", AROUND)
def test_containers_that_are_given_can_be_written(around, function):
    found = []
    for compile_ in (lambda f: f, wg.compile):
        f, states = compile_(function), []

        def loss(x, f=f, states=states):
            s = {"h": np.zeros(2), "n": 0.0, "l": []}
            total = f(s, x) + f(s, x) + f(s, x)
            states.append((s["n"], len(s["l"])))
            return total

        found.append(([AROUND[around](loss)(X * k) for k in range(1, 5)], states))
    assert found[1][1] == found[0][1]
    for one, other in zip(numbers(found[1][0]), numbers(found[0][0]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


@pytest.mark.parametrize("around", AROUND)
def test_what_is_used_and_what_is_given_are_both_written_once(around):
    found = []
    for compile_ in (lambda f: f, wg.compile):
        s, given = State(), {"n": 0.0}

        def f(x, given, s=s):
            s.count += 1
            given["n"] = given["n"] + 1.0
            return np.sum(x**3) * s.count * given["n"]

        fast = compile_(f)
        g = AROUND[around](lambda x, fast=fast, given=given: fast(x, given))
        found.append(([g(X * k) for k in range(1, 12)], s.count, given["n"]))
    for one, other in zip(numbers(found[1]), numbers(found[0]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_values_and_ways_back_have_shortcuts():
    fast = wg.compile(lambda w: np.sum(np.sin(w) ** 2))
    for _ in range(40):
        wg.grad(fast)(X)
    parts = dict(fast._derivatives.parts())
    assert min(parts["value"]._shortcuts.runs, parts["pullback"]._shortcuts.runs) > 20


def test_gradients_and_counts_are_right_while_calls_are_weighed():
    x = np.ones(3)
    fast, slow = wg.compile(lambda w: np.sum(w * x)), wg.compile(lambda w: np.sum(np.tanh(w)))
    for _ in range(400):
        t = wg.tensor(X, requires_grad=True)
        fast(wg.tensor(x, requires_grad=True)).backward()
        slow(t).backward()
        np.testing.assert_allclose(t.grad, 1 - np.tanh(X) ** 2)
    assert fast.stats()["calls"] == slow.stats()["calls"] == 400


def test_signatures_and_annotations_that_a_function_has_cost_no_shortcut():
    def act(x: np.ndarray, kinds: tuple[list[float], dict[str, int]] = ([], {})) -> tuple[float, ...]:
        return np.tanh(x)

    act.__signature__ = inspect.signature(act)
    holder = type("Layers", (), {"act": staticmethod(act), "kinds": tuple[int, int]})()
    fast = wg.compile(lambda x: np.sum(holder.act(x)) + len(holder.kinds.__args__))
    for _ in range(20):
        fast(X)
    assert fast._shortcuts.runs > 15


def test_constants_among_the_results_are_numbers():
    fast = wg.compile(lambda w: {"loss": np.sum(w**2), "rate": 0.5})
    for _ in range(3):
        found = fast(wg.tensor(X, requires_grad=True))
        assert type(found["rate"]) is float and found["loss"].requires_grad


# What it asks, and what it does not depend on ------------------------------------------------------------------------


def of_array(x):
    return np.sum(x * 1.5) if isinstance(x, np.ndarray) else np.sum(x)


def of_tensor(x):
    return np.sum(x * 1.5) if type(x).__name__ == "Tensor" else np.sum(x)


@pytest.mark.parametrize("function", [of_array, of_tensor])
@pytest.mark.parametrize("around", DECIDES)
def test_classes_are_those_of_what_is_given_from_outside(around, function):
    results = [[AROUND[around](f)(X) for _ in range(4)] for f in (function, wg.compile(function))]
    for one, other in zip(numbers(results[1]), numbers(results[0]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def of_requires_grad(x):
    return np.sum(x * 2) if x.requires_grad else np.sum(x)


def of_no_grad(x):
    with wg.no_grad():
        y = np.sum(x * 3)
    return np.sum(x) + y


@pytest.mark.parametrize("function", [of_requires_grad, of_no_grad])
def test_what_it_asks_about_gradients_is_asked_of_what_is_given(function):
    found = []
    for f in (function, wg.compile(function)):
        for _ in range(3):
            t = wg.tensor(X, requires_grad=True)
            y = f(t)
            y.backward()
            found.append((float(y.detach()), t.grad.tolist()))
    assert found[3:] == found[:3]


def test_a_result_made_under_no_grad_has_no_history():
    def f(x):
        with wg.no_grad():
            return np.sum(x * 3)

    with pytest.raises(wg.errors.NotRecordedError):
        wg.compile(f)(wg.tensor(X, requires_grad=True)).backward()


def test_hooks_are_put_on_tensors_once():
    def f(x):
        x.register_hook(lambda g: g * 2)
        return np.sum(x)

    fast = wg.compile(f)
    for _ in range(4):
        t = wg.tensor(X, requires_grad=True)
        fast(t).backward()
        np.testing.assert_allclose(t.grad, [2.0, 2.0])


@pytest.mark.parametrize("requires_grad", [True, False])
def test_what_a_checkpoint_uses_gets_its_gradient(requires_grad):
    w = wg.tensor(np.array([2.0, 3.0]), requires_grad=True)
    fast = wg.compile(lambda x: np.sum(wg.checkpoint(lambda t: t * w)(x)))
    for _ in range(4):
        w.grad = None
        fast(wg.tensor(X, requires_grad=requires_grad)).backward()
        np.testing.assert_allclose(w.grad, X)


def test_lists_that_change_before_the_way_back_stay_as_they_are_then():
    ws = [1.0, 2.0]
    fast = wg.compile(lambda x: np.sum(x) * ws[0] * ws[1])
    for _ in range(4):
        ws[:] = [1.0, 2.0]
        t = wg.tensor(X, requires_grad=True)
        y = fast(t)
        del ws[0]
        ws.append(7.0)
        y.backward()
        assert ws == [2.0, 7.0]
        np.testing.assert_allclose(t.grad, [2.0, 2.0])


def test_one_tensor_in_two_places_is_the_same_also_from_outside():
    def f(x, y):
        return np.sum(x * y) if x is y else np.sum(x)

    for fast in (f, wg.compile(f)):
        t = wg.tensor(X, requires_grad=True)
        fast(t, t).backward()
        np.testing.assert_allclose(t.grad, 2 * X)


@pytest.mark.parametrize("around", [a for a in AROUND if a != "compiled"])
def test_tensors_from_around_are_constants_to_what_goes_on_inside(around):
    w = wg.tensor(np.array([2.0, 3.0]), requires_grad=True)

    def f(x):
        return np.sum(np.sin(x) * w)

    def number(y):
        return y.detach().numpy() if isinstance(y, wg.Tensor) else y

    one, other = (numbers(AROUND[around](g)(X)) for g in (f, wg.compile(f)))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(number(b), number(a), rtol=1e-13)


@pytest.mark.parametrize("around", AROUND)
def test_tensors_from_around_that_no_result_comes_from_leave_results_alone(around):
    w = wg.tensor(np.array([2.0, 3.0]), requires_grad=True)

    def f(x):
        np.sum(w * 2)
        return np.sum(np.sin(x) * x)

    one, other = (numbers(AROUND[around](g)(X)) for g in (f, wg.compile(f)))
    assert [type(y) for y in other] == [type(y) for y in one]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-13)


@wg.custom_vjp
def spike(v):
    return (v > 0).astype(float)


spike.defvjp(lambda v: (spike(v), v), lambda v, g: (g / (1 + np.abs(v)) ** 2,))


@wg.custom_jvp
def step_like(v):
    return (v > 0) * 1.0


step_like.defjvp(lambda primals, tangents: (step_like(*primals), tangents[0] * 2.0))
OF_RULES = {
    "cotangents": spike,
    "tangents": step_like,
    "root": lambda x: wg.implicit.root(lambda y: y**3 + y - x, np.zeros(2)),
    "fixed point": lambda x: wg.implicit.fixed_point(lambda y: np.cos(y) * x / 4, np.zeros(2)),
}


@pytest.mark.parametrize("f", OF_RULES.values(), ids=OF_RULES)
def test_rules_have_derivatives_that_values_do_not_show(f):
    w = wg.tensor(X, requires_grad=True)
    fast, layer = wg.compile(f), wg.compile(lambda x: f(x * w))
    for _ in range(3):
        assert np.any(wg.jacobian(f)(X))
        np.testing.assert_allclose(wg.grad(lambda x: np.sum(fast(x) * x))(X), wg.grad(lambda x: np.sum(f(x) * x))(X))
        np.testing.assert_allclose(wg.jacobian(fast)(X), wg.jacobian(f)(X))
        slopes = []
        for g in (layer, lambda x: f(x * w)):
            w.grad = None
            np.sum(g(X)).backward()
            slopes.append(w.grad.numpy())
        np.testing.assert_allclose(*slopes)


def test_derivatives_that_are_refused_are_refused_also_of_a_compiled_function():
    def f(x):
        return np.sum(wg.optimize.minimize(lambda y: np.sum((y - x) ** 2), np.zeros(2)).x)

    fast = wg.compile(f)
    for _ in range(3):
        with pytest.raises(wg.errors.LostGradientError):
            wg.grad(fast)(X)


def test_what_many_results_come_from_is_seen_in_one_go():
    def f(x, y):
        results = []
        for _ in range(400):
            x = np.sin(x)
            results.append(np.sum(x))
        return [*results, np.sum(y)]

    seen = reached(f, [X, X], [0, 1])
    assert seen == [{0}] * 400 + [{1}]
    assert reached(lambda x, y: [x * y, np.ones(2)], [X, X], [0, 1]) == [{0, 1}, set()]


def test_a_function_waits_for_a_thread_that_goes_back():
    w = wg.tensor(X, requires_grad=True)

    def back():
        np.sum(w * 2).backward()

    def f(x):
        thread = threading.Thread(target=back)
        thread.start()
        thread.join()
        return np.sum(np.sin(x))

    found = ThreadPoolExecutor(1).submit(wg.compile(f), X).result(timeout=30)
    assert found == np.sum(np.sin(X))


def test_what_a_result_does_not_depend_on_gets_no_gradient():
    w, v = (wg.tensor(X, requires_grad=True) for _ in range(2))
    uses = {"v": True}

    @wg.compile
    def f(x):
        return np.sum(x * w * v) if uses["v"] else np.sum(x * w)

    f(wg.tensor(X, requires_grad=True)).backward()
    assert v.grad is not None
    w.grad = v.grad = None
    uses["v"] = False
    f(wg.tensor(X, requires_grad=True)).backward()
    assert v.grad is None
    np.testing.assert_allclose(w.grad, X)


def test_results_that_nobody_differentiates_give_no_gradient():
    w, v = (wg.tensor(X, requires_grad=True) for _ in range(2))
    fast = wg.compile(lambda x: (np.sum(x * w), np.sum(x * v)))
    for _ in range(3):
        w.grad = v.grad = None
        fast(wg.tensor(X, requires_grad=True))[0].backward()
        assert v.grad is None
        np.testing.assert_allclose(w.grad, X)


def test_results_of_tensors_that_require_no_gradient_require_none():
    def f(x, u):
        return np.sum(x), u * 3, np.sum(u) + 1

    for g in (f, wg.compile(f)):
        for _ in range(3):
            results = g(wg.tensor(X, requires_grad=True), wg.tensor(X))
            assert [type(y) for y in results] == [wg.Tensor] * 3
            assert [y.requires_grad for y in results] == [True, False, False]


# Weighed, and left ---------------------------------------------------------------------------------------------------


def fills(x):
    out = np.zeros(2)
    for i in range(2):
        out[i] = x[i] ** 2
    return np.sum(out)


def fills_and_asks(x):
    return fills(x) if isinstance(x, (np.ndarray, wg.Tensor)) else x


@pytest.mark.parametrize("function", [fills, fills_and_asks])
def test_functions_that_fill_arrays_stay_one_operation(function):
    fast = wg.compile(function)
    for _ in range(100):
        np.testing.assert_allclose(wg.grad(fast)(X), 2 * X)
        t = wg.tensor(X, requires_grad=True)
        fast(t).backward()
        np.testing.assert_allclose(t.grad, 2 * X)


def reads_grad(x):
    return np.sum(x * 2) if x.grad is None else np.sum(x * 5)


def makes_leaf(x):
    w = wg.tensor(np.ones(2), requires_grad=True)
    np.sum(w * 3).backward()
    return np.sum(x * w.grad)


@pytest.mark.parametrize("function", [reads_grad, makes_leaf])
def test_functions_that_look_at_gradients_are_left_to_python(function):
    found = []
    for f in (function, wg.compile(function)):
        t = wg.tensor(X, requires_grad=True)
        for _ in range(3):
            f(t).backward()
            found.append(t.grad.tolist())
    assert found[3:] == found[:3]


def test_functions_that_take_gradients_inside_stay_compiled():
    fast = wg.compile(lambda x: np.sum(wg.grad(lambda y: np.sum(y**3))(x)))
    np.testing.assert_allclose(wg.grad(fast)(X), 6 * X)
    assert fast.stats()["given up"] == []


def test_large_arrays_stay_compiled_after_small_ones():
    fast = wg.compile(lambda x: np.sum(np.sin(x) * np.cos(x)))
    for n in (2, 5000):
        x = np.linspace(0.0, 1.0, n)
        for _ in range(120):
            wg.grad(fast)(x)
        np.testing.assert_allclose(wg.grad(fast)(x), np.cos(2 * x), atol=1e-14)
    sizes = {key[1] for key in fast._derivatives.weighed}
    assert len(sizes) == 2


def test_whole_numbers_from_tensors_are_tensors():
    def f(x, i):
        return np.sum(x), i * 2, i > 1, np.argmax(x)

    for _ in range(3):
        results = [g(wg.tensor(X, requires_grad=True), wg.tensor([1, 2])) for g in (f, wg.compile(f))]
        assert [type(y) for y in results[1]] == [type(y) for y in results[0]]


@pytest.mark.filterwarnings("ignore::wengert.compiler.kinds.CompileWarning")
def test_threads_that_share_a_function_and_a_leaf():
    w = wg.tensor(np.array([2.0, 3.0]), requires_grad=True)
    fast = wg.compile(lambda x: np.sum(wg.checkpoint(lambda t: np.sin(t * w))(x)))

    def work(n):
        for k in range(40):
            t = wg.tensor(np.resize(X, (1 + (k + n) % 4, 2)), requires_grad=True)
            fast(t).backward()
            np.testing.assert_allclose(t.grad, np.cos(t.numpy() * w.numpy()) * w.numpy())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))  # raises what one of them has raised


@pytest.mark.parametrize("shapes", [[3], [2, 3, 4]])
def test_threads_put_all_their_gradients_into_one_leaf(shapes):
    def work(layer, n):
        for k in range(20):
            np.sum(layer(np.full((shapes[(k + n) % len(shapes)], 2), 0.1 * n)) ** 2).backward()

    for _ in range(8):  # what is recorded, in the first calls, is what matters
        w = wg.tensor(np.ones((2, 3)), requires_grad=True)
        layer = wg.compile(lambda x, w=w: np.tanh(x @ w))
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda n, layer=layer: work(layer, n), range(3)))
        expected = wg.tensor(np.ones((2, 3)), requires_grad=True)
        for n in range(3):
            work(lambda x, w=expected: np.tanh(x @ w), n)
        np.testing.assert_allclose(w.grad, expected.grad, rtol=1e-10)


def test_another_way_that_is_met_again_is_compiled():
    def f(x):
        for _ in range(5):
            x = np.sin(x) * 1.1 if x[0] > 0 else np.cos(x) * 0.9 + x
        return np.sum(x)

    fast = wg.compile(f)
    gradient, expected = wg.grad(fast), wg.grad(f)
    for k in range(12):
        for start in (0.5 + k / 100, -9.5 - k / 100):
            x = np.full(3, start)
            np.testing.assert_allclose(gradient(x), expected(x), 1e-13)
    before = fast.stats()
    for k in range(4):
        gradient(np.full(3, -9.5 - k / 100))
    assert fast.stats()["eager"] == before["eager"]
    assert before["paths"] >= 4


@pytest.mark.parametrize("order", [(1.0, -0.5, 1.0), (-0.5, 1.0), (-0.5, -0.5, 1.0, 1.0, -0.5, 1.0)])
def test_second_derivatives_of_a_way_that_only_another_level_has_recorded(order):
    w = np.arange(4.0)

    def f(x, s):
        return (np.exp(-(x**2)) if s > 0 else w) * 1

    fast = wg.compile(f)

    def total(g, s):
        return lambda x: np.sum(np.sin(g(x, s)))

    for k, s in enumerate(order):
        x = np.array([0.5, -1.0, 2.0, 0.7]) + k / 10
        t = wg.tensor(x, requires_grad=True)
        found = total(fast, s)(t * 2)
        if s > 0:
            found.backward()
            np.testing.assert_allclose(t.grad.numpy(), wg.grad(lambda x, s=s: total(f, s)(x * 2))(x), 1e-13)
            np.testing.assert_allclose(wg.hessian(total(fast, s))(x), wg.hessian(total(f, s))(x), atol=1e-13)
