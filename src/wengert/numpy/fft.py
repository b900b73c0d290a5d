"""The names of `numpy.fft`, without NumPy's dispatch; lists of tensors pass for arrays."""

import numpy.fft as _fft

from wengert.numpy.lookup import names_of

__getattr__, __dir__ = names_of(_fft, globals())
