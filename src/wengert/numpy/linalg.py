"""The names of `numpy.linalg`, without NumPy's dispatch; lists of tensors pass for arrays."""

import numpy.linalg as _linalg

from wengert.numpy.lookup import names_of

__getattr__, __dir__ = names_of(_linalg, globals())
