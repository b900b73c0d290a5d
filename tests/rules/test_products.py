import numpy as np
import pytest

import wengert as wg
from wengert.rules.products import BLOCK, TALL


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rows", [TALL - 1, TALL, TALL + BLOCK + 7])
def test_gradient_of_a_tall_product_with_a_vector(rows, dtype, order):
    random = np.random.default_rng(3)
    x = np.asarray(random.standard_normal((rows, 12)), dtype, order)
    w, c = random.standard_normal(12).astype(dtype), random.standard_normal(rows).astype(dtype)
    tolerance = 1e-10 if dtype == np.float64 else 1e-3
    for weights, loss in ((c, lambda w: np.sum(c * (x @ w))), (np.ones(rows), lambda w: np.sum(x @ w))):
        gradient = wg.grad(loss)(w)
        expected = weights.astype(float) @ x.astype(float)
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance * np.sqrt(rows))


def test_hessian_of_a_tall_product():
    random = np.random.default_rng(4)
    x = random.standard_normal((TALL + 1, 8))
    hessian = wg.hessian(lambda w: np.sum((x @ w) ** 2) / 2)(np.zeros(8))
    np.testing.assert_allclose(hessian, x.T @ x, rtol=1e-10)
