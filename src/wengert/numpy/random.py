"""The names of `numpy.random`, which are NumPy's own."""

import numpy.random as _random

from wengert.numpy.lookup import names_of

__getattr__, __dir__ = names_of(_random, globals())
