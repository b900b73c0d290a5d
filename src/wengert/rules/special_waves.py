"""Functions given with their derivatives, whose second ones their differential equations give, in the argument.

Mathieu functions (DLMF 28.2.1 and 28.20.1), Airy functions with a factor, modified Fresnel integrals. By the parameter
``q`` SciPy has no derivatives.
"""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.errors import MissingRuleError
from wengert.rules.elementwise import is_complex
from wengert.rules.special_tools import MISSING, define_together

# Airy functions, Ai and Ai' with the factor exp(z), Bi and Bi' with exp(-z), where z = 2/3 x**1.5 -----------------


def _airye(g, x, y):
    """Real arguments: left of 0 SciPy's scaled Ai is NaN, and Bi has no factor."""
    if is_complex(x):
        raise MissingRuleError(
            "[special.airye] a real argument z= was required; received a recorded complex one, in which the factor "
            "exp(-|Re|) of Bi is not holomorphic; multiply the results of airy by the factors"
        )
    root = np.sqrt(np.where(x < 0, 0.0, x).astype(x.dtype))
    left = g[0] * (y[1] + root * y[0]) + g[1] * (x * y[0] + root * y[1])
    return left + g[2] * (y[3] - root * y[2]) + g[3] * (x * y[2] - root * y[3])


define_together("airye", _airye)

# Modified Fresnel integrals: F(x), an integral from x to infinity, and K(x), which is F(x) with a factor ----------

_TURN = complex(math.sqrt(0.5), math.sqrt(0.5)) / math.sqrt(math.pi)


def _fresnel(g: Any, x: Any, y: Any, sign: int) -> Any:
    turn = _TURN.conjugate() if sign > 0 else _TURN
    return -g[0] * np.exp(sign * 1j * (x * x)) - g[1] * (2j * sign * x * y[1] + turn)


define_together("modfresnelp", lambda g, x, y: _fresnel(g, x, y, 1), casts=True)
define_together("modfresnelm", lambda g, x, y: _fresnel(g, x, y, -1), casts=True)

# Mathieu functions: the angular ones of degrees, their derivatives by radians -------------------------------------

_DEGREE = math.pi / 180


def _mathieu(name: str, value: Any, modified: bool) -> None:
    def rule(g, a, b, c, y):
        if modified:
            return g[0] * y[1] + g[1] * ((value(a, b) - 2 * b * np.cosh(2 * c)) * y[0])
        return _DEGREE * (g[0] * y[1] + g[1] * ((2 * b * np.cos(2 * _DEGREE * c) - value(a, b)) * y[0]))

    define_together(name, MISSING, MISSING, rule)


_mathieu("mathieu_cem", sp.mathieu_a, False)
_mathieu("mathieu_sem", sp.mathieu_b, False)
_mathieu("mathieu_modcem1", sp.mathieu_a, True)
_mathieu("mathieu_modcem2", sp.mathieu_a, True)
_mathieu("mathieu_modsem1", sp.mathieu_b, True)
_mathieu("mathieu_modsem2", sp.mathieu_b, True)
