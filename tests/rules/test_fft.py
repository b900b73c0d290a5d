"""Fourier transforms: what samples cannot say."""

import numpy as np
import pytest
import scipy.fft

import wengert as wg
import wengert.scipy.fft

REAL = np.random.default_rng(0).normal(size=(3, 8))
SPECTRA = REAL + 1j * REAL[::-1]


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
def test_energy_is_that_of_the_spectrum(norm):
    """Parseval: the gradient of the spectrum's energy is twice the signal, times what the norm makes of it."""
    gradient = wg.grad(lambda x: np.sum(np.abs(np.fft.fft(x, norm=norm)) ** 2))(REAL)
    np.testing.assert_allclose(gradient, 2 * REAL * {None: 8, "ortho": 1, "forward": 1 / 8}[norm])


def test_filtering_has_the_adjoint_filter():
    """The adjoint of a convolution is a correlation, in all that a program does with transforms."""
    kernel = np.fft.rfft(np.arange(8.0))
    g = np.random.default_rng(1).normal(size=8)
    back = wg.vjp(lambda x: np.fft.irfft(np.fft.rfft(x) * kernel, 8), REAL[0])[1](g)
    expected = [np.sum(g * np.roll(np.arange(8.0), k)) for k in range(8)]
    np.testing.assert_allclose(np.ravel(back), expected)


@pytest.mark.parametrize("function", [np.fft.fft, np.fft.rfft, np.fft.irfft, np.fft.fftn, np.fft.hfft])
def test_single_precision_stays(function):
    t = wg.tensor(REAL.astype(np.float32), requires_grad=True)
    y = function(t)
    assert y.dtype == function(t.data).dtype
    y.backward(np.ones(y.shape, y.dtype))
    assert t.grad.dtype == np.float32


@pytest.mark.parametrize("function", [np.fft.fft, np.fft.irfft, np.fft.fft2, np.fft.rfftn])
def test_wrong_calls_raise_what_numpy_raises(function):
    t = wg.tensor(REAL, requires_grad=True)
    with pytest.raises(ValueError, match="norm"):
        function(t, norm="none")
    with pytest.raises(ValueError, match="data points"):
        function(t, 0) if function in (np.fft.fft, np.fft.irfft) else function(t, (0, 0), (0, 1))


def test_real_transforms_refuse_complex_numbers():
    with pytest.raises(TypeError):
        np.fft.rfft(wg.tensor(SPECTRA, requires_grad=True))


def test_frequencies_of_a_recorded_spacing():
    assert wg.grad(lambda d: np.fft.fftfreq(4, d)[1])(0.5) == -1


# SciPy -----------------------------------------------------------------------------------------------------------


def test_what_scipy_does_itself_is_refused():
    with pytest.raises(wg.errors.LostGradientError):
        scipy.fft.dct(wg.tensor(REAL, requires_grad=True))


def test_the_module_is_a_backend_of_scipy():
    with scipy.fft.set_backend(wengert.scipy.fft):
        gradient = wg.grad(lambda x: np.sum(scipy.fft.dct(x, norm="ortho") ** 2))(REAL)
        np.testing.assert_allclose(gradient, 2 * REAL)
        np.testing.assert_array_equal(scipy.fft.fht(REAL[0], 1.0, 1.0).shape, (8,))
    np.testing.assert_array_equal(scipy.fft.dct(REAL), wengert.scipy.fft.dct(REAL))


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["dct", "dst"])
def test_adjoints_are_transposed_matrices(name, kind):
    transform = getattr(wengert.scipy.fft, name)
    for keywords in ({}, {"norm": "ortho"}, {"norm": "forward", "orthogonalize": True}):
        matrix = transform(np.eye(5), kind, axis=0, **keywords)
        transposed = [wg.vjp(lambda x, k=keywords: transform(x, kind, **k), np.zeros(5))[1](row) for row in np.eye(5)]
        np.testing.assert_allclose(np.reshape(transposed, (5, 5)), matrix, atol=1e-14)


def test_plans_are_refused_by_name():
    with pytest.raises(wg.errors.ArgumentError, match="plan"):
        wengert.scipy.fft.fft(wg.tensor(REAL, requires_grad=True), plan=object())
