"""Tensors lie in memory as NumPy's arrays do, which decides whether a reshape is a view or a copy."""

import numpy as np
import pytest
from tests.layouts import BLOCKS, CUBE, CUBES, LAYOUTS, MATRICES, PLAIN, parts, probe

import wengert as wg
from wengert.arrays import copied, empty_as
from wengert.box import bare


def agree(expression, numbers, layouts):
    function = probe(expression)
    for name, lying in layouts.items():
        expected, found = function(lying(numbers)), []

        def recorded(x, found=found):
            found += function(x)
            return np.sum(x)

        wg.value_and_grad(recorded)(lying(numbers))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(bare(a), b, 1e-9, 1e-12, err_msg=name)


@pytest.mark.parametrize("expression", parts(MATRICES))
def test_matrices_lie_as_numpys(expression):
    agree(expression, PLAIN, LAYOUTS)


@pytest.mark.parametrize("expression", parts(BLOCKS))
def test_blocks_lie_as_numpys(expression):
    agree(expression, CUBE, CUBES)


# Buffers that are copied to be written -------------------------------------------------------------------------------

GAPS = {
    "columns": lambda: np.arange(24.0).reshape(3, 8)[:, ::2],
    "some columns": lambda: np.arange(24.0).reshape(3, 8)[:, 2:5],
    "rows": lambda: np.arange(24.0).reshape(6, 4)[::2],
    "backwards": lambda: np.arange(12.0).reshape(3, 4)[::-1],
    "Fortran": lambda: np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "Fortran, with gaps": lambda: np.arange(24.0).reshape(8, 3)[::2].T,
    "one axis": lambda: np.arange(12.0)[::2],
    "far apart": lambda: np.arange(1000.0).reshape(10, 100)[::5, ::30],
    "a column": lambda: np.arange(1000.0).reshape(10, 100)[:, 3],
    "a block": lambda: np.arange(6000.0).reshape(10, 20, 30)[::2, ::-5, 3:9],
    "empty": lambda: np.zeros((0, 4))[:, ::2],
}


@pytest.mark.parametrize("kind", GAPS)
def test_copies_lie_as_what_they_are_copies_of(kind):
    x = GAPS[kind]()
    for y in (copied(x), empty_as(x)):
        assert y.flags.c_contiguous == x.flags.c_contiguous and y.flags.f_contiguous == x.flags.f_contiguous
        assert not np.may_share_memory(x, y) and y.shape == x.shape
        memory = y.base.size if y.base is not None else y.nbytes
        assert memory <= max(4 * x.nbytes, 0)
        for shape in ((-1,), (x.shape[0], -1), (*x.shape[:-2], -1)) if x.size else ():
            assert np.may_share_memory(x.reshape(shape), x) == np.may_share_memory(y.reshape(shape), y)
    np.testing.assert_array_equal(copied(x), x)


@pytest.mark.parametrize("kind", [kind for kind in GAPS if kind != "empty"])
def test_what_is_written_keeps_its_gaps(kind):
    def in_place(x):
        x *= 2
        old = x.ravel()
        x += 100
        return np.sum(old**2)

    def through_index(x):
        x[0] = 3.0
        old = x.reshape(-1)
        x[...] = x + 100
        return np.sum(old**2)

    def of_all(x):
        x[...] = 2.0 * x
        flat = x.reshape(-1)
        flat *= 3
        return np.sum(x)

    for f in (in_place, through_index, of_all):
        given = GAPS[kind]()
        np.testing.assert_allclose(wg.value_and_grad(f)(given)[0], f(GAPS[kind]()))
        np.testing.assert_array_equal(given, GAPS[kind]())


def test_a_copy_with_gaps_is_made_once():
    places = []

    def f(x):
        for i in range(4):
            x[i % 3] = float(i)
            places.append(bare(x).__array_interface__["data"][0])
        return np.sum(x)

    wg.value_and_grad(f)(GAPS["columns"]())
    assert len(set(places[1:])) == 1


def test_views_of_a_copy_with_gaps_follow():
    def f(x):
        x[0] = 1.0
        first, second = x[:2], x[:2][:, 1:]
        second *= 10.0
        x += 1.0
        return np.sum(first * second.sum())

    for kind in ("columns", "rows", "Fortran, with gaps", "far apart"):
        np.testing.assert_allclose(wg.value_and_grad(f)(GAPS[kind]())[0], f(GAPS[kind]()))
