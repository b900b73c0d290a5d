"""Where NumPy makes a copy a compiled function makes one, and where NumPy gives the same memory so does it."""

import subprocess
import sys

import numpy as np
import pytest

import wengert as wg

as_strided = np.lib.stride_tricks.as_strided
ARRAYS = {
    "a row": lambda: np.arange(6.0),
    "every other": lambda: np.arange(10.0)[::2],
    "C order": lambda: np.arange(6.0).reshape(2, 3),
    "Fortran's order": lambda: np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "some columns": lambda: np.arange(8.0).reshape(2, 4)[:, 1:3],
}
WAYS = {
    "asarray": lambda x: np.asarray(x),
    "asarray, by reference": np.asarray,
    "asarray, copied": lambda x: np.asarray(x, copy=True),
    "asarray, C order": lambda x: np.asarray(x, order="C"),
    "asarray, order by position": lambda x: np.asarray(x, None, "F"),
    "asarray, any order": lambda x: np.asarray(x, order="A"),
    "asarray, of a dtype": lambda x: np.asarray(x, np.float64),
    "asarray, of another dtype": lambda x: np.asarray(x, np.float32),
    "asarray of the memory": lambda x: np.asarray(x.data),
    "asanyarray": lambda x: np.asanyarray(x),
    "ascontiguousarray": lambda x: np.ascontiguousarray(x),
    "asfortranarray": lambda x: np.asfortranarray(x),
    "array": lambda x: np.array(x),
    "array, copied if needed": lambda x: np.array(x, copy=None),
    "array, not copied": lambda x: np.array(x, copy=False),
    "array, not copied, in order": lambda x: np.array(x, copy=False, order="C"),
    "array, with axes": lambda x: np.array(x, copy=None, ndmin=3),
    "require": lambda x: np.require(x),
    "require, in order": lambda x: np.require(x, requirements="F"),
    "data of a masked array": np.ma.getdata,
    "__array__": lambda x: x.__array__(),
    "as_strided": as_strided,
    "from_dlpack": np.from_dlpack,
    "an open mesh": lambda x: np.ix_(np.ravel(x))[0],
    "conj": lambda x: x.conj(),
    "conjugate": lambda x: x.conjugate(),
    "numpy.conj": lambda x: np.conj(x),
    "astype": lambda x: x.astype(float, copy=False),
    "astype, in order": lambda x: x.astype(float, order="C", copy=False),
    "ravel": lambda x: x.ravel(),
    "ravel, as it lies": lambda x: np.ravel(x, "K"),
    "reshape": lambda x: x.reshape(-1),
    "reshape, not copied": lambda x: np.reshape(x, -1, copy=False),
    "reshape, copied": lambda x: np.reshape(x, x.shape, copy=True),
    "copy": lambda x: np.copy(x),
    "a copy of a copy": lambda x: np.ascontiguousarray(np.copy(x)),
    "after a write": lambda x: [x.__setitem__(..., 2.0), np.ascontiguousarray(x)][1],
}


def told(value):
    """A result as something that is compared: NumPy's numbers stand for arrays without axes."""
    if isinstance(value, (tuple, list)):
        return [told(part) for part in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return np.shape(value), value.dtype, repr(np.round(value, 12).tolist())
    return type(value), value


def outcome(f, args):
    try:
        return told(f(*args))
    except (ValueError, TypeError, BufferError) as error:
        return type(error)


def compare(make, calls):
    """What calls give, and leave behind in their arguments and in the state, compiled and not."""
    (plain, before), (f, state) = make(), make()
    fast = wg.compile(f)
    for make_args in calls:
        expected, found = make_args(), make_args()
        assert outcome(fast, found) == outcome(plain, expected)
        assert told(found) == told(expected)
        assert told(state) == told(before)
    return fast


# Copies, and what shares its memory -------------------------------------------------------------------------------


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("way", WAYS)
def test_an_argument_is_written_through_what_shares_its_memory(way, array):
    def f(x):
        y = WAYS[way](x)
        y[...] = y + 1
        return x.sum(), y

    compare(lambda: (f, []), 5 * [lambda: (ARRAYS[array](),)])


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("way", WAYS)
def test_state_is_written_through_what_shares_its_memory(way, array):
    def make():
        w = ARRAYS[array]()

        def f(x):
            y = WAYS[way](w)
            y.flat[0] += x[0]
            return w.sum(), y

        return f, [w]

    compare(make, 5 * [lambda: (np.ones(3),)])


@pytest.mark.parametrize("way", ["asarray", "asarray, by reference", "require", "as_strided", "copy", "conj"])
def test_what_shares_the_memory_sees_writes(way):
    def f(x):
        y = WAYS[way](x)
        x[0] = 7
        return y * 1

    compare(lambda: (f, []), 5 * [lambda: (np.arange(3.0),)])


@pytest.mark.parametrize("way", ["asarray", "ascontiguousarray", "ravel", "as_strided", "astype, in order"])
@pytest.mark.parametrize("first", [0, 1])
def test_calls_whose_arrays_lie_otherwise(way, first):
    def f(x):
        y = WAYS[way](x)
        y[...] = y + 1
        return x.sum()

    kinds = [lambda: (np.arange(10.0)[::2],), lambda: (np.arange(5.0),)]
    compare(lambda: (f, []), (kinds[first:] + kinds[:first]) * 4)


def test_arrays_in_order_stay_compiled():
    def f(x):
        y = np.ascontiguousarray(x)
        y[0] = -1
        return np.asarray(y, order="F").sum() * x.strides[0]

    fast = compare(lambda: (f, []), 6 * [lambda: (np.arange(5.0),)])
    assert fast.stats()["eager"] == 0
    assert fast.stats()["recordings"] == 1


# How arrays lie in memory -----------------------------------------------------------------------------------------


LYING = [
    [lambda: (np.arange(10.0)[::2],), lambda: (np.arange(5.0),)],
    [lambda: (np.arange(6.0).reshape(2, 3)[::2],), lambda: (np.arange(3.0).reshape(1, 3),)],
]


@pytest.mark.parametrize("kinds", LYING)
@pytest.mark.parametrize("turned", [False, True])
def test_strides_are_those_of_each_call(kinds, turned):
    calls = (kinds[::-1] if turned else kinds) * 4
    fast = compare(lambda: (lambda x: (x.strides, x * 2), []), calls)
    assert fast.stats()["eager"] == 0


@pytest.mark.parametrize("turned", [False, True])
def test_windows_of_strides(turned):
    calls = (LYING[0][::-1] if turned else LYING[0]) * 4
    compare(lambda: (lambda x: as_strided(x, (2, 2), (8, 8)), []), calls)
    compare(lambda: (lambda x: as_strided(x, (2, 2), 2 * x.strides) * 2, []), calls)


def on_itself():
    return as_strided(np.arange(6.0), (3, 3), (8, 8))


def stretched():
    made = np.broadcast_to(np.arange(3.0), (2, 3))
    made.flags.writeable = True
    return made


@pytest.mark.parametrize("given", [on_itself, stretched])
def test_arrays_that_overlap_themselves_are_written(given):
    def f(x):
        x[0, 1] = 9.0
        return x.sum()

    def make():
        m = given()

        def f(x):
            m[0, 1] += x[0]
            return m.sum()

        return f, [m]

    usual = lambda: (np.zeros(given().shape),)  # noqa: E731
    compare(lambda: (f, []), [*[lambda: (given(),)] * 4, usual, usual, lambda: (given(),), usual])
    compare(make, 5 * [lambda: (np.ones(2),)])


# Numbers that become arrays ---------------------------------------------------------------------------------------


F = np.ones(1, np.float32)


def counted(a):
    s = t = np.array(a)
    s += 1
    return s, t * F


NUMBERS = {
    "asarray": lambda a: np.asarray(a),
    "asarray of a dtype": lambda a: np.asarray(a, dtype=float),
    "asarray of single precision": lambda a: np.asarray(a, dtype="f"),
    "asarray times": lambda a: F * np.asarray(a),
    "array times": lambda a: F * np.array(a, dtype=np.float64),
    "array, copied if needed": lambda a: np.array(a, copy=None) * F,
    "array, not copied": lambda a: np.array(a, copy=False),
    "square": lambda a: np.asarray(a) ** 2,
    "root": lambda a: np.asarray(a) ** 0.5,
    "exponent": lambda a: F ** np.asarray(a),
    "base": lambda a: 2.0 ** np.asarray(a),
    "ascontiguousarray": lambda a: np.ascontiguousarray(a),
    "copy": lambda a: np.copy(a) * F,
    "numpy.dot": lambda a: np.dot(F, a),
    "dot": lambda a: F.dot(a),
    "inner": lambda a: np.inner(F, a),
    "outer": lambda a: np.multiply.outer(F, a),
    "kron": lambda a: np.kron(F, a),
    "comparison": lambda a: np.asarray(a) > 0,
    "complex": lambda a: np.asarray(a * 1j) * np.ones(1, np.complex64),
    "counted": counted,
    "weak": lambda a: F * a,
}


@pytest.mark.parametrize("way", NUMBERS)
def test_numbers_become_arrays_of_double_precision(way):
    with np.errstate(invalid="ignore"):
        compare(lambda: (NUMBERS[way], []), [lambda x=x: (x,) for x in (-1.1, 1.3, 1.3, 2.0, 1.5, 1.7, -3.0)])


def test_numbers_beyond_single_precision():
    compare(lambda: (lambda x, s: np.array(s) * x, []), 4 * [lambda: (np.ones(2, np.float32), 1e300)])


def total(x):
    s = t = np.array(x.sum())
    s += 1
    return s, t, x.sum()


def element(x):
    y = np.asarray(x[0])
    y[...] = 5
    return x, y


def part(x):
    y = np.asarray(x[1:])
    y[0] = -1
    return x, np.array(np.array([x, x * 2]), order="F").ravel("K")


def computed(x):
    y, out = x * 2, np.zeros((2, 3))
    np.asarray(y)[0] = 9
    np.ascontiguousarray(out.T)[0] = x[:2]
    np.asarray(out)[1] = x
    return y, out


@pytest.mark.parametrize("f", [total, element, part, computed])
def test_arrays_of_what_is_computed(f):
    assert compare(lambda: (f, []), 5 * [lambda: (np.arange(3.0),)]).stats()["eager"] == 0


# Containers without end, and signals ------------------------------------------------------------------------------


def endless_list():
    made: list = [1.0, np.ones(2)]
    made.append(made)
    return made


def endless_dict():
    made: dict = {0: 1.0}
    made[1] = made
    return made


@pytest.mark.parametrize("given", [endless_list, endless_dict])
def test_containers_that_hold_themselves(given):
    fast = wg.compile(lambda x: (len(x), x[0]))
    assert [fast(given()) for _ in range(12)] == 12 * [(len(given()), 1.0)]
    assert fast([1.0]) == (1, 1.0)


def test_containers_that_are_put_into_themselves():
    def f(x):
        x.append(x)
        return len(x)

    fast = wg.compile(f)
    for _ in range(4):
        given = [1.0]
        assert fast(given) == 2
        assert given[1] is given


HANDLED = """
import signal, sys
import numpy as np, wengert as wg

random = np.random.default_rng(0)
outer = wg.compile(lambda x: x + wg.random.uniform(random, size=2))
found, busy = [], []

def handle(*_):
    inner = wg.compile(lambda x: x + wg.random.uniform(random, size=2))
    found.extend(np.all(inner(np.ones(2) * k) // 1 == k) for k in range(4))

def when_a_module_is_imported(event, given):
    if event == "exec" and "compiler" in given[0].co_filename and not busy:
        busy.append(1)
        signal.raise_signal(signal.SIGINT)
        busy.clear()

signal.signal(signal.SIGINT, handle)
sys.addaudithook(when_a_module_is_imported)
for k in range(4):
    assert np.all(outer(np.ones(2) * k) // 1 == k)
assert found and all(found), found
"""


def test_handlers_of_signals_call_compiled_functions_while_modules_are_imported():
    subprocess.run([sys.executable, "-c", HANDLED], check=True, timeout=120)
