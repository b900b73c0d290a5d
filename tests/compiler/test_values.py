"""Values of compiled functions are those of the functions themselves, at calls with other values than the first one."""

from collections import OrderedDict

import numpy as np
import pytest

import wengert as wg
from wengert.dialects import torch

MADE = {
    "concatenate": lambda y: np.concatenate([y[2:], y[:2]]),
    "stack": lambda y: np.stack([y[3], y[0], y[2], y[1]]),
    "append": lambda y: np.append(y[1:], y[0]),
    "where": lambda y: np.where(y > 0, y, 2 * y),
    "number": lambda y: np.stack([y, y])[0, 1],
    "twice": lambda y: y * 2,
    "itself": lambda y: y,
}
READ = {
    "greater": np.greater,
    "operator": lambda a, b: a >= b,
    "isclose": lambda a, b: np.isclose(a, b, atol=0.5),
    "logical": lambda a, b: np.logical_xor(a > 0, b),
    "isin": np.isin,
    "searchsorted": lambda a, b: np.searchsorted(np.sort(np.atleast_1d(a)), b),
    "lexsort": lambda a, b: np.lexsort((a * np.ones(4), b * np.ones(4))),
    "outer": lambda a, b: np.sum(np.greater.outer(a, b)),
    "bincount": lambda a, b: np.sum(np.bincount((a * np.ones(4) > 0).astype(int), b * np.ones(4), 2)),
}
TRANSFORMED = {
    "none": lambda f: f,
    "grad": wg.grad,
    "value_and_grad": lambda f: lambda x, y: np.hstack(wg.value_and_grad(f)(x, y)),
    "jvp": lambda f: lambda x, y: wg.jvp(lambda x: f(x, y), (x,), (np.ones_like(x),)),
    "vmap": lambda f: lambda x, y: wg.vmap(lambda x: f(x, y))(np.stack([x, x + 1])),
    "hessian": wg.hessian,
}


def _given(seed):
    random = np.random.default_rng(seed)
    return random.normal(size=4).round(1), random.normal(size=4).round(1)


@pytest.mark.filterwarnings("ignore::wengert.errors.BatchWarning")
@pytest.mark.parametrize("transformed", TRANSFORMED)
@pytest.mark.parametrize("made", MADE)
def test_what_is_made_of_another_argument_is_read_anew_at_each_call(made, transformed):
    for read in READ.values():
        for turned in (False, True):

            def f(x, y):
                both = MADE[made](y), x
                return np.sum(x * x * read(*both[::-1] if turned else both))  # noqa: B023

            g = TRANSFORMED[transformed](f)
            compiled = wg.compile(g)
            for seed in range(3):
                np.testing.assert_allclose(compiled(*_given(seed)), g(*_given(seed)))
            assert not compiled.stats()["given up"]


def _turned(key, **parts):
    turned = OrderedDict(inside=OrderedDict(parts), **parts)
    for ordered in (turned, turned["inside"]):
        ordered.move_to_end(key)
    return turned


@pytest.mark.parametrize("around", [lambda f: f, wg.grad], ids=["itself", "grad"])
def test_ordered_dictionaries_keep_the_order_into_which_keys_were_moved(around):
    def f(given):
        inside = given.pop("inside")
        return sum(k * x[0] for k, x in enumerate([*given.values(), *inside.values()]))

    g = around(f)
    compiled = wg.compile(g)
    for key in "abab":
        expected, got = (h(_turned(key, a=np.ones(1), b=2 * np.ones(1))) for h in (g, compiled))
        assert repr(got) == repr(expected)


def test_results_keep_the_order_into_which_keys_were_moved():
    compiled = wg.compile(lambda x: _turned("a", a=x, b=2 * x))
    for _ in range(3):
        found = compiled(np.ones(1))
        assert (list(found), list(found["inside"])) == (["inside", "b", "a"], ["b", "a"])


@pytest.mark.parametrize(
    "f", [lambda x: np.einsum("i...->i", x), lambda x: np.average(x[:0], axis=1)], ids=["einsum", "average"]
)
@pytest.mark.parametrize("around", [wg.compile, wg.grad], ids=["compile", "grad"])
def test_what_numpy_raises_is_raised(f, around):
    with pytest.raises(Exception) as numpys:
        f(np.ones((2, 3)))
    with pytest.raises(numpys.type):
        around(f)(np.ones((2, 3)))


def _largest(x, i):
    largest = np.zeros(4)
    np.maximum.at(largest, i, x)
    return largest


def _put(x, i):
    found = np.zeros(4)
    np.put(found, i, x)
    return found


def _counted(x, i):
    counts = np.zeros(4, int)
    np.add.at(counts, i, 1)
    return counts * x[0]


@pytest.mark.parametrize("f", [_largest, _put, _counted, lambda x, i: _counted(x, i)[np.append(x, x) > 0]])
def test_indices_that_are_inputs_are_computed_with(f):
    compiled = wg.compile(f)
    for seed in range(6):
        given = np.abs(_given(seed)[0][:2]), np.array([seed % 3, 3])
        np.testing.assert_array_equal(compiled(*given), f(*given))
    assert not compiled.stats()["given up"]
    assert compiled.stats()["recordings"] < 3


COUNTS = np.zeros(4, int)


def _count(x):
    COUNTS[np.append(x, 1.0) > 0] += 1
    return COUNTS.copy()


def test_masks_of_arrays_that_the_function_keeps_are_no_exceptions():
    compiled = wg.compile(_count)
    found = [compiled(np.array([1.0, -1.0, x])).tolist() for x in (1.0, 1.0, -1.0, 1.0)]
    assert found == [[1, 0, 1, 1], [2, 0, 2, 2], [3, 0, 2, 3], [4, 0, 3, 4]]
    assert not compiled.stats()["given up"]


OF_NUMBERS = {
    "is_integer": lambda x: 1.0 if (2 * x).is_integer() else x,
    "quantile": lambda x: np.quantile(np.arange(5.0), x / 10),
    "percentile": lambda x: np.percentile(np.arange(5.0), [x, 10 * x]),
    "atleast_1d": lambda x: np.atleast_1d(x) * 2,
    "searchsorted": lambda x: np.searchsorted(np.arange(5.0), np.ravel(x)),
    "pad": lambda x: np.pad(np.arange(5.0), 1, constant_values=x),
}


@pytest.mark.parametrize("kind", [float, np.float64])
@pytest.mark.parametrize("name", OF_NUMBERS)
def test_numbers_are_taken_where_arrays_are(name, kind):
    compiled = wg.compile(OF_NUMBERS[name])
    for x in (1.5, 1.25, 2.0, 1.5):
        np.testing.assert_array_equal(compiled(kind(x)), OF_NUMBERS[name](kind(x)))
    assert not compiled.stats()["given up"]


ZEROS = np.array([-0.0, 0.0, 1.5, -1.0])
OF_ZEROS = {
    "einsum": lambda x: np.einsum("i,i->i", x, -x),
    "outer": lambda x: np.einsum("i,j->ij", x, x),
    "matmul": lambda x: x[:, None] @ x[None],
    "tensordot": lambda x: np.tensordot(x, x, 0),
    "gradient": wg.grad(lambda x: np.einsum("i,i->", x, ZEROS[::-1])),
    "prod": lambda x: np.prod(x + 1j * ZEROS),
    "cumprod": lambda x: np.cumprod(x + 1j * ZEROS),
    "unwrap": np.unwrap,
    "unique": np.unique,
}


@pytest.mark.parametrize("name", OF_ZEROS)
def test_zeros_have_the_signs_that_they_have_in_numpy(name):
    compiled = wg.compile(OF_ZEROS[name])
    for x in (ZEROS, ZEROS[::-1].copy(), -ZEROS):
        assert compiled(x).tobytes() == OF_ZEROS[name](x).tobytes()


class _Attributes(dict):
    def __getattr__(self, name):
        return self[name]


def test_arguments_may_have_attributes_of_any_name_or_raise():
    compiled = wg.compile(lambda given: given.a * given.b)
    assert [float(compiled(_Attributes(a=np.float64(x), b=3.0))) for x in (1.0, 2.0)] == [3.0, 6.0]


@pytest.mark.parametrize("f", [lambda y, x: y <= x, lambda y, x: y - x, np.greater])
def test_what_is_computed_from_arrays_and_tensors_of_a_dialect_is_such_a_tensor(f):
    compiled = wg.compile(lambda y, x: f(np.append(y, 1.0), x))
    for y in (0.0, 1.0):
        given = np.full(2, y), torch.tensor([0.5, -0.5, 2.0])
        assert repr(compiled(*given)) == repr(f(np.append(given[0], 1.0), given[1]))


def test_functions_that_differentiate_by_what_they_are_given_and_keep_the_history_are_left_alone():
    layer = torch.nn.Linear(2, 1)

    def loss(x):
        u = torch.sin(layer(x.requires_grad_()))
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return ((slope + u) ** 2).mean()

    compiled, found = wg.compile(loss), []
    for f in (loss, compiled, compiled):
        layer.zero_grad()
        x = torch.ones(3, 2)
        f(x).backward()
        found.append((x.grad.tolist(), layer.weight.grad.tolist()))
    assert found[1] == found[2] == found[0]
    assert "about gradients" in compiled.stats()["given up"][0]


PRODUCTS = {
    "tensor first": lambda t, c: t * c,
    "number first": lambda t, c: c * t,
    "both without axes": lambda t, c: c * np.dot(t, t),
    "difference": lambda t, c: t - c * np.sin(t),
    "function": lambda t, c: np.multiply(c, t) + np.maximum(t, c),
    "power": lambda t, c: t**c + c**t,
    "comparison": lambda t, c: t > c,
}


@pytest.mark.parametrize("needs_gradient", [False, True])
@pytest.mark.parametrize(
    "number", [2.0, np.float64(2.0), np.float32(2.0), np.array(2.0)], ids=lambda x: type(x).__name__
)
@pytest.mark.parametrize("f", PRODUCTS.values(), ids=PRODUCTS)
def test_what_tensors_and_numbers_make_is_of_the_class_that_it_is_otherwise(f, number, needs_gradient):
    t = wg.tensor(np.array([1.0, 2.0, 3.0]), requires_grad=needs_gradient)
    fast = wg.compile(f)
    for _ in range(3):
        ours, plain = fast(t, number), f(t, number)
        assert type(ours) is type(plain)
        ours, plain = (x.numpy() if isinstance(x, wg.Tensor) else x for x in (ours, plain))
        np.testing.assert_allclose(ours.astype(float), plain.astype(float))


LEFT = {
    "numpy": lambda t, a: t.numpy(),
    "with an array": lambda t, a: t.numpy() + a,
    "item": lambda t, a: t.sum().item() * a,
    "mask": lambda t, a: (t > 0) * a,
    "index": lambda t, a: a[t.numpy().astype(int)],
    "place": lambda t, a: a[np.argmax(t)] * a,
    "choice": lambda t, a: np.where(t > 1, a, 2 * a),
    "data": lambda t, a: t.data * a,
    "back again": lambda t, a: t.numpy() * t,
    "beside a result with a history": lambda t, a: (t.numpy() * 2, np.sum(t * t)),
}


@pytest.mark.parametrize("needs_gradient", [False, True])
@pytest.mark.parametrize("f", LEFT.values(), ids=LEFT)
def test_what_leaves_tensors_is_an_array(f, needs_gradient):
    t, a = wg.tensor(np.array([0.0, 1.0, 2.0]), requires_grad=needs_gradient), np.ones(3)
    fast = wg.compile(f)
    for _ in range(3):
        ours, plain = (y if isinstance(y, tuple) else (y,) for y in (fast(t, a), f(t, a)))
        assert list(map(type, ours)) == list(map(type, plain))
        for x, y in zip(ours, plain, strict=True):
            assert getattr(x, "requires_grad", None) == getattr(y, "requires_grad", None)
            x, y = (z.numpy() if isinstance(z, wg.Tensor) else z for z in (x, y))
            np.testing.assert_array_equal(x, y)
