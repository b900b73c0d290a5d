"""What NumPy's functions become: the numbers are NumPy's, and no call of NumPy's is left."""

import numpy as np
import pytest
from tests.compiler.recordings import recorded

import wengert as wg
from wengert.compiler.api import compile
from wengert.compiler.run import Plan
from wengert.transforms.containers import flatten

rng = np.random.default_rng(0)


def calls(plan):
    return [launch.value.setting.name for launch, _, _ in plan.launches if launch.name is None]


def compare(f, *args, native=True, rtol=1e-12, atol=1e-13):
    plan = Plan(recorded(f, *args))
    expected = [np.asarray(y) for y in flatten(f(*args))[0]]
    for found, wanted in zip(plan(*args), expected, strict=True):
        assert np.shape(found) == wanted.shape and found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol)
    if native:
        assert not calls(plan)
    return plan


def gradient(f, *args):
    def g(*xs):
        value, back = wg.vjp(f, *xs)
        return [value, *back(np.ones_like(np.asarray(f(*args))))]

    return g


def both(f, *args, **kwargs):
    compare(f, *args, **kwargs)
    compare(gradient(f, *args), *args, **kwargs)


# Products -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 4), (4, 5)), ((30, 40), (40, 50)), ((40,), (40, 30)), ((30, 40), (40,)), ((7,), (7,)),
        ((6, 30, 20), (6, 20, 9)), ((6, 30, 20), (20, 9)), ((30, 20), (6, 20, 9)), ((2, 1, 30, 20), (3, 20, 9)),
        ((2, 3, 20), (2, 20, 1)), ((30, 1), (1, 40)), ((1, 64), (64, 64)), ((64, 64), (64, 1)), ((0, 3), (3, 2)),
        ((2, 0), (0, 3)), ((300, 80), (80,)), ((300,), (300, 80)), ((700, 900), (900, 1)), ((7, 3001), (3001, 9)),
        ((300, 3), (3, 3)), ((3, 300), (300, 4)), ((2, 3, 100), (100, 2)), ((90, 2, 4), (4, 3)),
        ((90, 3, 3), (90, 3, 2)),
    ],
)  # fmt: skip
def test_matmul(left, right):
    both(np.matmul, rng.normal(size=left), rng.normal(size=right))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_matmul_of_views(dtype):
    x, y = (10 * rng.normal(size=(3, 24, 24))).astype(dtype), (10 * rng.normal(size=(24, 24))).astype(dtype)
    tolerance = {"rtol": 2e-4, "atol": 1e-3} if dtype == np.float32 else {}
    native = dtype != np.int64
    views = [
        lambda x, y: x.swapaxes(-1, -2) @ y,
        lambda x, y: x @ y.T,
        lambda x, y: x.transpose(1, 0, 2) @ y[:3],
        lambda x, y: x[:, 2:20, 4:] @ y[4:],
        lambda x, y: x[:, ::2] @ y[:, ::-1],
        lambda x, y: x[..., ::2] @ y[::2],
        lambda x, y: x[1] @ y[:, 5],
        lambda x, y: x[:, :, 3] @ y,
        lambda x, y: y[2] @ y[:, ::3],
    ]
    for f in views[1:2] + views[3:] + views[:1]:
        compare(f, x, y, native=native, **tolerance)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", [(30, 20), (20, 25)]), ("ij,jk", [(3, 4), (4, 2)]), ("ij->ji", [(5, 6)]), ("ii->i", [(6, 6)]),
        ("ii", [(6, 6)]), ("ijk->k", [(3, 4, 5)]), ("i,j->ij", [(9,), (8,)]),
        ("bij,bjk->bik", [(4, 20, 20), (4, 20, 20)]),
        ("bhid,bhjd->bhij", [(2, 3, 16, 8), (2, 3, 16, 8)]), ("ij,ij->", [(30, 20), (30, 20)]),
        ("...i,i", [(3, 4, 5), (5,)]),
        ("ij,jk,kl->il", [(10, 20), (20, 12), (12, 9)]), ("iij,jkk->ik", [(4, 4, 5), (5, 6, 6)]),
        ("ab,cd->", [(2, 3), (4, 5)]), ("ij,kj->ki", [(20, 30), (25, 30)]), ("abc,cb->a", [(9, 20, 30), (30, 20)]),
    ],
)  # fmt: skip
def test_einsum(subscripts, shapes):
    both(lambda *xs: np.einsum(subscripts, *xs), *[rng.normal(size=s) for s in shapes])


@pytest.mark.parametrize("f", [np.any, np.all])
def test_truth_values_where_something_holds(f):
    def chosen(x):
        whole = f(x > 0, where=x < 1), f(x > 0, axis=0, where=x < 1), f(x > 1, axis=1, where=x[0] > 0)
        parts = *whole, f(x > -1, axis=1, keepdims=True, where=x[:, :1] > 0), f(x > 0, where=[True, False, True])
        return np.concatenate(parts, axis=None)

    for _ in range(3):
        both(chosen, rng.normal(size=(4, 3)))


@pytest.mark.parametrize("kind", ["i1", "i8", "u1", "f4"])
def test_what_is_added_in_place_is_made_whole_with_the_sum(kind):
    def f(x, w):
        w = w.copy()
        np.add.at(w, 0, x)
        np.add.at(w, (1, 2), 2.7)
        return w

    w = np.arange(12).reshape(3, 4).astype(kind) - np.array(3).astype(kind)
    fast = compile(f)
    for k in range(4):
        np.testing.assert_allclose(fast(np.array([2.7 + k]), w), f(np.array([2.7 + k]), w), 1e-6)


def test_einsum_over_nothing():
    def f(a, b):
        return np.einsum("...j,...j->...", a, b)

    plan = Plan(recorded(f, np.ones((2, 0)), np.array([np.inf])))
    np.testing.assert_array_equal(plan(np.ones((2, 0)), np.array([np.inf]))[0], [0, 0])


def test_other_products():
    x, y, v = rng.normal(size=(6, 20, 30)), rng.normal(size=(30, 20)), rng.normal(size=20)
    both(lambda x, y: np.tensordot(x, y, axes=([1, 2], [1, 0])), x, y)
    both(lambda x, y: np.tensordot(x, y, 1), x, y)
    both(np.kron, y[:4, :3], y[:2])
    both(lambda x, v: np.outer(x[0, 0], v), x, v)
    both(np.inner, y, v)
    both(lambda y, v: np.dot(y, v) + np.vecdot(y, v), y, v)
    both(np.matvec, y, v)
    both(np.vecmat, v, np.ascontiguousarray(y.T))
    both(np.cross, rng.normal(size=(5, 3)), rng.normal(size=3))


def test_shared_matrix_has_one_product_for_the_whole_batch():
    x, w = rng.normal(size=(6, 30, 20)), rng.normal(size=(20, 25))
    plan = compare(gradient(np.matmul, x, w), x, w)
    assert plan.text.count("dgemm") == 3 + 1, "value, both gradients, and one declaration"


# Indexing -----------------------------------------------------------------------------------------------------------

TABLE = rng.normal(size=(9, 7, 5))
PLACES = rng.integers(-9, 9, 12)
COLUMNS = rng.integers(0, 7, (4, 12))
READS = {
    "rows": lambda x, i, k: x[i],
    "columns": lambda x, i, k: x[:, k],
    "pairs": lambda x, i, k: x[i, k],
    "apart": lambda x, i, k: x[i, :, 0],
    "with a number": lambda x, i, k: x[3, k],
    "with an axis": lambda x, i, k: x[None, i, ..., ::2],
    "take": lambda x, i, k: np.take(x, i, axis=0, mode="wrap"),
    "in a view": lambda x, i, k: x[:, 1:6].transpose(2, 0, 1)[:, i, 2],
    "computed": lambda x, i, k: np.exp(x)[i] * 2,
    "along an axis": lambda x, i, k: np.take_along_axis(x[:, :, 0], k % 7, 1),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("given", ["constant", "argument"])
def test_gather(name, given):
    read = READS[name]
    along = name == "along an axis"
    places, columns = PLACES, COLUMNS[:, :9].T.copy() if along else COLUMNS
    if given == "constant":
        both(lambda x: read(x, places, columns), TABLE)
    else:
        native = not (along or name == "take")
        compare(lambda x, i, k: read(x, i, k), TABLE, places, columns, native=native)
        back = lambda x, i, k: wg.grad(lambda x: np.sum(np.sin(read(x, i, k))))(x)  # noqa: E731
        compare(back, TABLE, places, columns, native=native)


def test_places_out_of_bounds_are_numpys_error():
    plan = Plan(recorded(lambda x, i: x[i], TABLE, PLACES))
    for wrong in (np.full(12, 9), np.full(12, -10), np.full(12, 1 << 60)):
        with pytest.raises(IndexError, match="out of bounds"):
            plan(TABLE, wrong)
    np.testing.assert_array_equal(plan(TABLE, np.arange(12) - 6)[0], TABLE[np.arange(12) - 6])


def test_writes():
    x, i = rng.normal(size=(9, 40)), rng.integers(0, 9, 30)
    values = rng.normal(size=(30, 40))

    def assigned(x, v):
        y = np.copy(x)
        y[i] = v
        y[:, ::2] = 1.5
        y[2:5, 3] = v[:3, 0]
        return y

    def added(x, v, i):
        y = np.copy(x)
        np.add.at(y, i, v)
        np.add.at(y, (i, i), 2.0)
        return y

    compare(assigned, x, values)
    compare(added, x, values, i)


def test_writes_of_nothing():
    def f(x):
        y = np.copy(x)
        y[::2, 3:] = 1.0
        y[PLACES[:0]] = 2.0
        np.add.at(y, (PLACES[:0], slice(None)), 3.0)
        return y

    compare(f, rng.normal(size=(5, 3)))


def test_masks():
    x = rng.normal(size=(6, 5))

    def clipped(x):
        y = np.copy(x)
        y[y > 0.5] = 0.5
        y[x[:, 0] > 0] = np.arange(5.0)
        return y

    compare(clipped, x)
    mask = x > 0
    both(lambda x: x[mask] * 2, x)


def test_what_was_written_is_read_back():
    def steps(x):
        y = wg.zeros((4, 5))
        for k in range(4):
            y[k] = x[k] * (y[k - 1] if k else 1.0)
        return y

    plan = compare(steps, rng.normal(size=(4, 5)))
    assert len(plan.launches) <= 4


# Shapes and reductions ----------------------------------------------------------------------------------------------

CUBE = rng.normal(size=(4, 6, 5))
SHAPES = {
    "flip": lambda x: np.flip(x, 1) + np.roll(x, 2, 0) + np.roll(x, (1, -1), (1, 2)),
    "roll all": lambda x: np.roll(x, 7),
    "tile": lambda x: np.tile(x[0], (2, 3)),
    "repeat": lambda x: np.repeat(x, 3, axis=1),
    "repeat unevenly": lambda x: np.repeat(x, [1, 0, 2, 3], axis=0),
    "join": lambda x: np.concatenate([x, x[::2], np.ones((1, 6, 5))]),
    "stack": lambda x: np.stack([x[0], x[1] * 2], axis=-1),
    "split": lambda x: np.split(x, 3, axis=1)[1],
    "pad": lambda x: np.pad(x, ((1, 2), (0, 0), (2, 1))),
    "pad copies": lambda x: np.pad(x, 2, mode="reflect"),
    "triangles": lambda x: np.tril(x, 1) + np.triu(x, -2),
    "diagonals": lambda x: np.diagonal(x, 1, 0, 2)[:, None] * np.trace(x, axis1=1, axis2=2)[0],
    "on a diagonal": lambda x: np.diag(x[0, 0]) + np.diag(x[0, 0, :4], 1) + np.diag(x[0, 0, :3], -2),
    "fortran": lambda x: np.reshape(x, (8, 15), order="F"),
    "moved": lambda x: np.moveaxis(x, 0, -1)[::-1, 2:].swapaxes(0, 2).reshape(-1),
    "differences": lambda x: np.diff(x, 2, axis=1),
    "sums": lambda x: np.cumsum(x, axis=1),
    "long sums": lambda x: np.cumsum(x.reshape(-1)),
    "products": lambda x: np.cumprod(x, axis=2),
    "moments": lambda x: np.var(x, axis=(0, 2)) + np.std(x, axis=(0, 2), ddof=1) + np.mean(x, axis=(0, 2)),
    "norms": lambda x: np.linalg.norm(x, axis=1) + np.linalg.norm(x[..., 0, :], axis=-1, keepdims=True),
    "extrema": lambda x: np.ptp(x, axis=1) + np.max(x, axis=1) * np.min(x, axis=1),
    "logical": lambda x: x * np.any(x > 1, axis=1, keepdims=True) + np.all(x > -2) + np.count_nonzero(x > 0),
    "choices": lambda x: np.where(x > 0, np.sin(x), 1.0) + np.clip(x, -0.5, 0.5) + np.select([x > 1], [-x], 0.5),
    "softmax": lambda x: wg.softmax(x, axis=1) + wg.logsumexp(x, axis=1, keepdims=True),
    "repeated sums": lambda x: np.sum(np.broadcast_to(x[:, :1], x.shape), axis=1),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name):
    both(SHAPES[name], CUBE)


def test_extrema_of_what_is_present():
    x = np.where(rng.random((5, 40)) < 0.3, np.nan, rng.normal(size=(5, 40)))
    x[2] = np.nan
    compare(lambda x: np.fmax.reduce(x, axis=1) + np.fmin.reduce(x, axis=1, keepdims=True), x)


def test_sums_of_what_is_broadcast_are_multiplications():
    plan = compare(lambda x: np.sum(np.broadcast_to(x[:, None], (5, 1000))), rng.normal(size=5))
    assert "1000" not in plan.text.replace("0x", "")


def test_negative_zeros_stay():
    x = np.array([-0.0, 0.0, 1.0])
    for f in (lambda x: x + 0.0, lambda x: x - 0.0, lambda x: x * 1.0, lambda x: 0.0 - x, lambda x: x**0.5):
        (found,) = Plan(recorded(f, x))(x)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(f(x)))


# Linear algebra -----------------------------------------------------------------------------------------------------

STACK = rng.normal(size=(3, 8, 8)) + 4 * np.eye(8)
SIDES = rng.normal(size=(3, 8, 2))


def positive(x):
    return x @ x.swapaxes(-1, -2) + np.eye(8)


LINALG = {
    "solve": lambda a, b: np.linalg.solve(a, b),
    "vector": lambda a, b: np.linalg.solve(a[0], b[0, :, 0]),
    "shared": lambda a, b: np.linalg.solve(a[0], b),
    "inverse": lambda a, b: np.linalg.inv(a),
    "determinant": lambda a, b: np.linalg.det(a),
    "logarithm": lambda a, b: np.linalg.slogdet(a)[1],
    "cholesky": lambda a, b: np.linalg.cholesky(positive(a)),
    "gaussian": lambda a, b: np.sum(b * np.linalg.solve(positive(a), b)) + np.linalg.slogdet(positive(a))[1],
}  # fmt: skip


@pytest.mark.parametrize("name", LINALG)
def test_linear_algebra(name):
    both(LINALG[name], STACK, SIDES, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("trans", [0, 1])
@pytest.mark.parametrize("unit", [False, True])
def test_triangular_solves(lower, trans, unit):
    from wengert.scipy.linalg import solve_triangular

    def f(a, b):
        return solve_triangular(a, b, trans=trans, lower=lower, unit_diagonal=unit)

    both(lambda a, b: f(a[0], b[0]) + f(a[0].T, b[0]), STACK / 9, SIDES, rtol=1e-9)


def test_a_factorisation_serves_all():
    plan = Plan(recorded(gradient(np.linalg.solve, STACK, SIDES), STACK, SIDES))
    assert plan.text.count("call void @scipy_lapack_dgetrf") == 1


def test_failures_are_numpys_errors():
    good, singular = np.eye(3), np.ones((3, 3))
    for f, wrong, words in (
        (np.linalg.inv, singular, "Singular matrix"),
        (lambda a: np.linalg.solve(a, a), singular, "Singular matrix"),
        (np.linalg.cholesky, -good, "not positive definite"),
    ):
        plan = Plan(recorded(f, good))
        assert not calls(plan)
        with pytest.raises(np.linalg.LinAlgError, match=words):
            plan(wrong)
    assert Plan(recorded(np.linalg.det, good))(singular)[0] == 0


def test_a_guard_decides_before_a_check_fails():
    def f(a):
        return np.sum(a) if np.linalg.det(a) == 0 else np.sum(np.linalg.inv(a))

    fast = compile(f)
    for a in (np.eye(3), np.ones((3, 3)), 2 * np.eye(3), np.ones((3, 3)), np.eye(3)):
        np.testing.assert_allclose(fast(a), f(a))
    with pytest.raises(np.linalg.LinAlgError):
        compile(np.linalg.inv)(np.ones((3, 3)))


def test_errors_are_raised_by_native_entries():
    fast = compile(lambda x, i: np.sum(x[i] * 2))
    for i in ([0, 1], [-9, 8], [3, 3]):
        np.testing.assert_allclose(fast(TABLE, np.array(i)), np.sum(TABLE[i] * 2))
    with pytest.raises(IndexError, match="out of bounds"):
        fast(TABLE, np.array([0, 9]))
    np.testing.assert_allclose(fast(TABLE, np.array([5, 6])), np.sum(TABLE[[5, 6]] * 2))


@pytest.mark.parametrize("seed", range(20))
def test_random_einsums(seed):
    draw = np.random.default_rng(seed)
    lengths = dict(zip("abcde", draw.choice([1, 2, 3, 7, 19], 5).tolist(), strict=True))
    terms = ["".join(draw.choice(list("abcde"), draw.integers(1, 4))) for _ in range(draw.integers(1, 4))]
    letters = sorted(set("".join(terms)))
    output = "".join(draw.permutation(letters)[: draw.integers(0, len(letters) + 1)])
    operands = [draw.normal(size=[lengths[c] for c in term]) for term in terms]
    compare(lambda *xs: np.einsum(f"{','.join(terms)}->{output}", *xs), *operands, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("ufunc", [np.logaddexp, np.logaddexp2, np.hypot])
def test_few_elements_are_combined_one_after_the_other(ufunc):
    x = rng.normal(size=(4, 5, 3))
    for axis, keepdims in ((0, False), (1, True), (-1, False)):
        both(lambda x, axis=axis, keepdims=keepdims: ufunc.reduce(x, axis=axis, keepdims=keepdims), x)
    with np.errstate(invalid="ignore"):
        compare(lambda x: ufunc.reduce(x), np.array([[-np.inf, np.inf, np.nan, 0.0], [-np.inf, -np.inf, 1.0, -0.0]]))
        compare(lambda x: ufunc.reduce(x), np.array([[-np.inf, -2.0, 3.0, -0.0]]))


def test_least_squares_decide_by_the_rank_only():
    def f(a, b):
        x, residuals, rank, values = np.linalg.lstsq(a, b, rcond=None)
        return np.sum(x**2) + np.sum(residuals) * rank + values[0]

    fast, slope = compile(f), compile(wg.grad(f))
    for k in range(3):
        a, b = np.random.default_rng(k).normal(size=(6, 3)), np.arange(6.0) + k
        np.testing.assert_allclose(fast(a, b), f(a, b), rtol=1e-12)
        np.testing.assert_allclose(slope(a, b), wg.grad(f)(a, b), rtol=1e-9)
    assert fast.stats()["recordings"] == slope.stats()["recordings"] == 1
    a[:, 2] = a[:, 0]
    np.testing.assert_allclose(fast(a, b), f(a, b), rtol=1e-9)
