"""Fourier transforms in compiled functions: NumPy's own, without the Python code around them."""

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import fourier


@pytest.mark.parametrize("dtype", "dfDF")
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "fft2", "rfft2", "irfft2", "ifftn", "irfftn"])
def test_transforms_have_the_bits_of_numpys(name, dtype):
    transform = getattr(np.fft, name)
    if name.startswith("r") and dtype.isupper():
        pytest.skip("a transform of real numbers")
    axes = "axes" if name[-1] in "2n" else "axis"
    last = {"axes": (0, 1)} if axes == "axes" else {"axis": 0}
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 4, 5)).astype(dtype)
    if dtype.isupper():
        x += 1j * random.normal(size=x.shape).astype(dtype.lower())
    for settings in ({}, {"norm": "ortho"}, {"norm": "forward"}, last):
        fast = wg.compile(lambda x, settings=settings: transform(x, **settings))
        expected = transform(x, **settings)
        for _ in range(3):
            found = fast(x)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("length", [1, 3, 4, 5, 9])
def test_lengths(length):
    x = np.random.default_rng(1).normal(size=(2, 5))
    for transform in (np.fft.fft, np.fft.rfft, np.fft.irfft):
        fast = wg.compile(lambda x, transform=transform: transform(x, length, 1) * 2)
        for _ in range(3):
            np.testing.assert_array_equal(fast(x), transform(x, length, 1) * 2)


def test_gradients_are_as_before():
    def power(x):
        return np.sum(np.abs(np.fft.ifft(np.fft.rfft(x, axis=0)) ** 2) * np.arange(1.0, 4.0))

    x = np.random.default_rng(2).normal(size=(6, 3))
    fast = wg.compile(wg.grad(power))
    for _ in range(3):
        np.testing.assert_allclose(fast(x), wg.grad(power)(x), rtol=1e-13, atol=1e-14)


def test_another_numpy_is_called_by_its_functions(monkeypatch):
    def missing():
        raise ImportError

    fourier._names.cache_clear()
    monkeypatch.setattr(fourier, "_gufuncs", missing)
    try:
        fast, x = wg.compile(lambda x: np.fft.fft(x) * 2), np.arange(6.0)
        for _ in range(3):
            np.testing.assert_array_equal(fast(x), np.fft.fft(x) * 2)
        assert fourier._names() == {}
    finally:
        fourier._names.cache_clear()
