"""SciPy's solvers for plain NumPy functions, supplied with exact derivatives.

The functions have SciPy's signatures and give SciPy's results; arguments may be nested containers. Loaded when it is
first asked for, with SciPy.
"""

from scipy.optimize import BFGS, SR1, Bounds, LinearConstraint, NonlinearConstraint, OptimizeResult

from wengert.optimize.equations import root, root_scalar
from wengert.optimize.fitting import curve_fit, least_squares
from wengert.optimize.minimization import minimize

__all__ = [
    "BFGS",
    "SR1",
    "Bounds",
    "LinearConstraint",
    "NonlinearConstraint",
    "OptimizeResult",
    "curve_fit",
    "least_squares",
    "minimize",
    "root",
    "root_scalar",
]
