"""Functions that run once for each example of a batch, wherever the batch lies; tangents of decompositions."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import BatchWarning, GradientError

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(4, 5, 6))
SYMMETRIC = RANDOM.normal(size=(3, 3))
SYMMETRIC = SYMMETRIC + SYMMETRIC.T
POSITIVE = RANDOM.normal(size=(3, 3))
POSITIVE = POSITIVE @ POSITIVE.T + np.eye(3)


def _f(v):
    return np.nanmedian(v) * np.sum(v**2)


def _for_each(function, values):
    return np.stack([function(v) for v in values])


@pytest.mark.filterwarnings("ignore::wengert.errors.BatchWarning")
def test_inside_and_around_other_transformations():
    rows = _for_each(lambda block: _for_each(wg.grad(_f), block), X)
    np.testing.assert_allclose(wg.vmap(wg.vmap(wg.grad(_f)))(X), rows)
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(wg.vmap(wg.vmap(_f))(x)))(X), rows)
    np.testing.assert_allclose(wg.vmap(wg.grad(lambda x: np.sum(wg.vmap(_f)(x))))(X), rows)
    np.testing.assert_allclose(wg.vmap(wg.hessian(_f))(X[0]), _for_each(wg.hessian(_f), X[0]))
    pushed = wg.vmap(lambda v: wg.jvp(_f, (v,), (np.ones(6),))[1])(X[0])
    np.testing.assert_allclose(pushed, rows[0].sum(axis=1))


def test_a_warning_tells():
    with pytest.warns(BatchWarning, match="nanmedian"):
        wg.vmap(wg.grad(_f))(X[0])


def test_results_of_several_shapes_are_refused():
    with pytest.raises(wg.errors.BatchError), pytest.warns(BatchWarning):
        wg.vmap(lambda v: wg.grad(lambda u: np.sum(np.unique(u)))(v))(np.array([[1.0, 1.0], [1.0, 2.0]]))


def test_equal_eigenvalues_share_their_tangent():
    _, pushed = wg.jvp(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2), (np.eye(3),), (SYMMETRIC,))
    np.testing.assert_allclose(pushed, 2 * np.trace(SYMMETRIC))


@pytest.mark.parametrize("vectors", [lambda a: np.linalg.eigh(a)[1], lambda a: np.linalg.svd(a)[0]])
def test_vectors_that_turn_in_no_known_way_are_refused(vectors):
    with pytest.raises(GradientError, match="how the vectors turn"):
        wg.jvp(vectors, (np.eye(3),), (SYMMETRIC,))


@pytest.mark.parametrize("dtype", [float, complex])
def test_tangents_rebuild_the_matrix(dtype):
    a, t = RANDOM.normal(size=(2, 4, 3)) + (1j * RANDOM.normal(size=(2, 4, 3)) if dtype is complex else 0)

    def by_svd(x):
        u, s, vh = np.linalg.svd(x)
        return (u[:, :3] * s) @ vh

    def by_qr(x):
        q, r = np.linalg.qr(x, mode="complete")
        return q @ r

    def gram(x):
        q, _ = np.linalg.qr(x, mode="complete")
        return np.conjugate(q.T) @ q

    for rebuilt in (by_svd, by_qr):
        np.testing.assert_allclose(wg.jvp(rebuilt, (a,), (t,))[1], t, atol=1e-12)
    np.testing.assert_allclose(wg.jvp(gram, (a,), (t,))[1], np.zeros((4, 4)), atol=1e-12)


def test_second_derivatives_agree_with_reverse_mode():
    a = POSITIVE
    for f in (
        lambda x: np.sum(np.linalg.eigh(x)[1] ** 3),
        lambda x: np.sum(np.linalg.svd(x)[0] ** 4),
        lambda x: np.sum(np.linalg.cholesky(x) ** 3),
        lambda x: np.sum(np.linalg.pinv(x[:, :2]) ** 3),
        lambda x: np.sum(np.prod(x, axis=0) ** 2),
    ):
        _, twice = wg.jvp(lambda x, f=f: wg.jvp(f, (x,), (SYMMETRIC,))[1], (a,), (SYMMETRIC,))
        back = wg.grad(lambda x, f=f: np.sum(wg.grad(f)(x) * SYMMETRIC))(a)
        np.testing.assert_allclose(twice, np.sum(back * SYMMETRIC), rtol=1e-8)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "ptp", "nansum", "squeeze", "any", "argmax"])
def test_numbers_have_the_axis_that_numpy_gives_them(name, axis):
    """An example without axes is reduced along none; above all not along the batch's."""
    values = np.array([1.5, 0.0, -2.0])

    def f(v):
        return getattr(np, name)(v, axis=axis)

    np.testing.assert_array_equal(wg.vmap(f)(values), _for_each(f, values))
    if name not in ("any", "argmax"):
        expected = np.zeros(3) if name == "ptp" else np.ones(3)
        np.testing.assert_array_equal(wg.vmap(wg.grad(f))(values), expected)


@pytest.mark.parametrize("function", [np.sum, np.max, np.cumsum, np.argmax, np.sort])
def test_axes_that_an_example_does_not_have(function):
    with pytest.raises(np.exceptions.AxisError):
        wg.vmap(lambda v: function(v, axis=-2))(np.ones((3, 2)))
