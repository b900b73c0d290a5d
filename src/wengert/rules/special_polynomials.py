"""Hypergeometric functions and orthogonal polynomials in their arguments (DLMF 13, 15, 16, 18.9)."""

from typing import Any

import numpy as np
import scipy.special as sp

from wengert.rules.special_tools import MISSING, define

# Hypergeometric functions ----------------------------------------------------------------------------------------

define("hyp0f1", MISSING, lambda a, b: sp.hyp0f1(a + 1, b) / a)
define("hyp1f1", MISSING, MISSING, lambda a, b, c: (a / b) * sp.hyp1f1(a + 1, b + 1, c))
define("hyperu", MISSING, MISSING, lambda a, b, c: -a * sp.hyperu(a + 1, b + 1, c))
define("hyp2f1", MISSING, MISSING, MISSING, lambda a, b, c, d: (a * b / c) * sp.hyp2f1(a + 1, b + 1, c + 1, d))

# Orthogonal polynomials: the derivative is one of degree n - 1, for the weight with exponents raised by 1 --------


def _lower(n: Any) -> Any:
    """The degree of the derivative; any will do where that is 0."""
    return np.where(n == 0, 0, n - 1)[()]


def _jacobi(n: Any, b: Any, c: Any, x: Any) -> Any:
    """That of degree n - 1, which is 0 for n = 0; SciPy's of degree -1 is NaN at -1."""
    return (n != 0) * sp.eval_jacobi(_lower(n), b, c, x)


def _gegenbauer(n: Any, b: Any, x: Any) -> Any:
    """That of degree n - 1, which is 0 for n = 0; SciPy's of degree -1. is not defined."""
    return (n != 0) * sp.eval_gegenbauer(_lower(n), b, x)


define("eval_legendre", MISSING, lambda a, b: 0.5 * (a + 1) * _jacobi(a, 1, 1, b))
define("eval_chebyt", MISSING, lambda a, b: a * sp.eval_chebyu(_lower(a), b))
define("eval_chebyu", MISSING, lambda a, b: 2 * _gegenbauer(a, 2, b))
define("eval_chebyc", MISSING, lambda a, b: a * sp.eval_chebys(_lower(a), b))
define("eval_chebys", MISSING, lambda a, b: _gegenbauer(a, 2, 0.5 * b))
define("eval_hermite", MISSING, lambda a, b: 2 * a * sp.eval_hermite(_lower(a), b))
define("eval_hermitenorm", MISSING, lambda a, b: a * sp.eval_hermitenorm(_lower(a), b))
define("eval_laguerre", MISSING, lambda a, b: -sp.eval_genlaguerre(a - 1, 1, b))
define("eval_genlaguerre", MISSING, MISSING, lambda a, b, c: -sp.eval_genlaguerre(a - 1, b + 1, c))
define("eval_gegenbauer", MISSING, MISSING, lambda a, b, c: 2 * b * _gegenbauer(a, b + 1, c))
define(
    "eval_jacobi",
    MISSING,
    MISSING,
    MISSING,
    lambda a, b, c, d: 0.5 * (a + b + c + 1) * _jacobi(a, b + 1, c + 1, d),
)
define("eval_sh_legendre", MISSING, lambda a, b: (a + 1) * _jacobi(a, 1, 1, 2 * b - 1))
define("eval_sh_chebyt", MISSING, lambda a, b: 2 * a * sp.eval_sh_chebyu(_lower(a), b))
define("eval_sh_chebyu", MISSING, lambda a, b: 4 * _gegenbauer(a, 2, 2 * b - 1))
define(
    "eval_sh_jacobi", MISSING, MISSING, MISSING, lambda a, b, c, d: a * sp.eval_sh_jacobi(_lower(a), b + 2, c + 1, d)
)
define("lpmv", MISSING, MISSING, lambda a, b, c, y: (b * c * y - (a + b) * sp.lpmv(a, b - 1, c)) / (c * c - 1))
