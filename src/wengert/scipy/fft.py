"""The names of `scipy.fft`, recording: Fourier, cosine and sine transforms of tensors.

What is no tensor goes to SciPy. The module is a backend of SciPy's own, too: programs that call ``scipy.fft.dct``
record inside ``with scipy.fft.set_backend(wengert.scipy.fft):``.
"""

import operator
from typing import Any

import numpy as np
import scipy.fft
from scipy.fft import fftfreq, next_fast_len, prev_fast_len, rfftfreq, set_workers

from wengert.errors import ArgumentError
from wengert.primitive import is_wrapper, linear
from wengert.rules.elementwise import is_complex
from wengert.rules.fft import fit_length, lengths_and_axes, other_norm

__all__ = [
    "dct", "dctn", "dst", "dstn", "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "idct",
    "idctn", "idst", "idstn", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2",
    "irfftn", "next_fast_len", "prev_fast_len", "rfft", "rfft2", "rfftfreq", "rfftn", "set_workers",
]  # fmt: skip

# Fourier transforms: NumPy's, which have rules -------------------------------------------------------------------


def _check_plan(name: str, plan: Any) -> None:
    if plan is not None:
        raise ArgumentError(f"[{name}] plan=None was required, as SciPy has no plans yet; received {plan!r}")


def _single(x):
    """SciPy has no transforms in half precision."""
    return np.astype(x, np.float32) if x.dtype == np.float16 else x


def _named(function, name):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `scipy.fft.{name}`."
    return function


def _along_one_axis(name):
    plain, recorded = getattr(scipy.fft, name), getattr(np.fft, name)

    def transform(x, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, *, plan=None):
        if not is_wrapper(x):
            return plain(x, n, axis, norm, overwrite_x, workers, plan=plan)
        _check_plan(name, plan)
        return recorded(_single(x), n, axis, norm)

    return _named(transform, name)


def _along_axes(name, recorded, all_axes=None):
    plain = getattr(scipy.fft, name)

    def transform(x, s=None, axes=all_axes, norm=None, overwrite_x=False, workers=None, *, plan=None):
        if not is_wrapper(x):
            return plain(x, s, axes, norm, overwrite_x, workers, plan=plan)
        _check_plan(name, plan)
        return recorded(_single(x), *_lengths_and_axes(x, s, axes), norm)

    return _named(transform, name)


def _lengths_and_axes(x, s, axes):
    """Both as sequences or `None`; SciPy takes single numbers as well, and each axis once."""
    try:
        s, axes = (v if v is None else tuple(map(operator.index, np.atleast_1d(v).tolist())) for v in (s, axes))
    except TypeError as error:
        raise ValueError("shape and axes must be a scalar or iterable of integers") from error
    if axes is not None and not all(-x.ndim <= axis < x.ndim for axis in axes):
        raise ValueError("axes exceeds dimensionality of input")
    if axes is not None and len({axis % x.ndim for axis in axes}) < len(axes):
        raise ValueError("all axes must be unique")
    return s, axes


def _hfftn(x, s, axes, norm):
    return np.fft.irfftn(np.conjugate(x), s, axes, other_norm(norm))


def _ihfftn(x, s, axes, norm):
    return np.conjugate(np.fft.rfftn(x, s, axes, other_norm(norm)))


fft, ifft, rfft, irfft, hfft, ihfft = map(_along_one_axis, ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"))
fftn, fft2 = _along_axes("fftn", np.fft.fftn), _along_axes("fft2", np.fft.fftn, (-2, -1))
ifftn, ifft2 = _along_axes("ifftn", np.fft.ifftn), _along_axes("ifft2", np.fft.ifftn, (-2, -1))
rfftn, rfft2 = _along_axes("rfftn", np.fft.rfftn), _along_axes("rfft2", np.fft.rfftn, (-2, -1))
irfftn, irfft2 = _along_axes("irfftn", np.fft.irfftn), _along_axes("irfft2", np.fft.irfftn, (-2, -1))
hfftn, hfft2 = _along_axes("hfftn", _hfftn), _along_axes("hfft2", _hfftn, (-2, -1))
ihfftn, ihfft2 = _along_axes("ihfftn", _ihfftn), _along_axes("ihfft2", _ihfftn, (-2, -1))
fftshift, ifftshift = np.fft.fftshift, np.fft.ifftshift

# Cosine and sine transforms --------------------------------------------------------------------------------------
# Types 1 and 4 are symmetric matrices, and type 2 is the transpose of type 3, but for the terms without a mirror image:
# the first and the last in a cosine transform of type 1, the first in types 2 and 3, in sine transforms the last. These
# terms have half the weight of the others in types 1 and 3. `orthogonalize` removes the difference.


def _cosines(x, type=2, axis=-1, norm=None, orthogonalize=False, workers=None):
    return scipy.fft.dct(x, type, None, axis, norm, False, workers, orthogonalize)


def _sines(x, type=2, axis=-1, norm=None, orthogonalize=False, workers=None):
    return scipy.fft.dst(x, type, None, axis, norm, False, workers, orthogonalize)


MATE = {1: 1, 2: 3, 3: 2, 4: 4}
"""The type of the transposed matrix, which is also that of the inverse."""


def _adjoint(transform, ends):
    """The adjoint of a transform; `ends` has, for each type, the terms with a weight."""

    def adjoint(g, type, axis, norm, orthogonalize, workers):
        if orthogonalize or not ends[type]:
            return transform()(g, MATE[type], axis, norm, orthogonalize, workers)
        weights = np.full(g.shape[axis], 1, g.real.dtype)
        weights[ends[type]] = 2
        weights = weights.reshape([-1 if i == axis % g.ndim else 1 for i in range(g.ndim)])
        g = transform()(g * weights if type < 3 else g, MATE[type], axis, norm, orthogonalize, workers)
        return g / weights if type != 2 else g

    return adjoint


_cosines = linear(_cosines, _adjoint(lambda: _cosines, {1: [0, -1], 2: [0], 3: [0], 4: []}), batch="axis")
_sines = linear(_sines, _adjoint(lambda: _sines, {1: [], 2: [-1], 3: [-1], 4: []}), batch="axis")


def _prepared(x, type, norm, orthogonalize, inverse):
    """The type and the norm of a forward transform that does the same, and whether it is an orthogonal one."""
    if type not in MATE:
        raise ValueError(f"invalid type {type}: transforms of types 1 to 4 are known")
    other_norm(norm)  # raises if there is no such norm
    if orthogonalize is None or is_complex(x):  # as in SciPy, which does not heed it for complex numbers
        orthogonalize = norm == "ortho"
    return (MATE[type], other_norm(norm), orthogonalize) if inverse else (type, norm or "backward", orthogonalize)


def _length_fits(n):
    if n < 1:
        raise ValueError(f"invalid number of data points ({n}) specified")
    return n


def _trigonometric(name, transform, inverse):
    plain = getattr(scipy.fft, name)

    def transformed(x, type=2, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, orthogonalize=None):
        if not is_wrapper(x):
            return plain(x, type, n, axis, norm, overwrite_x, workers, orthogonalize)
        type, norm, orthogonalize = _prepared(x, type, norm, orthogonalize, inverse)
        x = x if n is None else fit_length(x, _length_fits(n), axis)
        return transform(x, type, axis, norm, orthogonalize, workers)

    return _named(transformed, name)


def _trigonometric_along_axes(name, transform, inverse):
    plain = getattr(scipy.fft, name)

    def transformed(x, type=2, s=None, axes=None, norm=None, overwrite_x=False, workers=None, *, orthogonalize=None):
        if not is_wrapper(x):
            return plain(x, type, s, axes, norm, overwrite_x, workers, orthogonalize=orthogonalize)
        type, norm, orthogonalize = _prepared(x, type, norm, orthogonalize, inverse)
        for n, axis in zip(*lengths_and_axes(x, *_lengths_and_axes(x, s, axes)), strict=True):
            x = transform(fit_length(x, _length_fits(n), axis), type, axis, norm, orthogonalize, workers)
        return x

    return _named(transformed, name)


dct, idct = _trigonometric("dct", _cosines, False), _trigonometric("idct", _cosines, True)
dst, idst = _trigonometric("dst", _sines, False), _trigonometric("idst", _sines, True)
dctn, idctn = (_trigonometric_along_axes(name, _cosines, name[0] == "i") for name in ("dctn", "idctn"))
dstn, idstn = (_trigonometric_along_axes(name, _sines, name[0] == "i") for name in ("dstn", "idstn"))

# SciPy's protocol for backends -----------------------------------------------------------------------------------

__ua_domain__ = "numpy.scipy.fft"


def __ua_function__(method: Any, args: tuple, kwargs: dict) -> Any:
    function = globals().get(method.__name__) if method.__name__ in __all__ else None
    return NotImplemented if function is None or not any(map(is_wrapper, args)) else function(*args, **kwargs)
