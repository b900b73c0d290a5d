"""Attention: averages of values, weighted by how well keys answer queries (Vaswani et al. 2017)."""

from collections.abc import Callable
from math import sqrt

import numpy as np

from wengert.errors import ArgumentError, ShapeError
from wengert.nn._inputs import Array, as_array, describe
from wengert.rules.nn import softmax

__all__ = ["attention", "attention_weights", "merge_heads", "split_heads"]


def attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    dropout: Callable[[Array], Array] | None = None,
) -> Array:
    """Scaled dot-product attention: ``softmax(query @ key.T * scale + mask) @ value``.

    Parameters
    ----------
    query : array or tensor of shape (..., queries, features)
    key : array or tensor of shape (..., keys, features)
    value : array or tensor of shape (..., keys, values)
        The leading axes of the three, such as batch and heads, broadcast.
    mask : array or tensor that broadcasts to (..., queries, keys), optional
        Truth values say which keys a query may look at; numbers are added to the scores.
    causal : bool
        Query i may look at the keys 0 to i only, besides what `mask` says.
    scale : float, optional
        Factor of the scores; by default ``1 / sqrt(features)``.
    dropout : function of the weights, optional
        What is done with the weights before they are used.

    Returns
    -------
    array or tensor of shape (..., queries, values)
        NaN for a query that may look at no key.

    Raises
    ------
    ShapeError
        Features of query and key, or numbers of keys and values, differ.

    Examples
    --------
    A query that matches the second key gets the second value:

    >>> query, key = np.array([[0.0, 40.0]]), np.array([[40.0, 0.0], [0.0, 40.0]])
    >>> attention(query, key, np.array([[1.0], [2.0]]))
    array([[2.]])
    """
    value = as_array(value)
    weights = attention_weights(query, key, mask, causal=causal, scale=scale)
    if value.ndim < 2 or value.shape[-2] != weights.shape[-1]:
        raise ShapeError(
            f"[attention] a value of shape (..., {weights.shape[-1]}, values), one for each key, was required; "
            f"received {describe(value)}; pass as many values as keys"
        )
    return np.matmul(weights if dropout is None else dropout(weights), value)


def attention_weights(
    query: Array, key: Array, mask: Array | None = None, *, causal: bool = False, scale: float | None = None
) -> Array:
    """How much each query looks at each key: the weights of `attention`, of shape (..., queries, keys).

    Examples
    --------
    >>> attention_weights(np.zeros((3, 2)), np.zeros((3, 2)), causal=True).round(2)
    array([[1.  , 0.  , 0.  ],
           [0.5 , 0.5 , 0.  ],
           [0.33, 0.33, 0.33]])
    """
    query, key = as_array(query), as_array(key)
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            f"[attention] query and key of shapes (..., queries, features) and (..., keys, features) were required; "
            f"received {describe(query)}, and {describe(key)}; give both the same number of features"
        )
    factor = 1 / sqrt(query.shape[-1]) if scale is None else scale
    scores = np.matmul(query * factor, np.swapaxes(key, -1, -2))
    if mask is not None:
        mask = as_array(mask)
        scores = np.where(mask, scores, -np.inf) if mask.dtype.kind == "b" else scores + mask
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=np.bool_), scores, -np.inf)
    return softmax(scores, -1)


def split_heads(x: Array, heads: int) -> Array:
    """Features that belong to several heads, from (..., time, heads * features) to (..., heads, time, features).

    Examples
    --------
    >>> split_heads(np.zeros((2, 5, 6)), 3).shape
    (2, 3, 5, 2)
    """
    x = as_array(x)
    if heads < 1 or x.shape[-1] % heads:
        raise ArgumentError(
            f"[split_heads] a number of heads that divides the features was required; received {heads} for "
            f"{describe(x)}; choose another number of heads"
        )
    return np.swapaxes(np.reshape(x, (*x.shape[:-1], heads, x.shape[-1] // heads)), -3, -2)


def merge_heads(x: Array) -> Array:
    """What `split_heads` has split, from (..., heads, time, features) to (..., time, heads * features).

    Examples
    --------
    >>> merge_heads(np.zeros((2, 3, 5, 2))).shape
    (2, 5, 6)
    """
    x = np.swapaxes(as_array(x), -3, -2)
    return np.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))
