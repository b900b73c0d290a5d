"""Elementwise functions on vectors: accuracy beside mpmath, special values beside NumPy, at every width."""

import ctypes
import os
import subprocess
import sys

import llvmlite.binding as llvm
import mpmath
import numpy as np
import pytest
import scipy.special

from wengert.compiler.alone import module
from wengert.compiler.code import Code
from wengert.compiler.mathlibrary import LIBM, OF_TWO, _scipy_functions
from wengert.compiler.sines import sine_and_cosine
from wengert.compiler.textkinds import kind_of, scalar_of
from wengert.compiler.vectormath import COMPARE, Target, function_call, host, is_supported, provide

TYPES = {"d": "double", "f": "float", "?": "i1", "b": "i8", "h": "i16", "i": "i32", "l": "i64", "B": "i8",
         "H": "i16", "I": "i32", "L": "i64"}  # fmt: skip
WIDTHS = [bits for bits in (512, 256, 128) if bits <= host().bits]
LIBRARY = host().vector_library


def target(bits, library=LIBRARY, machine="x86_64"):
    return Target(bits, library, machine, host().fused)


def text_of(name, chars, lanes, machine):
    """A function that does one vector: loads the operands, and stores the result."""
    lines = []

    def op(line):
        lines.append(f"  %t{len(lines)} = {line}")
        return f"%t{len(lines) - 1}"

    operands = []
    for k, char in enumerate(chars):
        kind = kind_of(TYPES[char], lanes)
        operands.append((kind, op(f"load {kind}, ptr %a{k}, align 1")))
    kind = operands[0][0]
    if name in ("sincos sin", "sincos cos"):
        result = sine_and_cosine(machine, operands[0][1], kind, op)[name.endswith("cos")]
    else:
        result_kind = kind_of("i1", lanes) if name in COMPARE or name == "signbit" else kind
        result = op(function_call(machine, name, operands, result_kind, op, chars[0] not in "BHIL"))
        if scalar_of(result_kind) == "i1":
            kind = kind_of("i8", lanes)
            result = op(f"zext {result_kind} {result} to {kind}")
    arguments = ", ".join(f"ptr %a{k}" for k in range(len(chars)))
    lines += [f"  store {kind} {result}, ptr %out, align 1", "  ret void", "}"]
    text = "\n".join([f"define void @one(ptr %out, {arguments}) {{", *lines])
    return module(text, machine)


def run(name, *arrays, bits=WIDTHS[0], machine=None):
    """The function of whole arrays, vector by vector."""
    arrays = np.broadcast_arrays(*arrays)
    n, lanes = arrays[0].size, bits // (8 * arrays[0].itemsize)
    text = text_of(name, [a.dtype.char for a in arrays], lanes if lanes > 1 else 0, machine or target(bits))
    provide(text)
    made = Code(text, 1)
    one = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (1 + len(arrays)))(made.address("one"))
    size = -(-n // lanes) * lanes
    given = [np.concatenate([a.ravel(), np.ones(size - n, a.dtype)]) for a in arrays]
    truth = name in COMPARE or name == "signbit"
    out = np.empty(size, bool if truth else arrays[0].dtype)
    for i in range(0, size, lanes):
        one(out[i:].ctypes.data, *[a[i:].ctypes.data for a in given])
    return out[:n]


def special_values(char):
    info = np.finfo(char)
    positive = [0.0, info.smallest_subnormal, info.tiny / 4, info.tiny, 1e-20, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 20.0, 88.8,
                1e5 + 1, 1e16, 1e22, info.max / 4, info.max, np.inf]  # fmt: skip
    return by_size(np.array([*positive, *[-x for x in positive], np.nan], char))


def by_size(x):
    """Sorted, so that there are vectors of moderate numbers only, for which other formulas may serve."""
    return x[np.argsort(np.abs(x), kind="stable")]


def samples(low, high, char, count=100, seed=0):
    """Numbers of all sizes between two bounds, of both signs where those have them."""
    random = np.random.default_rng(seed)
    info = np.finfo(char)
    low, high = max(low, -float(info.max)), min(high, float(info.max))
    low = max(low, float(info.tiny)) if low > 0 else low
    even = random.uniform(max(low, -30), min(high, 30), count)
    sizes = 10.0 ** random.uniform(np.log10(info.tiny) * 0.98, np.log10(max(high, -low)), count)
    signed = sizes * random.choice([1.0, -1.0] if low < 0 else [1.0], count)
    x = np.concatenate([even, signed, [low, high]]).astype(char)
    return by_size(x[(x >= low) & (x <= high)])


def ulps(got, exact):
    """Distances from exact numbers, in units in the last place."""
    rounded = np.array([float(e) for e in exact]).astype(got.dtype)
    return [
        0 if (np.isinf(r) and g == r) else float(abs(mpmath.mpf(float(g)) - e) / mpmath.mpf(float(np.spacing(abs(r)))))
        for g, e, r in zip(got, exact, rounded, strict=True)
    ]


def erfc(x):
    return mpmath.erfc(x)


DOMAINS = {
    "sin": (mpmath.sin, -1e300, 1e300), "cos": (mpmath.cos, -1e300, 1e300), "tan": (mpmath.tan, -1e300, 1e300),
    "arcsin": (mpmath.asin, -1, 1), "arccos": (mpmath.acos, -1, 1), "arctan": (mpmath.atan, -1e300, 1e300),
    "sinh": (mpmath.sinh, -700, 700), "cosh": (mpmath.cosh, -700, 700), "tanh": (mpmath.tanh, -1e300, 1e300),
    "arcsinh": (mpmath.asinh, -1e300, 1e300), "arccosh": (mpmath.acosh, 1, 1e300),
    "arctanh": (mpmath.atanh, -0.999, 0.999), "exp": (mpmath.exp, -745, 709), "exp2": (lambda x: 2**x, -1074, 1023),
    "expm1": (mpmath.expm1, -1e3, 709), "log": (mpmath.log, 0, 1e308), "log10": (mpmath.log10, 0, 1e308),
    "log2": (lambda x: mpmath.log(x, 2), 0, 1e308), "log1p": (mpmath.log1p, -0.999, 1e308),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), -1e300, 1e300), "erf": (mpmath.erf, -1e3, 1e3),
    "erfc": (erfc, -30, 26.5), "sqrt": (mpmath.sqrt, 0, 1e308), "reciprocal": (lambda x: 1 / x, 1e-300, 1e300),
    "expit": (lambda x: 1 / (1 + mpmath.exp(-x)), -740, 740),
    "log_expit": (lambda x: -mpmath.log1p(mpmath.exp(-x)), -1e300, 700),
    "logit": (lambda x: mpmath.log(x / (1 - x)), 0.001, 0.999),
    "sincos sin": (mpmath.sin, -1e300, 1e300), "sincos cos": (mpmath.cos, -1e300, 1e300),
}  # fmt: skip
SINGLE_DOMAINS = {"sinh": 88, "cosh": 88, "exp": 88, "exp2": 127, "expm1": 88, "erfc": 9, "expit": 87, "log_expit": 87}
PAIR = ("sincos sin", "sincos cos")


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("name", DOMAINS)
def test_four_units_in_the_last_place(name, char, bits):
    if name in PAIR and (char == "f" or not host().fused):
        pytest.skip("for double precision only")
    exact, low, high = DOMAINS[name]
    if char == "f" and name in SINGLE_DOMAINS:
        low, high = max(low, -SINGLE_DOMAINS[name]), min(high, SINGLE_DOMAINS[name])
    x = samples(low, high, char)
    if name in ("sin", "cos", *PAIR):  # near the zeros
        x = by_size(np.concatenate([x, (np.arange(-60, 60, 7) * (np.pi / 2)).astype(char)]))
    with mpmath.workdps(400 if high > 1e200 else 60):
        expected = [exact(mpmath.mpf(float(v))) for v in x]
        errors = ulps(run(name, x, bits=bits), expected)
    worst = int(np.argmax(errors))
    assert errors[worst] <= 4, (x[worst], errors[worst])


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("name", ["power", "arctan2", "hypot"])
def test_functions_of_two_operands(name, char, bits):
    a = np.abs(samples(1e-3, 1e3, char, 60)) if name == "power" else samples(-1e30, 1e30, char, 60)
    b = samples(-10, 10, char, 60, seed=1)[: a.size]
    a = a[: b.size]
    exact = {"power": mpmath.power, "arctan2": mpmath.atan2, "hypot": mpmath.hypot}[name]
    with mpmath.workdps(60):
        expected = [exact(mpmath.mpf(float(x)), mpmath.mpf(float(y))) for x, y in zip(a, b, strict=True)]
        assert max(ulps(run(name, a, b, bits=bits), expected)) <= 4


WIDE = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "arcsinh": np.arcsinh, "arccosh": np.arccosh,
    "arctanh": np.arctanh, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log10": np.log10,
    "log2": np.log2, "log1p": np.log1p, "cbrt": np.cbrt, "expit": lambda x: 1 / (1 + np.exp(-x)),
    "log_expit": lambda x: -np.logaddexp(np.longdouble(0), -x), "power": np.power, "arctan2": np.arctan2,
    "hypot": np.hypot, "sincos sin": np.sin, "sincos cos": np.cos,
    "logit": lambda x: np.where(x < 0.25, np.log(x) - np.log1p(-x), 2 * np.arctanh(2 * x - 1)),
}  # fmt: skip
"""The same functions with more digits, as the C library has them."""


def everywhere(char, count=300):
    """Numbers all over the line: of every size, subnormal ones too, near 0, 1 and -1, and near multiples of pi / 2."""
    random, info = np.random.default_rng(1), np.finfo(char)

    def sizes(low, high):
        return random.choice([1.0, -1.0], count) * np.exp(random.uniform(low, high, count))

    parts = [
        sizes(np.log(float(info.smallest_subnormal)), np.log(float(info.max))), sizes(-3, 7),
        1 + sizes(-40, 0), -1 + sizes(-40, 0), np.arange(count) * (np.pi / 2) + 1e-9 * random.normal(size=count),
    ]  # fmt: skip
    return np.concatenate(parts).astype(char)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="there are no numbers with more digits")
@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("bits", WIDTHS)
def test_the_whole_line(bits, char):
    """Four units in the last place wherever the result is a number; the same infinities and NaN elsewhere."""
    x = by_size(everywhere(char))
    for name, exact in WIDE.items():
        if name in PAIR and (char == "f" or not host().fused):
            continue
        operands = [x]
        if name in ("power", "arctan2", "hypot"):
            operands = [np.abs(x) if name == "power" else x, np.random.default_rng(2).permutation(x)]
        with np.errstate(all="ignore"):
            got = run(name, *operands, bits=bits)
            wide = exact(*[a.astype(np.longdouble) for a in operands])
            rounded = wide.astype(char)
            units = np.abs(got.astype(np.longdouble) - wide) / np.spacing(np.abs(rounded)).astype(np.longdouble)
        limit = np.finfo(char).max  # may be rounded to infinity
        same = (got == rounded) | (np.isnan(got) & np.isnan(rounded)) | ((np.abs(got) == limit) & np.isinf(rounded))
        wrong = ~(same | (units <= 4) | ((np.abs(rounded) == limit) & np.isinf(got)))
        assert not wrong.any(), (name, [a[wrong][:3] for a in operands], got[wrong][:3])


def assert_as_numpy(got, expected, units=0):
    """The same numbers within some units, the same signs of zeros, the same NaN."""
    with np.errstate(all="ignore"):
        same = (got == expected) & (np.signbit(got) == np.signbit(expected))
        near = np.isfinite(expected) & (np.abs(got - expected) <= units * np.spacing(np.abs(expected))) & (got != 0)
    wrong = ~(same | near | (np.isnan(got) & np.isnan(expected)))
    assert not wrong.any(), (got[wrong][:5], expected[wrong][:5])


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("char", "df")
def test_special_values_of_one_operand(char, bits):
    x = special_values(char)
    for name in DOMAINS:
        if name in PAIR and (char == "f" or not host().fused):
            continue
        owner = np if hasattr(np, name.split()[-1]) else scipy.special
        keep = x[(np.abs(x) < 20) | ~np.isfinite(x)] if name in ("erfc", "expit", "log_expit", "logit") else x
        with np.errstate(all="ignore"):
            assert_as_numpy(run(name, keep, bits=bits), getattr(owner, name.split()[-1])(keep), 4)
    for name in ("absolute", "negative", "positive", "sign", "square", "floor", "ceil", "trunc", "rint", "deg2rad",
                 "rad2deg", "spacing", "fabs"):  # fmt: skip
        with np.errstate(all="ignore"):
            assert_as_numpy(run(name, x, bits=bits), getattr(np, name)(x))
    assert np.array_equal(run("signbit", x, bits=bits), np.signbit(x))


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("char", "df")
def test_special_values_of_two_operands(char, bits):
    a, b = (v.ravel() for v in np.meshgrid(special_values(char), special_values(char)))
    with np.errstate(all="ignore"):
        for name in ("add", "subtract", "multiply", "divide", "remainder", "fmod", "floor_divide", "heaviside",
                     "nextafter", "copysign"):  # fmt: skip
            assert_as_numpy(run(name, a, b, bits=bits), getattr(np, name)(a, b))
        for name in ("power", "arctan2", "hypot"):
            assert_as_numpy(run(name, a, b, bits=bits), getattr(np, name)(a, b), 4)
        apart = (np.sign(a) == np.sign(b)) | (np.abs(a) > 20) | (np.abs(b) > 20)  # elsewhere sums may cancel
        for name in ("logaddexp", "logaddexp2"):
            expected = getattr(np, name)(a, b)
            kept = apart & (np.abs(expected) > 0.3) | ~np.isfinite(expected)
            assert_as_numpy(run(name, a, b, bits=bits)[kept], expected[kept], 4)
        for name in COMPARE:
            assert np.array_equal(run(name, a, b, bits=bits), getattr(np, name)(a, b))
        for name in ("xlogy", "xlog1py"):
            assert_as_numpy(run(name, a, b, bits=bits), getattr(scipy.special, name)(a, b), 4)
        zeros = (a == 0) & (b == 0)  # of which either may be taken
        for name in ("maximum", "minimum", "fmax", "fmin"):
            assert_as_numpy(run(name, a, b, bits=bits)[~zeros], getattr(np, name)(a, b)[~zeros])


@pytest.mark.parametrize("char", "bhilBHIL")
def test_integers(char):
    info = np.iinfo(char)
    edges = [info.min, info.min + 1, info.max - 1, info.max, 0, 1, 2, 3, 5, 7, 63]
    values = np.array(edges + ([-1, -2, -3, -7] if info.min else []), char)
    a, b = (v.ravel() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        for name in ("add", "subtract", "multiply", "floor_divide", "remainder", "left_shift", "right_shift",
                     "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"):  # fmt: skip
            assert np.array_equal(run(name, a, b), getattr(np, name)(a, b)), name
        for name in ("square", "sign", "absolute", "negative", "invert"):
            assert np.array_equal(run(name, values), getattr(np, name)(values)), name
        for name in COMPARE:
            assert np.array_equal(run(name, a, b), getattr(np, name)(a, b)), name


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("name", ["gammaln", "psi", "erfcx", "ndtr", "erfinv", "i0", "rgamma", "log_ndtr", "dawsn"])
def test_special_functions_are_those_of_scipy(name, char):
    x = np.concatenate([samples(-20, 20, char, 60), special_values(char)])
    with np.errstate(all="ignore"):
        assert_as_numpy(run(name, x), getattr(scipy.special, name)(x), 4)


@pytest.mark.parametrize("name", sorted(set(_scipy_functions()) - set(LIBM)))
def test_every_function_of_scipys(name):
    """With operands between 0 and 1, moderate ones, whole ones and those of both signs; infinity and NaN among them."""
    function, random = getattr(scipy.special, name), np.random.default_rng(0)
    draws = [
        lambda: random.uniform(0.01, 0.99, 40),
        lambda: random.uniform(0.5, 6, 40),
        lambda: random.integers(0, 8, 40).astype(float),
        lambda: 5 * random.normal(size=40),
        lambda: random.choice([0.0, -0.0, 0.5, np.inf, -np.inf, np.nan], 40),
    ]
    for k, draw in enumerate(draws):
        operands = [(draws[1] if i and k == 0 else draw)() for i in range(_scipy_functions()[name][1])]
        with np.errstate(all="ignore"):
            assert_as_numpy(run(name, *operands), function(*operands), 4)


def test_powers_of_two():
    x = special_values("d")
    a, b = (v.ravel() for v in np.meshgrid(x, np.array([-3000, -1075, -1022, -5, 0, 7, 1023, 3000])))
    with np.errstate(all="ignore"):
        assert_as_numpy(run("ldexp", a, b.astype(np.int64)), np.ldexp(a, b), 1)


def test_without_a_vector_library_each_lane_is_done_by_the_c_library():
    x = samples(-20, 20, "d", 50)
    for name in ("sin", "tanh", "erf", "exp"):
        owner = np if hasattr(np, name) else scipy.special
        assert_as_numpy(run(name, x, machine=target(WIDTHS[0], library=False)), getattr(owner, name)(x), 4)


@pytest.mark.parametrize("char", "df")
def test_two_registers_give_the_bits_of_one(char):
    x = by_size(np.concatenate([special_values(char), everywhere(char, 50)]))
    y = np.random.default_rng(4).permutation(x)
    bits = WIDTHS[0]
    names = [name for name in DOMAINS if name not in PAIR or (char == "d" and host().fused)]
    for name in [*names, "expit", "square", "sign", "remainder", "power", "arctan2", "logaddexp", "maximum", "less"]:
        operands = (x, y) if name in ("remainder", "power", "arctan2", "logaddexp", "maximum", "less") else (x,)
        with np.errstate(all="ignore"):
            two = run(name, *operands, bits=2 * bits, machine=target(bits))
            assert_as_numpy(two.astype(char), run(name, *operands, bits=bits).astype(char), 0)


def test_scalars():
    x = samples(-20, 20, "d", 20)
    for name in ("sin", "exp", "expit", "gammaln"):
        owner = np if hasattr(np, name) else scipy.special
        assert_as_numpy(run(name, x, bits=64), getattr(owner, name)(x), 4)


@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("name", [*LIBM, "expit", "logaddexp", "xlogy", "sincos sin", "sincos cos"])
def test_numbers_alone_have_the_bits_that_they_have_among_others(name, char):
    if name in PAIR and (char == "f" or not host().fused):
        pytest.skip("for double precision only")
    x = np.random.default_rng(0).permuted(np.concatenate([samples(-1, 1, char), samples(-100, 1e12, char)]))
    operands = (x, x[::-1]) if name in (*OF_TWO, "logaddexp", "xlogy") else (x,)
    with np.errstate(all="ignore"):
        among = run(name, *operands)
        for bits in (8 * x.itemsize, *[bits for bits in (128, 256) if bits < host().bits]):
            np.testing.assert_array_equal(run(name, *operands, bits=bits, machine=host()), among)


def test_neon_text_assembles():
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple("aarch64-unknown-linux-gnu").create_target_machine(opt=1)
    arm = Target(128, False, "aarch64", fused=True)
    for name in ("sin", "exp", "expit", "remainder", "maximum", "nextafter", "sign", "rint", "sincos sin"):
        operands = 2 if name in ("remainder", "maximum", "nextafter") else 1
        module = llvm.parse_assembly(text_of(name, "d" * operands, 2, arm))
        module.triple = "aarch64-unknown-linux-gnu"
        assert "one:" in machine.emit_assembly(module)


def test_what_is_supported():
    assert is_supported("sin")
    assert is_supported("floor_divide", "l")
    assert is_supported("logical_and", "d")
    assert not is_supported("sin", "l")
    assert not is_supported("gcd")


def test_the_environment_narrows_vectors():
    code = "from wengert.compiler.vectormath import host; print(host().bits)"
    environment = os.environ | {"WENGERT_VECTOR_BITS": "128", "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).stdout.strip() == b"128"
