"""Initial value problems of ordinary differential equations, differentiable in states, parameters and times.

Loaded when it is first asked for, with SciPy.
"""

from wengert.integrate.solvers import odeint, solve_ivp

__all__ = ["odeint", "solve_ivp"]
