"""Linear maps, and the tables that stand for linear maps of one-hot vectors."""

import numpy as np

from wengert.errors import ArgumentError, ShapeError
from wengert.nn._inputs import Array, as_array, as_indices, describe

__all__ = ["embedding", "linear", "one_hot"]


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """``x @ weight + bias``.

    Parameters
    ----------
    x : array or tensor of shape (..., features_in)
    weight : array or tensor of shape (features_in, features_out)
        Inputs first, so that no transpose is needed.
    bias : array or tensor of shape (features_out,), optional

    Returns
    -------
    array or tensor of shape (..., features_out)

    Raises
    ------
    ShapeError
        The shapes do not fit.

    Examples
    --------
    >>> linear(np.array([[1.0, 2.0]]), np.array([[1.0], [10.0]]), np.array([0.5]))
    array([[21.5]])
    """
    x, weight = as_array(x), as_array(weight)
    if not (x.ndim and weight.ndim == 2 and x.shape[-1] == weight.shape[0]):
        raise ShapeError(
            f"[linear] x of shape (..., n) needs weight of shape (n, m); got x with {describe(x)} and weight "
            f"with {describe(weight)}; transpose a weight stored with its outputs first."
        )
    bias = None if bias is None else as_array(bias)
    if bias is not None and bias.shape != weight.shape[1:]:
        raise ShapeError(
            f"[linear] bias must have shape {weight.shape[1:]} for weight with {describe(weight)}; "
            f"got {describe(bias)}; give one number per output."
        )
    y = x @ weight
    return y if bias is None else y + bias


def embedding(indices: Array, table: Array) -> Array:
    """Rows of a table: ``table[indices]``. The gradient adds into the rows that were looked up.

    Parameters
    ----------
    indices : integers of any shape
    table : array or tensor of shape (rows, features)

    Returns
    -------
    array or tensor of shape ``indices.shape + (features,)``

    Raises
    ------
    DTypeError
        Indices that are not integers.
    ArgumentError
        An index outside [0, rows): negative ones do not count from the end here.

    Examples
    --------
    >>> embedding([2, 0], np.array([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]))
    array([[2. , 2.5],
           [0. , 0.5]])
    """
    table = as_array(table)
    return table[as_indices("embedding", "indices", indices, table.shape[0])]


def one_hot(labels: Array, classes: int, dtype: np.typing.DTypeLike = float) -> np.ndarray:
    """Vectors with a one at the label and zeros elsewhere.

    Parameters
    ----------
    labels : integers of any shape
    classes : int
        Length of the vectors.
    dtype : dtype of the result

    Returns
    -------
    ndarray of shape ``labels.shape + (classes,)``; constant, so without a gradient

    Raises
    ------
    DTypeError
        Labels that are not integers.
    ArgumentError
        A label outside [0, classes), or a negative number of classes.

    Examples
    --------
    >>> one_hot([1, 0], 3)
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """
    if classes < 0:
        raise ArgumentError(f"[one_hot] classes must not be negative; got {classes!r}.")
    labels = as_indices("one_hot", "labels", labels, classes)
    return (labels[..., None] == np.arange(classes)).astype(dtype)
