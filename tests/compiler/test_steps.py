"""Whole training steps, of every optimiser and every dialect: compiled, eager, and in turns, on the same state."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.compiler import native
from wengert.compiler.assembly import index
from wengert.compiler.compiled import Compiled
from wengert.compiler.recorder import Turn
from wengert.passes import DEPOSITING

X = np.random.default_rng(0).normal(size=(12, 3)).astype("f4")
Y = (X @ np.array([1.0, -2.0, 0.5], "f4"))[:, None]

WENGERT = {
    "SGD": lambda ps: optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "schedule": lambda ps: optim.SGD(ps, lr=optim.schedules.cosine(0.4, steps=50)),
    "Adam": lambda ps: optim.Adam(ps, lr=0.1, amsgrad=True),
    "AdamW": lambda ps: optim.AdamW(ps, lr=0.1),
    "RMSProp": lambda ps: optim.RMSProp(ps, lr=0.01),
    "Adagrad": lambda ps: optim.Adagrad(ps, lr=0.1),
    "Adadelta": optim.Adadelta,
    "Adamax": optim.Adamax,
    "NAdam": optim.NAdam,
    "Ftrl": optim.Ftrl,
}


def wengert_step(optimiser):
    rng = np.random.default_rng(1)
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), np.tanh, nn.Linear(4, 1, rng=rng))
    opt = optimiser(list(net.parameters()))

    def step():
        opt.zero_grad()
        loss = np.mean((net(X) - Y) ** 2)
        loss.backward()
        opt.step()
        return loss.item()

    return step, lambda: [p.numpy() for p in net.parameters()] + [opt.steps, *opt._counts]


def torch_step(name, **settings):
    torch = pytest.importorskip("wengert.dialects.torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    opt, measure = getattr(torch.optim, name)(net.parameters(), **settings), torch.nn.MSELoss()
    x, y = torch.tensor(X), torch.tensor(Y)

    def step():
        opt.zero_grad()
        loss = measure(net(x), y)
        loss.backward()
        opt.step()
        return loss.item()

    return step, lambda: [p.detach().numpy().copy() for p in net.parameters()]


def mxnet_step(name, **settings):
    from wengert.dialects import mxnet as mx
    from wengert.dialects.mxnet import autograd, gluon

    net, measure = gluon.nn.Sequential(), gluon.loss.L2Loss()
    net.add(gluon.nn.Dense(4, activation="tanh"), gluon.nn.Dense(1))
    net.initialize()
    x, y = mx.nd.array(X), mx.nd.array(Y)
    net(x)
    rng = np.random.default_rng(1)
    for p in net.collect_params().values():
        p.set_data(mx.nd.array(rng.normal(size=p.shape)))
    trainer = gluon.Trainer(net.collect_params(), name, {"learning_rate": 0.05, **settings})

    def step():
        with autograd.record():
            loss = measure(net(x), y)
        loss.backward()
        trainer.step(12)
        return loss.mean()

    return step, lambda: [p.data().asnumpy() for p in net.collect_params().values()]


def djl_step(make):
    from wengert.dialects.djl import Engine, NDList, NDManager, Shape
    from wengert.dialects.djl.training.optimizer import Optimizer

    manager = NDManager.newBaseManager()
    x, y = manager.create(X), manager.create(Y)
    w, b = manager.create(np.ones((3, 1), "f4")), manager.zeros(Shape(1))
    for parameter in (w, b):
        parameter.setRequiresGradient(True)
    optimiser = make(Optimizer)

    def step():
        with Engine.getInstance().newGradientCollector() as collector:
            loss = x.dot(w).add(b).sub(y).square().div(2)
            collector.backward(loss)
        for number, parameter in enumerate(NDList(w, b)):
            optimiser.update(str(number), parameter, parameter.getGradient())
        return loss.mean()

    return step, lambda: [np.array(p.toFloatArray()) for p in (w, b, w.getGradient(), b.getGradient())]


STEPS = {f"wengert {name}": (wengert_step, (make,), {}) for name, make in WENGERT.items()}
STEPS |= {f"torch {name}": (torch_step, (name,), {"lr": 0.05}) for name in ("SGD", "Adam", "AdamW", "NAdam", "RMSprop")}
STEPS |= {f"torch {name}": (torch_step, (name,), {}) for name in ("Adagrad", "Adadelta", "Adamax")}
STEPS |= {f"mxnet {name}": (mxnet_step, (name,), {}) for name in ("sgd", "nag", "adam", "adamw", "nadam", "rmsprop")}
STEPS |= {f"mxnet {name}": (mxnet_step, (name,), {}) for name in ("adagrad", "adadelta", "adamax", "ftrl")}
STEPS |= {
    "djl sgd": (djl_step, (lambda o: o.sgd().setLearningRateTracker(lambda update: 0.1 / update).build(),), {}),
    "djl adam": (djl_step, (lambda o: o.adam().build(),), {}),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.filterwarnings("ignore:.*has been recorded for:wengert.errors.CompileWarning")
def test_a_step_is_compiled_and_takes_turns_with_the_function(name):
    make, args, settings = STEPS[name]
    (eager, expected), (step, found) = make(*args, **settings), make(*args, **settings)
    fast = wg.compile(step)
    for k in range(16):
        eager()
        there = expected()
        (step if k > 8 and k % 3 == 0 else fast)()
        for a, b in zip(found(), there, strict=True):
            np.testing.assert_allclose(a, b, 1e-4, 1e-5)
    for _ in range(3):
        fast()  # nobody has asked for an array on the tensors' memory
    stats = fast.stats()
    assert stats["given up"] == []
    assert stats["recordings"] <= 4
    assert stats["eager"] == 0
    assert not native.probe() or fast._shortcuts.runs > 1, fast.explain()


def test_a_backward_pass_alone_leaves_gradients_fresh_for_a_trainer():
    from wengert.dialects import mxnet as mx
    from wengert.dialects.mxnet import autograd, gluon

    def make():
        net = gluon.nn.Dense(1)
        net.initialize(mx.init.One())
        x = mx.nd.array(X)
        net(x)

        def back():
            with autograd.record():
                loss = (net(x) ** 2).sum()
            loss.backward()

        return net, gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.001}), back

    (net, trainer, back), (other, other_trainer, other_back) = make(), make()
    fast = wg.compile(back)
    for _ in range(8):
        fast()
        trainer.step(4)
        other_back()
        other_trainer.step(4)
        np.testing.assert_allclose(net.weight.data().asnumpy(), other.weight.data().asnumpy(), 1e-5)


def test_flags_and_texts_that_a_step_sets():
    class Model:
        started, phase, loss = False, "new", 0.0

        def step(self, x):
            if not self.started:
                self.started, self.phase = True, "running"
                self.scale = 2.0
            return x * self.scale

    model, plain = Model(), Model()
    fast = wg.compile(model.step)
    for k in range(6):
        np.testing.assert_array_equal(fast(X + k), plain.step(X + k))
        assert (model.started, model.phase) == (plain.started, plain.phase)


def test_arrays_in_tuples_are_read_and_written():
    pair = (np.ones(3), [np.zeros(3)])
    again = (pair[0].copy(), [np.zeros(3)])

    def make(state):
        def f(x):
            state[0][0] += x[1]
            state[1][0] = state[1][0] + x * state[0]
            return np.sum(state[1][0])

        return f

    fast, plain = wg.compile(make(pair)), make(again)
    for k in range(6):
        x = np.arange(3.0) + k
        np.testing.assert_allclose(fast(x), plain(x))
        np.testing.assert_allclose(pair[0], again[0])
        np.testing.assert_allclose(pair[1][0], again[1][0])
    assert fast.stats()["recordings"] == 1


def test_memory_that_a_tensor_shares_with_an_array_is_written():
    torch = pytest.importorskip("wengert.dialects.torch")
    array = np.zeros(3, "f4")
    t, other = torch.from_numpy(array), torch.zeros(3)
    fast = wg.compile(lambda y: t.add_(y).sum() + other.add_(y).sum())
    for k in range(1, 5):
        fast(torch.ones(3))
        np.testing.assert_array_equal(array, np.full(3, k))
    given = other.numpy()
    for k in range(5, 9):
        fast(torch.ones(3))
        np.testing.assert_array_equal(given, np.full(3, k))


@pytest.mark.parametrize("replace", [False, True])
def test_a_gradient_that_is_kept_is_the_same_tensor_where_it_is_eagerly(replace):
    def make():
        w = wg.tensor(np.ones(2), requires_grad=True)

        def f(x):
            if replace:
                w.grad = None
            np.sum(w * x).backward()

        return w, f

    (w, f), (v, g) = make(), make()
    fast = wg.compile(f)
    kept = eager = None
    for k in range(6):
        x = np.array([1.0, k])
        fast(x)
        g(x)
        if kept is not None:
            assert (kept is w.grad) == (eager is v.grad)
            np.testing.assert_array_equal(kept.numpy(), eager.numpy())
        kept, eager = w.grad, v.grad


def test_arguments_that_share_memory_though_those_before_did_not():
    def f(a, b):
        a[1] = 5 * b[0]
        return a[1:] + b

    fast = wg.compile(f)
    for _ in range(4):
        fast(np.ones(3), np.ones(2))
        a, b = np.ones(3), np.ones(3)
        np.testing.assert_array_equal(fast(a, a[1:]), f(b, b[1:]))


def test_arrays_of_mxnet_that_are_made_of_arguments_are_recorded():
    from wengert.dialects.mxnet import cpu, gluon, nd

    def whole(x):
        return (nd.array(x) * 2).sum()

    def split(x):
        return (gluon.utils.split_and_load(x, [cpu()])[0] * 2).sum()

    for f in (whole, split):
        fast = wg.compile(f)
        for k in range(4):
            x = np.arange(6.0).reshape(2, 3) + k
            found, expected = fast(x), f(x)
            assert (type(found), found.dtype, found.asscalar()) == (type(expected), np.float32, expected.asscalar())
        assert (fast.stats()["paths"], fast.stats()["eager"]) == (1, 0)


@pytest.fixture
def frequent_switches():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("before", [0, 1, 5])
@pytest.mark.parametrize("n", [3, 100_000])
@pytest.mark.usefixtures("frequent_switches")
def test_steps_of_several_threads_lose_no_gradients(n, before):
    w, scale = (wg.tensor(np.ones(n), requires_grad=True) for _ in range(2))

    def step(x):
        loss = np.sum(w * x * scale) if x[0] < 2 else np.sum(w * x * 2)
        loss.backward()

    def plain(x):
        np.sum(w * x).backward()

    fast = wg.compile(step)
    given = [np.full(n, 1.0 + k % 2) for k in range(60)]
    for x in given[:before]:
        fast(x)
    w.grad = None
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda k: (plain if k % 5 == 4 else fast)(given[k]), range(60)))
    whole = sum(x[0] * (2 if x[0] == 2 and k % 5 < 4 else 1) for k, x in enumerate(given))
    np.testing.assert_array_equal(w.grad.numpy(), np.full(n, whole))


def test_steps_that_clear_gradients_first_run_side_by_side():
    def locks(step):
        for _ in range(4):
            step()
        return [bool(entry._words[index("record.lock")]) for entry in step._shortcuts.entries]

    def of(opt, clears):
        def step():
            if clears:
                opt.zero_grad()
            np.sum(np.sin(w)).backward()
            opt.step()

        return wg.compile(step)

    w = wg.tensor(np.ones(3), requires_grad=True)
    assert locks(of(optim.SGD([w], lr=0.1), clears=False))[-1]
    assert not locks(of(optim.SGD([w], lr=0.1), clears=True))[-1]


def test_a_turn_that_was_interrupted_before_it_was_taken_ends():
    turn = Turn()
    turn.taken = True
    turn.end()
    with pytest.raises(KeyboardInterrupt), Turn() as turn:
        turn.take()
        raise KeyboardInterrupt
    assert not DEPOSITING._is_owned()


def test_a_backward_pass_of_another_leaf_does_not_wait_for_what_is_compiled(monkeypatch):
    w, other = (wg.tensor(np.ones(3), requires_grad=True) for _ in range(2))
    held = []
    keep = Compiled._keep
    monkeypatch.setattr(Compiled, "_keep", lambda *given: held.append(DEPOSITING._is_owned()) or keep(*given))
    wg.compile(lambda: np.sum(np.sin(w)).backward())()
    np.sum(other * 2).backward()
    assert held == [False]
    np.testing.assert_allclose(w.grad.numpy(), np.cos(np.ones(3)), 1e-15)
