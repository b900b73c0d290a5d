"""Samples of Fourier transforms, and of SciPy's cosine and sine transforms."""

import numpy as np
from tests.battery.samples import A, args, fortran, ints, real, samples

from wengert.scipy import fft

# Along one axis --------------------------------------------------------------------------------------------------

COMPLEX = np.fft.fft, np.fft.ifft, np.fft.irfft, np.fft.hfft
REAL = np.fft.rfft, np.fft.ihfft
LINES = (
    (A(4),), (A(2, 3),), (A(2, 3), 4), (A(2, 3), 2), (A(2, 4), 5, -1, "ortho"), (A(4, 2), None, 0, "forward"),
    (A(3, 2), 4, 0), (A(4, 6)[::-2, ::2], 3, 1, "backward"), (fortran(A(2, 3)), 1), (ints(1, 2, 3),), (A(0, 2),),
)  # fmt: skip

samples(COMPLEX, *(args(*line) for line in LINES))
samples(REAL, *(real(*line) for line in LINES))
samples((fft.fft, fft.ifft, fft.irfft, fft.hfft), *(args(*line) for line in LINES), args(A(3), workers=1))
samples((fft.rfft, fft.ihfft), *(real(*line) for line in LINES), real(A(3), norm="ortho"))

# Along several axes ----------------------------------------------------------------------------------------------

PLANES = (
    args(A(2, 3)), args(A(2, 3), (3, 2), (0, 1)), args(A(2, 3), (4, 3), (1, 0), "ortho"),
    args(A(2, 2, 3), axes=(0, 2), norm="forward"), args(A(2, 3), s=(-1, 4), axes=(0, 1)),
)  # fmt: skip
REAL_PLANES = tuple(real(*sample.args, **sample.kwargs) for sample in PLANES)

samples((np.fft.fftn, np.fft.ifftn, np.fft.irfftn, np.fft.fft2, np.fft.ifft2, np.fft.irfft2), *PLANES)
samples((np.fft.rfftn, np.fft.rfft2), *REAL_PLANES)
samples((np.fft.fftn, np.fft.ifftn), args(A(2, 3), axes=(0, 0)))
samples((fft.fftn, fft.ifftn, fft.irfftn, fft.hfftn, fft.fft2, fft.ifft2, fft.irfft2, fft.hfft2), *PLANES)
samples((fft.rfftn, fft.ihfftn, fft.rfft2, fft.ihfft2), *REAL_PLANES)
samples((fft.fftn, fft.rfftn), real(A(2, 3), 4), real(A(2, 3), axes=1))
samples(
    (np.fft.fftshift, np.fft.ifftshift),
    args(A(5)),
    args(A(2, 3)),
    args(A(2, 3), 1),
    args(A(3, 2), axes=(0, -1)),
)

# Cosine and sine transforms --------------------------------------------------------------------------------------

KINDS = [
    args(A(2, 3), kind, length, axis, norm, orthogonalize=orthogonal)
    for kind in (1, 2, 3, 4)
    for length, axis, norm, orthogonal in (
        (None, -1, None, None),
        (4, 0, "ortho", None),
        (2, 1, "forward", True),
        (None, 0, "ortho", False),
    )
]

samples((fft.dct, fft.idct, fft.dst, fft.idst), args(A(4)), *KINDS, args(A(3), workers=1))
samples(
    (fft.dctn, fft.idctn, fft.dstn, fft.idstn),
    args(A(2, 3)),
    args(A(2, 3), 3, (4, 2), (1, 0), "ortho"),
    args(A(2, 3), 4, axes=0),
    args(A(2, 3), 1, s=4, norm="forward", orthogonalize=True),
    args(A(2, 3), axes=()),
)
