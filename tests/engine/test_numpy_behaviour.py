"""A tensor behaves as the array in it does: values, dtypes, scalars, errors, operators and keywords of NumPy's."""

import operator

import numpy as np
import pytest
import scipy.special

import wengert as wg
from wengert.errors import MissingRuleError

A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
V = np.array([2.0, 0.5, 1.5])


def leaf(a):
    return wg.tensor(a, requires_grad=True)


def value(t):
    return t.data if isinstance(t, wg.Tensor) else t


def outcome(f, *arguments):
    """What a call gives: value and dtype, or the kind of error."""
    try:
        result = f(*arguments)
    except Exception as error:
        return type(error)
    if isinstance(result, (tuple, list)):
        return [np.asarray(value(r)) for r in result]
    return np.asarray(value(result))


def check_same(f, *arrays):
    """`f` on tensors (recorded and not) does what `f` on arrays does; an error may be of a derived class."""
    expected = outcome(f, *[a.copy() for a in arrays])
    for make in (wg.tensor, leaf):
        got = outcome(f, *map(make, arrays))
        if isinstance(expected, type):
            assert isinstance(got, type), (got, expected)
            assert issubclass(got, expected), (got, expected)
        elif isinstance(expected, list):
            for g, e in zip(got, expected, strict=True):
                np.testing.assert_array_equal(g, e, strict=True)
        else:
            np.testing.assert_array_equal(got, expected, strict=True)


# Operators -------------------------------------------------------------------------------------------------------

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow]
COMPARISONS = [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]


@pytest.mark.parametrize("op", BINARY + COMPARISONS)
@pytest.mark.parametrize("other", [2, 2.5, np.float32(2), np.float64(0.5), V, V.astype(np.float32), np.arange(1, 4)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_operators_with_numbers_and_arrays_on_either_side(op, other):
    for base in (np.abs(A), np.abs(A).astype(np.float32)):
        check_same(lambda a: op(a, other), base)
        check_same(lambda a: op(other, a), base)


@pytest.mark.parametrize("op", BINARY + COMPARISONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_operators_between_tensors(op):
    check_same(op, np.abs(A), V)
    check_same(op, np.abs(A).astype(np.float32), V)


@pytest.mark.parametrize("op", [operator.neg, operator.pos, abs])
def test_unary_operators(op):
    check_same(op, A)
    check_same(op, A.astype(np.float32))


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor, operator.lshift, operator.invert, divmod])
def test_integer_operators(op):
    i, j = np.array([6, 5, 4]), np.array([3, 2, 1])
    expected = op(i) if op is operator.invert else op(i, j)
    got = op(wg.tensor(i)) if op is operator.invert else op(wg.tensor(i), j)
    np.testing.assert_array_equal(value(got) if not isinstance(got, tuple) else [value(g) for g in got], expected)


def test_divmod_of_recorded_values_differentiates():
    x = leaf(np.array([5.5, -7.25]))
    quotient, rest = divmod(x, 2.0)
    np.testing.assert_array_equal(value(quotient), [2.0, -4.0])
    np.sum(rest).backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])


def test_matmul_on_either_side():
    m = np.arange(6.0).reshape(3, 2)
    check_same(lambda a: a @ m, A)
    check_same(lambda a: m @ a, A)
    check_same(lambda a: a @ V, A)
    check_same(lambda a: V @ a, A.T.copy())
    check_same(lambda a: a @ a, V)
    check_same(lambda a: a @ a, A)  # the shapes do not fit
    check_same(lambda a: a @ 2.0, A)
    x = leaf(V)
    np.sum(m.T @ x).backward()
    np.testing.assert_array_equal(x.grad, m.sum(1))


def test_an_array_on_the_left_gives_a_recorded_tensor():
    x = leaf(V)
    for y in (V * x, V + x, V - x, V / x, V**x, A @ x, np.float64(2) * x, np.float32(2) * x, 2 * x, 2**x, V[0] * x[0]):
        assert isinstance(y, wg.Tensor)
        assert y.requires_grad


def test_comparisons_give_plain_booleans():
    x = leaf(V)
    assert type(x > 1) is np.ndarray
    assert (x > 1).dtype == bool
    assert type(x[0] > 1) is np.bool_
    assert type(x > V) is np.ndarray
    np.testing.assert_array_equal(x == V, [True] * 3)
    assert (x == None) is not True  # noqa: E711
    assert x is not None


def test_tensors_are_hashable_by_identity():
    x, y = leaf(V), leaf(V)
    assert len({x, y}) == 2
    assert {x: 1}[x] == 1


def test_membership():
    assert 2.0 in leaf(V)
    assert 9.0 not in leaf(V)


# Scalars and dtypes ----------------------------------------------------------------------------------------------


def test_scalars_stay_numpy_scalars():
    x = leaf(V)
    for t in (np.sum(x), x[0], x[0] * 2, np.sin(x[0]), x @ x, x.max(), leaf(2.0), leaf(2.0) + 1, wg.tensor(2.0)):
        assert type(t.data) is np.float64
    assert type(np.sum(leaf(V.astype(np.float32))).data) is np.float32


def test_scalar_arithmetic_follows_numpy_and_not_python():
    x = leaf(0.0)
    with np.errstate(all="ignore"):
        assert np.isinf((1.0 / x).data)
        assert np.isnan((x / x).data)
        assert np.isinf((x**-1.0).data)
        assert np.isinf(np.exp(leaf(1000.0)).data)
        (1.0 / x).backward()
    assert np.isinf(x.grad.data)


DTYPES = [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("other", [2, 2.0, True, np.int8(2), np.float32(2), np.float64(2), 1j])
def test_promotion_is_numpys_and_gradients_come_back_in_the_leafs_dtype(dtype, other):
    array = V.astype(dtype)
    x = leaf(array)
    y = x * other + other
    assert y.dtype == (array * other + other).dtype
    y.backward(np.ones(3, y.dtype))
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_functions_keep_the_dtype(dtype):
    x = leaf(V.astype(dtype))
    for f in (np.sin, np.sum, np.mean, np.cumsum, np.max, np.tanh, np.sqrt, np.prod, np.std, np.linalg.norm):
        y = f(x)
        assert y.dtype == f(x.data).dtype, f
        x.zero_grad()
        y.backward(np.ones(y.shape, y.dtype))
        assert x.grad.dtype == dtype, f


def test_integers_and_booleans_compute_as_in_numpy():
    i = np.array([1, 2, 3])
    for f in (lambda a: a + 1, lambda a: a / 2, lambda a: a * 1.5, np.sum, np.mean, lambda a: a**2, lambda a: a > 1):
        np.testing.assert_array_equal(value(f(wg.tensor(i))), f(i), strict=True)


def test_creation_dtypes_are_numpys():
    for data in ([1, 2], [1.0], [True], 3, 3.0, np.float32(1), [1j]):
        assert wg.tensor(data).dtype == np.array(data).dtype
    assert wg.tensor([1, 2], dtype=np.float32).dtype == np.float32
    assert wg.zeros(3).dtype == np.float64
    assert wg.arange(3).dtype == np.arange(3).dtype
    assert wg.full(2, 7).dtype == np.full(2, 7).dtype
    assert wg.eye(2, dtype=np.float32).dtype == np.float32


# Attributes and iteration ----------------------------------------------------------------------------------------


def test_attributes():
    x = leaf(A)
    assert (x.shape, x.ndim, x.size, x.itemsize, x.nbytes, len(x)) == ((2, 3), 2, 6, 8, 48, 2)
    np.testing.assert_array_equal(x.T.data, A.T)
    np.testing.assert_array_equal(x.mT.data, A.T)
    np.testing.assert_array_equal(x.real.data, A)


def test_iteration_gives_recorded_rows():
    x = leaf(A)
    first, second = x
    np.sum(first * 2 + second * 3).backward()
    np.testing.assert_array_equal(x.grad, [[2.0] * 3, [3.0] * 3])
    assert [t.item() for t in leaf(V)] == list(V)
    assert list(map(np.shape, leaf(np.zeros((0, 2))))) == []
    assert [r.shape for r in reversed(x)] == [(3,), (3,)]
    assert [(i, r.item()) for i, r in enumerate(leaf(V))] == list(enumerate(V))


def test_scalars_have_no_length_and_cannot_be_iterated():
    for step in (len, iter, list):
        with pytest.raises(TypeError):
            step(leaf(1.0))


def test_truth():
    assert bool(leaf(np.ones((1, 1))))
    assert not leaf(0.0)
    for t in (leaf(V), wg.tensor(np.zeros(0))):
        with pytest.raises(ValueError, match="ambiguous"):
            bool(t)


def test_unpacking_and_starred_arguments():
    a, *rest = leaf(V)
    assert len(rest) == 2
    assert np.hypot(*leaf(V)[:2]).requires_grad
    assert a.requires_grad


# Indexing --------------------------------------------------------------------------------------------------------

INDICES = [
    0,
    -1,
    slice(1),
    slice(None, None, -1),
    (0, 1),
    (slice(None), 1),
    Ellipsis,
    (Ellipsis, 0),
    None,
    (None, 0, None),
    [0, 1],
    [],
    [[0, 1], [1, 0]],
    np.array([True, False]),
    A > 0,
    (np.array([0, 1]), np.array([1, 2])),
    (0, [0, 2]),
    np.int64(1),
    (slice(None), [True, False, True]),
    np.array(1),
    True,
    False,
    (1, -1),
    (slice(0, 0),),
    (),
]
BAD_INDICES = [
    5,
    -4,
    (0, 0, 0),
    1.0,
    "a",
    (0, 3),
    [0, 5],
    np.array([1.0]),
    slice(None, None, 0),
    (Ellipsis, Ellipsis),
    A > 0.5,
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_indices_of_every_kind_read_and_differentiate(index):
    check_same(lambda a: a[index], A)
    x = leaf(A)
    y = x[index]
    weights = np.random.default_rng(0).normal(size=y.shape)
    y.backward(weights)
    expected = np.zeros_like(A)
    np.add.at(expected, index, weights)
    np.testing.assert_array_equal(x.grad, expected)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_indices_of_every_kind_write_and_differentiate(index):
    shape = A[index].shape
    u = np.random.default_rng(0).normal(size=shape)
    expected = A.copy()
    expected[index] = u
    x, v = leaf(A), leaf(u)
    y = x * 1.0
    y[index] = v
    np.testing.assert_array_equal(y.data, expected)
    weights = np.arange(1.0, 7.0).reshape(2, 3)
    y.backward(weights)
    kept = weights.copy()
    kept[index] = 0.0
    np.testing.assert_array_equal(np.zeros_like(A) if x.grad is None else x.grad, kept)
    writers = np.full(A.shape, -1)
    writers[index] = np.arange(u.size).reshape(shape)  # the last one wins
    gradient = np.zeros(u.size)
    gradient[writers[writers >= 0]] = weights[writers >= 0]
    np.testing.assert_array_equal(v.grad, gradient.reshape(shape))


@pytest.mark.parametrize("index", BAD_INDICES, ids=repr)
@pytest.mark.parametrize("make", [wg.tensor, leaf])
def test_bad_indices_raise_what_numpy_raises(index, make):
    with pytest.raises(Exception) as expected:
        (A.T if isinstance(index, np.ndarray) and index.shape == A.shape else A)[index]
    target = A.T.copy() if isinstance(index, np.ndarray) and index.shape == A.shape else A
    with pytest.raises(expected.type):
        make(target)[index]
    with pytest.raises(expected.type):
        (make(target) * 1.0)[index] = 1.0


@pytest.mark.parametrize("u", [np.ones(2), np.ones((2, 2)), np.ones((3, 3))])
def test_values_that_do_not_broadcast_into_the_region_are_refused(u):
    for make in (wg.tensor, leaf):
        x = make(A) * 1.0
        with pytest.raises(ValueError, match=r"broadcast|shape"):
            x[0] = u
        np.testing.assert_array_equal(x.data, A)


def test_a_failed_write_of_a_recorded_value_records_nothing():
    x = leaf(A) * 1.0
    node = x.grad_fn
    with pytest.raises(ValueError, match=r"broadcast|shape"):
        x[0] = leaf(np.ones(2))
    assert x.grad_fn is node
    np.testing.assert_array_equal(x.data, A)


def test_values_with_leading_ones_are_written_as_numpy_does():
    x, v = leaf(A), leaf(np.ones((1, 1, 3)))
    y = x * 1.0
    y[0] = v
    np.sum(y * np.arange(3.0)).backward()
    np.testing.assert_array_equal(v.grad, np.arange(3.0).reshape(1, 1, 3))


def test_values_are_cast_to_the_buffers_dtype():
    x, v = leaf(A.astype(np.float32)), leaf(V)
    y = x * 1.0
    y[0] = v
    assert y.dtype == np.float32
    np.sum(y).backward()
    assert v.grad.dtype == np.float64
    assert x.grad.dtype == np.float32


def test_tensors_as_indices():
    x = leaf(V)
    for index in (wg.tensor(1), wg.tensor([0, 2]), wg.tensor([True, False, True])):
        np.testing.assert_array_equal(x[index].data, V[index.data])
    with pytest.raises(IndexError):
        x[leaf(1.0)]


def test_writing_complex_values_into_real_buffers():
    x = leaf(V) * 1.0
    with pytest.raises(TypeError):
        x[0] = 1j
    with pytest.warns(np.exceptions.ComplexWarning):
        x[:1] = np.array([1j])


def test_broadcast_views_are_read_only():
    y = np.broadcast_to(leaf(V) * 1.0, (2, 3))
    for step in (lambda: y.__setitem__(0, 1.0), lambda: y.__iadd__(1.0)):
        with pytest.raises(ValueError, match="read-only"):
            step()
    np.testing.assert_array_equal(y.data, np.broadcast_to(V, (2, 3)))


# In place --------------------------------------------------------------------------------------------------------

IN_PLACE = [
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ipow,
    operator.imod,
    operator.ifloordiv,
]


@pytest.mark.parametrize("op", IN_PLACE)
@pytest.mark.parametrize("other", [2, 2.0, V, np.float32(2), V.astype(np.float32)])
def test_in_place_operators_keep_identity_and_dtype(op, other):
    for dtype in (np.float64, np.float32):
        plain = np.abs(A).astype(dtype)
        for make in (wg.tensor, lambda a: leaf(a) * 1):
            x = make(plain)
            alias, view = x, x[0]
            x = op(x, other)
            expected = op(plain.copy(), other)
            assert x is alias
            np.testing.assert_array_equal(x.data, expected, strict=True)
            np.testing.assert_array_equal(view.data, expected[0], strict=True)


@pytest.mark.parametrize(
    ("other", "error"), [(np.ones((2, 2, 3)), ValueError), (np.ones((4, 3)), ValueError), (1j, TypeError)]
)
def test_in_place_results_that_do_not_fit_are_refused(other, error):
    for make in (np.copy, wg.tensor, lambda a: leaf(a) * 1.0):
        x = make(A)
        with pytest.raises(error):
            x += other
        np.testing.assert_array_equal(value(x), A)


def test_integers_in_place_refuse_floats():
    x = wg.tensor([1, 2])
    with pytest.raises(TypeError):
        x += 0.5
    with pytest.raises(TypeError):
        x /= 2
    with pytest.raises((TypeError, RuntimeError)):
        x += leaf(np.ones(2))
    np.testing.assert_array_equal(x.data, [1, 2])


def test_scalars_are_rebound_and_not_written():
    x = leaf(V)
    y = np.sum(x)
    z = y
    y += 1.0
    assert z.item() == 4.0
    assert y.item() == 5.0
    m = wg.tensor(1.0)
    n = m
    m += 1.0
    assert n.item() in (1.0, 2.0)


def test_zero_dimensional_tensors_can_be_written():
    x = wg.zeros(())
    x[...] = 3.0
    x[()] += 1.0
    assert x.item() == 4.0
    y = leaf(2.0)
    x[...] = y * y
    x.backward()
    assert y.grad.item() == 4.0


# Keywords of ufuncs ----------------------------------------------------------------------------------------------


def test_out_takes_the_result_and_its_gradient():
    x = leaf(V)
    out = wg.zeros(3)
    assert np.sin(x, out=out) is out
    np.sum(out).backward()
    np.testing.assert_allclose(x.grad, np.cos(V))


def test_out_may_be_an_operand_or_a_view():
    x = leaf(A)
    y = x * 1.0
    np.multiply(y, y, out=y)
    np.exp(y[0], y[1])
    np.sum(y).backward()
    np.testing.assert_allclose(x.grad, [2 * A[0] * (1 + np.exp(A[0] ** 2)), [0.0] * 3])


def test_out_with_where_keeps_the_rest():
    x, y = leaf(V), leaf(V * 10)
    out = y * 1.0
    mask = np.array([True, False, True])
    np.sin(x, out=out, where=mask)
    np.testing.assert_allclose(out.data, np.where(mask, np.sin(V), V * 10))
    np.sum(out).backward()
    np.testing.assert_allclose(x.grad, np.where(mask, np.cos(V), 0))
    np.testing.assert_array_equal(y.grad, [0.0, 1.0, 0.0])


def test_where_without_out_differentiates_where_it_computes():
    x = leaf(V)
    mask = np.array([True, False, True])
    np.sum(np.log(x, where=mask)[mask]).backward()
    np.testing.assert_allclose(x.grad, np.where(mask, 1 / V, 0))


def test_where_hides_singular_points():
    x = leaf(np.array([4.0, 0.0, -1.0]))
    out = np.zeros_like(x)
    np.sqrt(x, out=out, where=x > 0)
    np.sum(out).backward()
    np.testing.assert_array_equal(x.grad, [0.25, 0.0, 0.0])


def test_dtype_keyword():
    x = leaf(V)
    y = np.add(x, 1.0, dtype=np.float32)
    assert y.dtype == np.float32
    np.sum(y).backward()
    assert x.grad.dtype == np.float64
    assert np.sum(x, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.add.reduce(x),
        lambda x: np.add.reduce(x, axis=0, keepdims=True),
        lambda x: np.add.accumulate(x),
        lambda x: np.multiply.reduce(x),
        lambda x: np.maximum.reduce(x),
        lambda x: np.multiply.outer(x, V),
        lambda x: np.add.outer(V, x),
        lambda x: np.subtract.outer(x, x),
        lambda x: np.add.reduceat(x, [0, 2]),
        lambda x: np.multiply.accumulate(x),
        lambda x: np.logaddexp.reduce(x),
        lambda x: np.minimum.accumulate(x),
    ],
)
def test_methods_of_ufuncs(f):
    x = leaf(V)
    try:
        y = f(x)
    except MissingRuleError as error:
        assert "." in str(error).split("]")[0]
        np.testing.assert_array_equal(value(f(wg.tensor(V))), f(V))
        return
    np.testing.assert_array_equal(y.data, f(V))
    np.sum(y).backward()
    step = 1e-6
    for i in range(3):
        e = np.eye(3)[i] * step
        slope = (np.sum(f(V + e)) - np.sum(f(V - e))) / (2 * step)
        np.testing.assert_allclose(x.grad.data[i], slope, rtol=1e-6)


def test_at_of_other_ufuncs():
    x = leaf(V)
    y = x * 1.0
    np.subtract.at(y, [0, 0], leaf(np.ones(2)))
    np.testing.assert_array_equal(y.data, V - [2.0, 0, 0])
    np.multiply.at(y, [0], 2.0)
    np.testing.assert_array_equal(y.data, [2 * V[0] - 4, V[1], V[2]])
    t = wg.tensor(V)
    shared = t.detach()
    np.multiply.at(t, [0, 0], 2.0)
    np.maximum.at(t, [1], 9.0)
    np.testing.assert_array_equal(t.data, [V[0] * 4, 9.0, V[2]])
    np.testing.assert_array_equal(shared.data, V)


@pytest.mark.parametrize("kind", ["f8", "f4", "i8", "u1", "i1", "c16", "?"])
@pytest.mark.parametrize("value", [3, 2.5, True, np.uint8(200), [1, 2], np.array([1, 2], "u1"),
                                   np.array([-128, 3], "i1"), np.array([1.5, 2.0])])  # fmt: skip
def test_what_is_subtracted_at_places_is_subtracted_in_the_dtype_of_both(kind, value):
    def f(w):
        w = w.copy()
        np.subtract.at(w, [0, 0] if np.ndim(value) else [0, 2], value)
        return w

    x = np.arange(5).astype(kind)
    ways = {
        "tensor": lambda: f(wg.tensor(x)).numpy(), "batch": lambda: wg.vmap(f)(x[None])[0], "compiled": lambda: fast(x),
    }  # fmt: skip
    fast = wg.compile(f)
    try:
        expected = f(x)
    except (TypeError, OverflowError) as error:
        for way in ways.values():
            with pytest.raises(type(error)):
                way()
        return
    for way in (*ways.values(), ways["compiled"]):
        assert way().dtype == expected.dtype
        np.testing.assert_array_equal(way(), expected)


OF_OUT = {
    "sum": lambda x, out: np.sum(x, axis=0, out=out),
    "by position": lambda x, out: np.sum(x, 0, None, out),
    "method": lambda x, out: x.sum(0, out=out),
    "prod": lambda x, out: np.prod(x / 2, axis=0, out=out),
    "reduce": lambda x, out: np.add.reduce(x, axis=0, out=out),
    "another dtype": lambda x, out: np.sum(x, axis=0, dtype="f4", out=out),
    "cumsum": lambda x, out: np.cumsum(x[:, 0], out=out[0])[:],
}


@pytest.mark.parametrize("name", OF_OUT)
@pytest.mark.parametrize("kinds", [("f4", "f8"), ("f8", "f4"), ("i1", "f8"), ("i8", "i4"), ("f2", "f8")])
def test_sums_are_of_the_dtype_that_they_are_written_in(kinds, name):
    function = OF_OUT[name]
    x = (1 + np.arange(80) % 7 / 3).reshape(20, 4).astype(kinds[0])

    def f(x):
        out = np.zeros((4, 20) if name == "cumsum" else 4, kinds[1])
        function(x, out)
        return out

    try:
        expected = f(x)
    except TypeError:
        with pytest.raises(TypeError):
            wg.compile(f)(x)
        return
    fast = wg.compile(f)
    for _ in range(3):
        np.testing.assert_allclose(
            fast(x), expected, rtol=1e-15 if kinds[1] == "f8" and name != "another dtype" else 1e-6
        )


def test_other_keywords_work_where_nothing_is_recorded():
    t = wg.tensor(V)
    np.testing.assert_array_equal(value(np.sin(t, casting="unsafe", dtype=np.float32)), np.sin(V, dtype=np.float32))
    np.testing.assert_array_equal(value(np.add(t, 1, subok=False, order="F")), V + 1)
    np.testing.assert_array_equal(value(np.add(t, t, signature="dd->d")), V + V)


def test_out_may_be_larger_than_the_result():
    x = leaf(V)
    out = wg.zeros((2, 3))
    np.sum(np.add(x, 1.0, out=out)).backward()
    np.testing.assert_array_equal(out.data, np.broadcast_to(V + 1, (2, 3)))
    np.testing.assert_array_equal(x.grad, [2.0] * 3)


# Functions without a rule ----------------------------------------------------------------------------------------


def test_a_function_without_a_rule_says_so_and_how_to_give_it_one():
    for f in (scipy.special.zetac, np.frompyfunc(abs, 1, 1)):
        with pytest.raises(NotImplementedError, match=r"(zetac|abs).*CONTRIBUTING.*detach") as caught:
            f(leaf(V))
        assert isinstance(caught.value, MissingRuleError)


def test_a_function_without_a_rule_works_where_nothing_is_recorded():
    expected = scipy.special.zetac(V)
    for x in (wg.tensor(V), leaf(V).detach()):
        np.testing.assert_array_equal(value(scipy.special.zetac(x)), expected)


def test_unrecorded_tensors_work_with_every_function():
    t = wg.tensor(V)
    assert np.polyfit(t, t, 1) is not None
    np.testing.assert_allclose(value(np.interp(t, V[::-1], V)), np.interp(V, V[::-1], V))
    np.testing.assert_array_equal(np.unique(t), np.unique(V))
    assert np.allclose(t, V)
    assert np.array_equal(t, V)
    assert np.shape(t) == (3,)
    assert np.ndim(t) == 1
    assert np.size(t) == 3
    assert np.isscalar(t) is False


def test_questions_about_recorded_tensors_are_answered():
    x = leaf(V)
    assert np.allclose(x, V)
    assert np.array_equal(x, V)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((3,), 1, 3)
    assert np.isfinite(x).all()
    assert np.argmax(x) == 0
    assert list(np.argsort(x)) == [1, 2, 0]
    np.testing.assert_array_equal(np.sign(V), value(np.sign(x)))
    assert np.result_type(x, np.float32) == np.float64
    assert np.iscomplexobj(x) is False
    assert np.can_cast(x.dtype, np.float32) is False


# Methods ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda a: a.sum(0),
        lambda a: a.sum(axis=1, keepdims=True),
        lambda a: a.mean(),
        lambda a: a.prod(1),
        lambda a: a.max(0),
        lambda a: a.min(),
        lambda a: a.var(ddof=1),
        lambda a: a.std(1),
        lambda a: a.cumsum(1),
        lambda a: a.cumprod(0),
        lambda a: a.argmax(1),
        lambda a: a.argmin(),
        lambda a: a.any(),
        lambda a: a.all(0),
        lambda a: a.dot(V),
        lambda a: a.round(),
        lambda a: a.clip(0, 2),
        lambda a: a.take([0, 1]),
        lambda a: a.repeat(2, 1),
        lambda a: a.argsort(1),
        lambda a: a.nonzero(),
        lambda a: a.swapaxes(0, 1),
        lambda a: a[None].squeeze(),
        lambda a: a.diagonal(),
        lambda a: a.trace(),
        lambda a: a.conj(),
        lambda a: a.copy(),
        lambda a: a.reshape(3, 2),
        lambda a: a.reshape((3, -1)),
        lambda a: a.reshape(-1),
        lambda a: a.transpose(),
        lambda a: a.transpose(1, 0),
        lambda a: a.transpose((1, 0)),
        lambda a: a.transpose(None),
        lambda a: a.ravel(),
        lambda a: a.ravel("F"),
        lambda a: a.flatten(),
        lambda a: a.astype(np.float32),
        lambda a: a.astype(int),
        lambda a: a.tolist(),
        lambda a: a.item(3),
        lambda a: a.item(1, 2),
        lambda a: a.compress([True, False], 0),
        lambda a: a.real,
        lambda a: a.T,
        lambda a: a.flat[2] if isinstance(a, np.ndarray) else a.ravel()[2],
        lambda a: a.sum(5),
        lambda a: a.reshape(4, 2),
        lambda a: a.ptp() if hasattr(a, "ptp") else 0,
        lambda a: a.transpose(0, 0),
        lambda a: a.item(),
        lambda a: a.max(axis=(0, 1)),
        lambda a: a.sum(where=a > 0),
        lambda a: a.max(initial=2.0),
        lambda a: a.mean(dtype=np.float32),
    ],
)
def test_methods_do_what_numpys_do(f):
    check_same(f, A)


def test_methods_with_out():
    x = leaf(A)
    out = wg.zeros(3)
    assert x.sum(axis=0, out=out) is out
    np.sum(out * V).backward()
    np.testing.assert_array_equal(x.grad, np.broadcast_to(V, (2, 3)))


def test_methods_that_write():
    x = leaf(A)
    y = x * 1.0
    y.sort(axis=1)
    np.testing.assert_array_equal(y.data, np.sort(A, axis=1))
    np.sum(y * np.arange(3.0)).backward()
    np.testing.assert_array_equal(x.grad, np.argsort(np.argsort(A, axis=1), axis=1).astype(float))
    z = leaf(A) * 1.0
    z.fill(7.0)
    np.testing.assert_array_equal(z.data, np.full((2, 3), 7.0))
    z.fill(leaf(2.0))
    assert z.requires_grad


def test_the_diagonal_is_read_only():
    for make in (np.copy, wg.tensor, lambda a: leaf(a) * 1.0):
        with pytest.raises(ValueError, match="read-only"):
            np.diagonal(make(A))[0] = 1.0


def test_flat_reads_element_by_element():
    x = leaf(A)
    assert [t.item() for t in x.flat] == list(A.flat)
    sum(x.flat).backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 3)))


def test_numbers_can_be_indexed():
    x = leaf(2.0)
    y = x * 1.0
    np.sum(y[...] + y[()] * 3 + y[None] * 5 + y[True] * 7 + y).backward()
    assert x.grad.item() == 17.0


def test_views_are_numpys_views():
    x = leaf(A) * 1.0
    views = [
        x[0],
        x.T,
        x.reshape(-1),
        x.ravel(),
        x[:, ::2],
        np.swapaxes(x, 0, 1),
        x[None],
        np.flip(x),
        np.squeeze(x),
        x[...],
    ]
    for view in views:
        assert np.shares_memory(view.data, x.data)
    copies = [x[[0, 1]], x[x > 0], x.flatten(), x.copy(), x.T.reshape(-1), np.ravel(x[:, ::2]), np.copy(x), x + 0]
    for copy in copies:
        assert not np.shares_memory(copy.data, x.data)
    x[...] = 5.0
    for view in views:
        assert np.all(view.data == 5.0)
    for copy in copies:
        assert not np.any(copy.data == 5.0)


def test_values_written_by_numpy_functions():
    """Functions that write into their first argument do so, or refuse."""
    writers = {
        "copyto": lambda a: np.copyto(a, 7.0),
        "put": lambda a: np.put(a, [0, 4], [7.0, 8.0]),
        "place": lambda a: np.place(a, a > 0, [7.0, 8.0]),
        "putmask": lambda a: np.putmask(a, a > 0, 7.0),
        "fill_diagonal": lambda a: np.fill_diagonal(a, 7.0),
        "put_along_axis": lambda a: np.put_along_axis(a, np.array([[1], [0]]), 7.0, 1),
    }
    for name, write in writers.items():
        expected = A.copy()
        write(expected)
        for make in (wg.tensor, lambda a: leaf(a) * 1.0):
            x = make(A)
            try:
                write(x)
            except MissingRuleError:
                np.testing.assert_array_equal(x.data, A)
                continue
            np.testing.assert_array_equal(x.data, expected, err_msg=name)


def test_printing():
    assert repr(wg.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(leaf(V)) == "tensor([2. , 0.5, 1.5], requires_grad=True)"
    assert "grad_fn=<multiply>" in repr(leaf(V) * 2)
    assert "float32" in repr(wg.tensor(V.astype(np.float32)))
    assert "..." in repr(wg.zeros(10_000))
    for t in (wg.zeros((0, 3)), wg.tensor(1), wg.tensor(True), wg.tensor(1j), leaf(1.0), leaf(A)[0]):
        assert repr(t).startswith("tensor(")
