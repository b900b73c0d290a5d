"""Complex numbers in kernels: the numbers are NumPy's, at infinities, NaN and signed zeros too."""

import numpy as np
import pytest
from tests.compiler.recordings import recorded
from tests.compiler.test_lowering import both, calls, compare, gradient

import wengert as wg
from wengert.compiler.run import Plan

rng = np.random.default_rng(0)


def planned(f, *args):
    return Plan(recorded(f, *args))


def drawn(*shape, dtype=complex):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)


Z, W = drawn(7), drawn(7)
X = rng.normal(size=7)
M = drawn(4, 5)

EDGES = [0.0, -0.0, 1.0, -2.0, 0.5, 1e-320, 1e300, -1.7e308, 709.9, -745.0, 30.0, np.pi / 2, np.inf, -np.inf, np.nan]
AT_EDGES = np.array([complex(a, b) for a in EDGES for b in EDGES])


FUNCTIONS = [
    "conjugate", "negative", "reciprocal", "absolute", "angle", "sign", "exp", "exp2", "log", "log2", "log10", "sqrt",
    "sin", "cos", "tan", "sinh", "cosh", "tanh",
]  # fmt: skip


def assert_same(found, expected, ulps=8):
    """Each part: equal, signs of zeros among them, NaN, or near in comparison with the size."""
    assert found.dtype == expected.dtype and found.shape == expected.shape
    size = np.abs(expected)
    size = np.where(np.isfinite(size), size, 0)
    parts = [(found, expected)]
    if found.dtype.kind == "c":
        parts = [(found.real, expected.real), (found.imag, expected.imag)]
    for a, b in parts:
        equal = (a == b) & (np.signbit(a) == np.signbit(b)) | np.isnan(a) & np.isnan(b)
        near = np.abs(a - b) <= ulps * np.finfo(b.dtype).eps * np.maximum(size, np.abs(b))
        assert (equal | (near & (b != 0) & np.isfinite(b))).all()


def of_edges(f, *args, **kwargs):
    """The program's numbers and NumPy's; of functions with no call left."""
    with np.errstate(all="ignore"):
        plan, expected = planned(f, *args), f(*args)
        assert not calls(plan)
        assert_same(plan(*args)[0], expected, **kwargs)


# Arithmetic ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide"])
def test_arithmetic_is_numpys_to_the_last_bit(name, dtype):
    f = getattr(np, name)
    with np.errstate(all="ignore"):
        some = AT_EDGES[::4].astype(dtype)
        a, b = (v.reshape(-1) for v in np.meshgrid(some, some))
        np.testing.assert_array_equal(planned(f, a, b)(a, b)[0], f(a, b))
    a, b = drawn(1001, dtype=dtype), drawn(1001, dtype=dtype)
    np.testing.assert_array_equal(planned(f, a, b)(a, b)[0], f(a, b))


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_functions_at_edges(name, dtype):
    of_edges(getattr(np, name), AT_EDGES.astype(dtype))
    of_edges(getattr(np, name), (drawn(500) * 10.0 ** rng.integers(-3, 3, 500)).astype(dtype))


def test_functions_near_zero():
    z = drawn(300) * 10.0 ** rng.integers(-8, 1, 300)
    for f in (np.expm1, np.log1p):
        compare(f, z)


def test_logarithms_near_one_keep_their_digits():
    z = np.exp(1j * rng.uniform(-3, 3, 50)) * (1 + 1e-9 * rng.normal(size=50))
    (found,) = planned(np.log, z)(z)
    excess = (z.real.astype(np.longdouble) ** 2 + z.imag.astype(np.longdouble) ** 2 - 1).astype(float)
    np.testing.assert_allclose(found.real, 0.5 * np.log1p(excess), rtol=1e-6, atol=1e-16)


@pytest.mark.parametrize("power", [0, 1, 2, 3, 7, -1, -2, 0.5, 2.5, -0.3 + 2j])
@pytest.mark.filterwarnings("ignore")
def test_powers(power):
    ulps = 8 if isinstance(power, int) or power == 0.5 else 10_000  # by the logarithm, which is rounded
    of_edges(lambda z: z**power, AT_EDGES[np.abs(AT_EDGES) < 1e5], ulps=ulps)
    compare(lambda z: z**power, drawn(40))


def test_what_decides_is_as_in_numpy():
    z = np.concatenate([AT_EDGES, AT_EDGES[::-1]])
    w = np.concatenate([AT_EDGES, AT_EDGES])
    x = w.real
    with np.errstate(all="ignore"):
        for f in (np.equal, np.not_equal, np.logical_and, np.logical_or):
            compare(f, z, w)
            compare(f, z, x > 0)
        for f in (np.isnan, np.isinf, np.isfinite, np.logical_not, lambda v: v.astype(bool), np.any, np.count_nonzero):
            compare(f, z)


def test_real_and_complex_numbers_mix():
    both(lambda z, x: z * x + x / z - 2.5 * z + 1j * x - (3 - 1j), Z, X)
    both(lambda z, x: z * x, Z.astype(np.complex64), X.astype(np.float32))
    compare(lambda z, x: z * x, Z.astype(np.complex64), X)
    compare(lambda x: x.astype(complex) + x.astype(np.complex64), X)
    compare(lambda z: (z.astype(np.complex64), z.real.astype(np.float32)), Z)


# Arrays -------------------------------------------------------------------------------------------------------------

SHAPES = {
    "parts": lambda z: (z.real, z.imag, z.T.imag[1:], np.real(z) * 2, np.conj(z).T),
    "slices": lambda z: (z[1:, ::-2] * 2, z[..., 0], z[2], z[:, None] + 1),
    "places": lambda z: (z[[2, 0, 2]], z[:, np.array([1, 1, 4])], np.take(z, [3, 0], 1)),
    "joins": lambda z: (np.concatenate([z, z.real], 1), np.stack([z, z * 2]), np.pad(z, 1), np.pad(z, 1, "edge")),
    "order": lambda z: (np.roll(z, 2, 1), np.flip(z), z.reshape(2, 10), np.repeat(z, 2, 0), z.ravel(), np.diff(z)),
    "where": lambda z: (np.where(z.real > 0, z, 1j), np.where(z, z.real, z), np.triu(z), np.diagonal(z)),
    "sums": lambda z: (np.sum(z), z.sum(0), z.mean(1, keepdims=True), np.cumsum(z, 1), np.add.accumulate(z)),
    "moments": lambda z: (np.var(z), np.std(z, 0), np.linalg.norm(z), np.linalg.norm(z, axis=1)),
    "products": lambda z: (np.prod(z, 0), np.cumprod(z, 1), np.outer(z[0], z[1])),
    "matrices": lambda z: (z @ z.T, z @ z[0], z.conj().T @ z, z.real @ z.T, np.dot(z, z.T.real), np.vdot(z, z)),
    "einsum": lambda z: (np.einsum("ij,kj->ik", z, z), np.einsum("ij,ij->", z, z.real), np.vecdot(z, z * 1j)),
}


@pytest.mark.parametrize("f", SHAPES.values(), ids=SHAPES)
def test_arrays(f):
    compare(f, M)
    compare(f, M.astype(np.complex64), rtol=1e-5, atol=1e-5)
    for k in range(len(f(M))):
        compare(gradient(lambda z, k=k: f(z)[k], M), M)


def test_large_products_are_blas():
    a, b = drawn(60, 70), drawn(70, 50)
    plan = compare(lambda a, b: a @ b.conj(), a, b)
    assert any("gemm" in text for text in plan.text.split("\n"))


def test_infinities_in_a_product_of_one():
    z = np.array([complex(np.inf, 1)])
    with np.errstate(all="ignore"):
        compare(lambda z: (np.prod(z), np.prod(z[:, None], 1)), z)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 16, 31, 100])
@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
def test_every_length(n, dtype):
    z, w = drawn(n, dtype=dtype), drawn(n, dtype=dtype)
    guarded = np.full(n + 4, 9 + 9j, dtype)
    guarded[2:-2] = z
    compare(lambda z, w: (z * w, z[::-1].real, (z + w).imag), guarded[2:-2], w, rtol=1e-6, atol=1e-6)


def test_nothing_and_numbers_without_axes():
    compare(lambda z: (z * 2, z.real, z.sum()), np.zeros((0, 3), complex))
    fast = wg.compile(lambda z, w: (z * w, abs(z), z.real))
    for z, w in ((Z[0], W[0]), (np.array(Z[1]), np.array(W[1]))):
        for _ in range(2):
            for a, b in zip(fast(z, w), (z * w, abs(z), z.real), strict=True):
                assert isinstance(a, np.generic) and a.dtype == b.dtype and np.isclose(a, b, 1e-14)


def test_functions_of_numpys_stand_between():
    plan = compare(lambda z: np.abs(np.fft.ifft(np.fft.fft(z * 2) * 1j) + z) ** 2, Z, native=False)
    assert calls(plan) == ["fft", "ifft"]


def test_strides_of_arguments():
    fast = wg.compile(lambda z: z * 2j + z.imag)
    whole = drawn(6, 8)
    for z in (whole, whole.T, whole[::2, 1::3], whole[:, ::-1], np.asfortranarray(whole)):
        for _ in range(2):
            np.testing.assert_array_equal(fast(z), z * 2j + z.imag)


def test_constants():
    ones, other = np.ones(700, complex), drawn(700)
    both(lambda z: z * ones + other, drawn(700))
    compare(lambda z: np.zeros(4, complex) + z[:4], Z)


# Writing ------------------------------------------------------------------------------------------------------------


def fill(x):
    z = np.zeros(len(x), complex)
    z.real = np.sin(x)
    z.imag[1:] = x[1:]
    z[0] = 3 - 1j
    return z


def scale(z):
    z = z.copy()
    z.imag *= 2
    z[::2].real[:2] += 1
    z.T.imag[...] -= z.real
    return z, z.imag


def masked(z):
    z = z.copy()
    z[z.real > 0] = 1j
    z[[1, 1]] += 2
    np.add.at(z, [0, 0], 1 + 1j)
    return z


@pytest.mark.parametrize(("f", "x"), [(fill, X), (scale, Z), (scale, M[:, :4].copy()), (masked, Z)])
def test_writing_into_parts(f, x):
    fast = wg.compile(f)
    for _ in range(3):
        found, expected = fast(x), f(x)
        pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
        for a, b in pairs:
            np.testing.assert_allclose(a, b, rtol=1e-14)
    assert fast.stats()["eager"] == 0


def test_arguments_are_written():
    def step(z, x):
        z.imag[1:] = x[1:]
        z *= 2

    fast = wg.compile(step)
    for _ in range(3):
        a, b = Z.copy(), Z.copy()
        step(a, X)
        fast(b, X)
        np.testing.assert_array_equal(a, b)


# Python's numbers ---------------------------------------------------------------------------------------------------


def test_pythons_complex_numbers_are_inputs():
    z = Z.astype(np.complex64)

    def f(a):
        return a * z, a * 2 + 1, a.conjugate() * z, a.real, abs(a), a / (3 + a), np.exp(a), [a**2, a]

    fast = wg.compile(f)
    for a in (2 + 1j, -1 + 0.5j, 0.25j):
        for x, y in zip(fast(a)[:-1], f(a)[:-1], strict=True):
            assert type(x) is type(y) and getattr(x, "dtype", None) == getattr(y, "dtype", None)
            np.testing.assert_allclose(x, y, rtol=1e-6)
        np.testing.assert_allclose(fast(a)[-1], f(a)[-1])
    assert fast.stats()["recordings"] == 1


def test_pythons_errors():
    fast = wg.compile(lambda a: (1 / a, a * 2))
    assert fast(2j) == (-0.5j, 4j) and fast(4j) == (-0.25j, 8j)
    with pytest.raises(ZeroDivisionError):
        fast(0j)


# Decisions and derivatives ------------------------------------------------------------------------------------------


def test_decisions():
    def escape(c):
        z, n = c, 0
        while abs(z) < 2 and n < 12:
            z, n = z * z + c, n + 1
        return z, n

    fast = wg.compile(escape)
    for c in (0.3 + 0.5j, -1 + 0.2j, 1j, 0.31 + 0.5j):
        c = np.complex128(c)
        found, expected = fast(c), escape(c)
        assert found[1] == expected[1]
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-10)


GRADIENTS = {
    "squares": lambda z: np.sum(np.abs(M @ z[:5] - M[:, 0]) ** 2),
    "phases": lambda z: np.sum((np.exp(1j * z.real) * np.conj(z) + np.log(z)).imag),
    "sizes": lambda z: np.sum(np.abs(np.sqrt(z) / (z + 2)) * np.angle(z)),
    "sines": lambda z: np.sum(np.tanh(z).real + np.sin(z).imag * np.cosh(z * 0.3).real),
    "powers": lambda z: np.sum((z**3 + z**-2 + z**1.5).real),
    "transforms": lambda z: np.sum(np.abs(np.fft.fft(z * z)) ** 2),
}


@pytest.mark.parametrize("f", GRADIENTS.values(), ids=GRADIENTS)
def test_gradients(f):
    for g in (wg.grad(f), lambda z: wg.jvp(f, (z,), (z * 1j,)), lambda z: wg.vmap(f)(np.stack([z, z * 2]))):
        fast = wg.compile(g)
        for z in (Z, W, Z):
            for a, b in zip(np.atleast_1d(fast(z)), np.atleast_1d(g(z)), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_long_programs():
    def f(z):
        for k in range(400):
            z = z * np.exp(0.1j * k) + np.conj(z) * 0.01 - 0.5j * z.imag
            z = z / (1 + abs(z[0]))
        return np.sum(np.abs(z))

    fast = wg.compile(wg.grad(f))
    for z in (Z, W):
        np.testing.assert_allclose(fast(z), wg.grad(f)(z), rtol=1e-9)


@pytest.mark.parametrize("exponent", [1 + 1j, 2 + 3j, 0.5 + 0.1j, 1j, -1 + 1j])
def test_powers_of_zero(exponent):
    compare(lambda z: z**exponent, np.array([0j, 1 + 1j]))
