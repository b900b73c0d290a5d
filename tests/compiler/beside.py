"""What the tests of the compiler compare, and how."""

import numpy as np

import wengert as wg


def same(found, expected):
    """Equal containers of equal numbers and classes."""
    assert type(found) is type(expected)
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            same(a, b)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for name in expected:
            same(found[name], expected[name])
    elif isinstance(expected, (np.ndarray, np.generic, float, wg.Tensor)):
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(np.asarray(found), np.asarray(expected), 1e-9, 1e-12)
    else:
        assert found == expected


def beside(f, *calls):
    """Compare a compiled function with itself on several arguments, twice over; gives the compiled one."""
    fast = wg.compile(f)
    for args in (*calls, *calls):
        same(fast(*args), f(*args))
    return fast


def gradients(function, *arrays):
    """The value of a function, and the gradients of a weighted sum of it, by a tape."""
    xs = [wg.tensor(a, requires_grad=True) for a in arrays]
    y = function(*xs)
    weights = np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)
    np.sum(y * weights).backward()
    return [np.asarray(y.detach().numpy()), *(np.asarray(x.grad.numpy()) for x in xs)]
