"""Small programs for the tests of the native entry: kernels written by hand."""

import functools

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from wengert.compiler import native
from wengert.compiler.answer import Answer
from wengert.compiler.code import Code
from wengert.compiler.native import Entry, Launch, Result
from wengert.compiler.operands import Array, Operands

if not native.probe():
    pytest.skip("this interpreter's objects are laid out in another way", allow_module_level=True)

FLOAT = np.dtype(float)
ROW = np.zeros(1, np.uint64)
X, Y = np.arange(3.0), np.array([10.0, 20.0, 30.0])
SUM = X + Y
UNKNOWN = ("slow", None)

TEXT = """
define void @add(ptr %pointers, ptr %row, i64 %begin, i64 %end) {
  %a = load ptr, ptr %pointers
  %b.at = getelementptr ptr, ptr %pointers, i64 1
  %b = load ptr, ptr %b.at
  %c.at = getelementptr ptr, ptr %pointers, i64 2
  %c = load ptr, ptr %c.at
  br label %head
head:
  %i = phi i64 [%begin, %0], [%next, %one]
  %more = icmp ult i64 %i, %end
  br i1 %more, label %one, label %done
one:
  %x.at = getelementptr double, ptr %a, i64 %i
  %y.at = getelementptr double, ptr %b, i64 %i
  %z.at = getelementptr double, ptr %c, i64 %i
  %x = load double, ptr %x.at
  %y = load double, ptr %y.at
  %z = fadd double %x, %y
  store double %z, ptr %z.at
  %next = add i64 %i, 1
  br label %head
done:
  ret void
}
"""


class Holder:
    """A class with slots."""

    __slots__ = ("__weakref__", "other", "value")


@functools.cache
def add_kernel() -> int:
    """The address of a kernel that adds what pointers 0 and 1 point to into what pointer 2 does."""
    code = Code(TEXT)
    kept.append(code)
    return code.address("add")


kept: list = []


def slow(guard, *args, **kwargs):
    """A slow path that only tells what it was given."""
    return "slow", guard, len(args), sorted(kwargs)


def operands(*checks):
    """One argument for each check; arrays and numbers fill the pointers in their order."""
    found = Operands()
    for k, check in enumerate(checks):
        found.argument(k, check, pointer=k)
    return found


def one_result():
    """An answer of result 0 alone."""
    answer = Answer()
    answer.result(0)
    return answer


def adder(shape=(3,), kind=Entry, given=None, answer=None, launches=None, grain=0, **settings):
    """An entry that adds two arrays."""
    size = int(np.prod(shape))
    given = given or operands(Array(shape, FLOAT), Array(shape, FLOAT))
    launches = [Launch.kernel(add_kernel(), ROW, size, grain)] if launches is None else launches
    settings = {"nargs": 2, "pointers": 3, "slow": slow} | settings
    results = [Result(shape, FLOAT, 2, scalar=not shape)]
    return kind(given, results, launches, one_result() if answer is None else answer, **settings)
