"""Values of compiled functions are those of the functions themselves, at calls with other values than the first one."""

from collections import OrderedDict

import numpy as np
import pytest

import wengert as wg

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
    with pytest.raises(Exception) as numpys:  # noqa: PT011
        f(np.ones((2, 3)))
    with pytest.raises(numpys.type):
        around(f)(np.ones((2, 3)))
