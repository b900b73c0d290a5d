"""Fourier transforms: each is linear, and its adjoint is another transform.

With F the matrix of exp(-2 pi i j k / n), the adjoint of `fft` is the inverse transform without its factor 1 / n. In
NumPy's words that is the other transform with the other `norm`: "backward" has the factor where "forward" has none.
"""

import numpy as np

from wengert.primitive import composite, linear
from wengert.rules.reductions import normal_axes

OTHER_NORM = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}
"""The norm of a transform's adjoint, and the one that makes a transform of its inverse."""


def other_norm(norm):
    if norm not in OTHER_NORM:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return OTHER_NORM[norm]


def fit_length(x, n, axis):
    """The first `n` elements along an axis, with zeros behind where there are fewer."""
    size = x.shape[axis]
    axis %= x.ndim
    if n < size:
        return x[(*(slice(None),) * axis, slice(n))]
    return np.pad(x, [(0, n - size if i == axis else 0) for i in range(x.ndim)]) if n > size else x


# Along one axis --------------------------------------------------------------------------------------------------


def _fft(x, length=None, axis=-1, norm=None):
    return np.fft.fft(x, length, axis, norm)


def _ifft(x, length=None, axis=-1, norm=None):
    return np.fft.ifft(x, length, axis, norm)


def _rfft(x, length=None, axis=-1, norm=None):
    return np.fft.rfft(x, length, axis, norm)


def _irfft(x, length=None, axis=-1, norm=None):
    return np.fft.irfft(x, length, axis, norm)


def _inner_terms(x, n, axis, factor):
    """Spectrum of a real signal of length `n`, where each term but the first stands for its mirror image, too.

    For an even `n` the last one has none either.
    """
    ends = 1 + (n % 2 == 0)
    weights = np.full(x.shape[axis], factor, x.real.dtype)
    weights[0] = weights[len(weights) + 1 - ends :] = 1
    return x * weights.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])


def _rfft_back(g, like, n, axis, norm):
    n = like.shape[axis] if n is None else n
    signal = np.fft.irfft(_inner_terms(g, n, axis, 0.5), n, axis, other_norm(norm))
    return fit_length(signal, like.shape[axis], axis)


def _irfft_back(g, like, axis, norm):
    spectrum = _inner_terms(np.fft.rfft(g, None, axis, other_norm(norm)), g.shape[axis], axis, 2)
    return fit_length(spectrum if like.is_complex else np.real(spectrum), like.shape[axis], axis)


_fft = linear(
    _fft,
    lambda g, like, axis, norm: fit_length(_ifft(g, axis=axis, norm=other_norm(norm)), like.shape[axis], axis),
    batch="axis",
)
_ifft = linear(
    _ifft,
    lambda g, like, axis, norm: fit_length(_fft(g, axis=axis, norm=other_norm(norm)), like.shape[axis], axis),
    batch="axis",
)
_rfft = linear(_rfft, lambda g, like, length, axis, norm: _rfft_back(g, like, length, axis, norm), batch="axis")
_irfft = linear(_irfft, lambda g, like, axis, norm: _irfft_back(g, like, axis, norm), batch="axis")


def _along_one_axis(transform):
    def transformed(a, n=None, axis=-1, norm=None, out=None):
        other_norm(norm)  # raises if there is no such norm
        return transform(a, length=n, axis=axis, norm=norm)

    return transformed


for _function, _transform in ((np.fft.fft, _fft), (np.fft.ifft, _ifft), (np.fft.rfft, _rfft), (np.fft.irfft, _irfft)):
    composite(_function)(_along_one_axis(_transform))


@composite(np.fft.hfft)
def hfft(a, n=None, axis=-1, norm=None, out=None):
    return _irfft(np.conjugate(a), length=n, axis=axis, norm=other_norm(norm))


@composite(np.fft.ihfft)
def ihfft(a, n=None, axis=-1, norm=None, out=None):
    return np.conjugate(_rfft(a, length=n, axis=axis, norm=other_norm(norm)))


# Along several axes ----------------------------------------------------------------------------------------------


def lengths_and_axes(a, s, axes, halved=False):
    """How long the transform is along each axis: as the signal, or what is given; of half a spectrum, both halves."""
    given = s is not None
    if not given:
        s = a.shape if axes is None else np.take(a.shape, axes).tolist()
    axes = range(-len(s), 0) if axes is None else axes
    if len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    normal_axes(tuple(dict.fromkeys(axes)), a.ndim)
    s = [a.shape[axis] if n == -1 else n for n, axis in zip(s, axes, strict=True)]
    if halved and not given and axes:
        s[-1] = 2 * (a.shape[axes[-1]] - 1)
    return s, tuple(axes)


def _one_after_the_other(a, transform, s, axes, norm):
    for n, axis in zip(s, axes, strict=True):
        a = transform(a, length=n, axis=axis, norm=norm)
    return a


def _along_axes(transform):
    def transformed(a, s=None, axes=None, norm=None, out=None):
        other_norm(norm)
        s, axes = lengths_and_axes(a, s, axes)
        return _one_after_the_other(a, transform, s[::-1], axes[::-1], norm)

    return transformed


def _rfftn(a, s=None, axes=None, norm=None, out=None):
    other_norm(norm)
    s, axes = lengths_and_axes(a, s, axes)
    a = _rfft(a, length=s[-1], axis=axes[-1], norm=norm)
    return _one_after_the_other(a, _fft, s[-2::-1], axes[-2::-1], norm)


def _irfftn(a, s=None, axes=None, norm=None, out=None):
    other_norm(norm)
    s, axes = lengths_and_axes(a, s, axes, halved=True)
    a = _one_after_the_other(a, _ifft, s[:-1], axes[:-1], norm)
    return _irfft(a, length=s[-1], axis=axes[-1], norm=norm)


def _along_two_axes(transformed):
    def along_two(a, s=None, axes=(-2, -1), norm=None, out=None):
        return transformed(a, s, axes, norm)

    return along_two


for _several, _two, _call in (
    (np.fft.fftn, np.fft.fft2, _along_axes(_fft)),
    (np.fft.ifftn, np.fft.ifft2, _along_axes(_ifft)),
    (np.fft.rfftn, np.fft.rfft2, _rfftn),
    (np.fft.irfftn, np.fft.irfft2, _irfftn),
):
    composite(_several)(_call)
    composite(_two)(_along_two_axes(_call))


# Order of frequencies --------------------------------------------------------------------------------------------


def _shift(x, axes, by):
    if isinstance(axes, (int, np.integer)):
        return np.roll(x, by(x.shape[axes]), axes)
    axes = tuple(range(x.ndim)) if axes is None else tuple(axes)
    return np.roll(x, tuple(by(x.shape[axis]) for axis in axes), axes)


@composite(np.fft.fftshift)
def fftshift(x, axes=None):
    return _shift(x, axes, lambda n: n // 2)


@composite(np.fft.ifftshift)
def ifftshift(x, axes=None):
    return _shift(x, axes, lambda n: -(n // 2))
