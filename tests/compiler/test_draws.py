"""Random numbers of the dialects in compiled functions: drawn anew at each call, and those that are drawn eagerly."""

import numpy as np
import pytest

import wengert as wg
from wengert.dialects import djl, torch
from wengert.dialects import mxnet as mx
from wengert.dialects.torch.nn import functional as F

SOURCE = torch.Generator()


def _seeded(x):
    torch.manual_seed(3)
    return x * torch.rand(6)


TORCH = {
    "rand": lambda x: x * torch.rand(6),
    "randn": lambda x: torch.randn(20) * x.sum(),
    "randn_like": lambda x: x * torch.randn_like(x),
    "randint": lambda x: x * torch.randint(0, 100, (6,)),
    "randperm": lambda x: x[torch.randperm(6)] * torch.rand(6),
    "bernoulli": lambda x: torch.bernoulli(x * 0.5),
    "normal": lambda x: torch.normal(x, 1.0),
    "alone": lambda x: torch.rand(3),
    "dropout": lambda x: F.dropout(x, 0.5),
    "module": torch.nn.Dropout(0.5),
    "uniform_": lambda x: x * torch.empty(6).uniform_(),
    "multinomial": lambda x: torch.multinomial(x, 4, True),
    "generator": lambda x: x * torch.rand(6, generator=SOURCE),
}
LEFT = {"poisson": lambda x: torch.poisson(x * 5), "seeded": _seeded}


def states():
    return torch.default_generator.bit_generator.state, SOURCE.bit_generator.state


@pytest.mark.parametrize("name", [*TORCH, *LEFT])
def test_torchs_numbers_are_those_of_the_eager_function(name):
    f = (TORCH | LEFT)[name]
    fast, x, before = wg.compile(f), torch.ones(6), states()
    expected = [f(x).numpy().copy() for _ in range(5)]
    torch.default_generator.bit_generator.state, SOURCE.bit_generator.state = before
    for y in expected:
        found = fast(x)
        assert isinstance(found, torch.Tensor)
        np.testing.assert_allclose(found.numpy(), y, 1e-6)
    assert bool(fast.stats()["given up"]) == (name in LEFT)


def test_a_training_step_drops_others_at_each_call():
    def losses(compiled):
        torch.manual_seed(0)
        w = torch.ones(8, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.01)

        def step(x):
            optimizer.zero_grad()
            loss = (F.dropout(w * x, 0.5) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        run = wg.compile(step) if compiled else step
        return [float(run(torch.ones(8)).detach().numpy()) for _ in range(6)]

    np.testing.assert_allclose(losses(True), losses(False), 1e-5)


MXNET = {
    "normal": lambda nd, x: nd.random.normal(0, 1, (6,)) * x,
    "uniform": lambda nd, x: x * nd.random.uniform(0, 1, (6,)),
    "bernoulli": lambda nd, x: nd.random.bernoulli(0.5, **{"shape" if nd is mx.nd else "size": (6,)}) * x,
    "poisson": lambda nd, x: nd.random.poisson(3, (6,)),
    "computed": lambda nd, x: nd.random.normal(x * 2, 1),
    "dropout": lambda nd, x: (mx.nd.Dropout if nd is mx.nd else mx.npx.dropout)(x, p=0.5, mode="always"),
}


@pytest.mark.parametrize("nd", [mx.nd, mx.np], ids=["nd", "np"])
@pytest.mark.parametrize("name", MXNET)
def test_mxnets_numbers_are_those_of_the_eager_function(name, nd):
    def f(x):
        return MXNET[name](nd, x)

    fast, x = wg.compile(f), nd.ones((6,))
    mx.random.seed(5)
    expected = [f(x).asnumpy().copy() for _ in range(5)]
    mx.random.seed(5)
    for y in expected:
        found = fast(x)
        assert type(found) is type(x)
        np.testing.assert_allclose(found.asnumpy(), y, 1e-6)


def test_djls_numbers_are_drawn_anew():
    manager = djl.NDManager.newBaseManager()
    fast = wg.compile(lambda x: x * manager.randomNormal(djl.Shape(4)).toArray())
    first, second = fast(np.ones(4)), fast(np.ones(4))
    assert np.all(np.asarray(first) != np.asarray(second))


@pytest.mark.parametrize(
    "make", [lambda: torch.ones(3), lambda: mx.nd.ones((3,)), lambda: mx.np.ones((3,))], ids=["torch", "nd", "np"]
)
def test_tensors_of_dialects_and_floats_give_tensors_of_the_dialect(make):
    x = make()
    for f in (lambda x, a: x * a, lambda x, a: a * x, lambda x, a: a - x[0], lambda x, a: x + a / x):
        fast, expected = wg.compile(f), f(x, 2.0)
        for _ in range(3):
            found = fast(x, 2.0)
            assert type(found) is type(expected)
            assert found.dtype == expected.dtype


@pytest.mark.parametrize("dialect", ["wengert", "torch"])
def test_the_gradient_belongs_to_the_numbers_of_the_value(dialect):
    rng = np.random.default_rng(0)
    if dialect == "torch":
        w = torch.ones(8, requires_grad=True)
        fast = wg.compile(lambda x: F.dropout(w * x, 0.5))
    else:
        w = wg.tensor(np.ones(8), requires_grad=True)
        fast = wg.compile(lambda x: w * x * wg.random.random(rng, 8))
    for _ in range(4):
        w.grad = None
        y = fast(torch.ones(8) if dialect == "torch" else np.ones(8))
        y.sum().backward()
        np.testing.assert_array_equal(np.asarray(w.grad), np.asarray(y.detach()))
    assert "differentiated from outside" in fast.stats()["given up"][0]
    assert w.grad is not None


def test_the_first_of_the_numbers_is_the_eager_ones():
    def run(decorate):
        rng = np.random.default_rng(0)
        f = decorate(lambda x: np.sum(x * wg.random.random(rng, 4)))
        return [wg.grad(f)(np.ones(4)) for _ in range(4)]

    np.testing.assert_array_equal(run(wg.compile), run(lambda f: f))


def test_a_generator_that_is_made_inside_begins_anew_at_each_call():
    fast = wg.compile(lambda x: x * wg.random.random(np.random.default_rng(0), 4))
    for _ in range(4):
        np.testing.assert_array_equal(fast(np.ones(4)), np.random.default_rng(0).random(4))


def test_a_generator_of_torchs_that_is_passed_in_moves_on():
    def walk(x, source):
        for _ in range(3):
            x = x + torch.randn(1, generator=source)
        return x

    fast, first, second, x = wg.compile(walk), torch.Generator(), torch.Generator(), torch.ones(1)
    for _ in range(6):
        np.testing.assert_allclose(fast(x, first).numpy(), walk(x, second).numpy(), 1e-6)
    assert fast.stats()["recordings"] == 1


def test_a_generator_that_is_seeded_inside_leaves_the_function_to_python():
    source = torch.Generator()

    def f(x):
        source.manual_seed(1)
        return x * torch.rand(3, generator=source)

    fast, x = wg.compile(f), torch.ones(3)
    for _ in range(4):
        np.testing.assert_array_equal(fast(x).numpy(), f(x).numpy())


@pytest.mark.parametrize("made", [np.random.SeedSequence, np.random.PCG64, np.random.default_rng])
@pytest.mark.parametrize("is_of", ["itself", "a child"])
def test_generators_that_are_made_of_what_is_outside_are_refused(made, is_of):
    source = made(3)
    if is_of == "itself" and made is np.random.SeedSequence:
        pytest.skip("it gives the same generator each time")

    def f(x):
        return x * np.random.default_rng(source if is_of == "itself" else source.spawn(1)[0]).random(2)

    if not hasattr(source, "spawn") and is_of == "a child":
        pytest.skip("it has no children")
    with pytest.raises(wg.errors.ArgumentError, match="drew by a method of"):
        wg.compile(f)(np.ones(2))


def test_a_sequence_of_seeds_outside_that_is_only_read():
    seeds = np.random.SeedSequence(3)
    fast = wg.compile(lambda x: x * np.random.default_rng(seeds).random(2))
    expected = np.random.default_rng(seeds).random(2)
    for _ in range(4):
        np.testing.assert_array_equal(fast(np.ones(2)), expected)
