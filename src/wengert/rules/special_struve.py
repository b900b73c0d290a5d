"""Struve's functions of order 0 (DLMF 11), for which SciPy's own of any order takes fifty times as long.

Of H_0 Chebyshev's expansions, of ``H_0(x) / x`` up to x = `MIDDLE` and of ``x * (H_0(x) - Y_0(x))`` beyond, which were
computed by mpmath with 40 digits (compare MacLeod, ACM Transactions on Mathematical Software 19, 1993). Of L_0 its
series (DLMF 11.2.2), all of whose terms are positive, and beyond `FAR` the difference from I_0 (DLMF 11.6.2).
"""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import elementwise
from wengert.rules.special_shape import computed
from wengert.rules.special_tools import series

MIDDLE = 11.0
NEAR = (
    0.09134375637854483, -0.1617353710869455, 0.13225156173946426, -0.12964143863220007, 0.0820505425624736,
    -0.030720932646109745, 0.007439725492314526, -0.0012612592241456602, 0.00015851283891926517,
    -1.5398736758707632e-05, 1.193264491367156e-06, -7.558806875101693e-08, 3.991510119110944e-09,
    -1.785434961509791e-10, 6.856020645185231e-12, -2.285770127669434e-13, 6.680988547878456e-15,
    -1.7264592071507448e-16,
)  # fmt: skip
BEYOND = (
    0.6341165132063409, -0.002463562314647306, 3.818714582067315e-05, -1.4137515390111889e-06,
    8.735598312568133e-08, -7.607804616549627e-09, 8.491069131811355e-10, -1.1446554658344717e-10,
    1.7915400935795646e-11, -3.1663141339607394e-12, 6.192059941581167e-13, -1.3194949962084924e-13,
    3.02765289429094e-14, -7.410297258526613e-15, 1.9199495535193677e-15, -5.233056292264323e-16,
    1.4927085380229936e-16, -4.436573961755967e-17,
)  # fmt: skip
FAR = 20.0
_ODD = tuple(math.prod(range(1, 2 * k + 2, 2)) for k in range(36))
RISING = tuple(2 / math.pi / n**2 for n in _ODD)
FALLING = tuple(-2 / math.pi * n**2 for n in (1, *_ODD[:7]))


def _chebyshev(t: Any, coefficients: tuple) -> Any:
    """Clenshaw's sum."""
    twice, last, value = 2 * t, 0.0, coefficients[-1]
    for c in coefficients[-2:0:-1]:
        last, value = value, twice * value + (c - last)
    return t * value + (coefficients[0] - last)


def _struve0(x):
    def of(x):
        far = np.abs(x) > MIDDLE
        near = np.where(far, MIDDLE, x)
        y = near * _chebyshev(2 * np.square(near / MIDDLE) - 1, NEAR)
        if far.any():
            z = np.abs(x[far])
            beyond = sp.y0(z) + _chebyshev(2 * np.square(MIDDLE / z) - 1, BEYOND) / z
            y[far] = np.sign(x[far]) * beyond
        return y

    return computed(of, x)


def _modified_struve0(x):
    def of(x):
        far = np.abs(x) > FAR
        near = np.where(far, FAR, x)
        y = near * series(near * near, RISING)
        if far.any():
            z = np.abs(x[far])
            y[far] = np.sign(x[far]) * (sp.i0(z) + series(1 / (z * z), FALLING) / z)
        return y

    return computed(of, x)


struve0 = elementwise(_struve0, lambda x: sp.struve(-1, x), name="struve0", casts=True)
modified_struve0 = elementwise(_modified_struve0, lambda x: sp.modstruve(-1, x), name="modified_struve0", casts=True)
