"""Gradients by the engine against central differences."""

import numpy as np

import wengert as wg


def gradients(f, *arrays):
    """Gradients of the scalar `f` with respect to each array."""
    tensors = [wg.tensor(a, requires_grad=True) for a in arrays]
    f(*tensors).backward()
    return [t.grad.numpy() for t in tensors]


def central_differences(f, arrays, step=1e-6):
    results = []
    for i, array in enumerate(arrays):
        slopes = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            ends = []
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[i][index] += sign * step
                ends.append(float(f(*moved)))
            slopes[index] = (ends[0] - ends[1]) / (2 * step)
        results.append(slopes)
    return results


def check_gradients(f, *arrays, tolerance=1e-7):
    """`f` maps float64 arrays to a scalar, of a size near 1."""
    arrays = [np.array(a, dtype=float) for a in arrays]
    for got, expected in zip(gradients(f, *arrays), central_differences(f, arrays), strict=True):
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
