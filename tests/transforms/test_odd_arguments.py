"""Legal but odd arguments of transformations, and illegal ones that must be told apart."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ArgumentError, GradientError

B = np.arange(12.0).reshape(2, 6) + 0.5


@pytest.mark.parametrize("reshape", [lambda v: np.reshape(v, [2, 3]), lambda v: v.reshape([2, 3])])
def test_a_list_as_a_shape_inside_vmap(reshape):
    np.testing.assert_array_equal(wg.vmap(reshape)(B), B.reshape(2, 2, 3))


@pytest.mark.parametrize("size", [0, -1, True])
def test_chunks_of_no_examples_are_refused(size):
    with pytest.raises(ArgumentError, match="chunk_size"):
        wg.vmap(np.sin, chunk_size=size)


def test_argnums_of_numpy():
    assert wg.grad(lambda a, b: a * b, argnums=np.int64(1))(2.0, 3.0) == 2.0


def test_series_do_not_pass_over_own_rules():
    cube = wg.custom_vjp(lambda x: x**3)
    cube.defvjp(lambda x: (cube(x), x), lambda x, g: (100 * g * x,))
    pushed = wg.custom_jvp(lambda x: x**3)
    pushed.defjvp(lambda p, t: (pushed(p[0]), 100 * p[0] * t[0]))
    for f in (cube, pushed):
        with pytest.raises(GradientError, match=r"wg\.taylor"):
            wg.derivatives(f, 2.0, 2)
    np.testing.assert_allclose(wg.derivatives(wg.checkpoint(np.sin), 0.0, 3), [0, 1, 0, -1])


def test_series_inside_vmap_do_not_pass_over_own_rules():
    cube = wg.custom_vjp(lambda x: x**3)
    cube.defvjp(lambda x: (cube(x), x), lambda x, g: (100 * g * x,))
    with pytest.raises(GradientError, match=r"wg\.taylor"):
        wg.vmap(lambda x: wg.derivatives(cube, x, 2))(np.array([1.0, 2.0]))
    with pytest.raises(GradientError, match=r"wg\.taylor"):
        wg.derivatives(lambda x: np.sum(wg.vmap(cube)(x * np.ones(2))), 1.0, 2)


@pytest.mark.parametrize(("f", "n", "rows"), [(lambda v: v[:0], 3, 0), (lambda v: v * 2, 0, 0)])
def test_sparse_jacobians_without_elements(f, n, rows):
    assert wg.sparse_jacobian(f)(np.ones(n)).shape == (rows, n)


@pytest.mark.filterwarnings("ignore::wengert.errors.BatchWarning")
def test_a_looped_composite_of_a_batch_and_of_what_has_none():
    rows, weights = B[:, :3], np.array([1.0, 2.0, 3.0])
    f = lambda v, w: np.sum(np.nanmedian(np.stack([v, w]), axis=0) * v)  # noqa: E731
    for argnums in (0, 1, (0, 1)):
        got = wg.vmap(wg.grad(f, argnums), in_axes=(0, None))(rows, weights)
        each = [wg.grad(f, argnums)(v, weights) for v in rows]
        np.testing.assert_allclose(got, np.stack(each, axis=1) if isinstance(argnums, tuple) else np.stack(each))


def test_axes_are_whole_numbers_of_any_class():
    x = np.arange(6.0).reshape(2, 3)
    for axis in (1, np.int64(1), np.array(1), (np.int32(1),)):
        np.testing.assert_array_equal(wg.vmap(np.sum, in_axes=axis)(x), x.sum(0))
    np.testing.assert_array_equal(wg.vmap(np.sin, out_axes=np.int64(1))(x), np.sin(x).T)
    for axis in (True, 1.0, "0", (np.True_,)):
        with pytest.raises(wg.errors.ArgumentError, match="an axis, or axes in a container"):
            wg.vmap(np.sum, in_axes=axis)(x)
        with pytest.raises(wg.errors.ArgumentError, match="an axis, or axes in a container"):
            wg.vmap(np.sin, out_axes=axis)(x)


@pytest.mark.parametrize("transform", [wg.jvp, wg.hvp, wg.vhp])
def test_arguments_and_their_directions_come_in_tuples(transform):
    x = np.ones(1)
    for primals, directions in ((x, x), ((x,), x), (x, (x,)), (1.0, 1.0)):
        with pytest.raises(wg.errors.ArgumentError, match=r"write wg\.\w+\(f, \(x,\), \(v,\)\)"):
            transform(lambda x: np.sum(x**2), primals, directions)
