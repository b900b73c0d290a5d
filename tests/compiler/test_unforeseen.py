"""What functions do that a recording does not see by itself: questions about classes, state that changes its form."""

import functools
import signal
import types

import numpy as np
import pytest
from tests.compiler.recordings import in_turn

import wengert as wg
from wengert.compiler.code import Later


def agree(make, calls):
    for (a, before), (b, after) in zip(*in_turn(make, calls), strict=True):
        for x, y in ((a, b), (before, after)):
            assert type(x) is type(y)
            np.testing.assert_array_equal(x, y)
            assert np.asarray(x).dtype == np.asarray(y).dtype


# Questions about classes ---------------------------------------------------------------------------------------------


@functools.singledispatch
def scaled(a):
    return a * 1.0


@scaled.register
def _(a: np.ndarray):
    return a * 100.0


@scaled.register
def _(a: float):
    return a * 10.0


def matched(x):
    match x:
        case np.ndarray():
            return x * 2
        case float():
            return x * 3


_is = isinstance


def aliased(x):
    return x * 2 if _is(x, np.ndarray) else x * 3


def has(x):
    return x * 2 if hasattr(x, "__len__") else x * 3


def got(x):
    return x * 2 if getattr(x, "shape", None) is None else x * 3


def tried(x):
    try:
        x.shape  # noqa: B018
    except AttributeError:
        return x * 5
    return x * 7


@pytest.mark.parametrize("x", [np.ones(2), 1.5, np.float64(1.5)])
@pytest.mark.parametrize("function", [scaled, matched, aliased, has, got, tried])
def test_classes_are_those_of_the_arguments(function, x):
    fast = wg.compile(function)
    for _ in range(3):
        np.testing.assert_array_equal(fast(x), function(x))


def test_a_question_about_a_class_in_a_function_that_changes_something():
    class Net:
        def __init__(self):
            self.calls, self.seen = 0, []

        def __call__(self, x):
            self.calls += 1
            self.seen.append(1)
            return x.sum() if isinstance(x, np.ndarray) else x

    def make(wrap):
        net = Net()
        return wrap(net), lambda: (net.calls, len(net.seen))

    agree(make, [np.array([1.0, 2.0])] * 6)


def _flag(k, x):
    k["flag"] = isinstance(x, np.ndarray)


def _name(k, x):
    k["flag"] = type(x).__name__


def _flag_beside(k, x):
    k["flag"] = isinstance(x, np.ndarray)
    k["list"].sort()
    k["array"][0] += 1


@pytest.mark.parametrize("change", [_flag, _name, _flag_beside])
@pytest.mark.parametrize("before", [None, True, "ndarray"])
def test_what_is_written_by_a_class_is_compared_with_what_the_function_writes(change, before):
    def make(wrap):
        k = {"flag": before, "list": [2.0, 1.0], "array": np.zeros(2)}

        def function(x):
            change(k, x)
            return np.sum(x)

        return wrap(function), lambda: (str(k["flag"]), k["array"].copy())

    for (a, before_, *_), (b, after, *_) in zip(*in_turn(make, [np.ones(3)] * 9), strict=True):
        assert (a, before_[0]) == (b, after[0])
        np.testing.assert_array_equal(before_[1], after[1])


# Containers that are given, and kept ---------------------------------------------------------------------------------

KEEPS = {
    "in a dictionary": lambda k, p: k["a"].__setitem__("last", p),
    "inner": lambda k, p: k["a"].__setitem__("last", p["r"]),
    "in a list": lambda k, p: k["l"].__setitem__(0, p),
    "in a new list": lambda k, p: k.__setitem__("n", [p]),
    "appended": lambda k, p: k["l"].append(p),
    "as an attribute": lambda k, p: setattr(k["o"], "z", p),
}


@pytest.mark.parametrize("how", KEEPS)
def test_containers_that_are_kept_are_those_of_the_caller(how):
    seen = []
    for wrap in (lambda f: f, wg.compile):
        k = {"a": {"last": {"r": [1.0]}}, "l": [None, 1.0], "n": [{"r": [1.0]}], "o": types.SimpleNamespace(z=None)}

        @wrap
        def function(x, p, k=k):
            KEEPS[how](k, p)
            return np.sum(x) * p["r"][0]

        found = []
        for i in range(5):
            p = {"r": [0.5]}
            y = function(np.ones(3), p)
            p["r"][0] = 7.0 + i
            found.append((y, repr(k)))
        seen.append(found)
    assert seen[1] == seen[0]


# State that changes its form -----------------------------------------------------------------------------------------


def kept(change, start):
    """A function that keeps an array, and what it keeps."""

    def make(wrap):
        place = types.SimpleNamespace(a=start())

        def function(x):
            place.a = change(place.a, x)
            return place.a.sum()

        return wrap(function), lambda: place.a

    return make


@pytest.mark.parametrize(
    ("change", "start"),
    [
        (np.append, lambda: np.zeros(0)),
        (lambda a, x: np.vstack([a, [x, x]]), lambda: np.zeros((1, 2))),
        (lambda a, x: a[1:] * x, lambda: np.arange(9.0)),
        (lambda a, x: a.T * x, lambda: np.arange(6.0).reshape(2, 3)),
        (lambda a, x: (a + x).astype("f4" if a.dtype == np.float64 else "f8"), lambda: np.ones(3)),
    ],
)
def test_an_array_that_is_replaced_by_one_of_another_form(change, start):
    agree(kept(change, start), [float(k) for k in range(1, 7)])


def test_an_array_that_becomes_one_of_no_numbers():
    def make(wrap):
        place = types.SimpleNamespace(a=np.ones(3), n=0)

        def function(x):
            place.n += 1
            place.a = np.roll(place.a if place.n != 4 else None, 1)
            return np.sum(x)

        return wrap(function), lambda: repr(place.a)

    one, other = in_turn(make, [np.ones(2)] * 6)
    assert other == one


def test_an_array_where_a_tensor_was():
    def make(wrap):
        place = types.SimpleNamespace(h=None)

        def function(x):
            place.h = np.tanh(x)
            return np.sum(place.h)

        return wrap(function), lambda: type(place.h).__name__

    a, t = np.ones(2), wg.tensor(np.ones(2))
    one, other = in_turn(make, [a, t, a, a, t, t, a, t, a])
    assert [kind for _, kind in other] == [kind for _, kind in one]


@pytest.mark.parametrize("kind", ["again", "buffer", "mask"])
def test_whole_numbers_are_written_once_where_a_function_is_recorded_twice(kind):
    def make(wrap):
        hits, mask = np.zeros(2, int), np.zeros(2, bool)

        def function(x):
            nonlocal mask
            hits[0] += 1
            if kind == "again":
                return np.max([np.sum(x), x[0]])
            if kind == "mask":
                mask |= x > 0
                return x.sum()
            best = np.zeros(2, int)
            best[0] = np.argmax([x[0], x[1]])
            return best

        return wrap(function), lambda: hits.copy()

    agree(make, [np.ones(2) * k for k in range(4)])


def test_objects_that_are_made_hold_what_the_function_puts_into_them():
    class Node:
        def __init__(self, value):
            self.value = value

    def make(wrap):
        box = {}

        def function(x):
            box["node"] = Node(x.mean())
            box["space"] = types.SimpleNamespace(value=x.sum())
            box["partial"] = functools.partial(max, x[0])
            return x * 2

        return wrap(function), lambda: (box["node"].value, box["space"].value, box["partial"].args[0])

    for (a, before), (b, after) in zip(*in_turn(make, [np.ones(2) * k for k in range(4)]), strict=True):
        np.testing.assert_array_equal(a, b)
        assert before == after
        assert list(map(type, before)) == list(map(type, after))


@pytest.mark.parametrize("get", [dict.__getitem__, dict.get])
def test_dictionaries_whose_keys_are_attributes(get):
    class Settings(dict):
        __getattr__ = get

    settings = Settings(rate=0.1)
    fast = wg.compile(lambda x: x * settings.rate)
    np.testing.assert_array_equal(fast(np.ones(2)), [0.1, 0.1])
    settings["rate"] = 0.5
    np.testing.assert_array_equal(fast(np.ones(2)), [0.5, 0.5])


class Search:
    """Arrays in several places."""

    def __init__(self):
        self.x, self.best, self.before = np.array([1.0, 2.0]), np.zeros(2), np.ones(2)
        self.pair = [np.zeros(2), np.zeros(2)]

    def scaled(self, x):
        self.x = self.x * x
        self.best = self.x
        self.x += 1
        return self.best.sum()

    def moved(self, x):
        self.best = self.x
        self.x -= x
        return self.best * 1

    def turned(self, x):
        self.x, self.before = self.before, self.x
        self.x += x
        return self.x * 1

    def doubled(self, x):
        y = x * 2
        self.pair[0] = self.pair[1] = y
        self.best = self.pair[0]
        self.best *= 2
        return y + 1

    def chosen(self, x):
        self.x = self.x - 0.1 * x
        if np.sum(self.x) > 1.5:
            self.best = self.x
        return self.best * 1

    def state(self):
        held = [self.x, self.best, self.before, *self.pair]
        return np.array([np.array(held).tolist(), [[a is b for b in held] for a in held]], dtype=object)


@pytest.mark.parametrize("name", ["scaled", "moved", "turned", "doubled", "chosen"])
def test_one_array_in_several_places_stays_one(name):
    found = []
    for wrap in (lambda f: f, wg.compile):
        search = Search()
        function = wrap(getattr(search, name))
        found.append([(function(np.array([0.1 * k, 1.0])), search.state().tolist()) for k in range(7)])
    for (a, before), (b, after) in zip(*found, strict=True):
        np.testing.assert_allclose(a, b)
        assert before[1] == after[1]
        np.testing.assert_allclose(before[0], after[0])


def test_keys_of_dictionaries_have_classes():
    fast = wg.compile(lambda d: {(type(k), k): v * k for k, v in d.items()})
    x = np.ones(3)
    for _ in range(3):
        for given in ({1: x}, {True: x}, {1.0: x}, {0: x}, {False: x}):
            (got,), (key,) = fast(given), given
            assert got == (type(key), key)
            assert type(got[1]) is type(key)


# Values ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: len(np.flatnonzero(x > 0)),
        lambda x: np.nonzero(x > 0)[0].shape[0] * 1.0,
        lambda x: np.where(x > 1)[0].size,
        lambda x: np.argwhere(x > 1).shape[0],
        lambda x: np.extract(x > 0, x).shape,
        lambda x: np.extract(x > 0, x),
        lambda x: x[np.where(x > 1)[0][0]] if len(np.where(x > 1)[0]) else -1.0,
    ],
)
def test_how_many_there_are_is_asked_at_each_call(function):
    fast = wg.compile(function)
    for x in ([-1.0, 0.5, -2.0], [3.0, 2.0, 1.5], [3.0, -1.0, 3.0], [3.0, 2.0, 1.5], [1.0, 1.0, 2.0]):
        np.testing.assert_array_equal(fast(np.array(x)), function(np.array(x)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: wg.stop_gradient(x) * x,
        lambda x: wg.scale_gradient(x, -1.0) ** 2,
        wg.grad(lambda x: np.sum(wg.scale_gradient(x, -1.0) ** 2)),
        wg.grad(lambda x: np.sum(wg.stop_gradient(x) * x)),
        wg.grad(lambda x: np.sum(wg.clip_gradient(x, -1, 1) ** 2)),
        lambda x: wg.jvp(lambda x: wg.scale_gradient(x, 3.0) * wg.stop_gradient(x), (x,), (x,)),
        lambda x: wg.stop_gradient({"a": x})["a"],
    ],
)
def test_what_stops_gradients_lets_values_pass(function):
    fast = wg.compile(function)
    for x in ([1.0, 2.0], [3.0, 5.0], [np.inf, -2.0]):
        expected = function(np.array(x))
        found = fast(np.array(x))
        assert type(found) is type(expected)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "function",
    [
        lambda n: round(n, 1), lambda n: round(n, -1), lambda n: n + True, lambda n: True * n, lambda n: n >> 1,
        lambda n: (n - 100) >> 2, lambda n: (n + 1) << 70, lambda n: 1 << (n + 60), lambda n: (n + 1) & 3,
        lambda n: n | 8, lambda n: n ^ 5, lambda n: ~n, lambda n: n * 10**18, lambda n: (n + 1) > True,
        lambda n: n * 0.5 + True,
    ],
)  # fmt: skip
def test_counters_are_pythons_whole_numbers(function):
    def make(wrap):
        state = {"n": 0}

        def step(x):
            state["n"] += 1
            return function(state["n"]), x * 2

        return wrap(step), lambda: state["n"]

    (expected, found) = in_turn(make, [0.0] * 12)
    for ((a, _), n), ((b, _), m) in zip(expected, found, strict=True):
        assert (type(a), a, n) == (type(b), b, m)


# Dialects -------------------------------------------------------------------------------------------------------------


def test_layers_that_get_their_shapes_in_the_first_call():
    from wengert.dialects import torch

    layer = torch.nn.LazyLinear(3)
    fast = wg.compile(layer)
    for k in range(4):
        assert fast(torch.ones(2, 2) * k).shape == (2, 3)
    assert fast.stats()["recordings"] == 1


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_a_network_that_is_initialised_in_a_step(optimizer):
    from wengert.dialects import mxnet as mx
    from wengert.dialects.mxnet import autograd, gluon, nd

    def make(wrap):
        mx.random.seed(3)
        net = gluon.nn.Dense(1)
        net.initialize()
        trainer = gluon.Trainer(net.collect_params(), optimizer, {"learning_rate": 0.01})

        def step(x):
            with autograd.record():
                loss = (net(x) ** 2).mean()
            loss.backward()
            trainer.step(1)
            return loss.asscalar()

        return wrap(step), lambda: 0

    x = nd.array([[1.0, 2.0], [3.0, 4.0]])
    expected, found = in_turn(make, [x] * 5)
    np.testing.assert_allclose([a for a, _ in found], [a for a, _ in expected], 1e-5)


def test_an_optimizer_that_is_made_in_the_first_step():
    from wengert.dialects import torch

    def make(wrap):
        torch.manual_seed(0)
        net, made = torch.nn.Linear(2, 1), {}

        def step(x):
            if "optimizer" not in made:
                made["optimizer"] = torch.optim.Adam(net.parameters(), lr=0.1)
            made["optimizer"].zero_grad()
            loss = net(x).pow(2).mean()
            loss.backward()
            made["optimizer"].step()
            return loss

        return wrap(step), lambda: 0

    expected, found = in_turn(make, [torch.ones(3, 2) * (k + 1) for k in range(6)])
    np.testing.assert_allclose([a.item() for a, _ in found], [a.item() for a, _ in expected], 1e-5)


@pytest.mark.parametrize("kind", ["and", "not", "isnan", "shift", "places", "shape"])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_results_without_a_derivative_are_tensors_of_the_dialect(kind, requires_grad):
    from wengert.dialects import torch

    function = {
        "and": lambda x: (x > 0) & (x < 2),
        "not": lambda x: ~(x > 0),
        "isnan": torch.isnan,
        "shift": lambda x: x.long() << 1,
        "places": lambda x: x.max(1)[1],
        "shape": lambda x: x.shape,
    }[kind]
    fast = wg.compile(function)
    for k in range(3):
        x = torch.tensor([[1.0, -2.0], [3.0, 4.0]], requires_grad=requires_grad) * (k + 1)
        found, expected = fast(x), function(x)
        assert type(found) is type(expected)
        assert str(found) == str(expected)


@pytest.mark.parametrize("function", [lambda x: x > 0, lambda x: (x > 0) & (x < 2), lambda x: x.argmax()])
def test_results_without_a_derivative_are_arrays_of_mxnets(function):
    from wengert.dialects.mxnet import np as mnp

    fast = wg.compile(function)
    for k in range(3):
        found, expected = fast(mnp.array([1.0, -2.0]) * k), function(mnp.array([1.0, -2.0]) * k)
        assert type(found) is type(expected)
        assert str(found) == str(expected)


# Powers of Python's numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x**2, lambda x: x**-1, lambda x: x**0.5, lambda x: x**-2.0, lambda x: 2.0**x, lambda x: (-2.0) ** x,
        lambda x: 0.0**x, lambda x: x**x, lambda x: x**1e3, lambda x: x ** float("inf"), lambda x: x**0,
    ],
)  # fmt: skip
def test_powers_of_pythons_numbers(function):
    fast = wg.compile(function)
    for x in (1.5, -1.5, -2.0, 0.0, -0.0, 1e200, -1e200, np.inf, 4.0, np.nan, 1e-300, 0.5, -3.0, 2, 3, 0, -2, 5):
        for _ in range(2):
            try:
                expected = function(x)
            except (OverflowError, ZeroDivisionError) as error:
                with pytest.raises(type(error)):
                    fast(x)
            else:
                found = fast(x)
                assert type(found) is type(expected)
                np.testing.assert_allclose(found, expected, 1e-14)


def test_powers_need_no_call_of_pythons():
    def newton(x):
        for _ in range(30):
            d = (x**2 - 2) / (2 * x)
            x = x - d
            if abs(d) < 1e-12:
                return x
        return x

    fast = wg.compile(newton)
    assert all(fast(1.7) == newton(1.7) for _ in range(4))
    assert "_sign" not in fast.explain()
    assert "NumPy" not in fast.explain()


# Buffers of which parts are read --------------------------------------------------------------------------------------


def decomposed(a):
    n = len(a)
    lower = wg.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = a[i, j] - lower[i, :j] @ lower[j, :j]
            lower[i, j] = np.sqrt(s) if i == j else s / lower[j, j]
    return lower


def cholesky(a):
    return np.asarray(decomposed(a)[:])


def triangular(a):
    n = len(a)
    lower, upper = np.eye(n), a.copy()
    for k in range(n):
        for i in range(k + 1, n):
            lower[i, k] = upper[i, k] / upper[k, k]
            upper[i, k:] = upper[i, k:] - lower[i, k] * upper[k, k:]
    return lower @ upper[::-1, ::2][::-1]


def warped(a):
    n = len(a)
    best = np.full((n + 1, n + 1), 9.0)
    best[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            best[i, j] = a[i - 1, j - 1] + np.min(best[i - 1 : i + 1, j - 1 : j + 1].ravel()[:3])
    return best[-2:, ::3]


@pytest.mark.parametrize("function", [cholesky, triangular, warped])
def test_parts_of_an_array_in_the_making(function):
    random = np.random.default_rng(0)
    fast = wg.compile(function)
    for k in range(3):
        m = random.normal(size=(7, 7))
        a = m @ m.T + 7 * np.eye(7) + k
        np.testing.assert_allclose(fast(a), function(a), 1e-10, 1e-12)


def test_gradients_through_parts_of_an_array_in_the_making():
    def loss(a):
        lower = decomposed(a)
        return np.sum(lower**2) + np.sum(lower[2:4, 1] * lower[3, ::2][:2])

    m = np.random.default_rng(1).normal(size=(6, 6))
    fast = wg.compile(wg.grad(loss))
    for k in range(3):
        a = m @ m.T + (6 + k) * np.eye(6)
        np.testing.assert_allclose(fast(a), wg.grad(loss)(a), 1e-9, 1e-12)


def test_a_call_that_is_refused_has_done_nothing():
    kept = {}

    @wg.compile
    def drawn(x):
        kept["twice"] = x * 2
        return x + np.random.rand()  # noqa: NPY002

    for _ in range(3):
        with pytest.raises(wg.errors.ArgumentError, match="explicit generator"):
            drawn(np.ones(2))
        assert kept == {}


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals of one's own")
def test_signals_wait_until_llvm_has_returned():
    seen = []

    def interrupt(number, frame):
        seen.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), Later() as inside:
            signal.raise_signal(signal.SIGUSR1)
            assert (seen, inside) == ([], None)
        assert seen == [signal.SIGUSR1]
        assert signal.getsignal(signal.SIGUSR1) is interrupt
        later = Later()
        later.before[signal.SIGUSR1] = interrupt
        with pytest.raises(KeyboardInterrupt):  # one that was left in its place hands on
            later._note(signal.SIGUSR1, None)
    finally:
        signal.signal(signal.SIGUSR1, before)
