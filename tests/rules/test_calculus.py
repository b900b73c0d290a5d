"""Slopes, integrals, running sums, and functions of floating-point numbers, where samples cannot say it."""

import numpy as np
import pytest

import wengert as wg
from wengert.testing import check_grad


@pytest.mark.parametrize("edge_order", [1, 2])
def test_slopes_by_coordinates_that_happen_to_be_even(edge_order):
    """NumPy takes one spacing for all then; the derivative by each coordinate is still its own."""
    f, x = np.array([1.0, 3.0, -2.0, 0.5]), np.arange(4.0)
    check_grad(lambda f, x: np.gradient(f, x, edge_order=edge_order), f, x, order=2)
    check_grad(lambda f, d: np.gradient(np.outer(f, f), d, 2.0, edge_order=edge_order), f, 0.7)


def test_parabolas_have_exact_slopes():
    x = np.array([0.0, 0.4, 1.0, 2.5, 2.6])
    np.testing.assert_allclose(np.gradient(wg.tensor(x * x), x, edge_order=2).data, 2 * x, atol=1e-14)


def test_slopes_raise_what_numpy_raises():
    t = wg.tensor(np.ones((2, 3)))
    for wrong in ({"args": (1, 2, 3)}, {"args": (np.ones(5), 1)}, {"axis": 2}, {"edge_order": 3}, {"edge_order": 2}):
        args = wrong.pop("args", ())
        with pytest.raises((ValueError, TypeError)) as numpys:
            np.gradient(np.ones((2, 3)), *args, **wrong)
        with pytest.raises(type(numpys.value)):
            np.gradient(t, *args, **wrong)


def test_turns_are_constant_in_the_phase_and_linear_in_the_period():
    x = np.array([0.0, 2.0, 0.5, 2.4])
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(np.unwrap(x, period=3.0)))(x), np.ones(4))
    turns = np.rint((np.unwrap(x, period=3.0) - x) / 3)
    assert wg.grad(lambda p: np.sum(np.unwrap(wg.tensor(x), period=p)))(3.0) == np.sum(turns) != 0


def test_the_neighbour_of_a_number_moves_along():
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(np.nextafter(x, 9.0)))(np.ones(2)), [1, 1])
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(np.spacing(x)))(np.ones(2)), [0, 0])


def test_mantissas_of_the_smallest_and_largest_numbers():
    x = np.array([3e-320, 1e-310, 1.5e308, -2.0])
    mantissa, exponent = np.frexp(wg.tensor(x, requires_grad=True))
    np.testing.assert_array_equal(mantissa.data, np.frexp(x)[0])
    np.testing.assert_array_equal(exponent, np.frexp(x)[1])


def test_bessel_function_at_high_precision():
    """Of order 0 and its derivatives, of which the second is (I0 + I2) / 2 (DLMF 10.29.1)."""
    mpmath = pytest.importorskip("mpmath")
    for x in (0.0, 1e-12, 1e-3, 0.7, -3.0, 8.0, 30.0, 300.0):
        first, second = wg.grad(np.i0)(x), wg.grad(wg.grad(np.i0))(x)
        assert first == pytest.approx(float(mpmath.besseli(1, x)), rel=1e-13)
        expected = (mpmath.besseli(0, x) + mpmath.besseli(2, x)) / 2
        assert second == pytest.approx(float(expected), rel=1e-13)


def test_nan_to_num_in_place():
    t = wg.tensor([np.nan, 1.0, np.inf])
    assert np.nan_to_num(t, copy=False, posinf=5.0) is t
    np.testing.assert_array_equal(t.data, [0, 1, 5])
    with pytest.raises(wg.errors.LeafWriteError):
        np.nan_to_num(wg.tensor([np.nan], requires_grad=True), copy=False)


def test_clip_with_the_keywords_of_ufuncs():
    t = wg.tensor([-2.0, 0.2, 3.0], requires_grad=True)
    out = np.zeros_like(t)
    np.clip(t, -1, 1, where=np.array([True, True, False]), out=out)
    np.testing.assert_array_equal(out.data, [-1, 0.2, 0])
    out.backward(np.ones(3))
    np.testing.assert_array_equal(t.grad.data, [0, 1, 0])


def test_what_is_nearly_real_becomes_real():
    z = np.array([1.0 + 1e-15j, 2.0])
    assert np.real_if_close(wg.tensor(z)).dtype == float
    assert np.real_if_close(wg.tensor(z + 1j)).dtype == complex
    np.testing.assert_array_equal(wg.grad(lambda z: np.sum(np.real_if_close(z)))(z), [1, 1])
