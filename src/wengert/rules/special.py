"""Functions of `scipy.special`: importing this registers the rules of all of them.

The dispatcher imports it when it first meets a ufunc without a rule in a program that has loaded `scipy.special`.
What SciPy writes in Python (`logsumexp`, `polygamma`, `comb` …) is in `wengert.scipy.special`.
"""

from wengert.rules import (
    special_bessel,
    special_distributions,
    special_elementary,
    special_elliptic,
    special_error,
    special_gamma,
    special_noncentral,
    special_polynomials,
    special_waves,
)

__all__ = [
    "special_bessel",
    "special_distributions",
    "special_elementary",
    "special_elliptic",
    "special_error",
    "special_gamma",
    "special_noncentral",
    "special_polynomials",
    "special_waves",
]
