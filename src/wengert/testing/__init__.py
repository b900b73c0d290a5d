"""Checks for users: of the gradient of any function, and of the derivative rules of one function.

`check_grad` compares gradients with differences of values. `check_rule`, `check_singular` and `check_value` hold one
function to what the library expects of a function with a rule (see `contracts`); the library's own battery of tests
consists of these three, run on samples of every function.

Everywhere the *inputs* are the float and complex arrays among the arguments, those in containers included; everything
else (Python numbers, integer arrays, strings) is constant. Arrays of results are reduced to one number by fixed random
cotangents.
"""

from wengert.testing.grad import check_grad
from wengert.testing.reports import CheckError
from wengert.testing.rule import check_rule, check_singular, check_value

__all__ = ["CheckError", "check_grad", "check_rule", "check_singular", "check_value"]
