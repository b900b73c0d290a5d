"""Corners of NumPy's functions: a compiled function gives there what NumPy gives, and raises what NumPy raises."""

import warnings

import numpy as np
import pytest

import wengert as wg

ZEROS = np.array([-0.0, 0.0, 1.0, np.nan])
BYTES = np.array([3, 200, 0], np.uint8)
COMPLEX = np.array([[1 + 2j, -3.5j, 2 - 1j], [1j, 2, 3.0]])


def outcome(function, args):
    """What a call gives, or the class of what it raises."""
    try:
        return function(*[a.copy() if isinstance(a, np.ndarray) else a for a in args])
    except Exception as error:
        return type(error)


def same(found, expected, rtol=0.0):
    """Equal numbers, down to the signs of zeros, of one dtype and class."""
    if isinstance(expected, type) or isinstance(found, type):
        assert found is expected
        return
    assert type(found) is type(expected)
    if isinstance(expected, str):
        assert found == expected
        return
    if isinstance(expected, (tuple, list)):
        for a, b in zip(found, expected, strict=True):
            same(a, b, rtol)
        return
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype
    for part in (np.real, np.imag):
        a, b = part(found), part(expected)
        np.testing.assert_allclose(a, b, rtol, rtol)
        if b.dtype.kind == "f" and not rtol:
            np.testing.assert_array_equal(np.signbit(a)[~np.isnan(b)], np.signbit(b)[~np.isnan(b)])


def as_numpy(function, *args, rtol=0.0):
    """Compare a compiled function with itself, while it is recorded and later."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected = outcome(function, args)
        fast = wg.compile(function)
        for _ in range(3):
            same(outcome(fast, args), expected, rtol)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1"])
@pytest.mark.parametrize("bounds", [(-1, 5), (0, 300), (-1, None), (None, 300), (-(2**70), 2**70), (300, 400), (2, -1)])
def test_bounds_beyond_the_dtype(dtype, bounds):
    x = BYTES.astype(dtype)
    as_numpy(lambda x: np.clip(x, *bounds), x)
    as_numpy(lambda x: x.clip(*bounds), x)


def test_bounds_beyond_the_dtype_that_are_given():
    fast = wg.compile(lambda x, low, high: np.clip(x, low, high))
    for low, high in 3 * [(2, 5)] + 3 * [(-1, 5), (0, 300), (0, -1), (2, 7)]:
        same(outcome(fast, (BYTES, low, high)), outcome(np.clip, (BYTES, low, high)))


@pytest.mark.parametrize("zero", [0.0, -0.0, 0])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_zeros_at_bounds(zero, dtype):
    x = ZEROS.astype(dtype)
    for low, high in ((zero, 2), (-2, zero), (zero, None), (None, zero), (zero, zero)):
        as_numpy(lambda x, low=low, high=high: np.clip(x, low, high), x)
    as_numpy(lambda x: np.clip(x, zero * x[1], 2), x)
    as_numpy(lambda x: np.clip(x, np.full(4, zero), 2), x)
    as_numpy(lambda x: np.clip(x, np.full(4, -2), np.full(4, zero)), x)
    tensor = np.clip(wg.tensor(x), zero, None)
    np.testing.assert_array_equal(np.signbit(tensor.data), np.signbit(np.clip(x, zero, None)))


def test_covariances_of_complex_numbers():
    for function in (np.cov, np.corrcoef, lambda z: np.cov(z[0], z[1])):
        as_numpy(function, COMPLEX, rtol=1e-14)
    as_numpy(wg.vmap(np.cov), np.stack([COMPLEX, COMPLEX[::-1] * 2]), rtol=1e-14)
    gradient = wg.grad(lambda z: abs(np.cov(z)[0, 1]) ** 2)
    as_numpy(gradient, COMPLEX, rtol=1e-14)
    as_numpy(wg.vmap(gradient), np.stack([COMPLEX, COMPLEX[::-1] * 2]), rtol=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, s: x / np.float64(s[0]),
        lambda x, s: np.copysign(x, float(s[0])),
        lambda x, s: np.copysign(x, s.tolist()[0]),
        lambda x, s: x / np.sqrt(complex(s[0]).conjugate()).imag,
    ],
)
def test_numbers_read_are_zeros_of_either_sign(function):
    fast, x = wg.compile(function), np.ones(3)
    with np.errstate(all="ignore"):
        for number in (2.0, 0.0, -0.0) * 5:
            s = np.array([number])
            same(fast(x, s), function(x, s))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.power(x, np.full(4, 0.5)),
        lambda x: x ** np.full(4, 0.5),
        lambda x: x ** (np.ones(4) * 0.5),
        lambda x: np.power(x, [0.5] * 4),
        lambda x: np.power(x, np.array([0.5])),
        lambda x: x**0.5,
        lambda x: x[1:2] ** np.array([0.5]),
        lambda x: [q**0.5 for q in x],
        lambda x: [np.power(q, 0.5) for q in x],
        lambda x: [q ** np.float64(0.5) for q in x],
        lambda x: [np.power(q, 2) for q in x],
        lambda x: np.float_power(x, 0.5),
    ],
)
def test_roots_and_powers_by_a_half(function):
    as_numpy(function, np.array([-np.inf, -0.0, 4.0, np.nan]))
    as_numpy(function, np.array([-np.inf, -0.0, 4.0, np.nan], np.float32))


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: np.linspace(x[0], x[1], 4, dtype="i4"), np.array([-56, 100], np.int8)),
        (lambda x: np.linspace(x[0], 1, 3), np.array([np.nan])),
        (lambda x: np.linspace(x[0], 1, 3), np.array([np.inf])),
        (lambda x: np.linspace(x[0], x[1], 7), np.array([0.1, 0.7])),
        (lambda x: np.linspace(x[0], x[1], 7, endpoint=False, retstep=True), np.array([0.1, 0.7])),
        (lambda x: np.linspace(x[0], x[1], 1, retstep=True), np.array([0.1, 0.7])),
        (lambda x: np.linspace(x[0], x[1], 0), np.array([0.1, 0.7])),
        (lambda x: np.linspace(0, x[0], 5), np.array([5e-324])),
        (lambda x: np.linspace(x, x[::-1] * 3, 5, axis=1), np.array([0.1, 0.2, 0.3], np.float32)),
    ],
)
def test_scales(function, x):
    as_numpy(function, x)


def test_scales_have_gradients():
    a, b = wg.grad(lambda a, b: np.sum(np.linspace(a, b, 4) * np.arange(4.0)), argnums=(0, 1))(1.0, 3.0)
    np.testing.assert_allclose((a, b), (4 / 3, 14 / 3))


@pytest.mark.parametrize("dtype", ["u1", "f4", "?"])
def test_averages_of_integers(dtype):
    a, x = np.array([200, 100, 250], np.uint8), np.array([200, 100, 250], np.uint8).astype(dtype)
    as_numpy(lambda a: np.average(a, weights=a), a)
    as_numpy(lambda a, x: np.average(a, weights=x, returned=True), a, x)
    as_numpy(lambda a, x: np.average(x, weights=a), a, x)


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4"])
@pytest.mark.parametrize("initial", [-1, 300, True, 1.5, np.int64(-1), None, 1j], ids=repr)
def test_where_reductions_start(dtype, initial):
    x = np.arange(3).astype(dtype)
    for function in (np.add.reduce, np.sum, np.prod, np.max, np.min, np.maximum.reduce, np.fmax.reduce):
        as_numpy(lambda x, f=function: f(x, initial=initial), x)
        as_numpy(lambda x, f=function: f(x, initial=initial, where=x > 1), x)
        as_numpy(lambda x, f=function: f(x[:0], initial=initial), x)


@pytest.mark.parametrize("dtype", ["i4", "u1", "f4", "?", "c16"])
def test_means_in_a_dtype(dtype):
    as_numpy(lambda x: np.mean(x, dtype=dtype), np.array([1.7, 2.7]))
    as_numpy(lambda x: np.mean(x, dtype=dtype, where=x > 2), np.array([1.7, 2.7]))


MASK = np.array([True, False, True])
WRITERS = {
    "copyto": lambda x, y: np.copyto(x, y),
    "copyto where": lambda x, y: np.copyto(x, y, where=MASK),
    "copyto unsafe": lambda x, y: np.copyto(x, y, casting="unsafe"),
    "copyto 2.5": lambda x, y: np.copyto(x, 2.5),
    "copyto 300": lambda x, y: np.copyto(x, 300),
    "place": lambda x, y: np.place(x, MASK, y),
    "place [2.5]": lambda x, y: np.place(x, MASK, [2.5]),
    "putmask": lambda x, y: np.putmask(x, MASK, y),
    "putmask 300": lambda x, y: np.putmask(x, MASK, 300),
    "take": lambda x, y: np.take(y, [0, 1, 2], out=x),
    "compress": lambda x, y: np.compress([True] * 3, y, out=x),
    "dot": lambda x, y: np.dot(np.eye(3), y, out=x),
    "einsum": lambda x, y: np.einsum("i->i", y, out=x),
    "argmax": lambda x, y: np.argmax(y[None], 0, out=x),
    "casting=": lambda x, y: np.add(y, 1, out=x, casting="safe"),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("target", ["i8", "u1", "f4", "f8", "?"])
def test_casts_into_what_is_written(writer, target):
    def function(x, y):
        WRITERS[writer](x, y)
        return x

    for source in ("f8", "f4", "i8", "u1", "g"):
        as_numpy(function, np.arange(3).astype(target), np.array([0.5, 1.5, 2.0]).astype(source))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.add(x, 1, dtype="f", casting="same_kind"),
        lambda x: np.add(x, 1.5, casting="safe"),
        lambda x: np.add(x, 1, order="F"),
        lambda x: np.modf(x, casting="safe"),
        lambda x: np.less(x, 1, casting="safe"),
        lambda x: np.add(x, 1, casting="safe", where=x > 1, out=x * 0),
        lambda x: np.sqrt(x, casting="unsafe", dtype="i4"),
    ],
)
def test_results_of_ufuncs_with_keywords_are_arrays(function):
    as_numpy(function, np.arange(3.0))


@pytest.mark.parametrize("dtype", ["f4", "u1", "f8"])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.intersect1d(x, [1, 2]),
        lambda x: np.intersect1d([1, 2], x),
        lambda x: np.intersect1d(x, [1, 2], return_indices=True),
        lambda x: np.choose([0, 1], [0.1, x[0]]),
        lambda x: np.choose([0, 1], [3, x[:2]]),
        lambda x: np.choose([0, 1], [np.float64(0.5), x[:2]]),
        lambda x: np.choose([0, 1], [x[1], np.arange(2)]),
        lambda x: np.nan_to_num(x, nan=np.float64(2)),
        lambda x: np.nan_to_num(x / 0, nan=np.inf, posinf=-np.inf, neginf=np.array([1.0, 2, 3])),
        lambda x: np.nan_to_num(x + 1j, nan=np.float64(2)),
        lambda x: np.nan_to_num(x, nan=1j),
        lambda x: str([q.dtype for q in np.linalg.lstsq(np.stack([x, x * x], 1), np.arange(3.0))]),
        lambda x: str([q.dtype for q in np.linalg.lstsq(np.stack([x, x * x, x**3], 1), np.arange(3.0))]),
    ],
)
def test_dtypes_of_several_operands(function, dtype):
    as_numpy(function, np.array([1, 2, 7]).astype(dtype))


@pytest.mark.parametrize(
    "function",
    [
        np.gradient,
        lambda x: np.gradient(x, 0.5, edge_order=2),
        lambda x: np.gradient(x, 0.0),
        lambda x: np.gradient(x, np.arange(len(x))),
        lambda x: np.gradient(x, np.arange(len(x)) ** 2.0),
        lambda x: np.gradient(x, np.arange(len(x)) ** 2.0, edge_order=2),
        lambda x: np.gradient(x, x),
        lambda x: np.gradient(x > 1),
        lambda x: np.gradient(x[:2]),
        lambda x: np.gradient(x.reshape(2, 5), 0.5, np.array([0.0, 0.1, 0.5, 0.7, 2.0])),
    ],
)
def test_slopes_of_samples(function):
    samples = [1, np.nan, 3, np.nan, -2, 0, np.inf, 3.3, -0.7, 1e3]
    as_numpy(function, np.array(samples), rtol=1e-15)
    as_numpy(function, np.nan_to_num(samples, posinf=7).astype(np.float32), rtol=1e-6)
    as_numpy(function, np.arange(10) ** 2)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.pad(x[:0], 1, "mean"),
        lambda x: np.pad(x[:0], 1, "linear_ramp"),
        lambda x: np.pad(x[:0], 1, "edge"),
        lambda x: np.delete(x, True),
        lambda x: np.delete(x, [True, False, False]),
        lambda x: np.squeeze(x[None], False),
        lambda x: np.cumsum(x, False),
        lambda x: np.cumprod(x, False),
        lambda x: np.compress([True], x, False),
        lambda x: np.sum(x, False),
        lambda x: np.take(x, True),
        lambda x: np.take(x, [True, False], 0),
        lambda x: np.take_along_axis(x, np.array([True, False, True]), 0),
        lambda x: np.take_along_axis(x, np.array([0.0, 1.0]), 0),
        lambda x: np.put_along_axis(x, np.array([True, False, True]), 1.0, 0),
        lambda x: np.insert(x, 0, 300),
        lambda x: np.insert(x, 0, -1),
        lambda x: np.insert(x, 0, [300, 1]),
        lambda x: np.insert(x, 0, 2.5),
        lambda x: np.piecewise(x, [x > 5], [-1.5, 0]),
        lambda x: round(x[0] > 1),
        lambda x: round(x[0]),
        lambda x: round(x[0], 1),
    ],
)
@pytest.mark.parametrize("dtype", ["u1", "f8", "c16"])
def test_arguments_that_are_of_another_class(function, dtype):
    as_numpy(function, np.array([3, 200, 7]).astype(dtype))


@pytest.mark.parametrize(
    "function",
    [
        lambda s: s > 1,
        lambda s: s <= np.complex128(1),
        lambda s: s < s,
        lambda s: max(s, 1),
        lambda s: s == 1,
        lambda s: s > np.float64(1),
        lambda s: round(s, 1),
        lambda s: round(s),
    ],
)
def test_what_python_refuses_of_complex_numbers(function):
    as_numpy(function, 1 + 2.55j)


@pytest.mark.parametrize("dtype", ["f8", "c16", "c8", "i8", "?"])
def test_nothing_written_is_not_a_number(dtype):
    def whole(x):
        x[:] = None
        return x

    def one(x):
        x[0] = None
        return x

    as_numpy(whole, np.ones(2).astype(dtype))
    as_numpy(one, np.ones(2).astype(dtype))


@pytest.mark.parametrize("x", [[np.nan, 1.0, 0.0, 4.0], [1.0]])
def test_lines_through_one_point(x):
    as_numpy(lambda x: np.interp(x, [1], [5]), np.array(x))
    as_numpy(lambda x: np.interp(x, [1], [5], left=2, right=3), np.array(x))
    as_numpy(lambda x: np.interp(x, [1, 2], [5, 6], left=2, right=3), np.array(x))


@pytest.mark.parametrize("numbers", [[3e4] * 5, [1, np.nan, 2.5]])
def test_means_in_half_precision(numbers):
    for function in (np.mean, np.nanmean, lambda x: np.nanmean(x, dtype="f8"), lambda x: np.nanmean(x[None], 1)):
        as_numpy(function, np.array(numbers, np.float16))
