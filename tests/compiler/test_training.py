"""Training steps as they are written for other libraries: what they do besides arithmetic compiles, too."""

import math
from itertools import pairwise

import numpy as np
import pytest

import wengert as wg
from wengert.dialects import torch
from wengert.dialects.torch.optim import lr_scheduler
from wengert.transforms.containers import flatten

nn, F = torch.nn, torch.nn.functional


def numbers(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def labels(seed, count, *shape):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, count, shape))


def network(*sizes):
    torch.manual_seed(0)
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.Tanh())]
    return nn.Sequential(*layers[:-1])


def plain(x):
    if isinstance(x, (list, tuple)):
        return [plain(part) for part in x]
    return np.asarray(x.detach().numpy() if isinstance(x, torch.Tensor) else x)


def beside(make, count=10, recordings=2, eager=0):
    """Run a step compiled and as it is, from one state; `make` gives the step, its arguments at a call, its state."""
    ended = []
    for compiles in (False, True):
        step, given, state = make()
        fast = wg.compile(step) if compiles else step
        outputs = [plain(fast(*given(k))) for k in range(count)]
        ended.append([*outputs, plain(state())])
    for found, expected in zip(ended[1], ended[0], strict=True):
        for a, b in zip(*[flatten(x)[0] for x in (found, expected)], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    stats = fast.stats()
    assert stats["recordings"] <= recordings, stats
    assert stats["eager"] <= eager, stats
    return fast


def training(net, change, optimizer, loss=F.mse_loss, count=6, inputs=4):
    """A step of a network with something more in it, on new data at each call."""

    def step(x, y):
        optimizer.zero_grad()
        found = loss(net(x), y)
        found.backward()
        more = change(found)
        optimizer.step()
        return found.item(), more

    return step, lambda k: (numbers(k, count, inputs), numbers(k + 99, count, 2)), lambda: list(net.parameters())


# Gradients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm_type", [2.0, math.inf, 1.0])
def test_gradients_are_clipped_by_their_norm(norm_type):
    def make():
        net = network(4, 8, 2)
        clip = lambda loss: nn.utils.clip_grad_norm_(net.parameters(), 0.1, norm_type)  # noqa: E731
        return training(net, clip, torch.optim.Adam(net.parameters(), lr=0.01))

    beside(make)


def test_gradients_of_native_tensors_are_clipped_by_their_norm():
    def make():
        w = wg.tensor(np.linspace(-1, 1, 5), requires_grad=True)
        optimizer = wg.optim.SGD([w], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            np.sum((w * x) ** 2).backward()
            norm = wg.optim.clip_grad_norm([w], 0.5)
            optimizer.step()
            return norm

        return step, lambda k: (np.full(5, 3.0 + k),), lambda: [w.data]

    fast = beside(make, recordings=3)
    assert type(fast(np.ones(5))) is float


def test_a_parameter_without_axes_has_moments():
    def make():
        scale = nn.Parameter(torch.tensor(2.0))
        optimizer = torch.optim.Adam([scale], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = ((scale * x - 1) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss.item()

        state = lambda: [scale, *[v for v in optimizer.state[scale].values() if v is not None]]  # noqa: E731
        return step, lambda k: (numbers(k, 5),), state

    beside(make, recordings=3)


def test_moments_of_which_one_coefficient_is_zero_decide_nothing():
    def make():
        net = network(4, 2)
        return training(net, lambda loss: 0.0, torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.0, 0.9)))

    beside(make)


# Arguments ---------------------------------------------------------------------------------------------------------


def test_a_step_takes_views_of_a_data_set():
    def make():
        net, data = network(3, 2), numbers(0, 40, 5)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

        def step(x, y):
            loss = F.mse_loss(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.item()

        def given(k):
            rows = data[4 * k : 4 * k + 4]
            return rows[:, :3], rows[:, 3:]

        return step, given, lambda: list(net.parameters())

    beside(make, recordings=3)


def test_a_view_that_is_given_may_be_written():
    data, same = torch.arange(12.0).reshape(4, 3).clone(), torch.arange(12.0).reshape(4, 3).clone()

    def double(row):
        row *= 2
        return row.sum()

    fast = wg.compile(double)
    for k in (0, 1, 1, 2):
        assert fast(data[k]) == double(same[k])
    assert (data == same).all()


def test_a_view_beside_what_it_shows_is_left_to_the_function():
    w = torch.ones(4, requires_grad=True)

    def step(part):
        with torch.no_grad():
            w.mul_(2.0)
        return part.sum()

    fast = wg.compile(step)
    assert [fast(w.detach()[1:]).item() for _ in range(4)] == [6.0, 12.0, 24.0, 48.0]


def test_a_view_can_be_made_a_leaf():
    net = network(1, 4, 1)

    def slope(t):
        t.requires_grad_(True)
        return torch.autograd.grad(net(t).sum(), t)[0]

    fast = wg.compile(slope)
    for k in range(4):
        t = torch.linspace(0, 1 + k, 6).view(-1, 1)
        np.testing.assert_allclose(plain(fast(t)), plain(slope(torch.linspace(0, 1 + k, 6).view(-1, 1))), rtol=1e-5)
        assert t.requires_grad


def test_a_tensor_that_is_given_can_be_made_a_leaf():
    def slope(x):
        x.requires_grad = True
        (x**2).sum().backward()
        return x.grad.clone()

    fast = wg.compile(slope)
    for k in range(4):
        x = torch.full((3,), float(k))
        assert fast(x).tolist() == [2.0 * k] * 3
        assert x.requires_grad
        assert x.grad.tolist() == [2.0 * k] * 3


def test_a_compiled_module_is_given_tensors_when_derivatives_are_asked_for_from_outside():
    def scaled(x):
        assert isinstance(x, torch.Tensor)
        return torch.matmul(x, weight).sum()

    weight = torch.ones(3, 2, requires_grad=True)
    fast = wg.compile(scaled)
    for _ in range(3):
        weight.grad = None
        fast(torch.ones(4, 3)[:2]).backward()
        assert weight.grad.tolist() == [[2.0, 2.0]] * 3


def test_numbers_that_come_again_stay_part_of_the_program():
    fast = wg.compile(lambda n, x: [x * i for i in range(n)][-1])
    for _ in range(5):
        for n in (1, 1, 2, 2, 3, 3, 4, 4):
            assert fast(n, 2.0) == 2.0 * (n - 1)
    assert fast.stats()["eager"] == 0


# State -------------------------------------------------------------------------------------------------------------


def test_a_network_is_trained_and_evaluated_by_one_function():
    def make():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

        def step(x, y, trains):
            net.train(trains)
            if not trains:
                with torch.no_grad():
                    return F.mse_loss(net(x), y).item()
            loss = F.mse_loss(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.item()

        given = lambda k: (numbers(k, 8, 4), numbers(k + 1, 8, 2), k % 3 != 2)  # noqa: E731
        return step, given, lambda: [*net.parameters(), *net.buffers()]

    fast = beside(make, count=14, recordings=4)
    assert not fast.stats()["given up"]


def test_flags_and_texts_that_a_function_sets_are_set_by_its_program():
    class Machine:
        def __init__(self):
            self.mode, self.ready = "off", None

        def turn(self, x):
            self.mode = "on" if self.mode == "off" else "off"
            self.ready = self.mode == "on"
            return x * 2

    first, other = Machine(), Machine()
    fast = wg.compile(first.turn)
    for k in range(9):
        assert fast(float(k)) == other.turn(float(k))
        assert (first.mode, first.ready) == (other.mode, other.ready)
    assert fast.stats()["eager"] == 0


def test_numbers_in_a_tuple_may_change():
    options = {"betas": (0.5, 0.75, "fixed")}

    def step(x):
        first, second, name = options["betas"]
        options["betas"] = (first + 1, second, name)
        return x * first

    fast = wg.compile(step)
    assert [fast(2.0) for _ in range(8)] == [2 * (0.5 + k) for k in range(8)]
    assert options["betas"] == (8.5, 0.75, "fixed")
    assert fast.stats()["paths"] == 1


SCHEDULES = {
    "steps": lambda o: lr_scheduler.StepLR(o, 4),
    "milestones": lambda o: lr_scheduler.MultiStepLR(o, [3, 6]),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 7),
    "function": lambda o: lr_scheduler.LambdaLR(o, lambda k: min((k + 1) / 4, (k + 1) ** -0.5)),
    "linear": lambda o: lr_scheduler.LinearLR(o, total_iters=4),
    "one cycle": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=40),
    "one after another": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, total_iters=3), lr_scheduler.CosineAnnealingLR(o, 20)], [3]
    ),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_learning_rates_follow_a_schedule(schedule):
    def make():
        net = network(4, 2)
        optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
        rates = SCHEDULES[schedule](optimizer)

        def change(loss):
            rates.step()
            return rates.get_last_lr()

        step, given, state = training(net, change, optimizer)
        return step, given, lambda: [*state(), optimizer.param_groups[0]["lr"], rates.last_epoch]

    fast = beside(make, count=16, recordings=5, eager=7)
    assert not fast.stats()["given up"]


def test_the_rates_that_were_given_stay_as_they_were():
    optimizer = torch.optim.SGD(network(4, 2).parameters(), lr=1.0)
    rates = lr_scheduler.ExponentialLR(optimizer, 0.5)
    kept = [rates.get_last_lr()]
    rates.step()
    assert [*kept, rates.get_last_lr()] == [[1.0], [0.5]]


def test_dropout_draws_the_numbers_that_it_draws_outside():
    def make():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2))
        return training(net, lambda loss: 0.0, torch.optim.Adam(net.parameters(), lr=0.01))

    beside(make)


# Arrays and tensors ------------------------------------------------------------------------------------------------


def compared(f, *given, recordings=1):
    fast = wg.compile(f)
    for k in range(4):
        arguments = [make(k) for make in given]
        found, expected = (flatten(plain(g(*arguments)))[0] for g in (fast, f))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
            assert a.dtype == b.dtype
    assert fast.stats()["recordings"] <= recordings, fast.stats()
    assert not fast.stats()["eager"]
    return fast


def test_detached_numbers_are_results():
    compared(lambda x: (x.sum().detach(), x.mean().detach() + 1), lambda k: numbers(k, 5))


def test_tensors_are_made_of_arrays_and_lists():
    compared(lambda x: torch.from_numpy(x) * 2, lambda k: np.arange(3.0) + k)
    compared(lambda x: torch.as_tensor(x * 2).sum(), lambda k: np.arange(3.0) + k)
    compared(lambda a, b: torch.tensor([[a, b], [b, 1.0]]), lambda k: 0.5 * k + 0.3, lambda k: 1.0 + k)
    compared(lambda x: torch.tensor([x[0], x[1] * 2]), lambda k: np.arange(3.0) + k)
    compared(lambda x: x.numpy() * 2, lambda k: numbers(k, 4))


def test_arrays_that_share_their_memory_with_tensors_are_not_written_by_a_program():
    def shared(x):
        t = torch.from_numpy(x)
        t += 1
        return t.sum(), x.sum()

    fast = wg.compile(shared)
    for _ in range(3):
        assert [float(y) for y in fast(np.zeros(3))] == [3.0, 3.0]

    def looked_at(t):
        a = t.numpy()
        t += 1
        return a * 1

    fast = wg.compile(looked_at)
    for _ in range(3):
        assert fast(torch.zeros(3)).tolist() == [1.0, 1.0, 1.0]


def test_heads_are_joined_as_views():
    def joined(x):
        heads = x.view(2, 3, 2, 4).transpose(1, 2)
        assert not heads.is_contiguous()
        return heads.transpose(1, 2).contiguous().view(2, 3, 8), heads.contiguous().view(2, 24), heads.stride()

    compared(joined, lambda k: numbers(k, 2, 3, 8))


def test_indices_gather_and_select():
    compared(lambda x, i: x.gather(1, i), lambda k: numbers(k, 3, 4), lambda k: labels(k, 4, 3, 2))
    compared(lambda x, i: x.index_select(0, i), lambda k: numbers(k, 3, 4), lambda k: labels(k, 3, 5))
    compared(lambda x, i: x.to(torch.int64)[i], lambda k: 9 * numbers(k, 6), lambda k: labels(k, 6, 4))


def test_small_arrays_of_whole_numbers_are_indexed_by_arguments():
    actions, ends = np.arange(10) % 3, np.arange(10) % 2 == 0
    fast = wg.compile(lambda i: (actions[i], ends[i]))
    for k in range(5):
        i = (np.arange(4) + k) % 10
        assert [x.tolist() for x in fast(i)] == [actions[i].tolist(), ends[i].tolist()]
    assert fast.stats()["eager"] <= 1
    assert fast.stats()["paths"] >= 1


def test_examples_have_gradients_of_their_own():
    net = network(4, 3)
    weights = {name: t.detach() for name, t in net.named_parameters()}

    def loss(weights, x, y):
        found = torch.func.functional_call(net, weights, (x.unsqueeze(0),))
        return F.cross_entropy(found, y.unsqueeze(0))

    each = torch.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    norms = lambda x, y: torch.sqrt(sum(g.flatten(1).pow(2).sum(1) for g in each(weights, x, y).values()))  # noqa: E731
    compared(norms, lambda k: numbers(k, 5, 4), lambda k: labels(k, 3, 5))


def test_a_class_that_is_left_out_comes_and_goes():
    loss = lambda x, y: F.cross_entropy(x, y, ignore_index=0)  # noqa: E731
    given = [torch.tensor(y) for y in ([1, 2, 1], [0, 1, 2], [1, 1, 1], [2, 0, 0])]
    compared(loss, lambda k: numbers(k, 3, 3), lambda k: given[k])


def test_large_models_have_shortcuts():
    def make():
        net = network(*[3] * 30, 2)
        return training(net, lambda loss: 0.0, torch.optim.Adam(net.parameters(), lr=0.01), inputs=3)

    fast = beside(make)
    assert fast._shortcuts.runs


def test_arrays_of_gradients_are_values_of_the_program():
    """`numpy()` gives a copy, by which nothing is decided."""
    w, momentum, kept = wg.tensor(np.ones(3), requires_grad=True), np.zeros(3), {}

    def step(x):
        np.sum((w * x) ** 2).backward()
        momentum[...] = 0.9 * momentum + w.grad.numpy()
        before = w.numpy()
        with wg.no_grad():
            w[...] = w - 0.1 * momentum
        w.grad = None
        kept["weights"] = w.numpy()
        before[0] += 1
        return before, np.linalg.norm(w.numpy())

    def run(step):
        w.data, momentum[...] = np.ones(3), 0.0
        results = [step(np.linspace(0, 1, 3) * k) for k in range(6)]
        return [x for pair in results for x in pair] + [w.numpy(), momentum.copy(), kept["weights"]]

    fast = wg.compile(step)
    for ours, plain in zip(run(fast), run(step), strict=True):
        assert type(ours) is type(plain)
        np.testing.assert_allclose(ours, plain, 1e-13)
    assert fast.stats()["eager"] == 0
