"""Regularisation by noise."""

import numpy as np

from wengert.nn._inputs import Array, as_array, require_generator, require_probability
from wengert.random import lasting, random
from wengert.tape import is_training

__all__ = ["dropout"]

# For callers who bring no generator: seeded by the operating system, so not repeatable.
_unseeded = lasting(np.random.default_rng())


def dropout(x: Array, p: float = 0.5, rng: np.random.Generator | None = None) -> Array:
    """Set a random fraction `p` of `x` to zero and divide the rest by ``1 - p`` (Srivastava et al. 2014).

    So the expectation is `x`. Works in train mode only; in predict mode it returns `x` as it is.

    Parameters
    ----------
    x : array or tensor of any shape, floating point
    p : float in [0, 1]
        Probability of dropping an element; 1 drops all of them.
    rng : numpy.random.Generator, optional
        Where the mask is drawn from. Give one to get the same masks in every run.

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Raises
    ------
    ArgumentError
        `p` outside [0, 1], or `rng` is no generator.

    See Also
    --------
    wengert.train_mode, wengert.predict_mode

    Examples
    --------
    >>> import wengert as wg
    >>> with wg.train_mode():
    ...     dropout(np.ones(8), 0.5, np.random.default_rng(0))
    array([2., 2., 2., 0., 0., 0., 0., 0.])
    >>> with wg.predict_mode():
    ...     dropout(np.ones(3), 0.5)
    array([1., 1., 1.])
    """
    require_probability("dropout", "p", p)
    if p == 0 or not is_training():
        return x
    x = as_array(x)
    rng = _unseeded if rng is None else require_generator("dropout", rng)
    kept = random(rng, x.shape, np.float32) >= p
    scale = 1 / (1 - p) if p < 1 else 0.0
    return x * (kept * np.asarray(scale, x.dtype))
