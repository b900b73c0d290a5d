"""What a compiled function uses besides its arguments: read as it is at each call, written as it writes it."""

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.errors import ArgumentError

LEVEL = 2.0
TABLE = np.array([1.0, 2.0, 3.0])


def beside(make, calls, steps=6):
    """What a program gives, and leaves behind, eagerly and compiled, call after call."""
    eager, state = make()
    compiled, other = make()
    fast = wg.compile(compiled)
    for k in range(steps):
        expected, found = eager(*calls(k)), fast(*calls(k))
        np.testing.assert_allclose(np.asarray(wg.stop_gradient(found)), np.asarray(wg.stop_gradient(expected)), 1e-9)
        for a, b in zip(state(), other(), strict=True):
            np.testing.assert_allclose(b, a, 1e-9)
    return fast


# Reading -----------------------------------------------------------------------------------------------------------


def test_an_array_from_around_is_read_at_each_call():
    x = np.ones(3)
    f = wg.compile(lambda y: np.sum(np.exp(x) * y))
    for k in range(4):
        x[:] = k
        np.testing.assert_allclose(f(np.arange(3.0)), 3 * np.exp(k))
    assert f.stats()["recordings"] == 1


def test_a_global_array_and_a_global_number_are_read_at_each_call():
    global LEVEL
    f = wg.compile(lambda y: np.sum(TABLE * y) * LEVEL)
    for k in range(5):
        LEVEL = 1.5 * k
        TABLE[0] = k
        np.testing.assert_allclose(f(np.ones(3)), (k + 5) * 1.5 * k)
    assert f.stats()["recordings"] <= 3


def test_an_array_put_in_the_place_of_another_is_seen():
    settings = {"a": np.ones(3), "n": [np.zeros(2), np.ones(2)]}
    f = wg.compile(lambda y: np.sum(settings["a"] * y) + sum(np.sum(a) for a in settings["n"]))
    assert f(np.ones(3)) == 5
    settings["a"] = np.full(3, 2.0)
    assert f(np.ones(3)) == 8
    settings["n"].append(np.ones(2))
    assert f(np.ones(3)) == 10
    settings["a"] = np.array([1.0])
    assert f(np.ones(3)) == 7


def test_numbers_texts_and_functions_around_are_part_of_the_program():
    power, function, word = 2, np.sin, "up"

    def f(x):
        return np.sum(function(x) ** power) * (1 if word == "up" else -1)

    fast = wg.compile(f)
    x = np.linspace(0.1, 1, 4)
    for power, function, word in [  # noqa: B007
        (2, np.sin, "up"),
        (3, np.sin, "up"),
        (3, np.cos, "down"),
        (2, np.sin, "up"),
    ]:
        np.testing.assert_allclose(fast(x), f(x))


def test_whole_number_arrays_are_compared():
    index = np.array([0, 2])
    f = wg.compile(lambda x: x[index] * 2)
    x = np.arange(4.0)
    np.testing.assert_array_equal(f(x), [0, 4])
    index[:] = 1, 3
    np.testing.assert_array_equal(f(x), [2, 6])


def test_attributes_and_class_attributes_are_seen():
    class Model:
        scale = 2.0

        def __init__(self):
            self.w = np.ones(2)

        @wg.compile
        def __call__(self, x):
            return np.sum(self.w * x) * self.scale

    first, second = Model(), Model()
    second.w = np.full(2, 3.0)
    for _ in range(2):
        assert first(np.ones(2)) == 4
        assert second(np.ones(2)) == 12
    Model.scale = 1.0
    assert first(np.ones(2)) == 2
    first.w[:] = 5
    assert first(np.ones(2)) == 10


def test_a_default_and_a_partial_are_seen():
    a = np.ones(2)

    def f(x, a=a):
        return np.sum(x * a)

    fast = wg.compile(f)
    assert fast(np.ones(2)) == 2
    a[0] = 5
    assert fast(np.ones(2)) == 6


def test_an_array_born_inside_and_written_later_is_what_it_was():
    def f(x):
        mask = np.zeros(3)
        mask[0] = 1
        y = mask * x
        mask[1] = 1
        return y + 10 * mask * x

    fast = wg.compile(f)
    x = np.array([1.0, 2.0, 3.0])
    for k in range(3):
        np.testing.assert_array_equal(fast(x + k), f(x + k))


def test_an_iterator_is_left_to_the_function():
    numbers = iter(range(10))
    f = wg.compile(lambda x: x * next(numbers))
    assert [float(f(np.float64(1))) for _ in range(4)] == [0, 1, 2, 3]
    assert "iterator" in f.stats()["given up"][0]


# Writing -----------------------------------------------------------------------------------------------------------


def test_arrays_and_tensors_are_written():
    def make():
        count, total, t = np.zeros(2), [np.zeros(2)], wg.zeros(2)

        def f(x):
            nonlocal count
            count += 1
            total[0] = total[0] + x
            t[0] = x[1]
            return np.sum(total[0] * count) + t[0]

        return f, lambda: (count, total[0], t.numpy())

    fast = beside(make, lambda k: (np.array([1.0, k]),))
    assert fast.stats()["paths"] == 1


def test_an_argument_is_written():
    def f(x):
        x[0] = 5
        x *= 2
        return np.sum(x)

    fast = wg.compile(f)
    for k in range(3):
        x, y = np.arange(3.0) + k, np.arange(3.0) + k
        assert fast(x) == f(y)
        np.testing.assert_array_equal(x, y)


def test_numbers_that_the_function_changes():
    class Counter:
        n = 0
        decay = 1.0

    def make():
        c = Counter()

        def f(x):
            c.n += 1
            c.decay = c.decay * 0.5
            return np.sum(x) * c.decay + c.n

        return f, lambda: (c.n, c.decay)

    fast = beside(make, lambda k: (np.array([1.0, k]),))
    assert fast.stats()["recordings"] < 6


def test_a_growing_list_is_left_to_the_function():
    history = []

    def f(x):
        y = np.sum(x * x)
        history.append(y)
        return y

    fast = wg.compile(f)
    for k in range(8):
        fast(np.full(2, float(k)))
    np.testing.assert_allclose(np.array(history, float), [2.0 * k * k for k in range(8)])
    assert "adds to" in fast.stats()["given up"][0]


def test_arrays_that_share_memory_are_left_to_the_function():
    x = np.zeros(4)
    part = x[1:3]

    def f(y):
        part[:] = y
        return np.sum(x) + np.sum(part)

    fast = wg.compile(f)
    for k in range(4):
        assert fast(np.full(2, float(k))) == 4 * k


# Training steps ----------------------------------------------------------------------------------------------------

DATA = np.random.default_rng(0).normal(size=(12, 3))
TARGET = DATA @ np.array([1.0, -2.0, 0.5]) + 0.1

OPTIMISERS = [
    lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9),
    lambda ps: optim.Adam(ps, lr=0.1),
    lambda ps: optim.AdamW(ps, lr=0.1, weight_decay=0.01),
    lambda ps: optim.RMSProp(ps, lr=0.01),
    lambda ps: optim.Adagrad(ps, lr=0.1),
]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_training_step_with_a_module_and_an_optimiser(optimiser):
    def make():
        rng = np.random.default_rng(1)
        net = nn.Sequential(nn.Linear(3, 4, rng=rng), np.tanh, nn.Linear(4, 1, rng=rng))
        opt = optimiser(list(net.parameters()))

        def step(x, y):
            opt.zero_grad()
            loss = np.mean((net(x)[:, 0] - y) ** 2)
            loss.backward()
            opt.step()
            return loss

        return step, lambda: [p.numpy() for p in net.parameters()] + [opt.steps]

    fast = beside(make, lambda k: (DATA + 0.01 * k, TARGET), steps=8)
    assert fast.stats()["paths"] >= 1, fast.explain()


def test_a_learning_rate_that_changes_recompiles_once():
    w = wg.tensor(np.zeros(3), requires_grad=True)
    opt = optim.SGD([w], lr=0.1)

    def step(x):
        opt.zero_grad()
        loss = np.sum((w - x) ** 2)
        loss.backward()
        opt.step()
        return loss

    fast = wg.compile(step)
    expected = np.zeros(3)
    for k in range(12):
        opt.lr = 0.1 / (k + 1)
        fast(np.ones(3))
        expected -= opt.lr * 2 * (expected - 1)
        np.testing.assert_allclose(w.numpy(), expected)
    assert fast.stats()["recordings"] <= 6


def test_gradients_add_up_over_calls():
    w = wg.tensor(np.ones(3), requires_grad=True)

    @wg.compile
    def more(x):
        np.sum(w * x).backward()

    for k in range(4):
        assert more(np.ones(3)) is None
        np.testing.assert_allclose(w.grad.numpy(), k + 1)


# Random numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [lambda: np.random.normal(size=3), lambda: np.random.rand(3)])  # noqa: NPY002
def test_numbers_from_the_global_generator_are_refused(draw):
    f = wg.compile(lambda x: x + draw())
    with pytest.raises(ArgumentError, match=r"\[compile\] random numbers from an explicit generator"):
        f(np.ones(3))


def test_numbers_of_a_generator_without_a_seed_are_refused():
    f = wg.compile(lambda x: x + np.random.default_rng().normal(size=3))
    with pytest.raises(ArgumentError, match="without a seed"):
        f(np.ones(3))


def test_generators_of_modules_that_are_loaded_meanwhile_are_let_be(tmp_path, monkeypatch):
    (tmp_path / "module_with_a_generator.py").write_text("import numpy as np\ngenerator = np.random.default_rng()\n")
    monkeypatch.syspath_prepend(tmp_path)

    @wg.compile
    def f(x):
        import module_with_a_generator  # noqa: F401

        return 2 * x

    assert f(np.ones(2)).tolist() == [2, 2]


def test_numbers_from_a_generator_around_are_refused():
    rng = np.random.default_rng(0)
    f = wg.compile(lambda x: x + rng.normal(size=3))
    with pytest.raises(ArgumentError, match="explicit generator"):
        f(np.ones(3))


def test_numbers_of_an_explicit_generator_are_drawn_at_each_call():
    def f(rng, x):
        kept = wg.random.uniform(rng, size=3) > 0.5
        return wg.random.normal(rng, x, 0.1) * kept + wg.random.integers(rng, 10) + wg.random.permutation(rng, x)

    fast, a, b = wg.compile(f), np.random.default_rng(3), np.random.default_rng(3)
    for k in range(4):
        x = np.arange(3.0) + k
        np.testing.assert_allclose(fast(a, x), f(b, x))
    assert fast.stats()["recordings"] == 1


def test_the_modes_are_part_of_the_program():
    w = wg.tensor(np.ones(3), requires_grad=True)

    @wg.compile
    def f(x):
        return x * 2 if wg.is_training() else x * 3

    g = wg.compile(lambda x: np.sum(x * w))
    for _ in range(6):
        assert f(np.ones(1)) == 3
        with wg.train_mode():
            assert f(np.ones(1)) == 2
        assert g(np.ones(3)).requires_grad
        with wg.no_grad():
            assert not g(np.ones(3)).requires_grad


def test_arguments_that_share_memory():
    def f(a, b):
        a[1] = 5
        return a[1:] + b

    fast = wg.compile(f)
    for _ in range(3):
        a, b = np.ones(3), np.ones(3)
        np.testing.assert_array_equal(fast(a, a[1:]), f(b, b[1:]))
        np.testing.assert_array_equal(a, b)


def test_an_optimiser_and_a_module_as_arguments():
    def step(net, opt, x):
        opt.zero_grad()
        loss = np.sum(net(x) ** 2)
        loss.backward()
        opt.step()
        return loss

    fast = wg.compile(step)
    pairs = []
    for _ in range(2):
        net = nn.Linear(3, 1, rng=np.random.default_rng(0))
        pairs.append((net, optim.SGD(list(net.parameters()), lr=0.01)))
    for k in range(4):
        np.testing.assert_allclose(fast(*pairs[0], DATA + k).item(), step(*pairs[1], DATA + k).item())
        np.testing.assert_allclose(pairs[0][0].weight.numpy(), pairs[1][0].weight.numpy())
    assert fast.stats()["paths"] == 1


def test_a_tensor_that_the_function_uses_can_be_its_result():
    w = wg.tensor(np.ones(2), requires_grad=True)
    fast = wg.compile(lambda: w)
    assert fast() is w
    assert fast() is w


def test_dropout_draws_anew_at_each_call():
    def make():
        rng = np.random.default_rng(1)
        net = nn.Sequential(nn.Linear(3, 8, rng=rng), nn.Dropout(0.5, rng=rng), nn.Linear(8, 1, rng=rng))
        opt = optim.SGD(list(net.parameters()), lr=0.05)

        def step(x, y):
            with wg.train_mode():
                opt.zero_grad()
                loss = np.mean((net(x)[:, 0] - y) ** 2)
                loss.backward()
                opt.step()
            return loss

        return step, lambda: [p.numpy() for p in net.parameters()]

    assert beside(make, lambda k: (DATA + 0.01 * k, TARGET)).stats()["paths"] == 1


def test_a_list_that_is_given_is_written():
    def f(xs, d):
        xs[0] = xs[0] + d["a"]
        xs.append(xs[1])
        d["b"] = 1.0
        return xs[0]

    fast = wg.compile(f)
    for _ in range(3):
        xs, ys = [np.ones(2), np.zeros(2)], [np.ones(2), np.zeros(2)]
        d, e = {"a": 1.0}, {"a": 1.0}
        np.testing.assert_array_equal(fast(xs, d), f(ys, e))
        np.testing.assert_array_equal(xs, ys)
        assert d == e
    assert "container" in fast.stats()["given up"][0]
