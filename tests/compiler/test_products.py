"""Products of matrices, as BLAS is given them: stacks, windows, transposes, and parts that threads do."""

import itertools

import numpy as np
import pytest

import wengert as wg

FORMS = {
    "plain": lambda a, b: np.tanh(a @ b),
    "turned": lambda a, b: a.swapaxes(-1, -2) @ b.swapaxes(-1, -2),
    "windows": lambda a, b: a[..., ::2] @ b[..., ::2, 1:],
    "rows left out": lambda a, b: a[..., 1:, :] @ b[..., :, 2:],
    "backwards": lambda a, b: a[..., ::-1] @ b[..., ::-1, :],
}


def shapes(form: str, m: int, k: int, n: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of operands whose product in this form is one of `m` x `k` and `k` x `n`."""
    return {
        "turned": ((k, m), (n, k)),
        "windows": ((m, 2 * k), (2 * k, n + 1)),
        "rows left out": ((m + 1, k), (k, n + 2)),
    }.get(form, ((m, k), (k, n)))


def agree(function, *like):
    """The compiled function is what the function is, for several operands of these shapes and dtypes."""
    random, fast = np.random.default_rng(0), wg.compile(function)
    for _ in range(3):
        operands = [random.normal(size=x.shape).astype(x.dtype) for x in like]
        expected = function(*operands)
        tolerance = 1e-4 if expected.dtype == np.float32 else 1e-11
        np.testing.assert_allclose(fast(*operands), expected, tolerance, tolerance)
    assert fast.stats()["eager"] == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("m", "k", "n"), [*itertools.product((1, 5, 300), (1, 40), (1, 7, 150))])
def test_of_two(form, dtype, m, k, n):
    agree(FORMS[form], *[np.empty(shape, dtype) for shape in shapes(form, m, k, n)])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stack", [(3,), (1, 4), (4, 1), (2, 3), (2, 1, 3), (40,)])
@pytest.mark.parametrize(("m", "k", "n"), [(2, 3, 4), (1, 5, 2), (5, 2, 1), (1, 1, 1), (20, 30, 10)])
def test_of_stacks(form, stack, m, k, n):
    left, right = shapes(form, m, k, n)
    for a, b in ((stack, stack), (stack, ()), ((), stack), (stack, (*stack[:-1], 1))):
        agree(FORMS[form], np.empty(a + left), np.empty(b + right))


def test_of_axes_in_another_order():
    like = np.empty((2, 16, 4, 8))
    agree(lambda q, k: q.transpose(0, 2, 1, 3) @ k.transpose(0, 2, 3, 1), like, like)


@pytest.mark.parametrize(("a", "b"), [((0, 3), (3, 4)), ((2, 0), (0, 4)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 4))])
def test_of_nothing(a, b):
    agree(lambda a, b: a @ b + 1, np.empty(a), np.empty(b))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("subscripts", ["i->", "ij->j", "ii->i", "i,i->i", "i,j->ij", "ij,jk->ik", "i,ij,j->"])
def test_zeros_of_einsum_have_numpys_signs(subscripts, n):
    random = np.random.default_rng(0)
    compiled = wg.compile(lambda *given: np.einsum(subscripts, *given))
    for _ in range(20):
        shapes = [[n] * len(part) for part in subscripts.split("->")[0].split(",")]
        given = [random.choice([0.0, -0.0, 1.0, -1.0], shape) for shape in shapes]
        found, expected = compiled(*given), np.einsum(subscripts, *given)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "n"), [(64, 5), (64, 64), (65, 300), (129, 1), (300, 77), (1000, 3)])
def test_of_a_matrix_and_its_own_transpose(m, n, dtype):
    random = np.random.default_rng(0)
    forms = [
        (lambda a: a @ a.T, (m, n)),
        (lambda a: a.T @ a, (n, m)),
        (lambda a: a[1:, 2:] @ a[1:, 2:].T, (m + 1, n + 2)),
        (lambda a: (a[:, 2:].T @ a[:, 2:]) * 2, (n, m + 2)),
    ]
    for f, shape in forms:
        agree(f, np.empty(shape, dtype))
        fast, a = wg.compile(f), random.normal(size=shape).astype(dtype)
        found = fast(a)
        np.testing.assert_array_equal(found, found.T)


def test_of_a_matrix_and_its_own_transpose_where_some_are_no_numbers():
    random, fast = np.random.default_rng(0), wg.compile(lambda a: a @ a.T)
    for _ in range(3):
        a = random.normal(size=(200, 20))
        a[random.integers(200, size=2), random.integers(20, size=2)] = np.nan, np.inf
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(fast(a), a @ a.T, rtol=1e-12, atol=1e-12)


def test_of_a_part_and_its_own_transpose_that_blas_cannot_take():
    agree(lambda a: a[1:, ::2] @ a[1:, ::2].T, np.empty((100, 80)))
    agree(lambda a: a[::-1] @ a.T, np.empty((100, 80)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("part", [1, 30, 64, 100, 199])
def test_of_a_matrix_and_some_of_its_own_rows_or_columns(part, dtype):
    """They begin where it does, and have its strides, but the product is not symmetric."""
    for f in (lambda a: a @ a[:part].T, lambda a: a[:part] @ a.T, lambda a: a[:part].T @ a[:part, :100]):
        agree(f, np.empty((200, 120), dtype))
        agree(wg.grad(lambda a, f=f: np.sum(np.sin(f(a)))), np.empty((200, 120), dtype))
    for f in (lambda a: a[:, :part].T @ a, lambda a: a.T @ a[:, :part]):
        agree(f, np.empty((30, 200), dtype))


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: np.sum(a @ b, axis=0),
        lambda a, b: np.sum(a @ b, axis=1, keepdims=True),
        lambda a, b: np.sum(-(a @ b).T, axis=0),
        lambda a, b: np.einsum("ij,jk->k", a, b),
    ],
)
def test_a_sum_of_products_is_no_product_of_sums(f):
    """A sum may be too large where the products are not."""
    large, fast = np.full((64, 64), 1e307), wg.compile(f)
    for a, b in ((0 * large, large), (large, 0 * large), (large, 0 * large), (0 * large, large)):
        np.testing.assert_array_equal(fast(a, b), np.zeros_like(f(a, b)))


def test_of_a_matrix_and_its_own_transpose_has_derivatives():
    random = np.random.default_rng(0)
    f = lambda a: np.sum(np.tanh(a.T @ a / 50) ** 2)  # noqa: E731
    fast = wg.compile(wg.grad(f))
    for _ in range(3):
        a = random.normal(size=(40, 90))
        np.testing.assert_allclose(fast(a), wg.grad(f)(a), rtol=1e-10, atol=1e-12)
